/* How particles are spread over the ranks: whole tiles of consecutive global indices, or groups of
 * so many tiles. */
#ifndef DUNLIN_PARALLEL_TILES_H
#define DUNLIN_PARALLEL_TILES_H

#include <stdint.h>

struct dun_tiles {
  int64_t total;      /* particles of all ranks, N */
  int tile;           /* particles in a full tile, 1 to 64; the last tile is short, never padded */
  int64_t together;   /* so many consecutive tiles lie on one rank, whatever their number */
  int64_t tiles;      /* of all ranks */
  int64_t first_tile; /* this rank's: global indices first_tile .. first_tile + count - 1 */
  int64_t count;      /* this rank's tiles; 0 where there are more ranks than tiles */
  int64_t first;      /* global index of this rank's first particle */
  int64_t local;      /* this rank's particles */
};

struct dun_tiles dun_tiles_of(int64_t total, int tile, int rank, int size);
/* The same in groups of so many tiles, the first of which begins at 0; the last may be short. */
struct dun_tiles dun_tiles_together(int64_t total, int tile, int64_t together, int rank, int size);
/* How many groups there are: as many ranks have work. */
int64_t dun_tiles_groups(const struct dun_tiles *tiles);
/* Particles in the tile with global index `index`. */
int dun_tile_size(const struct dun_tiles *tiles, int64_t index);
/* Global index of the first particle of a rank; `rank == size` gives `total`. */
int64_t dun_tiles_first(int64_t total, int tile, int rank, int size);
/* The same of particles that are spread as these. */
int64_t dun_tiles_first_of(const struct dun_tiles *tiles, int rank, int size);

#endif
