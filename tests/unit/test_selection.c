/* ranks: 1 2 3 4 7 */
/* Offspring counts against the definitions in whole numbers, the movement of rows of every kind,
 * the expectation of the counts, and bit for bit what each rank finds alone. */
#include "base/error.h"
#include "particles.h"
#include "population/selection.h"

enum { SCHEMES = 4 };

static struct dun_address address_of(uint64_t seed)
{
  return (struct dun_address){.seed = seed, .replicate = 3, .step = 17};
}

/* ---- the definitions --------------------------------------------------------------------- */

/* A number of up to 256 bits, for comparisons of products. */
struct wide {
  uint32_t digit[8];
};

static struct wide wide_product(dun_u128 a, dun_u128 b)
{
  struct wide product = {{0}};
  for (int i = 0; i < 4; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < 4; j++) {
      carry += product.digit[i + j] + (uint64_t)(uint32_t)(a >> 32 * i) * (uint32_t)(b >> 32 * j);
      product.digit[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
    product.digit[i + 4] = (uint32_t)carry;
  }
  return product;
}

static int wide_less(struct wide a, struct wide b)
{
  for (int i = 7; i >= 0; i--)
    if (a.digit[i] != b.digit[i])
      return a.digit[i] < b.digit[i];
  return 0;
}

/* floor(u S), u the uniform at an address less 2^-52. */
static dun_u128 offset_of(struct dun_address address, int64_t index, dun_u128 total)
{
  const dun_u128 u = (dun_u128)(dun_uniform_one(address, index) * 0x1p52) - 1;
  dun_u128 offset = 0;
  for (int bit = 0; bit < 52;
       bit++) /* u S / 2^52 from the lowest bit up, nothing is lost but at the end */
    offset = (offset + (u >> bit & 1 ? total : 0)) / 2;
  return offset;
}

/* Partial sums of the exponentials: sum[k] of the first k + 1, k = 0 .. n. */
static int64_t *ordered_sums(struct dun_address address, int64_t n)
{
  int64_t *sum = dun_allocate(n + 1, sizeof *sum), all = 0;
  int room = 57;
  while (((int64_t)1 << (57 - room)) < n + 1)
    room--;
  room = room < 44 ? room : 44;
  for (int64_t k = 0; k <= n; k++) {
    address.tile = (uint32_t)(k / 64);
    all += 1 + (int64_t)rint(ldexp(-dun_log(dun_uniform_one(address, k % 64)), room));
    sum[k] = all;
  }
  return sum;
}

/* parent[k] of every slot, by the definitions; the slots' places rise, and so do their parents. */
static void parents_regular(int stratified, struct dun_address address, int64_t n, int64_t children,
                            const dun_u128 *prefix, int64_t *parent)
{
  const dun_u128 total = prefix[n - 1], common = offset_of(address, 0, total);
  int64_t i = 0;
  for (int64_t k = 0; k < children; k++) {
    dun_u128 offset = common;
    if (stratified) {
      address.tile = (uint32_t)(k / 64);
      offset = offset_of(address, k % 64, total);
    }
    while (prefix[i] * (dun_u128)children <= (dun_u128)k * total + offset)
      i++;
    parent[k] = i;
  }
}

static void parents_random(struct dun_address address, int64_t n, int64_t draws, dun_u128 whole,
                           const dun_u128 *prefix, int64_t *parent)
{
  int64_t *sum = ordered_sums(address, draws), i = 0;
  for (int64_t k = 0; k < draws; k++) {
    while (!wide_less(wide_product((dun_u128)sum[k], whole),
                      wide_product(prefix[i], (dun_u128)sum[draws])))
      i++;
    CHECK(i < n);
    parent[k] = i;
  }
  dun_free(sum);
}

static void parents_residual(struct dun_address address, int64_t n, int64_t children,
                             const dun_u128 *weight, const dun_u128 *prefix, int64_t *parent)
{
  const dun_u128 total = prefix[n - 1];
  dun_u128 *rest = dun_allocate(n, sizeof *rest), sum = 0;
  int64_t *drawn = dun_allocate(n, sizeof *drawn), draws = children, next = 0, slot = 0;
  for (int64_t i = 0; i < n; i++) {
    const dun_u128 share = weight[i] * (dun_u128)children;
    sum += share % total;
    rest[i] = sum;
    draws -= (int64_t)(share / total);
  }
  parents_random(address, n, draws, (dun_u128)draws * total, rest, drawn);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t k = 0; k < (int64_t)(weight[i] * (dun_u128)children / total); k++)
      parent[slot++] = i;
    for (; next < draws && drawn[next] == i; next++)
      parent[slot++] = i;
  }
  CHECK(slot == children);
  dun_free(rest);
  dun_free(drawn);
}

