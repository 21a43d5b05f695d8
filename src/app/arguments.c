#include "app/arguments.h"
#include "app/switches.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/tell.h"
#include "base/text.h"
#include "version.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct parser {
  struct dun_arguments *arguments;
  int tells; /* of all processes of a launcher the first one */
  int given[DUN_SWITCHES];
  int argc, at, ended; /* at: the word that is looked at; ended: behind "--" */
  char **argv;
};

/* Words of the command line may be a stranger's, and there may be no memory for the sentence. */
__attribute__((format(printf, 2, 3))) static int refuse(const struct parser *parser,
                                                        const char *format, ...)
{
  char sentence[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(sentence, sizeof sentence, format, arguments);
  va_end(arguments);
  if (parser->tells)
    dun_tell(stderr, "dunlin: %s\nTry `dunlin --help` or `dunlin --usage` for more information.\n",
             sentence);
  return DUN_ERROR_INPUT;
}

/* ---- operands ------------------------------------------------------------------------------ */

static enum dun_command command_find(const char *word)
{
  for (int i = DUN_COMMAND_NONE + 1; i < DUN_COMMANDS; i++)
    if (!strcmp(word, dun_command[i].name))
      return i;
  return DUN_COMMAND_NONE;
}

/* An option of the target that is checked. */
static int take_option(const struct parser *parser, const char *word)
{
  if (!strchr(word, '='))
    return refuse(parser,
                  "check-target: found '%s', expected an option of the target: OPTION=VALUE", word);
  parser->arguments->set[parser->arguments->sets++] = word;
  return 0;
}

static int take_operand(const struct parser *parser, const char *word)
{
  struct dun_arguments *arguments = parser->arguments;
  if (arguments->command == DUN_COMMAND_NONE) {
    arguments->command = command_find(word);
    if (arguments->command == DUN_COMMAND_NONE)
      return refuse(parser,
                    "unknown command '%s'; the commands are run, check, check-target, list, help, "
                    "summary, compare, sweep",
                    word);
    return 0;
  }
  if (arguments->command == DUN_COMMAND_CHECK_TARGET && arguments->operands == 1)
    return take_option(parser, word);
  if (arguments->operands == dun_command[arguments->command].most)
    return refuse(parser, "%s: '%s' is one word too many", dun_command[arguments->command].name,
                  word);
  arguments->operand[arguments->operands++] = word;
  return 0;
}

/* ---- values -------------------------------------------------------------------------------- */

static int take_time_limit(const struct parser *parser, const char *text)
{
  if (dun_text_duration(text, &parser->arguments->time_limit) == 0)
    return 0;
  return refuse(parser,
                "--time-limit: found '%s', expected a time such as 90, 90s, 20min, 3h or 1d", text);
}

static int take_stop_after(const struct parser *parser, const char *text)
{
  double *value = &parser->arguments->stop_after;
  if (dun_text_number(text, value) == 0 && *value > 0)
    return 0;
  return refuse(parser, "--stop-after: found '%s', expected a number of evaluations above 0", text);
}

static int take_whole(const struct parser *parser, long long *value, const char *name,
                      const char *text, long long least, long long most)
{
  if (dun_text_integer(text, value) == 0 && *value >= least && *value <= most)
    return 0;
  return refuse(parser, "--%s: found '%s', expected a whole number from %lld to %lld", name, text,
                least, most);
}

/* Words between commas; none: no bit. */
static int take_metrics(const struct parser *parser, const char *text)
{
  unsigned *metrics = &parser->arguments->metrics;
  *metrics = 0;
  if (!strcmp(text, "none"))
    return 0;
  for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    char word[32];
    size_t length = strcspn(at, ",");
    snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), at);
    int index = dun_words_find(DUN_METRIC_WORDS, word);
    if (index < 0)
      return refuse(parser,
                    "--metrics: found '%s', expected none, or some of energy, mmd, sliced and "
                    "sinkhorn with commas between",
                    text);
    *metrics |= 1u << index;
  }
  return 0;
}

static int take_errors(const struct parser *parser, const char *text)
{
  double *value = &parser->arguments->fail_above;
  if (dun_text_number(text, value) == 0 && *value >= 0)
    return 0;
  return refuse(parser, "--fail-above: found '%s', expected a number of errors, 0 or more", text);
}

