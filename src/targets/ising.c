/* The Ising model: log pi(s) = sum over pairs J_ij s_i s_j + sum_i h_i s_i, not normalised, with
 * spins of -1 and +1.  Its density is written as the multilinear form that it is, so that the
 * gradient at spins are the local fields.
 *
 * log Z is known of small models, by going through all states, and without field on a torus of two
 * axes (Kaufman 1949, Phys. Rev. 76, 1232). */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "targets/couplings.h"
#include "targets/spins.h"
#include <math.h>
#include <stdint.h>

enum { L = DUN_LANES, OBSERVABLES = 3, ENUMERATED = 20 };
static const double LOG_2 = 0.69314718055994530942;

struct ising {
  struct dun_couplings_given given;
  struct dun_numbers field;
  int outputs;

  struct dun_couplings couplings;
  double *h; /* [sites]; owned */
  double log_evidence;
};

static const struct dun_option options[] = {
    DUN_COUPLINGS_ROWS(struct ising, given),
    {.name = "field",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct ising, field),
     .initial = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "External field over the temperature, one number for all sites or one for each."},
    {.name = "outputs",
     .type = DUN_CHOICE,
     .offset = offsetof(struct ising, outputs),
     .initial = "all",
     .words = "all|observables",
     .doc = "What is put out of a configuration: averages over the sites and the spins, or the "
            "averages alone."},
    {0}};

/* ---- log Z ----------------------------------------------------------------------------------- */

/* Of all spins down. */
static double lowest_state(const struct ising *t)
{
  double sum = 0;
  for (int e = 0; e < t->couplings.pairs; e++)
    sum += t->couplings.strength[e];
  for (int i = 0; i < t->couplings.sites; i++)
    sum -= t->h[i];
  return sum;
}

static double local_field(const struct ising *t, int i, const int8_t *spin)
{
  const struct dun_couplings *c = &t->couplings;
  double sum = t->h[i];
  for (int e = c->first[i]; e < c->first[i + 1]; e++)
    sum += c->weight[e] * spin[c->neighbour[e]];
  return sum;
}

/* Through all states by flips of one spin at a time. */
static double enumerate(const struct ising *t)
{
  int8_t spin[ENUMERATED];
  struct dun_states states = {-INFINITY, 0};
  double lp = lowest_state(t);
  dun_states_add(&states, lp);
  for (int i = 0; i < t->couplings.sites; i++)
    spin[i] = -1;
  for (uint32_t k = 1; k < 1u << t->couplings.sites; k++) {
    int i = __builtin_ctz(k);
    lp -= 2 * spin[i] * local_field(t, i, spin);
    spin[i] = (int8_t)-spin[i];
    dun_states_add(&states, lp);
  }
  return dun_states_log(&states);
}

/* gamma_k of Kaufman: cosh gamma_k = cosh 2K coth 2K - cos(pi k / M), with a sign for k = 0. */
static double gamma_of(double K, int k, int M)
{
  double e = dun_scalar_exp(-4 * K), two_cosh = dun_scalar_exp(2 * K) * (1 + e), sine, cosine;
  double coth = (1 + e) / -dun_scalar_expm1(-4 * K);
  if (k == 0)
    return 2 * K + dun_scalar_log(-dun_scalar_expm1(-2 * K) / (1 + dun_scalar_exp(-2 * K)));
  dun_scalar_sincos2pi(k / (4. * M), &sine, &cosine);
  double half = .5 * (.5 * two_cosh * coth - 2) + sine * sine;
  double root = sqrt(half); /* sinh(gamma / 2) */
  return 2 * dun_scalar_log(root + sqrt(1 + half));
}

/* log 2 cosh a and log 2 |sinh a|. */
static double log_cosh(double a)
{
  return fabs(a) + dun_scalar_log(1 + dun_scalar_exp(-2 * fabs(a)));
}

static double log_sinh(double a)
{
  return fabs(a) + dun_scalar_log(-dun_scalar_expm1(-2 * fabs(a)));
}

static double kaufman(double K, int M, int N)
{
  double product[4] = {0}, sinh2 = dun_scalar_exp(2 * K) * -dun_scalar_expm1(-4 * K);
  double highest = -INFINITY, sum = 0, zero = gamma_of(K, 0, M);
  for (int k = 0; k < M; k++) {
    double odd = .5 * N * gamma_of(K, 2 * k + 1, M), even = .5 * N * gamma_of(K, 2 * k, M);
    product[0] += log_cosh(odd);
    product[1] += log_sinh(odd);
    product[2] += log_cosh(even);
    product[3] += log_sinh(even);
  }
  for (int i = 0; i < 4; i++)
    highest = product[i] > highest ? product[i] : highest;
  for (int i = 0; i < 4; i++)
    sum += (i == 3 && zero < 0 ? -1 : 1) * dun_scalar_exp(product[i] - highest);
  return .5 * M * (double)N * dun_scalar_log(sinh2) - LOG_2 + highest + dun_scalar_log(sum);
}

