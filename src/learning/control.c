/* The part of a control that depends on the time, and the weights. */
#include "learning/control.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "learning/layers.h"
#include "numerics/activation.h"
#include <string.h>

enum { L = DUN_LANES };

/* ---- how weights and tapes lie --------------------------------------------------------------- */

static struct dun_control_places places_of(int64_t d, int64_t W)
{
  struct dun_control_places at = {0};
  int64_t square = dun_layer_dense_weights(W, W), from_time = dun_layer_dense_weights(W, 2 * W);
  at.lift[0] = at.phase + W;
  at.lift[1] = at.lift[0] + from_time;
  at.gain[0] = at.lift[1] + square;
  at.gain[1] = at.gain[0] + from_time;
  at.gain[2] = at.gain[1] + square;
  at.gain[3] = at.gain[2] + square;
  at.raise = at.gain[3] + dun_layer_dense_weights(d, W);
  at.state[0] = at.raise + square;
  at.state[1] = at.state[0] + W * d;
  at.state[2] = at.state[1] + square;
  at.count = at.state[2] + dun_layer_dense_weights(d, W);
  return at;
}

int64_t dun_control_weights(int d, int width)
{
  return places_of(d, width).count;
}

int64_t dun_control_tape(const struct dun_control *s)
{
  return ((int64_t)s->d + 4 * (int64_t)s->width) * L;
}

/* Of the widest layer's reverse pass, and two sets of columns between. */
int64_t dun_control_scratch(const struct dun_control *s)
{
  int64_t W = s->width, d = s->d;
  int64_t last = dun_layer_dense_scratch(d, W), first = dun_layer_dense_scratch(W, d);
  int64_t middle = dun_layer_dense_scratch(W, W), most = last > first ? last : first;
  return (2 * W + (most > middle ? most : middle)) * L;
}

int64_t dun_control_lift_slopes(const struct dun_control *s)
{
  return s->at.count - s->at.state[0];
}

int64_t dun_control_gain_slopes(const struct dun_control *s)
{
  return dun_control_lift_slopes(s) + (s->steps + 1) * s->width;
}

int64_t dun_control_slopes(const struct dun_control *s)
{
  return dun_control_gain_slopes(s) + (s->steps + 1) * s->d;
}

/* Columns that a tile of 64 times leaves: e, of the lift's layer, its activation and t1, of the
 * gain's layers, their activations, and the third. */
struct times {
  double *e, *lift, *lift_on, *first, *gain, *gain_on, *second, *second_on, *third;
};

static int64_t time_columns(const struct dun_control *s)
{
  return 10 * (int64_t)s->width;
}

static struct times times_of(const struct dun_control *s, int64_t tile)
{
  int64_t W = (int64_t)s->width * L;
  double *t = s->time_tape + tile * time_columns(s) * L;
  return (struct times){t,         t + 2 * W, t + 3 * W, t + 4 * W, t + 5 * W,
                        t + 6 * W, t + 7 * W, t + 8 * W, t + 9 * W};
}

static int64_t time_tiles(const struct dun_control *s)
{
  return (s->steps + L) / L;
}

/* ---- room ------------------------------------------------------------------------------------ */

int dun_control_init(struct dun_control *s, int d, int width, int64_t steps)
{
  dun_control_free(s);
  *s = (struct dun_control){.d = d, .width = width, .steps = steps, .at = places_of(d, width)};
  int64_t W = width, of_state = s->at.count - s->at.state[0], widest = d > 2 * W ? d : 2 * W;
  int64_t pulls = dun_layer_dense_scratch(W, 2 * W), last = dun_layer_dense_scratch(d, W);
  s->lift = dun_allocate((steps + 1) * W, sizeof *s->lift);
  s->gain = dun_allocate((steps + 1) * d, sizeof *s->gain);
  s->state = dun_allocate(of_state, sizeof *s->state);
  s->state_f = dun_allocate(of_state, sizeof *s->state_f);
  s->lift_f = dun_allocate((steps + 1) * W, sizeof *s->lift_f);
  s->time_tape = dun_allocate(time_tiles(s) * time_columns(s), L * sizeof *s->time_tape);
  s->time_pulls =
      dun_allocate(2 * widest + (pulls > last ? pulls : last), L * sizeof *s->time_pulls);
  return s->lift && s->gain && s->state && s->state_f && s->lift_f && s->time_tape && s->time_pulls
             ? 0
             : DUN_ERROR_MEMORY;
}

