#include "methods/clearing.h"
#include "base/error.h"
#include "base/scalar.h"
#include "numerics/spacing.h"
#include <math.h>

int dun_clearing_sigma(const struct dun_clearing *c, int d, double *sigma)
{
  int ball = c->radius >= 0 || c->width >= 0;
  double radius = c->radius >= 0 ? c->radius : 0, width = c->width >= 0 ? c->width : 0;
  if (c->sigma >= 0 && ball)
    return dun_fail(DUN_ERROR_INPUT, "schedule.sigma follows from radius and width where they are "
                                     "given: leave out the one or the others");
  *sigma = c->sigma >= 0 ? c->sigma : ball ? sqrt(radius * radius / d + width * width) : 1;
  if (!(*sigma > 0))
    return dun_fail(DUN_ERROR_INPUT, "schedule: radius and width are both 0, and so is sigma");
  return 0;
}

/* log g^2 */
static double log_snr(const struct dun_clearing *c, double u)
{
  double sine, cosine;
  switch ((enum dun_clearing_type)c->type) {
  case DUN_CLEARING_GEOM_INFINITY: return c->a * dun_scalar_log(u);
  case DUN_CLEARING_GEOM: return c->a * dun_scalar_log(u) - c->b * dun_scalar_log(1 - u);
  case DUN_CLEARING_TANGENT:
    dun_scalar_sincos2pi(.25 * u, &sine, &cosine);
    return c->a * (dun_scalar_log(sine) - dun_scalar_log(cosine));
  case DUN_CLEARING_STANDARD: break;
  }
  return dun_scalar_log(u);
}

static int is_finite(const struct dun_clearing *c)
{
  return c->type == DUN_CLEARING_GEOM || c->type == DUN_CLEARING_TANGENT;
}

double dun_clearing_seen(const struct dun_clearing *c, double sigma, double u)
{
  if (!(u > 0) || (is_finite(c) && !(u < 1)))
    return NAN;
  return c->type == DUN_CLEARING_STANDARD ? u / (sigma * sigma)
                                          : dun_scalar_exp(log_snr(c, u)) / (sigma * sigma);
}

/* log g^2 grows with u: halves an interval until nothing is left of it. */
static double search(const struct dun_clearing *c, double wanted)
{
  double low = 0, high = 1;
  for (;;) {
    double middle = .5 * (low + high);
    if (!(middle > low && middle < high))
      return low > 0 ? low : high;
    if (log_snr(c, middle) < wanted)
      low = middle;
    else
      high = middle;
  }
}

double dun_clearing_time(const struct dun_clearing *c, double sigma, double t)
{
  double square = sigma * sigma * t;
  if (c->type == DUN_CLEARING_STANDARD)
    return square;
  double wanted = dun_scalar_log(square);
  return is_finite(c) ? search(c, wanted) : dun_scalar_exp(wanted / c->a);
}

static const char *const name[] = {"standard", "geom_infinity", "geom", "tangent"};

int dun_clearing_find_ends(const struct dun_clearing *c, const struct dun_observation *o,
                           const void *self, int d, double first, double last,
                           struct dun_clearing_ends *ends)
{
  double from, to;
  int status = dun_clearing_sigma(c, d, &ends->sigma);
  if (status < 0)
    return status;
  if (c->type != DUN_CLEARING_STANDARD && !(first > 0))
    return dun_fail(DUN_ERROR_INPUT,
                    "schedule: %s has steps from a first time above 0 on: give first",
                    name[c->type]);
  o->ends(self, &from, &to);
  ends->later = first > 0;
  ends->step = -1;
  ends->first = first > 0 ? dun_clearing_seen(c, ends->sigma, first) : from;
  ends->last = last >= 0 ? dun_clearing_seen(c, ends->sigma, last) : to;
  if (!(ends->first < to && ends->first >= from))
    return dun_fail(DUN_ERROR_INPUT,
                    "first: found %g, the time %g of observation %s, expected one from %g on and "
                    "below %g",
                    first, ends->first, o->type.name, from, to);
  if (!(ends->last > ends->first && ends->last <= to))
    return dun_fail(DUN_ERROR_INPUT,
                    "last: found %g, expected a time of observation %s, above %g and at most %g%s",
                    last, o->type.name, ends->first, to,
                    ends->sigma != 1 || c->type ? ", by the schedule's" : "");
  return 0;
}

