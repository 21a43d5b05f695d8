#include "paths/given_points.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/csv.h"
#include "data/file.h"
#include "data/hdf.h"
#include "data/idx.h"
#include "data/result_array.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Points that are kept in any case: 64 MiB of them. */
enum { MOST = 1 << 23 };
static const int64_t LARGEST = INT64_C(1) << 32; /* bytes of a table */

/* What was found: rows of so many numbers. */
struct found {
  const struct dun_given_points *points;
  const struct dun_evaluator *target;
  int unconstrained, copy; /* what they are; where in the output the target copies the point */
  double *shift, *slope;   /* [d], owned: of an output that is the point scaled; NULL: it is not */
  int64_t rows, width;
  double *value;             /* [rows][width], owned; of bytes [width]: one row at a time */
  const unsigned char *byte; /* [rows][width] of an IDX file, within `text`; NULL: it is none */
  char *text;                /* that file, owned */
  const long long *line;     /* [rows] of a text; NULL: there are none */
};

/* ---- names of numbers --------------------------------------------------------------------- */

static int64_t entries_of(const struct dun_parameter *p)
{
  int64_t entries = 1;
  for (int a = 0; a < p->rank; a++)
    entries *= p->shape[a];
  return entries;
}

/* As a header may have it: by number, or, `labelled`, by the entry's label along the first axis,
 * which a result's summary shows.  "" where it has none. */
static void entry_name(const struct dun_parameter *p, int64_t entry, int labelled, char name[512])
{
  int64_t below = p->rank > 1 ? p->shape[1] : 1, row = entry / below;
  char number[32];
  snprintf(number, sizeof number, "%lld", (long long)row);
  const char *first = labelled ? p->label[row] : number;
  if (p->rank == 0)
    snprintf(name, 512, "%.63s", p->name);
  else if (p->rank > 1)
    snprintf(name, 512, "%.63s[%.255s,%lld]", p->name, first, (long long)(entry % below));
  else
    snprintf(name, 512, "%.63s[%.255s]", p->name, first);
}

/* All output parameters, to be freed; NULL: no memory. */
static struct dun_parameter *parameters_of(const struct dun_evaluator *e, int *count)
{
  *count = dun_evaluator_parameters(e, 0, NULL);
  struct dun_parameter *all = dun_allocate(*count, sizeof *all);
  if (all)
    dun_evaluator_parameters(e, *count, all);
  return all;
}

/* What particles move in, as results have it. */
static struct dun_parameter point_of(const struct dun_evaluator *e)
{
  return (struct dun_parameter){.name = "x", .rank = e->dimension > 1, .shape = {e->dimension}};
}

static int column_named(const struct dun_csv *csv, const char *name)
{
  for (int j = 0; j < csv->columns && csv->named; j++)
    if (!strcmp(csv->name[j], name))
      return j;
  return -1;
}

/* Finds the columns of a parameter's entries; how many are there.  The first of the others is
 * `missing`. */
static int64_t find_entries(const struct dun_parameter *p, const struct dun_csv *csv, int *column,
                            char missing[512])
{
  char name[512];
  int64_t met = 0;
  for (int64_t k = 0; k < entries_of(p); k++) {
    entry_name(p, k, 0, name);
    column[k] = column_named(csv, name);
    if (column[k] < 0 && !*missing)
      memcpy(missing, name, sizeof name);
    if (column[k] < 0 && p->label && p->rank > 0) {
      char label[512];
      entry_name(p, k, 1, label);
      column[k] = column_named(csv, label);
      if (column[k] >= 0 && !strcmp(missing, name))
        *missing = '\0';
    }
    met += column[k] >= 0;
  }
  return met;
}

/* Points that are given count the same. */
static int refuse_weights(const struct found *found, const struct dun_csv *csv,
                          const struct dun_data *data, const int *column)
{
  static const char *const names[] = {"weight", "log_weight"};
  for (int i = 0; i < 2; i++) {
    int at = column_named(csv, names[i]), used = at < 0;
    for (int64_t k = 0; k < found->width && !used; k++)
      used = column[k] == at;
    if (!used)
      return dun_fail(DUN_ERROR_INPUT,
                      "%s: found a column '%s', expected points that count the same: draw them by "
                      "their weights, and leave the column out",
                      data->path, names[i]);
  }
  return 0;
}

