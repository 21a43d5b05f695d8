#include "kernels/lost.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/sweep_parts.h"
#include "numerics/order.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

static const double DIMENSION = 5, LEAST = 50, SPREADS = 20, MOST = .25;
static const double CORE_LEAST = 10, CORE_SPREADS = 5;
static const double HALVES = 1.349;     /* between the quartiles of a normal law */
static const int64_t NUMBERS = 1 << 20; /* of the donors' rows together */

enum { CANDIDATES = 256, DONORS = 64, CORE_TILES = 64 };

/* lp[local] at time t, of the first tiles. */
static double *densities(const struct dun_sweep *s, double t, int64_t count)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double lanes[DUN_LANES] __attribute__((aligned(64)));
  double *lp = dun_allocate(tiles->local, sizeof *lp);

  for (int64_t i = 0; i < count && lp; i++) {
    dun_sweep_density(s, i, t, lanes);
    memcpy(lp + i * tiles->tile, lanes,
           (size_t)dun_tile_size(tiles, tiles->first_tile + i) * sizeof *lp);
  }
  return lp;
}

/* Of the particles in so many tiles, or of all. */
static int quartiles(struct dun_context *context, const struct dun_sweep *s, double t, int64_t most,
                     double quartile[3])
{
  const struct dun_tiles *tiles = &s->population->tiles;
  int64_t n = most < tiles->tiles ? most * tiles->tile : tiles->total;
  int64_t place[] = {n / 4, n / 2, n - 1 - n / 4}, count = dun_sweep_tiles_below(tiles, most);
  int64_t own = count < tiles->count ? count * tiles->tile : tiles->local;
  double *lp = densities(s, t, count);
  struct dun_order order = {0};
  int status = lp ? dun_order_set(&order, own, lp) : DUN_ERROR_MEMORY;

  if ((status = dun_agree(context, status)) >= 0)
    status = dun_order_statistics(context, &order, 3, place, quartile);
  dun_order_free(&order);
  dun_free(lp);
  return status;
}

int dun_lost_floor(struct dun_context *context, const struct dun_sweep *s, double t, double *floor)
{
  double quartile[3];
  int status;

  *floor = -INFINITY;
  if (s->population->tiles.total < 4)
    return 0;
  if ((status = quartiles(context, s, t, INT64_MAX, quartile)) < 0 || quartile[1] == -INFINITY)
    return status;
  double spread = quartile[0] > -INFINITY ? (quartile[2] - quartile[0]) / HALVES
                                          : (quartile[2] - quartile[1]) / HALVES * 2;
  spread = spread > 1 ? spread : 1;
  *floor = quartile[1] - LEAST - DIMENSION * s->d - SPREADS * spread;
  return 0;
}

int dun_lost_core(struct dun_context *context, const struct dun_sweep *s, double t, double *floor)
{
  double quartile[3], least = sqrt(.5 * s->d);
  int status;

  *floor = -INFINITY;
  if (s->population->tiles.total < 4)
    return 0;
  if ((status = quartiles(context, s, t, CORE_TILES, quartile)) < 0 || quartile[1] == -INFINITY)
    return status;
  double spread = 2 * (quartile[2] - quartile[1]) / HALVES;
  *floor = quartile[1] - CORE_LEAST - CORE_SPREADS * (spread > least ? spread : least);
  return 0;
}

/* ---- beginning again ----------------------------------------------------------------------- */

static int is_lost(double lp, double floor)
{
  return !(lp > -INFINITY && lp >= floor);
}

/* The number of candidate k. */
static int64_t candidate(const struct dun_sweep *s, struct dun_address address, int k)
{
  int64_t n = s->population->tiles.total;
  int64_t index = (int64_t)(dun_uniform_one(address, k) * (double)n);
  return index < n ? index : n - 1;
}

/* Numbers of the first candidates that are not lost, at most `count`; how many there are. */
static int find_donors(struct dun_context *context, const struct dun_sweep *s,
                       struct dun_address address, const double *lp, double floor, int64_t count,
                       int64_t *donor)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  int64_t sound[CANDIDATES] = {0};
  int found = 0;

  address.tile = UINT32_MAX;
  for (int k = 0; k < CANDIDATES; k++) {
    int64_t i = candidate(s, address, k) - tiles->first;
    sound[k] = i >= 0 && i < tiles->local && !is_lost(lp[i], floor);
  }
  int status = dun_sum_integers(context, 0, CANDIDATES, sound);
  for (int k = 0; k < CANDIDATES && found < count && status >= 0; k++)
    if (sound[k])
      donor[found++] = candidate(s, address, k);
  return status < 0 ? status : found;
}

