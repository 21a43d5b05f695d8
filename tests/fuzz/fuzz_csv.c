/* Tables: parsed, checked and selected from; the first byte says in which format. */
#include "data/csv.h"
#include "fuzz/fuzz.h"
#include <stdlib.h>

static void select_columns(const struct dun_csv *csv, const struct dun_data *data)
{
  int *column = malloc((size_t)csv->columns * sizeof *column);
  if (!column)
    abort();
  dun_csv_check(csv, data, -1);
  dun_csv_find(csv, data, csv->name[csv->columns - 1]);
  dun_csv_select(csv, data, "0, 1, x", column);
  free(column);
}

static void read_case(const uint8_t *bytes, size_t size)
{
  struct dun_csv csv = {0};
  int which = size > 0 ? bytes[0] : 0;
  struct dun_csv_format format = {
      .header = which % 3, .separator = which / 3 % 6, .decimal = which / 18 % 3};
  size_t length = size > 0 ? size - 1 : 0;
  struct dun_data data = {.path = "table.csv", .size = (long long)length};
  data.bytes = fuzz_copy(size > 0 ? bytes + 1 : bytes, length);
  if (dun_csv_parse(&csv, &data, &format) == 0)
    select_columns(&csv, &data);
  dun_csv_free(&csv);
  free(data.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  fuzz_measure(size, FUZZ_FLOOR_ONE, FUZZ_FLOOR_ALL);
  read_case(bytes, size);
  fuzz_measured();
  return 0;
}
