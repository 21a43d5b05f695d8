#include "methods/bridge.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/table.h"
#include <math.h>

enum { UP_TOP, UP, DOWN_TOP, DOWN, COUNT, SUMS };

/* ---- memory ---------------------------------------------------------------------------------- */

static void clear(struct dun_numbers *sums)
{
  for (long long i = 0; i < sums->count; i += SUMS)
    sums->value[i + UP_TOP] = sums->value[i + DOWN_TOP] = -INFINITY;
}

int dun_bridge_scratch(struct dun_bridge *b, int64_t rungs, int64_t ladders)
{
  b->rungs = rungs;
  b->ladders = ladders;
  DUN_FREE(b->left);
  b->left = dun_allocate(ladders + DUN_BRIDGE_BATCHES, sizeof *b->left);
  return b->left ? 0 : DUN_ERROR_MEMORY;
}

int dun_bridge_init(struct dun_bridge *b, int64_t rungs, int64_t ladders)
{
  if (dun_bridge_scratch(b, rungs, ladders) < 0 ||
      dun_numbers_make(&b->single, SUMS * rungs * ladders, 0) < 0 ||
      dun_numbers_make(&b->batch, SUMS * rungs * DUN_BRIDGE_BATCHES, 0) < 0)
    return DUN_ERROR_MEMORY;
  clear(&b->single);
  clear(&b->batch);
  return 0;
}

int dun_bridge_is_sound(const struct dun_bridge *b)
{
  return b->single.count == SUMS * b->rungs * b->ladders &&
         b->batch.count == SUMS * b->rungs * DUN_BRIDGE_BATCHES;
}

void dun_bridge_free(struct dun_bridge *b)
{
  DUN_FREE(b->single.value);
  DUN_FREE(b->batch.value);
  DUN_FREE(b->left);
}

/* ---- sums ------------------------------------------------------------------------------------ */

/* Adds `times` terms exp(half v) to one of the sums; sum[0] is its top.  What is outside the
 * support adds nothing. */
static void add(double *sum, double half, double v, double times)
{
  if (!(v > -INFINITY && v < INFINITY))
    return;
  if (v > sum[0]) {
    sum[1] *= dun_scalar_exp(half * (sum[0] - v));
    sum[0] = v;
  }
  sum[1] += times * dun_scalar_exp(half * (v - sum[0]));
}

void dun_bridge_add(struct dun_bridge *b, int64_t number, int batch, int64_t k, double dt,
                    double below, double above)
{
  double *const sums[] = {b->single.value + (number * b->rungs + k) * SUMS,
                          b->batch.value + (batch * b->rungs + k) * SUMS};
  for (int i = 0; i < 2; i++) {
    add(sums[i] + UP_TOP, .5 * dt, below, 1);
    add(sums[i] + DOWN_TOP, .5 * dt, -above, 1);
    sums[i][COUNT]++;
  }
}

/* Of pair k over `count` arrays of sums [R][SUMS], one after the other. */
static void total(const struct dun_bridge *b, int64_t k, double dt, int64_t count,
                  const double *sums, double out[SUMS])
{
  out[UP_TOP] = out[DOWN_TOP] = -INFINITY;
  out[UP] = out[DOWN] = out[COUNT] = 0;
  for (int64_t i = 0; i < count; i++) {
    const double *one = sums + (i * b->rungs + k) * SUMS;
    add(out + UP_TOP, .5 * dt, one[UP_TOP], one[UP]);
    add(out + DOWN_TOP, .5 * dt, one[DOWN_TOP], one[DOWN]);
    out[COUNT] += one[COUNT];
  }
}

/* log Z_{k+1} / Z_k. */
static double ratio(const double sum[SUMS], double dt)
{
  return .5 * dt * (sum[UP_TOP] - sum[DOWN_TOP]) + dun_scalar_log(sum[UP]) -
         dun_scalar_log(sum[DOWN]);
}

/* Of the first k pairs of rungs. */
static double log_z(const struct dun_bridge *b, int64_t k, const double *time, int64_t count,
                    const double *sums)
{
  double sum[SUMS], whole = 0;
  for (int64_t j = 0; j < k; j++) {
    total(b, j, time[j + 1] - time[j], count, sums, sum);
    whole += ratio(sum, time[j + 1] - time[j]);
  }
  return whole;
}

double dun_bridge_log_z(const struct dun_bridge *b, int64_t k, const double *time)
{
  return log_z(b, k, time, DUN_BRIDGE_BATCHES, b->batch.value);
}

