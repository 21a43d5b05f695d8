/* Spins that are drawn to patterns: log pi(s) = beta / (2 n) sum_mu (xi_mu . s)^2 + sum_i h_i s_i,
 * not normalised (Hopfield 1982).  With one pattern of ones it is the Curie-Weiss model, in which
 * every spin is coupled to every other.
 *
 * Given a normal variable z_mu for each pattern the spins are independent (Hubbard 1959): pi is
 * the mixture, over z, of product laws with the fields h + xi z, and
 *
 *   w(z) ~ exp(-n |z|^2 / (2 beta) + sum_i log 2 cosh(h_i + xi_i . z)).
 *
 * The trapezoidal rule for such integrals over all reals is exact to rounding with few nodes; so
 * log Z and means under a tilt are, for one or two patterns. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "targets/setup.h"
#include "targets/spins.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, EXACT = 2, ONES = 0, GIVEN, DRAWN };

struct hopfield {
  long long dimension;
  double beta;
  int layout;
  long long count, pattern_seed;
  struct dun_matrix given;
  struct dun_numbers field;

  int patterns;        /* P */
  double *xi, *h;      /* [P][d]; [d]; owned */
  double spacing;      /* of the nodes along each z; 0: there are too many */
  long long half;      /* nodes along each z: -half .. half */
  double log_evidence; /* NAN: not known */
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct hopfield, dimension),
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Number of spins, d."},
    {.name = "beta",
     .type = DUN_NUMBER,
     .offset = offsetof(struct hopfield, beta),
     .minimum = 1e-6,
     .maximum = 1e3,
     .doc = "Inverse temperature; above 1 the spins order."},
    {.name = "layout",
     .type = DUN_CHOICE,
     .offset = offsetof(struct hopfield, layout),
     .initial = "ones",
     .words = "ones|given|drawn",
     .doc = "The patterns: one of ones (Curie-Weiss), given ones, or signs drawn at random."},
    {.name = "patterns",
     .type = DUN_MATRIX,
     .offset = offsetof(struct hopfield, given),
     .initial = "",
     .when = "layout=given",
     .doc = "A list of patterns, each a list of d numbers."},
    {.name = "count",
     .type = DUN_INTEGER,
     .offset = offsetof(struct hopfield, count),
     .initial = "2",
     .minimum = 1,
     .maximum = 10000,
     .when = "layout=drawn",
     .doc = "Number of patterns."},
    {.name = "pattern_seed",
     .type = DUN_INTEGER,
     .offset = offsetof(struct hopfield, pattern_seed),
     .initial = "1",
     .minimum = 0,
     .maximum = 1e15,
     .when = "layout=drawn",
     .doc = "Of the random signs."},
    {.name = "field",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct hopfield, field),
     .initial = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "External field, one number for all spins or one for each."},
    {0}};

/* ---- the mixture over z ---------------------------------------------------------------------- */

static long long nodes_of(const struct hopfield *t)
{
  long long side = 2 * t->half + 1;
  return t->patterns == 1 ? side : side * side;
}

/* z[2] of a node. */
static void place_of(const struct hopfield *t, long long node, double z[EXACT])
{
  long long side = 2 * t->half + 1;
  z[0] = t->spacing * (double)(node % side - t->half);
  z[1] = t->patterns == 1 ? 0 : t->spacing * (double)(node / side - t->half);
}

/* log 2 cosh a. */
DUN_INLINE double log_cosh(double a)
{
  double size = fabs(a);
  return size + dun_log1p(dun_exp_weight(-2 * size));
}

/* The field of spin i at a node. */
DUN_INLINE double own_field(const struct hopfield *t, int64_t i, const double z[EXACT])
{
  double own = t->h[i] + t->xi[i] * z[0];
  return own + (t->patterns > 1 ? t->xi[t->dimension + i] * z[1] : 0);
}

