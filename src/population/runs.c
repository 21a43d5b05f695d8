#include "population/runs.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"

/* ---- set-up: what the neighbours' border particles descend from -------------------------- */

struct border {
  int64_t particles, first, last; /* particles of the rank; roots of its first and last one */
};

static int borders_gather(struct dun_context *context, const struct dun_tiles *tiles,
                          const int64_t *root, struct border *border)
{
  struct border own = {.particles = tiles->local};
  if (tiles->local > 0) {
    own.first = root[0];
    own.last = root[tiles->local - 1];
  }
  context->collectives++;
  context->bytes_sent += (int64_t)sizeof own;
  MPI_Allgather(&own, 3, MPI_INT64_T, border, 3, MPI_INT64_T, context->comm);
  return 0;
}

/* Every rank sees the same borders, so that all of them agree. */
static int borders_check(struct dun_context *context, const struct border *border,
                         struct dun_runs *runs)
{
  int64_t last = INT64_MIN;
  runs->next_root = INT64_MAX;
  for (int r = 0; r < context->size; r++) {
    if (border[r].particles == 0)
      continue;
    if (border[r].first < last)
      return dun_fail(DUN_ERROR_NUMERIC, "ancestors decrease between ranks: %lld behind %lld",
                      (long long)border[r].first, (long long)last);
    last = border[r].last;
    if (r > context->rank && runs->next_root == INT64_MAX)
      runs->next_root = border[r].first;
  }
  return 0;
}

DUN_CLONES
static int64_t falls_of(int64_t n, const int64_t *restrict root)
{
  int64_t falls = 0;
  for (int64_t i = 0; i + 1 < n; i++)
    falls += root[i + 1] < root[i];
  return falls;
}

static int order_check(const struct dun_tiles *tiles, const int64_t *root)
{
  int64_t i = 0;
  if (falls_of(tiles->local, root) == 0)
    return 0;
  while (root[i + 1] >= root[i])
    i++;
  return dun_fail(DUN_ERROR_NUMERIC,
                  "ancestors decrease: particle %lld has %lld, the next one %lld",
                  (long long)(tiles->first + i), (long long)root[i], (long long)root[i + 1]);
}

int dun_runs_init(struct dun_context *context, int status, const struct dun_tiles *tiles,
                  const int64_t *root, int m, struct dun_runs *runs)
{
  struct border *border;
  *runs =
      (struct dun_runs){.tiles = tiles, .root = root, .limbs = dun_limbs_of(tiles->total), .m = m};
  runs->first = dun_allocate(m, sizeof *runs->first);
  runs->open = dun_allocate(m, sizeof *runs->open);
  border = dun_allocate(context->size, sizeof *border);
  if (status >= 0 && (!runs->first || !runs->open || !border))
    status = DUN_ERROR_MEMORY;
  if (status >= 0)
    status = order_check(tiles, root);
  if ((status = dun_agree(context, status)) < 0)
    goto out;
  borders_gather(context, tiles, root, border);
  status = borders_check(context, border, runs);
out:
  dun_free(border);
  return status;
}

void dun_runs_free(struct dun_runs *runs)
{
  DUN_FREE(runs->first);
  DUN_FREE(runs->open);
}

/* ---- a tile ------------------------------------------------------------------------------ */

DUN_CLONES
static int64_t mask_full(const int64_t *restrict root, int64_t *restrict mask)
{
  int64_t ends = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES - 1; lane++) {
    mask[lane] = -(int64_t)(root[lane] != root[lane + 1]);
    ends -= mask[lane];
  }
  return ends;
}

void dun_runs_tile(struct dun_runs *runs, int64_t local_tile)
{
  const struct dun_tiles *tiles = runs->tiles;
  const int n = dun_tile_size(tiles, tiles->first_tile + local_tile);
  const int64_t begin = local_tile * tiles->tile, *root = runs->root + begin;
  int64_t *mask = runs->mask, ends = 0, next;
  if (n == DUN_LIMB_LANES)
    ends = mask_full(root, mask);
  else
    for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
      mask[lane] = lane + 1 < n ? -(int64_t)(root[lane] != root[lane + 1]) : 0;
      ends -= mask[lane];
    }
  next = begin + n < tiles->local ? root[n] : runs->next_root;
  mask[n - 1] = -(int64_t)(root[n - 1] != next || next == INT64_MAX);
  runs->ends = (int)(ends - mask[n - 1]);
  runs->first_end = 0;
  while (runs->ends > 0 && !mask[runs->first_end])
    runs->first_end++;
  runs->ended += runs->ends;
}

/* Sums since the last end, left in the lanes that end a run; 0 elsewhere. */
static void lanes_scan(const int64_t *restrict mask, int64_t *restrict high, int64_t *restrict low,
                       int64_t *left)
{
  int64_t h = 0, l = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    h += high[lane];
    l += low[lane];
    high[lane] = h & mask[lane];
    low[lane] = l & mask[lane];
    h &= ~mask[lane];
    l &= ~mask[lane];
  }
  left[0] = h;
  left[1] = l;
}

DUN_CLONES
static void lanes_sum(const int64_t *restrict high, const int64_t *restrict low, int64_t *left)
{
  int64_t h = 0, l = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    h += high[lane];
    l += low[lane];
  }
  left[0] = h;
  left[1] = l;
}

