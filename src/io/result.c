#include "io/result.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/hdf.h"
#include "data/hdf_guard.h"
#include "io/durable.h"
#include "io/result_file.h"
#include "population/pointwise.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- which variables --------------------------------------------------------------------- */

static int is_name(const char *name)
{
  size_t length = strnlen(name, 64);
  if (length == 0 || length == 64 || name[0] == ' ' || name[length - 1] == ' ')
    return 0;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)name[i] < 32 || name[i] == '/' || name[i] == 127)
      return 0;
  return strcmp(name, ".") && strcmp(name, "..");
}

/* Names of variables and of their dimensions, chain, draw or NAME_dim_K, all different in each of
 * the groups. */
static int check_names(const struct dun_result *result, enum dun_result_group group)
{
  int64_t count = 2, most = 2 + (1 + DUN_MAX_SHAPE) * (int64_t)result->variables;
  const char **name = dun_allocate(most, sizeof *name);
  char(*dimension)[80] = dun_allocate(most, sizeof *dimension);
  int status = name && dimension ? 0 : DUN_ERROR_MEMORY;
  for (int i = 0; i < result->variables && status == 0; i++) {
    const struct dun_result_variable *v = &result->variable[i];
    if (v->group != group)
      continue;
    name[count++] = v->name;
    for (int axis = 0; axis < v->rank; axis++, count++) {
      snprintf(dimension[count], sizeof dimension[count], "%s_dim_%d", v->name, axis);
      name[count] = dimension[count];
    }
  }
  if (status == 0) {
    name[0] = "chain";
    name[1] = "draw";
    const char *twice = dun_names_double(count, name);
    if (twice)
      status = dun_fail(DUN_ERROR_INPUT,
                        "Two variables or dimensions of the result are called '%s'.", twice);
  }
  dun_free(name);
  dun_free(dimension);
  return status;
}

static int check_variables(const struct dun_result *result)
{
  for (int i = 0; i < result->variables; i++) {
    const struct dun_result_variable *v = &result->variable[i];
    if (!is_name(v->name))
      return dun_fail(DUN_ERROR_INPUT,
                      "The output parameter '%.63s' has a name that files cannot hold.", v->name);
    for (int axis = 0; axis < v->rank; axis++)
      if (v->shape[axis] < 1)
        return dun_fail(DUN_ERROR_INPUT, "The output parameter '%s' has an axis of length %d.",
                        v->name, v->shape[axis]);
  }
  int status = check_names(result, DUN_POSTERIOR);
  if (status == 0)
    status = check_names(result, DUN_SAMPLE_STATS);
  return status < 0 ? status : check_names(result, DUN_LOG_LIKELIHOOD);
}

static struct dun_result_variable of_parameter(const struct dun_parameter *parameter)
{
  struct dun_result_variable v = {.rank = parameter->rank,
                                  .type = DUN_F64,
                                  .width = 1,
                                  .doc = parameter->doc,
                                  .label = parameter->label};
  memcpy(v.name, parameter->name, sizeof v.name - 1);
  for (int axis = 0; axis < v.rank; axis++) {
    v.shape[axis] = parameter->shape[axis];
    v.width *= v.shape[axis];
  }
  return v;
}

static struct dun_result_variable of_column(const struct dun_column *column)
{
  struct dun_result_variable v = {.group = DUN_SAMPLE_STATS,
                                  .rank = column->width > 1,
                                  .shape = {column->width},
                                  .width = column->width,
                                  .type = column->type,
                                  .column = column,
                                  .unit = column->unit,
                                  .doc = column->doc};
  /* the names that readers of such files know */
  snprintf(v.name, sizeof v.name, "%s",
           !strcmp(column->name, "logw")         ? "log_weight"
           : !strcmp(column->name, "acceptance") ? "acceptance_rate"
                                                 : column->name);
  return v;
}

/* lp needs the parts, and a path to combine several. */
static int has_lp(const struct dun_run *run, const struct dun_column *part_lp)
{
  return part_lp && part_lp->type == DUN_F64 && part_lp->width <= DUN_MAX_PARTS &&
         (run->path || part_lp->width == 1);
}

/* The population is the run's; only finding a column needs it not const. */
static const struct dun_column *find_column(const struct dun_run *run, const char *name)
{
  for (int i = 0; i < run->population.columns; i++)
    if (!strcmp(run->population.column[i].name, name))
      return &run->population.column[i];
  return NULL;
}

