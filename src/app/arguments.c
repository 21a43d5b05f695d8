#include "app/arguments.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/tell.h"
#include "base/text.h"
#include "version.h"
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const char *const command_name[DUN_COMMANDS] = {
    [DUN_COMMAND_NONE] = "",
    [DUN_COMMAND_RUN] = "run",
    [DUN_COMMAND_CHECK] = "check",
    [DUN_COMMAND_LIST] = "list",
    [DUN_COMMAND_HELP] = "help",
    [DUN_COMMAND_SUMMARY] = "summary",
    [DUN_COMMAND_CHECK_TARGET] = "check-target",
    [DUN_COMMAND_COMPARE] = "compare",
    [DUN_COMMAND_SWEEP] = "sweep",
};

/* Fewest and most operands of each command. */
static const struct {
  int least, most;
} operand_count[DUN_COMMANDS] = {
    [DUN_COMMAND_RUN] = {1, 1},     [DUN_COMMAND_CHECK] = {1, 1},
    [DUN_COMMAND_LIST] = {0, 1},    [DUN_COMMAND_HELP] = {0, 2},
    [DUN_COMMAND_SUMMARY] = {1, 1}, [DUN_COMMAND_CHECK_TARGET] = {1, 1},
    [DUN_COMMAND_COMPARE] = {2, 2}, [DUN_COMMAND_SWEEP] = {1, 1},
};

enum {
  KEY_SET = 's',
  KEY_OUTPUT = 'o',
  KEY_QUIET = 'q',
  KEY_HELP = 'h',
  KEY_VERSION = 'V',
  KEY_RESTART = 256,
  KEY_OVERWRITE,
  KEY_TIME_LIMIT,
  KEY_STOP_AFTER,
  KEY_STRICT,
  KEY_DATA,
  KEY_ESTIMATE,
  KEY_JSON,
  KEY_MARKDOWN,
  KEY_NO_CHECK,
  KEY_TRUST,
  KEY_POINTS,
  KEY_METRICS,
  KEY_MODES,
  KEY_SEED,
  KEY_STANDARDISE,
  KEY_FAIL_ABOVE,
  KEY_LIST,
  KEY_INDEX,
  KEY_COLLECT,
  KEY_GROUPS,
  KEY_USAGE
};

enum {
  FOR_RUN = 1 << DUN_COMMAND_RUN,
  FOR_CHECK = 1 << DUN_COMMAND_CHECK,
  FOR_CHECK_TARGET = 1 << DUN_COMMAND_CHECK_TARGET,
  FOR_COMPARE = 1 << DUN_COMMAND_COMPARE,
  FOR_SWEEP = 1 << DUN_COMMAND_SWEEP
};

