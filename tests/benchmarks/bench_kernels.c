#include "base/memory.h"
#include "base/vmath.h"
#include "bench.h"
#include "paths/next_time.h"
#define FIXTURE_CONTEXT bench_context
#include "fixture.h"
#include <math.h>

enum { LEAPFROGS = 10 };

/* ---- the bare loop: columns in memory, the same arithmetic, nothing else ----------------- */

struct bare {
  int d;
  double mode, step, time;
  double *x, *lp, *z, *g, *y; /* x, lp: all tiles; the others one tile */
};

/* log of .5 N(-m, I) + .5 N(m, I) up to a constant, its gradient times t, plus (1 - t) times
 * N(0, 9). */
DUN_CLONES static void bare_gradient(const struct bare *b, const double *restrict x,
                                     double *restrict g, double *restrict lp)
{
  double up[DUN_LANES] = {0}, down[DUN_LANES] = {0}, base[DUN_LANES] = {0}, p[DUN_LANES];
  x = DUN_ALIGNED(x);
  g = DUN_ALIGNED(g);
  for (int j = 0; j < b->d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double v = x[j * DUN_LANES + l], a = v - b->mode, c = v + b->mode;
      up[l] = DUN_FMA(a, a, up[l]);
      down[l] = DUN_FMA(c, c, down[l]);
    }
  for (int l = 0; l < DUN_LANES; l++)
    p[l] = dun_sigmoid(.5 * (down[l] - up[l]));
  for (int j = 0; j < b->d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double v = x[j * DUN_LANES + l];
      double pull = DUN_FMA(b->mode, DUN_FMA(2, p[l], -1), -v);
      g[j * DUN_LANES + l] = DUN_FMA(b->time, pull, (b->time - 1) * v / 9);
      base[l] = DUN_FMA(v, v, base[l]);
    }
  if (!lp)
    return;
  for (int l = 0; l < DUN_LANES; l++) {
    double high = up[l] < down[l] ? up[l] : down[l], low = up[l] < down[l] ? down[l] : up[l];
    double mixture = -.5 * high + dun_log1p(dun_exp(.5 * (high - low)));
    lp[l] = DUN_FMA(b->time, mixture, (b->time - 1) / 18 * base[l]);
  }
}

DUN_CLONES static void bare_step(const struct bare *b, double kick, double drift,
                                 const double *restrict g, double *restrict p, double *restrict x)
{
  g = DUN_ALIGNED(g);
  p = DUN_ALIGNED(p);
  x = DUN_ALIGNED(x);
  for (int j = 0; j < b->d * DUN_LANES; j++) {
    p[j] = DUN_FMA(kick, g[j], p[j]);
    x[j] = DUN_FMA(drift, p[j], x[j]);
  }
}

