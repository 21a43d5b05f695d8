/* Arrays of bytes; the first byte says how many dimensions are expected, one less, 3: any. */
#include "data/idx.h"
#include "fuzz/fuzz.h"
#include <stdlib.h>

static void read_case(const uint8_t *bytes, size_t size)
{
  struct dun_idx idx = {0};
  int dimensions = size > 0 ? (bytes[0] + 1) % (DUN_IDX_DIMENSIONS + 1) : 0;
  size_t length = size > 0 ? size - 1 : 0;
  struct dun_data data = {.path = "images", .size = (long long)length};
  data.bytes = fuzz_copy(size > 0 ? bytes + 1 : bytes, length);
  volatile unsigned sum = 0;
  sum += (unsigned)dun_idx_is(&data);
  if (dun_idx_parse(&idx, &data, dimensions) == 0)
    for (long long i = 0; i < idx.size[0] * idx.size[1] * idx.size[2]; i++)
      sum += idx.value[i];
  (void)sum;
  free(data.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  fuzz_measure(size, FUZZ_FLOOR_ONE, FUZZ_FLOOR_ALL);
  read_case(bytes, size);
  fuzz_measured();
  return 0;
}
