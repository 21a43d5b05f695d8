/* Gaussians under the tilt of a matrix: with precision P, mean m and exp(<h, x> - <x, M x> / 2) the
 * law is N(m + (P + M)^-1 (h - M m), (P + M)^-1), each lane by a Cholesky factor of its own. */
#include "base/vmath.h"
#include "numerics/gaussian.h"
#include "numerics/packed.h"

enum { L = DUN_LANES };

/* Entry (i, j <= i) of the precision. */
static double precision_of(const struct dun_gaussian *g, int64_t i, int64_t j)
{
  double by = g->inverse[i] * g->inverse[j];
  if (g->form == DUN_GAUSSIAN_DENSE)
    return g->precision[i * g->stride + j];
  if (g->form == DUN_GAUSSIAN_DIAGONAL)
    return i == j ? by : 0;
  double rho = g->correlation, remaining = g->innovation * g->innovation;
  if (i == j)
    return by *
           (i > 0 && i < g->dimension - 1 ? 1 + rho * rho
            : g->dimension > 1            ? 1
                                          : remaining) /
           remaining;
  return i == j + 1 ? -by * rho / remaining : 0;
}

DUN_CLONES static void add_precision(const struct dun_gaussian *g, const double *matrix,
                                     double *out)
{
  for (int64_t i = 0, e = 0; i < g->dimension; i++)
    for (int64_t j = 0; j <= i; j++, e++) {
      double own = precision_of(g, i, j);
      for (int l = 0; l < L; l++)
        out[e * L + l] = matrix[e * L + l] + own;
    }
}

/* y = h - M m; mass = <h, m> - <m, M m> / 2 = <h + y, m> / 2. */
DUN_CLONES static void set_out(const struct dun_gaussian *g, const struct dun_tilted *t, double *y,
                               double *mass)
{
  int64_t d = g->dimension;
  double *m = t->spare; /* the mean in all lanes: the first d entries */
  for (int64_t i = 0; i < d * L; i++) {
    m[i] = g->mean[i / L];
    y[i] = t->h[i];
  }
  dun_packed_multiply((int)d, t->precision, -1, m, y);
  memset(mass, 0, L * sizeof *mass);
  for (int64_t i = 0; i < d * L; i++)
    mass[i % L] = DUN_FMA(.5 * (t->h[i] + y[i]), m[i], mass[i % L]);
}

/* x = m + F^-T x. */
static void finish(const struct dun_gaussian *g, const double *factor, double *x)
{
  dun_packed_solve_transposed(g->dimension, factor, x);
  for (int64_t i = 0; i < (int64_t)g->dimension * L; i++)
    x[i] += g->mean[i / L];
}

DUN_CLONES void dun_gaussian_tilted_matrix(const struct dun_gaussian *g, const struct dun_tilted *t)
{
  int64_t d = g->dimension;
  double mass[L] __attribute__((aligned(64))), log_root[L] __attribute__((aligned(64)));
  double *factor = t->covariance, *y = t->mean, half = g->log_peak + .5 * (double)d * DUN_LOG_2PI;
  set_out(g, t, y, mass);
  add_precision(g, t->precision, factor);
  dun_packed_cholesky((int)d, factor, log_root);
  dun_packed_solve((int)d, factor, y);
  for (int64_t i = 0; i < d * L; i++)
    mass[i % L] = DUN_FMA(.5 * y[i], y[i], mass[i % L]);
  for (int64_t i = 0; i < d * L && t->draw; i++)
    t->draw[i] = y[i] + t->normal[i];
  if (t->draw)
    finish(g, factor, t->draw);
  finish(g, factor, y);
  dun_packed_inverse((int)d, factor);
  for (int l = 0; l < L && t->log_mass; l++)
    t->log_mass[l] = mass[l] - log_root[l] + half;
  for (int l = 0; l < L && t->spread; l++) {
    t->spread[l] = 0;
    for (int64_t i = 0; i < d; i++)
      t->spread[l] += factor[(DUN_PACKED(i) + i) * L + l];
  }
}
