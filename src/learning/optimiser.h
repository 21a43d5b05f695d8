/* Steps down the gradient of a loss: Adam (Kingma & Ba 2015, arXiv 1412.6980), with decay of the
 * weights beside it AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).  Every rank takes the same
 * step by itself. */
#ifndef DUNLIN_LEARNING_OPTIMISER_H
#define DUNLIN_LEARNING_OPTIMISER_H

#include "base/type.h"

enum dun_optimiser_schedule { DUN_RATE_CONSTANT, DUN_RATE_COSINE, DUN_RATE_LINEAR };

struct dun_optimiser {
  /* options */
  double rate, first_decay, second_decay, epsilon, weight_decay;
  double clip;    /* of the gradient's norm; 0: none */
  int schedule;   /* enum dun_optimiser_schedule */
  long long rise; /* steps in which the rate grows from 0 */
  double average; /* decay of the weights' running mean; 0: none */

  /* given */
  const double *pace; /* [weights]: rates of their own, in units of `rate`; NULL: all 1 */

  /* state */
  int64_t steps, skipped; /* taken; gradients that were no numbers */
  struct dun_numbers first, second,
      mean; /* [weights]: moments; of weights, if there is an average */
};

extern const struct dun_option dun_optimiser_rows[];

/* State rows of a struct that has it as a member. */
#define DUN_OPTIMISER_STATE(type_, member_)                                                        \
  DUN_STATE_ROW("optimiser steps", DUN_STATE_INTEGER, offsetof(type_, member_.steps), 1),          \
      DUN_STATE_ROW("skipped", DUN_STATE_INTEGER, offsetof(type_, member_.skipped), 1),            \
      DUN_STATE_ROW("first moment", DUN_STATE_NUMBERS, offsetof(type_, member_.first), 1),         \
      DUN_STATE_ROW("second moment", DUN_STATE_NUMBERS, offsetof(type_, member_.second), 1),       \
      DUN_STATE_ROW("mean weights", DUN_STATE_NUMBERS, offsetof(type_, member_.mean), 1)

/* Begins anew at weights[count].  DUN_ERROR_MEMORY. */
int dun_optimiser_start(struct dun_optimiser *optimiser, int64_t count, const double *weights);
void dun_optimiser_free(struct dun_optimiser *optimiser);

/* One of `total` steps; `norm` is the gradient's.  One whose norm is not finite is skipped. */
void dun_optimiser_step(struct dun_optimiser *optimiser, int64_t total, const double *gradient,
                        double *weights, double *norm);
/* The weights to be used: their mean where there is an average. */
const double *dun_optimiser_weights(const struct dun_optimiser *optimiser, const double *weights);

#endif
