/* Small populations whose columns are functions of the global index, and the context of a rank
 * alone: what the ranks find together must be what each of them finds on its own. */
#ifndef DUNLIN_TESTS_PARTICLES_H
#define DUNLIN_TESTS_PARTICLES_H

#include "base/memory.h"
#include "base/vmath.h"
#include "check.h"
#include "population/population.h"
#include "population/weights.h"

/* A uniform number in (0, 1) for a global index. */
static inline double particle_uniform(int64_t index, uint64_t salt)
{
  uint64_t z = (uint64_t)index * 0x9e3779b97f4a7c15u + salt * 0xd1342543de82ef95u + 1;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return ((double)((z ^ z >> 31) >> 12) + .5) * 0x1p-52;
}

enum pattern {
  SPREAD,     /* log weights over 20 units */
  EQUAL,      /* all the same */
  FIRST_HALF, /* nothing in the second half */
  ONE,        /* all on one particle in the middle */
  LAST,       /* all on the last particle */
  HOLES,      /* three in four without weight */
  HEAVY,      /* one particle in a hundred has nearly all */
  FIRST_TILE, /* every other particle of the first tile owns everything */
  HALF,       /* the first particle has half of the weight */
  PATTERNS,
};

static inline double particle_logw(enum pattern pattern, int64_t i, int64_t total, int tile)
{
  const double u = particle_uniform(i, 1);
  switch (pattern) {
  case SPREAD: return 5 + 20 * (u - 1);
  case EQUAL: return -7.25;
  case FIRST_HALF: return i < (total + 1) / 2 ? log(u) : -INFINITY;
  case ONE: return i == total / 2 ? 3 : -INFINITY;
  case LAST: return i == total - 1 ? 0 : -INFINITY;
  case HOLES: return i % 4 == 3 || total < 4 ? -3 * u : -INFINITY;
  case HEAVY: return i % 100 == 7 ? 50 + u : u;
  case FIRST_TILE: return i < tile && i % 2 == 0 ? u : -INFINITY;
  case HALF: return i == 0 ? log((double)total) : 0;
  default: return 0;
  }
}

/* A context for this rank alone. */
static inline struct dun_context alone_context(void)
{
  struct dun_context alone;
  if (dun_context_init(&alone, MPI_COMM_SELF, DUN_WARNINGS) < 0)
    MPI_Abort(MPI_COMM_WORLD, 1);
  return alone;
}

/* Declares and allocates `logw`, `root` and `id` behind whatever was declared before. */
static inline void particles_fill(struct dun_population *p, enum pattern pattern)
{
  const struct dun_tiles *t = &p->tiles;
  struct dun_column *logw = dun_population_declare(
      p, (struct dun_column){.name = "logw", .type = DUN_F64, .width = 1, .doc = "Log weight."});
  struct dun_column *root = dun_population_declare(
      p, (struct dun_column){
             .name = "root", .type = DUN_I64, .width = 1, .flags = DUN_MOVES, .doc = "Ancestor."});
  struct dun_column *id = dun_population_declare(
      p, (struct dun_column){
             .name = "id", .type = DUN_I64, .width = 1, .flags = DUN_MOVES, .doc = "Index."});
  if (!logw || !root || !id || dun_population_allocate(p) < 0)
    MPI_Abort(MPI_COMM_WORLD, 1);
  for (int64_t i = 0; i < t->local; i++) {
    dun_f64(logw)[i] = particle_logw(pattern, t->first + i, t->total, t->tile);
    dun_i64(root)[i] = dun_i64(id)[i] = t->first + i;
  }
}

static inline void particles_init(struct dun_context *context, struct dun_population *p,
                                  int64_t total, int tile, enum pattern pattern)
{
  dun_population_init(p, dun_tiles_of(total, tile, context->rank, context->size));
  particles_fill(p, pattern);
}

/* The log weights of all particles. */
static inline double *particle_logws(enum pattern pattern, int64_t total, int tile)
{
  double *logw = dun_allocate(total, sizeof *logw);
  for (int64_t i = 0; i < total; i++)
    logw[i] = particle_logw(pattern, i, total, tile);
  return logw;
}

/* Their integer weights, by the definition: exp(logw - max) in steps of 2^-2b. */
static inline dun_u128 *particle_integers(const double *logw, int64_t total)
{
  dun_u128 *weight = dun_allocate(total, sizeof *weight);
  double most = -INFINITY;
  int bits = 0;
  while (((int64_t)1 << bits) < total)
    bits++;
  bits = 61 - bits < 40 ? 61 - bits : 40;
  for (int64_t i = 0; i < total; i++)
    most = fmax(most, logw[i]);
  for (int64_t i = 0; i < total; i++)
    weight[i] = (dun_u128)rint(ldexp(dun_exp_weight(logw[i] - most), 2 * bits));
  return weight;
}

#endif
