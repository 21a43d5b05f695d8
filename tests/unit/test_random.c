/* Random numbers: known answers, addresses, frozen bits and moments. */
#include "base/random.h"
#include "base/vmath.h"
#include "check.h"
#include <Random123/philox.h>

static uint32_t next(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 32);
}

/* ---- Philox ------------------------------------------------------------------------------ */

/* Random123's tests/kat_vectors, lines "philox4x32 10". */
static void known_answers(void)
{
  static const struct {
    uint32_t counter[4], key[2], word[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    uint32_t word[4];
    dun_philox(known[i].counter, known[i].key, word);
    CHECK(memcmp(word, known[i].word, sizeof word) == 0);
  }
}

static void same_as_random123(void)
{
  uint64_t state = 3;
  for (int i = 0; i < 20000; i++) {
    philox4x32_ctr_t counter;
    philox4x32_key_t key;
    uint32_t word[4];
    for (int w = 0; w < 4; w++)
      counter.v[w] = next(&state);
    key.v[0] = next(&state);
    key.v[1] = next(&state);
    philox4x32_ctr_t theirs = philox4x32(counter, key);
    dun_philox(counter.v, key.v, word);
    CHECK(memcmp(word, theirs.v, sizeof word) == 0);
  }
}

/* ---- addresses --------------------------------------------------------------------------- */

enum { COLUMNS = 21 }; /* not a multiple of the chunk inside */

static _Alignas(64) double numbers[COLUMNS * 64];

static const struct dun_address somewhere = {.seed = 0x0123456789abcdef,
                                             .purpose = 0xfedc,
                                             .replicate = 0xba98,
                                             .step = 0x76543210,
                                             .tile = 0xf0e1d2c3};

/* The fraction in [0, 1) of half 0 or 1 of a block, by Random123 from the layout in random.h. */
static double fraction(struct dun_address a, int column, int l, int half)
{
  philox4x32_ctr_t counter = {
      {(uint32_t)(32 * column + l), a.tile, a.step, (uint32_t)a.purpose << 16 | a.replicate}};
  philox4x32_key_t key = {{(uint32_t)a.seed, (uint32_t)(a.seed >> 32)}};
  philox4x32_ctr_t word = philox4x32(counter, key);
  uint64_t bits = (uint64_t)word.v[2 * half + 1] << 32 | word.v[2 * half];
  return (double)(bits >> 12) * 0x1p-52;
}

static void uniforms_by_address(void)
{
  dun_uniforms(somewhere, COLUMNS, numbers);
  for (int c = 0; c < COLUMNS; c++)
    for (int lane = 0; lane < 64; lane++) {
      double u = numbers[64 * c + lane];
      CHECK(u == 1 - fraction(somewhere, c, lane % 32, lane / 32));
      CHECK(u == dun_uniform_one(somewhere, 64 * c + lane));
      CHECK(u > 0 && u <= 1);
    }
}

static void normals_by_address(void)
{
  const long double two_pi = 6.28318530717958647692528676655900577L;
  dun_normals(somewhere, COLUMNS, numbers);
  for (int c = 0; c < COLUMNS; c++)
    for (int l = 0; l < 32; l++) {
      long double radius = sqrtl(-2 * logl(1 - fraction(somewhere, c, l, 0)));
      long double angle = two_pi * fraction(somewhere, c, l, 1);
      CHECK_NEAR(numbers[64 * c + l], (double)(radius * cosl(angle)), 4e-15);
      CHECK_NEAR(numbers[64 * c + 32 + l], (double)(radius * sinl(angle)), 4e-15);
    }
}

/* Every field of an address changes the numbers, and fewer columns are the first of more. */
static void addresses_differ(void)
{
  static _Alignas(64) double other[COLUMNS * 64];
  struct dun_address changed[6];
  for (int i = 0; i < 6; i++)
    changed[i] = somewhere;
  changed[0].seed ^= 1;
  changed[1].seed ^= (uint64_t)1 << 63;
  changed[2].purpose ^= 1;
  changed[3].replicate ^= 1;
  changed[4].step ^= 1;
  changed[5].tile ^= 1;
  dun_uniforms(somewhere, COLUMNS, numbers);
  for (int i = 0; i < 6; i++) {
    int equal = 0;
    dun_uniforms(changed[i], COLUMNS, other);
    for (int j = 0; j < COLUMNS * 64; j++)
      equal += numbers[j] == other[j];
    CHECK(equal == 0);
  }
  for (int columns = 0; columns <= COLUMNS; columns++) {
    memset(other, 0, sizeof other);
    dun_uniforms(somewhere, columns, other);
    CHECK(memcmp(numbers, other, (size_t)columns * 64 * sizeof *other) == 0);
    CHECK(columns == COLUMNS || other[64 * columns] == 0);
  }
}

/* A long array may be made piece by piece, and far from its beginning. */
static void pieces_of_an_array(void)
{
  static _Alignas(64) double other[COLUMNS * 64];
  dun_normals(somewhere, COLUMNS, numbers);
  for (int first = 0; first < COLUMNS; first += 3) {
    int columns = COLUMNS - first < 3 ? COLUMNS - first : 3;
    dun_normals_from(somewhere, first, columns, other);
    CHECK(memcmp(numbers + 64 * first, other, (size_t)columns * 64 * sizeof *other) == 0);
  }
  dun_normals_from(somewhere, (1 << 27) - 1, 1, other);
  CHECK(other[0] != numbers[0] && fabs(other[63]) < 9);
}

/* ---- frozen bits ------------------------------------------------------------------------- */

static uint64_t hash_of(const double *x, int n)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < n; i++) {
    hash = (hash ^ dun_bits(x[i])) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return hash;
}

