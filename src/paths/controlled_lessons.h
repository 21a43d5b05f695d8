/* What is learned from pieces of the path `controlled` that were carried once (struct dun_track):
 * their log weights under the present numbers, whatever these were when they were carried, and how
 * the log weights change with the numbers.  No target is evaluated, and no second derivatives are
 * needed (Chen et al. 2024, arXiv 2412.07081; the log-variance loss: Richter & Berner 2024,
 * arXiv 2307.01198, who take it for driven diffusions, too). */
#ifndef DUNLIN_PATHS_CONTROLLED_LESSONS_H
#define DUNLIN_PATHS_CONTROLLED_LESSONS_H

#include "paths/controlled.h"

/* Pieces of one number, n of them; where fewer than 64, the lanes behind repeat lane 0. */
struct dun_piece {
  int n;
  const float *x[DUN_LANES], *gradient[DUN_LANES]; /* [points][d] */
  double start[DUN_LANES], end[DUN_LANES];         /* log densities of the target at both ends */
};

struct dun_lessons {
  /* given */
  const struct dun_controlled *path; /* with a steering */
  int precise;                       /* networks in double precision: for tests */

  /* made */
  int64_t steps; /* of a piece */
  double *work;  /* columns, owned */
  void *real;    /* columns of the network's, owned */
};

/* Local.  DUN_ERROR_MEMORY; free is safe twice and for a zeroed struct. */
int dun_lessons_init(struct dun_lessons *lessons);
void dun_lessons_free(struct dun_lessons *lessons);

/* How many numbers are learned: weights, exponents, mean and log scale of the base, in this order;
 * and how many slopes there are, of sums over pieces before they are pulled back to them. */
int64_t dun_lessons_numbers(const struct dun_controlled *path);
int64_t dun_lessons_slopes(const struct dun_controlled *path);

/* log_weight[64] of pieces number `number` of the path. */
void dun_lessons_weigh(const struct dun_lessons *lessons, int64_t number,
                       const struct dun_piece *piece, double *log_weight);
/* ADDS sum over lanes of factor[64] times the derivative of log_weight, in slopes.  The factor of
 * the lanes behind the n-th is 0; what enters is finite. */
void dun_lessons_learn(const struct dun_lessons *lessons, int64_t number,
                       const struct dun_piece *piece, const double *factor, double *slopes);
/* gradient[numbers] from slopes. */
void dun_lessons_pull(const struct dun_lessons *lessons, double *slopes, double *gradient);

#endif
