/* What paths share that shrink the target to a point c and let it grow again: levels of lambda from
 * above 0 to 1, and a start that is all at c or a Gaussian around it, in units in which the target
 * has its own size.  The state is y = c + (x - c) / sqrt(lambda). */
#ifndef DUNLIN_PATHS_SHRUNK_H
#define DUNLIN_PATHS_SHRUNK_H

#include "paths/path.h"

enum dun_beginning { DUN_BEGIN_DIRAC, DUN_BEGIN_GAUSSIAN };

struct dun_shrunk {
  /* options */
  struct dun_numbers center;
  struct {
    int type; /* enum dun_spacing_type */
    long long levels;
    double power, start;
  } levels;
  int map;
  struct {
    int type; /* enum dun_beginning */
    struct dun_numbers scale;
  } begin;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_schedule schedule;
  struct dun_gaussian law; /* of the start; its mean is c */
};

/* Collective; DUN_ERROR_INPUT, DUN_ERROR_MEMORY.  dun_shrunk_free is safe afterwards and twice. */
int dun_shrunk_init(struct dun_context *context, struct dun_shrunk *shrunk,
                    struct dun_evaluator *target);
void dun_shrunk_free(struct dun_shrunk *shrunk);

/* Draws of the start, from one normal for each coordinate. */
void dun_shrunk_draw(const struct dun_shrunk *shrunk, const double *normal, double *x);
/* Their log density [64]: returns 1; 0: it has none. */
int dun_shrunk_density(const struct dun_shrunk *shrunk, const double *x, double *lp);

/* y = c + (y - c) sqrt(t / next), the same x at the next time, and nothing at t = 0, where every y
 * is at its start.  Returns the log of the Jacobian. */
double dun_shrunk_contract(const struct dun_shrunk *shrunk, double t, double next, double *y);

/* A path's `draws`: one normal for each coordinate. */
void dun_shrunk_draws(const void *self, int *uniforms, int *normals);
/* Its `unit` sqrt(t), and the `coefficients` of its one part, 1. */
double dun_shrunk_unit(const void *self, double t);
void dun_shrunk_coefficients(const void *self, double t, double *coefficient);

extern const struct dun_option dun_shrunk_levels[], dun_shrunk_begin[];

/* The option rows; the struct dun_shrunk is the first member of the path's own struct. */
#define DUN_SHRUNK_OPTIONS                                                                         \
  {.name = "center",                                                                               \
   .type = DUN_NUMBERS,                                                                            \
   .offset = offsetof(struct dun_shrunk, center),                                                  \
   .initial = "0",                                                                                 \
   .doc = "The point c that the target is shrunk to; one number or one for each coordinate."},     \
      {.name = "schedule",                                                                         \
       .type = DUN_SECTION,                                                                        \
       .offset = offsetof(struct dun_shrunk, levels),                                              \
       .initial = "",                                                                              \
       .rows = dun_shrunk_levels,                                                                  \
       .doc = "The levels of lambda, from above 0 to 1."},                                         \
      {.name = "map",                                                                              \
       .type = DUN_FLAG,                                                                           \
       .offset = offsetof(struct dun_shrunk, map),                                                 \
       .initial = "false",                                                                         \
       .doc = "A new level keeps u instead of x: the transport map, for smc."},                    \
  {                                                                                                \
    .name = "begin", .type = DUN_SECTION, .offset = offsetof(struct dun_shrunk, begin),            \
    .initial = "", .rows = dun_shrunk_begin, .doc = "The law of u before the first level."         \
  }

#endif
