/* Unadjusted Langevin steps along the dilation path, as method langevin makes them: a tick is one
 * level, one step of every chain. */
#include "base/memory.h"
#include "base/vmath.h"
#include "bench.h"
#define FIXTURE_CONTEXT bench_context
#include "fixture.h"
#include <math.h>

enum { LEVELS = 40 };

/* ---- the bare loop: columns in memory, the same arithmetic, nothing else ----------------- */

struct bare {
  int d, components;
  int64_t tiles;
  double *mean, *share, *width; /* [components][d], [components], [components] */
  double *x;                    /* [tiles][d][64] */
  double *z, *g, *p;            /* [d][64], [d][64], [components][64] */
};

DUN_CLONES static void bare_contract(int d, double factor, double *restrict x)
{
  x = DUN_ALIGNED(x);
  for (int i = 0; i < d * DUN_LANES; i++)
    x[i] *= factor;
}

/* p[components][64]: the components' shares at x. */
DUN_CLONES static void bare_shares(const struct bare *b, const double *restrict x,
                                   double *restrict p)
{
  double top[DUN_LANES], sum[DUN_LANES];
  x = DUN_ALIGNED(x);
  p = DUN_ALIGNED(p);
  for (int l = 0; l < DUN_LANES; l++) {
    top[l] = -1e300;
    sum[l] = 0;
  }
  for (int k = 0; k < b->components; k++) {
    double square[DUN_LANES] = {0};
    double *restrict own = DUN_ALIGNED(p + k * DUN_LANES);
    double half = .5 / (b->width[k] * b->width[k]);
    for (int j = 0; j < b->d; j++) {
      double mean = b->mean[k * b->d + j];
      for (int l = 0; l < DUN_LANES; l++) {
        double away = x[j * DUN_LANES + l] - mean;
        square[l] = DUN_FMA(away, away, square[l]);
      }
    }
    for (int l = 0; l < DUN_LANES; l++) {
      double value = b->share[k] - half * square[l];
      own[l] = value;
      top[l] = value > top[l] ? value : top[l];
    }
  }
  for (int k = 0; k < b->components; k++)
    for (int l = 0; l < DUN_LANES; l++) {
      double value = dun_exp_weight(p[k * DUN_LANES + l] - top[l]);
      p[k * DUN_LANES + l] = value;
      sum[l] += value;
    }
  for (int l = 0; l < DUN_LANES; l++)
    sum[l] = 1 / sum[l];
  for (int k = 0; k < b->components; k++) {
    double precision = 1 / (b->width[k] * b->width[k]);
    for (int l = 0; l < DUN_LANES; l++)
      p[k * DUN_LANES + l] *= precision * sum[l];
  }
}

static int bare_any(const double *p)
{
  double most = 0;
  for (int l = 0; l < DUN_LANES; l++)
    most = p[l] > most ? p[l] : most;
  return most > 0;
}

DUN_CLONES static void bare_gradient(const struct bare *b, const double *restrict x,
                                     const double *restrict p, double *restrict g)
{
  x = DUN_ALIGNED(x);
  p = DUN_ALIGNED(p);
  g = DUN_ALIGNED(g);
  for (int i = 0; i < b->d * DUN_LANES; i++)
    g[i] = 0;
  for (int k = 0; k < b->components; k++) {
    const double *restrict own = p + k * DUN_LANES;
    if (!bare_any(own))
      continue;
    for (int j = 0; j < b->d; j++) {
      double mean = b->mean[k * b->d + j];
      for (int l = 0; l < DUN_LANES; l++)
        g[j * DUN_LANES + l] = DUN_FMA(own[l], mean - x[j * DUN_LANES + l], g[j * DUN_LANES + l]);
    }
  }
}