static int list_parameters(struct dun_result *result, const struct dun_run *run, int count)
{
  struct dun_parameter *parameter = dun_allocate(count, sizeof *parameter);
  if (!parameter)
    return DUN_ERROR_MEMORY;
  if (dun_evaluator_parameters(run->evaluator, count, parameter) != count) {
    dun_free(parameter);
    return dun_fail(DUN_ERROR_INPUT, "The target's number of output parameters changes.");
  }
  int status = 0;
  for (int i = 0; i < count && status == 0; i++) {
    if (parameter[i].rank < 0 || parameter[i].rank > DUN_MAX_SHAPE)
      status = dun_fail(DUN_ERROR_INPUT, "The output parameter '%.60s' has %d axes.",
                        parameter[i].name, parameter[i].rank);
    else
      result->variable[result->variables++] = of_parameter(&parameter[i]);
  }
  dun_free(parameter);
  return status;
}

static int list_likelihoods(struct dun_result *result, const struct dun_run *run, int count)
{
  struct dun_parameter *variable = dun_allocate(count, sizeof *variable);
  int status = variable ? 0 : DUN_ERROR_MEMORY;
  if (status == 0 && dun_pointwise_variables(run->evaluator, count, variable) != count)
    status = dun_fail(DUN_ERROR_INPUT, "The number of the target's observations changes.");
  for (int i = 0; i < count && status == 0; i++) {
    result->variable[result->variables] = of_parameter(&variable[i]);
    result->variable[result->variables++].group = DUN_LOG_LIKELIHOOD;
  }
  dun_free(variable);
  return status;
}

static int list_variables(struct dun_result *result, const struct dun_run *run)
{
  int parameters = dun_evaluator_parameters(run->evaluator, 0, NULL);
  int likelihoods = run->pointwise > 0 ? dun_pointwise_variables(run->evaluator, 0, NULL) : 0;
  int capacity = parameters + 1 + run->population.columns + likelihoods + 1;
  if (parameters < 1)
    return dun_fail(DUN_ERROR_INPUT, "The target has %d output parameters.", parameters);
  result->variable = dun_allocate(capacity, sizeof *result->variable);
  if (!result->variable)
    return DUN_ERROR_MEMORY;
  if (!run->x)
    return dun_fail(DUN_ERROR_INPUT, "The method %s has no points to make draws of.",
                    run->method ? run->method->type.name : "");
  int status = list_parameters(result, run, parameters);
  if (status < 0)
    return status;
  result->outputs = run->evaluator->outputs;
  if (has_lp(run, find_column(run, "part_lp")))
    result->variable[result->variables++] =
        (struct dun_result_variable){.name = "lp",
                                     .group = DUN_SAMPLE_STATS,
                                     .width = 1,
                                     .type = DUN_F64,
                                     .doc = "log density of the target, not normalised"};
  for (int i = 0; i < run->population.columns; i++)
    if (run->population.column[i].flags & DUN_OUTPUT)
      result->variable[result->variables++] = of_column(&run->population.column[i]);
  if (likelihoods > 0)
    status = list_likelihoods(result, run, likelihoods);
  if (run->unconstrained) {
    result->variable[result->variables] = of_column(run->x);
    result->variable[result->variables++].group = DUN_UNCONSTRAINED_POSTERIOR;
  }
  return status < 0 ? status : check_variables(result);
}

/* ---- begin ------------------------------------------------------------------------------- */

static int set_names(struct dun_result *result, const char *file)
{
  struct dun_text part = {0};
  dun_text_add(&part, "%s.part", file);
  result->file = dun_copy_text(file);
  result->part = part.text;
  return part.failed || !result->file ? DUN_ERROR_MEMORY : 0;
}

/* What would be found out only at the end, when the file gets its name. */
static int check_place(const char *file)
{
  struct stat entry;
  if (stat(file, &entry) == 0 && S_ISDIR(entry.st_mode))
    return dun_fail(DUN_ERROR_FILE, "'%s' is a folder, expected the name of a file to write.",
                    file);
  return 0;
}

/* Collective.  Where rank 0 has found the variables' places in the file. */
static int share_offsets(struct dun_context *context, struct dun_result *result)
{
  int64_t *offset = dun_allocate(result->variables, sizeof *offset);
  int status = dun_agree(context, offset ? 0 : DUN_ERROR_MEMORY);
  for (int i = 0; i < result->variables && status == 0; i++)
    offset[i] = result->variable[i].offset;
  if (status == 0)
    status = dun_broadcast(context, offset, result->variables * (int64_t)sizeof *offset, 0);
  for (int i = 0; i < result->variables && status == 0; i++)
    result->variable[i].offset = offset[i];
  dun_free(offset);
  return status;
}

/* Collective.  What can be said without a file. */
static int describe(struct dun_context *context, struct dun_result *result, const char *file,
                    uint64_t identity, const struct dun_run *run, int64_t chains, int64_t draws)
{
  *result = (struct dun_result){.chains = chains, .draws = draws, .identity = identity};
  int status = set_names(result, file);
  if (status == 0)
    status = list_variables(result, run);
  if (status == 0)
    status = dun_result_cut(result);
  if (status == 0 && context->rank == 0)
    status = check_place(file);
  return dun_agree(context, status);
}

