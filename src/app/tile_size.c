#include "app/tile_size.h"
#include "app/estimate.h"
#include "base/clock.h"

long long dun_tile_size_auto(const struct dun_target *target, long long particles)
{
  const long long tiles = 8;
  long long size = DUN_LANES;
  while (target->point && size > 1 && size * tiles > particles)
    size /= 2;
  return size;
}

void dun_tile_size_settle(struct dun_run *run, int64_t together)
{
  if (run->options.tile < 1)
    run->options.tile = dun_tile_size_auto(run->target, run->options.particles / together);
}

/* Of the arithmetic and the random numbers of a leapfrog on 64 lanes, as measured with AVX-512: a
 * factor of two does no harm here. */
static double lanes_seconds(int dimension, int dense)
{
  double d = dimension;
  return 1e-6 * (.5 + .12 * d + (dense ? .005 * d * d : 0));
}

/* The tile that an evaluation of so many seconds deserves: the smallest power of 2 at which the
 * arithmetic beside it takes at most a quarter of its time. */
static int size_for(double seconds, int dimension, int dense)
{
  int size = 1;
  while (size < DUN_LANES && lanes_seconds(dimension, dense) / size > .25 * seconds)
    size *= 2;
  return size;
}

/* Where there are many tiles anyway they are spread well enough. */
static void advise(const struct dun_run *run, double seconds, struct dun_text *out)
{
  const int64_t many = 256;
  int best = size_for(seconds, run->evaluator->dimension, dun_estimate_is_dense(run));
  int64_t together = run->population.tiles.together;
  int64_t tiles = dun_tiles_groups(&run->population.tiles);
  int64_t particles = run->options.particles / together;
  int tile = run->population.tiles.tile;
  if (!run->target->point && best < tile && tiles < many)
    dun_text_add(out, "; `point` with a smaller run.tile would use more ranks than the %lld tiles",
                 (long long)tiles);
  else if (run->target->point && best < tile && tiles < many)
    dun_text_add(out, "; run.tile: %d has work for %lld ranks, %d for %lld", best,
                 (long long)((particles + best - 1) / best), tile, (long long)tiles);
  else if (run->target->point && tile < best && best > 2)
    dun_text_add(out,
                 "; run.tile: %d is faster on few ranks: most of a tile of %d is arithmetic on "
                 "empty lanes",
                 best, tile);
}

int dun_tile_size_tell(struct dun_context *context, const struct dun_assembly *assembly,
                       struct dun_text *out)
{
  const struct dun_run *run = &assembly->run;
  double seconds;
  int code = dun_estimate_evaluation(context, run, &seconds);
  if (code < 0)
    return code;
  dun_text_add(out, "evaluation: %.3g us for a point%s, in tiles of %d", 1e6 * seconds,
               run->target->no_gradient ? "" : " with its gradient", run->population.tiles.tile);
  advise(run, seconds, out);
  dun_text_add(out, "\n");
  return 0;
}

void dun_tile_size_warn(struct dun_context *context, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t groups = dun_tiles_groups(tiles);
  if (context->rank != 0 || groups >= context->size)
    return;
  dun_warn(&context->log, "%lld of %d ranks have no particles: there are %lld %s of %d%s",
           (long long)(context->size - groups), context->size, (long long)groups,
           tiles->together > 1 ? "tiles of chains" : "tiles", tiles->tile,
           tiles->tile > 1 ? "; a smaller run.tile has work for more" : "");
}
