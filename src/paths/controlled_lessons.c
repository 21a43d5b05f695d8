#include "paths/controlled_lessons.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <string.h>

enum { L = DUN_LANES };

/* ---- room ------------------------------------------------------------------------------------ */

/* Columns at a point of a piece. */
struct point {
  double *x, *g, *o, *bar; /* [d]: point, target's gradient, the control's part; d l / d o */
  double *score, *full;    /* [d]: s, and s + u or s - u */
  void *tape;              /* of the control */
  double factor[L] __attribute__((aligned(64))); /* by which s was cut */
};
enum { POINT_COLUMNS = 6 };

static int64_t columns_of(const struct dun_lessons *s)
{
  return s->path->target->dimension;
}

/* Reals of a point: x and o as the network has them, or bar, and the tape. */
static int64_t reals_of(const struct dun_lessons *s)
{
  return 2 * columns_of(s) * L + dun_control_tape(&s->path->network);
}

static struct point point_of(const struct dun_lessons *s, int i)
{
  int64_t block = columns_of(s) * L;
  double *w = s->work + i * POINT_COLUMNS * block;
  size_t size = s->precise ? sizeof(double) : sizeof(float);
  return (struct point){.x = w,
                        .g = w + block,
                        .o = w + 2 * block,
                        .bar = w + 3 * block,
                        .score = w + 4 * block,
                        .full = w + 5 * block,
                        .tape = (char *)s->real + (size_t)(i * reals_of(s)) * size};
}

int dun_lessons_init(struct dun_lessons *s)
{
  size_t size = s->precise ? sizeof(double) : sizeof(float);
  dun_lessons_free(s);
  s->steps = s->path->steps / s->path->pieces;
  s->work = dun_allocate((2 * POINT_COLUMNS + 1) * columns_of(s), L * sizeof *s->work);
  s->real = dun_allocate(2 * reals_of(s) + dun_control_scratch(&s->path->network), size);
  return s->work && s->real ? 0 : DUN_ERROR_MEMORY;
}

void dun_lessons_free(struct dun_lessons *s)
{
  DUN_FREE(s->work);
  DUN_FREE(s->real);
}

int64_t dun_lessons_numbers(const struct dun_controlled *path)
{
  return path->network.at.count + path->steps + 2 * (int64_t)path->target->dimension;
}

/* Of the control; of the exponents 0 to T; of mean and log scale. */
int64_t dun_lessons_slopes(const struct dun_controlled *path)
{
  return dun_control_slopes(&path->network) + path->steps + 1 +
         2 * (int64_t)path->target->dimension;
}

/* ---- the control at a point ------------------------------------------------------------------ */

static void look(const struct dun_lessons *s, int64_t k, const struct point *p)
{
  int64_t many = columns_of(s) * L;
  if (s->precise) {
    double *tape = p->tape;
    dun_control_state(&s->path->network, k, p->x, p->o, tape + 2 * many);
    return;
  }
  float *o = (float *)p->tape + many, *tape = o + many; /* the point is the tape's first */
  for (int64_t i = 0; i < many; i++)
    tape[i] = (float)p->x[i];
  dun_control_state_f(&s->path->network, k, tape, o, tape);
  for (int64_t i = 0; i < many; i++)
    p->o[i] = (double)o[i];
}

