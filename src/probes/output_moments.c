/* Moments of the output parameters: of chains' draws, or of weighted particles. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/mixing.h"
#include "numerics/pareto.h"
#include "probes/probe.h"
#include <math.h>

/* The mean square around the mean that was found is off by what squares scatter, and by the
 * square of what that mean is off: d of law N(0, error^2), with E d^4 = 3 error^4.  The second is
 * of second order, but all there is of two values that are as likely: their squares do not
 * scatter. */
static double deviation_error(double deviation, double error, double square_error)
{
  return sqrt(square_error * square_error + 3 * error * error * error * error) / (2 * deviation);
}

/* ---- tails ----------------------------------------------------------------------------------- */

/* Where a few far draws decide a sum, a run that lacks them finds it too small, and its error too:
 * what the shape of the tail says is asked instead. */
struct tails {
  struct dun_pareto_sample sample;
  int64_t scalars;  /* at once */
  double *weight;   /* [points]: logarithms */
  double *distance; /* [scalars][points]: from the mean; set by who has them */
  double *sum;      /* [scalars][points]: logarithms of what is added */
  double *shape;    /* [scalars] */
};

/* Of so many numbers, spread over the ranks, at once for so many scalars, unless these are too many
 * to be looked at, or the numbers too few, or of spins and letters, whose law has no tail. */
static int tails_init(struct tails *t, const struct dun_run *run, int64_t total, int64_t first,
                      int64_t local, int64_t scalars)
{
  enum { MOST = 1 << 14, LEAST = 512, FEW = 400, ROOM = 1 << 22 };
  int64_t most = ROOM / scalars < MOST ? ROOM / scalars : MOST;
  *t = (struct tails){.scalars = scalars};
  if (most < LEAST || total < FEW || run->evaluator->letters > 0)
    return 0;
  t->sample = dun_pareto_sample(total, first, local, most);
  int64_t points = t->sample.points;
  t->weight = dun_allocate(points + 2 * scalars * points + scalars, sizeof *t->weight);
  if (!t->weight)
    return DUN_ERROR_MEMORY;
  t->distance = t->weight + points;
  t->sum = t->distance + scalars * points;
  t->shape = t->sum + scalars * points;
  return 0;
}

static void tails_free(struct tails *t)
{
  DUN_FREE(t->weight);
}

/* log (weight distance^power) of this rank's points. */
DUN_CLONES static void add_up(const struct tails *t, double power)
{
  for (int64_t i = 0; i < t->scalars; i++)
    for (int64_t k = t->sample.from, at = i * t->sample.points; k < t->sample.to; k++)
      t->sum[at + k] = t->weight[k] + power * dun_log(t->distance[at + k]);
}

/* Not more of the points are independent than would know the mean as well. */
static double may_be(double shape, const struct tails *t, const struct dun_probe_moments *m)
{
  double ratio = m->deviation / m->error;
  return dun_pareto_may_be(shape, fmin(ratio * ratio, (double)t->sample.points));
}

/* Collective.  Sets the shapes of the scalars' moments, which have their errors. */
static int tails_look(struct dun_context *context, struct tails *t,
                      struct dun_probe_moments *moments)
{
  int status = 0;
  for (int64_t i = 0; i < t->scalars; i++)
    moments[i].tail = moments[i].square_tail = NAN;
  for (int power = 1; power <= 2 && t->sample.points > 0 && status >= 0; power++) {
    add_up(t, power);
    status = dun_pareto_shapes(context, 0, &t->sample, 1, t->scalars, t->sum, t->shape);
    for (int64_t i = 0; i < t->scalars && status >= 0; i++)
      *(power == 1 ? &moments[i].tail : &moments[i].square_tail) =
          may_be(t->shape[i], t, &moments[i]);
  }
  return status;
}

/* ---- of chains ------------------------------------------------------------------------------- */

static struct dun_probe_moments of_chain(const struct dun_chain_moments *m)
{
  double spread = deviation_error(m->deviation, m->error, m->square_error);
  return (struct dun_probe_moments){m->mean, m->deviation, m->error, spread, NAN, NAN};
}

/* A scalar that never changes is known, and so is its deviation. */
static struct dun_probe_moments of_constant(const struct dun_chain_moments *m)
{
  return (struct dun_probe_moments){m->mean, 0, 0, 0, NAN, NAN};
}

static int chain_tails(struct dun_context *context, struct tails *t, const double *value,
                       struct dun_probe_moments *m)
{
  for (int64_t k = t->sample.from; k < t->sample.to; k++) {
    t->weight[k] = 0;
    t->distance[k] = fabs(value[dun_pareto_local(&t->sample, k)] - m->mean);
  }
  return tails_look(context, t, m);
}

