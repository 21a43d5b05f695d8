/* ranks: 1 2 3 7 */
/* Columns, their memory and hash, and the transposes between rows and columns. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "dunlin/target.h"
#include "population/population.h"
#include "population/tile.h"

#define C (&test_context)

/* ---- columns ----------------------------------------------------------------------------- */

static struct dun_column column(const char *name, enum dun_column_type type, int width,
                                unsigned flags)
{
  return (struct dun_column){.name = name, .type = type, .width = width, .flags = flags};
}

static void declare(void)
{
  struct dun_population p;
  dun_population_init(&p, dun_tiles_of(100, 64, C->rank, C->size));
  struct dun_column *x = dun_population_declare(&p, column("x", DUN_F64, 3, DUN_MOVES));
  CHECK(x && x == dun_population_find(&p, "x") && !x->data);
  CHECK(!dun_population_find(&p, "y"));
  CHECK(dun_population_declare(&p, column("x", DUN_F64, 3, DUN_SAVED)) == x);
  CHECK(x->flags == (DUN_MOVES | DUN_SAVED) && p.columns == 1);
  CHECK(!dun_population_declare(&p, column("x", DUN_F64, 4, 0)));
  CHECK(strstr(dun_error_text(), "'x'"));
  CHECK(!dun_population_declare(&p, column("x", DUN_F32, 3, 0)));
  CHECK(!dun_population_declare(&p, column("flat", DUN_F64, 0, 0)));
  CHECK(strstr(dun_error_text(), "'flat'"));
  static char name[DUN_MAX_COLUMNS][16];
  for (int i = 1; i < DUN_MAX_COLUMNS; i++) {
    snprintf(name[i], sizeof name[i], "c%d", i);
    CHECK(dun_population_declare(&p, column(name[i], DUN_I8, 1, 0)));
  }
  CHECK(!dun_population_declare(&p, column("more", DUN_I8, 1, 0)));
  CHECK(dun_population_find(&p, "x") == x);
  CHECK(dun_population_allocate(&p) == 0);
  CHECK(!dun_population_declare(&p, column("x", DUN_F64, 3, 0)));
  CHECK(strstr(dun_error_text(), "allocated"));
  dun_population_free(&p);
  dun_population_free(&p);
}

static void memory(void)
{
  struct dun_population p;
  int64_t before = dun_memory_in_use(), local;
  dun_population_init(&p, dun_tiles_of(1000, 10, C->rank, C->size));
  local = p.tiles.local;
  dun_population_declare(&p, column("x", DUN_F64, 3, DUN_MOVES));
  dun_population_declare(&p, column("root", DUN_I64, 1, 0));
  dun_population_declare(&p, column("f", DUN_F32, 2, 0));
  dun_population_declare(&p, column("i", DUN_I32, 1, 0));
  dun_population_declare(&p, column("b", DUN_I8, 5, DUN_MOVES));
  CHECK(dun_population_memory(&p) == local * (2 * 24 + 8 + 8 + 4 + 2 * 5));
  CHECK(dun_population_allocate(&p) == 0 && dun_population_allocate(&p) == 0);
  CHECK(dun_memory_in_use() - before == dun_population_memory(&p));
  const double *x = dun_f64(dun_population_find(&p, "x"));
  for (int64_t i = 0; i < local * 3; i++)
    CHECK(x[i] == 0);
  CHECK(dun_population_find(&p, "x")->spare && !dun_population_find(&p, "root")->spare);
  dun_population_free(&p);
  CHECK(dun_memory_in_use() == before);
}

static void memory_lacks(void)
{
  struct dun_population p;
  int64_t before = dun_memory_in_use();
  dun_population_init(&p, dun_tiles_of((int64_t)1 << 61, 64, 0, 1));
  dun_population_declare(&p, column("b", DUN_I8, 8, 0));
  p.tiles.local = 100;
  CHECK(dun_population_memory(&p) == 800);
  p.tiles.local = (int64_t)1 << 61;
  dun_population_declare(&p, column("x", DUN_F64, 1 << 20, DUN_MOVES));
  CHECK(dun_population_memory(&p) == INT64_MAX);
  CHECK(dun_population_allocate(&p) == DUN_ERROR_MEMORY);
  CHECK(strstr(dun_error_text(), "column '") && !p.allocated);
  CHECK(dun_memory_in_use() == before);
  dun_population_free(&p);
}

/* ---- hash -------------------------------------------------------------------------------- */

