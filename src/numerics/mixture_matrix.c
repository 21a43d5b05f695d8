/* Mixtures of isotropic Gaussians under the tilt exp(<h, x> - <x, M x> / 2) of a matrix.
 *
 * All is told from the centre c, and from where a Gaussian of a small precision P about it would
 * lie: with b = h - M c, u = (M + P)^-1 b.  Of component k, of precision p and mean c + a, A = M +
 * p, the tilted mean is c + u + w with
 *
 *   A w = r = p a - (p - P) u,
 *   log mass = <h + b, c> / 2 + <b, u> / 2 + P |u|^2 / 2
 *              + log weight + log(det p / det A) / 2 + <r, A^-1 r> / 2 - p |a - u|^2 / 2,
 *
 * in which nothing large cancels: where M is wide the last term is the density at the point. */
#include "base/vmath.h"
#include "numerics/mixture.h"
#include "numerics/packed.h"
#include <math.h>

enum { L = DUN_LANES };

/* Scratch of a tile. */
struct tile {
  int first, end;         /* components that take part */
  double *share;          /* [K][64] */
  double *u, *r, *normal; /* [d][64]: u; of a component, r and w; of a draw */
  double factored;        /* the precision of `spare`; 0: none */
  double log_root[L] __attribute__((aligned(64))); /* of its factor */
  double log_mass[L] __attribute__((aligned(64))); /* what components have in common */
  double top[L] __attribute__((aligned(64)));
  double sum[L] __attribute__((aligned(64)));
};

int dun_mixture_tilted_matrix_columns(const struct dun_mixture *m)
{
  return m->components + 3 * m->dimension;
}

/* spare = the factor of M + p. */
static void factor(const struct dun_mixture *m, const struct dun_tilted *t, double p,
                   struct tile *tile)
{
  int64_t d = m->dimension, entries = DUN_PACKED(d);
  if (tile->factored == p)
    return;
  memcpy(t->spare, t->precision, (size_t)(entries * L) * sizeof *t->spare);
  for (int64_t i = 0; i < d; i++)
    for (int l = 0; l < L; l++)
      t->spare[(DUN_PACKED(i) + i) * L + l] += p;
  dun_packed_cholesky((int)d, t->spare, tile->log_root);
  tile->factored = p;
}

/* u, and what masses have in common. */
DUN_CLONES static void set_out(const struct dun_mixture *m, const struct dun_tilted *t,
                               struct tile *tile)
{
  int64_t d = m->dimension;
  double *b = tile->r, *c = tile->normal;
  for (int64_t i = 0; i < d * L; i++) {
    c[i] = m->centre[i / L];
    b[i] = t->h[i];
  }
  dun_packed_multiply((int)d, t->precision, -1, c, b);
  factor(m, t, m->wide, tile);
  memcpy(tile->u, b, (size_t)(d * L) * sizeof *b);
  dun_packed_solve((int)d, t->spare, tile->u);
  dun_packed_solve_transposed((int)d, t->spare, tile->u);
  memset(tile->log_mass, 0, sizeof tile->log_mass);
  for (int64_t i = 0; i < d * L; i++) {
    double common = (t->h[i] + b[i]) * c[i] + (b[i] + m->wide * tile->u[i]) * tile->u[i];
    tile->log_mass[i % L] = DUN_FMA(.5, common, tile->log_mass[i % L]);
  }
}

/* r of component k; unless NULL, distance[64] = |a - u|^2. */
DUN_CLONES static void set_right_side(const struct dun_mixture *m, int64_t k, struct tile *tile,
                                      double *restrict distance)
{
  int64_t d = m->dimension;
  double p = m->precision[k], P = m->wide;
  for (int l = 0; l < L && distance; l++)
    distance[l] = 0;
  for (int64_t j = 0; j < d; j++) {
    const double *restrict u = tile->u + j * L;
    double *restrict r = tile->r + j * L, a = m->mean[k * d + j] - m->centre[j];
    for (int l = 0; l < L; l++)
      r[l] = DUN_FMA(P - p, u[l], p * a);
    for (int l = 0; l < L && distance; l++)
      distance[l] = DUN_FMA(a - u[l], a - u[l], distance[l]);
  }
}

/* share[k][64]: logs of the components' parts of the mass, then the parts, of sum `sum`. */
DUN_CLONES static void set_shares(const struct dun_mixture *m, const struct dun_tilted *t,
                                  struct tile *tile)
{
  int64_t d = m->dimension;
  double distance[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++) {
    tile->top[l] = -1e300;
    tile->sum[l] = 0;
  }
  for (int k = tile->first; k < tile->end; k++) {
    double *restrict s = tile->share + (int64_t)k * L, p = m->precision[k];
    double own = m->log_weight[k] + .5 * (double)d * dun_log(p);
    factor(m, t, p, tile);
    set_right_side(m, k, tile, distance);
    dun_packed_solve((int)d, t->spare, tile->r);
    for (int l = 0; l < L; l++)
      s[l] = DUN_FMA(-.5 * p, distance[l], own - tile->log_root[l]);
    for (int64_t i = 0; i < d; i++)
      for (int l = 0; l < L; l++)
        s[l] = DUN_FMA(.5 * tile->r[i * L + l], tile->r[i * L + l], s[l]);
    for (int l = 0; l < L; l++)
      tile->top[l] = s[l] > tile->top[l] ? s[l] : tile->top[l];
  }
  for (int k = tile->first; k < tile->end; k++) {
    double *restrict s = tile->share + (int64_t)k * L;
    for (int l = 0; l < L; l++) {
      s[l] = dun_exp_weight(s[l] - tile->top[l]);
      tile->sum[l] += s[l];
    }
  }
}

