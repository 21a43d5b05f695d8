/* The sampler of sequential controlled Langevin diffusions before any learning, at its published
 * settings: 128 annealed steps, 2000 particles, a Hamiltonian move of ten leapfrogs at the end of
 * each piece with a step size that follows the time.  log Z, the bounds on it (ELBO), with moves
 * and selection and without, how often it selected, and the acceptance, against the figures that an
 * independent implementation gives for it, means of three runs. */
#ifndef DUNLIN_TESTS_UNTRAINED_H
#define DUNLIN_TESTS_UNTRAINED_H

#include "base/scalar.h"
#include "fixture.h"
#include "parallel/sum.h"
#include "subject.h"

enum { RUNS = 3, PARTICLES = 2000 };

/* A mean of three runs, and the spread between runs. */
struct figure {
  double mean, deviation;
};

struct known {
  const char *name, *data, *target;
  double scale, largest; /* of the first law; of the diffusion */
  int pieces;
  double step[2];                       /* at t = 0, and from 1/2 on */
  struct figure bound, evidence, alone; /* ELBO and log Z; ELBO without selection and moves */
  double selections[2];                 /* least and most mean number */
  double acceptance;
};

struct found {
  double bound, evidence, selections, acceptance;
};

/* Puts what stands for WORD in the text. */
static inline void replace(char *text, size_t size, const char *word, const char *by)
{
  char *at = strstr(text, word), rest[1024];

  if (!at)
    return;
  snprintf(rest, sizeof rest, "%s", at + strlen(word));
  snprintf(at, size - (size_t)(at - text), "%s%s", by, rest);
}

static inline struct dun_run *make(struct fixture *fixture, const struct known *k,
                                   const char *folder, int seed, int moves)
{
  char target[1024], text[2048], data[1024];

  snprintf(data, sizeof data, "%s/%s", folder, k->data ? k->data : "");
  snprintf(target, sizeof target, "%s", k->target);
  replace(target, sizeof target, "SOURCE", source_folder());
  replace(target, sizeof target, "DATA", data);
  snprintf(
      text, sizeof text,
      "run: {seed: %d, particles: %d}\ntarget: {%s}\n"
      "path: {type: controlled, base: {scale: %g}, pieces: %d, diffusion: {largest: %g}}\n"
      "%smethod: {type: smc, resampling: multinomial, ess_threshold: %g, moves_per_step: %d}\n",
      seed, PARTICLES, target, k->scale, k->pieces, k->largest,
      moves ? "kernel: {type: hmc, metric: identity, step_size: 1, jitter: 0, leapfrog_steps: "
              "10}\n"
            : "",
      moves ? .3 : 0, moves);
  return fixture_make(fixture, text);
}

/* Linear in the time up to 1/2. */
static inline void set_step(struct dun_run *run, const double step[2])
{
  double share = run->now.time < .5 ? 2 * run->now.time : 1;
  for (int half = 0; half < DUN_HALVES; half++)
    run->adaptation[half].log_step = dun_scalar_log(step[0] + share * (step[1] - step[0]));
}

/* sum_i W_i log w_i of the weights that the tick brought, W being those before it, or, where
 * nothing is selected, equal. */
static inline double mean_of_logs(const struct dun_run *run, const double *before)
{
  const double *after = dun_f64(run->logw);
  struct dun_exact sum[2] = {0};
  double total[2];

  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double weight = run->kernel ? exp(before[i]) : 1;
    dun_exact_add(&sum[0], weight);
    if (weight > 0)
      dun_exact_add(&sum[1], weight * (after[i] - before[i]));
  }
  CHECK(dun_sum(&test_context, 0, 2, sum, total) == 0);
  return total[1] / total[0];
}

static inline int64_t selections_of(const struct dun_run *run)
{
  const struct dun_state *row = run->method->type.state;
  while (strcmp(row->name, "selections") != 0)
    row++;
  return *(const int64_t *)(const void *)((const char *)run->method_self + row->offset);
}

/* Adds a run's figures to the means. */
static inline void add_run(struct dun_run *run, const struct known *k, struct found *mean)
{
  int64_t n = run->population.tiles.local, step = 0;
  double *before = malloc((size_t)(n + 1) * sizeof *before);
  int status;

  CHECK(run->method->start(&test_context, run->method_self, run) == 0);
  do {
    memcpy(before, dun_f64(run->logw), (size_t)n * sizeof *before);
    if (run->kernel)
      set_step(run, k->step);
    status = run->method->advance(&test_context, run->method_self, run);
    if (run->now.step > step)
      mean->bound += mean_of_logs(run, before) / RUNS;
    if (status == DUN_TICK_STEP)
      mean->acceptance += run->now.acceptance / k->pieces / RUNS;
    step = run->now.step;
    run->tick++;
  } while (status > 0);
  CHECK(status == DUN_TICK_DONE);
  mean->evidence += run->now.log_evidence / RUNS;
  mean->selections += (double)selections_of(run) / RUNS;
  free(before);
}

static inline struct found run_all(const struct known *k, const char *folder, int moves)
{
  struct found mean = {0};

  for (int seed = 1; seed <= RUNS; seed++) {
    struct fixture fixture;
    add_run(make(&fixture, k, folder, seed, moves), k, &mean);
    fixture_free(&fixture);
  }
  return mean;
}

/* Both are means of RUNS runs of the same spread. */
static inline double deviation(double found, struct figure due)
{
  return (found - due.mean) / (due.deviation * sqrt(2. / RUNS));
}

static inline void judge(const struct known *k, const char *folder)
{
  struct found with = run_all(k, folder, 1), without = run_all(k, folder, 0);
  double off[] = {deviation(with.bound, k->bound), deviation(with.evidence, k->evidence),
                  deviation(without.bound, k->alone)};

  if (test_context.rank == 0)
    printf("%s: ELBO %.3f (%.1f), log Z %.3f (%.1f), %.1f selections, acceptance %.3f; alone ELBO "
           "%.2f (%.1f)\n",
           k->name, with.bound, off[0], with.evidence, off[1], with.selections, with.acceptance,
           without.bound, off[2]);
  for (int i = 0; i < 3; i++)
    CHECK(fabs(off[i]) <= 5);
  CHECK(with.selections >= k->selections[0] - .7 && with.selections <= k->selections[1] + .7);
  CHECK_NEAR(with.acceptance, k->acceptance, .005);
}

/* Those of the table whose data are at hand. */
static inline void judge_all(size_t count, const struct known *known)
{
  char there[1024], file[2048];
  const char *folder = getenv("DUNLIN_DATA");

  snprintf(there, sizeof there, "%s/../shared/data", source_folder());
  folder = folder ? folder : there;
  for (size_t i = 0; i < count; i++) {
    snprintf(file, sizeof file, "%s/%s", folder, known[i].data ? known[i].data : "");
    if (known[i].data && access(file, R_OK))
      continue;
    judge(&known[i], folder);
  }
}

#endif
