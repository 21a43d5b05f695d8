/* Members of JSON objects. */
#ifndef DUNLIN_APP_JSON_H
#define DUNLIN_APP_JSON_H

#include "base/text.h"

/* Adds `before`, the name and the value; a number that is not finite is null. */
void dun_json_number(struct dun_text *out, const char *before, const char *name, double value);
void dun_json_text(struct dun_text *out, const char *before, const char *name, const char *text);

#endif
