/* Seeds: logistic regression with random effects for binomial counts (Crowder 1978).
 *
 * x = [a0, a1, a12, a2, b_1 .. b_J, log tau]; a ~ N(0, 10^2), b_j ~ N(0, 1/tau), tau ~
 * Gamma(shape 0.01, rate 0.01), its density on log tau with the Jacobian; r_j ~ Binomial(n_j,
 * sigmoid(eta_j)) with eta_j = a0 + a1 x1_j + a2 x2_j + a12 x1_j x2_j + b_j.  All normalising
 * constants are kept.
 *
 * The prior of b is written with y_j = b_j sqrt(tau), so that a tiny tau with huge effects,
 * which the prior draws often, does not overflow on the way. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "targets/setup.h"
#include <float.h>
#include <math.h>

enum { L = DUN_LANES, EFFECTS = 4, MAX_TRIALS = 1000000 };

#define DEVIATION       10.0
#define SHAPE           0.01
#define RATE            0.01
#define LOG_GAMMA_SHAPE 4.5994798780420217 /* log Gamma(0.01) */
/* Far out sums are cut here: the difference of two infinities is no number. */
#define HUGE_VALUE 1e290
#define LOG_10     2.302585092994045684

struct seeds {
  struct dun_data data;
  struct dun_csv_format format;

  int plates;            /* J */
  double *r, *n;         /* [J] germinated, sown */
  double *x1, *x2, *x12; /* [J] factors and their product */
  double *choose;        /* [J] logs of the binomial coefficients */
  double log_choose;     /* their sum */
  double log_prior;      /* constants of the prior */
};

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_DATA,
     .offset = offsetof(struct seeds, data),
     .doc = "CSV file with the columns r (germinated), n (sown), x1 and x2 (factors), a row for "
            "each plate."},
    DUN_CSV_ROWS(struct seeds, format, NULL),
    {0}};

/* ---- data -------------------------------------------------------------------------------- */

DUN_CLONES static double log_factorial(double n)
{
  double sum = 0;
  for (double i = 2; i <= n; i++)
    sum += dun_log(i);
  return sum;
}

static int check_counts(const struct seeds *t, int j, long long line, struct dun_message why)
{
  const char *path = t->data.path;
  double r = t->r[j], n = t->n[j];
  if (n < 0 || n > MAX_TRIALS || n != floor(n))
    return dun_refuse(why, "%s:%lld: row %d: n is %.10g, expected a whole number from 0 to %d",
                      path, line, j + 1, n, MAX_TRIALS);
  if (r < 0 || r > n || r != floor(r))
    return dun_refuse(why,
                      "%s:%lld: row %d: r is %.10g, expected a whole number from 0 to n = %.10g",
                      path, line, j + 1, r, n);
  return 0;
}

static int take_columns(struct seeds *t, const struct dun_csv *csv, struct dun_message why)
{
  static const char *const names[] = {"r", "n", "x1", "x2"};
  int column[4];
  for (int i = 0; i < 4; i++) {
    column[i] = dun_csv_find(csv, &t->data, names[i]);
    if (column[i] < 0 || dun_csv_check(csv, &t->data, column[i]) < 0)
      return dun_refuse_failed(why);
  }
  for (int j = 0; j < t->plates; j++) {
    const double *row = csv->value + (int64_t)j * csv->columns;
    t->r[j] = row[column[0]];
    t->n[j] = row[column[1]];
    t->x1[j] = row[column[2]];
    t->x2[j] = row[column[3]];
    t->x12[j] = t->x1[j] * t->x2[j];
    if (check_counts(t, j, csv->line[j], why) < 0)
      return DUN_ERROR_INPUT;
    t->choose[j] =
        log_factorial(t->n[j]) - log_factorial(t->r[j]) - log_factorial(t->n[j] - t->r[j]);
    t->log_choose += t->choose[j];
  }
  return 0;
}

