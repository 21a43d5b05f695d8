/* A compiled Stan model, through the C interface of BridgeStan (Roualdes et al. 2023): its log
 * density on the unconstrained scale with the Jacobians of its transforms and with all constants,
 * its parameters under their names, transformed and generated quantities. */
#include "base/error.h"
#include "base/guard.h"
#include "base/memory.h"
#include "base/tell.h"
#include "base/text.h"
#include "targets/setup.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The interface's opaque types, and the functions that are used of it. */
struct model;
struct rng;
struct functions {
  struct model *(*construct)(const char *data, unsigned seed, char **error);
  void (*destruct)(struct model *model);
  void (*free_error)(char *error);
  const char *(*name)(const struct model *model);
  const char *(*param_names)(const struct model *model, bool transformed, bool generated);
  int (*param_num)(const struct model *model, bool transformed, bool generated);
  int (*unconstrained_num)(const struct model *model);
  int (*density)(const struct model *model, bool proportional, bool jacobian, const double *x,
                 double *lp, char **error);
  int (*gradient)(const struct model *model, bool proportional, bool jacobian, const double *x,
                  double *lp, double *gradient, char **error);
  int (*constrain)(const struct model *model, bool transformed, bool generated, const double *x,
                   double *theta, struct rng *rng, char **error);
  struct rng *(*rng_construct)(unsigned seed, char **error);
  void (*rng_destruct)(struct rng *rng);
  /* since version 2.0, of what `print` in the model says; NULL: it goes to standard output */
  int (*set_print)(void (*told)(const char *text, size_t size), char **error);
};

/* An output variable: entries theta[first ...] of the model's own order. */
struct variable {
  struct dun_parameter parameter;
  int first, count;
};

/* What changes while the target is evaluated. */
struct told {
  int refusals; /* points at which the model threw; the first one is told */
  int failures; /* draws whose quantities it could not make; the first one is told */
};

struct bridgestan {
  char *file;
  struct dun_data data;
  long long seed;
  int transformed, generated;

  struct functions call;
  struct model *model;
  int dimension, outputs;
  int variables;
  struct variable *variable; /* [variables], owned */
  double *theta;             /* [outputs] of scratch, owned */
  struct told *told;         /* owned */
};

/* ---- the library --------------------------------------------------------------------------- */

/* A pointer to a function from one to data, which not every compiler converts. */
static int find(void *library, const char *name, const char *file, void *function,
                struct dun_message why)
{
  void *symbol = dlsym(library, name);
  if (!symbol)
    return dun_refuse(why,
                      "file: %s is no BridgeStan library of version 2: it has no function %s; "
                      "expected what BridgeStan makes of a Stan model, MODEL_model.so",
                      file, name);
  memcpy(function, &symbol, sizeof symbol);
  return 0;
}

static int check_version(void *library, const char *file, struct dun_message why)
{
  const int *version = dlsym(library, "bs_major_version");
  if (version && *version == 2)
    return 0;
  return dun_refuse(why, "file: %s was made by BridgeStan %d, expected version 2", file,
                    version ? *version : 1);
}

/* What a model prints is not for standard output, where results are told; a print in its block
 * `model` would be told millions of times.  The interface gives its callback no object to count
 * in. */
static void told_by_model(const char *text, size_t size)
{
  enum { MOST_PRINTS = 20 };
  static int prints;
  int length = size < 1000 ? (int)size : 1000;
  while (length > 0 && text[length - 1] == '\n')
    length--;
  if (length > 0 && prints++ < MOST_PRINTS)
    dun_tell(stderr, "the Stan model prints: %.*s%s\n", length, text,
             prints == MOST_PRINTS ? " (no more of it is told)" : "");
}

static int load(struct bridgestan *t, struct dun_message why)
{
  struct functions *call = &t->call;
  const struct {
    const char *name;
    void *function;
  } all[] = {
      {"bs_model_construct", &call->construct},       {"bs_model_destruct", &call->destruct},
      {"bs_free_error_msg", &call->free_error},       {"bs_name", &call->name},
      {"bs_param_names", &call->param_names},         {"bs_param_num", &call->param_num},
      {"bs_param_unc_num", &call->unconstrained_num}, {"bs_log_density", &call->density},
      {"bs_log_density_gradient", &call->gradient},   {"bs_param_constrain", &call->constrain},
      {"bs_rng_construct", &call->rng_construct},     {"bs_rng_destruct", &call->rng_destruct},
  };
  char path[PATH_MAX];
  if (!realpath(t->file, path))
    return dun_refuse(why, "file: %s cannot be found: %s", t->file, strerror(errno));
  unsigned control = dun_control();
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  dun_control_restore(control);
  if (!library)
    return dun_refuse(why, "file: %s cannot be loaded: %s", t->file, dlerror());
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (find(library, all[i].name, t->file, all[i].function, why) < 0)
      return DUN_ERROR_INPUT;
  void *symbol = dlsym(library, "bs_set_print_callback");
  memcpy(&call->set_print, &symbol, sizeof symbol);
  return check_version(library, t->file, why);
}

