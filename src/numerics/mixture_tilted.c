/* Mixtures of isotropic Gaussians under a tilt.
 *
 * With component k of precision p and mean m, q = p + lambda, the tilted component is
 * N((p m + h) / q, 1 / q), and its mass is w (p / q)^(d/2) exp((|h|^2 + 2 p <m, h> - p lambda
 * |m|^2) / 2q), in which large numbers cancel where lambda is large.  So masses are counted from
 * that of a Gaussian of the centre c and a small precision P, whose tilted mean is e = (h + P c) /
 * (lambda + P):
 *
 *   log mass = <h, c> - lambda |c|^2 / 2 + (lambda / 2 + P) |e - c|^2 + own
 *              - p (lambda + P) / 2q |m - e|^2 + P (P - p) / 2q |e - c|^2
 *   own = log w - d/2 log(1 + lambda / p) + P p / 2q |m - c|^2
 *
 * of which only the terms after the first three are the component's. */
#include "base/vmath.h"
#include "numerics/mixture.h"
#include <math.h>

enum { L = DUN_LANES, BLOCK = 32, TERMS = 3 };

#define LOWEST (-1e300) /* no number stands for this one */

/* Scratch of a tile. */
struct tile {
  int first, end;                                     /* components that take part */
  double away[L] __attribute__((aligned(64)));        /* |e - c|^2 */
  double common[L] __attribute__((aligned(64)));      /* of log masses */
  double top[L] __attribute__((aligned(64)));         /* the largest of the others */
  double sum[L] __attribute__((aligned(64)));         /* of the shares, relative to it */
  double inverse[L] __attribute__((aligned(64)));     /* sum of share / q */
  double term[TERMS][L] __attribute__((aligned(64))); /* factor of |m - e|^2, own, of |e - c|^2 */
};

/* e[d][64], and what follows from it. */
DUN_CLONES static void set_point(const struct dun_mixture *m, const struct dun_tilted *t,
                                 double *restrict e, struct tile *restrict tile)
{
  double inverse[L] __attribute__((aligned(64))), linear[L] __attribute__((aligned(64)));
  double square = 0;
  for (int l = 0; l < L; l++) {
    inverse[l] = 1 / (t->lambda[l] + m->wide);
    tile->away[l] = linear[l] = 0;
  }
  for (int64_t j = 0; j < m->dimension; j++) {
    const double *restrict h = DUN_ALIGNED(t->h + j * L);
    double c = m->centre[j];
    square = DUN_FMA(c, c, square);
    for (int l = 0; l < L; l++) {
      double away = DUN_FMA(-t->lambda[l], c, h[l]) * inverse[l];
      e[j * L + l] = c + away;
      tile->away[l] = DUN_FMA(away, away, tile->away[l]);
      linear[l] = DUN_FMA(h[l], c, linear[l]);
    }
  }
  for (int l = 0; l < L; l++) {
    double lambda = t->lambda[l];
    tile->common[l] = linear[l] - .5 * lambda * square + (.5 * lambda + m->wide) * tile->away[l];
  }
}

/* The terms of component k at the first `lanes` lambdas. */
DUN_INLINE void set_terms(const struct dun_mixture *m, int k, int lanes, const double *lambda,
                          double (*restrict term)[L])
{
  double p = m->precision[k], P = m->wide, log_weight = dun_log(m->weight[k]);
  for (int l = 0; l < lanes; l++) {
    double half = .5 / (p + lambda[l]);
    term[0][l] = -p * (lambda[l] + P) * half;
    term[1][l] =
        log_weight - .5 * m->dimension * dun_log1p(lambda[l] / p) + P * p * half * m->square[k];
    term[2][l] = P * (P - p) * half;
  }
}