static void look_back(const struct dun_lessons *s, int64_t k, const struct point *p, double *slopes)
{
  int64_t many = columns_of(s) * L;
  if (s->precise) {
    double *tape = p->tape, *scratch = (double *)s->real + 2 * reals_of(s);
    dun_control_state_back(&s->path->network, k, tape + 2 * many, p->bar, slopes, scratch);
    return;
  }
  float *bar = p->tape, *tape = bar + 2 * many, *scratch = (float *)s->real + 2 * reals_of(s);
  for (int64_t i = 0; i < many; i++)
    bar[i] = (float)p->bar[i];
  dun_control_state_back_f(&s->path->network, k, tape, bar, slopes, scratch);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* rows[64][d] of the floats of 64 points. */
DUN_CLONES static void widen(int64_t d, int n, const float *const *from, int64_t at,
                             double *restrict rows)
{
  for (int l = 0; l < L; l++) {
    const float *one = from[l < n ? l : 0] + at;
    for (int64_t j = 0; j < d; j++)
      rows[l * d + j] = (double)one[j];
  }
}

/* Point number `at` of the pieces; writes bar. */
static void load(const struct dun_lessons *s, const struct dun_piece *piece, int64_t at,
                 const struct point *p)
{
  int d = (int)columns_of(s);
  widen(d, piece->n, piece->x, at * d, p->bar);
  dun_columns_from_rows(L, d, p->bar, p->x);
  widen(d, piece->n, piece->gradient, at * d, p->bar);
  dun_columns_from_rows(L, d, p->bar, p->g);
}

static int is_annealed(const struct dun_lessons *s)
{
  return s->path->reference == DUN_ANNEALED;
}

/* Score and drift of step k, as the way there from the point or, with sign -1, as the way back. */
static void drift(const struct dun_lessons *s, int64_t k, int sign, struct point *p)
{
  const struct dun_controlled *path = s->path;
  double *precision = s->work + 2 * POINT_COLUMNS * columns_of(s) * L, constant;
  double t = path->exponent[k];
  if (is_annealed(s)) {
    dun_controlled_law(path, 0, t, precision, &constant);
    dun_controlled_score(path, t, precision, p->x, p->g, p->score, p->factor);
  } else {
    dun_controlled_guide(path, k, p->x, p->g, p->score, p->factor);
  }
  memcpy(p->full, p->score, (size_t)columns_of(s) * L * sizeof *p->full);
  dun_controlled_add(path, sign > 0 ? k : k + 1, sign, p->o, p->full);
}

static double quarter_of(const struct dun_controlled *path, int64_t k)
{
  return .25 * path->sigma[k] * path->sigma[k] / (double)path->steps;
}

/* Of what the exponent stands against: the base, or the reference at its end; its precision in
 * coordinate j. */
static inline double anchor(const struct dun_controlled *path, int64_t j)
{
  return path->reference == DUN_ANNEALED ? 1 / (path->scale[j] * path->scale[j])
                                         : path->precision[path->target->dimension + j];
}

/* How much of log pi is the base's logarithm, which is learned; of driven steps nothing is. */
static inline double base_share(const struct dun_controlled *path, int64_t k)
{
  return path->reference == DUN_ANNEALED ? 1 - path->exponent[k] : 0;
}

/* log_weight += sign log pi at one end, where the target's log density is lp[64]; of driven steps
 * without the reference's part, which the way back to it takes away again. */
static void add_end(const struct dun_lessons *s, int64_t k, double sign, const struct point *p,
                    const double *lp, double *log_weight)
{
  const struct dun_controlled *path = s->path;
  double *precision = s->work + 2 * POINT_COLUMNS * columns_of(s) * L, constant;
  double base[L] __attribute__((aligned(64))), t = path->exponent[k];
  double share = is_annealed(s) ? 1 : -t;
  dun_controlled_law(path, is_annealed(s) ? 0 : 1, is_annealed(s) ? t : 0, precision, &constant);
  dun_controlled_law_at(path, precision, constant, p->x, base, NULL);
  for (int l = 0; l < L; l++)
    log_weight[l] += sign * (share * base[l] + (t > 0 ? t * lp[l] : 0));
}

void dun_lessons_weigh(const struct dun_lessons *s, int64_t number, const struct dun_piece *piece,
                       double *log_weight)
{
  struct point this = point_of(s, 0), next = point_of(s, 1), other;
  int64_t first = number * s->steps, end = first + s->steps;
  double term[L] __attribute__((aligned(64)));
  int d = s->path->target->dimension;
  memset(log_weight, 0, L * sizeof *log_weight);
  load(s, piece, 0, &this);
  look(s, first, &this);
  add_end(s, first, -1, &this, piece->start, log_weight);
  for (int64_t k = first; k < end; k++) {
    load(s, piece, k + 1 - first, &next);
    look(s, k + 1, &next);
    drift(s, k, 1, &this);
    if (is_annealed(s)) {
      drift(s, k, -1, &next);
      dun_controlled_ratio(d, quarter_of(s->path, k), this.x, next.x, this.full, next.full, term);
    } else {
      dun_controlled_driven_ratio(s->path, k, this.x, next.x, this.full, term);
    }
    for (int l = 0; l < L; l++)
      log_weight[l] += term[l];
    other = this;
    this = next;
    next = other;
  }
  add_end(s, end, 1, &this, piece->end, log_weight);
}

/* ---- slopes ---------------------------------------------------------------------------------- */

/* Where those behind the control's begin. */
struct places {
  double *gain, *exponent, *mean, *log_scale;
};

static struct places places_of(const struct dun_controlled *path, double *slopes)
{
  double *exponent = slopes + dun_control_slopes(&path->network);
  double *mean = exponent + path->steps + 1;
  return (struct places){slopes + dun_control_gain_slopes(&path->network), exponent, mean,
                         mean + path->target->dimension};
}

/* What slope[64] = factor d l / d (s + u), at a point that the control is looked at with time
 * `time`, of step k, makes of everything but the control's state, whose bar it adds to; on the way
 * back u counts with the other sign. */
DUN_CLONES static void spread(const struct dun_controlled *path, int64_t k, int64_t time,
                              double sign, const struct point *p, const double *restrict slope,
                              int64_t j, struct places to, double *restrict exponent)
{
  int64_t d = path->target->dimension;
  double gain[L], mean[L], scale[L], m = path->mean[j];
  double precision = anchor(path, j), rest = base_share(path, k);
  const double *x = p->x + j * L, *g = p->g + j * L, *o = p->o + j * L, *s = p->score + j * L;
  double *bar = p->bar + j * L, multiplier = path->network.gain[time * d + j];
  for (int l = 0; l < L; l++) {
    double most = DUN_CONTROL_MOST_STATE, inside = o[l] < most && o[l] > -most ? 1 : 0;
    double cut_score = dun_controlled_cut(s[l], DUN_CONTROL_MOST_SCORE),
           by_gain = cut_score == s[l] ? multiplier : 0;
    double of_score = slope[l] * p->factor[l] * (1 + sign * by_gain), away = x[l] - m;
    bar[l] = DUN_FMA(sign * inside, slope[l], bar[l]);
    gain[l] = sign * slope[l] * cut_score;
    exponent[l] = DUN_FMA(of_score, DUN_FMA(precision, away, g[l]), exponent[l]);
    mean[l] = of_score;
    scale[l] = of_score * away;
  }
  to.gain[time * d + j] += dun_fold_lanes(gain);
  to.mean[j] += rest * precision * dun_fold_lanes(mean);
  to.log_scale[j] += 2 * rest * precision * dun_fold_lanes(scale);
}

DUN_CLONES static void learn_step(const struct dun_controlled *path, int64_t k,
                                  const struct point *this, const struct point *next,
                                  const double *restrict factor, struct places to)
{
  double half = 2 * quarter_of(path, k), exponent[L] = {0};
  for (int64_t j = 0; j < path->target->dimension; j++) {
    double there[L], back[L];
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double step = next->x[i] - this->x[i];
      there[l] = factor[l] * DUN_FMA(half, this->full[i], -.5 * step);
      back[l] = factor[l] * DUN_FMA(-half, next->full[i], -.5 * step);
    }
    spread(path, k, k, 1, this, there, j, to, exponent);
    spread(path, k, k + 1, -1, next, back, j, to, exponent);
  }
  to.exponent[k] += dun_fold_lanes(exponent);
}