/* Each of them fills `length` slots. */
static void parents_defined(const double *logw, enum dun_resampling scheme, int64_t n,
                            int64_t length, struct dun_address address, int64_t *parent)
{
  const int64_t children = n / length;
  dun_u128 *weight = particle_integers(logw, n);
  dun_u128 *prefix = dun_allocate(n, sizeof *prefix), sum = 0;
  address.purpose = DUN_PURPOSE_SELECT;
  address.tile = 0;
  for (int64_t i = 0; i < n; i++)
    prefix[i] = sum += weight[i];
  if (scheme == DUN_MULTINOMIAL)
    parents_random(address, n, children, sum, prefix, parent);
  else if (scheme == DUN_RESIDUAL)
    parents_residual(address, n, children, weight, prefix, parent);
  else
    parents_regular(scheme == DUN_STRATIFIED, address, n, children, prefix, parent);
  for (int64_t k = n - 1; k >= 0; k--)
    parent[k] = parent[k / length];
  dun_free(weight);
  dun_free(prefix);
}

/* ---- counts ------------------------------------------------------------------------------ */

/* A population with these log weights (of all particles), selected. */
static void select_once(struct dun_context *context, struct dun_population *p, const double *logws,
                        enum dun_resampling scheme, int64_t n, int tile, int64_t length,
                        struct dun_address address)
{
  struct dun_weights w = {0};
  struct dun_column *logw;
  particles_init(context, p, n, tile, EQUAL);
  logw = dun_population_find(p, "logw");
  memcpy(logw->data, logws + p->tiles.first, (size_t)p->tiles.local * sizeof *logws);
  CHECK(dun_weights_compute(context, p, logw, &w) == 0);
  CHECK(dun_select_chains(context, p, logw, &w, length, scheme, address) == 0);
  dun_weights_free(&w);
}

static int64_t counts_of(struct dun_context *alone, const double *logws, enum dun_resampling scheme,
                         int64_t n, int tile, int64_t length, uint64_t seed)
{
  struct dun_population p, q;
  int64_t *parent = dun_allocate(n, sizeof *parent), bad = 0;
  parents_defined(logws, scheme, n, length, address_of(seed), parent);
  select_once(&test_context, &p, logws, scheme, n, tile, length, address_of(seed));
  select_once(alone, &q, logws, scheme, n, tile, length, address_of(seed));
  for (int64_t i = 0; i < p.tiles.local; i++) {
    const int64_t here = p.tiles.first + i;
    bad += dun_i64(dun_population_find(&p, "id"))[i] != parent[here];
    bad += dun_i64(dun_population_find(&p, "root"))[i] != parent[here];
    bad += dun_i64(dun_population_find(&q, "id"))[here] != parent[here];
    bad += dun_f64(dun_population_find(&p, "logw"))[i] != 0;
  }
  dun_population_free(&p);
  dun_population_free(&q);
  dun_free(parent);
  return bad;
}

static void counts(void)
{
  static const int64_t sizes[] = {1, 2, 5, 64, 65, 193, 1000, 3001};
  static const int tiles[] = {1, 7, 64};
  struct dun_context alone = alone_context();
  for (int pattern = 0; pattern < PATTERNS; pattern++)
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
      for (int scheme = 0; scheme < SCHEMES; scheme++)
        for (size_t t = 0; t < sizeof tiles / sizeof *tiles; t++) {
          double *logws = particle_logws((enum pattern)pattern, sizes[s], tiles[t]);
          int64_t bad =
              counts_of(&alone, logws, (enum dun_resampling)scheme, sizes[s], tiles[t], 1, s);
          for (int64_t length = 5; length <= sizes[s]; length = length < 193 ? 193 : sizes[s] + 1)
            if (sizes[s] % length == 0)
              bad += counts_of(&alone, logws, (enum dun_resampling)scheme, sizes[s], tiles[t],
                               length, s);
          CHECK(bad == 0);
          if (bad)
            fprintf(stderr, "  pattern %d, scheme %d, n %lld, tile %d: %lld\n", pattern, scheme,
                    (long long)sizes[s], tiles[t], (long long)bad);
          dun_free(logws);
        }
  dun_context_free(&alone);
}

/* Shares of the first particle within the error of doubles of where its count changes, so that only
 * whole numbers can decide, or a little beside it: N W is k + u, k + u_k, or k. */
