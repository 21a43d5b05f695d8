/* A log-Gaussian Cox process on a grid of the unit square: points fall into cell i with the rate
 * exp(f_i) / cells, f is a Gaussian field with the covariance variance exp(-distance / length).
 *
 *   log density = log N(f; mean, K) + sum_i (f_i count_i - exp(f_i) / cells),
 *
 * without the factorials of the counts; in other coordinates than f the prior is theirs. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "targets/cox_field.h"
#include "targets/setup.h"
#include "targets/together.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, MOST_DENSE = 16384, MOST_LOCAL = 8192 };
enum { AUTO, LOCAL, DISTRIBUTED };
#define MOST_RATE 600.0 /* of its log: beyond it the rate grows along its tangent */
#define FARTHEST  1e290 /* of f */

struct log_gaussian_cox_process {
  struct dun_data data;
  struct dun_csv_format format;
  char *columns;
  struct dun_numbers side, mean;
  double variance, length;
  int coordinates, factor, outputs;

  double *count; /* [cells] of points */
  double *one;   /* [cells]: scratch */
  struct dun_cox_field field;
};

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_DATA,
     .offset = offsetof(struct log_gaussian_cox_process, data),
     .doc = "CSV file with a row for each point, two numbers from 0 to 1."},
    DUN_CSV_ROWS(struct log_gaussian_cox_process, format, NULL),
    {.name = "columns",
     .type = DUN_TEXT,
     .offset = offsetof(struct log_gaussian_cox_process, columns),
     .initial = "",
     .doc = "Names or numbers (from 0) of the two columns, with a comma between; all if left out."},
    {.name = "side",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct log_gaussian_cox_process, side),
     .initial = "40",
     .minimum = 1,
     .maximum = 1000,
     .doc = "Cells along a side, one number for both or one for each column of the points."},
    {.name = "variance",
     .type = DUN_NUMBER,
     .offset = offsetof(struct log_gaussian_cox_process, variance),
     .initial = "1.91",
     .minimum = 1e-6,
     .maximum = 1e3,
     .doc = "Variance of the log intensity in a cell."},
    {.name = "length",
     .type = DUN_NUMBER,
     .offset = offsetof(struct log_gaussian_cox_process, length),
     .initial = "0.030303030303030304",
     .minimum = 1e-6,
     .maximum = 1e3,
     .doc = "Distance over which its correlation falls by a factor of e; a side is 1."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct log_gaussian_cox_process, mean),
     .initial = "",
     .minimum = -300,
     .maximum = 300,
     .doc = "Mean of the log intensity; the log of the number of points less half the variance if "
            "left out."},
    {.name = "coordinates",
     .type = DUN_CHOICE,
     .offset = offsetof(struct log_gaussian_cox_process, coordinates),
     .initial = "field",
     .words = "field|whitened|circulant",
     .doc = "What is sampled: the log intensity, normals that the covariance's Cholesky factor "
            "makes it of, or normals that Fourier transforms on a wider lattice make it of, four "
            "times as many and fast."},
    {.name = "factor",
     .type = DUN_CHOICE,
     .offset = offsetof(struct log_gaussian_cox_process, factor),
     .initial = "auto",
     .words = "auto|local|distributed",
     .when = "coordinates=field|whitened",
     .doc = "Every rank factors the covariance for itself, or all together, into a table that the "
            "ranks of a machine share, results then not deterministic; auto: together above 8192 "
            "cells."},
    {.name = "outputs",
     .type = DUN_CHOICE,
     .offset = offsetof(struct log_gaussian_cox_process, outputs),
     .initial = "all",
     .words = "all|observables",
     .doc = "What is put out: the expected number of points and the log intensity, or the first "
            "alone."},
    {0}};

/* ---- data -------------------------------------------------------------------------------- */

static int find_columns(const struct log_gaussian_cox_process *t, const struct dun_csv *csv,
                        int *column, struct dun_message why)
{
  int count = csv->columns;
  for (int j = 0; j < count; j++)
    column[j] = j;
  if (t->columns && (count = dun_csv_select(csv, &t->data, t->columns, column)) < 0)
    return dun_refuse_failed(why);
  if (count != 2)
    return dun_refuse(why,
                      "%s: found %d columns, expected 2, the places of points (columns: says "
                      "which)",
                      t->data.path, count);
  for (int a = 0; a < 2; a++)
    if (dun_csv_check(csv, &t->data, column[a]) < 0)
      return dun_refuse_failed(why);
  return 0;
}

