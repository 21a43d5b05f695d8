#include "learning/kinship.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/fft.h"
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

/* How many neighbours know the mean, 0, of x[n] as well as one independent number would, at least
 * 1; x is scratch afterwards. */
static double inefficiency(int64_t n, double *x)
{
  double most = 1;
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

/* ---- chains that take turns ------------------------------------------------------------------ */

/* Every row's next relative may be so many rows behind it, as where a table has the first draws of
 * all chains, then their second ones: the period.  In their other order the rows of one turn follow
 * each other. */
static int64_t place_of(int64_t rows, int64_t period, int64_t k)
{
  int64_t turn = k % period, rest = rows % period;
  return turn * (rows / period) + (turn < rest ? turn : rest) + k / period;
}

struct turns {
  struct dun_fft fft;
  double *x, *turned, *block; /* [rows], [rows], and the transform's */
};

static void turns_free(struct turns *t)
{
  dun_fft_free(&t->fft);
  DUN_FREE(t->x);
  DUN_FREE(t->turned);
  DUN_FREE(t->block);
}

static int turns_init(struct turns *t, int64_t rows)
{
  *t = (struct turns){.x = dun_allocate(rows, sizeof *t->x),
                      .turned = dun_allocate(rows, sizeof *t->turned)};
  int status = dun_fft_init(&t->fft, 1, &rows);
  if (status < 0)
    return status;
  t->block = dun_allocate(t->fft.block, sizeof *t->block);
  return t->x && t->turned && t->block ? 0 : DUN_ERROR_MEMORY;
}

/* The lag, up to half of the rows, at which x is most correlated with itself; 1 where nothing
 * is beyond chance.  x has the mean 0. */
static int64_t period_of(const struct turns *t, int64_t rows)
{
  const double chance = 6; /* standard deviations */
  memcpy(t->block, t->x, (size_t)rows * sizeof *t->x);
  dun_fft_forward(&t->fft, t->block);
  for (int64_t k = 0; k < t->fft.modes; k++) {
    double *mode = t->block + 2 * k;
    mode[0] = mode[0] * mode[0] + mode[1] * mode[1];
    mode[1] = 0;
  }
  dun_fft_inverse(&t->fft, t->block);
  double most = chance / sqrt((double)rows) * t->block[0];
  int64_t period = 1;
  for (int64_t lag = 1; lag <= rows / 2; lag++)
    if (fabs(t->block[lag]) > most) {
      most = fabs(t->block[lag]);
      period = lag;
    }
  return period;
}

/* Whether all points are those of so many rows before, which find_equals has counted once. */
static int is_repeated(const struct dun_kinship *s, int64_t period)
{
  for (int64_t k = period; k < s->rows; k++)
    if (s->kin[k] != s->kin[k - period])
      return 0;
  return 1;
}

/* Of the numbers in t->x, which have the mean 0; *period is that of their order in which they are
 * worth least. */
static double least_worth(const struct dun_kinship *s, struct turns *t, int64_t *period)
{
  int64_t rows = s->rows, found = period_of(t, rows);
  if (found > 1 && is_repeated(s, found))
    found = 1;
  for (int64_t k = 0; k < rows; k++)
    t->turned[place_of(rows, found, k)] = t->x[k];
  double one = inefficiency(rows, t->x);
  double other = found > 1 ? inefficiency(rows, t->turned) : 1;
  *period = other > one ? found : 1;
  return other > one ? other : one;
}

/* Of all coordinates and their squares the largest, and the order that it is of. */
static int find_inefficiency(const struct dun_kinship *s, int64_t d, const double *row,
                             double *most, int64_t *period)
{
  struct turns t;
  int status = turns_init(&t, s->rows);
  *most = *period = 1;
  for (int64_t j = 0; j < d && status >= 0; j++) {
    double mean = 0;
    for (int square = 0; square < 2; square++) {
      for (int64_t k = 0; k < s->rows; k++) {
        double value = row[k * d + j] - mean;
        t.x[k] = square ? value * value : value;
      }
      double own = mean_of(s->rows, t.x);
      for (int64_t k = 0; k < s->rows; k++)
        t.x[k] -= own;
      mean = square ? mean : own;
      int64_t order;
      double one = least_worth(s, &t, &order);
      *period = one > *most ? order : *period;
      *most = one > *most ? one : *most;
    }
  }
  turns_free(&t);
  return status;
}

static void join_stretches(struct dun_kinship *s, double neighbours, int64_t period)
{
  int64_t stretch = (int64_t)ceil(4 * neighbours), most = s->rows / 2;
  stretch = stretch < most ? stretch : most;
  for (int64_t k = 0; k < s->rows && stretch > 1; k++)
    s->kin[k] = place_of(s->rows, period, s->kin[k]) / stretch;
}

int dun_kinship_init(struct dun_kinship *s, int64_t rows, int64_t d, const double *row)
{
  const double independent = 1.25; /* what chance makes of independent rows */
  double neighbours;
  int64_t period;
  dun_kinship_free(s);
  s->rows = rows;
  s->kin = dun_allocate(rows, sizeof *s->kin);
  int status = s->kin ? find_equals(s, d, row) : DUN_ERROR_MEMORY;
  if (status < 0 || (status = find_inefficiency(s, d, row, &neighbours, &period)) < 0)
    return status;
  if (neighbours > independent)
    join_stretches(s, neighbours, period);
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
