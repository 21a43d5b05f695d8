/* Ordered uniforms that every rank can walk through without the others: normalised partial sums
 * of exponentials -log u, u addressed by place (Devroye 1986, Non-Uniform Random Variate
 * Generation, V.2.1).
 *
 * The exponentials are rounded up to integers, so that the partial sums are exact; one Allgather
 * of a number per rank tells the sums at 64-bit borders of equal shares, and whoever needs a
 * stretch between two borders computes it again from its addresses. */
#ifndef DUNLIN_POPULATION_DRAWS_H
#define DUNLIN_POPULATION_DRAWS_H

#include "base/random.h"
#include "parallel/sum.h"

enum { DUN_DRAW_LANES = 64 };

struct dun_draws {
  int64_t count;              /* n ordered uniforms, spread over [0, whole) */
  dun_u128 whole;             /* below 2^124 */
  struct dun_address address; /* its tile: which 64 exponentials */
  double scale;               /* 2^f: the integer that stands for 1 */
  double ratio;               /* estimate of before[shares] / whole */
  int shares;                 /* ranks */
  int64_t *before;            /* [shares + 1]: sum of the n + 1 exponentials before each share */

  /* The cursor. */
  int share;     /* that of the next uniform */
  int64_t place; /* of the next uniform, 0 .. n: how many are behind the cursor */
  int64_t sum;   /* its partial sum: it lies at whole * sum / before[shares] */
  int64_t tile;  /* whose exponentials are in `piece`; -1: none */
  _Alignas(64) int64_t piece[DUN_DRAW_LANES];
};

/* Collective.  n may be 0. */
int dun_draws_init(struct dun_context *context, int64_t count, dun_u128 whole,
                   struct dun_address address, struct dun_draws *draws);
void dun_draws_free(struct dun_draws *draws);

/* How many of the uniforms lie below x, 0 <= x <= whole; x must not decrease from call to call.
 * 0 for x = 0 and n for x = whole; exact comparisons, so monotone and the same on every rank. */
int64_t dun_draws_below(struct dun_draws *draws, dun_u128 x);

#endif
