/* Posterior means of mixtures at one noise for all, the work of a step of a diffusion's sampler.
 * Bare: of all components the distances, one exponential and the sum of means, with no constants
 * of theirs and nothing that keeps large numbers from cancelling. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "bench.h"
#include "numerics/mixture.h"
#include <stdlib.h>

enum { L = DUN_LANES, MOST = 40 };

struct sums {
  int d, components;
  const double *mean; /* [K][d] */
  double share[MOST][L] __attribute__((aligned(64)));
};

DUN_CLONES static void bare_sums(struct sums *s, const double *restrict x, double *restrict out)
{
  double sum[L] = {0};
  for (int k = 0; k < s->components; k++) {
    double *restrict q = s->share[k];
    const double *restrict m = s->mean + (int64_t)k * s->d;
    for (int l = 0; l < L; l++)
      q[l] = 0;
    for (int64_t j = 0; j < s->d; j += 2)
      for (int l = 0; l < L; l++) {
        double a = x[j * L + l] - m[j], b = x[(j + 1) * L + l] - m[j + 1];
        q[l] = DUN_FMA(b, b, DUN_FMA(a, a, q[l]));
      }
    for (int l = 0; l < L; l++) {
      q[l] = dun_exp_weight(-1e-3 * q[l]);
      sum[l] += q[l];
    }
  }
  for (int l = 0; l < L; l++)
    sum[l] = 1 / sum[l];
  for (int64_t j = 0; j < s->d; j++) {
    for (int l = 0; l < L; l++)
      out[j * L + l] = 0;
    for (int k = 0; k < s->components; k += 2) {
      const double *restrict p = s->share[k], *restrict q = s->share[k + 1];
      double a = s->mean[k * (int64_t)s->d + j], b = s->mean[(k + 1) * (int64_t)s->d + j];
      for (int l = 0; l < L; l++)
        out[j * L + l] = DUN_FMA(q[l], b, DUN_FMA(p[l], a, out[j * L + l]));
    }
    for (int l = 0; l < L; l++)
      out[j * L + l] *= sum[l];
  }
}

/* Means of scale 3, components of scale 1, states at noise of scale 1. */
static int make(struct dun_mixture *m, int d, int components, double *x)
{
  struct dun_address address = {.seed = 3, .purpose = DUN_PURPOSE_TEST};
  if (dun_mixture_init(m, d, components) < 0)
    return DUN_ERROR_MEMORY;
  for (int k = 0; k < components; k++) {
    m->weight[k] = m->deviation[k] = 1;
    address.tile = (uint32_t)k;
    dun_normals(address, d, x);
    for (int j = 0; j < d; j++)
      m->mean[(int64_t)k * d + j] = 3 * x[j * L];
  }
  address.step = 1;
  dun_normals(address, d, x);
  for (int64_t i = 0; i < (int64_t)d * L; i++)
    x[i] = DUN_FMA(1.5, x[i], m->mean[i % L % components * d + i / L]);
  return dun_mixture_set(m);
}

static void denoise(struct bench_result *result, int d, int components)
{
  static struct sums sums;
  static double lambda[L] __attribute__((aligned(64)));
  struct dun_mixture m = {0};
  double *x = dun_allocate(d, L * sizeof *x), *mean = dun_allocate(d, L * sizeof *mean);
  double *work = dun_allocate(components, L * sizeof *work);
  struct bench_timer bare = {0}, timer = {0};
  if (!x || !mean || !work || make(&m, d, components, x) < 0)
    MPI_Abort(bench_context.comm, 1);
  for (int l = 0; l < L; l++)
    lambda[l] = 1;
  struct dun_tilted tilted = {.n = L, .h = x, .lambda = lambda, .mean = mean};
  while (bench_again(&timer))
    dun_mixture_tilted(&m, &tilted, work);
  bench_keep(mean[0]);
  sums.d = d;
  sums.components = components;
  sums.mean = m.mean;
  while (bench_again(&bare))
    bare_sums(&sums, x, mean);
  bench_keep(mean[0]);
  result->ns = bench_ns(&timer, L);
  result->bare = bench_ns(&bare, L);
  dun_mixture_free(&m);
  DUN_FREE(x);
  DUN_FREE(mean);
  DUN_FREE(work);
}

#define DENOISE(d, components)                                                                     \
  static void denoise_##d(struct bench_result *result)                                             \
  {                                                                                                \
    denoise(result, d, components);                                                                \
  }

DENOISE(2, MOST)
DENOISE(8, 8)
DENOISE(64, 8)
DENOISE(3072, 8)

const struct bench_row bench_denoiser[] = {
    {.work = "40 components, d = 2", .times = 2, .measure = denoise_2},
    {.work = "8 components, d = 8", .times = 2, .measure = denoise_8},
    {.work = "8 components, d = 64", .times = 2, .measure = denoise_64},
    {.work = "8 components, d = 3072", .times = 2, .measure = denoise_3072},
    {0},
};
