/* Points for chains to begin at, out of CSV and HDF5 files: read by one rank, checked whole. */
#include "base/error.h"
#include "base/memory.h"
#include "data/csv.h"
#include "data/hdf.h"
#include "paths/start.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Points that are kept: 64 MiB of them, of a file that has more. */
enum { MOST = 1 << 23 };

/* What was found: rows of so many numbers, each as the option `coordinates` says. */
struct found {
  int64_t rows, width;
  double *value;         /* [rows][width], owned */
  const long long *line; /* [rows] of a text; NULL: there are none */
};

/* ---- the file ------------------------------------------------------------------------------ */

static int fail_to_read(const char *file)
{
  return dun_fail(DUN_ERROR_INPUT, "%s: cannot be read", file);
}

/* The whole content; its owner frees data->bytes. */
static int load(const char *file, struct dun_data *data)
{
  FILE *stream = fopen(file, "rb");
  long size = -1;
  *data = (struct dun_data){.path = (char *)(uintptr_t)file};
  if (!stream)
    return fail_to_read(file);
  if (fseek(stream, 0, SEEK_END) == 0)
    size = ftell(stream);
  if (size >= 0 && size < 1L << 32 && fseek(stream, 0, SEEK_SET) == 0)
    data->bytes = dun_allocate(size + 1, 1);
  data->size = data->bytes ? (long long)fread(data->bytes, 1, (size_t)size, stream) : -1;
  fclose(stream);
  return data->size == size && size >= 0 ? 0 : fail_to_read(file);
}

static int is_hdf(const char *file)
{
  char head[8] = "";
  FILE *stream = fopen(file, "rb");
  size_t size = stream ? fread(head, 1, sizeof head, stream) : 0;
  if (stream)
    fclose(stream);
  return size == sizeof head && memcmp(head, "\x89HDF\r\n\x1a\n", 8) == 0;
}

/* ---- names of the output's numbers ---------------------------------------------------------- */

static int64_t entries_of(const struct dun_parameter *p)
{
  int64_t entries = 1;
  for (int a = 0; a < p->rank; a++)
    entries *= p->shape[a];
  return entries;
}

static void entry_name(const struct dun_parameter *p, int64_t entry, char name[128])
{
  int64_t row = p->rank > 1 ? entry / p->shape[1] : entry;
  if (p->rank == 0)
    snprintf(name, 128, "%.63s", p->name);
  else if (p->rank > 1)
    snprintf(name, 128, "%.63s[%lld,%lld]", p->name, (long long)row,
             (long long)(entry % p->shape[1]));
  else
    snprintf(name, 128, "%.63s[%lld]", p->name, (long long)row);
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

static int has_column(const struct dun_csv *csv, const char *name)
{
  for (int j = 0; j < csv->columns; j++)
    if (csv->named && !strcmp(csv->name[j], name))
      return 1;
  return 0;
}

/* column[width] by the names of the output's numbers, where the header has the first of them. */
static int by_names(const struct dun_start *s, const struct dun_csv *csv,
                    const struct dun_data *data, int *column)
{
  int count, at = 0, status = 0;
  struct dun_parameter *all = parameters_of(s->target, &count);
  if (!all)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < count && status >= 0; i++)
    for (int64_t k = 0; k < entries_of(&all[i]) && status >= 0; k++) {
      char name[128];
      entry_name(&all[i], k, name);
      if (at == 0 && !has_column(csv, name)) {
        dun_free(all);
        return 0;
      }
      if ((status = dun_csv_find(csv, data, name)) >= 0)
        column[at++] = status;
    }
  dun_free(all);
  return status < 0 ? status : 1;
}

/* ---- tables -------------------------------------------------------------------------------- */

static int choose_columns(const struct dun_start *s, const struct dun_csv *csv,
                          const struct dun_data *data, int64_t width, int *column)
{
  int status = s->coordinates == DUN_CONSTRAINED ? by_names(s, csv, data, column) : 0;
  if (status != 0)
    return status;
  for (int j = 0; j < width && j < csv->columns; j++)
    column[j] = j;
  if (csv->columns == width)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "%s: found %d columns, expected the %lld %s", data->path,
                  csv->columns, (long long)width,
                  s->coordinates == DUN_CONSTRAINED ? "numbers of the target's output"
                                                    : "coordinates of the target");
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

