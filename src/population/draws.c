#include "population/draws.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/tiles.h"
#include "population/limbs.h"

/* 1 + the nearest integer to -log(u) * scale: positive, so that no uniform lies at 0 or at 1. */
DUN_CLONES
static void lanes_exponential(double scale, const double *restrict uniform,
                              int64_t *restrict exponential)
{
  for (int lane = 0; lane < DUN_DRAW_LANES; lane++) {
    int64_t steps;
    dun_limb_cut(-dun_log(uniform[lane]) * scale, 0x1.8p52, &steps);
    exponential[lane] = steps + 1;
  }
}

static void piece_fill(struct dun_draws *draws, int64_t tile)
{
  _Alignas(64) double uniform[DUN_DRAW_LANES];
  draws->address.tile = (uint32_t)tile;
  dun_uniforms(draws->address, 1, uniform);
  lanes_exponential(draws->scale, uniform, draws->piece);
  draws->tile = tile;
}

static struct dun_tiles share_of(const struct dun_draws *draws, int share)
{
  return dun_tiles_of(draws->count + 1, DUN_DRAW_LANES, share, draws->shares);
}

/* The sum of one share's exponentials. */
static int64_t share_sum(struct dun_draws *draws, int share)
{
  const struct dun_tiles tiles = share_of(draws, share);
  int64_t sum = 0;
  for (int64_t t = tiles.first_tile; t < tiles.first_tile + tiles.count; t++) {
    const int n = dun_tile_size(&tiles, t);
    piece_fill(draws, t);
    for (int lane = 0; lane < n; lane++)
      sum += draws->piece[lane];
  }
  return sum;
}

/* Moves the cursor to the first uniform of a share. */
static void cursor_place(struct dun_draws *draws, int share)
{
  draws->place = share_of(draws, share).first;
  if (draws->place == draws->count + 1) /* an empty share, behind all others */
    return;
  if (draws->tile != draws->place / DUN_DRAW_LANES)
    piece_fill(draws, draws->place / DUN_DRAW_LANES);
  draws->sum = draws->before[share] + draws->piece[0];
}

int dun_draws_init(struct dun_context *context, int64_t count, dun_u128 whole,
                   struct dun_address address, struct dun_draws *draws)
{
  /* -log u <= 37: the sum of n + 1 of them stays below 2^63, and one of them below 2^51. */
  const int room = 57 - dun_log2_up(count + 1);
  int64_t own;
  int status;
  *draws = (struct dun_draws){.count = count,
                              .whole = whole,
                              .address = address,
                              .scale = ldexp(1, room < 44 ? room : 44),
                              .shares = context->size,
                              .tile = -1};
  draws->before = dun_allocate(draws->shares + 1, sizeof *draws->before);
  status = dun_agree(context, draws->before ? 0 : DUN_ERROR_MEMORY);
  if (status < 0)
    return status;
  own = share_sum(draws, context->rank);
  context->collectives++;
  context->bytes_sent += (int64_t)sizeof own;
  MPI_Allgather(&own, 1, MPI_INT64_T, draws->before + 1, 1, MPI_INT64_T, context->comm);
  for (int share = 0; share < draws->shares; share++)
    draws->before[share + 1] += draws->before[share];
  draws->ratio = (double)draws->before[draws->shares] / (double)whole;
  cursor_place(draws, 0);
  return 0;
}

void dun_draws_free(struct dun_draws *draws)
{
  DUN_FREE(draws->before);
}

struct product { /* of a number below 2^126 and one below 2^63 */
  dun_u128 high;
  uint64_t low;
};

static struct product multiply(dun_u128 a, int64_t b)
{
  dun_u128 low = (dun_u128)(uint64_t)a * (uint64_t)b;
  return (struct product){(a >> 64) * (uint64_t)b + (low >> 64), (uint64_t)low};
}

/* whole * sum / before[shares] < x? */
static int lies_below(const struct dun_draws *draws, int64_t sum, dun_u128 x)
{
  struct product a = multiply(draws->whole, sum), b = multiply(x, draws->before[draws->shares]);
  return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static void cursor_advance(struct dun_draws *draws)
{
  const int64_t lane = ++draws->place % DUN_DRAW_LANES;
  if (lane == 0)
    piece_fill(draws, draws->place / DUN_DRAW_LANES);
  draws->sum += draws->piece[lane];
}

int64_t dun_draws_below(struct dun_draws *draws, dun_u128 x)
{
  const double target = dun_limbs_estimate(x) * draws->ratio;
  const double surely = target * (1 - 0x1p-45), surely_not = target * (1 + 0x1p-45);
  int share = draws->share;
  while (share + 1 < draws->shares && (double)draws->before[share + 1] <= surely_not &&
         draws->before[share + 1] < draws->before[draws->shares] &&
         lies_below(draws, draws->before[share + 1], x))
    share++;
  if (share > draws->share && share_of(draws, share).first > draws->place)
    cursor_place(draws, share);
  draws->share = share;
  while (draws->place < draws->count) {
    const double sum = (double)draws->sum;
    if (sum > surely_not || (sum >= surely && !lies_below(draws, draws->sum, x)))
      break;
    cursor_advance(draws);
  }
  return draws->place;
}
