/* A kernel moves the particles of one tile and leaves pi_t invariant, or declares its bias. */
#ifndef DUNLIN_KERNELS_KERNEL_H
#define DUNLIN_KERNELS_KERNEL_H

#include "kernels/metric.h"
#include "paths/path.h"
#include "population/population.h"

/* What a move works on: one workspace per rank, arrays in columns [..][64], aligned. */
struct dun_move {
  /* given */
  const struct dun_path *path;
  const void *path_self;
  struct dun_address address;      /* its purpose is set by the kernel for each use */
  int n, d, K;                     /* lanes that hold particles; dimension; parts */
  int letters, spins;              /* of a coordinate, 0: reals; whether they are -1 and +1 */
  const double *coefficient;       /* [K][64]: of the parts at these times */
  const double *time;              /* [64] */
  const double *step_size;         /* [64], jittered, in units of `scale` */
  const double *scale;             /* [d]: the diagonal metric as standard deviations */
  const struct dun_metric *metric; /* takes the place of `scale`; NULL: none does */
  const double *centre;            /* [d]: mean of the particles; NULL: it was not learned */
  const double *unit;              /* [64]: the path's unit at the lanes' times */
  double statistic;                /* of all particles, where the kernel asks for one */
  int from_point; /* every particle is where the path's start draws them all; see weighs_point */
  int blind;      /* the log densities are not wanted afterwards, and may not be known before: only
                   * for kernels that are `blind` */
  int final;      /* step_size is the same for all particles, whatever the kernel's step rule */
  int leapfrogs;  /* one for the whole tile */

  /* changed: x[d], part_lp[K], lp[1] stand one after the other in one block, so that an accepted
   * proposal is one loop over d + K + 1 columns */
  double *state;

  /* out */
  double *acceptance; /* [64]: probability; 1 for kernels that do not reject */
  /* [64]: 1 where the energy rose at something that the forces do not show, a wall or a jump: such
   * rejections are none of the step size's fault.  Left at 0 by kernels without forces, but for
   * particles outside the support. */
  double *unseen;
  double *
      gain; /* [64] or NULL, set by the caller to 0: of trajectories, what the kinetic energy got */

  /* [d][64]: of kernels that declare a column "v"; all 0: not drawn yet */
  double *momentum;
  /* [d][64]: of kernels that declare a column "gradient": `statistic` leaves there the gradient at
   * the point, with which the move then begins; NULL: there is none */
  double *gradient;
  /* [d][64]: of kernels that `keep`, the gradient of log pi_t at the point, before the move if
   * it is known and after it in any case; NULL: it is not kept */
  double *force;
  int force_known;
  /* [d][64] or NULL: set by such a kernel, the gradient at the proposal that it hands to
   * dun_metropolis_accept */
  const double *proposed_force;
  /* [64] or NULL: not wanted.  Kernels that weigh write the log of pi_t(x') / pi_t(x) times the
   * ratio of the backward to the forward transition density */
  double *log_weight;
  double *scratch; /* [scratch(d, K)][64] */
};

/* The blocks of the state: x[d][64] */
static inline double *dun_move_x(const struct dun_move *move)
{
  return move->state;
}

/* parts[K][64] */
static inline double *dun_move_parts(const struct dun_move *move)
{
  return move->state + (int64_t)move->d * DUN_LANES;
}

/* lp[64] */
static inline double *dun_move_lp(const struct dun_move *move)
{
  return move->state + (int64_t)(move->d + move->K) * DUN_LANES;
}

struct dun_kernel {
  struct dun_type type; /* the own struct begins with struct dun_kernel_options */

  /* After the options are set: checks them, makes what follows from them.  DUN_ERROR_INPUT.  NULL:
   * nothing. */
  int (*init)(void *self);

  /* Where adaptation begins: initial_step * d^initial_step_power, in units of the metric. */
  double initial_step, initial_step_power;
  int blind;          /* reads no log densities; with move.blind it writes none either */
  int uses_leapfrogs; /* the trajectory length is learned by trial tiles */
  int uses_gradient;
  int keeps; /* leaves the gradient where the move ends in `force`, at no cost, and begins there */
  int retries; /* methods may have moves tried again: they are those of dun_leapfrog_move, and there
                * is scratch for it (kernels/retry.h) */
  int moves_letters; /* spins and letters, and no reals: by `site` of the path */
  int uses_centre;   /* proposes around the particles' mean: methods that learn learn that, too */
  /* Whether it does not leave pi_t invariant with the options that it has; NULL: it does. */
  int (*biased)(const void *self);
  /* Columns of scratch. */
  int (*scratch)(int d, int K);
  void (*move)(const void *self, struct dun_move *move);

