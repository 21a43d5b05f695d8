/* A Cox process whose covariance all ranks factor together is the one that each factors for itself,
 * and that of the waves on a wider lattice. */
/* ranks: 1 2 3 */
#include "check.h"
#include "subject.h"

enum { SIDE = 32, CELLS = SIDE * SIDE };
#define PINES "type: log_gaussian_cox_process, data: finnish_pines.csv, side: 32"

static void open_as(struct subject *s, const char *options)
{
  char text[512], why[1024];
  snprintf(text, sizeof text, PINES ", %s", options);
  if (subject_open(&test_context, s, text, why) < 0) {
    fprintf(stderr, "%s: %s\n", text, why);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

static void evaluate(struct subject *s)
{
  memset(s->gradient, 0, (size_t)s->d * L * sizeof *s->gradient);
  for (int l = 0; l < L; l++)
    s->scale[l] = 1;
  dun_evaluate(&s->evaluator, L, s->x, s->lp, s->scale, s->gradient);
}

/* Draws of the prior, densities and gradients at them; both made by the same random numbers. */
static void check_pair(const char *coordinates)
{
  struct subject local, all;
  char options[128];
  double *theta[2], most = 0;
  snprintf(options, sizeof options, "coordinates: %s, factor: local", coordinates);
  open_as(&local, options);
  snprintf(options, sizeof options, "coordinates: %s, factor: distributed", coordinates);
  open_as(&all, options);
  subject_numbers(&local, 1);
  subject_numbers(&all, 1);
  dun_evaluator_draw_prior(&local.evaluator, local.uniform, local.normal, local.x);
  dun_evaluator_draw_prior(&all.evaluator, all.uniform, all.normal, all.x);
  for (int i = 0; i < CELLS * L; i++)
    CHECK_NEAR(all.x[i], local.x[i], 1e-11 * (1 + fabs(local.x[i])));
  memcpy(all.x, local.x, (size_t)CELLS * L * sizeof *all.x);
  evaluate(&local);
  evaluate(&all);
  for (int l = 0; l < L; l++)
    CHECK_NEAR(all.lp[l], local.lp[l], 1e-10 * fabs(local.lp[l]));
  for (int i = 0; i < CELLS * L; i++)
    most = fmax(most, fabs(local.gradient[i]));
  for (int i = 0; i < CELLS * L; i++)
    CHECK_NEAR(all.gradient[i], local.gradient[i], 1e-10 * most);
  for (int k = 0; k < 2; k++) {
    theta[k] = dun_allocate(CELLS + 1, sizeof *theta[k]);
    dun_evaluator_constrain(k ? &all.evaluator : &local.evaluator, k ? all.normal : local.normal,
                            theta[k]);
  }
  for (int i = 0; i <= CELLS; i++)
    CHECK_NEAR(theta[1][i], theta[0][i], 1e-11 * (1 + fabs(theta[0][i])));
  DUN_FREE(theta[0]);
  DUN_FREE(theta[1]);
  subject_close(&local);
  subject_close(&all);
}

static void test_field(void)
{
  check_pair("field");
}

static void test_whitened(void)
{
  check_pair("whitened");
}

static double normal_density(const double *w, int d)
{
  double square = 0;
  for (int i = 0; i < d; i++)
    square += w[i] * w[i];
  return -.5 * (square + d * log(2 * acos(-1)));
}

/* The field that a point w of other coordinates makes has in `field` the likelihood that it has
 * there; and where there are as many of them, f = mean + L w, the prior differs by log det L, which
 * the density at the mean tells. */
static void check_field_of(const char *options, struct subject *field, double peak)
{
  struct subject s;
  double *w, *f = dun_allocate(CELLS + 1, sizeof *f), prior[L] __attribute__((aligned(64)));
  open_as(&s, options);
  w = dun_allocate(s.d, sizeof *w);
  subject_numbers(&s, 2);
  memcpy(s.x, s.normal, (size_t)s.d * L * sizeof *s.x);
  evaluate(&s);
  for (int l = 0; l < 3; l++) {
    for (int i = 0; i < s.d; i++)
      w[i] = s.x[(size_t)i * L + l];
    dun_evaluator_constrain(&s.evaluator, w, f);
    for (int i = 0; i < CELLS * L; i++)
      field->x[i] = f[1 + i / L];
    evaluate(field);
    dun_evaluate_prior(&field->evaluator, L, field->x, prior, NULL, NULL);
    double own = normal_density(w, s.d), likelihood = s.lp[l] - own;
    CHECK_NEAR(field->lp[0] - prior[0], likelihood, 1e-10 * fabs(field->lp[0]));
    if (s.d == CELLS)
      CHECK_NEAR(prior[0] - peak, own + .5 * CELLS * log(2 * acos(-1)), 1e-10 * fabs(prior[0]));
  }
  DUN_FREE(w);
  DUN_FREE(f);
  subject_close(&s);
}

static void test_all_coordinates(void)
{
  static const char *const factors[] = {"local", "distributed"};
  for (int k = 0; k < 2; k++) {
    char options[128];
    double peak[L] __attribute__((aligned(64)));
    struct subject field;
    snprintf(options, sizeof options, "factor: %s, mean: 3.9", factors[k]);
    open_as(&field, options);
    for (int i = 0; i < CELLS * L; i++)
      field.x[i] = 3.9;
    dun_evaluate_prior(&field.evaluator, L, field.x, peak, NULL, NULL);
    check_field_of("coordinates: circulant, mean: 3.9", &field, peak[0]);
    check_field_of("coordinates: whitened, factor: local, mean: 3.9", &field, peak[0]);
    check_field_of("coordinates: whitened, factor: distributed, mean: 3.9", &field, peak[0]);
    subject_close(&field);
  }
}

static void test_refused(void)
{
  static const char *const all[][2] = {
      {"side: 8, coordinates: circulant, factor: distributed", "factor"},
      {"side: 8, factor: together", "auto, local or distributed"},
      {"side: 129, factor: distributed", "found 16641 cells, expected at most 16384"}};
  for (int k = 0; k < 3; k++) {
    char text[256], why[1024];
    struct subject s;
    snprintf(text, sizeof text, "type: log_gaussian_cox_process, data: finnish_pines.csv, %s",
             all[k][0]);
    CHECK(subject_open(&test_context, &s, text, why) < 0);
    CHECK(strstr(why, all[k][1]));
    if (!strstr(why, all[k][1]))
      fprintf(stderr, "%s\n", why);
    subject_close(&s);
  }
}

int main(int argc, char **argv)
{
  static const struct test tests[] = {{"field", test_field},
                                      {"whitened", test_whitened},
                                      {"all_coordinates", test_all_coordinates},
                                      {"refused", test_refused}};
  return run_tests(tests, sizeof tests / sizeof *tests, argc, argv);
}
