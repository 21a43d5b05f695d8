/* Philox in three forms with equal numbers: plain, AVX2 and AVX-512 (the compiler does not find the
 * 32 × 32 → 64 bit multiply by itself).  A vector lane of 64 bits holds one word of one block;
 * rubbish in its upper half does no harm, since the multiply ignores it. */
#include "base/random.h"
#include "base/vmath.h"

#if defined(DUN_DISPATCH)
#include <immintrin.h>
#define HAS_V4 __builtin_cpu_supports("x86-64-v4")
#define HAS_V3 __builtin_cpu_supports("x86-64-v3")
#elif defined(__AVX512F__)
#include <immintrin.h>
#define HAS_V4 1
#elif defined(__AVX2__)
#include <immintrin.h>
#define HAS_V3 1
#endif

enum {
  HALF = 32,            /* blocks in a column of 64 numbers */
  CHUNK = 8,            /* columns whose random words stay in the first-level cache */
  WORDS = CHUNK * HALF, /* blocks in a chunk */
};

static const uint32_t multiplier[2] = {0xD2511F53, 0xCD9E8D57}, bump[2] = {0x9E3779B9, 0xBB67AE85};

void dun_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4])
{
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t a = (uint64_t)multiplier[0] * c0, b = (uint64_t)multiplier[1] * c2;
    c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)b;
    c3 = (uint32_t)a;
    k0 += bump[0];
    k1 += bump[1];
  }
  word[0] = c0;
  word[1] = c1;
  word[2] = c2;
  word[3] = c3;
}

/* What blocks have in common: counter words 1 to 3 (word 0 is the block's index) and the key. */
struct stream {
  uint32_t counter[4], key[2];
};

static struct stream stream_of(struct dun_address address)
{
  return (struct stream){
      .counter = {0, address.tile, address.step,
                  (uint32_t)address.purpose << 16 | address.replicate},
      .key = {(uint32_t)address.seed, (uint32_t)(address.seed >> 32)},
  };
}

/* Each of the next three writes the 64-bit halves, first word low, of blocks first .. first + n -
 * 1: one[i] and two[i].  n is a multiple of 32, the arrays are aligned. */
#if defined(DUN_DISPATCH) || (!defined(HAS_V3) && !defined(HAS_V4))
#define HAS_PLAIN
static void words_plain(struct stream s, uint32_t first, int n, uint64_t *one, uint64_t *two)
{
  for (int i = 0; i < n; i++) {
    uint32_t word[4];
    s.counter[0] = first + (uint32_t)i;
    dun_philox(s.counter, s.key, word);
    one[i] = (uint64_t)word[1] << 32 | word[0];
    two[i] = (uint64_t)word[3] << 32 | word[2];
  }
}
#endif

#ifdef HAS_V3
__attribute__((target("arch=x86-64-v3"))) static void words_avx2(struct stream s, uint32_t first,
                                                                 int n, uint64_t *restrict one,
                                                                 uint64_t *restrict two)
{
  const __m256i m0 = _mm256_set1_epi64x(multiplier[0]), m1 = _mm256_set1_epi64x(multiplier[1]);
  const __m256i low = _mm256_set1_epi64x(0xffffffff);
  for (int i = 0; i < n; i += 8) {
    __m256i c[2][4];
    for (int j = 0; j < 2; j++) {
      c[j][0] = _mm256_add_epi64(_mm256_set1_epi64x(first + (uint32_t)i + 4 * (uint32_t)j),
                                 _mm256_set_epi64x(3, 2, 1, 0));
      for (int w = 1; w < 4; w++)
        c[j][w] = _mm256_set1_epi64x(s.counter[w]);
    }
    uint32_t k0 = s.key[0], k1 = s.key[1];
    for (int round = 0; round < 10; round++) {
      for (int j = 0; j < 2; j++) {
        __m256i a = _mm256_mul_epu32(m0, c[j][0]), b = _mm256_mul_epu32(m1, c[j][2]);
        __m256i x = _mm256_xor_si256(c[j][1], _mm256_set1_epi64x(k0));
        __m256i y = _mm256_xor_si256(c[j][3], _mm256_set1_epi64x(k1));
        c[j][0] = _mm256_xor_si256(_mm256_srli_epi64(b, 32), x);
        c[j][2] = _mm256_xor_si256(_mm256_srli_epi64(a, 32), y);
        c[j][1] = b;
        c[j][3] = a;
      }
      k0 += bump[0];
      k1 += bump[1];
    }
    for (int j = 0; j < 2; j++) {
      __m256i h1 = _mm256_slli_epi64(c[j][1], 32), h2 = _mm256_slli_epi64(c[j][3], 32);
      __m256i *to1 = (__m256i *)(one + i) + j, *to2 = (__m256i *)(two + i) + j;
      _mm256_store_si256(to1, _mm256_or_si256(h1, _mm256_and_si256(c[j][0], low)));
      _mm256_store_si256(to2, _mm256_or_si256(h2, _mm256_and_si256(c[j][2], low)));
    }
  }
}
#endif

