#include "base/table.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

int dun_numbers_make(struct dun_numbers *numbers, long long count, double value)
{
  DUN_FREE(numbers->value);
  numbers->value = dun_allocate(count, sizeof *numbers->value);
  numbers->count = numbers->value ? count : 0;
  for (long long i = 0; i < numbers->count; i++)
    numbers->value[i] = value;
  return numbers->value ? 0 : DUN_ERROR_MEMORY;
}

int dun_table_init(struct dun_table *table, int columns)
{
  *table = (struct dun_table){.columns = columns};
  table->column = dun_allocate(columns, sizeof *table->column);
  return table->column ? 0 : DUN_ERROR_MEMORY;
}

int dun_table_make(struct dun_table *table, const struct dun_table_column *column, int columns)
{
  int status = dun_table_init(table, columns);
  if (status >= 0)
    memcpy(table->column, column, (size_t)columns * sizeof *column);
  return status;
}

static int grow(struct dun_table *table)
{
  long long capacity = 2 * table->cells.count + 16 * (long long)table->columns;
  double *value = dun_allocate(capacity, sizeof *value);
  if (!value)
    return DUN_ERROR_MEMORY;
  if (table->cells.count > 0)
    memcpy(value, table->cells.value, (size_t)table->cells.count * sizeof *value);
  dun_free(table->cells.value);
  table->cells.value = value;
  return 0;
}

int dun_table_add(struct dun_table *table, const double *row)
{
  /* asked of the block: a restart puts another in its place */
  long long capacity = dun_block_bytes(table->cells.value) / (long long)sizeof *row;
  if (table->cells.count + table->columns > capacity && grow(table) < 0)
    return DUN_ERROR_MEMORY;
  memcpy(table->cells.value + table->cells.count, row, (size_t)table->columns * sizeof *row);
  table->cells.count += table->columns;
  return 0;
}

long long dun_table_rows(const struct dun_table *table)
{
  return table->columns > 0 ? table->cells.count / table->columns : 0;
}

int dun_table_is_whole(const struct dun_table *table)
{
  return table->cells.count == dun_table_rows(table) * table->columns;
}

void dun_table_free(struct dun_table *table)
{
  DUN_FREE(table->column);
  DUN_FREE(table->cells.value);
  *table = (struct dun_table){0};
}

double dun_table_cell(const struct dun_table *table, long long row, const char *name)
{
  if (row < 0 || row >= dun_table_rows(table))
    return NAN;
  for (int c = 0; c < table->columns; c++)
    if (!strcmp(table->column[c].name, name))
      return table->cells.value[row * table->columns + c];
  return NAN;
}

int dun_table_ends(const struct dun_table *table, long long row, const char *name)
{
  return row == dun_table_rows(table) - 1 ||
         dun_table_cell(table, row + 1, name) != dun_table_cell(table, row, name);
}
