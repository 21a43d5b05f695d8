/* The probability with which a move is accepted by its second try, written out for a normal law and
 * an unstable step, particle by particle. */
#include "fixture.h"

enum { L = DUN_LANES };
static const double STEP = 2.15;
static const int LEAPS = 3;

struct state {
  double x, p;
};

/* Of -log density x^2 / 2. */
static struct state leap(struct state s, double h, int leapfrogs)
{
  for (int i = 0; i < leapfrogs; i++) {
    s.p -= .5 * h * s.x;
    s.x += h * s.p;
    s.p -= .5 * h * s.x;
  }
  return s;
}

static double energy(struct state s)
{
  return .5 * (s.x * s.x + s.p * s.p);
}

static double chance(double log_ratio)
{
  return log_ratio < 0 ? exp(log_ratio) : 1;
}

static double first_chance(struct state s)
{
  return chance(energy(s) - energy(leap(s, STEP, LEAPS)));
}

/* Of both tries; *tried: whether there is a second, *never: nobody would come back from its end. */
static double accepted(struct state s, double uniform, int shorter, int *tried, int *never)
{
  double a = first_chance(s);
  *never = 0;
  *tried = a < .05 && uniform > a;
  if (!*tried)
    return a;
  struct state end = leap(s, STEP / shorter, shorter * LEAPS), back = {end.x, -end.p};
  double there = first_chance(back);
  *never = !(there < .05);
  double ratio = energy(s) - energy(end) + log((1 - there) / (1 - a));
  return a + (1 - a) * (*never ? 0 : chance(ratio));
}

static void second_tries_are_accepted_by_the_law(void)
{
  struct fixture fixture;
  struct dun_look look;
  static double p[L] __attribute__((aligned(64))), u[L] __attribute__((aligned(64)));
  static double before[L] __attribute__((aligned(64)));
  int tries = 0, nevers = 0, partly = 0, found[2] = {0, 0};
  struct dun_run *run = fixture_make(
      &fixture, "run: {seed: 5, particles: 64}\ntarget: {type: gaussian, dimension: 1}\n"
                "path: {type: constant}\n"
                "kernel: {type: hmc, step_size: 2.15, leapfrog_steps: 3, jitter: 0, metric: "
                "identity}\nmethod: {type: langevin, warmup: 0, draws: 1}\n");
  CHECK(run->method->start(&test_context, run->method_self, run) == 0);
  run->adaptation->retries = run->adaptation->frozen = 1;
  for (uint32_t step = 0; step < 40; step++) {
    struct dun_address address = {.seed = 9, .step = step};
    struct dun_address start = {.seed = 9, .step = step, .purpose = DUN_PURPOSE_TEST};
    dun_normals(start, 1, before);
    for (int l = 0; l < L; l++)
      dun_f64(run->x)[l] = before[l] *= .7;
    CHECK(dun_sweep_evaluate(&test_context, &run->sweep, 1, INT64_MAX) == 0);
    CHECK(dun_sweep_move(&test_context, &run->sweep, address, 1, INT64_MAX, &look) == 0);
    address.purpose = DUN_PURPOSE_PROPOSE;
    dun_normals(address, 1, p);
    address.purpose = DUN_PURPOSE_ACCEPT;
    dun_uniforms(address, 1, u);
    address.purpose = DUN_PURPOSE_JITTER;
    int shorter = dun_uniform_one(address, 2) < .5 ? 16 : 4;
    found[shorter == 16]++;
    for (int l = 0; l < L; l++) {
      int tried, never;
      double expected = accepted((struct state){before[l], p[l]}, u[l], shorter, &tried, &never);
      CHECK_NEAR(dun_f64(run->sweep.acceptance)[l], expected, 1e-9);
      tries += tried;
      nevers += never;
      partly += tried && !never && expected < .999;
    }
  }
  printf("%d second tries, %d that nobody would come back from, %d below 1\n", tries, nevers,
         partly);
  CHECK(tries > 500 && nevers > 20 && partly > 100 && found[0] > 20 && found[1] > 1);
  fixture_free(&fixture);
}

TEST_MAIN({"second_tries_are_accepted_by_the_law", second_tries_are_accepted_by_the_law})
