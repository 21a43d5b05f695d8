#include "fuzz/fuzz.h"
#include <stdlib.h>
#include <string.h>

char *fuzz_copy(const uint8_t *bytes, size_t size)
{
  char *copy = malloc(size + 1);
  if (!copy)
    abort();
  if (size)
    memcpy(copy, bytes, size);
  copy[size] = 0;
  return copy;
}
