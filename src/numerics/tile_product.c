/* One micro-kernel of `rows` rows by `vectors` vectors, whose sums stay in registers, in three
 * forms with equal numbers: plain, AVX2 and AVX-512 (the compiler does not keep a block of sums in
 * registers by itself). */
#include "numerics/tile_product.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/real.h"
#include <string.h>

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

/* ---- transposes ------------------------------------------------------------------------------ */

/* A square of numbers, a register in each row: halves of rows change places, then quarters in each
 * half, and so on. */
#ifdef DUN_SINGLE
enum { SIDE = 16 };
#define SWAP_8(a, b)                                                                               \
  SWAP(a, b, (0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),                             \
       (8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#define SWAP_4(a, b)                                                                               \
  SWAP(a, b, (0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),                           \
       (4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
#define SWAP_2(a, b)                                                                               \
  SWAP(a, b, (0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),                           \
       (2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
#define SWAP_1(a, b)                                                                               \
  SWAP(a, b, (0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),                          \
       (1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
#else
enum { SIDE = 8 };
#define SWAP_4(a, b) SWAP(a, b, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15))
#define SWAP_2(a, b) SWAP(a, b, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15))
#define SWAP_1(a, b) SWAP(a, b, (0, 8, 2, 10, 4, 12, 6, 14), (1, 9, 3, 11, 5, 13, 7, 15))
#endif
#define OPEN(...) __VA_ARGS__
#define SWAP(a, b, low, high)                                                                      \
  {                                                                                                \
    const struct row first = a, second = b;                                                        \
    (a).v = __builtin_shufflevector(first.v, second.v, OPEN low);                                  \
    (b).v = __builtin_shufflevector(first.v, second.v, OPEN high);                                 \
  }

struct row {
  dun_real v __attribute__((vector_size(SIDE * sizeof(dun_real))));
};

#define EACH_ROW        _Pragma("GCC unroll 16") for (int i = 0; i < SIDE; i++)
#define SWAP_ALL(apart) EACH_ROW if (!(i & (apart))) SWAP_##apart(r[i], r[i + (apart)])

/* Rows of x[..][64] from `rows` on are zeros. */
DUN_INLINE void turn_square(int rows, int n, const dun_real *restrict x, dun_real *restrict turned)
{
  struct row r[SIDE];
  EACH_ROW r[i] = (struct row){{0}};
  EACH_ROW if (i < rows) memcpy(&r[i], x + (int64_t)i * DUN_LANES, sizeof r[i]);
#ifdef DUN_SINGLE
  SWAP_ALL(8)
#endif
  SWAP_ALL(4) SWAP_ALL(2) SWAP_ALL(1);
  EACH_ROW memcpy(turned + (int64_t)i * n, &r[i], sizeof r[i]);
}

DUN_CLONES void DUN_REAL(dun_tile_turn)(int k, int n, const dun_real *restrict x,
                                        dun_real *restrict turned)
{
  for (int64_t i = 0; i < n; i += SIDE)
    for (int64_t l = 0; l < DUN_LANES; l += SIDE)
      if (k - i >= SIDE)
        turn_square(SIDE, n, x + i * DUN_LANES + l, turned + l * n + i);
      else
        turn_square((int)(k - i), n, x + i * DUN_LANES + l, turned + l * n + i);
}
