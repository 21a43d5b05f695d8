/* An input file as a tree of nodes that know their line and column.
 *
 * Strict YAML: one document of mappings, lists and scalars; no anchors, aliases, tags or doubled keys; at
 * most 1 MiB.  All complaints are collected, each "file:line:column: section.option: what was found, what
 * was expected". */
#ifndef DUNLIN_IO_INPUT_H
#define DUNLIN_IO_INPUT_H

#include "base/text.h"
#include <stdint.h>

enum dun_node_kind { DUN_NODE_SCALAR, DUN_NODE_LIST, DUN_NODE_MAP };

struct dun_node {
  enum dun_node_kind kind;
  int line, column;       /* from 1; of nodes that --set made: 0 */
  char *text;             /* SCALAR: its text */
  int quoted;             /* SCALAR: written in quotes, so not a number or flag */
  int count;              /* children */
  struct dun_node *child; /* [count] */
  char **key;             /* MAP: [count] */
  int *key_line, *key_column; /* MAP: [count] */
};

struct dun_complaints {
  int count;
  struct dun_text text; /* one line each */
};

struct dun_input {
  char *name;   /* as messages call it */
  char *bytes;  /* the file as it was */
  int64_t size;
  struct dun_node root;
};

void dun_complain(struct dun_complaints *complaints, const struct dun_input *input, int line,
                  int column, const char *format, ...) __attribute__((format(printf, 5, 6)));
void dun_complaints_free(struct dun_complaints *complaints);

/* Parses; adds what is wrong to the complaints and returns -1 if the tree cannot be used at all. */
int dun_input_parse(struct dun_input *input, const char *name, const char *bytes, int64_t size,
                    struct dun_complaints *complaints);
/* Replaces or adds one value: "section.option=YAML value" of the command line. */
int dun_input_set(struct dun_input *input, const char *assignment,
                  struct dun_complaints *complaints);
void dun_input_free(struct dun_input *input);

/* The child of a mapping under this key; NULL: not there. */
const struct dun_node *dun_node_find(const struct dun_node *map, const char *key);

#endif
