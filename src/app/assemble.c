#include "app/assemble.h"
#include "app/last_words.h"
#include "app/room.h"
#include "app/source.h"
#include "app/tile_size.h"
#include "base/error.h"
#include "base/guard.h"
#include "base/memory.h"
#include "data/learned.h"
#include "parallel/sum.h"
#include "population/pointwise.h"
#include "targets/library.h"
#include <stdio.h>
#include <string.h>

#define SECTIONS "sweep|run|target|path|kernel|method|finish|probes|output"

/* ---- binding ------------------------------------------------------------------------------- */

static void bind_part(struct dun_assembly *assembly, const char *section, enum dun_kind kind,
                      struct dun_part *part)
{
  const struct dun_node *map = dun_node_find(&assembly->input.root, section);
  if (!map)
    return;
  part->line = map->line;
  part->column = map->column;
  part->type = dun_bind_type(&assembly->binder, map, section, kind, &part->self);
}

static void complain_at(struct dun_assembly *assembly, int line, int column, const char *text)
{
  dun_complain(&assembly->binder.complaints, &assembly->input, line, column, "%s", text);
}

static void bind_section(struct dun_assembly *assembly, const char *section,
                         const struct dun_option *rows, void *self)
{
  const struct dun_node *map = dun_node_find(&assembly->input.root, section);
  dun_bind_rows(&assembly->binder, map, section, map ? map->line : 1, 0, rows, self);
}

/* A probe or finish named twice would write one table twice. */
static int is_double(const struct dun_parts *parts, int before, const struct dun_type *type)
{
  for (int i = 0; i < before; i++)
    if (parts->part[i].type == type)
      return 1;
  return 0;
}

static void bind_list(struct dun_assembly *assembly, const char *section, enum dun_kind kind,
                      int most, struct dun_parts *parts)
{
  const struct dun_node *list = dun_node_find(&assembly->input.root, section);
  if (!list)
    return;
  dun_bind_parts(&assembly->binder, list, section, kind, parts);
  for (int i = 0; i < parts->count; i++) {
    const struct dun_part *part = &parts->part[i];
    if (is_double(parts, i, part->type))
      dun_complain(&assembly->binder.complaints, &assembly->input, part->line, part->column,
                   "%s[%d]: the %s '%s' is there already", section, i, dun_kind_name(kind),
                   part->type->name);
    if (i == most)
      dun_complain(&assembly->binder.complaints, &assembly->input, part->line, part->column,
                   "%s: too many, expected at most %d", section, most);
  }
}

/* Collective.  Means and their errors belong to every result, whether or not the input lists the
 * probe, and R-hat to every result of chains. */
static void add_probe(struct dun_context *context, struct dun_assembly *assembly, const char *name)
{
  struct dun_part part = {.type = dun_type_find(DUN_KIND_PROBE, name), .line = 1, .column = 1};
  char place[32];
  if (!part.type || is_double(&assembly->probes, assembly->probes.count, part.type))
    return;
  snprintf(place, sizeof place, "probe %s", name);
  part.self = dun_allocate(1, part.type->size);
  int status = dun_agree(context, part.self ? 0 : DUN_ERROR_MEMORY);
  if (status == 0) {
    dun_bind_rows(&assembly->binder, NULL, place, 1, 1, part.type->options, part.self);
    status = dun_binder_append(&assembly->binder, &assembly->probes, part);
    if (status < 0)
      dun_part_free(&part);
    status = dun_agree(context, status); /* a run without it would have another result */
  } else
    dun_free(part.self);
  if (status < 0)
    dun_complain(&assembly->binder.complaints, &assembly->input, -1, 0, "%s: %s", place,
                 dun_error_text());
}

static void check_needed(struct dun_assembly *assembly, const char *section, int needed,
                         const struct dun_part *part)
{
  const struct dun_node *given = dun_node_find(&assembly->input.root, section);
  const struct dun_part *method = &assembly->method;
  if (needed && !given)
    dun_complain(&assembly->binder.complaints, &assembly->input, method->line, method->column,
                 "%s: the section is missing; the method %s needs it", section, method->type->name);
  if (!needed && given)
    dun_complain(&assembly->binder.complaints, &assembly->input, part->line, part->column,
                 "%s: the method %s does not use this section", section, method->type->name);
}

