/* Steps of method flow with the exact denoiser of a mixture of 8 components: a particle's step,
 * with what it costs to load and store it, to look at its noise and to book the tick.  Bare: the
 * same normals, the denoiser's sums of bench_denoiser, and the update, on a tile that stays where
 * it is. */
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "bench.h"
#define FIXTURE_CONTEXT bench_context
#include "fixture.h"

enum { COMPONENTS = 8 };

/* ---- the bare loop --------------------------------------------------------------------------- */

struct bare {
  int d;
  double *z, *n, *mean, *share, *centre; /* [d][64] three times, [8][64], [8][d] */
};

/* Means of the components, weighed by one exponential each. */
DUN_CLONES static void bare_denoise(const struct bare *b, const double *restrict z,
                                    double *restrict mean)
{
  double sum[DUN_LANES] = {0};
  for (int k = 0; k < COMPONENTS; k++) {
    double *restrict q = b->share + (int64_t)k * DUN_LANES;
    const double *restrict m = b->centre + (int64_t)k * b->d;
    for (int l = 0; l < DUN_LANES; l++)
      q[l] = 0;
    for (int64_t j = 0; j < b->d; j++)
      for (int l = 0; l < DUN_LANES; l++) {
        double away = z[j * DUN_LANES + l] - m[j];
        q[l] = DUN_FMA(away, away, q[l]);
      }
    for (int l = 0; l < DUN_LANES; l++) {
      q[l] = dun_exp_weight(-1e-3 * q[l]);
      sum[l] += q[l];
    }
  }
  for (int l = 0; l < DUN_LANES; l++)
    sum[l] = 1 / sum[l];
  for (int64_t j = 0; j < b->d; j++) {
    for (int l = 0; l < DUN_LANES; l++)
      mean[j * DUN_LANES + l] = 0;
    for (int k = 0; k < COMPONENTS; k++) {
      const double *restrict q = b->share + (int64_t)k * DUN_LANES;
      double m = b->centre[(int64_t)k * b->d + j];
      for (int l = 0; l < DUN_LANES; l++)
        mean[j * DUN_LANES + l] = DUN_FMA(q[l], m, mean[j * DUN_LANES + l]);
    }
    for (int l = 0; l < DUN_LANES; l++)
      mean[j * DUN_LANES + l] *= sum[l];
  }
}

DUN_CLONES static void bare_update(int d, const double *restrict mean, const double *restrict n,
                                   double *restrict z)
{
  for (int64_t i = 0; i < (int64_t)d * DUN_LANES; i++)
    z[i] = DUN_FMA(.1, n[i], DUN_FMA(.9, z[i], .1 * mean[i]));
}

static double bare_step(int d)
{
  struct bench_timer timer = {0};
  struct dun_address address = {.seed = 5, .purpose = DUN_PURPOSE_TEST};
  struct bare b = {.d = d,
                   .z = dun_allocate(d, DUN_LANES * sizeof(double)),
                   .n = dun_allocate(d, DUN_LANES * sizeof(double)),
                   .mean = dun_allocate(d, DUN_LANES * sizeof(double)),
                   .share = dun_allocate(COMPONENTS, DUN_LANES * sizeof(double)),
                   .centre = dun_allocate(COMPONENTS, (size_t)d * sizeof(double))};
  if (!b.z || !b.n || !b.mean || !b.share || !b.centre)
    MPI_Abort(bench_context.comm, 1);
  dun_normals(address, d, b.z);
  for (int i = 0; i < COMPONENTS * d; i++)
    b.centre[i] = b.z[i % (d * DUN_LANES)];
  while (bench_again(&timer)) {
    bare_denoise(&b, b.z, b.mean);
    address.step++;
    dun_normals(address, d, b.n);
    bare_update(d, b.mean, b.n, b.z);
  }
  bench_keep(b.z[0]);
  DUN_FREE(b.z);
  DUN_FREE(b.n);
  DUN_FREE(b.mean);
  DUN_FREE(b.share);
  DUN_FREE(b.centre);
  return bench_ns(&timer, DUN_LANES);
}

/* ---- the method ------------------------------------------------------------------------------ */

/* A mixture of eight in d dimensions: in the first two the corners of an octagon, else 0. */
static char *input(int d, long long particles, int steps, int stride)
{
  static char text[1 << 18];
  int at = snprintf(text, sizeof text,
                    "run: {seed: 1, particles: %lld}\ntarget: {type: gaussian_mixture, means: [",
                    particles);
  for (int k = 0; k < COMPONENTS; k++) {
    at += snprintf(text + at, sizeof text - (size_t)at, "%s[", k ? ", " : "");
    for (int j = 0; j < d; j++)
      at += snprintf(text + at, sizeof text - (size_t)at, "%s%d", j ? "," : "",
                     j < 2 ? ((k >> j & 1) ? 3 : -3) * (1 + (k >> 2)) : (j + k) % 3);
    at += snprintf(text + at, sizeof text - (size_t)at, "]");
  }
  snprintf(text + at, sizeof text - (size_t)at,
           "]}\nmethod: {type: flow, grid: {steps: %d}, stride: %d, process: {type: interpolant, "
           "scale: 3}, noise: {alpha: 3}}\n",
           steps, stride);
  return text;
}

static void begin(struct dun_run *run)
{
  if (run->method->start(&bench_context, run->method_self, run) < 0 ||
      run->method->advance(&bench_context, run->method_self, run) < 0)
    MPI_Abort(bench_context.comm, 1);
  run->tick = 1;
}

/* Of a tick of `stride` steps; a march that is over begins again. */
static double method_step(int d, long long particles, int steps, int stride)
{
  struct bench_timer timer = {0};
  struct fixture fixture;
  struct dun_run *run = fixture_make(&fixture, input(d, particles, steps, stride));
  begin(run);
  while (bench_again(&timer)) {
    if (run->now.step >= steps)
      begin(run);
    if (run->method->advance(&bench_context, run->method_self, run) < 0)
      MPI_Abort(bench_context.comm, 1);
    dun_pass_forget(&run->sweep.pass);
    run->tick++;
  }
  double ns = 1e9 * timer.best / ((double)particles * stride);
  fixture_free(&fixture);
  return ns;
}

#define FLOW(d, particles, steps, stride)                                                          \
  static void flow_##d(struct bench_result *result)                                                \
  {                                                                                                \
    result->ns = method_step(d, particles, steps, stride);                                         \
    result->bare = bare_step(d);                                                                   \
  }

FLOW(2, 16384, 1000, 10)
FLOW(8, 16384, 1000, 10)
FLOW(64, 4096, 1000, 10)
FLOW(3072, 256, 1000, 10)

/* A hundred steps, one a tick: every particle is loaded and stored for each of them. */
static void flow_million(struct bench_result *result)
{
  result->ns = method_step(2, 1000000, 100, 1);
  result->bare = bare_step(2);
}

const struct bench_row bench_flow[] = {
    {.work = "step, d = 2", .times = 2, .measure = flow_2},
    {.work = "step, d = 8", .times = 2, .measure = flow_8},
    {.work = "step, d = 64", .times = 2, .measure = flow_64},
    {.work = "step, d = 3072", .times = 2, .measure = flow_3072},
    {.work = "step, d = 2, a million", .times = 2, .measure = flow_million},
    {0},
};
