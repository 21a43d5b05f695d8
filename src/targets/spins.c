#include "targets/spins.h"
#include <math.h>

enum { L = DUN_LANES };

void dun_spins_density(const double *sum, double *lp)
{
  for (int l = 0; lp && l < L; l++)
    lp[l] = fabs(sum[l]) < INFINITY ? sum[l] : -INFINITY;
}

void dun_spins_site(double *value)
{
  for (int l = 0; l < L; l++)
    value[l] = -value[L + l];
}

/* Of spins the square of a point is their number. */
void dun_spins_tilted(int64_t d, const double *log_sum, const struct dun_tilted *tilted)
{
  for (int l = 0; l < L && tilted->log_mass; l++)
    tilted->log_mass[l] = log_sum[l] - .5 * tilted->lambda[l] * (double)d;
  for (int l = 0; l < L && tilted->spread; l++)
    tilted->spread[l] = (double)d;
  for (int64_t i = 0; i < d * L && tilted->spread; i++)
    tilted->spread[i % L] -= tilted->mean[i] * tilted->mean[i];
}
