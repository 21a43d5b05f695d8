#include "population/population.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include <string.h>

void dun_population_init(struct dun_population *population, struct dun_tiles tiles)
{
  *population = (struct dun_population){.tiles = tiles};
}

size_t dun_column_size(enum dun_column_type type)
{
  switch (type) {
  case DUN_F64:
  case DUN_I64: return 8;
  case DUN_F32:
  case DUN_I32: return 4;
  case DUN_I8: return 1;
  }
  return 0;
}

static int refuse(const struct dun_population *population, const struct dun_column *column)
{
  if (population->allocated)
    return dun_fail(DUN_ERROR_INPUT, "Column '%s' is declared after the population was allocated.",
                    column->name);
  if (column->width < 1)
    return dun_fail(DUN_ERROR_INPUT, "Column '%s' has width %d; at least 1 was expected.",
                    column->name, column->width);
  if (population->columns == DUN_MAX_COLUMNS)
    return dun_fail(DUN_ERROR_INPUT, "Column '%s' is one too many: a population has at most %d.",
                    column->name, DUN_MAX_COLUMNS);
  return 0;
}

/* The same name from two sides: they must mean the same. */
static struct dun_column *unite(struct dun_column *first, const struct dun_column *again)
{
  if (first->type != again->type || first->width != again->width) {
    dun_fail(DUN_ERROR_INPUT,
             "Column '%s' is declared twice with different shapes: type %d, width %d and type %d, "
             "width %d.",
             first->name, first->type, first->width, again->type, again->width);
    return NULL;
  }
  first->flags |= again->flags;
  return first;
}

struct dun_column *dun_population_declare(struct dun_population *population,
                                          struct dun_column column)
{
  struct dun_column *found = dun_population_find(population, column.name);
  if (found && !population->allocated)
    return unite(found, &column);
  if (refuse(population, &column) < 0)
    return NULL;
  found = &population->column[population->columns++];
  *found = column;
  found->data = found->spare = NULL;
  return found;
}

struct dun_column *dun_population_find(struct dun_population *population, const char *name)
{
  for (int i = 0; i < population->columns; i++)
    if (!strcmp(population->column[i].name, name))
      return &population->column[i];
  return NULL;
}

static void release(struct dun_population *population)
{
  for (int i = 0; i < population->columns; i++) {
    DUN_FREE(population->column[i].data);
    DUN_FREE(population->column[i].spare);
  }
  population->allocated = 0;
}

int dun_population_allocate(struct dun_population *population)
{
  for (int i = 0; i < population->columns && !population->allocated; i++) {
    struct dun_column *column = &population->column[i];
    size_t row = dun_column_size(column->type) * (size_t)column->width;
    column->data = dun_allocate(population->tiles.local, row);
    if (column->data && column->flags & DUN_MOVES)
      column->spare = dun_allocate(population->tiles.local, row);
    if (!column->data || (column->flags & DUN_MOVES && !column->spare)) {
      release(population);
      return dun_fail(DUN_ERROR_MEMORY,
                      "No memory for the particles: column '%s' takes %lld rows of %zu bytes%s.",
                      column->name, (long long)population->tiles.local, row,
                      column->flags & DUN_MOVES ? ", twice" : "");
    }
  }
  population->allocated = 1;
  return 0;
}

void dun_population_free(struct dun_population *population)
{
  release(population);
  population->columns = 0;
}

int64_t dun_population_memory(const struct dun_population *population)
{
  int64_t bytes = 0;
  for (int i = 0; i < population->columns; i++) {
    const struct dun_column *column = &population->column[i];
    int64_t row = (int64_t)dun_column_size(column->type) * column->width, all;
    if (column->flags & DUN_MOVES)
      row *= 2;
    if (__builtin_mul_overflow(row, population->tiles.local, &all) ||
        __builtin_add_overflow(bytes, all, &bytes))
      return INT64_MAX;
  }
  return bytes;
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t name_hash(const char *name)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *name; name++)
    hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
  return hash;
}

/* The finaliser of splitmix64 (Steele, Lea & Flood 2014). */
static inline uint64_t mix(uint64_t z)
{
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* The bits of the element at `place`, behind zeros. */
static inline uint64_t element_bits(const char *data, uint64_t place, size_t size)
{
  uint64_t bits = 0;
  memcpy(&bits, data + place * size, size); /* x86-64 is little-endian */
  return bits;
}

/* Sum over the rank's elements of mix(mix(name + index) ^ bits), modulo 2^64. */
static inline __attribute__((always_inline)) uint64_t sum_of_mixed(
    const struct dun_population *population, const struct dun_column *column, size_t size)
{
  uint64_t name = name_hash(column->name), width = (uint64_t)column->width, sum = 0;
  uint64_t first = (uint64_t)population->tiles.first * width;
  uint64_t count = (uint64_t)population->tiles.local * width;
  for (uint64_t i = 0; i < count; i++)
    sum += mix(mix(name + (first + i) * 0x9e3779b97f4a7c15u) ^ element_bits(column->data, i, size));
  return sum;
}

/* One loop for each size, so that the copies of elements are plain loads. */
static uint64_t column_hash(const struct dun_population *population,
                            const struct dun_column *column)
{
  switch (dun_column_size(column->type)) {
  case 8: return sum_of_mixed(population, column, 8);
  case 4: return sum_of_mixed(population, column, 4);
  default: return sum_of_mixed(population, column, 1);
  }
}

int dun_population_hash(struct dun_context *context, const struct dun_population *population,
                        uint64_t *hash)
{
  uint64_t sum = 0;
  for (int i = 0; i < population->columns; i++)
    if (population->column[i].flags & DUN_HASHED)
      sum += column_hash(population, &population->column[i]);
  int64_t half[2] = {(int64_t)(sum & 0xffffffff), (int64_t)(sum >> 32)};
  int status = dun_sum_integers(context, 0, 2, half);
  if (status >= 0)
    *hash = (uint64_t)half[0] + ((uint64_t)half[1] << 32);
  return status;
}