static const struct argp_option options[] = {
    {0, 0, 0, 0, "run and check:", 1},
    {"set", KEY_SET, "SECTION.OPTION=VALUE", 0, "Replace or add one value of the input", 1},
    {"output", KEY_OUTPUT, "FILE", 0, "The result's name, in place of output.file", 1},
    {"data", KEY_DATA, "DIR", 0, "Where data files are looked for too (else DUNLIN_DATA)", 1},
    {"restart", KEY_RESTART, 0, 0,
     "Go on from the newest good checkpoint of the same input; start afresh if there is none", 1},
    {"overwrite", KEY_OVERWRITE, 0, 0, "Replace an existing result and its checkpoints", 1},
    {"no-check", KEY_NO_CHECK, 0, 0, "Do not try what the target promises", 1},
    {"trust", KEY_TRUST, 0, 0,
     "Of a result that is run again: use the library, the files and the output that it names", 1},
    {0, 0, 0, 0, "run:", 2},
    {"time-limit", KEY_TIME_LIMIT, "TIME", 0,
     "Stop with a checkpoint in time: 90, 90s, 20min, 3h or 1d; check-target: what one call of the "
     "target may take, else 10s",
     2},
    {"stop-after", KEY_STOP_AFTER, "N", 0,
     "Stop with a checkpoint after so many evaluations of the target over all ranks and starts", 2},
    {"strict", KEY_STRICT, 0, 0, "Exit with 1 if the diagnosis is bad", 2},
    {"quiet", KEY_QUIET, 0, 0, "No progress and no summary", 2},
    {0, 0, 0, 0, "compare:", 3},
    {"points", KEY_POINTS, "N", 0, "Distances of at most so many draws of each set (500)", 3},
    {"metrics", KEY_METRICS, "LIST", 0, "Some of energy,mmd,sliced,sinkhorn, or none (all)", 3},
    {"modes", KEY_MODES, "FILE.csv", 0, "Centres of modes, one a row: shares and mode coverage", 3},
    {"standardise", KEY_STANDARDISE, 0, 0,
     "All distances in units of the second set's standard deviations", 3},
    {"seed", KEY_SEED, "N", 0, "Of the deals by chance and the directions (0)", 3},
    {"fail-above", KEY_FAIL_ABOVE, "ERRORS", 0, "Exit with 1 if a difference is larger", 3},
    {"list", KEY_LIST, 0, 0, "sweep: the members, numbered, and what differs", 4},
    {"index", KEY_INDEX, "K", 0, "sweep: run member K alone", 4},
    {"groups", KEY_GROUPS, "G", 0,
     "sweep: G members at a time, each on a G-th of the ranks of mpirun or srun", 4},
    {"collect", KEY_COLLECT, "FILE", 0,
     "sweep: run nothing; the table of the members as FILE.csv or FILE.h5, and their means over "
     "seeds",
     4},
    {0, 0, 0, 0, "others:", 4},
    {"estimate", KEY_ESTIMATE, 0, 0, "check: memory per rank, time per evaluation, wall time", 4},
    {"json", KEY_JSON, 0, 0, "summary, compare: as one JSON object", 4},
    {"markdown", KEY_MARKDOWN, 0, 0, "help: as a Markdown table", 4},
    {"help", KEY_HELP, 0, 0, "This help", 5},
    {"usage", KEY_USAGE, 0, 0, "A short usage message", 5},
    {"version", KEY_VERSION, 0, 0, "The version", 5},
    {0},
};

static const struct {
  int key;
  const char *name;
  unsigned commands;
} option_commands[] = {
    {KEY_SET, "set", FOR_RUN | FOR_CHECK | FOR_CHECK_TARGET | FOR_SWEEP},
    {KEY_OUTPUT, "output", FOR_RUN | FOR_CHECK | FOR_SWEEP},
    {KEY_DATA, "data", FOR_RUN | FOR_CHECK | FOR_CHECK_TARGET | FOR_SWEEP},
    {KEY_RESTART, "restart", FOR_RUN | FOR_CHECK},
    {KEY_OVERWRITE, "overwrite", FOR_RUN | FOR_CHECK | FOR_SWEEP},
    {KEY_NO_CHECK, "no-check", FOR_RUN | FOR_CHECK | FOR_SWEEP},
    {KEY_TRUST, "trust", FOR_RUN | FOR_CHECK | FOR_SWEEP},
    {KEY_TIME_LIMIT, "time-limit", FOR_RUN | FOR_CHECK | FOR_CHECK_TARGET | FOR_SWEEP},
    {KEY_STOP_AFTER, "stop-after", FOR_RUN},
    {KEY_STRICT, "strict", FOR_RUN | FOR_CHECK},
    {KEY_QUIET, "quiet", FOR_RUN | FOR_CHECK | FOR_SWEEP},
    {KEY_LIST, "list", FOR_SWEEP},
    {KEY_INDEX, "index", FOR_SWEEP},
    {KEY_COLLECT, "collect", FOR_SWEEP},
    {KEY_GROUPS, "groups", FOR_SWEEP},
    {KEY_ESTIMATE, "estimate", FOR_CHECK},
    {KEY_JSON, "json", 1 << DUN_COMMAND_SUMMARY | FOR_COMPARE},
    {KEY_MARKDOWN, "markdown", 1 << DUN_COMMAND_HELP},
    {KEY_POINTS, "points", FOR_COMPARE},
    {KEY_METRICS, "metrics", FOR_COMPARE},
    {KEY_MODES, "modes", FOR_COMPARE},
    {KEY_SEED, "seed", FOR_COMPARE},
    {KEY_STANDARDISE, "standardise", FOR_COMPARE},
    {KEY_FAIL_ABOVE, "fail-above", FOR_COMPARE},
};
enum { OPTIONS = sizeof option_commands / sizeof *option_commands };

