/* The tiles of stochastic localization: steps with each for itself, or of all together by a field
 * that is spread over the ranks. */
#include "methods/localization.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

struct dun_localization_tile dun_localization_load(const struct localization *s,
                                                   const struct dun_run *run, int64_t i)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_localization_tile tile = {.n = dun_tile_size(tiles, tiles->first_tile + i),
                                       .address = dun_run_address(run, DUN_PURPOSE_NOISE)};
  tile.address.tile = (uint32_t)(tiles->first_tile + i);
  dun_tile_load(&run->population, s->y, i, s->posterior.y);
  if (s->memory)
    dun_tile_load(&run->population, s->memory, i, s->posterior.memory);
  dun_certificate_load(&s->certificate, run, i);
  return tile;
}

void dun_localization_store(const struct localization *s, const struct dun_run *run, int64_t i)
{
  dun_tile_store(&run->population, s->y, i, s->posterior.y);
  if (s->memory)
    dun_tile_store(&run->population, s->memory, i, s->posterior.memory);
  dun_certificate_store(&s->certificate, run, i);
}

void dun_localization_bury(const struct localization *s, struct dun_run *run, int64_t i, int n,
                           struct dun_exact *sum)
{
  double lost[L] __attribute__((aligned(64)));
  dun_run_bury(run, i, n, s->posterior.draw, lost);
  dun_exact_add(&sum[DUN_LOCALIZATION_BROKEN], dun_fold(lost));
  dun_tile_store(&run->population, run->x, i, s->posterior.draw);
  dun_certificate_store(&s->certificate, run, i);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Step k, with what is known. */
static void move(const struct localization *s, int64_t k, const struct dun_localization_tile *tile)
{
  const struct dun_posterior *p = &s->posterior;
  const struct dun_known known = {
      .mean = p->mean, .letters = p->of.letters ? p->law : NULL, .covariance = p->covariance};
  double t = s->time[k], next = s->time[k + 1];
  dun_certificate_look(&s->certificate, p, s->time, k, tile->n);
  if (s->corrected.wanted) {
    dun_corrected_step(&s->corrected, p, t, next, &known, tile->address, &s->certificate);
    return;
  }
  if (s->mix)
    p->observation->mix(p->observation_self, &s->mix[k], &known, tile->address, p->y);
  else
    p->observation->step(p->observation_self, t, next, &known, tile->address, p->y);
  dun_certificate_weigh(&s->certificate, p, t, next, &known);
}

static int draws_at_end(const struct localization *s)
{
  return s->end == END_DRAW && (s->posterior.gives & DUN_TILTED_DRAW) != 0;
}

/* The point, into the posterior's draw, where it is not there yet. */
static void end(const struct localization *s, const struct dun_localization_tile *tile)
{
  const struct dun_posterior *p = &s->posterior;
  int draw = draws_at_end(s);
  dun_certificate_look(&s->certificate, p, s->time, s->steps, tile->n);
  dun_certificate_end(&s->certificate, p->mass);
  if (!draw && p->of.letters)
    dun_posterior_draw_letters(p, tile->address);
  else if (!draw)
    memcpy(p->draw, p->mean, (size_t)p->of.d * L * sizeof *p->draw);
}

void dun_localization_go(const struct localization *s, int64_t first, int64_t behind,
                         struct dun_localization_tile *tile)
{
  const struct dun_posterior *p = &s->posterior;
  for (int64_t k = first; k < behind; k++) {
    tile->address.step = (uint32_t)k;
    if (s->corrected.covariance)
      dun_corrected_look(&s->corrected, p, s->time[k], s->time[k + 1], tile->n, tile->address);
    dun_posterior_ask(p, s->time[k], tile->n, tile->address,
                      s->by_draws ? DUN_POSTERIOR_DRAW : DUN_POSTERIOR_MEAN);
    move(s, k, tile);
  }
  tile->address.step = (uint32_t)behind;
  if (first < s->steps)
    return;
  (s->certificate.ways.wanted ? dun_posterior_ask_mass : dun_posterior_ask)(
      p, s->time[s->steps], tile->n, tile->address,
      draws_at_end(s) ? DUN_POSTERIOR_BOTH : DUN_POSTERIOR_MEAN);
  end(s, tile);
}

void dun_localization_add(const struct localization *s, int n, struct dun_exact *sum)
{
  const struct dun_posterior *p = &s->posterior;
  struct dun_field_look look;
  double apart[L] __attribute__((aligned(64))) = {0};
  if (s->certificate.measured)
    dun_exact_add(&sum[DUN_LOCALIZATION_MOVED], dun_fold(s->certificate.move));
  if (!p->remembers)
    return;
  p->field->look(p->field_self, p->memory, &look);
  for (int l = 0; l < L; l++) {
    apart[l] = l < n && !(look.between[l] <= dun_beginning_apart); /* NaN too */
    look.acceptance[l] = l < n && isfinite(look.acceptance[l]) ? look.acceptance[l] : 0;
  }
  dun_exact_add(&sum[DUN_LOCALIZATION_APART], dun_fold(apart));
  dun_exact_add(&sum[DUN_LOCALIZATION_ACCEPTED], dun_fold(look.acceptance));
}

/* ---- all together ---------------------------------------------------------------------------- */

/* Means of all points at time k, into the rows behind those of the tilts. */
static int ask_together(struct dun_context *context, const struct localization *s,
                        const struct dun_run *run, int64_t k)
{
  const struct dun_posterior *p = &s->posterior;
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t d = p->of.d;
  for (int64_t i = 0; i < tiles->count; i++) {
    struct dun_localization_tile tile = dun_localization_load(s, run, i);
    dun_posterior_tilt(p, s->time[k]);
    dun_rows_from_columns(tile.n, p->of.d, p->h, s->rows + i * tiles->tile * d);
  }
  return p->field->rows(context, p->field_self, tiles->local, s->rows, s->rows + tiles->local * d);
}

/* A step of tile i, or its end, with these means. */
static void go_on(const struct localization *s, struct dun_run *run, int64_t i, int64_t k,
                  struct dun_exact *sum)
{
  const struct dun_posterior *p = &s->posterior;
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_localization_tile tile = dun_localization_load(s, run, i);
  const double *mean = s->rows + (tiles->local + i * tiles->tile) * p->of.d;
  dun_columns_from_rows(tile.n, p->of.d, mean, p->mean);
  dun_posterior_know(p);
  tile.address.step = (uint32_t)k;
  if (k < s->steps) {
    move(s, k, &tile);
    dun_localization_store(s, run, i);
  } else {
    end(s, &tile);
    dun_localization_bury(s, run, i, tile.n, sum);
  }
  dun_localization_add(s, tile.n, sum);
}

int dun_localization_together(struct dun_context *context, const struct localization *s,
                              struct dun_run *run, int64_t behind, double *total)
{
  struct dun_exact sum[DUN_LOCALIZATION_SUMS] = {{{0}, 0, {0}}};
  int64_t last = s->k == s->steps ? s->k : behind - 1;
  int status = 0;
  for (int64_t k = s->k; k <= last && status >= 0; k++) {
    status = ask_together(context, s, run, k);
    for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++)
      go_on(s, run, i, k, sum);
  }
  return dun_sum(context, status, DUN_LOCALIZATION_SUMS, sum, total);
}