/* One line of the model's own words; `error` is given back. */
static const char *words_of(const struct bridgestan *t, char *error, char line[256])
{
  snprintf(line, 256, "%s", error && *error ? error : "no reason given");
  for (char *c = line; *c; c++)
    if ((unsigned char)*c < ' ')
      *c = ' ';
  if (error)
    t->call.free_error(error);
  return line;
}

static int construct(struct bridgestan *t, struct dun_message why)
{
  char *error = NULL, line[256];
  if (t->call.set_print && t->call.set_print(told_by_model, &error) != 0)
    return dun_refuse(why, "file: %s takes no callback for prints: %s", t->file,
                      words_of(t, error, line));
  t->model = t->call.construct(t->data.bytes ? t->data.bytes : "", (unsigned)t->seed, &error);
  if (!t->model)
    return dun_refuse(why, "data: the Stan model refuses %s: %s",
                      t->data.path ? t->data.path : "to do without data", words_of(t, error, line));
  t->dimension = t->call.unconstrained_num(t->model);
  t->outputs = t->call.param_num(t->model, t->transformed, t->generated);
  if (t->dimension < 1 || t->dimension > DUN_MAX_DIMENSION || t->outputs < 0)
    return dun_refuse(why,
                      "file: the Stan model has %d unconstrained parameters and %d quantities, "
                      "expected 1 or more",
                      t->dimension, t->outputs);
  return 0;
}

/* ---- names --------------------------------------------------------------------------------- */

/* One of the model's names, "beta", "beta.3", "Omega.2.1", and of a tuple's member "pair:1.3". */
struct label {
  char base[64];
  int rank, index[8];
};

static int read_label(const char *text, size_t length, struct label *label)
{
  size_t base = 0;
  while (base < length && text[base] != '.')
    base++;
  *label = (struct label){.rank = 0};
  if (base == 0 || base >= sizeof label->base)
    return -1;
  for (size_t i = 0; i < base; i++)
    label->base[i] = text[i] == ':' ? '_' : text[i];
  for (size_t at = base; at < length;) {
    int number = 0, digits = 0;
    for (at++; at < length && text[at] >= '0' && text[at] <= '9' && digits < 9; at++, digits++)
      number = 10 * number + (text[at] - '0');
    if (digits == 0 || number < 1 || label->rank == 8 || (at < length && text[at] != '.'))
      return -1;
    label->index[label->rank++] = number;
  }
  return 0;
}

/* The next name of a list with commas; 0: there is none. */
static size_t next_name(const char **names)
{
  while (**names == ',')
    ++*names;
  return strcspn(*names, ",");
}

/* The variable's shape is that of its last entry; of more than two axes it is one. */
static void close_variable(struct variable *v, const struct label *last)
{
  v->parameter.rank = last->rank == 0 ? 0 : last->rank == 2 ? 2 : 1;
  v->parameter.shape[0] = last->rank == 2 ? last->index[0] : v->count;
  v->parameter.shape[1] = last->rank == 2 ? last->index[1] : 0;
  if (last->rank == 2 && (int64_t)last->index[0] * last->index[1] != v->count) {
    v->parameter.rank = 1;
    v->parameter.shape[0] = v->count;
  }
}

/* Entries of one variable stand together. */
static int add_entry(struct bridgestan *t, int number, const struct label *label)
{
  struct variable *v = t->variables ? &t->variable[t->variables - 1] : NULL;
  if (!v || strcmp(v->parameter.name, label->base)) {
    v = &t->variable[t->variables++];
    *v = (struct variable){.first = number};
    snprintf(v->parameter.name, sizeof v->parameter.name, "%s", label->base);
    v->parameter.doc = "Of the Stan model.";
  } else if (label->rank == 0) {
    return -1;
  }
  v->count++;
  close_variable(v, label);
  return 0;
}

static int read_names(struct bridgestan *t, struct dun_message why)
{
  const char *names = t->call.param_names(t->model, t->transformed, t->generated);
  struct label label;
  int count = 0;
  t->variable = dun_allocate(t->outputs + 1, sizeof *t->variable);
  if (!t->variable)
    return dun_refuse(why, "no memory for the names of %d quantities", t->outputs);
  for (size_t length; names && (length = next_name(&names)) > 0; names += length, count++)
    if (count == t->outputs || read_label(names, length, &label) < 0 ||
        add_entry(t, count, &label) < 0)
      return dun_refuse(why,
                        "file: the Stan model calls its quantity number %d '%.*s', expected "
                        "NAME or NAME.1.2 for each of %d",
                        count + 1, length < 80 ? (int)length : 80, names, t->outputs);
  if (count != t->outputs)
    return dun_refuse(why, "file: the Stan model names %d of its %d quantities", count, t->outputs);
  return 0;
}

/* ---- set-up -------------------------------------------------------------------------------- */