  /* A mean over all particles that the move needs (batch step rules): writes a value per lane,
   * given the same workspace as `move` and changing only its scratch and gradient.
   * NULL: none.  `wants_statistic` tells whether the options ask for it; moves that are `final`
   * do without. */
  void (*statistic)(const void *self, struct dun_move *move, double *value);
  int (*wants_statistic)(const void *self);

  int weighs;       /* a biased kernel that writes log_weight: methods with weights may use it */
  int weighs_point; /* with from_point it writes log pi_t(x') less the log density of x' instead */

  /* Declares columns of its own that travel with the particles; NULL: none.  DUN_ERROR_MEMORY. */
  int (*declare)(const void *self, struct dun_population *population, int d);
};

/* Whether it does not leave pi_t invariant with the options that it has. */
static inline int dun_kernel_is_biased(const struct dun_kernel *kernel, const void *self)
{
  return kernel->biased ? kernel->biased(self) : 0;
}

/* DUN_ERROR_INPUT where it cannot move points of such a target along the path. */
int dun_kernel_suits(const struct dun_kernel *kernel, const struct dun_target *target,
                     const struct dun_path *path);

struct dun_adaptation;

/* What all kernels' options begin with. */
struct dun_kernel_options {
  double step_size;         /* in units of the metric; -1: adapt */
  double target_acceptance; /* of an adapted step size */
  double jitter;            /* step sizes are spread uniformly over 1 ± jitter, tile by tile */
  int metric;               /* enum dun_metric_form */
  double mass;              /* of the Fourier metric */
  long long leapfrog_steps; /* -1: adapt */
  double final_step_size;   /* of moves that are `final`, where a kernel has it; 0: step_size */
  char *load;               /* a result whose /learned/kernel the adaptation begins at */
  int fixed;                /* and where it stays */
  const struct dun_adaptation *pilot; /* made of it, the assembly's; NULL: none */
};

enum dun_metric_form {
  DUN_METRIC_IDENTITY,
  DUN_METRIC_DIAGONAL,
  DUN_METRIC_DENSE,
  DUN_METRIC_FOURIER,
  DUN_METRIC_AUTO
};

/* The rows of the common options, for a kernel whose struct starts with `options`. */
#define DUN_KERNEL_OPTIONS(type_, target_)                                                         \
  {.name = "step_size",                                                                            \
   .type = DUN_NUMBER,                                                                             \
   .offset = offsetof(type_, options.step_size),                                                   \
   .initial = "adapt",                                                                             \
   .words = "adapt",                                                                               \
   .minimum = 1e-12,                                                                               \
   .maximum = 1e12,                                                                                \
   .doc = "Step size in units of the metric, or learned from the acceptance."},                    \
      {.name = "target_acceptance",                                                                \
       .type = DUN_NUMBER,                                                                         \
       .offset = offsetof(type_, options.target_acceptance),                                       \
       .initial = target_,                                                                         \
       .minimum = .05,                                                                             \
       .maximum = .999,                                                                            \
       .doc = "Mean acceptance that the step size is adapted to."},                                \
      {.name = "jitter",                                                                           \
       .type = DUN_NUMBER,                                                                         \
       .offset = offsetof(type_, options.jitter),                                                  \
       .initial = "0.2",                                                                           \
       .minimum = 0,                                                                               \
       .maximum = .99,                                                                             \
       .doc = "Step sizes are spread over 1 ± jitter, tile by tile."},                             \
      {.name = "load",                                                                             \
       .type = DUN_FILE,                                                                           \
       .offset = offsetof(type_, options.load),                                                    \
       .initial = "",                                                                              \
       .doc = "A result from whose step size, trajectory length and metric learning begins."},     \
      {.name = "fixed",                                                                            \
       .type = DUN_FLAG,                                                                           \
       .offset = offsetof(type_, options.fixed),                                                   \
       .initial = "false",                                                                         \
       .doc = "What was loaded stays as it is: nothing is learned."},                              \
      {.name = "metric",                                                                           \
       .type = DUN_CHOICE,                                                                         \
       .offset = offsetof(type_, options.metric),                                                  \
       .initial = "auto",                                                                          \
       .words = "identity|diagonal|dense|fourier|auto",                                            \
       .doc = "Scales of the coordinates: none, one for each, correlations too, or, of fields on " \
              "a lattice, a propagator in Fourier space; learned from the particles and, of "      \
              "chains and where the metric is dense, from the gradients there.  auto: dense "      \
              "where that is found better, else diagonal."},                                       \
  {                                                                                                \
    .name = "mass", .type = DUN_NUMBER, .offset = offsetof(type_, options.mass), .initial = "1",   \
    .minimum = 1e-6, .maximum = 1e6, .when = "metric=fourier",                                     \
    .doc = "The wave k has the scale 1 / sqrt(mass^2 + khat^2)."                                   \
  }

#endif
