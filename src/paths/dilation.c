/* The dilation path (Chehab & Korba 2024, arXiv 2406.14040): pi_lambda is the law of
 * c + sqrt(lambda) (U - c) with U from the target, so that its density is
 * lambda^(-d/2) pi(c + (x - c) / sqrt(lambda)) and its score
 * lambda^(-1/2) s(c + (x - c) / sqrt(lambda)).
 *
 * Time is lambda, and the state is u = c + (x - c) / sqrt(lambda): its law is the target's at
 * every time, so the one part has coefficient 1, and nothing is ever divided by a small number.
 * A new time contracts, u <- c + (u - c) sqrt(lambda / lambda'), unless `map` asks for the
 * transport that keeps u. */
#include "paths/shrunk.h"

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  return dun_shrunk_init(context, self, target);
}

static void release(void *self)
{
  dun_shrunk_free(self);
}

static void evaluate(const void *self, const struct dun_request *request)
{
  const struct dun_shrunk *s = self;
  dun_path_evaluate_target(s->target, request);
}

static void carry(const void *self, double t, double next, int n, struct dun_address address,
                  double *x, double *memory, double *log_ratio)
{
  const struct dun_shrunk *s = self;
  double log_factor = s->map ? 0 : dun_shrunk_contract(s, t, next, x);

  (void)n;
  (void)address;
  (void)memory;
  for (int l = 0; l < DUN_LANES; l++)
    log_ratio[l] = log_factor;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_shrunk_draw(self, normal, x);
}

static int draw_density(const void *self, const double *x, double *lp)
{
  return dun_shrunk_density(self, x, lp);
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct dun_shrunk *)self)->schedule;
}

static const struct dun_option options[] = {DUN_SHRUNK_OPTIONS, {0}};

const struct dun_path dun_path_dilation = {
    .type = {DUN_TYPE(struct dun_path), .name = "dilation",
             .doc = "The target shrunk to a point by sqrt(lambda) and let grow again.",
             .citation = "Chehab & Korba 2024, arXiv 2406.14040", .size = sizeof(struct dun_shrunk),
             .options = options, .free = release},
    .parts = 1,
    .part_name = {"target"},
    .coefficients = dun_shrunk_coefficients,
    .init = init,
    .evaluate = evaluate,
    .unit = dun_shrunk_unit,
    .carry = carry,
    .draws = dun_shrunk_draws,
    .draw = draw,
    .draw_density = draw_density,
    .schedule = schedule,
};
