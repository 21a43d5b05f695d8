/* What a march does with one tile in the workspace, for methods/march.c. */
#ifndef DUNLIN_METHODS_MARCH_TILE_H
#define DUNLIN_METHODS_MARCH_TILE_H

#include "methods/march.h"

/* What is summed over particles. */
enum { DUN_MARCH_NOISE, DUN_MARCH_ASTRAY, DUN_MARCH_BROKEN };

/* The workspace of a march, cut up. */
struct dun_march_work {
  struct dun_march_tile tile;
  double *h, *other;                              /* [d][64] */
  double *lambda, *square, *look[DUN_MARCH_SUMS]; /* [64] */
};

/* Columns of the workspace beside 3 + r of d and those of the method. */
enum { DUN_MARCH_LANES = 3 + DUN_MARCH_SUMS };

/* `kept`: columns of the method's. */
struct dun_march_work dun_march_work_of(const struct dun_march *march);

/* Between the population's columns and the workspace; loading begins new sums. */
void dun_march_load(const struct dun_march *march, const struct dun_run *run, int64_t i,
                    struct dun_march_work *work);
void dun_march_store(const struct dun_march *march, const struct dun_run *run, int64_t i,
                     const struct dun_march_work *work);

/* Whether two denoisers are combined; whether a channel has noise, as it has not at the data's end.
 */
int dun_march_guided(const struct dun_march *march);
int dun_march_has_noise(const struct dun_channel *channel);

/* The whole target, or the label's class, as the field has it without any tilt. */
struct dun_march_whole {
  double square, sum; /* E |x|^2, sum of E x; NAN: not known */
  double log_mass;    /* log Z; NAN: not known */
};
struct dun_march_whole dun_march_whole_of(const struct dun_march *march);
/* Verdict `beginning`: no finish makes up for what states never begin near. */
void dun_march_judge_start(const struct dun_march *march, const struct dun_march_whole *whole,
                           struct dun_diagnosis *out);

/* h of the states at a channel, finite. */
void dun_march_tilt(const struct dun_march *march, const struct dun_channel *channel,
                    struct dun_march_work *work);
/* Adds the noise of the states, with the mean in the tile, to the sums. */
void dun_march_look(const struct dun_march *march, const struct dun_channel *channel,
                    struct dun_march_work *work);
/* One stage of step k; the point in the state's place. */
void dun_march_stage(const struct dun_march *march, int64_t k, int stage,
                     struct dun_march_work *work);
void dun_march_read_out(const struct dun_march *march, struct dun_march_work *work);
/* The end of it, with the mean or the draw in the tile. */
void dun_march_finish(const struct dun_march *march, struct dun_march_work *work);

#endif