/* The components that the uniforms pick. */
static void pick(const struct tile *tile, const double *uniform, int component[L])
{
  double sum[L] = {0};
  for (int l = 0; l < L; l++)
    component[l] = tile->first;
  for (int k = tile->first; k < tile->end - 1; k++)
    for (int l = 0; l < L; l++) {
      sum[l] += tile->share[(int64_t)k * L + l];
      component[l] += uniform[l] * tile->sum[l] > sum[l];
    }
}

/* Of component k its part of the mean and of the squares, and of lanes that picked it the draw:
 * all less c + u. */
DUN_CLONES static void add_component(const struct dun_mixture *m, const struct dun_tilted *t, int k,
                                     const int component[L], struct tile *tile)
{
  int64_t d = m->dimension;
  double *w = tile->r, part[L] __attribute__((aligned(64)));
  set_right_side(m, k, tile, NULL);
  dun_packed_solve((int)d, t->spare, w);
  dun_packed_solve_transposed((int)d, t->spare, w);
  for (int l = 0; l < L; l++)
    part[l] = tile->share[(int64_t)k * L + l] / tile->sum[l];
  for (int64_t i = 0; i < d * L; i++)
    t->mean[i] = DUN_FMA(part[i % L], w[i], t->mean[i]);
  dun_packed_add_outer((int)d, part, w, t->covariance);
  for (int64_t i = 0; i < d * L && t->draw; i++)
    if (component[i % L] == k)
      t->draw[i] = w[i] + tile->normal[i];
}

/* Components first <= k < end of one precision, one after the other, of which lanes have `part` in
 * all: their law's covariance, too. */
DUN_CLONES static void add_group(const struct dun_mixture *m, const struct dun_tilted *t, int first,
                                 int end, const int component[L], struct tile *tile)
{
  int64_t d = m->dimension;
  double all[L] = {0};
  factor(m, t, m->precision[first], tile);
  if (t->draw) {
    memcpy(tile->normal, t->normal, (size_t)(d * L) * sizeof *t->normal);
    dun_packed_solve_transposed((int)d, t->spare, tile->normal);
  }
  for (int k = first; k < end; k++) {
    add_component(m, t, k, component, tile);
    for (int l = 0; l < L; l++)
      all[l] += tile->share[(int64_t)k * L + l] / tile->sum[l];
  }
  dun_packed_inverse((int)d, t->spare);
  tile->factored = 0;
  for (int64_t i = 0; i < DUN_PACKED(d) * L; i++)
    t->covariance[i] = DUN_FMA(all[i % L], t->spare[i], t->covariance[i]);
}

/* Less the square of the mean; then all from 0 and no more from c + u. */
static void finish(const struct dun_mixture *m, const struct dun_tilted *t, const struct tile *tile)
{
  int64_t d = m->dimension;
  double less[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    less[l] = -1;
  dun_packed_add_outer((int)d, less, t->mean, t->covariance);
  for (int64_t i = 0; i < d * L; i++) {
    double from = m->centre[i / L] + tile->u[i];
    t->mean[i] += from;
    if (t->draw)
      t->draw[i] += from;
  }
  for (int l = 0; l < L && t->spread; l++) {
    t->spread[l] = 0;
    for (int64_t i = 0; i < d; i++)
      t->spread[l] += t->covariance[(DUN_PACKED(i) + i) * L + l];
  }
}

DUN_CLONES static void write_mass(const struct tile *tile, double *restrict mass)
{
  for (int l = 0; l < L; l++)
    mass[l] = tile->log_mass[l] + tile->top[l] + dun_log(tile->sum[l]);
}

void dun_mixture_tilted_matrix(const struct dun_mixture *m, const struct dun_tilted *t,
                               double *work)
{
  int64_t d = m->dimension;
  int component[L];
  struct tile tile = {.first = t->label > 0 ? t->label - 1 : 0,
                      .end = t->label > 0 ? t->label : m->components,
                      .share = work};
  tile.u = work + (int64_t)m->components * L;
  tile.r = tile.u + d * L;
  tile.normal = tile.r + d * L;
  set_out(m, t, &tile);
  set_shares(m, t, &tile);
  if (t->log_mass)
    write_mass(&tile, t->log_mass);
  if (t->draw)
    pick(&tile, t->uniform, component);
  memset(t->mean, 0, (size_t)(d * L) * sizeof *t->mean);
  memset(t->covariance, 0, (size_t)(DUN_PACKED(d) * L) * sizeof *t->covariance);
  for (int k = tile.first, end; k < tile.end; k = end) {
    for (end = k + 1; end < tile.end && m->precision[end] == m->precision[k]; end++)
      ;
    add_group(m, t, k, end, component, &tile);
  }
  finish(m, t, &tile);
}
