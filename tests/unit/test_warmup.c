/* At which acceptance the last window of a warm-up aims. */
#include "check.h"
#include "kernels/warmup.h"
#include "population/population.h"

enum { SWEEPS = 50, LENGTH = 60 };

/* The log step size after sweeps of the last window, in which chains may be on their way; so many
 * of the moves have no chance, and all the others are accepted. */
static double step_after(double frozen, int64_t rising, double change)
{
  struct dun_population population = {.tiles = dun_tiles_of(3, 3, 0, 1)}; /* too few to be lost */
  struct dun_sweep s = {.population = &population, .d = 1};
  struct dun_adaptation a = {.adapt_step = 1, .target_acceptance = .9, .long_moves = 1};
  struct dun_look look = {.acceptance = 1 - frozen, .seen = 1 - frozen, .frozen = frozen};
  struct dun_warmup w = {
      .length = LENGTH, .number = 5, .last = 1, .rising = rising, .change = change};

  for (int i = 0; i < SWEEPS; i++)
    CHECK(dun_warmup_update(&test_context, &w, &a, &s, (struct dun_address){.seed = 1}, 1, &look) ==
          0);
  CHECK(w.window == SWEEPS && !w.over);
  return a.log_step;
}

/* The pooled acceptance is at its target, so that a step falls only where more is aimed at. */
static void the_last_window_aims_higher(void)
{
  static const double few = .1, none = 0;

  CHECK(step_after(few, 1, 1) < -1);  /* on their way, but these steps are those of the draws */
  CHECK(step_after(few, 0, .1) < -1); /* at rest */
  CHECK(step_after(none, 1, 1) > 1);  /* all is accepted */
}

TEST_MAIN({"the_last_window_aims_higher", the_last_window_aims_higher})
