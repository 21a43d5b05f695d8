/* Means and standard deviations of the output parameters, with errors: of chains' draws at their
 * end, of the weighted particles otherwise. */
#include "base/error.h"
#include "base/memory.h"
#include "probes/probe.h"
#include <math.h>

struct moments {
  struct dun_probe_head head;
};

static const struct dun_table_column columns[] = {
    {"index", "", "Number of the scalar among the entries of all output parameters."},
    {"mean", "", "Weighted mean."},
    {"deviation", "", "Weighted standard deviation."},
    {"error", "",
     "Standard error of the mean, by ancestor, by chain, or by a chain's autocorrelation."},
    {"deviation_error", "", "Standard error of the standard deviation."},
    {"tail", "",
     "Pareto shape of distances from the mean, and half its error; from 0.5 on the mean has no "
     "error: "
     "NaN."},
    {"square_tail", "",
     "Pareto shape of their squares, and half its error; from 0.5 on the deviation has no error: "
     "NaN."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  (void)context;
  (void)run;
  return dun_probe_columns(&((struct moments *)self)->head, columns, COLUMNS);
}

static void release(void *self)
{
  dun_table_free(&((struct moments *)self)->head.table);
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct moments *s = self;
  struct dun_probe_moments *m = dun_allocate(run->kept.outputs, sizeof *m);
  int status = dun_agree(context, m ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = dun_probe_output_moments(context, run, m);
  for (int i = 0; i < run->kept.outputs && status >= 0; i++) {
    double error = dun_probe_has_error(m[i].tail) ? m[i].error : NAN;
    double deviation_error = dun_probe_has_error(m[i].square_tail) ? m[i].deviation_error : NAN;
    status = dun_probe_row(&s->head, run, COLUMNS,
                           (double[]){i, m[i].mean, m[i].deviation, error, deviation_error,
                                      m[i].tail, m[i].square_tail});
  }
  dun_free(m);
  return dun_agree(context, status);
}

static const struct dun_option options[] = {DUN_PROBE_OPTIONS(struct moments), {0}};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct moments), {0}};

const struct dun_probe dun_probe_moments = {
    .type = {DUN_TYPE(struct dun_probe), .name = "moments",
             .doc = "Means and standard deviations of the output parameters.",
             .size = sizeof(struct moments), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
