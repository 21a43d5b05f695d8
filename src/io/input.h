/* An input file as a tree of nodes that know their line and column.
 *
 * Strict YAML: one document of mappings, lists and scalars; no anchors, aliases, tags or doubled
 * keys; at most 1 MiB, 16 levels and 1000 keys in a mapping.  All complaints are collected, each
 * "file:line:column: section.option: what was found, what was expected". */
#ifndef DUNLIN_IO_INPUT_H
#define DUNLIN_IO_INPUT_H

#include "base/text.h"
#include <stdint.h>

enum dun_node_kind { DUN_NODE_SCALAR, DUN_NODE_LIST, DUN_NODE_MAP };

struct dun_node {
  enum dun_node_kind kind;
  int line, column;           /* from 1; of nodes that --set made: 0 */
  char *text;                 /* SCALAR: its text */
  int quoted;                 /* SCALAR: written in quotes, so not a number or flag */
  int count;                  /* children */
  struct dun_node *child;     /* [count] */
  char **key;                 /* MAP: [count] */
  int *key_line, *key_column; /* MAP: [count] */
};

enum { DUN_COMPLAINTS_LISTED = 100 };

struct dun_complaints {
  int count;
  struct dun_text text; /* one line each; those behind the first hundred are only counted */
};

struct dun_input {
  char *name;  /* as messages call it */
  char *bytes; /* the file as it was */
  int64_t size;
  struct dun_node root;
};

/* Adds a line.  `line` 0 stands for the command line (--set), a negative one for the file as a
 * whole. */
void dun_complain(struct dun_complaints *complaints, const struct dun_input *input, int line,
                  int column, const char *format, ...) __attribute__((format(printf, 5, 6)));
void dun_complaints_free(struct dun_complaints *complaints);

/* Parses; adds what is wrong to the complaints and returns -1 if the tree cannot be used at
 * all.  Never communicates: all ranks parse the same bytes.  The input may be freed after a
 * failure too. */
int dun_input_parse(struct dun_input *input, const char *name, const char *bytes, int64_t size,
                    struct dun_complaints *complaints);
/* Replaces or adds one value: "section.option=YAML value" of the command line, the value in flow
 * style.  Elements of a list go by their number from 0 ("probes.0.every=5"); the number behind
 * the last one adds an element.  -1 after a complaint. */
int dun_input_set(struct dun_input *input, const char *assignment,
                  struct dun_complaints *complaints);
/* The same of an assignment that line `line` of the input asks for. */
int dun_input_set_at(struct dun_input *input, const char *assignment, int line,
                     struct dun_complaints *complaints);
void dun_input_free(struct dun_input *input);

/* The child of a mapping under this key; NULL: not there, or no mapping. */
const struct dun_node *dun_node_find(const struct dun_node *map, const char *key);

/* Parses one value in YAML flow style into a node whose line is `line`; complains under the name
 * `what`.  -1: the node is empty. */
int dun_node_parse(struct dun_node *node, const struct dun_input *input, const char *what,
                   const char *value, int line, struct dun_complaints *complaints);
/* Adds an empty node to a list (key NULL) or a mapping and returns it; NULL without memory. */
struct dun_node *dun_node_add(struct dun_node *node, const char *key, int line, int column);
void dun_node_free(struct dun_node *node);

/* What a message calls a node: 'text', a list of 3, a mapping, nothing.  Returns the buffer;
 * long texts are cut, control characters replaced. */
enum { DUN_DESCRIPTION = 80 };
const char *dun_node_describe(const struct dun_node *node, char description[DUN_DESCRIPTION]);
/* The same for a text: 'text'. */
const char *dun_quote(const char *text, char description[DUN_DESCRIPTION]);

#endif
