#include "population/pointwise.h"
#include "base/error.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/random.h"
#include <string.h>

enum { MOST = 100000000 };

static unsigned enter(const struct dun_evaluator *e, const char *function)
{
  return dun_guard_enter(e->target->type.name, function);
}

/* ---- the log likelihood -------------------------------------------------------------------- */

int dun_pointwise_variables(const struct dun_evaluator *e, int capacity,
                            struct dun_parameter *variable)
{
  if (!e->target->likelihood)
    return 0;
  unsigned before = enter(e, "likelihood");
  int count = e->target->likelihood(e->self, capacity, variable);
  dun_guard_leave(before);
  return count;
}

/* Shapes; names are looked at with the result's others. */
static int64_t numbers_in(const struct dun_parameter *p)
{
  int64_t numbers = 1;
  if (p->rank < 0 || p->rank > DUN_MAX_SHAPE)
    return 0;
  for (int i = 0; i < p->rank; i++)
    numbers *= p->shape[i] < 1 ? 0 : p->shape[i];
  return numbers;
}

int dun_pointwise_width(const struct dun_evaluator *e)
{
  const char *name = e->target->type.name;
  int count = dun_pointwise_variables(e, 0, NULL);
  int64_t sum = 0;
  if (!e->target->likelihood)
    return dun_fail(DUN_ERROR_INPUT,
                    "target %s does not tell the log likelihood of single observations", name);
  if (count < 1 || count > MOST)
    return dun_fail(DUN_ERROR_INPUT, "`likelihood` of target %s tells %d variables", name, count);
  struct dun_parameter *all = dun_allocate(count, sizeof *all);
  if (!all)
    return DUN_ERROR_MEMORY;
  int status = dun_pointwise_variables(e, count, all) == count ? 0 : -1;
  for (int i = 0; i < count && status == 0; i++) {
    int64_t numbers = numbers_in(&all[i]);
    sum += numbers;
    status = numbers < 1 || numbers > MOST || sum > MOST ? -1 : 0;
  }
  dun_free(all);
  return status == 0 ? (int)sum
                     : dun_fail(DUN_ERROR_INPUT,
                                "`likelihood` of target %s changes its mind, or a variable has a "
                                "shape with a number below 1, or all have more than %d numbers",
                                name, MOST);
}

void dun_pointwise(const struct dun_evaluator *e, const double *x, double *out)
{
  unsigned before = enter(e, "log_likelihood");
  if (e->foreign && !e->transformed)
    dun_foreign_pointwise(e->foreign, x, out);
  else
    e->target->log_likelihood(e->self, x, out);
  dun_guard_leave(before);
}

/* ---- draws of the prior -------------------------------------------------------------------- */

/* A `constrained` target draws its parameters, another one points. */
struct prior {
  const struct dun_evaluator *e;
  const struct dun_target *target;
  const void *self;
  int width; /* columns that it writes */
};

static struct prior prior_of(const struct dun_evaluator *e)
{
  struct prior p = {e, e->target, e->self, e->dimension};
  if (e->transformed) {
    p.target = dun_transformed_inner(e->transformed, &p.self);
    p.width = e->outputs;
  }
  return p;
}

int dun_prior_is_drawn(const struct dun_evaluator *e)
{
  return prior_of(e).target->draw_prior != NULL;
}

/* Lane `lane` of x as a draw. */
static void take(const struct prior *p, const double *x, int lane, double *row, double *theta)
{
  for (int j = 0; j < p->width; j++)
    row[j] = x[(int64_t)j * DUN_LANES + lane];
  if (p->e->transformed)
    memcpy(theta, row, (size_t)p->width * sizeof *row);
  else
    dun_evaluator_constrain(p->e, row, theta);
}

int dun_prior_draws(const struct dun_evaluator *e, uint64_t seed, int64_t count, double *theta)
{
  struct prior p = prior_of(e);
  int normals = p.target->draw_normals < 0 ? p.width : p.target->draw_normals;
  int uniforms = p.target->draw_uniforms < 0 ? p.width : p.target->draw_uniforms;
  double *u = dun_allocate((int64_t)uniforms * DUN_LANES, sizeof *u);
  double *z = dun_allocate((int64_t)normals * DUN_LANES, sizeof *z);
  double *x = dun_allocate((int64_t)p.width * DUN_LANES, sizeof *x);
  double *row = dun_allocate(p.width, sizeof *row);
  int status = u && z && x && row ? 0 : DUN_ERROR_MEMORY;
  for (int64_t first = 0; first < count && status == 0; first += DUN_LANES) {
    struct dun_address address = {
        .seed = seed, .purpose = DUN_PURPOSE_PRIOR, .tile = (uint32_t)(first / DUN_LANES)};
    dun_normals(address, normals, z);
    address.purpose = DUN_PURPOSE_PRIOR_UNIFORM;
    dun_uniforms(address, uniforms, u);
    unsigned before = enter(e, "draw_prior");
    if (e->foreign)
      dun_foreign_draw(e->foreign, p.target->draw_prior, p.width, u, z, x);
    else
      p.target->draw_prior(p.self, u, z, x);
    dun_guard_leave(before);
    for (int lane = 0; lane < DUN_LANES && first + lane < count; lane++)
      take(&p, x, lane, row, theta + (first + lane) * e->outputs);
  }
  dun_free(u);
  dun_free(z);
  dun_free(x);
  dun_free(row);
  return status;
}
