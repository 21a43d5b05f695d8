/* ranks: 1 2 3 4 7 */
/* Weights, errors by ancestor and weighted moments: against sums in long double, and bit for bit
 * against what each rank finds alone. */
#include "base/error.h"
#include "particles.h"

static const int64_t sizes[] = {1, 2, 5, 63, 64, 65, 200, 1000, 5000};
static const int tiles[] = {1, 7, 64};

static int same(double a, double b)
{
  return !memcmp(&a, &b, sizeof a);
}

/* ---- totals ------------------------------------------------------------------------------ */

static void totals_of(enum pattern pattern, int64_t total, int tile)
{
  struct dun_context alone = alone_context();
  struct dun_population p, q;
  struct dun_weights v = {0}, w = {0};
  double *logw = particle_logws(pattern, total, tile);
  dun_u128 *weight = particle_integers(logw, total), sum = 0;
  long double square = 0, all = 0;
  particles_init(&test_context, &p, total, tile, pattern);
  particles_init(&alone, &q, total, tile, pattern);
  CHECK(dun_weights_compute(&test_context, &p, dun_population_find(&p, "logw"), &v) == 0);
  CHECK(dun_weights_compute(&alone, &q, dun_population_find(&q, "logw"), &w) == 0);
  for (int64_t i = 0; i < total; i++) {
    const int64_t here = i - p.tiles.first;
    if (here >= 0 && here < p.tiles.local && here % tile == 0)
      CHECK(v.tile_before[here / tile] == sum);
    if (i == p.tiles.first)
      CHECK(v.before == sum);
    sum += weight[i];
    if (i == p.tiles.first + p.tiles.local - 1)
      CHECK(v.tile_before[p.tiles.count] == sum && v.own == sum - v.before);
  }
  for (int64_t i = 0; i < total; i++) {
    long double x = expl((long double)logw[i] - v.maximum);
    all += x;
    square += x * x;
  }
  CHECK(v.total == sum && w.total == sum && w.own == sum);
  CHECK(same(v.maximum, w.maximum) && same(v.ess, w.ess) && same(v.log_mean, w.log_mean));
  CHECK_NEAR(v.ess, (double)(all * all / square), 1e-13 * v.ess);
  CHECK_NEAR(v.log_mean, (double)(v.maximum + logl(all / total)), 1e-13);
  dun_free(logw);
  dun_free(weight);
  dun_weights_free(&v);
  dun_weights_free(&v);
  dun_weights_free(&w);
  dun_population_free(&p);
  dun_population_free(&q);
  dun_context_free(&alone);
}

static void totals(void)
{
  for (int pattern = 0; pattern < PATTERNS; pattern++)
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      for (size_t t = 0; t < sizeof tiles / sizeof *tiles; t++)
        totals_of(pattern, sizes[s], tiles[t]);
}

/* The struct may be used again for another population, larger or smaller. */
static void reuse(void)
{
  struct dun_weights w = {0};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    const int64_t total = sizes[s * 5 % (sizeof sizes / sizeof *sizes)];
    struct dun_population p;
    particles_init(&test_context, &p, total, 64, EQUAL);
    CHECK(dun_weights_compute(&test_context, &p, dun_population_find(&p, "logw"), &w) == 0);
    CHECK_NEAR(w.ess, (double)total, 1e-12 * (double)total);
    CHECK_NEAR(w.log_mean, -7.25, 1e-15);
    dun_population_free(&p);
  }
  dun_weights_free(&w);
}