/* The step between two times t < next. */
static int make_step(const struct dun_clearing *c, double sigma, double t, double next,
                     struct dun_mix *mix)
{
  double u = dun_clearing_time(c, sigma, t), later = dun_clearing_time(c, sigma, next);
  if (!(u > 0 && later > u && later < INFINITY) || (is_finite(c) && !(later < 1)))
    return dun_fail(DUN_ERROR_INPUT,
                    "schedule: the times %.9g and %.9g of the observation cannot be told apart in "
                    "that of the schedule: take fewer steps, or an earlier last",
                    t, next);
  mix->keep = sqrt(next / t * (u / later));
  mix->gain = sqrt(next / later) * (sqrt(next * later) - sqrt(t * u));
  mix->noise = sqrt(next * (1 - u / later));
  return 0;
}

static double time_at(const struct dun_observation *o, const void *self,
                      const struct dun_clearing_ends *ends, int64_t k, int64_t steps)
{
  double first = ends->first, last = ends->last, share = (double)k / (double)steps;
  struct dun_spacing even = {.type = DUN_SPACING_GEOMETRIC, .first = first, .last = last};
  if (ends->later)
    return dun_spacing_at(&even, (double)k, (double)steps);
  if (ends->step > 0) {
    even.first = ends->step;
    even.last = last - first;
    return k == 0 ? first : first + dun_spacing_at(&even, (double)(k - 1), (double)(steps - 1));
  }
  return o->time ? o->time(self, first, last, share) : first + (last - first) * share;
}

int dun_clearing_make(const struct dun_clearing *c, const struct dun_observation *o,
                      const void *self, const struct dun_clearing_ends *ends, int64_t steps,
                      double *time, struct dun_mix *mix)
{
  int status = 0;
  for (int64_t k = 0; k <= steps; k++)
    time[k] = k == steps ? ends->last : time_at(o, self, ends, k, steps);
  for (int64_t k = 0; k < steps && mix && status >= 0; k++)
    status = make_step(c, ends->sigma, time[k], time[k + 1], &mix[k]);
  return status;
}

#define ROW(name_, member_, ...)                                                                   \
  {                                                                                                \
    .name = name_, .offset = offsetof(struct dun_clearing, member_), __VA_ARGS__                   \
  }
const struct dun_option dun_clearing_rows[] = {
    ROW("type", type, .type = DUN_CHOICE, .initial = "standard",
        .words = "standard|geom_infinity|geom|tangent",
        .doc = "g, the root of signal over noise, by the time u: standard u^1/2, geom_infinity "
               "u^(a/2), geom u^(a/2) (1 - u)^(-b/2), tangent tan(pi u / 2)^(a/2)."),
    ROW("a", a, .type = DUN_NUMBER, .initial = "1", .minimum = .01, .maximum = 100,
        .when = "type=geom_infinity|geom|tangent", .doc = "How fast g begins."),
    ROW("b", b, .type = DUN_NUMBER, .initial = "1", .minimum = .01, .maximum = 100,
        .when = "type=geom", .doc = "How fast it ends."),
    ROW("sigma", sigma, .type = DUN_NUMBER, .initial = "auto", .words = "auto", .minimum = 1e-150,
        .maximum = 1e150,
        .doc = "Noise of the schedule; auto: by radius and width, or 1, with which the times of "
               "schedule standard are the observation's own."),
    ROW("radius", radius, .type = DUN_NUMBER, .initial = "none", .words = "none", .minimum = 0,
        .maximum = 1e150,
        .doc =
            "Of a ball about 0 that holds the target's modes: sigma^2 = radius^2 / d + width^2."),
    ROW("width", width, .type = DUN_NUMBER, .initial = "none", .words = "none", .minimum = 0,
        .maximum = 1e150, .doc = "Standard deviation of a mode, likewise."),
    {0},
};