/* q += |m - e|^2 over `count` coordinates. */
DUN_INLINE void add_distance(int count, const double *restrict e, const double *restrict m,
                             double *restrict q)
{
  int j = 0;
  for (; j < count % 4; j++)
    for (int l = 0; l < L; l++) {
      double s = e[j * L + l] - m[j];
      q[l] = DUN_FMA(s, s, q[l]);
    }
  for (; j < count; j += 4) {
    const double *restrict y = DUN_ALIGNED(e + (int64_t)j * L);
    double m0 = m[j], m1 = m[j + 1], m2 = m[j + 2], m3 = m[j + 3];
    for (int l = 0; l < L; l++) {
      double s = y[l] - m0, t = y[L + l] - m1, u = y[2 * L + l] - m2, v = y[3 * L + l] - m3;
      q[l] = DUN_FMA(v, v, DUN_FMA(u, u, DUN_FMA(t, t, DUN_FMA(s, s, q[l]))));
    }
  }
}

/* share[K][64] = squared distances, some coordinates of all components at a time. */
DUN_CLONES static void set_distances(const struct dun_mixture *m, int first, int end,
                                     const double *restrict e, double *restrict share)
{
  memset(share + (int64_t)first * L, 0, (size_t)(end - first) * L * sizeof *share);
  for (int j = 0; j < m->dimension; j += BLOCK)
    for (int k = first; k < end; k++)
      add_distance(m->dimension - j < BLOCK ? m->dimension - j : BLOCK, e + (int64_t)j * L,
                   m->mean + (int64_t)k * m->dimension + j, DUN_ALIGNED(share + (int64_t)k * L));
}

/* Squared distances become log masses; step 0: all lanes have the terms of the first. */
DUN_INLINE void weigh(int step, struct tile *restrict tile, double *restrict s)
{
  const double *restrict a = tile->term[0], *restrict own = tile->term[1];
  const double *restrict b = tile->term[2];
  for (int l = 0; l < L; l++) {
    double value = DUN_FMA(a[l * step], s[l], DUN_FMA(b[l * step], tile->away[l], own[l * step]));
    s[l] = value > LOWEST ? value : LOWEST;
    tile->top[l] = s[l] > tile->top[l] ? s[l] : tile->top[l];
  }
}

static int all_alike(const double *lambda)
{
  int alike = 1;
  for (int l = 1; l < L; l++)
    alike &= lambda[l] == lambda[0];
  return alike;
}

/* Squared distances become parts of the mass, of sum 1. */
DUN_CLONES static void set_shares(const struct dun_mixture *m, const double *lambda,
                                  struct tile *restrict tile, double *restrict share)
{
  int alike = all_alike(lambda);
  for (int l = 0; l < L; l++) {
    tile->top[l] = LOWEST;
    tile->sum[l] = 0;
  }
  for (int k = tile->first; k < tile->end; k++) {
    double *restrict s = DUN_ALIGNED(share + (int64_t)k * L);
    set_terms(m, k, alike ? 1 : L, lambda, tile->term);
    if (alike)
      weigh(0, tile, s);
    else
      weigh(1, tile, s);
  }
  for (int k = tile->first; k < tile->end; k++) {
    double *restrict s = DUN_ALIGNED(share + (int64_t)k * L);
    for (int l = 0; l < L; l++) {
      s[l] = dun_exp_weight(s[l] - tile->top[l]);
      tile->sum[l] += s[l];
    }
  }
}

DUN_CLONES static void write_mass(const struct tile *tile, double *restrict mass)
{
  for (int l = 0; l < L; l++)
    mass[l] = tile->common[l] + tile->top[l] + dun_log_normal(tile->sum[l]);
}

/* Shares become factors of the means, share p / q. */
DUN_CLONES static void set_factors(const struct dun_mixture *m, const double *restrict lambda,
                                   struct tile *restrict tile, double *restrict share)
{
  for (int l = 0; l < L; l++) {
    tile->sum[l] = 1 / tile->sum[l];
    tile->inverse[l] = 0;
  }
  for (int k = tile->first; k < tile->end; k++) {
    double *restrict s = DUN_ALIGNED(share + (int64_t)k * L);
    double p = m->precision[k];
    for (int l = 0; l < L; l++) {
      double part = s[l] * tile->sum[l] / (p + lambda[l]);
      s[l] = p * part;
      tile->inverse[l] += part;
    }
  }
}

