#include "numerics/pareto.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Hoare's selection: what lies from place k on is no smaller than what lies before it. */
static void part(double *x, int64_t n, int64_t k)
{
  int64_t first = 0, last = n - 1;
  while (first < last) {
    double pivot = x[first + (last - first) / 2];
    int64_t i = first, j = last;
    while (i <= j) {
      while (x[i] < pivot)
        i++;
      while (x[j] > pivot)
        j--;
      if (i > j)
        break;
      double swap = x[i];
      x[i++] = x[j];
      x[j--] = swap;
    }
    if (k <= j)
      last = j;
    else if (k >= i)
      first = i;
    else
      return;
  }
}

/* The shape that goes with b, the share -k / scale; x[n] are excesses. */
DUN_CLONES static double shape_of(int64_t n, const double *restrict x, double b)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += dun_log1p(-b * x[i]);
  return sum / (double)n;
}

/* The mean of b under its likelihood on a grid of quantiles of a prior; x[n] sorted, the last one
 * positive.  Equations 7 to 9 of Zhang & Stephens. */
DUN_CLONES static double fit(int64_t n, const double *x, int grid, double *b, double *likelihood)
{
  double quartile = x[(int64_t)((double)n / 4 + .5) - 1], best = -INFINITY, sum = 0, mean = 0;
  quartile = quartile > 1e-12 * x[n - 1] ? quartile : 1e-12 * x[n - 1];
  for (int j = 0; j < grid; j++) {
    b[j] = 1 / x[n - 1] + (1 - sqrt(grid / (j + .5))) / (3 * quartile);
    double k = shape_of(n, x, b[j]);
    likelihood[j] = (double)n * (dun_log(-b[j] / k) - k - 1);
    if (likelihood[j] > best)
      best = likelihood[j];
  }
  for (int j = 0; j < grid; j++) {
    double weight = likelihood[j] > -INFINITY ? dun_exp(likelihood[j] - best) : 0;
    sum += weight;
    mean += weight * b[j];
  }
  double k = shape_of(n, x, mean / sum);
  return (k * (double)n + 5) / ((double)n + 10);
}

DUN_CLONES static void excesses(int64_t tail, const double *from, double *excess)
{
  double top = from[tail - 1], least = dun_exp_weight(from[-1] - top);
  for (int64_t i = 0; i < tail; i++)
    excess[i] = dun_exp_weight(from[i] - top) - least;
}

/* The weights above 0, in a block with room for the fit; *n of them, -1: one is no number. */
static double *positive(int64_t *n, const double *log_weight)
{
  double *kept = dun_allocate(2 * *n + 2 * (30 + (int64_t)sqrt((double)*n)), sizeof *kept);
  int64_t count = 0;
  for (int64_t i = 0; i < *n && kept; i++) {
    if (!(log_weight[i] < INFINITY)) {
      count = -1;
      break;
    }
    kept[count] = log_weight[i];
    count += log_weight[i] > -INFINITY;
  }
  *n = count;
  return kept;
}

/* Of how many of the largest weights the lowest is the last that no wide gap parts from the
 * largest.  In a tail of shape k the logarithm falls by k / i on the average from the i-th largest
 * to the next. */
static int64_t nearest(int64_t tail, const double *sorted)
{
  enum { FEW = 10, WIDE = 20 };
  for (int64_t i = FEW; i < tail; i++)
    if ((double)i * (sorted[tail - i] - sorted[tail - i - 1]) > WIDE)
      return i - 1;
  return tail;
}

/* So many of n weights are their tail. */
static double tail_of(double n)
{
  return n > 0 ? fmin(3 * sqrt(n), n / 5) : 0;
}

double dun_pareto_may_be(double shape, double independent)
{
  return shape + .5 * (1 + fmax(shape, 0)) / sqrt(fmax(tail_of(independent), 1));
}

/* `parted`: weights beyond a wide gap are a tail of their own. */
static int find_shape(int64_t n, const double *log_weight, int parted, double *shape)
{
  double *sorted = positive(&n, log_weight);
  *shape = NAN;
  if (!sorted)
    return DUN_ERROR_MEMORY;
  int64_t tail = (int64_t)ceil(tail_of((double)n));
  if (tail >= 5) {
    double *excess = sorted + n, *b = excess + tail;
    int grid = 30 + (int)sqrt((double)tail);
    part(sorted, n, n - tail - 1);
    qsort(sorted + n - tail - 1, (size_t)tail + 1, sizeof *sorted, compare);
    if (parted)
      tail = nearest(tail, sorted + n - tail);
    excesses(tail, sorted + n - tail, excess);
    int64_t alike = 0; /* at the threshold: weights of states that many share, no tail */
    while (alike < tail && !(excess[alike] > 1e-10)) /* but for rounding */
      alike++;
    *shape = tail - alike >= 5 ? fit(tail - alike, excess + alike, grid, b, b + grid) : -INFINITY;
  }
  dun_free(sorted);
  return 0;
}

int dun_pareto_shape(int64_t n, const double *log_weight, double *shape)
{
  return find_shape(n, log_weight, 0, shape);
}

/* ---- over the ranks -------------------------------------------------------------------------- */

struct dun_pareto_sample dun_pareto_sample(int64_t total, int64_t first, int64_t local,
                                           int64_t most)
{
  int64_t stride = (total + most - 1) / most;
  stride = stride > 1 ? stride : 1;
  return (struct dun_pareto_sample){.points = (total + stride - 1) / stride,
                                    .stride = stride,
                                    .first = first,
                                    .from = (first + stride - 1) / stride,
                                    .to = (first + local + stride - 1) / stride};
}

/* Every place is filled by one rank: all get its bits.  What is no number stays one. */
int dun_pareto_shapes(struct dun_context *context, int status,
                      const struct dun_pareto_sample *sample, int parted, int64_t m,
                      double *log_weight, double *shape)
{
  for (int64_t i = 0; i < m && status >= 0; i++)
    for (int64_t k = 0; k < sample->points; k++)
      if (k < sample->from || k >= sample->to)
        log_weight[i * sample->points + k] = 0;
  status = dun_share(context, status, m * sample->points, log_weight);
  for (int64_t i = 0; i < m && status >= 0; i++)
    status = find_shape(sample->points, log_weight + i * sample->points, parted, &shape[i]);
  return dun_agree(context, status);
}
