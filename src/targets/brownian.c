/* A random walk that starts from 0, x_t ~ N(x_{t-1}, s_1^2), of which some places were observed
 * with noise, y_t ~ N(x_t, s_2^2).  The scales s are known or log-normal, and then coordinates of
 * their own in front of the path: s = log(1 + exp(z)), with the Jacobian log sigmoid(z).
 *
 * The log of s is found without s where z is far below 0, and with it the prior in the form
 * log (ds/dz) - log s, which tends to 0 there. */
#include "targets/brownian.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "targets/setup.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, SCALES = DUN_BROWNIAN_SCALES, UNKNOWN = -1, MOST_TIMES = 500000 };

/* Beyond them a path's steps are as improbable as they get without overflow, and forces are 0. */
#define FARTHEST_LOG  160.0
#define FARTHEST_STEP 1e75
#define FARTHEST      1e150

struct brownian {
  struct dun_data data;
  struct dun_csv_format format;
  char *column;
  double scale[SCALES]; /* UNKNOWN, or a number */
  double location, deviation;

  struct dun_brownian walk; /* of which the observations are owned here */
  double *observed;
  int place[SCALES]; /* coordinate of z, -1 of a known scale */
  int first;         /* coordinate of the path's first place */
  double log_evidence;
};

#define SCALE_ROW(name_, index_, doc_)                                                             \
  {                                                                                                \
    .name = name_, .type = DUN_NUMBER,                                                             \
    .offset = offsetof(struct brownian, scale) + (index_) * sizeof(double), .initial = "unknown",  \
    .minimum = 1e-30, .maximum = 1e30, .words = "unknown", .doc = doc_                             \
  }

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_DATA,
     .offset = offsetof(struct brownian, data),
     .doc = "CSV file with a row for each time; nan, NA or nothing where there is no observation."},
    DUN_CSV_ROWS(struct brownian, format, NULL),
    {.name = "column",
     .type = DUN_TEXT,
     .offset = offsetof(struct brownian, column),
     .initial = "",
     .doc = "Name or number (from 0) of the column of observations, the last if left out."},
    SCALE_ROW("innovation", 0,
              "Standard deviation of a step; unknown: a parameter with a log-normal prior."),
    SCALE_ROW("observation", 1,
              "Standard deviation of the observations' noise; unknown: a parameter, too."),
    {.name = "prior_location",
     .type = DUN_NUMBER,
     .offset = offsetof(struct brownian, location),
     .initial = "0",
     .minimum = -50,
     .maximum = 50,
     .doc = "Mean of the logs of unknown scales."},
    {.name = "prior_scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct brownian, deviation),
     .initial = "2",
     .minimum = 1e-3,
     .maximum = 10,
     .doc = "Standard deviation of the logs of unknown scales."},
    {0}};

/* ---- data -------------------------------------------------------------------------------- */

static int take_column(struct brownian *t, const struct dun_csv *csv, struct dun_message why)
{
  int column = t->column ? dun_csv_find(csv, &t->data, t->column) : csv->columns - 1;
  if (column < 0 || dun_csv_check_gaps(csv, &t->data, column) < 0)
    return dun_refuse_failed(why);
  if (csv->rows > MOST_TIMES)
    return dun_refuse(why, "data: %s: found %lld rows, expected at most %d", t->data.path,
                      csv->rows, MOST_TIMES);
  t->observed = dun_allocate(csv->rows, sizeof *t->observed);
  if (!t->observed)
    return dun_refuse_failed(why);
  for (long long i = 0; i < csv->rows; i++) {
    double value = csv->value[i * csv->columns + column];
    t->observed[i] = value;
    t->walk.seen += !isnan(value);
    if (fabs(value) > 1e30)
      return dun_refuse(why, "%s:%lld: found %g, expected a number from -1e30 to 1e30",
                        t->data.path, csv->line[i], value);
  }
  if (t->walk.seen == 0)
    return dun_refuse(why, "data: %s: found no number in the column of observations", t->data.path);
  t->walk.times = (int)csv->rows;
  t->walk.observed = t->observed;
  return 0;
}

DUN_CLONES static void take_scales(struct brownian *t)
{
  for (int k = 0; k < SCALES; k++) {
    t->walk.unknown[k] = t->scale[k] == UNKNOWN;
    t->place[k] = t->walk.unknown[k] ? t->first++ : -1;
    t->walk.log_scale[k] = t->walk.unknown[k] ? 0 : dun_log(t->scale[k]);
  }
  t->walk.location = t->location;
  t->walk.deviation = t->deviation;
}

static int init(void *self, struct dun_message why)
{
  struct brownian *t = self;
  struct dun_csv csv;
  if (dun_setup_csv(why, &csv, &t->data, &t->format) < 0)
    return DUN_ERROR_INPUT;
  int status = take_column(t, &csv, why);
  dun_csv_free(&csv);
  if (status < 0)
    return status;
  take_scales(t);
  t->log_evidence = dun_brownian_evidence(&t->walk);
  return 0;
}

