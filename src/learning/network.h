/* A network: a function of a point and of an angle, which tells how much of the point is known
 * (learning/denoiser.h), that has weights to be learned and a reverse pass written by hand.
 *
 * Columns are [..][64], one point a lane, aligned; lanes never mix, and no function communicates.
 * Functions with the ending _f are those of single precision; gradients are double in both. */
#ifndef DUNLIN_LEARNING_NETWORK_H
#define DUNLIN_LEARNING_NETWORK_H

#include "base/random.h"
#include "base/type.h"

/* What the struct of every network begins with: what was learned, and of what network it is. */
struct dun_network_head {
  struct dun_numbers weights; /* of the latest step; after training those that are used */
  struct dun_numbers shape;   /* its options, in the order of their rows */
};
/* Its state rows, learned ones, and what frees it: of every network's type. */
extern const struct dun_state dun_network_state[];
void dun_network_free(void *self);

struct dun_network {
  struct dun_type type;

  /* After the options are set.  DUN_ERROR_INPUT: they do not go together. */
  int (*init)(void *self, int inputs, int outputs);
  int64_t (*weights)(const void *self); /* how many */
  int64_t (*tape)(const void *self);    /* columns that `forward` leaves for `backward` */
  int64_t (*scratch)(const void *self); /* columns that `backward` needs */
  int64_t (*flops)(const void *self);   /* of `forward` in products, for a point */

  /* Weights to begin with, of numbers of the address from its tile 0 on. */
  void (*draw)(const void *self, struct dun_address address, double *weights);

  /* y[outputs] at x[inputs] and angle[64]. */
  void (*forward)(const void *self, const double *weights, const double *angle, const double *x,
                  double *y, double *tape);
  void (*forward_f)(const void *self, const float *weights, const double *angle, const float *x,
                    float *y, float *tape);
  /* ADDS the sum over lanes of bar[outputs] dy / dw to gradient[weights]; `tape` is that of
   * `forward` at these weights.  Lanes whose bar is 0 add nothing. */
  void (*backward)(const void *self, const double *weights, const double *tape, const double *bar,
                   double *gradient, double *scratch);
  void (*backward_f)(const void *self, const float *weights, const float *tape, const float *bar,
                     double *gradient, float *scratch);
};

/* Local.  Makes weights and shape of a network that was initialised, all weights 0.
 * DUN_ERROR_MEMORY. */
int dun_network_make(const struct dun_network *network, void *self);
/* Local.  Another object of the type, with the options of a shape that a file told, and not yet
 * initialised; dun_network_discard is due, and safe for NULL.  NULL: DUN_ERROR_INPUT, what is no
 * such option, or DUN_ERROR_MEMORY, in *status. */
void *dun_network_rebuild(const struct dun_network *network, const struct dun_numbers *shape,
                          int *status);
void dun_network_discard(const struct dun_network *network, void *self);

#endif
