#include "numerics/clusters.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

static double distance(int d, const double *a, const double *b)
{
  double sum = 0;
  for (int j = 0; j < d; j++)
    sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

/* The mean of the points of group k (all points: -1); leaves an empty group's centre as it is. */
static void take_mean(int64_t n, int d, const double *x, const int *member, int k, double *mean)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++)
    count += k < 0 || member[i] == k;
  if (count == 0)
    return;
  memset(mean, 0, (size_t)d * sizeof *mean);
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; (k < 0 || member[i] == k) && j < d; j++)
      mean[j] += x[i * d + j];
  for (int j = 0; j < d; j++)
    mean[j] /= (double)count;
}

/* least[i]: the squared distance of point i from its nearest centre so far. */
static void choose_centres(int64_t n, int d, const double *x, int count, double *centre,
                           double *least)
{
  int64_t chosen = 0;
  take_mean(n, d, x, NULL, -1, centre);
  for (int64_t i = 0; i < n; i++) {
    least[i] = distance(d, x + i * d, centre);
    chosen = least[i] < least[chosen] ? i : chosen;
  }
  for (int64_t i = 0; i < n; i++)
    least[i] = INFINITY;
  for (int k = 0; k < count; k++) {
    memcpy(centre + (int64_t)k * d, x + chosen * d, (size_t)d * sizeof *x);
    chosen = 0;
    for (int64_t i = 0; i < n; i++) {
      least[i] = fmin(least[i], distance(d, x + i * d, centre + (int64_t)k * d));
      chosen = least[i] > least[chosen] ? i : chosen;
    }
  }
}

static int assign(int64_t n, int d, const double *x, int count, const double *centre, int *member)
{
  int changed = 0;
  for (int64_t i = 0; i < n; i++) {
    double least = INFINITY;
    int best = 0;
    for (int k = 0; k < count; k++) {
      double own = distance(d, x + i * d, centre + (int64_t)k * d);
      best = own < least ? k : best;
      least = fmin(own, least);
    }
    changed |= member[i] != best;
    member[i] = best;
  }
  return changed;
}

int dun_clusters_find(int64_t n, int d, const double *x, int count, int rounds, int *member)
{
  double *centre = dun_allocate(count, (size_t)d * sizeof *centre);
  double *least = dun_allocate(n, sizeof *least);
  int status = DUN_ERROR_MEMORY;
  memset(member, 0, (size_t)n * sizeof *member);
  if (centre && least) {
    status = 0;
    choose_centres(n, d, x, count, centre, least);
    for (int round = 0; round < rounds && assign(n, d, x, count, centre, member); round++)
      for (int k = 0; k < count; k++)
        take_mean(n, d, x, member, k, centre + (int64_t)k * d);
  }
  DUN_FREE(centre);
  DUN_FREE(least);
  return status;
}
