/* Assignments of --set, one a line, to an input. */
#include "fuzz/fuzz.h"
#include "io/input.h"
#include <stdlib.h>
#include <string.h>

static const char yaml[] = "run: {seed: 1, particles: 64}\n"
                           "target: {type: gaussian, dimension: 2, mean: [1, 2]}\n"
                           "probes: [{type: moments}, {type: modes, every: 2}]\n";

static void read_case(const uint8_t *bytes, size_t size)
{
  struct dun_complaints complaints = {0};
  struct dun_input input = {0};
  char *copy = fuzz_copy(bytes, size), *rest = NULL;
  dun_input_parse(&input, "input.yaml", yaml, (int64_t)strlen(yaml), &complaints);
  for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
    dun_input_set(&input, line, &complaints);
  dun_input_free(&input);
  dun_complaints_free(&complaints);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  fuzz_measure(size, FUZZ_FLOOR_ONE, FUZZ_FLOOR_ALL);
  read_case(bytes, size);
  fuzz_measured();
  return 0;
}