/* ---- options ------------------------------------------------------------------------------- */

static int take(struct parser *parser, const struct dun_switch *row, const char *word)
{
  struct dun_arguments *arguments = parser->arguments;
  parser->given[row - dun_switch] = 1;
  switch ((enum dun_switch_key)row->key) {
  case DUN_SWITCH_SET: arguments->set[arguments->sets++] = word; return 0;
  case DUN_SWITCH_OUTPUT: arguments->output = word; return 0;
  case DUN_SWITCH_DATA: arguments->data = word; return 0;
  case DUN_SWITCH_RESTART: arguments->restart = 1; return 0;
  case DUN_SWITCH_OVERWRITE: arguments->overwrite = 1; return 0;
  case DUN_SWITCH_TIME_LIMIT: return take_time_limit(parser, word);
  case DUN_SWITCH_STOP_AFTER: return take_stop_after(parser, word);
  case DUN_SWITCH_STRICT: arguments->strict = 1; return 0;
  case DUN_SWITCH_QUIET: arguments->quiet = 1; return 0;
  case DUN_SWITCH_ESTIMATE: arguments->estimate = 1; return 0;
  case DUN_SWITCH_JSON: arguments->json = 1; return 0;
  case DUN_SWITCH_MARKDOWN: arguments->markdown = 1; return 0;
  case DUN_SWITCH_NO_CHECK: arguments->no_check = 1; return 0;
  case DUN_SWITCH_TRUST: arguments->trust = 1; return 0;
  case DUN_SWITCH_MODES: arguments->modes = word; return 0;
  case DUN_SWITCH_GROUPS:
    return take_whole(parser, &arguments->groups, row->name, word, 1, INT_MAX);
  case DUN_SWITCH_COLLECT: arguments->collect = word; return 0;
  case DUN_SWITCH_LIST: arguments->list = 1; return 0;
  case DUN_SWITCH_INDEX: return take_whole(parser, &arguments->index, row->name, word, 1, INT_MAX);
  case DUN_SWITCH_STANDARDISE: arguments->standardise = 1; return 0;
  case DUN_SWITCH_METRICS: return take_metrics(parser, word);
  case DUN_SWITCH_FAIL_ABOVE: return take_errors(parser, word);
  case DUN_SWITCH_POINTS:
    return take_whole(parser, &arguments->points, row->name, word, 10, 1000000);
  case DUN_SWITCH_SEED: return take_whole(parser, &arguments->seed, row->name, word, 0, INT64_MAX);
  case DUN_SWITCH_HELP:
  case DUN_SWITCH_USAGE:
  case DUN_SWITCH_VERSION: arguments->answered = row->key; return 0;
  }
  return 0;
}

/* The value that goes with an option: `joined`, or the next word. */
static int take_with(struct parser *parser, const struct dun_switch *row, const char *joined)
{
  if (!row->value && joined)
    return refuse(parser, "--%s: found the value '%s', expected none", row->name, joined);
  if (row->value && !joined && parser->at + 1 >= parser->argc)
    return refuse(parser, "--%s: its value is missing: --%s=%s", row->name, row->name, row->value);
  if (row->value && !joined)
    joined = parser->argv[++parser->at];
  return take(parser, row, joined);
}

/* Letters behind one dash: the first that needs a value has the rest of the word, or the next. */
static int take_letters(struct parser *parser, const char *letters)
{
  for (const char *c = letters; *c; c++) {
    const struct dun_switch *row = NULL;
    for (int i = 0; i < DUN_SWITCHES && !row; i++)
      if (dun_switch[i].name && dun_switch[i].key == (unsigned char)*c)
        row = &dun_switch[i];
    if (!row)
      return refuse(parser, "there is no option '-%.*s'",
                    dun_text_character(c) > 0 ? dun_text_character(c) : 1, c);
    if (row->value)
      return take_with(parser, row, c[1] ? c + 1 : NULL);
    if (take(parser, row, NULL) < 0)
      return DUN_ERROR_INPUT;
  }
  return 0;
}

