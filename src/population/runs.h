/* Runs of particles with a common ancestor, and the sum of squares of what each run adds up to.
 *
 * The roots never decrease along the global order, so the descendants of an ancestor are
 * consecutive. What they contribute is summed as integers (limbs.h); a run that crosses tiles or
 * ranks is closed exactly, so that the bits do not depend on the number of ranks: a run's total
 * is squared in the tile in which it ends, the first one that ends in a tile apart from the
 * others (it may have begun anywhere before). */
#ifndef DUNLIN_POPULATION_RUNS_H
#define DUNLIN_POPULATION_RUNS_H

#include "population/limbs.h"
#include "population/population.h"

struct dun_runs {
  const struct dun_tiles *tiles;
  const int64_t *root; /* of this rank's particles */
  struct dun_limbs limbs;
  int m;                    /* functions summed over each run */
  double *unit;             /* [m] owned by the caller: what the integer 2^2b stands for */
  double centre;            /* taken from every total before it is squared */
  struct dun_exact *square; /* [m] owned by the caller: the squares */
  struct dun_exact *fourth; /* [m] owned by the caller: the fourth powers; NULL: not wanted */

  int64_t next_root; /* of the first particle of the higher ranks; INT64_MAX: none */
  int64_t ended;     /* runs that ended on this rank */
  int64_t positive;  /* of them, those whose total of function 0 is above 0 */
  __int128 *first;   /* [m]: totals of this rank's part of the first of them */
  __int128 *open;    /* [m]: totals since the last of them */

  /* The current tile. */
  int ends, first_end;                       /* runs that end in it; the lane of the first */
  _Alignas(64) int64_t mask[DUN_LIMB_LANES]; /* -1 in lanes that end a run, else 0 */
};

/* Collective.  DUN_ERROR_NUMERIC if roots decrease.  `unit`, `centre` and `square` are set by the
 * caller before the first tile. */
int dun_runs_init(struct dun_context *context, int status, const struct dun_tiles *tiles,
                  const int64_t *root, int m, struct dun_runs *runs);
void dun_runs_free(struct dun_runs *runs);

/* Finds the ends of runs in a tile; tiles come in ascending order. */
void dun_runs_tile(struct dun_runs *runs, int64_t local_tile);
/* Adds the limbs of function j in this tile, 0 behind the last particle.  Overwrites them. */
void dun_runs_add(struct dun_runs *runs, int j, int64_t *high, int64_t *low);

/* Collective.  Closes the runs that began on lower ranks. */
int dun_runs_close(struct dun_context *context, struct dun_runs *runs);

#endif
