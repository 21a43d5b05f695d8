/* Watches what the moves of a step do to the particles, along coordinates, some sums of them with
 * random signs, the directions of largest variance, and the log density.
 *
 * Drift: particles weighted for pi_t stay so when a kernel moves them that leaves pi_t invariant:
 * the mean of no function changes, but for noise.  Where the moves of step after step push one way,
 * pi_t has parts that the particles reach too slowly, and log Z and all means lack these.  Tested
 * are the means of what is watched and of its squares.
 *
 * Slow directions: along which a step's moves have renewed little of the particles' spread while
 * each of them still carries the particles further.  Modes that nobody crosses between do not
 * count: within each, a few moves go as far as more would. */
#ifndef DUNLIN_METHODS_WATCH_H
#define DUNLIN_METHODS_WATCH_H

#include "methods/run.h"
#include "population/weights.h"

enum { DUN_DIRECTIONS = 3 };

struct dun_watch {
  int d, coordinates, columns; /* columns: of coordinates, signed sums, directions, density */
  int spins;                   /* whose squares are all alike */
  int apart; /* by the method's init: moves begin at others than those before have left, so that
              * their changes are independent; else the noise of a step is taken back in the next */

  /* state */
  struct dun_numbers centre, scale;  /* [columns] of the test functions; scale 0: not known yet */
  struct dun_numbers moved;          /* [2][columns] changes of means and squares, over the steps */
  struct dun_numbers variance;       /* [2][columns] of these */
  struct dun_numbers direction;      /* [DUN_DIRECTIONS][d] in units of the metric */
  double first_jump[DUN_DIRECTIONS]; /* typical squared jump in this step's first move */
  int64_t slow, steps;               /* steps with a slow direction, of so many */
  int64_t unknown;                   /* steps that may have one: a single move does not tell */

  /* scratch, owned */
  double *sign;    /* [signed sums][d]: 1 or -1 */
  double *inverse; /* [d] of the metric's scales */
  double *lanes, *total;
  struct dun_exact *sum;
  struct dun_weights weights;
};

/* The state rows, for a struct that has it as `member`. */
#define DUN_WATCH_STATE(type_, member_)                                                            \
  DUN_STATE_ROW("watched centre", DUN_STATE_NUMBERS, offsetof(type_, member_.centre), 1),          \
      DUN_STATE_ROW("watched scale", DUN_STATE_NUMBERS, offsetof(type_, member_.scale), 1),        \
      DUN_STATE_ROW("watched moved", DUN_STATE_NUMBERS, offsetof(type_, member_.moved), 1),        \
      DUN_STATE_ROW("watched variance", DUN_STATE_NUMBERS, offsetof(type_, member_.variance), 1),  \
      DUN_STATE_ROW("watched direction", DUN_STATE_NUMBERS, offsetof(type_, member_.direction),    \
                    1),                                                                            \
      DUN_STATE_ROW("watched jump", DUN_STATE_NUMBER, offsetof(type_, member_.first_jump),         \
                    DUN_DIRECTIONS),                                                               \
      DUN_STATE_ROW("watched slow", DUN_STATE_INTEGER, offsetof(type_, member_.slow), 1),          \
      DUN_STATE_ROW("watched steps", DUN_STATE_INTEGER, offsetof(type_, member_.steps), 1),        \
      DUN_STATE_ROW("watched unknown", DUN_STATE_INTEGER, offsetof(type_, member_.unknown), 1)

/* For a new replicate of this seed.  Local; DUN_ERROR_MEMORY. */
int dun_watch_start(struct dun_watch *watch, const struct dun_run *run);
/* Local.  Lists that a checkpoint gave have the lengths that they have in watch->d dimensions, or
 * DUN_ERROR_INPUT. */
int dun_watch_restore(const struct dun_watch *watch);
/* Safe twice, and on zeroes. */
void dun_watch_free(struct dun_watch *watch);

/* Collective.  Looks at the particles after `moves` moves of this step, against where they were at
 * the last selection, under the weights of run->logw; after the first, and whenever the step may be
 * over.  *slow: whether a direction is. */
int dun_watch_look(struct dun_context *context, struct dun_watch *watch, const struct dun_run *run,
                   int64_t moves, int *slow);
/* Local.  The step is over: books what the last look found. */
void dun_watch_close(struct dun_watch *watch, int64_t moves, int slow);

/* Verdicts on drift and slow directions. */
void dun_watch_diagnose(const struct dun_watch *watch, const struct dun_run *run,
                        struct dun_diagnosis *out);

#endif
