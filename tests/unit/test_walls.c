/* Rejections that forces do not show are told from those of too long a step, and steps and lengths
 * answer for the latter alone. */
#include "check.h"
#include "kernels/adaptation.h"
#include "kernels/metropolis.h"
#include <math.h>

struct rejection {
  const char *what;
  double lp, proposed, gain; /* gain: of the kinetic energy before over that after */
  int unseen;
};

/* A move's ratio is lp' - lp + gain. */
static void walls_are_told_from_steps(void)
{
  static const struct rejection all[] = {
      {"a wall in a flat box", 0, -INFINITY, 0, 1},
      {"a wall, and other coordinates at play", -3, -INFINITY, 4, 1},
      {"a cliff", 1e9, 1e9 - 1e6, 2, 1},
      {"a small stair", 2, 1.5, 0, 1},
      {"downhill, as it should be", 0, -5, 4.9, 0},
      {"uphill", -5, 0, -5.2, 0},
      {"overshot into a steep slope", 0, -50, -40, 0},
      {"a trajectory that ran away", 0, -INFINITY, -1e9, 0},
      {"outside and nowhere to go", -INFINITY, -INFINITY, 0, 1},
      {"from outside back in", -INFINITY, -7, 0, 0},
  };
  enum { COUNT = sizeof all / sizeof *all };
  double lp[DUN_LANES] = {0}, proposed[DUN_LANES] = {0}, gain[DUN_LANES] = {0};
  double ratio[DUN_LANES], unseen[DUN_LANES];

  for (int i = 0; i < COUNT; i++) {
    lp[i] = all[i].lp;
    proposed[i] = all[i].proposed;
    gain[i] = all[i].gain;
  }
  dun_metropolis_ratio(lp, proposed, gain, ratio);
  dun_metropolis_unseen(lp, proposed, gain, ratio, unseen);
  for (int i = 0; i < COUNT; i++) {
    if (unseen[i] != all[i].unseen)
      fprintf(stderr, "%s: %g\n", all[i].what, unseen[i]);
    CHECK(unseen[i] == all[i].unseen);
  }
  dun_metropolis_unseen(lp, proposed, NULL, ratio, unseen);
  for (int i = 0; i < COUNT; i++)
    CHECK(unseen[i] == (lp[i] == -INFINITY && proposed[i] == -INFINITY));
}

static struct dun_look look_of(double acceptance, double seen, double unseen, double place)
{
  struct dun_look look = {.acceptance = acceptance, .seen = seen, .unseen = unseen};

  for (int g = 0; g < DUN_TRIALS; g++)
    look.trial[g] = (struct dun_trial_look){
        .moves = 100, .place = place, .shape = 1, .gradients = g == DUN_TRIAL_LONG ? 1 : 9};
  return look;
}

static void adapt(struct dun_adaptation *a, struct dun_look look, int sweeps)
{
  for (int i = 0; i < sweeps; i++)
    dun_adaptation_update(a, &look);
}

/* The trials always ask for more leapfrogs. */
static void steps_answer_for_their_own(void)
{
  struct dun_kernel kernel = {.initial_step = 1, .uses_leapfrogs = 1};
  struct dun_kernel_options options = {
      .step_size = -1, .leapfrog_steps = -1, .target_acceptance = .9};
  struct dun_adaptation a = {0};

  CHECK(dun_adaptation_init(&a, &kernel, &options, 3) == 0);
  double length = a.length;
  adapt(&a, look_of(.5, .9, .44, 1), 9);
  CHECK_NEAR(a.log_step, 0, 1e-9); /* walls alone */
  CHECK(a.length > 2 * length);
  adapt(&a, look_of(.5, .55, .04, 1), 1);
  CHECK(a.log_step < -.3); /* too few walls to tell */
  a.log_step = 0, a.length = length;
  adapt(&a, look_of(.1, 1, .9, 1e-3), 2);
  CHECK(a.log_step < 0 && a.length < length / 2); /* nothing but walls */
  a.log_step = 0, a.length = length;
  adapt(&a, look_of(.5, .5, 0, 1), 9);
  CHECK(a.log_step < -2 && a.length == length); /* no growth while the step falls */
  adapt(&a, look_of(.9, .9, 0, 1e-8), 9);
  CHECK(a.length == length); /* nor where none would lead anywhere */
  CHECK(dun_adaptation_credit(&a, .3, 0) == .3);
  CHECK_NEAR(.6 * dun_adaptation_credit(&a, .3, 1) + .4 * 1, .9, 1e-12);
  dun_adaptation_free(&a);
}

TEST_MAIN({"walls_are_told_from_steps", walls_are_told_from_steps},
          {"steps_answer_for_their_own", steps_answer_for_their_own})
