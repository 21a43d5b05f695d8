/* A path for tests whose carry is random and weighed: points of N(0, scale^2) are stirred by
 * x' = a x + sqrt(1 - a^2) scale z, which is its own way back under that law, so that the ratio of
 * the ways is N(x) / N(x').  Between the ends pi_t is the target, any positive function. */
#include "base/error.h"
#include "paths/path.h"
#include <math.h>
#include <string.h>

struct stirred {
  /* options */
  double scale, keep;
  int unbalanced;
  long long steps;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_schedule schedule;
};

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct stirred *s = self;
  s->target = target;
  s->schedule = (struct dun_schedule){.type = DUN_SCHEDULE_FIXED, .steps = s->steps};
  return dun_schedule_init(context, &s->schedule);
}

static void release(void *self)
{
  dun_schedule_free(&((struct stirred *)self)->schedule);
}

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

static void evaluate(const void *self, const struct dun_request *request)
{
  dun_path_evaluate_target(((const struct stirred *)self)->target, request);
}

static void draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct stirred *s = self;
  (void)uniform;
  for (int64_t i = 0; i < (int64_t)s->target->dimension * DUN_LANES; i++)
    x[i] = s->scale * normal[i];
}

/* log N(x) but for a constant, times sign, ADDED. */
static void add_density(const struct stirred *s, double sign, const double *x, double *out)
{
  for (int64_t i = 0; i < (int64_t)s->target->dimension * DUN_LANES; i++)
    out[i % DUN_LANES] -= sign * x[i] * x[i] / (2 * s->scale * s->scale);
}

static int draw_density(const void *self, const double *x, double *lp)
{
  const struct stirred *s = self;
  for (int l = 0; l < DUN_LANES; l++)
    lp[l] = -s->target->dimension * (log(s->scale) + .5 * log(2 * acos(-1)));
  add_density(s, 1, x, lp);
  return 1;
}

static void carry(const void *self, double t, double next, int n, struct dun_address address,
                  double *x, double *memory, double *log_ratio)
{
  const struct stirred *s = self;
  int d = s->target->dimension;
  double z[8 * DUN_LANES] __attribute__((aligned(64)));

  (void)t;
  (void)next;
  (void)n;
  (void)memory;
  memset(log_ratio, 0, DUN_LANES * sizeof *log_ratio);
  if (!s->unbalanced)
    add_density(s, 1, x, log_ratio);
  dun_normals(address, d, z);
  for (int i = 0; i < d * DUN_LANES; i++)
    x[i] = s->keep * x[i] + sqrt(1 - s->keep * s->keep) * s->scale * z[i];
  if (!s->unbalanced)
    add_density(s, -1, x, log_ratio);
}

static enum dun_follow follow(const void *self)
{
  (void)self;
  return DUN_FOLLOW_EITHER;
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct stirred *)self)->schedule;
}

#define ROW(name_, type_, ...)                                                                     \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct stirred, name_), __VA_ARGS__          \
  }
static const struct dun_option options[] = {
    ROW(scale, DUN_NUMBER, .initial = "1", .doc = "Of the law that is stirred."),
    ROW(keep, DUN_NUMBER, .initial = "0.5", .maximum = 1, .doc = "Factor a of a step."),
    ROW(steps, DUN_INTEGER, .initial = "4", .doc = "Number of carries."),
    ROW(unbalanced, DUN_FLAG, .initial = "false", .doc = "Wrong: without the ratio of the ways."),
    {0},
};

const struct dun_path dun_path_stirred = {
    .type = {DUN_TYPE(struct dun_path), .name = "stirred",
             .doc = "Random carries with a known ratio of densities, for tests.",
             .size = sizeof(struct stirred), .options = options, .free = release},
    .parts = 1,
    .part_name = {"target"},
    .coefficients = coefficients,
    .init = init,
    .evaluate = evaluate,
    .carry = carry,
    .follow = follow,
    .draws = draws,
    .draw = draw,
    .draw_density = draw_density,
    .schedule = schedule,
};
