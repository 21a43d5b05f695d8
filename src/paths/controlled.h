/* Annealed and reference diffusions as a path that weights follow: the sampler of sequential
 * controlled Langevin diffusions (Chen et al. 2024, arXiv 2412.07081), of annealed importance
 * sampling by unadjusted Langevin steps, of path integral samplers (Zhang & Chen 2022,
 * arXiv 2111.15141) and of denoising diffusion samplers (Vargas et al. 2023, arXiv 2302.13834),
 * with a control u or without one.
 *
 * T steps k of length 1 / T in N pieces; a time of the path is the end of a piece, t = k / T.  With
 * sigma = sigma_k and a score that is clipped in its norm, a step goes
 *
 *   annealed    to x' = x + sigma^2 (s_k(x) + u(x, k)) / T + sigma sqrt(2 / T) xi,
 *               back by the mean x' + sigma^2 (s_k(x') - u(x', k + 1)) / T,
 *               s_k = grad log pi_t, log pi_t = (1 - t) log N(mean, scale^2) + t log rho
 *   brownian    to x' = x + v (c + u) + sqrt(v) xi, v = 2 sigma^2 / T, from N(mean, scale^2), which
 *               may be a point
 *   stationary  to x' = mean + a (x - mean) + v (c + u) + sqrt(v) xi, v = scale^2 (1 - a^2),
 *               a = exp(-sigma^2 / scale^2 / T)
 *
 * The way back of the last two is their reference process, c = u = 0, reversed: with its densities
 * r_t, log pi_t = log r_t + t (log rho - log r_1), and c = t grad (log rho - log r_1) is what
 * guides without a control.  (Of the annealed one r_t is the base, too.)  All weights are exact,
 * whatever u is.
 *
 * The base is stated or has the moments of given points, and exponents beta_k in the place of t may
 * follow the times of an earlier run.  Method scld learns the control, the exponents and, for
 * annealed steps, the base; `load` takes over what it has learned.
 *
 * Our names and the papers' letters: exponent t = beta_k; diffusion = sigma_k, whose noise has the
 * variance 2 sigma^2 a unit of time, where PIS's has sigma^2; pieces = N, sub-trajectories. */
#ifndef DUNLIN_PATHS_CONTROLLED_H
#define DUNLIN_PATHS_CONTROLLED_H

#include "base/type.h"
#include "learning/control.h"
#include "parallel/tiles.h"
#include "paths/given_base.h"
#include "paths/path.h"

enum dun_reference { DUN_ANNEALED, DUN_BROWNIAN, DUN_STATIONARY };

/* What is learned of a path with T steps in d dimensions. */
struct dun_steering {
  int64_t reference;            /* enum dun_reference: of which the rest was learned */
  int64_t width;                /* of the control's layers */
  struct dun_numbers weights;   /* of the control */
  struct dun_numbers exponents; /* a[T]: beta_k is the share of softplus(a_1), ..., softplus(a_k) in
                                 * the sum of all */
  struct dun_numbers mean, log_scale; /* [d]: of the base; DUN_STEERING_POINT: scale 0 */
};
#define DUN_STEERING_POINT (-299.)

/* Its state rows, all learned, of a struct that has it as a member. */
#define DUN_STEERING_STATE(type_, member_)                                                         \
  {.name = "reference",                                                                            \
   .type = DUN_STATE_INTEGER,                                                                      \
   .offset = offsetof(type_, member_.reference),                                                   \
   .count = 1,                                                                                     \
   .least = DUN_ANNEALED,                                                                          \
   .most = DUN_STATIONARY,                                                                         \
   .learned = "0: Langevin steps; 1: Brownian motion; 2: a stationary process."},                  \
      {.name = "control_width",                                                                    \
       .type = DUN_STATE_INTEGER,                                                                  \
       .offset = offsetof(type_, member_.width),                                                   \
       .count = 1,                                                                                 \
       .least = 1,                                                                                 \
       .most = DUN_CONTROL_MOST_WIDTH,                                                             \
       .learned = "Numbers in the layers of the control."},                                        \
      {.name = "control",                                                                          \
       .type = DUN_STATE_NUMBERS,                                                                  \
       .offset = offsetof(type_, member_.weights),                                                 \
       .count = 1,                                                                                 \
       .learned = "Weights of the control."},                                                      \
      {.name = "exponents",                                                                        \
       .type = DUN_STATE_NUMBERS,                                                                  \
       .offset = offsetof(type_, member_.exponents),                                               \
       .count = 1,                                                                                 \
       .learned = "Of each step: the exponent grows by a share of the softplus of this."},         \
      {.name = "base_mean",                                                                        \
       .type = DUN_STATE_NUMBERS,                                                                  \
       .offset = offsetof(type_, member_.mean),                                                    \
       .count = 1,                                                                                 \
       .learned = "Mean of the first law."},                                                       \
  {                                                                                                \
    .name = "base_log_scale", .type = DUN_STATE_NUMBERS,                                           \
    .offset = offsetof(type_, member_.log_scale), .count = 1,                                      \
    .learned = "Log of its standard deviations."                                                   \
  }

/* Where carries leave the points of their pieces, and the target's gradients there, for those who
 * learn from them: of every particle of this rank one row, [points][d] numbers. */
struct dun_track {
  struct dun_tiles tiles;
  int64_t points;      /* of a piece: its steps and one */
  float *x, *gradient; /* of the present piece; not owned */
};

