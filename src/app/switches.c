#include "app/switches.h"
#include <string.h>

enum { WIDTH = 79, DOC = 29, COMMAND_DOC = 11 };
enum {
  RUN = 1 << DUN_COMMAND_RUN,
  CHECK = 1 << DUN_COMMAND_CHECK,
  CHECK_TARGET = 1 << DUN_COMMAND_CHECK_TARGET,
  COMPARE = 1 << DUN_COMMAND_COMPARE,
  SWEEP = 1 << DUN_COMMAND_SWEEP,
  SUMMARY = 1 << DUN_COMMAND_SUMMARY,
  HELP = 1 << DUN_COMMAND_HELP
};

const struct dun_command_row dun_command[DUN_COMMANDS] = {
    [DUN_COMMAND_NONE] = {"", 0, 0, "", "", ""},
    [DUN_COMMAND_RUN] = {"run", 1, 1, "INPUT", "the input file is missing",
                         "run an input file (YAML), or the input that a result file holds"},
    [DUN_COMMAND_CHECK] = {"check", 1, 1, "INPUT", "the input file is missing",
                           "all that run would refuse, without running"},
    [DUN_COMMAND_CHECK_TARGET] = {"check-target", 1, 1, "FILE.so [OPTION=VALUE...]",
                                  "the library's file is missing",
                                  "what a target of your own promises, tried at length; its speed; "
                                  "advice on layout"},
    [DUN_COMMAND_LIST] = {"list", 0, 1, "[KIND]", "",
                          "targets, paths, kernels, methods, finishes, probes"},
    [DUN_COMMAND_HELP] = {"help", 0, 2, "[KIND [NAME]]", "",
                          "what one of them is and its options; `help run`, `help output`: "
                          "sections of the input; `help target FILE.so`: a target of your own"},
    [DUN_COMMAND_SUMMARY] = {"summary", 1, 1, "FILE.h5", "the result file is missing",
                             "evidence, diagnosis, means and quantiles with their errors, cost of "
                             "a result"},
    [DUN_COMMAND_COMPARE] = {"compare", 2, 2, "DRAWS DRAWS",
                             "expected two sets of draws: results, tables (FILE.csv) or arrays "
                             "(FILE.h5:/PLACE)",
                             "how far two sets of draws are apart, coordinate by coordinate and in "
                             "all, in standard errors: results, tables (FILE.csv) or arrays "
                             "(FILE.h5:/PLACE)"},
    [DUN_COMMAND_SWEEP] = {"sweep", 1, 1, "INPUT", "the input file is missing",
                           "run all members of an input with a section sweep: that are not done "
                           "yet"},
};

const struct dun_switch dun_switch[DUN_SWITCHES] = {
    {.doc = "run and check:"},
    {"set", DUN_SWITCH_SET, "SECTION.OPTION=VALUE", RUN | CHECK | CHECK_TARGET | SWEEP,
     "Replace or add one value of the input"},
    {"output", DUN_SWITCH_OUTPUT, "FILE", RUN | CHECK | SWEEP,
     "The result's name, in place of output.file"},
    {"data", DUN_SWITCH_DATA, "DIR", RUN | CHECK | CHECK_TARGET | SWEEP,
     "Where data files are looked for too (else DUNLIN_DATA)"},
    {"restart", DUN_SWITCH_RESTART, NULL, RUN | CHECK,
     "Go on from the newest good checkpoint of the same input; start afresh if there is none"},
    {"overwrite", DUN_SWITCH_OVERWRITE, NULL, RUN | CHECK | SWEEP,
     "Replace an existing result and its checkpoints"},
    {"no-check", DUN_SWITCH_NO_CHECK, NULL, RUN | CHECK | SWEEP,
     "Do not try what the target promises"},
    {"trust", DUN_SWITCH_TRUST, NULL, RUN | CHECK | SWEEP,
     "Of a result that is run again: use the library, the files and the output that it names"},
    {.doc = "run:"},
    {"time-limit", DUN_SWITCH_TIME_LIMIT, "TIME", RUN | CHECK | CHECK_TARGET | SWEEP,
     "Stop with a checkpoint in time: 90, 90s, 20min, 3h or 1d; check-target: what one call of the "
     "target may take, else 10s"},
    {"stop-after", DUN_SWITCH_STOP_AFTER, "N", RUN,
     "Stop with a checkpoint after so many evaluations of the target over all ranks and starts"},
    {"strict", DUN_SWITCH_STRICT, NULL, RUN | CHECK, "Exit with 1 if the diagnosis is bad"},
    {"quiet", DUN_SWITCH_QUIET, NULL, RUN | CHECK | SWEEP, "No progress and no summary"},
    {.doc = "compare:"},
    {"points", DUN_SWITCH_POINTS, "N", COMPARE,
     "Distances of at most so many draws of each set (500)"},
    {"metrics", DUN_SWITCH_METRICS, "LIST", COMPARE,
     "Some of energy,mmd,sliced,sinkhorn, or none (all)"},
    {"modes", DUN_SWITCH_MODES, "FILE.csv", COMPARE,
     "Centres of modes, one a row: shares and mode coverage"},
    {"standardise", DUN_SWITCH_STANDARDISE, NULL, COMPARE,
     "All distances in units of the second set's standard deviations"},
    {"seed", DUN_SWITCH_SEED, "N", COMPARE, "Of the deals by chance and the directions (0)"},
    {"fail-above", DUN_SWITCH_FAIL_ABOVE, "ERRORS", COMPARE,
     "Exit with 1 if a difference is larger"},
    {.doc = "sweep:"},
    {"list", DUN_SWITCH_LIST, NULL, SWEEP, "The members, numbered, and what differs"},
    {"index", DUN_SWITCH_INDEX, "K", SWEEP, "Run member K alone"},
    {"groups", DUN_SWITCH_GROUPS, "G", SWEEP,
     "G members at a time, each on a G-th of the ranks of mpirun or srun"},
    {"collect", DUN_SWITCH_COLLECT, "FILE", SWEEP,
     "Run nothing; the table of the members as FILE.csv or FILE.h5, and their means over seeds"},
    {.doc = "others:"},
    {"estimate", DUN_SWITCH_ESTIMATE, NULL, CHECK,
     "check: memory per rank, time per evaluation, wall time"},
    {"json", DUN_SWITCH_JSON, NULL, SUMMARY | COMPARE, "summary, compare: as one JSON object"},
    {"markdown", DUN_SWITCH_MARKDOWN, NULL, HELP, "help: as a Markdown table"},
    {"help", DUN_SWITCH_HELP, NULL, 0, "This help"},
    {"usage", DUN_SWITCH_USAGE, NULL, 0, "A short usage message"},
    {"version", DUN_SWITCH_VERSION, NULL, 0, "The version"},
};

