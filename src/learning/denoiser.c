#include "learning/denoiser.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include <string.h>

enum { L = DUN_LANES };

/* ---- room ------------------------------------------------------------------------------------ */

int dun_denoiser_init(struct dun_denoiser *s)
{
  const struct dun_network *network = s->network;
  const void *self = s->network_self;
  size_t real = s->precision == DUN_PRECISION_SINGLE ? sizeof(float) : sizeof(double);
  int64_t column = (int64_t)s->d * L;
  dun_denoiser_free(s);
  int64_t seen = column + s->averages * L;
  s->block = dun_allocate(2 * column + seen, sizeof *s->block);
  s->packed = dun_allocate(network->weights(self), real);
  s->in_real = dun_allocate(seen, real);
  s->out_real = dun_allocate(column, real);
  s->tape = dun_allocate(network->tape(self) * L, real);
  s->scratch = dun_allocate(network->scratch(self) * L, real);
  if (!s->block || !s->packed || !s->in_real || !s->out_real || !s->tape || !s->scratch)
    return DUN_ERROR_MEMORY;
  s->in = s->block;
  s->target = s->in + seen;
  s->out = s->target + column;
  return 0;
}

void dun_denoiser_free(struct dun_denoiser *s)
{
  DUN_FREE(s->block);
  DUN_FREE(s->packed);
  DUN_FREE(s->in_real);
  DUN_FREE(s->out_real);
  DUN_FREE(s->tape);
  DUN_FREE(s->scratch);
}

/* ---- the network, in its precision ----------------------------------------------------------- */

DUN_CLONES static void to_single(int64_t count, const double *restrict from, float *restrict to)
{
  for (int64_t i = 0; i < count; i++)
    to[i] = (float)from[i];
}

DUN_CLONES static void to_double(int64_t count, const float *restrict from, double *restrict to)
{
  for (int64_t i = 0; i < count; i++)
    to[i] = (double)from[i];
}

static void pack(const struct dun_denoiser *s, int64_t count, const double *from, void *to)
{
  if (s->precision == DUN_PRECISION_SINGLE)
    to_single(count, from, to);
  else
    memcpy(to, from, (size_t)count * sizeof *from);
}

void dun_denoiser_pack(struct dun_denoiser *s, const double *weights)
{
  pack(s, s->network->weights(s->network_self), weights, s->packed);
}

/* F at s->in into s->out. */
static void forward(const struct dun_denoiser *s, const double *angle)
{
  int64_t column = (int64_t)s->d * L;
  pack(s, column + s->averages * L, s->in, s->in_real);
  if (s->precision == DUN_PRECISION_SINGLE) {
    s->network->forward_f(s->network_self, s->packed, angle, s->in_real, s->out_real, s->tape);
    to_double(column, s->out_real, s->out);
  } else {
    s->network->forward(s->network_self, s->packed, angle, s->in_real, s->out, s->tape);
  }
}

/* By bar[d][64]. */
static void backward(const struct dun_denoiser *s, const double *bar, double *gradient)
{
  pack(s, (int64_t)s->d * L, bar, s->out_real);
  if (s->precision == DUN_PRECISION_SINGLE)
    s->network->backward_f(s->network_self, s->packed, s->tape, s->out_real, gradient, s->scratch);
  else
    s->network->backward(s->network_self, s->packed, s->tape, s->out_real, gradient, s->scratch);
}

/* ---- means ----------------------------------------------------------------------------------- */

/* The angle a in [0, pi / 2] of a sine and a cosine: from a guess within .1 by steps
 * a -= sin(a - angle), each of which leaves a sixth of the cube of the error. */
DUN_INLINE double angle_of(double sine, double cosine)
{
  double a = 1.5707963267948966 * sine / (sine + cosine);
  for (int i = 0; i < 4; i++) {
    double s, c;
    dun_sincos2pi(a * 0x1.45f306dc9c883p-3, &s, &c); /* a / (2 pi) */
    a -= s * cosine - c * sine;
  }
  return a;
}

/* What is told of a lane at l = tan(a)^2. */
struct lane {
  double sine[L], cosine[L], angle[L];
};

