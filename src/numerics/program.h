/* Splitting programs: which operators make one step of an integrator, and in which order, as text.
 *
 *   O S B/2 A S' B/2
 *
 * An operator is a capital letter; behind it stands the share of the step that it takes, `/2` or
 * `.5`, by default all of it: the shares of every letter sum to one.  S evaluates what operators
 * use from then on, the score or the force, at the time where the step begins, S' at the one where
 * it ends.  Pure functions of text; what the letters mean is the caller's. */
#ifndef DUNLIN_NUMERICS_PROGRAM_H
#define DUNLIN_NUMERICS_PROGRAM_H

enum { DUN_PROGRAM_MOST = 24 };

struct dun_program_operation {
  char letter;
  int end;      /* of S: at the end's time */
  double share; /* of S: 0 */
};

struct dun_program {
  int count;
  struct dun_program_operation operation[DUN_PROGRAM_MOST];
};

/* A name for a program's text; a list ends with a name that is NULL. */
struct dun_program_name {
  const char *name, *text;
};

/* Reads `text`, or the text that `names` (NULL: none) has for it in small or capital letters, with
 * operators of `letters`, S among them where it may be written.  DUN_ERROR_INPUT: the sentence
 * begins with `what` and names the place. */
int dun_program_parse(const char *what, const char *text, const char *letters,
                      const struct dun_program_name *names, struct dun_program *program);

/* Drops each S whose value none of the operators `users` reads before the next S, also an S that
 * follows S at the same time with no operator between that changes anything.  Returns how many. */
int dun_program_prune(struct dun_program *program, const char *users);
/* The first operator of `users` that no S stands before; -1: none. */
int dun_program_unscored(const struct dun_program *program, const char *users);
/* How many S a step has. */
int dun_program_evaluations(const struct dun_program *program);
/* How often an operator occurs. */
int dun_program_has(const struct dun_program *program, char letter);
/* Whether it reads the same backwards, S left out. */
int dun_program_palindrome(const struct dun_program *program);
/* Writes it as text; `size` bytes. */
void dun_program_text(const struct dun_program *program, char *text, int size);

#endif
