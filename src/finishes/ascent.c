#include "finishes/ascent.h"
#include <math.h>
#include <string.h>

/* One lane's proposal; returns its length in units of scale. */
static double propose(int d, const double *scale, double step, double h, const double *x,
                      const double *g, double *y)
{
  double square = 0, length;
  for (int j = 0; j < d; j++) {
    double v = h * scale[j] * g[j * DUN_LANES];
    square += v * v;
  }
  length = sqrt(square);
  h = length > step ? h * step / length : h;
  for (int j = 0; j < d; j++)
    y[j * DUN_LANES] = x[j * DUN_LANES] + h * scale[j] * scale[j] * g[j * DUN_LANES];
  return length > step ? step : length;
}

static void take(int d, int lane, const double *from, double *to)
{
  for (int j = 0; j < d; j++)
    to[j * DUN_LANES + lane] = from[j * DUN_LANES + lane];
}

void dun_ascend(struct dun_evaluator *evaluator, int n, const double *scale, double step,
                long long steps, double *x, double *lp, double *work)
{
  int d = evaluator->dimension;
  int64_t block = (int64_t)d * DUN_LANES;
  double *y = work, *g = y + block, *gy = g + block, *lpy = gy + block;
  double *h = lpy + DUN_LANES, *one = h + DUN_LANES, longest = 1;

  memset(g, 0, (size_t)block * sizeof *g);
  for (int l = 0; l < DUN_LANES; l++) {
    one[l] = 1;
    h[l] = step;
  }
  dun_evaluate(evaluator, n, x, lp, one, g);
  for (long long s = 0; s < steps && longest >= 1e-6; s++) {
    longest = 0;
    for (int l = 0; l < DUN_LANES; l++) {
      double length = propose(d, scale, step, h[l], x + l, g + l, y + l);
      longest = l < n && length > longest ? length : longest;
    }
    memset(gy, 0, (size_t)block * sizeof *gy);
    dun_evaluate(evaluator, n, y, lpy, one, gy);
    for (int l = 0; l < DUN_LANES; l++) {
      int up = lpy[l] >= lp[l];
      h[l] *= up ? 1.3 : .5;
      if (!up)
        continue;
      take(d, l, y, x);
      take(d, l, gy, g);
      lp[l] = lpy[l];
    }
  }
}