static int64_t ties_of(struct dun_context *alone, enum dun_resampling scheme, uint64_t seed,
                       double beside)
{
  enum { N = 64 };
  const int k = 1 + (int)(seed % 61), few = 1 + (int)(seed % 60);
  struct dun_address address = address_of(seed);
  double logw[N], share = k + beside;
  address.purpose = DUN_PURPOSE_SELECT;
  if (scheme != DUN_RESIDUAL)
    share += dun_uniform_one(address, scheme == DUN_STRATIFIED ? k : 0) - 0x1p-52;
  share /= N;
  for (int i = 0; i < N; i++)
    logw[i] = i == 0 ? log(share) : i <= few ? log((1 - share) / few) : -INFINITY;
  return counts_of(alone, logw, scheme, N, 64, 1, seed);
}

static void ties(void)
{
  static const enum dun_resampling schemes[] = {DUN_SYSTEMATIC, DUN_STRATIFIED, DUN_RESIDUAL};
  struct dun_context alone = alone_context();
  for (int s = 0; s < 3; s++)
    for (uint64_t seed = 0; seed < 300; seed++)
      CHECK(ties_of(&alone, schemes[s], seed, seed % 3 == 2 ? 1e-9 : 0) == 0);
  dun_context_free(&alone);
}

/* Equal weights: every particle is its own child, under systematic and residual resampling; again
 * and again, since selection leaves equal weights. */
static void equal_stay(void)
{
  static const enum dun_resampling schemes[] = {DUN_SYSTEMATIC, DUN_STRATIFIED, DUN_RESIDUAL};
  double *logws = particle_logws(EQUAL, 1000, 64);
  for (int k = 0; k < 3; k++) {
    struct dun_population p;
    select_once(&test_context, &p, logws, schemes[k], 1000, 64, 1, address_of(5));
    for (int64_t i = 0; i < p.tiles.local; i++)
      CHECK(dun_i64(dun_population_find(&p, "id"))[i] == p.tiles.first + i);
    dun_population_free(&p);
  }
  dun_free(logws);
}

/* ---- rows -------------------------------------------------------------------------------- */

struct kind {
  const char *name;
  enum dun_column_type type;
  int width;
};

static double row_value(int64_t id, int column, int j)
{
  return floor(200 * particle_uniform(id, 1000 * (uint64_t)column + (uint64_t)j)) - 100;
}

static double number_get(const struct dun_column *column, int64_t at)
{
  switch (column->type) {
  case DUN_F64: return ((const double *)column->data)[at];
  case DUN_F32: return (double)((const float *)column->data)[at];
  case DUN_I64: return (double)((const int64_t *)column->data)[at];
  case DUN_I32: return (double)((const int32_t *)column->data)[at];
  case DUN_I8: return (double)((const int8_t *)column->data)[at];
  }
  return NAN;
}

static void number_set(struct dun_column *column, int64_t at, double x)
{
  switch (column->type) {
  case DUN_F64: ((double *)column->data)[at] = x; break;
  case DUN_F32: ((float *)column->data)[at] = (float)x; break;
  case DUN_I64: ((int64_t *)column->data)[at] = (int64_t)x; break;
  case DUN_I32: ((int32_t *)column->data)[at] = (int32_t)x; break;
  case DUN_I8: ((int8_t *)column->data)[at] = (int8_t)x; break;
  }
}

/* Columns that move carry their parent's numbers afterwards, the one that stays its own. */
static void rows_check(const struct dun_population *p, const struct dun_column *id, int64_t *bad)
{
  for (int c = 0; c < p->columns; c++) {
    const struct dun_column *column = &p->column[c];
    if (column->name[0] != '_')
      continue;
    for (int64_t i = 0; i < p->tiles.local; i++)
      for (int j = 0; j < column->width; j++) {
        const int64_t parent = column->flags & DUN_MOVES ? dun_i64(id)[i] : p->tiles.first + i;
        *bad += number_get(column, i * column->width + j) != row_value(parent, c, j);
      }
  }
}

