/* Bayesian logistic regression: w ~ N(0, prior_scale^2), or flat with density 1, and
 * log p(y = 1) = log sigmoid(e), e = X w.
 *
 * Features are centred, or not, and divided by their population standard deviation (a constant
 * column by 1); the intercept's column of ones comes first.  Points lie by rows for BLAS, which
 * works on blocks of data of one fixed size; the sums over data go block by block, in the order of
 * the file. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/gaussian.h"
#include "numerics/linear.h"
#include "targets/setup.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { L = DUN_LANES, BLOCK = 256 };
enum { LARGER, SMALLER };
enum { NORMAL, FLAT };

struct logistic_regression {
  struct dun_data data;
  struct dun_csv_format format;
  char *label, *features, *omit;
  int intercept, standardise, centre, one, law;
  double prior_scale;

  long long count; /* rows of data, N */
  int dimension;   /* coefficients with the intercept, p */
  double *x;       /* [N][p] */
  double *y;       /* [N], 0 or 1 */
  struct dun_gaussian prior;
  struct dun_setup_names names; /* of the features */
};

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_DATA,
     .offset = offsetof(struct logistic_regression, data),
     .doc =
         "CSV file: a row for each observation, a column for each feature and one for the label."},
    DUN_CSV_ROWS(struct logistic_regression, format, NULL),
    {.name = "label",
     .type = DUN_TEXT,
     .offset = offsetof(struct logistic_regression, label),
     .initial = "",
     .doc =
         "Name or number (from 0) of the label's column, the last if left out; it has two values."},
    {.name = "features",
     .type = DUN_TEXT,
     .offset = offsetof(struct logistic_regression, features),
     .initial = "",
     .doc =
         "Names or numbers of the features' columns, with commas between; all but the label's if "
         "left out."},
    {.name = "omit",
     .type = DUN_TEXT,
     .offset = offsetof(struct logistic_regression, omit),
     .initial = "",
     .doc = "Names or numbers of columns that are no features, with commas between."},
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
    {.name = "centre",
     .type = DUN_FLAG,
     .offset = offsetof(struct logistic_regression, centre),
     .initial = "true",
     .doc = "Of standardised features: whether they are centred; false: they are divided alone."},
    {.name = "one",
     .type = DUN_CHOICE,
     .offset = offsetof(struct logistic_regression, one),
     .initial = "larger",
     .words = "larger|smaller",
     .doc = "Which of the label's two values is y = 1."},
    {.name = "prior",
     .type = DUN_CHOICE,
     .offset = offsetof(struct logistic_regression, law),
     .initial = "normal",
     .words = "normal|flat",
     .doc =
         "Prior of the coefficients; flat: the density is the likelihood, which has a finite log "
         "Z only where no plane parts the labels."},
    {.name = "prior_scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct logistic_regression, prior_scale),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Standard deviation of the normal prior of every coefficient.",
     .when = "prior=normal"},
    {0}};

/* ---- data -------------------------------------------------------------------------------- */

/* The values that the label takes: which, how often, and the first line that holds each. */
enum { LISTED = 6 };
struct labels {
  int count; /* of different values; beyond LISTED they are not told apart */
  double value[LISTED + 1];
  long long rows[LISTED + 1], line[LISTED + 1];
};

static struct labels list_labels(const struct dun_csv *csv, int label)
{
  struct labels found = {0};
  for (long long i = 0; i < csv->rows; i++) {
    double y = csv->value[i * csv->columns + label];
    int k = 0;
    while (k < found.count && k < LISTED && found.value[k] != y)
      k++;
    if (k == found.count || (k == LISTED && found.count == LISTED)) {
      found.count = k + 1;
      found.value[k] = y;
      found.line[k] = csv->line[i];
    }
    found.rows[k]++;
  }
  return found;
}

/* All values and where they are first, so that the one that does not belong there shows. */
static int refuse_labels(const struct logistic_regression *t, const struct labels *found,
                         const char *column, struct dun_message why)
{
  char list[400];
  int length = 0;
  for (int k = 0; k < found->count && k < LISTED; k++)
    length += snprintf(list + length, sizeof list - (size_t)length,
                       "%s%.10g (%lld row%s, first in line %lld)", k ? ", " : "", found->value[k],
                       found->rows[k], found->rows[k] == 1 ? "" : "s", found->line[k]);
  return dun_refuse(why,
                    "label: %s: column %s holds %s%s; expected two values, such as 0 and 1 "
                    "(label: NAME says which column it is)",
                    t->data.path, column, list, found->count > LISTED ? " and others" : "");
}

static int take_labels(struct logistic_regression *t, const struct dun_csv *csv, int label,
                       struct dun_message why)
{
  struct labels found = list_labels(csv, label);
  char column[80];
  if (csv->named)
    snprintf(column, sizeof column, "'%.60s'", csv->name[label]);
  else
    snprintf(column, sizeof column, "%d", label);
  if (found.count != 2)
    return refuse_labels(t, &found, column, why);
  int larger = found.value[0] > found.value[1] ? 0 : 1;
  double one = found.value[t->one == SMALLER ? 1 - larger : larger];
  for (long long i = 0; i < csv->rows; i++)
    t->y[i] = csv->value[i * csv->columns + label] == one;
  return 0;
}