static int init(void *self, struct dun_message why)
{
  struct bridgestan *t = self;
  int status = load(t, why);
  if (status >= 0)
    status = construct(t, why);
  if (status >= 0)
    status = read_names(t, why);
  if (status < 0)
    return status;
  t->theta = dun_allocate(t->outputs + 1, sizeof *t->theta);
  t->told = dun_allocate(1, sizeof *t->told);
  return t->theta && t->told ? 0 : dun_refuse(why, "no memory for %d quantities", t->outputs);
}

static void release(void *self)
{
  struct bridgestan *t = self;
  if (t->model)
    t->call.destruct(t->model);
  t->model = NULL;
  DUN_FREE(t->variable);
  DUN_FREE(t->theta);
  DUN_FREE(t->told);
}

static int dimension_of(const void *self)
{
  return ((const struct bridgestan *)self)->dimension;
}

/* ---- evaluation ---------------------------------------------------------------------------- */

/* Stan rejects a point by an exception: the density is 0 there. */
static double refused(const struct bridgestan *t, char *error, double *gradient)
{
  char line[256];
  words_of(t, error, line);
  if (t->told->refusals++ == 0)
    dun_tell(stderr,
             "warning: the Stan model %s rejects a point, of density 0 then: %s (told once)\n",
             t->call.name(t->model), line);
  for (int j = 0; gradient && j < t->dimension; j++)
    gradient[j] = 0;
  return -INFINITY;
}

static double point(const void *self, const double *x, double *gradient)
{
  const struct bridgestan *t = self;
  char *error = NULL;
  double lp = -INFINITY;
  int status = gradient ? t->call.gradient(t->model, false, true, x, &lp, gradient, &error)
                        : t->call.density(t->model, false, true, x, &lp, &error);
  return status == 0 ? lp : refused(t, error, gradient);
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct bridgestan *t = self;
  for (int i = 0; i < t->variables && i < capacity; i++)
    parameter[i] = t->variable[i].parameter;
  return t->variables;
}

/* Generated quantities are drawn for the point: the same ones at any number of ranks. */
static unsigned seed_of(const struct bridgestan *t, const double *x)
{
  uint64_t hash = 0x9e3779b97f4a7c15u ^ (uint64_t)t->seed;
  for (int j = 0; j < t->dimension; j++) {
    uint64_t bits;
    memcpy(&bits, &x[j], sizeof bits);
    hash = (hash ^ bits) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
  }
  return (unsigned)(hash ^ hash >> 32);
}

/* The model's matrices have their first index fastest, ours the last. */
static void take(const struct bridgestan *t, const struct variable *v, double *out)
{
  const double *in = t->theta + v->first;
  int rows = v->parameter.rank == 2 ? v->parameter.shape[0] : v->count;
  int columns = v->parameter.rank == 2 ? v->parameter.shape[1] : 1;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      out[i * columns + j] = in[j * rows + i];
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct bridgestan *t = self;
  char *error = NULL, line[256];
  struct rng *rng = t->generated ? t->call.rng_construct(seed_of(t, x), &error) : NULL;
  int status = t->generated && !rng ? -1
                                    : t->call.constrain(t->model, t->transformed, t->generated, x,
                                                        theta, rng, &error);
  if (rng)
    t->call.rng_destruct(rng);
  if (status)
    words_of(t, error, line);
  if (status && t->told->failures++ == 0)
    dun_tell(stderr,
             "warning: the Stan model %s cannot make the quantities of a point, NaN then: %s (told "
             "once)\n",
             t->call.name(t->model), line);
  for (int i = 0; i < t->outputs; i++) /* the model wrote where too much of it is noticed */
    t->theta[i] = status ? NAN : theta[i];
  for (int i = 0; i < t->variables; i++)
    take(t, &t->variable[i], theta + t->variable[i].first);
}

/* ---- options ------------------------------------------------------------------------------- */

#define ROW(name_, type_, ...)                                                                     \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct bridgestan, name_), __VA_ARGS__       \
  }
static const struct dun_option options[] = {
    ROW(file, DUN_FILE, .doc = "The compiled model, MODEL_model.so."),
    ROW(data, DUN_DATA, .initial = "",
        .doc = "Its data: a JSON file as Stan's interfaces take it."),
    ROW(seed, DUN_INTEGER, .initial = "1", .maximum = 4294967295.0,
        .doc = "Of random numbers in the model's own blocks."),
    ROW(transformed, DUN_FLAG, .initial = "true",
        .doc = "Whether transformed parameters are output."),
    ROW(generated, DUN_FLAG, .initial = "true", .doc = "Whether generated quantities are output."),
    {0},
};

const struct dun_target dun_target_bridgestan = {
    .type = {DUN_TYPE(struct dun_target), .name = "bridgestan",
             .doc = "A compiled Stan model, through BridgeStan's C interface.",
             .citation = "Roualdes, Ward, Carpenter, Seyboldt & Axen 2023, JOSS 8, 5236",
             .size = sizeof(struct bridgestan), .options = options, .free = release},
    .init = init,
    .dimension_of = dimension_of,
    .point = point,
    .parameters = parameters,
    .constrain = constrain,
};
