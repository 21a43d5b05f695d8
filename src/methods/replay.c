#include "methods/replay.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* ---- room ------------------------------------------------------------------------------------ */

static int64_t numbers_of(const struct dun_replay *s)
{
  return s->slots * s->pieces * s->tiles.local * s->points * s->d;
}

int dun_replay_declare(struct dun_replay *s, struct dun_run *run)
{
  s->d = run->evaluator->dimension;
  s->tiles = run->population.tiles;
  if (s->slots * s->pieces > INT32_MAX / 64)
    return dun_fail(DUN_ERROR_INPUT,
                    "method.batches: %lld batches of %lld pieces are too many to keep",
                    (long long)s->slots, (long long)s->pieces);
  s->log_weight =
      dun_run_column(run, "piece_weight", DUN_F64, (int)(s->slots * s->pieces), 0,
                     "Log weights of the pieces that are kept, as they were last weighed.");
  return s->log_weight ? 0 : DUN_ERROR_MEMORY;
}

int64_t dun_replay_memory(const struct dun_replay *s)
{
  int64_t local = s->tiles.local;
  return 8 * numbers_of(s) + 24 * s->slots * s->pieces * local + (8 + 8 + 24) * s->slots * local +
         24 * local;
}

int dun_replay_init(struct dun_replay *s)
{
  int64_t local = s->tiles.local;
  if (s->x)
    return 0;
  s->x = dun_allocate(numbers_of(s), sizeof *s->x);
  s->gradient = dun_allocate(numbers_of(s), sizeof *s->gradient);
  s->end = dun_allocate(2 * s->slots * s->pieces * local, sizeof *s->end);
  s->weight = dun_allocate(s->slots * s->pieces * local, sizeof *s->weight);
  s->key = dun_allocate(s->slots * local, sizeof *s->key);
  s->fresh = dun_allocate(local, sizeof *s->fresh);
  s->chosen = dun_allocate((s->slots + 2) * local, sizeof *s->chosen);
  s->begin = dun_allocate(s->tiles.count + 1, sizeof *s->begin);
  return s->x && s->gradient && s->end && s->weight && s->key && s->fresh && s->chosen && s->begin
             ? 0
             : DUN_ERROR_MEMORY;
}

void dun_replay_free(struct dun_replay *s)
{
  DUN_FREE(s->x);
  DUN_FREE(s->gradient);
  DUN_FREE(s->end);
  DUN_FREE(s->weight);
  DUN_FREE(s->key);
  DUN_FREE(s->fresh);
  DUN_FREE(s->chosen);
  DUN_FREE(s->begin);
  dun_order_free(&s->order);
}

/* ---- what carries leave ---------------------------------------------------------------------- */

/* The first particle's number in [slots][pieces][local]. */
static int64_t block_of(const struct dun_replay *s, int64_t slot, int64_t piece)
{
  return (slot * s->pieces + piece) * s->tiles.local;
}

static int64_t slot_of(const struct dun_replay *s, int64_t batch)
{
  return batch % s->slots;
}

void dun_replay_track(const struct dun_replay *s, int64_t batch, int64_t piece,
                      struct dun_track *track)
{
  int64_t from = block_of(s, slot_of(s, batch), piece) * s->points * s->d;
  *track = (struct dun_track){
      .tiles = s->tiles, .points = s->points, .x = s->x + from, .gradient = s->gradient + from};
}

void dun_replay_ends(const struct dun_replay *s, int64_t batch, int64_t piece, int side,
                     const struct dun_column *part_lp)
{
  int64_t local = s->tiles.local;
  double *end = s->end + 2 * block_of(s, slot_of(s, batch), piece) + side * local;
  for (int64_t i = 0; i < local; i++)
    end[i] = dun_f64(part_lp)[i * part_lp->width + 1];
}

static double *weight_of(const struct dun_replay *s, int64_t slot, int64_t piece, int64_t i)
{
  return &dun_f64(s->log_weight)[(i * s->slots + slot) * s->pieces + piece];
}

void dun_replay_weigh(const struct dun_replay *s, int64_t batch, int64_t piece,
                      const struct dun_column *increment)
{
  for (int64_t i = 0; i < s->tiles.local; i++) {
    double w = dun_f64(increment)[i];
    *weight_of(s, slot_of(s, batch), piece, i) = isfinite(w) ? w : -INFINITY;
  }
}

void dun_replay_clear(const struct dun_replay *s)
{
  for (int64_t i = 0; i < s->tiles.local * s->log_weight->width; i++)
    dun_f64(s->log_weight)[i] = -INFINITY;
}

/* ---- what is learned from -------------------------------------------------------------------- */

/* Half of a tile, rounded down: those with the smallest uniforms. */
static int64_t half_of(const struct dun_replay *s, int64_t n)
{
  return s->slots == 1 ? n : n / 2;
}

/* How many of the numbers come before number l in their order. */
static int rank_of(int n, const double *number, int l)
{
  int before = 0;
  for (int m = 0; m < l; m++)
    before += number[m] <= number[l];
  for (int m = l + 1; m < n; m++)
    before += number[m] < number[l];
  return before;
}

/* Where the copied log weights of a piece begin, of one slot. */
static double *copy_of(const struct dun_replay *s, int64_t slot, int64_t piece)
{
  return s->weight + (piece * s->slots + slot) * s->tiles.local;
}

/* By squares, whose cache lines are read and written whole. */
static void copy_weights(struct dun_replay *s)
{
  enum { TOGETHER = 8 };
  int64_t local = s->tiles.local;
  for (int64_t first = 0; first < local; first += TOGETHER) {
    int64_t end = first + TOGETHER < local ? first + TOGETHER : local;
    for (int64_t slot = 0; slot < s->slots; slot++)
      for (int64_t piece = 0; piece < s->pieces; piece++)
        for (int64_t i = first; i < end; i++)
          copy_of(s, slot, piece)[i] = *weight_of(s, slot, piece, i);
  }
}

