/* Moves rows from parents to the slots of their children, within a rank and between ranks. */
#ifndef DUNLIN_POPULATION_EXCHANGE_H
#define DUNLIN_POPULATION_EXCHANGE_H

#include "population/population.h"

/* Collective.  The children of this rank's particle i are the global slots end[i - 1] .. end[i] -
 * 1, and end[-1] = begin; the ranks' children follow each other and fill all slots.  Fills the
 * spare of every moving column but `except` and swaps it with the data (on a rank where every
 * particle is its own only child nothing is touched).
 *
 * A rank talks only with ranks whose slots meet its children: every parent is sent once to each
 * of them, with the slot behind its last child there, in pieces of 256 KiB (or one row, if that is
 * more) through two buffers each way; what a rank keeps is copied while messages fly.  Both sides
 * go through the others in ascending order and never wait for one direction alone: of all waiting
 * pairs the one that is lowest in both orders can always go on. */
int dun_exchange(struct dun_context *context, struct dun_population *population,
                 const struct dun_column *except, int64_t begin, const double *end);

#endif