/* Collective.  The path that the method takes where the input has none. */
static void bind_usual_path(struct dun_assembly *assembly, const struct dun_method *method)
{
  struct dun_part *path = &assembly->path;
  struct dun_node node = {0};
  char text[80];
  path->line = assembly->method.line;
  path->column = assembly->method.column;
  snprintf(text, sizeof text, "{type: %s}", method->usual_path);
  int status = dun_node_parse(&node, &assembly->input, "path", text, path->line,
                              &assembly->binder.complaints);
  /* what is bound communicates */
  if (dun_agree(assembly->binder.context, status < 0 ? DUN_ERROR_MEMORY : 0) == 0)
    path->type = dun_bind_type(&assembly->binder, &node, "path", DUN_KIND_PATH, &path->self);
  dun_node_free(&node);
}

static void bind_method(struct dun_assembly *assembly)
{
  const struct dun_method *method;
  bind_part(assembly, "method", DUN_KIND_METHOD, &assembly->method);
  method = (const struct dun_method *)assembly->method.type;
  if (!method)
    return;
  if (method->usual_path && !dun_node_find(&assembly->input.root, "path"))
    bind_usual_path(assembly, method);
  else
    check_needed(assembly, "path", method->needs_path, &assembly->path);
  int rests = method->rests && assembly->method.self && method->rests(assembly->method.self);
  check_needed(assembly, "kernel", method->needs_kernel && !rests, &assembly->kernel);
}

static void check_present(struct dun_assembly *assembly, const char *section)
{
  if (!dun_node_find(&assembly->input.root, section))
    dun_complain(&assembly->binder.complaints, &assembly->input, 1, 1, "%s: the section is missing",
                 section);
}

static int keeps_draws(const struct dun_assembly *assembly)
{
  const struct dun_method *method = (const struct dun_method *)assembly->method.type;
  return method && assembly->method.self && method->draws &&
         method->draws(assembly->method.self) > 0;
}

static void complain_of_draws(struct dun_assembly *assembly)
{
  const struct dun_node *output = dun_node_find(&assembly->input.root, "output");
  long long draws = assembly->output.draws, particles = assembly->run.options.particles;
  int line = output ? output->line : 1, column = output ? output->column : 1;
  if (particles >= 1 && draws > particles)
    dun_complain(&assembly->binder.complaints, &assembly->input, line, column,
                 "output.draws: found %lld, expected at most run.particles = %lld", draws,
                 particles);
  else if (draws > 0 && keeps_draws(assembly))
    complain_at(assembly, line, column,
                "output.draws: draws of chains are kept, and method.draws of each are written");
  if (assembly->finishes.count > 0 && keeps_draws(assembly))
    complain_at(assembly, assembly->finishes.part[0].line, assembly->finishes.part[0].column,
                "finish: it works on the last particles, and draws of chains would not follow it: "
                "give method.draws: 0");
}

/* What the rows alone cannot say. */
static void check_together(struct dun_assembly *assembly)
{
  const struct dun_run_options *run = &assembly->run.options;
  if (run->particles / (run->tile < 1 ? DUN_LANES : run->tile) > 4294967295LL)
    complain_at(assembly, 1, 1, "run.particles: at most 4294967295 tiles can be addressed");
  complain_of_draws(assembly);
}

/* An empty section `sweep:` is what is left of it in a member. */
static void refuse_sweep(struct dun_assembly *assembly)
{
  const struct dun_node *sweep = dun_node_find(&assembly->input.root, "sweep");
  if (sweep && sweep->count > 0)
    complain_at(assembly, sweep->line, 1, "sweep: this input is many runs: dunlin sweep runs them");
}

/* Collective.  All ranks read the same bytes: where their complaints are not as many, some rank had
 * no memory, and what follows would not be the same for all. */
static int same_faults(struct dun_context *context, const struct dun_assembly *assembly)
{
  double count = assembly->binder.complaints.count, pair[2] = {count, -count};
  int code = dun_max(context, 0, 2, pair);
  if (code >= 0 && pair[0] != -pair[1])
    code = dun_fail(DUN_ERROR_MEMORY, "a rank could not read the whole input: no memory");
  return code;
}

