/* Known numbers of the built-in targets, and options that must be refused. */
#include "values.h"

/* ---- published and hand-made values ------------------------------------------------------ */

static void test_funnel(void)
{
  check_three("type: funnel", -10.28799762, -10.77927086, -15.03933599);
}

static void test_seeds(void)
{
  check_three("type: seeds, data: seeds.csv", -124.67109030, -126.99119734, -303.87556504);
}

static void test_sonar(void)
{
  char options[2100];
  const char *path = data_file("sonar_minmax.csv");
  snprintf(options, sizeof options, "type: logistic_regression, data: %s, label: label",
           path ? path : "");
  if (path)
    check_three(options, -200.22986408, -360.79256011, -491.59024613);
}

static void test_forty_in_fifty(void)
{
  char options[2100];
  const char *path = data_file("gmm40_means_d50.csv");
  snprintf(options, sizeof options, "type: gaussian_mixture, file: %s", path ? path : "");
  if (path)
    check_three(options, -10059.49378446, -10030.37485580, -10098.56202390);
}

/* The prior's log tau: log of Gamma(0.01, rate 0.01), whose mean is digamma(0.01) - log(0.01)
 * and whose variance is trigamma(0.01).  Two comparisons within 5 standard errors. */
static void test_seeds_prior(void)
{
  const double mean = -100.56088545786867 - log(0.01), variance = 10001.621213528313;
  enum { TILES = 1000 };
  double sum = 0, squares = 0, n = (double)TILES * L;
  struct subject s;
  if (open_target(&s, "type: seeds, data: seeds.csv") == 0) {
    for (int tile = 0; tile < TILES; tile++) {
      subject_numbers(&s, tile);
      s.target->draw_prior(s.self, s.uniform, s.normal, s.x);
      for (int l = 0; l < L; l++) {
        double deviation = s.x[(size_t)(s.d - 1) * L + l] - mean;
        sum += deviation;
        squares += deviation * deviation;
      }
    }
    CHECK_NEAR(sum / n, 0, 5 * sqrt(variance / n));
    /* nearly an exponential: the fourth central moment is nine times the squared variance */
    CHECK_NEAR(squares / n / variance, 1, 5 * sqrt(8 / n));
  }
  subject_close(&s);
}

static void test_seeds_parameters(void)
{
  struct subject s;
  struct dun_parameter p[8];
  double x[26] = {[25] = 0.5}, theta[26];
  if (open_target(&s, "type: seeds, data: seeds.csv") == 0) {
    CHECK(s.d == 26);
    CHECK(dun_evaluator_parameters(&s.evaluator, 8, p) == 6);
    CHECK(!strcmp(p[2].name, "a12") && p[2].rank == 0);
    CHECK(!strcmp(p[4].name, "b") && p[4].rank == 1 && p[4].shape[0] == 21);
    CHECK(!strcmp(p[5].name, "tau"));
    dun_evaluator_constrain(&s.evaluator, x, theta);
    CHECK_NEAR(theta[25], exp(0.5), 1e-14);
  }
  subject_close(&s);
}

static void test_forty(void)
{
  static const int index[] = {0, 1, 2, 39};
  static const double known[][2] = {{-0.299473, 21.457744},
                                    {-32.921805, -29.437561},
                                    {-15.406175, 10.726295},
                                    {3.679700, -25.024214}};
  double centre[80], share[40], width[40];
  struct subject s;
  if (open_target(&s, "type: gaussian_mixture, layout: forty") == 0) {
    CHECK(s.d == 2);
    CHECK(s.target->modes(s.self, 40, centre, share, width) == 40);
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 2; j++)
        CHECK_NEAR(centre[2 * index[i] + j], known[i][j], 1e-6);
    CHECK_NEAR(share[17], 1. / 40, 1e-15);
    CHECK_NEAR(width[3], log(1 + exp(1)), 1e-14);
  }
  subject_close(&s);
}

