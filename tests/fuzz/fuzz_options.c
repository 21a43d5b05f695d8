/* Tables of a library's target with options whose rows hold anything but pointers into nowhere,
 * which no program can see. */
#include "fuzz/fuzz.h"
#include "targets/library.h"
#include <stdlib.h>
#include <string.h>

enum { ROWS = 8, WORDS = 4 };

static const char *pick(const uint8_t *b, char *own, size_t room)
{
  if (b[0] % 8 == 0)
    return NULL;
  size_t length = b[0] % room;
  for (size_t i = 0; i < length; i++)
    own[i] = (char)(b[1 + i % 3] + i * (b[0] & 1));
  own[length] = 0;
  return own;
}

static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  (void)x;
  (void)gradient;
  return 0;
}

static void read_case(const uint8_t *bytes, size_t size)
{
  static char text[ROWS][WORDS][128];
  struct dun_option rows[ROWS + 1];
  struct dun_target target = {.type = {DUN_TYPE(struct dun_target), .doc = "Odd."}};
  const size_t each = 48;
  memset(rows, 0, sizeof rows);
  if (size < 16 + each)
    return;
  target.type.name = pick(bytes, text[0][3], 128);
  target.type.size = bytes[4] * (size_t)bytes[5];
  target.type.abi += bytes[6] == 1;
  target.dimension = (int)bytes[7] - 2;
  target.point = bytes[8] % 4 ? point : NULL;
  target.support = (enum dun_support)(bytes[9] % 5);
  target.tilts = bytes[10];
  target.draw_uniforms = (int)bytes[11] * 100000 - 1;
  target.type.options = rows;
  for (size_t i = 0; i < ROWS && 16 + (i + 1) * each <= size; i++) {
    const uint8_t *b = bytes + 16 + i * each;
    memcpy(&rows[i].type, b, 4);
    rows[i].type = b[4] ? (enum dun_option_type)(b[0] % 16) : rows[i].type;
    memcpy(&rows[i].offset, b + 5, 8);
    rows[i].offset = b[13] ? b[5] : rows[i].offset;
    memcpy(&rows[i].kind, b + 14, 4);
    rows[i].name = pick(b + 20, text[i][0], 128);
    rows[i].doc = pick(b + 26, text[i][1], 128);
    rows[i].words = pick(b + 32, text[i][2], 128);
    rows[i].rows = b[40] % 3 == 0 ? rows + b[41] % ROWS : NULL;
  }
  dun_target_check(&target, "odd.so");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
  fuzz_measure(size, FUZZ_FLOOR_ONE, FUZZ_FLOOR_ALL);
  read_case(bytes, size);
  fuzz_measured();
  return 0;
}