/* column[width] by the names of the numbers, where the header has any of them; 0: it has none. */
static int by_names(const struct found *found, const struct dun_csv *csv,
                    const struct dun_data *data, int *column)
{
  struct dun_parameter x = point_of(found->target), *all = NULL;
  int count = 1, constrained = found->points->coordinates == DUN_CONSTRAINED;
  char missing[512] = "";
  int64_t at = 0, met = 0;
  if (constrained && !(all = parameters_of(found->target, &count)))
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < count; i++) {
    const struct dun_parameter *p = constrained ? &all[i] : &x;
    met += find_entries(p, csv, column + at, missing);
    at += entries_of(p);
  }
  dun_free(all);
  if (met == 0)
    return 0;
  if (met < found->width)
    return dun_fail(DUN_ERROR_INPUT, "%s: found names of %lld of the %lld %s, but no column '%s'",
                    data->path, (long long)met, (long long)found->width,
                    constrained ? "numbers of the target's output" : "coordinates of the target",
                    missing);
  int status = refuse_weights(found, csv, data, column);
  return status < 0 ? status : 1;
}

/* ---- tables -------------------------------------------------------------------------------- */

static int choose_columns(const struct found *found, const struct dun_csv *csv,
                          const struct dun_data *data, int *column)
{
  int constrained = found->points->coordinates == DUN_CONSTRAINED;
  int status = by_names(found, csv, data, column);
  if (status != 0)
    return status;
  for (int j = 0; j < found->width && j < csv->columns; j++)
    column[j] = j;
  if (csv->columns == found->width)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "%s: found %d columns, expected the %lld %s", data->path,
                  csv->columns, (long long)found->width,
                  constrained ? "numbers of the target's output" : "coordinates of the target");
}

static int copy_columns(const struct dun_csv *csv, const struct dun_data *data, const int *column,
                        struct found *found)
{
  int status = 0;
  found->rows = csv->rows;
  found->line = csv->line;
  found->value = dun_allocate(found->rows * found->width, sizeof *found->value);
  if (!found->value)
    return DUN_ERROR_MEMORY;
  for (int64_t j = 0; j < found->width && status >= 0; j++)
    if ((status = dun_csv_check(csv, data, column[j])) >= 0)
      for (int64_t k = 0; k < found->rows; k++)
        found->value[k * found->width + j] = csv->value[k * csv->columns + column[j]];
  return status;
}

