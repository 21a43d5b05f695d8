/* How many children every particle has, of N children in all.
 *
 * With the exact integer weights, C_i their sum up to and including particle i, S the sum of all,
 * and offsets u in [0, 1), the number of children of the particles up to i is, without any
 * rounding,
 *
 *   systematic   ceil(N C_i / S - u)
 *   stratified   the number of k with (k + u_k) S / N < C_i
 *   multinomial  the number of N ordered uniforms below C_i / S
 *   residual     F_i + the number of M ordered uniforms below R_i / (M S), where F_i adds up the
 *                whole parts of N W_j, R_i = N C_i - S F_i what they leave, and M = N - F_N
 *
 * (Liu & Chen 1998, JASA 93; Kitagawa 1996, JCGS 5; Douc, Cappe & Moulines 2005.  The remainder
 * of residual resampling is multinomial: taken systematically it would be systematic resampling
 * itself, as ceil(N C / S - F - u) + F = ceil(N C / S - u).)  u is rounded down to a multiple of
 * 1/S.  Doubles decide where their error cannot matter, 128-bit integers where it could: never a
 * division of integers. */
#ifndef DUNLIN_POPULATION_OFFSPRING_H
#define DUNLIN_POPULATION_OFFSPRING_H

#include "population/selection.h"

/* Collective.  Replaces the log weight of each particle by the slot behind its last of so many
 * children (a whole number; children stand in the order of their parents), and writes the slot of
 * this rank's first child to *begin.  At most as many children as particles. */
int dun_offspring(struct dun_context *context, const struct dun_population *population,
                  struct dun_column *logw, const struct dun_weights *weights, int64_t children,
                  enum dun_resampling resampling, struct dun_address address, int64_t *begin);

#endif
