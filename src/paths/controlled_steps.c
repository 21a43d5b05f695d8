/* The steps of the path `controlled`, and the densities of its reference processes. */
#include "base/vmath.h"
#include "numerics/columns.h"
#include "paths/controlled.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

/* Where a step's terms are larger than this, no digit of their sum is left: the particle has
 * diverged, and its weight is 0. */
static const double MOST_TERM = 1e12;

/* ---- densities ----------------------------------------------------------------------------- */

static double noise_up_to(const struct dun_controlled *s, double t)
{
  double at = t * (double)s->steps, k = floor(at);
  if (k >= (double)s->steps)
    return s->variance[s->steps];
  const double *v = s->variance + (int64_t)k;
  return v[0] + (at - k) * (v[1] - v[0]);
}

DUN_CLONES void dun_controlled_law(const struct dun_controlled *s, double t, double share,
                                   double *precision, double *constant)
{
  int brownian = s->reference == DUN_BROWNIAN;
  double now = brownian ? noise_up_to(s, t) : 0, end = brownian ? s->variance[s->steps] : 0;
  double sum = 0;

  for (int j = 0; j < s->target->dimension; j++) {
    double own = s->scale[j] * s->scale[j], v = own + now, last = own + end;
    double part = v > 0 ? 1 / v : 0, log_part = v > 0 ? dun_log(v) + DUN_LOG_2PI : 0;
    precision[j] = part - share / last;
    sum += log_part - share * (dun_log(last) + DUN_LOG_2PI);
  }
  *constant = -.5 * sum;
}

DUN_CLONES void dun_controlled_law_at(const struct dun_controlled *s, const double *precision,
                                      double constant, const double *x, double *lp,
                                      double *gradient)
{
  double sum[DUN_LANES] = {0};

  for (int64_t j = 0; j < s->target->dimension; j++) {
    double p = precision[j], mean = s->mean[j];
    const double *at = x + j * DUN_LANES;
    for (int l = 0; l < DUN_LANES; l++)
      sum[l] = DUN_FMA(p * (at[l] - mean), at[l] - mean, sum[l]);
    for (int l = 0; l < DUN_LANES && gradient; l++)
      gradient[j * DUN_LANES + l] = p * (mean - at[l]);
  }
  for (int l = 0; l < DUN_LANES && lp; l++)
    lp[l] = constant - .5 * sum[l];
}

/* ---- scores -------------------------------------------------------------------------------- */

static void target_gradient(const struct dun_controlled *s, int n, const double *x, double *g)
{
  double one[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  memset(g, 0, (size_t)s->target->dimension * DUN_LANES * sizeof *g);
  dun_evaluate(s->target, n, x, NULL, one, g);
}

DUN_CLONES static void clip(int d, double most, double *restrict score, double *restrict factor)
{
  double square[DUN_LANES] __attribute__((aligned(64))) = {0};

  dun_columns_add_square(d, score, square);
  for (int l = 0; l < DUN_LANES; l++) {
    double norm = sqrt(square[l]);
    factor[l] = norm > most ? most / norm : 1;
  }
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      score[j * DUN_LANES + l] *= factor[l];
}

void dun_controlled_score(const struct dun_controlled *s, double t, const double *precision,
                          const double *x, const double *g, double *score, double *factor)
{
  int d = s->target->dimension;
  double own[DUN_LANES] __attribute__((aligned(64)));

  dun_controlled_law_at(s, precision, 0, x, NULL, score);
  dun_columns_add(d, t, g, score);
  clip(d, s->clip, score, factor ? factor : own);
}

struct columns {
  double *g, *f, *b, *u, *next, *xi; /* [d] each */
};

static struct columns columns_of(const struct dun_controlled *s)
{
  int64_t block = (int64_t)s->target->dimension * DUN_LANES;
  double *w = s->work;
  return (struct columns){w, w + block, w + 2 * block, w + 3 * block, w + 4 * block, w + 5 * block};
}

/* What the learned control has of the point, in o[d], for the way there and the way back. */
static void look_at(const struct dun_controlled *s, int64_t k, const double *x, double *o)
{
  int64_t many = (int64_t)s->target->dimension * DUN_LANES;
  float *point = s->point, *state = point + many, *tape = state + many;

  if (!s->steering)
    return;
  for (int64_t i = 0; i < many; i++)
    point[i] = (float)x[i];
  dun_control_state_f(&s->network, k, point, state, tape);
  for (int64_t i = 0; i < many; i++)
    o[i] = (double)state[i];
}

DUN_CLONES void dun_controlled_add(const struct dun_controlled *s, int64_t k, double sign,
                                   const double *restrict state, double *restrict score)
{
  int64_t d = s->target->dimension;

  for (int64_t j = 0; j < d; j++) {
    double gain = s->network.gain[k * d + j];
    for (int l = 0; l < DUN_LANES; l++) {
      int64_t i = j * DUN_LANES + l;
      double u = DUN_FMA(gain, dun_controlled_cut(score[i], DUN_CONTROL_MOST_SCORE),
                         dun_controlled_cut(state[i], DUN_CONTROL_MOST_STATE));
      score[i] = DUN_FMA(sign, u, score[i]);
    }
  }
}

/* score += sign u. */
static void add_control(const struct dun_controlled *s, int64_t k, double sign, const double *x,
                        const struct columns *w, double *score)
{
  int d = s->target->dimension;

  if (s->steering)
    dun_controlled_add(s, k, sign, w->u, score);
  else if (s->control) {
    s->control(s->control_data, k, x, score, w->u);
    dun_columns_add(d, sign, w->u, score);
  }
}

/* ---- steps --------------------------------------------------------------------------------- */

/* The terms of a step are added; where they say nothing the weight becomes `lost`, and the particle
 * stays where it was. */
static void close_step(int d, const double *term, double lost, const double *x, double *next,
                       double *log_weight)
{
  for (int l = 0; l < DUN_LANES; l++) {
    if (fabs(term[l]) < MOST_TERM) {
      log_weight[l] += term[l];
      continue;
    }
    log_weight[l] = lost;
    for (int64_t j = 0; j < d; j++)
      next[j * DUN_LANES + l] = x[j * DUN_LANES + l];
  }
}

DUN_CLONES void dun_controlled_ratio(int d, double quarter, const double *restrict x,
                                     const double *restrict next, const double *restrict f,
                                     const double *restrict b, double *restrict term)
{
  double sum[DUN_LANES] = {0};

  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      int64_t i = j * DUN_LANES + l;
      double both = f[i] + b[i], less = f[i] - b[i];
      sum[l] = DUN_FMA(both, quarter * less - .5 * (next[i] - x[i]), sum[l]);
    }
  for (int l = 0; l < DUN_LANES; l++)
    term[l] = sum[l];
}

