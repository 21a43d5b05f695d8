/* Moments of the output parameters: of chains' draws, or of weighted particles. */
#include "base/error.h"
#include "base/memory.h"
#include "numerics/mixing.h"
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

/* ---- of chains ------------------------------------------------------------------------------- */

static struct dun_probe_moments of_chain(const struct dun_chain_moments *m)
{
  return (struct dun_probe_moments){m->mean, m->deviation, m->error,
                                    deviation_error(m->deviation, m->error, m->square_error)};
}

/* A scalar that never changes is known, and so is its deviation. */
static struct dun_probe_moments of_constant(const struct dun_chain_moments *m)
{
  return (struct dun_probe_moments){m->mean, 0, 0, 0};
}

static int chain_moments(struct dun_context *context, const struct dun_run *run,
                         struct dun_probe_moments *moments)
{
  struct dun_mixing_work work = {0};
  struct dun_chain_moments m;
  double *value;
  int status = dun_probe_kept(context, run, &value);
  for (int i = 0; i < run->kept.outputs && status >= 0; i++) {
    status = run->kept.read(context, run->kept.source, i, value);
    if (status >= 0)
      status =
          dun_mixing_moments(context, &work, run->kept.chains.local, run->kept.draws, value, &m);
    if (status >= 0)
      moments[i] = m.deviation == 0 ? of_constant(&m) : of_chain(&m);
  }
  dun_mixing_free(&work);
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
    moments[i] = (struct dun_probe_moments){s.mean[i], s.deviation[i], s.error[i], spread};
  }
  dun_free(s.theta);
  return status;
}

int dun_probe_output_moments(struct dun_context *context, const struct dun_run *run,
                             struct dun_probe_moments *moments)
{
  int all_kept = run->kept.due > 0 && run->kept.draws == run->kept.due;
  return all_kept ? chain_moments(context, run, moments) : particle_moments(context, run, moments);
}