DUN_CLONES static void fill_lanes(double scale, const double *restrict lambda, struct lane *lane)
{
  for (int l = 0; l < L; l++) {
    double size = scale * scale * lambda[l], root = __builtin_sqrt(1 + size);
    lane->sine[l] = __builtin_sqrt(size) / root;
    lane->cosine[l] = 1 / root;
    lane->angle[l] = angle_of(lane->sine[l], lane->cosine[l]);
  }
}

double dun_denoiser_angle(double l)
{
  struct lane lane;
  double lambda[L] = {0};
  lambda[0] = l;
  fill_lanes(1, lambda, &lane);
  return lane.angle[0];
}

/* in = scale (h - lambda centre) / divisor. */
DUN_CLONES static void look(int d, double scale, const double *restrict centre,
                            const double *restrict h, const double *restrict lambda,
                            const double *restrict divisor, double *restrict in)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++)
      in[j * L + l] = scale * DUN_FMA(-lambda[l], centre[j], h[j * L + l]) / divisor[l];
}

/* mean = centre + scale (of_in in + of_out out). */
DUN_CLONES static void combine(int d, double scale, const double *restrict centre,
                               const double *restrict of_in, const double *restrict in,
                               const double *restrict of_out, const double *restrict out,
                               double *restrict mean)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double told = DUN_FMA(of_in[l], in[j * L + l], of_out[l] * out[j * L + l]);
      mean[j * L + l] = DUN_FMA(scale, told, centre[j]);
    }
}

/* The averages [averages][64] of x[d][64] less the centre, over the scale. */
DUN_CLONES static void average(const struct dun_denoiser *s, const double *restrict x,
                               double *restrict out)
{
  for (int64_t c = 0, n = s->averages ? s->d / s->averages : 0; c < s->averages; c++) {
    double sum[L] = {0};
    for (int64_t j = c * n; j < (c + 1) * n; j++)
      for (int l = 0; l < L; l++)
        sum[l] += x[j * L + l] - s->centre.value[j];
    for (int l = 0; l < L; l++)
      out[c * L + l] = sum[l] / ((double)n * s->scale);
  }
}

/* in[averages][64] of size 1, of averages y under lambda. */
DUN_CLONES static void look_at_averages(const struct dun_denoiser *s, const double *restrict y,
                                        const double *restrict lambda, const struct lane *lane,
                                        double *restrict in)
{
  for (int64_t c = 0, n = s->averages ? s->d / s->averages : 0; c < s->averages; c++) {
    double centre = 0;
    for (int64_t j = c * n; j < (c + 1) * n; j++)
      centre += s->centre.value[j] / (double)n;
    for (int l = 0; l < L; l++) {
      double sine = lane->sine[l], cosine = lane->cosine[l], b = s->gain * sine;
      double size = sine * __builtin_sqrt(b * b + cosine * cosine) / (cosine * cosine);
      double off = s->scale * DUN_FMA(-lambda[l] * s->gain, centre, y[c * L + l]);
      in[c * L + l] = lambda[l] > 0 ? off / size : 0;
    }
  }
}

void dun_denoiser_mean(const struct dun_denoiser *s, const double *h, const double *lambda,
                       const double *y, double *mean)
{
  struct lane lane;
  double divisor[L], of_in[L], of_out[L];
  fill_lanes(s->scale, lambda, &lane);
  for (int l = 0; l < L; l++) {
    double sine = lane.sine[l], cosine = lane.cosine[l];
    double size = sine / (cosine * cosine); /* of the tilt of what has size 1 */
    int nothing = !(lambda[l] > 0), noise = s->means == DUN_MEANS_NOISE, raw = s->sees;
    divisor[l] = nothing || raw ? 1 : size;
    of_in[l] = (noise ? 1 / sine : sine) / (raw ? size : 1);
    of_out[l] = s->means == DUN_MEANS_DENOISER ? 1 : noise ? -cosine / sine : -cosine;
    of_in[l] = nothing ? 0 : of_in[l];
    of_out[l] = nothing ? 0 : of_out[l];
    double a = lane.angle[l] < s->angles[0] ? s->angles[0] : lane.angle[l];
    lane.angle[l] = a > s->angles[1] ? s->angles[1] : a;
  }
  look(s->d, s->scale, s->centre.value, h, lambda, divisor, s->in);
  look_at_averages(s, y, lambda, &lane, s->in + (int64_t)s->d * L);
  forward(s, lane.angle);
  combine(s->d, s->scale, s->centre.value, of_in, s->in, of_out, s->out, mean);
}

