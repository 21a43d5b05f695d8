#include "app/draws.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "data/hdf.h"
#include "io/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_COORDINATES = 1 << 24 };
#define LARGEST_TABLE ((int64_t)1 << 36) /* bytes */

static int name_room(struct dun_draws *d)
{
  if (d->n < 2)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %lld draws, expected at least 2", d->name,
                    (long long)d->n);
  if (d->coordinates < 1 || d->coordinates > MOST_COORDINATES)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %lld numbers for each draw, expected 1 to %d",
                    d->name, (long long)d->coordinates, MOST_COORDINATES);
  d->label = dun_allocate(d->coordinates, sizeof *d->label);
  return d->label ? 0 : DUN_ERROR_MEMORY;
}

/* Weights, or their logarithms, in proportion: any that give a positive sum. */
static int settle_weights(struct dun_draws *d, int logarithms)
{
  double most = -INFINITY, total = 0;
  for (int64_t i = 0; i < d->n && logarithms; i++)
    most = d->weight[i] > most ? d->weight[i] : most;
  for (int64_t i = 0; i < d->n; i++) {
    double w = logarithms ? dun_scalar_exp(d->weight[i] - most) : d->weight[i];
    if (!(w >= 0) || !isfinite(w))
      return dun_fail(DUN_ERROR_INPUT, "%s: draw %lld has the %s %g, expected %s", d->name,
                      (long long)i + 1, logarithms ? "log_weight" : "weight", d->weight[i],
                      logarithms ? "a number or -inf" : "0 or more");
    total += d->weight[i] = w;
  }
  return total > 0 && isfinite(total)
             ? 0
             : dun_fail(DUN_ERROR_INPUT, "%s: the weights have the sum %g", d->name, total);
}

/* ---- results --------------------------------------------------------------------------------- */

/* A statistic of all draws; 0 if the file has none. */
static int read_statistic(struct dun_draws *d, const char *name, double **value)
{
  const struct dun_result_shape *shape = dun_result_find(&d->file, 1, name);
  if (!shape || shape->width != 1 || shape->chains * shape->draws != d->n)
    return 0;
  *value = dun_allocate(d->n, sizeof **value);
  if (!*value)
    return DUN_ERROR_MEMORY;
  int status = dun_result_component(&d->file, shape, 0, *value);
  return status < 0 ? status : 1;
}

static int open_result(struct dun_draws *d)
{
  int status = dun_result_open(&d->file, d->name);
  if (status < 0)
    return status;
  for (int v = 0; v < d->file.variables; v++) {
    const struct dun_result_shape *shape = &d->file.variable[v];
    if (shape->statistic)
      continue;
    if (d->n && (shape->chains != d->chains || shape->draws != d->draws))
      return dun_fail(DUN_ERROR_INPUT,
                      "%s: /posterior/%s has another number of draws than the rest", d->name,
                      shape->name);
    d->chains = shape->chains;
    d->draws = shape->draws;
    d->n = d->chains * d->draws;
    d->coordinates += shape->width;
  }
  if ((status = name_room(d)) < 0)
    return status;
  int64_t at = 0;
  for (int v = 0; v < d->file.variables; v++)
    for (int64_t c = 0; c < d->file.variable[v].width && !d->file.variable[v].statistic; c++)
      dun_result_component_name(&d->file.variable[v], c, d->label[at++]);
  if ((status = read_statistic(d, "root", &d->root)) >= 0)
    d->kind = status ? DUN_DRAWS_ANCESTORS : DUN_DRAWS_CHAINS;
  if (status >= 0 && (status = read_statistic(d, "log_weight", &d->weight)) > 0)
    status = settle_weights(d, 1);
  return status;
}

/* ---- tables and arrays ----------------------------------------------------------------------- */

/* Columns that are no coordinates but weights; fills what is left. */
static int split_columns(struct dun_draws *d)
{
  static const char *const word[] = {"weight", "log_weight"};
  int status = 0;
  d->coordinates = 0;
  for (int c = 0; c < d->csv.columns && status >= 0; c++) {
    int which = !strcasecmp(d->csv.name[c], word[0])   ? 0
                : !strcasecmp(d->csv.name[c], word[1]) ? 1
                                                       : -1;
    if (which < 0) {
      d->column[d->coordinates++] = c;
      continue;
    }
    if (d->weight)
      return dun_fail(DUN_ERROR_INPUT, "%s: found more than one column of weights", d->name);
    d->weight = dun_allocate(d->n, sizeof *d->weight);
    for (int64_t i = 0; i < d->n && d->weight; i++)
      d->weight[i] = d->csv.value[i * d->csv.columns + c];
    status = d->weight ? settle_weights(d, which) : DUN_ERROR_MEMORY;
  }
  return status;
}

