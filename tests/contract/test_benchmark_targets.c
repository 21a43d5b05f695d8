/* Known numbers of benchmark targets, found by implementations of others, and what they refuse. */
#include "numerics/linear.h"
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

/* ---- Cox process ------------------------------------------------------------------------- */

#define PINES "type: log_gaussian_cox_process, data: finnish_pines.csv"

static void test_cox(void)
{
  struct subject s;
  struct dun_parameter p[2];
  double *theta = dun_allocate(1601, sizeof *theta), *x = dun_allocate(1600, sizeof *x);
  check_three(PINES, -2451.04921919, -2400.19962603, -2850.98795119);
  if (open_target(&s, PINES) == 0) {
    CHECK(s.d == 1600);
    CHECK(dun_evaluator_parameters(&s.evaluator, 2, p) == 2);
    CHECK(!strcmp(p[1].name, "log_intensity") && p[1].shape[0] == 40 && p[1].shape[1] == 40);
    for (int i = 0; i < 1600; i++)
      x[i] = .01 * i;
    dun_evaluator_constrain(&s.evaluator, x, theta);
    CHECK_NEAR(theta[0], (exp(16) - 1) / (exp(.01) - 1) / 1600, 1e-6);
    CHECK(theta[1] == 0 && theta[1600] == x[1599]);
  }
  subject_close(&s);
  DUN_FREE(theta);
  DUN_FREE(x);
}

/* The highest point by Newton's method, and Laplace's approximation there: (K^-1 + W) delta = slope
 * with W = exp(f) / cells, solved as delta = (K - K (W^-1 + K)^-1 K) slope. */
static double covariance_of(int i, int j)
{
  return 1.91 * exp(-33. / 40 * hypot(i / 40 - j / 40, i % 40 - j % 40));
}

static double *newton_matrix(const double *f)
{
  double *a = dun_allocate(1600 * 1600, sizeof *a);
  for (int i = 0; i < 1600; i++)
    for (int j = 0; j <= i; j++)
      a[i * 1600 + j] = covariance_of(i, j) * exp(.5 * (f[i] + f[j])) / 1600 + (i == j);
  CHECK(dun_cholesky(1600, a) == 0); /* of B = I + W^1/2 K W^1/2 */
  return a;
}

static void newton_step(double *f, const double *slope)
{
  double *k_slope = dun_allocate(1600, sizeof *f), *half = dun_allocate(1600, sizeof *f);
  double *a = newton_matrix(f);
  for (int i = 0; i < 1600; i++) {
    for (int j = 0; j < 1600; j++)
      k_slope[i] += covariance_of(i, j) * slope[j];
    half[i] = exp(.5 * f[i]) / 40 * k_slope[i];
  }
  dun_cholesky_solve(1600, a, half);
  for (int i = 0; i < 1600; i++)
    half[i] *= exp(.5 * f[i]) / 40;
  for (int i = 0; i < 1600; i++) {
    double back = 0;
    for (int j = 0; j < 1600; j++)
      back += covariance_of(i, j) * half[j];
    f[i] += k_slope[i] - back;
  }
  DUN_FREE(a);
  DUN_FREE(k_slope);
  DUN_FREE(half);
}

static double evaluate_at(struct subject *s, const double *f, double *slope)
{
  for (int i = 0; i < 1600 * L; i++)
    s->x[i] = f[i / L];
  memset(s->gradient, 0, 1600 * L * sizeof *s->gradient);
  for (int l = 0; l < L; l++)
    s->scale[l] = 1;
  dun_evaluate(&s->evaluator, 1, s->x, s->lp, s->scale, s->gradient);
  for (int i = 0; i < 1600; i++)
    slope[i] = s->gradient[(size_t)i * L];
  return s->lp[0];
}

/* log Z = log density at the top + 800 log(2 pi) - log det(K^-1 + W) / 2, of which det K det(K^-1 +
 * W) is that of B. */
static void test_cox_mode(void)
{
  double *f = dun_allocate(1600, sizeof *f), *slope = dun_allocate(1600, sizeof *f);
  struct subject s;
  if (open_target(&s, PINES) == 0) {
    double mean = log(126) - 1.91 / 2, top = 0, peak, laplace;
    for (int i = 0; i < 1600; i++)
      f[i] = mean;
    peak = evaluate_at(&s, f, slope); /* there the prior is at its own */
    for (int i = 0; i < 1600; i++)
      peak += exp(mean) / 1600;
    peak -= 126 * mean;
    for (int step = 0; step < 12; step++) {
      newton_step(f, slope);
      top = evaluate_at(&s, f, slope);
    }
    double *a = newton_matrix(f);
    laplace = top - peak; /* peak = -800 log(2 pi) - log det K / 2 */
    for (int i = 0; i < 1600; i++)
      laplace -= log(a[i * 1600 + i]);
    CHECK_NEAR(top, -1111.2007, 1e-4);
    CHECK_NEAR(laplace, 511.205, 1e-3);
    DUN_FREE(a);
  }
  subject_close(&s);
  DUN_FREE(f);
  DUN_FREE(slope);
}