static int bind_all(struct dun_context *context, struct dun_assembly *assembly)
{
  static const char *const required[] = {"run", "target", "method"};
  for (size_t i = 0; i < sizeof required / sizeof *required; i++)
    check_present(assembly, required[i]);
  if (dun_node_find(&assembly->input.root, "run"))
    bind_section(assembly, "run", dun_run_rows, &assembly->run.options);
  bind_part(assembly, "target", DUN_KIND_TARGET, &assembly->target);
  bind_part(assembly, "path", DUN_KIND_PATH, &assembly->path);
  bind_part(assembly, "kernel", DUN_KIND_KERNEL, &assembly->kernel);
  bind_method(assembly);
  bind_list(assembly, "finish", DUN_KIND_FINISH, DUN_MAX_FINISHES, &assembly->finishes);
  bind_list(assembly, "probes", DUN_KIND_PROBE, DUN_MAX_PROBES - 2, &assembly->probes);
  bind_section(assembly, "output", dun_output_rows, &assembly->output);
  dun_bind_unknown(&assembly->binder, &assembly->input.root, "", SECTIONS);
  refuse_sweep(assembly);
  check_together(assembly);
  int code = same_faults(context, assembly);
  if (code < 0)
    return code;
  add_probe(context, assembly, "moments");
  if (keeps_draws(assembly))
    add_probe(context, assembly, "rhat");
  return same_faults(context, assembly);
}

/* ---- initialising -------------------------------------------------------------------------- */

/* Collective.  A part that refuses its options: the reason becomes a complaint with the part's
 * place. */
static int judge(struct dun_context *context, struct dun_assembly *assembly, int code,
                 const char *section, const struct dun_part *part)
{
  code = dun_agree(context, code);
  if (code == DUN_ERROR_INPUT)
    dun_complain(&assembly->binder.complaints, &assembly->input, part->line, part->column, "%s: %s",
                 section, dun_error_text());
  return code;
}

static int init_target(struct dun_context *context, struct dun_assembly *assembly)
{
  const struct dun_target *target = (const struct dun_target *)assembly->target.type;
  char reason[512] = "";
  dun_last_words_limit(assembly->binder.timeout);
  unsigned control = dun_guard_enter(target->type.name, "init");
  int refused = target->init && target->init(assembly->target.self,
                                             (struct dun_message){reason, sizeof reason}) < 0;
  int code = 0;
  dun_guard_leave(control);
  if (refused)
    code = dun_fail(DUN_ERROR_INPUT, "%s", *reason ? reason : "refused without a reason");
  if ((code = judge(context, assembly, code, "target", &assembly->target)) < 0)
    return code;
  if (assembly->binder.complaints.count && dun_together_has(target))
    return 0; /* what takes all ranks waits for an input without faults */
  code = dun_together_init(context, target, assembly->target.self, &assembly->tables);
  if ((code = judge(context, assembly, code, "target", &assembly->target)) < 0)
    return code;
  code = dun_evaluator_init(&assembly->evaluator, target, assembly->target.self);
  if (code >= 0 && dun_target_is_foreign(target))
    code = dun_evaluator_fence(&assembly->evaluator);
  if (code >= 0)
    code = dun_assembly_tell_target(assembly);
  assembly->run.target = assembly->evaluator.target;
  assembly->run.evaluator = &assembly->evaluator;
  return judge(context, assembly, code, "target", &assembly->target);
}

static int init_path(struct dun_context *context, struct dun_assembly *assembly)
{
  const struct dun_path *path = (const struct dun_path *)assembly->path.type;
  int code = path->init ? path->init(context, assembly->path.self, &assembly->evaluator) : 0;
  assembly->run.path = path;
  assembly->run.path_self = assembly->path.self;
  return judge(context, assembly, code, "path", &assembly->path);
}

