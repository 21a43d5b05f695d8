/* Where observations begin at a time at which something is known already: y at a first time above
 * 0, by moves that leave its law invariant, each by what the field says of the point given y.
 *
 *   draws     x from the posterior, y from the observation of x: exact if the draws are
 *   langevin  y += h s + sqrt(2 h) xi with the score s of y, of means m, and h half of the noise's
 *             variance (Grenioux, Noble, Gabrie & Durmus 2024, arXiv 2402.10758): its law is wider
 *             than y's, along narrow directions by a third of the variance
 *
 * Whether they reach that law is not known: what they do not forget in so many moves, and what
 * Stein's identity E <y, s> = -d says of where they are, is told. */
#ifndef DUNLIN_METHODS_BEGINNING_H
#define DUNLIN_METHODS_BEGINNING_H

#include "methods/posterior.h"

enum dun_beginning_how { DUN_BEGINNING_AUTO, DUN_BEGINNING_DRAWS, DUN_BEGINNING_LANGEVIN };
enum { DUN_BEGINNING_SUMS = 7 };

struct dun_beginning {
  /* options, the section `begin` */
  int how; /* enum dun_beginning_how */
  long long moves;

  /* state: of all particles, [DUN_BEGINNING_SUMS] sums that a pass made */
  double sum[DUN_BEGINNING_SUMS];

  /* made by init */
  double *origin; /* [width][64], scratch; owned */
};
extern const struct dun_option dun_beginning_rows[];

/* Local.  DUN_ERROR_INPUT where the observation or the field cannot begin there. */
int dun_beginning_init(struct dun_beginning *beginning, const struct dun_posterior *posterior);
void dun_beginning_free(struct dun_beginning *beginning);

/* y of a tile at time t > 0, with an empty memory of the field, into the posterior's; writes
 * look[SUMS][64]. */
void dun_beginning_tile(const struct dun_beginning *beginning,
                        const struct dun_posterior *posterior, double t, int n,
                        struct dun_address address, double (*look)[DUN_LANES]);

/* What there is to say of it, at time t. */
void dun_beginning_diagnose(const struct dun_beginning *beginning, const struct dun_run *run,
                            double t, struct dun_diagnosis *out);

/* Chains of a particle whose means vary by more than this times a chain's own variance are in
 * different places. */
extern const double dun_beginning_apart;

#endif
