/* The mean of a pixel given what a small window of an observed image shows of it, and the means of
 * larger boxes about it: what a network of a small receptive field would learn at best, in closed
 * form, for mixtures of Gaussian textures on a periodic lattice that differ in their colour alone.
 *
 * With the features e in the window of a pixel, their covariances K and the pixel's own c, the
 * gains g that a colour 1 has in them, and G = t K + 1:
 *
 *   a = G^-1 g,  w = G^-1 c
 *   log weight of colour k = log pi_k + sum over channels of c_k <a, y_e> - t <g, a> c_k^2 / 2
 *   mean = <w, y_e> + (1 - t <w, g>) E c_k
 *
 * (Montanari 2023, arXiv 2305.10690, for the claim that long correlations are lost so unless the
 * observation has global features).  Covariances depend on the pixel's place in the largest box of
 * which there are several: one system is solved for each such place and time, for all lanes. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/linear.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, MOST_FEATURES = 4000, BLOCKS_AWAY = 1 };

/* A feature in the window of a pixel: the box that lies so many boxes from the pixel's own. */
struct neighbour {
  int level, away[2];
};

struct window {
  long long radius;

  /* seen and learned; arrays are owned */
  const struct dun_features *features; /* the observation's; NULL: none were shown */
  struct dun_evaluator *target;
  int kinds;          /* colours */
  double *colour;     /* [kinds][channels] */
  double *log_weight; /* [kinds] */
  double *covariance; /* [n]: of a pixel and that at this place from it */

  int64_t count;               /* of features in a window */
  struct neighbour *neighbour; /* [count] */
  double *gain;                /* [count] */
  double *with_pixel; /* [levels][n]: covariance of a pixel and the mean of a box so far off */
  double *cross;      /* [levels][levels][n]: of two box means */
  int period[2];      /* places of a pixel in the largest box of which there are several */

  int64_t times, table;  /* so many tables of so many numbers */
  double *time;          /* [times + 1]; the last is of any other time */
  double *tables;        /* [times + 1][places][2 count + 2]: w, a, 1 - t <w, g>, <g, a> */
  signed char *made;     /* [times + 1] */
  double *matrix;        /* [count][count], scratch */
  double *level, *share; /* [channels][64], [kinds][64], scratch */
};

static void release(void *self)
{
  struct window *s = self;
  DUN_FREE(s->colour);
  DUN_FREE(s->log_weight);
  DUN_FREE(s->covariance);
  DUN_FREE(s->neighbour);
  DUN_FREE(s->gain);
  DUN_FREE(s->with_pixel);
  DUN_FREE(s->cross);
  DUN_FREE(s->time);
  DUN_FREE(s->tables);
  DUN_FREE(s->made);
  DUN_FREE(s->matrix);
  DUN_FREE(s->level);
  DUN_FREE(s->share);
}

static int show(void *self, const struct dun_features *features)
{
  struct window *s = self;
  s->features = features && features->rows > 0 ? features : NULL;
  if (!s->features)
    return dun_fail(DUN_ERROR_INPUT,
                    "field window sees pixels, averages and pyramids alone: take observation "
                    "linear without rows of a matrix or waves");
  return 0;
}

static int64_t sites(const struct window *s)
{
  return (int64_t)s->features->size[0] * s->features->size[1];
}

/* ---- what the target is ----------------------------------------------------------------------
 *
 * Without noise a Gaussian's mean under the tilt h is its own + C h, so that impulses tell the
 * covariance, and whether it is that of a stationary field.  */

enum { ALONE, IMPULSE, LARGER, ELSEWHERE, OTHER_CHANNEL, ALL, TRIALS };

struct trial {
  double *h, *mean; /* [d][64], owned */
  double lambda[L] __attribute__((aligned(64))), mass[L] __attribute__((aligned(64)));
  double spread[L] __attribute__((aligned(64)));
  double by; /* size of an impulse */
};

