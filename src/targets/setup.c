#include "targets/setup.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dun_refuse(struct dun_message why, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  if (why.text && why.size > 0)
    vsnprintf(why.text, why.size, format, arguments);
  va_end(arguments);
  return DUN_ERROR_INPUT;
}

int dun_refuse_failed(struct dun_message why)
{
  return dun_refuse(why, "%s", dun_error_text());
}

int dun_spread(struct dun_message why, const char *option, const struct dun_numbers *given,
               double otherwise, long long count, double *out)
{
  if (given->count > 1 && given->count != count)
    return dun_refuse(why, "%s: found %lld numbers, expected 1 or %lld", option, given->count,
                      count);
  for (long long i = 0; i < count; i++)
    out[i] = given->count == 0 ? otherwise : given->value[given->count == 1 ? 0 : i];
  return 0;
}

int dun_setup_csv(struct dun_message why, struct dun_csv *csv, const struct dun_data *data,
                  const struct dun_csv_format *format)
{
  return dun_csv_parse(csv, data, format) < 0 ? dun_refuse_failed(why) : 0;
}

int dun_setup_numbers(struct dun_message why, struct dun_csv *csv, const struct dun_data *data,
                      const struct dun_csv_format *format)
{
  if (dun_setup_csv(why, csv, data, format) < 0)
    return DUN_ERROR_INPUT;
  if (dun_csv_check(csv, data, -1) == 0)
    return 0;
  dun_csv_free(csv);
  return dun_refuse_failed(why);
}

/* ---- names ------------------------------------------------------------------------------- */

int dun_setup_take_names(struct dun_setup_names *names, struct dun_csv *csv, const int *column,
                         int count)
{
  if (!csv->named)
    return 0;
  names->name = dun_allocate(count, sizeof *names->name);
  if (!names->name)
    return DUN_ERROR_MEMORY;
  for (int j = 0; j < count; j++) {
    char **from = &csv->name[column ? column[j] : j];
    names->name[j] = *from;
    *from = NULL;
  }
  names->count = count;
  return 0;
}

void dun_setup_free_names(struct dun_setup_names *names)
{
  for (int j = 0; j < names->count; j++)
    dun_free(names->name[j]);
  DUN_FREE(names->name);
  names->count = 0;
}

const char *const *dun_setup_labels(const struct dun_setup_names *names)
{
  return names->count ? (const char *const *)names->name : NULL;
}

int dun_setup_point(const struct dun_setup_names *names, int dimension, int capacity,
                    struct dun_parameter *parameter)
{
  if (capacity > 0)
    *parameter = (struct dun_parameter){.name = "x",
                                        .rank = 1,
                                        .shape = {dimension},
                                        .doc = "The point.",
                                        .label = dun_setup_labels(names)};
  return 1;
}

double dun_setup_normalised(const void *self)
{
  (void)self;
  return 0;
}

int dun_setup_lattice(struct dun_message why, const struct dun_numbers *side, int axes, int size[3])
{
  double given[3];
  int status = dun_spread(why, "side", side, 0, axes, given);
  double sites = 1;
  size[0] = size[1] = size[2] = 1;
  for (int a = 0; a < axes && status == 0; a++) {
    if (!(given[a] >= 1 && given[a] <= DUN_MAX_DIMENSION && given[a] == floor(given[a])))
      return dun_refuse(why, "side: found %g, expected whole numbers from 1 to %d", given[a],
                        DUN_MAX_DIMENSION);
    size[a] = (int)given[a];
    sites *= given[a];
  }
  if (status == 0 && sites > DUN_MAX_DIMENSION)
    return dun_refuse(why, "side: a lattice of %.0f sites, expected at most %d", sites,
                      DUN_MAX_DIMENSION);
  return status;
}

struct dun_parameter dun_setup_field(int axes, const int size[3])
{
  struct dun_parameter field = {
      .name = "phi", .rank = axes == 1 ? 1 : 2, .doc = "The field at the sites."};
  field.shape[0] = axes == 3 ? size[0] * size[1] : size[0];
  field.shape[1] = axes == 1 ? 0 : size[axes - 1];
  return field;
}

/* The option's matrix, or the table's for as long as `csv` lives. */
static int find_means(struct dun_message why, const struct dun_setup_given *given,
                      struct dun_csv *csv, struct dun_matrix *found)
{
  if ((given->means.rows > 0) == (given->file.path != NULL))
    return dun_refuse(why, "means: layout given needs either means or a file of them");
  *found = given->means;
  if (given->means.rows > 0)
    return 0;
  if (dun_setup_numbers(why, csv, &given->file, &given->format) < 0)
    return DUN_ERROR_INPUT;
  *found = (struct dun_matrix){.rows = csv->rows, .columns = csv->columns, .value = csv->value};
  return 0;
}

static int copy_means(struct dun_message why, const struct dun_matrix *found, const char *option,
                      long long dimension, long long most, struct dun_matrix *out)
{
  if (dimension >= 0 && found->columns != dimension)
    return dun_refuse(why, "%s: found means of %lld numbers, expected %lld as in `dimension`",
                      option, found->columns, dimension);
  if (found->rows > most)
    return dun_refuse(why, "%s: found %lld means, expected at most %lld", option, found->rows,
                      most);
  *out = *found;
  out->value = dun_allocate(found->rows * found->columns, sizeof *out->value);
  if (!out->value)
    return dun_refuse_failed(why);
  memcpy(out->value, found->value, (size_t)(found->rows * found->columns) * sizeof *out->value);
  return 0;
}

int dun_setup_means(struct dun_message why, const struct dun_setup_given *given,
                    long long dimension, long long most, struct dun_matrix *out,
                    struct dun_setup_names *names)
{
  struct dun_csv csv = {0};
  struct dun_matrix found;
  int status = find_means(why, given, &csv, &found);

  if (status >= 0)
    status =
        copy_means(why, &found, given->means.rows > 0 ? "means" : "file", dimension, most, out);
  if (status >= 0 && dun_setup_take_names(names, &csv, NULL, csv.columns) < 0)
    status = dun_refuse_failed(why);
  dun_csv_free(&csv);
  return status;
}
