/* ranks: 1 2 3 4 7 */
/* Tiles, agreement, broadcasts and the reductions, each against the answer that every rank can
 * work out alone. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "parallel/sum.h"
#include "parallel/tiles.h"
#include <sys/resource.h>

#define C (&test_context)

/* ---- tiles ------------------------------------------------------------------------------- */

static void check_spread(int64_t total, int tile, int size)
{
  int64_t next_tile = 0, next = 0, least = INT64_MAX, most = 0;
  for (int r = 0; r < size; r++) {
    struct dun_tiles t = dun_tiles_of(total, tile, r, size);
    int64_t particles = 0;
    CHECK(t.total == total && t.tile == tile && t.tiles == (total + tile - 1) / tile);
    CHECK(t.first_tile == next_tile && t.first == next && t.count >= 0);
    CHECK(dun_tiles_first(total, tile, r, size) == t.first);
    for (int64_t i = t.first_tile; i < t.first_tile + t.count; i++) {
      int n = dun_tile_size(&t, i);
      CHECK(n == tile || (i == t.tiles - 1 && n >= 1 && n < tile));
      particles += n;
    }
    CHECK(particles == t.local);
    next_tile += t.count;
    next += t.local;
    least = t.count < least ? t.count : least;
    most = t.count > most ? t.count : most;
  }
  CHECK(next == total && dun_tiles_first(total, tile, size, size) == total);
  CHECK(most - least <= 1);
}

/* Groups of tiles are spread as tiles that are so much larger. */
static void check_together(int64_t total, int tile, int64_t together, int size)
{
  for (int r = 0; r < size; r++) {
    struct dun_tiles t = dun_tiles_together(total, tile, together, r, size);
    struct dun_tiles groups = dun_tiles_of((total + tile - 1) / tile, (int)together, r, size);
    int64_t from = groups.first * tile, to = (groups.first + groups.local) * tile;
    CHECK(t.first_tile == groups.first && t.count == groups.local);
    CHECK(dun_tiles_groups(&t) == groups.tiles);
    CHECK(t.first == (from < total ? from : total));
    CHECK(t.first + t.local == (to < total ? to : total));
    CHECK(dun_tiles_first_of(&t, r, size) == t.first);
    CHECK(dun_tiles_first_of(&t, r + 1, size) == t.first + t.local);
  }
}

static void together(void)
{
  const int64_t totals[] = {0, 1, 63, 64, 65, 640, 1000, 4097};
  const int sizes[] = {1, 2, 3, 7, 100};
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 5; j++)
      for (int length = 1; length < 40; length += 6) {
        check_together(totals[i], 64, length, sizes[j]);
        check_together(totals[i], 10, length, sizes[j]);
      }
}

static void tiles(void)
{
  const int64_t totals[] = {0, 1, 5, 63, 64, 65, 1000, 4096};
  const int sizes[] = {1, 2, 3, 7, 64, 100};
  for (int i = 0; i < 8; i++)
    for (int j = 0; j < 6; j++) {
      check_spread(totals[i], 64, sizes[j]);
      check_spread(totals[i], 10, sizes[j]);
      check_spread(totals[i], 1, sizes[j]);
    }
  struct dun_tiles t = dun_tiles_of(INT64_MAX, 64, 99999, 100000);
  CHECK(t.first + t.local == INT64_MAX && dun_tile_size(&t, t.tiles - 1) == 63);
}

/* ---- agreement --------------------------------------------------------------------------- */

static void agree_well(void)
{
  int64_t collectives = C->collectives;
  CHECK(dun_agree(C, 0) == 0);
  CHECK(dun_agree(C, 3 + C->rank) == 3);
  CHECK(C->collectives == collectives + 2);
}

/* Every rank fails alone, once with each code; all get its sentence. */
static void agree_one(void)
{
  for (int r = 0; r < C->size; r++)
    for (int code = DUN_ERROR_INPUT; code < 0; code++) {
      char expected[64];
      int status = C->rank == r ? dun_fail(code, "rank %d, 100%% wrong: %d", r, code) : 0;
      CHECK(dun_agree(C, status) == code);
      snprintf(expected, sizeof expected, "rank %d, 100%% wrong: %d", r, code);
      CHECK(!strcmp(dun_error_text(), expected));
    }
}

