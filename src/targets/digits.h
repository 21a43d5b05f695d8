/* Pictures of the ten digits made up by the program: strokes of random slant, size, place and
 * width, for when no data are at hand. */
#ifndef DUNLIN_TARGETS_DIGITS_H
#define DUNLIN_TARGETS_DIGITS_H

#include <stdint.h>

enum { DUN_DIGITS = 10 };

/* Picture number `index` of a seed, of digit index mod 10, as pixel[side][side] from 0 (dark) to 1
 * by rows from the top.  The same bits everywhere. */
void dun_digits_draw(uint64_t seed, int64_t index, int side, double *pixel);

#endif
