/* The samplers of a flow, as rows of coefficients: one for each step, made once, the same for every
 * particle and coordinate.
 *
 * A process whose states z have the marginals p_t is followed from the noise to the data by any of
 *
 *   dz = v dt + g(t)^2 / 2 s |dt| + g(t) dW,   v: velocity, s: score of p_t,
 *
 * whatever g is (Singh & Fischer 2024, arXiv 2410.02217, their theorem in reverse time): the noise
 * is a dial.  Velocity and score are affine in the state and the denoiser m, hence so is a step; a
 * division by what vanishes at an end is made once, with the step's length, which vanishes too. */
#ifndef DUNLIN_METHODS_FLOW_ROWS_H
#define DUNLIN_METHODS_FLOW_ROWS_H

#include "processes/channel.h"
#include <stdint.h>

/* g, with u the time's share of the way from the data to the noise. */
enum dun_flow_noise {
  DUN_FLOW_DETERMINISTIC, /* 0 */
  DUN_FLOW_CONSTANT,      /* alpha */
  DUN_FLOW_SINGULAR,      /* alpha sqrt(u / (1 - u)) */
  DUN_FLOW_NON_SINGULAR,  /* alpha sqrt(u) */
  DUN_FLOW_ZERO_ENDS,     /* alpha sqrt(u (1 - u)) */
  DUN_FLOW_POWER,         /* alpha u^(n/2) (1 - u)^(m/2) */
  DUN_FLOW_REVERSE,       /* alpha times that of the process itself, which reverse SDEs undo */
};

/* Euler and Heun's steps; DDIM's, which carry m and the noise of the state over to the next time
 * and draw a part eta of the noise anew; DDPM's, with all that the law of the next state given this
 * one and a point m has. */
enum dun_flow_scheme { DUN_FLOW_EULER, DUN_FLOW_HEUN, DUN_FLOW_DDIM, DUN_FLOW_DDPM };

/* Where g is infinite at the noise's end: no noise in the first step, or g of its middle. */
enum dun_flow_first { DUN_FLOW_SKIP, DUN_FLOW_MIDDLE };

struct dun_flow_dial {
  int scheme;         /* enum dun_flow_scheme */
  double eta;         /* of DDIM */
  int type;           /* enum dun_flow_noise */
  double alpha, n, m; /* g's size; exponents of DUN_FLOW_POWER */
  int first;          /* enum dun_flow_first */
  int matrix;         /* 1: the noise is g G n, and scores stand apart in `score` */
};

/* a z + b m + c. */
struct dun_flow_sum {
  double state, mean, constant;
};

/* One step:
 *   z' = step(z, m) + score G G' (z - offset - gain m) + noise G n,   n ~ N(0, 1),
 * with G = 1 and score = 0 unless there is a matrix.  If `corrected` (Heun), z' is only where the
 * denoiser is asked once more, m', and the step ends at
 *   keep(z, m) + noise n + correct(z', m'). */
struct dun_flow_row {
  struct dun_flow_sum step, keep, correct;
  double offset, gain, score, noise;
  int corrected;
};

/* What a table of rows is made from: channels at the times t[0 .. K], r = 1, from the noise's end
 * to the last time. */
struct dun_flow_grid {
  int64_t steps; /* K */
  const double *time;
  const struct dun_channel *channel; /* [K + 1] */
  struct dun_channel middle;         /* of the first step */
  double noise, data;                /* the process's ends */
};

/* row[K]. */
void dun_flow_rows(const struct dun_flow_dial *dial, const struct dun_flow_grid *grid,
                   struct dun_flow_row *row);

/* The log density of a step's reverse under the process, over that of the step:
 *   log_ratio = d constant + |n|^2 / 2 - precision |z - back z' - shift|^2 / 2
 * with the state z before and z' behind the step, and n its noise (methods/ways.h). */
struct dun_flow_way {
  double constant, precision, back, shift;
};

/* way[steps] of the first `steps` rows, in d dimensions.  0: not all of them have a density, or
 * their noise is so far from the process's own that ways are of no use. */
int dun_flow_ways(const struct dun_flow_grid *grid, const struct dun_flow_row *row, int64_t steps,
                  int d, struct dun_flow_way *way);

#endif
