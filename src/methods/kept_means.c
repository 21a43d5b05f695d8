#include "methods/kept_means.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <string.h>

enum { L = DUN_LANES, MOST_ROWS = 4000000 };

static const struct dun_table_column columns[] = {
    {"step", "", "Steps before the look."},
    {"observed_at", "", "The observation's time."},
    {"particle", "", "Number of the particle."},
    {"coordinate", "", "Number of the coordinate, of several axes the last one the fastest."},
    {"mean", "", "The point's mean given what had been observed of it."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

int dun_kept_means_init(struct dun_kept_means *kept, const struct dun_run *run, int64_t looks)
{
  int64_t d = run->evaluator->dimension;
  dun_kept_means_free(kept);
  if (kept->particles == 0)
    return 0;
  if (kept->particles > run->options.particles)
    return dun_fail(DUN_ERROR_INPUT, "keep: found %lld, expected at most the %lld particles",
                    kept->particles, run->options.particles);
  if (kept->particles > MOST_ROWS / looks / d)
    return dun_fail(DUN_ERROR_INPUT,
                    "keep: found %lld; of %lld coordinates at %lld looks at most %lld can be kept: "
                    "take fewer, or a longer `stride`",
                    kept->particles, (long long)d, (long long)looks,
                    (long long)(MOST_ROWS / looks / d));
  kept->mean = dun_allocate(kept->particles * d, sizeof *kept->mean);
  return kept->mean ? dun_table_make(&kept->table, columns, COLUMNS) : DUN_ERROR_MEMORY;
}

void dun_kept_means_free(struct dun_kept_means *kept)
{
  DUN_FREE(kept->mean);
  dun_table_free(&kept->table);
}

struct dun_table *dun_kept_means_table(struct dun_kept_means *kept)
{
  return kept->particles > 0 ? &kept->table : NULL;
}

/* Those of this rank. */
static void find(struct dun_kept_means *kept, const struct dun_posterior *p,
                 const struct dun_run *run, const struct dun_column *y, int64_t step, double t)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_NOISE);
  int64_t d = p->of.d;
  address.step = (uint32_t)step;
  for (int64_t i = 0; i < tiles->count; i++) {
    int64_t first = (tiles->first_tile + i) * tiles->tile;
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    if (first >= kept->particles)
      break;
    address.tile = (uint32_t)(tiles->first_tile + i);
    dun_tile_load(&run->population, y, i, p->y);
    dun_posterior_ask(p, t, n, address, DUN_POSTERIOR_MEAN);
    for (int l = 0; l < n && first + l < kept->particles; l++)
      for (int64_t j = 0; j < d; j++)
        kept->mean[(first + l) * d + j] = p->mean[j * L + l];
  }
}

int dun_kept_means_look(struct dun_context *context, struct dun_kept_means *kept,
                        const struct dun_posterior *p, const struct dun_run *run,
                        const struct dun_column *y, int64_t step, double t)
{
  int64_t d = p->of.d;
  if (kept->particles == 0 || run->replicate > 0)
    return 0;
  memset(kept->mean, 0, (size_t)(kept->particles * d) * sizeof *kept->mean);
  find(kept, p, run, y, step, t);
  int status = dun_share(context, 0, kept->particles * d, kept->mean);
  for (int64_t i = 0; i < kept->particles * d && status >= 0; i++)
    status = dun_table_add(&kept->table, (const double[]){(double)step, t, (double)(i / d),
                                                          (double)(i % d), kept->mean[i]});
  return dun_agree(context, status);
}