DUN_CLONES static void learn_driven(const struct dun_controlled *path, int64_t k,
                                    const struct point *this, const struct point *next,
                                    const double *restrict factor, struct places to)
{
  double exponent[L] = {0};
  for (int64_t j = 0; j < path->target->dimension; j++) {
    double there[L], keep, v, mean = path->mean[j];
    dun_controlled_reference(path, k, j, &keep, &v);
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double driven = next->x[i] - DUN_FMA(keep, this->x[i] - mean, mean);
      there[l] = factor[l] * DUN_FMA(v, this->full[i], -driven);
    }
    spread(path, k, k, 1, this, there, j, to, exponent);
  }
  to.exponent[k] += dun_fold_lanes(exponent);
}

/* Of sign log pi at an end. */
DUN_CLONES static void learn_end(const struct dun_controlled *path, int64_t k, double sign,
                                 const struct point *p, const double *restrict lp,
                                 const double *restrict factor, struct places to)
{
  double rest = base_share(path, k), base[L] = {0}, exponent[L], log_part = 0;
  for (int64_t j = 0; j < path->target->dimension; j++) {
    double mean[L], scale[L], m = path->mean[j];
    double precision = anchor(path, j);
    for (int l = 0; l < L; l++) {
      double away = p->x[j * L + l] - m, square = precision * away * away;
      base[l] += square;
      mean[l] = sign * factor[l] * away;
      scale[l] = sign * factor[l] * (square - 1);
    }
    log_part += DUN_LOG_2PI - dun_log(precision);
    to.mean[j] += rest * precision * dun_fold_lanes(mean);
    to.log_scale[j] += rest * dun_fold_lanes(scale);
  }
  for (int l = 0; l < L; l++)
    exponent[l] = factor[l] != 0 ? sign * factor[l] * (lp[l] + .5 * (base[l] + log_part)) : 0;
  to.exponent[k] += dun_fold_lanes(exponent);
}

