/* From nodes to structs, by the option rows: every key is checked, every fault is reported, every value is
 * written back as it was understood. */
#ifndef DUNLIN_IO_BIND_H
#define DUNLIN_IO_BIND_H

#include "base/type.h"
#include "io/input.h"
#include "parallel/context.h"

struct dun_binder {
  struct dun_context *context;    /* files are read by rank 0 and broadcast */
  const struct dun_input *input;
  const char *data_folder;        /* --data or DUNLIN_DATA; NULL: none */
  struct dun_complaints complaints;
  struct dun_text effective;      /* one line "section.option: value" for every option, defaults too */
  void **owned;                   /* what option values point to */
  int owned_count, owned_capacity;
};

void dun_binder_init(struct dun_binder *binder, struct dun_context *context,
                     const struct dun_input *input);
void dun_binder_free(struct dun_binder *binder);

/* Collective.  Sets every row's member from the mapping's key or the row's default.  `path` is the
 * section's name in messages ("target"); `map` may be NULL: all defaults (a missing required option is
 * then complained about at `line`).  The key `type` is skipped when `typed`. */
void dun_bind_rows(struct dun_binder *binder, const struct dun_node *map, const char *path, int line,
                   int typed, const struct dun_option *rows, void *self);

/* Collective.  A section that names a type: finds `type: NAME` in the registry of the kind (for a target
 * of type library, in the file it names), allocates its struct, binds its options.  NULL after a complaint.
 * *self is owned by the caller: dun_object_free. */
const struct dun_type *dun_bind_type(struct dun_binder *binder, const struct dun_node *map,
                                     const char *path, enum dun_kind kind, void **self);
void dun_object_free(const struct dun_type *type, void **self);

/* Keys of a mapping that nobody bound are complained about with the nearest of the names given
 * ("a|b|c"). */
void dun_bind_unknown(struct dun_binder *binder, const struct dun_node *map, const char *path,
                      const char *known);

#endif
