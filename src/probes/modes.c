/* Shares of the target's known modes: of particles, with errors by ancestor (the binomial error is
 * too small, since descendants of one ancestor share its mode), or at the end of chains of all
 * their draws, with errors by autocorrelation.
 *
 * A share of 0 or 1 has no error of its own, and one that rests on a few draws is small where its
 * error is, too.  Below 20 of n independent draws it has at least that of a share with two more of
 * either kind (Agresti & Coull 1998, Am. Stat. 52, 119). */
#include "base/error.h"
#include "base/memory.h"
#include "numerics/mixing.h"
#include "population/weights.h"
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
    {"share", "", "Weight of the particles, or of the draws, nearest to the mode."},
    {"error", "",
     "Standard error, by ancestor, chain or autocorrelation; of rare ones at least that of two "
     "independent draws more."},
    {"binomial_error", "", "What it would be if the particles or draws were independent."},
    {"due", "",
     "Weight of the mode in the target: its share where modes lie apart and tails are light."},
    {"hit", "", "1: it has more than a tenth of its due."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };
enum { MOST_NUMBERS = 1 << 27 }; /* of all centres: a gigabyte */

/* What a user's target says may be anything. */
static int check_modes(const struct modes *m, const char *target)
{
  for (int k = 0; k < m->modes; k++) {
    int good = m->due[k] >= 0 && m->due[k] <= 1 && m->width[k] > 0 && isfinite(m->width[k]);
    for (int j = 0; j < m->dimension; j++)
      good = good && isfinite(m->centre[(int64_t)k * m->dimension + j]);
    if (!good)
      return dun_fail(
          DUN_ERROR_INPUT,
          "probe modes: mode %d of target %s has share %g and width %g; expected finite "
          "centres, shares from 0 to 1 and widths above 0",
          k + 1, target, m->due[k], m->width[k]);
  }
  return 0;
}

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct modes *m = self;
  const struct dun_target *target = run->target;
  (void)context;

  m->dimension = run->evaluator->dimension;
  m->modes = dun_evaluator_modes(run->evaluator, 0, NULL, NULL, NULL);
  if (m->modes < 1 || m->modes > MOST_NUMBERS / m->dimension)
    return dun_fail(DUN_ERROR_INPUT,
                    "probe modes: target %s does not tell its modes, or has too many to tell",
                    target->type.name);
  m->centre = dun_allocate((int64_t)m->modes * m->dimension, sizeof(double));
  m->due = dun_allocate(m->modes, sizeof(double));
  m->width = dun_allocate(m->modes, sizeof(double));
  m->share = dun_allocate(m->modes + 1, sizeof(double));
  m->deviation = dun_allocate(m->modes + 1, sizeof(double));
  m->error = dun_allocate(m->modes + 1, sizeof(double));
  if (!m->centre || !m->due || !m->width || !m->share || !m->deviation || !m->error)
    return DUN_ERROR_MEMORY;
  dun_evaluator_modes(run->evaluator, m->modes, m->centre, m->due, m->width);
  if (check_modes(m, target->type.name) < 0)
    return DUN_ERROR_INPUT;
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
  const double *x = dun_f64(s->run->x) + tile * tiles->tile * d;

  for (int l = 0; l < n; l++) {
    int own = nearest(s->modes, x + (int64_t)l * d);
    for (int k = 0; k <= s->modes->modes; k++)
      f[(int64_t)k * DUN_LANES + l] = k == own;
  }
}

/* ---- of chains ------------------------------------------------------------------------------- */

/* What is known of this rank's draws. */
struct draws {
  int64_t count;
  double *value, *square, *least; /* [count]: a coordinate, squared distance, the least so far */
  int *own;                       /* [count]: the mode */
};

/* Squared distances of all draws from mode k, one coordinate after the other. */
static int measure(struct dun_context *context, const struct modes *m, const struct dun_run *run,
                   int k, struct draws *draws)
{
  int status = 0;
  for (int64_t i = 0; i < draws->count; i++)
    draws->square[i] = 0;
  for (int j = 0; j < m->dimension && status >= 0; j++) {
    double centre = m->centre[(int64_t)k * m->dimension + j];
    status = run->kept.read(context, run->kept.source, j, draws->value);
    for (int64_t i = 0; i < draws->count && status >= 0; i++)
      draws->square[i] += (draws->value[i] - centre) * (draws->value[i] - centre);
  }
  return status;
}

