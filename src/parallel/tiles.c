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

/* The same of a rank's first tile, where they are dealt in groups. */
static int64_t first_together(int64_t tiles, int64_t together, int rank, int size)
{
  int64_t groups = tiles / together + (tiles % together != 0);
  int64_t group = first_tile(groups, rank, size);
  return group < groups ? group * together : tiles;
}

struct dun_tiles dun_tiles_together(int64_t total, int tile, int64_t together, int rank, int size)
{
  struct dun_tiles tiles = {
      .total = total, .tile = tile, .together = together, .tiles = tiles_in(total, tile)};
  int64_t end = first_together(tiles.tiles, together, rank + 1, size);
  tiles.first_tile = first_together(tiles.tiles, together, rank, size);
  tiles.count = end - tiles.first_tile;
  tiles.first = first_particle(total, tile, tiles.first_tile);
  tiles.local = first_particle(total, tile, end) - tiles.first;
  return tiles;
}

struct dun_tiles dun_tiles_of(int64_t total, int tile, int rank, int size)
{
  return dun_tiles_together(total, tile, 1, rank, size);
}

int dun_tile_size(const struct dun_tiles *tiles, int64_t index)
{
  int64_t left = tiles->total - index * tiles->tile;
  return left < tiles->tile ? (int)left : tiles->tile;
}

int64_t dun_tiles_groups(const struct dun_tiles *tiles)
{
  return tiles->tiles / tiles->together + (tiles->tiles % tiles->together != 0);
}

int64_t dun_tiles_first_of(const struct dun_tiles *tiles, int rank, int size)
{
  int64_t first = first_together(tiles->tiles, tiles->together, rank, size);
  return first_particle(tiles->total, tiles->tile, first);
}

int64_t dun_tiles_first(int64_t total, int tile, int rank, int size)
{
  return first_particle(total, tile, first_tile(tiles_in(total, tile), rank, size));
}
