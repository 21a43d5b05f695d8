/* Whether states begin where the target, seen through the first noise, is. */
#include "base/scalar.h"
#include "methods/march_tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

struct dun_march_whole dun_march_whole_of(const struct dun_march *m)
{
  double spread[L] __attribute__((aligned(64))) = {0}, mass[L] __attribute__((aligned(64))) = {0};
  struct dun_march_work w = dun_march_work_of(m);
  unsigned gives = m->field->gives ? m->field->gives(m->field_self) : 0;
  struct dun_march_whole whole = {NAN, NAN, NAN};
  int spreads = (gives & DUN_TILTED_SPREAD) != 0, weighs = (gives & DUN_TILTED_MASS) != 0;
  if (m->field->prepare || !(spreads || weighs))
    return whole;
  memset(w.h, 0, (size_t)m->d * L * sizeof(double));
  memset(w.lambda, 0, L * sizeof(double));
  struct dun_field_call call = {.n = 1,
                                .h = w.h,
                                .lambda = w.lambda,
                                .label = (int)m->guidance.label,
                                .mean = w.tile.mean,
                                .log_mass = weighs ? mass : NULL,
                                .spread = spreads ? spread : NULL};
  m->field->value(m->field_self, &call);
  whole.log_mass = weighs ? mass[0] : NAN;
  if (spreads) {
    whole.square = spread[0];
    whole.sum = 0;
  }
  for (int64_t i = 0; i < (int64_t)m->d * L && spreads; i += L) {
    whole.square += w.tile.mean[i] * w.tile.mean[i];
    whole.sum += w.tile.mean[i];
  }
  return whole;
}

/* v' (L L')^-1 u of the start law's root L. */
static double inner(int r, const double root[2][2], const double *u, const double *v)
{
  double a = u[0] / root[0][0], b = v[0] / root[0][0];
  double c = r > 1 ? (u[1] - root[1][0] * a) / root[1][1] : 0;
  double d = r > 1 ? (v[1] - root[1][0] * b) / root[1][1] : 0;
  return a * b + c * d;
}

/* A bound of the divergence, in nats, of the target seen through the noise of the first time from
 * the law that states begin with: that of a mixture is at most the mean of those of its points. */
static double start_nats(const struct dun_march *m, const struct dun_march_whole *whole)
{
  const struct dun_channel *c = &m->channel[0];
  double mean[2] = {0}, root[2][2] = {{0}}, off[2] = {0}, column[2][2] = {{0}}, trace = 0, logs = 0;
  m->process->prior(m->process_self, mean, root);
  if (!dun_march_has_noise(c)) /* the same point for all, or no start */
    return c->gain[0] == 0 && root[0][0] == 0 ? 0 : INFINITY;
  for (int i = 0; i < m->r; i++) {
    off[i] = c->offset[i] - mean[i];
    for (int j = 0; j <= i; j++)
      column[j][i] = c->root[i][j];
    logs += 2 * dun_scalar_log(root[i][i] / c->root[i][i]);
  }
  for (int j = 0; j < m->r; j++)
    trace += inner(m->r, root, column[j], column[j]);
  return .5 * (m->d * (trace - m->r + logs + inner(m->r, root, off, off)) +
               inner(m->r, root, c->gain, c->gain) * whole->square +
               2 * inner(m->r, root, c->gain, off) * whole->sum);
}

/* What states never begin near, such as a far mode, they do not find. */
void dun_march_judge_start(const struct dun_march *m, const struct dun_march_whole *whole,
                           struct dun_diagnosis *out)
{
  double nats = start_nats(m, whole);
  if (m->field->start && m->field->start(m->field_self))
    return; /* they begin with the target's mean and covariance */
  if (isnan(nats))
    dun_diagnose(out, "beginning", DUN_DOUBTFUL,
                 "how far the target seen through the first noise is from where states begin is "
                 "not known: field %s gives no spread",
                 m->field->type.name);
  else
    dun_diagnose(out, "beginning", dun_verdict_above(nats, .01, 1),
                 "the target seen through the first noise is at most %.2g nats from the law that "
                 "states begin with%s",
                 fmax(nats, 0),
                 nats < .01 ? "" : ": parts of it may never be found; begin with more noise");
}
