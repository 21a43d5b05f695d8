/* Effective sample sizes of the means: of how many independent draws would give the standard errors
 * that the moments have, (deviation / error)^2; and of normal draws for those of the standard
 * deviations.  Chains, populations and methods are compared by one measure. */
#include "base/error.h"
#include "base/memory.h"
#include "probes/probe.h"

struct ess {
  struct dun_probe_head head;
};

static const struct dun_table_column columns[] = {
    {"index", "", "Number of the scalar among the entries of all output parameters."},
    {"ess", "", "Independent draws that would give the standard error of the mean."},
    {"deviation_ess", "", "Independent normal draws that would give that of the deviation."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  (void)context;
  (void)run;
  return dun_probe_columns(&((struct ess *)self)->head, columns, COLUMNS);
}

static void release(void *self)
{
  dun_table_free(&((struct ess *)self)->head.table);
}

static double squared_ratio(double deviation, double error)
{
  return deviation / error * (deviation / error);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct ess *s = self;
  struct dun_probe_moments *m = dun_allocate(run->kept.outputs, sizeof *m);
  int status = dun_agree(context, m ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = dun_probe_output_moments(context, run, m);
  for (int i = 0; i < run->kept.outputs && status >= 0; i++)
    status = dun_probe_row(&s->head, run, COLUMNS,
                           (double[]){i, squared_ratio(m[i].deviation, m[i].error),
                                      .5 * squared_ratio(m[i].deviation, m[i].deviation_error)});
  dun_free(m);
  return dun_agree(context, status);
}

static const struct dun_option options[] = {DUN_PROBE_OPTIONS(struct ess), {0}};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct ess), {0}};

const struct dun_probe dun_probe_ess = {
    .type = {DUN_TYPE(struct dun_probe), .name = "ess",
             .doc = "Effective sample sizes of means and deviations, of any method.",
             .size = sizeof(struct ess), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
