/* A path pi_t from an easy law (t = 0) to the target (t = 1), made of named parts.
 *
 * An affine path is log pi_t = sum_k (a_k + b_k t) part_k with parts that do not depend on t: a
 * new time then evaluates nothing.  Another path declares that a change of t invalidates its
 * parts. */
#ifndef DUNLIN_PATHS_PATH_H
#define DUNLIN_PATHS_PATH_H

#include "base/random.h"
#include "base/type.h"
#include "numerics/gaussian.h"
#include "paths/schedule.h"
#include "paths/start.h"
#include "population/evaluator.h"
#include "population/population.h"

enum { DUN_MAX_PARTS = 4 };

/* Log densities that lie so far apart that the lower one stands for none. */
#define DUN_ABYSS 1e20

/* What is wanted at the points of one tile.  All arrays are columns, aligned. */
struct dun_request {
  int n;                     /* lanes that hold particles; the others repeat lane 0 */
  const double *x;           /* [d][64] */
  const double *time;        /* [64]: a chain may have its own */
  const double *coefficient; /* [K][64]: of the parts at these times; NULL: not computed yet */
  double *part_lp;           /* [K][64], or NULL: not wanted */
  double *lp;       /* [64]: log pi_t, or NULL: not wanted; wanted only together with part_lp */
  double *gradient; /* [d][64]: of log pi_t, written; or NULL: not wanted */
};

enum dun_follow {
  DUN_FOLLOW_BY_MOVES, /* carrying alone leads nowhere */
  DUN_FOLLOW_EITHER    /* carrying leads to the target, and kernels may move between */
};

struct dun_path {
  struct dun_type type;

  int affine;
  int everywhere; /* pi_t is above 0 at all points, but at t = 1 */
  int parts;      /* K */
  const char *part_name[DUN_MAX_PARTS];

  /* The coefficients a_k + b_k t of the parts, [K]. */
  void (*coefficients)(const void *self, double t, double *coefficient);

  /* An affine path may be so in pieces: the first time above t < 1 at which one ends, where
   * log pi_t is that of both.  At an end, coefficients and parts are those of the piece below,
   * a little above it those of the next.  Methods that do not evaluate parts anew there refuse
   * such a path.  NULL: there is one piece. */
  double (*piece_end)(const void *self, double t);

  /* After the options are set.  Keeps the evaluator.  Collective (it may read files). */
  int (*init)(struct dun_context *context, void *self, struct dun_evaluator *target);

  void (*evaluate)(const void *self, const struct dun_request *request);

  /* Of spins and letters: value[K][letters][64], of each part what `site` of a target writes; NULL:
   * this path is none of theirs. */
  void (*site)(const void *self, int j, const double *x, double *value);

  /* Draws of pi_0 in columns from so many uniforms and normals per particle (-1: one per
   * coordinate). */
  void (*draws)(const void *self, int *uniforms, int *normals);
  void (*draw)(const void *self, const double *uniform, const double *normal, double *x);

  /* Paths whose state is not the point of pi_t itself but a standardised one (dilation: the
   * state is u = c + (x - c) / unit, whose law is the target's at every time).  `unit` is the
   * length of the state's unit in the path's own coordinates; NULL: 1.  Step rules measure steps
   * and gradients in the path's coordinates. */
  double (*unit)(const void *self, double t);

  /* Collective.  Builds whatever tables `evaluate` and `carry` need at a time; called before either
   * at a time at which every lane then is; cheap when they stand.  Ranks answer alike.  NULL: none
   * are needed. */
  int (*prepare)(struct dun_context *context, void *self, double t);

