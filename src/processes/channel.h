/* A Gaussian channel: how a state z comes from a point x at one time of a process.
 *
 * Every coordinate of x has r numbers z_i = gain_i x + offset_i + noise_i, noise ~ N(0, noise),
 * independent between coordinates:
 *
 *   localization         r = 1  gain t, noise t
 *   variance preserving  r = 1  gain sqrt(1 - v), noise v
 *   variance exploding   r = 1  gain 1, noise t^2
 *   interpolant          r = 1  gain 1 - t, offset t mu, noise (t sigma)^2
 *   phase space          r = 2  place and momentum
 *
 * The posterior of x is the target tilted by h = sum_i tilt_i (z_i - offset_i) and lambda = gain'
 * noise^-1 gain, whatever r is: its mean, the denoiser m, is all that samplers ask of the target,
 * and score, noise and velocity are affine in the state and m. */
#ifndef DUNLIN_PROCESSES_CHANNEL_H
#define DUNLIN_PROCESSES_CHANNEL_H

enum { DUN_CHANNEL_MOST = 2 };

struct dun_channel {
  /* given by the process */
  int r;
  double gain[2], offset[2], noise[2][2];
  double determinant;                                    /* of the noise, without cancellation */
  double gain_rate[2], offset_rate[2], noise_rate[2][2]; /* d / dt in the process's own time */
  int tilted; /* 1: tilt and lambda are given too, since the noise may be 0 where they are finite */

  /* made by dun_channel_set, unless `tilted` */
  double tilt[2]; /* noise^-1 gain */
  double lambda;  /* signal to noise: gain' noise^-1 gain */
  /* made by it, of no use where it fails */
  double precision[2][2], root[2][2]; /* noise^-1; lower Cholesky factor */
};

/* Makes the rest.  DUN_ERROR_NUMERIC, without a sentence, where the noise is not positive
 * definite, as at the data's end. */
int dun_channel_set(struct dun_channel *channel);

/* What a function of the state may stand for. */
enum dun_meaning {
  DUN_DENOISER, /* m = E x */
  DUN_SCORE,    /* -noise^-1 (z - offset - gain m) */
  DUN_NOISE,    /* root^-1 (z - offset - gain m) */
  DUN_VELOCITY, /* gain' m + offset' + noise' noise^-1 / 2 (z - offset - gain m) */
};
#define DUN_MEANING_WORDS "denoiser|score|noise|velocity"

/* out_i = sum_j state[i][j] z_j + mean[i] m + constant[i]. */
struct dun_affine {
  double state[2][2], mean[2], constant[2];
};

/* A meaning by the denoiser; of DENOISER only out_0 is one. */
struct dun_affine dun_channel_from_denoiser(const struct dun_channel *channel,
                                            enum dun_meaning meaning);

/* The way back: m = sum_i state[i] z_i + sum_i value[i] out_i + constant. */
struct dun_inverse {
  double state[2], value[2], constant;
};

/* Coefficients are not finite where the meaning does not determine m: of scores and noise, where
 * the gain is 0. */
struct dun_inverse dun_channel_to_denoiser(const struct dun_channel *channel,
                                           enum dun_meaning meaning);

#endif