static int count_points(struct log_gaussian_cox_process *t, const struct dun_csv *csv,
                        const int *column, struct dun_message why)
{
  const int *size = t->field.size;
  for (long long i = 0; i < csv->rows; i++) {
    int64_t cell[2];
    for (int a = 0; a < 2; a++) {
      double at = csv->value[i * csv->columns + column[a]];
      if (!(at >= 0 && at <= 1))
        return dun_refuse(why, "%s:%lld: column %d: found %.10g, expected a place from 0 to 1",
                          t->data.path, csv->line[i], column[a], at);
      cell[a] = (int64_t)(at * size[a]);
      cell[a] = cell[a] < size[a] ? cell[a] : size[a] - 1;
    }
    t->count[cell[0] * size[1] + cell[1]]++;
  }
  return 0;
}

static int take_points(struct log_gaussian_cox_process *t, const struct dun_csv *csv,
                       struct dun_message why)
{
  int *column = dun_allocate(csv->columns, sizeof *column);
  int status = column ? find_columns(t, csv, column, why) : dun_refuse_failed(why);
  if (status == 0 && csv->rows > 10000000)
    status = dun_refuse(why, "data: %s: found %lld points, expected at most 10000000", t->data.path,
                        csv->rows);
  if (status == 0)
    status = count_points(t, csv, column, why);
  dun_free(column);
  t->field.mean = dun_scalar_log((double)csv->rows) - .5 * t->variance;
  return status;
}

/* ---- set-up ------------------------------------------------------------------------------ */

static int check_size(struct log_gaussian_cox_process *t, struct dun_message why)
{
  int size[3];
  if (dun_setup_lattice(why, &t->side, 2, size) < 0)
    return DUN_ERROR_INPUT;
  if (t->mean.count > 1)
    return dun_refuse(why, "mean: found %lld numbers, expected one", t->mean.count);
  t->field.size[0] = size[0];
  t->field.size[1] = size[1];
  long long cells = (long long)size[0] * size[1];
  if (t->coordinates == DUN_COX_CIRCULANT ? 5 * cells > DUN_MAX_DIMENSION : cells > MOST_DENSE)
    return dun_refuse(why, "side: found %lld cells, expected at most %d with coordinates %s", cells,
                      t->coordinates == DUN_COX_CIRCULANT ? DUN_MAX_DIMENSION / 5 : MOST_DENSE,
                      t->coordinates == DUN_COX_CIRCULANT ? "circulant"
                                                          : "that take a Cholesky factor; take "
                                                            "coordinates: circulant");
  t->count = dun_allocate(cells, sizeof *t->count);
  t->one = dun_allocate(cells, sizeof *t->one);
  return t->count && t->one ? 0 : dun_refuse_failed(why);
}

static int is_distributed(const struct log_gaussian_cox_process *t)
{
  return t->factor == AUTO ? t->field.size[0] * t->field.size[1] > MOST_LOCAL
                           : t->factor == DISTRIBUTED;
}

static int init(void *self, struct dun_message why)
{
  struct log_gaussian_cox_process *t = self;
  struct dun_csv csv;
  if (check_size(t, why) < 0 || dun_setup_csv(why, &csv, &t->data, &t->format) < 0)
    return DUN_ERROR_INPUT;
  int status = take_points(t, &csv, why);
  dun_csv_free(&csv);
  if (status < 0)
    return status;
  if (t->mean.count)
    t->field.mean = t->mean.value[0];
  t->field.coordinates = (enum dun_cox_coordinates)t->coordinates;
  t->field.distributed = t->coordinates != DUN_COX_CIRCULANT && is_distributed(t);
  t->field.variance = t->variance;
  t->field.length = t->length;
  return dun_cox_field_init(&t->field) < 0 ? dun_refuse_failed(why) : 0;
}

static int together(struct dun_context *context, void *self, struct dun_tables *tables)
{
  struct log_gaussian_cox_process *t = self;
  const struct dun_shared_factor *f = &t->field.shared;
  int code = t->field.distributed ? dun_cox_field_together(context, &t->field) : 0;
  if (code < 0)
    return code;
  tables->loose = t->field.distributed;
  tables->held = dun_cox_field_memory(&t->field, &tables->most);
  if (t->field.distributed)
    dun_note(&context->log,
             "the covariance of %d cells: factored over %d rank%s in %.2f s; the last bits of "
             "results depend on their number",
             f->n, context->size, context->size > 1 ? "s" : "", f->seconds);
  return 0;
}