/* A step of annealed Langevin diffusion; w.g is the target's gradient at x, and then at x'; so is
 * what was looked at. */
static void step_annealed(const struct dun_controlled *s, int64_t k, int n, const struct columns *w,
                          double *x, double *log_ratio)
{
  int d = s->target->dimension;
  double dt = 1 / (double)s->steps, drift = s->sigma[k] * s->sigma[k] * dt;
  double constant, term[DUN_LANES] __attribute__((aligned(64)));
  double t = s->exponent ? s->exponent[k] : (double)k * dt;

  dun_controlled_law(s, 0, t, s->precision, &constant);
  dun_controlled_score(s, t, s->precision, x, w->g, w->f, NULL);
  add_control(s, k, 1, x, w, w->f);
  dun_columns_sum(d, x, drift, w->f, w->next);
  dun_columns_add(d, sqrt(2 * drift), w->xi, w->next);
  target_gradient(s, n, w->next, w->g);
  dun_controlled_score(s, t, s->precision, w->next, w->g, w->b, NULL);
  look_at(s, k + 1, w->next, w->u);
  add_control(s, k + 1, -1, w->next, w, w->b);
  dun_controlled_ratio(d, .25 * drift, x, w->next, w->f, w->b, term);
  close_step(d, term, -INFINITY, x, w->next, log_ratio);
  memcpy(x, w->next, (size_t)d * DUN_LANES * sizeof *x);
}

DUN_CLONES void dun_controlled_driven_ratio(const struct dun_controlled *s, int64_t k,
                                            const double *restrict x, const double *restrict next,
                                            const double *restrict c, double *restrict term)
{
  double sum[DUN_LANES] = {0};

  for (int64_t j = 0; j < s->target->dimension; j++) {
    double keep, v, mean = s->mean[j];
    dun_controlled_reference(s, k, j, &keep, &v);
    for (int l = 0; l < DUN_LANES; l++) {
      int64_t i = j * DUN_LANES + l;
      double driven = next[i] - DUN_FMA(keep, x[i] - mean, mean);
      sum[l] = DUN_FMA(c[i], DUN_FMA(.5 * v, c[i], -driven), sum[l]);
    }
  }
  for (int l = 0; l < DUN_LANES; l++)
    term[l] = sum[l];
}

/* x' of a step that the guide c drives along the reference, whose coordinate j keeps `keep` of its
 * distance from the mean and gets noise of variance v; adds log R - log F to term[64]. */