struct parser {
  struct dun_arguments *arguments;
  int given[OPTIONS];
};

static enum dun_command command_find(const char *word)
{
  for (int i = 1; i < DUN_COMMANDS; i++) {
    if (!strcmp(word, command_name[i]))
      return i;
  }
  return DUN_COMMAND_NONE;
}

/* An option of the target that is checked. */
static error_t take_option(struct dun_arguments *arguments, char *word, struct argp_state *state)
{
  if (!strchr(word, '=')) {
    argp_error(state, "check-target: found '%s', expected an option of the target: OPTION=VALUE",
               word);
    return EINVAL;
  }
  arguments->set[arguments->sets++] = word;
  return 0;
}

static error_t take_operand(struct dun_arguments *arguments, char *word, struct argp_state *state)
{
  if (arguments->command == DUN_COMMAND_NONE) {
    arguments->command = command_find(word);
    if (arguments->command == DUN_COMMAND_NONE) {
      argp_error(state,
                 "unknown command '%s'; the commands are run, check, check-target, list, help, "
                 "summary, compare, sweep",
                 word);
      return EINVAL;
    }
    return 0;
  }
  if (arguments->command == DUN_COMMAND_CHECK_TARGET && arguments->operands == 1)
    return take_option(arguments, word, state);
  if (arguments->operands == operand_count[arguments->command].most) {
    argp_error(state, "%s: '%s' is one word too many", command_name[arguments->command], word);
    return EINVAL;
  }
  arguments->operand[arguments->operands++] = word;
  return 0;
}

/* What excludes each other, and what no other check sees. */
static error_t check_sweep(const struct dun_arguments *arguments, struct argp_state *state)
{
  int looks = arguments->list + (arguments->collect != NULL);
  if (looks + (arguments->index > 0) > 1 || (arguments->groups > 0 && looks)) {
    argp_error(state, "sweep: --list, --collect and --index exclude each other, and the first two "
                      "--groups");
    return EINVAL;
  }
  return 0;
}

/* Every option must make sense for the command, and the two ways to treat what exists exclude each
 * other. */
static error_t check_all(const struct parser *parser, struct argp_state *state)
{
  const struct dun_arguments *arguments = parser->arguments;
  const char *name = command_name[arguments->command];
  if (arguments->answered)
    return 0;
  if (arguments->command == DUN_COMMAND_NONE) {
    argp_error(state,
               "a command is missing: run, check, check-target, list, help, summary, compare or "
               "sweep");
    return EINVAL;
  }
  if (arguments->operands < operand_count[arguments->command].least &&
      arguments->command == DUN_COMMAND_COMPARE) {
    argp_error(state,
               "compare: found %d set%s of draws, expected two: results, tables "
               "(FILE.csv) or arrays (FILE.h5:/PLACE)",
               arguments->operands, arguments->operands == 1 ? "" : "s");
    return EINVAL;
  }
  if (arguments->operands < operand_count[arguments->command].least) {
    argp_error(state, "%s: the %s file is missing", name,
               arguments->command == DUN_COMMAND_SUMMARY        ? "result"
               : arguments->command == DUN_COMMAND_CHECK_TARGET ? "library's"
                                                                : "input");
    return EINVAL;
  }
  for (int i = 0; i < OPTIONS; i++) {
    if (parser->given[i] && !(option_commands[i].commands >> arguments->command & 1)) {
      argp_error(state, "%s: --%s does not belong to this command", name, option_commands[i].name);
      return EINVAL;
    }
  }
  if (check_sweep(arguments, state))
    return EINVAL;
  if (arguments->restart && arguments->overwrite) {
    argp_error(state, "--restart goes on and --overwrite starts afresh: give one of them");
    return EINVAL;
  }
  return 0;
}

