#include "numerics/phase_tuned.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/spacing.h"
#include <math.h>
#include <stdlib.h>

struct search {
  const struct dun_phase_space *space;
  const struct dun_phase_budget *budget;
  int count;
  const struct dun_phase_direction *direction;
  double *time;
};

/* As the grid of the march has them. */
void dun_phase_times(double begin, double end, double power, int64_t steps, double *time)
{
  struct dun_spacing spacing = {
      .type = DUN_SPACING_POWER, .first = end, .last = begin, .power = power};
  for (int64_t k = 0; k < steps; k++)
    time[k] = dun_spacing_at(&spacing, (double)(steps - k), (double)steps);
  time[steps] = end;
}

/* The choice with its steps and distance; infinite where it has none.  DUN_ERROR_MEMORY. */
static int measure(const struct search *s, struct dun_phase_choice *c)
{
  struct dun_phase_table table = {0};
  int status;

  c->steps = (s->budget->evaluations - s->budget->last) / dun_program_evaluations(&c->program);
  c->distance = INFINITY;
  if (c->steps < 1)
    return 0;
  dun_phase_times(s->budget->begin, s->budget->end, c->power, c->steps, s->time);
  status = dun_phase_table_make(&table, s->space, &c->noise, &c->program, c->steps, s->time);
  if (status == 0)
    c->distance = dun_phase_distance(&table, s->space, s->count, s->direction, s->budget->last);
  dun_phase_table_free(&table);
  if (!(c->distance >= 0))
    c->distance = INFINITY;
  return status == DUN_ERROR_MEMORY ? status : 0; /* what is no program is no choice */
}

/* The better one of both. */
static int compare(const struct search *s, struct dun_phase_choice *best,
                   struct dun_phase_choice trial)
{
  int status = measure(s, &trial);

  if (trial.distance < best->distance)
    *best = trial;
  return status;
}

/* Steps in power and, where there is noise to scale, in log lambda, halved until they are fine. */
static int climb_down(const struct search *s, int scales, struct dun_phase_choice *best)
{
  double power = 1, factor = 3;
  int status = 0;

  while (power > .05 && status == 0) {
    double before = best->distance;
    for (int side = -1; side <= 1 && status == 0; side += 2) {
      struct dun_phase_choice trial = *best;
      trial.power = best->power + side * power;
      trial.power = trial.power < 1 ? 1 : trial.power > 6 ? 6 : trial.power;
      status = compare(s, best, trial);
      trial = *best;
      trial.noise.lambda *= side < 0 ? 1 / factor : factor;
      if (scales && trial.noise.lambda > 1e-3 && trial.noise.lambda < 1e3 && status == 0)
        status = compare(s, best, trial);
    }
    if (!(best->distance < before)) {
      power *= .5;
      factor = sqrt(factor);
    }
  }
  return status;
}

/* The best of a program, from several beginnings. */
static int tune_program(const struct search *s, const struct dun_program *program,
                        struct dun_phase_choice *best)
{
  static const struct {
    double lambda;
    int placement;
  } begin[] = {{1, DUN_PHASE_CONSISTENT},
               {4, DUN_PHASE_CONSISTENT},
               {.1, DUN_PHASE_MIDPOINT},
               {1, DUN_PHASE_MIDPOINT}};
  int scales = dun_program_has(program, 'O') || dun_program_has(program, 'E'), status = 0;

  for (int i = 0; i < (scales ? 4 : 1) && status == 0; i++) {
    struct dun_phase_choice c = {
        .program = *program,
        .noise = {begin[i].lambda, begin[i].placement, {s->budget->eta[0], s->budget->eta[1]}},
        .power = 2,
    };
    status = measure(s, &c);
    if (status == 0 && c.steps > 0)
      status = climb_down(s, scales, &c);
    if (status == 0 && c.distance < best->distance)
      *best = c;
  }
  return status;
}

int dun_phase_tune(const struct dun_phase_space *space, const struct dun_phase_budget *budget,
                   const struct dun_program *given, int count,
                   const struct dun_phase_direction *direction, struct dun_phase_choice *choice)
{
  static const char *const names[] = {"em",  "roba", "rbao",  "robab", "robab-t",
                                      "rse", "rvv",  "rvv-t", "heun",  NULL};
  struct search s = {space, budget, count, direction,
                     dun_allocate(budget->evaluations + 1, sizeof(double))};
  struct dun_program program;
  int status = s.time ? 0 : dun_fail(DUN_ERROR_MEMORY, "no memory for the times of a march");

  *choice = (struct dun_phase_choice){.distance = INFINITY};
  if (given && status == 0)
    status = tune_program(&s, given, choice);
  for (const char *const *name = names; !given && *name && status == 0; name++) {
    status = dun_phase_program_parse("program", *name, space->gamma, &program);
    if (status == 0)
      status = tune_program(&s, &program, choice);
  }
  dun_free(s.time);
  if (status == 0 && choice->steps == 0)
    status = dun_fail(DUN_ERROR_INPUT,
                      "grid: %lld evaluations are too few for any choice with a finite error",
                      (long long)budget->evaluations);
  return status;
}