static void rows_of(const struct kind *kinds, int columns, enum pattern pattern, int64_t n,
                    int tile)
{
  struct dun_population p;
  struct dun_weights w = {0};
  struct dun_column *logw, *id;
  int64_t *parent = dun_allocate(n, sizeof *parent), bad = 0;
  double *logws;
  dun_population_init(&p, dun_tiles_of(n, tile, test_context.rank, test_context.size));
  for (int c = 0; c < columns; c++)
    dun_population_declare(&p, (struct dun_column){.name = kinds[c].name,
                                                   .type = kinds[c].type,
                                                   .width = kinds[c].width,
                                                   .flags = kinds[c].name[1] == 's' ? 0 : DUN_MOVES,
                                                   .doc = "Numbers."});
  particles_fill(&p, pattern);
  for (int c = 0; c < columns; c++)
    for (int64_t i = 0; i < p.tiles.local; i++)
      for (int j = 0; j < kinds[c].width; j++)
        number_set(&p.column[c], i * kinds[c].width + j, row_value(p.tiles.first + i, c, j));
  logw = dun_population_find(&p, "logw");
  id = dun_population_find(&p, "id");
  CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
  CHECK(dun_select(&test_context, &p, logw, &w, DUN_SYSTEMATIC, address_of(1)) == 0);
  logws = particle_logws(pattern, n, tile);
  parents_defined(logws, DUN_SYSTEMATIC, n, 1, address_of(1), parent);
  dun_free(logws);
  for (int64_t i = 0; i < p.tiles.local; i++)
    bad += dun_i64(id)[i] != parent[p.tiles.first + i];
  rows_check(&p, id, &bad);
  CHECK(bad == 0);
  dun_free(parent);
  dun_weights_free(&w);
  dun_population_free(&p);
}

static void rows(void)
{
  static const struct kind mixed[] = {{"_a", DUN_F64, 3},  {"_s", DUN_F64, 2}, {"_b", DUN_I8, 3},
                                      {"_c", DUN_I32, 1},  {"_d", DUN_F32, 5}, {"_e", DUN_I64, 2},
                                      {"_f", DUN_F64, 10}, {"_g", DUN_I8, 1}};
  static const struct kind single = {"_a", DUN_F64, 1}, wide = {"_a", DUN_F64, 1600};
  static const struct kind fifty = {"_a", DUN_F64, 50};
  for (int pattern = 0; pattern < PATTERNS; pattern++) {
    rows_of(mixed, 8, (enum pattern)pattern, 2000, 64);
    rows_of(mixed, 8, (enum pattern)pattern, 5, 1);
    rows_of(&wide, 1, (enum pattern)pattern, 300, 1);
    rows_of(&fifty, 1, (enum pattern)pattern, 20000, 64); /* several messages from rank to rank */
  }
  rows_of(&single, 1, SPREAD, 100000, 64);
  rows_of(&single, 1, FIRST_HALF, 100000, 64);
}

/* A selection takes no more than 16 MiB besides the two generations, also when one rank has all
 * children. (Runs first: the peak is the program's.) */
static void memory(void)
{
  static const enum pattern patterns[] = {FIRST_TILE, ONE, FIRST_HALF};
  for (int k = 0; k < 3; k++) {
    struct dun_population p;
    struct dun_weights w = {0};
    struct dun_column *logw;
    int64_t begun, sent;
    dun_population_init(&p, dun_tiles_of(200000, 64, test_context.rank, test_context.size));
    dun_population_declare(
        &p, (struct dun_column){
                .name = "_a", .type = DUN_F64, .width = 30, .flags = DUN_MOVES, .doc = "Numbers."});
    particles_fill(&p, patterns[k]);
    logw = dun_population_find(&p, "logw");
    for (int scheme = 0; scheme < SCHEMES; scheme++) {
      for (int64_t i = 0; i < p.tiles.local; i++)
        dun_f64(logw)[i] = particle_logw(patterns[k], p.tiles.first + i, p.tiles.total, 64);
      CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
      begun = dun_memory_in_use();
      sent = test_context.bytes_sent;
      CHECK(dun_select(&test_context, &p, logw, &w, (enum dun_resampling)scheme, address_of(2)) ==
            0);
      CHECK(dun_memory_in_use() == begun && dun_memory_peak() - begun < 16 << 20);
      CHECK(patterns[k] == FIRST_HALF || test_context.bytes_sent - sent < 12000);
    }
    dun_weights_free(&w);
    dun_population_free(&p);
  }
}

/* ---- expectation ------------------------------------------------------------------------- */

enum { SEEDS = 2000, FEW = 130 };

/* The mean count over many seeds against N W, in standard errors: 4 * 130 comparisons, limit 5;
 * and for multinomial resampling the variance of the counts, N W (1 - W), another 130. */