static int ask(const struct window *s, struct trial *t, int label)
{
  return dun_evaluator_tilted(s->target, &(struct dun_tilted){.n = L,
                                                              .h = t->h,
                                                              .lambda = t->lambda,
                                                              .label = label,
                                                              .mean = t->mean,
                                                              .log_mass = t->mass,
                                                              .spread = t->spread});
}

/* A place that is no symmetry's own. */
static int64_t elsewhere(const struct window *s)
{
  return (sites(s) * 2 / 3 + 1) % sites(s);
}

static void set_impulses(const struct window *s, struct trial *t)
{
  int64_t n = sites(s), last = (s->features->channels - 1) * n;
  t->h[IMPULSE] = t->by;
  t->h[LARGER] = -2.5 * t->by;
  t->h[elsewhere(s) * L + ELSEWHERE] = t->by;
  t->h[last * L + OTHER_CHANNEL] = t->by;
  t->h[ALL] = t->by;
  t->h[elsewhere(s) * L + ALL] += t->by;
}

/* The shift of pixel i of a channel in a lane. */
static double shift(const struct window *s, const struct trial *t, int channel, int64_t i, int lane)
{
  const double *mean = t->mean + (channel * sites(s) + i) * L;
  return mean[lane] - mean[ALONE];
}

static int64_t from(const struct window *s, int64_t place, int64_t i)
{
  int height = s->features->size[0], width = s->features->size[1];
  int64_t row = (i / width - place / width + height) % height;
  return row * width + (i % width - place % width + width) % width;
}

/* The largest difference from what it would be, in deviations of a pixel times `by`. */
static double fault_of(const struct window *s, const struct trial *t, int kind)
{
  int channels = s->features->channels;
  int64_t n = sites(s), there = elsewhere(s);
  double worst = 0, own = s->covariance[0] * t->by;
  for (int channel = 0; channel < channels; channel++)
    for (int64_t i = 0; i < n; i++) {
      double here = channel == 0 ? s->covariance[i] * t->by : 0;
      double moved = channel == 0 ? s->covariance[from(s, there, i)] * t->by : 0;
      double last = channel == channels - 1 ? s->covariance[i] * t->by : 0;
      double off[] = {t->mean[(channel * n + i) * L] - s->colour[kind * channels + channel],
                      shift(s, t, channel, i, IMPULSE) - here,
                      shift(s, t, channel, i, LARGER) + 2.5 * here,
                      shift(s, t, channel, i, ELSEWHERE) - moved,
                      shift(s, t, channel, i, OTHER_CHANNEL) - last,
                      shift(s, t, channel, i, ALL) - here - moved};
      for (size_t k = 0; k < sizeof off / sizeof *off; k++)
        worst = fabs(off[k]) > worst || isnan(off[k]) ? fabs(off[k]) : worst;
    }
  return worst / own;
}

/* Colour number k; of the first the covariance, too. */
static int learn_colour(struct window *s, struct trial *t, int k, int label)
{
  int channels = s->features->channels;
  int64_t n = sites(s), d = s->target->dimension;
  memset(t->h, 0, (size_t)d * L * sizeof *t->h);
  if (ask(s, t, label) < 0)
    return -1;
  for (int channel = 0; channel < channels; channel++)
    s->colour[k * channels + channel] = t->mean[channel * n * L];
  s->log_weight[k] = t->mass[ALONE];
  if (k == 0)
    t->by = 1 / sqrt(t->spread[ALONE] / (double)d);
  set_impulses(s, t);
  if (ask(s, t, label) < 0)
    return -1;
  for (int64_t i = 0; i < n && k == 0; i++)
    s->covariance[i] = shift(s, t, 0, i, IMPULSE) / t->by;
  return 0;
}

static int refuse_target(const struct window *s, const char *why)
{
  return dun_fail(DUN_ERROR_INPUT,
                  "field window is of mixtures of Gaussian fields that differ in a colour alone, "
                  "each stationary on a periodic lattice, and channels independent and alike: "
                  "target %s %s",
                  s->target->target->type.name, why);
}