static void test_layouts(void)
{
  double centre[32], share[16];
  struct subject s;
  if (open_target(&s, "type: gaussian_mixture, layout: grid, separation: 10, shift: [20, 0], "
                      "weights: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]") == 0) {
    CHECK(s.target->modes(s.self, 16, centre, share, NULL) == 16);
    for (int k = 0; k < 16; k++) { /* the first coordinate is slow */
      CHECK_NEAR(centre[2 * k], -15 + 10 * (k / 4) + 20, 1e-12);
      CHECK_NEAR(centre[2 * k + 1], -15 + 10 * (k % 4), 1e-12);
      CHECK_NEAR(share[k], (k + 1) / 136., 1e-15);
    }
  }
  subject_close(&s);
  if (open_target(&s, "type: gaussian_mixture, layout: two_modes, dimension: 1, separation: 5, "
                      "weights: [0.1, 0.9]") == 0) {
    CHECK(s.target->modes(s.self, 2, centre, share, NULL) == 2);
    CHECK(centre[0] == -5 && centre[1] == 5);
    CHECK_NEAR(share[0], 0.1, 1e-15);
    CHECK_NEAR(density_at(&s, 5, 0), log(0.9) - 0.5 * log(2 * acos(-1)), 1e-14);
  }
  subject_close(&s);
}

/* One double well of height 1 and separation 4 has the mass 0.8974381249; Student's t with two
 * degrees of freedom is (2 + x^2)^(-3/2) per coordinate. */
static void test_many_well_and_student(void)
{
  double centre[96], share[32], student = 0;
  struct subject s;
  if (open_target(&s, "type: many_well, dimension: 3, wells: 2") == 0) {
    CHECK_NEAR(s.target->log_evidence(s.self), 2 * log(0.8974381249) + 0.5 * log(2 * acos(-1)),
               1e-9);
    CHECK(s.target->modes(s.self, 32, centre, share, NULL) == 4);
    CHECK_NEAR(centre[9], 2, 1e-12);
    CHECK_NEAR(share[3], 0.25, 1e-12);
    CHECK_NEAR(density_at(&s, 1, 0), -18.5, 1e-12);
  }
  subject_close(&s);
  if (open_target(&s, "type: student_mixture, layout: given, means: [[0, 0, 0]]") == 0) {
    for (int j = 1; j <= 3; j++)
      student -= 1.5 * log(2 + pow(3 * sin(j), 2));
    CHECK_NEAR(density_at(&s, 0, 3), student, 1e-12);
  }
  subject_close(&s);
}

/* Two ways to the same density. */
static void check_same(const char *first, const char *second)
{
  struct subject a, b;
  if (open_target(&a, first) == 0 && open_target(&b, second) == 0) {
    for (int k = 0; k < 10; k++) {
      double value = density_at(&a, 0.2 * k - 1, 0.3 * k);
      CHECK_NEAR(density_at(&b, 0.2 * k - 1, 0.3 * k), value, 1e-11 * (1 + fabs(value)));
    }
    subject_close(&b);
  }
  subject_close(&a);
}

static void test_equivalences(void)
{
  char text[4096] = "", options[256];
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 6; j++)
      sprintf(text + strlen(text), "%.17g%s", pow(-0.7, abs(i - j)), j < 5 ? " " : "\n");
  write_file("toeplitz.txt", text);
  snprintf(
      options, sizeof options,
      "type: gaussian, dimension: 6, mean: 1, covariance: {type: dense, scale: [1, 2, 3, 4, 5, "
      "6], file: %s/toeplitz.txt}",
      folder);
  check_same(options, "type: gaussian, dimension: 6, mean: 1, covariance: {type: toeplitz, "
                      "correlation: -0.7, scale: [1, 2, 3, 4, 5, 6]}");
  remove_file("toeplitz.txt");
  check_same("type: gaussian, dimension: 2, mean: [1, 2], covariance: {type: diagonal, variances: "
             "[4, 9]}",
             "type: gaussian, dimension: 2, mean: [1, 2], covariance: {scale: [2, 3]}");
  check_same("type: gaussian_mixture, means: [[0, 1], [2, 3]], weights: [1, 3], scales: [1, 2]",
             "type: gaussian_mixture, means: [[0, 1], [2, 3], [2, 3]], weights: [2, 3, 3], scales: "
             "[1, 2, 2]");
  check_same("type: banana, dimension: 4, curvature: 0, scale: 3, width: 2",
             "type: gaussian, dimension: 4, covariance: {scale: [3, 2, 2, 2]}");
  check_same("type: rings, radii: 0, widths: 2",
             "type: gaussian, dimension: 2, covariance: {scale: 2}");
  check_same("type: gaussian_mixture, means: [[1, 2, 3]], scales: 2, log_evidence: 4",
             "type: gaussian, dimension: 3, mean: [1, 2, 3], covariance: {scale: 2}, log_evidence: "
             "4");
}

