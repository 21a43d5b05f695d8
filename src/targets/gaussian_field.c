/* A Gaussian field on a periodic lattice whose covariance is diagonal in Fourier space:
 * the mode of the wave k has the variance scale^2 / (mass^2 + khat^2)^power, where
 * khat^2 = sum_a 4 sin^2(pi k_a / N_a) are the eigenvalues of the lattice's Laplacian.  With power
 * 1 it is the free field, with the action sum_x [sum_mu (phi(x + mu) - phi(x))^2 / 2 +
 * mass^2 phi^2 / 2] / scale^2. */
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/lattice.h"
#include "targets/setup.h"
#include <math.h>

struct gaussian_field {
  struct dun_numbers side;
  long long axes;
  double mean, scale, mass, power;

  struct dun_lattice lattice;
  double *precision, *deviation; /* [sites] */
  double log_peak;
};

static const struct dun_option options[] = {
    {.name = "side",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct gaussian_field, side),
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Sites along an axis, one number for all axes or one for each."},
    {.name = "axes",
     .type = DUN_INTEGER,
     .offset = offsetof(struct gaussian_field, axes),
     .initial = "2",
     .minimum = 1,
     .maximum = 3,
     .doc = "Axes of the lattice."},
    {.name = "mean",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian_field, mean),
     .initial = "0",
     .doc = "Mean of the field, the same at all sites."},
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian_field, scale),
     .initial = "1",
     .minimum = 1e-50,
     .maximum = 1e50,
     .doc = "Factor on the field's deviations from its mean."},
    {.name = "mass",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian_field, mass),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Inverse correlation length, in sites."},
    {.name = "power",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian_field, power),
     .initial = "1",
     .minimum = -4,
     .maximum = 8,
     .doc = "The variances fall as (mass^2 + khat^2)^-power; 1: the free field, 0: white noise."},
    {0}};

static void set_spectrum(struct gaussian_field *t)
{
  double log_scale = dun_scalar_log(t->scale), sum = 0;
  for (int64_t k = 0; k < t->lattice.sites; k++) {
    double root =
        log_scale - .5 * t->power * dun_scalar_log(t->mass * t->mass + t->lattice.wave[k]);
    t->deviation[k] = dun_scalar_exp(root);
    t->precision[k] = dun_scalar_exp(-2 * root);
    sum += .5 * DUN_LOG_2PI + root;
  }
  t->log_peak = -sum;
}

static int init(void *self, struct dun_message why)
{
  struct gaussian_field *t = self;
  int size[3], status = dun_setup_lattice(why, &t->side, (int)t->axes, size);
  if (status < 0)
    return status;
  if (dun_lattice_init(&t->lattice, (int)t->axes, size) < 0)
    return dun_refuse_failed(why);
  t->precision = dun_allocate(t->lattice.sites, sizeof *t->precision);
  t->deviation = dun_allocate(t->lattice.sites, sizeof *t->deviation);
  if (!t->precision || !t->deviation)
    return dun_refuse_failed(why);
  set_spectrum(t);
  return 0;
}

static void free_tables(void *self)
{
  struct gaussian_field *t = self;
  dun_lattice_free(&t->lattice);
  DUN_FREE(t->precision);
  DUN_FREE(t->deviation);
}

static int dimension_of(const void *self)
{
  return (int)((const struct gaussian_field *)self)->lattice.sites;
}

static int work_columns(const void *self)
{
  return 2 * dimension_of(self);
}

DUN_CLONES static void add_mean(int64_t sites, double mean, const double *x, double *out)
{
  for (int64_t i = 0; i < sites * DUN_LANES; i++)
    out[i] = x[i] + mean;
}

/* Of x - mean =: y, from q = precision y. */
DUN_CLONES static void finish(const struct gaussian_field *t, const double *restrict y,
                              const double *restrict q, double *restrict lp,
                              const double *restrict scale, double *restrict gradient)
{
  double square[DUN_LANES] = {0};
  for (int64_t j = 0; j < t->lattice.sites; j++)
    for (int l = 0; l < DUN_LANES; l++)
      square[l] = DUN_FMA(y[j * DUN_LANES + l], q[j * DUN_LANES + l], square[l]);
  for (int64_t j = 0; gradient && j < t->lattice.sites; j++)
    for (int l = 0; l < DUN_LANES; l++)
      gradient[j * DUN_LANES + l] =
          DUN_FMA(-scale[l], q[j * DUN_LANES + l], gradient[j * DUN_LANES + l]);
  for (int l = 0; lp && l < DUN_LANES; l++) /* waves of numbers that overflow are NaN */
    lp[l] = square[l] >= 0 ? t->log_peak - .5 * square[l] : -INFINITY;
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct gaussian_field *t = self;
  double *q = work + t->lattice.sites * DUN_LANES;
  add_mean(t->lattice.sites, -t->mean, x, work);
  dun_lattice_filter(&t->lattice, t->precision, work, q);
  finish(t, work, q, lp, scale, gradient);
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct gaussian_field *t = self;
  (void)uniform;
  dun_lattice_filter(&t->lattice, t->deviation, normal, x);
  add_mean(t->lattice.sites, t->mean, x, x);
}