/* Number of an element, by column and global place; some are odd. */
static double element(int64_t place)
{
  return place % 97 == 5    ? -0.
         : place % 101 == 7 ? NAN
         : place % 103 == 9 ? -INFINITY
                            : sin(.1 * (double)place);
}

static void fill(struct dun_population *p, int reversed)
{
  const char *name[] = {"x", "root", "f", "i", "b"};
  const enum dun_column_type type[] = {DUN_F64, DUN_I64, DUN_F32, DUN_I32, DUN_I8};
  const int width[] = {3, 1, 2, 1, 5};
  for (int k = 0; k < 5; k++) {
    int c = reversed ? 4 - k : k;
    dun_population_declare(p, column(name[c], type[c], width[c], DUN_HASHED));
  }
  dun_population_declare(p, column("unseen", DUN_F64, 1, DUN_MOVES));
  CHECK(dun_population_allocate(p) == 0);
  for (int c = 0; c < 5; c++) {
    void *data = dun_population_find(p, name[c])->data;
    for (int64_t i = 0; i < p->tiles.local * width[c]; i++) {
      int64_t place = p->tiles.first * width[c] + i;
      switch (type[c]) {
      case DUN_F64: ((double *)data)[i] = element(place); break;
      case DUN_I64: ((int64_t *)data)[i] = place - 50; break;
      case DUN_F32: ((float *)data)[i] = (float)element(place); break;
      case DUN_I32: ((int32_t *)data)[i] = (int32_t)(-place * 1234567); break;
      case DUN_I8: ((int8_t *)data)[i] = (int8_t)place; break;
      }
    }
  }
  for (int64_t i = 0; i < p->tiles.local; i++)
    dun_f64(dun_population_find(p, "unseen"))[i] = C->size;
}

/* The same particles on one rank, hashed by each rank alone, and spread over all. */
static void hash_over_ranks(void)
{
  struct dun_context alone;
  struct dun_population whole, part;
  uint64_t expected = 0, hash = 1;
  CHECK(dun_context_init(&alone, MPI_COMM_SELF, DUN_QUIET) == 0);
  dun_population_init(&whole, dun_tiles_of(333, 64, 0, 1));
  fill(&whole, 0);
  CHECK(dun_population_hash(&alone, &whole, &expected) == 0 && expected != 0);
  for (int tile = 1; tile <= 64; tile = tile * 4 + 3) {
    dun_population_init(&part, dun_tiles_of(333, tile, C->rank, C->size));
    fill(&part, tile % 2);
    CHECK(dun_population_hash(C, &part, &hash) == 0 && hash == expected);
    dun_population_free(&part);
  }
  dun_population_free(&whole);
  dun_context_free(&alone);
}

static uint64_t hash_of(struct dun_population *p)
{
  uint64_t hash = 0;
  CHECK(dun_population_hash(C, p, &hash) == 0);
  return hash;
}

/* Each change of a bit, a place or a name changes the hash; it comes back with the old value. */
static void hash_sees(void)
{
  struct dun_population p;
  dun_population_init(&p, dun_tiles_of(700, 64, C->rank, C->size));
  fill(&p, 0);
  uint64_t before = hash_of(&p);
  struct dun_column *columns[] = {dun_population_find(&p, "x"), dun_population_find(&p, "b"),
                                  dun_population_find(&p, "f"), dun_population_find(&p, "i")};
  double *x = columns[0]->data;
  int last = C->rank == C->size - 1;
  for (int c = 0; c < 4; c++) {
    char *byte = columns[c]->data;
    byte[0] ^= (char)(last ? 64 : 0);
    CHECK(hash_of(&p) != before);
    byte[0] ^= (char)(last ? 64 : 0);
    CHECK(hash_of(&p) == before);
  }
  double a = x[0], b = x[1];
  x[0] = last ? b : a;
  x[1] = last ? a : b;
  CHECK(hash_of(&p) != before);
  x[0] = 0.;
  x[1] = b;
  uint64_t plus = hash_of(&p);
  x[0] = last ? -0. : 0.;
  CHECK(hash_of(&p) != plus);
  x[0] = a;
  columns[0]->name = "y";
  CHECK(hash_of(&p) != before);
  columns[0]->name = "x";
  columns[0]->flags = 0;
  CHECK(hash_of(&p) != before);
  dun_population_free(&p);
}

/* ---- transposes -------------------------------------------------------------------------- */

enum { GUARD = 16 };
static const double untouched = -12345;

static double *guarded(int64_t count)
{
  double *block = dun_allocate(count + 2 * GUARD, sizeof *block);
  for (int64_t i = 0; i < count + 2 * GUARD; i++)
    block[i] = untouched;
  return block;
}