static void expectation_of(struct dun_context *alone, enum dun_resampling scheme)
{
  double sum[FEW] = {0}, square[FEW] = {0}, all = 0, share[FEW];
  for (int i = 0; i < FEW; i++)
    all += share[i] = exp(particle_logw(SPREAD, i, FEW, 64) / 8);
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    struct dun_population p;
    struct dun_weights w = {0};
    struct dun_column *logw;
    int count[FEW] = {0};
    particles_init(alone, &p, FEW, 64, SPREAD);
    logw = dun_population_find(&p, "logw");
    for (int i = 0; i < FEW; i++)
      dun_f64(logw)[i] /= 8;
    CHECK(dun_weights_compute(alone, &p, logw, &w) == 0);
    CHECK(dun_select(alone, &p, logw, &w, scheme, address_of(seed)) == 0);
    for (int i = 0; i < FEW; i++)
      count[dun_i64(dun_population_find(&p, "id"))[i]]++;
    for (int i = 0; i < FEW; i++) {
      const double mean = FEW * share[i] / all, d = count[i] - mean;
      CHECK(scheme != DUN_SYSTEMATIC || fabs(d) < 1);
      CHECK(scheme != DUN_STRATIFIED || fabs(d) < 2);
      CHECK(scheme != DUN_RESIDUAL || count[i] >= floor(mean));
      sum[i] += d;
      square[i] += d * d;
    }
    dun_weights_free(&w);
    dun_population_free(&p);
  }
  for (int i = 0; i < FEW; i++) {
    const double mean = FEW * share[i] / all, variance = square[i] / SEEDS;
    const double floor_error = mean - floor(mean), least = floor_error * (1 - floor_error);
    CHECK_NEAR(sum[i] / SEEDS, 0, 5 * sqrt(fmax(variance, least) / SEEDS));
    if (scheme == DUN_MULTINOMIAL) {
      const double v = mean * (1 - mean / FEW), fourth = v * (1 + 3 * v) - v * v;
      CHECK_NEAR(variance, v, 5 * sqrt(fourth / SEEDS));
    }
  }
}

static void expectation(void)
{
  struct dun_context alone = alone_context();
  for (int scheme = 0; scheme < SCHEMES; scheme++)
    if (scheme % test_context.size == test_context.rank)
      expectation_of(&alone, (enum dun_resampling)scheme);
  dun_context_free(&alone);
}

/* Another purpose, step or seed is another selection; no purpose is that of selection. */
static void addresses(void)
{
  struct dun_population p[5];
  struct dun_address address[5];
  int64_t differ[5] = {0};
  double *logws = particle_logws(SPREAD, 640, 64);
  for (int k = 0; k < 5; k++)
    address[k] = address_of(9);
  address[1].purpose = DUN_PURPOSE_SELECT;
  address[2].purpose = DUN_PURPOSE_DRAWS;
  address[3].step++;
  address[4].seed++;
  for (int scheme = 0; scheme < SCHEMES; scheme++) {
    for (int k = 0; k < 5; k++)
      select_once(&test_context, &p[k], logws, (enum dun_resampling)scheme, 640, 64, 1, address[k]);
    for (int k = 0; k < 5; k++)
      for (int64_t i = 0; i < p[k].tiles.local; i++)
        differ[k] += dun_i64(dun_population_find(&p[0], "id"))[i] !=
                     dun_i64(dun_population_find(&p[k], "id"))[i];
    for (int k = 0; k < 5; k++)
      dun_population_free(&p[k]);
  }
  MPI_Allreduce(MPI_IN_PLACE, differ, 5, MPI_INT64_T, MPI_SUM, test_context.comm);
  dun_free(logws);
  CHECK(differ[1] == 0 && differ[2] > 0 && differ[3] > 0 && differ[4] > 0);
}

/* Weights of other log weights are refused on all ranks, not followed to where no rows are. */
static void other_weights(void)
{
  for (int scheme = DUN_SYSTEMATIC; scheme <= DUN_STRATIFIED; scheme++) {
    struct dun_population p;
    struct dun_weights w = {0};
    struct dun_column *logw;
    particles_init(&test_context, &p, 1000, 64, FIRST_TILE);
    logw = dun_population_find(&p, "logw");
    CHECK(dun_weights_compute(&test_context, &p, logw, &w) == 0);
    memset(logw->data, 0, (size_t)p.tiles.local * sizeof(double));
    CHECK(dun_select(&test_context, &p, logw, &w, (enum dun_resampling)scheme, address_of(1)) ==
          DUN_ERROR_NUMERIC);
    CHECK(strstr(dun_error_text(), "weights are not") != NULL);
    dun_weights_free(&w);
    dun_population_free(&p);
  }
}

TEST_MAIN({"memory", memory}, {"counts", counts}, {"ties", ties}, {"other_weights", other_weights},
          {"equal_stay", equal_stay}, {"rows", rows}, {"expectation", expectation},
          {"addresses", addresses})
