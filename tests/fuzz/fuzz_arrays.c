/* Data of users' targets, JSON or tables: parsed, and every number, name and fault looked at. */
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "io/arrays.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the header promises of an array. */
static void look(const struct dun_array *a)
{
  long long product = 1;
  if ((a->value == NULL) == (a->fault == NULL) || strlen(a->name) == 0 || a->rank > DUN_ARRAY_RANK)
    abort();
  for (int i = 0; i < a->rank; i++)
    product *= a->shape[i];
  if (a->value && product != a->count)
    abort();
  for (long long i = 0; a->value && i < a->count; i++)
    if (!isfinite(a->value[i]))
      abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  struct dun_data data = {.path = "data.json", .size = (long long)size};
  struct dun_arrays arrays;
  struct dun_arrays_store store;
  data.bytes = fuzz_copy(bytes, size);
  int status = dun_arrays_read(&data, &arrays, &store);
  free(data.bytes);
  for (int i = 0; i < arrays.count && status == 0; i++)
    look(&arrays.array[i]);
  dun_free(store.array);
  dun_free(store.number);
  dun_free(store.words);
  return 0;
}
