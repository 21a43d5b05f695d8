#include "parallel/tiles.h"

static int64_t tiles_in(int64_t total, int tile)
{
  return total / tile + (total % tile != 0);
}

/* The first `tiles % size` ranks have one tile more than the others. */
static int64_t first_tile(int64_t tiles, int rank, int size)
{
  int64_t more = tiles % size;
  return tiles / size * rank + (rank < more ? rank : more);
}

/* Global index of a tile's first particle; the tile behind the last one begins at `total`. */
static int64_t first_particle(int64_t total, int tile, int64_t index)
{
  return index < tiles_in(total, tile) ? index * tile : total;
}

struct dun_tiles dun_tiles_of(int64_t total, int tile, int rank, int size)
{
  struct dun_tiles tiles = {.total = total, .tile = tile, .tiles = tiles_in(total, tile)};
  int64_t end = first_tile(tiles.tiles, rank + 1, size);
  tiles.first_tile = first_tile(tiles.tiles, rank, size);
  tiles.count = end - tiles.first_tile;
  tiles.first = first_particle(total, tile, tiles.first_tile);
  tiles.local = first_particle(total, tile, end) - tiles.first;
  return tiles;
}

int dun_tile_size(const struct dun_tiles *tiles, int64_t index)
{
  int64_t left = tiles->total - index * tiles->tile;
  return left < tiles->tile ? (int)left : tiles->tile;
}

int64_t dun_tiles_first(int64_t total, int tile, int rank, int size)
{
  return first_particle(total, tile, first_tile(tiles_in(total, tile), rank, size));
}