static int read_table(const struct dun_start *s, struct dun_csv *csv, struct found *found)
{
  static const struct dun_csv_format as_it_shows = {0};
  struct dun_data data;
  int *column = dun_allocate(found->width, sizeof *column);
  int status = column ? load(s->file, &data) : DUN_ERROR_MEMORY;
  if (status >= 0)
    status = dun_csv_parse(csv, &data, &as_it_shows);
  if (status >= 0)
    status = choose_columns(s, csv, &data, found->width, column);
  if (status >= 0)
    status = copy_columns(csv, &data, column, found);
  if (column)
    dun_free(data.bytes);
  dun_free(column);
  return status;
}

/* ---- HDF5 ---------------------------------------------------------------------------------- */

/* How many points an array of these sizes holds: its first axis, or two of chains and draws, which
 * results have whatever the width; a list is one point, or of one coordinate many. */
static int64_t rows_of(int rank, const int64_t size[3], int64_t width, int of_result)
{
  if (rank < 2)
    return rank == 1 && width == 1 ? size[0] : 1;
  return rank > 2 || of_result ? size[0] * size[1] : size[0];
}

/* Rows of `width` numbers in columns from `first` on of found->value, which the first call
 * makes. */
static int read_place(const char *file, const char *place, int of_result, int64_t width,
                      int64_t first, struct found *found)
{
  struct dun_numbers all = {0};
  int64_t size[3];
  int rank = 0, status = dun_hdf_array(file, place, &rank, size, &all);
  int64_t rows = status < 0 ? 0 : rows_of(rank, size, width, of_result);
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

static int read_result(const struct dun_start *s, struct found *found)
{
  int count, status = 0;
  int64_t at = 0;
  struct dun_parameter *all = parameters_of(s->target, &count);
  if (!all)
    return DUN_ERROR_MEMORY;
  if (s->coordinates == DUN_UNCONSTRAINED)
    status = dun_fail(DUN_ERROR_INPUT,
                      "%s: a result has the output's numbers, not the unconstrained ones: name a "
                      "dataset that has those, or give coordinates: constrained",
                      s->file);
  for (int i = 0; i < count && status >= 0; i++) {
    char place[96];
    snprintf(place, sizeof place, "/posterior/%.63s", all[i].name);
    status = read_place(s->file, place, 1, entries_of(&all[i]), at, found);
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

static int convert(const struct dun_start *s, const struct found *found, int64_t k, double *x)
{
  const double *value = found->value + k * found->width;
  char where[64], reason[256] = "";
  int64_t odd = -1;
  for (int64_t j = found->width - 1; j >= 0; j--)
    odd = isfinite(value[j]) ? odd : j;
  say_where(found, k, where);
  if (odd >= 0)
    return dun_fail(DUN_ERROR_INPUT, "%s:%s: number %lld is %g, expected a finite number", s->file,
                    where, (long long)odd + 1, value[odd]);
  if (s->coordinates == DUN_UNCONSTRAINED)
    memcpy(x, value, (size_t)found->width * sizeof *x);
  else if (dun_evaluator_unconstrain(s->target, value, x,
                                     (struct dun_message){reason, sizeof reason}) < 0)
    return dun_fail(DUN_ERROR_INPUT, "%s:%s: %s", s->file, where, reason);
  return 0;
}

/* All of them, or of very many equally spaced ones, the last among them. */
static int keep(struct dun_start *s, const struct found *found)
{
  int64_t d = s->target->dimension, most = MOST / d > 64 ? MOST / d : 64;
  int status = 0;
  if (found->rows < 1)
    return dun_fail(DUN_ERROR_INPUT, "%s: found no points, expected at least one", s->file);
  s->rows = found->rows < most ? found->rows : most;
  s->row = dun_allocate(s->rows * d, sizeof *s->row);
  if (!s->row)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < s->rows && status >= 0; k++)
    status =
        convert(s, found, (int64_t)((__int128)(k + 1) * found->rows / s->rows) - 1, s->row + k * d);
  return status;
}

int dun_start_read(struct dun_start *s)
{
  struct found found = {.width = s->coordinates == DUN_CONSTRAINED ? s->target->outputs
                                                                   : s->target->dimension};
  struct dun_csv csv = {0};
  int status;
  if (!is_hdf(s->file))
    status = read_table(s, &csv, &found);
  else if (s->dataset && *s->dataset)
    status = read_place(s->file, s->dataset, 0, found.width, 0, &found);
  else
    status = read_result(s, &found);
  if (status >= 0)
    status = keep(s, &found);
  dun_free(found.value);
  dun_csv_free(&csv);
  return status;
}
