#include "observations/observation.h"

int dun_observation_draws_only(const struct dun_observation *observation, const void *self)
{
  return observation->draws_only && observation->draws_only(self);
}

int dun_observation_of_points(const struct dun_observation *observation, const void *self)
{
  return observation->of_points ? observation->of_points(self) : observation->likelihood != NULL;
}
