/* Waste-free SMC (Dau & Chopin 2022, J. R. Stat. Soc. B 84, 114): at each time M = N / P of the N
 * weighted particles are selected, each is moved P - 1 times, and all the points of these M chains
 * of length P are the N particles that are weighed next.
 *
 * The points of a chain lie side by side, particles mP .. mP + P - 1 are chain m, selected points
 * first; and P tiles of particles, which are a tile of chains, on one rank.  Moves go through a
 * population of the chains' heads, tile by tile, and behind each the points are copied to where
 * they belong.  In the midst of a step the places that are not filled yet hold the selected
 * point.
 *
 * The error of log Z.  With W_m what a chain has of the weights at a time, a_m = M W_m - 1, the
 * logarithm's error is about the sum over times of mean_m a_m, whose variance is
 *
 *   sum_t 1 / M var_m(a_m,t)  +  2 sum_{s < t} 1 / M cov_m(a_m,t, a_m,s)
 *
 * where a_m,s is that of the chain at time s from which chain m descends; other chains are
 * independent of each other to first order.  The first part is the paper's sum of long-run
 * variances (Section 4), estimated by batches that are the chains; it is all there is as P -> inf.
 * The second is what chains of finite length remember of the times before, as those do that never
 * leave a mode; it is added where it is positive.  Of the first draws, which are independent, a is
 * that of a particle.
 *
 * Relatives other than ancestors count where families grow large before their members forget.  With
 * W_r the weight of a family, the descendants of a chain at the first time, and V = sum_r (W_r -
 * 1 / M)^2, the same variance is the sum of what V gains at every time in the weights, and not in
 * selections.  It sees all relatives, but is noisier.  The larger of the two is reported.
 *
 * V itself, the error by ancestor, also has what selections add.  That is the noise of M points at
 * every time, whether or not it reaches log Z; and since weights of chains differ so little, it is
 * most of V: the error would be two to three times too large. */
#ifndef DUNLIN_METHODS_WASTE_FREE_H
#define DUNLIN_METHODS_WASTE_FREE_H

#include "methods/moves.h"
#include "methods/run.h"
#include "population/weights.h"

struct dun_waste_free {
  /* options */
  long long length; /* P; below 1: this is not what is done */

  /* state */
  double variance, covariance; /* of log Z: the two parts */
  double gained;               /* by V in the weights */
  double selected;             /* V behind the last selection */
  int64_t midway;              /* the present move was interrupted */

  /* made by init */
  struct dun_column *lineage; /* sum of a over the chains that it descends from */

  /* scratch */
  struct dun_population heads; /* the chains' last points; made when needed */
};

/* The option row, for a struct that has it as `member`. */
#define DUN_WASTE_FREE_OPTION(type_, member_)                                                      \
  {                                                                                                \
    .name = "chain_length", .type = DUN_INTEGER, .offset = offsetof(type_, member_.length),        \
    .initial = "none", .words = "none", .minimum = 2, .maximum = 1e9,                              \
    .doc = "Waste-free SMC: at each time a particle is selected for each chain of so many, moved " \
           "one time less, and all the points on its way are particles; of moves_per_step, "       \
           "most_moves, moves_at and ess_threshold nothing is stated then.  none: plain SMC."      \
  }

/* The state rows. */
#define DUN_WASTE_FREE_STATE(type_, member_)                                                       \
  DUN_STATE_ROW("chains variance", DUN_STATE_NUMBER, offsetof(type_, member_.variance), 1),        \
      DUN_STATE_ROW("chains covariance", DUN_STATE_NUMBER, offsetof(type_, member_.covariance),    \
                    1),                                                                            \
      DUN_STATE_ROW("chains gained", DUN_STATE_NUMBER, offsetof(type_, member_.gained), 1),        \
      DUN_STATE_ROW("chains selected", DUN_STATE_NUMBER, offsetof(type_, member_.selected), 1),    \
      DUN_STATE_UP_TO(1, "chains midway", offsetof(type_, member_.midway))

/* Whether it is asked for. */
int dun_waste_free_any(const struct dun_waste_free *waste_free);
/* Points of a chain; 1, where it is not asked for. */
int64_t dun_waste_free_length(const struct dun_waste_free *waste_free);
/* How many chains there are; all particles, where it is not asked for. */
int64_t dun_waste_free_chains(const struct dun_waste_free *waste_free, const struct dun_run *run);

/* In a method's init: whether the other options (below 0: auto) and the run agree with it, its
 * moves, and a column.
 * DUN_ERROR_INPUT, DUN_ERROR_MEMORY. */
int dun_waste_free_init(struct dun_waste_free *waste_free, struct dun_moves *moves,
                        double ess_threshold, struct dun_run *run);
/* For a new replicate.  Local. */
void dun_waste_free_start(struct dun_waste_free *waste_free);
/* Safe twice, and on zeroes. */
void dun_waste_free_free(struct dun_waste_free *waste_free);

/* Behind the first selection: every chain is its own ancestor.  Local. */
void dun_waste_free_found(const struct dun_waste_free *waste_free, struct dun_run *run);

/* Collective.  Before move number `place` (from 1) of a step: run->sweep goes through the heads of
 * the chains.  DUN_ERROR_MEMORY. */
int dun_waste_free_enter(struct dun_context *context, struct dun_waste_free *waste_free,
                         struct dun_run *run, int64_t place);
/* The run whose particles are those that it goes through.  It is to be read only. */
struct dun_run dun_waste_free_view(const struct dun_waste_free *waste_free,
                                   const struct dun_run *run);
/* Local.  Behind the move, which returned `status`: what it has left is kept, also where it was
 * interrupted, and run->sweep goes through all particles.  Returns the status. */
int dun_waste_free_leave(struct dun_waste_free *waste_free, struct dun_run *run, int64_t place,
                         int status);

/* Collective.  Books what the weights of a new time say of the error of log Z; `first`: the
 * particles are the first draws; by_ancestor: V.  *roots: how many equal chains it rests on. */
int dun_waste_free_book(struct dun_context *context, struct dun_waste_free *waste_free,
                        const struct dun_run *run, const struct dun_weights *weights, int first,
                        double by_ancestor, double *roots);
/* Collective.  Behind a selection; `weights` become those after it. */
int dun_waste_free_selected(struct dun_context *context, struct dun_waste_free *waste_free,
                            const struct dun_run *run, struct dun_weights *weights);
/* The standard error of log Z. */
double dun_waste_free_error(const struct dun_waste_free *waste_free);

/* Whether chains are long enough to forget; by_ancestor: the other estimate of the error. */
void dun_waste_free_diagnose(const struct dun_waste_free *waste_free, const struct dun_run *run,
                             double by_ancestor, struct dun_diagnosis *out);

#endif