/* (total - centre)^2 in the lanes that end a run; returns how many totals are above 0. */
DUN_CLONES
static int64_t lanes_square(const struct dun_limbs *limbs, double unit, double centre,
                            const int64_t *restrict mask, const int64_t *restrict high,
                            const int64_t *restrict low, double *restrict square)
{
  const double coarse = limbs->unit[0], fine = limbs->unit[1];
  int64_t positive = 0;
  for (int lane = 0; lane < DUN_LIMB_LANES; lane++) {
    double total = dun_limb_double(high[lane]) * coarse + dun_limb_double(low[lane]) * fine;
    double distance = total * unit - centre;
    square[lane] = mask[lane] ? distance * distance : 0;
    positive += total > 0;
  }
  return positive;
}

/* A run that may have begun before its tile. */
static void total_add(struct dun_runs *runs, int j, __int128 total)
{
  double value = (double)total * runs->limbs.unit[1] * runs->unit[j] - runs->centre;
  dun_exact_add(&runs->square[j], value * value);
  if (runs->fourth)
    dun_exact_add(&runs->fourth[j], value * value * (value * value));
  if (j == 0)
    runs->positive += total > 0;
}

void dun_runs_add(struct dun_runs *runs, int j, int64_t *high, int64_t *low)
{
  _Alignas(64) double square[DUN_LIMB_LANES];
  const int begin = runs->first_end;
  int64_t left[2], positive;
  if (runs->ends == 0) {
    lanes_sum(high, low, left);
    runs->open[j] += dun_limbs_join(&runs->limbs, left[0], left[1]);
    return;
  }
  lanes_scan(runs->mask, high, low, left);
  runs->open[j] += dun_limbs_join(&runs->limbs, high[begin], low[begin]);
  if (runs->ended == runs->ends)
    runs->first[j] = runs->open[j];
  else
    total_add(runs, j, runs->open[j]);
  runs->open[j] = dun_limbs_join(&runs->limbs, left[0], left[1]);
  if (runs->ends == 1)
    return;
  positive = lanes_square(&runs->limbs, runs->unit[j], runs->centre, runs->mask, high, low, square);
  square[begin] = 0;
  dun_exact_add(&runs->square[j], dun_fold(square));
  if (runs->fourth) {
    for (int lane = 0; lane < DUN_LIMB_LANES; lane++)
      square[lane] *= square[lane];
    dun_exact_add(&runs->fourth[j], dun_fold(square));
  }
  if (j == 0)
    runs->positive += positive - (high[begin] > 0 || (high[begin] == 0 && low[begin] > 0));
}

/* ---- runs that cross ranks --------------------------------------------------------------- */

/* Messages of the scan: one flag (a run ended on these ranks) and what is open behind them. */
static size_t message_size(int m)
{
  return sizeof(int64_t) + (size_t)m * sizeof(__int128);
}

/* The operation of the scan: `lower` stands before `upper` in the order of particles. */
static void carry_over(void *lower, void *upper, int *count, MPI_Datatype *type)
{
  int size;
  MPI_Type_size(*type, &size);
  for (int k = 0; k < *count; k++) {
    const char *a = (const char *)lower + (size_t)k * (size_t)size;
    char *b = (char *)upper + (size_t)k * (size_t)size;
    int64_t ended;
    memcpy(&ended, b, sizeof ended);
    if (ended)
      continue;
    memcpy(b, a, sizeof ended);
    for (size_t at = sizeof ended; at < (size_t)size; at += sizeof(__int128)) {
      __int128 x, y;
      memcpy(&x, a + at, sizeof x);
      memcpy(&y, b + at, sizeof y);
      y += x;
      memcpy(b + at, &y, sizeof y);
    }
  }
}

/* What lower ranks left open, for the first run that ended here. */
static void carry_scan(struct dun_context *context, const struct dun_runs *runs, char *message,
                       char *carry)
{
  const int64_t ended = runs->ended > 0;
  const int size = (int)message_size(runs->m);
  MPI_Datatype type;
  MPI_Op op;
  memcpy(message, &ended, sizeof ended);
  memcpy(message + sizeof ended, runs->open, (size_t)runs->m * sizeof *runs->open);
  MPI_Type_contiguous(size, MPI_BYTE, &type);
  MPI_Type_commit(&type);
  MPI_Op_create(carry_over, 0, &op);
  context->collectives++;
  context->bytes_sent += size;
  MPI_Exscan(message, carry, 1, type, op, context->comm);
  MPI_Op_free(&op);
  MPI_Type_free(&type);
}

int dun_runs_close(struct dun_context *context, struct dun_runs *runs)
{
  const int64_t size = (int64_t)message_size(runs->m);
  char *message = dun_allocate(2, (size_t)size);
  int status = dun_agree(context, message ? 0 : DUN_ERROR_MEMORY);
  if (status < 0)
    goto out;
  carry_scan(context, runs, message, message + size);
  if (context->rank == 0)
    memset(message + size, 0, (size_t)size);
  for (int j = 0; runs->ended > 0 && j < runs->m; j++) {
    __int128 before;
    memcpy(&before, message + size + sizeof(int64_t) + (size_t)j * sizeof before, sizeof before);
    total_add(runs, j, before + runs->first[j]);
  }
out:
  dun_free(message);
  return status;
}
