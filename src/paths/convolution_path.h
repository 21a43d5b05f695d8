/* The convolutional path's own struct, and what convolution_steps.c does with it. */
#ifndef DUNLIN_PATHS_CONVOLUTION_PATH_H
#define DUNLIN_PATHS_CONVOLUTION_PATH_H

#include "numerics/convolution.h"
#include "paths/inner_score.h"
#include "paths/path.h"

enum dun_sampler { DUN_REVERSE_SDE, DUN_ANCESTRAL, DUN_ODE, DUN_LANGEVIN };
enum dun_score { DUN_SCORE_GRID, DUN_SCORE_MONTE_CARLO };

struct dun_convolution_path {
  /* options */
  double scale;
  struct {
    int type;
    long long levels;
    double highest, lowest; /* tau_0 and the last tau above 0 */
  } levels;
  int sampler, score, distributed;
  struct dun_numbers center, half_width;
  long long cells;
  double padding; /* -1: auto */
  long long inner;
  int estimator;
  double crossover; /* -1: auto */
  struct {
    struct dun_numbers mean, scale;
  } begin;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_schedule schedule;
  struct dun_gaussian start; /* of the blurred target, as far as mean and covariance go */
  struct dun_convolution grid;
  struct dun_inner_score samples;
  int64_t memory;            /* of the grid's tables */
  int64_t evaluations, nans; /* that the grid took of this rank */
  double *work;              /* [d] columns of a score, then the Gaussian's scratch */
};

/* Operations of struct dun_path. */
int dun_convolution_path_prepare(struct dun_context *context, void *self, double t);
void dun_convolution_path_evaluate(const void *self, const struct dun_request *request);
void dun_convolution_path_carry(const void *self, double t, double next, int n,
                                struct dun_address address, double *x, double *log_ratio);
int dun_convolution_path_carry_all(struct dun_context *context, void *self, double t, double next,
                                   struct dun_address address,
                                   const struct dun_population *population, struct dun_column *x);
enum dun_follow dun_convolution_path_follow(const void *self);

#endif
