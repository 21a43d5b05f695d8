#include "paths/next_time.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <float.h>
#include <math.h>

enum { CANDIDATES = 16 };

/* A particle whose D lies DUN_ABYSS below the highest is one that the path leaves at once: steps
 * that keep the others end its weight, which is below exp(-NOTHING) of theirs. */
static const double NOTHING = 745;

/* Sums of one pass.  LADDER[k] is the sum of w u_k; the ladder of squares has one rung more, since
 * u_k^2 = u_{k+1}; a pass over equal parts has sums of squares of its own. */
enum {
  WEIGHT,
  MEAN,
  SQUARE,
  KILLED,
  LADDER,
  SQUARES = LADDER + CANDIDATES + 1,
  SUMS = SQUARES + CANDIDATES
};

/* What a pass looks at: steps first * 2^k (k = 0 .. 15), or first + k * spacing (k = 1 .. 16). */
struct pass {
  int doubling;
  double first, spacing;
};

struct search {
  const struct dun_population *population;
  const struct dun_path *path;
  const struct dun_column *part_lp, *logw;
  double slope[DUN_MAX_PARTS]; /* b_k */
  double end;                  /* of the piece of the path that slopes are those of */
  double slope_maximum, logw_maximum;
  double abyss; /* particles with D further below the maximum are left out */
  struct dun_exact sum[SUMS];
  double total[SUMS];
};

/* D of a tile's lanes relative to `origin`; outside the support -inf. */
DUN_CLONES static void combine_slopes(int K, const double *restrict slope, double origin,
                                      const double *restrict part, double *restrict d)
{
  double sum[DUN_LANES] = {0};
  part = DUN_ALIGNED(part);
  d = DUN_ALIGNED(d);
  for (int k = 0; k < K; k++)
    for (int l = 0; l < DUN_LANES; l++) {
      double term = slope[k] * part[k * DUN_LANES + l];
      sum[l] += slope[k] == 0 ? 0 : term;
    }
  for (int l = 0; l < DUN_LANES; l++) {
    double v = sum[l] - origin;
    d[l] = sum[l] < INFINITY ? v : -INFINITY;
  }
}

static void slopes(const struct search *s, int64_t tile, double origin, double *part, double *d)
{
  dun_tile_load(s->population, s->part_lp, tile, part);
  combine_slopes(s->path->parts, s->slope, origin, part, d);
}

/* exp(rate * x) with 0 for x = -inf, also at rate 0. */
static inline __attribute__((always_inline)) double power(double rate, double x)
{
  double a = rate * x;
  return dun_exp_weight(x > -INFINITY ? a : -INFINITY);
}

DUN_CLONES static void exponential(const double *restrict x, double *restrict w)
{
  x = DUN_ALIGNED(x);
  w = DUN_ALIGNED(w);
  for (int l = 0; l < DUN_LANES; l++)
    w[l] = power(1, x[l]);
}

/* The tile's weights, 0 behind its last particle and of those that the path leaves at once, who are
 * counted; and D relative to the maximum. */
static int prepare(const struct search *s, int64_t i, double *w, double *d)
{
  double part[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));
  double logw[DUN_LANES] __attribute__((aligned(64)));
  int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i);

  slopes(s, i, s->slope_maximum, part, d);
  dun_tile_load(s->population, s->logw, i, logw);
  int killed = 0;
  for (int l = 0; l < DUN_LANES; l++) {
    int left = !(d[l] >= -s->abyss);
    logw[l] = l < n ? logw[l] - s->logw_maximum : -INFINITY;
    killed += left && logw[l] > -INFINITY;
    logw[l] = left ? -INFINITY : logw[l];
  }
  exponential(logw, w);
  return killed;
}

/* D relative to its maximum, weighted; particles that are left out have no weight. */
DUN_CLONES static void fold_moments(const double *restrict w, const double *restrict d,
                                    double *restrict out)
{
  double a[DUN_LANES], b[DUN_LANES];
  w = DUN_ALIGNED(w);
  d = DUN_ALIGNED(d);
  for (int l = 0; l < DUN_LANES; l++) {
    double v = d[l] > -INFINITY ? d[l] : 0;
    a[l] = w[l] * v;
    b[l] = a[l] * v;
  }
  out[WEIGHT] = dun_fold_lanes(w);
  out[MEAN] = dun_fold_lanes(a);
  out[SQUARE] = dun_fold_lanes(b);
}