/* Divides column j by its standard deviation, or by 1 if it is constant; centres it before, unless
 * it is not to be. */
static int standardise_column(struct logistic_regression *t, int j)
{
  double sum = 0, squares = 0, n = (double)t->count, deviation;
  double *x = t->x + j;
  for (long long i = 0; i < t->count; i++)
    sum += x[i * t->dimension];
  for (long long i = 0; i < t->count; i++) {
    double off = x[i * t->dimension] - sum / n;
    squares += off * off;
    x[i * t->dimension] = t->centre ? off : x[i * t->dimension];
  }
  if (!isfinite(squares))
    return -1;
  deviation = sqrt(squares / n);
  if (deviation <= 1e-12 * fabs(sum / n) || deviation == 0)
    deviation = 1;
  for (long long i = 0; i < t->count; i++)
    x[i * t->dimension] /= deviation;
  return 0;
}

static int take_features(struct logistic_regression *t, const struct dun_csv *csv,
                         const int *column, struct dun_message why)
{
  int features = t->dimension - (t->intercept != 0);
  for (long long i = 0; i < csv->rows; i++) {
    double *row = t->x + i * t->dimension;
    const double *given = csv->value + i * csv->columns;
    if (t->intercept)
      *row++ = 1;
    for (int j = 0; j < features; j++)
      *row++ = given[column[j]];
  }
  for (int j = t->intercept ? 1 : 0; t->standardise && j < t->dimension; j++)
    if (standardise_column(t, j) < 0)
      return dun_refuse(why, "data: %s: the squares of a feature are beyond the largest number",
                        t->data.path);
  return 0;
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

/* ---- columns ----------------------------------------------------------------------------- */

/* Of the list `features`, or of all columns but the label's and the omitted; returns how many. */
static int choose_features(const struct logistic_regression *t, const struct dun_csv *csv,
                           int label, int *column, int *omitted, struct dun_message why)
{
  int count = 0, left_out = t->omit ? dun_csv_select(csv, &t->data, t->omit, omitted) : 0;
  if (left_out < 0)
    return dun_refuse_failed(why);
  if (t->features && t->omit)
    return dun_refuse(why, "omit: `features` says which columns are taken, expected one of both");
  if (t->features) {
    count = dun_csv_select(csv, &t->data, t->features, column);
    for (int i = 0; i < count; i++)
      if (column[i] == label)
        return dun_refuse(why, "features: the label's column is one of them");
    return count < 0 ? dun_refuse_failed(why) : count;
  }
  for (int i = 0; i < left_out; i++)
    if (omitted[i] == label)
      return dun_refuse(why,
                        "omit: the label's column is one of them; label: NAME says which it is");
  for (int j = 0; j < csv->columns; j++) {
    int out = j == label;
    for (int i = 0; i < left_out; i++)
      out |= omitted[i] == j;
    if (!out)
      column[count++] = j;
  }
  return count;
}

static int is_called_label(const char *name)
{
  return !strcasecmp(name, "label") || !strcasecmp(name, "class") || !strcasecmp(name, "target") ||
         !strcasecmp(name, "outcome");
}

/* The last column, unless another says by its name that it is the label. */
static int find_last(const struct logistic_regression *t, const struct dun_csv *csv,
                     struct dun_message why)
{
  int last = csv->columns - 1;
  for (int j = 0; j < last && !is_called_label(csv->name[last]); j++)
    if (is_called_label(csv->name[j]))
      return dun_refuse(why,
                        "label: %s has a column '%s', but the last one is '%.60s': say which is "
                        "meant (label: NAME)",
                        t->data.path, csv->name[j], csv->name[last]);
  return last;
}

static int find_label(const struct logistic_regression *t, const struct dun_csv *csv,
                      struct dun_message why)
{
  int label = t->label ? dun_csv_find(csv, &t->data, t->label) : find_last(t, csv, why);
  return label < 0 && t->label ? dun_refuse_failed(why) : label;
}

static int check_columns(const struct logistic_regression *t, const struct dun_csv *csv,
                         const int *column, int count, int label, struct dun_message why)
{
  if (count == 0)
    return dun_refuse(why, "data: %s has no column beside the label's, expected features",
                      t->data.path);
  if (dun_csv_check(csv, &t->data, label) < 0)
    return dun_refuse(why, "%s (it is the label's column; label: NAME says which it is)",
                      dun_error_text());
  for (int j = 0; j < count; j++)
    if (dun_csv_check(csv, &t->data, column[j]) < 0)
      return dun_refuse_failed(why);
  return 0;
}

static int take_data(struct logistic_regression *t, struct dun_csv *csv, int *column,
                     struct dun_message why)
{
  int label = find_label(t, csv, why);
  int count =
      label < 0 ? label : choose_features(t, csv, label, column, column + csv->columns, why);
  if (count < 0 || check_columns(t, csv, column, count, label, why) < 0)
    return DUN_ERROR_INPUT;
  t->count = csv->rows;
  t->dimension = count + (t->intercept != 0);
  t->x = dun_allocate(t->count, (size_t)t->dimension * sizeof *t->x);
  t->y = dun_allocate(t->count, sizeof *t->y);
  if (!t->x || !t->y)
    return dun_refuse_failed(why);
  if (take_labels(t, csv, label, why) < 0 || take_features(t, csv, column, why) < 0)
    return DUN_ERROR_INPUT;
  if (dun_setup_take_names(&t->names, csv, column, count) < 0)
    return dun_refuse_failed(why);
  return init_prior(t, why);
}

static int init(void *self, struct dun_message why)
{
  struct logistic_regression *t = self;
  struct dun_csv csv;
  int *column, status;
  if (dun_setup_csv(why, &csv, &t->data, &t->format) < 0)
    return DUN_ERROR_INPUT;
  column = dun_allocate(2 * (int64_t)csv.columns, sizeof *column);
  status = column ? take_data(t, &csv, column, why) : dun_refuse_failed(why);
  DUN_FREE(column);
  dun_csv_free(&csv);
  return status;
}

static void free_tables(void *self)
{
  struct logistic_regression *t = self;
  DUN_FREE(t->x);
  DUN_FREE(t->y);
  dun_gaussian_free(&t->prior);
  dun_setup_free_names(&t->names);
}

static int dimension_of(const void *self)
{
  return ((const struct logistic_regression *)self)->dimension;
}

static int work_columns(const void *self)
{
  int p = dimension_of(self);
  return BLOCK + 1 + (BLOCK + L - 1) / L * (p + 1) + p; /* the last for `observed` */
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
  double precision = t->law == FLAT ? 0 : 1 / (t->prior_scale * t->prior_scale);
  ptrdiff_t p = t->dimension;
  for (int i = 0; i < n; i++) {
    double square = 0;
    for (ptrdiff_t j = 0; j < p; j++)
      square += x[i * p + j] * x[i * p + j];
    lp[i] = t->law == FLAT ? 0 : t->prior.log_peak - 0.5 * precision * square;
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

static int observations(const void *self)
{
  return (int)((const struct logistic_regression *)self)->count;
}

/* Blocks of rows that are gathered first, which takes a hundredth of the time of 64 lanes. */
static void observed(const void *self, int count, const int *which, const double *x, double *lp,
                     const double *scale, double *gradient, double *work)
{
  const struct logistic_regression *t = self;
  double *sum = work, *e = sum + L, *y = e + (ptrdiff_t)BLOCK * L, *row = y + BLOCK;
  ptrdiff_t p = t->dimension;
  double *block = row + p * L;
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  for (ptrdiff_t j = 0; j < p; j++)
    for (int l = 0; l < L; l++)
      row[l * p + j] = x[j * L + l];
  for (int first = 0; first < count; first += BLOCK) {
    int data = count - first < BLOCK ? count - first : BLOCK, P = (int)p;
    for (int i = 0; i < data; i++) {
      memcpy(block + i * p, t->x + which[first + i] * p, (size_t)p * sizeof *block);
      y[i] = t->y[which[first + i]];
    }
    dun_multiply_abt(data, L, P, block, P, row, P, e, L);
    residuals(data, L, y, e, sum);
    for (int i = 0; i < data && gradient; i++)
      for (int l = 0; l < L; l++)
        e[(ptrdiff_t)i * L + l] *= scale[l];
    if (gradient)
      dun_multiply_add_atb(P, L, data, block, P, e, L, gradient, L);
  }
  if (lp)
    memcpy(lp, sum, L * sizeof *lp);
}

static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  const struct logistic_regression *t = self;
  dun_gaussian_evaluate(&t->prior, x, lp, scale, gradient, work);
}

static int has_prior(const void *self)
{
  return ((const struct logistic_regression *)self)->law != FLAT;
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
  const char *const *label = dun_setup_labels(&t->names);
  const struct dun_parameter all[] = {
      {.name = "intercept", .doc = "Log odds where every feature is at its mean."},
      {.name = "intercept", .doc = "Log odds where every feature is 0."},
      {.name = "coefficients",
       .rank = 1,
       .shape = {t->dimension - (t->intercept != 0)},
       .doc = "Change of the log odds per standard deviation of each feature.",
       .label = label},
      {.name = "coefficients",
       .rank = 1,
       .shape = {t->dimension - (t->intercept != 0)},
       .doc = "Change of the log odds per unit of each feature.",
       .label = label},
  };
  int count = 0;
  if (t->intercept && ++count <= capacity)
    parameter[count - 1] = all[t->standardise && t->centre ? 0 : 1];
  if (++count <= capacity)
    parameter[count - 1] = all[t->standardise ? 2 : 3];
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
    .has_prior = has_prior,
    .draw_normals = -1,
    .draw_prior = draw_prior,
    .parameters = parameters,
    .constrain = constrain,
    .observations = observations,
    .observed = observed,
};