void dun_replay_deal(struct dun_replay *s, struct dun_address address)
{
  copy_weights(s);
  double uniform[L] __attribute__((aligned(64)));
  address.purpose = DUN_PURPOSE_FRESH;
  for (int64_t tile = 0; tile < s->tiles.count; tile++) {
    int n = dun_tile_size(&s->tiles, s->tiles.first_tile + tile);
    address.tile = (uint32_t)(s->tiles.first_tile + tile);
    dun_uniforms(address, 1, uniform);
    for (int l = 0; l < n; l++)
      s->fresh[tile * s->tiles.tile + l] = rank_of(n, uniform, l) < half_of(s, n);
  }
}

/* How many of all ranks are learned from as the latest. */
static int64_t all_fresh(const struct dun_replay *s)
{
  int64_t tile = s->tiles.tile, last = s->tiles.total % tile;
  return s->tiles.total / tile * half_of(s, tile) + half_of(s, last);
}

/* Log weight + g of all that is kept of a tile, in s->key. */
DUN_CLONES static void add_gumbel(const double *restrict uniform, double *restrict key)
{
  for (int l = 0; l < L; l++)
    key[l] -= dun_log(-dun_log(uniform[l] < 1 ? uniform[l] : 1 - 0x1p-53));
}

static void make_keys(struct dun_replay *s, int64_t batches, int64_t piece,
                      struct dun_address address)
{
  double uniform[L] __attribute__((aligned(64))), key[L] __attribute__((aligned(64)));
  address = dun_address_apart(address, (uint64_t)piece);
  address.purpose = DUN_PURPOSE_REPLAY;
  for (int64_t tile = 0; tile < s->tiles.count; tile++) {
    int n = dun_tile_size(&s->tiles, s->tiles.first_tile + tile);
    int64_t first = tile * s->tiles.tile;
    for (int64_t slot = 0; slot < batches; slot++) {
      const double *weight = copy_of(s, slot, piece) + first;
      address.tile = (uint32_t)((s->tiles.first_tile + tile) * s->slots + slot);
      dun_uniforms(address, 1, uniform);
      for (int l = 0; l < L; l++)
        key[l] = weight[l < n ? l : 0];
      add_gumbel(uniform, key);
      memcpy(s->key + slot * s->tiles.local + first, key, (size_t)n * sizeof *key);
    }
  }
}

/* Those of one tile: the latest, then what is taken from all that is kept. */
static int64_t list_tile(struct dun_replay *s, int64_t tile, int64_t batches, int64_t latest,
                         int64_t piece, double least, int64_t at)
{
  int64_t local = s->tiles.local, first = tile * s->tiles.tile;
  int n = dun_tile_size(&s->tiles, s->tiles.first_tile + tile);
  for (int64_t i = first; i < first + n; i++)
    if (s->fresh[i] && copy_of(s, latest, piece)[i] > -INFINITY)
      s->chosen[at++] = -1 - (latest * local + i);
  for (int64_t slot = 0; slot < batches; slot++)
    for (int64_t i = first; i < first + n; i++)
      if (s->key[slot * local + i] >= least && s->key[slot * local + i] > -INFINITY)
        s->chosen[at++] = slot * local + i;
  return at;
}

int dun_replay_choose(struct dun_context *context, struct dun_replay *s, int64_t batch,
                      int64_t piece, struct dun_address address)
{
  int64_t batches = batch + 1 < s->slots ? batch + 1 : s->slots, at = 0;
  int64_t all = batches * s->tiles.total, again = s->tiles.total - all_fresh(s);
  double least = INFINITY;
  if (again > 0) {
    int64_t place = all - again;
    make_keys(s, batches, piece, address);
    int status = dun_agree(context, dun_order_set(&s->order, batches * s->tiles.local, s->key));
    if (status < 0 || (status = dun_order_statistics(context, &s->order, 1, &place, &least)) < 0)
      return status;
  }
  for (int64_t tile = 0; tile < s->tiles.count; tile++) {
    s->begin[tile] = at;
    at = list_tile(s, tile, again > 0 ? batches : 0, slot_of(s, batch), piece, least, at);
  }
  s->begin[s->tiles.count] = at;
  return 0;
}

/* slot * local + particle of chosen piece number i. */
static int64_t entry_of(const struct dun_replay *s, int64_t i)
{
  return s->chosen[i] < 0 ? -1 - s->chosen[i] : s->chosen[i];
}

int dun_replay_load(const struct dun_replay *s, int64_t piece, int64_t first, int64_t end,
                    struct dun_piece *out)
{
  int64_t local = s->tiles.local;
  out->n = end - first < L ? (int)(end - first) : L;
  for (int l = 0; l < L; l++) {
    int64_t entry = entry_of(s, first + (l < out->n ? l : 0));
    int64_t block = block_of(s, entry / local, piece), i = entry % local;
    out->x[l] = s->x + (block + i) * s->points * s->d;
    out->gradient[l] = s->gradient + (block + i) * s->points * s->d;
    out->start[l] = s->end[2 * block + i];
    out->end[l] = s->end[2 * block + local + i];
  }
  return out->n;
}

double *dun_replay_place(const struct dun_replay *s, int64_t piece, int64_t i)
{
  int64_t local = s->tiles.local, entry = s->chosen[i];
  return entry < 0 ? NULL : weight_of(s, entry / local, piece, entry % local);
}
