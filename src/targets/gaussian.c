/* A Gaussian with identity, diagonal, autoregressive or dense covariance: the test that everything
 * can be checked against. */
#include "numerics/gaussian.h"
#include "base/memory.h"
#include "targets/setup.h"
#include <math.h>

enum { IDENTITY, DIAGONAL, TOEPLITZ, DENSE };

struct covariance {
  int type;
  struct dun_numbers scale, variances;
  double correlation;
  struct dun_data file;
  struct dun_csv_format format;
};

struct gaussian {
  long long dimension;
  struct dun_numbers mean;
  struct covariance covariance;
  double log_evidence;

  struct dun_setup_names names; /* of the coordinates */
  struct dun_gaussian normal;
};

static const struct dun_option covariance_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = offsetof(struct covariance, type),
     .initial = "identity",
     .words = "identity|diagonal|toeplitz|dense",
     .doc = "Shape of the covariance, before it is scaled."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct covariance, scale),
     .initial = "1",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "Factor on the standard deviations, one for all or one for each coordinate."},
    {.name = "variances",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct covariance, variances),
     .initial = "1",
     .minimum = 1e-200,
     .maximum = 1e200,
     .doc = "Variances, one for all or one for each coordinate.",
     .when = "type=diagonal"},
    {.name = "correlation",
     .type = DUN_NUMBER,
     .offset = offsetof(struct covariance, correlation),
     .minimum = -0.999999999,
     .maximum = 0.999999999,
     .doc = "Correlation of neighbours, rho; coordinates i and j have rho^|i-j|.",
     .when = "type=toeplitz"},
    {.name = "file",
     .type = DUN_DATA,
     .offset = offsetof(struct covariance, file),
     .doc = "Dense: a CSV file with the covariance matrix, d rows of d numbers.",
     .when = "type=dense"},
    DUN_CSV_ROWS(struct covariance, format, "type=dense"),
    {0}};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct gaussian, dimension),
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Number of coordinates, d."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct gaussian, mean),
     .initial = "0",
     .doc = "The mean, one number for all or one for each coordinate."},
    {.name = "covariance",
     .type = DUN_SECTION,
     .offset = offsetof(struct gaussian, covariance),
     .initial = "",
     .doc = "The covariance matrix.",
     .rows = covariance_options},
    {.name = "log_evidence",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian, log_evidence),
     .initial = "0",
     .doc = "Known log of the normalising constant, added to the normalised log density."},
    {0}};

/* covariance[d][d] from the file, scaled; refuses what is not symmetric. */
static int read_covariance(const struct gaussian *t, const struct dun_csv *csv, const double *scale,
                           double *covariance, struct dun_message why)
{
  long long d = t->dimension;
  const char *path = t->covariance.file.path;
  for (long long i = 0; i < d; i++) {
    for (long long j = 0; j < i; j++) {
      double a = csv->value[i * d + j], b = csv->value[j * d + i];
      double size = sqrt(fabs(csv->value[i * d + i] * csv->value[j * d + j]));
      if (fabs(a - b) > 1e-8 * size)
        return dun_refuse(why,
                          "covariance.file: %s is not symmetric: entry (%lld, %lld) is %g, its "
                          "mirror image %g",
                          path, i, j, a, b);
    }
    for (long long j = 0; j < d; j++)
      covariance[i * d + j] = scale[i] * scale[j] * csv->value[i * d + j];
  }
  return 0;
}

static int init_dense(struct gaussian *t, const double *mean, const double *scale,
                      struct dun_message why)
{
  struct dun_csv csv = {0};
  double *covariance = NULL;
  int status;
  status = dun_setup_numbers(why, &csv, &t->covariance.file, &t->covariance.format);
  if (status < 0)
    goto out;
  if (csv.rows != t->dimension || csv.columns != t->dimension) {
    status = dun_refuse(why, "covariance.file: %s holds %lld x %d numbers, expected %lld x %lld",
                        t->covariance.file.path, csv.rows, csv.columns, t->dimension, t->dimension);
    goto out;
  }
  covariance = dun_allocate(t->dimension * t->dimension, sizeof *covariance);
  status = covariance ? read_covariance(t, &csv, scale, covariance, why) : dun_refuse_failed(why);
  if (status < 0)
    goto out;
  if (dun_gaussian_dense(&t->normal, (int)t->dimension, mean, covariance) < 0 ||
      dun_setup_take_names(&t->names, &csv, NULL, csv.columns) < 0)
    status = dun_refuse_failed(why);
out:
  DUN_FREE(covariance);
  dun_csv_free(&csv);
  return status;
}

