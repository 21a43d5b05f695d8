/* A denoiser that a network makes: the mean of a point x of a law under the tilt
 * exp(<h, x> - lambda |x|^2 / 2), what is left of the law when x was seen through Gaussian noise.
 *
 * It is learned of u = (x - centre) / scale.  With l = scale^2 lambda = tan(a)^2 what was seen is
 * s = sin(a) u + cos(a) g, g standard normal: of size 1 at every noise.  The network sees s and a
 * and tells F, and the mean of u is
 *   denoiser: sin(a) s + F,   velocity: sin(a) s - cos(a) F,   noise: (s - cos(a) F) / sin(a).
 * The first term is what a standard normal law would have; of a velocity errors of F fade where
 * there is little noise (Salimans & Ho 2022, arXiv 2202.00512).
 *
 * Of images it may see beside s the average of each channel through noise of its own: with the gain
 * b and the average m of u, (b sin(a) m + cos(a) g0) / sqrt((b sin(a))^2 + cos(a)^2) of size 1. */
#ifndef DUNLIN_LEARNING_DENOISER_H
#define DUNLIN_LEARNING_DENOISER_H

#include "learning/network.h"

enum dun_meaning { DUN_MEANS_DENOISER, DUN_MEANS_VELOCITY, DUN_MEANS_NOISE };
enum dun_sight { DUN_SEES_SCALED /* s */, DUN_SEES_RAW /* scale (h - lambda centre) */ };
enum dun_precision { DUN_PRECISION_SINGLE, DUN_PRECISION_DOUBLE };

struct dun_denoiser {
  /* given */
  const struct dun_network *network;
  void *network_self; /* begins with its head: the weights */
  int d, precision;

  /* learned */
  int64_t means, sees; /* enum dun_meaning, enum dun_sight */
  double share;        /* of the law whose mean it is: 1 of all, less of a half */
  int64_t averages;    /* that are seen, of so many parts of the point; 0: none */
  double gain;         /* b */
  double scale;
  double angles[2];          /* the least and the largest that were learned; beyond, the nearest */
  struct dun_numbers centre; /* [d] */

  /* made; owned */
  double *block, *in, *target, *out;                  /* [d + averages][64], [d][64] columns */
  void *packed, *in_real, *out_real, *tape, *scratch; /* reals of the precision */
};

/* State rows, all learned, of a struct that has it as a member. */
#define DUN_DENOISER_STATE(type_, member_)                                                         \
  {.name = "means",                                                                                \
   .type = DUN_STATE_INTEGER,                                                                      \
   .offset = offsetof(type_, member_.means),                                                       \
   .count = 1,                                                                                     \
   .most = DUN_MEANS_NOISE,                                                                        \
   .learned = "What the network tells: 0 the denoiser, 1 the velocity, 2 the noise."},             \
      {.name = "sees",                                                                             \
       .type = DUN_STATE_INTEGER,                                                                  \
       .offset = offsetof(type_, member_.sees),                                                    \
       .count = 1,                                                                                 \
       .most = DUN_SEES_RAW,                                                                       \
       .learned = "What the network sees: 0 a state of size 1, 1 the tilt."},                      \
      {.name = "share",                                                                            \
       .type = DUN_STATE_NUMBER,                                                                   \
       .offset = offsetof(type_, member_.share),                                                   \
       .count = 1,                                                                                 \
       .least = 0,                                                                                 \
       .most = 1,                                                                                  \
       .learned = "Of the examples that it was learned from: 1, or of one half."},                 \
      {.name = "averages",                                                                         \
       .type = DUN_STATE_INTEGER,                                                                  \
       .offset = offsetof(type_, member_.averages),                                                \
       .count = 1,                                                                                 \
       .most = 4096,                                                                               \
       .learned = "Of so many channels it sees averages, too."},                                   \
      {.name = "gain",                                                                             \
       .type = DUN_STATE_NUMBER,                                                                   \
       .offset = offsetof(type_, member_.gain),                                                    \
       .count = 1,                                                                                 \
       .least = 0,                                                                                 \
       .most = INT64_MAX,                                                                          \
       .learned = "Times which an average is seen, where a pixel is seen as it is."},              \
      {.name = "scale",                                                                            \
       .type = DUN_STATE_NUMBER,                                                                   \
       .offset = offsetof(type_, member_.scale),                                                   \
       .count = 1,                                                                                 \
       .least = 0,                                                                                 \
       .most = INT64_MAX,                                                                          \
       .learned = "Points are the centre plus this times what is learned of."},                    \
      {.name = "angles",                                                                           \
       .type = DUN_STATE_NUMBER,                                                                   \
       .offset = offsetof(type_, member_.angles),                                                  \
       .count = 2,                                                                                 \
       .least = 0,                                                                                 \
       .most = 2,                                                                                  \
       .learned = "Least and largest arctan(scale sqrt(lambda)) that were learned."},              \
  {                                                                                                \
    .name = "centre", .type = DUN_STATE_NUMBERS, .offset = offsetof(type_, member_.centre),        \
    .count = 1, .learned = "Mean of the examples."                                                 \
  }

/* Local, after the network's init and make: room for a tile.  DUN_ERROR_MEMORY; free is safe twice
 * and for a zeroed struct. */
int dun_denoiser_init(struct dun_denoiser *denoiser);
void dun_denoiser_free(struct dun_denoiser *denoiser);
/* Whenever weights[..] are to be used in place of those before. */
void dun_denoiser_pack(struct dun_denoiser *denoiser, const double *weights);

/* arctan(sqrt(l)) for l >= 0. */
double dun_denoiser_angle(double l);

/* mean[d][64] under the tilts h[d][64], lambda[64]; where lambda is 0 the centre.  With averages
 * y = lambda gain average + sqrt(lambda) g0, [averages][64], else NULL. */
void dun_denoiser_mean(const struct dun_denoiser *denoiser, const double *h, const double *lambda,
                       const double *y, double *mean);

/* How an error of the mean of u counts, at l = tan(a)^2. */
enum dun_lesson_weight {
  DUN_LESSON_PLAIN,  /* |m - u|^2 */
  DUN_LESSON_SIGNAL, /* l |m - u|^2: that of the noise */
  DUN_LESSON_OUTPUT  /* that of F */
};
#define DUN_LESSON_WEIGHT_WORDS "plain|signal|output"

/* Points to learn from, how clearly each is seen, and the noise. */
struct dun_lesson {
  int n;                   /* lanes that count; the others hold finite numbers */
  const double *x, *noise; /* [d][64], [d + averages][64] */
  const double *angle;     /* [64] */
  int weight;              /* enum dun_lesson_weight */
  double share;            /* of a coordinate of one of the points in the loss */
};
/* The lesson's part of the loss; ADDS its slopes to gradient[weights] unless NULL. */
double dun_denoiser_teach(const struct dun_denoiser *denoiser, const struct dun_lesson *lesson,
                          double *gradient);

#endif
