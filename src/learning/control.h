/* The control u(x, k, v) of a diffusion in steps k = 0, ..., T, at a point x where the score is v:
 * the network of path integral samplers (Zhang & Chen 2022, arXiv 2111.15141) as sequential
 * controlled Langevin diffusions have it (Chen et al. 2024, arXiv 2412.07081).
 *
 *   u = o(x, k) + t2(k) v                       o and v cut to +-1e4 and +-100
 *   o = dense_d gelu dense_W gelu dense_W [x, t1(k)]
 *   t1 = dense_W gelu dense_W e(k)              t2 = dense_d dense_W gelu dense_W gelu dense_W e(k)
 *   e = [sin(c k + phase), cos(c k + phase)],   c from .1 to 100 in W equal steps
 *
 * What depends on the time alone is made once, for all times, whenever the weights change: `lift`,
 * what t1 and the bias bring into the first layer of o, and `gain` = t2.  So the reverse pass of a
 * point ends at these, and `pull` goes the rest of the way, once for sums over all points.
 *
 * Columns are [..][64], one point a lane; lanes never mix, and no function communicates. */
#ifndef DUNLIN_LEARNING_CONTROL_H
#define DUNLIN_LEARNING_CONTROL_H

#include "base/random.h"
#include "dunlin/target.h"
#include <stdint.h>

#define DUN_CONTROL_MOST_STATE 1e4 /* of o */
#define DUN_CONTROL_MOST_SCORE 100 /* of v, coordinate by coordinate */

enum { DUN_CONTROL_MOST_WIDTH = 65536 };

/* Where the weights are: of the layers of the times, by rows with the bias behind, and then those
 * of the points, the first of which has no bias. */
struct dun_control_places {
  int64_t phase, lift[2], gain[4], raise; /* raise: what t1 is multiplied by in the first layer */
  int64_t state[3];
  int64_t count;
};

struct dun_control {
  int d, width;  /* W */
  int64_t steps; /* T */
  struct dun_control_places at;

  /* made by init and set; owned */
  double *lift;       /* [T + 1][W] */
  double *gain;       /* [T + 1][d] */
  double *state;      /* the weights from at.state[0] on */
  float *state_f;     /* the same in single precision, */
  float *lift_f;      /* and lift */
  double *time_tape;  /* of `set` for `pull`, tile by tile of 64 times */
  double *time_pulls; /* [columns][64] scratch of `pull` */
};

/* How many weights: 37 376 + 194 d for W = 64. */
int64_t dun_control_weights(int d, int width);
/* Local.  Room for d, width and steps.  DUN_ERROR_MEMORY; free is safe twice and for a zeroed
 * struct. */
int dun_control_init(struct dun_control *control, int d, int width, int64_t steps);
void dun_control_free(struct dun_control *control);
/* First weights, of variance 1 / inputs in each layer and 1e-8 in the last ones, so that u is next
 * to 0; biases and phases 0. */
void dun_control_draw(const struct dun_control *control, struct dun_address address,
                      double *weights);
/* Makes everything of weights[count]. */
void dun_control_set(struct dun_control *control, const double *weights);

/* o[d][64] before it is cut, at x[d][64] of step k; tape[dun_control_tape] is for the reverse pass,
 * and needed without one. */
void dun_control_state(const struct dun_control *control, int64_t k, const double *x, double *o,
                       double *tape);
void dun_control_state_f(const struct dun_control *control, int64_t k, const float *x, float *o,
                         float *tape);
/* Reals of the tape, and of the reverse pass's scratch. */
int64_t dun_control_tape(const struct dun_control *control);
int64_t dun_control_scratch(const struct dun_control *control);

/* Slopes: what a sum over points has of the derivative by the weights from at.state[0] on, and by
 * lift[T + 1][W] and gain[T + 1][d]; so many numbers, and where the last two begin. */
int64_t dun_control_slopes(const struct dun_control *control);
int64_t dun_control_lift_slopes(const struct dun_control *control);
int64_t dun_control_gain_slopes(const struct dun_control *control);
/* ADDS what bar[d][64] = d l / d o at step k makes, with the tape of that point. */
void dun_control_state_back(const struct dun_control *control, int64_t k, double *tape,
                            const double *bar, double *slopes, double *scratch);
void dun_control_state_back_f(const struct dun_control *control, int64_t k, float *tape,
                              const float *bar, double *slopes, float *scratch);
/* gradient[count] of the slopes, at the weights of the last `set`. */
void dun_control_pull(const struct dun_control *control, const double *weights,
                      const double *slopes, double *gradient);

#endif