void dun_control_free(struct dun_control *s)
{
  DUN_FREE(s->lift);
  DUN_FREE(s->gain);
  DUN_FREE(s->state);
  DUN_FREE(s->state_f);
  DUN_FREE(s->lift_f);
  DUN_FREE(s->time_tape);
  DUN_FREE(s->time_pulls);
}

/* ---- first weights --------------------------------------------------------------------------- */

/* w[m][k] uniform with variance 1 / inputs; its bias is 0. */
static void draw_layer(int64_t m, int64_t k, double inputs, struct dun_address *address, double *w)
{
  double bound = __builtin_sqrt(3 / inputs);
  for (int64_t i = 0; i < m * k; i++)
    w[i] = bound * (2 * dun_uniform_one(*address, i) - 1);
  address->tile++;
}

static void draw_last(int64_t m, int64_t k, double *w)
{
  for (int64_t i = 0; i < m * k; i++)
    w[i] = 1e-8;
}

void dun_control_draw(const struct dun_control *s, struct dun_address address, double *w)
{
  const struct dun_control_places *at = &s->at;
  int64_t W = s->width, d = s->d;
  double inputs = (double)(d + W);
  memset(w, 0, (size_t)at->count * sizeof *w);
  address.tile = 0;
  draw_layer(W, 2 * W, (double)(2 * W), &address, w + at->lift[0]);
  draw_layer(W, W, (double)W, &address, w + at->lift[1]);
  draw_layer(W, 2 * W, (double)(2 * W), &address, w + at->gain[0]);
  draw_layer(W, W, (double)W, &address, w + at->gain[1]);
  draw_layer(W, W, (double)W, &address, w + at->gain[2]);
  draw_last(d, W, w + at->gain[3]);
  draw_layer(W, W, inputs, &address, w + at->raise);
  draw_layer(W, d, inputs, &address, w + at->state[0]);
  draw_layer(W, W, (double)W, &address, w + at->state[1]);
  draw_last(d, W, w + at->state[2]);
}

/* ---- the time -------------------------------------------------------------------------------- */

static double frequency(const struct dun_control *s, int64_t j)
{
  return s->width > 1 ? .1 + (double)j * (100 - .1) / (double)(s->width - 1) : .1;
}

/* e of 64 times from `first` on. */
DUN_CLONES static void features(const struct dun_control *s, const double *restrict phase,
                                int64_t first, double *restrict e)
{
  int64_t W = s->width;
  for (int64_t j = 0; j < W; j++) {
    double c = frequency(s, j);
    for (int l = 0; l < L; l++) {
      double angle = DUN_FMA(c, (double)(first + l), phase[j]), sine, cosine;
      dun_sincos2pi(angle * 0x1.45f306dc9c883p-3, &sine, &cosine); /* / (2 pi) */
      e[j * L + l] = sine;
      e[(W + j) * L + l] = cosine;
    }
  }
}

/* rows[time][m] = columns[m][64] of a tile. */
static void lay_down(const struct dun_control *s, int64_t tile, int64_t m, const double *columns,
                     double *rows)
{
  for (int64_t k = tile * L; k <= s->steps && k < (tile + 1) * L; k++)
    for (int64_t j = 0; j < m; j++)
      rows[k * m + j] = columns[j * L + k - tile * L];
}

static void set_tile(struct dun_control *s, const double *w, int64_t tile)
{
  const struct dun_control_places *at = &s->at;
  struct times t = times_of(s, tile);
  int W = s->width;
  int64_t many = (int64_t)W * L;
  double *out = s->time_pulls;
  features(s, w + at->phase, tile * L, t.e);
  dun_layer_dense(W, 2 * W, w + at->lift[0], t.e, t.lift);
  dun_activate(DUN_GELU, many, t.lift, t.lift_on);
  dun_layer_dense(W, W, w + at->lift[1], t.lift_on, t.first);
  dun_layer_dense(W, W, w + at->raise, t.first, out);
  lay_down(s, tile, W, out, s->lift);
  dun_layer_dense(W, 2 * W, w + at->gain[0], t.e, t.gain);
  dun_activate(DUN_GELU, many, t.gain, t.gain_on);
  dun_layer_dense(W, W, w + at->gain[1], t.gain_on, t.second);
  dun_activate(DUN_GELU, many, t.second, t.second_on);
  dun_layer_dense(W, W, w + at->gain[2], t.second_on, t.third);
  dun_layer_dense(s->d, W, w + at->gain[3], t.third, out);
  lay_down(s, tile, s->d, out, s->gain);
}

