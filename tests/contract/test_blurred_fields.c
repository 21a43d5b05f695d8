/* ranks: 1 2 */
/* The fields grid and monte_carlo against mixtures whose convolutions are mixtures again.  24
 * comparisons of measured errors with reference values, within a factor of 3; fixed seeds. */
#include "check.h"
#include "fields/field.h"
#include "made_part.h"
#include "numerics/mixture.h"
#include "population/tile.h"
#include "subject.h"

/* 16 modes at {-15, -5, 5, 15}^2 of unit width, weights 1 to 16. */
#define MODES                                                                                      \
  "type: gaussian_mixture, layout: grid, separation: 10, points_per_axis: 4, "                     \
  "weights: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]"

enum { D = 2, BLOCK = D * DUN_LANES, TILES = 8, COLUMNS = 32 };

struct case_of {
  struct subject target;
  struct made_part made;
  const struct dun_field *field;
  void *self;
};

static char why[1024];

static void open_case(struct case_of *c, const char *target, const char *field)
{
  if (subject_open(&test_context, &c->target, target, why) < 0 ||
      made_part_open(&test_context, &c->made, DUN_KIND_FIELD, field, why) < 0) {
    fprintf(stderr, "%s: %s\n", field, why);
    MPI_Abort(test_context.comm, 1);
  }
  c->field = (const struct dun_field *)c->made.part.type;
  c->self = c->made.part.self;
  CHECK(c->field->init(&test_context, c->self, &c->target.evaluator, .01) == 0);
}

static void close_case(struct case_of *c)
{
  made_part_close(&c->made);
  subject_close(&c->target);
}

/* MODES, blurred by tau. */
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

struct points {
  double x[BLOCK], h[BLOCK], mean[BLOCK], score[BLOCK], exact[BLOCK], lp[DUN_LANES],
      exact_lp[DUN_LANES];
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

/* Asks the field about points seen through tau; the score is (mean - x) / tau^2. */
static void ask(struct case_of *c, struct dun_address address, double tau, struct points *p)
{
  double lambda[DUN_LANES] __attribute__((aligned(64)));
  struct dun_field_call call = {.n = DUN_LANES,
                                .h = p->h,
                                .lambda = lambda,
                                .address = address,
                                .label = -1,
                                .mean = p->mean};
  if (c->field->prepare)
    CHECK(c->field->prepare(&test_context, c->self, 1 / (tau * tau)) >= 0);
  for (int l = 0; l < DUN_LANES; l++)
    lambda[l] = 1 / (tau * tau);
  for (int i = 0; i < BLOCK; i++)
    p->h[i] = p->x[i] / (tau * tau);
  c->field->value(c->self, &call);
  for (int i = 0; i < BLOCK; i++)
    p->score[i] = (p->mean[i] - p->x[i]) / (tau * tau);
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

/* Relative root mean square error of the score of MODES. */
static double error_of(struct case_of *c, double tau)
{
  static struct points p;
  struct dun_mixture mixture;
  struct error error = {0};

  blurred_modes(&mixture, tau);
  for (int i = 0; i < TILES; i++) {
    struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST, .tile = (uint32_t)i};
    draw(&mixture, address, &p);
    ask(c, address, tau, &p);
    add_error(&error, 2, &p);
  }
  dun_mixture_free(&mixture);
  return relative(error);
}

static double error_of_samples(double tau, int samples, const char *estimator)
{
  struct case_of c;
  char text[256];
  snprintf(text, sizeof text, "type: monte_carlo, samples: %d, estimator: %s", samples, estimator);
  open_case(&c, MODES, text);
  double error = error_of(&c, tau);
  close_case(&c);
  return error;
}

static void errors_of_samples(void)
{
  static const struct {
    double tau, dsi[2], tsi[2]; /* with 100 and 1000 samples */
  } known[] = {{.5, {.26, .092}, {.064, .023}},
               {1, {.17, .055}, {.17, .055}},
               {3, {.48, .16}, {1.7, .48}},
               {10, {.41, .15}, {10, 3.3}}};

  for (size_t k = 0; k < sizeof known / sizeof *known; k++)
    for (int m = 0; m < 2; m++) {
      double tau = known[k].tau;
      int samples = m ? 1000 : 100;
      double dsi = error_of_samples(tau, samples, "dsi");
      double tsi = error_of_samples(tau, samples, "tsi");
      double mixed = error_of_samples(tau, samples, "mixed");
      if (test_context.rank == 0)
        printf("# tau %g, %d samples: dsi %.3g, tsi %.3g, mixed %.3g\n", tau, samples, dsi, tsi,
               mixed);
      CHECK_NEAR(log(dsi / known[k].dsi[m]), 0, log(3));
      CHECK_NEAR(log(tsi / known[k].tsi[m]), 0, log(3));
      CHECK(mixed < 1.02 * fmin(dsi, tsi));
    }
}

/* On a Gaussian whose width is the crossover, two samples are as good as all. */
static void mixed_is_exact_on_a_gaussian(void)
{
  struct case_of c;
  static struct points p;
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST};

