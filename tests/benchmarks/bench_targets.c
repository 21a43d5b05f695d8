/* One evaluation of a log density with its gradient, at exact draws or normal points. */
#include "bench.h"
#include "subject.h"
#include <unistd.h>

static void time_target(struct bench_result *result, const char *options)
{
  struct bench_timer timer = {0};
  struct subject s;
  char why[1024];
  if (subject_open(&bench_context, &s, options, why) < 0) {
    fprintf(stderr, "{%s}: %s\n", options, why);
    MPI_Abort(bench_context.comm, 1);
  }
  subject_numbers(&s, 1);
  if (s.target->draw)
    s.target->draw(s.self, s.uniform, s.normal, s.x);
  else
    memcpy(s.x, s.normal, (size_t)s.d * sizeof(double) * L);
  for (int l = 0; l < L; l++)
    s.scale[l] = 1e-6;
  while (bench_again(&timer))
    dun_evaluate(&s.evaluator, L, s.x, s.lp, s.scale, s.gradient);
  bench_keep(s.lp[0]);
  result->ns = bench_ns(&timer, L);
  subject_close(&s);
}

#define TARGET(name, options)                                                                      \
  static void name(struct bench_result *result)                                                    \
  {                                                                                                \
    time_target(result, options);                                                                  \
  }

TARGET(normal_10, "type: gaussian, dimension: 10")
TARGET(toeplitz_10, "type: gaussian, dimension: 10, covariance: {type: toeplitz, correlation: 0.9}")
TARGET(toeplitz_50, "type: gaussian, dimension: 50, covariance: {type: toeplitz, correlation: 0.9}")
TARGET(two_modes_2, "type: gaussian_mixture, layout: two_modes, dimension: 2, weights: [0.2, 0.8]")
TARGET(two_modes_10,
       "type: gaussian_mixture, layout: two_modes, dimension: 10, weights: [0.2, 0.8]")
TARGET(two_modes_50,
       "type: gaussian_mixture, layout: two_modes, dimension: 50, weights: [0.2, 0.8]")
TARGET(forty, "type: gaussian_mixture, layout: forty")
TARGET(funnel, "type: funnel, dimension: 10")
TARGET(rings, "type: rings, radii: 2, banana: {weight: 0.5}")
TARGET(many_well, "type: many_well, dimension: 32, wells: 16")
TARGET(student, "type: student_mixture, dimension: 50")
TARGET(image, "type: image")
TARGET(seeds, "type: seeds, data: seeds.csv")

/* ---- data made here ---------------------------------------------------------------------- */

static int write_numbers(const char *path, int rows, int columns, int labels)
{
  FILE *file = fopen(path, "w");
  double *normal = dun_allocate(columns, L * sizeof *normal);
  if (!file || !normal)
    return -1;
  for (int i = 0; i < rows; i++) {
    dun_normals((struct dun_address){3, DUN_PURPOSE_TEST, 0, 0, (uint32_t)i}, columns, normal);
    for (int j = 0; j < columns; j++)
      fprintf(file, "%.17g%s",
              labels   ? normal[j * L]
              : i == j ? 1
                       : 0.5,
              j < columns - 1 ? "," : "");
    fprintf(file, labels ? ",%d\n" : "\n", i % 2);
  }
  DUN_FREE(normal);
  return fclose(file);
}

/* The options' file is made, read and removed. */
static void time_with_file(struct bench_result *result, const char *options, int rows, int columns,
                           int labels)
{
  char path[] = "/tmp/dunlin_bench_XXXXXX", all[512];
  int first = bench_context.rank == 0;
  if (first && (close(mkstemp(path)) != 0 || write_numbers(path, rows, columns, labels) != 0))
    MPI_Abort(bench_context.comm, 1);
  MPI_Bcast(path, sizeof path, MPI_CHAR, 0, bench_context.comm);
  snprintf(all, sizeof all, options, path);
  time_target(result, all);
  if (first)
    remove(path);
}

static void dense_50(struct bench_result *result)
{
  time_with_file(result, "type: gaussian, dimension: 50, covariance: {type: dense, file: %s}", 50,
                 50, 0);
}

static void regression(struct bench_result *result)
{
  time_with_file(result, "type: logistic_regression, data: %s", 208, 60, 1);
}

/* ---- a user's function ------------------------------------------------------------------- */

enum { D = 10 };

static double point(const void *self, const double *x, double *gradient)
{
  double sum = 0;
  (void)self;
  for (int j = 0; j < D; j++) {
    sum += x[j] * x[j];
    if (gradient)
      gradient[j] = -x[j];
  }
  return -0.5 * sum;
}

static const struct dun_target user = {
    .type = {DUN_TYPE(struct dun_target), .name = "user", .doc = "A standard normal."},
    .dimension = D,
    .point = point,
};

/* bare: the same calls from a plain loop over rows. */
static void by_point(struct bench_result *result)
{
  static _Alignas(64) double x[D * L], gradient[D * L], lp[L], scale[L];
  double (*volatile call)(const void *, const double *, double *) = point;
  struct bench_timer timer = {0}, bare = {0};
  struct dun_evaluator evaluator;
  if (dun_evaluator_init(&evaluator, &user, NULL) < 0)
    MPI_Abort(bench_context.comm, 1);
  dun_normals((struct dun_address){1, DUN_PURPOSE_TEST, 0, 0, 0}, D, x);
  while (bench_again(&timer))
    dun_evaluate(&evaluator, L, x, lp, scale, gradient);
  while (bench_again(&bare))
    for (int l = 0; l < L; l++)
      lp[l] = call(NULL, x + l * D, gradient + l * D);
  bench_keep(lp[1]);
  result->ns = bench_ns(&timer, L);
  result->bare = bench_ns(&bare, L);
  dun_evaluator_free(&evaluator);
}

const struct bench_row bench_targets[] = {
    {.work = "normal, d = 10", .slots = 200, .measure = normal_10},
    {.work = "Toeplitz, d = 10", .slots = 250, .measure = toeplitz_10},
    {.work = "Toeplitz, d = 50", .slots = 1300, .measure = toeplitz_50},
    {.work = "dense Gaussian, d = 50", .slots = 9000, .measure = dense_50},
    {.work = "two-mode mixture, d = 2", .slots = 300, .measure = two_modes_2},
    {.work = "two-mode mixture, d = 10", .slots = 450, .measure = two_modes_10},
    {.work = "two-mode mixture, d = 50", .slots = 1400, .measure = two_modes_50},
    {.work = "forty modes, d = 2", .slots = 5000, .measure = forty},
    {.work = "funnel, d = 10", .slots = 300, .measure = funnel},
    {.work = "ring and banana, d = 2", .slots = 600, .measure = rings},
    {.work = "many well, d = 32", .slots = 1100, .measure = many_well},
    {.work = "Student mixture, 10 x 50", .slots = 50000, .measure = student},
    {.work = "images, 10 classes x 784", .slots = 500000, .measure = image},
    {.work = "seeds, d = 26", .slots = 4000, .measure = seeds},
    {.work = "logistic regression, 208 x 61", .slots = 90000, .measure = regression},
    {.work = "user's function by point, d = 10", .measure = by_point},
    {0},
};