/* Collective.  A new file, if the one that is there may be replaced. */
static int lay_out(struct dun_context *context, struct dun_result *result, int replace)
{
  int status = 0;
  if (context->rank == 0) {
    status = replace ? 0 : dun_result_left(result);
    if (status >= 0)
      status = dun_result_lay_out(result, replace);
  }
  status = dun_agree(context, status);
  result->own = status == 0;
  if (status == 0)
    status = share_offsets(context, result);
  if (status == 0)
    status = dun_broadcast(context, result->writer, sizeof result->writer, 0);
  if (status == 0)
    status = dun_broadcast(context, &result->mark, sizeof result->mark, 0);
  return status;
}

int dun_result_begin(struct dun_context *context, struct dun_result *result, const char *file,
                     uint64_t identity, const struct dun_run *run, int64_t chains, int64_t draws,
                     int replace)
{
  int status = describe(context, result, file, identity, run, chains, draws);
  return status < 0 ? status : lay_out(context, result, replace);
}

int dun_result_resume(struct dun_context *context, struct dun_result *result, const char *file,
                      uint64_t identity, const struct dun_run *run, int64_t chains, int64_t draws,
                      const struct dun_checkpoint_draws *sealed, int64_t *lost)
{
  int status = describe(context, result, file, identity, run, chains, draws);
  if (status == 0)
    status = dun_result_check(context, result, run, sealed, lost);
  return status == 1 ? lay_out(context, result, 0) : status;
}

void dun_result_free(struct dun_result *result)
{
  dun_result_chains_free(result);
  DUN_FREE(result->file);
  DUN_FREE(result->part);
  DUN_FREE(result->whole);
  DUN_FREE(result->variable);
  DUN_FREE(result->sum);
  DUN_FREE(result->prior);
  result->variables = 0;
}

/* ---- end --------------------------------------------------------------------------------- */

int dun_result_finish(struct dun_context *context, struct dun_result *result,
                      const struct dun_attribute *attribute, int attributes,
                      const struct dun_attribute *provenance, int provenances,
                      const struct dun_named_table *table, int tables,
                      const struct dun_learned_list *learned)
{
  int status = 0;
  if (context->rank == 0) {
    status = dun_result_complete(result, attribute, attributes, provenance, provenances, table,
                                 tables, learned);
    if (status == 0)
      status = dun_result_read_back(result, attribute, attributes, provenance, provenances, table,
                                    tables);
    if (status == 0)
      status = dun_durable_publish(result->part, result->file);
    if (status == 0 && result->whole)
      unlink(result->whole);
  }
  return dun_agree(context, status);
}

/* 1 if there is a file of that name that can be read; 0 if there is nothing, 2 if it is something
 * else; what cannot be opened once is not gone. */
static int is_readable(const char *file)
{
  struct stat entry;
  int there = dun_durable_is_there(file);
  if (there <= 0)
    return there;
  if (stat(file, &entry) < 0)
    return errno == ENOENT
               ? 0
               : dun_fail(DUN_ERROR_FILE, "'%s' cannot be looked at: %s.", file, strerror(errno));
  if (!S_ISREG(entry.st_mode))
    return 2;
  int bytes = dun_durable_open(file, 0);
  return bytes < 0 ? bytes : dun_durable_close(bytes, file, 0, 1);
}

struct look {
  const char *file;
  uint64_t identity;
};

/* 1: it is the complete result of that identity; 2: it is something else. */
static int compare_identity(void *self)
{
  const struct look *look = self;
  char *text = NULL, number[20];
  hid_t handle = dun_hdf_open(look->file, 0);
  if (handle < 0)
    return 2;
  hid_t attribute =
      H5Aexists(handle, "identity") > 0 ? H5Aopen(handle, "identity", H5P_DEFAULT) : -1;
  snprintf(number, sizeof number, "%016llx", (unsigned long long)look->identity);
  int same = attribute >= 0 && H5Aexists(handle, "layout") <= 0 &&
             dun_hdf_read_text(-1, attribute, look->file, "identity", &text) == 0 &&
             !strcmp(text, number);
  if (attribute >= 0)
    H5Aclose(attribute);
  dun_hdf_close(handle, look->file, 0);
  dun_free(text);
  return same ? 1 : 2;
}

static int look_at(const char *file, uint64_t identity)
{
  struct look look = {file, identity};
  int readable = is_readable(file);
  if (readable != 1)
    return readable;
  int found = dun_hdf_guarded(file, DUN_ERROR_INPUT, compare_identity, &look);
  return found < 0 ? 2 : found;
}

int dun_result_exists(struct dun_context *context, const char *file, uint64_t identity)
{
  int found = context->rank == 0 ? look_at(file, identity) : 0;
  int status = dun_agree(context, found < 0 ? found : 0);
  if (status >= 0)
    status = dun_broadcast(context, &found, sizeof found, 0);
  return status < 0 ? status : found;
}