/* out += sum of the factors of four components times their means in one coordinate. */
DUN_INLINE void add_four(const double *restrict s, const double *restrict m, int64_t d,
                         double *restrict out)
{
  double m0 = m[0], m1 = m[d], m2 = m[2 * d], m3 = m[3 * d];
  for (int l = 0; l < L; l++)
    out[l] = DUN_FMA(s[3 * L + l], m3,
                     DUN_FMA(s[2 * L + l], m2, DUN_FMA(s[L + l], m1, DUN_FMA(s[l], m0, out[l]))));
}

DUN_CLONES static void write_mean(const struct dun_mixture *m, const struct dun_tilted *t,
                                  const struct tile *tile, const double *restrict share)
{
  int64_t d = m->dimension;
  for (int64_t j = 0; j < d; j++) {
    const double *restrict h = DUN_ALIGNED(t->h + j * L);
    double *restrict out = DUN_ALIGNED(t->mean + j * L);
    int k = tile->first;
    for (int l = 0; l < L; l++)
      out[l] = h[l] * tile->inverse[l];
    for (; (tile->end - k) % 4; k++)
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(share[(int64_t)k * L + l], m->mean[k * d + j], out[l]);
    for (; k < tile->end; k += 4)
      add_four(DUN_ALIGNED(share + (int64_t)k * L), m->mean + k * d + j, d, out);
  }
}

/* The variance within and between components. */
DUN_CLONES static void write_spread(const struct dun_mixture *m, const struct dun_tilted *t,
                                    const struct tile *tile, const double *restrict share)
{
  int64_t d = m->dimension;
  double square[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    t->spread[l] = (double)d * tile->inverse[l];
  for (int k = tile->first; k < tile->end; k++) {
    double p = m->precision[k];
    memset(square, 0, sizeof square);
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < L; l++) {
        double own = DUN_FMA(p, m->mean[k * d + j], t->h[j * L + l]) / (p + t->lambda[l]);
        double away = own - t->mean[j * L + l];
        square[l] = DUN_FMA(away, away, square[l]);
      }
    for (int l = 0; l < L; l++)
      t->spread[l] += share[(int64_t)k * L + l] * (p + t->lambda[l]) / p * square[l];
  }
}

/* The components that the uniforms pick, before shares are factors. */
DUN_CLONES static void pick(const struct tile *tile, const double *uniform, const double *share,
                            int64_t component[L])
{
  double sum[L] = {0};
  for (int l = 0; l < L; l++)
    component[l] = tile->first;
  for (int k = tile->first; k < tile->end - 1; k++)
    for (int l = 0; l < L; l++) {
      sum[l] += share[(int64_t)k * L + l];
      component[l] += uniform[l] * tile->sum[l] > sum[l];
    }
}

DUN_CLONES static void write_draw(const struct dun_mixture *m, const struct dun_tilted *t,
                                  const int64_t component[L])
{
  int64_t d = m->dimension;
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double p = m->precision[component[l]], q = p + t->lambda[l];
      double mean = DUN_FMA(p, m->mean[component[l] * d + j], t->h[i]) / q;
      t->draw[i] = DUN_FMA(1 / sqrt(q), t->normal[i], mean);
    }
}

void dun_mixture_tilted(const struct dun_mixture *m, const struct dun_tilted *t, double *work)
{
  int64_t component[L];
  struct tile tile = {.first = t->label > 0 ? t->label - 1 : 0,
                      .end = t->label > 0 ? t->label : m->components};
  set_point(m, t, t->mean, &tile);
  set_distances(m, tile.first, tile.end, t->mean, work);
  set_shares(m, t->lambda, &tile, work);
  if (t->log_mass)
    write_mass(&tile, t->log_mass);
  if (t->draw)
    pick(&tile, t->uniform, work, component);
  set_factors(m, t->lambda, &tile, work);
  write_mean(m, t, &tile, work);
  if (t->spread)
    write_spread(m, t, &tile, work);
  if (t->draw)
    write_draw(m, t, component);
}
