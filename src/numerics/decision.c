#include "numerics/decision.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>

DUN_CLONES void dun_metropolis_ratio(const double *lp, const double *proposed_lp,
                                     const double *energy, double *log_ratio)
{
  static const double none[DUN_LANES];
  const double *gain = energy ? energy : none;

  for (int l = 0; l < DUN_LANES; l++) {
    double ratio = proposed_lp[l] - lp[l] + gain[l];
    double from = lp[l], to = proposed_lp[l];
    ratio = from > -INFINITY ? ratio : 0;
    ratio = ratio >= -INFINITY ? ratio : -INFINITY; /* NaN too */
    log_ratio[l] = to > -INFINITY ? ratio : -INFINITY;
  }
}

/* Selection without branches. */
DUN_CLONES void dun_metropolis_decide(const double *restrict log_ratio,
                                      const double *restrict uniform, double *restrict acceptance,
                                      double *restrict chosen)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double r = log_ratio[l] < 0 ? log_ratio[l] : 0;
    double a = dun_exp_weight(r);
    acceptance[l] = a;
    chosen[l] = uniform[l] <= a ? 1 : 0;
  }
}

DUN_CLONES void dun_metropolis_take(int64_t columns, const double *restrict chosen,
                                    const double *restrict proposal, double *restrict state)
{
  for (int64_t j = 0; j < columns; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double new = proposal[j * DUN_LANES + l], old = state[j * DUN_LANES + l];
      state[j * DUN_LANES + l] = chosen[l] > 0 ? new : old;
    }
}
