/* The commands and options of the command line, row by row, and its help, which is written from
 * them without any memory. */
#ifndef DUNLIN_APP_SWITCHES_H
#define DUNLIN_APP_SWITCHES_H

#include "app/arguments.h"
#include <stdio.h>

/* Options; below 256 the key is a letter too. */
enum dun_switch_key {
  DUN_SWITCH_SET = 's',
  DUN_SWITCH_OUTPUT = 'o',
  DUN_SWITCH_QUIET = 'q',
  DUN_SWITCH_HELP = 'h',
  DUN_SWITCH_VERSION = 'V',
  DUN_SWITCH_RESTART = 256,
  DUN_SWITCH_OVERWRITE,
  DUN_SWITCH_TIME_LIMIT,
  DUN_SWITCH_STOP_AFTER,
  DUN_SWITCH_STRICT,
  DUN_SWITCH_DATA,
  DUN_SWITCH_ESTIMATE,
  DUN_SWITCH_JSON,
  DUN_SWITCH_MARKDOWN,
  DUN_SWITCH_NO_CHECK,
  DUN_SWITCH_TRUST,
  DUN_SWITCH_POINTS,
  DUN_SWITCH_METRICS,
  DUN_SWITCH_MODES,
  DUN_SWITCH_SEED,
  DUN_SWITCH_STANDARDISE,
  DUN_SWITCH_FAIL_ABOVE,
  DUN_SWITCH_LIST,
  DUN_SWITCH_INDEX,
  DUN_SWITCH_COLLECT,
  DUN_SWITCH_GROUPS,
  DUN_SWITCH_USAGE
};

struct dun_switch {
  const char *name;  /* behind the two dashes; NULL: a heading of the help */
  int key;           /* enum dun_switch_key */
  const char *value; /* what is given with it; NULL: nothing */
  unsigned commands; /* that it belongs to, a bit each; 0: to none, it is answered */
  const char *doc;   /* the heading's words too */
};
enum { DUN_SWITCHES = 32 };
extern const struct dun_switch dun_switch[DUN_SWITCHES];

struct dun_command_row {
  const char *name;
  int least, most;      /* operands */
  const char *operands; /* as the help names them */
  const char *missing;  /* what is missing where there are too few */
  const char *doc;
};
extern const struct dun_command_row dun_command[DUN_COMMANDS];

/* All commands and options with what they do, and their names alone. */
void dun_switches_help(FILE *stream);
void dun_switches_usage(FILE *stream);

#endif