static int find_modes(struct dun_context *context, const struct modes *m, const struct dun_run *run,
                      struct draws *draws)
{
  double reach = m->within + sqrt(m->dimension);
  int status = 0;
  for (int64_t i = 0; i < draws->count; i++) {
    draws->least[i] = reach * reach;
    draws->own[i] = m->modes;
  }
  for (int k = 0; k < m->modes && status >= 0; k++) {
    status = measure(context, m, run, k, draws);
    for (int64_t i = 0; i < draws->count && status >= 0; i++) {
      double square = draws->square[i] / (m->width[k] * m->width[k]);
      if (square < draws->least[i]) {
        draws->least[i] = square;
        draws->own[i] = k;
      }
    }
  }
  return status;
}

static int chain_shares(struct dun_context *context, struct modes *m, const struct dun_run *run)
{
  int64_t count = run->kept.chains.local * run->kept.draws;
  struct draws draws = {.count = count};
  struct dun_mixing_work work = {0};
  struct dun_chain_moments moments;
  draws.value = dun_allocate(count, sizeof *draws.value);
  draws.square = dun_allocate(count, sizeof *draws.square);
  draws.least = dun_allocate(count, sizeof *draws.least);
  draws.own = dun_allocate(count, sizeof *draws.own);
  int there = draws.value && draws.square && draws.least && draws.own;
  int status = dun_agree(context, there ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = find_modes(context, m, run, &draws);
  for (int k = 0; k <= m->modes && status >= 0; k++) {
    for (int64_t i = 0; i < count; i++)
      draws.value[i] = draws.own[i] == k;
    status = dun_mixing_moments(context, &work, run->kept.chains.local, run->kept.draws,
                                draws.value, &moments);
    m->share[k] = moments.mean;
    m->deviation[k] = moments.deviation;
    m->error[k] = moments.deviation > 0 ? moments.error : 0;
  }
  dun_mixing_free(&work);
  dun_free(draws.value);
  dun_free(draws.square);
  dun_free(draws.least);
  dun_free(draws.own);
  return status;
}

/* ---- shares that do not vary ----------------------------------------------------------------- */

static const double NEVER = 1e-7; /* deviations of shares of 0 and 1, but for rounding */

/* Of chains as many as of the share whose draws depend on each other the most; if none varies, one
 * for each chain. */
static double independent_draws(const struct modes *m, const struct dun_run *run)
{
  double least = INFINITY;
  for (int k = 0; k <= m->modes; k++)
    if (m->deviation[k] > NEVER && m->error[k] > 0)
      least = fmin(least, m->deviation[k] * m->deviation[k] / (m->error[k] * m->error[k]));
  return least < INFINITY ? least : (double)run->kept.chains.total;
}

static int independent_particles(struct dun_context *context, const struct dun_run *run, double *n)
{
  struct dun_weights weights = {0};
  struct dun_genealogy genealogy = {0};
  int status = dun_weights_compute(context, &run->population, run->logw, &weights);
  if (status >= 0)
    status = dun_genealogy_compute(context, &run->population, run->root, run->logw, &weights,
                                   &genealogy);
  if (status >= 0)
    *n = 1 / genealogy.square_sum;
  dun_weights_free(&weights);
  return status;
}

static double least_error(double share, double n)
{
  double p = (share * n + 2) / (n + 4), few = n * fmin(share, 1 - share);
  return few < 20 ? sqrt(p * (1 - p) / n) : 0;
}

/* All ranks have the same shares. */
static int fill_errors(struct dun_context *context, struct modes *m, const struct dun_run *run,
                       int kept)
{
  double n = 1;
  int status = 0;
  if (kept)
    n = independent_draws(m, run);
  else
    status = independent_particles(context, run, &n);
  for (int k = 0; k <= m->modes; k++)
    if (m->deviation[k] <= NEVER || m->error[k] < least_error(m->share[k], n))
      m->error[k] = least_error(m->share[k], n);
  return status;
}

/* Draws are kept as the output parameters: they tell the point where the target does not constrain
 * it. */
static int has_points(const struct dun_run *run)
{
  return run->kept.due > 0 && run->kept.draws == run->kept.due && !run->target->constrain;
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct modes *m = self;
  struct source source = {m, run};
  int kept = has_points(run);
  double N =
      kept ? (double)(run->kept.chains.total * run->kept.draws) : (double)run->options.particles;
  int status = kept ? chain_shares(context, m, run)
                    : dun_probe_weighted(context, run, m->modes + 1, indicators, &source, m->share,
                                         m->deviation, m->error);
  if (status >= 0)
    status = fill_errors(context, m, run, kept);
  for (int k = 0; k <= m->modes && status >= 0; k++) {
    double outside = k == m->modes;
    status = dun_probe_row(&m->head, run, COLUMNS,
                           (double[]){outside ? -1 : k, m->share[k], m->error[k],
                                      m->deviation[k] <= NEVER ? 1 / N : m->deviation[k] / sqrt(N),
                                      outside ? 0 : m->due[k],
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
