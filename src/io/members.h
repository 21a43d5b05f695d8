/* The members of a sweep: what the section `sweep:` of an input varies, written out.
 *
 * A key of the section is an option's dotted path, and its value a list of values, of mappings with
 * a `label` each, or a range {from, to, step} of whole numbers.  All are combined with all, the
 * last one fastest, but for those of one mapping under `together`, which go in step.  A member that
 * matches a mapping under `when` is left out. */
#ifndef DUNLIN_IO_MEMBERS_H
#define DUNLIN_IO_MEMBERS_H

#include "io/input.h"

enum { DUN_MAX_VARIED = 32, DUN_MAX_MEMBERS = 100000 };

/* One option and its values. */
struct dun_varied {
  const char *path; /* the input's */
  int line, axis;   /* options of one axis go in step */
  int count;
  char **value; /* [count], owned: in YAML's flow style */
  char **label; /* [count], owned: what tables call it */
  int *at;      /* [count], owned: the lines of the values */
  int follows;  /* another one in step, whose values tell the members apart: its own may repeat */
};

struct dun_members {
  int varied;
  struct dun_varied option[DUN_MAX_VARIED];
  int axes, length[DUN_MAX_VARIED]; /* values of each axis */
  int count;
  int *number; /* [count], owned: place of each member in the whole product */
};

/* Local.  Complains of all that is wrong; the input must outlive the members.  -1: unusable.
 * dun_members_free is due in both cases. */
int dun_members_expand(struct dun_members *members, const struct dun_input *input,
                       struct dun_complaints *complaints);
/* Which of its values the option has in a member. */
int dun_members_value(const struct dun_members *members, int option, int member);
void dun_members_free(struct dun_members *members);

#endif
