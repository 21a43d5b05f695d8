#include "evidence/tops.h"
#include "base/error.h"
#include "base/memory.h"
#include "evidence/deal.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { NEWTON = 4, DOUBLINGS = 24 };

int dun_tops_init(struct dun_tops *t, const struct dun_run *run)
{
  int64_t d = run->evaluator->dimension, most = 2 * DOUBLINGS * d; /* 1 + 2 d points are fewer */
  t->run = run;
  t->rows = (most + DUN_LANES - 1) / DUN_LANES * DUN_LANES;
  t->deviation = dun_allocate(d, sizeof(double));
  t->x = dun_allocate(t->rows * d, sizeof(double));
  t->found = dun_allocate(t->rows * (d + 1), sizeof(double));
  t->lanes = dun_allocate((2 * d + 1) * DUN_LANES, sizeof(double));
  return t->deviation && t->x && t->found && t->lanes ? 0 : DUN_ERROR_MEMORY;
}

void dun_tops_free(struct dun_tops *t)
{
  DUN_FREE(t->deviation);
  DUN_FREE(t->x);
  DUN_FREE(t->found);
  DUN_FREE(t->lanes);
}

void dun_tops_slope(const struct dun_run *run, int n, const double *x, double *lp, double *gradient)
{
  static const double one[DUN_LANES] __attribute__((aligned(64))) = {[0 ... DUN_LANES - 1] = 1};
  int64_t block = (int64_t)run->evaluator->dimension * DUN_LANES;
  memset(gradient, 0, (size_t)block * sizeof *gradient);
  dun_evaluate(run->evaluator, n, x, lp, one, gradient);
}

/* Points, rows of x[][d], evaluated in tiles: out[64][1 + d], log density and gradient. */
static void slope_tile(const struct dun_deal *w, int64_t tile, double *out)
{
  int d = w->run->evaluator->dimension;
  double *x = w->lanes, *gradient = x + (int64_t)d * DUN_LANES;
  double *lp = gradient + (int64_t)d * DUN_LANES;

  for (int l = 0; l < DUN_LANES; l++)
    for (int j = 0; j < d; j++)
      x[j * DUN_LANES + l] = w->x[(tile * DUN_LANES + l) * d + j];
  dun_tops_slope(w->run, DUN_LANES, x, lp, gradient);
  for (int l = 0; l < DUN_LANES; l++) {
    out[(int64_t)l * w->width] = lp[l];
    for (int j = 0; j < d; j++)
      out[(int64_t)l * w->width + 1 + j] = gradient[j * DUN_LANES + l];
  }
}

/* Collective.  found[count][1 + d] of the first `count` rows of x, in whole tiles. */
static int evaluate(struct dun_context *context, struct dun_tops *t, int64_t count)
{
  struct dun_deal work = {.run = t->run,
                          .x = t->x,
                          .lanes = t->lanes,
                          .width = t->run->evaluator->dimension + 1,
                          .tile = slope_tile};
  return dun_deal_tiles(context, &work, 0, (count + DUN_LANES - 1) / DUN_LANES, t->found);
}

static void fill(struct dun_tops *t, const double *x)
{
  int64_t d = t->run->evaluator->dimension;
  for (int64_t i = 0; i < t->rows; i++)
    memcpy(t->x + i * d, x, (size_t)d * sizeof *x);
}

/* Lower Cholesky factor in place, without BLAS: on all ranks and processors the same.  Returns
 * whether a[d][d] is positive definite. */
static int factorise(int d, double *a)
{
  for (int j = 0; j < d; j++)
    for (int i = j; i < d; i++) {
      double sum = a[(int64_t)i * d + j];
      for (int k = 0; k < j; k++)
        sum -= a[(int64_t)i * d + k] * a[(int64_t)j * d + k];
      if (i == j && !(sum > 0 && sum < INFINITY))
        return 0;
      a[(int64_t)i * d + j] = i == j ? sqrt(sum) : sum / a[(int64_t)j * d + j];
    }
  return 1;
}

void dun_top_solve(int d, const double *factor, double *v)
{
  for (int i = d - 1; i >= 0; i--) {
    for (int k = i + 1; k < d; k++)
      v[i] -= factor[(int64_t)k * d + i] * v[k];
    v[i] /= factor[(int64_t)i * d + i];
  }
}

/* v = L^-1 v. */
static void solve(int d, const double *factor, double *v)
{
  for (int i = 0; i < d; i++) {
    for (int k = 0; k < i; k++)
      v[i] -= factor[(int64_t)i * d + k] * v[k];
    v[i] /= factor[(int64_t)i * d + i];
  }
}