  open_case(&c, "type: gaussian_mixture, means: [[1, 1]], scales: 3",
            "type: monte_carlo, samples: 2, crossover: 3");
  dun_normals(address, 2, p.x);
  for (double tau = .1; tau < 20; tau *= 3) {
    ask(&c, address, tau, &p);
    for (int i = 0; i < BLOCK; i++)
      CHECK_NEAR(p.mean[i], (9 * p.x[i] + tau * tau) / (9 + tau * tau), 1e-12 * (1 + tau * tau));
  }
  close_case(&c);
}

/* Where no sample has a density the target counts as the Gaussian that it begins at. */
static void no_sample_counts(void)
{
  struct case_of c;
  static struct points p;
  open_case(&c, MODES, "type: monte_carlo, samples: 5, begin: {mean: 2, scale: 3}");
  for (int i = 0; i < BLOCK; i++)
    p.x[i] = 1e200;
  ask(&c, (struct dun_address){.seed = 5}, 1, &p);
  for (int i = 0; i < BLOCK; i++)
    CHECK_NEAR(p.mean[i] / (.9 * 1e200), 1, 1e-12);
  close_case(&c);
}

static void scores_of_a_grid(void)
{
  struct case_of c;
  open_case(&c, MODES, "type: grid, half_width: 21");
  for (double tau = .3; tau < 11; tau *= 3)
    CHECK(error_of(&c, tau) < 7e-3);
  close_case(&c);
}

/* Beyond `widest` the target is a Gaussian, whose error falls with tau. */
static void wide_noise_sees_a_gaussian(void)
{
  struct case_of c;
  open_case(&c, MODES, "type: grid, half_width: 21, widest: 1");
  double near = error_of(&c, 20), far = error_of(&c, 60);
  if (test_context.rank == 0)
    printf("# as a Gaussian: %.3g at tau 20, %.3g at 60\n", near, far);
  CHECK(near < .1 && far < near / 3);
  close_case(&c);
}

/* Spread over the ranks it is the same, but for the last bits. */
static void distributed_tables_are_the_same(void)
{
  struct case_of local, spread;
  static struct points p;
  double h[BLOCK], mean[BLOCK];
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST};

  open_case(&local, MODES, "type: grid, half_width: 21, cells: 64");
  open_case(&spread, MODES, "type: grid, half_width: 21, cells: 64, distributed: yes");
  CHECK(!local.field->spread_out(local.self) && spread.field->spread_out(spread.self));
  for (double tau = .5; tau < 100; tau *= 4) {
    address.tile = (uint32_t)test_context.rank;
    dun_normals(address, 2, p.x);
    for (int i = 0; i < BLOCK; i++)
      p.x[i] *= 15 + tau;
    ask(&local, address, tau, &p);
    dun_rows_from_columns(DUN_LANES, D, p.h, h);
    CHECK(spread.field->prepare(&test_context, spread.self, 1 / (tau * tau)) >= 0);
    CHECK(spread.field->rows(&test_context, spread.self, DUN_LANES, h, mean) == 0);
    for (int l = 0; l < DUN_LANES; l++)
      for (int j = 0; j < D; j++)
        CHECK_NEAR(mean[l * D + j], p.mean[j * DUN_LANES + l], 1e-9);
  }
  close_case(&local);
  close_case(&spread);
}

TEST_MAIN({"errors_of_samples", errors_of_samples},
          {"mixed_is_exact_on_a_gaussian", mixed_is_exact_on_a_gaussian},
          {"no_sample_counts", no_sample_counts}, {"scores_of_a_grid", scores_of_a_grid},
          {"wide_noise_sees_a_gaussian", wide_noise_sees_a_gaussian},
          {"distributed_tables_are_the_same", distributed_tables_are_the_same})