struct dun_controlled {
  /* options */
  int reference; /* enum dun_reference */
  struct {
    int points; /* whether it has the moments of given points, times inflate */
    struct dun_numbers mean, scale;
    double inflate;
    struct dun_given_base given;
  } base;
  char *exponents;         /* a result whose times they follow, or NULL: equal steps */
  long long steps, pieces; /* T, N */
  struct {
    int type;
    double largest, smallest, offset;
  } diffusion;
  double clip; /* of the score's norm */
  char *load;  /* a result of method scld, or NULL */

  /* The control u[d][64] at points x[d][64] of step k, 0 to T, where the clipped score is `score`;
   * NULL: 0. */
  void (*control)(const void *data, int64_t k, const double *x, const double *score, double *u);
  const void *control_data;
  /* The learned one in its place, with exponents and base; NULL: none. */
  const struct dun_steering *steering;
  struct dun_track *track; /* NULL: nothing is kept */

  /* made by init */
  struct dun_numbers first_mean, first_scale; /* [d]: of the base before anything is learned */
  struct dun_numbers first_exponent;          /* [T + 1]: likewise; empty: equal steps */
  struct dun_steering loaded;                 /* of the file */
  struct dun_control network;                 /* of the steering, as are: */
  double *exponent;                           /* [T + 1], or NULL: those of equal steps; owned */
  float *point;                               /* [2 d][64] and the control's tape; owned */

  struct dun_evaluator *target;
  struct dun_schedule schedule;
  double *mean, *scale; /* [d]; owned */
  double *sigma;        /* [T]; owned */
  double *variance;     /* [T + 1]: of the Brownian noise up to step k; owned */
  double *precision;    /* [2][d]: scratch, and of r_1; owned */
  double *work;         /* [DUN_CONTROLLED_WORK d][64]; owned */
};
enum { DUN_CONTROLLED_WORK = 6 };

extern const struct dun_path dun_path_controlled;

/* log r_t less `share` of log r_1: precision[d] and a constant, by which it is
 * constant - sum_j precision_j (x_j - mean_j)^2 / 2.  A law that is a point counts as 1. */
void dun_controlled_law(const struct dun_controlled *path, double t, double share,
                        double *precision, double *constant);
/* Its value lp[64] at x[d][64], unless NULL, and its gradient, written, unless NULL. */
void dun_controlled_law_at(const struct dun_controlled *path, const double *precision,
                           double constant, const double *x, double *lp, double *gradient);

/* Local.  From now on the path goes by the steering, whose width is set, and, with `first` NULL,
 * its numbers; else these are made: base and exponents of the options, and a control drawn at that
 * address.  DUN_ERROR_MEMORY. */
int dun_controlled_steer(struct dun_controlled *path, struct dun_steering *steering,
                         const struct dun_address *first);
/* Whenever the steering's numbers have changed. */
void dun_controlled_refresh(struct dun_controlled *path);
/* Whether these are the lengths of a steering of the path. */
int dun_controlled_fits(const struct dun_controlled *path, const struct dun_steering *steering);
/* Collective.  The file's steering, for init. */
int dun_controlled_load(struct dun_context *context, struct dun_controlled *path);
void dun_steering_free(struct dun_steering *steering);

/* The exponent of the target at a time: t itself, or what was given or learned. */
double dun_controlled_exponent(const struct dun_controlled *path, double t);

/* score[d][64] += sign u at step k, where the control's part of the point is state[d][64]. */
void dun_controlled_add(const struct dun_controlled *path, int64_t k, double sign,
                        const double *state, double *score);
static inline double dun_controlled_cut(double value, double most)
{
  double below = value > most ? most : value; /* so a minimum and a maximum do; NaN stays */
  return below < -most ? -most : below;
}
/* t g + the score of a law around the mean with this precision, cut to the longest that is allowed
 * by factor[64], unless NULL. */
void dun_controlled_score(const struct dun_controlled *path, double t, const double *precision,
                          const double *x, const double *g, double *score, double *factor);
/* term[64] of the log weight of an annealed step from x to `next`, with f = s + u there and
 * b = s - u on the way back: log B - log F = -D (f + b) / 2 + quarter (|f|^2 - |b|^2), without the
 * normalisers, which are equal; D is the step and quarter = sigma^2 / (4 T). */
void dun_controlled_ratio(int d, double quarter, const double *x, const double *next,
                          const double *f, const double *b, double *term);

/* Of driven steps: how much of its distance from the mean coordinate j keeps in step k of the
 * reference, and the variance of the noise. */
void dun_controlled_reference(const struct dun_controlled *path, int64_t k, int64_t j, double *keep,
                              double *v);
/* term[64] of the log weight of a driven step from x to `next`, which c drives: log R - log F =
 * v |c|^2 / 2 - D c with what the reference does not explain of the step, D. */
void dun_controlled_driven_ratio(const struct dun_controlled *path, int64_t k, const double *x,
                                 const double *next, const double *c, double *term);
/* What guides without a control, cut as dun_controlled_score cuts. */
void dun_controlled_guide(const struct dun_controlled *path, int64_t k, const double *x,
                          const double *g, double *score, double *factor);

/* The way back through piece number `piece`, from x[d][64], whose points the last piece takes for
 * draws of the target; adds to log_weight[64] what the piece adds to log w of the whole path, log
 * of its law forwards over that backwards and Z.  +inf, and x as it was, where it diverged. */
void dun_controlled_return(const struct dun_controlled *path, int64_t piece, int n,
                           struct dun_address address, double *x, double *log_weight);

/* The path's carry. */
void dun_controlled_carry(const void *self, double t, double next, int n,
                          struct dun_address address, double *x, double *memory, double *log_ratio);

#endif
