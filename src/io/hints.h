/* What may be wrong with an input: the cause in the words of who wrote it, and the cure. */
#ifndef DUNLIN_IO_HINTS_H
#define DUNLIN_IO_HINTS_H

#include "io/input.h"
#include <stddef.h>

enum { DUN_HINT = 256 };

/* Of a word that stands where a name or a mapping is expected: " (...)", or "". */
const char *dun_hint_name(const char *found, char hint[DUN_HINT]);

/* Of a value that is none of what is expected: " (...)", or "". */
const char *dun_hint_value(const struct dun_node *node, char hint[DUN_HINT]);

/* What is wrong with a value that can be read as a text but hardly be meant as one, such as null or
 * what stands in curly quotes; NULL: nothing. */
const char *dun_hint_text(const struct dun_node *node);

/* Where a parser of YAML stumbled, lines and columns from 0, and over what. */
struct dun_stumble {
  size_t line, column;           /* of the problem; moved to where its cause is */
  size_t context_line;           /* where what is open began */
  const char *problem, *context; /* the parser's words; "" for none */
};
/* Of a value that goes on from the stumble's line to another. */
const char *dun_hint_lines(const char *bytes, size_t size, size_t last, struct dun_stumble *s,
                           char hint[DUN_HINT]);
/* The cause and the cure. */
const char *dun_hint_syntax(const char *bytes, size_t size, struct dun_stumble *stumble,
                            char hint[DUN_HINT]);

#endif