static int is_flat(const struct dun_bridge *b, const double *time, int64_t count,
                   const double *sums)
{
  double sum[SUMS];
  for (int64_t k = 0; k + 1 < b->rungs; k++) {
    total(b, k, time[k + 1] - time[k], count, sums, sum);
    if (sum[UP] != sum[COUNT] || sum[DOWN] != sum[COUNT] || sum[UP_TOP] != -sum[DOWN_TOP])
      return 0;
  }
  return 1;
}

/* ---- errors ---------------------------------------------------------------------------------- */

/* Log of the share of a sum that is left without one of its parts. */
static double log_rest(const double *part, const double *all, double half)
{
  double share =
      all[1] > 0 && part[1] > 0 ? part[1] / all[1] * dun_scalar_exp(half * (part[0] - all[0])) : 0;
  return share < 1 - 1e-12 ? dun_scalar_log(1 - share) : -INFINITY;
}

/* What log Z changes by, b->left[count], where one of the parts is left out. */
static void leave_out(const struct dun_bridge *b, const double *time, int64_t count,
                      const double *sums)
{
  double all[SUMS];
  for (int64_t i = 0; i < count; i++)
    b->left[i] = 0;
  for (int64_t k = 0; k + 1 < b->rungs; k++) {
    double dt = time[k + 1] - time[k];
    total(b, k, dt, count, sums, all);
    for (int64_t i = 0; i < count; i++) {
      const double *one = sums + (i * b->rungs + k) * SUMS;
      b->left[i] += log_rest(one + UP_TOP, all + UP_TOP, .5 * dt) -
                    log_rest(one + DOWN_TOP, all + DOWN_TOP, .5 * dt);
    }
  }
}

/* Of numbers that are centred. */
static double covariance(int64_t n, const double *value, int64_t lag)
{
  double sum = 0;
  for (int64_t i = 0; i + lag < n; i++)
    sum += value[i] * value[i + lag];
  return sum / (double)n;
}

/* Integrated autocorrelation time of a centred series: pairs of lags as long as they are positive
 * and fall (Geyer 1992, Stat. Sci. 7, 473); at least 1. */
static double correlation_time(int64_t n, const double *value)
{
  double first = covariance(n, value, 0), before = INFINITY, sum = 0;
  for (int64_t lag = 0; lag + 1 < n / 2; lag += 2) {
    double pair = covariance(n, value, lag) + covariance(n, value, lag + 1);
    pair = pair < before ? pair : before;
    if (!(pair > 0))
      break;
    sum += pair;
    before = pair;
  }
  double time = first > 0 ? 2 * sum / first - 1 : 1;
  return time > 1 ? time : 1;
}

/* The jackknife's standard error of log Z from count >= 2 parts; `series`: they follow each other
 * in time.  NAN where one of them is all that there is of a sum. */
static double jackknife(const struct dun_bridge *b, const double *time, int64_t count,
                        const double *sums, int series)
{
  double *left = b->left, mean = 0, square = 0;
  leave_out(b, time, count, sums);
  for (int64_t i = 0; i < count; i++)
    mean += left[i] / (double)count;
  for (int64_t i = 0; i < count; i++) {
    left[i] -= mean;
    square += left[i] * left[i];
  }
  square *= (double)(count - 1) / (double)count;
  if (series && isfinite(square))
    square *= correlation_time(count, left);
  return isfinite(square) ? sqrt(square) : NAN;
}

/* A half's variance is twice that of the whole. */
static double drift(const struct dun_bridge *b, const double *time, int batches, double error)
{
  int half = batches / 2;
  const double *second = b->batch.value + (batches - half) * b->rungs * SUMS;
  if (half < 4)
    return NAN;
  return (log_z(b, b->rungs - 1, time, half, second) -
          log_z(b, b->rungs - 1, time, half, b->batch.value)) /
         (2 * error);
}

/* The larger one; NAN if one of them is. */
static double larger(double a, double b)
{
  return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
}

void dun_bridge_evidence(const struct dun_bridge *b, int batches, const double *time,
                         struct dun_bridge_evidence *e)
{
  e->log_evidence = log_z(b, b->rungs - 1, time, batches, b->batch.value);
  e->flat = is_flat(b, time, batches, b->batch.value);
  e->error = e->flat || (batches < 2 && b->ladders < 4) ? NAN : 0;
  if (batches > 1)
    e->error = larger(e->error, jackknife(b, time, batches, b->batch.value, 1));
  if (b->ladders >= 4)
    e->error = larger(e->error, jackknife(b, time, b->ladders, b->single.value, 0));
  e->drift = drift(b, time, batches, e->error);
}
