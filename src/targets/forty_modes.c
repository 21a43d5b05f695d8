#include "targets/forty_modes.h"
#include <stdint.h>

enum { WORDS = 624, MIDDLE = 397 };

static void twister_start(uint32_t state[WORDS], uint32_t seed)
{
  state[0] = seed;
  for (uint32_t i = 1; i < WORDS; i++)
    state[i] = 1812433253u * (state[i - 1] ^ (state[i - 1] >> 30)) + i;
}

static void twister_turn(uint32_t state[WORDS])
{
  for (int i = 0; i < WORDS; i++) {
    uint32_t y = (state[i] & 0x80000000u) | (state[(i + 1) % WORDS] & 0x7fffffffu);
    state[i] = state[(i + MIDDLE) % WORDS] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
  }
}

static uint32_t twister_temper(uint32_t y)
{
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

void dun_forty_modes(double mean[DUN_FORTY][2])
{
  uint32_t state[WORDS];
  twister_start(state, 0);
  twister_turn(state);
  for (int i = 0; i < 2 * DUN_FORTY; i++)
    mean[i / 2][i % 2] = 80 * ((twister_temper(state[i]) & 0xffffffu) * 0x1p-24 - 0.5);
}