static void normalised(void)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_column *logw;
  double sum = 0, all;
  particles_init(&test_context, &p, 1000, 64, SPREAD);
  logw = dun_population_find(&p, "logw");
  CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
  for (int64_t t = 0; t < p.tiles.count; t++) {
    _Alignas(64) double weight[64];
    const int n = dun_tile_size(&p.tiles, p.tiles.first_tile + t);
    dun_weights_tile(&p, logw, &w, t, weight);
    for (int lane = 0; lane < 64; lane++) {
      const double expected = lane < n ? exp(dun_f64(logw)[t * 64 + lane] - w.log_mean) / 1000 : 0;
      CHECK_NEAR(weight[lane], expected, 1e-13 * expected);
      sum += weight[lane];
    }
  }
  MPI_Allreduce(&sum, &all, 1, MPI_DOUBLE, MPI_SUM, test_context.comm);
  CHECK_NEAR(all, 1, 1e-14);
  dun_weights_free(&w);
  dun_population_free(&p);
}

/* One odd weight on one rank: all ranks are told. */
static void odd_weights(void)
{
  static const double odd[] = {NAN, INFINITY, -INFINITY};
  static const char *const sentence[] = {"particle 700 is NaN", "particle 700 is +inf",
                                         "any weight"};
  for (int k = 0; k < 3; k++) {
    struct dun_population p;
    struct dun_weights w = {0};
    struct dun_column *logw;
    particles_init(&test_context, &p, 1000, 64, SPREAD);
    logw = dun_population_find(&p, "logw");
    for (int64_t i = 0; i < p.tiles.local; i++)
      if (p.tiles.first + i == 700 || k == 2)
        dun_f64(logw)[i] = odd[k];
    CHECK(dun_weights_compute(&test_context, &p, logw, &w) == DUN_ERROR_NUMERIC);
    CHECK(strstr(dun_error_text(), sentence[k]) != NULL);
    dun_weights_free(&w);
    dun_population_free(&p);
  }
}

/* ---- the genealogy ----------------------------------------------------------------------- */

enum family { ITSELF, COMMON, PAIRS, SOME, WIDE, FAMILIES };

static int64_t root_of(enum family family, int64_t i, int64_t total)
{
  switch (family) {
  case ITSELF: return i;
  case COMMON: return total / 3;
  case PAIRS: return i / 2 * 2;
  case SOME: return particle_uniform(i / 9, 9) < .5 ? i - i % 9 : i - i % 3;
  case WIDE: return i < total / 10 ? 0 : i < total * 9 / 10 ? total / 10 : i;
  default: return 0;
  }
}

static void families_set(struct dun_population *p, enum family family)
{
  int64_t *root = dun_i64(dun_population_find(p, "root"));
  for (int64_t i = 0; i < p->tiles.local; i++)
    root[i] = root_of(family, p->tiles.first + i, p->tiles.total);
}

static void genealogy_reference(enum pattern pattern, enum family family, int64_t total, int tile,
                                struct dun_genealogy *g)
{
  double *logw = particle_logws(pattern, total, tile);
  dun_u128 *weight = particle_integers(logw, total), all = 0;
  long double variance = 0, square = 0, fourth = 0;
  int64_t runs = 0;
  *g = (struct dun_genealogy){0};
  for (int64_t i = 0; i < total; i++)
    all += weight[i];
  for (int64_t i = 0; i < total; runs++) {
    dun_u128 sum = 0;
    long double share, square_off;
    int64_t root = root_of(family, i, total);
    for (; i < total && root_of(family, i, total) == root; i++)
      sum += weight[i];
    share = (long double)sum / (long double)all;
    square += share * share;
    square_off = (share - 1.0L / total) * (share - 1.0L / total);
    variance += square_off;
    fourth += square_off * square_off;
    g->roots += sum > 0;
  }
  g->square_sum = (double)square;
  variance += (long double)(total - runs) / total / total;
  fourth += (long double)(total - runs) / total / total / total / total;
  g->relative_variance = (double)variance;
  g->variance_roots = (double)(variance * variance / fourth);
  dun_free(logw);
  dun_free(weight);
}

