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

enum { L = DUN_LANES, BLOCK = 32 };
enum { NEAR, OWN, SQUARE, AWAY, TERMS };

#define LOWEST (-1e300) /* no number stands for this one */

/* Scratch of a tile. */
struct tile {
  int first, end;                                     /* components that take part */
  double away[L] __attribute__((aligned(64)));        /* |e - c|^2 */
  double common[L] __attribute__((aligned(64)));      /* of log masses */
  double top[L] __attribute__((aligned(64)));         /* the largest of the others */
  double sum[L] __attribute__((aligned(64)));         /* of the shares, relative to it */
  double inverse[L] __attribute__((aligned(64)));     /* sum of share / q */
  double term[TERMS][L] __attribute__((aligned(64))); /* of one precision */
};

/* Before any coordinate. */
DUN_CLONES static void begin_point(const struct dun_mixture *m, const double *restrict lambda,
                                   struct tile *restrict tile)
{
  for (int l = 0; l < L; l++) {
    tile->inverse[l] = 1 / (lambda[l] + m->wide);
    tile->away[l] = tile->common[l] = 0;
  }
}

/* e of `count` coordinates from the first on, |e - c|^2, <h, c>. */
DUN_CLONES static void add_point(const struct dun_mixture *m, const double *restrict lambda,
                                 int first, int count, const double *restrict h_,
                                 struct tile *restrict tile, double *restrict e_)
{
  for (int64_t j = first; j < first + count; j++) {
    const double *restrict h = DUN_ALIGNED(h_ + j * L);
    double *restrict e = DUN_ALIGNED(e_ + j * L), c = m->centre[j];
    for (int l = 0; l < L; l++) {
      double away = DUN_FMA(-lambda[l], c, h[l]) * tile->inverse[l];
      e[l] = c + away;
      tile->away[l] = DUN_FMA(away, away, tile->away[l]);
      tile->common[l] = DUN_FMA(h[l], c, tile->common[l]);
    }
  }
}

/* Behind all coordinates. */
DUN_CLONES static void end_point(const struct dun_mixture *m, const double *restrict lambda,
                                 struct tile *restrict tile)
{
  double square = 0;
  for (int j = 0; j < m->dimension; j++)
    square = DUN_FMA(m->centre[j], m->centre[j], square);
  for (int l = 0; l < L; l++)
    tile->common[l] =
        tile->common[l] - .5 * lambda[l] * square + (.5 * lambda[l] + m->wide) * tile->away[l];
}

/* What the terms of a component take of its precision, at the first `lanes` lambdas: of the own one
 * that of a weight 1 at the centre, and what |m - c|^2 adds to it. */
DUN_INLINE void set_terms(const struct dun_mixture *m, double p, int lanes, const double *lambda,
                          double (*restrict term)[L])
{
  double P = m->wide;
  for (int l = 0; l < lanes; l++) {
    double half = .5 / (p + lambda[l]);
    term[NEAR][l] = -p * (lambda[l] + P) * half;
    term[OWN][l] = -.5 * m->dimension * dun_log1p(lambda[l] / p);
    term[SQUARE][l] = P * p * half;
    term[AWAY][l] = P * (P - p) * half;
  }
}

/* q += |m - e|^2 over `count` coordinates. */
DUN_INLINE void add_distance(int count, const double *restrict e, const double *restrict m,
                             double *restrict q)
{
  double sum[L] __attribute__((aligned(64))); /* stays in registers */
  for (int l = 0; l < L; l++)
    sum[l] = q[l];
  for (int64_t j = 0; j < count; j++)
    for (int l = 0; l < L; l++) {
      double s = e[j * L + l] - m[j];
      sum[l] = DUN_FMA(s, s, sum[l]);
    }
  for (int l = 0; l < L; l++)
    q[l] = sum[l];
}

/* share[K][64] += squared distances in `count` coordinates from the first on. */
DUN_CLONES static void add_distances(const struct dun_mixture *m, const struct tile *tile,
                                     int first, int count, const double *restrict e,
                                     double *restrict share)
{
  for (int k = tile->first; k < tile->end; k++)
    add_distance(count, e + (int64_t)first * L, m->mean + (int64_t)k * m->dimension + first,
                 DUN_ALIGNED(share + (int64_t)k * L));
}

/* e[d][64] and share[K][64], the squared distances from it. */
static void set_distances(const struct dun_mixture *m, const struct dun_tilted *t,
                          struct tile *tile, double *e, double *share)
{
  memset(share + (int64_t)tile->first * L, 0,
         (size_t)(tile->end - tile->first) * L * sizeof *share);
  begin_point(m, t->lambda, tile);
  for (int j = 0; j < m->dimension; j += BLOCK) {
    int count = m->dimension - j < BLOCK ? m->dimension - j : BLOCK;
    add_point(m, t->lambda, j, count, t->h, tile, e);
    add_distances(m, tile, j, count, e, share);
  }
  end_point(m, t->lambda, tile);
}

/* Squared distances become log masses; step 0: all lanes have the terms of the first. */
DUN_INLINE void weigh(int step, double log_weight, double square, struct tile *restrict tile,
                      double *restrict s)
{
  const double *restrict a = tile->term[NEAR], *restrict own = tile->term[OWN];
  const double *restrict b = tile->term[AWAY], *restrict c = tile->term[SQUARE];
  for (int l = 0; l < L; l++) {
    double all = DUN_FMA(c[l * step], square, own[l * step] + log_weight);
    double value = DUN_FMA(a[l * step], s[l], DUN_FMA(b[l * step], tile->away[l], all));
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
    if (k == tile->first || m->precision[k] != m->precision[k - 1])
      set_terms(m, m->precision[k], alike ? 1 : L, lambda, tile->term);
    if (alike)
      weigh(0, m->log_weight[k], m->square[k], tile, s);
    else
      weigh(1, m->log_weight[k], m->square[k], tile, s);
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

DUN_CLONES static void write_mean(const struct dun_mixture *m, const double *restrict h,
                                  const struct tile *tile, const double *restrict share,
                                  double *restrict mean)
{
  int64_t d = m->dimension;
  double sum[L] __attribute__((aligned(64))); /* stays in registers */
  for (int64_t j = 0; j < d; j++) {
    for (int l = 0; l < L; l++)
      sum[l] = h[j * L + l] * tile->inverse[l];
    for (int64_t k = tile->first; k < tile->end; k++) {
      double own = m->mean[k * d + j];
      for (int l = 0; l < L; l++)
        sum[l] = DUN_FMA(share[k * L + l], own, sum[l]);
    }
    for (int l = 0; l < L; l++)
      mean[j * L + l] = sum[l];
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
  set_distances(m, t, &tile, t->mean, work);
  set_shares(m, t->lambda, &tile, work);
  if (t->log_mass)
    write_mass(&tile, t->log_mass);
  if (t->draw)
    pick(&tile, t->uniform, work, component);
  set_factors(m, t->lambda, &tile, work);
  write_mean(m, t->h, &tile, work, t->mean);
  if (t->spread)
    write_spread(m, t, &tile, work);
  if (t->draw)
    write_draw(m, t, component);
}