static int learn_colours(struct window *s, struct trial *t)
{
  const char *unlike = "is none with these options, or has other `channels`";
  double top = -INFINITY, sum = 0;
  int labelled = (s->target->target->tilts & DUN_TILTED_LABEL) != 0;
  for (int k = 0; k < s->kinds; k++) {
    if (learn_colour(s, t, k, labelled ? k + 1 : 0) < 0)
      return refuse_target(s, "has no closed form seen through noise");
    if (!(fault_of(s, t, k) < 1e-6))
      return refuse_target(s, unlike);
    top = s->log_weight[k] > top ? s->log_weight[k] : top;
  }
  for (int k = 0; k < s->kinds; k++)
    sum += dun_scalar_exp(s->log_weight[k] - top);
  for (int k = 0; k < s->kinds; k++)
    s->log_weight[k] -= top + dun_scalar_log(sum);
  return 0;
}

static int learn_target(struct window *s)
{
  const unsigned needed = DUN_TILTED_MASS | DUN_TILTED_SPREAD;
  const struct dun_target *target = s->target->target;
  int64_t d = s->target->dimension;
  int modes = dun_evaluator_modes(s->target, 0, NULL, NULL, NULL), status = DUN_ERROR_MEMORY;
  if (target->support != DUN_REALS)
    return refuse_target(s, "has letters");
  if (!target->tilted || (target->tilts & needed) != needed)
    return refuse_target(s, "has no closed form seen through noise");
  if (modes > 1 && !(target->tilts & DUN_TILTED_LABEL))
    return refuse_target(s, "does not tell its parts apart");
  s->kinds = target->tilts & DUN_TILTED_LABEL ? modes : 1;
  struct trial t = {.h = dun_allocate(d, L * sizeof *t.h),
                    .mean = dun_allocate(d, L * sizeof *t.h)};
  s->colour = dun_allocate((int64_t)s->kinds * s->features->channels, sizeof *s->colour);
  s->log_weight = dun_allocate(s->kinds, sizeof *s->log_weight);
  s->covariance = dun_allocate(sites(s), sizeof *s->covariance);
  if (t.h && t.mean && s->colour && s->log_weight && s->covariance)
    status = learn_colours(s, &t);
  dun_free(t.h);
  dun_free(t.mean);
  return status;
}

/* ---- the window ------------------------------------------------------------------------------ */

/* The boxes along an axis that are at most so far away: all of them, or an odd number. */
static int reach(const struct window *s, const struct dun_boxes *boxes, int axis)
{
  int radius = boxes->side[0] * boxes->side[1] == 1 ? (int)s->radius : BLOCKS_AWAY;
  return 2 * radius + 1 < boxes->count[axis] ? 2 * radius + 1 : boxes->count[axis];
}

static int list_features(struct window *s)
{
  const struct dun_features *f = s->features;
  s->count = 0;
  for (int k = 0; k < f->levels; k++)
    s->count += (int64_t)reach(s, &f->level[k], 0) * reach(s, &f->level[k], 1);
  if (s->count > MOST_FEATURES)
    return dun_fail(DUN_ERROR_INPUT, "field.radius: a window of %lld features, expected at most %d",
                    (long long)s->count, MOST_FEATURES);
  s->neighbour = dun_allocate(s->count, sizeof *s->neighbour);
  s->gain = dun_allocate(s->count, sizeof *s->gain);
  if (!s->neighbour || !s->gain)
    return DUN_ERROR_MEMORY;
  int64_t e = 0;
  for (int k = 0; k < f->levels; k++) {
    int rows = reach(s, &f->level[k], 0), columns = reach(s, &f->level[k], 1);
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) {
        s->gain[e] = f->level[k].gain;
        s->neighbour[e++] = (struct neighbour){k, {i - rows / 2, j - columns / 2}};
      }
  }
  return 0;
}

