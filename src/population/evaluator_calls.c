/* What else an evaluator asks of its target. */
#include "base/error.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "population/evaluator.h"
#include "population/pointwise.h"
#include <math.h>
#include <string.h>

static unsigned enter(const struct dun_evaluator *e, const char *function)
{
  return dun_guard_enter(e->target->type.name, function);
}

int dun_evaluator_fence(struct dun_evaluator *e)
{
  struct dun_foreign sizes = {.target = e->target,
                              .self = e->self,
                              .d = e->dimension,
                              .work_size = dun_block_bytes(e->work) / (int64_t)sizeof(double),
                              .outputs = e->outputs,
                              .letters = (int64_t)e->letters * DUN_LANES};
  sizes.observations = e->target->likelihood ? dun_pointwise_width(e) : 0;
  if (sizes.observations < 0)
    sizes.observations = 0; /* that is refused where it is asked for */
  if (e->transformed) {
    sizes.target = dun_transformed_inner(e->transformed, &sizes.self);
    sizes.d = e->outputs;
  }
  e->foreign = dun_foreign_make(&sizes);
  if (e->transformed)
    dun_transformed_fence(e->transformed, e->foreign);
  return e->foreign ? 0 : DUN_ERROR_MEMORY;
}

int dun_evaluator_need_gradient(const struct dun_evaluator *evaluator, const char *who,
                                const char *instead)
{
  if (!evaluator->target->no_gradient)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%s needs the gradient of the log density, and target %s says that it has none; "
                  "%s does without",
                  who, evaluator->target->type.name, instead);
}

void dun_evaluator_count(struct dun_evaluator *e, int n, int gradient)
{
  e->evaluations += n;
  e->gradients += gradient && !e->target->no_gradient ? n : 0;
}

int dun_evaluator_observations(const struct dun_evaluator *e)
{
  const int most = 1000000000;
  if (!e->target->observations || !e->target->observed)
    return 0;
  unsigned before = enter(e, "observations");
  int count = e->target->observations(e->self);
  dun_guard_leave(before);
  if (count < 1 || count > most)
    return dun_fail(DUN_ERROR_INPUT, "Target %s has %d observations; 1 to %d were expected.",
                    e->target->type.name, count, most);
  return count;
}

void dun_evaluator_ask_part(struct dun_evaluator *e, const double *x, double *lp,
                            const double *scale, double *gradient)
{
  if (e->foreign)
    dun_foreign_observed(e->foreign, e->part_count, e->part, x, lp, scale, gradient);
  else
    e->target->observed(e->self, e->part_count, e->part, x, lp, scale, gradient, e->work);
}

/* The arrays of a target that is called as it was given; NULL: it gets those of whoever asks. */
static struct dun_foreign *fenced(const struct dun_evaluator *e)
{
  return e->transformed ? NULL : e->foreign;
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
  if (fenced(evaluator))
    dun_foreign_constrain(evaluator->foreign, x, theta);
  else
    evaluator->target->constrain(evaluator->self, x, theta);
  dun_guard_leave(before);
}

int dun_evaluator_constants(const struct dun_evaluator *e, signed char *constant)
{
  enum { POINTS = 16 };
  int64_t d = e->dimension;
  double *x = dun_allocate(d, (DUN_LANES + 1) * sizeof *x), *point = x ? x + d * DUN_LANES : NULL;
  double *theta = dun_allocate(e->outputs, 2 * sizeof *theta), *first = theta;
  int status = x && theta ? 0 : DUN_ERROR_MEMORY;
  memset(constant, status == 0 && !e->letters, (size_t)e->outputs);
  if (status == 0)
    dun_normals((struct dun_address){.purpose = DUN_PURPOSE_TRIAL}, e->dimension, x);
  for (int l = 0; l < POINTS && status == 0 && !e->letters; l++) {
    double *now = l == 0 ? first : first + e->outputs;
    for (int64_t j = 0; j < d; j++)
      point[j] = x[j * DUN_LANES + l];
    dun_evaluator_constrain(e, point, now);
    for (int64_t i = 0; i < e->outputs; i++)
      constant[i] = constant[i] && now[i] == first[i];
  }
  dun_free(x);
  dun_free(theta);
  return status;
}

int dun_evaluator_uniforms(const struct dun_evaluator *e)
{
  return e->target->draw_uniforms < 0 ? e->dimension : e->target->draw_uniforms;
}

int dun_evaluator_normals(const struct dun_evaluator *e)
{
  return e->target->draw_normals < 0 ? e->dimension : e->target->draw_normals;
}

static void draw_by(const struct dun_evaluator *e, const char *name, dun_draw_function *draw,
                    const double *uniform, const double *normal, double *x)
{
  unsigned before = enter(e, name);
  if (fenced(e))
    dun_foreign_draw(e->foreign, draw, e->dimension, uniform, normal, x);
  else
    draw(e->self, uniform, normal, x);
  dun_guard_leave(before);
}

void dun_evaluator_draw(const struct dun_evaluator *evaluator, const double *uniform,
                        const double *normal, double *x)
{
  draw_by(evaluator, "draw", evaluator->target->draw, uniform, normal, x);
}

void dun_evaluator_draw_prior(const struct dun_evaluator *evaluator, const double *uniform,
                              const double *normal, double *x)
{
  draw_by(evaluator, "draw_prior", evaluator->target->draw_prior, uniform, normal, x);
}

int dun_evaluator_tilted(const struct dun_evaluator *evaluator, const struct dun_tilted *tilted)
{
  unsigned before = enter(evaluator, "tilted");
  int status =
      fenced(evaluator)
          ? dun_foreign_tilted(evaluator->foreign, tilted, dun_evaluator_uniforms(evaluator),
                               dun_evaluator_normals(evaluator), evaluator->work)
          : evaluator->target->tilted(evaluator->self, tilted, evaluator->work);
  dun_guard_leave(before);
  return status;
}

int dun_evaluator_modes(const struct dun_evaluator *evaluator, int capacity, double *centre,
                        double *share, double *width)
{
  if (!evaluator->target->modes)
    return 0;
  unsigned before = enter(evaluator, "modes");
  int count = fenced(evaluator)
                  ? dun_foreign_modes(evaluator->foreign, capacity, centre, share, width)
                  : evaluator->target->modes(evaluator->self, capacity, centre, share, width);
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
  if (fenced(evaluator))
    dun_foreign_site(evaluator->foreign, j, x, value);
  else
    evaluator->target->site(evaluator->self, j, x, value);
  dun_guard_leave(before);
  settle_letters(evaluator->letters, value);
}

void dun_evaluate_couplings(const struct dun_evaluator *evaluator, int first, int count,
                            double *row, double *field)
{
  unsigned before = enter(evaluator, "couplings");
  if (fenced(evaluator))
    dun_foreign_couplings(evaluator->foreign, first, count, row, field);
  else
    evaluator->target->couplings(evaluator->self, first, count, row, field);
  dun_guard_leave(before);
}