static int read_table(const struct dun_data *data, struct dun_csv *csv, struct found *found)
{
  static const struct dun_csv_format as_it_shows = {0};
  int *column = dun_allocate(found->width, sizeof *column);
  int status = column ? dun_csv_parse(csv, data, &as_it_shows) : DUN_ERROR_MEMORY;
  if (status >= 0)
    status = choose_columns(found, csv, data, column);
  if (status >= 0)
    status = copy_columns(csv, data, column, found);
  dun_free(column);
  return status;
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* The first index counts the points. */
static int read_bytes(const struct dun_data *data, struct found *found)
{
  struct dun_idx idx;
  if (dun_idx_parse(&idx, data, 0) < 0)
    return DUN_ERROR_INPUT;
  long long numbers = idx.size[1] * idx.size[2];
  if (numbers != found->width)
    return dun_fail(
        DUN_ERROR_INPUT, "%s: found %lld points of %lld x %lld bytes, expected %lld for the %s",
        data->path, idx.size[0], idx.size[1], idx.size[2], (long long)found->width,
        found->unconstrained ? "coordinates of the target" : "numbers of the target's output");
  found->rows = idx.size[0];
  found->byte = idx.value;
  found->value = dun_allocate(found->width, sizeof *found->value);
  return found->value ? 0 : DUN_ERROR_MEMORY;
}

/* A table or bytes: what a file is that is no HDF5. */
static int read_file(struct dun_csv *csv, struct found *found)
{
  struct dun_data data = {.path = found->points->file};
  int64_t size = 0;
  int status = dun_file_load(data.path, LARGEST, &data.bytes, &size);
  data.size = size;
  found->text = data.bytes;
  if (status < 0)
    return status;
  return dun_idx_is(&data) ? read_bytes(&data, found) : read_table(&data, csv, found);
}

/* ---- HDF5 ---------------------------------------------------------------------------------- */

/* How many points an array of these sizes holds: its first axis, or two of chains and draws, which
 * results have whatever the width; a list is one point, or of one coordinate many. */
static int64_t rows_of(int rank, const int64_t size[DUN_HDF_AXES], int64_t width, int of_result)
{
  if (rank < 2)
    return rank == 1 && width == 1 ? size[0] : 1;
  return rank > 2 || of_result ? size[0] * size[1] : size[0];
}

/* Rows of `width` numbers in columns from `first` on of found->value, which the first call
 * makes. */
static int read_place(const char *place, const struct dun_parameter *of_result, int64_t width,
                      int64_t first, struct found *found)
{
  const char *file = found->points->file;
  struct dun_numbers all = {0};
  int64_t size[DUN_HDF_AXES];
  int rank = 0, status = dun_hdf_array(file, place, &rank, size, &all);
  if (status >= 0 && of_result)
    status = dun_result_fits(file, place, rank, size, of_result);
  int64_t rows = status < 0 ? 0 : rows_of(rank, size, width, of_result != NULL);
  if (status >= 0 && (rows < 1 || rows * width != all.count))
    status = dun_fail(DUN_ERROR_INPUT,
                      "'%s' of '%s' has %lld numbers for %lld points, expected %lld for each",
                      place, file, all.count, (long long)rows, (long long)width);
  if (status >= 0 && found->value && rows != found->rows)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has %lld draws, and those before it have %lld",
                      place, file, (long long)rows, (long long)found->rows);
  if (status >= 0 && !found->value) {
    found->rows = rows;
    found->value = dun_allocate(rows * found->width, sizeof *found->value);
    status = found->value ? 0 : DUN_ERROR_MEMORY;
  }
  for (int64_t k = 0; k < rows && status >= 0; k++)
    memcpy(found->value + k * found->width + first, all.value + k * width,
           (size_t)width * sizeof *all.value);
  dun_free(all.value);
  return status < 0 ? status : 0;
}

/* What chains and particles moved in, where a result has that: nothing is lost on a way back. */
static int read_unconstrained(struct found *found)
{
  const struct dun_evaluator *e = found->target;
  const struct dun_parameter x = point_of(e);
  found->unconstrained = 1;
  found->width = e->dimension;
  return read_place("/unconstrained_posterior/x", &x, e->dimension, 0, found);
}

static int read_result(struct found *found)
{
  int count, status = dun_result_has(found->points->file, "unconstrained_posterior", "x");
  if (status != 0)
    return status < 0 ? status : read_unconstrained(found);
  int64_t at = 0;
  struct dun_parameter *all = parameters_of(found->target, &count);
  if (!all)
    return DUN_ERROR_MEMORY;
  if (found->points->coordinates == DUN_UNCONSTRAINED)
    status = dun_fail(DUN_ERROR_INPUT,
                      "%s: a result has the output's numbers, and the unconstrained ones only of "
                      "output.unconstrained: true: name a dataset that has those, or give "
                      "coordinates: constrained",
                      found->points->file);
  for (int i = 0; i < count && status >= 0; i++) {
    char place[96];
    snprintf(place, sizeof place, "/posterior/%.63s", all[i].name);
    status = read_place(place, &all[i], entries_of(&all[i]), at, found);
    at += entries_of(&all[i]);
  }
  dun_free(all);
  return status;
}

/* ---- points -------------------------------------------------------------------------------- */

static void say_where(const struct found *found, int64_t k, char where[64])
{
  if (found->line)
    snprintf(where, 64, "%lld", found->line[k]);
  else
    snprintf(where, 64, " point %lld", (long long)k + 1);
}

/* Point k; a byte is a pixel from 0 (dark) to 1, as of the targets of images. */
static const double *row_of(const struct found *found, int64_t k)
{
  if (!found->byte)
    return found->value + k * found->width;
  for (int64_t j = 0; j < found->width; j++)
    found->value[j] = found->byte[k * found->width + j] / 255.0;
  return found->value;
}

