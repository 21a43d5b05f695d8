/* Moves in Fourier space, and as bare loop the same moves without a metric, in turns. */
#include "bench.h"
#define FIXTURE_CONTEXT bench_context
#include "fixture.h"

enum { TURNS = 3 };

static struct dun_run *run_of(struct fixture *fixture, int side, int64_t particles,
                              const char *metric)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %lld}\n"
           "target: {type: phi4, side: %d, mass2: -1, coupling: 0.25}\n"
           "path: {type: constant, start: {scale: 0.5}}\n"
           "kernel: {type: hmc, leapfrog_steps: 8, step_size: 0.1, metric: %s}\n"
           "method: {type: langevin, warmup: 0, draws: 1}\n",
           (long long)particles, side, metric);
  struct dun_run *run = fixture_make(fixture, text);
  if (run->method->start(&bench_context, run->method_self, run) < 0 ||
      run->method->advance(&bench_context, run->method_self, run) < 0)
    MPI_Abort(bench_context.comm, 1);
  return run;
}

static double move_ns(struct dun_run *run)
{
  struct bench_timer timer = {0};
  struct dun_look look;
  while (bench_again(&timer))
    dun_sweep_move(&bench_context, &run->sweep, dun_run_address(run, 0), 1, INT64_MAX, &look);
  return bench_ns(&timer, run->population.tiles.local);
}

static void fourier(struct bench_result *result, int side)
{
  struct fixture fixture[2];
  int64_t particles = bench_context.size * (int64_t)DUN_LANES * (side < 32 ? 4 : 1);
  struct dun_run *in_space = run_of(&fixture[0], side, particles, "fourier, mass: 0.3");
  struct dun_run *plain = run_of(&fixture[1], side, particles, "identity");
  for (int turn = 0; turn < TURNS; turn++) {
    double one = move_ns(in_space), other = move_ns(plain);
    result->ns = turn == 0 || one < result->ns ? one : result->ns;
    result->bare = turn == 0 || other < result->bare ? other : result->bare;
  }
  fixture_free(&fixture[1]);
  fixture_free(&fixture[0]);
}

static void side_16(struct bench_result *result)
{
  fourier(result, 16);
}
static void side_32(struct bench_result *result)
{
  fourier(result, 32);
}
static void side_64(struct bench_result *result)
{
  fourier(result, 64);
}

const struct bench_row bench_fields[] = {
    {.work = "Fourier HMC move of 8 leapfrogs, phi4 16 x 16", .times = 4, .measure = side_16},
    {.work = "Fourier HMC move of 8 leapfrogs, phi4 32 x 32", .times = 4, .measure = side_32},
    {.work = "Fourier HMC move of 8 leapfrogs, phi4 64 x 64", .times = 4, .measure = side_64},
    {0},
};
