#include "observations/observation.h"
#include "numerics/spacing.h"
#include <math.h>

int dun_observation_letter(int letters, const double *probability, int64_t stride, double left)
{
  int a = 0;
  while (a + 1 < letters && left > probability[a * stride])
    left -= probability[a++ * stride];
  return a;
}

double dun_observation_arctan(const void *self, double first, double last, double share)
{
  const struct dun_spacing spacing = {.type = DUN_SPACING_ARCTAN, .first = first, .last = last};
  (void)self;
  return dun_spacing_at(&spacing, share, 1);
}

double dun_observation_whole(const void *self, double first, double last, double share)
{
  (void)self;
  return floor(first + (last - first) * share + .5);
}

int dun_observation_always(const void *self)
{
  (void)self;
  return 1;
}

void dun_observation_answer(const double *y, double answer, double *out)
{
  for (int l = 0; l < DUN_LANES; l++)
    out[l] += y[l] == answer ? 0 : DUN_RULED_OUT;
}

int dun_observation_draws_only(const struct dun_observation *observation, const void *self)
{
  return observation->draws_only && observation->draws_only(self);
}

int dun_observation_of_points(const struct dun_observation *observation, const void *self)
{
  return observation->of_points ? observation->of_points(self) : observation->likelihood != NULL;
}
