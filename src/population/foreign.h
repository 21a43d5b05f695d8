/* The arrays that an evaluator gives to a target from a library: copies, each between fences
 * (base/fence.h), so that neither points nor what other points' evaluations have given can be
 * changed.  Never communicates. */
#ifndef DUNLIN_POPULATION_FOREIGN_H
#define DUNLIN_POPULATION_FOREIGN_H

#include "base/fence.h"
#include "dunlin/target.h"

enum { DUN_FOREIGN_ARRAYS = 8, DUN_FOREIGN_SELDOM = 13 };

struct dun_foreign {
  const struct dun_target *target;
  const void *self;
  int d;
  int64_t work_size, outputs, observations, letters; /* numbers; letters in all lanes */

  union {
    struct {
      struct dun_fence x, scale, lp, gradient, work, theta, out, value;
    };
    struct dun_fence array[DUN_FOREIGN_ARRAYS]; /* owned */
  };
  struct dun_fence seldom[DUN_FOREIGN_SELDOM]; /* owned: made when they are needed first */
};

/* As `columns` and `prior` of a target, and as `draw` and `draw_prior`. */
typedef void dun_columns_function(const void *self, const double *x, double *lp,
                                  const double *scale, double *gradient, double *work);
typedef void dun_draw_function(const void *self, const double *uniform, const double *normal,
                               double *x);

/* With the sizes above from `target` on.  NULL: no memory, with a sentence. */
struct dun_foreign *dun_foreign_make(const struct dun_foreign *sizes);
void dun_foreign_free(struct dun_foreign *foreign);

/* As the target's functions of these names; arrays that are NULL are so for the target too.  What
 * was written outside of arrays is looked for behind each call, of `point` behind a group of
 * them. */
double dun_foreign_point(struct dun_foreign *foreign, const double *x, double *gradient);
void dun_foreign_check_points(const struct dun_foreign *foreign);
void dun_foreign_rows(struct dun_foreign *foreign, int n, const double *x, double *lp,
                      double *gradient);
/* Also `prior`. */
void dun_foreign_columns(struct dun_foreign *foreign, dun_columns_function *columns,
                         const double *x, double *lp, const double *scale, double *gradient);
/* `draw` and `draw_prior`, into `width` columns. */
void dun_foreign_draw(struct dun_foreign *foreign, dun_draw_function *draw, int width,
                      const double *uniform, const double *normal, double *x);
void dun_foreign_constrain(struct dun_foreign *foreign, const double *x, double *theta);
void dun_foreign_observed(struct dun_foreign *foreign, int count, const int *which, const double *x,
                          double *lp, const double *scale, double *gradient);
void dun_foreign_pointwise(struct dun_foreign *foreign, const double *x, double *out);
void dun_foreign_site(struct dun_foreign *foreign, int j, const double *x, double *value);
/* Arrays for which there is no memory are those of whoever asks. */
int dun_foreign_modes(struct dun_foreign *foreign, int capacity, double *centre, double *share,
                      double *width);
/* `uniform` and `normal` have so many columns. */
int dun_foreign_tilted(struct dun_foreign *foreign, const struct dun_tilted *tilted, int uniforms,
                       int normals, double *work);
void dun_foreign_couplings(struct dun_foreign *foreign, int first, int count, double *row,
                           double *field);

#endif