/* The mean of `in` over the `side` places along an axis from each place on. */
static void slide(const int size[2], int axis, int side, const double *in, double *out)
{
  for (int64_t i = 0; i < size[0]; i++)
    for (int64_t j = 0; j < size[1]; j++) {
      double sum = 0;
      for (int64_t a = 0; a < side; a++)
        sum += axis ? in[i * size[1] + (j + a) % size[1]] : in[(i + a) % size[0] * size[1] + j];
      out[i * size[1] + j] = sum / side;
    }
}

/* Covariances of box means by how far the corner of the one lies from the pixel or from the corner
 * of the other. */
static int set_covariances(struct window *s)
{
  const struct dun_features *f = s->features;
  int64_t n = sites(s);
  double *ahead = dun_allocate(n, sizeof *ahead), *half = dun_allocate(n, sizeof *half);
  s->with_pixel = dun_allocate(f->levels, (size_t)n * sizeof *s->with_pixel);
  s->cross = dun_allocate((int64_t)f->levels * f->levels, (size_t)n * sizeof *s->cross);
  int status = ahead && half && s->with_pixel && s->cross ? 0 : DUN_ERROR_MEMORY;
  for (int k = 0; k < f->levels && status >= 0; k++) {
    double *own = s->with_pixel + k * n;
    slide(f->size, 0, f->level[k].side[0], s->covariance, half);
    slide(f->size, 1, f->level[k].side[1], half, own);
    for (int64_t i = 0; i < n; i++) /* a pixel so far ahead of the corner: covariances are even */
      ahead[from(s, i, 0)] = own[i];
    for (int m = 0; m < f->levels; m++) {
      slide(f->size, 0, f->level[m].side[0], ahead, half);
      slide(f->size, 1, f->level[m].side[1], half, s->cross + ((int64_t)k * f->levels + m) * n);
    }
  }
  dun_free(ahead);
  dun_free(half);
  return status;
}

static int set_up(struct window *s)
{
  const struct dun_features *f = s->features;
  int status = list_features(s);
  if (status < 0 || (status = set_covariances(s)) < 0)
    return status;
  s->period[0] = s->period[1] = 1;
  for (int k = 0; k < f->levels; k++)
    for (int axis = 0; axis < 2; axis++)
      if (f->level[k].count[axis] > 1 && f->level[k].side[axis] > s->period[axis])
        s->period[axis] = f->level[k].side[axis];
  s->table = (int64_t)s->period[0] * s->period[1] * (2 * s->count + 2);
  s->matrix = dun_allocate(s->count, (size_t)s->count * sizeof *s->matrix);
  s->level = dun_allocate(f->channels, L * sizeof *s->level);
  s->share = dun_allocate(s->kinds, L * sizeof *s->share);
  return s->matrix && s->level && s->share ? 0 : DUN_ERROR_MEMORY;
}

/* Tables for so many times and one more, not made yet. */
static int times(void *self, int64_t count, const double *time)
{
  struct window *s = self;
  DUN_FREE(s->time);
  DUN_FREE(s->tables);
  DUN_FREE(s->made);
  s->times = count;
  s->time = dun_allocate(count + 1, sizeof *s->time);
  s->tables = dun_allocate(count + 1, (size_t)s->table * sizeof *s->tables);
  s->made = dun_allocate(count + 1, sizeof *s->made);
  if (!s->time || !s->tables || !s->made)
    return DUN_ERROR_MEMORY;
  if (count > 0)
    memcpy(s->time, time, (size_t)count * sizeof *time);
  return 0;
}

static int init_here(struct window *s, struct dun_evaluator *target)
{
  int status;
  release(s);
  s->target = target;
  if (!s->features)
    return dun_fail(DUN_ERROR_INPUT,
                    "field window goes with method localization and observation linear");
  if ((status = learn_target(s)) < 0 || (status = set_up(s)) < 0)
    return status;
  return times(s, 0, NULL);
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  (void)lambda;
  return dun_agree(context, init_here(self, target));
}

static int64_t memory(const void *self)
{
  const struct window *s = self;
  int64_t crossed = s->features ? (int64_t)s->features->levels * s->features->levels * sites(s) : 0;
  return (int64_t)sizeof(double) * ((s->times + 1) * s->table + crossed + s->count * s->count);
}