/* Waves of h - lambda mean in units of their deviations: those of the tilted mean and, if wanted,
 * of a draw, which take the place of the normals. */
DUN_CLONES static void tilt_waves(const struct gaussian_field *t, const struct dun_tilted *r,
                                  double *restrict wave, double *restrict drawn,
                                  double *restrict mass, double *restrict spread)
{
  memset(mass, 0, DUN_LANES * sizeof *mass);
  memset(spread, 0, DUN_LANES * sizeof *spread);
  for (int64_t k = 0; k < t->lattice.sites; k++) {
    double *restrict w = wave + k * DUN_LANES, v = t->deviation[k] * t->deviation[k];
    for (int l = 0; l < DUN_LANES; l++) {
      double more = v * r->lambda[l], q = 1 / (1 + more), mean = w[l] * q;
      mass[l] += .5 * (w[l] * mean - dun_log1p(more));
      spread[l] = DUN_FMA(v, q, spread[l]);
      w[l] = mean;
      if (r->draw)
        drawn[k * DUN_LANES + l] = DUN_FMA(sqrt(q), r->normal[k * DUN_LANES + l], mean);
    }
  }
}

/* x = mean + Q^T diag(deviation) wave. */
static void to_field(const struct gaussian_field *t, const double *wave, double *x)
{
  double one[DUN_LANES] __attribute__((aligned(64)));
  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  for (int64_t i = 0; i < t->lattice.sites * DUN_LANES; i++)
    x[i] = t->mean;
  dun_lattice_add_field(&t->lattice, t->deviation, one, wave, x);
}

/* What the tilt is at the mean; `rest` becomes h - lambda mean. */
DUN_CLONES static void tilt_at_mean(const struct gaussian_field *t, const struct dun_tilted *r,
                                    double *restrict rest, double *restrict mass)
{
  memset(mass, 0, DUN_LANES * sizeof *mass);
  for (int64_t j = 0; j < t->lattice.sites; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double h = r->h[j * DUN_LANES + l], m = t->mean;
      mass[l] = DUN_FMA(m, DUN_FMA(-.5 * m, r->lambda[l], h), mass[l]);
      rest[j * DUN_LANES + l] = DUN_FMA(-m, r->lambda[l], h);
    }
}

static int tilted(const void *self, const struct dun_tilted *r, double *work)
{
  const struct gaussian_field *t = self;
  size_t block = (size_t)t->lattice.sites * DUN_LANES;
  double *wave = work, *rest = work + block, one[DUN_LANES] __attribute__((aligned(64)));
  double mass[DUN_LANES], more[DUN_LANES], spread[DUN_LANES];
  if (r->scale)
    return -1;
  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  tilt_at_mean(t, r, rest, mass);
  memset(wave, 0, block * sizeof *wave);
  dun_lattice_add_waves(&t->lattice, t->deviation, one, rest, wave);
  tilt_waves(t, r, wave, rest, more, spread);
  to_field(t, wave, r->mean);
  if (r->draw)
    to_field(t, rest, r->draw);
  for (int l = 0; r->log_mass && l < DUN_LANES; l++)
    r->log_mass[l] = mass[l] + more[l];
  if (r->spread)
    memcpy(r->spread, spread, sizeof spread);
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct gaussian_field *t = self;
  if (capacity > 0)
    *parameter = dun_setup_field(t->lattice.axes, t->lattice.size);
  return 1;
}

static void constrain(const void *self, const double *x, double *theta)
{
  for (int i = 0; i < dimension_of(self); i++)
    theta[i] = x[i];
}

static int lattice(const void *self, int *axes, int size[3])
{
  const struct gaussian_field *t = self;
  *axes = t->lattice.axes;
  for (int a = 0; a < 3; a++)
    size[a] = t->lattice.size[a];
  return 0;
}

const struct dun_target dun_target_gaussian_field = {
    .type = {DUN_TYPE(struct dun_target), .name = "gaussian_field",
             .doc = "A Gaussian field on a periodic lattice, independent waves of given variances.",
             .size = sizeof(struct gaussian_field), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW,
    .log_evidence = dun_setup_normalised,
    .parameters = parameters,
    .constrain = constrain,
    .lattice = lattice,
};