static void free_tables(void *self)
{
  DUN_FREE(((struct brownian *)self)->observed);
}

static int dimension_of(const void *self)
{
  const struct brownian *t = self;
  return t->first + t->walk.times;
}

static double log_evidence(const void *self)
{
  return ((const struct brownian *)self)->log_evidence;
}

/* ---- scales ------------------------------------------------------------------------------ */

/* A scale in all lanes. */
struct scale {
  double inverse[L] __attribute__((aligned(64)));   /* 1 / s */
  double log_scale[L] __attribute__((aligned(64))); /* log s */
  double slope[L] __attribute__((aligned(64)));     /* d log s / dz */
};

DUN_INLINE double clamp(double x, double most)
{
  double low = x > -most ? x : -most;
  return low < most ? low : most;
}

DUN_INLINE double log_softplus(double z)
{
  double s = dun_softplus(z > -30 ? z : -30), far = z - .5 * dun_exp_weight(z < -30 ? z : -30);
  double near = dun_log_normal(s);
  return z < -30 ? far : near;
}

/* sigmoid(z) / softplus(z). */
DUN_INLINE double slope_of(double z)
{
  double inside = z > -30 ? z : -30, ratio = dun_sigmoid(inside) / dun_softplus(inside);
  return z < -30 ? 1 : ratio;
}

DUN_INLINE void find_scale(const struct brownian *t, int k, const double *restrict x,
                           struct scale *out)
{
  int place = t->place[k];
  for (int l = 0; l < L && place < 0; l++) {
    out->log_scale[l] = t->walk.log_scale[k];
    out->slope[l] = 0;
  }
  for (int l = 0; l < L && place >= 0; l++) {
    double z = x[(ptrdiff_t)place * L + l];
    double log_s = log_softplus(z), slope = slope_of(z);
    out->log_scale[l] = clamp(log_s, FARTHEST_LOG);
    out->slope[l] = fabs(log_s) < FARTHEST_LOG ? slope : 0;
  }
  for (int l = 0; l < L; l++)
    out->inverse[l] = dun_exp(-out->log_scale[l]);
}

/* The prior of an unknown scale, added to sum, and its gradient. */
DUN_INLINE void add_scale_prior(const struct brownian *t, int k, const double *restrict x,
                                double *restrict sum, const double *restrict scale,
                                double *restrict gradient)
{
  ptrdiff_t at = t->place[k];
  double constant = -.5 * DUN_LOG_2PI - dun_log(t->deviation), narrow = 1 / t->deviation;
  if (at < 0)
    return;
  for (int l = 0; l < L; l++) {
    double z = x[at * L + l], log_s = log_softplus(z);
    double y = clamp(narrow * (log_s - t->location), FARTHEST), near = -dun_softplus(-z) - log_s;
    double far = -.5 * dun_exp_weight(z < -30 ? z : -30);
    sum[l] += constant - .5 * y * y + (z < -30 ? far : near);
  }
  for (int l = 0; l < L && gradient; l++) {
    double z = x[at * L + l], slope = slope_of(z), bend = dun_sigmoid(-z) - slope;
    double y = narrow * (log_softplus(z) - t->location), pull = slope * (narrow * y);
    double force = (z < -30 ? 0 : bend) - (fabs(y) < FARTHEST ? pull : 0);
    gradient[at * L + l] = DUN_FMA(scale[l], force, gradient[at * L + l]);
  }
}

/* ---- the path ---------------------------------------------------------------------------- */

/* Adds the walk's log density to sum. */
DUN_INLINE void add_path(const struct brownian *t, const double *restrict x,
                         const struct scale *step, double *restrict sum,
                         const double *restrict scale, double *restrict gradient)
{
  double square[L] __attribute__((aligned(64))) = {0}, before[L] __attribute__((aligned(64))) = {0};
  int times = t->walk.times;
  for (ptrdiff_t i = 0; i < times; i++) {
    const double *restrict at = DUN_ALIGNED(x + (t->first + i) * L);
    double *restrict out = gradient ? gradient + (t->first + i) * L : NULL;
    for (int l = 0; l < L; l++) {
      double off = at[l] - before[l], y = clamp(off, FARTHEST_STEP) * step->inverse[l];
      square[l] = DUN_FMA(y, y, square[l]);
      before[l] = at[l];
      if (gradient) {
        double force = fabs(off) < FARTHEST_STEP ? scale[l] * (step->inverse[l] * y) : 0;
        out[l] -= force;
        if (i > 0)
          out[l - L] += force;
      }
    }
  }
  for (int l = 0; l < L; l++)
    sum[l] -= .5 * (square[l] + times * DUN_LOG_2PI) + times * step->log_scale[l];
  for (int l = 0; l < L && gradient && t->place[0] >= 0; l++)
    gradient[(ptrdiff_t)t->place[0] * L + l] += scale[l] * (step->slope[l] * (square[l] - times));
}