double dun_top_distance(int d, const struct dun_top *top, const double *x)
{
  double sum = 0;
  for (int j = 0; j < d; j++) {
    double v = 0;
    for (int i = j; i < d; i++)
      v += top->factor[(int64_t)i * d + j] * (x[i] - top->x[i]);
    sum += v * v;
  }
  return sum;
}

/* Collective.  Log density and gradient at the top, which found[] begins with, and from differences
 * of gradients minus the second derivatives. */
static int look_around(struct dun_context *context, struct dun_tops *t, struct dun_top *top)
{
  int64_t d = t->run->evaluator->dimension;
  fill(t, top->x);
  for (int64_t j = 0; j < d; j++) {
    t->x[(1 + 2 * j) * d + j] += 1e-4 * t->deviation[j];
    t->x[(2 + 2 * j) * d + j] -= 1e-4 * t->deviation[j];
  }
  int status = evaluate(context, t, 1 + 2 * d);
  for (int64_t i = 0; i < d && status >= 0; i++)
    for (int64_t j = 0; j <= i; j++) {
      const double *f = t->found;
      double a = f[(1 + 2 * j) * (d + 1) + 1 + i] - f[(2 + 2 * j) * (d + 1) + 1 + i];
      double c = f[(1 + 2 * i) * (d + 1) + 1 + j] - f[(2 + 2 * i) * (d + 1) + 1 + j];
      top->factor[i * d + j] = -(a / (2e-4 * t->deviation[j]) + c / (2e-4 * t->deviation[i])) / 2;
    }
  return status;
}

int dun_top_ascend(struct dun_context *context, struct dun_tops *t, struct dun_top *top)
{
  int d = t->run->evaluator->dimension, status;
  double step;
  for (int i = 0; i < NEWTON; i++) {
    if ((status = look_around(context, t, top)) < 0)
      return status;
    top->log_density = t->found[0];
    if (!isfinite(t->found[0]) || !factorise(d, top->factor))
      return 0;
    double *v = t->found + 1; /* the gradient becomes the step */
    solve(d, top->factor, v);
    step = 0;
    for (int j = 0; j < d; j++)
      step += v[j] * v[j];
    if (step < 1e-4 * d)
      return 1;
    if (!(step < INFINITY))
      return 0;
    dun_top_solve(d, top->factor, v);
    for (int j = 0; j < d; j++)
      top->x[j] += v[j];
  }
  return step < .1 * d;
}

/* In deviations: 2^-20 to 8. */
static double distance_of(int64_t k)
{
  return ldexp(1, (int)k - 20);
}

/* How far from the top, in its coordinate's deviations, the log density has first fallen so much;
 * between two places, each twice as far as the one before, it is taken for linear.  0: at once;
 * infinite: nowhere. */
static double reach(const struct dun_tops *t, int64_t first, double top, double fall)
{
  int64_t width = t->run->evaluator->dimension + 1;
  double before = 0, fell = 0;
  for (int64_t k = 0; k < DOUBLINGS; k++) {
    double far = distance_of(k), now = top - t->found[(first + k) * width];
    if (now >= fall)
      return k == 0 ? 0 : before + (far - before) * (fall - fell) / (now - fell);
    before = far;
    fell = now;
  }
  return INFINITY;
}

int dun_top_measure(struct dun_context *context, struct dun_tops *t, struct dun_top *top)
{
  int64_t d = t->run->evaluator->dimension;
  int status;
  fill(t, top->x);
  if ((status = evaluate(context, t, 1)) < 0)
    return status;
  double here = top->log_density = t->found[0], fall = (double)d / 2;
  for (int64_t k = 0; k < DOUBLINGS; k++)
    for (int64_t j = 0; j < d; j++) {
      t->x[(2 * j * DOUBLINGS + k) * d + j] += distance_of(k) * t->deviation[j];
      t->x[((2 * j + 1) * DOUBLINGS + k) * d + j] -= distance_of(k) * t->deviation[j];
    }
  if ((status = evaluate(context, t, 2 * d * DOUBLINGS)) < 0)
    return status;
  memset(top->factor, 0, (size_t)(d * d) * sizeof *top->factor);
  for (int64_t j = 0; j < d; j++) {
    double up = reach(t, 2 * j * DOUBLINGS, here, fall) * t->deviation[j];
    double down = reach(t, (2 * j + 1) * DOUBLINGS, here, fall) * t->deviation[j];
    if (!(up + down > 0 && up + down < INFINITY))
      return 0;
    top->x[j] += (up - down) / 2;
    top->factor[j * d + j] = 2 * sqrt((double)d) / (up + down);
  }
  return isfinite(here);
}
