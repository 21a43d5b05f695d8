/* What carries do in a sweep: points go to another time of the path, tile by tile. */
#include "base/scalar.h"
#include "kernels/sweep_parts.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

/* Log density before a carry: of pi_t, or at t = 0 of the law that was drawn from; 0: it has
 * none. */
static int density_before(const struct dun_sweep *s, const struct dun_lanes *w, double t,
                          double *lp)
{
  if (t == 0 && s->path->draw_density)
    return s->path->draw_density(s->path_self, w->state, lp);
  memcpy(lp, w->state + (int64_t)(s->d + s->K) * DUN_LANES, DUN_LANES * sizeof *lp);
  return 1;
}

/* Leaves log pi_t and the ratio of the carry in `carried`, where that is wanted. */
static int carry_tile(struct dun_sweep *s, struct dun_lanes *w, struct dun_address address,
                      double t, double next, int64_t i, int weighed)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double before[2 * DUN_LANES] __attribute__((aligned(64))) = {0};
  int n = dun_tile_size(tiles, tiles->first_tile + i);

  address.tile = (uint32_t)(tiles->first_tile + i);
  dun_sweep_load(s, w, i, t, 0);
  if (weighed && !density_before(s, w, t, before))
    for (int l = 0; l < DUN_LANES; l++)
      before[l] = NAN;
  if (s->memory)
    dun_tile_load(s->population, s->memory, i, s->remembered);
  if (s->path->carry)
    s->path->carry(s->path_self, t, next, n, address, w->state, s->remembered, before + DUN_LANES);
  int status = dun_pass_leave(&s->pass, i, 0, n);
  if (status < 0)
    return status;
  if (weighed)
    dun_tile_store(s->population, s->carried, i, before);
  if (s->memory)
    dun_tile_store(s->population, s->memory, i, s->remembered);
  dun_tile_store(s->population, s->x, i, w->state);
  return 0;
}

/* Carries tile after tile. */
static int carry_tiles(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                       double t, double next, int weighed)
{
  struct dun_lanes w = dun_lanes_of(s);
  int status = 0;

  s->forces_time = NAN;
  address.purpose = DUN_PURPOSE_CARRY;
  if (dun_pass_begin(context, &s->pass, 0, NULL))
    return 0;
  for (int64_t i = 0; i < s->population->tiles.count && status >= 0; i++)
    if ((status = dun_pass_enter(&s->pass, i, 0)) > 0)
      status = carry_tile(s, &w, address, t, next, i, weighed);
  return dun_pass_end(context, &s->pass, status, 0, NULL, NULL);
}

int dun_sweep_transport(struct dun_context *context, struct dun_sweep *s,
                        struct dun_address address, double t, double next)
{
  int status = s->path->carry ? dun_path_prepare(context, s->path, s->path_self, t) : 0;

  address.purpose = DUN_PURPOSE_CARRY;
  if (s->path->carry && status >= 0)
    status = carry_tiles(context, s, address, t, next, 0);
  return status < 0 ? status : 0;
}

/* How many of a tile's particles at `next` lie inside the support, sum[1], and how many of these
 * were inside before the carry, sum[0]. */
static int count_origins(struct dun_sweep *s, int64_t i, double t, double next,
                         struct dun_exact *sum)
{
  struct dun_lanes w = dun_lanes_of(s);
  const double *lp = w.state + (int64_t)(s->d + s->K) * DUN_LANES;
  double inside[DUN_LANES], log_ratio[DUN_LANES] __attribute__((aligned(64)));
  int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i);

  dun_sweep_load(s, &w, i, t, 0);
  memcpy(inside, lp, sizeof inside);
  s->path->carry(s->path_self, next, t, n, (struct dun_address){0}, w.state, NULL, log_ratio);
  int status = dun_sweep_evaluate_tile(s, &w, i);
  for (int l = 0; l < n && status >= 0; l++) {
    dun_exact_add(&sum[0], inside[l] > -DUN_ABYSS && lp[l] > -DUN_ABYSS);
    dun_exact_add(&sum[1], inside[l] > -DUN_ABYSS);
  }
  return status;
}