/* weight[64], the log of w, at a node under a tilt. */
DUN_CLONES static void weigh(const struct hopfield *t, const double z[EXACT],
                             const double *restrict tilt, double *restrict weight)
{
  double square = z[0] * z[0] + z[1] * z[1];
  for (int l = 0; l < L; l++)
    weight[l] = -.5 * (double)t->dimension * square / t->beta;
  for (int64_t i = 0; i < t->dimension; i++) {
    double own = own_field(t, i, z);
    for (int l = 0; l < L; l++)
      weight[l] += log_cosh(own + tilt[i * L + l]);
  }
}

DUN_CLONES static void add_means(const struct hopfield *t, const double z[EXACT],
                                 const double *restrict tilt, const double *restrict share,
                                 double *restrict mean)
{
  for (int64_t i = 0; i < t->dimension; i++) {
    double own = own_field(t, i, z);
    for (int l = 0; l < L; l++)
      mean[i * L + l] = DUN_FMA(share[l], dun_tanh(own + tilt[i * L + l]), mean[i * L + l]);
  }
}

/* weight[nodes][64] of all nodes, their largest [64] and the sum of what they are in its units. */
DUN_CLONES static void sum_nodes(const struct hopfield *t, const double *tilt, double *weight,
                                 double *highest, double *sum)
{
  long long nodes = nodes_of(t);
  double z[EXACT];
  for (int l = 0; l < L; l++) {
    highest[l] = -INFINITY;
    sum[l] = 0;
  }
  for (long long k = 0; k < nodes; k++) {
    place_of(t, k, z);
    weigh(t, z, tilt, weight + k * L);
    for (int l = 0; l < L; l++)
      highest[l] = weight[k * L + l] > highest[l] ? weight[k * L + l] : highest[l];
  }
  for (long long k = 0; k < nodes; k++)
    for (int l = 0; l < L; l++)
      sum[l] += dun_exp_weight(weight[k * L + l] - highest[l]);
}

/* The log of what the sum over the nodes is multiplied by: the integral's step and the normal law's
 * constant for each pattern. */
static double log_unit(const struct hopfield *t)
{
  double n = (double)t->dimension;
  return t->patterns *
         dun_scalar_log(t->spacing * sqrt(n / (2 * 3.14159265358979323846 * t->beta)));
}

/* ---- setting up ------------------------------------------------------------------------------ */

static int draw_signs(struct hopfield *t, struct dun_message why)
{
  int64_t d = t->dimension, columns = (d + L - 1) / L;
  double *uniform = dun_allocate(columns, L * sizeof *uniform);
  if (!uniform)
    return dun_refuse_failed(why);
  for (int k = 0; k < t->patterns; k++) {
    struct dun_address address = {
        .seed = (uint64_t)t->pattern_seed, .purpose = DUN_PURPOSE_DATA, .tile = (uint32_t)k};
    dun_uniforms(address, (int)columns, uniform);
    for (int64_t i = 0; i < d; i++)
      t->xi[k * d + i] = uniform[i] < .5 ? -1 : 1;
  }
  dun_free(uniform);
  return 0;
}

static int make_patterns(struct hopfield *t, struct dun_message why)
{
  int64_t d = t->dimension;
  if (t->layout == GIVEN && (t->given.rows < 1 || t->given.columns != d))
    return dun_refuse(why, "patterns: found %lld lists of %lld numbers, expected lists of %lld",
                      t->given.rows, t->given.columns, (long long)d);
  long long count = t->layout == ONES ? 1 : t->layout == GIVEN ? t->given.rows : t->count;
  if (count * d > 1000000000)
    return dun_refuse(why, "count: %lld patterns of %lld spins are too many", count, (long long)d);
  t->patterns = (int)count;
  t->xi = dun_allocate(count * d, sizeof *t->xi);
  t->h = dun_allocate(d, sizeof *t->h);
  if (!t->xi || !t->h)
    return dun_refuse_failed(why);
  for (int64_t i = 0; i < count * d; i++)
    t->xi[i] = t->layout == GIVEN ? t->given.value[i] : 1;
  if (t->layout == DRAWN && draw_signs(t, why) < 0)
    return DUN_ERROR_MEMORY;
  return dun_spread(why, "field", &t->field, 0, d, t->h);
}

