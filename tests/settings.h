/* Settings of every registered target for the contract tests, the files they name, and what those
 * tests share. */
#ifndef DUNLIN_TESTS_SETTINGS_H
#define DUNLIN_TESTS_SETTINGS_H

#include "check.h"
#include "subject.h"
#include <dirent.h>
#include <unistd.h>

/* One way to set a target's options.  `width`: a normal density centred at 0 with these standard
 * deviations (the last one repeats) lies well inside the bulk of the target's exact draws, or of
 * its prior's, so that the mean of its ratio to the density is the reciprocal of the normalising
 * constant with a small variance. */
struct setting {
  const char *options;
  double width[8];
  int rough; /* BLAS: equal to rounding only; sums that overflow may have no sign */
};

static const struct setting settings[] = {
    {"type: gaussian, dimension: 1, mean: 0.5, log_evidence: 2", {0.8}, 0},
    {"type: gaussian, dimension: 3, mean: [0.1, -0.2, 0.3], covariance: {scale: 2}", {1.4}, 0},
    {"type: gaussian, dimension: 3, covariance: {type: diagonal, variances: [1, 4, 9]}",
     {.7, 1.4, 2.1},
     0},
    {"type: gaussian, dimension: 1, covariance: {type: toeplitz, correlation: 0.5}", {0.7}, 0},
    {"type: gaussian, dimension: 5, covariance: {type: toeplitz, correlation: -0.6, scale: 3}",
     {1.2},
     0},
    {"type: gaussian, dimension: 5, mean: 0.1, log_evidence: -7, covariance: {type: dense, scale: "
     "1.5, file: FOLDER/covariance.csv}",
     {0.8},
     0},
    {"type: gaussian_mixture, dimension: 1, layout: two_modes, separation: 1, log_evidence: 3",
     {1},
     0},
    {"type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]",
     {0},
     0},
    {"type: gaussian_mixture, dimension: 3, layout: two_modes, separation: 0.5, scales: [1, 2], "
     "weights: [3, 1]",
     {0.9},
     0},
    {"type: gaussian_mixture, layout: grid, separation: 1, points_per_axis: 3, log_evidence: -1",
     {1},
     0},
    {"type: gaussian_mixture, layout: forty, shift: [-50, -50]", {0}, 0},
    {"type: gaussian_mixture, means: [[0, 1, 0], [1, 0, 0], [0, 0, 1]], scales: [1, 0.5, 0.8]",
     {0.5},
     0},
    {"type: gaussian_mixture, dimension: 5, file: FOLDER/means.csv, scales: 2", {1.6}, 0},
    {"type: gaussian_mixture, means: [[1, 2]]", {0}, 0},
    {"type: funnel, dimension: 2", {1, 0.7}, 0},
    {"type: funnel, dimension: 4, scale: 1", {0.8}, 0},
    {"type: banana, dimension: 3, curvature: 0.5, scale: 1", {0.6, 0.5, 0.8}, 0},
    {"type: banana, dimension: 2, curvature: -0.3, scale: 1.5, width: 0.5", {0}, 0},
    {"type: rings", {0}, 0},
    {"type: rings, radii: 2, banana: {weight: 0.5, curvature: 0.1}", {0}, 0},
    {"type: rings, radii: [0, 8, 12], widths: [2, 1, 1.5], weights: [3, 1, 2]", {1.5}, 0},
    {"type: many_well, dimension: 1", {0}, 0},
    {"type: many_well, dimension: 2, wells: 1, height: 0.25, separation: 2, tilt: 0.3", {0}, 0},
    {"type: many_well, dimension: 4, wells: 3, separation: 3, tilt: -0.5", {0}, 0},
    {"type: student_mixture, dimension: 3, components: 4, span: 3", {0}, 0},
    {"type: student_mixture, layout: given, freedom: 3, means: [[0, 1, 0], [1, 0, 0]], scales: "
     "[1, 0.5], weights: [1, 3]",
     {0.4},
     0},
    {"type: student_mixture, layout: given, freedom: 0.5, file: FOLDER/means.csv", {0}, 0},
    {"type: image, side: 6, images: 60, factors: 3", {0}, 1},
    {"type: image, source: idx, data: FOLDER/images.idx, labels: FOLDER/labels.idx, factors: 2, "
     "components: 2",
     {0},
     1},
    {"type: image, source: idx, data: FOLDER/images.idx, components: 3, noise: 0.5", {0.3}, 1},
    {"type: image_set, side: 4, images: 40, noise: 0.5", {.6}, 0},
    {"type: image_set, source: idx, data: FOLDER/images.idx, images: 20", {0}, 0},
    {"type: seeds, data: seeds.csv", {0}, 0},
    {"type: seeds, data: FOLDER/plate.csv", {6, 6, 6, 6, 0.5, 1}, 0},
    {"type: logistic_regression, data: FOLDER/labels.csv", {0.7}, 1},
    {"type: logistic_regression, data: FOLDER/labels.csv, label: y, intercept: false, standardise: "
     "false, prior_scale: 2",
     {1.4},
     1},
    {"type: brownian, data: FOLDER/walk.csv", {0}, 0},
    {"type: brownian, data: FOLDER/walk.csv, innovation: 0.5, observation: 1, column: seen",
     {.4},
     0},
    {"type: brownian, data: FOLDER/walk.csv, innovation: 1, prior_location: -0.37, prior_scale: "
     "0.3",
     {.3, .6},
     0},
    {"type: log_gaussian_cox_process, data: FOLDER/points.csv, side: [4, 3], length: 0.5", {0}, 1},
    {"type: log_gaussian_cox_process, data: FOLDER/points.csv, side: 2, mean: 0", {0.7}, 1},
    {"type: log_gaussian_cox_process, data: FOLDER/points.csv, side: [2, 3], length: 0.1, "
     "coordinates: whitened, outputs: observables",
     {0.7},
     1},
    {"type: log_gaussian_cox_process, data: FOLDER/points.csv, side: [3, 2], length: 0.3, "
     "coordinates: circulant, columns: 'y, x'",
     {0.7},
     1},
    {"type: robot, links: 3, width: 0.5, goals: [[2, 1]]", {.6, .15}, 0},
    {"type: robot, links: 4, lengths: [1, 2, 0.5, 1], width: 0.3, deviations: 0.5, "
     "goals: [[3, 0], [-2, 1.5]]",
     {.4},
     0},
    {"type: logistic_regression, data: FOLDER/labels.csv, prior: flat, one: smaller, centre: false",
     {0},
     1},
    {"type: gaussian_field, side: 5, axes: 1, mean: 0.5", {0.5}, 1},
    {"type: gaussian_field, side: [3, 4], scale: 2, mass: 1.5, power: 1.5", {0.6}, 1},
    {"type: gaussian_field, side: [2, 1, 3], axes: 3, power: -0.5", {0.9}, 1},
    {"type: coloured_texture, side: 3, colours: [[.5], [-1], [0]], weights: [2, 1, 1]", {.4}, 1},
    {"type: coloured_texture, side: [2, 3], colours: [[1, 0], [-.3, .5]], variance: .5, mass: "
     ".7, shift: .3",
     {.5},
     1},
    {"type: phi4, side: 5, axes: 1, mass2: -2, coupling: 0.5", {0}, 0},
    {"type: phi4, side: [3, 2], mass2: 0.5, coupling: 0, field: 0.3, outputs: observables", {0}, 0},
    {"type: phi4, side: [2, 1, 4], axes: 3, mass2: -1, coupling: 2", {0}, 0},
    {"type: library, file: BUILD/tests/user_target/funnel_point.so, dimension: 4", {0}, 0},
    {"type: library, file: BUILD/tests/user_target/smallest.so", {0}, 0},
    {"type: library, file: BUILD/tests/user_target/constrained.so", {0}, 0},
    {"type: bridgestan, file: BUILD/tests/user_target/stan_normal.so, data: FOLDER/normal.json",
     {.5, .3},
     0},
    {"type: bridgestan, file: BUILD/tests/user_target/stan_shares.so, data: FOLDER/shares.json",
     {0},
     0},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static char folder[64];

/* ---- files for the settings -------------------------------------------------------------- */

static FILE *create(const char *name)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return fopen(path, "w");
}

