/* The law of chains' first points: the section `start` of a path. */
#ifndef DUNLIN_PATHS_START_H
#define DUNLIN_PATHS_START_H

#include "numerics/gaussian.h"
#include "paths/given_points.h"

enum dun_start_type {
  DUN_START_GAUSSIAN,
  DUN_START_UNIFORM,
  DUN_START_PRIOR,
  DUN_START_POINT,
  DUN_START_FILE,
  DUN_START_LETTERS /* spins and letters: any, all alike, whatever law is meant for reals */
};

struct dun_start {
  /* options */
  int type; /* enum dun_start_type */
  struct dun_numbers mean, scale, lower, upper, point;
  struct dun_given_points points; /* of a file, or the one of `point` */
  long long superchains, climb;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_gaussian law; /* of a Gaussian start */
  double *low, *width;     /* [d]: of the box; owned */
};

/* Rows of a DUN_SECTION with offsets relative to a struct dun_start. */
extern const struct dun_option dun_start_options[];

/* Collective (rank 0 reads the file).  `place` is "path.start", for messages.  dun_start_free is
 * safe afterwards in any case, and twice. */
int dun_start_init(struct dun_context *context, struct dun_start *start,
                   struct dun_evaluator *target, const char *place);
void dun_start_free(struct dun_start *start);

/* As of a path (paths/path.h): draws in columns, of points that are given any; their density. */
void dun_start_draws(const struct dun_start *start, int *uniforms, int *normals);
void dun_start_draw(const struct dun_start *start, const double *uniform, const double *normal,
                    double *x);
int dun_start_density(const struct dun_start *start, const double *x, double *lp);

/* x[d] of number `number` of `count` starts where points are given, in the order of the file; 0:
 * there are none, `draw` says where to begin. */
int dun_start_given(const struct dun_start *start, int64_t number, int64_t count, double *x);

#endif