/* All fail: the smallest code decides, and its lowest rank speaks. */
static void agree_all(void)
{
  int speaker = C->size > 1, code = C->rank >= speaker ? DUN_ERROR_INPUT : DUN_ERROR_NUMERIC;
  char expected[64];
  dun_fail(code, "from %d", C->rank);
  CHECK(dun_agree(C, code) == DUN_ERROR_INPUT);
  snprintf(expected, sizeof expected, "from %d", speaker);
  CHECK(!strcmp(dun_error_text(), expected));
}

static void agree_long(void)
{
  char text[3000];
  memset(text, 'x', sizeof text);
  text[2999] = 0;
  if (C->rank == C->size - 1)
    dun_fail(DUN_ERROR_FILE, "%s", text);
  CHECK(dun_agree(C, C->rank == C->size - 1 ? DUN_ERROR_FILE : 0) == DUN_ERROR_FILE);
  CHECK(strlen(dun_error_text()) > 1000 && strlen(dun_error_text()) < 3000);
}

/* ---- broadcasts -------------------------------------------------------------------------- */

static void broadcast(void)
{
  for (int root = 0; root < C->size; root++) {
    int numbers[1000];
    for (int i = 0; i < 1000; i++)
      numbers[i] = C->rank == root ? i * (root + 1) : -1;
    CHECK(dun_broadcast(C, numbers, sizeof numbers, root) == 0);
    for (int i = 0; i < 1000; i++)
      CHECK(numbers[i] == i * (root + 1));
  }
}

static void broadcast_block(void)
{
  char word[] = "dunlin", *bytes = C->rank ? NULL : word;
  int64_t size = C->rank ? -5 : 6;
  CHECK(dun_broadcast_block(C, 0, &bytes, &size) == 0);
  CHECK(size == 6 && !strcmp(bytes, "dunlin"));
  if (C->rank)
    DUN_FREE(bytes);
  bytes = C->rank ? NULL : word;
  size = 0;
  CHECK(dun_broadcast_block(C, 0, &bytes, &size) == 0 && size == 0);
  CHECK(bytes && (C->rank == 0 || bytes[0] == 0));
  if (C->rank)
    DUN_FREE(bytes);
}

static void broadcast_block_fails(void)
{
  char *bytes = NULL;
  int64_t size = 123;
  int status = C->rank ? 0 : dun_fail(DUN_ERROR_FILE, "no such file");
  CHECK(dun_broadcast_block(C, status, &bytes, &size) == DUN_ERROR_FILE);
  CHECK(!bytes && !strcmp(dun_error_text(), "no such file"));
  CHECK(C->rank == 0 || size == 0);
}

/* ---- sums -------------------------------------------------------------------------------- */

/* A number of any size and sign, the same on all ranks. */
static double number(uint64_t i)
{
  uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  double mantissa = (double)(int64_t)(z ^ z >> 31);
  return ldexp(mantissa, (int)(z >> 7 & 127) - 64);
}

static void fold(void)
{
  double lanes[64], tree[64], plain = 0;
  for (int l = 0; l < 64; l++) {
    tree[l] = lanes[l] = sin(l + 1.);
    plain += lanes[l];
  }
  for (int w = 32; w; w /= 2)
    for (int l = 0; l < w; l++)
      tree[l] = tree[l] + tree[l + w];
  CHECK(dun_fold(lanes) == tree[0] && dun_fold(lanes) != plain);
  for (int l = 0; l < 64; l++)
    lanes[l] = l;
  CHECK(dun_fold(lanes) == 2016);
}

enum { NUMBERS = 3000 };

/* Number i goes to one rank of all; the total must be that of one rank that has them all. */
static void sum_of_many(void)
{
  struct dun_exact part[2] = {0}, whole = {0};
  double total[2];
  for (int i = 0; i < NUMBERS; i++) {
    dun_exact_add(&whole, number((uint64_t)i));
    if ((i * 7 + i / 11) % C->size == C->rank) {
      dun_exact_add(&part[0], number((uint64_t)i));
      dun_exact_add(&part[1], -number((uint64_t)i));
    }
  }
  int64_t collectives = C->collectives;
  CHECK(dun_sum(C, 0, 2, part, total) == 0);
  CHECK(C->collectives == collectives + 1);
  CHECK(total[0] == dun_exact_value(&whole) && total[1] == -total[0]);
  CHECK(dun_sum(C, 0, 2, part, total) == 0 && total[0] == dun_exact_value(&whole));
}