/* A drift of at most `cap`. */
DUN_CLONES static void bare_step(const struct bare *b, double cap, double unit,
                                 const double *restrict g, const double *restrict z,
                                 double *restrict x)
{
  double square[DUN_LANES] = {0}, step[DUN_LANES], root[DUN_LANES];
  g = DUN_ALIGNED(g);
  z = DUN_ALIGNED(z);
  x = DUN_ALIGNED(x);
  for (int j = 0; j < b->d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      square[l] = DUN_FMA(g[j * DUN_LANES + l], g[j * DUN_LANES + l], square[l]);
  for (int l = 0; l < DUN_LANES; l++) {
    double h = cap * unit / sqrt(square[l]);
    step[l] = (h < 1 ? h : 1) / (unit * unit);
    root[l] = sqrt(2 * step[l]);
  }
  for (int j = 0; j < b->d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      int i = j * DUN_LANES + l;
      x[i] = DUN_FMA(root[l], z[i], DUN_FMA(step[l], g[i], x[i]));
    }
}

static void bare_level(const struct bare *b, int k)
{
  double factor = k > 1 && k <= LEVELS ? sqrt((k - 1.) / k) : 1;
  double unit = k < LEVELS ? sqrt((double)k / LEVELS) : 1;
  for (int64_t i = 0; i < b->tiles; i++) {
    struct dun_address address = {
        .seed = 5, .tile = (uint32_t)i, .purpose = DUN_PURPOSE_PROPOSE, .step = (uint32_t)k};
    double *x = b->x + i * b->d * DUN_LANES;
    bare_contract(b->d, factor, x);
    dun_normals(address, b->d, b->z);
    bare_shares(b, x, b->p);
    bare_gradient(b, x, b->p, b->g);
    bare_step(b, 5, unit, b->g, b->z, x);
  }
}

static struct bare bare_of(const struct dun_run *run)
{
  const struct dun_target *target = run->target;
  const void *self = run->evaluator->self;
  struct bare b = {.d = run->evaluator->dimension, .tiles = run->population.tiles.count};
  b.components = target->modes(self, 0, NULL, NULL, NULL);
  b.mean = dun_allocate((int64_t)b.components * b.d, sizeof(double));
  b.share = dun_allocate(b.components, sizeof(double));
  b.width = dun_allocate(b.components, sizeof(double));
  b.x = dun_allocate(b.tiles * b.d * DUN_LANES, sizeof(double));
  b.z = dun_allocate(b.d * DUN_LANES, sizeof(double));
  b.g = dun_allocate(b.d * DUN_LANES, sizeof(double));
  b.p = dun_allocate((int64_t)b.components * DUN_LANES, sizeof(double));
  target->modes(self, b.components, b.mean, b.share, b.width);
  for (int k = 0; k < b.components; k++)
    b.share[k] = dun_log(b.share[k]) - b.d * dun_log(b.width[k]);
  return b;
}

static double bare_ns(const struct dun_run *run)
{
  struct bench_timer timer = {0};
  struct bare b = bare_of(run);
  int k = 0;
  while (bench_again(&timer))
    bare_level(&b, ++k);
  bench_keep(b.x[0]);
  double *owned[] = {b.mean, b.share, b.width, b.x, b.z, b.g, b.p};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    dun_free(owned[i]);
  return bench_ns(&timer, run->population.tiles.local);
}

/* ---- the method -------------------------------------------------------------------------- */

static void anneal(struct bench_result *result, int64_t particles, const char *target)
{
  char text[8192];
  struct fixture fixture;
  struct bench_timer timer = {0};
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %lld}\ntarget: %s\n"
           "path: {type: dilation, schedule: {levels: %d}}\nkernel: {type: ula}\n"
           "method: {type: langevin, final_moves: 1000000, draws: 0}\n",
           (long long)particles, target, LEVELS);
  struct dun_run *run = fixture_make(&fixture, text);
  if (run->method->start(&bench_context, run->method_self, run) < 0 ||
      run->method->advance(&bench_context, run->method_self, run) < 0)
    MPI_Abort(bench_context.comm, 1);
  while (bench_again(&timer)) {
    run->tick++;
    run->method->advance(&bench_context, run->method_self, run);
  }
  result->ns = bench_ns(&timer, run->population.tiles.local);
  result->bare = bare_ns(run);
  fixture_free(&fixture);
}

static void forty(struct bench_result *result)
{
  anneal(result, 20000, "{type: gaussian_mixture, layout: forty, shift: -50}");
}

/* Eight means at the corners of a simplex. */
static void fifty_dimensions(struct bench_result *result)
{
  char target[4096] = "{type: gaussian_mixture, means: [";
  size_t length = strlen(target);
  for (int k = 0; k < 8; k++)
    for (int j = 0; j < 50; j++)
      length += (size_t)snprintf(target + length, sizeof target - length, "%s%d%s",
                                 j == 0 ? "[" : "", j % 8 == k ? 12 : -2,
                                 j < 49  ? ", "
                                 : k < 7 ? "], "
                                         : "]]}");
  anneal(result, 6400, target);
}

const struct bench_row bench_langevin[] = {
    {.work = "ULA step along dilation, 40 modes in 2-D", .times = 2, .measure = forty},
    {.work = "ULA step along dilation, 8 modes in 50-D", .times = 2, .measure = fifty_dimensions},
    {0},
};
