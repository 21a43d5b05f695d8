/* Schedules of localization: what they say of times, and that their steps are of the observation:
 * from t x + N(0, t) with the point itself they come to t' x + N(0, t'). */
#include "base/error.h"
#include "check.h"
#include "methods/clearing.h"
#include <math.h>

static void ends(const void *self, double *first, double *last)
{
  (void)self;
  *first = 0;
  *last = 1e5;
}

static const struct dun_observation seen = {.type = {.name = "seen"}, .ends = ends};

static struct dun_clearing make(int type, double a, double b, double sigma)
{
  return (struct dun_clearing){
      .type = type, .a = a, .b = b, .sigma = sigma, .radius = -1, .width = -1};
}

static const struct {
  int type;
  double a, b, sigma, first, last;
} cases[] = {
    {DUN_CLEARING_STANDARD, 1, 1, 3, .1, 50},     {DUN_CLEARING_GEOM_INFINITY, 1, 1, 2, .1, 50},
    {DUN_CLEARING_GEOM_INFINITY, 3, 1, 1, .1, 4}, {DUN_CLEARING_GEOM, 1, 1, 1.4, .1, .99},
    {DUN_CLEARING_GEOM, 2, 1, 1.4, .35, .993},    {DUN_CLEARING_GEOM, .7, 2.5, .3, .01, .9},
    {DUN_CLEARING_TANGENT, 1, 1, 1, .01, .99},    {DUN_CLEARING_TANGENT, 2, 1, 5, .1, .999},
};
enum { CASES = sizeof cases / sizeof *cases, STEPS = 37 };

static void steps_are_of_the_observation(void)
{
  for (int i = 0; i < CASES; i++) {
    struct dun_clearing c = make(cases[i].type, cases[i].a, cases[i].b, cases[i].sigma);
    struct dun_clearing_ends e;
    struct dun_mix mix[STEPS];
    double time[STEPS + 1];
    CHECK(dun_clearing_find_ends(&c, &seen, NULL, 3, cases[i].first, cases[i].last, &e) == 0);
    CHECK(dun_clearing_make(&c, &seen, NULL, &e, STEPS, time, mix) == 0);
    CHECK(time[0] == e.first && time[STEPS] == e.last && e.later);
    for (int k = 0; k < STEPS; k++) {
      double t = time[k], next = time[k + 1];
      CHECK_NEAR(log(next / t) / (log(e.last / e.first) / STEPS), 1, 1e-12);
      CHECK_NEAR((mix[k].keep * t + mix[k].gain) / next, 1, 1e-12);
      CHECK_NEAR((mix[k].keep * mix[k].keep * t + mix[k].noise * mix[k].noise) / next, 1, 1e-9);
    }
  }
}

static void times_go_both_ways(void)
{
  for (int i = 0; i < CASES; i++) {
    struct dun_clearing c = make(cases[i].type, cases[i].a, cases[i].b, cases[i].sigma);
    for (double u = cases[i].first; u < cases[i].last; u += .03)
      CHECK_NEAR(dun_clearing_time(&c, c.sigma, dun_clearing_seen(&c, c.sigma, u)) / u, 1, 1e-10);
  }
}

/* By the formulas of g, one by one. */
static void known_values(void)
{
  struct dun_clearing c = make(DUN_CLEARING_GEOM, 2, 1, 3);
  CHECK_NEAR(dun_clearing_seen(&c, 3, .5), .5 / 9, 1e-14);
  CHECK(isnan(dun_clearing_seen(&c, 3, 1)));
  c.type = DUN_CLEARING_TANGENT;
  CHECK_NEAR(dun_clearing_seen(&c, 3, 1 / 3.), 1 / 27., 1e-14); /* tan 30 degrees */
  c.type = DUN_CLEARING_GEOM_INFINITY;
  CHECK_NEAR(dun_clearing_seen(&c, 3, 6), 4, 1e-13);
  c.type = DUN_CLEARING_STANDARD;
  CHECK_NEAR(dun_clearing_seen(&c, 3, 6), 6 / 9., 1e-14);
}

/* Of the schedule u^((a + 1) / 2) alone the state grows by a power of u. */
static void powers_keep_what_they_should(void)
{
  struct dun_clearing c = make(DUN_CLEARING_GEOM_INFINITY, 3, 1, 1);
  struct dun_clearing_ends e = {.sigma = 1, .first = 8, .last = 27, .later = 1}; /* u = 2, 3 */
  struct dun_mix mix;
  double time[2];
  CHECK(dun_clearing_make(&c, &seen, NULL, &e, 1, time, &mix) == 0);
  CHECK_NEAR(mix.keep, 1.5, 1e-13);
  CHECK_NEAR(mix.gain, 3 * (9 - 4), 1e-12); /* alpha' (alpha' - alpha) / u', alpha = u^2 */
  CHECK_NEAR(mix.noise, 3, 1e-13);          /* alpha' sqrt(u' - u) / u' */
}

static void sigma_is_of_radius_and_width(void)
{
  struct dun_clearing c = make(DUN_CLEARING_GEOM, 1, 1, -1);
  double sigma;
  CHECK(dun_clearing_sigma(&c, 4, &sigma) == 0 && sigma == 1);
  c.radius = 6;
  c.width = 4;
  CHECK(dun_clearing_sigma(&c, 4, &sigma) == 0 && sigma == 5);
  c.sigma = 1;
  CHECK(dun_clearing_sigma(&c, 4, &sigma) == DUN_ERROR_INPUT);
  c = make(DUN_CLEARING_GEOM, 1, 1, -1);
  c.radius = 0;
  CHECK(dun_clearing_sigma(&c, 4, &sigma) == DUN_ERROR_INPUT);
}

static void what_cannot_be_told_apart_is_refused(void)
{
  struct dun_clearing c = make(DUN_CLEARING_GEOM, 1, 100, 1);
  struct dun_clearing_ends e = {.sigma = 1, .first = 1, .last = 1e300, .later = 1};
  struct dun_mix mix[2];
  double time[3];
  c.b = .01; /* u is 1 but for what is rounded off */
  CHECK(dun_clearing_make(&c, &seen, NULL, &e, 2, time, mix) == DUN_ERROR_INPUT);
}

TEST_MAIN({"steps_are_of_the_observation", steps_are_of_the_observation},
          {"times_go_both_ways", times_go_both_ways}, {"known_values", known_values},
          {"powers_keep_what_they_should", powers_keep_what_they_should},
          {"sigma_is_of_radius_and_width", sigma_is_of_radius_and_width},
          {"what_cannot_be_told_apart_is_refused", what_cannot_be_told_apart_is_refused})
