/* What a target promises (dunlin/target.h), tried on a handful of points.  Never communicates:
 * every rank that tries the same points with the same effort finds the same, unless the target
 * gives other bits there. */
#ifndef DUNLIN_POPULATION_PROMISES_H
#define DUNLIN_POPULATION_PROMISES_H

#include "base/random.h"
#include "population/caller.h"

/* How bad it is. */
enum dun_finding_level {
  DUN_FINDING_TOLD,   /* a run goes on, and its user should know */
  DUN_FINDING_REFUSED /* a run would give a wrong answer without a word */
};

enum { DUN_MAX_FINDINGS = 12 };

struct dun_findings {
  int count;
  struct dun_finding {
    enum dun_finding_level level;
    char text[480]; /* a sentence without a final stop */
  } finding[DUN_MAX_FINDINGS];
  int finite;           /* points with a finite log density */
  int other_bits;       /* the same point gave other bits: 1 by rounding, 2 by more than that */
  uint64_t bits;        /* digest of the first log densities, to compare ranks by */
  double lp[DUN_LANES]; /* those of the points, as they were first */
};

/* Adds one; those beyond the last place are dropped. */
void dun_find(struct dun_findings *findings, enum dun_finding_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first that is refused; NULL: none is. */
const char *dun_finding_refused(const struct dun_findings *findings);

/* How much is tried. */
struct dun_effort {
  int lanes;   /* points, 1 to 64 */
  int passes;  /* differences of every point: each over another block of coordinates */
  int thrifty; /* evaluations are so dear that only the gradient and the bits are tried; 2: so dear
                * that the bits are not asked for again */
  int tiles;   /* draws of the prior, in tiles of 64; 0: it is not tried */
  int first;   /* of few points, the lane that is tried in the place of lane 0 */
};

/* Points of a tile that are tried: x[d][64] from the law that a run starts with, or others in the
 * support.  Tries finite values, the same bits twice, other lanes and numbers of points, the
 * gradient against differences, what is added by columns, the output parameters, the dimension.
 * DUN_ERROR_INPUT where it wrote outside its arrays, DUN_ERROR_MEMORY. */
int dun_promises_target(struct dun_caller *caller, const struct dun_effort *effort,
                        struct dun_address address, const double *x, struct dun_findings *findings);

/* The prior against its draws: by moves that leave it invariant (the draws must not drift under
 * them), by its normalisation where a Gaussian fits it well, by points outside its support, where
 * the target must be outside too; its gradient.  Needs effort->tiles > 0; errors as above. */
int dun_promises_prior(struct dun_caller *caller, const struct dun_effort *effort,
                       struct dun_address address, struct dun_findings *findings);

/* Of spins and letters: `site`, at some coordinates of x[d][64]. */
int dun_promises_sites(struct dun_caller *caller, const struct dun_effort *effort, const double *x,
                       struct dun_findings *findings);

/* The prior's gradient, and that it adds, at points x[d][64] of its support. */
int dun_promises_prior_gradient(struct dun_caller *caller, const struct dun_effort *effort,
                                struct dun_address address, const double *x,
                                struct dun_findings *findings);

/* Exact draws against the density, in the same way. */
int dun_promises_draws(struct dun_caller *caller, const struct dun_effort *effort,
                       struct dun_address address, struct dun_findings *findings);

/* Points and what a density gave there. */
struct dun_found {
  const double *x;        /* [d][64] */
  const double *lp;       /* [64] */
  const double *gradient; /* [d][64], marks where nothing was written */
};

/* Of a target that gives its likelihood in parts: prior and parts against the whole. */
int dun_promises_parts(struct dun_caller *caller, const struct dun_effort *effort,
                       const struct dun_found *whole, struct dun_findings *findings);

/* The gradient of a density at the points of the first `lanes` lanes. */
int dun_promises_gradient(struct dun_caller *caller, enum dun_density_kind which,
                          const struct dun_effort *effort, struct dun_address address,
                          const struct dun_found *found, struct dun_findings *findings);

#endif
