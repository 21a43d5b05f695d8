/* ranks: 1 3 */
/* How far steps of localization by means are from the law of observations, where that is known: of
 * a Gaussian with variances 3, 1 and .25 up to the time 5.  The divergence of the law from the
 * steps, by the target's own masses and means, is that of the literature's closed form, 1/2 sum_k
 * int (mmse(t_k) - mmse(t)) dt, to six figures; that of the steps from the law is what a run tells
 * of itself, 4 comparisons, limit 5 standard errors, fixed seeds. */
#include "base/scalar.h"
#include "fixture.h"
#include "methods/localization.h"
#include "numerics/spacing.h"
#include "subject.h"

enum { D = 3, MOST = 1001 };
#define TARGET "type: gaussian, dimension: 3, covariance: {type: diagonal, variances: [3, 1, .25]}"
static const double variance[D] = {3, 1, .25};

static double column_h[D * L] __attribute__((aligned(64)));
static double mean[D * L] __attribute__((aligned(64)));
static double lambda[L] __attribute__((aligned(64))), mass[L] __attribute__((aligned(64)));

/* E |m|^2 and E log mass at time t of y ~ N(0, diag v), by the points +- sqrt(3 v_i) e_i, which are
 * right for squares; slope[D]: m_i / y_i. */
static void look(const struct subject *s, double t, const double *v, double *square,
                 double *log_mass, double *slope)
{
  memset(column_h, 0, sizeof column_h);
  for (int l = 0; l < L; l++)
    lambda[l] = t;
  for (int i = 0; i < D; i++)
    for (int sign = 0; sign < 2; sign++)
      column_h[i * L + 2 * i + sign] = (sign ? -1 : 1) * sqrt(3 * v[i]);
  CHECK(s->target->tilted(
            s->self,
            &(struct dun_tilted){
                .n = 2 * D, .h = column_h, .lambda = lambda, .mean = mean, .log_mass = mass},
            s->evaluator.work) == 0);
  *square = *log_mass = 0;
  for (int l = 0; l < 2 * D; l++) {
    *log_mass += mass[l] / (2 * D);
    for (int i = 0; i < D; i++)
      *square += mean[i * L + l] * mean[i * L + l] / (2 * D);
  }
  for (int i = 0; i < D; i++)
    slope[i] = v[i] > 0 ? mean[i * L + 2 * i] / column_h[i * L + 2 * i] : 0;
}

/* Of the law from the steps, or of these from it. */
static double nats(const double *time, int steps, int reverse)
{
  struct subject s;
  char why[1024];
  double v[D] = {0}, slope[D], square, log_mass, whole, sum = 0;
  CHECK(subject_open(&test_context, &s, TARGET, why) == 0);
  look(&s, 0, v, &square, &whole, slope);
  for (int k = 0; k < steps; k++) {
    double step = time[k + 1] - time[k], t = time[k + 1];
    look(&s, time[k], v, &square, &log_mass, slope);
    sum += .5 * step * square;
    for (int i = 0; i < D; i++)
      v[i] = reverse ? v[i] * (1 + step * slope[i]) * (1 + step * slope[i]) + step
                     : t * t * variance[i] + t;
  }
  look(&s, time[steps], v, &square, &log_mass, slope);
  subject_close(&s);
  return reverse ? whole - log_mass + sum : log_mass - whole - sum;
}

static void fill(int kind, int steps, double *time)
{
  struct dun_spacing even = {.type = DUN_SPACING_GEOMETRIC, .first = 1e-3, .last = 5};
  for (int k = 0; k <= steps; k++) {
    double share = (double)k / steps;
    time[k] = kind == 'u'   ? 5 * share
              : kind == 'a' ? dun_observation_arctan(NULL, 0, 5, share)
              : k == 0      ? 0
                            : dun_spacing_at(&even, (double)(k - 1), (double)(steps - 1));
  }
}

static void the_table(void)
{
  static const struct {
    int kind, steps;
    double nats;
  } table[] = {{'u', 10, .564523}, {'u', 50, .098747},  {'u', 200, .023914}, {'u', 1000, .004741},
               {'a', 50, .081953}, {'a', 200, .020123}, {'g', 50, .137928},  {'g', 200, .032949}};
  static double time[MOST];
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    fill(table[i].kind, table[i].steps, time);
    double found = nats(time, table[i].steps, 0);
    if (test_context.rank == 0)
      printf("# %s, %4d steps: %.6f nats (%.6f)\n",
             table[i].kind == 'u'   ? "even          "
             : table[i].kind == 'a' ? "arctan sqrt t "
                                    : "0 and log t   ",
             table[i].steps, found, table[i].nats);
    CHECK_NEAR(found, table[i].nats, 6e-7);
  }
}

static void check_run(const char *options, int kind, int steps)
{
  static double time[MOST];
  struct fixture fixture;
  struct dun_ways_facts facts;
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: 6400}\ntarget: {%s}\nmethod: {type: localization, "
           "observation: {type: gaussian, horizon: 5}, by: means, steps: %d%s}\n",
           TARGET, steps, options);
  struct dun_run *run = fixture_make(&fixture, text);
  const struct localization *s = run->method_self;
  int status = run->method->start(&test_context, run->method_self, run);
  CHECK(status == 0);
  for (status = DUN_TICK_GOING; status > 0; run->tick++)
    status = run->method->advance(&test_context, run->method_self, run);
  CHECK(status == DUN_TICK_DONE);
  CHECK(dun_ways_tell(&s->certificate.ways, run, s->certificate.log_evidence, &facts));
  fill(kind, steps, time);
  double truth = nats(time, steps, 1), length = .25 * s->certificate.moved / 6400;
  if (test_context.rank == 0)
    printf("# %d steps: %.4f +- %.4f nats (%.4f), %.4f by their length\n", steps, facts.nats,
           facts.error, truth, length);
  CHECK(fabs(facts.nats - truth) < 5 * facts.error);
  CHECK(fabs(length - truth) < .15 * truth);
  CHECK(fabs(facts.deviations) < 5);
  fixture_free(&fixture);
}

static void runs_tell_of_themselves(void)
{
  check_run("", 'a', 50);
  check_run("", 'a', 200);
  check_run(", first_step: 1e-3", 'g', 50);
  check_run(", first_step: 1e-3", 'g', 200);
}

TEST_MAIN({"the_table", the_table}, {"runs_tell_of_themselves", runs_tell_of_themselves})
