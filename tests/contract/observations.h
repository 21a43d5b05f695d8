/* Points found by localization against the law that they should have: of spins and letters over all
 * states, of reals over the points of a file, by chi-square; with draws from posteriors whatever
 * the observation, and by single coordinates where that makes no error. */
#ifndef DUNLIN_TESTS_OBSERVATIONS_H
#define DUNLIN_TESTS_OBSERVATIONS_H

#include "fixture.h"
#include "states.h"

#define RING                                                                                       \
  "type: ising_chain, dimension: 6, coupling: 0.6, field: [0.1, 0, 0.3, 0, -.2, 0], closed: true"
#define GLASS "type: sherrington_kirkpatrick, dimension: 7, beta: 1.5, instance: 3, field: 0.1"
#define LARGE "type: sherrington_kirkpatrick, dimension: 12, beta: 1.5, instance: 3, field: 0.1"
#define TORUS "type: ising, side: [2, 4], coupling: .3, field: .1"
#define POTTS                                                                                      \
  "type: potts, graph: torus, side: [2, 2], coupling: 0.7, letters: 3, field: [0, .1, -.2]"
#define ALONE "type: ising_chain, dimension: 5, coupling: 0, field: [1, 0, -.5, .2, 2]"
#define ALL   ", field: {type: atoms}"

/* `parts` of the method: observation and what else. */
struct found_by {
  const char *target, *parts;
};

static const struct found_by of_states[] = {
    {RING, "observation: {type: gaussian}"},
    {RING, "observation: {type: gaussian, horizon: 3}, steps: 3" ALL},
    {RING, "observation: {type: symmetric}"},
    {RING, "observation: {type: erasure}"},
    {RING, "observation: {type: erasure, order: sequential}, by: means"},
    {GLASS, "observation: {type: gaussian, rate: [1, 2, .3, 1, 1, 4, 1]}" ALL},
    {GLASS, "observation: {type: symmetric}, steps: 5" ALL},
    {GLASS, "observation: {type: erasure, order: sequential}, by: means" ALL},
    {GLASS, "observation: {type: erasure}, steps: 4" ALL},
    {GLASS, "observation: {type: linear, matrix: [[1, 1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0, 0], "
            "[0, 1, -1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 0, 2], [0, 0, 0, 0, 1, "
            "0, 0], [0, 0, 0, 0, 0, 1, 0]], horizon: 5}, steps: 6" ALL},
    /* Beside the spins of a lattice its average, blocks and long waves. */
    {TORUS, "observation: {type: linear, average: 1, pyramid: .5, fourier: .7, horizon: 4}, steps: "
            "6" ALL},
    {GLASS, "observation: {type: half_space, planes: 12}" ALL},
    {GLASS, "observation: {type: percolation, graph: complete}" ALL},
    {GLASS, "observation: {type: percolation}, last: 4" ALL},
    {GLASS, "observation: {type: product, parts: [{type: gaussian, horizon: 1}, {type: erasure}, "
            "{type: half_space, planes: 3}]}, steps: 7" ALL},
    /* One product in another: the first and the last would have the same numbers if parts of parts
     * were told apart by adding. */
    {GLASS,
     "observation: {type: product, parts: [{type: product, parts: [{type: gaussian, horizon: .5}, "
     "{type: symmetric, horizon: .3}]}, {type: gaussian, horizon: .5}]}, steps: 12" ALL},
    /* One after the other: steps that end one part and begin the next, and questions first. */
    {GLASS,
     "observation: {type: product, order: sequential, parts: [{type: half_space, planes: 3}, "
     "{type: gaussian, horizon: 1}, {type: erasure}]}, steps: 7" ALL},
    {RING,
     "observation: {type: product, order: sequential, parts: [{type: symmetric, horizon: .4}, "
     "{type: gaussian}]}, steps: 5"},
    {POTTS, "observation: {type: symmetric}" ALL},
    {POTTS, "observation: {type: erasure, order: sequential}, by: means" ALL},
    {POTTS, "observation: {type: percolation, graph: given, edges: [[0, 1], [2, 1], [3, 2]]}" ALL},
    {POTTS, "observation: {type: product, parts: [{type: symmetric, horizon: .5}, {type: "
            "percolation}]}" ALL},
    /* More states than are summed in one piece. */
    {LARGE, "observation: {type: symmetric}, steps: 4" ALL},
    {LARGE, "observation: {type: erasure, order: sequential}, by: means" ALL},
    /* Independent letters: a step by single ones is exact. */
    {ALONE, "observation: {type: symmetric}, by: means, steps: 4"},
    {ALONE, "observation: {type: erasure}, by: means, steps: 3"},
};
enum { OF_STATES = sizeof of_states / sizeof *of_states };