static struct dun_genealogy genealogy_find(struct dun_context *context, enum pattern pattern,
                                           enum family family, int64_t total, int tile)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_genealogy g = {0};
  particles_init(context, &p, total, tile, pattern);
  families_set(&p, family);
  CHECK(dun_weights_compute(context, &p, dun_population_find(&p, "logw"), &w) == 0);
  CHECK(dun_genealogy_compute(context, &p, dun_population_find(&p, "root"),
                              dun_population_find(&p, "logw"), &w, &g) == 0);
  dun_weights_free(&w);
  dun_population_free(&p);
  return g;
}

static void genealogy(void)
{
  struct dun_context alone = alone_context();
  for (int pattern = 0; pattern < PATTERNS; pattern++)
    for (int family = 0; family < FAMILIES; family++)
      for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t t = 0; t < sizeof tiles / sizeof *tiles; t++) {
          struct dun_genealogy a, b, c;
          a = genealogy_find(&test_context, pattern, family, sizes[s], tiles[t]);
          b = genealogy_find(&alone, pattern, family, sizes[s], tiles[t]);
          genealogy_reference(pattern, family, sizes[s], tiles[t], &c);
          CHECK(a.roots == b.roots && a.roots == c.roots);
          CHECK(same(a.square_sum, b.square_sum));
          CHECK(same(a.relative_variance, b.relative_variance));
          CHECK(same(a.variance_roots, b.variance_roots));
          if (c.relative_variance > 1e-12)
            CHECK_NEAR(a.variance_roots, c.variance_roots, 1e-9 * c.variance_roots);
          CHECK_NEAR(a.square_sum, c.square_sum, 1e-13 * c.square_sum);
          if (sizes[s] == 1)
            CHECK(isnan(a.relative_variance));
          else
            CHECK_NEAR(a.relative_variance, c.relative_variance,
                       1e-13 * c.relative_variance + 1e-30);
        }
  dun_context_free(&alone);
}

static void disorder_at(int64_t at)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_genealogy g;
  struct dun_column *root, *logw;
  particles_init(&test_context, &p, 500, 1, EQUAL);
  root = dun_population_find(&p, "root");
  logw = dun_population_find(&p, "logw");
  for (int64_t i = 0; i < p.tiles.local; i++)
    dun_i64(root)[i] = p.tiles.first + i < at ? 10 : 9;
  CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
  CHECK(dun_genealogy_compute(&test_context, &p, root, logw, &w, &g) == DUN_ERROR_NUMERIC);
  CHECK(strstr(dun_error_text(), "decrease") != NULL);
  dun_weights_free(&w);
  dun_population_free(&p);
}

/* Ancestors that decrease are refused, inside a rank and between ranks. */
static void disorder(void)
{
  for (int64_t at = 1; at < 500; at += 31)
    disorder_at(at);
  for (int r = 1; r < test_context.size; r++)
    disorder_at(dun_tiles_first(500, 1, r, test_context.size));
}

/* ---- moments ----------------------------------------------------------------------------- */

enum { FUNCTIONS = 70 };

static double value_of(int64_t i, int j)
{
  const double u = particle_uniform(i, 100 + (uint64_t)j);
  switch (j) {
  case 0: return 1;
  case 1: return (double)i;
  case 2: return 1e6 + 1e-3 * u;
  case 3: return 1e120 * u;
  case 4: return -1e-120 * u;
  case 5: return i > 0; /* 0 where half of the weight may be */
  default: return u - .3;
  }
}

static void values(void *data, int64_t local_tile, double *f)
{
  const struct dun_population *p = data;
  const int n = dun_tile_size(&p->tiles, p->tiles.first_tile + local_tile);
  for (int j = 0; j < FUNCTIONS; j++)
    for (int lane = 0; lane < 64; lane++) /* rubbish behind the last particle */
      f[j * 64 + lane] =
          lane < n ? value_of(p->tiles.first + local_tile * p->tiles.tile + lane, j) : NAN;
}

struct moments {
  double mean[FUNCTIONS], deviation[FUNCTIONS], error[FUNCTIONS];
};

