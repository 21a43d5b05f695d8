#include "base/memory.h"
#include "base/random.h"
#include "bench.h"
#include "population/exchange.h"
#include "population/offspring.h"
#include <math.h>
#include <string.h>

enum { PARTICLES = 1000000, DIMENSION = 10, PARTS = 2 };

enum pattern { LOGNORMAL, FIRST_HALF, ONE };

struct flock {
  struct dun_population population;
  struct dun_column *logw, *root;
  struct dun_weights weights;
  double *kept; /* the log weights, which selection overwrites */
};

static double logw_of(enum pattern pattern, int64_t i, double normal)
{
  if (pattern == ONE)
    return i == PARTICLES / 2 - 5 ? 0 : -INFINITY;
  return pattern == LOGNORMAL || i < PARTICLES / 2 ? normal : -INFINITY;
}

static void flock_fill(struct flock *flock, enum pattern pattern)
{
  const struct dun_tiles *tiles = &flock->population.tiles;
  for (int64_t t = 0; t < tiles->count; t++) {
    _Alignas(64) double normal[64];
    const struct dun_address address = {
        .seed = 1, .purpose = DUN_PURPOSE_TEST, .tile = (uint32_t)(tiles->first_tile + t)};
    dun_normals(address, 1, normal);
    for (int64_t i = t * 64; i < tiles->local && i < t * 64 + 64; i++) {
      flock->kept[i] = logw_of(pattern, tiles->first + i, normal[i % 64]);
      dun_i64(flock->root)[i] = tiles->first + i;
    }
  }
  memcpy(flock->logw->data, flock->kept, (size_t)tiles->local * sizeof(double));
}

/* A population of 104-byte rows (x, parts, root) with log weights; 0 without memory. */
static int flock_init(struct flock *flock, enum pattern pattern)
{
  struct dun_population *p = &flock->population;
  *flock = (struct flock){.kept = NULL};
  dun_population_init(p, dun_tiles_of(PARTICLES, 64, bench_context.rank, bench_context.size));
  dun_population_declare(p, (struct dun_column){.name = "x",
                                                .type = DUN_F64,
                                                .width = DIMENSION,
                                                .flags = DUN_MOVES,
                                                .doc = "Position."});
  dun_population_declare(
      p,
      (struct dun_column){
          .name = "part_lp", .type = DUN_F64, .width = PARTS, .flags = DUN_MOVES, .doc = "Parts."});
  flock->root = dun_population_declare(
      p, (struct dun_column){
             .name = "root", .type = DUN_I64, .width = 1, .flags = DUN_MOVES, .doc = "Ancestor."});
  flock->logw = dun_population_declare(
      p, (struct dun_column){.name = "logw", .type = DUN_F64, .width = 1, .doc = "Log weight."});
  flock->kept = dun_allocate(p->tiles.local, sizeof *flock->kept);
  if (dun_agree(&bench_context, flock->kept ? dun_population_allocate(p) : -1) < 0)
    return 0;
  flock_fill(flock, pattern);
  return dun_weights_compute(&bench_context, p, flock->logw, &flock->weights) == 0;
}

static void flock_free(struct flock *flock)
{
  dun_weights_free(&flock->weights);
  dun_population_free(&flock->population);
  DUN_FREE(flock->kept);
}

/* The weights are put back for each call: a copy of one column is part of the figure. */
static void weights_and_counts(enum dun_resampling resampling, struct bench_result *result)
{
  struct flock flock;
  struct bench_timer timer = {0};
  struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_SELECT};
  int64_t begin = 0;
  if (flock_init(&flock, LOGNORMAL))
    while (bench_again(&timer)) {
      struct dun_population *p = &flock.population;
      memcpy(flock.logw->data, flock.kept, (size_t)p->tiles.local * sizeof(double));
      dun_weights_compute(&bench_context, p, flock.logw, &flock.weights);
      address.step++;
      dun_offspring(&bench_context, p, flock.logw, &flock.weights, p->tiles.total, resampling,
                    address, &begin);
    }
  result->ns = bench_ns(&timer, flock.population.tiles.local);
  flock_free(&flock);
}

static void systematic(struct bench_result *result)
{
  weights_and_counts(DUN_SYSTEMATIC, result);
}

static void stratified(struct bench_result *result)
{
  weights_and_counts(DUN_STRATIFIED, result);
}

static void residual(struct bench_result *result)
{
  weights_and_counts(DUN_RESIDUAL, result);
}

static void multinomial(struct bench_result *result)
{
  weights_and_counts(DUN_MULTINOMIAL, result);
}

/* Families of one, or of five. */
static void genealogy(int64_t family, struct bench_result *result)
{
  struct flock flock;
  struct bench_timer timer = {0};
  struct dun_genealogy found;
  if (flock_init(&flock, LOGNORMAL)) {
    for (int64_t i = 0; i < flock.population.tiles.local; i++)
      dun_i64(flock.root)[i] -= dun_i64(flock.root)[i] % family;
    while (bench_again(&timer))
      dun_genealogy_compute(&bench_context, &flock.population, flock.root, flock.logw,
                            &flock.weights, &found);
  }
  result->ns = bench_ns(&timer, flock.population.tiles.local);
  flock_free(&flock);
}

static void families_of_one(struct bench_result *result)
{
  genealogy(1, result);
}

static void families_of_five(struct bench_result *result)
{
  genealogy(5, result);
}

static void exchange(enum pattern pattern, struct bench_result *result)
{
  struct flock flock;
  struct bench_timer timer = {0};
  const size_t row = (DIMENSION + PARTS) * sizeof(double) + sizeof(int64_t);
  struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_SELECT};
  int64_t begin = 0;
  if (flock_init(&flock, pattern)) {
    struct dun_population *p = &flock.population;
    dun_offspring(&bench_context, p, flock.logw, &flock.weights, p->tiles.total, DUN_SYSTEMATIC,
                  address, &begin);
    while (bench_again(&timer))
      dun_exchange(&bench_context, p, flock.logw, begin, dun_f64(flock.logw));
    result->bare = bench_copy_ns(p->tiles.local, row);
  }
  result->ns = bench_ns(&timer, flock.population.tiles.local);
  flock_free(&flock);
}

static void exchange_lognormal(struct bench_result *result)
{
  exchange(LOGNORMAL, result);
}

static void exchange_first_half(struct bench_result *result)
{
  exchange(FIRST_HALF, result);
}

static void exchange_one(struct bench_result *result)
{
  exchange(ONE, result);
}

const struct bench_row bench_selection[] = {
    {.work = "weights, counts: systematic", .slots = 250, .measure = systematic},
    {.work = "weights, counts: stratified", .measure = stratified},
    {.work = "weights, counts: residual", .measure = residual},
    {.work = "weights, counts: multinomial", .measure = multinomial},
    {.work = "error by ancestor, all distinct", .slots = 220, .measure = families_of_one},
    {.work = "error by ancestor, families of 5", .slots = 220, .measure = families_of_five},
    {.work = "exchange of 104-byte rows: lognormal", .times = 2.5, .measure = exchange_lognormal},
    {.work = "exchange of rows: all in the first half",
     .times = 2.5,
     .measure = exchange_first_half},
    {.work = "exchange of rows: all on one particle", .times = 2.5, .measure = exchange_one},
    {0},
};
