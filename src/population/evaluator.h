/* Evaluates a target at the points of a tile, whatever layout the target is written for.  Never
 * communicates.  One evaluator per rank: it owns scratch memory and counts. */
#ifndef DUNLIN_POPULATION_EVALUATOR_H
#define DUNLIN_POPULATION_EVALUATOR_H

#include "base/interrupt.h"
#include "dunlin/target.h"
#include "population/answers.h"
#include "population/foreign.h"
#include "population/transformed.h"
#include <stdint.h>

/* Where there is a look at the interrupt: nowhere, before each tile, before each of its points. */
enum dun_slowness { DUN_FAST, DUN_SLOW_TILES, DUN_SLOW_POINTS };

enum { DUN_MAX_LETTERS = 64 };

struct dun_evaluator {
  const struct dun_target *target; /* without constraints: of a `constrained` one what it is then */
  void *self;
  const char
      *options;  /* lines of what it is (data/target_lines.h), of the caller; NULL: not told */
  int dimension; /* d */
  int outputs;   /* numbers of all output parameters */
  int letters;   /* values of a coordinate; 0: reals */

  /* Points whose density or gradient this rank was asked for; the prior alone does not count. */
  int64_t evaluations;
  int64_t gradients; /* points of which the gradient was asked for */
  int64_t nans; /* log densities that were NaN or +inf, counted as outside, and gradients that were
                 * no numbers where the log density was one, counted as 0 */
  int64_t infinities; /* those that were +inf */
  int warming;        /* set by methods: no draw depends on what is evaluated now */
  int64_t nans_aside; /* those of `nans` that were met so, or by trajectories that had run away */

  struct dun_interrupt *interrupt; /* looked at while the target works; NULL: never */
  int given_up; /* the work in hand is: every log density is -INFINITY at once, and what was made
                 * since then means nothing */
  enum dun_slowness slow;     /* by the last call that was timed */
  int timed;                  /* one was since this became 0 */
  struct dun_answers answers; /* in the piece of work in hand, from its beginning */

  const int *part; /* [part_count]: the observations that are asked for; NULL: the whole */
  int part_count;

  struct dun_transformed *transformed; /* owned; NULL: the target is as it was given */
  struct dun_foreign *foreign; /* owned; arrays of the target as it was given; NULL: not fenced */
  struct dun_target *bare;     /* owned; the table of a target that now has no prior */

  /* Scratch, aligned. */
  double *work;    /* the target's work columns */
  double *columns; /* [d][64]: points with finite ones in place of others */
  double *rows,
      *row_gradient; /* [64][d] for targets by rows, some padded rows for those by point */
  double *lane_lp, *lane_scale; /* [64] */

  /* Lanes of which a gradient was wanted and was no number, bit by bit, since this became 0: set by
   * dun_evaluate, read and cleared by who wants to know. */
  uint64_t odd_gradients;
  uint64_t odd_densities; /* likewise: those whose log density was NaN */
  int odd[DUN_LANES];     /* how many of `nans` there were in each lane since this became 0 */
};

/* Checks the dimension, the layout and the output parameters, allocates scratch.  The target has
 * been initialised.  DUN_ERROR_INPUT or DUN_ERROR_MEMORY; local: agree afterwards. */
int dun_evaluator_init(struct dun_evaluator *evaluator, const struct dun_target *target,
                       void *self);
void dun_evaluator_free(struct dun_evaluator *evaluator);

/* For a target from a library: its functions get copies of arrays, between fences, and the program
 * ends where it writes outside of them.  DUN_ERROR_MEMORY; local. */
int dun_evaluator_fence(struct dun_evaluator *evaluator);

/* From here on evaluations may be given up; NULL: no longer. */
void dun_evaluator_watch(struct dun_evaluator *evaluator, struct dun_interrupt *interrupt);

/* The first n lanes of x[d][64] hold points; the rest repeat lane 0.  Writes lp[64] unless NULL;
 * ADDS scale[lane] * gradient to gradient[d][64] unless NULL.
 *
 * In a lane whose log density is not finite, lp is -INFINITY and nothing is added; so it is in a
 * lane with a coordinate that is not finite (a diverged trajectory), which no target ever sees.  A
 * gradient that is not finite is not added.  The exception is a target by columns, which adds by
 * itself and should add 0 outside its support: if what it leaves in a lane is not finite, that
 * lane's whole gradient becomes 0.  So a gradient that was finite stays finite.  Arrays are aligned
 * to 64 bytes.
 *
 * A target without gradient adds nothing.  Targets by rows or by point are called for the first n
 * lanes only.  The floating-point control
 * register is restored behind foreign code. */