static double find_log_evidence(const struct ising *t)
{
  const int *size = t->couplings.size;
  double K = t->given.coupling, fields = 0;
  for (int i = 0; i < t->couplings.sites; i++)
    fields += fabs(t->h[i]);
  if (t->couplings.sites <= ENUMERATED)
    return enumerate(t);
  if (K == 0 && fields == 0)
    return t->couplings.sites * LOG_2;
  int even = size[0] % 2 == 0 && size[1] % 2 == 0, sides = size[0] > 1 && size[1] > 1;
  if (t->given.graph == DUN_GRAPH_TORUS && t->couplings.axes == 2 && sides && fields == 0 &&
      (K > 0 || even) && fabs(K) < 20)
    return kaufman(fabs(K), size[0], size[1]);
  return NAN;
}

/* ---- setting up ------------------------------------------------------------------------------ */

static int init(void *self, struct dun_message why)
{
  struct ising *t = self;
  if (dun_couplings_init(&t->couplings, &t->given, why) < 0)
    return DUN_ERROR_INPUT;
  t->h = dun_allocate(t->couplings.sites, sizeof *t->h);
  if (!t->h)
    return dun_refuse_failed(why);
  if (dun_spread(why, "field", &t->field, 0, t->couplings.sites, t->h) < 0)
    return DUN_ERROR_INPUT;
  t->log_evidence = find_log_evidence(t);
  return 0;
}

static void free_tables(void *self)
{
  struct ising *t = self;
  dun_couplings_free(&t->couplings);
  DUN_FREE(t->h);
}

static int dimension_of(const void *self)
{
  return ((const struct ising *)self)->couplings.sites;
}

static double log_evidence(const void *self)
{
  return ((const struct ising *)self)->log_evidence;
}

/* ---- density --------------------------------------------------------------------------------- */

/* field[64]: the local field of site j. */
static void site_field(const struct ising *t, int64_t j, const double *x, double *field)
{
  for (int l = 0; l < L; l++)
    field[l] = t->h[j];
  dun_couplings_add_field(&t->couplings, (int)j, x, field);
}

/* A pair is half in the field of each of its sites. */
DUN_CLONES static void add_site(const double *restrict x, double h, const double *restrict field,
                                double *restrict lp, const double *restrict scale,
                                double *restrict gradient)
{
  for (int l = 0; l < L; l++)
    lp[l] = DUN_FMA(.5 * x[l], field[l] + h, lp[l]);
  for (int l = 0; gradient && l < L; l++)
    gradient[l] = DUN_FMA(scale[l], field[l], gradient[l]);
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct ising *t = self;
  double sum[L] __attribute__((aligned(64))) = {0}, field[L] __attribute__((aligned(64)));
  (void)work;
  for (int64_t j = 0; j < t->couplings.sites; j++) {
    site_field(t, j, x, field);
    add_site(x + j * L, t->h[j], field, sum, scale, gradient ? gradient + j * L : NULL);
  }
  dun_spins_density(sum, lp);
}

static void site(const void *self, int j, const double *x, double *value)
{
  site_field(self, j, x, value + L);
  dun_spins_site(value);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter observable[OBSERVABLES] = {
      {.name = "magnetisation", .doc = "Mean of the spins, m."},
      {.name = "magnetisation_abs", .doc = "Its absolute value."},
      {.name = "energy", .doc = "Minus the log density per site."},
  };
  const struct ising *t = self;
  int count = t->outputs ? OBSERVABLES : OBSERVABLES + 1;
  for (int i = 0; i < OBSERVABLES && i < capacity; i++)
    parameter[i] = observable[i];
  if (count > OBSERVABLES && capacity > OBSERVABLES)
    parameter[OBSERVABLES] = dun_couplings_sites(&t->couplings);
  return count;
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct ising *t = self;
  const struct dun_couplings *c = &t->couplings;
  double sum = 0, energy = 0;
  for (int i = 0; i < c->sites; i++) {
    sum += x[i];
    energy -= t->h[i] * x[i];
  }
  for (int e = 0; e < c->pairs; e++)
    energy -= c->strength[e] * x[c->pair[2 * e]] * x[c->pair[2 * e + 1]];
  theta[0] = sum / c->sites;
  theta[1] = fabs(theta[0]);
  theta[2] = energy / c->sites;
  for (int i = 0; i < c->sites && !t->outputs; i++)
    theta[OBSERVABLES + i] = x[i];
}

static int lattice(const void *self, int *axes, int size[3])
{
  const struct ising *t = self;
  if (t->given.graph != DUN_GRAPH_TORUS)
    return -1;
  *axes = t->couplings.axes;
  for (int a = 0; a < 3; a++)
    size[a] = t->couplings.size[a];
  return 0;
}

const struct dun_target dun_target_ising = {
    .type = {DUN_TYPE(struct dun_target), .name = "ising",
             .doc = "Spins that are coupled in pairs, on a lattice or as a file says, in a field.",
             .citation = "Onsager 1944, Phys. Rev. 65, 117", .size = sizeof(struct ising),
             .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .log_evidence = log_evidence,
    .parameters = parameters,
    .constrain = constrain,
    .lattice = lattice,
    .support = DUN_SPINS,
    .site = site,
};