DUN_CLONES static void drive(double mean, double keep, double v, const double *restrict x,
                             const double *restrict c, const double *restrict xi,
                             double *restrict next, double *restrict term)
{
  double deviation = sqrt(v);

  for (int l = 0; l < DUN_LANES; l++) {
    double pushed = DUN_FMA(v, c[l], deviation * xi[l]);
    next[l] = DUN_FMA(keep, x[l] - mean, mean) + pushed;
    term[l] -= c[l] * DUN_FMA(.5 * v, c[l], deviation * xi[l]);
  }
}

DUN_CLONES void dun_controlled_reference(const struct dun_controlled *s, int64_t k, int64_t j,
                                         double *keep, double *v)
{
  double noise = 2 * s->sigma[k] * s->sigma[k] / (double)s->steps;
  double own = s->scale[j] * s->scale[j];
  int brownian = s->reference == DUN_BROWNIAN;

  *keep = brownian ? 1 : dun_exp(-.5 * noise / own);
  *v = brownian ? noise : -own * dun_expm1(-noise / own);
}

void dun_controlled_guide(const struct dun_controlled *s, int64_t k, const double *x,
                          const double *g, double *score, double *factor)
{
  int64_t d = s->target->dimension;
  double t = s->exponent ? s->exponent[k] : (double)k / (double)s->steps;

  for (int64_t j = 0; j < d; j++)
    s->precision[j] = -t * s->precision[d + j];
  dun_controlled_score(s, t, s->precision, x, g, score, factor);
}

/* A step along a reference process; w.g is the target's gradient at x. */
static void step_driven(const struct dun_controlled *s, int64_t k, const struct columns *w,
                        double *x, double *log_ratio)
{
  int d = s->target->dimension;
  double keep, v;
  double term[DUN_LANES] __attribute__((aligned(64))) = {0};

  dun_controlled_guide(s, k, x, w->g, w->f, NULL);
  look_at(s, k, x, w->u);
  add_control(s, k, 1, x, w, w->f);
  for (int64_t j = 0; j < d; j++) {
    int64_t at = j * DUN_LANES;
    dun_controlled_reference(s, k, j, &keep, &v);
    drive(s->mean[j], keep, v, x + at, w->f + at, w->xi + at, w->next + at, term);
  }
  close_step(d, term, -INFINITY, x, w->next, log_ratio);
  memcpy(x, w->next, (size_t)d * DUN_LANES * sizeof *x);
}

/* lp += sign log r_t(x); of the annealed path r_t is the base. */
static void add_law(const struct dun_controlled *s, double t, double sign, const double *x,
                    double *lp)
{
  double constant, own[DUN_LANES] __attribute__((aligned(64)));

  dun_controlled_law(s, t, 0, s->precision, &constant);
  dun_controlled_law_at(s, s->precision, constant, x, own, NULL);
  for (int l = 0; l < DUN_LANES; l++)
    lp[l] += sign * own[l];
}

/* Of n rows[d], each so far behind the one before. */
DUN_CLONES static void narrow(int n, int64_t d, const double *restrict rows, int64_t stride,
                              float *restrict out)
{
  for (int l = 0; l < n; l++)
    for (int64_t j = 0; j < d; j++)
      out[l * stride + j] = (float)rows[l * d + j];
}

/* Point number `point` of the piece, where a track is kept; rows[64][d] is scratch. */
static void keep(const struct dun_controlled *s, uint32_t tile, int64_t point, int n,
                 const double *x, const double *g, double *rows)
{
  const struct dun_track *track = s->track;
  int d = s->target->dimension;

  if (!track)
    return;
  int64_t first = (int64_t)tile * track->tiles.tile - track->tiles.first;
  int64_t stride = track->points * d, at = first * stride + point * d;
  dun_rows_from_columns(n, d, x, rows);
  narrow(n, d, rows, stride, track->x + at);
  dun_rows_from_columns(n, d, g, rows);
  narrow(n, d, rows, stride, track->gradient + at);
}

void dun_controlled_carry(const void *self, double t, double next, int n,
                          struct dun_address address, double *x, double *memory, double *log_ratio)
{
  const struct dun_controlled *s = self;
  struct columns w = columns_of(s);
  int64_t first = llround(t * (double)s->steps), end = llround(next * (double)s->steps);
  int d = s->target->dimension, annealed = s->reference == DUN_ANNEALED;

  (void)memory;
  memset(log_ratio, 0, DUN_LANES * sizeof *log_ratio);
  if (annealed) {
    target_gradient(s, n, x, w.g);
    look_at(s, first, x, w.u);
  } else {
    add_law(s, t, 1, x, log_ratio);
  }
  for (int64_t k = first; k < end && !s->target->given_up; k++) {
    dun_normals_from(address, (k - first) * d, d, w.xi);
    if (!annealed)
      target_gradient(s, n, x, w.g);
    keep(s, address.tile, k - first, n, x, w.g, w.next);
    if (annealed)
      step_annealed(s, k, n, &w, x, log_ratio);
    else
      step_driven(s, k, &w, x, log_ratio);
  }
  /* Of what is driven nobody asks this gradient. */
  keep(s, address.tile, end - first, n, x, w.g, w.next);
  if (!annealed)
    add_law(s, next, -1, x, log_ratio);
}

