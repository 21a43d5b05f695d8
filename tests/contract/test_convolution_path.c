/* ranks: 1 2 */
/* The convolutional path against mixtures whose convolutions are mixtures again: its scores and its
 * limit. */
#include "fixture.h"
#include "numerics/mixture.h"

/* 16 modes at {-15, -5, 5, 15}^2 of unit width, weights 1 to 16. */
#define MODES                                                                                      \
  "{type: gaussian_mixture, layout: grid, separation: 10, points_per_axis: 4, "                    \
  "weights: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]}"
#define PAIR "{type: gaussian_mixture, means: [[-1.5], [1]], scales: [0.7, 0.5], weights: [1, 2]}"

enum { D = 2, BLOCK = D * DUN_LANES, TILES = 8, COLUMNS = 32 };

static struct dun_run *make(struct fixture *fixture, const char *target, const char *path)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %d}\ntarget: %s\npath: {type: convolution, %s}\n"
           "kernel: {type: ula}\nmethod: {type: langevin, moves_per_level: 1}\n",
           64 * TILES, target, path);
  return fixture_make(fixture, text);
}

/* MODES and PAIR, blurred by tau. */
static void blurred_modes(struct dun_mixture *mixture, double tau)
{
  CHECK(dun_mixture_init(mixture, 2, 16) == 0);
  for (int k = 0; k < 16; k++) {
    mixture->mean[2 * k] = 10 * (k / 4) - 15;
    mixture->mean[2 * k + 1] = 10 * (k % 4) - 15;
    mixture->weight[k] = 1 + k;
    mixture->deviation[k] = sqrt(1 + tau * tau);
  }
  CHECK(dun_mixture_set(mixture) == 0);
}

static void blurred_pair(struct dun_mixture *mixture, double tau)
{
  CHECK(dun_mixture_init(mixture, 1, 2) == 0);
  for (int k = 0; k < 2; k++) {
    mixture->mean[k] = k ? 1 : -1.5;
    mixture->weight[k] = 1 + k;
    mixture->deviation[k] = hypot(k ? .5 : .7, tau);
  }
  CHECK(dun_mixture_set(mixture) == 0);
}

struct points {
  double x[BLOCK], score[BLOCK], exact[BLOCK], lp[DUN_LANES], exact_lp[DUN_LANES];
} __attribute__((aligned(64)));

/* 64 points of the blurred target, and what is known there. */
static void draw(const struct dun_mixture *mixture, struct dun_address address, struct points *p)
{
  static double uniform[DUN_LANES] __attribute__((aligned(64)));
  static double normal[BLOCK] __attribute__((aligned(64)));
  static double work[COLUMNS * DUN_LANES] __attribute__((aligned(64)));
  double one[DUN_LANES] __attribute__((aligned(64)));

  CHECK(mixture->components <= COLUMNS);
  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  dun_normals(address, mixture->dimension, normal);
  address.purpose = DUN_PURPOSE_PILOT;
  dun_uniforms(address, 1, uniform);
  dun_mixture_draw(mixture, uniform, normal, p->x);
  memset(p->exact, 0, sizeof p->exact);
  dun_mixture_evaluate(mixture, p->x, p->exact_lp, one, p->exact, work);
}

struct error {
  double difference, size;
};

static void add_error(struct error *error, int d, const struct points *p)
{
  for (int i = 0; i < d * DUN_LANES; i++) {
    error->difference += pow(p->score[i] - p->exact[i], 2);
    error->size += pow(p->exact[i], 2);
  }
}

static double relative(struct error error)
{
  return sqrt(error.difference / error.size);
}

static double time_of(double scale, double tau)
{
  return scale * scale / (scale * scale + tau * tau);
}

static void evaluate(struct dun_run *run, double t, struct points *p)
{
  double time[DUN_LANES], part[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    time[l] = t;
  CHECK(dun_path_prepare(&test_context, run->path, run->path_self, t) == 0);
  struct dun_request request = {
      .n = DUN_LANES, .x = p->x, .time = time, .part_lp = part, .lp = p->lp, .gradient = p->score};
  run->path->evaluate(run->path_self, &request);
}

static void scores_of_a_grid(void)
{
  struct fixture fixture;
  struct dun_run *run = make(&fixture, MODES, "half_width: 21, scale: 2, schedule: {highest: 10}");
  static struct points p;

  for (double tau = .3; tau < 11; tau *= 3) {
    struct dun_mixture mixture;
    struct error error = {0};
    blurred_modes(&mixture, tau);
    draw(&mixture, dun_run_address(run, DUN_PURPOSE_TEST), &p);
    evaluate(run, time_of(2, tau), &p);
    add_error(&error, 2, &p);
    CHECK(relative(error) < 7e-3);
    for (int l = 0; l < DUN_LANES; l++)
      CHECK_NEAR(p.lp[l], p.exact_lp[l], .02);
    dun_mixture_free(&mixture);
  }
  CHECK(run->path->unit(run->path_self, .25) == .5);
  fixture_free(&fixture);
}

/* The largest difference from the dilation path's score, both in the path's coordinates, with a
 * base of so small a width. */
static double distance_from_dilation(double scale)
{
  const double lambda = .3;
  char text[128];
  struct fixture fixture;
  struct dun_mixture mixture;
  static struct points p;
  double worst = 0;

  snprintf(text, sizeof text, "half_width: 5, cells: 800, scale: %g, schedule: {highest: 1}",
           scale);
  struct dun_run *run = make(&fixture, PAIR, text);
  blurred_pair(&mixture, 0);
  draw(&mixture, dun_run_address(run, DUN_PURPOSE_TEST), &p);
  evaluate(run, lambda, &p);
  for (int l = 0; l < DUN_LANES; l++) {
    double off = fabs(p.score[l] - p.exact[l]) / sqrt(lambda);
    worst = off > worst || isnan(off) ? off : worst;
  }
  dun_mixture_free(&mixture);
  fixture_free(&fixture);
  return worst;
}

/* It vanishes like the square of the width. */
static void dilation_is_the_limit(void)
{
  double wide = distance_from_dilation(.2), narrow = distance_from_dilation(.05);
  if (test_context.rank == 0)
    printf("# distance from dilation: %.4g and, at a quarter of the width, %.4g\n", wide, narrow);
  CHECK(wide > .05 && wide < 5);
  CHECK(wide / narrow > 11 && wide / narrow < 20);
}

TEST_MAIN({"scores_of_a_grid", scores_of_a_grid}, {"dilation_is_the_limit", dilation_is_the_limit})
