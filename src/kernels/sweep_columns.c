#include "kernels/sweep_parts.h"

void dun_sweep_find_columns(struct dun_sweep *s)
{
  s->x = dun_population_find(s->population, "x");
  s->part_lp = dun_population_find(s->population, "part_lp");
  s->start = dun_population_find(s->population, "start");
  s->time = dun_population_find(s->population, "time");
  s->step_size = dun_population_find(s->population, "step_size");
  s->rung = dun_population_find(s->population, "rung");
  s->momentum = dun_population_find(s->population, "v");
  s->gradient = dun_population_find(s->population, "gradient");
  s->force = dun_population_find(s->population, "force");
  s->acceptance = dun_population_find(s->population, "acceptance");
  s->credit = dun_population_find(s->population, "credit");
  s->carried = dun_population_find(s->population, "carried");
}

void dun_sweep_turn(struct dun_sweep *s, struct dun_population *population)
{
  s->population = s->pass.population = population;
  s->pass.been = dun_population_find(population, "been");
  if (s->memory)
    s->memory = dun_population_find(population, "memory");
  dun_sweep_find_columns(s);
}