  /* Carries the states of a tile from time t, which is prepared, to `next`, before parts are
   * evaluated there.  Writes log_ratio[64]: of a map the log of its Jacobian; of a random carry the
   * log density of a way back, any one, over that of the way there.  With log pi_next(x') -
   * log pi_t(x) it is the weight: E w = Z whatever the way, and densities between the ends may be
   * any positive functions.  A random carry takes its numbers from `address`, whose purpose is for
   * a first array of them.  Where kernels have to follow (DUN_FOLLOW_BY_MOVES) it is a map, and
   * from `next` to t undoes it.  NULL: nothing moves. */
  void (*carry)(const void *self, double t, double next, int n, struct dun_address address,
                double *x, double *memory, double *log_ratio);
  /* Columns of memory[..][64] that a random carry keeps of a particle: it goes with it in
   * selection, and moves leave it alone.  A carry from 0 begins with an empty one, whatever is
   * there.  NULL, or 0: none, and no pointer. */
  int (*remembers)(const void *self);
  /* Columns of memory[..][64] behind those which a random carry writes for whoever wants to know,
   * and does without: where neither they nor others are kept, what it gets is scratch.  After the
   * carry to 1 the first of them is what the length of steps makes of how far the target's ways are
   * from the carries', in nats, on the average over those ways; the rest is what was put in the
   * place of means, and how the last point was drawn.  -1: none, since all of it is the length.
   * NULL, or 0: none, and nobody knows. */
  int (*notes)(const void *self);
  /* How the path is followed with these options; NULL: DUN_FOLLOW_BY_MOVES. */
  enum dun_follow (*follow)(const void *self);
  /* Evaluations of the target for each particle in a carry, for estimates; NULL: 0. */
  long long (*carry_evaluations)(const void *self);
  /* Bytes of its tables on a rank, or on a machine where its ranks share them, for estimates; NULL:
   * next to none. */
  int64_t (*memory)(const void *self);

  /* Where first points are given, or shared by chains: `draw` is then for those that take the
   * places of others.  NULL: neither. */
  const struct dun_start *(*start)(const void *self);

  /* log density [64] of the law that `draw` draws from, where it is not pi_0 itself, so that the
   * first weights are pi_0 / it: returns 1; 0 if that law has no density.  NULL: it is pi_0. */
  int (*draw_density)(const void *self, const double *x, double *lp);

  /* The schedule of times, for methods that follow one; NULL: the path has none. */
  const struct dun_schedule *(*schedule)(const void *self);

  /* A start that has to be found by pilot chains on the target itself; NULL, or a request with
   * moves == 0: none.  pilot_draw gives the starting points as `draw` does; `fit` is told the
   * chains' mean [d] and covariance ([d][d], or its diagonal [d]) and makes pi_0 from them. */
  struct dun_pilot (*pilot)(const void *self);
  void (*pilot_draw)(const void *self, const double *normal, double *x);
  int (*fit)(void *self, const double *mean, const double *covariance);
};

struct dun_pilot {
  long long moves;  /* sweeps; 0: no pilot */
  long long most;   /* of them, where half of the chains are still far below the highest */
  long long chains; /* at most this many particles take part (whole tiles) */
  int dense;        /* the whole covariance is wanted; 0: its diagonal */
};

/* Collective.  `prepare`, where a path has it. */
int dun_path_prepare(struct dun_context *context, const struct dun_path *path, void *self,
                     double t);

/* Whether `carry` is a map that it undoes itself. */
int dun_path_is_map(const struct dun_path *path, const void *self);

/* The coefficients of every lane, [K][64], at the lanes' own times. */
void dun_path_lane_coefficients(const struct dun_path *path, const void *self, const double *time,
                                double *coefficient);

/* Combines parts at given times, lane by lane: lp[64] = sum_k c_k(time[lane]) part_lp[k][lane],
 * where -inf times 0 counts as 0 and NaN as -inf. */
void dun_path_combine(const struct dun_path *path, const void *self, const double *time,
                      const double *part_lp, double *lp);

/* The same from the lanes' coefficients [K][64]. */
void dun_path_combine_parts(int K, const double *coefficient, const double *part_lp, double *lp);

/* Columns of uniforms and normals that `draw` takes, for a target of d dimensions. */
void dun_path_draws(const struct dun_path *path, const void *self, int d, int *uniforms,
                    int *normals);

/* x[d][64] of letters that are all alike, from d columns of uniforms, and their log density. */
void dun_path_draw_letters(const struct dun_evaluator *target, const double *uniform, double *x);
double dun_path_letters_density(const struct dun_evaluator *target);
/* DUN_ERROR_INPUT unless the target's points are of spins or letters. */
int dun_path_need_letters(const struct dun_evaluator *target, const char *option);

/* Whether `draw` puts all particles at one point, in d dimensions.  DUN_ERROR_MEMORY. */
int dun_path_at_point(const struct dun_path *path, const void *self, int d, int *at_point);

/* `evaluate` of a path whose one part is the target with coefficient 1. */
void dun_path_evaluate_target(struct dun_evaluator *target, const struct dun_request *request);

#endif