/* log density without its normal prior, of `d` coordinates: the likelihood of the field. */
static double likelihood_of(struct subject *s, const double *w, int lane)
{
  double square = 0;
  for (int i = 0; i < s->d; i++)
    square += w[i] * w[i];
  return s->lp[lane] + .5 * (square + s->d * log(2 * acos(-1)));
}

/* Both other sets of coordinates: the field that they put out has the likelihood that their density
 * has, and the covariance between cells, whose unit vectors are put in one after the other. */
static void check_coordinates(const char *coordinates, struct subject *field)
{
  enum { CELLS = 1024, SOME = 9 };
  char options[256];
  struct subject s;
  double *w, *zero = dun_allocate(CELLS + 1, sizeof *w), *f = dun_allocate(CELLS + 1, sizeof *w);
  double covariance[SOME] = {0};
  snprintf(options, sizeof options, PINES ", side: 32, coordinates: %s", coordinates);
  CHECK(open_target(&s, options) == 0);
  w = dun_allocate(s.d, sizeof *w);
  dun_evaluator_constrain(&s.evaluator, w, zero);
  for (int i = 0; i < s.d; i++) {
    w[i] = 1;
    dun_evaluator_constrain(&s.evaluator, w, f);
    for (int k = 0; k < SOME; k++)
      covariance[k] += (f[1 + 33] - zero[1 + 33]) * (f[1 + 121 * k] - zero[1 + 121 * k]);
    w[i] = 0;
  }
  for (int k = 0; k < SOME; k++) {
    double apart = hypot(1 - 121 * k / 32, 1 - 121 * k % 32) / 32;
    CHECK_NEAR(covariance[k], 1.91 * exp(-33 * apart), 1e-12);
  }
  subject_numbers(&s, 1);
  memcpy(s.x, s.normal, (size_t)s.d * L * sizeof *s.x);
  dun_evaluate(&s.evaluator, L, s.x, s.lp, NULL, NULL);
  for (int l = 0; l < L; l += 20) {
    for (int i = 0; i < s.d; i++)
      w[i] = s.x[(size_t)i * L + l];
    dun_evaluator_constrain(&s.evaluator, w, f);
    for (int i = 0; i < CELLS * L; i++)
      field->x[i] = f[1 + i / L];
    double likelihood = likelihood_of(&s, w, l), prior[L] __attribute__((aligned(64)));
    dun_evaluate(&field->evaluator, 1, field->x, field->lp, NULL, NULL);
    dun_evaluate_prior(&field->evaluator, 1, field->x, prior, NULL, NULL);
    CHECK_NEAR(field->lp[0] - prior[0], likelihood, 1e-10 * (1 + fabs(likelihood)));
  }
  DUN_FREE(w);
  DUN_FREE(zero);
  DUN_FREE(f);
  subject_close(&s);
}

static void test_cox_coordinates(void)
{
  struct subject field;
  if (open_target(&field, PINES ", side: 32") == 0) {
    check_coordinates("whitened", &field);
    check_coordinates("circulant", &field);
  }
  subject_close(&field);
}

static void test_cox_refused(void)
{
  const char *start = "type: log_gaussian_cox_process, data: ";
  refuse("type: log_gaussian_cox_process", "data");
  refuse(PINES ", side: 2.5", "whole numbers");
  refuse(PINES ", side: 200", "side: found 40000 cells, expected at most 16384");
  refuse(PINES ", side: 500, coordinates: circulant", "expected at most 200000");
  refuse(PINES ", side: 4, length: 900, coordinates: circulant", "take coordinates: whitened");
  refuse(PINES ", mean: [1, 2]", "mean: found 2 numbers");
  refuse(PINES ", columns: data_x", "found 1 columns, expected 2");
  refuse(PINES ", columns: 'data_x, z'", "no column 'z'");
  refuse_file(start, "x,y\n0.5,0.5\n0.5,1.01\n",
              "bad.csv:3: column 1: found 1.01, expected a "
              "place from 0 to 1");
  refuse_file(start, "x,y\n0.5,0.5\n-0.1,1\n", "bad.csv:3: column 0: found -0.1");
  refuse_file(start, "x,y\n0.5,0.5\n0.5,nan\n", "bad.csv:3: column 'y': found 'nan'");
  refuse_file(start, "x,y,z\n0.5,0.5,1\n", "found 3 columns, expected 2");
}

/* ---- robot ------------------------------------------------------------------------------- */

