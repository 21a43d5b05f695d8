/* Pieces of carried paths that are kept to be learned from again: of every particle, for the last
 * so many batches of simulations and every piece, its points and the target's gradients there in
 * single precision, the target's log densities at the ends, and the piece's log weight when it was
 * last weighed.  Slot b % slots holds batch b.
 *
 * Learning takes half of the latest pieces and as many of all by their weights, without
 * replacement: those with the largest log weight + g, g of Gumbel's law (Efraimidis & Spirakis
 * 2006).  Who they are does not depend on the ranks. */
#ifndef DUNLIN_METHODS_REPLAY_H
#define DUNLIN_METHODS_REPLAY_H

#include "methods/run.h"
#include "numerics/order.h"
#include "paths/controlled_lessons.h"

struct dun_replay {
  /* given */
  int64_t slots, pieces, points; /* points: of a piece */
  int64_t d;
  struct dun_column *log_weight; /* f64 [slots pieces], saved; -inf: not to be learned from */

  /* made; owned */
  struct dun_tiles tiles;
  float *x, *gradient; /* [slots][pieces][local][points][d] */
  double *end;         /* [slots][pieces][2][local]: log densities at start and end */
  double *weight;      /* [pieces][slots][local]: log_weight as the latest deal found it */
  struct dun_order order;
  double *key;     /* [slots][local] */
  char *fresh;     /* [local]: whether it is learned from as one of the latest */
  int64_t *chosen; /* [2 local + slots local]: slot * local + particle, tile after tile */
  int64_t *begin;  /* [tiles + 1]: where those of each tile begin */
};

/* The column, before the population is allocated, with the given numbers set; and the rest, after
 * it.  Local; DUN_ERROR_MEMORY.  Free is safe twice and for a zeroed struct. */
int dun_replay_declare(struct dun_replay *replay, struct dun_run *run);
int dun_replay_init(struct dun_replay *replay);
void dun_replay_free(struct dun_replay *replay);
/* Bytes on this rank, once the column is declared. */
int64_t dun_replay_memory(const struct dun_replay *replay);

/* Where a carry of batch number `batch` leaves its points. */
void dun_replay_track(const struct dun_replay *replay, int64_t batch, int64_t piece,
                      struct dun_track *track);
/* Log densities of the target at the start (side 0) or the end, from the population's column of
 * log densities [parts], whose second is the target's. */
void dun_replay_ends(const struct dun_replay *replay, int64_t batch, int64_t piece, int side,
                     const struct dun_column *part_lp);
/* The log weights of a piece just carried, from a column. */
void dun_replay_weigh(const struct dun_replay *replay, int64_t batch, int64_t piece,
                      const struct dun_column *increment);
/* All of them empty. */
void dun_replay_clear(const struct dun_replay *replay);

/* Local, before a step.  Draws which of the latest pieces of a batch are learned from: half of each
 * tile's, or all where there is one slot; and goes once through all log weights, so that choosing
 * does not go through them piece by piece, each a cache line from the next. */
void dun_replay_deal(struct dun_replay *replay, struct dun_address address);
/* Collective.  Chooses pieces number `piece` while `batch` is the latest, by their weights at the
 * deal.  DUN_ERROR_MEMORY. */
int dun_replay_choose(struct dun_context *context, struct dun_replay *replay, int64_t batch,
                      int64_t piece, struct dun_address address);
/* Pieces chosen from number `first` on into lanes, at most 64 of one tile: how many. */
int dun_replay_load(const struct dun_replay *replay, int64_t piece, int64_t first, int64_t end,
                    struct dun_piece *out);
/* Where the log weight of chosen piece number i is kept; NULL: it is one of the latest alone. */
double *dun_replay_place(const struct dun_replay *replay, int64_t piece, int64_t i);

#endif
