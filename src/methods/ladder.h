/* The rungs of parallel tempering: their times, step sizes and metrics, and how often neighbours
 * refuse to swap.
 *
 * The barrier Lambda(t_k) = r_0 + ... + r_{k-1} is the sum of the rejections r; a ladder whose
 * times lie at equal distances of it has equal swap rates (Syed et al. 2022).
 *
 * All of it is the same on every rank. */
#ifndef DUNLIN_METHODS_LADDER_H
#define DUNLIN_METHODS_LADDER_H

#include "dunlin/target.h"
#include "population/population.h"

struct dun_ladder {
  /* given */
  int64_t rungs, ladders; /* R, and how many ladders there are side by side */
  int d;

  /* state; owned */
  struct dun_numbers time;     /* [R] of the rungs */
  struct dun_numbers log_step; /* [R] */
  struct dun_numbers rejected; /* [R][2]: sum of rejection probabilities of k, k + 1; attempts */
  struct dun_numbers drawn;    /* [R][1024]: V's of a rung, the last 256 of a round first */
  struct dun_numbers accepted; /* [R]: sums of the acceptance since the last look */
  struct dun_numbers scale;    /* [R][d]: of the metric, as standard deviations */
  struct dun_numbers factor;   /* [R][d (d + 1) / 2]: of dense metrics, the lower triangles whose
                                * rows are in units of scale; [0]: all are diagonal */
  struct dun_numbers place;    /* [R][d]: about which the next two are taken */
  struct dun_numbers moments;  /* [R][d][2]: sums of distances from it in units of scale */
  double points;               /* of a rung in `moments` */
  double lost;                 /* V's of the first rung at -inf: what t > 0 kills */
  double values, looks, turns; /* V's so far of a rung; replicas in `accepted` of a rung, and how
                                * often step sizes were adapted in this round */

  /* scratch; owned */
  int64_t *count; /* [R][d][2] */
};

/* Rungs at the cubes of equal distances, all with one step size and scale 1.  May be called again.
 * Local; DUN_ERROR_MEMORY. */
int dun_ladder_init(struct dun_ladder *ladder, int64_t rungs, int64_t ladders, int d,
                    double log_step);
/* What a restart needs before the state is there.  Local; DUN_ERROR_MEMORY. */
int dun_ladder_scratch(struct dun_ladder *ladder, int64_t rungs, int64_t ladders, int d);
/* Whether the state, which was read, has the lengths and counts that it should. */
int dun_ladder_is_sound(const struct dun_ladder *ladder);
void dun_ladder_free(struct dun_ladder *ladder);
/* Numbers of a rung's lower triangle. */
int64_t dun_ladder_triangle(const struct dun_ladder *ladder);
/* All metrics are diagonal from now on. */
void dun_ladder_forget_factor(struct dun_ladder *ladder);

/* ---- swaps ----------------------------------------------------------------------------------- */

/* A swap of k and k + 1 that is refused with that probability. */
void dun_ladder_refuse(struct dun_ladder *ladder, int64_t k, double rejection);
/* The mean rejection of rungs k and k + 1; 0: none was tried. */
double dun_ladder_rejection(const struct dun_ladder *ladder, int64_t k);
/* The share of the first rung's points that every t > 0 kills. */
double dun_ladder_lost(const struct dun_ladder *ladder);
/* The rejection that there would be without them. */
double dun_ladder_inside(const struct dun_ladder *ladder, int64_t k);
/* Lambda(t_k); k = R - 1: the whole barrier. */
double dun_ladder_barrier(const struct dun_ladder *ladder, int64_t k);
/* The rungs' V's of a ladder, of which the next ladder is made: the last 256; `all`: 1024. */
void dun_ladder_keep(struct dun_ladder *ladder, const double *value, int all);
/* The heaviest tail of the weights exp(dt V) from one rung to the next: its Pareto shape, and which
 * rung it is.  Local; DUN_ERROR_MEMORY. */
int dun_ladder_tail(struct dun_ladder *ladder, double *shape, int64_t *rung);
/* The rejections, V's and step sizes of the next round begin anew. */
void dun_ladder_forget(struct dun_ladder *ladder);

/* The next ladder, of so many rungs: times at equal distances of the barrier (methods/barrier.h);
 * step sizes and metrics are those of the law at hand, between the present rungs'.  Where nothing
 * tells where they should be it stays as it is.  Where their number changes, what was counted of
 * rungs is forgotten.  Local; DUN_ERROR_MEMORY. */
int dun_ladder_respace(struct dun_ladder *ladder, int64_t rungs);
/* The rungs of a ladder that rejects about half of its swaps, by the rejections at hand.  Of pairs
 * that reject almost all it is known only that they are far apart: they count as 19 in 20, and
 * *worst, the most that a pair rejects, tells of them. */
double dun_ladder_wanted(const struct dun_ladder *ladder, double *worst);

/* The acceptance of a replica at rung k.  Behind a sweep: where enough of them are known, all
 * rungs' step sizes move towards the target. */
void dun_ladder_accept(struct dun_ladder *ladder, int64_t k, double acceptance);
void dun_ladder_adapt(struct dun_ladder *ladder, double target_acceptance);

/* ---- the metric ------------------------------------------------------------------------------ */

/* Collective.  Place and scale of all rungs from the first tile's particles. */
int dun_ladder_metric_start(struct dun_context *context, struct dun_ladder *ladder,
                            const struct dun_population *population, const struct dun_column *x);
/* Collective.  Adds the replicas' points to their rungs' moments; rung[local][2] as the column of
 * that name.  The points count in whole 512ths of a scale, so that the sums are integers, and up to
 * 4 scales, so that a heavy tail does not rule them. */
int dun_ladder_metric_look(struct dun_context *context, struct dun_ladder *ladder,
                           const struct dun_population *population, const struct dun_column *x,
                           const struct dun_column *rung);
/* Takes the moments' standard deviations as scales, and begins anew.  Where a rung's metric grows
 * its step size shrinks if `adapt_step`. */
void dun_ladder_metric_learn(struct dun_ladder *ladder, int adapt_step);

#endif