/* ---- lessons --------------------------------------------------------------------------------- */

/* in = in_u u + in_g g, target = target_u u + target_g g; counts: of the square of F's error. */
struct mixing {
  double in_u[L], in_g[L], target_u[L], target_g[L], counts[L];
  double average_u[L], average_g[L]; /* the same of averages */
};

DUN_CLONES static void mix_lane(const struct dun_denoiser *s, const struct dun_lesson *lesson,
                                int l, struct mixing *m)
{
  double sine, cosine;
  dun_sincos2pi(lesson->angle[l] * 0x1.45f306dc9c883p-3, &sine, &cosine);
  double size = s->sees == DUN_SEES_RAW ? sine / (cosine * cosine) : 1, signal = sine / cosine;
  double share = s->means == DUN_MEANS_DENOISER   ? 1
                 : s->means == DUN_MEANS_VELOCITY ? cosine
                                                  : cosine / sine; /* of F in the mean */
  m->in_u[l] = size * sine;
  m->in_g[l] = size * cosine;
  m->target_u[l] = s->means == DUN_MEANS_DENOISER   ? cosine * cosine
                   : s->means == DUN_MEANS_VELOCITY ? -cosine
                                                    : 0;
  m->target_g[l] = s->means == DUN_MEANS_DENOISER   ? -sine * cosine
                   : s->means == DUN_MEANS_VELOCITY ? sine
                                                    : 1;
  double b = s->gain * sine, whole = __builtin_sqrt(b * b + cosine * cosine);
  m->average_u[l] = b / whole;
  m->average_g[l] = cosine / whole;
  m->counts[l] = lesson->weight == DUN_LESSON_PLAIN    ? share * share
                 : lesson->weight == DUN_LESSON_SIGNAL ? share * signal * (share * signal)
                                                       : 1;
  m->counts[l] = l < lesson->n ? m->counts[l] * lesson->share : 0;
}

DUN_CLONES static void show(const struct dun_denoiser *s, const struct dun_lesson *lesson,
                            const struct mixing *m)
{
  const double *restrict x = lesson->x, *restrict g = lesson->noise;
  double *restrict in = s->in, *restrict target = s->target;
  for (int64_t j = 0; j < s->d; j++) {
    double centre = s->centre.value[j];
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double u = (x[i] - centre) / s->scale;
      in[i] = DUN_FMA(m->in_u[l], u, m->in_g[l] * g[i]);
      target[i] = DUN_FMA(m->target_u[l], u, m->target_g[l] * g[i]);
    }
  }
  double *restrict seen = in + (int64_t)s->d * L;
  average(s, x, seen);
  for (int64_t c = 0; c < s->averages; c++)
    for (int l = 0; l < L; l++) {
      double noise = g[(s->d + c) * L + l];
      seen[c * L + l] = DUN_FMA(m->average_u[l], seen[c * L + l], m->average_g[l] * noise);
    }
}

/* The loss; target becomes its slope by `out`. */
DUN_CLONES static double judge(int d, const double *restrict counts, const double *restrict out,
                               double *restrict target)
{
  double loss[L] = {0};
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double off = out[j * L + l] - target[j * L + l];
      loss[l] = DUN_FMA(counts[l] * off, off, loss[l]);
      target[j * L + l] = 2 * counts[l] * off;
    }
  return dun_fold_lanes(loss);
}

double dun_denoiser_teach(const struct dun_denoiser *s, const struct dun_lesson *lesson,
                          double *gradient)
{
  struct mixing mixing;
  for (int l = 0; l < L; l++)
    mix_lane(s, lesson, l, &mixing);
  show(s, lesson, &mixing);
  forward(s, lesson->angle);
  double loss = judge(s->d, mixing.counts, s->out, s->target);
  if (gradient)
    backward(s, s->target, gradient);
  return loss;
}
