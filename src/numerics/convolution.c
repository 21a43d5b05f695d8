#include "numerics/convolution.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/convolution_parts.h"
#include "parallel/available.h"
#include "parallel/sum.h"
#include <string.h>

enum { SIXTEENTH = 16 };

/* ---- memory ------------------------------------------------------------------------------ */

static void sizes_of(const struct dun_grid *grid, int64_t *size)
{
  for (int a = 0; a < DUN_GRID_AXES; a++)
    size[a] = a < grid->dimension ? grid->points : 1;
}

/* The fields' spectra and tables; distributed, a halo for each table and, for a while, FFTW's copy
 * of a slab while it transposes. */
int64_t dun_convolution_bytes(const struct dun_grid *grid, int distributed, int ranks)
{
  int64_t size[DUN_GRID_AXES], plane = 8 * (grid->points + 2), bytes, all;
  sizes_of(grid, size);
  bytes = dun_fft_bytes(grid->dimension, size, distributed ? ranks : 1);
  if (grid->dimension == 3 && __builtin_mul_overflow(plane, grid->points, &plane))
    return INT64_MAX;
  if (bytes > INT64_MAX / 16 || plane > INT64_MAX / 16)
    return INT64_MAX;
  all = 2 * (1 + grid->dimension) * bytes;
  return distributed ? all + bytes + (1 + grid->dimension) * plane +
                           dun_travel_bytes(grid->dimension, ranks)
                     : all;
}

static int fits(const struct dun_grid *grid, int distributed, int ranks, double available)
{
  int64_t bytes = dun_convolution_bytes(grid, distributed, ranks);
  return (double)bytes * (1 + 1. / SIXTEENTH) <= available;
}

static struct dun_grid resized(const struct dun_grid *grid, int64_t cells)
{
  struct dun_grid other;
  dun_grid_init(&other, grid->dimension, grid->center, grid->half_width, cells, grid->pad);
  return other;
}

static int64_t largest_cells(const struct dun_grid *grid, int distributed, int ranks,
                             double available)
{
  int64_t low = 1, high = grid->cells;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    struct dun_grid other = resized(grid, middle);
    if (fits(&other, distributed, ranks, available))
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* The scarcest node decides, so that all ranks say the same. */
static int check_memory(struct dun_context *context, const struct dun_convolution *c)
{
  double least = -(double)dun_memory_available() / (c->distributed ? c->node.size : 1);
  int status = dun_max(context, 0, 1, &least);
  double available = -least, sharing = c->distributed ? c->node.size : 1;
  const struct dun_grid *grid = &c->grid;
  if (status < 0 || fits(grid, c->distributed, context->size, available))
    return status;
  double needed = (double)dun_convolution_bytes(grid, c->distributed, context->size);
  return dun_fail(DUN_ERROR_MEMORY,
                  "a grid of %lld cells (padded: %lld) along %d axes needs %.0f bytes (%.2f GiB) "
                  "for its tables on each %s; %.0f bytes (%.2f GiB) are available%s: at most %lld "
                  "cells along an axis would fit with this pad",
                  (long long)grid->cells, (long long)grid->points, grid->dimension, needed,
                  needed / 0x1p30, c->distributed ? "rank" : "node", available, available / 0x1p30,
                  sharing > 1 ? ", shared by the ranks of a node" : "",
                  (long long)largest_cells(grid, c->distributed, context->size, available));
}

static int allocate_local(struct dun_context *context, struct dun_convolution *c)
{
  int fields = 1 + c->grid.dimension;
  int status = dun_shared_init(context, &c->node, &c->shared, 2 * fields * c->fft.block);
  for (int f = 0; status >= 0 && f < fields; f++) {
    c->spectrum[f] = c->shared.data + f * c->fft.block;
    c->table[f] = c->shared.data + (fields + f) * c->fft.block;
  }
  return status;
}

static int allocate_slabs(struct dun_context *context, struct dun_convolution *c)
{
  int fields = 1 + c->grid.dimension, status = 0;
  int64_t with_halo = (c->fft.count + 1) * dun_convolution_plane(&c->fft);
  int64_t most = c->fft.block > with_halo ? c->fft.block : with_halo;
  for (int f = 0; f < fields && status >= 0; f++) {
    c->spectrum[f] = c->block[f] = dun_allocate(c->fft.block, sizeof(double));
    c->table[f] = c->block[fields + f] = dun_allocate(most, sizeof(double));
    status = c->spectrum[f] && c->table[f] ? 0 : DUN_ERROR_MEMORY;
  }
  return dun_agree(context, status);
}

static int allocate(struct dun_context *context, struct dun_convolution *c)
{
  int status = c->distributed ? allocate_slabs(context, c) : allocate_local(context, c);
  if (status < 0)
    return status;
  c->factor[0] = dun_allocate(c->grid.dimension * c->grid.points, sizeof(double));
  c->excess = dun_allocate(c->fft.row, sizeof(double));
  if (!c->factor[0] || !c->excess)
    status = DUN_ERROR_MEMORY;
  for (int a = 1; status >= 0 && a < c->grid.dimension; a++)
    c->factor[a] = c->factor[0] + a * c->grid.points;
  status = dun_agree(context, status);
  return status >= 0 && c->distributed ? dun_travel_init(context, c) : status;
}

/* ---- from nothing to transforms of masses ------------------------------------------------ */

static int plan(struct dun_context *context, struct dun_convolution *c)
{
  int64_t size[DUN_GRID_AXES];
  sizes_of(&c->grid, size);
  if (c->distributed)
    return dun_fft_init_distributed(context, &c->fft, c->grid.dimension, size);
  return dun_agree(context, dun_fft_init(&c->fft, c->grid.dimension, size));
}

static void transform(struct dun_convolution *c)
{
  double began = dun_clock();
  for (int f = 0; f <= c->grid.dimension; f++)
    if (dun_convolution_mine(c, f))
      dun_fft_forward(&c->fft, c->spectrum[f]);
  c->in_transforms += dun_clock() - began;
  dun_convolution_meet(c);
}

int dun_convolution_init(struct dun_context *context, struct dun_convolution *convolution,
                         const struct dun_grid *grid, struct dun_convolution_options options,
                         struct dun_density density)
{
  *convolution = (struct dun_convolution){.grid = *grid, .distributed = options.distributed};
  int status = dun_host_init(context, &convolution->node, options.share);
  if (status >= 0)
    status = check_memory(context, convolution);
  if (status >= 0)
    status = plan(context, convolution);
  if (status >= 0)
    status = allocate(context, convolution);
  if (status >= 0)
    status = dun_convolution_masses(context, convolution, density);
  if (status >= 0)
    transform(convolution);
  return status;
}

void dun_convolution_free(struct dun_convolution *convolution)
{
  dun_travel_free(convolution);
  dun_shared_free(&convolution->shared);
  dun_fft_free(&convolution->fft);
  dun_host_free(&convolution->node);
  for (int f = 0; f < 2 * DUN_CONVOLUTION_FIELDS; f++)
    DUN_FREE(convolution->block[f]);
  DUN_FREE(convolution->factor[0]);
  DUN_FREE(convolution->excess);
  memset(convolution->spectrum, 0, sizeof convolution->spectrum);
  memset(convolution->table, 0, sizeof convolution->table);
}
