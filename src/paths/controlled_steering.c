/* What is learned of the path `controlled`: its tables, and where they come from. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/table.h"
#include "base/vmath.h"
#include "data/learned.h"
#include "paths/controlled.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

static const struct dun_state rows[] = {
    DUN_STEERING_STATE(struct dun_controlled, loaded),
    {0},
};

void dun_steering_free(struct dun_steering *s)
{
  DUN_FREE(s->weights.value);
  DUN_FREE(s->exponents.value);
  DUN_FREE(s->mean.value);
  DUN_FREE(s->log_scale.value);
  *s = (struct dun_steering){0};
}

double dun_controlled_exponent(const struct dun_controlled *s, double t)
{
  double at = t * (double)s->steps, k = floor(at);
  if (!s->exponent)
    return t;
  if (k >= (double)s->steps)
    return 1;
  const double *e = s->exponent + (int64_t)k;
  return e[0] + (at - k) * (e[1] - e[0]);
}

/* ---- room ------------------------------------------------------------------------------------ */

static int make_room(struct dun_controlled *s, int64_t width)
{
  int d = s->target->dimension;
  int status = dun_control_init(&s->network, d, (int)width, s->steps);
  DUN_FREE(s->exponent);
  DUN_FREE(s->point);
  s->exponent = dun_allocate(s->steps + 1, sizeof *s->exponent);
  s->point = dun_allocate(2 * (int64_t)d * L + (status < 0 ? 0 : dun_control_tape(&s->network)),
                          sizeof *s->point);
  return status < 0 ? status : s->exponent && s->point ? 0 : DUN_ERROR_MEMORY;
}

/* Steps of exponents are shares of softplus(a); where they are equal a is 1. */
DUN_CLONES static void first_exponents(const struct dun_numbers *exponent, struct dun_numbers *a)
{
  double mean = dun_softplus(1), T = (double)a->count;
  for (int64_t k = 0; k < a->count && exponent->count; k++) {
    double y = mean * T * (exponent->value[k + 1] - exponent->value[k]);
    a->value[k] = y > 30 ? y : dun_log(dun_expm1(y > 1e-30 ? y : 1e-30));
  }
}

static int make_first(struct dun_controlled *s, struct dun_steering *steering,
                      struct dun_address address)
{
  int64_t d = s->target->dimension;
  int status;
  if ((status = dun_numbers_make(&steering->weights, s->network.at.count, 0)) < 0 ||
      (status = dun_numbers_make(&steering->exponents, s->steps, 1)) < 0 ||
      (status = dun_numbers_make(&steering->mean, d, 0)) < 0 ||
      (status = dun_numbers_make(&steering->log_scale, d, 0)) < 0)
    return status;
  first_exponents(&s->first_exponent, &steering->exponents);
  dun_control_draw(&s->network, address, steering->weights.value);
  steering->reference = s->reference;
  for (int64_t j = 0; j < d; j++) {
    double scale = s->first_scale.value[j];
    steering->mean.value[j] = s->first_mean.value[j];
    steering->log_scale.value[j] = scale > 0 ? dun_scalar_log(scale) : DUN_STEERING_POINT;
  }
  return 0;
}

int dun_controlled_steer(struct dun_controlled *s, struct dun_steering *steering,
                         const struct dun_address *first)
{
  int status = make_room(s, steering->width);
  if (status < 0 || (first && (status = make_first(s, steering, *first)) < 0))
    return status;
  s->steering = steering;
  dun_controlled_refresh(s);
  return 0;
}

int dun_controlled_fits(const struct dun_controlled *s, const struct dun_steering *steering)
{
  int64_t d = s->target->dimension;
  return steering->width >= 1 && steering->width <= DUN_CONTROL_MOST_WIDTH &&
         steering->weights.count == dun_control_weights((int)d, (int)steering->width) &&
         steering->exponents.count == s->steps && steering->mean.count == d &&
         steering->log_scale.count == d;
}

/* ---- tables ---------------------------------------------------------------------------------- */

DUN_CLONES static void make_exponents(int64_t T, const double *a, double *exponent)
{
  double sum = 0;
  exponent[0] = 0;
  for (int64_t k = 0; k < T; k++)
    exponent[k + 1] = sum += dun_softplus(a[k]);
  for (int64_t k = 1; k < T; k++)
    exponent[k] /= sum;
  exponent[T] = 1;
}

void dun_controlled_refresh(struct dun_controlled *s)
{
  const struct dun_steering *steering = s->steering;
  double constant;
  dun_control_set(&s->network, steering->weights.value);
  make_exponents(s->steps, steering->exponents.value, s->exponent);
  for (int64_t j = 0; j < s->target->dimension; j++) {
    s->mean[j] = steering->mean.value[j];
    double log_scale = steering->log_scale.value[j];
    s->scale[j] = log_scale > DUN_STEERING_POINT ? dun_scalar_exp(log_scale) : 0;
  }
  dun_controlled_law(s, 1, 0, s->precision + s->target->dimension, &constant);
}

/* ---- from a file ----------------------------------------------------------------------------- */

/* Of logarithms, whose exponentials are to be numbers. */
static int check_size(const struct dun_controlled *s, const char *name,
                      const struct dun_numbers *numbers)
{
  for (int64_t j = 0; j < numbers->count; j++)
    if (!(fabs(numbers->value[j]) < 300))
      return dun_fail(DUN_ERROR_INPUT, "%s: /learned/method/%s has %g at place %lld, beyond 300",
                      s->load, name, numbers->value[j], (long long)j);
  return 0;
}

static int take(struct dun_controlled *s)
{
  static const char *const words[] = {"annealed", "brownian", "stationary"};
  const struct dun_steering *loaded = &s->loaded;
  int status;
  if (loaded->reference != s->reference)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: learned of a path with reference: %s, and path.reference is %s", s->load,
                    words[loaded->reference], words[s->reference]);
  if (loaded->exponents.count != s->steps)
    return dun_fail(DUN_ERROR_INPUT, "%s: learned of a path of %lld steps, and path.steps is %lld",
                    s->load, loaded->exponents.count, s->steps);
  if (!dun_controlled_fits(s, loaded))
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: /learned/method holds %lld weights for a control of width %lld in %d "
                    "dimensions, expected %lld",
                    s->load, loaded->weights.count, (long long)loaded->width, s->target->dimension,
                    (long long)dun_control_weights(s->target->dimension, (int)loaded->width));
  if ((status = check_size(s, "base_log_scale", &loaded->log_scale)) < 0 ||
      (status = check_size(s, "exponents", &loaded->exponents)) < 0)
    return status;
  return 0;
}

int dun_controlled_load(struct dun_context *context, struct dun_controlled *s)
{
  struct dun_learned learned = {.place = "method", .type = "scld", .rows = rows, .self = s};
  int status = dun_learned_load(context, s->load, &learned, s->target->dimension);
  if (status >= 0)
    status = take(s);
  return dun_agree(context, status < 0 ? status : dun_controlled_steer(s, &s->loaded, NULL));
}