/* Terms that cancel between ranks: the last bits survive. */
static void sum_cancels(void)
{
  struct dun_exact part = {0};
  double total;
  dun_exact_add(&part, C->rank == 0 ? 1e300 : C->rank == C->size - 1 ? -1e300 : 0);
  dun_exact_add(&part, 0x1p-1074);
  if (C->size == 1)
    dun_exact_add(&part, -1e300);
  CHECK(dun_sum(C, 0, 1, &part, &total) == 0 && total == C->size * 0x1p-1074);
}

/* Digits that are as large as they may be before they are carried. */
static void sum_of_full_digits(void)
{
  struct dun_exact part = {.added = 1 << 30};
  double total;
  part.digit[40] = (int64_t)1 << 62;
  CHECK(dun_sum(C, 0, 1, &part, &total) == 0);
  CHECK(total == ldexp(C->size, 62 + 32 * 40 - 1074));
}

static void sum_odd(void)
{
  struct dun_exact part[4] = {0};
  double total[4];
  dun_exact_add(&part[0], C->rank == 0 ? INFINITY : 1);
  dun_exact_add(&part[1], C->rank == C->size - 1 ? -INFINITY : 1);
  dun_exact_add(&part[2], C->rank == C->size / 2 ? NAN : 1);
  dun_exact_add(&part[3], C->rank == 0 ? INFINITY : 1);
  dun_exact_add(&part[3], C->rank == C->size - 1 ? -INFINITY : 1);
  CHECK(dun_sum(C, 0, 4, part, total) == 0);
  CHECK(total[0] == INFINITY && total[1] == -INFINITY && isnan(total[2]) && isnan(total[3]));
}

/* More than one message. */
static void sum_in_pieces(void)
{
  int64_t m = 16000;
  struct dun_exact *part = dun_allocate(m, sizeof *part);
  double *total = dun_allocate(m, sizeof *total);
  for (int64_t i = 0; i < m; i++)
    dun_exact_add(&part[i], (double)i + C->rank);
  CHECK(dun_sum(C, 0, m, part, total) == 0);
  for (int64_t i = 0; i < m; i++)
    CHECK(total[i] == (double)(C->size * i + C->size * (C->size - 1) / 2));
  CHECK(C->bytes_sent > m * 67 * 8);
  DUN_FREE(part);
  DUN_FREE(total);
}

/* The rank that failed has no arrays; nobody waits for it, and nothing is written. */
static void sum_with_failure(void)
{
  for (int64_t m = 1; m <= 40000; m = m < 40 ? m + 39 : m * 1000)
    for (int r = 0; r < C->size; r++) {
      int bad = C->rank == r, status = bad ? dun_fail(DUN_ERROR_MEMORY, "rank %d", r) : 0;
      struct dun_exact *part = bad ? NULL : dun_allocate(m, sizeof *part);
      double *total = bad ? NULL : dun_allocate(m, sizeof *total);
      int64_t *count = bad ? NULL : dun_allocate(m, sizeof *count);
      char expected[32];
      snprintf(expected, sizeof expected, "rank %d", r);
      CHECK(dun_sum(C, status, m, part, total) == DUN_ERROR_MEMORY);
      CHECK(!strcmp(dun_error_text(), expected));
      CHECK(dun_max(C, status, m, total) == DUN_ERROR_MEMORY);
      CHECK(dun_sum_integers(C, status, m, count) == DUN_ERROR_MEMORY);
      CHECK(!strcmp(dun_error_text(), expected));
      CHECK(bad || (total[m - 1] == 0 && count[m - 1] == 0));
      DUN_FREE(part);
      DUN_FREE(total);
      DUN_FREE(count);
    }
}

