/* What a run has learned, in /learned/PLACE of its result: the state rows that say so, as numbers
 * in double precision, with the type that learned them, the dimension of its target, and what the
 * target is (data/target_lines.h). */
#ifndef DUNLIN_DATA_LEARNED_H
#define DUNLIN_DATA_LEARNED_H

#include "base/type.h"
#include "parallel/context.h"
#include <hdf5.h>

struct dun_learned {
  char place[DUN_PLACE]; /* "kernel", "method.field" */
  const char *type;      /* name of the type that learns */
  const struct dun_state *rows;
  void *self;
};

/* All of a run. */
struct dun_learned_list {
  int count, room;
  struct dun_learned *item; /* [count], owned */
  const char *target;
  const char *options; /* lines of what it is; NULL: nobody knows */
  int dimension;
};

/* Whether any row is learned. */
int dun_learned_is(const struct dun_state *rows);
/* DUN_ERROR_MEMORY. */
int dun_learned_add(struct dun_learned_list *list, const char *place, const char *type,
                    const struct dun_state *rows, void *self);
void dun_learned_free(struct dun_learned_list *list);

/* Local.  Bytes that writing takes at most, and writing: 0 or -1. */
int64_t dun_learned_bytes(const struct dun_learned_list *list);
int dun_learned_write(hid_t handle, const struct dun_learned_list *list);

/* Collective.  Reads the learned rows of the same place, type and dimension from a result; nothing
 * else of `self` changes.  Lists become as long as they are there: old ones are freed.  A file
 * without them, another type or dimension, counts that differ, what is no number and numbers that
 * do not have the digest written with them are DUN_ERROR_INPUT, after which `self` may have some of
 * the rows. */
int dun_learned_load(struct dun_context *context, const char *file,
                     const struct dun_learned *learned, int dimension);

/* Collective.  The lines of the target of which what is at a place was learned, the caller's
 * (dun_free); NULL where the file does not tell, as those of earlier versions.  DUN_ERROR_INPUT. */
int dun_learned_target(struct dun_context *context, const char *file, const char *place,
                       char **lines);

/* Collective.  The name of the type that learned what is at a place of a result, which may then be
 * loaded: for what is made of the type that is there.  DUN_ERROR_INPUT. */
enum { DUN_LEARNED_TYPE = 64 };
int dun_learned_type(struct dun_context *context, const char *file, const char *place,
                     char type[DUN_LEARNED_TYPE]);

#endif
