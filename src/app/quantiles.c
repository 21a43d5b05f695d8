#include "app/quantiles.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Linear between the order statistics: number p (n - 1) counted from 0. */
static double quantile_of(const double *sorted, int64_t n, double p)
{
  double place = p * (double)(n - 1);
  int64_t below = (int64_t)place;
  if (below >= n - 1)
    return sorted[n - 1];
  return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* Sum over ancestors of the squared sums of (indicator - p). */
static double variance_by_ancestor(int64_t chains, int64_t draws, const double *value,
                                   const double *root, double limit, double p)
{
  double total = 0, n = (double)chains * (double)draws;
  for (int64_t c = 0; c < chains; c++) {
    double one = 0;
    for (int64_t i = 0; i < draws; i++) {
      int64_t at = c * draws + i;
      if (i > 0 && (!root || root[at] != root[at - 1])) {
        total += one * one;
        one = 0;
      }
      one += (value[at] <= limit) - p;
    }
    total += one * one;
  }
  return total / (n * n);
}

static double share_below(const double *sorted, int64_t n, double limit)
{
  int64_t low = 0, high = n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (sorted[middle] <= limit)
      low = middle + 1;
    else
      high = middle;
  }
  return (double)low / (double)n;
}

static double density(const double *sorted, int64_t n, double p)
{
  double h = fmin(.05, .5 * fmin(p, 1 - p));
  double width = quantile_of(sorted, n, p + h) - quantile_of(sorted, n, p - h);
  return width > 0 ? 2 * h / width : NAN;
}

void dun_quantiles(int64_t chains, int64_t draws, const double *value, const double *root,
                   double *sorted, int count, struct dun_quantile *quantile)
{
  int64_t n = chains * draws;
  memcpy(sorted, value, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, compare);
  for (int i = 0; i < count; i++) {
    double p = quantile[i].probability, q = quantile_of(sorted, n, p);
    double variance =
        variance_by_ancestor(chains, draws, value, root, q, share_below(sorted, n, q));
    quantile[i].value = q;
    /* one ancestor alone leaves rounding, below the 1 / n of so many independent ones */
    quantile[i].error = variance > 1e-18 ? sqrt(variance) / density(sorted, n, p) : NAN;
  }
}
