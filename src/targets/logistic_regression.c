/* Bayesian logistic regression: w ~ N(0, prior_scale^2), log p(y = 1) = log sigmoid(e), e = X w.
 *
 * Features are centred and divided by their population standard deviation (a constant column by
 * 1); the intercept's column of ones comes first.  Points lie by rows for BLAS, which works on
 * blocks of data of one fixed size; the sums over data go block by block, in the order of the
 * file. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/gaussian.h"
#include "numerics/linear.h"
#include "targets/setup.h"
#include <math.h>

enum { L = DUN_LANES, BLOCK = 256 };

struct logistic_regression {
  struct dun_data data;
  char *label;
  int intercept, standardise;
  double prior_scale;

  long long count; /* rows of data, N */
  int dimension;   /* coefficients with the intercept, p */
  double *x;       /* [N][p] */
  double *y;       /* [N], 0 or 1 */
  struct dun_gaussian prior;
};

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_DATA,
     .offset = offsetof(struct logistic_regression, data),
     .doc =
         "CSV file: a row for each observation, a column for each feature and one for the label."},
    {.name = "label",
     .type = DUN_TEXT,
     .offset = offsetof(struct logistic_regression, label),
     .initial = "",
     .doc =
         "Name or number (from 0) of the label's column, the last if left out; of its two values "
         "the larger is y = 1."},
    {.name = "intercept",
     .type = DUN_FLAG,
     .offset = offsetof(struct logistic_regression, intercept),
     .initial = "true",
     .doc = "Whether there is an intercept, with the same prior."},
    {.name = "standardise",
     .type = DUN_FLAG,
     .offset = offsetof(struct logistic_regression, standardise),
     .initial = "true",
     .doc = "Whether features are centred and divided by their standard deviation."},
    {.name = "prior_scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct logistic_regression, prior_scale),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Standard deviation of the normal prior of every coefficient."},
    {0}};

/* ---- data -------------------------------------------------------------------------------- */

static int take_labels(struct logistic_regression *t, const struct dun_csv *csv, int label,
                       struct dun_message why)
{
  double low = csv->value[label], high = low;
  for (long long i = 1; i < csv->rows; i++) {
    double y = csv->value[i * csv->columns + label];
    low = y < low ? y : low;
    high = y > high ? y : high;
  }
  if (low == high)
    return dun_refuse(why, "label: every row of %s has the label %g, expected two values",
                      t->data.path, low);
  for (long long i = 0; i < csv->rows; i++) {
    double y = csv->value[i * csv->columns + label];
    if (y != low && y != high)
      return dun_refuse(why,
                        "label: row %lld of %s has the label %g, expected two values only, "
                        "such as %g and %g",
                        i + 1, t->data.path, y, low, high);
    t->y[i] = y == high;
  }
  return 0;
}

/* Centres column j and divides it by its standard deviation, or by 1 if it is constant. */
static void standardise_column(struct logistic_regression *t, int j)
{
  double sum = 0, squares = 0, n = (double)t->count, deviation;
  double *x = t->x + j;
  for (long long i = 0; i < t->count; i++)
    sum += x[i * t->dimension];
  for (long long i = 0; i < t->count; i++) {
    x[i * t->dimension] -= sum / n;
    squares += x[i * t->dimension] * x[i * t->dimension];
  }
  deviation = sqrt(squares / n);
  if (deviation <= 1e-12 * fabs(sum / n) || deviation == 0)
    deviation = 1;
  for (long long i = 0; i < t->count; i++)
    x[i * t->dimension] /= deviation;
}

static void take_features(struct logistic_regression *t, const struct dun_csv *csv, int label)
{
  for (long long i = 0; i < csv->rows; i++) {
    double *row = t->x + i * t->dimension;
    const double *given = csv->value + i * csv->columns;
    if (t->intercept)
      *row++ = 1;
    for (int j = 0; j < csv->columns; j++)
      if (j != label)
        *row++ = given[j];
  }
  for (int j = t->intercept ? 1 : 0; t->standardise && j < t->dimension; j++)
    standardise_column(t, j);
}

static int init_prior(struct logistic_regression *t, struct dun_message why)
{
  double *number = dun_allocate(2 * (int64_t)t->dimension, sizeof *number);
  int status = 0;
  if (!number)
    return dun_refuse_failed(why);
  for (int j = 0; j < t->dimension; j++)
    number[t->dimension + j] = t->prior_scale;
  if (dun_gaussian_diagonal(&t->prior, t->dimension, number, number + t->dimension) < 0)
    status = dun_refuse_failed(why);
  DUN_FREE(number);
  return status;
}

static int take_data(struct logistic_regression *t, const struct dun_csv *csv,
                     struct dun_message why)
{
  int label = csv->columns - 1;
  if (t->label && (label = dun_csv_find(csv, &t->data, t->label)) < 0)
    return dun_refuse_failed(why);
  if (csv->columns < 2)
    return dun_refuse(why, "data: %s has one column, expected features and a label", t->data.path);
  t->count = csv->rows;
  t->dimension = csv->columns - 1 + (t->intercept != 0);
  t->x = dun_allocate(t->count, (size_t)t->dimension * sizeof *t->x);
  t->y = dun_allocate(t->count, sizeof *t->y);
  if (!t->x || !t->y)
    return dun_refuse_failed(why);
  if (take_labels(t, csv, label, why) < 0)
    return DUN_ERROR_INPUT;
  take_features(t, csv, label);
  return init_prior(t, why);
}

