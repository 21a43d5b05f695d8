/* The no-U-turn sampler with Stan's defaults, written from its published description: what the
 * chains of method langevin are measured against.
 *
 * Hoffman & Gelman 2014, JMLR 15, 1593; Betancourt 2017, arXiv:1701.02434, appendix A: trajectories
 * are sampled multinomially and end by the generalised criterion, which is also asked across the
 * seams of subtrees.  Warm-up in Stan's windows: 75, then 25, 50, 100, ..., then 50. */
#ifndef DUNLIN_TESTS_BENCHMARKS_NUTS_H
#define DUNLIN_TESTS_BENCHMARKS_NUTS_H

#include "population/evaluator.h"
#include <stdint.h>

enum { NUTS_DEEPEST = 10 };

struct nuts_random {
  uint64_t state;
};
double nuts_uniform(struct nuts_random *random); /* in (0, 1) */
double nuts_normal(struct nuts_random *random);

/* A place, its momentum, and what the density is there. */
struct nuts_point {
  double *q, *p, *gradient; /* [d], owned */
  double lp;
};

/* What a subtree of some depth keeps while it is built. */
struct nuts_seam {
  double *init_end, *init_end_sharp, *final_begin, *final_begin_sharp, *rho_init, *rho_final;
  struct nuts_point proposal;
};

struct nuts_chain {
  /* given */
  struct dun_evaluator *evaluator;
  int d, dense;
  struct nuts_random random;

  /* learned */
  double step;
  double *inverse; /* the inverse metric: [d], or [d][d] where dense; owned */
  double *factor;  /* [d][d]: its lower Cholesky factor, where dense; owned */

  /* the state, and scratch */
  struct nuts_point now; /* gradient and density are kept from move to move */
  struct nuts_point z, forward, backward, sample, proposal;
  struct nuts_seam seam[NUTS_DEEPEST + 1];
  double *edge[11]; /* [d] each, owned: of the trajectory's two halves; see nuts_move */
  double *velocity; /* [d], owned */
  double *columns;  /* [2 d][64]: a point and its gradient as the evaluator has them, owned */

  /* counted */
  int64_t gradients, moves, divergences, deepest;
  int depth, divergent;
  double acceptance; /* of the last move: mean over its states */
};

/* Allocates, with a unit metric.  0, or < 0: no memory. */
int nuts_init(struct nuts_chain *chain, struct dun_evaluator *evaluator, int dense, uint64_t seed);
void nuts_free(struct nuts_chain *chain);

/* Uniform(-2, 2) in every coordinate, up to a hundred times until the density is finite.  0, or
 * < 0: it never was. */
int nuts_start(struct nuts_chain *chain);

/* One transition. */
void nuts_move(struct nuts_chain *chain);

/* Doubles or halves the step until a leapfrog is accepted with probability .8. */
void nuts_find_step(struct nuts_chain *chain);

/* The factor of a dense metric that has changed.  < 0: it is not positive. */
int nuts_factor(struct nuts_chain *chain);

/* `warmup` transitions in which step and metric are learned.  < 0: no memory, or no metric. */
int nuts_adapt(struct nuts_chain *chain, int warmup);

#endif