static int open_table(struct dun_draws *d)
{
  struct dun_csv_format format = {0};
  struct dun_data data = {0};
  int64_t size;
  int status = dun_file_load(d->name, LARGEST_TABLE, &data.bytes, &size);
  if (status < 0)
    return status;
  data.path = dun_copy_text(d->name);
  data.size = size;
  status = data.path ? dun_csv_parse(&d->csv, &data, &format) : DUN_ERROR_MEMORY;
  if (status >= 0) {
    d->chains = 1;
    d->draws = d->n = d->csv.rows;
    d->column = dun_allocate(d->csv.columns, sizeof *d->column);
    status = d->column ? split_columns(d) : DUN_ERROR_MEMORY;
  }
  if (status >= 0)
    status = name_room(d);
  for (int64_t j = 0; j < d->coordinates && status >= 0; j++)
    snprintf(d->label[j], sizeof d->label[j], "%.127s", d->csv.name[d->column[j]]);
  dun_free(data.path);
  dun_free(data.bytes);
  return status;
}

static int open_array(struct dun_draws *d, const char *file, const char *place)
{
  int rank, status;
  int64_t size[DUN_HDF_AXES];
  if ((status = dun_hdf_array(file, place, &rank, size, &d->array)) < 0)
    return status;
  if (rank < 1 || rank > 2)
    return dun_fail(DUN_ERROR_INPUT,
                    "'%s' of '%s' has %d axes, expected one, of draws, or two, of draws and "
                    "their numbers",
                    place, file, rank);
  d->chains = 1;
  d->draws = d->n = size[0];
  d->coordinates = rank > 1 ? size[1] : 1;
  return name_room(d);
}

/* ---- any of them ----------------------------------------------------------------------------- */

static int is_hdf(const char *name)
{
  const char *end = strrchr(name, '.');
  return dun_hdf_is(name) || (end && (!strcmp(end, ".h5") || !strcmp(end, ".hdf5")));
}

int dun_draws_open(struct dun_draws *draws, const char *name)
{
  const char *place = strstr(name, ":/");
  *draws = (struct dun_draws){.name = name, .file = {.handle = -1}};
  if (place && place > name) {
    char *file = dun_copy_text(name);
    if (!file)
      return DUN_ERROR_MEMORY;
    file[place - name] = 0;
    int status = open_array(draws, file, place + 1);
    dun_free(file);
    return status;
  }
  return is_hdf(name) ? open_result(draws) : open_table(draws);
}

void dun_draws_close(struct dun_draws *draws)
{
  if (draws->file.name)
    dun_result_close(&draws->file);
  dun_csv_free(&draws->csv);
  dun_mixing_free(&draws->mixing);
  DUN_FREE(draws->label);
  DUN_FREE(draws->weight);
  DUN_FREE(draws->root);
  DUN_FREE(draws->column);
  DUN_FREE(draws->component);
  DUN_FREE(draws->array.value);
}

/* The place of a label, looked for from `from` on and then from the first: where both sets have the
 * same order, at once. */
static int64_t find_label(const struct dun_draws *draws, const char *label, int64_t from)
{
  int64_t n = draws->coordinates, at = from < n ? from : 0;
  for (int64_t k = 0; k < n && *label; k++, at = at + 1 < n ? at + 1 : 0)
    if (!strcmp(draws->label[at], label))
      return at;
  return -1;
}

static int refuse_label(const struct dun_draws *d, const struct dun_draws *other, int64_t j)
{
  return dun_fail(DUN_ERROR_INPUT, "%s: there is no coordinate '%s', which %s has", d->name,
                  other->label[j], other->name);
}

/* Puts a table's columns into the order of the other's names and leaves out what that has not. */
static int sort_columns(struct dun_draws *d, const struct dun_draws *other)
{
  int *column = dun_allocate(other->coordinates, sizeof *column);
  if (!column)
    return DUN_ERROR_MEMORY;
  for (int64_t j = 0; j < other->coordinates; j++) {
    int64_t at = find_label(d, other->label[j], j);
    if (at < 0) {
      dun_free(column);
      return refuse_label(d, other, j);
    }
    column[j] = d->column[at];
  }
  dun_free(d->column);
  d->column = column;
  d->left_out = (int)(d->coordinates - other->coordinates);
  d->coordinates = other->coordinates;
  DUN_FREE(d->label);
  return name_room(d);
}

/* The components of a result in the order of the names of another, as many, each of which is
 * met once. */
static int sort_components(struct dun_draws *d, const struct dun_draws *other)
{
  int64_t n = d->coordinates, from = 0;
  int status = 0;
  char *taken = dun_allocate(n, 1);
  d->component = dun_allocate(n, sizeof *d->component);
  if (!taken || !d->component)
    status = DUN_ERROR_MEMORY;
  for (int64_t j = 0; j < n && status >= 0; j++, from++) {
    int64_t at = find_label(d, other->label[j], from);
    if (at < 0 || taken[at]) {
      status = refuse_label(d, other, j);
      continue;
    }
    d->component[j] = from = at;
    taken[at] = 1;
  }
  dun_free(taken);
  if (status >= 0) /* the same names in all, each once */
    memcpy(d->label, other->label, (size_t)n * sizeof *d->label);
  return status;
}

static int64_t common_labels(const struct dun_draws *draws, const struct dun_draws *other)
{
  int64_t found = 0;
  for (int64_t j = 0; j < other->coordinates; j++)
    found += find_label(draws, other->label[j], j) >= 0;
  return found;
}

