/* A standard normal law whose stated log Z is made of data: the sum of all numbers that a file has
 * under `name`, each times its place from 1.  So a test sees what was read. */
#include <dunlin/data.h>

struct reads_data {
  struct dun_arrays data;
  char *name;
  int as;
  long long rows, columns, least, most;
  double sum;
};

enum { AS_ANY, AS_NUMBER, AS_LIST, AS_TABLE, AS_WHOLE, AS_WHOLES };

#define ROW(name_, type_, ...)                                                                     \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct reads_data, name_), __VA_ARGS__       \
  }
static const struct dun_option options[] = {
    ROW(data, DUN_ARRAYS, .initial = "", .doc = "The file."),
    ROW(name, DUN_TEXT, .initial = "y", .doc = "What is taken of it."),
    ROW(as, DUN_CHOICE, .initial = "any", .words = "any|number|list|table|whole|wholes",
        .doc = "How it is taken."),
    ROW(rows, DUN_INTEGER, .initial = "-1", .doc = "Of a list or table."),
    ROW(columns, DUN_INTEGER, .initial = "-1", .doc = "Of a table."),
    ROW(least, DUN_INTEGER, .initial = "0", .doc = "Of whole numbers."),
    ROW(most, DUN_INTEGER, .initial = "9007199254740991", .doc = "Of whole numbers."),
    {0},
};

static int init(void *self, struct dun_message why)
{
  struct reads_data *t = self;
  const struct dun_array *any;
  const double *value = NULL;
  double number = 0;
  long long whole = 0, count = 1;
  switch (t->as) {
  case AS_NUMBER: count = dun_take_number(&t->data, t->name, &number, why) < 0 ? -1 : 1; break;
  case AS_LIST: count = dun_take_list(&t->data, t->name, t->rows, &value, why); break;
  case AS_TABLE: count = dun_take_table(&t->data, t->name, t->rows, t->columns, &value, why); break;
  case AS_WHOLE: count = dun_take_whole(&t->data, t->name, t->least, t->most, &whole, why); break;
  case AS_WHOLES:
    count = dun_take_wholes(&t->data, t->name, t->rows, t->least, t->most, &value, why);
    break;
  default: break;
  }
  any = count < 0 ? NULL : dun_take(&t->data, t->name, -1, why);
  for (long long i = 0; any && i < any->count; i++)
    t->sum += (double)(i + 1) * any->value[i];
  return any ? 0 : -1;
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct reads_data *t = self;
  if (gradient)
    gradient[0] = -x[0];
  return -.5 * x[0] * x[0] - .918938533204672742 + t->sum;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)self;
  (void)uniform;
  for (int l = 0; l < DUN_LANES; l++)
    x[l] = normal[l];
}

static double log_evidence(const void *self)
{
  return ((const struct reads_data *)self)->sum;
}

const struct dun_target dun_target_reads_data = {
    .type = {DUN_TYPE(struct dun_target), .name = "reads_data", .doc = "Shows what it has read.",
             .size = sizeof(struct reads_data), .options = options},
    .dimension = 1,
    .init = init,
    .point = point,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = log_evidence,
};