/* More rows than a block of the regression, labels that are not 0 and 1, a constant column. */
static void write_labels(void)
{
  struct dun_address address = {1, DUN_PURPOSE_TEST, 0, 0, 0};
  double *normal = dun_allocate(20, L * sizeof *normal);
  FILE *labels = create("labels.csv");
  dun_normals(address, 20, normal);
  fprintf(labels, "u,v,one,y\n");
  for (int i = 0; i < 300; i++) {
    double u = normal[i], v = 5 + 2 * normal[300 + i];
    fprintf(labels, "%.17g,%.17g,1,%d\n", u, v, u + 0.4 * (v - 5) + normal[600 + i] > 0 ? 2 : 1);
  }
  fclose(labels);
  DUN_FREE(normal);
}

/* Images of 3 x 2 pixels in three classes, the last of which has one image. */
static void write_images(void)
{
  enum { IMAGES = 41 };
  FILE *images = create("images.idx"), *labels = create("labels.idx");
  double uniform[12 * L] __attribute__((aligned(64)));
  dun_uniforms((struct dun_address){2, DUN_PURPOSE_TEST, 0, 0, 0}, 12, uniform);
  fwrite("\0\0\x08\x03\0\0\0\x29\0\0\0\x03\0\0\0\x02", 1, 16, images);
  fwrite("\0\0\x08\x01\0\0\0\x29", 1, 8, labels);
  for (int i = 0; i < IMAGES; i++) {
    int label = i == IMAGES - 1 ? 9 : 3 + 4 * (i % 2);
    fputc(label, labels);
    for (int j = 0; j < 6; j++)
      fputc((int)(120 * uniform[6 * i + j]) + 15 * label, images);
  }
  fclose(images);
  fclose(labels);
}