static int init(void *self, struct dun_message why)
{
  struct seeds *t = self;
  struct dun_csv csv;
  int status;
  if (dun_setup_csv(why, &csv, &t->data, &t->format) < 0)
    return DUN_ERROR_INPUT;
  if (csv.rows > 1000000) {
    status = dun_refuse(why, "data: found %lld rows, expected at most 1000000", csv.rows);
    goto out;
  }
  t->plates = (int)csv.rows;
  t->r = dun_allocate(6 * csv.rows, sizeof *t->r);
  if (!t->r) {
    status = dun_refuse_failed(why);
    goto out;
  }
  t->n = t->r + csv.rows;
  t->x1 = t->n + csv.rows;
  t->x2 = t->x1 + csv.rows;
  t->x12 = t->x2 + csv.rows;
  t->choose = t->x12 + csv.rows;
  t->log_prior = -EFFECTS * (LOG_10 + 0.5 * DUN_LOG_2PI) - 0.5 * t->plates * DUN_LOG_2PI +
                 SHAPE * dun_log(RATE) - LOG_GAMMA_SHAPE;
  status = take_columns(t, &csv, why);
out:
  dun_csv_free(&csv);
  return status;
}

static void free_tables(void *self)
{
  DUN_FREE(((struct seeds *)self)->r);
}

static int dimension_of(const void *self)
{
  return EFFECTS + ((const struct seeds *)self)->plates + 1;
}

/* ---- prior ------------------------------------------------------------------------------- */

DUN_CLONES
static void prior(const void *self, const double *restrict x, double *restrict lp,
                  const double *restrict scale, double *restrict gradient, double *work)
{
  const struct seeds *t = self;
  const double *restrict b = x + EFFECTS * L, *restrict u = b + (ptrdiff_t)t->plates * L;
  double root[L] __attribute__((aligned(64))); /* sqrt(tau) */
  double fixed[L] __attribute__((aligned(64))) = {0}, random[L] __attribute__((aligned(64))) = {0};
  double precision = 1 / (DEVIATION * DEVIATION);
  (void)work;
  for (int l = 0; l < L; l++) {
    double e = dun_exp(0.5 * u[l]);
    root[l] = e < DBL_MAX ? e : DBL_MAX;
  }
  for (int i = 0; i < EFFECTS; i++)
    for (int l = 0; l < L; l++)
      fixed[l] = DUN_FMA(x[i * L + l], x[i * L + l], fixed[l]);
  for (ptrdiff_t j = 0; j < t->plates; j++)
    for (int l = 0; l < L; l++) {
      double y = b[j * L + l] * root[l];
      random[l] = DUN_FMA(y, y, random[l]);
    }
  if (lp)
    for (int l = 0; l < L; l++) {
      double bounded = u[l] < HUGE_VALUE ? u[l] : HUGE_VALUE;
      lp[l] = t->log_prior - 0.5 * (precision * fixed[l] + random[l]) +
              (SHAPE + 0.5 * t->plates) * bounded - RATE * (root[l] * root[l]);
    }
  if (gradient) {
    for (int i = 0; i < EFFECTS; i++)
      for (int l = 0; l < L; l++)
        gradient[i * L + l] = DUN_FMA(-scale[l] * precision, x[i * L + l], gradient[i * L + l]);
    gradient += EFFECTS * L;
    for (ptrdiff_t j = 0; j < t->plates; j++)
      for (int l = 0; l < L; l++)
        gradient[j * L + l] =
            DUN_FMA(-scale[l] * root[l], b[j * L + l] * root[l], gradient[j * L + l]);
    gradient += (ptrdiff_t)t->plates * L;
    for (int l = 0; l < L; l++) {
      double slope = SHAPE + 0.5 * t->plates - 0.5 * random[l] - RATE * (root[l] * root[l]);
      gradient[l] = DUN_FMA(scale[l], slope, gradient[l]);
    }
  }
}

enum { TRIES = 10 };

/* A try of Marsaglia and Tsang (2000) for log of Gamma(1 + shape), 19 in 20 accepted: keeps the
 * value of lanes that are settled. */
