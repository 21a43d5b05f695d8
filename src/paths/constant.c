/* The target itself at all times, for plain Markov chain Monte Carlo: there is nothing to follow,
 * only a law that the chains start from. */
#include "paths/path.h"

struct constant {
  /* options */
  struct dun_start start;

  /* made by init */
  struct dun_evaluator *target;
};

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct constant *s = self;
  s->target = target;
  return dun_start_init(context, &s->start, target, "path.start");
}

static void release(void *self)
{
  dun_start_free(&((struct constant *)self)->start);
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
  dun_start_draws(&((const struct constant *)self)->start, uniforms, normals);
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  dun_start_draw(&((const struct constant *)self)->start, uniform, normal, x);
}

static int draw_density(const void *self, const double *x, double *lp)
{
  return dun_start_density(&((const struct constant *)self)->start, x, lp);
}

static const struct dun_start *start(const void *self)
{
  return &((const struct constant *)self)->start;
}

static const struct dun_option options[] = {
    {.name = "start",
     .type = DUN_SECTION,
     .offset = offsetof(struct constant, start),
     .initial = "",
     .rows = dun_start_options,
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
    .start = start,
};