DUN_CLONES static void bare_kinetic(const struct bare *b, const double *restrict p, double sign,
                                    double *restrict energy)
{
  for (int j = 0; j < b->d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      energy[l] = DUN_FMA(sign * p[j * DUN_LANES + l], p[j * DUN_LANES + l], energy[l]);
}

DUN_CLONES static void bare_accept(const struct bare *b, struct dun_address address,
                                   const double *restrict energy, const double *restrict lp,
                                   double *restrict x, double *restrict old)
{
  double u[DUN_LANES] __attribute__((aligned(64))), take[DUN_LANES];
  address.purpose = DUN_PURPOSE_ACCEPT;
  dun_uniforms(address, 1, u);
  for (int l = 0; l < DUN_LANES; l++) {
    double r = lp[l] - old[l] + energy[l];
    take[l] = u[l] <= dun_exp_weight(r < 0 ? r : 0) ? 1 : 0;
    old[l] = take[l] > 0 ? lp[l] : old[l];
  }
  for (int j = 0; j < b->d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double fresh = b->y[j * DUN_LANES + l], kept = x[j * DUN_LANES + l];
      x[j * DUN_LANES + l] = take[l] > 0 ? fresh : kept;
    }
}

static void bare_hmc(struct bare *b, int64_t tile)
{
  struct dun_address address = {.seed = 1, .tile = (uint32_t)tile, .purpose = DUN_PURPOSE_PROPOSE};
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double lp[DUN_LANES] __attribute__((aligned(64)));
  double *x = b->x + tile * b->d * DUN_LANES;

  dun_normals(address, b->d, b->z);
  bare_kinetic(b, b->z, .5, energy);
  memcpy(b->y, x, (size_t)b->d * DUN_LANES * sizeof *x);
  for (int step = 0; step < LEAPFROGS; step++) {
    bare_gradient(b, b->y, b->g, NULL);
    bare_step(b, step ? b->step : .5 * b->step, b->step, b->g, b->z, b->y);
  }
  bare_gradient(b, b->y, b->g, lp);
  bare_step(b, .5 * b->step, 0, b->g, b->z, b->y);
  bare_kinetic(b, b->z, -.5, energy);
  bare_accept(b, address, energy, lp, x, b->lp + tile * DUN_LANES);
}

static void bare_rwm(struct bare *b, int64_t tile)
{
  struct dun_address address = {.seed = 1, .tile = (uint32_t)tile, .purpose = DUN_PURPOSE_PROPOSE};
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double lp[DUN_LANES] __attribute__((aligned(64)));
  double *x = b->x + tile * b->d * DUN_LANES;

  dun_normals(address, b->d, b->z);
  memcpy(b->y, x, (size_t)b->d * DUN_LANES * sizeof *x);
  bare_step(b, 0, b->step, b->g, b->z, b->y);
  bare_gradient(b, b->y, b->g, lp);
  bare_accept(b, address, energy, lp, x, b->lp + tile * DUN_LANES);
}

static double bare_ns(int d, int64_t tiles, int rwm)
{
  struct bench_timer timer = {0};
  int64_t block = (int64_t)d * DUN_LANES;
  struct bare b = {.d = d, .mode = 3, .step = .1, .time = .5};
  b.x = dun_allocate(tiles * block, sizeof(double));
  b.lp = dun_allocate(tiles * DUN_LANES, sizeof(double));
  b.z = dun_allocate(block, sizeof(double));
  b.g = dun_allocate(block, sizeof(double));
  b.y = dun_allocate(block, sizeof(double));
  while (bench_again(&timer))
    for (int64_t i = 0; i < tiles; i++)
      (rwm ? bare_rwm : bare_hmc)(&b, i);
  dun_free(b.x);
  dun_free(b.lp);
  dun_free(b.z);
  dun_free(b.g);
  dun_free(b.y);
  return bench_ns(&timer, tiles * DUN_LANES);
}

/* ---- the sweeps -------------------------------------------------------------------------- */

static struct dun_run *run_of(struct fixture *fixture, int d, int64_t particles, const char *kernel)
{
  char text[1024];
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %lld}\n"
           "target: {type: gaussian_mixture, dimension: %d, layout: two_modes, separation: 3}\n"
           "path: {type: geometric, base: {type: gaussian, scale: 3}}\n"
           "kernel: {type: %s}\nmethod: {type: smc}\n",
           (long long)particles, d, kernel);
  struct dun_run *run = fixture_make(fixture, text);
  if (run->method->start(&bench_context, run->method_self, run) < 0 ||
      run->method->advance(&bench_context, run->method_self, run) < 0)
    MPI_Abort(bench_context.comm, 1);
  return run;
}

static void sweep(struct bench_result *result, int d, int64_t particles, const char *kernel)
{
  struct fixture fixture;
  struct bench_timer timer = {0};
  struct dun_look look;
  struct dun_run *run = run_of(&fixture, d, particles, kernel);
  int64_t tiles = run->population.tiles.count;

  run->adaptation->log_step = dun_log(.1 / 3);
  for (int j = 0; j < d; j++)
    run->adaptation->scale.value[j] = 3;
  dun_sweep_remember(&run->sweep, .5);
  while (bench_again(&timer))
    dun_sweep_move(&bench_context, &run->sweep, dun_run_address(run, 0), .5, INT64_MAX, &look);
  result->ns = bench_ns(&timer, run->population.tiles.local);
  fixture_free(&fixture);
  result->bare = bare_ns(d, tiles, kernel[0] == 'r');
}

#define HMC "hmc, leapfrog_steps: 10"
static void rwm_2(struct bench_result *result)
{
  sweep(result, 2, 1000000, "rwm");
}
static void rwm_10(struct bench_result *result)
{
  sweep(result, 10, 400000, "rwm");
}
static void hmc_2(struct bench_result *result)
{
  sweep(result, 2, 400000, HMC);
}
static void hmc_10(struct bench_result *result)
{
  sweep(result, 10, 200000, HMC);
}
static void hmc_50(struct bench_result *result)
{
  sweep(result, 50, 50000, HMC);
}

static void next_time(struct bench_result *result)
{
  struct fixture fixture;
  struct bench_timer timer = {0};
  struct dun_next next;
  struct dun_run *run = run_of(&fixture, 10, 1000000, "rwm");

  while (bench_again(&timer))
    dun_next_time(&bench_context, &run->population, run->path, run->path_self, run->sweep.part_lp,
                  run->logw, 0, .9, &next);
  result->ns = bench_ns(&timer, run->population.tiles.local);
  fixture_free(&fixture);
}

const struct bench_row bench_kernels[] = {
    {.work = "RWM move, 2-D two-mode mixture", .measure = rwm_2},
    {.work = "RWM move, 10-D two-mode mixture", .slots = 2800, .measure = rwm_10},
    {.work = "HMC move of 10 leapfrogs, d = 2", .slots = 4500, .measure = hmc_2},
    {.work = "HMC move of 10 leapfrogs, d = 10", .slots = 9000, .measure = hmc_10},
    {.work = "HMC move of 10 leapfrogs, d = 50", .slots = 37000, .measure = hmc_50},
    {.work = "the whole next temperature", .slots = 1500, .measure = next_time},
    {0},
};
