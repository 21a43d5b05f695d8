/* The one loss of denoisers and its descent: E w(l) |m(s, l) - u|^2 over examples and over how
 * clearly they are seen (learning/denoiser.h).  What localization, flow matching, noise prediction
 * and velocities minimise differs in the weight and in the law of l alone. */
#ifndef DUNLIN_LEARNING_REGRESSION_H
#define DUNLIN_LEARNING_REGRESSION_H

#include "base/table.h"
#include "learning/batch_sum.h"
#include "learning/denoiser.h"
#include "learning/examples.h"
#include "learning/optimiser.h"

enum dun_lesson_half { DUN_HALF_NONE, DUN_HALF_UPPER, DUN_HALF_LOWER };
enum dun_lesson_times { DUN_TIMES_ANGLE, DUN_TIMES_LOG };

struct dun_regression {
  /* options */
  struct dun_examples examples;
  struct dun_optimiser optimiser;
  long long steps, batch, groups, every, patience;
  int means, sees, weight, times, precision, half;
  double first, last; /* l */
  double average; /* gain of averages, over the root of the number of pixels; 0: none are seen */
  long long channels;

  /* state */
  struct dun_denoiser denoiser; /* with network and d given */
  int64_t done, over;           /* steps; no more are to come */
  int64_t best_step, in_row;    /* of the best weights; skipped steps one after the other */
  double best, blank; /* loss of held-back examples: the least, and at the first weights */
  double loss, norm;  /* sums over the steps since the last row */
  struct dun_numbers best_weights;
  struct dun_table table;

  /* made by init; owned */
  struct dun_batch_sum sum;
  struct dun_examples_order order;
  double *total, *x, *noise; /* [weights + 1]; [d][64]; [d + averages][64] */
  double log_ends[2], angle_ends[2];
};

/* Of a loss that is no number, so many times one after the other, is made an end. */
enum { DUN_REGRESSION_GIVES_UP = 100 };

extern const struct dun_option dun_regression_rows[];
#define DUN_REGRESSION_STATE(type_, member_)                                                       \
  DUN_DENOISER_STATE(type_, member_.denoiser), DUN_OPTIMISER_STATE(type_, member_.optimiser),      \
      DUN_STATE_ROW("lessons", DUN_STATE_INTEGER, offsetof(type_, member_.done), 1),               \
      DUN_STATE_UP_TO(1, "over", offsetof(type_, member_.over)),                                   \
      DUN_STATE_ROW("best step", DUN_STATE_INTEGER, offsetof(type_, member_.best_step), 1),        \
      DUN_STATE_ROW("in a row", DUN_STATE_INTEGER, offsetof(type_, member_.in_row), 1),            \
      DUN_STATE_ROW("best", DUN_STATE_NUMBER, offsetof(type_, member_.best), 1),                   \
      DUN_STATE_ROW("blank", DUN_STATE_NUMBER, offsetof(type_, member_.blank), 1),                 \
      DUN_STATE_ROW("loss", DUN_STATE_NUMBER, offsetof(type_, member_.loss), 1),                   \
      DUN_STATE_ROW("norm", DUN_STATE_NUMBER, offsetof(type_, member_.norm), 1),                   \
      DUN_STATE_ROW("best weights", DUN_STATE_NUMBERS, offsetof(type_, member_.best_weights), 1),  \
      DUN_STATE_ROW("table", DUN_STATE_NUMBERS, offsetof(type_, member_.table.cells), 1)

/* Local, before the network's init, of d + this many inputs: how many averages it sees, of a point
 * of d coordinates.  DUN_ERROR_INPUT. */
int dun_regression_averages(const struct dun_regression *regression, int d);
/* Local, after the network's init: checks, examples, room.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY. */
int dun_regression_init(const struct dun_context *context, struct dun_regression *regression,
                        void (*deal)(void *source, int64_t tile, double *x), void *source);
void dun_regression_free(struct dun_regression *regression);
/* Bytes of it on a rank, with those of the network, after init. */
int64_t dun_regression_memory(const struct dun_regression *regression);

/* Collective.  Begins with new weights, by numbers of the address.  DUN_ERROR_MEMORY. */
int dun_regression_start(struct dun_context *context, struct dun_regression *regression,
                         struct dun_address address);
/* After a checkpoint gave the state back.  DUN_ERROR_INPUT where its lengths are others. */
int dun_regression_restore(struct dun_regression *regression);
/* Collective.  Some steps, no more than until the next look at the held-back examples, which adds a
 * row to the table: 1 then, else 0.  `over` tells the end, at which the network has the best
 * weights. */
int dun_regression_tick(struct dun_context *context, struct dun_regression *regression,
                        struct dun_address address);

#endif
