/* The target itself at all times, for plain Markov chain Monte Carlo: there is nothing to follow,
 * only a law that the chains start from. */
#include "base/error.h"
#include "numerics/given.h"
#include "parallel/context.h"
#include "paths/path.h"

enum start { GAUSSIAN, PRIOR };

struct constant {
  /* options */
  struct {
    int type;
    struct dun_numbers mean, scale;
  } start;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_gaussian law; /* of a Gaussian start */
};

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct constant *s = self;
  const struct dun_target *given = target->target;
  int status;

  s->target = target;
  if (target->letters)
    status = 0; /* begin anywhere */
  else if (s->start.type == GAUSSIAN)
    status = dun_given_gaussian(&s->law, target->dimension, &s->start.mean, "path.start.mean",
                                &s->start.scale, "path.start.scale");
  else
    status = given->prior && given->draw_prior
                 ? 0
                 : dun_fail(DUN_ERROR_INPUT,
                            "path.start.type: target %s has no prior to draw from; use gaussian",
                            given->type.name);
  return dun_agree(context, status);
}

static void release(void *self)
{
  dun_gaussian_free(&((struct constant *)self)->law);
}

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  (void)t;
  coefficient[0] = 1;
}

static void evaluate(const void *self, const struct dun_request *request)
{
  dun_path_evaluate_target(((const struct constant *)self)->target, request);
}

static void site(const void *self, int j, const double *x, double *value)
{
  dun_evaluate_site(((const struct constant *)self)->target, j, x, value);
}

static void draws(const void *self, int *uniforms, int *normals)
{
  const struct constant *s = self;
  if (s->target->letters) {
    *uniforms = -1;
    *normals = 0;
    return;
  }
  int prior = s->start.type == PRIOR;
  *uniforms = prior ? s->target->target->draw_uniforms : 0;
  *normals = prior ? s->target->target->draw_normals : -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct constant *s = self;
  if (s->target->letters)
    dun_path_draw_letters(s->target, uniform, x);
  else if (s->start.type == PRIOR)
    dun_evaluator_draw_prior(s->target, uniform, normal, x);
  else
    dun_gaussian_draw(&s->law, normal, x);
}

static int draw_density(const void *self, const double *x, double *lp)
{
  const struct constant *s = self;
  double alike = dun_path_letters_density(s->target);
  for (int l = 0; l < DUN_LANES && s->target->letters; l++)
    lp[l] = alike;
  if (s->target->letters)
    return 1;
  if (s->start.type == PRIOR)
    dun_evaluate_prior(s->target, DUN_LANES, x, lp, NULL, NULL);
  else
    dun_gaussian_evaluate(&s->law, x, lp, NULL, NULL, NULL);
  return 1;
}

#define START(member) offsetof(struct constant, start.member) - offsetof(struct constant, start)
static const struct dun_option start_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = START(type),
     .initial = "gaussian",
     .words = "gaussian|prior",
     .doc = "A stated Gaussian, or the target's prior; spins and letters start at any, all alike."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = START(mean),
     .initial = "0",
     .when = "type=gaussian",
     .doc = "Mean of the Gaussian; one number or one for each coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = START(scale),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e300,
     .when = "type=gaussian",
     .doc = "Its standard deviation; one number or one for each coordinate."},
    {0},
};

static const struct dun_option options[] = {
    {.name = "start",
     .type = DUN_SECTION,
     .offset = offsetof(struct constant, start),
     .initial = "",
     .rows = start_options,
     .doc = "The law of the chains' first points: wider than the target, so that R-hat can see "
            "chains that have not met."},
    {0},
};

const struct dun_path dun_path_constant = {
    .type = {DUN_TYPE(struct dun_path), .name = "constant",
             .doc = "The target itself at all times, for plain Markov chain Monte Carlo.",
             .size = sizeof(struct constant), .options = options, .free = release},
    .affine = 1,
    .parts = 1,
    .part_name = {"target"},
    .coefficients = coefficients,
    .init = init,
    .evaluate = evaluate,
    .site = site,
    .draws = draws,
    .draw = draw,
    .draw_density = draw_density,
};
