/* The command line: one parser for all commands, before MPI is started.  It needs no memory but for
 * one list. */
#ifndef DUNLIN_APP_ARGUMENTS_H
#define DUNLIN_APP_ARGUMENTS_H

enum dun_command {
  DUN_COMMAND_NONE,
  DUN_COMMAND_RUN,
  DUN_COMMAND_CHECK,
  DUN_COMMAND_LIST,
  DUN_COMMAND_HELP,
  DUN_COMMAND_SUMMARY,
  DUN_COMMAND_CHECK_TARGET,
  DUN_COMMAND_COMPARE,
  DUN_COMMAND_SWEEP,
  DUN_COMMANDS
};

enum { DUN_MAX_OPERANDS = 2 };

/* Distances that `compare` knows; the bits of `metrics`. */
enum dun_metric_kind {
  DUN_METRIC_ENERGY,
  DUN_METRIC_MMD,
  DUN_METRIC_SLICED,
  DUN_METRIC_SINKHORN,
  DUN_METRICS
};
#define DUN_METRIC_WORDS "energy|mmd|sliced|sinkhorn"

/* What was asked for.  Texts belong to argv. */
struct dun_arguments {
  enum dun_command command;
  const char *operand[DUN_MAX_OPERANDS]; /* INPUT, KIND NAME, FILE, two sets of draws; NULL: none */
  int operands;
  const char **set; /* [sets], owned: SECTION.OPTION=VALUE; of check-target OPTION=VALUE too */
  int sets;
  const int
      *set_line; /* [sets]: lines of the input that ask for them, 0: none; NULL: none at all */
  const char *output, *data; /* NULL: not given */
  double time_limit;         /* seconds; -1: not given */
  double stop_after;         /* evaluations; 0: not given */
  int restart, overwrite, strict, quiet, estimate, json, markdown, no_check, trust;
  const char *modes;      /* compare: NULL: not given */
  long long points, seed; /* compare */
  unsigned metrics;       /* compare: one bit each */
  double fail_above;      /* compare: errors; -1: not given */
  int standardise;
  int list;            /* sweep */
  long long index;     /* sweep: from 1; 0: not given, all members */
  const char *collect; /* sweep: NULL: not given */
  long long groups;    /* sweep: 0: not given */
  int answered; /* not 0: --help, --usage or --version was printed, and nothing else is due */
};

/* Local.  0, or DUN_ERROR_INPUT after the complaint was printed; under a launcher only the first
 * process prints.  dun_arguments_free is due in both cases. */
int dun_arguments_parse(struct dun_arguments *arguments, int argc, char **argv);
void dun_arguments_free(struct dun_arguments *arguments);

/* Number and rank of the processes that a launcher started (Open MPI, PMI, a Slurm step), by its
 * environment: 1 and 0 where there is none. */
int dun_launcher_size(void);
int dun_launcher_rank(void);

#endif
