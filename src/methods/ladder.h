/* The rungs of parallel tempering: their times, step sizes and metrics, how often neighbours refuse
 * to swap, and log Z by bridges between them.
 *
 * The barrier Lambda(t_k) = r_0 + ... + r_{k-1} is the sum of the rejections r; a ladder whose
 * times lie at equal distances of it has equal swap rates (Syed et al. 2022).
 *
 * log Z is the sum over pairs of rungs of the geometric bridge (Meng & Wong 1996, Stat. Sin. 6,
 * 831): Z_{k+1} / Z_k = E_k exp(dt V / 2) / E_{k+1} exp(-dt V / 2).
 *
 * All of it is the same on every rank. */
#ifndef DUNLIN_METHODS_LADDER_H
#define DUNLIN_METHODS_LADDER_H

#include "dunlin/target.h"
#include "population/population.h"

enum { DUN_LADDER_BATCHES = 20 };

struct dun_ladder {
  /* given */
  int64_t rungs, ladders; /* R, and how many ladders there are side by side */
  int d;

  /* state; owned */
  struct dun_numbers time;     /* [R] of the rungs */
  struct dun_numbers log_step; /* [R] */
  struct dun_numbers rejected; /* [R][2]: sum of rejection probabilities of k, k + 1; attempts */
  struct dun_numbers single;   /* [ladders][R][3]: bridge sums of a ladder */
  struct dun_numbers batch;    /* [BATCHES][R][3]: of a batch of sweeps, over all ladders */
  struct dun_numbers center;   /* [R]: V about which the pair k, k + 1 is summed */
  struct dun_numbers scale;    /* [R][d]: of the metric, as standard deviations */
  struct dun_numbers place;    /* [R][d]: about which the next two are taken */
  struct dun_numbers moments;  /* [R][d][2]: sums of distances from it in units of scale */
  double points;               /* of a rung in `moments` */

  /* scratch; owned */
  int64_t *count; /* [R][d][2] */
};

/* Rungs at the cubes of equal distances, all with one step size and scale 1.  May be called again.
 * Local; DUN_ERROR_MEMORY. */
int dun_ladder_init(struct dun_ladder *ladder, int64_t rungs, int64_t ladders, int d,
                    double log_step);
/* What a restart needs before the state is there.  Local; DUN_ERROR_MEMORY. */
int dun_ladder_scratch(struct dun_ladder *ladder, int64_t rungs, int64_t ladders, int d);
void dun_ladder_free(struct dun_ladder *ladder);

/* ---- swaps ----------------------------------------------------------------------------------- */

/* The mean rejection of rungs k and k + 1; 0: none was tried. */
double dun_ladder_rejection(const struct dun_ladder *ladder, int64_t k);
/* Lambda(t_k); k = R - 1: the whole barrier. */
double dun_ladder_barrier(const struct dun_ladder *ladder, int64_t k);
void dun_ladder_forget(struct dun_ladder *ladder);

/* The next ladder: times at equal distances of the barrier, linear between the present ones.
 * Local; DUN_ERROR_MEMORY. */
int dun_ladder_respace(struct dun_ladder *ladder);

/* ---- log Z ----------------------------------------------------------------------------------- */

/* V of the replicas at rungs k and k + 1 of ladder number `number`; batch -1: of the warm-up, in
 * which only the centre is learned. */
void dun_ladder_bridge(struct dun_ladder *ladder, int64_t number, int batch, int64_t k,
                       double below, double above);

struct dun_ladder_evidence {
  double log_evidence, error; /* error: the larger of those by batches of sweeps and, from four on,
                               * by ladders; NAN if there is one of either */
  double drift; /* second half of the batches less the first, in standard errors; NAN below 8 */
};

/* From the first batches. */
void dun_ladder_evidence(const struct dun_ladder *ladder, int batches,
                         struct dun_ladder_evidence *evidence);
/* log Z of rung k's law relative to the first, from all batches. */
double dun_ladder_log_z(const struct dun_ladder *ladder, int64_t k);

/* ---- the metric ------------------------------------------------------------------------------ */

/* Collective.  Place and scale of all rungs from the first tile's particles. */
int dun_ladder_metric_start(struct dun_context *context, struct dun_ladder *ladder,
                            const struct dun_population *population, const struct dun_column *x);
/* Collective.  Adds the replicas' points to their rungs' moments; rung[local][2] as the column of
 * that name.  The points count in whole 512ths of a scale, up to 1024 scales, so that the sums are
 * integers. */
int dun_ladder_metric_look(struct dun_context *context, struct dun_ladder *ladder,
                           const struct dun_population *population, const struct dun_column *x,
                           const struct dun_column *rung);
/* Takes the moments' standard deviations as scales, and begins anew.  Where a rung's metric grows
 * its step size shrinks if `adapt_step`. */
void dun_ladder_metric_learn(struct dun_ladder *ladder, int adapt_step);

#endif
