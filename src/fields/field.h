/* A field: means of points of the target seen through noise, whatever process it came from.  What
 * it knows is the posterior under a tilt, pi(x) exp(<h, x> - lambda |x|^2 / 2): its mean is the
 * denoiser, by which a channel gives scores, velocities and the noise. */
#ifndef DUNLIN_FIELDS_FIELD_H
#define DUNLIN_FIELDS_FIELD_H

#include "base/random.h"
#include "base/type.h"
#include "numerics/features.h"
#include "numerics/gaussian.h"
#include "parallel/context.h"
#include "population/evaluator.h"

/* What is asked of one tile.  Arrays are columns, aligned, and do not overlap. */
struct dun_field_call {
  int n;                      /* lanes that hold particles; the others repeat lane 0 */
  const double *h, *lambda;   /* [d][64] finite; [64] finite, >= 0 */
  struct dun_address address; /* of fields that draw: its purpose is theirs */
  int label;                  /* of the points of this class alone, from 0; -1: of all */
  double *mean;               /* [d][64] written; of no number where the field fails */

  /* Of fields that give DUN_FIELD_SCALE: of lambda, [d], > 0; NULL: all 1. */
  const double *scale;
  /* Of fields that give DUN_FIELD_LETTERS, in the place of h, lambda and mean: the logs of a factor
   * for each letter and coordinate, and the posterior's probabilities of them, written; both
   * [letters][d][64].  NULL: of reals, or of spins by h. */
  const double *factor;
  double *law;
  /* Of fields that give DUN_FIELD_POINTS: ADDS to out[64] what else is known, the log likelihood of
   * a point x[d].  NULL: nothing. */
  void (*likelihood)(const void *known, const double *x, double *out);
  const void *known;
  /* Of fields that have `show`, in the place of h and lambda: what has been observed of the
   * features that they were shown, [features][64], and when. */
  const double *seen;
  double time;

  double *log_mass, *spread; /* [64] as of struct dun_tilted, or NULL */
  double *draw;              /* [d][64] of the posterior, or NULL */
  /* Of fields that give DUN_TILTED_MATRIX, in the place of lambda and scale: as of struct
   * dun_tilted; or all NULL. */
  const double *precision;
  double *covariance, *spare;
  double *memory; /* [remembers][64], changed: what the field keeps of each particle from call to
                   * call; all 0 before the first one.  NULL where it remembers nothing */
};

/* What a memory tells of its particle's last call; NAN: nothing. */
struct dun_field_look {
  double acceptance[DUN_LANES]; /* of the moves, their mean */
  double between[DUN_LANES];    /* how far chains lie from each other, the variance of their means
                                 * over that of each one's states, all coordinates together */
};

/* Columns of memory that a field wants for a particle. */
#define DUN_FIELD_REMEMBERS(field, self) ((field)->remembers ? (field)->remembers(self) : 0)

/* What a field can be asked for beside the flags DUN_TILTED_... */
enum {
  DUN_FIELD_SCALE = DUN_TILTED_SCALE,
  DUN_FIELD_LETTERS = 1 << 16,
  DUN_FIELD_POINTS = 1 << 17,
  DUN_FIELD_SURE = 1 << 18,    /* what it tells is right but for rounding */
  DUN_FIELD_LEARNED = 1 << 19, /* what it tells was learned: nobody knows how far it is off */
  DUN_FIELD_MASS = 1 << 20,    /* log_mass, of points of its own, not of the target's density */
  DUN_FIELD_NUMBERED = 1 << 21 /* of particles it goes by their number: they cannot be selected */
};

enum dun_field_spread {
  DUN_FIELD_WHOLE,
  DUN_FIELD_SPREAD, /* with the same bits at any number of ranks */
  DUN_FIELD_LOOSE   /* with others */
};
#define DUN_FIELD_SPREAD_OUT(field, self)                                                          \
  ((field)->spread_out ? (field)->spread_out(self) : DUN_FIELD_WHOLE)

struct dun_field {
  struct dun_type type;

  /* Local, before `init`.  Of fields that answer by what has been observed itself, not by a tilt:
   * of which features y is t times their values and Brownian motion; they are kept.  NULL features:
   * of none.  DUN_ERROR_INPUT where the field cannot go by them.  A NULL function: it goes by
   * tilts. */
  int (*show)(void *self, const struct dun_features *features);
  /* Local, after `init`: all times in growing order at which it will be asked for means by `seen`;
   * for tables that are made once.  DUN_ERROR_MEMORY.  NULL: it has none. */
  int (*times)(void *self, int64_t count, const double *time);

  /* Collective, after the options are set.  Keeps the evaluator.  `lambda` is the least above 0
   * that it will be asked for.  Ranks fail together: DUN_ERROR_INPUT, DUN_ERROR_MEMORY,
   * DUN_ERROR_NUMERIC. */
  int (*init)(struct dun_context *context, void *self, struct dun_evaluator *target, double lambda);

  /* DUN_TILTED_MASS, SPREAD, DRAW and DUN_FIELD_...: what it gives beside the mean; NULL:
   * nothing. */
  unsigned (*gives)(const void *self);
  /* How many classes the target has; NULL: none. */
  int (*labels)(const void *self);
  /* [count][d]: the points that there are, of fields that know only so many reals; NULL: all. */
  const double *(*points)(const void *self, int64_t *count);
  /* The law with the target's mean and covariance, as far as they are known, for better starts than
   * the noise alone; NULL: neither is. */
  const struct dun_gaussian *(*start)(const void *self);

  /* Collective.  Makes the tables of one lambda, which all lanes of all calls then have, until it
   * is called again; cheap where they stand.  NULL: none are needed. */
  int (*prepare)(struct dun_context *context, void *self, double lambda);
  /* Never communicates. */
  void (*value)(const void *self, const struct dun_field_call *call);

  /* Whether the tables are spread over the ranks, so that `rows` takes the place of `value`: one of
   * enum dun_field_spread.  NULL: they are not. */
  int (*spread_out)(const void *self);
  /* Collective.  mean[n][d] for this rank's h[n][d]; n may be 0, and differ between ranks. */
  int (*rows)(struct dun_context *context, void *self, int64_t n, const double *h, double *mean);

  /* Columns of memory for a particle.  Who asks keeps them with it: in checkpoints, and when it is
   * copied.  The mean is then random given h and lambda, and so is what it leaves in the memory.
   * NULL, or 0: it remembers nothing. */
  int (*remembers)(const void *self);
  /* Of a memory [remembers][64] after a call; not NULL where there is one. */
  void (*look)(const void *self, const double *memory, struct dun_field_look *look);

  /* What else is to be known of where it comes from: the name of a verdict, which is then doubtful,
   * and its sentence; NULL, or a NULL name: nothing. */
  const char *(*remark)(const void *self, struct dun_message sentence);

  /* For estimates: evaluations of the target in a call for one particle, its `first` or a later
   * one, NULL: none; bytes of the tables on a rank, or on a machine whose ranks share them, NULL:
   * next to none. */
  long long (*evaluations)(const void *self, int first);
  int64_t (*memory)(const void *self);
};

#endif