int dun_sweep_origins(struct dun_context *context, struct dun_sweep *s, double t, double next,
                      double *missing)
{
  const int64_t tiles = 4;
  int64_t count = dun_sweep_tiles_below(&s->population->tiles, tiles);
  struct dun_exact sum[2] = {{{0}, 0, {0}}, {{0}, 0, {0}}};
  double found[2] = {0};
  int maps = t > 0 && dun_path_is_map(s->path, s->path_self),
      status = maps ? dun_path_prepare(context, s->path, s->path_self, t) : 0;

  if (status < 0 || dun_pass_begin(context, &s->pass, 2, sum))
    return status;
  for (int64_t i = 0; maps && i < count && status >= 0; i++)
    if ((status = dun_pass_enter(&s->pass, i, 0)) > 0)
      status = count_origins(s, i, t, next, sum);
  status = dun_pass_end(context, &s->pass, status, 2, sum, found);
  if (status >= 0 && found[1] > 0)
    *missing -= dun_scalar_log(found[0] / found[1]);
  return status;
}

int dun_sweep_outside(struct dun_context *context, struct dun_sweep *s, double t, double next,
                      double *missing)
{
  int64_t count[2] = {0, 0}; /* inside before; of these outside now */
  double old[2 * DUN_LANES] __attribute__((aligned(64))), lp[DUN_LANES];
  const struct dun_tiles *tiles = &s->population->tiles;
  int random = s->path->carry && !dun_path_is_map(s->path, s->path_self);

  if (!random || t <= 0 || s->path->everywhere)
    return 0;
  for (int64_t i = 0; i < tiles->count; i++) {
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    dun_tile_load(s->population, s->carried, i, old);
    dun_sweep_density(s, i, next, lp);
    for (int l = 0; l < n; l++) {
      count[0] += isnan(old[l]) || old[l] > -DUN_ABYSS;
      count[1] += (isnan(old[l]) || old[l] > -DUN_ABYSS) && !(lp[l] > -DUN_ABYSS);
    }
  }
  int status = dun_sum_integers(context, 0, 2, count);
  if (status >= 0 && count[1] > 0)
    *missing -= dun_scalar_log(1 - fmin((double)count[1] / (double)count[0], .999));
  return status;
}

static void add_change(struct dun_sweep *s, double next, struct dun_column *logw)
{
  struct dun_lanes w = dun_lanes_of(s);
  const double *lp = w.state + (int64_t)(s->d + s->K) * DUN_LANES;
  const struct dun_tiles *tiles = &s->population->tiles;
  double lost[DUN_LANES], old[2 * DUN_LANES] __attribute__((aligned(64)));

  for (int64_t i = 0; i < tiles->count; i++) {
    dun_sweep_load(s, &w, i, next, 0);
    dun_tile_load(s->population, s->carried, i, old);
    for (int l = 0; l < DUN_LANES; l++)
      w.log_weight[l] = isnan(old[0])        ? 0
                        : lp[l] > -DUN_ABYSS ? lp[l] - old[l] + old[DUN_LANES + l]
                                             : -INFINITY;
    dun_sweep_add_log_weight(
        s, &w, i, (struct dun_span){0, 0, dun_tile_size(tiles, tiles->first_tile + i)}, logw, lost);
  }
}

int dun_sweep_carry(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                    double t, double next, struct dun_column *logw)
{
  int status;

  if (!logw) {
    status = dun_sweep_transport(context, s, address, t, next);
    return status < 0 || s->blind ? status : dun_sweep_evaluate(context, s, next, INT64_MAX);
  }
  if ((status = dun_path_prepare(context, s->path, s->path_self, t)) >= 0)
    status = carry_tiles(context, s, address, t, next, 1);
  if (status >= 0)
    status = dun_sweep_evaluate(context, s, next, INT64_MAX);
  if (status >= 0)
    add_change(s, next, logw);
  return status;
}
