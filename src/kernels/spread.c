#include "kernels/spread.h"
#include "base/scalar.h"

/* A factor of 100 at most; of frozen moves among the shortest steps more than the first share widen
 * it, less than the second among all narrow it. */
static const double MOST = 4.6, RATE = .35, WIDEN = .01, NARROW = .002;

void dun_spread_draw(struct dun_address address, double *u)
{
  address.purpose = DUN_PURPOSE_SPREAD;
  dun_uniforms(address, 1, u);
}

void dun_spread_steps(const struct dun_adaptation *a, const double *u, double *step)
{
  for (int l = 0; l < DUN_LANES; l++)
    step[l] *= dun_scalar_exp(-a->spread * u[l]);
}

double dun_spread_target(const struct dun_adaptation *a)
{
  if (a->spread == 0) /* to the bit */
    return a->target_acceptance;
  return 1 - (1 - a->target_acceptance) / (1 + 2 * a->spread / MOST);
}

void dun_spread_update(struct dun_adaptation *a, const struct dun_look *look)
{
  if (!a->adapt_spread || !a->adapt_step || dun_adaptation_falls(a, look))
    return;
  if (look->frozen_short > WIDEN)
    a->spread += RATE;
  else if (look->frozen < NARROW)
    a->spread -= RATE;
  a->spread = a->spread < 0 ? 0 : a->spread > MOST ? MOST : a->spread;
}
