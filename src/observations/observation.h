/* An observation of a point that becomes clear: nothing of x is known from y at the first time, all
 * or nearly all at the last.  Every earlier y is a blurred copy of the later ones, so that they are
 * a Markov chain in growing time, too: given y at t the point has a posterior law, and given both
 * the later y has a simple one.
 *
 * Hence a sampler (Montanari 2023, arXiv 2305.10690): draw x from the posterior at t, then y at
 * `next` given x and y at t, and so on.  That is exact however long the steps are.  With the
 * posterior's single coordinates, means or probabilities of letters, in the place of the draw it
 * errs the less the shorter they are, and asks for no draws. */
#ifndef DUNLIN_OBSERVATIONS_OBSERVATION_H
#define DUNLIN_OBSERVATIONS_OBSERVATION_H

#include "base/random.h"
#include "base/type.h"
#include "numerics/features.h"

/* What is observed. */
struct dun_observed {
  int d;
  int letters; /* values of a coordinate; 0: reals */
  int spins;   /* the two letters are -1 and +1 */
  int finite;  /* reals that are one of finitely many points */
  /* The sites of a periodic lattice, the last axis fastest; 1 beyond `axes`; 0 axes: they are none.
   * */
  int axes, size[3];
};

/* What is known of points: means, or draws that stand for them.  Columns. */
struct dun_known {
  const double *mean;    /* [d][64] */
  const double *letters; /* [letters][d][64]: probabilities, of draws 0 and 1; NULL: reals */
  /* Of what y leaves open, for observations that have `matrix`: as `precision` is there. */
  const double *covariance;
};

/* What y says of a point, for a posterior: the target's law times this.  Columns; ADDED to. */
struct dun_evidence {
  double *h, *lambda; /* of reals: exp(<h, x> - lambda <x, scale x> / 2): [d][64], [64] */
  double *factor;     /* of letters: [letters][d][64], the log of a factor for each */
};

/* Coefficients of a step of reals seen through Gaussian noise at the rate q. */
struct dun_mix {
  double keep, gain, noise; /* y <- keep y + gain q x + noise sqrt(q) xi */
};

/* The log of a letter's factor that is as good as 0. */
#define DUN_RULED_OUT -1e5

struct dun_observation {
  struct dun_type type;

  /* After the options are set.  Local; DUN_ERROR_INPUT where it cannot be of such points,
   * DUN_ERROR_MEMORY. */
  int (*init)(void *self, const struct dun_observed *of);

  /* Columns of y. */
  int (*width)(const void *self);

  /* The first time, that of `start`, and the last that there is sense in. */
  void (*ends)(const void *self, double *first, double *last);
  /* The time at a share of the way between two times, such that equal shares cost about the same
   * error.  NULL: evenly. */
  double (*time)(const void *self, double first, double last, double share);
  /* The number of steps that make its coordinates' laws as good as draws; NULL or 0: none does. */
  int64_t (*exact_steps)(const void *self);

  /* y[width][64] where nothing is known.  NULL: all 0. */
  void (*start)(const void *self, struct dun_address address, double *y);

  /* Makes of y at t that at `next`, by what is known of x.  Random numbers are of the address, with
   * any purpose. */
  void (*step)(const void *self, double t, double next, const struct dun_known *x,
               struct dun_address address, double *y);
  /* Of reals whose y at t is t q x + N(0, t q): any step of that form, as `step`; x NULL where gain
   * is 0.  NULL: it is not so simple. */
  void (*mix)(const void *self, const struct dun_mix *by, const struct dun_known *x,
              struct dun_address address, double *y);
  /* Of a step by what is known of x, from `before` at t to y at `next`: ADDS to out[64] the log of
   * its density over one that does not depend on what is known, such that the steps of a way by one
   * and the same point add up to what `tilt` and `likelihood` say of that point at the way's end.
   * So the mass that this leaves of the target, over the exponential of that sum, says how much
   * more likely the way is if the point is the target's.  NULL: where draws alone will do. */
  void (*weigh)(const void *self, double t, double next, const struct dun_known *x,
                const double *before, const double *y, double *out);
  /* A step by means with the covariance of what is open, [d][d][64] symmetric and overwritten: y
   * gets the mean and the covariance that it has given y at t.  ADDS to out[64] what `weigh` says
   * of it.  NULL: steps are not so simple. */
  void (*correct)(const void *self, double t, double next, const struct dun_known *x,
                  double *covariance, struct dun_address address, double *y, double *out);
  /* How far noise goes in each coordinate of y in such a step, by[d]. */
  void (*reach)(const void *self, double t, double next, double *by);
  /* ADDS to out[64] the square of what is seen of a point at unit noise: a step by `off` in the
   * place of 0 is, by its length over 2, so many nats away.  NULL: steps are no Gaussian laws. */
  void (*square)(const void *self, const double *off, double *out);
  /* Whether what is known of x must be a draw.  NULL: means will do. */
  int (*draws_only)(const void *self);

  /* What y at t says of each coordinate for itself.  NULL: nothing. */
  void (*tilt)(const void *self, double t, const double *y, const struct dun_evidence *evidence);
  /* [d]: the scale of that evidence.  NULL, or no array: 1. */
  const double *(*scale)(const void *self);
  /* Where in y the matrix M of each particle stands that it was seen through: beside what `tilt`
   * says, exp(-<x, M x> / 2); lower triangles by rows, [d (d + 1) / 2][64] (numerics/packed.h).
   * What is known in a step then has the covariance, too, which `correct` takes in the place of its
   * argument.  NULL: there is none. */
  const double *(*matrix)(const void *self, const double *y);
  /* What it says of the point as a whole: ADDS to out[64] the log probability of y at t given x[d],
   * the same point in all lanes, but for what does not depend on x, and for what `tilt` says.
   * NULL: nothing. */
  void (*likelihood)(const void *self, double t, const double *y, const double *x, double *out);
  /* Whether `likelihood` says anything with these options.  NULL: if it is there. */
  int (*of_points)(const void *self);
  /* The features of which y is t times their values and Brownian motion, for fields that answer by
   * y itself.  NULL, or none: y is another thing. */
  const struct dun_features *(*features)(const void *self);
};

/* The letter up to which probabilities, [letters] at a stride, sum to `left`; the last one where
 * they do not. */
int dun_observation_letter(int letters, const double *probability, int64_t stride, double left);

/* For observations that share them: `time` evenly in the arctangent of the root, and in whole
 * numbers of questions that are asked one after the other; `draws_only` of those that always
 * are. */
double dun_observation_arctan(const void *self, double first, double last, double share);
double dun_observation_whole(const void *self, double first, double last, double share);
int dun_observation_always(const void *self);

/* For `likelihood`: rules out, in out[64], lanes whose y[64] is not the point's own answer to a
 * question. */
void dun_observation_answer(const double *y, double answer, double *out);

/* The answers of the functions of these names, or what their absence means. */
int dun_observation_draws_only(const struct dun_observation *observation, const void *self);
int dun_observation_of_points(const struct dun_observation *observation, const void *self);

#endif