/* ---- help ---------------------------------------------------------------------------------- */

/* Writes words from this column on, in lines that begin at `indent`.  Returns the column. */
static int put(FILE *stream, int column, int indent, const char *text)
{
  for (size_t length; *(text += strspn(text, " ")); text += length) {
    length = strcspn(text, " ");
    if (column > indent && column + 1 + (int)length > WIDTH) {
      fprintf(stream, "\n%*s", indent, "");
      column = indent;
    } else if (column > indent) {
      fputc(' ', stream);
      column++;
    }
    column += fprintf(stream, "%.*s", (int)length, text);
  }
  return column;
}

/* Words in a second column, which begins a line of its own where the first one is too wide. */
static void put_beside(FILE *stream, int written, int column, const char *text)
{
  if (written + 1 > column)
    fprintf(stream, "\n%*s", column, "");
  else
    fprintf(stream, "%*s", column - written, "");
  put(stream, column, column, text);
  fputc('\n', stream);
}

static void put_switch(FILE *stream, const struct dun_switch *row)
{
  int written;
  if (!row->name) {
    fprintf(stream, "\n %s\n", row->doc);
    return;
  }
  written = row->key < 256 ? fprintf(stream, "  -%c, --%s", row->key, row->name)
                           : fprintf(stream, "      --%s", row->name);
  if (row->value)
    written += fprintf(stream, "=%s", row->value);
  put_beside(stream, written, DOC, row->doc);
}

static void put_commands(FILE *stream, const char *options)
{
  for (int i = DUN_COMMAND_NONE + 1; i < DUN_COMMANDS; i++)
    fprintf(stream, "%s dunlin %s%s %s\n", i == DUN_COMMAND_NONE + 1 ? "Usage:" : "  or: ", options,
            dun_command[i].name, dun_command[i].operands);
}

void dun_switches_help(FILE *stream)
{
  put_commands(stream, "[OPTION...] ");
  fputs("Sampler for distributions known up to a constant.\n", stream);
  for (int i = 0; i < DUN_SWITCHES; i++)
    put_switch(stream, &dun_switch[i]);
  fputs("\nCommands:\n", stream);
  for (int i = DUN_COMMAND_NONE + 1; i < DUN_COMMANDS; i++)
    put_beside(stream, fprintf(stream, "  %s", dun_command[i].name), COMMAND_DOC,
               dun_command[i].doc);
  fputs(
      "\nExit codes: 0 done; 1 failed; 2 bad usage or input; 85 stopped early with a checkpoint.\n"
      "On several cores: mpirun -n P dunlin run INPUT, or srun --mpi=pmix dunlin run INPUT.\n",
      stream);
}

void dun_switches_usage(FILE *stream)
{
  int column = COMMAND_DOC - 2;
  put_commands(stream, "[OPTION...] ");
  fputs("Options: ", stream);
  for (int i = 0; i < DUN_SWITCHES; i++) {
    const struct dun_switch *row = &dun_switch[i];
    char word[64];
    if (!row->name)
      continue;
    snprintf(word, sizeof word, "[--%s%s%s]", row->name, row->value ? "=" : "",
             row->value ? row->value : "");
    column = put(stream, column, COMMAND_DOC - 2, word);
  }
  fputc('\n', stream);
}