/* The nodes: half a deviation apart of what is narrowest, a normal law of variance beta / n; as far
 * as the forces, at most beta times the largest pattern, lead, and eight deviations more. */
static void place_nodes(struct hopfield *t)
{
  double largest = 1, deviation = sqrt(t->beta / (double)t->dimension);
  if (t->patterns > EXACT)
    return;
  for (int64_t i = 0; i < t->patterns * t->dimension; i++)
    largest = fmax(largest, fabs(t->xi[i]));
  double curved = deviation / fmax(1, largest);
  t->spacing = .25 * fmin(curved, 1 / largest);
  double nodes = ceil((t->beta * largest + 9 * deviation) / t->spacing);
  if (nodes > (t->patterns == 1 ? 1e6 : 400))
    t->spacing = 0;
  else
    t->half = (long long)nodes;
}

/* Whether there are closed forms with these options. */
static int known(const struct hopfield *t)
{
  return t->spacing > 0;
}

static int find_log_evidence(struct hopfield *t, struct dun_message why)
{
  double highest[L] __attribute__((aligned(64))), sum[L] __attribute__((aligned(64)));
  t->log_evidence = NAN;
  if (!known(t))
    return 0;
  double *block = dun_allocate(t->dimension + nodes_of(t), L * sizeof *block);
  if (!block)
    return dun_refuse_failed(why);
  memset(block, 0, (size_t)t->dimension * L * sizeof *block);
  sum_nodes(t, block, block + t->dimension * L, highest, sum);
  t->log_evidence = log_unit(t) + highest[0] + dun_scalar_log(sum[0]);
  dun_free(block);
  return 0;
}

static int init(void *self, struct dun_message why)
{
  struct hopfield *t = self;
  if (make_patterns(t, why) < 0)
    return DUN_ERROR_INPUT;
  place_nodes(t);
  return find_log_evidence(t, why);
}

static void free_tables(void *self)
{
  struct hopfield *t = self;
  DUN_FREE(t->xi);
  DUN_FREE(t->h);
}

static int dimension_of(const void *self)
{
  return (int)((const struct hopfield *)self)->dimension;
}

static int work_columns(const void *self)
{
  const struct hopfield *t = self;
  return known(t) ? (int)nodes_of(t) : 0;
}

static double log_evidence(const void *self)
{
  return ((const struct hopfield *)self)->log_evidence;
}

/* ---- density --------------------------------------------------------------------------------- */

/* sum = xi_mu . x. */
DUN_CLONES static void overlap(int64_t d, const double *xi, const double *restrict x,
                               double *restrict sum)
{
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  for (int64_t i = 0; i < d; i++)
    for (int l = 0; l < L; l++)
      sum[l] = DUN_FMA(xi[i], x[i * L + l], sum[l]);
}

/* As the multilinear form that it is of spins: what x_i^2 adds is a constant. */
DUN_CLONES static void add_pattern(const struct hopfield *t, const double *xi,
                                   const double *restrict x, const double *restrict sum,
                                   double *restrict lp, const double *restrict scale,
                                   double *restrict gradient)
{
  double share = t->beta / (double)t->dimension, square[L] = {0};
  for (int64_t i = 0; i < t->dimension; i++)
    for (int l = 0; l < L; l++)
      square[l] += xi[i] * xi[i] * (1 - x[i * L + l] * x[i * L + l]);
  for (int l = 0; l < L; l++)
    lp[l] = DUN_FMA(.5 * share, DUN_FMA(sum[l], sum[l], square[l]), lp[l]);
  for (int64_t i = 0; gradient && i < t->dimension; i++)
    for (int l = 0; l < L; l++) {
      double others = sum[l] - xi[i] * x[i * L + l];
      gradient[i * L + l] = DUN_FMA(scale[l] * share, xi[i] * others, gradient[i * L + l]);
    }
}

