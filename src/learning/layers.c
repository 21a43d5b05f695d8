#include "learning/layers.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/real.h"
#include "numerics/tile_product.h"
#include "parallel/sum.h"

enum { L = DUN_LANES };

DUN_CLONES void DUN_REAL(dun_layer_features)(int64_t harmonics, const double *restrict angle,
                                             dun_real *restrict out)
{
  dun_real *restrict sines = out + (harmonics + 1) * L;
  for (int64_t i = 0; i <= harmonics; i++)
    for (int l = 0; l < L; l++) {
      double sine, cosine;
      dun_sincos2pi((double)i * angle[l] * 0x1.45f306dc9c883p-3, &sine, &cosine); /* / (2 pi) */
      out[i * L + l] = (dun_real)cosine;
      sines[i * L + l] = (dun_real)sine;
    }
}

void DUN_REAL(dun_layer_dense)(int m, int k, const dun_real *w, const dun_real *x, dun_real *y)
{
  DUN_REAL(dun_tile_product)(m, k, L, w, k, 1, x, w + (int64_t)m * k, 0, y);
}

/* gradient[m][k] += product[m][padded]. */
DUN_CLONES static void add_product(int64_t m, int64_t k, int64_t padded,
                                   const dun_real *restrict product, double *restrict gradient)
{
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < k; j++)
      gradient[i * k + j] += (double)product[i * padded + j];
}

DUN_CLONES void DUN_REAL(dun_layer_bias_back)(int64_t m, const dun_real *restrict bar,
                                              double *restrict gradient)
{
  for (int64_t i = 0; i < m; i++) {
    double lanes[L];
    for (int l = 0; l < L; l++)
      lanes[l] = (double)bar[i * L + l];
    gradient[i] += dun_fold_lanes(lanes);
  }
}

void DUN_REAL(dun_layer_product_back)(int m, int k, const dun_real *x, const dun_real *bar,
                                      double *gradient, dun_real *scratch)
{
  int padded = (k + DUN_TILE_PRODUCT_STEP - 1) / DUN_TILE_PRODUCT_STEP * DUN_TILE_PRODUCT_STEP;
  dun_real *turned = scratch, *product = scratch + (int64_t)padded * L;
  DUN_REAL(dun_tile_turn)(k, padded, x, turned);
  DUN_REAL(dun_tile_product)(m, L, padded, bar, L, 1, turned, NULL, 0, product);
  add_product(m, k, padded, product, gradient);
}

void DUN_REAL(dun_layer_dense_back)(int m, int k, const dun_real *w, const dun_real *x,
                                    const dun_real *bar, double *gradient, dun_real *back,
                                    dun_real *scratch)
{
  DUN_REAL(dun_layer_product_back)(m, k, x, bar, gradient, scratch);
  DUN_REAL(dun_layer_bias_back)(m, bar, gradient + (int64_t)m * k);
  if (back)
    DUN_REAL(dun_tile_product)(k, m, L, w, 1, k, bar, NULL, 0, back);
}

#ifndef DUN_SINGLE
void dun_layer_dense_draw(int64_t m, int64_t k, struct dun_address address, double *w)
{
  double bound = 1 / __builtin_sqrt((double)k);
  for (int64_t i = 0; i < dun_layer_dense_weights(m, k); i++)
    w[i] = bound * (2 * dun_uniform_one(address, i) - 1);
}
#endif