#ifdef HAS_V4
__attribute__((target("arch=x86-64-v4"))) static void words_avx512(struct stream s, uint32_t first,
                                                                   int n, uint64_t *restrict one,
                                                                   uint64_t *restrict two)
{
  const __m512i m0 = _mm512_set1_epi64(multiplier[0]), m1 = _mm512_set1_epi64(multiplier[1]);
  const __m512i low = _mm512_set1_epi64(0xffffffff);
  for (int i = 0; i < n; i += 32) {
    __m512i c[4][4];
    for (int j = 0; j < 4; j++) {
      c[j][0] = _mm512_add_epi64(_mm512_set1_epi64(first + (uint32_t)i + 8 * (uint32_t)j),
                                 _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
      for (int w = 1; w < 4; w++)
        c[j][w] = _mm512_set1_epi64(s.counter[w]);
    }
    uint32_t k0 = s.key[0], k1 = s.key[1];
    for (int round = 0; round < 10; round++) {
      for (int j = 0; j < 4; j++) {
        __m512i a = _mm512_mul_epu32(m0, c[j][0]), b = _mm512_mul_epu32(m1, c[j][2]);
        __m512i x = _mm512_xor_si512(c[j][1], _mm512_set1_epi64(k0));
        __m512i y = _mm512_xor_si512(c[j][3], _mm512_set1_epi64(k1));
        c[j][0] = _mm512_xor_si512(_mm512_srli_epi64(b, 32), x);
        c[j][2] = _mm512_xor_si512(_mm512_srli_epi64(a, 32), y);
        c[j][1] = b;
        c[j][3] = a;
      }
      k0 += bump[0];
      k1 += bump[1];
    }
    for (int j = 0; j < 4; j++) {
      __m512i h1 = _mm512_slli_epi64(c[j][1], 32), h2 = _mm512_slli_epi64(c[j][3], 32);
      _mm512_store_si512(one + i + 8 * j, _mm512_or_si512(h1, _mm512_and_si512(c[j][0], low)));
      _mm512_store_si512(two + i + 8 * j, _mm512_or_si512(h2, _mm512_and_si512(c[j][2], low)));
    }
  }
}
#endif

static void words(struct stream s, uint32_t first, int n, uint64_t *one, uint64_t *two)
{
#ifdef HAS_V4
  if (HAS_V4) {
    words_avx512(s, first, n, one, two);
    return;
  }
#endif
#ifdef HAS_V3
  if (HAS_V3) {
    words_avx2(s, first, n, one, two);
    return;
  }
#endif
#ifdef HAS_PLAIN
  words_plain(s, first, n, one, two);
#endif
}

/* 1 + the top 52 bits as a fraction: in [1, 2). */
static inline double one_and_fraction(uint64_t bits)
{
  return dun_from_bits(bits >> 12 | 0x3ff0000000000000u);
}

DUN_CLONES static void box_muller(int columns, const uint64_t *restrict one,
                                  const uint64_t *restrict two, double *restrict out)
{
  one = DUN_ALIGNED(one);
  two = DUN_ALIGNED(two);
  out = DUN_ALIGNED(out);
  for (int c = 0; c < columns; c++)
    for (int l = 0; l < HALF; l++) {
      double radius = __builtin_sqrt(-2 * dun_log_normal(2 - one_and_fraction(one[HALF * c + l])));
      double sine, cosine;
      dun_sincos2pi(one_and_fraction(two[HALF * c + l]), &sine, &cosine);
      out[2 * HALF * c + l] = radius * cosine;
      out[2 * HALF * c + HALF + l] = radius * sine;
    }
}

DUN_CLONES static void fractions(int columns, const uint64_t *restrict one,
                                 const uint64_t *restrict two, double *restrict out)
{
  one = DUN_ALIGNED(one);
  two = DUN_ALIGNED(two);
  out = DUN_ALIGNED(out);
  for (int c = 0; c < columns; c++)
    for (int l = 0; l < HALF; l++) {
      out[2 * HALF * c + l] = 2 - one_and_fraction(one[HALF * c + l]);
      out[2 * HALF * c + HALF + l] = 2 - one_and_fraction(two[HALF * c + l]);
    }
}

typedef void transform(int, const uint64_t *, const uint64_t *, double *);

static void fill(struct dun_address address, int64_t first, int columns, double *out,
                 transform *from_words)
{
  _Alignas(64) uint64_t one[WORDS], two[WORDS];
  struct stream s = stream_of(address);
  for (int c = 0; c < columns; c += CHUNK) {
    int n = columns - c < CHUNK ? columns - c : CHUNK;
    words(s, HALF * (uint32_t)(first + c), HALF * n, one, two);
    from_words(n, one, two, out + 2 * HALF * (int64_t)c);
  }
}

void dun_normals(struct dun_address address, int columns, double *out)
{
  fill(address, 0, columns, out, box_muller);
}

void dun_normals_from(struct dun_address address, int64_t first, int columns, double *out)
{
  fill(address, first, columns, out, box_muller);
}

void dun_uniforms(struct dun_address address, int columns, double *out)
{
  fill(address, 0, columns, out, fractions);
}

double dun_uniform_one(struct dun_address address, int64_t index)
{
  struct stream s = stream_of(address);
  uint32_t word[4];
  int second = (index & HALF) != 0;
  s.counter[0] = (uint32_t)(index / (2 * HALF) * HALF + index % HALF);
  dun_philox(s.counter, s.key, word);
  return 2 - one_and_fraction((uint64_t)word[2 * second + 1] << 32 | word[2 * second]);
}
