/* Rank-normalised split R-hat and effective sample sizes of every scalar of the output parameters,
 * over the draws that the chains have kept so far (numerics/mixing.h), and nested R-hat where
 * chains began in groups (numerics/nested.h). */
#include "base/error.h"
#include "base/memory.h"
#include "numerics/nested.h"
#include "probes/probe.h"
#include <math.h>

struct rhat {
  struct dun_probe_head head;
};

static const struct dun_table_column columns[] = {
    {"index", "", "Number of the scalar among the entries of all output parameters."},
    {"rhat", "", "The larger one of the next two: 1 if the chains have met, above 1.01 doubtful."},
    {"rhat_bulk", "", "Split R-hat of the rank-normalised draws."},
    {"rhat_folded", "", "Split R-hat of their distances from the median, rank-normalised."},
    {"ess_bulk", "", "Effective sample size of the rank-normalised draws."},
    {"ess_tail", "", "The smaller effective sample size of the 5% and the 95% quantile."},
    {"ess_folded", "", "Effective sample size of the distances from the median, rank-normalised."},
    {"rhat_nested", "", "Nested R-hat of the superchains; NaN: every chain began for itself."},
    {"nested_floor", "", "Where nested R-hat is once the chains have forgotten their starts."},
    {"nested_deviations", "",
     "Standard deviations by which superchains differ more than by chance."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct rhat *s = self;
  (void)context;
  if (run->kept.due == 0)
    return dun_fail(DUN_ERROR_INPUT, "probe rhat: no draws of chains are kept");
  return dun_probe_columns(&s->head, columns, COLUMNS);
}

static void release(void *self)
{
  dun_table_free(&((struct rhat *)self)->head.table);
}

static int add_row(struct rhat *s, const struct dun_run *run, int index, const struct dun_mixing *m,
                   const struct dun_nested *nested)
{
  double rhat = m->rhat_bulk > m->rhat_folded ? m->rhat_bulk : m->rhat_folded;
  rhat = m->rhat_folded != m->rhat_folded ? m->rhat_bulk : rhat; /* NaN: of two values only */
  return dun_probe_row(&s->head, run, COLUMNS,
                       (double[]){index, rhat, m->rhat_bulk, m->rhat_folded, m->ess_bulk,
                                  m->ess_tail, m->ess_folded, nested->rhat, nested->floor,
                                  nested->deviations});
}

/* Collective.  Both of a scalar. */
static int measure(struct dun_context *context, struct dun_mixing_work *work,
                   const struct dun_kept *kept, const double *value, struct dun_mixing *mixing,
                   struct dun_nested *nested)
{
  const struct dun_tiles *chains = &kept->chains;
  *nested = (struct dun_nested){NAN, NAN, NAN, NAN};
  int status = dun_mixing_ranks(context, work, chains->local, kept->draws, value, mixing);
  if (status < 0 || kept->superchains < 2)
    return status;
  return dun_nested_rhat(context, work, kept->superchains, chains->total / kept->superchains,
                         chains->first, chains->local, kept->draws, value, nested);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct dun_mixing_work work = {0};
  struct dun_mixing mixing;
  struct dun_nested nested;
  double *value;
  int status = dun_probe_kept(context, run, &value);
  for (int i = 0; i < run->kept.outputs && status >= 0; i++) {
    status = run->kept.read(context, run->kept.source, i, value);
    if (status >= 0)
      status = measure(context, &work, &run->kept, value, &mixing, &nested);
    if (status >= 0)
      status = dun_agree(context, add_row(self, run, i, &mixing, &nested));
  }
  dun_mixing_free(&work);
  dun_free(value);
  return status;
}

static const struct dun_option options[] = {DUN_PROBE_OPTIONS(struct rhat), {0}};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct rhat), {0}};

const struct dun_probe dun_probe_rhat = {
    .type = {DUN_TYPE(struct dun_probe), .name = "rhat",
             .doc = "Split and nested R-hat, bulk, folded and tail effective sample sizes of "
                    "chains.",
             .citation = "Vehtari et al. 2021, Bayesian Analysis 16, 667",
             .size = sizeof(struct rhat), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
