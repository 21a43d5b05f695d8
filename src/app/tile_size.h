/* How many particles make a tile: `run.tile: auto`, and advice. */
#ifndef DUNLIN_APP_TILE_SIZE_H
#define DUNLIN_APP_TILE_SIZE_H

#include "app/assemble.h"

/* What `auto` stands for, with so many particles.  It follows from the input alone, never from the
 * clock, since random numbers are a tile's.  Targets that evaluate 64 points at once have full
 * tiles.  Of a target by `point`, which may be slow, few particles are spread over eight tiles:
 * eight ranks then have work, and what a tile costs beside the target (its arithmetic is on 64
 * lanes, whatever it holds) is still shared. */
long long dun_tile_size_auto(const struct dun_target *target, long long particles);

/* Puts that in its place, of particles of which so many tiles lie together. */
void dun_tile_size_settle(struct dun_run *run, int64_t together);

/* Collective.  Measures an evaluation of the assembled run and says what it takes, and which tile
 * would be better. */
int dun_tile_size_tell(struct dun_context *context, const struct dun_assembly *assembly,
                       struct dun_text *out);
/* Warns where ranks have no particles at all. */
void dun_tile_size_warn(struct dun_context *context, const struct dun_run *run);

#endif
