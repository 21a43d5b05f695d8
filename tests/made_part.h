/* A part made from the text of its options, as an input would write them: for tests. */
#ifndef DUNLIN_TESTS_MADE_PART_H
#define DUNLIN_TESTS_MADE_PART_H

#include "base/error.h"
#include "io/bind.h"
#include <stdio.h>
#include <string.h>

struct made_part {
  struct dun_input input;
  struct dun_binder binder;
  struct dun_part part;
};

/* "type: vp, beta_min: 1".  < 0: refused, with the reason in why[1024]; close it all the same. */
static inline int made_part_open(struct dun_context *context, struct made_part *made,
                                 enum dun_kind kind, const char *options, char why[1024])
{
  char text[4096];
  memset(made, 0, sizeof *made);
  snprintf(text, sizeof text, "%s: {%s}\n", dun_kind_name(kind), options);
  *why = '\0';
  dun_binder_init(&made->binder, context, &made->input);
  if (dun_input_parse(&made->input, "test", text, (int64_t)strlen(text),
                      &made->binder.complaints) >= 0)
    made->part.type =
        dun_bind_type(&made->binder, dun_node_find(&made->input.root, dun_kind_name(kind)),
                      dun_kind_name(kind), kind, &made->part.self);
  if (made->binder.complaints.text.text)
    snprintf(why, 1024, "%s", made->binder.complaints.text.text);
  return made->part.type && !*why ? 0 : -1;
}

static inline void made_part_close(struct made_part *made)
{
  if (made->part.type)
    dun_object_free(made->part.type, &made->part.self);
  dun_binder_free(&made->binder);
  dun_input_free(&made->input);
}

#endif