void dun_evaluate(struct dun_evaluator *evaluator, int n, const double *x, double *lp,
                  const double *scale, double *gradient);
/* The same for the target's prior, which must exist. */
void dun_evaluate_prior(struct dun_evaluator *evaluator, int n, const double *x, double *lp,
                        const double *scale, double *gradient);
/* The same for `count` observations of a target that has them in parts; nothing is counted. */
void dun_evaluate_observed(struct dun_evaluator *evaluator, int n, int count, const int *which,
                           const double *x, double *lp, const double *scale, double *gradient);
/* The call of the target in it. */
void dun_evaluator_ask_part(struct dun_evaluator *evaluator, const double *x, double *lp,
                            const double *scale, double *gradient);
/* How many observations there are; 0: the target has no parts.  DUN_ERROR_INPUT: an odd number. */
int dun_evaluator_observations(const struct dun_evaluator *evaluator);
/* Counts n evaluations, with or without the gradient. */
void dun_evaluator_count(struct dun_evaluator *evaluator, int n, int gradient);

/* The value of a letter: of spins -1 and +1, else its number. */
double dun_evaluator_letter(const struct dun_evaluator *evaluator, int letter);
/* `site` of the target, see there; what is not finite there is, but for -INFINITY, no letter's. */
void dun_evaluate_site(struct dun_evaluator *evaluator, int j, const double *x, double *value);

/* `couplings` of the target, which must have it. */
void dun_evaluate_couplings(const struct dun_evaluator *evaluator, int first, int count,
                            double *row, double *field);

/* 0; DUN_ERROR_INPUT for a target without gradient, with a sentence that begins with who needs one
 * ("kernel hmc") and ends with what does not. */
int dun_evaluator_need_gradient(const struct dun_evaluator *evaluator, const char *who,
                                const char *instead);

/* Output parameters: returns how many, with the default one for targets that declare none. */
int dun_evaluator_parameters(const struct dun_evaluator *evaluator, int capacity,
                             struct dun_parameter *parameter);
/* The target's lattice: axes 1 to 3, size[0] × ... = d, 1 beyond `axes`.  DUN_ERROR_INPUT if it has
 * none, or one that does not fit its dimension. */
int dun_evaluator_lattice(const struct dun_evaluator *evaluator, int *axes, int size[3]);

/* theta[outputs] of one point x[d]. */
void dun_evaluator_constrain(const struct dun_evaluator *evaluator, const double *x, double *theta);

/* constant[outputs]: 1 for those that are one number at all points, such as the first entry of a
 * correlation matrix, as far as a few random points tell; of letters none.  DUN_ERROR_MEMORY. */
int dun_evaluator_constants(const struct dun_evaluator *evaluator, signed char *constant);

/* Columns of uniforms and normals that its draws are made from. */
int dun_evaluator_uniforms(const struct dun_evaluator *evaluator);
int dun_evaluator_normals(const struct dun_evaluator *evaluator);

/* Where in its output the target copies the point, x[j] to theta[copy + j], as far as a few random
 * points tell; -1: nowhere, or the target is constrained.  DUN_ERROR_MEMORY. */
int dun_evaluator_copies(const struct dun_evaluator *evaluator, int *copy);

/* 1: the target's output is the point, each coordinate scaled and moved by itself, theta[j] =
 * shift[j] + slope[j] x[j], as far as a few random points tell; 0: it is not.  Both [d].
 * DUN_ERROR_MEMORY. */
int dun_evaluator_scales(const struct dun_evaluator *evaluator, double *shift, double *slope);

/* The way back, x[d] at theta[outputs]: of constrained targets, and of those whose output holds the
 * point itself.  DUN_ERROR_INPUT with the reason in `why`: theta lies outside, or nobody knows a
 * way back. */
int dun_evaluator_unconstrain(const struct dun_evaluator *evaluator, const double *theta, double *x,
                              struct dun_message why);

/* Exact draws in columns x[d][64] of the target, or of its prior, which must have them. */
void dun_evaluator_draw(const struct dun_evaluator *evaluator, const double *uniform,
                        const double *normal, double *x);
void dun_evaluator_draw_prior(const struct dun_evaluator *evaluator, const double *uniform,
                              const double *normal, double *x);
/* The target's laws under a tilt, which it must have.  < 0: with its options there are none. */
int dun_evaluator_tilted(const struct dun_evaluator *evaluator, const struct dun_tilted *tilted);
/* The target's known modes, as target.h has them; 0: it tells none. */
int dun_evaluator_modes(const struct dun_evaluator *evaluator, int capacity, double *centre,
                        double *share, double *width);

#endif
