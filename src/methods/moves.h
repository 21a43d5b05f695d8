/* How many moves a step of SMC takes, and which steps take any: a stated number, or as many as it
 * takes until the particles have forgotten where they were; none where carries and selections alone
 * are to lead to the target.
 *
 * Particles whose moves end when they look forgotten are not quite pi_t's: chance fluctuations help
 * to decide.  So the looks become rare as moves become many, and where they are many a step moves
 * on beyond what the step before it needed.  (Random walks in 50 dimensions, 512 particles: ended
 * by looks after every move, Z-hat was 2 % too small.) */
#ifndef DUNLIN_METHODS_MOVES_H
#define DUNLIN_METHODS_MOVES_H

#include "methods/watch.h"

enum { DUN_MOVES_MOST = 1 << 30 }; /* of a step */
enum dun_moves_at { DUN_MOVES_EVERY, DUN_MOVES_END };

struct dun_moves {
  /* options */
  long long per_step; /* -1: auto */
  long long most;     /* -1: auto */
  int at;             /* enum dun_moves_at */

  /* set by the method's init */
  int64_t stated; /* moves of a step that the method asks for; 0: the options say */

  /* state */
  int64_t done;      /* in this step */
  int64_t needed;    /* by this step; 0: not known yet */
  int64_t least;     /* of this step, from what the one before needed */
  int64_t capped;    /* steps that ended at the cap */
  double last_jump;  /* of the move before */
  double rejected;   /* share that this step's acceptances would leave in place, were all particles
                     * alike */
  double most_stuck; /* largest share of particles that no move of a step displaced */
  double excess;     /* summed over the steps: what that is more than twice `rejected`, since the
                      * step sizes of tiles differ by chance */
  struct dun_watch watch;
};

/* The option rows, for a struct that has it as `member`. */
#define DUN_MOVES_OPTIONS(type_, member_)                                                          \
  {.name = "moves_per_step",                                                                       \
   .type = DUN_INTEGER,                                                                            \
   .offset = offsetof(type_, member_.per_step),                                                    \
   .initial = "auto",                                                                              \
   .words = "auto",                                                                                \
   .minimum = 0,                                                                                   \
   .maximum = 1e6,                                                                                 \
   .doc = "Sweeps at each time; auto goes on until the log density has forgotten its start; with " \
          "0 nothing moves, and there is no section kernel."},                                     \
      {.name = "moves_at",                                                                         \
       .type = DUN_CHOICE,                                                                         \
       .offset = offsetof(type_, member_.at),                                                      \
       .initial = "every",                                                                         \
       .words = "every|end",                                                                       \
       .doc = "Move at every time, or only at t = 1."},                                            \
  {                                                                                                \
    .name = "most_moves", .type = DUN_INTEGER, .offset = offsetof(type_, member_.most),            \
    .initial = "auto", .words = "auto", .minimum = 1, .maximum = 1e6,                              \
    .doc = "Cap of auto moves at each time; reaching it is reported. auto: 20, and for kernels "   \
           "without gradients at least 4 a dimension."                                             \
  }

/* The state rows. */
#define DUN_MOVES_STATE(type_, member_)                                                            \
  DUN_STATE_UP_TO(DUN_MOVES_MOST, "moves done", offsetof(type_, member_.done)),                    \
      DUN_STATE_UP_TO(DUN_MOVES_MOST, "moves needed", offsetof(type_, member_.needed)),            \
      DUN_STATE_UP_TO(DUN_MOVES_MOST, "moves least", offsetof(type_, member_.least)),              \
      DUN_STATE_ROW("moves capped", DUN_STATE_INTEGER, offsetof(type_, member_.capped), 1),        \
      DUN_STATE_ROW("moves jump", DUN_STATE_NUMBER, offsetof(type_, member_.last_jump), 1),        \
      DUN_STATE_ROW("moves rejected", DUN_STATE_NUMBER, offsetof(type_, member_.rejected), 1),     \
      DUN_STATE_ROW("moves stuck", DUN_STATE_NUMBER, offsetof(type_, member_.most_stuck), 1),      \
      DUN_STATE_ROW("moves excess", DUN_STATE_NUMBER, offsetof(type_, member_.excess), 1),         \
      DUN_WATCH_STATE(type_, member_.watch)

/* For a new replicate.  Local; DUN_ERROR_MEMORY. */
int dun_moves_start(struct dun_moves *moves, const struct dun_run *run);
/* Safe twice, and on zeroes. */
void dun_moves_free(struct dun_moves *moves);

/* Whether anything ever moves. */
int dun_moves_any(const struct dun_moves *moves);
/* Whether it does at time t. */
int dun_moves_due(const struct dun_moves *moves, double t);

/* A step begins.  Local. */
void dun_moves_begin(struct dun_moves *moves);

/* Collective.  Books a move, which looked like this.  Returns 1 when the step is over, 0 when it is
 * to go on, or a negative status. */
int dun_moves_over(struct dun_context *context, struct dun_moves *moves, const struct dun_run *run,
                   const struct dun_look *look);

/* Verdicts on steps that ended at the cap (none for a stated number), and on particles that no move
 * displaced.  Where these are more than the acceptance explains, the kernel's steps are too long
 * for a part of the target: of curved channels and funnels the tails, which particles then neither
 * enter nor leave. */
void dun_moves_diagnose(const struct dun_moves *moves, const struct dun_run *run,
                        struct dun_diagnosis *out);

#endif
