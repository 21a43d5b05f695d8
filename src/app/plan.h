/* What `dunlin sweep` works on: the members of an input and where their files are.
 *
 * A member is the input with assignments as --set makes them, so that its result can be run again
 * and its checkpoints gone on from like any others.  It is known by its identity: what is added to
 * a sweep later lets the finished members stand. */
#ifndef DUNLIN_APP_PLAN_H
#define DUNLIN_APP_PLAN_H

#include "app/arguments.h"
#include "io/members.h"
#include "parallel/context.h"

struct dun_plan {
  const struct dun_arguments *arguments;
  struct dun_complaints complaints;
  struct dun_input input;
  struct dun_members members;
  struct dun_text folder;
  uint64_t *identity; /* [members]; of members that were bound */
};

/* Collective.  Reads the input and expands its members; dun_plan_free is due in any case.
 * DUN_ERROR_INPUT with the complaints, or with one sentence. */
int dun_plan_read(struct dun_context *context, struct dun_plan *plan,
                  const struct dun_arguments *arguments);
void dun_plan_free(struct dun_plan *plan);

/* Collective.  Members first <= i < last get their identities and are compared with each other;
 * with `whole` each is assembled as a run would, else no further than to its identity.  Rank 0
 * prints the first fault; the exit code. */
int dun_plan_bind(struct dun_context *context, struct dun_plan *plan, int first, int last,
                  int whole);

/* "target.dimension=2, run.seed=1" */
void dun_plan_describe(const struct dun_plan *plan, int member, struct dun_text *text);
const char *dun_plan_label(const struct dun_plan *plan, int member, int option);
/* FOLDER/IDENTITY.end of a member that was bound; the caller frees it. */
void dun_plan_file(const struct dun_plan *plan, int member, const char *end, struct dun_text *name);

/* The command line that would run a member. */
struct dun_member_arguments {
  struct dun_arguments arguments;
  const char **set; /* owned */
  int *line;        /* of each in the input; owned */
  struct dun_text text[DUN_MAX_VARIED];
};
/* Local; DUN_ERROR_MEMORY.  dun_member_free is due in any case. */
int dun_member_arguments(const struct dun_plan *plan, int member, struct dun_member_arguments *own);
void dun_member_free(struct dun_member_arguments *own);

#endif
