/* Exactly rounded sums that do not depend on the order of the numbers.
 *
 * An accumulator of 67 digits of 32 bits, each held in an int64, spans all doubles; digits of
 * several accumulators may be added as integers.  About 3 ns a number. */
#ifndef DUNLIN_BASE_EXACT_H
#define DUNLIN_BASE_EXACT_H

#include <stdint.h>

enum { DUN_EXACT_DIGITS = 67 };

struct dun_exact {
  int64_t digit[DUN_EXACT_DIGITS];
  int64_t added;  /* numbers since the last carry; carried before it can overflow */
  int64_t odd[3]; /* how many +inf, -inf and NaN entered */
};

/* A zeroed accumulator is empty. */
void dun_exact_add(struct dun_exact *sum, double value);
/* Carries, so that every digit but the top one is in [0, 2^32): then 2^31 of them can be added. */
void dun_exact_carry(struct dun_exact *sum);
/* The sum, rounded to nearest, ties to even; inf and NaN as in plain addition; an exact 0 is +0. */
double dun_exact_value(struct dun_exact *sum);

#endif