/* Collective.  What another run has learned, for the adaptations to begin at. */
static int load_pilot(struct dun_context *context, struct dun_assembly *assembly)
{
  struct dun_kernel_options *options = assembly->kernel.self;
  struct dun_learned learned = {.place = "kernel",
                                .type = assembly->kernel.type->name,
                                .rows = dun_adaptation_state,
                                .self = &assembly->pilot};
  if (!options->load)
    return options->fixed
               ? dun_fail(DUN_ERROR_INPUT, "fixed: there is nothing to keep without load")
               : 0;
  assembly->pilot.scale.count = assembly->evaluator.dimension;
  int code = dun_learned_load(context, options->load, &learned, assembly->evaluator.dimension);
  if (code >= 0 && assembly->pilot.scale.count != assembly->evaluator.dimension)
    code = dun_fail(DUN_ERROR_INPUT, "load: %s: /learned/kernel holds no metric", options->load);
  if (code >= 0)
    code = dun_adaptation_check(&assembly->pilot, options->metric, options->load);
  options->pilot = &assembly->pilot;
  return code;
}

static int init_kernel(struct dun_context *context, struct dun_assembly *assembly)
{
  struct dun_run *run = &assembly->run;
  run->kernel = (const struct dun_kernel *)assembly->kernel.type;
  run->kernel_self = assembly->kernel.self;
  char who[64];
  int code = 0;
  snprintf(who, sizeof who, "kernel %s", run->kernel->type.name);
  code = dun_kernel_suits(run->kernel, run->target, run->path);
  if (code >= 0 && run->kernel->uses_gradient)
    code = dun_evaluator_need_gradient(&assembly->evaluator, who, "kernel rwm");
  if (code >= 0 && run->kernel->init)
    code = run->kernel->init(run->kernel_self);
  if (code >= 0)
    code = load_pilot(context, assembly);
  for (int h = 0; h < DUN_HALVES && code >= 0; h++)
    code = dun_adaptation_init(&run->adaptation[h], run->kernel, run->kernel_self,
                               assembly->evaluator.dimension);
  if (code >= 0)
    code = dun_propagator_init(&assembly->propagator, &assembly->evaluator, run->kernel_self);
  return judge(context, assembly, code, "kernel", &assembly->kernel);
}

/* Random numbers are addressed by the tick, of 32 bits. */
static int check_sweeps(const struct dun_run *run)
{
  int64_t most = UINT32_MAX - (1 << 20); /* finishes and phases have some of their own */
  int64_t sweeps = run->method->sweeps ? run->method->sweeps(run->method_self, run) : 0;
  if (sweeps < most)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%lld sweeps are more than random numbers have addresses for, %lld: take more "
                  "chains",
                  (long long)sweeps, (long long)most);
}

static int init_method(struct dun_context *context, struct dun_assembly *assembly)
{
  struct dun_run *run = &assembly->run;
  const struct dun_method *method = (const struct dun_method *)assembly->method.type;
  int64_t together = method->together ? method->together(assembly->method.self) : 1;
  dun_tile_size_settle(run, together);
  dun_population_init(&run->population,
                      dun_tiles_together(run->options.particles, (int)run->options.tile, together,
                                         context->rank, context->size));
  run->method = method;
  run->method_self = assembly->method.self;
  run->sweep =
      (struct dun_sweep){.population = &run->population,
                         .path = run->path,
                         .path_self = run->path_self,
                         .kernel = run->kernel,
                         .kernel_self = run->kernel_self,
                         .adaptation = run->adaptation,
                         .propagator = &assembly->propagator,
                         .pass = {.population = &run->population, .evaluator = run->evaluator}};
  run->kept.due = method->draws ? method->draws(assembly->method.self) : 0;
  run->kept.outputs = run->evaluator->outputs;
  run->kept.members = 1;
  run->kept.room = 0;
  int code = method->init(context, assembly->method.self, run);
  dun_run_members(context, run, run->kept.members);
  if (run->kept.room == 0)
    run->kept.room = run->kept.chains.total;
  if (code >= 0)
    code = check_sweeps(run);
  if (code >= 0 && run->kernel && ((struct dun_kernel_options *)run->kernel_self)->load &&
      dun_population_find(&run->population, "step_size"))
    code = dun_fail(DUN_ERROR_INPUT,
                    "method %s learns step sizes of its own for every time, and cannot begin at "
                    "kernel.load",
                    method->type.name);
  if (code >= 0 && run->kernel && run->kernel->declare)
    code = run->kernel->declare(run->kernel_self, &run->population, run->evaluator->dimension);
  if (code >= 0 && (run->kernel || run->path))
    code = dun_pass_declare(&run->sweep.pass);
  return judge(context, assembly, code, "method", &assembly->method);
}

