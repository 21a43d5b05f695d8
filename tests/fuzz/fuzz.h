/* What the fuzzing programs share: clang's libFuzzer calls the function with bytes of its choice,
 * which must do no more than be read or refused. */
#ifndef DUNLIN_TESTS_FUZZ_H
#define DUNLIN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A copy with a zero byte behind it, as files are read; the caller frees it. */
char *fuzz_copy(const uint8_t *bytes, size_t size);

/* From here on until `measured` what is allocated is counted, and the program aborted where one
 * block, or all that is not freed yet, is more than four times the case's bytes and a floor. */
enum { FUZZ_FLOOR_ONE = 128 << 10, FUZZ_FLOOR_ALL = 1 << 20 };
void fuzz_measure(size_t size, size_t floor_one, size_t floor_all);
void fuzz_measured(void);

#endif