static int chain_moments(struct dun_context *context, const struct dun_run *run,
                         struct dun_probe_moments *moments)
{
  const struct dun_tiles *chains = &run->kept.chains;
  int64_t draws = run->kept.draws;
  struct dun_mixing_work work = {0};
  struct dun_chain_moments m;
  struct tails t;
  double *value;
  int status = dun_probe_kept(context, run, &value);
  int own =
      tails_init(&t, run, chains->total * draws, chains->first * draws, chains->local * draws, 1);
  if (status >= 0)
    status = dun_agree(context, own);
  for (int i = 0; i < run->kept.outputs && status >= 0; i++) {
    status = run->kept.read(context, run->kept.source, i, value);
    if (status >= 0)
      status = dun_mixing_moments(context, &work, chains->local, draws, value, &m);
    if (status < 0)
      break;
    moments[i] = m.deviation == 0 ? of_constant(&m) : of_chain(&m);
    if (m.deviation > 0)
      status = chain_tails(context, &t, value, &moments[i]);
  }
  dun_mixing_free(&work);
  tails_free(&t);
  dun_free(value);
  return status;
}

/* ---- of particles ---------------------------------------------------------------------------- */

struct source {
  const struct dun_run *run;
  int outputs;
  double *theta;                          /* [outputs] */
  double *mean, *deviation, *error;       /* [outputs] */
  double *square, *square_error, *unused; /* [outputs]: of squared distances from the mean */
};

static int source_init(struct source *s, const struct dun_run *run)
{
  int64_t n = run->kept.outputs;
  double *block = dun_allocate(7 * n, sizeof *block);
  *s = (struct source){.run = run, .outputs = (int)n, .theta = block};
  if (!block)
    return DUN_ERROR_MEMORY;
  s->mean = block + n;
  s->deviation = s->mean + n;
  s->error = s->deviation + n;
  s->square = s->error + n;
  s->square_error = s->square + n;
  s->unused = s->square_error + n;
  return 0;
}

static void outputs(void *data, int64_t tile, double *f)
{
  const struct source *s = data;
  const struct dun_tiles *tiles = &s->run->population.tiles;
  int d = s->run->evaluator->dimension, n = dun_tile_size(tiles, tiles->first_tile + tile);
  const double *x = dun_f64(s->run->x) + tile * tiles->tile * d;

  for (int l = 0; l < n; l++) {
    dun_evaluator_constrain(s->run->evaluator, x + (int64_t)l * d, s->theta);
    for (int i = 0; i < s->outputs; i++)
      f[(int64_t)i * DUN_LANES + l] = s->theta[i];
  }
}

static void squares(void *data, int64_t tile, double *f)
{
  const struct source *s = data;

  outputs(data, tile, f);
  for (int i = 0; i < s->outputs; i++)
    for (int l = 0; l < DUN_LANES; l++) {
      double away = f[(int64_t)i * DUN_LANES + l] - s->mean[i];
      f[(int64_t)i * DUN_LANES + l] = away * away;
    }
}

static int particle_tails(struct dun_context *context, struct source *s,
                          struct dun_probe_moments *moments)
{
  const struct dun_tiles *tiles = &s->run->population.tiles;
  int d = s->run->evaluator->dimension;
  struct tails t;
  int own = tails_init(&t, s->run, tiles->total, tiles->first, tiles->local, s->outputs);
  for (int64_t k = t.sample.from; own >= 0 && k < t.sample.to; k++) {
    int64_t at = dun_pareto_local(&t.sample, k);
    dun_evaluator_constrain(s->run->evaluator, dun_f64(s->run->x) + at * d, s->theta);
    t.weight[k] = dun_f64(s->run->logw)[at];
    for (int64_t i = 0; i < s->outputs; i++)
      t.distance[i * t.sample.points + k] = fabs(s->theta[i] - s->mean[i]);
  }
  int status = dun_agree(context, own);
  if (status >= 0)
    status = tails_look(context, &t, moments);
  tails_free(&t);
  return status;
}

static int particle_moments(struct dun_context *context, const struct dun_run *run,
                            struct dun_probe_moments *moments)
{
  struct source s;
  int status = dun_agree(context, source_init(&s, run));
  if (status >= 0)
    status = dun_probe_weighted(context, run, s.outputs, outputs, &s, s.mean, s.deviation, s.error);
  if (status >= 0)
    status = dun_probe_weighted(context, run, s.outputs, squares, &s, s.square, s.unused,
                                s.square_error);
  for (int i = 0; i < s.outputs && status >= 0; i++) {
    double spread =
        s.deviation[i] > 0 ? deviation_error(s.deviation[i], s.error[i], s.square_error[i]) : 0;
    moments[i] =
        (struct dun_probe_moments){s.mean[i], s.deviation[i], s.error[i], spread, NAN, NAN};
  }
  if (status >= 0)
    status = particle_tails(context, &s, moments);
  dun_free(s.theta);
  return status;
}

int dun_probe_output_moments(struct dun_context *context, const struct dun_run *run,
                             struct dun_probe_moments *moments)
{
  int all_kept = run->kept.due > 0 && run->kept.draws == run->kept.due;
  return all_kept ? chain_moments(context, run, moments) : particle_moments(context, run, moments);
}
