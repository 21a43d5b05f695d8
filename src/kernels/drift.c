#include "kernels/drift.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

static const double CHANCE = 1e-3; /* that tests at rest fail, all together */
static const int64_t SUMS = 4096;

/* Of a chain: how the means of x and its square [2 d] and of the log density changed, the virial;
 * these are tested; and the means themselves of x and its square [2 d]. */
int dun_drift_width(int d)
{
  return 4 * d + 2;
}

static int64_t tested(int d)
{
  return 2 * (int64_t)d + 2;
}

/* ---- collecting ------------------------------------------------------------------------------ */

/* `weight` is minus or plus one over the sweeps of a half, `each` one over those of both. */
static void add_chain(const struct dun_sweep *s, int64_t i, const double *centre, double lp,
                      double weight, double each, double *row)
{
  const double *x = dun_f64(s->x) + i * s->d, *g = s->force ? dun_f64(s->force) + i * s->d : NULL;
  double virial = 0;

  for (int j = 0; j < s->d; j++) {
    double off = x[j] - centre[j];
    row[j] += weight * off;
    row[s->d + j] += weight * (off * off);
    row[tested(s->d) + j] += each * off;
    row[tested(s->d) + s->d + j] += each * (off * off);
    virial -= g ? off * g[j] : 0;
  }
  row[2 * s->d] += lp > -INFINITY ? weight * lp : 0;
  row[2 * s->d + 1] += each * virial;
}

void dun_drift_add(const struct dun_sweep *s, struct dun_column *drift, double t,
                   const double *centre, int64_t done, int64_t length)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double lp[DUN_LANES] __attribute__((aligned(64))), *all = dun_f64(drift);
  int64_t first = length / 2;
  double weight = done < first ? -1 / (double)first : 1 / (double)(length - first);

  if (done == 0)
    memset(all, 0, (size_t)(tiles->local * drift->width) * sizeof *all);
  for (int64_t tile = 0; tile < tiles->count; tile++) {
    int n = dun_tile_size(tiles, tiles->first_tile + tile);
    dun_sweep_density(s, tile, t, lp);
    for (int l = 0; l < n; l++) {
      int64_t i = tile * tiles->tile + l;
      add_chain(s, i, centre, lp[l], weight, 1 / (double)length, all + i * drift->width);
    }
  }
}

/* ---- testing --------------------------------------------------------------------------------- */

/* Two-sided limit of |t| with n - 1 degrees of freedom that chance passes with probability p: the
 * normal law's, by the leading terms of its tail, and Student's from that. */
static double limit_of(double p, double n)
{
  const double two_pi = 6.283185307179586;
  double square = 2 * dun_scalar_log(2 / p), freedom = n - 1;

  square -= dun_scalar_log(two_pi * square);
  return sqrt(freedom * dun_scalar_expm1(square / freedom));
}

static enum dun_drift_kind kind_of(int d, int64_t k)
{
  return k < d        ? DUN_DRIFT_MEAN
         : k < 2 * d  ? DUN_DRIFT_SQUARE
         : k == 2 * d ? DUN_DRIFT_DENSITY
                      : DUN_DRIFT_VIRIAL;
}

static void judge(const struct dun_sweep *s, int64_t k, double n, double sum, double square,
                  double limit, struct dun_drift *out)
{
  enum dun_drift_kind kind = kind_of(s->d, k);
  double mean = sum / n, variance = (square / n - mean * mean) / (n - 1);
  double off = kind == DUN_DRIFT_VIRIAL ? mean - s->d : mean;
  double deviations = variance > 0 ? fabs(off) / sqrt(variance) : NAN;

  if (kind == DUN_DRIFT_VIRIAL)
    out->virial = s->force ? mean / s->d : NAN;
  if ((kind == DUN_DRIFT_VIRIAL && !s->force) || !(deviations / limit > out->worst))
    return;
  out->worst = deviations / limit;
  out->deviations = deviations;
  out->kind = kind;
  out->index = (double)(k % s->d);
}