static int init(void *self, struct dun_message why)
{
  struct logistic_regression *t = self;
  struct dun_csv csv;
  int status;
  if (dun_setup_csv(why, &csv, &t->data) < 0)
    return DUN_ERROR_INPUT;
  status = take_data(t, &csv, why);
  dun_csv_free(&csv);
  return status;
}

static void free_tables(void *self)
{
  struct logistic_regression *t = self;
  DUN_FREE(t->x);
  DUN_FREE(t->y);
  dun_gaussian_free(&t->prior);
}

static int dimension_of(const void *self)
{
  return ((const struct logistic_regression *)self)->dimension;
}

static int work_columns(const void *self)
{
  (void)self;
  return BLOCK + 1;
}

/* ---- evaluation -------------------------------------------------------------------------- */

/* e[data][64] becomes the residuals y - sigmoid(e); their log likelihoods are added to sum.  The
 * logs of 1 + exp(-|e|), each factor at most 2, are taken of their product. */
DUN_CLONES
static void residuals(int data, int n, const double *restrict y, double *restrict e,
                      double *restrict sum)
{
  double product[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    product[l] = 1;
  for (int i = 0; i < data; i++) {
    double *restrict row = DUN_ALIGNED(e + (ptrdiff_t)i * L);
    double label = y[i];
    for (int l = 0; l < n; l++) {
      double eta = row[l], small = dun_exp_weight(-fabs(eta)), one = 1 + small;
      double positive = eta > 0 ? eta : 0, share = (eta > 0 ? 1 : small) / one;
      sum[l] += label * eta - positive;
      product[l] *= one;
      row[l] = label - share;
    }
  }
  for (int l = 0; l < L; l++)
    sum[l] -= dun_log(product[l]);
}

/* The prior by rows: a sum of squares in the order of the coordinates. */
static void add_prior(const struct logistic_regression *t, int n, const double *restrict x,
                      double *restrict lp, double *restrict gradient)
{
  double precision = 1 / (t->prior_scale * t->prior_scale);
  ptrdiff_t p = t->dimension;
  for (int i = 0; i < n; i++) {
    double square = 0;
    for (ptrdiff_t j = 0; j < p; j++)
      square += x[i * p + j] * x[i * p + j];
    lp[i] = t->prior.log_peak - 0.5 * precision * square;
    if (gradient)
      for (ptrdiff_t j = 0; j < p; j++)
        gradient[i * p + j] = -precision * x[i * p + j];
  }
}

static void rows(const void *self, int n, const double *x, double *lp, double *gradient,
                 double *work)
{
  const struct logistic_regression *t = self;
  double *sum = work, *e = work + L;
  int p = t->dimension;
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  add_prior(t, n, x, lp, gradient);
  for (long long first = 0; first < t->count; first += BLOCK) {
    int data = t->count - first < BLOCK ? (int)(t->count - first) : BLOCK;
    const double *block = t->x + first * p;
    dun_multiply_abt(data, n, p, block, p, x, p, e, L);
    residuals(data, n, t->y + first, e, sum);
    if (gradient)
      dun_multiply_add_atb(n, p, data, e, L, block, p, gradient, p);
  }
  for (int i = 0; i < n; i++)
    lp[i] += sum[i];
}

static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  const struct logistic_regression *t = self;
  dun_gaussian_evaluate(&t->prior, x, lp, scale, gradient, work);
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_gaussian_draw(&((const struct logistic_regression *)self)->prior, normal, x);
}

/* ---- parameters as users know them ------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct logistic_regression *t = self;
  const struct dun_parameter all[] = {
      {.name = "intercept", .doc = "Log odds where every feature is at its mean."},
      {.name = "coefficients",
       .rank = 1,
       .shape = {t->dimension - (t->intercept != 0)},
       .doc = "Change of the log odds per standard deviation of each feature."},
      {.name = "coefficients",
       .rank = 1,
       .shape = {t->dimension - (t->intercept != 0)},
       .doc = "Change of the log odds per unit of each feature."},
  };
  int count = 0;
  if (t->intercept && ++count <= capacity)
    parameter[count - 1] = all[0];
  if (++count <= capacity)
    parameter[count - 1] = all[t->standardise ? 1 : 2];
  return count;
}

static void constrain(const void *self, const double *x, double *theta)
{
  for (int j = 0; j < dimension_of(self); j++)
    theta[j] = x[j];
}

const struct dun_target dun_target_logistic_regression = {
    .type = {DUN_TYPE(struct dun_target), .name = "logistic_regression",
             .doc = "Bayesian logistic regression with a normal prior on data from a CSV file.",
             .size = sizeof(struct logistic_regression), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .rows = rows,
    .work_columns = work_columns,
    .prior = prior,
    .draw_normals = -1,
    .draw_prior = draw_prior,
    .parameters = parameters,
    .constrain = constrain,
};