static error_t take_time_limit(struct dun_arguments *arguments, const char *text,
                               struct argp_state *state)
{
  if (dun_text_duration(text, &arguments->time_limit) == 0)
    return 0;
  argp_error(state, "--time-limit: found '%s', expected a time such as 90, 90s, 20min, 3h or 1d",
             text);
  return EINVAL;
}

static error_t take_stop_after(struct dun_arguments *arguments, const char *text,
                               struct argp_state *state)
{
  if (dun_text_number(text, &arguments->stop_after) == 0 && arguments->stop_after > 0)
    return 0;
  argp_error(state, "--stop-after: found '%s', expected a number of evaluations above 0", text);
  return EINVAL;
}

static error_t take_whole(long long *value, const char *name, const char *text, long long least,
                          long long most, struct argp_state *state)
{
  if (dun_text_integer(text, value) == 0 && *value >= least && *value <= most)
    return 0;
  argp_error(state, "--%s: found '%s', expected a whole number from %lld to %lld", name, text,
             least, most);
  return EINVAL;
}

/* Words between commas; none: no bit. */
static error_t take_metrics(struct dun_arguments *arguments, const char *text,
                            struct argp_state *state)
{
  arguments->metrics = 0;
  if (!strcmp(text, "none"))
    return 0;
  for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    char word[32];
    size_t length = strcspn(at, ",");
    snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), at);
    int index = dun_words_find(DUN_METRIC_WORDS, word);
    if (index < 0) {
      argp_error(state,
                 "--metrics: found '%s', expected none, or some of energy, mmd, sliced and "
                 "sinkhorn with commas between",
                 text);
      return EINVAL;
    }
    arguments->metrics |= 1u << index;
  }
  return 0;
}

static error_t take_errors(struct dun_arguments *arguments, const char *text,
                           struct argp_state *state)
{
  if (dun_text_number(text, &arguments->fail_above) == 0 && arguments->fail_above >= 0)
    return 0;
  argp_error(state, "--fail-above: found '%s', expected a number of errors, 0 or more", text);
  return EINVAL;
}

