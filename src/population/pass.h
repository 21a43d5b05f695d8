/* A pass over the tiles of the population that can be interrupted, for work that evaluates the
 * target, which may take long.
 *
 *     status = dun_pass_begin(context, pass, m, sum);
 *     for all tiles, or spans of lanes, while status >= 0:
 *       if ((status = dun_pass_enter(pass, tile, from)) > 0) {
 *         ... load, compute ...
 *         if ((status = dun_pass_leave(pass, tile, from, to)) >= 0)
 *           ... store, add to the sums ...
 *       }
 *     status = dun_pass_end(context, pass, status, m, sum, total);
 *
 * A tile is interrupted as a whole: nothing of it was stored, and it is made again.  While a pass
 * is under way the evaluator may answer without evaluating, so that the rest of a tile that is
 * given up takes no time; of a slow target the answers so far are kept, and not asked for again.
 *
 * A tick that was interrupted is made again from its beginning, with the same number: what it does
 * before its passes must come to the same, and passes that were over are not made again.  Hence the
 * same bits. */
#ifndef DUNLIN_POPULATION_PASS_H
#define DUNLIN_POPULATION_PASS_H

#include "base/exact.h"
#include "parallel/context.h"
#include "population/evaluator.h"
#include "population/population.h"

struct dun_pass {
  /* given */
  struct dun_population *population;
  struct dun_evaluator *evaluator;
  struct dun_column *been; /* i8 [1]: 1 where the present pass has been; NULL: passes are never
                            * interrupted */

  /* state */
  int64_t over;            /* passes of the interrupted tick that were over */
  struct dun_numbers sums; /* the exact sums of the interrupted one, their bits; owned */
  /* What the target answered in the pieces that were given up, of all ranks: global tile, first
   * lane, how many numbers, and these; owned. */
  struct dun_numbers answers;

  /* of the present tick */
  int64_t begun;
  struct dun_interrupt *interrupt;                              /* the context's, in a pass */
  int64_t evaluations, gradients, nans, nans_aside, infinities; /* of the evaluator, when the piece
                                                                 * was begun */
  double key[2]; /* of that piece: global tile, first lane */
  int64_t most;  /* numbers of its answers that are kept */

  /* of this rank in this job */
  int64_t pieces; /* that were completed */
};

/* The column `been`, before allocation; DUN_ERROR_MEMORY. */
int dun_pass_declare(struct dun_pass *pass);
void dun_pass_free(struct dun_pass *pass);

/* 1: it was over when the tick was interrupted.  Else 0, and the sums begin with what the
 * interrupted pass had; sum NULL with m = 0. */
int dun_pass_begin(struct dun_context *context, struct dun_pass *pass, int64_t m,
                   struct dun_exact *sum);
/* 1: do the piece that begins at lane `from`; 0: it is done; DUN_INTERRUPTED. */
int dun_pass_enter(struct dun_pass *pass, int64_t local_tile, int from);
/* Lanes from <= l < to are done, or DUN_INTERRUPTED: the piece was given up. */
int dun_pass_leave(struct dun_pass *pass, int64_t local_tile, int from, int to);
/* Collective.  Ends the pass as dun_sum(total), or agrees that it was interrupted
 * (DUN_INTERRUPTED). */
int dun_pass_end(struct dun_context *context, struct dun_pass *pass, int status, int64_t m,
                 struct dun_exact *sum, double *total);

/* The tick is complete. */
void dun_pass_forget(struct dun_pass *pass);

#endif