static int init_finishes(struct dun_context *context, struct dun_assembly *assembly)
{
  int worst = 0;
  for (int i = 0; i < assembly->finishes.count; i++) {
    struct dun_part *part = &assembly->finishes.part[i];
    const struct dun_finish *finish = (const struct dun_finish *)part->type;
    int code =
        judge(context, assembly, finish->init(context, part->self, &assembly->run), "finish", part);
    worst = code < worst ? code : worst;
  }
  return worst;
}

static int init_probes(struct dun_context *context, struct dun_assembly *assembly)
{
  int worst = 0;
  for (int i = 0; i < assembly->probes.count; i++) {
    struct dun_part *part = &assembly->probes.part[i];
    const struct dun_probe *probe = (const struct dun_probe *)part->type;
    int code = probe->init ? probe->init(context, part->self, &assembly->run) : 0;
    code = judge(context, assembly, code, "probes", part);
    worst = code < worst ? code : worst;
  }
  return worst;
}

enum { MOST_PRIOR_NUMBERS = 1 << 27 }; /* rank 0 holds them */

/* What the result is to hold beside the draws. */
static int init_output(struct dun_context *context, struct dun_assembly *assembly)
{
  const struct dun_output_options *output = &assembly->output;
  const struct dun_node *node = dun_node_find(&assembly->input.root, "output");
  struct dun_part place = {.line = node ? node->line : 1, .column = node ? node->column : 1};
  struct dun_run *run = &assembly->run;
  int code = output->log_likelihood ? dun_pointwise_width(run->evaluator) : 0;
  run->pointwise = code > 0 ? code : 0;
  run->unconstrained = output->unconstrained;
  code = judge(context, assembly, code, "output.log_likelihood", &place);
  if (code >= 0 && output->prior_draws > 0 && !dun_prior_is_drawn(run->evaluator))
    code =
        dun_fail(DUN_ERROR_INPUT, "target %s does not draw from a prior", run->target->type.name);
  else if (code >= 0 && output->prior_draws > MOST_PRIOR_NUMBERS / run->evaluator->outputs)
    code = dun_fail(DUN_ERROR_INPUT, "found %lld draws of %d numbers, expected at most %d in all",
                    output->prior_draws, run->evaluator->outputs, MOST_PRIOR_NUMBERS);
  return judge(context, assembly, code, "output.prior_draws", &place);
}

/* Goes as far as the complaints allow: a target that was bound well is initialised even if
 * another section has faults, since its own may come to light here. */