/* ---- weights at a time ----------------------------------------------------------------------- */

static int remainder_of(int value, int size)
{
  return (value % size + size) % size;
}

/* How far the corner of a box in the window lies from a pixel at this place. */
static void corner_of(const struct window *s, const struct neighbour *e, const int place[2],
                      int corner[2])
{
  for (int axis = 0; axis < 2; axis++) {
    int side = s->features->level[e->level].side[axis];
    corner[axis] = e->away[axis] * side - place[axis] % side;
  }
}

static int64_t site_at(const struct window *s, int row, int column)
{
  const int *size = s->features->size;
  return (int64_t)remainder_of(row, size[0]) * size[1] + remainder_of(column, size[1]);
}

static double covariance_of(const struct window *s, const struct neighbour *one,
                            const struct neighbour *other, const int place[2])
{
  int a[2], b[2];
  corner_of(s, one, place, a);
  corner_of(s, other, place, b);
  return s->cross[((int64_t)one->level * s->features->levels + other->level) * sites(s) +
                  site_at(s, b[0] - a[0], b[1] - a[1])];
}

static double covariance_with_pixel(const struct window *s, const struct neighbour *e,
                                    const int place[2])
{
  int corner[2];
  corner_of(s, e, place, corner);
  return s->with_pixel[e->level * sites(s) + site_at(s, corner[0], corner[1])];
}

/* out[2 count + 2] of the pixels at a place; of no number where nothing can be solved. */
static void make_weights(const struct window *s, double t, const int place[2], double *out)
{
  int64_t count = s->count;
  double *w = out, *a = out + count, seen = 0, told = 0;
  for (int64_t i = 0; i < count; i++) {
    for (int64_t j = 0; j <= i; j++)
      s->matrix[i * count + j] = t * s->gain[i] * s->gain[j] *
                                     covariance_of(s, &s->neighbour[i], &s->neighbour[j], place) +
                                 (i == j);
    w[i] = s->gain[i] * covariance_with_pixel(s, &s->neighbour[i], place);
    a[i] = s->gain[i];
  }
  if (dun_cholesky((int)count, s->matrix) < 0)
    w[0] = NAN;
  dun_cholesky_solve((int)count, s->matrix, w);
  dun_cholesky_solve((int)count, s->matrix, a);
  for (int64_t i = 0; i < count; i++) {
    seen += w[i] * s->gain[i];
    told += a[i] * s->gain[i];
  }
  out[2 * count] = 1 - t * seen;
  out[2 * count + 1] = told;
}

/* The table of a time, made where it is not there yet. */
static const double *table_of(const struct window *s, double t)
{
  int64_t low = 0, behind = s->times;
  while (low < behind) {
    int64_t middle = low + (behind - low) / 2;
    if (s->time[middle] < t)
      low = middle + 1;
    else
      behind = middle;
  }
  int64_t k = low < s->times && s->time[low] == t ? low : s->times;
  double *table = s->tables + k * s->table;
  if (s->made[k] && s->time[k] == t)
    return table;
  for (int i = 0; i < s->period[0]; i++)
    for (int j = 0; j < s->period[1]; j++)
      make_weights(s, t, (int[]){i, j},
                   table + ((int64_t)i * s->period[1] + j) * (2 * s->count + 2));
  s->time[k] = t;
  s->made[k] = 1;
  return table;
}

/* ---- means ----------------------------------------------------------------------------------- */

/* Where a feature in the window of a pixel lies among its channel's. */
static int64_t index_of(const struct window *s, const struct neighbour *e, int row, int column)
{
  const struct dun_boxes *b = &s->features->level[e->level];
  int i = remainder_of(row / b->side[0] + e->away[0], b->count[0]);
  int j = remainder_of(column / b->side[1] + e->away[1], b->count[1]);
  return b->first + (int64_t)i * b->count[1] + j;
}

