/* Magnetisations of spins that are all coupled at random, by approximate message passing, and
 * descent from there (El Alaoui, Montanari & Sellke 2022, arXiv 2203.05093): with the couplings
 * beta A, whose entries have the variance beta^2 / n, and the tilt h,
 *
 *   passing   z' = beta A m + h - beta^2 (1 - q) m_before,  m' = tanh z',  q = |m|^2 / n; first 0
 *   descent   u' = u - rate (u - beta A m - h + beta^2 (1 - q) m),  m = tanh u,  q as it is behind
 *             the passing: a natural gradient step of the free energy, which rests where the
 *             equations of Thouless, Anderson and Palmer hold
 *
 * right but for errors that vanish with n where beta < 1, at the cost of a gradient of the target
 * for each.  beta A m and external fields are the gradient of the log density, continued to means
 * between the spins. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/columns.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, BLOCKS = 3 };

struct amp {
  /* options */
  double beta; /* -1: auto */
  long long passes, descents;
  double rate;

  /* made */
  struct dun_evaluator *target;
  double square; /* beta^2 */
  double *work;  /* [BLOCKS d][64]; owned */
};

/* ---- setting up ---------------------------------------------------------------------------- */

/* force[d][64] = gradient at m. */
static void ask_target(const struct amp *s, int n, const double *m, double *force)
{
  double one[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    one[l] = 1;
  memset(force, 0, (size_t)s->target->dimension * L * sizeof *force);
  dun_evaluate(s->target, n, m, NULL, one, force);
}

/* Of random signs s: the mean of |force(s) - force(0)|^2 / n is the sum of the squares of a row. */
static double find_square(const struct amp *s)
{
  int64_t d = s->target->dimension, evaluations = s->target->evaluations;
  int64_t gradients = s->target->gradients;
  double *m = s->work, *force = m + d * L, *none = force + d * L, sum = 0;
  memset(m, 0, (size_t)d * L * sizeof *m);
  ask_target(s, 1, m, none);
  for (int64_t j = 0; j < d; j++) {
    dun_uniforms((struct dun_address){.purpose = DUN_PURPOSE_TRIAL, .tile = (uint32_t)j}, 1,
                 m + j * L);
    for (int l = 0; l < L; l++)
      m[j * L + l] = m[j * L + l] < .5 ? 1 : -1;
  }
  ask_target(s, L, m, force);
  for (int64_t i = 0; i < d * L; i++)
    sum += (force[i] - none[i / L * L]) * (force[i] - none[i / L * L]);
  s->target->evaluations = evaluations;
  s->target->gradients = gradients;
  return sum / (double)(d * L);
}

static int init_here(struct amp *s, struct dun_evaluator *target)
{
  const struct dun_target *t = target->target;
  s->target = target;
  if (t->support != DUN_SPINS)
    return dun_fail(DUN_ERROR_INPUT, "field amp is of spins, which target %s has not",
                    t->type.name);
  int status = dun_evaluator_need_gradient(target, "field amp", "field atoms");
  if (status < 0)
    return status;
  DUN_FREE(s->work);
  s->work = dun_allocate(BLOCKS * (int64_t)target->dimension, L * sizeof *s->work);
  if (!s->work)
    return DUN_ERROR_MEMORY;
  s->square = s->beta < 0 ? find_square(s) : s->beta * s->beta;
  return 0;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  (void)lambda;
  return dun_agree(context, init_here(self, target));
}

static void release(void *self)
{
  DUN_FREE(((struct amp *)self)->work);
}

/* ---- steps --------------------------------------------------------------------------------- */

/* factor[64] = beta^2 (1 - |m|^2 / n). */
DUN_CLONES static void reaction(const struct amp *s, const double *restrict m,
                                double *restrict factor)
{
  int d = s->target->dimension;
  double sum[L] __attribute__((aligned(64))) = {0};
  dun_columns_add_square(d, m, sum);
  for (int l = 0; l < L; l++)
    factor[l] = s->square * (1 - sum[l] / d);
}

/* m' in the place of m_before, and z. */
DUN_CLONES static void pass(int d, const double *restrict h, const double *restrict force,
                            const double *restrict factor, double *restrict before,
                            double *restrict z)
{
  for (int64_t i = 0; i < (int64_t)d * L; i += L)
    for (int l = 0; l < L; l++) {
      z[i + l] = force[i + l] + h[i + l] - factor[l] * before[i + l];
      before[i + l] = dun_tanh(z[i + l]);
    }
}

DUN_CLONES static void descend(int d, double rate, const double *restrict h,
                               const double *restrict force, const double *restrict factor,
                               double *restrict m, double *restrict u)
{
  for (int64_t i = 0; i < (int64_t)d * L; i += L)
    for (int l = 0; l < L; l++) {
      u[i + l] -= rate * (u[i + l] - force[i + l] - h[i + l] + factor[l] * m[i + l]);
      m[i + l] = dun_tanh(u[i + l]);
    }
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct amp *s = self;
  int64_t d = s->target->dimension;
  double factor[L] __attribute__((aligned(64)));
  double *force = s->work, *other = force + d * L, *z = other + d * L;
  double *m = call->mean, *before = other;
  memset(m, 0, (size_t)d * L * sizeof *m);
  memset(before, 0, (size_t)d * L * sizeof *m);
  for (int64_t k = 0; k < s->passes; k++) {
    double *held = m;
    ask_target(s, call->n, m, force);
    reaction(s, m, factor);
    pass((int)d, call->h, force, factor, before, z);
    m = before;
    before = held;
  }
  reaction(s, m, factor);
  for (int64_t k = 0; k < s->descents; k++) {
    ask_target(s, call->n, m, force);
    descend((int)d, s->rate, call->h, force, factor, m, z);
  }
  if (m != call->mean)
    memcpy(call->mean, m, (size_t)d * L * sizeof *m);
}

static long long evaluations(const void *self, int first)
{
  (void)first;
  const struct amp *s = self;
  return s->passes + s->descents;
}

static const struct dun_option options[] = {
    {.name = "beta",
     .type = DUN_NUMBER,
     .offset = offsetof(struct amp, beta),
     .initial = "auto",
     .words = "auto",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Inverse temperature, the root of the sum of a row's squared couplings; auto: found by "
            "the forces at random signs."},
    {.name = "passes",
     .type = DUN_INTEGER,
     .offset = offsetof(struct amp, passes),
     .initial = "10",
     .minimum = 1,
     .maximum = 10000,
     .doc = "Steps of message passing."},
    {.name = "descents",
     .type = DUN_INTEGER,
     .offset = offsetof(struct amp, descents),
     .initial = "10",
     .minimum = 0,
     .maximum = 10000,
     .doc = "Steps of descent from there."},
    {.name = "rate",
     .type = DUN_NUMBER,
     .offset = offsetof(struct amp, rate),
     .initial = "0.2",
     .minimum = 1e-6,
     .maximum = 1,
     .doc = "Length of these."},
    {0},
};

const struct dun_field dun_field_amp = {
    .type = {DUN_TYPE(struct dun_field), .name = "amp",
             .doc =
                 "Magnetisations of spins that are all coupled at random, by approximate message "
                 "passing.",
             .citation = "El Alaoui, Montanari & Sellke 2022, arXiv 2203.05093",
             .size = sizeof(struct amp), .options = options, .free = release},
    .init = init,
    .value = value,
    .evaluations = evaluations,
};
