#include "learning/network.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include <math.h>

const struct dun_state dun_network_state[] = {
    {.name = "weights",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct dun_network_head, weights),
     .count = 1,
     .learned = "Weights of the network, layer by layer."},
    {.name = "shape",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct dun_network_head, shape),
     .count = 1,
     .learned = "Options of the network in their order; before each list its length."},
    {0},
};

void dun_network_free(void *self)
{
  struct dun_network_head *head = self;
  DUN_FREE(head->weights.value);
  DUN_FREE(head->shape.value);
}

/* ---- options as numbers ---------------------------------------------------------------------- */

static const struct dun_numbers *list_of(const struct dun_option *row, const void *self)
{
  return (const void *)((const char *)self + row->offset);
}

static double number_of(const struct dun_option *row, const void *self)
{
  const void *member = (const char *)self + row->offset;
  return row->type == DUN_INTEGER  ? (double)*(const long long *)member
         : row->type == DUN_NUMBER ? *(const double *)member
                                   : *(const int *)member;
}

static int is_list(const struct dun_option *row)
{
  return row->type == DUN_NUMBERS;
}

int dun_network_make(const struct dun_network *network, void *self)
{
  struct dun_network_head *head = self;
  long long count = 0, i = 0;
  for (const struct dun_option *row = network->type.options; row->name; row++)
    count += 1 + (is_list(row) ? list_of(row, self)->count : 0);
  if (dun_numbers_make(&head->shape, count, 0) < 0 ||
      dun_numbers_make(&head->weights, network->weights(self), 0) < 0)
    return DUN_ERROR_MEMORY;
  for (const struct dun_option *row = network->type.options; row->name; row++) {
    const struct dun_numbers *list = list_of(row, self);
    head->shape.value[i++] = is_list(row) ? (double)list->count : number_of(row, self);
    for (long long k = 0; is_list(row) && k < list->count; k++)
      head->shape.value[i++] = list->value[k];
  }
  return 0;
}

static int refuse(const struct dun_network *network, const struct dun_option *row)
{
  return dun_fail(DUN_ERROR_INPUT, "the shape of network %s tells no %s", network->type.name,
                  row ? row->name : "end");
}

/* Whole where the option is, and within its bounds. */
static int is_fit(const struct dun_option *row, double value)
{
  int whole = row->type == DUN_INTEGER || row->type == DUN_CHOICE;
  if (row->type == DUN_CHOICE)
    return value >= 0 && value < 64 && value == floor(value);
  return value >= row->minimum && value <= row->maximum && (!whole || value == floor(value));
}

static void set(const struct dun_option *row, void *self, double value)
{
  void *member = (char *)self + row->offset;
  if (row->type == DUN_INTEGER)
    *(long long *)member = (long long)value;
  else if (row->type == DUN_NUMBER)
    *(double *)member = value;
  else
    *(int *)member = (int)value;
}

/* The option's numbers from place *i on. */
static int read(const struct dun_network *network, const struct dun_option *row,
                const struct dun_numbers *shape, long long *i, void *self)
{
  struct dun_numbers *list = (void *)((char *)self + row->offset);
  long long left = shape->count - *i;
  double value = left > 0 ? shape->value[(*i)++] : NAN;
  if (!is_list(row)) {
    if (!is_fit(row, value))
      return refuse(network, row);
    set(row, self, value);
    return 0;
  }
  if (!(value >= 1 && value <= (double)(left - 1) && value == floor(value)))
    return refuse(network, row);
  if (dun_numbers_make(list, (long long)value, 0) < 0)
    return DUN_ERROR_MEMORY;
  for (long long k = 0; k < list->count; k++) {
    list->value[k] = shape->value[(*i)++];
    if (!is_fit(row, list->value[k]))
      return refuse(network, row);
  }
  return 0;
}

void *dun_network_rebuild(const struct dun_network *network, const struct dun_numbers *shape,
                          int *status)
{
  void *self = dun_allocate(1, network->type.size);
  long long i = 0;
  *status = self ? 0 : DUN_ERROR_MEMORY;
  for (const struct dun_option *row = network->type.options; row->name && *status >= 0; row++)
    *status = read(network, row, shape, &i, self);
  if (*status >= 0 && i < shape->count)
    *status = refuse(network, NULL);
  if (*status >= 0)
    return self;
  dun_network_discard(network, self);
  return NULL;
}

void dun_network_discard(const struct dun_network *network, void *self)
{
  if (!self)
    return;
  for (const struct dun_option *row = network->type.options; row->name; row++)
    if (is_list(row))
      dun_free(list_of(row, self)->value);
  network->type.free(self);
  dun_free(self);
}