void dun_lessons_learn(const struct dun_lessons *s, int64_t number, const struct dun_piece *piece,
                       const double *factor, double *slopes)
{
  const struct dun_controlled *path = s->path;
  struct point this = point_of(s, 0), next = point_of(s, 1), other;
  struct places to = places_of(path, slopes);
  int64_t first = number * s->steps, end = first + s->steps;
  size_t bytes = (size_t)columns_of(s) * L * sizeof(double);
  load(s, piece, 0, &this);
  look(s, first, &this);
  memset(this.bar, 0, bytes);
  learn_end(path, first, -1, &this, piece->start, factor, to);
  for (int64_t k = first; k < end; k++) {
    load(s, piece, k + 1 - first, &next);
    look(s, k + 1, &next);
    memset(next.bar, 0, bytes);
    drift(s, k, 1, &this);
    if (is_annealed(s)) {
      drift(s, k, -1, &next);
      learn_step(path, k, &this, &next, factor, to);
    } else {
      learn_driven(path, k, &this, &next, factor, to);
    }
    look_back(s, k, &this, slopes);
    other = this;
    this = next;
    next = other;
  }
  look_back(s, end, &this, slopes);
  learn_end(path, end, 1, &this, piece->end, factor, to);
}

/* gradient[T] by a: d beta_k / d a_j = sigmoid(a_j) ((j <= k) - beta_k) / sum softplus(a). */
DUN_CLONES static void pull_exponents(const struct dun_controlled *path, const double *slopes,
                                      double *gradient)
{
  const double *a = path->steering->exponents.value;
  double sum = 0, all = 0, later = 0;
  for (int64_t j = 0; j < path->steps; j++)
    sum += dun_softplus(a[j]);
  for (int64_t k = 1; k < path->steps; k++)
    all += slopes[k] * path->exponent[k];
  for (int64_t j = path->steps; j-- > 0;) {
    later += j + 1 < path->steps ? slopes[j + 1] : 0;
    gradient[j] = dun_sigmoid(a[j]) * (later - all) / sum;
  }
}

void dun_lessons_pull(const struct dun_lessons *s, double *slopes, double *gradient)
{
  const struct dun_controlled *path = s->path;
  struct places from = places_of(path, slopes);
  int64_t weights = path->network.at.count;
  dun_control_pull(&path->network, path->steering->weights.value, slopes, gradient);
  pull_exponents(path, from.exponent, gradient + weights);
  memcpy(gradient + weights + path->steps, from.mean,
         2 * (size_t)path->target->dimension * sizeof *gradient);
}
