/* ranks: 1 2 */
/* Contract of every registered method that estimates log Z: a Gaussian with a known one, against
 * the reported error, limit 5; 1 comparison a setting, fixed seeds. */
#include "fixture.h"

static const struct {
  const char *name, *method, *kernel, *path;
} settings[] = {
    {"smc", "ess_threshold: .8", "hmc", "base: {type: gaussian, scale: 3}"},
    {"smc", "resampling: multinomial, moves_per_step: 3", "rwm",
     "base: {type: gaussian, scale: 3}, schedule: {type: fixed, steps: 20}"},
    {"smc", "resampling: residual", "hmc",
     "base: {type: fitted, scale: 5, pilot_moves: 20, pilot_chains: 300}"},
    {"smc", "resampling: stratified", "hmc",
     "base: {type: fitted, scale: 5, pilot_moves: 20, covariance: diagonal}"},
    {"smc", "moves_per_step: 2", "underdamped", "base: {type: gaussian, scale: 3}"},
    {"smc", "moves_per_step: 2", "underdamped, metropolised: false",
     "base: {type: gaussian, scale: 3}"},
    {"smc", "moves_per_step: 2", "underdamped, metropolised: false, scheme: baoab",
     "base: {type: gaussian, scale: 3}"},
    {"tempering", "temperatures: 8, warmup: 200, sweeps: 300", "hmc",
     "base: {type: gaussian, scale: 3}"},
    {"tempering", "temperatures: 20, warmup: 300, sweeps: 300", "rwm",
     "base: {type: gaussian, scale: 3}"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void every_method_has_settings(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_METHOD); *t; t++) {
    int found = 0;
    for (size_t i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*t)->name);
    CHECK(found);
  }
}

static void log_evidence_is_right(void)
{
  for (size_t i = 0; i < SETTINGS; i++) {
    struct fixture fixture;
    char text[1024];
    int status;
    snprintf(text, sizeof text,
             "run: {seed: 11, particles: 2000}\n"
             "target: {type: gaussian, dimension: 5, mean: 1, log_evidence: 1.7, covariance: "
             "{type: toeplitz, correlation: .5}}\n"
             "path: {type: geometric, %s}\nkernel: {type: %s}\nmethod: {type: %s, %s}\n",
             settings[i].path, settings[i].kernel, settings[i].name, settings[i].method);
    struct dun_run *run = fixture_make(&fixture, text);
    CHECK(run->method->start(&test_context, run->method_self, run) == 0);
    do {
      status = run->method->advance(&test_context, run->method_self, run);
      run->tick++;
    } while (status > 0);
    CHECK(status == DUN_TICK_DONE);
    CHECK_NEAR(run->now.log_evidence, 1.7, 5 * run->now.log_evidence_error);
    CHECK(run->now.log_evidence_error > 0 && run->now.log_evidence_error < .15);
    CHECK(run->now.time == 1);
    fixture_free(&fixture);
  }
}

TEST_MAIN({"every_method_has_settings", every_method_has_settings},
          {"log_evidence_is_right", log_evidence_is_right})
