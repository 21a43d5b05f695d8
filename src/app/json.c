#include "app/json.h"

void dun_json_number(struct dun_text *out, const char *before, const char *name, double value)
{
  dun_text_add(out, "%s\"%s\": ", before, name);
  dun_text_add_number(out, value);
}

void dun_json_text(struct dun_text *out, const char *before, const char *name, const char *text)
{
  dun_text_add(out, "%s\"%s\": \"", before, name);
  dun_text_add_json(out, text);
  dun_text_add(out, "\"");
}
