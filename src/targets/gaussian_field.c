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
    .log_evidence = dun_setup_normalised,
    .parameters = parameters,
    .constrain = constrain,
    .lattice = lattice,
};
