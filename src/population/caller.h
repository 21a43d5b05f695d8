/* Calls of a target's functions outside of any run: nothing is counted, nothing of what they give
 * is made up for, and the arrays that they get have marked margins.  Never communicates. */
#ifndef DUNLIN_POPULATION_CALLER_H
#define DUNLIN_POPULATION_CALLER_H

#include "base/fence.h"
#include "base/vmath.h"
#include "population/evaluator.h"

/* What stands in an entry before the target writes it: a NaN that no arithmetic makes. */
#define DUN_MARK dun_from_bits(0x7ff8d0d1d2d3d4d5u)
static inline int dun_is_mark(double value)
{
  return dun_bits(value) == 0x7ff8d0d1d2d3d4d5u;
}

/* An array that a target is given, with marks in front of it and behind.  A guarded one ends where
 * its pages end, but for what the alignment takes. */
struct dun_caller_array {
  const char *name; /* as dunlin/target.h calls it */
  struct dun_pages pages;
  double *value; /* [count] */
  int64_t count;
};

/* Where the target is: written before each call of its functions, so that another process can
 * see it in shared memory. */
struct dun_caller_place {
  const char *volatile function;
  volatile int64_t count;
};

enum { DUN_CALLER_ARRAYS = 8 };
enum dun_density_kind { DUN_DENSITY_TARGET, DUN_DENSITY_PRIOR };

struct dun_caller {
  /* given */
  const struct dun_evaluator *evaluator;
  struct dun_caller_place *call; /* NULL: nobody looks */
  int guarded;
  int gradients; /* 0: the target says that it has none */

  /* made; owned */
  union {
    struct {
      struct dun_caller_array x, scale, lp, gradient, work, theta, pointwise, site;
    };
    struct dun_caller_array array[DUN_CALLER_ARRAYS];
  };
  double *found_lp;       /* [64]: as the target gave them */
  double *found_gradient; /* [d][64]: a mark where it wrote nothing; by columns: 0 */
  int changes_control;    /* some call left another rounding or flush-to-zero behind */
  int changes_self;       /* some evaluation changed the target's own struct */
  char *self_before;      /* [type.size] */
};

/* With `guarded` behind every array comes what ends the process when it is touched, else a margin.
 * DUN_ERROR_MEMORY; dun_caller_free is safe afterwards. */
int dun_caller_init(struct dun_caller *caller, const struct dun_evaluator *evaluator, int guarded);
void dun_caller_free(struct dun_caller *caller);

/* Evaluates the first n lanes of x[d][64]; the others repeat lane 0.  Of a target by point only the
 * lanes with wanted[lane] are, unless that is NULL.  DUN_ERROR_INPUT where the target wrote outside
 * its arrays or into x, or left a log density unwritten. */
int dun_caller_evaluate(struct dun_caller *caller, enum dun_density_kind which, int n,
                        const char *wanted, const double *x, int gradient);

/* One call of `columns` (or `prior`), with lp NULL, that adds scale[64] times the gradient to
 * gradient[d][64].  Errors as above. */
int dun_caller_add(struct dun_caller *caller, enum dun_density_kind which, const double *x,
                   const double *scale, double *gradient);

/* One call of `observed` for observations which[count]; errors as above. */
int dun_caller_observed(struct dun_caller *caller, int count, const int *which, const double *x);

/* theta[outputs] of the point in a lane of x[d][64]; errors as above. */
int dun_caller_constrain(struct dun_caller *caller, const double *x, int lane);

/* The log likelihoods of the point in a lane of x[d][64]; errors as above, and where one is left
 * unwritten.  The target must tell them. */
int dun_caller_pointwise(struct dun_caller *caller, const double *x, int lane);

/* `site` at coordinate j of x[d][64], into caller->site.value[letters][64]; errors likewise. */
int dun_caller_site(struct dun_caller *caller, int j, const double *x);

/* Draws in columns x[d][64] from uniforms and normals as path.h has them: of the prior, or of the
 * target itself.  Errors as above. */
int dun_caller_draw(struct dun_caller *caller, enum dun_density_kind which, const double *uniform,
                    const double *normal, double *x);

#endif
