/* Numbers of [-1, 1] as integers in two limbs of b bits, so that their sums are exact whatever
 * the order and however the particles are spread over ranks.
 *
 * A number x becomes high * 2^b + low, its share of 2^2b rounded to the nearest integer, by
 * adding and taking away 1.5 * 2^(52 - b): AVX2 has no conversion between doubles and 64-bit
 * integers. */
#ifndef DUNLIN_POPULATION_LIMBS_H
#define DUNLIN_POPULATION_LIMBS_H

#include "base/vmath.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum { DUN_LIMB_LANES = 64 };

struct dun_limbs {
  int bits;        /* b: min(40, 61 - ceil(log2 N)), so that 2b + 2 log2 N <= 122 */
  double shift[2]; /* 1.5 * 2^(52 - b), 1.5 * 2^(52 - 2b) */
  double unit[2];  /* 2^-b, 2^-2b */
};

/* The smallest k with 2^k >= n, for n >= 1. */
static inline int dun_log2_up(int64_t n)
{
  int k = 0;
  while (k < 62 && ((int64_t)1 << k) < n)
    k++;
  return k;
}

/* For sums of `total` numbers. */
static inline struct dun_limbs dun_limbs_of(int64_t total)
{
  int room = 61 - dun_log2_up(total), bits = room < 40 ? room : 40;
  return (struct dun_limbs){.bits = bits,
                            .shift = {ldexp(1.5, 52 - bits), ldexp(1.5, 52 - 2 * bits)},
                            .unit = {ldexp(1, -bits), ldexp(1, -2 * bits)}};
}

/* Rounds x to a multiple of the shift's last place; the multiple goes to *limb. */
static inline double dun_limb_cut(double x, double shift, int64_t *limb)
{
  double moved = x + shift;
  *limb = (int64_t)(dun_bits(moved) - dun_bits(shift));
  return moved - shift;
}

/* An integer of less than 51 bits as a double. */
static inline double dun_limb_double(int64_t limb)
{
  const double shift = 0x1.8p52;
  return dun_from_bits(dun_bits(shift) + (uint64_t)limb) - shift;
}

/* An integer below 2^126 as a double, to 2^-52 of its size: for estimates only. */
static inline double dun_limbs_estimate(dun_u128 x)
{
  const int64_t high = (int64_t)(x >> 64), low = (int64_t)((uint64_t)x >> 1);
  return (double)high * 0x1p64 + (double)low * 2;
}

/* Both limbs together. */
static inline __int128 dun_limbs_join(const struct dun_limbs *limbs, int64_t high, int64_t low)
{
  return (__int128)high * ((__int128)1 << limbs->bits) + low;
}

/* Sixty-four lanes of a tile that holds n: the row itself if it is full, or a padded copy. */
static inline const double *dun_full_lanes(int n, const double *row, double pad, double *copy)
{
  if (n == DUN_LIMB_LANES)
    return row;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++)
    copy[lane] = lane < n ? row[lane] : pad;
  return copy;
}

/* weights.c: the two limbs of the weights exp(logw - maximum) of 64 lanes. */
void dun_weight_limbs(const struct dun_limbs *limbs, double maximum, const double *logw,
                      int64_t *high, int64_t *low);

#endif
