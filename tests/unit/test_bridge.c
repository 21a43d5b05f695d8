/* log Z between rungs of known laws and its error; ladders placed for known barriers.  Exact draws
 * take the place of chains: V of a point and the law at t are known. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "methods/barrier.h"
#include "methods/bridge.h"

static uint32_t next;

static double normal(void)
{
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST, .step = next++};
  double u = dun_uniform_one(address, 0), v = dun_uniform_one(address, 1);
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

/* ---- log Z: V = slope x + constant, so that pi_t is N(slope t, 1) ---------------------------- */

enum { RUNGS = 5, LADDERS = 2, SWEEPS = 640, REPEATS = 100 };
static const double SLOPE = 2, TIMES[RUNGS] = {0, .25, .5, .75, 1};

/* Chains with that autocorrelation from sweep to sweep; above `hole` the target is 0. */
static struct dun_bridge_evidence simulate(double constant, double correlation, double hole)
{
  struct dun_bridge b = {0};
  struct dun_bridge_evidence e;
  double x[LADDERS][RUNGS];
  CHECK(dun_bridge_init(&b, RUNGS, LADDERS) == 0);
  for (int i = 0; i < LADDERS * RUNGS; i++)
    x[i / RUNGS][i % RUNGS] = normal();
  for (int s = 0; s < SWEEPS; s++)
    for (int l = 0; l < LADDERS; l++) {
      double v[RUNGS];
      for (int k = 0; k < RUNGS; k++) {
        x[l][k] = correlation * x[l][k] + sqrt(1 - correlation * correlation) * normal();
        v[k] = x[l][k] + SLOPE * TIMES[k] > hole ? -INFINITY
                                                 : SLOPE * (x[l][k] + SLOPE * TIMES[k]) + constant;
      }
      for (int k = 0; k + 1 < RUNGS; k++)
        dun_bridge_add(&b, l, s * DUN_BRIDGE_BATCHES / SWEEPS, k, TIMES[k + 1] - TIMES[k], v[k],
                       v[k + 1]);
    }
  dun_bridge_evidence(&b, DUN_BRIDGE_BATCHES, TIMES, &e);
  if (!isnan(e.log_evidence))
    CHECK(dun_bridge_log_z(&b, RUNGS - 1, TIMES) == e.log_evidence);
  dun_bridge_free(&b);
  return e;
}

/* The root mean square of log Z's deviations in reported errors. */
static double root_mean_square(double correlation)
{
  double square = 0;
  for (int i = 0; i < REPEATS; i++) {
    struct dun_bridge_evidence e = simulate(0, correlation, INFINITY);
    double z = (e.log_evidence - SLOPE * SLOPE / 2) / e.error;
    CHECK(fabs(z) < 5 && !e.flat);
    square += z * z / REPEATS;
  }
  return sqrt(square);
}

/* Chains that remember 40 sweeps: naive errors would be 6 times too small. */
static void errors_are_honest(void)
{
  double independent = root_mean_square(0), slow = root_mean_square(.95);
  CHECK(independent > .7 && independent < 1.15);
  CHECK(slow > .7 && slow < 1.3);
}

static void a_constant_changes_nothing_else(void)
{
  const double constants[] = {-1e12, -1e9, -1e5, 1e5, 1e6, 1e9, 1e12};
  uint32_t begun = next;
  struct dun_bridge_evidence plain = simulate(0, 0, INFINITY);
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    double c = constants[i];
    next = begun;
    struct dun_bridge_evidence e = simulate(c, 0, INFINITY);
    CHECK_NEAR(e.log_evidence - c, plain.log_evidence, 1e-14 * fabs(c));
    CHECK_NEAR(e.error, plain.error, 1e-14 * fabs(c) + 1e-12);
  }
}

static void without_spread(void)
{
  struct dun_bridge b = {0};
  struct dun_bridge_evidence e;
  CHECK(dun_bridge_init(&b, RUNGS, LADDERS) == 0);
  for (int i = 0; i < DUN_BRIDGE_BATCHES; i++)
    for (int k = 0; k + 1 < RUNGS; k++)
      dun_bridge_add(&b, i % LADDERS, i, k, .25, -1000, -1000);
  dun_bridge_evidence(&b, DUN_BRIDGE_BATCHES, TIMES, &e);
  CHECK(e.flat && isnan(e.error));
  CHECK_NEAR(e.log_evidence, -1000, 1e-9);
  dun_bridge_free(&b);
}