/* ---- the way back ---------------------------------------------------------------------------- */

/* From x' to x by the annealed step's own way back; w.g is the target's gradient at x', and then at
 * x; so is what was looked at. */
static void return_annealed(const struct dun_controlled *s, int64_t k, int n,
                            const struct columns *w, double *x, double *log_weight)
{
  int d = s->target->dimension;
  double dt = 1 / (double)s->steps, drift = s->sigma[k] * s->sigma[k] * dt;
  double constant, term[DUN_LANES] __attribute__((aligned(64)));
  double t = s->exponent ? s->exponent[k] : (double)k * dt;

  dun_controlled_law(s, 0, t, s->precision, &constant);
  dun_controlled_score(s, t, s->precision, x, w->g, w->b, NULL);
  add_control(s, k + 1, -1, x, w, w->b);
  dun_columns_sum(d, x, drift, w->b, w->next);
  dun_columns_add(d, sqrt(2 * drift), w->xi, w->next);
  target_gradient(s, n, w->next, w->g);
  dun_controlled_score(s, t, s->precision, w->next, w->g, w->f, NULL);
  look_at(s, k, w->next, w->u);
  add_control(s, k, 1, w->next, w, w->f);
  dun_controlled_ratio(d, .25 * drift, w->next, x, w->f, w->b, term);
  close_step(d, term, INFINITY, x, w->next, log_weight);
  memcpy(x, w->next, (size_t)d * DUN_LANES * sizeof *x);
}

/* x of the reference given x' one step later, where r_k and r_{k+1} have variances `now` and
 * `later`. */
DUN_CLONES static void draw_back(double mean, double keep, double v, double now, double later,
                                 const double *restrict next, const double *restrict xi,
                                 double *restrict x)
{
  double gain = keep * now / later, deviation = sqrt(v * now / later);

  for (int l = 0; l < DUN_LANES; l++)
    x[l] = DUN_FMA(gain, next[l] - mean, mean) + deviation * xi[l];
}

/* The reference reversed; w.g is written. */
static void return_driven(const struct dun_controlled *s, int64_t k, int n, const struct columns *w,
                          double *x, double *log_weight)
{
  int d = s->target->dimension, brownian = s->reference == DUN_BROWNIAN;
  double keep, v, term[DUN_LANES] __attribute__((aligned(64)));

  for (int64_t j = 0; j < d; j++) {
    int64_t at = j * DUN_LANES;
    double own = s->scale[j] * s->scale[j];
    dun_controlled_reference(s, k, j, &keep, &v);
    draw_back(s->mean[j], keep, v, own + (brownian ? s->variance[k] : 0),
              own + (brownian ? s->variance[k + 1] : 0), x + at, w->xi + at, w->next + at);
  }
  target_gradient(s, n, w->next, w->g);
  dun_controlled_guide(s, k, w->next, w->g, w->f, NULL);
  look_at(s, k, w->next, w->u);
  add_control(s, k, 1, w->next, w, w->f);
  dun_controlled_driven_ratio(s, k, w->next, x, w->f, term);
  close_step(d, term, INFINITY, x, w->next, log_weight);
  memcpy(x, w->next, (size_t)d * DUN_LANES * sizeof *x);
}

void dun_controlled_return(const struct dun_controlled *s, int64_t piece, int n,
                           struct dun_address address, double *x, double *log_weight)
{
  struct columns w = columns_of(s);
  int64_t count = s->steps / s->pieces, first = piece * count, d = s->target->dimension;
  int annealed = s->reference == DUN_ANNEALED;
  double lp[DUN_LANES] __attribute__((aligned(64))) = {0};

  if (piece == s->pieces - 1) {
    dun_evaluate(s->target, n, x, lp, NULL, NULL);
    for (int l = 0; l < DUN_LANES; l++)
      log_weight[l] += lp[l];
    if (!annealed)
      add_law(s, 1, -1, x, log_weight);
  }
  if (annealed) {
    target_gradient(s, n, x, w.g);
    look_at(s, first + count, x, w.u);
  }
  for (int64_t k = first + count; k-- > first && !s->target->given_up;) {
    dun_normals_from(address, (k - first) * d, (int)d, w.xi);
    if (annealed)
      return_annealed(s, k, n, &w, x, log_weight);
    else
      return_driven(s, k, n, &w, x, log_weight);
  }
  if (piece == 0 && annealed)
    add_law(s, 0, -1, x, log_weight);
}