int dun_draws_match(struct dun_draws *draws, const struct dun_draws *other)
{
  int same_count = draws->coordinates == other->coordinates, status;
  if (draws->column && (same_count || other->file.name) && common_labels(draws, other) > 0 &&
      (status = sort_columns(draws, other)) < 0)
    return status;
  if (draws->coordinates != other->coordinates)
    return dun_fail(DUN_ERROR_INPUT, "%s has %lld coordinates and %s has %lld", other->name,
                    (long long)other->coordinates, draws->name, (long long)draws->coordinates);
  if (draws->file.name && other->file.name)
    return sort_components(draws, other);
  for (int64_t j = 0; j < other->coordinates && !draws->file.name; j++)
    memcpy(draws->label[j], other->label[j], sizeof draws->label[j]);
  return 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static int read_component(const struct dun_draws *d, int64_t j, double *out)
{
  int v = 0;
  for (; d->file.variable[v].statistic || j >= d->file.variable[v].width; v++)
    j -= d->file.variable[v].statistic ? 0 : d->file.variable[v].width;
  return dun_result_component(&d->file, &d->file.variable[v], j, out);
}

/* Of a table or an array. */
static int copy_column(const struct dun_draws *d, int64_t j, double *out)
{
  const double *table = d->column ? d->csv.value + d->column[j] : d->array.value + j;
  int64_t stride = d->column ? d->csv.columns : d->coordinates;
  for (int64_t i = 0; i < d->n; i++)
    out[i] = table[i * stride];
  return 0;
}

int dun_draws_read(const struct dun_draws *draws, int64_t j, double *out)
{
  int64_t component = draws->component ? draws->component[j] : j;
  int status =
      draws->file.name ? read_component(draws, component, out) : copy_column(draws, j, out);
  for (int64_t i = 0; i < draws->n && status >= 0; i++)
    if (!isfinite(out[i]))
      status = dun_fail(DUN_ERROR_INPUT, "%s: number %lld of draw %lld is not finite", draws->name,
                        (long long)j + 1, (long long)i + 1);
  return status;
}

/* Sum over groups of the squared sums of weight × (f - mean), for groups of draws that hang
 * together: those of one ancestor, of one chain, or each by itself. */
static double variance_by_group(const struct dun_draws *d, const double *f, double mean,
                                double total)
{
  double variance = 0, one = 0, groups = 0;
  for (int64_t i = 0; i < d->n; i++) {
    int same = i > 0 && i % d->draws && d->kind != DUN_DRAWS_INDEPENDENT &&
               (d->kind == DUN_DRAWS_CHAINS || d->root[i] == d->root[i - 1]);
    if (!same) {
      variance += one * one;
      one = 0;
      groups++;
    }
    one += (d->weight ? d->weight[i] : 1) / total * (f[i] - mean);
  }
  variance += one * one;
  return groups > 1 ? variance * groups / (groups - 1) : NAN;
}

int dun_draws_mean(struct dun_context *context, struct dun_draws *draws, const double *f,
                   struct dun_draws_mean *mean)
{
  double total = 0;
  *mean = (struct dun_draws_mean){0};
  for (int64_t i = 0; i < draws->n; i++)
    total += draws->weight ? draws->weight[i] : 1;
  for (int64_t i = 0; i < draws->n; i++)
    mean->mean += (draws->weight ? draws->weight[i] : 1) / total * f[i];
  for (int64_t i = 0; i < draws->n; i++)
    mean->square +=
        (draws->weight ? draws->weight[i] : 1) / total * (f[i] - mean->mean) * (f[i] - mean->mean);
  if (mean->square <= 1e-24 * mean->mean * mean->mean) { /* rounding of equal numbers */
    mean->square = 0;
    return 0;
  }
  mean->error = sqrt(variance_by_group(draws, f, mean->mean, total));
  if (draws->kind != DUN_DRAWS_CHAINS || draws->draws < 4)
    return 0;
  struct dun_chain_moments moments;
  int status =
      dun_mixing_moments(context, &draws->mixing, draws->chains, draws->draws, f, &moments);
  mean->error = moments.error;
  return status;
}

double dun_draws_worth(const struct dun_draws *draws, const struct dun_draws_mean *mean)
{
  double n = (double)draws->n, worth = n / (n - 1) * mean->square / (mean->error * mean->error);
  return mean->square == 0 ? NAN : worth < (double)draws->n ? worth : (double)draws->n;
}

double dun_draws_kish(const struct dun_draws *draws)
{
  double sum = 0, square = 0;
  for (int64_t i = 0; i < draws->n; i++) {
    double weight = draws->weight ? draws->weight[i] : 1;
    sum += weight;
    square += weight * weight;
  }
  return sum * sum / square;
}

const char *dun_draws_assumption(const struct dun_draws *draws)
{
  static const char *const words[] = {"taken for independent", "errors by ancestor",
                                      "errors by the chains' autocorrelation"};
  if (draws->kind == DUN_DRAWS_CHAINS &&
      (draws->draws < 4 || dun_mixing_by_chain(draws->chains, draws->draws)))
    return "errors by chain";
  return words[draws->kind];
}
