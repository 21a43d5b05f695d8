#include "methods/psld_score.h"
#include "base/vmath.h"
#include "dunlin/target.h"

enum { L = DUN_LANES };

DUN_CLONES void dun_psld_tilt(const struct dun_channel *c, int d, const double *restrict z_,
                              double *restrict h_)
{
  const double *z = DUN_ALIGNED(z_);
  double *h = DUN_ALIGNED(h_), first = c->tilt[0], second = c->tilt[1];
  const int64_t n = (int64_t)d * L;

  for (int64_t i = 0; i < n; i++)
    h[i] = DUN_FMA(first, z[i], second * z[n + i]);
}

DUN_CLONES void dun_psld_score(const struct dun_channel *c, int d, const double *restrict z_,
                               const double *restrict mean_, double *restrict s_)
{
  const double *z = DUN_ALIGNED(z_), *mean = DUN_ALIGNED(mean_);
  double *s = DUN_ALIGNED(s_), xx = c->precision[0][0], xm = c->precision[0][1];
  const int64_t n = (int64_t)d * L;
  double mm = c->precision[1][1], first = -c->gain[0], second = -c->gain[1];

  for (int64_t i = 0; i < n; i++) {
    double u = DUN_FMA(first, mean[i], z[i]), v = DUN_FMA(second, mean[i], z[n + i]);
    s[i] = -DUN_FMA(xx, u, xm * v);
    s[n + i] = -DUN_FMA(xm, u, mm * v);
  }
}
