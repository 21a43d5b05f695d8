/* Shares of the target's known modes, with errors by ancestor: the binomial error is too small,
 * since descendants of one ancestor share its mode. */
#include "base/error.h"
#include "base/memory.h"
#include "probes/probe.h"
#include <math.h>

struct modes {
  struct dun_probe_head head;
  double within; /* option */

  /* made by init */
  int modes, dimension;
  double *centre, *due, *width;      /* [modes][d], [modes], [modes] */
  double *share, *deviation, *error; /* [modes + 1]; the last is of no mode */
};

static const struct dun_table_column columns[] = {
    {"mode", "", "Number of the mode; -1: particles near no mode."},
    {"share", "", "Weight of the particles nearest to the mode."},
    {"error", "", "Standard error of the share, by ancestor."},
    {"binomial_error", "", "What it would be if the particles were independent."},
    {"due", "", "Share of the mode in the target."},
    {"hit", "", "1: it has more than a tenth of its due."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct modes *m = self;
  const struct dun_target *target = run->target;
  (void)context;

  m->dimension = run->evaluator->dimension;
  m->modes = target->modes ? target->modes(run->evaluator->self, 0, NULL, NULL, NULL) : 0;
  if (m->modes < 1)
    return dun_fail(DUN_ERROR_INPUT, "probe modes: target %s does not tell its modes",
                    target->type.name);
  m->centre = dun_allocate((int64_t)m->modes * m->dimension, sizeof(double));
  m->due = dun_allocate(m->modes, sizeof(double));
  m->width = dun_allocate(m->modes, sizeof(double));
  m->share = dun_allocate(m->modes + 1, sizeof(double));
  m->deviation = dun_allocate(m->modes + 1, sizeof(double));
  m->error = dun_allocate(m->modes + 1, sizeof(double));
  if (!m->centre || !m->due || !m->width || !m->share || !m->deviation || !m->error)
    return DUN_ERROR_MEMORY;
  target->modes(run->evaluator->self, m->modes, m->centre, m->due, m->width);
  return dun_probe_columns(&m->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct modes *m = self;
  DUN_FREE(m->centre);
  DUN_FREE(m->due);
  DUN_FREE(m->width);
  DUN_FREE(m->share);
  DUN_FREE(m->deviation);
  DUN_FREE(m->error);
  dun_table_free(&m->head.table);
}

/* The nearest centre in its own widths; `modes` if none is within reach.  In d dimensions a mode's
 * particles lie sqrt(d) widths from its centre, give or take less than one. */
static int nearest(const struct modes *m, const double *x)
{
  double reach = m->within + sqrt(m->dimension), least = reach * reach;
  int found = m->modes;

  for (int k = 0; k < m->modes; k++) {
    const double *c = m->centre + (int64_t)k * m->dimension;
    double square = 0;
    for (int j = 0; j < m->dimension; j++)
      square += (x[j] - c[j]) * (x[j] - c[j]);
    square /= m->width[k] * m->width[k];
    if (square < least) {
      least = square;
      found = k;
    }
  }
  return found;
}

struct source {
  const struct modes *modes;
  const struct dun_run *run;
};

static void indicators(void *data, int64_t tile, double *f)
{
  const struct source *s = data;
  const struct dun_tiles *tiles = &s->run->population.tiles;
  int d = s->modes->dimension, n = dun_tile_size(tiles, tiles->first_tile + tile);
  const double *x = dun_f64(s->run->sweep.x) + tile * tiles->tile * d;

  for (int l = 0; l < n; l++) {
    int own = nearest(s->modes, x + (int64_t)l * d);
    for (int k = 0; k <= s->modes->modes; k++)
      f[(int64_t)k * DUN_LANES + l] = k == own;
  }
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct modes *m = self;
  struct source source = {m, run};
  double N = (double)run->options.particles;
  int status = dun_probe_weighted(context, run, m->modes + 1, indicators, &source, m->share,
                                  m->deviation, m->error);
  for (int k = 0; k <= m->modes && status >= 0; k++) {
    double outside = k == m->modes;
    status = dun_probe_row(&m->head, run, COLUMNS,
                           (double[]){outside ? -1 : k, m->share[k], m->error[k],
                                      m->deviation[k] / sqrt(N), outside ? 0 : m->due[k],
                                      !outside && m->share[k] > .1 * m->due[k]});
  }
  return dun_agree(context, status);
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct modes),
    {.name = "within",
     .type = DUN_NUMBER,
     .offset = offsetof(struct modes, within),
     .initial = "4",
     .minimum = .1,
     .maximum = 1e6,
     .doc = "A particle belongs to the nearest mode if it is within sqrt(dimension) and so many "
            "widths of it."},
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct modes), {0}};

const struct dun_probe dun_probe_modes = {
    .type = {DUN_TYPE(struct dun_probe), .name = "modes",
             .doc = "Shares of the target's known modes.", .size = sizeof(struct modes),
             .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
