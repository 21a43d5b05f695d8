/* One micro-kernel of `rows` rows by `vectors` vectors, whose sums stay in registers, in three
 * forms with equal numbers: plain, AVX2 and AVX-512 (the compiler does not keep a block of sums in
 * registers by itself). */
#include "numerics/tile_product.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/real.h"

#if defined(DUN_DISPATCH)
#include <immintrin.h>
#define HAS_V4 __builtin_cpu_supports("x86-64-v4")
#define HAS_V3 __builtin_cpu_supports("x86-64-v3")
#define FOR_V4 __attribute__((target("arch=x86-64-v4")))
#define FOR_V3 __attribute__((target("arch=x86-64-v3")))
#elif defined(__AVX512F__)
#include <immintrin.h>
#define HAS_V4 1
#define FOR_V4
#elif defined(__AVX2__)
#include <immintrin.h>
#define HAS_V3 1
#define FOR_V3
#endif

#ifdef DUN_SINGLE
#define V4(name) _mm512_##name##_ps
#define V3(name) _mm256_##name##_ps
#define V4_TYPE  __m512
#define V3_TYPE  __m256
#else
#define V4(name) _mm512_##name##_pd
#define V3(name) _mm256_##name##_pd
#define V4_TYPE  __m512d
#define V3_TYPE  __m256d
#endif

enum { ROWS = 6 };

struct job {
  int m, k, n;
  const dun_real *w;
  int64_t row, step;
  const dun_real *x, *bias;
  int add;
  dun_real *y;
};

/* name_block: rows i .. i + rows - 1 of columns c .. c + vectors * width - 1; name_panel: all rows
 * of these columns.  Both are always called with constants. */
#define FORM(name, TARGET, VECTOR, OP, width)                                                      \
  TARGET DUN_INLINE void name##_block(const int rows, const int vectors,                           \
                                      const struct job *restrict j, int i, int64_t c)              \
  {                                                                                                \
    VECTOR sum[ROWS][4], x[4];                                                                     \
    const dun_real *restrict w = j->w + i * j->row, *restrict from = j->x + c;                     \
    dun_real *restrict y = j->y + (int64_t)i * j->n + c;                                           \
    const int64_t n = j->n, row = j->row, step = j->step;                                          \
    _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                                         \
        _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++) sum[r][v] =                      \
            j->add ? OP(load)(y + r * n + v * width) : OP(set1)(j->bias ? j->bias[i + r] : 0);     \
    for (int k = 0; k < j->k; k++, w += step, from += n) {                                         \
      _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++) x[v] = OP(load)(from + v * width); \
      _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                                       \
      {                                                                                            \
        VECTOR one = OP(set1)(w[r * row]);                                                         \
        _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++) sum[r][v] =                      \
            OP(fmadd)(one, x[v], sum[r][v]);                                                       \
      }                                                                                            \
    }                                                                                              \
    _Pragma("GCC unroll 8") for (int r = 0; r < rows; r++)                                         \
        _Pragma("GCC unroll 4") for (int v = 0; v < vectors; v++)                                  \
            OP(store)(y + r * n + v * width, sum[r][v]);                                           \
  }                                                                                                \
  TARGET DUN_INLINE void name##_panel(const int vectors, const struct job *j, int64_t c)           \
  {                                                                                                \
    int i = 0;                                                                                     \
    for (; i + ROWS <= j->m; i += ROWS)                                                            \
      name##_block(ROWS, vectors, j, i, c);                                                        \
    switch (j->m - i) {                                                                            \
    case 5: name##_block(5, vectors, j, i, c); break;                                              \
    case 4: name##_block(4, vectors, j, i, c); break;                                              \
    case 3: name##_block(3, vectors, j, i, c); break;                                              \
    case 2: name##_block(2, vectors, j, i, c); break;                                              \
    case 1: name##_block(1, vectors, j, i, c); break;                                              \
    default: break;                                                                                \
    }                                                                                              \
  }

#ifdef HAS_V4
enum { V4_WIDTH = 64 / sizeof(dun_real) };
FORM(v4, FOR_V4, V4_TYPE, V4, V4_WIDTH)

FOR_V4 static void product_v4(const struct job *j)
{
  int64_t c = 0;
  for (; c + 4 * V4_WIDTH <= j->n; c += 4 * V4_WIDTH)
    v4_panel(4, j, c);
  for (; c + 2 * V4_WIDTH <= j->n; c += 2 * V4_WIDTH)
    v4_panel(2, j, c);
  if (c < j->n)
    v4_panel(1, j, c);
}
#endif

#ifdef HAS_V3
enum { V3_WIDTH = 32 / sizeof(dun_real) };
FORM(v3, FOR_V3, V3_TYPE, V3, V3_WIDTH)

FOR_V3 static void product_v3(const struct job *j)
{
  for (int64_t c = 0; c < j->n; c += 2 * V3_WIDTH)
    v3_panel(2, j, c);
}
#endif

#if defined(DUN_DISPATCH) || (!defined(HAS_V3) && !defined(HAS_V4))
#define HAS_PLAIN
DUN_CLONES static void product_plain(const struct job *j)
{
  for (int64_t i = 0; i < j->m; i++) {
    dun_real *restrict y = j->y + i * j->n;
    if (!j->add)
      for (int c = 0; c < j->n; c++)
        y[c] = j->bias ? j->bias[i] : 0;
    for (int64_t k = 0; k < j->k; k++) {
      const dun_real w = j->w[i * j->row + k * j->step], *restrict x = j->x + k * j->n;
      for (int c = 0; c < j->n; c++)
        y[c] = DUN_REAL_FMA(w, x[c], y[c]);
    }
  }
}
#endif

void DUN_REAL(dun_tile_product)(int m, int k, int n, const dun_real *w, int64_t row, int64_t step,
                                const dun_real *x, const dun_real *bias, int add, dun_real *y)
{
  const struct job job = {m, k, n, w, row, step, x, bias, add, y};
#ifdef HAS_V4
  if (HAS_V4) {
    product_v4(&job);
    return;
  }
#endif
#ifdef HAS_V3
  if (HAS_V3) {
    product_v3(&job);
    return;
  }
#endif
#ifdef HAS_PLAIN
  product_plain(&job);
#endif
}

/* In squares, of which the rows that are read and those that are written stay in the first-level
 * cache. */
DUN_CLONES void DUN_REAL(dun_tile_turn)(int k, int n, const dun_real *restrict x,
                                        dun_real *restrict turned)
{
  enum { SQUARE = DUN_TILE_PRODUCT_STEP };
  for (int64_t i = 0; i < n; i += SQUARE) {
    int rows = k - i < SQUARE ? (int)(k - i) : SQUARE;
    for (int64_t l = 0; l < DUN_LANES; l += SQUARE)
      for (int b = 0; b < SQUARE; b++) {
        for (int a = 0; a < rows; a++)
          turned[(l + b) * n + i + a] = x[(i + a) * DUN_LANES + l + b];
        for (int a = rows > 0 ? rows : 0; a < SQUARE; a++)
          turned[(l + b) * n + i + a] = 0;
      }
  }
}