DUN_INLINE void gamma_try(const double *restrict normal, const double *restrict uniform,
                          double *restrict value, int *restrict settled)
{
  const double d = SHAPE + 2.0 / 3, c = 1 / sqrt(9 * d);
  for (int l = 0; l < L; l++) {
    double z = normal[l], root = 1 + c * z, v = root * root * root;
    double log_v = dun_log(v > 0 ? v : 1);
    int good = (v > 0) & (dun_log(uniform[l]) < 0.5 * z * z + d - d * v + d * log_v);
    double next = dun_log(d) + log_v;
    value[l] = settled[l] ? value[l] : next;
    settled[l] |= good;
  }
}

/* Two normals for two tries from two uniforms (Box and Muller 1958). */
DUN_INLINE void two_normals(const double *restrict u, const double *restrict v,
                            double *restrict first, double *restrict second)
{
  for (int l = 0; l < L; l++) {
    double radius = sqrt(-2 * dun_log(u[l])), sine, cosine;
    dun_sincos2pi(v[l], &sine, &cosine);
    first[l] = radius * cosine;
    second[l] = radius * sine;
  }
}

/* Exact but for 1e-13 of the mass, where no try is accepted, and 1e-6 of it, where log tau <
 * -1400 is moved to -1400 so that the effects stay finite.  log Gamma(a) = log Gamma(a + 1) +
 * log(u) / a. */
DUN_CLONES
static void draw_prior(const void *self, const double *restrict uniform,
                       const double *restrict normal, double *restrict x)
{
  const struct seeds *t = self;
  double first[L] __attribute__((aligned(64))), second[L] __attribute__((aligned(64)));
  double width[L] __attribute__((aligned(64)));
  ptrdiff_t last = EFFECTS + t->plates;
  double *restrict u = x + last * L;
  int settled[L] = {0};
  for (int i = 0; i < TRIES; i += 2) {
    const double *restrict four = uniform + (ptrdiff_t)(1 + 2 * i) * L;
    two_normals(four, four + L, first, second);
    gamma_try(first, four + 2 * L, u, settled);
    gamma_try(second, four + 3 * L, u, settled);
  }
  for (int l = 0; l < L; l++) {
    u[l] += dun_log(uniform[l]) / SHAPE - dun_log(RATE);
    u[l] = u[l] > -1400 ? u[l] : -1400;
    width[l] = dun_exp(-0.5 * u[l]);
  }
  for (ptrdiff_t i = 0; i < last; i++)
    for (int l = 0; l < L; l++)
      x[i * L + l] = (i < EFFECTS ? DEVIATION : width[l]) * normal[i * L + l];
}

/* ---- likelihood -------------------------------------------------------------------------- */

/* eta[64] of one plate, and exp(-|eta|). */
DUN_INLINE void plate_eta(const struct seeds *t, ptrdiff_t j, const double *restrict x,
                          double *restrict eta, double *restrict e)
{
  double x1 = t->x1[j], x2 = t->x2[j], x12 = t->x12[j];
  const double *restrict b = x + (EFFECTS + j) * L;
  for (int l = 0; l < L; l++) {
    double value = x[l] + b[l];
    value = DUN_FMA(x1, x[L + l], value);
    value = DUN_FMA(x12, x[2 * L + l], value);
    value = DUN_FMA(x2, x[3 * L + l], value);
    value = value > -HUGE_VALUE ? value : -HUGE_VALUE;
    eta[l] = value < HUGE_VALUE ? value : HUGE_VALUE;
  }
  for (int l = 0; l < L; l++)
    e[l] = dun_exp_weight(-fabs(eta[l]));
}

/* Adds scale times the gradient of one plate: its slope in eta goes to five coordinates. */
DUN_INLINE void plate_gradient(const struct seeds *t, ptrdiff_t j, const double *restrict eta,
                               const double *restrict e, const double *restrict scale,
                               double *restrict gradient)
{
  double x1 = t->x1[j], x2 = t->x2[j], x12 = t->x12[j], r = t->r[j], n = t->n[j];
  double *restrict out = gradient + (EFFECTS + j) * L;
  for (int l = 0; l < L; l++) {
    double top = eta[l] > 0 ? 1 : e[l], g = scale[l] * (r - n * (top / (1 + e[l])));
    out[l] += g;
    gradient[l] += g;
    gradient[L + l] = DUN_FMA(x1, g, gradient[L + l]);
    gradient[2 * L + l] = DUN_FMA(x12, g, gradient[2 * L + l]);
    gradient[3 * L + l] = DUN_FMA(x2, g, gradient[3 * L + l]);
  }
}