/* Adds the observations' log likelihood to sum. */
DUN_INLINE void add_observations(const struct brownian *t, const double *restrict x,
                                 const struct scale *noise, double *restrict sum,
                                 const double *restrict scale, double *restrict gradient)
{
  double square[L] __attribute__((aligned(64))) = {0};
  int seen = t->walk.seen;
  for (ptrdiff_t i = 0; i < t->walk.times; i++) {
    const double *restrict at = DUN_ALIGNED(x + (t->first + i) * L);
    double *restrict out = gradient ? gradient + (t->first + i) * L : NULL;
    double observed = t->observed[i];
    if (isnan(observed))
      continue;
    for (int l = 0; l < L; l++) {
      double off = observed - at[l], y = clamp(off, FARTHEST_STEP) * noise->inverse[l];
      square[l] = DUN_FMA(y, y, square[l]);
      if (gradient)
        out[l] += fabs(off) < FARTHEST_STEP ? scale[l] * (noise->inverse[l] * y) : 0;
    }
  }
  for (int l = 0; l < L; l++)
    sum[l] -= .5 * (square[l] + seen * DUN_LOG_2PI) + seen * noise->log_scale[l];
  for (int l = 0; l < L && gradient && t->place[1] >= 0; l++)
    gradient[(ptrdiff_t)t->place[1] * L + l] += scale[l] * (noise->slope[l] * (square[l] - seen));
}

/* ---- density ----------------------------------------------------------------------------- */

DUN_CLONES
static void prior(const void *self, const double *restrict x, double *restrict lp,
                  const double *restrict scale, double *restrict gradient, double *work)
{
  const struct brownian *t = self;
  double sum[L] __attribute__((aligned(64))) = {0};
  struct scale step;
  (void)work;
  for (int k = 0; k < SCALES; k++)
    add_scale_prior(t, k, x, sum, scale, gradient);
  find_scale(t, 0, x, &step);
  add_path(t, x, &step, sum, scale, gradient);
  for (int l = 0; lp && l < L; l++)
    lp[l] = sum[l];
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *work)
{
  const struct brownian *t = self;
  double sum[L] __attribute__((aligned(64))) = {0};
  struct scale noise;
  prior(self, x, lp, scale, gradient, work);
  find_scale(t, 1, x, &noise);
  add_observations(t, x, &noise, sum, scale, gradient);
  for (int l = 0; lp && l < L; l++)
    lp[l] += sum[l];
}

/* z = log(exp(s) - 1), of small s by its logarithm. */
DUN_CLONES
static void draw_prior(const void *self, const double *restrict uniform,
                       const double *restrict normal, double *restrict x)
{
  const struct brownian *t = self;
  double step[L] __attribute__((aligned(64))), at[L] __attribute__((aligned(64))) = {0};
  (void)uniform;
  for (int l = 0; l < L; l++)
    step[l] = dun_exp(t->walk.log_scale[0]);
  for (int k = 0; k < SCALES; k++)
    for (int l = 0; l < L && t->place[k] >= 0; l++) {
      ptrdiff_t i = (ptrdiff_t)t->place[k] * L + l;
      double log_s = DUN_FMA(t->deviation, normal[i], t->location), s = dun_exp(log_s);
      double inside = s > 1e-12 ? s : 1e-12, above = inside < 40 ? inside : 40;
      double near = inside + dun_log(-dun_expm1(-above));
      x[i] = s > 1e-12 ? near : log_s + .5 * s;
      step[l] = k == 0 ? s : step[l];
    }
  for (ptrdiff_t i = t->first; i < t->first + t->walk.times; i++)
    for (int l = 0; l < L; l++) {
      at[l] = DUN_FMA(step[l], normal[i * L + l], at[l]);
      x[i * L + l] = at[l];
    }
}

/* ---- parameters as users know them ------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter scale[SCALES] = {
      {.name = "innovation_scale", .doc = "Standard deviation of a step."},
      {.name = "observation_scale", .doc = "Standard deviation of the observations' noise."},
  };
  const struct brownian *t = self;
  int count = 0;
  for (int k = 0; k < SCALES; k++)
    if (t->place[k] >= 0 && count++ < capacity)
      parameter[count - 1] = scale[k];
  if (count++ < capacity)
    parameter[count - 1] = (struct dun_parameter){
        .name = "path", .rank = 1, .shape = {t->walk.times}, .doc = "Where the walk is."};
  return count;
}

DUN_CLONES static void constrain(const void *self, const double *x, double *theta)
{
  const struct brownian *t = self;
  int d = dimension_of(self);
  for (int i = 0; i < d; i++)
    theta[i] = i < t->first ? dun_exp(log_softplus(x[i])) : x[i];
}

const struct dun_target dun_target_brownian = {
    .type = {DUN_TYPE(struct dun_target), .name = "brownian",
             .doc = "A random walk of which some places were observed with noise, all scales known "
                    "or not.",
             .citation = "Sountsov, Radul & contributors 2020, Inference Gym, Brownian motion",
             .size = sizeof(struct brownian), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .prior = prior,
    .draw_normals = -1,
    .draw_prior = draw_prior,
    .log_evidence = log_evidence,
    .parameters = parameters,
    .constrain = constrain,
};
