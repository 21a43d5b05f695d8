/* log Z of parallel tempering: the sum over pairs of neighbouring rungs of the geometric bridge
 * (Meng & Wong 1996, Stat. Sin. 6, 831),
 *
 *   Z_{k+1} / Z_k = E_k exp(dt V / 2) / E_{k+1} exp(-dt V / 2),
 *
 * whose sums have finite variances whatever V is.  Each is kept with its largest term taken out, so
 * that a constant in the target's log density changes nothing but log Z.
 *
 * All of it is the same on every rank. */
#ifndef DUNLIN_METHODS_BRIDGE_H
#define DUNLIN_METHODS_BRIDGE_H

#include "dunlin/target.h"
#include <stdint.h>

enum { DUN_BRIDGE_BATCHES = 32 };

struct dun_bridge {
  int64_t rungs, ladders; /* R, and how many ladders there are side by side */

  /* state; owned.  Of a pair: V at the largest term and the sum in units of that, for rung k and,
   * with -V, for k + 1; how many */
  struct dun_numbers single; /* [ladders][R][5]: of a ladder */
  struct dun_numbers batch;  /* [BATCHES][R][5]: of a batch of sweeps, over all ladders */

  /* scratch; owned */
  double *left; /* [ladders + BATCHES] */
};

/* Empty sums.  May be called again.  Local; DUN_ERROR_MEMORY. */
int dun_bridge_init(struct dun_bridge *bridge, int64_t rungs, int64_t ladders);
/* What a restart needs before the state is there.  Local; DUN_ERROR_MEMORY. */
int dun_bridge_scratch(struct dun_bridge *bridge, int64_t rungs, int64_t ladders);
/* Whether the state, which was read, has the lengths that it should. */
int dun_bridge_is_sound(const struct dun_bridge *bridge);
void dun_bridge_free(struct dun_bridge *bridge);

/* V of ladder `number`'s replicas at rungs k and k + 1, whose times lie dt apart. */
void dun_bridge_add(struct dun_bridge *bridge, int64_t number, int batch, int64_t k, double dt,
                    double below, double above);

struct dun_bridge_evidence {
  double log_evidence;
  double error; /* the larger of the jackknife's by batches of sweeps, with their autocorrelation,
                 * and, from four on, by ladders; NAN: there is one of either, or V has no spread */
  double drift; /* log Z of the batches' second half less that of the first, in its standard errors;
                 * NAN below 8 batches */
  int flat;     /* V was the same number at every point of every rung */
};

/* From the first batches, at the rungs' times [R]. */
void dun_bridge_evidence(const struct dun_bridge *bridge, int batches, const double *time,
                         struct dun_bridge_evidence *evidence);
/* log Z of rung k's law relative to the first, from all batches. */
double dun_bridge_log_z(const struct dun_bridge *bridge, int64_t k, const double *time);

#endif