/* out[64] = <weight, y> of the features at `place`[count]. */
DUN_CLONES static void weigh(int64_t count, const double *restrict weight,
                             const int64_t *restrict place, const double *restrict y,
                             double *restrict out)
{
  double sum[L] __attribute__((aligned(64))) = {0};
  for (int64_t e = 0; e < count; e++)
    for (int l = 0; l < L; l++)
      sum[l] = DUN_FMA(weight[e], y[place[e] * L + l], sum[l]);
  for (int l = 0; l < L; l++)
    out[l] = sum[l];
}

/* share[kinds][64] of the colours by level[channels][64]; `told` is for the half of their squares.
 * */
DUN_CLONES static void share_out(const struct window *s, double told)
{
  int channels = s->features->channels;
  double top[L], sum[L] = {0};
  for (int64_t k = 0; k < s->kinds; k++) {
    double *restrict share = s->share + k * L;
    for (int l = 0; l < L; l++)
      share[l] = s->log_weight[k];
    for (int64_t channel = 0; channel < channels; channel++) {
      double c = s->colour[k * channels + channel];
      for (int l = 0; l < L; l++)
        share[l] += c * (s->level[channel * L + l] - .5 * told * c);
    }
    for (int l = 0; l < L; l++)
      top[l] = k == 0 || share[l] > top[l] ? share[l] : top[l];
  }
  for (int64_t i = 0; i < (int64_t)s->kinds * L; i++)
    sum[i % L] += s->share[i] = dun_exp_weight(s->share[i] - top[i % L]);
  for (int64_t i = 0; i < (int64_t)s->kinds * L; i++)
    s->share[i] /= sum[i % L];
}

DUN_CLONES static void add_colour(const struct window *s, int channel, double left,
                                  double *restrict mean)
{
  for (int64_t k = 0; k < s->kinds; k++) {
    double by = left * s->colour[k * s->features->channels + channel];
    for (int l = 0; l < L; l++)
      mean[l] = DUN_FMA(by, s->share[k * L + l], mean[l]);
  }
}

/* Of the pixel whose features lie at `place`[count], by its row of a table. */
static void tell(const struct window *s, const struct dun_field_call *call, const double *w,
                 const int64_t *place, int64_t pixel)
{
  const struct dun_features *f = s->features;
  const double *a = w + s->count;
  for (int64_t channel = 0; channel < f->channels && s->kinds > 1; channel++)
    weigh(s->count, a, place, call->seen + channel * f->rows * L, s->level + channel * L);
  share_out(s, call->time * a[s->count + 1]);
  for (int64_t channel = 0; channel < f->channels; channel++) {
    double *mean = call->mean + (channel * sites(s) + pixel) * L;
    weigh(s->count, w, place, call->seen + channel * f->rows * L, mean);
    add_colour(s, (int)channel, a[s->count], mean);
  }
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct window *s = self;
  const int *size = s->features->size;
  const double *table = table_of(s, call->time);
  int64_t place[MOST_FEATURES];
  for (int row = 0; row < size[0]; row++)
    for (int column = 0; column < size[1]; column++) {
      int64_t own = (int64_t)(row % s->period[0]) * s->period[1] + column % s->period[1];
      for (int64_t e = 0; e < s->count; e++)
        place[e] = index_of(s, &s->neighbour[e], row, column);
      tell(s, call, table + own * (2 * s->count + 2), place, (int64_t)row * size[1] + column);
    }
}

static const struct dun_option options[] = {
    {.name = "radius",
     .type = DUN_INTEGER,
     .offset = offsetof(struct window, radius),
     .initial = "2",
     .minimum = 0,
     .maximum = 1000,
     .doc = "Pixels of the window to each side of its centre; of larger boxes it has the nine "
            "about it, or all."},
    {0},
};

const struct dun_field dun_field_window = {
    .type = {DUN_TYPE(struct dun_field), .name = "window",
             .doc = "Means of a pixel given what a small window of it and averages show, of "
                    "mixtures of Gaussian textures.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct window),
             .options = options, .free = release},
    .show = show,
    .times = times,
    .init = init,
    .value = value,
    .memory = memory,
};
