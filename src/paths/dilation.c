/* The dilation path (Chehab & Korba 2024, arXiv 2406.14040): pi_lambda is the law of
 * c + sqrt(lambda) (U - c) with U from the target, so that its density is
 * lambda^(-d/2) pi(c + (x - c) / sqrt(lambda)) and its score
 * lambda^(-1/2) s(c + (x - c) / sqrt(lambda)).
 *
 * Time is lambda, and the state is u = c + (x - c) / sqrt(lambda): its law is the target's at
 * every time, so the one part has coefficient 1, and nothing is ever divided by a small number.
 * A new time contracts, u <- c + (u - c) sqrt(lambda / lambda'), unless `map` asks for the
 * transport that keeps u. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/gaussian.h"
#include "paths/path.h"
#include <math.h>

enum beginning { DIRAC, GAUSSIAN };

struct dilation {
  /* options */
  struct dun_numbers center;
  struct {
    int type;
    long long levels;
    double power, start;
  } levels;
  int map;
  struct {
    int type;
    struct dun_numbers scale;
  } begin;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_schedule schedule;
  struct dun_gaussian law; /* of the start; its mean is c */
};

/* The options' words stand in the order of enum dun_spacing. */
static int make_levels(struct dun_context *context, struct dilation *s)
{
  s->schedule.type = DUN_SCHEDULE_FIXED;
  s->schedule.steps = s->levels.levels;
  s->schedule.spacing = s->levels.type;
  s->schedule.power = s->levels.power;
  s->schedule.start = s->levels.start;
  return dun_schedule_init(context, &s->schedule);
}

static int make_start(struct dilation *s)
{
  int d = s->target->dimension, status = DUN_ERROR_MEMORY;
  double *center = dun_allocate(d, sizeof *center), *scale = dun_allocate(d, sizeof *scale);

  if (center && scale)
    status = dun_path_spread(&s->center, "path.center", d, center);
  if (status >= 0)
    status = dun_path_spread(&s->begin.scale, "path.begin.scale", d, scale);
  if (status >= 0)
    status = dun_gaussian_diagonal(&s->law, d, center, scale);
  dun_free(center);
  dun_free(scale);
  return status;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct dilation *s = self;
  s->target = target;
  int status = dun_agree(context, make_start(s));
  return status < 0 ? status : make_levels(context, s);
}

static void release(void *self)
{
  struct dilation *s = self;
  dun_gaussian_free(&s->law);
  dun_schedule_free(&s->schedule);
}

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

static void evaluate(const void *self, const struct dun_request *request)
{
  const struct dilation *s = self;
  dun_path_evaluate_target(s->target, request);
}

static double unit(const void *self, double t)
{
  (void)self;
  return sqrt(t);
}

DUN_CLONES static void contract(int d, double factor, const double *restrict center,
                                double *restrict x)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] = DUN_FMA(x[j * DUN_LANES + l] - center[j], factor, center[j]);
}

/* At the first level every u is at its start: nothing is contracted. */
static void carry(const void *self, double t, double next, int n, struct dun_address address,
                  double *x, double *log_jacobian)
{
  const struct dilation *s = self;
  int d = s->target->dimension, moves = t > 0 && !s->map;
  double log_factor = moves ? .5 * d * (dun_scalar_log(t) - dun_scalar_log(next)) : 0;

  (void)n;
  (void)address;
  if (moves)
    contract(d, sqrt(t / next), s->law.mean, x);
  for (int l = 0; l < DUN_LANES; l++)
    log_jacobian[l] = log_factor;
}

static void draws(const void *self, int *uniforms, int *normals)
{
  (void)self;
  *uniforms = 0;
  *normals = -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct dilation *s = self;
  (void)uniform;
  if (s->begin.type == GAUSSIAN) {
    dun_gaussian_draw(&s->law, normal, x);
    return;
  }
  for (int j = 0; j < s->target->dimension; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] = s->law.mean[j];
}

static int draw_density(const void *self, const double *x, double *lp)
{
  const struct dilation *s = self;
  if (s->begin.type == DIRAC)
    return 0;
  dun_gaussian_evaluate(&s->law, x, lp, NULL, NULL, NULL);
  return 1;
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct dilation *)self)->schedule;
}

#define LEVELS(member) offsetof(struct dilation, levels.member) - offsetof(struct dilation, levels)
static const struct dun_option level_options[] = {
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

#define BEGIN(member) offsetof(struct dilation, begin.member) - offsetof(struct dilation, begin)
static const struct dun_option begin_options[] = {
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

static const struct dun_option options[] = {
    {.name = "center",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct dilation, center),
     .initial = "0",
     .doc = "The point c that the target is shrunk to; one number or one for each coordinate."},
    {.name = "schedule",
     .type = DUN_SECTION,
     .offset = offsetof(struct dilation, levels),
     .initial = "",
     .rows = level_options,
     .doc = "The levels of lambda, from above 0 to 1."},
    {.name = "map",
     .type = DUN_FLAG,
     .offset = offsetof(struct dilation, map),
     .initial = "false",
     .doc = "A new level keeps u instead of x: the transport map, for smc."},
    {.name = "begin",
     .type = DUN_SECTION,
     .offset = offsetof(struct dilation, begin),
     .initial = "",
     .rows = begin_options,
     .doc = "The law of u before the first level."},
    {0},
};

const struct dun_path dun_path_dilation = {
    .type = {DUN_TYPE(struct dun_path), .name = "dilation",
             .doc = "The target shrunk to a point by sqrt(lambda) and let grow again.",
             .citation = "Chehab & Korba 2024, arXiv 2406.14040", .size = sizeof(struct dilation),
             .options = options, .free = release},
    .parts = 1,
    .part_name = {"target"},
    .coefficients = coefficients,
    .init = init,
    .evaluate = evaluate,
    .unit = unit,
    .carry = carry,
    .draws = draws,
    .draw = draw,
    .draw_density = draw_density,
    .schedule = schedule,
};
