/* Points to learn from, the same on every rank, of which the last ones are held back: nothing is
 * learned from them, and they tell what was. */
#ifndef DUNLIN_LEARNING_EXAMPLES_H
#define DUNLIN_LEARNING_EXAMPLES_H

#include "base/random.h"

struct dun_examples {
  /* options */
  long long count, held_back;

  /* made */
  int d;
  double *x; /* [count + held_back][d], owned */
};

/* Local.  What `deal` makes of tiles 0, 1, ... of points: x[d][64].  A point that is no number is
 * DUN_ERROR_INPUT; DUN_ERROR_MEMORY. */
int dun_examples_init(struct dun_examples *examples, int d,
                      void (*deal)(void *source, int64_t tile, double *x), void *source);
void dun_examples_free(struct dun_examples *examples);
/* Mean [d] of those to learn from, and the root of their mean square about it, all coordinates
 * together. */
void dun_examples_measure(const struct dun_examples *examples, double *centre, double *scale);
/* Keeps a half of them, of those that are held back, too: with v the direction in which those to
 * learn from vary most, and whose largest entry is positive, all x with <x - mean, v> >= 0, or all
 * others.  The share [0, 1] of those to learn from that it was; DUN_ERROR_INPUT where nothing is
 * left, DUN_ERROR_MEMORY. */
int dun_examples_halve(struct dun_examples *examples, int upper, double *share);
/* Of the points that are learned from in turn number i: every one once before any is met again, in
 * an order of its own each time. */
int64_t dun_examples_turn(const struct dun_examples *examples, struct dun_address address,
                          int64_t i);

/* The same from tables of an epoch, which are made where another one, seed, purpose or replicate is
 * asked for: for many turns one after the other. */
struct dun_examples_order {
  int64_t epoch; /* -1: there are no tables */
  struct dun_address address;
  uint32_t *mix; /* four tables, owned */
};
/* Of no more examples than there are now.  DUN_ERROR_MEMORY. */
int dun_examples_order_init(struct dun_examples_order *order, const struct dun_examples *examples);
void dun_examples_order_free(struct dun_examples_order *order);
int64_t dun_examples_order_turn(struct dun_examples_order *order,
                                const struct dun_examples *examples, struct dun_address address,
                                int64_t i);

#endif
