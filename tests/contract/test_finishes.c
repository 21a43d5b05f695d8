/* ranks: 1 2 3 */
/* Contract of every registered finish: after smc and tempering it leaves log Z and the shares of
 * modes as its reported errors say; limit 5; 2 comparisons a setting in each of 3 numbers of ranks,
 * fixed seeds.  The draws are independent, so the errors are those of importance sampling and
 * small. */
#include "fixture.h"
#include "population/weights.h"

#define SMC       "smc, moves_per_step: 2"
#define TEMPERING "tempering, temperatures: 10, warmup: 200, draws: 0"

static const struct {
  const char *name, *method, *finish, *target;
  double cut, share; /* mass where the first coordinate is below the cut */
} settings[] = {
    {"fit_and_reweight", SMC, "covariance: dense",
     "dimension: 10, layout: two_modes, separation: 3, weights: [.2, .8]", 0, .2},
    {"fit_and_reweight", TEMPERING, "covariance: diagonal",
     "dimension: 1, layout: two_modes, separation: 5, weights: [.1, .9]", 0, .1},
    {"fit_and_reweight", TEMPERING, "covariance: dense",
     "dimension: 10, layout: two_modes, separation: 3, weights: [.2, .8]", 0, .2},
    {"fit_and_reweight", SMC, "covariance: diagonal, share: .1",
     "dimension: 2, layout: two_modes, separation: 4, weights: [.3, .7]", 0, .3},
    {"fit_and_reweight", SMC, "covariance: diagonal, inflate: 1.5", "layout: grid", 0, -1},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void every_finish_has_settings(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_FINISH); *t; t++) {
    int found = 0;
    for (size_t i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*t)->name);
    CHECK(found);
  }
}

struct below {
  const struct dun_run *run;
  double cut;
};

static void is_below(void *data, int64_t tile, double *f)
{
  const struct below *b = data;
  const struct dun_tiles *tiles = &b->run->population.tiles;
  int n = dun_tile_size(tiles, tiles->first_tile + tile), d = b->run->evaluator->dimension;
  for (int l = 0; l < n; l++)
    f[l] = dun_f64(b->run->x)[(tile * tiles->tile + l) * d] < b->cut;
}

static int to_the_end(struct dun_run *run, struct dun_part *part)
{
  const struct dun_finish *finish = (const struct dun_finish *)part->type;
  int status = run->method->start(&test_context, run->method_self, run);
  while (status >= 0 &&
         (status = run->method->advance(&test_context, run->method_self, run)) != DUN_TICK_DONE)
    run->tick++;
  do {
    run->tick++;
    if (status >= 0)
      status = finish->advance(&test_context, part->self, run);
  } while (status > 0);
  return status;
}

static void check_setting(size_t i)
{
  struct fixture fixture;
  char text[1024];
  double share, deviation, error;
  struct dun_weights weights = {0};
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: 2000}\ntarget: {type: gaussian_mixture, %s}\n"
           "path: {type: geometric, base: {type: gaussian, scale: 6}}\nkernel: {type: hmc}\n"
           "method: {type: %s}\nfinish: [{type: %s, %s}]\n",
           settings[i].target, settings[i].method, settings[i].name, settings[i].finish);
  struct dun_run *run = fixture_make(&fixture, text);
  double log_z = run->target->log_evidence(run->evaluator->self);
  struct below below = {run, settings[i].cut};
  CHECK(to_the_end(run, &fixture.assembly.finishes.part[0]) == DUN_TICK_DONE);
  CHECK_NEAR(run->now.log_evidence, log_z, 5 * run->now.log_evidence_error);
  CHECK(run->now.log_evidence_error > 0 && run->now.log_evidence_error < .05);
  CHECK(run->now.ess > 400);
  CHECK(dun_weights_compute(&test_context, &run->population, run->logw, &weights) == 0);
  CHECK(dun_weighted_moments(&test_context, &run->population, run->root, run->logw, &weights, 1,
                             is_below, &below, &share, &deviation, &error) == 0);
  if (settings[i].share >= 0)
    CHECK_NEAR(share, settings[i].share, 5 * error);
  CHECK(error < .03);
  dun_weights_free(&weights);
  fixture_free(&fixture);
}

static void leaves_the_target(void)
{
  for (size_t i = 0; i < SETTINGS; i++)
    check_setting(i);
}

TEST_MAIN({"every_finish_has_settings", every_finish_has_settings},
          {"leaves_the_target", leaves_the_target})
