/* Reads cases without a fuzzer: every file that the command line names. */
#include "fuzz/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static uint8_t *load(const char *name, size_t *size)
{
  FILE *file = fopen(name, "rb");
  if (!file || fseek(file, 0, SEEK_END))
    return NULL;
  long end = ftell(file);
  uint8_t *bytes = malloc((size_t)end + 1);
  rewind(file);
  *size = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
  fclose(file);
  return bytes;
}

int main(int argc, char **argv)
{
  if (LLVMFuzzerInitialize)
    LLVMFuzzerInitialize(&argc, &argv);
  for (int i = 1; i < argc; i++) {
    size_t size = 0;
    uint8_t *bytes = load(argv[i], &size);
    if (!bytes)
      return fprintf(stderr, "%s cannot be read\n", argv[i]), 2;
    fprintf(stderr, "%s\n", argv[i]);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
  }
  return 0;
}