static void check_guards(const double *block, int64_t count)
{
  for (int i = 0; i < GUARD; i++)
    CHECK(block[i] == untouched && block[GUARD + count + i] == untouched);
}

static void check_transposes(int n, int width, int stride, int shift)
{
  int64_t row_count = (int64_t)(n - 1) * stride + width, column_count = (int64_t)width * 64;
  double *row_block = guarded(row_count + shift), *column_block = guarded(column_count);
  double *rows = row_block + GUARD + shift, *columns = column_block + GUARD;
  for (int l = 0; l < n; l++)
    for (int j = 0; j < width; j++)
      rows[l * stride + j] = 1000 * l + j;
  dun_columns_from_strided_rows(n, width, stride, rows, columns);
  int bad = 0;
  for (int j = 0; j < width; j++)
    for (int l = 0; l < 64; l++)
      bad += columns[j * 64 + l] != 1000 * (l < n ? l : 0) + j;
  check_guards(column_block, column_count);
  for (int64_t i = 0; i < row_count; i++)
    rows[i] = untouched;
  dun_strided_rows_from_columns(n, width, stride, columns, rows);
  for (int64_t i = 0; i < row_count; i++)
    bad += rows[i] != (i % stride < width ? (double)(1000 * (i / stride) + i % stride) : untouched);
  check_guards(row_block, row_count + shift);
  double scale[64];
  for (int l = 0; l < 64; l++)
    scale[l] = l + 2;
  dun_columns_add_rows(n, width, stride, rows, scale, columns);
  for (int j = 0; j < width; j++)
    for (int l = 0; l < 64; l++)
      bad += columns[j * 64 + l] != (l < n ? (1000 * l + j) * (1 + scale[l]) : j);
  check_guards(column_block, column_count);
  CHECK(!bad);
  DUN_FREE(row_block);
  DUN_FREE(column_block);
}

static void transposes(void)
{
  const int numbers[] = {1, 2, 3, 4, 7, 8, 9, 31, 56, 60, 63, 64};
  for (int i = 0; i < 12; i++)
    for (int width = 1; width <= 20; width++) {
      check_transposes(numbers[i], width, width, i % 3);
      check_transposes(numbers[i], width, width + 1 + i % 5, 1);
    }
  check_transposes(64, 256, 256, 0);
  check_transposes(64, 301, 301, 1);
  check_transposes(17, 301, 304, 3);
}

static void whole_rows(void)
{
  double rows[64 * 5], columns[64 * 5], back[64 * 5];
  for (int i = 0; i < 64 * 5; i++)
    rows[i] = i;
  dun_columns_from_rows(64, 5, rows, columns);
  dun_rows_from_columns(64, 5, columns, back);
  CHECK(columns[2 * 64 + 9] == 9 * 5 + 2 && !memcmp(rows, back, sizeof rows));
}

/* Every tile of the rank, the short last one too, is loaded and stored in its own place. */
static void tiles(void)
{
  for (int tile = 1; tile <= 64; tile += 21) {
    struct dun_population p;
    double columns[3 * 64];
    dun_population_init(&p, dun_tiles_of(10 * tile - tile / 2, tile, C->rank, C->size));
    struct dun_column *x = dun_population_declare(&p, column("x", DUN_F64, 3, 0));
    CHECK(dun_population_allocate(&p) == 0);
    for (int64_t i = 0; i < p.tiles.local * 3; i++)
      dun_f64(x)[i] = (double)(p.tiles.first * 3 + i);
    for (int64_t t = 0; t < p.tiles.count; t++) {
      int n = dun_tile_size(&p.tiles, p.tiles.first_tile + t);
      double start = (double)((p.tiles.first_tile + t) * tile * 3);
      dun_tile_load(&p, x, t, columns);
      for (int i = 0; i < 3 * 64; i++) {
        int lane = i % 64 < n ? i % 64 : 0;
        CHECK(columns[i] == start + 3 * lane + i / 64);
        columns[i] = -columns[i];
      }
      dun_tile_store(&p, x, t, columns);
    }
    for (int64_t i = 0; i < p.tiles.local * 3; i++)
      CHECK(dun_f64(x)[i] == -(double)(p.tiles.first * 3 + i));
    dun_population_free(&p);
  }
}

TEST_MAIN({"declare", declare}, {"memory", memory}, {"memory_lacks", memory_lacks},
          {"hash_over_ranks", hash_over_ranks}, {"hash_sees", hash_sees},
          {"transposes", transposes}, {"whole_rows", whole_rows}, {"tiles", tiles})