DUN_CLONES static void fold_doubling(const struct pass *pass, const double *restrict w,
                                     const double *restrict d, double *restrict out)
{
  double u[DUN_LANES], wu[DUN_LANES];
  w = DUN_ALIGNED(w);
  d = DUN_ALIGNED(d);
  for (int l = 0; l < DUN_LANES; l++)
    u[l] = power(pass->first, d[l]);
  for (int k = 0; k <= CANDIDATES; k++) {
    for (int l = 0; l < DUN_LANES; l++) {
      wu[l] = w[l] * u[l];
      u[l] *= u[l];
    }
    out[LADDER + k] = dun_fold_lanes(wu);
  }
}

DUN_CLONES static void fold_spaced(const struct pass *pass, const double *restrict w,
                                   const double *restrict d, double *restrict out)
{
  double u[DUN_LANES], ratio[DUN_LANES], wu[DUN_LANES], wuu[DUN_LANES];
  w = DUN_ALIGNED(w);
  d = DUN_ALIGNED(d);
  for (int l = 0; l < DUN_LANES; l++)
    u[l] = power(pass->first, d[l]);
  for (int l = 0; l < DUN_LANES; l++)
    ratio[l] = power(pass->spacing, d[l]);
  for (int k = 0; k < CANDIDATES; k++) {
    for (int l = 0; l < DUN_LANES; l++) {
      u[l] *= ratio[l];
      wu[l] = w[l] * u[l];
      wuu[l] = wu[l] * u[l];
    }
    out[LADDER + k] = dun_fold_lanes(wu);
    out[SQUARES + k] = dun_fold_lanes(wuu);
  }
}

static int look(struct dun_context *context, struct search *s, const struct pass *pass)
{
  double w[DUN_LANES] __attribute__((aligned(64))), d[DUN_LANES] __attribute__((aligned(64)));
  double out[SUMS];
  int sums = pass->doubling ? SQUARES : SUMS;

  memset(s->sum, 0, sizeof s->sum);
  for (int64_t i = 0; i < s->population->tiles.count; i++) {
    out[KILLED] = prepare(s, i, w, d);
    out[LADDER + CANDIDATES] = 0;
    fold_moments(w, d, out);
    (pass->doubling ? fold_doubling : fold_spaced)(pass, w, d, out);
    for (int q = 0; q < sums; q++)
      dun_exact_add(&s->sum[q], out[q]);
  }
  return dun_sum(context, 0, sums, s->sum, s->total);
}

/* The step of candidate k, and the share of the particles that it leaves effective. */
static double step_of(const struct pass *pass, int k)
{
  return pass->doubling ? ldexp(pass->first, k) : pass->first + (k + 1) * pass->spacing;
}

static double effective(const struct search *s, const struct pass *pass, int k)
{
  double sum = s->total[LADDER + k];
  double square = pass->doubling ? s->total[LADDER + k + 1] : s->total[SQUARES + k];
  double full = s->total[WEIGHT] * square;
  return full > 0 ? sum * sum / full : 0;
}

/* The largest candidate that holds; -1: none. */
static int largest(const struct search *s, const struct pass *pass, double threshold)
{
  int k = CANDIDATES - 1;
  while (k >= 0 && effective(s, pass, k) < threshold)
    k--;
  return k;
}

/* One and the same number far down at all particles is what targets write for no density; numbers
 * far up are none of a law. */
static int check_bounds(double minimum, double maximum)
{
  if (maximum > DUN_ABYSS)
    return dun_fail(DUN_ERROR_NUMERIC,
                    "the target's log density is %g at a particle: no law has such a density",
                    maximum);
  if (maximum > -DUN_ABYSS || (maximum > -INFINITY && minimum < maximum))
    return 0;
  if (maximum > -INFINITY)
    return dun_fail(DUN_ERROR_NUMERIC,
                    "all particles have the log density %g on the rest of the path, which counts "
                    "as none: the base does not reach the target's support",
                    maximum);
  return dun_fail(DUN_ERROR_NUMERIC, "no particle has a finite density on the rest of the path: "
                                     "the base does not reach the target's support");
}

static int maxima(struct dun_context *context, struct search *s)
{
  double part[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));
  double d[DUN_LANES] __attribute__((aligned(64)));
  double maximum[3] = {-INFINITY, -INFINITY, -INFINITY};

  for (int64_t i = 0; i < s->population->tiles.count; i++) {
    int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i);
    const double *logw = dun_f64(s->logw) + i * s->population->tiles.tile;
    slopes(s, i, 0, part, d);
    for (int l = 0; l < n; l++) {
      int alive = logw[l] > -INFINITY;
      maximum[0] = alive && d[l] > maximum[0] ? d[l] : maximum[0];
      maximum[1] = logw[l] > maximum[1] ? logw[l] : maximum[1];
      maximum[2] = alive && -d[l] > maximum[2] ? -d[l] : maximum[2];
    }
  }
  int status = dun_max(context, 0, 3, maximum);
  s->slope_maximum = maximum[0];
  s->logw_maximum = maximum[1];
  return status < 0 ? status : check_bounds(-maximum[2], maximum[0]);
}