/* Of plates which[count], or of all: adds their log likelihoods, but for the coefficients, to
 * sum[64] unless it is NULL. */
DUN_INLINE void add_plates(const struct seeds *t, int count, const int *which,
                           const double *restrict x, double *restrict sum,
                           const double *restrict scale, double *restrict gradient)
{
  double eta[L] __attribute__((aligned(64))), e[L] __attribute__((aligned(64)));
  for (int i = 0; i < count; i++) {
    ptrdiff_t j = which ? which[i] : i;
    double r = t->r[j], n = t->n[j];
    plate_eta(t, j, x, eta, e);
    if (sum)
      for (int l = 0; l < L; l++) {
        double positive = eta[l] > 0 ? eta[l] : 0;
        sum[l] += r * eta[l] - n * (positive + dun_log_normal(1 + e[l]));
      }
    if (gradient)
      plate_gradient(t, j, eta, e, scale, gradient);
  }
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *work)
{
  const struct seeds *t = self;
  double sum[L] __attribute__((aligned(64))) = {0};
  prior(self, x, lp, scale, gradient, work);
  add_plates(t, t->plates, NULL, x, lp ? sum : NULL, scale, gradient);
  if (lp)
    for (int l = 0; l < L; l++)
      lp[l] += sum[l] + t->log_choose;
}

static int observations(const void *self)
{
  return ((const struct seeds *)self)->plates;
}

DUN_CLONES
static void observed(const void *self, int count, const int *which, const double *restrict x,
                     double *restrict lp, const double *restrict scale, double *restrict gradient,
                     double *work)
{
  const struct seeds *t = self;
  double sum[L] __attribute__((aligned(64))) = {0}, log_choose = 0;
  (void)work;
  add_plates(t, count, which, x, lp ? sum : NULL, scale, gradient);
  for (int i = 0; i < count; i++)
    log_choose += t->choose[which[i]];
  if (lp)
    for (int l = 0; l < L; l++)
      lp[l] = sum[l] + log_choose;
}

/* ---- parameters as users know them ------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct seeds *t = self;
  const struct dun_parameter all[] = {
      {.name = "a0", .doc = "Intercept, on the logit scale."},
      {.name = "a1", .doc = "Effect of x1."},
      {.name = "a12", .doc = "Effect of x1 and x2 together."},
      {.name = "a2", .doc = "Effect of x2."},
      {.name = "b", .rank = 1, .shape = {t->plates}, .doc = "Random effect of each plate."},
      {.name = "tau", .doc = "Precision of the random effects, 1 / variance."},
  };
  int count = sizeof all / sizeof *all;
  for (int i = 0; i < count && i < capacity; i++)
    parameter[i] = all[i];
  return count;
}

DUN_CLONES static void constrain(const void *self, const double *x, double *theta)
{
  int last = dimension_of(self) - 1;
  for (int i = 0; i < last; i++)
    theta[i] = x[i];
  theta[last] = dun_exp(x[last]);
}

const struct dun_target dun_target_seeds = {
    .type = {DUN_TYPE(struct dun_target), .name = "seeds",
             .doc = "Seeds: logistic regression of germination counts with random effects.",
             .citation = "Crowder, Beta-binomial anova for proportions, Applied Statistics 27 "
                         "(1978) 34-37",
             .size = sizeof(struct seeds), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .prior = prior,
    .draw_uniforms = 1 + 2 * TRIES,
    .draw_normals = -1,
    .draw_prior = draw_prior,
    .parameters = parameters,
    .constrain = constrain,
    .observations = observations,
    .observed = observed,
};