/* The hopping form against phi4's own, and the free field with each of the two targets, up to
 * constants; the observables of a configuration. */
static void test_fields(void)
{
  const double kappa = .3, lambda = .022, root = sqrt(2 * kappa);
  struct subject s;
  char options[256];
  snprintf(options, sizeof options, "type: phi4, side: [4, 3], mass2: %.17g, coupling: %.17g",
           (1 - 2 * lambda) / kappa - 4, lambda / (4 * kappa * kappa));
  if (open_target(&s, options) == 0) {
    double lp = 0, theta[16], x[12], f[12], sum = 0, squares = 0;
    for (int i = 0; i < 12; i++)
      x[i] = root * (f[i] = .3 + sin(i + 1));
    for (int i = 0; i < 12; i++) {
      double right = f[i / 3 * 3 + (i + 1) % 3], down = f[(i + 3) % 12], square = f[i] * f[i];
      lp -=
          -2 * kappa * f[i] * (right + down) + (1 - 2 * lambda) * square + lambda * square * square;
      sum += x[i];
      squares += x[i] * x[i];
    }
    CHECK_NEAR(density_at(&s, .3 * root, root), lp, 1e-13);
    dun_evaluator_constrain(&s.evaluator, x, theta);
    CHECK_NEAR(theta[0], sum / 12, 1e-15);
    CHECK(theta[1] == fabs(theta[0]));
    CHECK_NEAR(theta[2], squares / 12, 1e-15);
    CHECK_NEAR(theta[3], -lp / 12, 1e-14);
    CHECK(theta[4] == x[0] && theta[15] == x[11]);
  }
  subject_close(&s);
}

static void test_free_fields(void)
{
  static const char *const shape[] = {"side: 7, axes: 1", "side: [4, 5]",
                                      "side: [3, 2, 4], axes: 3"};
  for (int i = 0; i < 3; i++) {
    struct subject a, b;
    char field[128], phi4[128];
    snprintf(field, sizeof field, "type: gaussian_field, %s, mass: 0.7, scale: 2", shape[i]);
    snprintf(phi4, sizeof phi4, "type: phi4, %s, mass2: 0.49, coupling: 0", shape[i]);
    if (open_target(&a, field) == 0 && open_target(&b, phi4) == 0) {
      double peak = density_at(&a, 0, 0);
      for (int k = 0; k < 10; k++)
        CHECK_NEAR(density_at(&a, .2 * k - 1, .3 * k) - peak, density_at(&b, .1 * k - .5, .15 * k),
                   1e-12);
      subject_close(&b);
    }
    subject_close(&a);
  }
}

/* The regression against a plain version of the same sums. */
static double plain_regression(int n, const double *u, const double *v, const double *y, double x)
{
  double mean[2] = {0, 0}, square[2] = {0, 0}, lp = 0, w[3] = {x + 1, x + 2, x + 3};
  for (int i = 0; i < n; i++) {
    mean[0] += u[i] / n;
    mean[1] += v[i] / n;
  }
  for (int i = 0; i < n; i++) {
    square[0] += pow(u[i] - mean[0], 2) / n;
    square[1] += pow(v[i] - mean[1], 2) / n;
  }
  for (int i = 0; i < n; i++) {
    double e = w[0] + w[1] * (u[i] - mean[0]) / sqrt(square[0]) +
               w[2] * (v[i] - mean[1]) / sqrt(square[1]);
    lp += y[i] * e - log1p(exp(e));
  }
  for (int j = 0; j < 3; j++)
    lp -= 0.5 * pow(w[j] / 2, 2) + log(2) + 0.5 * log(2 * acos(-1));
  return lp;
}