static int init_all(struct dun_context *context, struct dun_assembly *assembly)
{
  const int *complaints = &assembly->binder.complaints.count;
  int code;
  if (!assembly->target.type)
    return 0;
  if ((code = init_target(context, assembly)) < 0 || !assembly->run.evaluator)
    return code;
  if (assembly->path.type && (code = init_path(context, assembly)) < 0)
    return code;
  if (*complaints)
    return 0;
  if (assembly->kernel.type && (code = init_kernel(context, assembly)) < 0)
    return code;
  if ((code = init_method(context, assembly)) < 0 || (code = init_finishes(context, assembly)) < 0)
    return code;
  return (code = init_output(context, assembly)) < 0 ? code : init_probes(context, assembly);
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* One a line; a line end inside a value means a space in YAML's flow style. */
static void add_setting(struct dun_text *settings, const char *assignment)
{
  for (; *assignment; assignment++)
    dun_text_add(settings, "%c", *assignment == '\n' ? ' ' : *assignment);
  dun_text_add(settings, "\n");
}

static int parse(struct dun_context *context, struct dun_assembly *assembly)
{
  const struct dun_arguments *arguments = assembly->arguments;
  struct dun_complaints *complaints = &assembly->binder.complaints;
  struct dun_source source = {0};
  int code = dun_source_read(context, arguments->operand[0], &source);
  if (code < 0)
    goto out;
  if (source.stored && !arguments->trust) {
    assembly->binder.trusts = dun_source_trusts;
    assembly->binder.trusts_data = assembly;
  }
  assembly->source = source.origin;
  source.origin = NULL;
  assembly->files = source.files;
  source.files = NULL;
  if (dun_input_parse(&assembly->input, source.name, source.bytes, source.size, complaints) < 0) {
    code = dun_fail(DUN_ERROR_INPUT, "%s: cannot be used", source.name);
    goto out;
  }
  for (char *line = source.settings, *end; line && *line; line = end + 1) {
    if (!(end = strchr(line, '\n')))
      break;
    *end = 0;
    dun_text_add(&assembly->settings, "%s\n", line);
    dun_input_set(&assembly->input, line, complaints);
  }
  for (int i = 0; i < arguments->sets; i++) {
    add_setting(&assembly->settings, arguments->set[i]);
    dun_input_set_at(&assembly->input, arguments->set[i],
                     arguments->set_line ? arguments->set_line[i] : 0, complaints);
  }
  if (assembly->settings.failed)
    code = dun_fail(DUN_ERROR_MEMORY, "no memory for the input");
out:
  dun_source_free(&source);
  return code;
}

static int bind_input(struct dun_context *context, struct dun_assembly *assembly,
                      const struct dun_arguments *arguments)
{
  int code;
  memset(assembly, 0, sizeof *assembly);
  assembly->arguments = arguments;
  dun_binder_init(&assembly->binder, context, &assembly->input);
  if (arguments->data)
    assembly->binder.data_folder = arguments->data;
  code = dun_agree(context, parse(context, assembly));
  if (code == 0)
    code = same_faults(context, assembly);
  if (code < 0 || (code = bind_all(context, assembly)) < 0)
    return code;
  assembly->identity = dun_binder_identity(&assembly->binder);
  return 0;
}

int dun_assemble_identity(struct dun_context *context, struct dun_assembly *assembly,
                          const struct dun_arguments *arguments)
{
  int code = bind_input(context, assembly, arguments);
  return code == 0 && assembly->binder.complaints.count ? DUN_ERROR_INPUT : code;
}

int dun_assemble(struct dun_context *context, struct dun_assembly *assembly,
                 const struct dun_arguments *arguments)
{
  int code = bind_input(context, assembly, arguments);
  if (code < 0)
    return code;
  dun_source_compare(assembly);
  code = init_all(context, assembly);
  if (code < 0 && code != DUN_ERROR_INPUT)
    return code;
  if (assembly->binder.complaints.count)
    return DUN_ERROR_INPUT;
  if (arguments->time_limit >= 0)
    assembly->run.options.time_limit = arguments->time_limit;
  assembly->file = dun_source_result(assembly);
  if (!assembly->file)
    code = dun_fail(DUN_ERROR_MEMORY, "no memory for the result's name");
  return dun_agree(context, code);
}

int dun_assembly_allocate(struct dun_context *context, struct dun_assembly *assembly)
{
  int code = dun_room_check(context, assembly);
  if (code < 0)
    return code;
  code = dun_population_allocate(&assembly->run.population);
  if (code == 0 && (assembly->run.kernel || assembly->run.path))
    code = dun_sweep_init(&assembly->run.sweep);
  return dun_agree(context, code);
}

void dun_assembly_free(struct dun_assembly *assembly)
{
  struct dun_run *run = &assembly->run;
  if (run->sweep.population)
    dun_sweep_free(&run->sweep);
  dun_population_free(&run->population);
  for (int h = 0; h < DUN_HALVES; h++)
    dun_adaptation_free(&run->adaptation[h]);
  dun_adaptation_free(&assembly->pilot);
  dun_propagator_free(&assembly->propagator);
  for (int i = 0; i < assembly->probes.count; i++)
    dun_part_free(&assembly->probes.part[i]);
  for (int i = 0; i < assembly->finishes.count; i++)
    dun_part_free(&assembly->finishes.part[i]);
  dun_part_free(&assembly->method);
  dun_part_free(&assembly->kernel);
  dun_part_free(&assembly->path);
  dun_evaluator_free(&assembly->evaluator);
  dun_part_free(&assembly->target);
  dun_binder_free(&assembly->binder);
  dun_input_free(&assembly->input);
  dun_text_free(&assembly->settings);
  dun_text_free(&assembly->target_lines);
  DUN_FREE(assembly->source);
  DUN_FREE(assembly->files);
  DUN_FREE(assembly->file);
}