static void test_files(void)
{
  FILE *file;
  if (test_context.rank == 0) {
    strcpy(folder, "/tmp/dunlin_targets_XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
  }
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, test_context.comm);
  if (test_context.rank)
    return;
  file = create("covariance.csv");
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 5; j++)
      fprintf(file, "%.17g%s", (i == j) + 1.0 / (1 + i + j), j < 4 ? "," : "\n");
  fclose(file);
  file = create("means.csv");
  fprintf(file, "a,b,c,d,e\n0,1,0,-1,2\n1,0,0.5,0,0\n-1,1,0,0,0\n2,2,-2,0,1\n");
  fclose(file);
  file = create("plate.csv");
  fprintf(file, "n,r,x1,x2\n39,10,1,0\n");
  fclose(file);
  file = create("walk.csv");
  fprintf(file, "seen\n0.3\n-0.4\nnan\n1.1\nNA\n");
  fclose(file);
  file = create("points.csv");
  fprintf(file, "x,y\n0.1,0.2\n0.15,0.9\n1,1\n0.7,0.6\n0.7,0.65\n");
  fclose(file);
  file = create("normal.json");
  fprintf(file, "{\"N\": 3, \"y\": [0.4, -0.2, 0.1]}\n");
  fclose(file);
  file = create("shares.json");
  fprintf(file, "{\"n\": [3, 1, 2]}\n");
  fclose(file);
  write_labels();
  write_images();
}

static void test_files_removed(void)
{
  DIR *all = test_context.rank ? NULL : opendir(folder);
  char path[512];
  for (struct dirent *entry; all && (entry = readdir(all));) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    unlink(path);
  }
  if (all)
    closedir(all);
  if (test_context.rank == 0)
    CHECK(rmdir(folder) == 0);
}

static void each(void (*check)(struct subject *, const struct setting *))
{
  for (int i = 0; i < SETTINGS; i++) {
    struct subject s;
    int before = test_bad;
    subject_open_setting(&test_context, &s, settings[i].options, folder);
    check(&s, &settings[i]);
    if (test_bad > before)
      fprintf(stderr, "  in {%s}\n", settings[i].options);
    subject_close(&s);
  }
}

typedef void evaluate(struct dun_evaluator *, int, const double *, double *, const double *,
                      double *);

static inline void set_scale(struct subject *s, double value)
{
  for (int l = 0; l < L; l++)
    s->scale[l] = value;
}

static inline void clear(struct subject *s)
{
  memset(s->gradient, 0, (size_t)s->d * L * sizeof(double));
}

#endif
