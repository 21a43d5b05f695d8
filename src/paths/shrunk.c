#include "paths/shrunk.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/given.h"
#include <math.h>

/* The options' words stand in the order of enum dun_spacing_type. */
static int make_levels(struct dun_context *context, struct dun_shrunk *s)
{
  s->schedule.type = DUN_SCHEDULE_FIXED;
  s->schedule.steps = s->levels.levels;
  s->schedule.spacing = s->levels.type;
  s->schedule.power = s->levels.power;
  s->schedule.start = s->levels.start;
  return dun_schedule_init(context, &s->schedule);
}

int dun_shrunk_init(struct dun_context *context, struct dun_shrunk *s, struct dun_evaluator *target)
{
  s->target = target;
  int status = dun_given_gaussian(&s->law, target->dimension, &s->center, "path.center",
                                  &s->begin.scale, "path.begin.scale");
  status = dun_agree(context, status);
  return status < 0 ? status : make_levels(context, s);
}

void dun_shrunk_free(struct dun_shrunk *s)
{
  dun_gaussian_free(&s->law);
  dun_schedule_free(&s->schedule);
}

void dun_shrunk_draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

void dun_shrunk_draw(const struct dun_shrunk *s, const double *normal, double *x)
{
  if (s->begin.type == DUN_BEGIN_GAUSSIAN) {
    dun_gaussian_draw(&s->law, normal, x);
    return;
  }
  for (int j = 0; j < s->target->dimension; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] = s->law.mean[j];
}

int dun_shrunk_density(const struct dun_shrunk *s, const double *x, double *lp)
{
  if (s->begin.type == DUN_BEGIN_DIRAC)
    return 0;
  dun_gaussian_evaluate(&s->law, x, lp, NULL, NULL, NULL);
  return 1;
}

DUN_CLONES static void contract(int d, double factor, const double *restrict center,
                                double *restrict x)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] = DUN_FMA(x[j * DUN_LANES + l] - center[j], factor, center[j]);
}

double dun_shrunk_contract(const struct dun_shrunk *s, double t, double next, double *y)
{
  int d = s->target->dimension;
  if (!(t > 0))
    return 0;
  contract(d, sqrt(t / next), s->law.mean, y);
  return .5 * d * (dun_scalar_log(t) - dun_scalar_log(next));
}

double dun_shrunk_unit(const void *self, double t)
{
  (void)self;
  return sqrt(t);
}

void dun_shrunk_coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

#define LEVELS(member)                                                                             \
  offsetof(struct dun_shrunk, levels.member) - offsetof(struct dun_shrunk, levels)
const struct dun_option dun_shrunk_levels[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = LEVELS(type),
     .initial = "linear",
     .words = "linear|power|log_linear",
     .doc = "lambda_k = k/K, (k/K)^power, or start^(1 - k/K)."},
    {.name = "levels",
     .type = DUN_INTEGER,
     .offset = LEVELS(levels),
     .initial = "1000",
     .minimum = 1,
     .maximum = 1e8,
     .doc = "Number of levels K."},
    {.name = "power",
     .type = DUN_NUMBER,
     .offset = LEVELS(power),
     .initial = "2",
     .minimum = .05,
     .maximum = 20,
     .when = "type=power",
     .doc = "Exponent of the power schedule."},
    {.name = "start",
     .type = DUN_NUMBER,
     .offset = LEVELS(start),
     .initial = "1e-3",
     .minimum = 1e-12,
     .maximum = .999,
     .when = "type=log_linear",
     .doc = "Where the log-linear schedule begins."},
    {0},
};

#define BEGIN(member) offsetof(struct dun_shrunk, begin.member) - offsetof(struct dun_shrunk, begin)
const struct dun_option dun_shrunk_begin[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = BEGIN(type),
     .initial = "dirac",
     .words = "dirac|gaussian",
     .doc = "All particles at the centre, or a Gaussian around it in the state's units."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = BEGIN(scale),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e300,
     .when = "type=gaussian",
     .doc = "Standard deviation of the Gaussian start; one number or one for each coordinate."},
    {0},
};