static void test_regression(void)
{
  enum { N = 600 };
  static double u[N], v[N], y[N];
  static char text[N * 64];
  char options[256];
  struct subject s;
  strcpy(text, "u,class,v\n");
  for (int i = 0; i < N; i++) {
    u[i] = 10 + 3 * sin(1 + 7 * i);
    v[i] = 1e-3 * cos(3 * i);
    y[i] = sin(5 * i) > 0.3;
    sprintf(text + strlen(text), "%.17g,%d,%.17g\n", u[i], y[i] > 0 ? 7 : -3, v[i]);
  }
  write_file("r.csv", text);
  snprintf(options, sizeof options,
           "type: logistic_regression, data: %s/r.csv, label: class, prior_scale: 2", folder);
  if (open_target(&s, options) == 0) {
    CHECK(s.d == 3);
    for (int i = 0; i < 3 * L; i++)
      s.x[i] = 0.1 * (i % L) - 3 + i / L + 1;
    dun_evaluate(&s.evaluator, L, s.x, s.lp, NULL, NULL);
    for (int l = 0; l < L; l++)
      CHECK_NEAR(s.lp[l], plain_regression(N, u, v, y, 0.1 * l - 3), 1e-9);
  }
  subject_close(&s);
  remove_file("r.csv");
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void test_refused_options(void)
{
  refuse("type: gaussian", "dimension");
  refuse("type: gaussian, dimension: 0", "from 1");
  refuse("type: gaussian, dimension: 3, mean: [1, 2]", "mean: found 2 numbers, expected 1 or 3");
  refuse("type: gaussian, dimension: 3, covariance: {correlation: 0.5}", "type: toeplitz");
  refuse("type: gaussian, dimension: 3, covariance: {type: toeplitz}", "correlation");
  refuse("type: gaussian, dimension: 3, covariance: {type: toeplitz, correlation: 1}",
         "from -0.99");
  refuse("type: gaussian, dimension: 3, covariance: {type: diagonal, variances: [1, 2]}",
         "variances: found 2 numbers");
  refuse("type: gaussian, dimension: 3, covariance: {type: diagonal, variances: -1}", "variances");
  refuse("type: gaussian, dimension: 3, covariance: {scale: 0}", "scale");
  refuse("type: gaussian, dimension: 3, covariance: {type: dense}", "file");
  refuse("type: gaussian_mixture", "either means or a file");
  refuse("type: gaussian_mixture, layout: two_modes", "dimension");
  refuse("type: gaussian_mixture, layout: forty, dimension: 3", "forty lies in the plane");
  refuse("type: gaussian_mixture, layout: forty, separation: 3", "layout: two_modes");
  refuse("type: gaussian_mixture, layout: grid, points_per_axis: 100, dimension: 8", "more than");
  refuse("type: gaussian_mixture, layout: grid, means: [[1, 2]]", "layout: given");
  refuse("type: gaussian_mixture, means: [[1, 2]], dimension: 3", "means of 2 numbers, expected 3");
  refuse("type: gaussian_mixture, means: [[1, 2], [3, 4]], weights: [1, 2, 3]",
         "weights: found 3 numbers, expected 1 or 2");
  refuse("type: gaussian_mixture, means: [[1, 2], [3, 4]], weights: [1, 0]", "weights");
  refuse("type: gaussian_mixture, means: [[1, 2], [3, 4]], scales: [1, -1]", "scales");
  refuse("type: gaussian_mixture, means: [[1, 2], [3, 4]], shift: [1, 1, 1]", "shift");
  refuse("type: funnel, dimension: 1", "from 2");
  refuse("type: phi4, side: 4, mass2: -1, coupling: 0", "mass2: found -1");
  refuse("type: phi4, side: 4, coupling: 1", "mass2");
  refuse("type: gaussian_field", "side");
  refuse("type: gaussian_field, side: 2.5", "whole numbers");
  refuse("type: gaussian_field, side: [3, 4, 5]", "side: found 3 numbers, expected 1 or 2");
  refuse("type: gaussian_field, side: 200, axes: 3", "8000000 sites");
  refuse("type: gaussian_field, side: 3, axes: 4", "axes");
  refuse("type: banana, width: 0", "width");
  refuse("type: rings, radii: [1, 2], widths: [1, 2, 3]", "widths: found 3 numbers");
  refuse("type: rings, radii: -1", "radii");
  refuse("type: rings, banana: {center: [1, 2, 3]}", "banana.center: found 3 numbers");
  refuse("type: many_well, dimension: 3, wells: 4", "at most the dimension, 3");
  refuse("type: many_well, tilt: 50", "only one well is left");
  refuse("type: student_mixture, layout: given", "either means or a file");
  refuse("type: student_mixture, layout: given, dimension: 3, means: [[1, 2]]", "expected 3");
  refuse("type: student_mixture, means: [[1, 2]]", "layout: given");
  refuse("type: image, source: idx", "data");
  refuse("type: image, data: means.idx", "source: idx");
  refuse("type: image, images: 1", "images");
  refuse("type: image_set, source: idx", "data");
  refuse("type: image_set, side: 3", "side");
  refuse("type: seeds", "data");
  refuse("type: seeds, data: nowhere.csv", "nowhere.csv");
  refuse("type: logistic_regression, data: seeds.csv, label: q", "there is no column 'q'");
}

static void test_refused_data(void)
{
  const char *seeds = "type: seeds, data: ", *regression = "type: logistic_regression, data: ";
  const char *dense = "type: gaussian, dimension: 2, covariance: {type: dense, file: ";
  refuse_file(seeds, "r,n,x1\n1,2,3\n", "there is no column 'x2'");
  refuse_file(seeds, "r,n,x1,x2\n1,2,0,0\n3,2,0,0\n", "row 2: r is 3");
  refuse_file(seeds, "r,n,x1,x2\n-1,2,0,0\n", "row 1: r is -1");
  refuse_file(seeds, "r,n,x1,x2\n0.5,2,0,0\n", "row 1: r is 0.5");
  refuse_file(seeds, "r,n,x1,x2\n1,2.5,0,0\n", "row 1: n is 2.5");
  refuse_file(seeds, "r,n,x1,x2\n1,2,nan,0\n", "found 'nan'");
  refuse_file(seeds, "", "empty");
  refuse_file("type: image, source: idx, data: ", "P5 28 28", "expected 00 00 of an IDX file");
  refuse_file("type: image, source: idx, data: ", "\x1f\x8b", "unpack it with gunzip");
  refuse_file("type: image_set, source: idx, data: ", "P5 28 28", "expected 00 00 of an IDX file");
  refuse_file(regression, "a,y\n1,0\n2,1\n3,2\n",
              "1 (1 row, first in line 3), 2 (1 row, first in line 4)");
  refuse_file(regression, "a,y\n1,1\n2,1\n", "expected two values");
  refuse_file(regression, "y\n0\n1\n", "no column beside the label's");
  refuse_file(dense, "1 0 0\n0 1 0\n", "expected 2 x 2");
  refuse_file(dense, "1 0.5\n0.4 1\n", "not symmetric");
  refuse_file(dense, "1 2\n2 1\n", "not positive definite");
  refuse_file("type: gaussian_mixture, dimension: 3, file: ", "1,2\n3,4\n", "expected 3");
}

TEST_MAIN({"folder", test_folder}, {"funnel", test_funnel}, {"seeds", test_seeds},
          {"sonar", test_sonar}, {"forty_in_fifty", test_forty_in_fifty},
          {"seeds_prior", test_seeds_prior}, {"seeds_parameters", test_seeds_parameters},
          {"forty", test_forty}, {"layouts", test_layouts}, {"equivalences", test_equivalences},
          {"fields", test_fields}, {"free_fields", test_free_fields},
          {"regression", test_regression}, {"many_well_and_student", test_many_well_and_student},
          {"refused_options", test_refused_options}, {"refused_data", test_refused_data},
          {"folder_removed", test_folder_removed})