#define FOUR_GOALS "goals: [[7, 0], [-7, 0], [0, 7], [0, -7]]"

/* Points with the log densities that others have found. */
static void check_points(struct subject *s, FILE *file)
{
  double value[11];
  int count = 0;
  CHECK(fscanf(file, "%*[^\n]\n") == 0);
  while (fscanf(file, "%lf", &value[0]) == 1) {
    for (int j = 1; j < 11; j++)
      CHECK(fscanf(file, ",%lf", &value[j]) == 1);
    for (int i = 0; i < 10 * L; i++)
      s->x[i] = value[i / L];
    dun_evaluate(&s->evaluator, 1, s->x, s->lp, NULL, NULL);
    CHECK_NEAR(s->lp[0], value[10], 1e-5);
    count++;
  }
  CHECK(count == 200);
}

static void test_robot(void)
{
  struct subject s;
  double x[10], theta[12];
  const char *path = data_file("planar_robot_4goal_test200.csv");
  check_three("type: robot", -44987.33198081, -132620.09897391, -322740.38756336);
  check_three("type: robot, " FOUR_GOALS, -44987.33198081, -132620.09897391, -52420.87367507);
  if (open_target(&s, "type: robot, " FOUR_GOALS) == 0) {
    FILE *file = path ? fopen(path, "r") : NULL;
    if (file) {
      check_points(&s, file);
      fclose(file);
    }
    for (int i = 0; i < 10; i++)
      x[i] = i ? 0 : acos(-1) / 2;
    dun_evaluator_constrain(&s.evaluator, x, theta);
    CHECK_NEAR(theta[10], 0, 1e-14);
    CHECK_NEAR(theta[11], 10, 1e-14);
  }
  subject_close(&s);
}

static void test_robot_refused(void)
{
  refuse("type: robot, goals: []", "goals");
  refuse("type: robot, goals: [[1, 2, 3]]", "goals: found 1 of 3 numbers, expected pairs");
  refuse("type: robot, deviations: [1, 1, 1], links: 2", "deviations: found 3 numbers");
  refuse("type: robot, lengths: [1, 1]", "lengths: found 2 numbers, expected 1 or 10");
  refuse("type: robot, width: 0", "width");
}

/* ---- credit ------------------------------------------------------------------------------ */

static void test_credit(void)
{
  char options[2200];
  const char *path = data_file("german_credit_numeric.txt");
  snprintf(options, sizeof options,
           "type: logistic_regression, data: %s, one: smaller, centre: false, prior: flat",
           path ? path : "");
  if (path)
    check_three(options, -693.14718056, -1474.58043139, -1383.12129892);
}

/* A log odds of w + v x: of three rows, by hand; and no prior is left. */
static void test_flat(void)
{
  char options[512];
  double root = sqrt(2. / 3);
  struct subject s;
  write_file("r.csv", "x,y\n1,2\n2,1\n3,2\n");
  snprintf(options, sizeof options,
           "type: logistic_regression, data: %s/r.csv, one: smaller, centre: false, prior: flat",
           folder);
  if (open_target(&s, options) == 0) {
    double lp = 0, odds[3];
    for (int i = 0; i < 3; i++) {
      odds[i] = .3 + .3 * (i + 1) / root;
      lp -= log1p(exp(i == 1 ? -odds[i] : odds[i]));
    }
    CHECK_NEAR(density_at(&s, .3, 0), lp, 1e-14);
    CHECK(!s.target->prior && !s.target->draw_prior && s.given->prior);
  }
  subject_close(&s);
  strcat(options, ", prior_scale: 2");
  refuse(options, "prior: normal");
  remove_file("r.csv");
}

/* ---- mixtures and wells ------------------------------------------------------------------ */

static void test_mixtures(void)
{
  char options[2200];
  const char *path = data_file("mos10_locs_d50.csv");
  check_three("type: many_well, dimension: 5", -80, -79.6005, -57.98222054);
  snprintf(options, sizeof options, "type: student_mixture, layout: given, file: %s",
           path ? path : "");
  if (path)
    check_three(options, -222.15684974, -222.38586319, -222.84069258);
}

TEST_MAIN({"folder", test_folder}, {"brownian", test_brownian},
          {"brownian_known", test_brownian_known}, {"brownian_narrow", test_brownian_narrow},
          {"brownian_refused", test_brownian_refused}, {"cox", test_cox},
          {"cox_mode", test_cox_mode}, {"cox_coordinates", test_cox_coordinates},
          {"cox_refused", test_cox_refused}, {"robot", test_robot},
          {"robot_refused", test_robot_refused}, {"credit", test_credit}, {"flat", test_flat},
          {"mixtures", test_mixtures}, {"folder_removed", test_folder_removed})