static void moments_find(struct dun_context *context, enum pattern pattern, enum family family,
                         int64_t total, int tile, struct moments *m)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_column *logw, *root;
  double mean[FUNCTIONS], deviation[FUNCTIONS];
  particles_init(context, &p, total, tile, pattern);
  families_set(&p, family);
  logw = dun_population_find(&p, "logw");
  root = dun_population_find(&p, "root");
  CHECK(dun_weights_compute(context, &p, logw, &w) == 0);
  CHECK(dun_weighted_moments(context, &p, root, logw, &w, FUNCTIONS, values, &p, m->mean,
                             m->deviation, m->error) == 0);
  CHECK(dun_weighted_moments(context, &p, root, logw, &w, FUNCTIONS, values, &p, mean, deviation,
                             NULL) == 0);
  CHECK(!memcmp(mean, m->mean, sizeof mean) && !memcmp(deviation, m->deviation, sizeof mean));
  dun_weights_free(&w);
  dun_population_free(&p);
}

static void moments_check(enum pattern pattern, enum family family, int64_t total, int tile,
                          const struct moments *m)
{
  double *logw = particle_logws(pattern, total, tile);
  dun_u128 *weight = particle_integers(logw, total), sum = 0;
  for (int64_t i = 0; i < total; i++)
    sum += weight[i];
  for (int j = 0; j < FUNCTIONS; j++) {
    long double mean = 0, size = 0, variance = 0, error = 0, run = 0, all = (long double)sum;
    for (int64_t i = 0; i < total; i++)
      mean += weight[i] / all * value_of(i, j);
    for (int64_t i = 0; i < total; i++) {
      const long double share = weight[i] / all, d = value_of(i, j) - mean;
      variance += share * d * d;
      size = fmaxl(size, share > 0 ? fabsl((long double)value_of(i, j)) : 0);
      run += share * d;
      if (i + 1 == total || root_of(family, i, total) != root_of(family, i + 1, total)) {
        error += run * run;
        run = 0;
      }
    }
    CHECK_NEAR(m->mean[j], (double)mean, 1e-14 * (double)size);
    CHECK_NEAR(m->deviation[j], (double)sqrtl(variance), (double)(1e-13 * size));
    CHECK_NEAR(m->error[j], (double)sqrtl(error), (double)(1e-13 * size));
  }
  dun_free(logw);
  dun_free(weight);
}

static void moments(void)
{
  static const int64_t few[] = {1, 65, 700};
  struct dun_context alone = alone_context();
  for (int pattern = 0; pattern < PATTERNS; pattern++)
    for (int family = 0; family < FAMILIES; family++)
      for (size_t s = 0; s < sizeof few / sizeof *few; s++) {
        const int tile = few[s] == 700 && family == SOME ? 7 : 64;
        struct moments a, b;
        memset(&a, 0, sizeof a);
        memset(&b, 0, sizeof b);
        moments_find(&test_context, pattern, family, few[s], tile, &a);
        moments_find(&alone, pattern, family, few[s], tile, &b);
        CHECK(!memcmp(&a, &b, sizeof a));
        moments_check(pattern, family, few[s], tile, &a);
      }
  dun_context_free(&alone);
}

/* ---- log weights of whole ways --------------------------------------------------------------- */

/* The mean, its deviation, and the error of the mean less log Z, [3]. */
static void ways_find(struct dun_context *context, enum family family, int64_t total, double *told)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_column *logw, *root, way = {.name = "way", .type = DUN_F64, .width = 1};
  particles_init(context, &p, total, 64, SPREAD);
  families_set(&p, family);
  logw = dun_population_find(&p, "logw");
  root = dun_population_find(&p, "root");
  way.data = dun_allocate(p.tiles.local + 1, sizeof(double));
  for (int64_t i = 0; i < p.tiles.local; i++)
    dun_f64(&way)[i] = value_of(p.tiles.first + i, 6);
  CHECK(dun_weights_compute(context, &p, logw, &w) == 0);
  CHECK(dun_log_weight_moments(context, &p, root, logw, &w, &way, told, told + 1, told + 2) == 0);
  dun_free(way.data);
  dun_weights_free(&w);
  dun_population_free(&p);
}

