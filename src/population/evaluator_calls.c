/* What else an evaluator asks of its target. */
#include "base/error.h"
#include "base/guard.h"
#include "base/vmath.h"
#include "population/evaluator.h"
#include <math.h>
#include <string.h>

static unsigned enter(const struct dun_evaluator *e, const char *function)
{
  return dun_guard_enter(e->target->type.name, function);
}

int dun_evaluator_lattice(const struct dun_evaluator *e, int *axes, int size[3])
{
  unsigned before = enter(e, "lattice");
  const char *name = e->target->type.name;
  size[0] = size[1] = size[2] = 1;
  int status = e->target->lattice ? e->target->lattice(e->self, axes, size) : -1;
  dun_guard_leave(before);
  if (status < 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "Target %s is no field on a lattice: it has no waves in Fourier space.", name);
  if (*axes < 1 || *axes > 3)
    return dun_fail(DUN_ERROR_INPUT, "Target %s has a lattice of %d axes; 1 to 3 were expected.",
                    name, *axes);
  for (int a = *axes; a < 3; a++)
    size[a] = 1;
  int64_t plane = (int64_t)size[0] * size[1];
  if (size[0] < 1 || size[1] < 1 || size[2] < 1 || plane > e->dimension ||
      plane * size[2] != e->dimension)
    return dun_fail(DUN_ERROR_INPUT,
                    "Target %s has a lattice of %d x %d x %d sites; %d sites were "
                    "expected.",
                    name, size[0], size[1], size[2], e->dimension);
  return 0;
}

void dun_evaluator_constrain(const struct dun_evaluator *evaluator, const double *x, double *theta)
{
  if (!evaluator->target->constrain) {
    memcpy(theta, x, (size_t)evaluator->dimension * sizeof *x);
    return;
  }
  unsigned before = enter(evaluator, "constrain");
  evaluator->target->constrain(evaluator->self, x, theta);
  dun_guard_leave(before);
}

int dun_evaluator_uniforms(const struct dun_evaluator *e)
{
  return e->target->draw_uniforms < 0 ? e->dimension : e->target->draw_uniforms;
}

int dun_evaluator_normals(const struct dun_evaluator *e)
{
  return e->target->draw_normals < 0 ? e->dimension : e->target->draw_normals;
}

void dun_evaluator_draw(const struct dun_evaluator *evaluator, const double *uniform,
                        const double *normal, double *x)
{
  unsigned before = enter(evaluator, "draw");
  evaluator->target->draw(evaluator->self, uniform, normal, x);
  dun_guard_leave(before);
}

void dun_evaluator_draw_prior(const struct dun_evaluator *evaluator, const double *uniform,
                              const double *normal, double *x)
{
  unsigned before = enter(evaluator, "draw_prior");
  evaluator->target->draw_prior(evaluator->self, uniform, normal, x);
  dun_guard_leave(before);
}

int dun_evaluator_tilted(const struct dun_evaluator *evaluator, const struct dun_tilted *tilted)
{
  unsigned before = enter(evaluator, "tilted");
  int status = evaluator->target->tilted(evaluator->self, tilted, evaluator->work);
  dun_guard_leave(before);
  return status;
}

int dun_evaluator_modes(const struct dun_evaluator *evaluator, int capacity, double *centre,
                        double *share, double *width)
{
  if (!evaluator->target->modes)
    return 0;
  unsigned before = enter(evaluator, "modes");
  int count = evaluator->target->modes(evaluator->self, capacity, centre, share, width);
  dun_guard_leave(before);
  return count;
}

double dun_evaluator_letter(const struct dun_evaluator *e, int letter)
{
  return e->target->support == DUN_SPINS ? 2 * letter - 1 : letter;
}

DUN_CLONES static void settle_letters(int count, double *value)
{
  for (int i = 0; i < count * DUN_LANES; i++)
    value[i] = value[i] < INFINITY ? value[i] : -INFINITY; /* NaN too */
}

void dun_evaluate_site(struct dun_evaluator *evaluator, int j, const double *x, double *value)
{
  unsigned before = enter(evaluator, "site");
  evaluator->target->site(evaluator->self, j, x, value);
  dun_guard_leave(before);
  settle_letters(evaluator->letters, value);
}