DUN_CLONES static void add_field(const struct hopfield *t, const double *restrict x,
                                 double *restrict lp, const double *restrict scale,
                                 double *restrict gradient)
{
  for (int64_t i = 0; i < t->dimension; i++)
    for (int l = 0; l < L; l++)
      lp[l] = DUN_FMA(t->h[i], x[i * L + l], lp[l]);
  for (int64_t i = 0; gradient && i < t->dimension; i++)
    for (int l = 0; l < L; l++)
      gradient[i * L + l] = DUN_FMA(scale[l], t->h[i], gradient[i * L + l]);
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct hopfield *t = self;
  double total[L] __attribute__((aligned(64))) = {0}, sum[L] __attribute__((aligned(64)));
  (void)work;
  add_field(t, x, total, scale, gradient);
  for (int64_t k = 0; k < t->patterns; k++) {
    const double *xi = t->xi + k * t->dimension;
    overlap(t->dimension, xi, x, sum);
    add_pattern(t, xi, x, sum, total, scale, gradient);
  }
  dun_spins_density(total, lp);
}

/* By the overlaps without the site: d numbers for each pattern. */
static void site(const void *self, int j, const double *x, double *value)
{
  const struct hopfield *t = self;
  double share = t->beta / (double)t->dimension, sum[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    value[L + l] = t->h[j];
  for (int64_t k = 0; k < t->patterns; k++) {
    const double *xi = t->xi + k * t->dimension;
    overlap(t->dimension, xi, x, sum);
    for (int l = 0; l < L; l++)
      value[L + l] += share * xi[j] * (sum[l] - xi[j] * x[(int64_t)j * L + l]);
  }
  dun_spins_site(value);
}

/* ---- laws under a tilt ----------------------------------------------------------------------- */

DUN_CLONES static void mix_means(const struct hopfield *t, const struct dun_tilted *tilted,
                                 const double *weight, const double *highest, const double *sum)
{
  double share[L] __attribute__((aligned(64))), z[EXACT];
  memset(tilted->mean, 0, (size_t)t->dimension * L * sizeof *tilted->mean);
  for (long long k = 0; k < nodes_of(t); k++) {
    int any = 0;
    for (int l = 0; l < L; l++) {
      share[l] = dun_exp_weight(weight[k * L + l] - highest[l]) / sum[l];
      any |= share[l] > 1e-18;
    }
    place_of(t, k, z);
    if (any)
      add_means(t, z, tilted->h, share, tilted->mean);
  }
}

DUN_CLONES static void sum_up(const struct hopfield *t, const double *highest, const double *sum,
                              double *log_sum)
{
  double unit = log_unit(t);
  for (int l = 0; l < L; l++)
    log_sum[l] = unit + highest[l] + dun_log(sum[l]);
}

static int tilted(const void *self, const struct dun_tilted *tilted, double *work)
{
  const struct hopfield *t = self;
  double highest[L] __attribute__((aligned(64))), sum[L] __attribute__((aligned(64)));
  double log_sum[L] __attribute__((aligned(64)));
  if (!known(t))
    return DUN_ERROR_INPUT;
  sum_nodes(t, tilted->h, work, highest, sum);
  mix_means(t, tilted, work, highest, sum);
  sum_up(t, highest, sum, log_sum);
  dun_spins_tilted(t->dimension, log_sum, tilted);
  return 0;
}

const struct dun_target dun_target_hopfield = {
    .type = {DUN_TYPE(struct dun_target), .name = "hopfield",
             .doc = "Spins drawn to patterns, or, with one of ones, all to each other "
                    "(Curie-Weiss).",
             .citation = "Hopfield 1982, PNAS 79, 2554", .size = sizeof(struct hopfield),
             .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .log_evidence = log_evidence,
    .support = DUN_SPINS,
    .site = site,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD,
};