/* Sums and sums of squares of the numbers from <= k < to, and how many chains count. */
static int add_all(struct dun_context *context, const struct dun_sweep *s,
                   const struct dun_column *drift, double t, int64_t from, int64_t to,
                   struct dun_exact *sum, double *total)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double lp[DUN_LANES] __attribute__((aligned(64)));
  int64_t count = 2 * (to - from) + 1;

  memset(sum, 0, (size_t)count * sizeof *sum);
  for (int64_t tile = 0; tile < tiles->count; tile++) {
    int n = dun_tile_size(tiles, tiles->first_tile + tile);
    dun_sweep_density(s, tile, t, lp);
    for (int l = 0; l < n; l++) {
      const double *row = dun_f64(drift) + (tile * tiles->tile + l) * drift->width;
      if (!(lp[l] > -INFINITY && lp[l] >= s->floor))
        continue;
      for (int64_t k = from; k < to; k++) {
        dun_exact_add(&sum[2 * (k - from)], row[k]);
        dun_exact_add(&sum[2 * (k - from) + 1], row[k] * row[k]);
      }
      dun_exact_add(&sum[count - 1], 1);
    }
  }
  return dun_sum(context, 0, count, sum, total);
}

int dun_drift_test(struct dun_context *context, const struct dun_sweep *s,
                   const struct dun_column *drift, double t, struct dun_drift *out)
{
  int64_t numbers = tested(s->d), piece = numbers < SUMS ? numbers : SUMS;
  struct dun_exact *sum = dun_allocate(2 * piece + 1, sizeof *sum);
  double *total = dun_allocate(2 * piece + 1, sizeof *total);
  int status = dun_agree(context, sum && total ? 0 : DUN_ERROR_MEMORY);

  *out = (struct dun_drift){.worst = 0, .virial = NAN};
  for (int64_t from = 0; from < numbers && status >= 0; from += piece) {
    int64_t to = from + piece < numbers ? from + piece : numbers;
    status = add_all(context, s, drift, t, from, to, sum, total);
    double n = status >= 0 ? total[2 * (to - from)] : 0;
    if (n < DUN_DRIFT_LEAST) {
      out->worst = NAN;
      break;
    }
    double limit = limit_of(CHANCE / (double)numbers, n);
    for (int64_t k = from; k < to; k++)
      judge(s, k, n, total[2 * (k - from)], total[2 * (k - from) + 1], limit, out);
  }
  dun_free(sum);
  dun_free(total);
  return status;
}

/* The largest share of a variance that chains' means have, of the coordinates whose sums these are;
 * less what chance adds to it where there are few. */
static double largest_share(int64_t count, double n, const double *mean, const double *square)
{
  double most = 0;

  for (int64_t j = 0; j < count; j++) {
    double centre = mean[2 * j] / n, variance = square[2 * j] / n - centre * centre;
    double of_means = (mean[2 * j + 1] / n - centre * centre) * n / (n - 1);
    most = variance > 0 && of_means > most * variance ? of_means / variance : most;
  }
  return most / (1 + 3 * sqrt(2 / n));
}

int dun_drift_slowness(struct dun_context *context, const struct dun_sweep *s,
                       const struct dun_column *drift, double t, int64_t length, double *sweeps)
{
  int64_t d = s->d, piece = d < SUMS ? d : SUMS, first = tested(s->d);
  struct dun_exact *sum = dun_allocate(2 * piece + 1, sizeof *sum);
  double *mean = dun_allocate(4 * piece + 2, sizeof *mean), *square = mean + 2 * piece + 1;
  int status = dun_agree(context, sum && mean ? 0 : DUN_ERROR_MEMORY);

  *sweeps = 0;
  for (int64_t from = 0; from < d && status >= 0; from += piece) {
    int64_t to = from + piece < d ? from + piece : d;
    status = add_all(context, s, drift, t, first + from, first + to, sum, mean);
    if (status >= 0)
      status = add_all(context, s, drift, t, first + d + from, first + d + to, sum, square);
    double n = status >= 0 ? mean[2 * (to - from)] : 0;
    double share = n < DUN_DRIFT_LEAST ? 0 : largest_share(to - from, n, mean, square);
    *sweeps = share * (double)length > *sweeps ? share * (double)length : *sweeps;
  }
  dun_free(sum);
  dun_free(mean);
  return status;
}

int dun_drift_rise(struct dun_context *context, const struct dun_sweep *s,
                   const struct dun_column *drift, double *share)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double least = sqrt(2. * s->d); /* twice the deviation of a normal law's log density */
  int64_t rose = 0;

  for (int64_t i = 0; i < tiles->local; i++) {
    double change = dun_f64(drift)[i * drift->width + 2 * s->d];
    rose += (change > least) - (change < -least);
  }
  int status = dun_sum_integers(context, 0, 1, &rose);
  *share = (double)rose / (double)tiles->total;
  return status;
}