void dun_control_set(struct dun_control *s, const double *w)
{
  int64_t of_state = s->at.count - s->at.state[0];
  for (int64_t tile = 0; tile < time_tiles(s); tile++)
    set_tile(s, w, tile);
  memcpy(s->state, w + s->at.state[0], (size_t)of_state * sizeof *w);
  for (int64_t i = 0; i < of_state; i++)
    s->state_f[i] = (float)s->state[i];
  for (int64_t i = 0; i < (s->steps + 1) * s->width; i++)
    s->lift_f[i] = (float)s->lift[i];
}

/* columns[m][64] of a tile; behind the last time 0. */
static void take_up(const struct dun_control *s, int64_t tile, int64_t m, const double *rows,
                    double *columns)
{
  for (int64_t j = 0; j < m; j++)
    for (int64_t l = 0; l < L; l++)
      columns[j * L + l] = tile * L + l <= s->steps ? rows[(tile * L + l) * m + j] : 0;
}

/* What bar[2 W][64] = d l / d e makes of the phases. */
DUN_CLONES static void pull_phases(const struct dun_control *s, const double *restrict e,
                                   const double *restrict bar, double *restrict gradient)
{
  int64_t W = s->width;
  for (int64_t j = 0; j < W; j++) {
    double lanes[L];
    for (int l = 0; l < L; l++)
      lanes[l] =
          DUN_FMA(bar[j * L + l], e[(W + j) * L + l], -(bar[(W + j) * L + l] * e[j * L + l]));
    double sum = 0;
    for (int l = 0; l < L; l++)
      sum += lanes[l];
    gradient[j] += sum;
  }
}

static void pull_lift(const struct dun_control *s, const double *w, const double *slopes,
                      int64_t tile, double *gradient)
{
  const struct dun_control_places *at = &s->at;
  struct times t = times_of(s, tile);
  int W = s->width;
  int64_t widest = s->d > 2 * W ? s->d : 2 * W;
  double *bar = s->time_pulls, *back = bar + widest * L, *scratch = back + widest * L;
  take_up(s, tile, W, slopes + dun_control_lift_slopes(s), bar);
  dun_layer_dense_back(W, W, w + at->raise, t.first, bar, gradient + at->raise, back, scratch);
  dun_layer_dense_back(W, W, w + at->lift[1], t.lift_on, back, gradient + at->lift[1], bar,
                       scratch);
  dun_activate_back(DUN_GELU, (int64_t)W * L, t.lift, bar);
  dun_layer_dense_back(W, 2 * W, w + at->lift[0], t.e, bar, gradient + at->lift[0], back, scratch);
  pull_phases(s, t.e, back, gradient + at->phase);
}

static void pull_gain(const struct dun_control *s, const double *w, const double *slopes,
                      int64_t tile, double *gradient)
{
  const struct dun_control_places *at = &s->at;
  struct times t = times_of(s, tile);
  int W = s->width;
  int64_t many = (int64_t)W * L, widest = s->d > 2 * W ? s->d : 2 * W;
  double *bar = s->time_pulls, *back = bar + widest * L, *scratch = back + widest * L;
  take_up(s, tile, s->d, slopes + dun_control_gain_slopes(s), bar);
  dun_layer_dense_back(s->d, W, w + at->gain[3], t.third, bar, gradient + at->gain[3], back,
                       scratch);
  dun_layer_dense_back(W, W, w + at->gain[2], t.second_on, back, gradient + at->gain[2], bar,
                       scratch);
  dun_activate_back(DUN_GELU, many, t.second, bar);
  dun_layer_dense_back(W, W, w + at->gain[1], t.gain_on, bar, gradient + at->gain[1], back,
                       scratch);
  dun_activate_back(DUN_GELU, many, t.gain, back);
  dun_layer_dense_back(W, 2 * W, w + at->gain[0], t.e, back, gradient + at->gain[0], bar, scratch);
  pull_phases(s, t.e, bar, gradient + at->phase);
}

void dun_control_pull(const struct dun_control *s, const double *weights, const double *slopes,
                      double *gradient)
{
  memset(gradient, 0, (size_t)s->at.state[0] * sizeof *gradient);
  for (int64_t tile = 0; tile < time_tiles(s); tile++) {
    pull_lift(s, weights, slopes, tile, gradient);
    pull_gain(s, weights, slopes, tile, gradient);
  }
  memcpy(gradient + s->at.state[0], slopes, (size_t)dun_control_lift_slopes(s) * sizeof *gradient);
}
