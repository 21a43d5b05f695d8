/* Entropic mode coverage (Blessing et al. 2024, ICML, arXiv 2406.07423): each of the run's points
 * belongs to the mode of largest density, and the entropy of the modes' shares is 1, over its
 * largest value, where all have the same, 0 where one has all.  The target tells its modes; their
 * densities are taken for Gaussian ones of their widths. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "probes/sets.h"
#include <math.h>
#include <string.h>

struct coverage {
  struct dun_probe_head head;
  struct dun_probe_sets sets;

  /* made by init */
  int modes;
  double *centre, *due, *width; /* [modes][d], [modes], [modes] */
  double *share;                /* [modes] */
};

static const struct dun_table_column columns[] = {
    {"coverage", "", "Entropy of the modes' shares over its largest value."},
    {"chance", "", "Of as many exact draws; not known where the target has none."},
    {"due", "", "Of the target's own shares."},
    {"hit", "", "Modes with more than a tenth of their due."},
    {"points", "", "Points of the run."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };
enum { MOST_NUMBERS = 1 << 27 }; /* of all centres: a gigabyte */

static int read_modes(struct coverage *c, const struct dun_run *run)
{
  int d = run->evaluator->dimension;
  double total = 0;
  c->centre = dun_allocate((int64_t)c->modes * d, sizeof(double));
  c->due = dun_allocate(c->modes, sizeof(double));
  c->width = dun_allocate(c->modes, sizeof(double));
  c->share = dun_allocate(c->modes, sizeof(double));
  if (!c->centre || !c->due || !c->width || !c->share)
    return DUN_ERROR_MEMORY;
  dun_evaluator_modes(run->evaluator, c->modes, c->centre, c->due, c->width);
  for (int k = 0; k < c->modes; k++) {
    int good = c->due[k] >= 0 && isfinite(c->due[k]) && c->width[k] > 0 && isfinite(c->width[k]);
    for (int j = 0; j < d; j++)
      good = good && isfinite(c->centre[(int64_t)k * d + j]);
    if (!good)
      return dun_fail(DUN_ERROR_INPUT,
                      "probe coverage: mode %d of target %s has share %g and width %g; expected "
                      "finite centres, shares of 0 or more and widths above 0",
                      k + 1, run->target->type.name, c->due[k], c->width[k]);
    total += c->due[k];
  }
  for (int k = 0; k < c->modes; k++)
    c->due[k] /= total > 0 ? total : 1;
  return 0;
}

static int init(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct coverage *c = self;
  const struct dun_target *target = run->target;
  c->modes = dun_evaluator_modes(run->evaluator, 0, NULL, NULL, NULL);
  if (c->modes < 1 || c->modes > MOST_NUMBERS / run->evaluator->dimension)
    return dun_fail(DUN_ERROR_INPUT,
                    "probe coverage: target %s does not tell its modes, or has too many to tell",
                    target->type.name);
  if (target->constrain)
    return dun_fail(DUN_ERROR_INPUT,
                    "probe coverage: the output parameters of target %s are not its points",
                    target->type.name);
  int status = dun_agree(context, read_modes(c, run));
  if (status >= 0)
    status = dun_probe_sets_init(context, &c->sets, run, "coverage", 0, 0);
  return status < 0 ? status : dun_probe_columns(&c->head, columns, COLUMNS);
}

static void release(void *self)
{
  struct coverage *c = self;
  dun_probe_sets_free(&c->sets);
  DUN_FREE(c->centre);
  DUN_FREE(c->due);
  DUN_FREE(c->width);
  DUN_FREE(c->share);
  dun_table_free(&c->head.table);
}

/* Log density of a mode, but for a constant. */
static double density_of(const struct coverage *c, int k, int d, const double *x)
{
  double square = 0;
  for (int j = 0; j < d; j++) {
    double away = (x[j] - c->centre[(int64_t)k * d + j]) / c->width[k];
    square += away * away;
  }
  return dun_scalar_log(c->due[k]) - d * dun_scalar_log(c->width[k]) - .5 * square;
}

static int mode_of(const struct coverage *c, int d, const double *x)
{
  int best = 0;
  double most = -INFINITY;
  for (int k = 0; k < c->modes; k++) {
    double density = density_of(c, k, d, x);
    if (density > most) {
      most = density;
      best = k;
    }
  }
  return best;
}

static double cover(struct coverage *c, const struct dun_points *points, double *hit)
{
  double total = 0;
  memset(c->share, 0, (size_t)c->modes * sizeof *c->share);
  for (int64_t i = 0; i < points->n; i++)
    total += points->weight[i];
  for (int64_t i = 0; i < points->n; i++)
    c->share[mode_of(c, points->d, points->x + i * points->d)] += points->weight[i] / total;
  *hit = 0;
  for (int k = 0; k < c->modes; k++)
    *hit += c->share[k] > .1 * c->due[k];
  return dun_probe_sets_are_sound(points) ? dun_mode_coverage(c->modes, c->share) : NAN;
}

static int look(struct dun_context *context, void *self, const struct dun_run *run)
{
  struct coverage *c = self;
  struct dun_points exact = c->sets.given;
  double hit, unused, chance = NAN;
  int status = dun_probe_sets_take(context, &c->sets, run);
  if (status < 0)
    return status;
  exact.n = c->sets.own.n < exact.n ? c->sets.own.n : exact.n;
  if (c->sets.again.n > 0)
    chance = cover(c, &exact, &unused);
  double found = cover(c, &c->sets.own, &hit);
  return dun_agree(context,
                   dun_probe_row(&c->head, run, COLUMNS,
                                 (double[]){found, chance, dun_mode_coverage(c->modes, c->due), hit,
                                            (double)c->sets.own.n}));
}

static const struct dun_option options[] = {
    DUN_PROBE_OPTIONS(struct coverage),
    {.name = "points",
     .type = DUN_INTEGER,
     .offset = offsetof(struct coverage, sets.points),
     .initial = "2000",
     .minimum = 1,
     .maximum = 1e7,
     .doc = "At most so many points of the run, spread evenly."},
    {0},
};
static const struct dun_state state[] = {DUN_PROBE_STATE(struct coverage), {0}};

const struct dun_probe dun_probe_coverage = {
    .type = {DUN_TYPE(struct dun_probe), .name = "coverage",
             .doc = "Entropy of the shares of the target's known modes: mode coverage.",
             .citation = "Blessing et al. 2024, ICML, arXiv 2406.07423",
             .size = sizeof(struct coverage), .options = options, .state = state, .free = release},
    .init = init,
    .look = look,
};
