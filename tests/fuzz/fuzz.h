/* What the fuzzing programs share: clang's libFuzzer calls the function with bytes of its choice,
 * which must do no more than be read or refused. */
#ifndef DUNLIN_TESTS_FUZZ_H
#define DUNLIN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A copy with a zero byte behind it, as files are read; the caller frees it. */
char *fuzz_copy(const uint8_t *bytes, size_t size);

#endif