static int convert(const struct found *found, int64_t k, double *x)
{
  const char *file = found->points->file;
  const double *value = row_of(found, k);
  char where[64], reason[256] = "";
  int64_t odd = -1;
  for (int64_t j = found->width - 1; j >= 0; j--)
    odd = isfinite(value[j]) ? odd : j;
  say_where(found, k, where);
  if (odd >= 0)
    return dun_fail(DUN_ERROR_INPUT, "%s:%s: number %lld is %g, expected a finite number", file,
                    where, (long long)odd + 1, value[odd]);
  if (found->unconstrained)
    memcpy(x, value, (size_t)found->width * sizeof *x);
  else if (found->copy >= 0)
    memcpy(x, value + found->copy, (size_t)found->target->dimension * sizeof *x);
  else if (found->slope)
    for (int64_t j = 0; j < found->width; j++)
      x[j] = (value[j] - found->shift[j]) / found->slope[j];
  else if (dun_evaluator_unconstrain(found->target, value, x,
                                     (struct dun_message){reason, sizeof reason}) < 0)
    return dun_fail(DUN_ERROR_INPUT, "%s:%s: %s", file, where, reason);
  return 0;
}

/* All of them, or of very many equally spaced ones, the last among them. */
static int keep(const struct found *found, struct dun_given_points *points)
{
  int64_t d = found->target->dimension, most = MOST / d > 64 ? MOST / d : 64;
  most = points->most > most ? points->most : most;
  int status = 0;
  if (found->rows < 1)
    return dun_fail(DUN_ERROR_INPUT, "%s: found no points, expected at least one", points->file);
  points->rows = found->rows < most ? found->rows : most;
  points->row = dun_allocate(points->rows * d, sizeof *points->row);
  if (!points->row)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < points->rows && status >= 0; k++)
    status = convert(found, (int64_t)((__int128)(k + 1) * found->rows / points->rows) - 1,
                     points->row + k * d);
  return status;
}

/* Of an output that has the point, as it is or scaled; of others the evaluator knows it or none. */
static int find_way_back(struct found *found)
{
  int64_t d = found->target->dimension;
  int status = dun_evaluator_copies(found->target, &found->copy);
  if (status < 0 || found->copy >= 0)
    return status;
  found->shift = dun_allocate(2 * d, sizeof *found->shift);
  if (!found->shift)
    return DUN_ERROR_MEMORY;
  status = dun_evaluator_scales(found->target, found->shift, found->shift + d);
  found->slope = status > 0 ? found->shift + d : NULL;
  if (status < 0)
    DUN_FREE(found->shift);
  return status;
}

static int read_points(struct dun_given_points *points, const struct dun_evaluator *target)
{
  struct found found = {.points = points,
                        .target = target,
                        .unconstrained = points->coordinates == DUN_UNCONSTRAINED,
                        .width = points->coordinates == DUN_CONSTRAINED ? target->outputs
                                                                        : target->dimension};
  struct dun_csv csv = {0};
  int status = find_way_back(&found);
  if (status < 0)
    return status;
  if (!dun_hdf_is(points->file))
    status = read_file(&csv, &found);
  else if (points->dataset && *points->dataset)
    status = read_place(points->dataset, NULL, found.width, 0, &found);
  else
    status = read_result(&found);
  if (status >= 0)
    status = keep(&found, points);
  dun_free(found.value);
  dun_free(found.text);
  dun_free(found.shift);
  dun_csv_free(&csv);
  return status;
}

int dun_given_points_read(struct dun_context *context, struct dun_given_points *points,
                          const struct dun_evaluator *target)
{
  int64_t bytes = 0;
  char *block = NULL;
  int status = 0;
  if (context->rank == 0) {
    status = read_points(points, target);
    block = (char *)points->row;
    bytes = points->rows * target->dimension * (int64_t)sizeof *points->row;
  }
  status = dun_broadcast_block(context, status, &block, &bytes);
  points->row = (double *)(void *)block;
  points->rows = bytes / (int64_t)sizeof *points->row / target->dimension;
  return status;
}
