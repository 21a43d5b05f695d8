#include "base/error.h"
#include "population/evaluator.h"
#include <math.h>
#include <stdio.h>

int dun_evaluator_unconstrain(const struct dun_evaluator *e, const double *theta, double *x,
                              struct dun_message why)
{
  if (e->transformed)
    return dun_transformed_unconstrain(e->transformed, theta, x, why);
  if (e->target->constrain) {
    snprintf(why.text, why.size,
             "target %s makes its output from unconstrained coordinates, and there is no way back: "
             "give those, coordinates: unconstrained",
             e->target->type.name);
    return DUN_ERROR_INPUT;
  }
  for (int j = 0; j < e->dimension; j++) {
    x[j] = theta[j];
    if (!isfinite(x[j])) {
      snprintf(why.text, why.size, "number %d is %g, expected a finite number", j, x[j]);
      return DUN_ERROR_INPUT;
    }
  }
  return 0;
}