static void check_hash(const char *name, uint64_t frozen)
{
  uint64_t hash = hash_of(numbers, COLUMNS * 64);
  if (hash != frozen)
    fprintf(stderr, "%s: hash 0x%016llxu\n", name, (unsigned long long)hash);
  CHECK(hash == frozen);
}

static void frozen_bits(void)
{
  dun_uniforms(somewhere, COLUMNS, numbers);
  check_hash("uniforms", 0x47c9d5c34d5e2309u);
  dun_normals(somewhere, COLUMNS, numbers);
  check_hash("normals", 0xb6dc9e07c642732bu);
}

/* ---- moments ----------------------------------------------------------------------------- */

enum { TILES = 4096, WIDTH = 4, COUNT = TILES * WIDTH * 64 }; /* 2^20 */

static int compared;

/* A mean of `count` terms, against their expectation and variance. */
static void check_mean(const char *name, double sum, double count, double mean, double variance)
{
  double deviation = (sum / count - mean) / sqrt(variance / count);
  if (!(fabs(deviation) < 5))
    fprintf(stderr, "%s: %.2f standard errors\n", name, deviation);
  CHECK(fabs(deviation) < 5);
  compared++;
}

static void draw(void (*source)(struct dun_address, int, double *), uint64_t seed, double *x)
{
  for (int t = 0; t < TILES; t++)
    source((struct dun_address){.seed = seed, .purpose = DUN_PURPOSE_TEST, .tile = (uint32_t)t},
           WIDTH, x + (int64_t)t * WIDTH * 64);
}

/* The sum of products of numbers that lie `shift` apart, of those with (index & mask) == 0. */
static double products(const double *x, int shift, int mask, double *count)
{
  double sum = 0;
  *count = 0;
  for (int i = 0; i + shift < COUNT; i++)
    if ((i & mask) == 0) {
      sum += x[i] * x[i + shift];
      ++*count;
    }
  return sum;
}

static void normal_moments(void)
{
  static _Alignas(64) double x[COUNT];
  static const double threshold[] = {.5, 1, 2, 3, 4};
  double power[5] = {0}, beyond[2][5] = {{0}}, count;
  compared = 0;
  draw(dun_normals, 11, x);
  for (int i = 0; i < COUNT; i++) {
    for (int p = 1; p <= 4; p++)
      power[p] += pow(x[i], p);
    for (int k = 0; k < 5; k++) {
      beyond[0][k] += x[i] > threshold[k];
      beyond[1][k] += x[i] < -threshold[k];
    }
  }
  check_mean("mean", power[1], COUNT, 0, 1);
  check_mean("variance", power[2], COUNT, 1, 2);
  check_mean("third moment", power[3], COUNT, 0, 15);
  check_mean("fourth moment", power[4], COUNT, 3, 96);
  for (int k = 0; k < 5; k++) {
    double p = erfc(threshold[k] / sqrt(2)) / 2;
    check_mean("upper tail", beyond[0][k], COUNT, p, p * (1 - p));
    check_mean("lower tail", beyond[1][k], COUNT, p, p * (1 - p));
  }
  double sum = products(x, 32, 32, &count); /* cosine and sine of one block */
  check_mean("halves of a block", sum, count, 0, 1);
  sum = products(x, 1, 0, &count);
  check_mean("neighbouring lanes", sum, count, 0, 1);
  sum = products(x, 64, 0, &count);
  check_mean("neighbouring columns", sum, count, 0, 1);
  sum = products(x, 64 * WIDTH, 0, &count);
  check_mean("neighbouring tiles", sum, count, 0, 1);
  printf("# %d comparisons, limit 5 standard errors\n", compared);
}

static void uniform_moments(void)
{
  enum { CELLS = 256 };
  static _Alignas(64) double x[COUNT];
  static int cell[CELLS];
  double sum = 0, squares = 0, chi = 0, count;
  compared = 0;
  draw(dun_uniforms, 12, x);
  memset(cell, 0, sizeof cell);
  for (int i = 0; i < COUNT; i++) {
    sum += x[i];
    squares += x[i] * x[i];
    cell[(int)ceil(x[i] * CELLS) - 1]++;
    x[i] -= .5;
  }
  for (int c = 0; c < CELLS; c++)
    chi += pow(cell[c] - COUNT / CELLS, 2) / (COUNT / CELLS);
  check_mean("mean", sum, COUNT, .5, 1. / 12);
  check_mean("square", squares, COUNT, 1. / 3, 4. / 45);
  check_mean("chi square of cells", chi, 1, CELLS - 1, 2 * (CELLS - 1));
  sum = products(x, 32, 32, &count);
  check_mean("halves of a block", sum, count, 0, 1. / 144);
  sum = products(x, 1, 0, &count);
  check_mean("neighbouring lanes", sum, count, 0, 1. / 144);
  printf("# %d comparisons, limit 5 standard errors\n", compared);
}

TEST_MAIN({"known answers", known_answers}, {"same as Random123", same_as_random123},
          {"uniforms by address", uniforms_by_address}, {"normals by address", normals_by_address},
          {"addresses differ", addresses_differ}, {"pieces of an array", pieces_of_an_array},
          {"frozen bits", frozen_bits}, {"moments of normals", normal_moments},
          {"moments of uniforms", uniform_moments})
