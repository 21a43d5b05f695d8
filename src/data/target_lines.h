/* What a target is, as lines "target.option: value" of its type, options and data, and what tells
 * two of them apart. */
#ifndef DUNLIN_DATA_TARGET_LINES_H
#define DUNLIN_DATA_TARGET_LINES_H

#include "base/text.h"
#include "dunlin/target.h"

/* Adds the lines of the target among all effective options of an input, as results have them in
 * /provenance/effective_options, but for what decides nothing; in the place of files' names what
 * /provenance/files tells of them, and in that of long values their digest, so that no line has
 * more than DUN_TARGET_LINE letters.  Either may be NULL. */
enum { DUN_TARGET_LINE = 200 };
void dun_target_lines(struct dun_text *out, const char *effective, const char *files);
/* Adds a line of its output parameters: names, shapes, transforms and bounds. */
void dun_target_lines_parameters(struct dun_text *out, int count,
                                 const struct dun_parameter *parameter);

/* 0 if both tell the same, of parameters where both tell of them; 1 with the first difference in
 * `text`: "target.scale is 3 there and 2 here". */
int dun_target_lines_differ(const char *there, const char *here, char *text, size_t size);

#endif
