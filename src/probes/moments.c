/* Weighted means and standard deviations of the output parameters, with errors by ancestor. */
#include "base/error.h"
#include "base/memory.h"
#include "probes/probe.h"

struct moments {
  struct dun_probe_head head;

  /* made by init */
  int outputs;
  double *theta;                          /* [outputs] */
  double *mean, *deviation, *error;       /* [outputs] */
  double *square, *square_error, *unused; /* [outputs]: of squared distances from the mean */
};

static const struct dun_table_column columns[] = {
    {"index", "", "Number of the scalar among the entries of all output parameters."},
    {"mean", "", "Weighted mean."},
    {"deviation", "", "Weighted standard deviation."},
    {"error", "", "Standard error of the mean, by ancestor."},
    {"deviation_error", "", "Standard error of the standard deviation, by ancestor."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct moments *m = self;
  (void)context;
  m->outputs = dun_evaluator_outputs(run->evaluator);
  m->theta = dun_allocate(m->outputs, sizeof(double));
  m->mean = dun_allocate(m->outputs, sizeof(double));
  m->deviation = dun_allocate(m->outputs, sizeof(double));
  m->error = dun_allocate(m->outputs, sizeof(double));
  m->square = dun_allocate(m->outputs, sizeof(double));
  m->square_error = dun_allocate(m->outputs, sizeof(double));
  m->unused = dun_allocate(m->outputs, sizeof(double));
  if (!m->theta || !m->mean || !m->deviation || !m->error || !m->square || !m->square_error ||
      !m->unused)
    return DUN_ERROR_MEMORY;
  return dun_probe_columns(&m->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct moments *m = self;
  DUN_FREE(m->theta);
  DUN_FREE(m->mean);
  DUN_FREE(m->deviation);
  DUN_FREE(m->error);
  DUN_FREE(m->square);
  DUN_FREE(m->square_error);
  DUN_FREE(m->unused);
  dun_table_free(&m->head.table);
}

struct source {
  struct moments *moments;
  const struct dun_run *run;
};

static void outputs(void *data, int64_t tile, double *f)
{
  const struct source *s = data;
  const struct dun_tiles *tiles = &s->run->population.tiles;
  int d = s->run->evaluator->dimension, n = dun_tile_size(tiles, tiles->first_tile + tile);
  const double *x = dun_f64(s->run->sweep.x) + tile * tiles->tile * d;

  for (int l = 0; l < n; l++) {
    dun_evaluator_constrain(s->run->evaluator, x + (int64_t)l * d, s->moments->theta);
    for (int i = 0; i < s->moments->outputs; i++)
      f[(int64_t)i * DUN_LANES + l] = s->moments->theta[i];
  }
}

static void squares(void *data, int64_t tile, double *f)
{
  const struct moments *m = ((const struct source *)data)->moments;

  outputs(data, tile, f);
  for (int i = 0; i < m->outputs; i++)
    for (int l = 0; l < DUN_LANES; l++) {
      double away = f[(int64_t)i * DUN_LANES + l] - m->mean[i];
      f[(int64_t)i * DUN_LANES + l] = away * away;
    }
}

static int add_rows(struct moments *m, const struct dun_run *run)
{
  int status = 0;
  for (int i = 0; i < m->outputs && status >= 0; i++) {
    double spread = m->deviation[i] > 0 ? m->square_error[i] / (2 * m->deviation[i]) : 0;
    status = dun_probe_row(&m->head, run, COLUMNS,
                           (double[]){i, m->mean[i], m->deviation[i], m->error[i], spread});
  }
  return status;
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct moments *m = self;
  struct source source = {m, run};
  int status = dun_probe_weighted(context, run, m->outputs, outputs, &source, m->mean, m->deviation,
                                  m->error);
  if (status >= 0)
    status = dun_probe_weighted(context, run, m->outputs, squares, &source, m->square, m->unused,
                                m->square_error);
  return dun_agree(context, status < 0 ? status : add_rows(m, run));
}

static const struct dun_option options[] = {DUN_PROBE_OPTIONS(struct moments), {0}};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct moments), {0}};

const struct dun_probe dun_probe_moments = {
    .type = {DUN_TYPE(struct dun_probe), .name = "moments",
             .doc = "Weighted means and standard deviations of the output parameters.",
             .size = sizeof(struct moments), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