/* The option of that name, or the only one whose name begins so. */
static int take_name(struct parser *parser, const char *word)
{
  size_t length = strcspn(word, "=");
  const struct dun_switch *row = NULL;
  char more[512] = "";
  int found = 0;
  for (int i = 0; i < DUN_SWITCHES; i++) {
    const char *name = dun_switch[i].name;
    if (!name || strncmp(name, word, length) != 0)
      continue;
    row = &dun_switch[i];
    found++;
    if (!name[length]) {
      found = 1;
      break;
    }
    snprintf(more + strlen(more), sizeof more - strlen(more), "%s--%s", *more ? ", " : "", name);
  }
  if (found == 0)
    return refuse(parser, "there is no option '--%.*s'", (int)(length < 1000 ? length : 1000),
                  word);
  if (found > 1)
    return refuse(parser, "'--%.*s' may be any of %s", (int)length, word, more);
  return take_with(parser, row, word[length] ? word + length + 1 : NULL);
}

static int take_word(struct parser *parser, const char *word)
{
  if (parser->ended || word[0] != '-' || !word[1])
    return take_operand(parser, word);
  if (word[1] != '-')
    return take_letters(parser, word + 1);
  if (word[2])
    return take_name(parser, word + 2);
  parser->ended = 1;
  return 0;
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* What excludes each other, and what no other check sees. */
static int check_exclusions(const struct parser *parser)
{
  const struct dun_arguments *arguments = parser->arguments;
  int looks = arguments->list + (arguments->collect != NULL);
  if (looks + (arguments->index > 0) > 1 || (arguments->groups > 0 && looks))
    return refuse(parser, "sweep: --list, --collect and --index exclude each other, and the first "
                          "two --groups");
  if (arguments->restart && arguments->overwrite)
    return refuse(parser, "--restart goes on and --overwrite starts afresh: give one of them");
  return 0;
}

/* Every option must make sense for the command. */
static int check_all(const struct parser *parser)
{
  const struct dun_arguments *arguments = parser->arguments;
  const struct dun_command_row *command = &dun_command[arguments->command];
  if (arguments->command == DUN_COMMAND_NONE)
    return refuse(parser, "a command is missing: run, check, check-target, list, help, summary, "
                          "compare or sweep");
  if (arguments->operands < command->least && command->least > 1)
    return refuse(parser, "%s: found %d, %s", command->name, arguments->operands, command->missing);
  if (arguments->operands < command->least)
    return refuse(parser, "%s: %s", command->name, command->missing);
  for (int i = 0; i < DUN_SWITCHES; i++)
    if (parser->given[i] && !(dun_switch[i].commands >> arguments->command & 1))
      return refuse(parser, "%s: --%s does not belong to this command", command->name,
                    dun_switch[i].name);
  return check_exclusions(parser);
}

static void answer(int key)
{
  if (key == DUN_SWITCH_VERSION)
    dun_tell(stdout, "dunlin %s (%s)\n", DUN_VERSION, DUN_COMMIT);
  else if (key == DUN_SWITCH_USAGE)
    dun_switches_usage(stdout);
  else
    dun_switches_help(stdout);
}

int dun_arguments_parse(struct dun_arguments *arguments, int argc, char **argv)
{
  struct parser parser = {
      .arguments = arguments, .tells = dun_launcher_rank() == 0, .argc = argc, .argv = argv};
  int code = 0;
  memset(arguments, 0, sizeof *arguments);
  arguments->time_limit = -1;
  arguments->fail_above = -1;
  arguments->points = 500;
  arguments->metrics = (1u << DUN_METRICS) - 1;
  arguments->set = dun_allocate(argc + 1, sizeof *arguments->set);
  if (!arguments->set)
    return DUN_ERROR_MEMORY;
  for (parser.at = 1; parser.at < argc && code == 0; parser.at++)
    code = take_word(&parser, argv[parser.at]);
  if (code == 0 && !arguments->answered)
    code = check_all(&parser);
  else if (code == 0 && parser.tells)
    answer(arguments->answered);
  return code;
}

void dun_arguments_free(struct dun_arguments *arguments)
{
  DUN_FREE(arguments->set);
}