static void answer(struct dun_arguments *arguments, int key, struct argp_state *state)
{
  arguments->answered = 1;
  if (dun_launcher_rank() > 0)
    return;
  if (key == KEY_VERSION)
    dun_tell(stdout, "dunlin %s (%s)\n", DUN_VERSION, DUN_COMMIT);
  else
    argp_state_help(state, stdout,
                    key == KEY_USAGE ? ARGP_HELP_USAGE
                                     : ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
}

static error_t take(int key, char *word, struct argp_state *state)
{
  struct parser *parser = state->input;
  struct dun_arguments *arguments = parser->arguments;
  for (int i = 0; i < OPTIONS; i++)
    parser->given[i] |= option_commands[i].key == key;
  switch (key) {
  case KEY_SET: arguments->set[arguments->sets++] = word; return 0;
  case KEY_OUTPUT: arguments->output = word; return 0;
  case KEY_DATA: arguments->data = word; return 0;
  case KEY_RESTART: arguments->restart = 1; return 0;
  case KEY_OVERWRITE: arguments->overwrite = 1; return 0;
  case KEY_TIME_LIMIT: return take_time_limit(arguments, word, state);
  case KEY_STOP_AFTER: return take_stop_after(arguments, word, state);
  case KEY_STRICT: arguments->strict = 1; return 0;
  case KEY_QUIET: arguments->quiet = 1; return 0;
  case KEY_ESTIMATE: arguments->estimate = 1; return 0;
  case KEY_JSON: arguments->json = 1; return 0;
  case KEY_MARKDOWN: arguments->markdown = 1; return 0;
  case KEY_NO_CHECK: arguments->no_check = 1; return 0;
  case KEY_TRUST: arguments->trust = 1; return 0;
  case KEY_MODES: arguments->modes = word; return 0;
  case KEY_GROUPS: return take_whole(&arguments->groups, "groups", word, 1, INT_MAX, state);
  case KEY_COLLECT: arguments->collect = word; return 0;
  case KEY_LIST: arguments->list = 1; return 0;
  case KEY_INDEX: return take_whole(&arguments->index, "index", word, 1, INT_MAX, state);
  case KEY_STANDARDISE: arguments->standardise = 1; return 0;
  case KEY_METRICS: return take_metrics(arguments, word, state);
  case KEY_FAIL_ABOVE: return take_errors(arguments, word, state);
  case KEY_POINTS: return take_whole(&arguments->points, "points", word, 10, 1000000, state);
  case KEY_SEED: return take_whole(&arguments->seed, "seed", word, 0, INT64_MAX, state);
  case KEY_HELP:
  case KEY_USAGE:
  case KEY_VERSION: answer(arguments, key, state); return 0;
  case ARGP_KEY_ARG: return take_operand(arguments, word, state);
  case ARGP_KEY_END: return check_all(parser, state);
  default: return ARGP_ERR_UNKNOWN;
  }
}

static const char usage[] =
    "run INPUT\ncheck INPUT\ncheck-target FILE.so [OPTION=VALUE...]\nlist [KIND]\nhelp [KIND "
    "[NAME]]\nsummary FILE.h5\ncompare DRAWS DRAWS\nsweep INPUT";
static const char doc[] =
    "Sampler for distributions known up to a constant.\v"
    "  run      run an input file (YAML), or the input that a result file holds\n"
    "  check    all that run would refuse, without running\n"
    "  check-target\n"
    "           what a target of your own promises, tried at length; its speed; advice on layout\n"
    "  list     targets, paths, kernels, methods, finishes, probes\n"
    "  help     what one of them is and its options; `help run`, `help output`: sections of the "
    "input; `help target FILE.so`: a target of your own\n"
    "  summary  evidence, diagnosis, means and quantiles with their errors, cost of a result\n"
    "  compare  how far two sets of draws are apart, coordinate by coordinate and in all, in "
    "standard errors: results, tables (FILE.csv) or arrays (FILE.h5:/PLACE)\n"
    "  sweep    run all members of an input with a section sweep: that are not done yet\n\n"
    "Exit codes: 0 done; 1 failed; 2 bad usage or input; 85 stopped early with a checkpoint.\n"
    "On several cores: mpirun -n P dunlin run INPUT, or srun --mpi=pmix dunlin run INPUT.";

int dun_arguments_parse(struct dun_arguments *arguments, int argc, char **argv)
{
  static const struct argp argp = {options, take, usage, doc, NULL, NULL, NULL};
  struct parser parser = {.arguments = arguments};
  unsigned flags = ARGP_NO_EXIT | ARGP_NO_HELP;
  memset(arguments, 0, sizeof *arguments);
  arguments->time_limit = -1;
  arguments->fail_above = -1;
  arguments->points = 500;
  arguments->metrics = (1u << DUN_METRICS) - 1;
  arguments->set = dun_allocate(argc + 1, sizeof *arguments->set);
  if (!arguments->set)
    return DUN_ERROR_MEMORY;
  if (dun_launcher_rank() > 0)
    flags |= ARGP_NO_ERRS;
  if (argp_parse(&argp, argc, argv, flags, NULL, &parser))
    return DUN_ERROR_INPUT;
  return 0;
}

void dun_arguments_free(struct dun_arguments *arguments)
{
  DUN_FREE(arguments->set);
}
