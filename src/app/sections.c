/* The options of the sections `run` and `output`, and how many draws they ask for. */
#include "app/assemble.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/target_lines.h"
#include <stddef.h>

#define RUN_ROW(name_, type_, ...)                                                                 \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct dun_run_options, name_), __VA_ARGS__  \
  }
const struct dun_option dun_run_rows[] = {
    RUN_ROW(seed, DUN_INTEGER, .maximum = 9223372036854775807.0,
            .doc = "Key of all random numbers; the same seed gives the same bits."),
    RUN_ROW(particles, DUN_INTEGER, .minimum = 1, .maximum = 281474976710656.0,
            .doc = "Particles (or chains) over all ranks."),
    RUN_ROW(replicates, DUN_INTEGER, .initial = "1", .minimum = 1, .maximum = 65536,
            .doc = "Independent repetitions, one after the other; their spread checks the error."),
    RUN_ROW(tile, DUN_INTEGER, .initial = "auto", .words = "auto", .minimum = 1, .maximum = 64,
            .doc = "Consecutive particles that move together; 1 for targets of milliseconds; auto: "
                   "64, by `point` at most an eighth of all. Part of the result's identity."),
    RUN_ROW(time_limit, DUN_DURATION, .initial = "0",
            .doc = "Stop early with a checkpoint before so much time has passed; 0: no limit."),
    RUN_ROW(evaluations, DUN_NUMBER, .initial = "0", .maximum = 1e18,
            .doc = "Budget: after so many target evaluations over all ranks the run ends with what "
                   "it has, and says so; 0: none. Part of the result's identity."),
    {0},
};

#define OUTPUT_ROW(name_, type_, ...)                                                              \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct dun_output_options, name_),           \
    __VA_ARGS__                                                                                    \
  }
const struct dun_option dun_output_rows[] = {
    OUTPUT_ROW(
        file, DUN_TEXT, .initial = "",
        .doc = "The result's name; left out: the input's name with .h5, in the current folder."),
    OUTPUT_ROW(checkpoint_every, DUN_DURATION, .initial = "10min",
               .doc = "Time between checkpoints; 0: after every tick."),
    OUTPUT_ROW(draws, DUN_INTEGER, .initial = "all", .words = "all", .minimum = 1,
               .maximum = 281474976710656.0,
               .doc = "Draws kept of each replicate, at most the particles."),
    OUTPUT_ROW(log_likelihood, DUN_FLAG, .initial = "false",
               .doc = "Whether the log likelihood of each observation is written for each draw, of "
                      "targets that tell it: for leave-one-out validation."),
    OUTPUT_ROW(unconstrained, DUN_FLAG, .initial = "false",
               .doc = "Whether the coordinates that samplers move in are written for each draw, "
                      "too: for runs that begin at them or learn from them, where nobody knows the "
                      "way back from the output."),
    OUTPUT_ROW(prior_draws, DUN_INTEGER, .initial = "0", .maximum = 1000000,
               .doc = "Draws of the prior to be written too, of targets that have some."),
    {0},
};

int64_t dun_assembly_chains(const struct dun_assembly *assembly)
{
  const struct dun_run *run = &assembly->run;
  return run->options.replicates * (run->kept.due > 0 ? run->kept.room : 1);
}

int64_t dun_assembly_draws(const struct dun_assembly *assembly)
{
  long long draws = assembly->output.draws;
  if (assembly->run.kept.due > 0)
    return assembly->run.kept.due;
  return draws > 0 ? draws : assembly->run.options.particles;
}

int dun_assembly_tell_target(struct dun_assembly *assembly)
{
  const struct dun_binder *binder = &assembly->binder;
  struct dun_text *lines = &assembly->target_lines;
  dun_text_free(lines);
  dun_target_lines(lines, binder->effective.text, binder->used.text);
  int count = dun_evaluator_parameters(&assembly->evaluator, 0, NULL);
  struct dun_parameter *parameter = dun_allocate(count, sizeof *parameter);
  if (parameter && dun_evaluator_parameters(&assembly->evaluator, count, parameter) == count)
    dun_target_lines_parameters(lines, count, parameter);
  lines->failed |= !parameter;
  dun_free(parameter);
  assembly->evaluator.options = lines->text;
  return lines->failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for the target's options") : 0;
}

static int walk_list(const char *place, struct dun_parts *parts,
                     int (*visit)(void *data, const char *place, struct dun_part *part), void *data)
{
  char name[32];
  int code = 0;
  for (int i = 0; i < parts->count && code >= 0; i++) {
    snprintf(name, sizeof name, "%s[%d]", place, i);
    code = dun_part_walk(name, &parts->part[i], visit, data);
  }
  return code;
}

int dun_assembly_walk(struct dun_assembly *assembly,
                      int (*visit)(void *data, const char *place, struct dun_part *part),
                      void *data)
{
  int code = dun_part_walk("path", &assembly->path, visit, data);
  if (code >= 0)
    code = dun_part_walk("kernel", &assembly->kernel, visit, data);
  if (code >= 0)
    code = dun_part_walk("method", &assembly->method, visit, data);
  if (code >= 0)
    code = walk_list("finish", &assembly->finishes, visit, data);
  return code < 0 ? code : walk_list("probes", &assembly->probes, visit, data);
}
