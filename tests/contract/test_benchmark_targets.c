/* Known numbers of benchmark targets, found by implementations of others, and what they refuse. */
#include "values.h"

/* ---- random walk ------------------------------------------------------------------------- */

static void test_brownian(void)
{
  const char *options = "type: brownian, data: brownian_observations.csv";
  struct subject s;
  struct dun_parameter p[4];
  double x[32] = {-40, .5}, theta[32];
  check_three(options, -38.14380778, -42.63652691, -69.34470095);
  if (open_target(&s, options) == 0) {
    CHECK(s.d == 32);
    CHECK_NEAR(s.target->log_evidence(s.self), 1.18775, 1e-4);
    CHECK(dun_evaluator_parameters(&s.evaluator, 4, p) == 3);
    CHECK(!strcmp(p[2].name, "path") && p[2].shape[0] == 30);
    dun_evaluator_constrain(&s.evaluator, x, theta);
    CHECK_NEAR(theta[0] / exp(-40), 1, 1e-14);
    CHECK_NEAR(theta[1], log1p(exp(.5)), 1e-14);
  }
  subject_close(&s);
}

/* Two places, of which the second was seen: y ~ N(0, 2 a^2 + b^2); then the same with a scale that
 * is as good as known. */
static void test_brownian_known(void)
{
  char options[512];
  double variance = 2 * .09 + .25;
  double known = -.5 * (1.44 / variance + log(2 * acos(-1) * variance));
  struct subject s;
  write_file("walk.csv", "y;z\nNA;1\n1,2;3\n");
  for (int i = 0; i < 2; i++) {
    snprintf(options, sizeof options,
             "type: brownian, data: %s/walk.csv, column: y, innovation: 0.3, observation: %s",
             folder, i ? "unknown, prior_scale: 0.001, prior_location: -0.69314718" : "0.5");
    if (open_target(&s, options) == 0) {
      CHECK(s.d == 2 + i);
      CHECK_NEAR(s.target->log_evidence(s.self), known, i ? 1e-5 : 1e-12);
    }
    subject_close(&s);
  }
  remove_file("walk.csv");
}

/* Far below 0 a scale is exp(z): the densities of x = s (1, 2), seen at 2 s, differ by what log s
 * alone brings. */
static void test_brownian_narrow(void)
{
  struct subject s;
  double value[2];
  char options[512];
  write_file("walk.csv", "y\nnan\n0\n");
  snprintf(options, sizeof options, "type: brownian, data: %s/walk.csv, prior_scale: 10", folder);
  if (open_target(&s, options) == 0) {
    for (int i = 0; i < 2; i++) {
      double z = i ? -45 : -29.5, scale = exp(z), x[4] = {z, z, scale, 2 * scale};
      for (int j = 0; j < 4 * L; j++)
        s.x[j] = x[j / L];
      dun_evaluate(&s.evaluator, 1, s.x, s.lp, NULL, NULL);
      value[i] = s.lp[0] + 3 * z + z * z / 100;
    }
    CHECK_NEAR(value[1], value[0], 1e-11);
  }
  subject_close(&s);
  remove_file("walk.csv");
}

static void test_brownian_refused(void)
{
  const char *start = "type: brownian, data: ";
  refuse("type: brownian", "data");
  refuse("type: brownian, data: brownian_observations.csv, column: seen", "no column 'seen'");
  refuse("type: brownian, data: brownian_observations.csv, innovation: 0", "innovation");
  refuse("type: brownian, data: brownian_observations.csv, prior_scale: 11", "prior_scale");
  refuse_file(start, "y\n0.5\nnan\nx1\n",
              "bad.csv:4: column 'y': found 'x1', expected a finite "
              "number, or nan where it is missing");
  refuse_file(start, "y\n0.5\ninf\n", "bad.csv:3: column 'y': found 'inf'");
  refuse_file(start, "y\n0.5\n1e31\n", "bad.csv:3: found 1e+31, expected");
  refuse_file(start, "y\nnan\nNA\n", "found no number");
  refuse_file(start, "t,y\n1,2\n2\n", "found only 1 field, expected 2");
}

TEST_MAIN({"folder", test_folder}, {"brownian", test_brownian},
          {"brownian_known", test_brownian_known}, {"brownian_narrow", test_brownian_narrow},
          {"brownian_refused", test_brownian_refused}, {"folder_removed", test_folder_removed})