static int init_normal(struct gaussian *t, const double *mean, double *scale, double *variance,
                       struct dun_message why)
{
  const struct covariance *c = &t->covariance;
  int d = (int)t->dimension, status;
  if (c->type == DENSE)
    return init_dense(t, mean, scale, why);
  if (c->type == DIAGONAL) {
    status = dun_spread(why, "covariance.variances", &c->variances, 1, d, variance);
    if (status < 0)
      return status;
    for (int i = 0; i < d; i++)
      scale[i] *= sqrt(variance[i]);
  }
  status = c->type == TOEPLITZ ? dun_gaussian_toeplitz(&t->normal, d, mean, scale, c->correlation)
                               : dun_gaussian_diagonal(&t->normal, d, mean, scale);
  return status < 0 ? dun_refuse_failed(why) : 0;
}

static int init(void *self, struct dun_message why)
{
  struct gaussian *t = self;
  long long d = t->dimension;
  double *number = dun_allocate(3 * d, sizeof *number);
  int status;
  if (!number)
    return dun_refuse_failed(why);
  status = dun_spread(why, "mean", &t->mean, 0, d, number);
  if (status == 0)
    status = dun_spread(why, "covariance.scale", &t->covariance.scale, 1, d, number + d);
  if (status == 0)
    status = init_normal(t, number, number + d, number + 2 * d, why);
  DUN_FREE(number);
  return status;
}

static void free_tables(void *self)
{
  struct gaussian *t = self;
  dun_gaussian_free(&t->normal);
  dun_setup_free_names(&t->names);
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct gaussian *t = self;
  return dun_setup_point(&t->names, (int)t->dimension, capacity, parameter);
}

static int dimension_of(const void *self)
{
  return (int)((const struct gaussian *)self)->dimension;
}

static int work_columns(const void *self)
{
  const struct gaussian *t = self;
  int evaluation = dun_gaussian_work_columns(&t->normal);
  int tilted = dun_gaussian_tilted_columns(&t->normal);
  return tilted > evaluation ? tilted : evaluation;
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct gaussian *t = self;
  dun_gaussian_evaluate(&t->normal, x, lp, scale, gradient, work);
  if (lp && t->log_evidence != 0)
    for (int l = 0; l < DUN_LANES; l++)
      lp[l] += t->log_evidence;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_gaussian_draw(&((const struct gaussian *)self)->normal, normal, x);
}

static int tilted(const void *self, const struct dun_tilted *tilted, double *work)
{
  const struct gaussian *t = self;
  int status = dun_gaussian_tilted(&t->normal, tilted, work);
  for (int l = 0; tilted->log_mass && l < DUN_LANES; l++)
    tilted->log_mass[l] += t->log_evidence;
  return status;
}

static double log_evidence(const void *self)
{
  return ((const struct gaussian *)self)->log_evidence;
}

/* One mode, as wide as the root mean variance. */
static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  const struct gaussian *t = self;
  double sum = 0;
  if (capacity < 1)
    return 1;
  for (long long i = 0; i < t->dimension; i++) {
    if (centre)
      centre[i] = t->normal.mean[i];
    sum += t->normal.deviation[i] * t->normal.deviation[i];
  }
  if (share)
    *share = 1;
  if (width)
    *width = sqrt(sum / (double)t->dimension);
  return 1;
}

const struct dun_target dun_target_gaussian = {
    .type = {DUN_TYPE(struct dun_target), .name = "gaussian",
             .doc = "A Gaussian with identity, diagonal, autoregressive or dense covariance.",
             .size = sizeof(struct gaussian), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW | DUN_TILTED_SCALE |
             DUN_TILTED_MATRIX,
    .log_evidence = log_evidence,
    .parameters = parameters,
    .modes = modes,
};