/* One rank cannot grow its buffer: all fail, and go on. */
static void sum_without_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__)
  int64_t m = 900000; /* integers: more than any sum before */
  int64_t *value = dun_allocate(m, sizeof *value);
  struct rlimit before, none;
  getrlimit(RLIMIT_AS, &before);
  none = before;
  none.rlim_cur = 1 << 20;
  C->capacity = 1; /* as if nothing larger had been asked for */
  if (C->rank == C->size - 1)
    setrlimit(RLIMIT_AS, &none);
  int status = dun_sum_integers(C, 0, m, value);
  setrlimit(RLIMIT_AS, &before);
  CHECK(status == DUN_ERROR_MEMORY);
  CHECK(strstr(dun_error_text(), "memory"));
  value[m - 1] = 1;
  CHECK(dun_sum_integers(C, 0, m, value) == 0 && value[m - 1] == C->size);
  DUN_FREE(value);
#endif
}

static void maximum(void)
{
  double value[600];
  for (int i = 0; i < 600; i++)
    value[i] = i % C->size == C->rank ? i : -1e308;
  value[0] = -INFINITY;
  value[1] = -0.;
  CHECK(dun_max(C, 0, 600, value) == 0);
  CHECK(value[0] == -INFINITY && value[1] == 0 && !signbit(value[1]));
  for (int i = 2; i < 600; i++)
    CHECK(value[i] == i);
  value[7] = C->rank == C->size - 1 ? NAN : 1;
  CHECK(dun_max(C, 0, 600, value) == DUN_ERROR_NUMERIC);
  CHECK(strstr(dun_error_text(), "Number 7") && value[8] == 8);
}

static void integers(void)
{
  int64_t value[3] = {C->rank, -1, C->rank ? 0 : INT64_MIN};
  CHECK(dun_sum_integers(C, 0, 3, value) == 0);
  CHECK(value[0] == C->size * (C->size - 1) / 2 && value[1] == -C->size && value[2] == INT64_MIN);
}

static dun_u128 big(int rank)
{
  return ((dun_u128)(uint64_t)(rank + 1) << 115) + ((dun_u128)UINT64_MAX << 3) + (unsigned)rank;
}

static void prefix(void)
{
  dun_u128 before = 1, total = 1, lower = 0, all = 0;
  for (int r = 0; r < C->size; r++) {
    lower += r < C->rank ? big(r) : 0;
    all += big(r);
  }
  CHECK(dun_prefix(C, 0, big(C->rank), &before, &total) == 0);
  CHECK(before == lower && total == all);
  int status = C->rank ? 0 : dun_fail(DUN_ERROR_NUMERIC, "no weight");
  CHECK(dun_prefix(C, status, 5, &before, &total) == DUN_ERROR_NUMERIC);
  CHECK(before == lower && !strcmp(dun_error_text(), "no weight"));
}

static void context_twice(void)
{
  struct dun_context context;
  CHECK(dun_context_init(&context, C->comm, DUN_QUIET) == 0);
  CHECK(context.rank == C->rank && context.size == C->size && context.comm != C->comm);
  MPI_Errhandler handler;
  MPI_Comm_get_errhandler(context.comm, &handler);
  CHECK(handler == MPI_ERRORS_ARE_FATAL);
  dun_context_free(&context);
  dun_context_free(&context);
  memset(&context, 0, sizeof context);
  dun_context_free(&context);
}

TEST_MAIN({"tiles", tiles}, {"together", together}, {"agree_well", agree_well},
          {"agree_one", agree_one}, {"agree_all", agree_all}, {"agree_long", agree_long},
          {"broadcast", broadcast}, {"broadcast_block", broadcast_block},
          {"broadcast_block_fails", broadcast_block_fails}, {"fold", fold},
          {"sum_of_many", sum_of_many}, {"sum_cancels", sum_cancels},
          {"sum_of_full_digits", sum_of_full_digits}, {"sum_odd", sum_odd},
          {"sum_in_pieces", sum_in_pieces}, {"sum_with_failure", sum_with_failure},
          {"sum_without_memory", sum_without_memory}, {"maximum", maximum}, {"integers", integers},
          {"prefix", prefix}, {"context_twice", context_twice})