/* Reals: five points of a file, of which the first stands there twice. */
static const struct found_by of_points[] = {
    {"equal", "observation: {type: gaussian, horizon: 4}, steps: 5"},
    {"target", "observation: {type: gaussian, rate: [1, 3]}"},
    {"target", "observation: {type: gaussian, rate: .3}, steps: 5"},
    {"equal", "observation: {type: adapted, floor: .1}, steps: 5"},
    {"target", "observation: {type: adapted, floor: .02, horizon: 12}"},
    {"equal", "observation: {type: linear, matrix: [[1, 1], [1, 0], [0, 2]]}, steps: 9"},
    {"target", "observation: {type: linear, average: 2}, steps: 9"},
    {"target", "observation: {type: linear, average: 4}, first_step: 1e-3, steps: 9"},
    {"equal", "observation: {type: poisson, horizon: 3}, steps: 6"},
    {"target", "observation: {type: half_space, planes: 30, width: 2}"},
    {"equal", "observation: {type: percolation}"},
    {"target",
     "observation: {type: product, parts: [{type: poisson, horizon: 1}, {type: gaussian}]}"},
};
enum { OF_POINTS = sizeof of_points / sizeof *of_points, ROWS = 6 };
static const double points[ROWS][2] = {{2, .5}, {0, 1}, {1, 1}, {3, 0}, {.2, 2.5}, {2, .5}};

static inline struct dun_run *go_to_the_end(struct fixture *fixture, const char *text)
{
  struct dun_run *run = fixture_make(fixture, text);
  int status;
  CHECK(run->method->start(&test_context, run->method_self, run) == 0);
  do {
    status = run->method->advance(&test_context, run->method_self, run);
    run->tick++;
  } while (status > 0);
  CHECK(status == DUN_TICK_DONE && run->now.time == 1);
  return run;
}

static inline double deviation_of_states(const struct found_by *way, int particles, int seed)
{
  static double law[MOST_STATES];
  struct fixture fixture;
  struct subject s;
  char text[2048], why[1024];
  snprintf(text, sizeof text,
           "run: {seed: %d, particles: %d}\ntarget: {%s}\nmethod: {type: localization, %s}\n", seed,
           particles, way->target, way->parts);
  CHECK(subject_open(&test_context, &s, way->target, why) == 0);
  find_states(&s);
  double sum = sum_states(&s, NULL, NULL);
  for (int k = 0; k < states_of(&s); k++)
    law[k] = state_lp[k] - sum;
  struct dun_run *run = go_to_the_end(&fixture, text);
  double found = deviation(run, &s, law);
  fixture_free(&fixture);
  subject_close(&s);
  return found;
}

static inline int row_of(const double *x)
{
  for (int k = 0; k < ROWS - 1; k++)
    if (x[0] == points[k][0] && x[1] == points[k][1])
      return k;
  CHECK(0 && "a point of the file");
  return 0;
}

/* The target's density is that of two independent normals. */
static inline double deviation_of_points(const struct found_by *way, const char *file,
                                         int particles, int seed)
{
  static struct dun_exact sum[ROWS];
  double law[ROWS], count[ROWS], all = 0;
  struct fixture fixture;
  char text[2048];
  snprintf(text, sizeof text,
           "run: {seed: %d, particles: %d}\ntarget: {type: gaussian, dimension: 2}\nmethod: {type: "
           "localization, %s, field: {type: atoms, points: %s, weights: %s}}\n",
           seed, particles, way->parts, file, way->target);
  struct dun_run *run = go_to_the_end(&fixture, text);
  memset(sum, 0, sizeof sum);
  for (int64_t i = 0; i < run->population.tiles.local; i++)
    dun_exact_add(&sum[row_of(dun_f64(run->x) + 2 * i)], 1);
  CHECK(dun_sum(&test_context, 0, ROWS, sum, count) == 0);
  for (int k = 0; k < ROWS; k++) {
    double square = points[k][0] * points[k][0] + points[k][1] * points[k][1];
    law[k] = strcmp(way->target, "equal") ? exp(-.5 * square) : 1;
    all += law[k];
  }
  law[0] += law[ROWS - 1];
  for (int k = 0; k < ROWS; k++)
    law[k] = k < ROWS - 1 ? log(law[k] / all) : -INFINITY;
  fixture_free(&fixture);
  return chi_square(ROWS, count, law);
}

/* The file of the points, its name in file[64]. */
static inline void write_points(char file[64])
{
  if (test_context.rank == 0) {
    strcpy(file, "/tmp/dunlin_points_XXXXXX");
    int handle = mkstemp(file);
    FILE *out = fdopen(handle, "w");
    for (int k = 0; out && k < ROWS; k++)
      fprintf(out, "%g,%g\n", points[k][0], points[k][1]);
    CHECK(out && fclose(out) == 0);
  }
  MPI_Bcast(file, 64, MPI_CHAR, 0, test_context.comm);
}

static inline void check_ways(int particles, int seed)
{
  char file[64];
  for (int i = 0; i < OF_STATES; i++) {
    double found = deviation_of_states(&of_states[i], particles, seed);
    if (!(found < 5))
      fprintf(stderr, "{%s} of {%s}: %.1f\n", of_states[i].parts, of_states[i].target, found);
    CHECK(found < 5);
  }
  write_points(file);
  for (int i = 0; i < OF_POINTS; i++) {
    double found = deviation_of_points(&of_points[i], file, particles, seed);
    if (!(found < 5))
      fprintf(stderr, "{%s}, %s: %.1f\n", of_points[i].parts, of_points[i].target, found);
    CHECK(found < 5);
  }
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(unlink(file) == 0);
}

#endif
