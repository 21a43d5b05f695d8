#include "paths/inner_score.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/columns.h"
#include <math.h>

/* The columns of `work`. */
struct columns {
  double *normal, *point, *gradient;      /* [d] */
  double *lp, *peak, *total, *one, *grow; /* [1] */
};

static struct columns columns_of(const struct dun_inner_score *s)
{
  int64_t block = (int64_t)s->target->dimension * DUN_LANES;
  struct columns w = {.normal = s->work};
  w.point = w.normal + block;
  w.gradient = w.point + block;
  w.lp = w.gradient + block;
  w.peak = w.lp + DUN_LANES;
  w.total = w.peak + DUN_LANES;
  w.one = w.total + DUN_LANES;
  w.grow = w.one + DUN_LANES;
  return w;
}

int dun_inner_score_init(struct dun_inner_score *s)
{
  const long long most = 1LL << 27;
  int64_t d = s->target->dimension;

  dun_inner_score_free(s);
  if (s->samples > most / d)
    return dun_fail(DUN_ERROR_INPUT, "inner: found %lld, expected at most %lld in %lld dimensions",
                    s->samples, most / d, (long long)d);
  s->work = dun_allocate((3 * d + 5) * DUN_LANES, sizeof *s->work);
  return s->work ? 0 : DUN_ERROR_MEMORY;
}

void dun_inner_score_free(struct dun_inner_score *s)
{
  DUN_FREE(s->work);
}

/* One more sample of every lane: sums are relative to the largest weight so far.  lp becomes the
 * sample's weight, `grow` what older sums are multiplied by. */
DUN_CLONES static void weigh(double *restrict lp, double *restrict peak, double *restrict total,
                             double *restrict grow)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double highest = lp[l] > peak[l] ? lp[l] : peak[l], base = highest > -INFINITY ? highest : 0;
    grow[l] = dun_exp_weight(peak[l] - base);
    lp[l] = dun_exp_weight(lp[l] - base);
    total[l] = DUN_FMA(total[l], grow[l], lp[l]);
    peak[l] = highest;
  }
}

/* sum <- grow sum + weight (tsi gradient + dsi z) */
DUN_CLONES static void add(int d, double tsi, double dsi, const double *restrict gradient,
                           const double *restrict z, const double *restrict weight,
                           const double *restrict grow, double *restrict sum)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      int64_t i = j * DUN_LANES + l;
      double term = DUN_FMA(tsi, gradient[i], dsi * z[i]);
      sum[i] = DUN_FMA(sum[i], grow[l], weight[l] * term);
    }
}

static double share_of_tsi(const struct dun_inner_score *s, double tau)
{
  double c = s->crossover;
  switch (s->estimator) {
  case DUN_ESTIMATOR_DSI: return 0;
  case DUN_ESTIMATOR_TSI: return 1;
  case DUN_ESTIMATOR_MIXED: break;
  }
  return c * c / (c * c + tau * tau);
}

void dun_inner_score(const struct dun_inner_score *s, struct dun_address address, double tau, int n,
                     const double *y, double *score)
{
  int d = s->target->dimension;
  size_t block = (size_t)d * DUN_LANES * sizeof *score;
  struct columns w = columns_of(s);
  double tsi = share_of_tsi(s, tau), dsi = (1 - tsi) / tau;

  for (int l = 0; l < DUN_LANES; l++) {
    w.peak[l] = -INFINITY;
    w.total[l] = 0;
    w.one[l] = 1;
  }
  memset(score, 0, block);
  for (long long m = 0; m < s->samples; m++) {
    dun_normals_from(address, m * d, d, w.normal);
    dun_columns_sum(d, y, tau, w.normal, w.point);
    memset(w.gradient, 0, block);
    dun_evaluate(s->target, n, w.point, w.lp, w.one, tsi > 0 ? w.gradient : NULL);
    weigh(w.lp, w.peak, w.total, w.grow);
    add(d, tsi, dsi, w.gradient, w.normal, w.lp, w.grow, score);
  }
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      score[j * DUN_LANES + l] = w.total[l] > 0 ? score[j * DUN_LANES + l] / w.total[l] : 0;
}
