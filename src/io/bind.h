/* From nodes to structs, by the option rows: every key is checked, every fault is reported,
 * every value is written back as it was understood. */
#ifndef DUNLIN_IO_BIND_H
#define DUNLIN_IO_BIND_H

#include "base/type.h"
#include "io/input.h"
#include "parallel/context.h"

struct dun_binder {
  struct dun_context *context; /* files are read by rank 0 and broadcast */
  const struct dun_input *input;
  const char *data_folder; /* --data; NULL: the environment variable DUNLIN_DATA */
  /* Whether the file that the option names may be used whatever it is; NULL: all may.  Others may
   * if they lie in the working folder or in the data folder, and are no library. */
  int (*trusts)(const void *data, const char *option);
  const void *trusts_data;
  struct dun_complaints complaints;
  struct dun_text effective; /* one line "section.option: value" for every option, defaults too,
                                   * that has a meaning beside the others' values */
  uint64_t files;            /* digest of all files that were named so far */
  double timeout;            /* seconds that a call of the library may take; 0: no limit */
  struct dun_text used;      /* of each of them a line "option digest bytes path" */
  int status;                /* an allocation failed on this rank */
  void **owned;              /* what option values point to */
  int owned_count, owned_capacity;
};

/* `input` must stay; dun_binder_free gives back the option values too, and is safe twice. */
void dun_binder_init(struct dun_binder *binder, struct dun_context *context,
                     const struct dun_input *input);
void dun_binder_free(struct dun_binder *binder);

/* Hash of what the input means: the effective lines except run.time_limit, run.evaluations where
 * it is 0, target.timeout and the section `output`, and the bytes of the files that it names.
 * The same on all ranks. */
uint64_t dun_binder_identity(const struct dun_binder *binder);

/* Collective.  Sets every row's member from the mapping's key or the row's default.  `path` is the
 * section's name in messages ("target"); `map` may be NULL: all defaults (a missing required option
 * is then complained about at `line`).  The key `type` is skipped when `typed`.
 *
 * A DUN_FILE or DUN_DATA names a file that is there, beside the input or in the data folder; a
 * name of a file to be written is a DUN_TEXT.  A text, file or data given as "" counts as not
 * given. */
void dun_bind_rows(struct dun_binder *binder, const struct dun_node *map, const char *path,
                   int line, int typed, const struct dun_option *rows, void *self);

/* Collective.  A section that names a type: finds `type: NAME` in the registry of the kind (for
 * a target of type library, in the file it names), allocates its struct, binds its options.
 * NULL after a complaint about the section; then *self is NULL too.  *self is owned by the
 * caller: dun_object_free, which frees nested parts too. */
const struct dun_type *dun_bind_type(struct dun_binder *binder, const struct dun_node *map,
                                     const char *path, enum dun_kind kind, void **self);
void dun_object_free(const struct dun_type *type, void **self);

/* Collective.  A list of such sections; those that are faulty are left out.  The list belongs to
 * the binder, its parts to the caller: dun_part_free. */
void dun_bind_parts(struct dun_binder *binder, const struct dun_node *list, const char *path,
                    enum dun_kind kind, struct dun_parts *parts);
/* One more part at the end of a list; < 0: no memory, which the binder's status tells too. */
int dun_binder_append(struct dun_binder *binder, struct dun_parts *parts, struct dun_part part);

/* Keys of a mapping that nobody bound are complained about with the nearest of the names given
 * ("a|b|c"). */
void dun_bind_unknown(struct dun_binder *binder, const struct dun_node *map, const char *path,
                      const char *known);

/* ---- for the parts of the binder itself -------------------------------------------------- */

/* Collective.  One value of any type but DUN_SECTION into its member, with its effective line;
 * `name` is its place in messages.  A member whose value is refused is left zero. */
void dun_bind_value(struct dun_binder *binder, const struct dun_option *row,
                    const struct dun_node *node, const char *name, void *member);
/* What the row expects, as messages say it: "a whole number from 1 to 64". */
enum { DUN_EXPECTATION = 512 };
const char *dun_option_expected(const struct dun_option *row, char text[DUN_EXPECTATION]);
/* A bound of the row, exactly. */
enum { DUN_BOUND = 32 };
const char *dun_option_bound(const struct dun_option *row, double bound, char text[DUN_BOUND]);
/* Memory that lives as long as the binder; NULL after setting its status. */
void *dun_binder_own(struct dun_binder *binder, int64_t count, size_t size);
int dun_binder_keep(struct dun_binder *binder, void *block);

#endif
