#include "learning/kinship.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- equal rows ------------------------------------------------------------------------------ */

struct marked {
  uint64_t digest;
  int64_t row;
};

static int before(const void *a, const void *b)
{
  const struct marked *x = a, *y = b;
  if (x->digest != y->digest)
    return x->digest < y->digest ? -1 : 1;
  return x->row < y->row ? -1 : 1;
}

/* kin becomes the first row that is equal. */
static int find_equals(struct dun_kinship *s, int64_t d, const double *row)
{
  size_t bytes = (size_t)d * sizeof *row;
  struct marked *all = dun_allocate(s->rows, sizeof *all);
  if (!all)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < s->rows; k++)
    all[k] = (struct marked){dun_digest(0, row + k * d, (int64_t)bytes), k};
  qsort(all, (size_t)s->rows, sizeof *all, before);
  s->distinct = 0;
  for (int64_t k = 0, first = 0; k < s->rows; k++) {
    if (all[k].digest != all[first].digest ||
        memcmp(row + all[k].row * d, row + all[first].row * d, bytes) != 0)
      first = k;
    s->kin[all[k].row] = all[first].row;
    s->distinct += first == k;
  }
  dun_free(all);
  return 0;
}

/* ---- neighbours ------------------------------------------------------------------------------ */

enum { FEWEST_BLOCKS = 32 };

static double mean_of(int64_t n, const double *x)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += x[i];
  return sum / (double)n;
}

static double mean_square(int64_t n, const double *x)
{
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += x[i] * x[i];
  return sum / (double)n;
}

/* How many neighbours know the mean of x[n] as well as one independent number would, at least 1; x
 * is scratch afterwards. */
static double inefficiency(int64_t n, double *x)
{
  double mean = mean_of(n, x), most = 1;
  for (int64_t i = 0; i < n; i++)
    x[i] -= mean;
  double single = mean_square(n, x);
  for (double b = 2; n / 2 >= FEWEST_BLOCKS && single > 0; b *= 2) {
    n /= 2;
    for (int64_t i = 0; i < n; i++)
      x[i] = .5 * (x[2 * i] + x[2 * i + 1]);
    double ratio = b * mean_square(n, x) / single;
    ratio *= 1 - sqrt(2 / (double)(n - 1));
    most = ratio > most ? ratio : most;
  }
  return most;
}

/* Of all coordinates and their squares the largest. */
static int find_inefficiency(const struct dun_kinship *s, int64_t d, const double *row,
                             double *most)
{
  double *x = dun_allocate(s->rows, sizeof *x);
  if (!x)
    return DUN_ERROR_MEMORY;
  *most = 1;
  for (int64_t j = 0; j < d; j++) {
    double mean = 0;
    for (int square = 0; square < 2; square++) {
      for (int64_t k = 0; k < s->rows; k++) {
        double value = row[k * d + j] - mean;
        x[k] = square ? value * value : value;
      }
      mean = square ? mean : mean_of(s->rows, x);
      double one = inefficiency(s->rows, x);
      *most = one > *most ? one : *most;
    }
  }
  dun_free(x);
  return 0;
}

static void join_stretches(struct dun_kinship *s, double neighbours)
{
  int64_t stretch = (int64_t)ceil(4 * neighbours), most = s->rows / 2;
  stretch = stretch < most ? stretch : most;
  for (int64_t k = 0; k < s->rows && stretch > 1; k++)
    s->kin[k] = s->kin[k] / stretch * stretch;
}

int dun_kinship_init(struct dun_kinship *s, int64_t rows, int64_t d, const double *row)
{
  const double independent = 1.25; /* what chance makes of independent rows */
  double neighbours;
  dun_kinship_free(s);
  s->rows = rows;
  s->kin = dun_allocate(rows, sizeof *s->kin);
  int status = s->kin ? find_equals(s, d, row) : DUN_ERROR_MEMORY;
  if (status < 0 || (status = find_inefficiency(s, d, row, &neighbours)) < 0)
    return status;
  if (neighbours > independent)
    join_stretches(s, neighbours);
  else
    neighbours = 1;
  s->worth = (double)rows / neighbours;
  s->worth = s->worth < (double)s->distinct ? s->worth : (double)s->distinct;
  return 0;
}

void dun_kinship_free(struct dun_kinship *s)
{
  DUN_FREE(s->kin);
}