/* Every ancestor counts with 1 / N, those without descendants too. */
static void ways_check(enum family family, int64_t total, const double *told)
{
  double *logw = particle_logws(SPREAD, total, 64);
  dun_u128 *weight = particle_integers(logw, total), sum = 0;
  long double mean = 0, variance = 0, error = 0, run = 0, one = 1.L / total;
  int64_t ended = 0;
  for (int64_t i = 0; i < total; i++)
    sum += weight[i];
  for (int64_t i = 0; i < total; i++)
    mean += weight[i] / (long double)sum * value_of(i, 6);
  for (int64_t i = 0; i < total; i++) {
    const long double share = weight[i] / (long double)sum, d = value_of(i, 6) - mean;
    variance += share * d * d;
    run += share * (d - 1);
    if (i + 1 == total || root_of(family, i, total) != root_of(family, i + 1, total)) {
      error += (run + one) * (run + one);
      run = 0;
      ended++;
    }
  }
  error += (total - ended) * one * one;
  CHECK_NEAR(told[0], (double)mean, 1e-14);
  CHECK_NEAR(told[1], (double)sqrtl(variance), 1e-12);
  CHECK_NEAR(told[2], (double)sqrtl(error), 1e-13);
  dun_free(logw);
  dun_free(weight);
}

static void ways(void)
{
  struct dun_context alone = alone_context();
  for (int family = 0; family < FAMILIES; family++)
    for (int64_t total = 65; total < 800; total += 635) {
      double here[3], there[3];
      ways_find(&test_context, family, total, here);
      ways_find(&alone, family, total, there);
      CHECK(!memcmp(here, there, sizeof here));
      ways_check(family, total, here);
    }
  dun_context_free(&alone);
}

/* A particle without weight has no say, whatever its values; a value that is not finite and has
 * weight makes all three of its function not finite, and no other's. */
static void hostile(void *data, int64_t local_tile, double *f)
{
  const struct dun_population *p = data;
  const int64_t first = p->tiles.first + local_tile * 64;
  for (int lane = 0; lane < 64; lane++) {
    f[lane] = (first + lane) % 4 == 3 ? 2 : lane % 2 ? NAN : INFINITY;
    f[64 + lane] = first + lane == 403 ? INFINITY : 1;
    f[128 + lane] = (double)((first + lane) / 4 % 2);
  }
}

static void values_not_finite(void)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_column *logw;
  double mean[3], deviation[3], error[3];
  particles_init(&test_context, &p, 640, 64, HOLES);
  logw = dun_population_find(&p, "logw");
  CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
  CHECK(dun_weighted_moments(&test_context, &p, dun_population_find(&p, "root"), logw, &w, 3,
                             hostile, &p, mean, deviation, error) == 0);
  CHECK_NEAR(mean[0], 2, 1e-15);
  CHECK_NEAR(deviation[0], 0, 1e-14);
  CHECK_NEAR(error[0], 0, 1e-14);
  CHECK(!isfinite(mean[1]) && !isfinite(deviation[1]) && isnan(error[1]));
  CHECK(mean[2] > .3 && mean[2] < .7 && deviation[2] > .4 && error[2] > .01);
  dun_weights_free(&w);
  dun_population_free(&p);
}

TEST_MAIN({"totals", totals}, {"reuse", reuse}, {"normalised", normalised},
          {"odd_weights", odd_weights}, {"genealogy", genealogy}, {"disorder", disorder},
          {"moments", moments}, {"ways", ways}, {"values_not_finite", values_not_finite})
