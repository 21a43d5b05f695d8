/* What a slow target answered in the piece of work in hand, number after number.  A piece that was
 * given up is made again from its beginning, and asks the same questions in the same order: as far
 * as the answers go it need not ask the target. */
#ifndef DUNLIN_POPULATION_ANSWERS_H
#define DUNLIN_POPULATION_ANSWERS_H

#include <stdint.h>

struct dun_answers {
  int kept;           /* they are, in this piece; 0: what follows does nothing */
  int64_t count, at;  /* numbers; where the next answer begins */
  int64_t room, most; /* of numbers allocated, and that may be */
  double *value;      /* [room], owned */
};

/* A piece begins, of which so many numbers are known; at most `most` are kept.  Without memory none
 * are. */
void dun_answers_begin(struct dun_answers *answers, int64_t most, int64_t count,
                       const double *value);
/* Whether the target has to be asked next. */
int dun_answers_ended(const struct dun_answers *answers);
/* The next answer, to one[ones] and more[size], which are NULL where they are not asked for; 0: it
 * is not known. */
int dun_answers_take(struct dun_answers *answers, int64_t ones, double *one, int64_t size,
                     double *more);
/* Keeps one, if there is room. */
void dun_answers_put(struct dun_answers *answers, int64_t ones, const double *one, int64_t size,
                     const double *more);
/* The piece is complete: nothing is kept. */
void dun_answers_forget(struct dun_answers *answers);
void dun_answers_free(struct dun_answers *answers);

#endif
