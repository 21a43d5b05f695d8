/* Random numbers have an address, not a history.
 *
 * Philox4x32-10 (Salmon et al. 2011): key = seed; counter = (purpose 16 bits | replicate 16
 * bits, step, tile, index), from high word to low.  The index runs over a tile's flat array
 * [columns][64]: block 32 * column + l gives lanes l and l + 32.  Nothing to store in a
 * checkpoint, nothing to split over ranks, a rejected proposal shifts nobody else's numbers. */
#ifndef DUNLIN_BASE_RANDOM_H
#define DUNLIN_BASE_RANDOM_H

#include <stdint.h>

/* What a number is for.  One number per use; never reuse one within a tick. */
enum dun_purpose {
  DUN_PURPOSE_START,   /* first draws of particles */
  DUN_PURPOSE_SELECT,  /* resampling offsets */
  DUN_PURPOSE_PROPOSE, /* momenta, proposals */
  DUN_PURPOSE_ACCEPT,  /* accept-reject uniforms */
  DUN_PURPOSE_JITTER,  /* step-size jitter */
  DUN_PURPOSE_DRAWS,   /* the last selection, draws written to a result */
  DUN_PURPOSE_PILOT,   /* starts of pilot chains */
  DUN_PURPOSE_PROBE,   /* whatever a probe draws */
  DUN_PURPOSE_SWAP,    /* swaps between chains */
  DUN_PURPOSE_TEST,
  DUN_PURPOSE_CARRY,         /* a path's map to a new time */
  DUN_PURPOSE_REFRESH,       /* momenta that are kept from move to move */
  DUN_PURPOSE_DATA,          /* what a target makes up: centres, images */
  DUN_PURPOSE_TRIAL,         /* points at which a target's promises are tried */
  DUN_PURPOSE_SECOND,        /* draws of the second estimate of log Z */
  DUN_PURPOSE_SIGNS,         /* directions in which particles are watched */
  DUN_PURPOSE_DEAL,          /* points dealt to two sides by chance */
  DUN_PURPOSE_DIRECTION,     /* directions on which points are projected */
  DUN_PURPOSE_START_UNIFORM, /* uniforms of draws whose normals are DUN_PURPOSE_START */
  DUN_PURPOSE_FIELD,         /* what a field averages over or draws from */
  DUN_PURPOSE_PROBE_UNIFORM, /* uniforms of a probe's draws */
  DUN_PURPOSE_BASINS,        /* draws that climb the target, and draws about its tops */
  DUN_PURPOSE_FIELD_UNIFORM, /* uniforms of a field's draws */
  DUN_PURPOSE_NOISE,         /* what the steps of a march add to its states */
  DUN_PURPOSE_SPREAD,        /* particles' shares of a spread of step sizes */
  DUN_PURPOSE_PRIOR,         /* draws of the prior for a result */
  DUN_PURPOSE_PRIOR_UNIFORM, /* uniforms of these */
  DUN_PURPOSE_RESEED,        /* whose place a chain takes that found none of its own */
  DUN_PURPOSE_DONOR,         /* chains in whose places lost ones begin again */
  DUN_PURPOSE_WEIGHTS,       /* first weights of networks */
  DUN_PURPOSE_TAKE,          /* points to learn from, and their order */
  DUN_PURPOSE_TAKE_UNIFORM,  /* uniforms of these draws */
  DUN_PURPOSE_LEVEL,         /* how clearly a point to learn from is seen */
  DUN_PURPOSE_BLUR,          /* the noise that it is seen through */
  DUN_PURPOSE_REPLAY,        /* which stored pieces are learned from again */
  DUN_PURPOSE_FRESH,         /* which of the latest */
  DUN_PURPOSE_RETRY,         /* uniforms of moves that are tried again */
  DUN_PURPOSE_BACK,          /* draws of the target from which a path's way back begins */
  DUN_PURPOSE_HALF,          /* which of two halves of a law a particle is of */
  DUN_PURPOSE_ORDER,         /* the order in which observations come */
};

struct dun_address {
  uint64_t seed;
  uint16_t purpose, replicate;
  uint32_t step; /* number of the tick */
  uint32_t tile; /* global index of the tile; 0 for numbers of the whole population */
};

/* The address of numbers that are independent of those there, for k = 0, 1, ..., and of each
 * other's where this is done again: of a seed that is mixed from both (SplitMix64, Steele et al.
 * 2014). */
static inline struct dun_address dun_address_apart(struct dun_address address, uint64_t k)
{
  uint64_t mixed = address.seed + (k + 1) * UINT64_C(0x9e3779b97f4a7c15);
  mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
  address.seed = mixed ^ (mixed >> 31);
  return address;
}

/* One block of four words. */
void dun_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4]);

/* The words of a block make two numbers of 64 bits, the first word low.  Their top 52 bits are the
 * fractions f1 and f2 in [0, 1). */

/* Standard normals by Box-Muller, out[columns][64], aligned to 64: with r = sqrt(-2 log(1 - f1))
 * lane l is r cos(2 pi f2) and lane l + 32 is r sin(2 pi f2). */
void dun_normals(struct dun_address address, int columns, double *out);
/* The same columns from `first` on of an array too long to be made at once; first + columns is
 * at most 2^27. */
void dun_normals_from(struct dun_address address, int64_t first, int columns, double *out);
/* Uniforms in (0, 1], multiples of 2^-52, out[columns][64], aligned to 64: 1 - f1 and 1 - f2. */
void dun_uniforms(struct dun_address address, int columns, double *out);
/* One uniform in (0, 1] for number `index` of the address: the very one that dun_uniforms puts at
 * flat place `index`. */
double dun_uniform_one(struct dun_address address, int64_t index);

#endif