/* Where the first rung's draws are never inside there is no log Z, and no error. */
static void without_a_neighbour(void)
{
  struct dun_bridge_evidence e = simulate(0, 0, -20);
  CHECK(!isfinite(e.log_evidence) && !e.flat);
}

/* ---- ladders --------------------------------------------------------------------------------- */

enum { PLACES = 10, DRAWS = 256, ROUNDS = 8 };

struct law {
  double (*draw)(double t); /* V at time t */
  double lost;              /* share of the base's draws with V = -inf */
};

/* V of N(0, 1) against a likelihood of width 1e-5: pi_t is N(0, 1 / (1 + 1e10 t)). */
static double narrow(double t)
{
  double z = normal();
  return -.5e10 * z * z / (1 + 1e10 * t);
}

/* The law at all t > 0 of what 3 of 10 draws of the base are outside of. */
static double holed(double t)
{
  double u = normal();
  return t == 0 && fabs(u) < .385320466 ? -INFINITY : 30 * (normal() + 30 * t);
}

/* Rejections of a ladder, and V's of its rungs. */
static void look(const struct law *law, const double *time, double *rejection, double *value)
{
  int lost = 0;
  for (int k = 0; k < PLACES; k++)
    for (int i = 0; i < DRAWS; i++) {
      double v = law->draw(time[k]);
      value[k * DRAWS + i] = v;
      lost += v == -INFINITY;
    }
  for (int k = 0; k + 1 < PLACES; k++) {
    double accepted = 0;
    for (int i = 0; i < DRAWS; i++) {
      double log_ratio =
          (time[k + 1] - time[k]) * (value[k * DRAWS + i] - value[(k + 1) * DRAWS + i]);
      accepted += log_ratio < 0 ? exp(log_ratio) : 1;
    }
    double kept = k == 0 ? 1 - (double)lost / DRAWS : 1;
    rejection[k] = fmax(0, 1 - accepted / DRAWS / kept);
  }
}

/* The least and the largest rejection after so many rounds, from rungs at cubes. */
static void adapt(const struct law *law, double *time, double *least, double *most)
{
  double rejection[PLACES], value[PLACES * DRAWS], placed[PLACES], origin[PLACES];
  for (int k = 0; k < PLACES; k++)
    time[k] = pow(k / (PLACES - 1.), 3);
  for (int i = 0; i <= ROUNDS; i++) {
    look(law, time, rejection, value);
    struct dun_barrier barrier = {.rungs = PLACES,
                                  .time = time,
                                  .rejection = rejection,
                                  .lost = law->lost,
                                  .drawn = DRAWS,
                                  .stride = DRAWS,
                                  .value = value};
    if (i < ROUNDS)
      CHECK(dun_barrier_place(&barrier, PLACES, placed, origin) == 0);
    for (int k = 0; k < PLACES && i < ROUNDS; k++) {
      CHECK(k == 0 || (placed[k] > placed[k - 1] && origin[k] >= origin[k - 1]));
      time[k] = placed[k];
    }
    CHECK(time[0] == 0 && time[PLACES - 1] == 1);
  }
  *least = *most = rejection[law->lost > 0];
  for (int k = law->lost > 0; k + 1 < PLACES; k++) {
    *least = fmin(*least, rejection[k]);
    *most = fmax(*most, rejection[k]);
  }
}

/* Cubes reject more than 99 of 100 between the first two rungs; an equal ladder has its second rung
 * near 1e-9. */
static void rungs_far_below_the_first(void)
{
  double time[PLACES], least, most;
  adapt(&(struct law){narrow, 0}, time, &least, &most);
  CHECK(time[1] > 1e-11 && time[1] < 1e-8);
  CHECK(least > .5 && most < .85 && most - least < .2);
}

static void what_is_lost_shares_no_rungs(void)
{
  double time[PLACES], least, most;
  adapt(&(struct law){holed, .3}, time, &least, &most);
  CHECK(most - least < .2 && time[1] < .12);
}

/* Exact where V is normal with a variance that does not depend on t. */
static void distances(void)
{
  for (double far = .1; far < 2; far += .1) {
    double rejection = erf(far * .886226925452758);
    CHECK_NEAR(dun_barrier_distance(rejection), far, .04 * far + .01);
  }
}

TEST_MAIN({"errors_are_honest", errors_are_honest},
          {"a_constant_changes_nothing_else", a_constant_changes_nothing_else},
          {"without_spread", without_spread}, {"without_a_neighbour", without_a_neighbour},
          {"rungs_far_below_the_first", rungs_far_below_the_first},
          {"what_is_lost_shares_no_rungs", what_is_lost_shares_no_rungs}, {"distances", distances})
