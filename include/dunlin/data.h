/* How a target's `init` takes its data from an option of type DUN_ARRAYS:
 *
 *     struct mine { struct dun_arrays data; long long n; const double *y; };
 *     static const struct dun_option options[] = {
 *         {.name = "data", .type = DUN_ARRAYS, .offset = offsetof(struct mine, data),
 *          .doc = "JSON or CSV file with the list y."}, {0}};
 *     static int init(void *self, struct dun_message why)
 *     {
 *       struct mine *t = self;
 *       return (t->n = dun_take_list(&t->data, "y", -1, &t->y, why)) < 0 ? -1 : 0;
 *     }
 *
 * Each function writes what the file has under a name and returns 0 or more, or writes to `why`
 * what was found and what was expected and returns -1.  Numbers stay with the file: they are not
 * freed. */
#ifndef DUNLIN_DATA_H
#define DUNLIN_DATA_H

#include "dunlin/target.h"
#include <stdio.h>
#include <string.h>

/* NULL: the file has no such name. */
static inline const struct dun_array *dun_array_find(const struct dun_arrays *data,
                                                     const char *name)
{
  for (int i = 0; i < data->count; i++)
    if (!strcmp(data->array[i].name, name))
      return &data->array[i];
  return NULL;
}

/* The array, of so many axes (-1: any); NULL after a refusal. */
static inline const struct dun_array *dun_take(const struct dun_arrays *data, const char *name,
                                               int rank, struct dun_message why)
{
  static const char *const what[] = {"one number", "a list of numbers",
                                     "a list of lists of numbers", "lists, three deep",
                                     "lists, four deep"};
  const struct dun_array *a = dun_array_find(data, name);
  if (!a)
    snprintf(why.text, why.size, "%s has nothing under the name '%s'",
             data->path ? data->path : "no file was given, which", name);
  else if (!a->value)
    snprintf(why.text, why.size, "%s: '%s': %s", data->path, name, a->fault);
  else if (rank >= 0 && a->rank != rank)
    snprintf(why.text, why.size, "%s: '%s': found %s, expected %s", data->path, name, what[a->rank],
             what[rank]);
  else
    return a;
  return NULL;
}

/* One number. */
static inline int dun_take_number(const struct dun_arrays *data, const char *name, double *value,
                                  struct dun_message why)
{
  const struct dun_array *a = dun_take(data, name, 0, why);
  if (a)
    *value = a->value[0];
  return a ? 0 : -1;
}

/* A list of `length` numbers (-1: any); returns how many there are. */
static inline long long dun_take_list(const struct dun_arrays *data, const char *name,
                                      long long length, const double **value,
                                      struct dun_message why)
{
  const struct dun_array *a = dun_take(data, name, 1, why);
  *value = a ? a->value : NULL;
  if (!a)
    return -1;
  if (length >= 0 && a->count != length) {
    snprintf(why.text, why.size, "%s: '%s': found a list of %lld, expected %lld", data->path, name,
             a->count, length);
    return -1;
  }
  return a->count;
}

/* Row by row, of so many rows and columns (-1: any, see dun_array_find for the shape). */
static inline int dun_take_table(const struct dun_arrays *data, const char *name, long long rows,
                                 long long columns, const double **value, struct dun_message why)
{
  const struct dun_array *a = dun_take(data, name, 2, why);
  *value = a ? a->value : NULL;
  if (!a)
    return -1;
  if ((rows >= 0 && a->shape[0] != rows) || (columns >= 0 && a->shape[1] != columns)) {
    char expected[2][24] = {"any", "any"};
    if (rows >= 0)
      snprintf(expected[0], sizeof expected[0], "%lld", rows);
    if (columns >= 0)
      snprintf(expected[1], sizeof expected[1], "%lld", columns);
    snprintf(why.text, why.size, "%s: '%s': found %lld rows of %lld numbers, expected %s of %s",
             data->path, name, a->shape[0], a->shape[1], expected[0], expected[1]);
    return -1;
  }
  return 0;
}

/* Whether all numbers are whole and from `least` to `most`. */
static inline int dun_check_whole(const struct dun_arrays *data, const struct dun_array *a,
                                  long long least, long long most, struct dun_message why)
{
  const double exact = 9007199254740992.0; /* from here on a double holds not every whole number */
  for (long long i = 0; i < a->count; i++) {
    double v = a->value[i];
    int whole = v > -exact && v < exact && v == (double)(long long)v;
    if (whole && (long long)v >= least && (long long)v <= most)
      continue;
    snprintf(why.text, why.size,
             "%s: '%s': entry %lld is %.17g, expected a whole number from %lld "
             "to %lld",
             data->path, a->name, i + 1, v, least, most);
    return -1;
  }
  return 0;
}

/* One whole number from `least` to `most`. */
static inline int dun_take_whole(const struct dun_arrays *data, const char *name, long long least,
                                 long long most, long long *value, struct dun_message why)
{
  const struct dun_array *a = dun_take(data, name, 0, why);
  if (!a || dun_check_whole(data, a, least, most, why) < 0)
    return -1;
  *value = (long long)a->value[0];
  return 0;
}

/* A list of whole numbers, as doubles. */
static inline long long dun_take_wholes(const struct dun_arrays *data, const char *name,
                                        long long length, long long least, long long most,
                                        const double **value, struct dun_message why)
{
  long long count = dun_take_list(data, name, length, value, why);
  const struct dun_array *a = dun_array_find(data, name);
  return count < 0 || dun_check_whole(data, a, least, most, why) < 0 ? -1 : count;
}

#endif