/* What a particle takes over: rows of so many columns, one behind the other. */
struct rows {
  struct dun_column *column[3];
  int columns;
  int64_t width;
};

static struct rows rows_of(const struct dun_sweep *s)
{
  struct rows rows = {{s->x, s->part_lp, s->force}, s->force ? 3 : 2, 0};
  for (int c = 0; c < rows.columns; c++)
    rows.width += rows.column[c]->width;
  return rows;
}

static void copy_row(const struct rows *rows, int64_t i, double *row, int give)
{
  for (int c = 0; c < rows->columns; c++) {
    int64_t width = rows->column[c]->width;
    double *held = dun_f64(rows->column[c]) + i * width;
    memcpy(give ? held : row, give ? row : held, (size_t)width * sizeof *row);
    row += width;
  }
}

/* A lost particle takes the row of a donor; of too many some stay.  How many did. */
static int64_t give_rows(struct dun_sweep *s, const struct rows *rows, struct dun_address address,
                         const double *lp, double floor, double share, int64_t donors, double *row)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  int64_t given = 0;

  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t lane = i % tiles->tile;
    if (!is_lost(lp[i], floor))
      continue;
    address.tile = (uint32_t)(tiles->first_tile + i / tiles->tile);
    if (dun_uniform_one(address, DUN_LANES + lane) > share)
      continue;
    int64_t k = (int64_t)(dun_uniform_one(address, lane) * (double)donors);
    copy_row(rows, i, row + (k < donors ? k : donors - 1) * rows->width, 1);
    if (s->momentum)
      memset(dun_f64(s->momentum) + i * s->d, 0, (size_t)s->d * sizeof(double));
    given++;
  }
  return given;
}

static int share_rows(struct dun_context *context, const struct dun_sweep *s,
                      const struct rows *rows, int64_t donors, const int64_t *donor, double *row)
{
  const struct dun_tiles *tiles = &s->population->tiles;

  for (int64_t k = 0; k < donors; k++) {
    int64_t i = donor[k] - tiles->first;
    if (i >= 0 && i < tiles->local)
      copy_row(rows, i, row + k * rows->width, 0);
  }
  return dun_share(context, 0, donors * rows->width, row);
}

static int restart(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                   const double *lp, double floor, int64_t *moved)
{
  struct rows rows = rows_of(s);
  int64_t donor[DONORS], lost = *moved, most = NUMBERS / rows.width;
  most = most < 1 ? 1 : most < DONORS ? most : DONORS;
  int donors = find_donors(context, s, address, lp, floor, most < lost ? most : lost, donor);
  double share = MOST * (double)s->population->tiles.total / (double)lost;

  *moved = 0;
  if (donors <= 0)
    return donors;
  double *row = dun_allocate(donors * rows.width, sizeof *row);
  int status = dun_agree(context, row ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = share_rows(context, s, &rows, donors, donor, row);
  if (status >= 0)
    *moved = give_rows(s, &rows, address, lp, floor, share, donors, row);
  dun_free(row);
  return status < 0 ? status : dun_sum_integers(context, 0, 1, moved);
}

int dun_lost_restart(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                     double t, double floor, int64_t *moved, int64_t *left)
{
  double *lp = densities(s, t, s->population->tiles.count);
  int status = dun_agree(context, lp ? 0 : DUN_ERROR_MEMORY);

  *moved = *left = 0;
  address.purpose = DUN_PURPOSE_DONOR;
  for (int64_t i = 0; i < s->population->tiles.local && status >= 0; i++)
    *moved += is_lost(lp[i], floor);
  if (status >= 0)
    status = dun_sum_integers(context, status, 1, moved);
  *left = *moved;
  if (status >= 0 && *moved > 0)
    status = restart(context, s, address, lp, floor, moved);
  *left -= *moved;
  dun_free(lp);
  return status;
}
