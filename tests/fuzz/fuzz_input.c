/* Input files: parsed, and bound to the rows of the types that they name. */
#include "fuzz/fuzz.h"
#include "io/bind.h"
#include <stdlib.h>

/* Files of this machine are none of the fuzzer's. */
static int trusts(const void *data, const char *option)
{
  (void)data;
  (void)option;
  return 0;
}

static void bind(struct dun_context *context, const struct dun_input *input)
{
  static const char *const section[] = {"target", "path", "kernel", "method"};
  struct dun_binder binder;
  dun_binder_init(&binder, context, input);
  binder.trusts = trusts;
  for (int kind = 0; kind < 4; kind++) {
    const struct dun_node *map = dun_node_find(&input->root, section[kind]);
    void *self = NULL;
    const struct dun_type *type =
        map ? dun_bind_type(&binder, map, section[kind], (enum dun_kind)kind, &self) : NULL;
    if (type)
      dun_object_free(type, &self);
  }
  dun_binder_free(&binder);
}

static void read_case(const uint8_t *bytes, size_t size)
{
  struct dun_context context;
  struct dun_complaints complaints = {0};
  struct dun_input input = {0};
  char *copy = fuzz_copy(bytes, size);
  dun_context_alone(&context, DUN_QUIET);
  if (dun_input_parse(&input, "input.yaml", copy, (int64_t)size, &complaints) == 0)
    bind(&context, &input);
  dun_input_free(&input);
  dun_complaints_free(&complaints);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  unsetenv("DUNLIN_DATA");
  fuzz_measure(size, FUZZ_FLOOR_ONE, FUZZ_FLOOR_ALL);
  read_case(bytes, size);
  fuzz_measured();
  return 0;
}