static void free_tables(void *self)
{
  struct log_gaussian_cox_process *t = self;
  DUN_FREE(t->count);
  DUN_FREE(t->one);
  dun_cox_field_free(&t->field);
}

static int dimension_of(const void *self)
{
  return ((const struct log_gaussian_cox_process *)self)->field.dimension;
}

/* A field, the slopes of it, and the coordinates, which the prior's scratch goes before. */
static int work_columns(const void *self)
{
  return 3 * ((const struct log_gaussian_cox_process *)self)->field.columns;
}

/* ---- density ----------------------------------------------------------------------------- */

/* The log likelihood of f, added to lp unless NULL, and its slopes g. */
DUN_CLONES static void add_likelihood(const struct log_gaussian_cox_process *t,
                                      const double *restrict f, double *restrict lp,
                                      double *restrict g)
{
  double sum[L] __attribute__((aligned(64))) = {0}, share = 1. / t->field.cells;
  for (int64_t i = 0; i < t->field.cells; i++) {
    int64_t place = dun_cox_field_place(&t->field, i) * L;
    double count = t->count[i];
    for (int l = 0; l < L; l++) {
      double at = f[place + l], low = at > -FARTHEST ? at : -FARTHEST;
      double inside = low < FARTHEST ? low : FARTHEST;
      double bent = inside < MOST_RATE ? inside : MOST_RATE, slope = share * dun_exp(bent);
      sum[l] += count * inside - slope * (1 + (inside - bent));
      g[place + l] = (fabs(at) < FARTHEST ? count : 0) - slope;
    }
  }
  for (int l = 0; lp && l < L; l++)
    lp[l] += sum[l];
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct log_gaussian_cox_process *t = self;
  int64_t room = (int64_t)t->field.columns * L;
  double *f = work, *g = work + room, *scratch = work + 2 * room;
  dun_gaussian_evaluate(&t->field.prior, x, lp, scale, gradient, scratch);
  dun_cox_field_make(&t->field, x, f, scratch);
  memset(g, 0, (size_t)room * sizeof *g);
  add_likelihood(t, f, lp, g);
  if (gradient)
    dun_cox_field_pull(&t->field, g, scale, gradient);
}

static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  const struct log_gaussian_cox_process *t = self;
  dun_gaussian_evaluate(&t->field.prior, x, lp, scale, gradient, work);
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_gaussian_draw(&((const struct log_gaussian_cox_process *)self)->field.prior, normal, x);
}

/* ---- output ------------------------------------------------------------------------------ */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct log_gaussian_cox_process *t = self;
  const struct dun_parameter all[] = {
      {.name = "expected", .doc = "Expected number of points, the integral of the intensity."},
      {.name = "log_intensity",
       .rank = 2,
       .shape = {t->field.size[0], t->field.size[1]},
       .doc = "Log of the intensity in each cell."},
  };
  int count = t->outputs ? 1 : 2;
  for (int i = 0; i < count && i < capacity; i++)
    parameter[i] = all[i];
  return count;
}

DUN_CLONES static void constrain(const void *self, const double *x, double *theta)
{
  const struct log_gaussian_cox_process *t = self;
  double *f = t->outputs ? t->one : theta + 1, sum = 0;
  dun_cox_field_one(&t->field, x, f);
  for (int64_t i = 0; i < t->field.cells; i++)
    sum += dun_exp(f[i] < MOST_RATE ? f[i] : MOST_RATE);
  theta[0] = sum / t->field.cells;
}

const struct dun_target dun_target_log_gaussian_cox_process = {
    .type = {DUN_TYPE(struct dun_target), .name = "log_gaussian_cox_process",
             .doc = "Points in the unit square whose log intensity is a Gaussian field.",
             .citation = "Moller, Syversveen & Waagepetersen 1998, Scandinavian Journal of "
                         "Statistics 25, 451",
             .size = sizeof(struct log_gaussian_cox_process), .options = options,
             .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .prior = prior,
    .draw_normals = -1,
    .draw_prior = draw_prior,
    .parameters = parameters,
    .constrain = constrain,
};

const struct dun_together dun_together_log_gaussian_cox_process = {
    .target = &dun_target_log_gaussian_cox_process,
    .init = together,
};
