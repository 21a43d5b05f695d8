/* A sweep: load, move, store and look at every tile of the rank; one Allreduce.
 *
 * Whatever evaluates here is a pass (population/pass.h) and answers DUN_INTERRUPTED when it was
 * interrupted: the tick is to be made again later. */
#ifndef DUNLIN_KERNELS_SWEEP_H
#define DUNLIN_KERNELS_SWEEP_H

#include "kernels/adaptation.h"
#include "kernels/propagator.h"
#include "population/pass.h"

struct dun_sweep {
  /* given */
  struct dun_population *population;
  const struct dun_path *path;
  void *path_self;
  const struct dun_kernel *kernel;
  const void *kernel_self;
  const struct dun_adaptation *adaptation; /* of all particles, or [DUN_HALVES], if `halves` */
  const struct dun_propagator *propagator; /* of a Fourier metric; its scale NULL: none */

  /* columns, found by init */
  struct dun_column *x;         /* [d] */
  struct dun_column *part_lp;   /* [K] */
  struct dun_column *start;     /* [d + 1]: x and log density at the last selection; or NULL: jumps,
                                 * autocorrelation and never_moved are then NAN, which the last is
                                 * of letters too: by rights many stay as they are */
  struct dun_column *time;      /* [1] or NULL: a chain's own time in place of the sweep's */
  struct dun_column *step_size; /* [1] or NULL: a chain's own in place of the pooled one */
  struct dun_column *rung;      /* i64 [2] or NULL: a chain's row of rung_scale */
  struct dun_column *acceptance; /* [1] or NULL: takes the chains' acceptance probabilities */
  struct dun_column *credit;     /* [1] or NULL: takes dun_adaptation_credit of the moves */

  struct dun_column *momentum; /* [d] or NULL: "v" of kernels that declare it */

  struct dun_column *gradient; /* [d] or NULL: "gradient" of kernels that declare it, from the pass
                                * of the statistic to the move */
  struct dun_column *force; /* [d] or NULL: of kernels that `keep`, the gradient at the point; made
                                * by methods that want it kept */
  struct dun_column *carried; /* [2] or NULL: log pi_t and log_ratio of a carry that is weighed */

  struct dun_column *memory; /* [remembers], or with the notes, of a path's carries; NULL: they keep
                              * nothing */

  /* set by methods */
  struct dun_column *logw; /* gets the moves' log weights; NULL: they are not computed */
  int from_point;          /* every particle is where the path's start draws them all */
  int final;               /* see struct dun_move */
  int blind; /* see struct dun_move: part_lp is left as it was, also by an unweighed carry, until
              * dun_sweep_evaluate is called */
  /* Cross-fitting: particles from `boundary` on (a global index) descend from the second half of
   * the ancestors and move by the second adaptation, and a statistic is that of the other half. */
  int halves;
  int64_t boundary;
  const double *rung_scale; /* [..][d]: metrics of the rungs, in place of the pooled one; or NULL */
  const double *rung_factor; /* [..][d (d + 1) / 2]: lower triangles, whose rows in units of
                              * rung_scale make the metrics dense; or NULL */
  int dense_rungs;           /* by a method's init: there may be some */

  double floor; /* particles whose log density is below it move, but count in no look; -INFINITY by
                 * init */

  double highest; /* log density in `start`; NAN: not known yet */

  struct dun_pass pass; /* its population and evaluator are given */

  /* of the present sweep */
  double statistic[DUN_HALVES]; /* state */
  double forces_time; /* state: the column of forces is of the points as they stand at this time;
                       * NAN: it is not */
  int known; /* the statistic, and the column of gradients, are of the points as they stand */
  struct dun_metric metric; /* d = 0: the adaptation's scales */
  struct dun_look
      half[DUN_HALVES]; /* what it saw of each, if `halves`; acceptance NAN: none moved */

  /* made by init, owned */
  int d, K;
  double *workspace;
  double *remembered;  /* [remembers + notes][64]; NULL: none of either */
  double *lane_scale;  /* [d][64]: of the present tile, where there are rungs; NULL: none */
  double *lane_factor; /* [d (d + 1) / 2][64], where they may be dense */
};

extern const struct dun_state dun_sweep_state[];

/* Declares nothing: finds the columns in the allocated population; allocates the workspace.
 * Local.  DUN_ERROR_MEMORY; DUN_ERROR_INPUT where a path keeps what the method has no column
 * for. */
int dun_sweep_init(struct dun_sweep *sweep);
void dun_sweep_free(struct dun_sweep *sweep);
/* Local.  From here on it goes through another population, with columns of the same names. */
void dun_sweep_turn(struct dun_sweep *sweep, struct dun_population *population);
/* Bytes of the workspace for a kernel in d dimensions along a path of K parts. */
int64_t dun_sweep_memory(const struct dun_kernel *kernel, int d, int K);

/* Collective.  Moves every particle once at time t, in tiles with a global index below `tiles`
 * (INT64_MAX: all).  The tile of `address` is set here. */
int dun_sweep_move(struct dun_context *context, struct dun_sweep *sweep, struct dun_address address,
                   double t, int64_t tiles, struct dun_look *look);

/* Collective.  Evaluates all parts at the particles and time t: after first draws, or when the time
 * of a path that is not affine has changed. */
int dun_sweep_evaluate(struct dun_context *context, struct dun_sweep *sweep, double t,
                       int64_t tiles);

/* Collective, a pass.  Fills the column of forces at time t, unless it is filled. */
int dun_sweep_forces(struct dun_context *context, struct dun_sweep *sweep, double t);

/* Collective.  Carries all particles from time t to `next` of a path that is not affine and
 * evaluates them there.  Adds log pi_next - log pi_t + log_ratio to logw unless NULL.  At t = 0
 * log pi_t is the density of the law that was drawn from; if that has none, nothing is added. */
int dun_sweep_carry(struct dun_context *context, struct dun_sweep *sweep,
                    struct dun_address address, double t, double next, struct dun_column *logw);

/* Collective.  Adds to *missing what log Z lacks after a carry from `t` to `next`, where the
 * particles now are: the points of origin of some lie outside the support, and weights that
 * followed the carry leave out what is around them.  Looks at the first few tiles, of maps only,
 * which `carry` inverts.  At t = 0 nothing is missing.  The particles are left as they are. */
int dun_sweep_origins(struct dun_context *context, struct dun_sweep *sweep, double t, double next,
                      double *missing);

/* Collective.  Adds to *missing about what log Z lacks at t > 0, after a random carry from there to
 * `next` that was weighed: ways back from inside the support that pass outside at t have no weight
 * there, though the target at the end has its part of them.  About as many ways lead out: so many
 * of the particles that were inside at t are outside now.  Of maps nothing. */
int dun_sweep_outside(struct dun_context *context, struct dun_sweep *sweep, double t, double next,
                      double *missing);

/* Collective.  Carries them and evaluates nothing: `part_lp` is that of the points before. */
int dun_sweep_transport(struct dun_context *context, struct dun_sweep *sweep,
                        struct dun_address address, double t, double next);

/* Forgets momenta and forces: after first draws.  Local. */
void dun_sweep_forget(struct dun_sweep *sweep);

/* The log density at t of a tile's particles as they stand, lp[64].  Local. */
void dun_sweep_density(const struct dun_sweep *sweep, int64_t local_tile, double t, double *lp);

/* Remembers x and the log density at t in `start`.  Local. */
void dun_sweep_remember(struct dun_sweep *sweep, double t);

#endif
