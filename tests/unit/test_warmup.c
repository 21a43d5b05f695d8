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

/* Sweeps with moves of no chance, then as many without. */
static struct dun_warmup after_halves(double first, double second, double narrow, double *step)
{
  struct dun_population population = {.tiles = dun_tiles_of(3, 3, 0, 1)};
  struct dun_sweep s = {.population = &population, .d = 1};
  struct dun_adaptation a = {.adapt_step = 1, .target_acceptance = .9, .long_moves = 1};
  struct dun_warmup w = {.length = LENGTH, .number = 5, .last = 1, .narrow = narrow};

  for (int i = 0; i < LENGTH - 1; i++) {
    double frozen = i < LENGTH / 2 ? first : second;
    struct dun_look look = {.acceptance = .9, .seen = .9, .frozen = frozen};
    CHECK(dun_warmup_update(&test_context, &w, &a, &s, (struct dun_address){.seed = 1}, 1, &look) ==
          0);
  }
  *step = a.log_step;
  return w;
}

/* A step that is still on its way down tells nothing of how narrow a target is; what the window
 * before found, at rest, does. */
static void narrow_parts_are_met_at_rest(void)
{
  double none, some, before;

  CHECK(after_halves(0, 0, 0, &none).frozen == 0);
  CHECK(after_halves(.5, 0, 0, &some).frozen == 0);
  CHECK_NEAR(after_halves(0, .01, 0, &some).frozen, .01 * 29 / 30, 1e-12);
  after_halves(0, 0, .01, &before);
  CHECK_NEAR(none, 0, 1e-9); /* the acceptance is at its target */
  CHECK(some < none - .2 && before < none - 1);
}

/* Moves are not tried again but in the last window. */
static void moves_are_tried_again_at_last(void)
{
  struct dun_warmup w = {.length = LENGTH, .number = 9, .change = 1};

  CHECK(!dun_warmup_retries(&w));
  w.last = 1;
  CHECK(dun_warmup_retries(&w));
}

TEST_MAIN({"the_last_window_aims_higher", the_last_window_aims_higher},
          {"narrow_parts_are_met_at_rest", narrow_parts_are_met_at_rest},
          {"moves_are_tried_again_at_last", moves_are_tried_again_at_last})