/* First by doublings, downwards until one holds, then by seventeenths of the bracket. */
static int find(struct dun_context *context, struct search *s, double t, double threshold,
                struct dun_next *next)
{
  double rest = s->end - t, low, high;
  struct pass pass = {.doubling = 1, .first = ldexp(rest, 1 - CANDIDATES)};
  int k, status = look(context, s, &pass);

  if (status < 0)
    return status;
  next->mean = s->total[MEAN] / s->total[WEIGHT];
  next->variance = s->total[SQUARE] / s->total[WEIGHT] - next->mean * next->mean;
  next->mean += s->slope_maximum;
  next->killed = s->total[KILLED];
  while ((k = largest(s, &pass, threshold)) < 0) {
    pass.first = ldexp(pass.first, -CANDIDATES);
    if (t + step_of(&pass, CANDIDATES - 1) == t || pass.first < 1e-290)
      return dun_fail(DUN_ERROR_NUMERIC,
                      "no step from t = %.17g keeps a conditional effective sample size of %g of "
                      "the particles: the parts of the path differ too much",
                      t, threshold);
    if ((status = look(context, s, &pass)) < 0)
      return status;
  }
  low = step_of(&pass, k);
  high = 2 * low;
  while (low < rest && high - low > low / 64) {
    pass = (struct pass){.first = low, .spacing = (high - low) / (CANDIDATES + 1)};
    if ((status = look(context, s, &pass)) < 0)
      return status;
    k = largest(s, &pass, threshold);
    high = k == CANDIDATES - 1 ? high : step_of(&pass, k + 1);
    low = k < 0 ? low : step_of(&pass, k);
  }
  next->time = low < rest ? t + low : s->end;
  return 0;
}

/* Returns where the piece of the path ends that begins at t, or holds it. */
static double slope_coefficients(const struct dun_path *path, const void *self, double t,
                                 double *slope)
{
  double low[DUN_MAX_PARTS], high[DUN_MAX_PARTS];
  double end = path->piece_end ? path->piece_end(self, t) : 1;
  double begin = path->piece_end ? t + (end - t) / 2 : 0;
  path->coefficients(self, begin, low);
  path->coefficients(self, end, high);
  for (int k = 0; k < path->parts; k++)
    slope[k] = (high[k] - low[k]) / (end - begin);
  return end;
}

int dun_next_time(struct dun_context *context, const struct dun_population *population,
                  const struct dun_path *path, const void *path_self,
                  const struct dun_column *part_lp, const struct dun_column *logw, double t,
                  double conditional_ess, struct dun_next *next)
{
  struct search *s = dun_allocate(1, sizeof *s);
  int status = dun_agree(context, s ? 0 : DUN_ERROR_MEMORY);

  if (status < 0)
    goto out;
  s->population = population;
  s->path = path;
  s->part_lp = part_lp;
  s->logw = logw;
  s->end = slope_coefficients(path, path_self, t, s->slope);
  s->abyss = DUN_ABYSS;
  if ((status = maxima(context, s)) < 0)
    goto out;
  status = find(context, s, t, conditional_ess, next);
  if (status >= 0 && next->killed > 0 && (next->time - t) * s->abyss < NOTHING) {
    s->abyss = DBL_MAX;
    status = find(context, s, t, conditional_ess, next);
  }
out:
  dun_free(s);
  return status;
}

/* w += step * d. */
DUN_CLONES static void add_step(double step, const double *restrict d, double *restrict w)
{
  for (int l = 0; l < DUN_LANES; l++)
    w[l] = DUN_FMA(step, d[l], w[l]);
}

void dun_reweight(struct dun_population *population, const struct dun_path *path,
                  const void *path_self, const struct dun_column *part_lp, struct dun_column *logw,
                  double t, double next)
{
  struct search s = {.population = population, .path = path, .part_lp = part_lp};
  double part[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));
  double d[DUN_LANES] __attribute__((aligned(64))), w[DUN_LANES] __attribute__((aligned(64)));

  slope_coefficients(path, path_self, t, s.slope);
  for (int64_t i = 0; i < population->tiles.count; i++) {
    slopes(&s, i, 0, part, d);
    dun_tile_load(population, logw, i, w);
    add_step(next - t, d, w);
    dun_tile_store(population, logw, i, w);
  }
}
