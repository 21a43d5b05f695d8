#include "methods/psld_tuned.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/scalar.h"
#include "numerics/lanczos.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, STEPS = 24, BINS = 80 };

/* ---- bins of alike directions --------------------------------------------------------------- */

/* Variances that are at most so many times apart go together. */
static const double RATIO = 1.4142135623730951;

struct bins {
  double largest; /* variance, of bin 0 */
  double count[BINS], log_sum[BINS], square[BINS];
};

/* `square`: of means along them. */
static void add(struct bins *bins, double variance, double count, double square)
{
  double floor = bins->largest * 1e-12, v = variance > floor ? variance : floor;
  int at = (int)(dun_scalar_log(bins->largest / v) / dun_scalar_log(RATIO) + .5);

  at = at < 0 ? 0 : at >= BINS ? BINS - 1 : at;
  bins->count[at] += count;
  bins->log_sum[at] += count * dun_scalar_log(v);
  bins->square[at] += square;
}

static int directions_of(const struct bins *bins, struct dun_phase_direction *direction)
{
  int count = 0;

  for (int i = 0; i < BINS; i++) {
    double n = bins->count[i];
    double middle = dun_scalar_log(bins->largest) - i * dun_scalar_log(RATIO);
    if (n > 0 || bins->square[i] > 0)
      direction[count++] = (struct dun_phase_direction){
          dun_scalar_exp(n > 0 ? bins->log_sum[i] / n : middle), n, bins->square[i]};
  }
  return count;
}

/* ---- the target's covariance, from the field ------------------------------------------------ */

struct slope {
  const struct dun_field *field;
  const void *self;
  int d;
  double epsilon;
  double *h, *other, *lambda; /* [d][64], [d][64], [64] of zeros */
};

/* The mean under the tilt of h. */
static void mean_at(const struct slope *s, const double *h, double *mean)
{
  struct dun_field_call call = {.n = L, .h = h, .lambda = s->lambda, .label = -1, .mean = mean};

  s->field->value(s->self, &call);
}

/* Covariance times v: the slope of the mean at no tilt. */
static void apply(void *data, const double *v, double *out)
{
  const struct slope *s = data;
  int64_t column = (int64_t)s->d * L;

  for (int64_t i = 0; i < column; i++)
    s->h[i] = s->epsilon * v[i];
  mean_at(s, s->h, out);
  for (int64_t i = 0; i < column; i++)
    s->h[i] = -s->h[i];
  mean_at(s, s->h, s->other);
  for (int64_t i = 0; i < column; i++)
    out[i] = (out[i] - s->other[i]) / (2 * s->epsilon);
}

/* All axes, one a lane, or random directions where there are more. */
static void first_vectors(const struct dun_run *run, int d, double *v)
{
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_DIRECTION);

  if (d > L)
    dun_normals(address, d, v);
  for (int l = 0; l < L; l++) {
    double square = 0;
    for (int64_t j = 0; j < d && d <= L; j++)
      v[j * L + l] = j == l % d;
    for (int64_t j = 0; j < d; j++)
      square += v[j * L + l] * v[j * L + l];
    for (int64_t j = 0; j < d; j++)
      v[j * L + l] /= sqrt(square);
  }
}

/* The mean as a direction; its square length. */
static double mean_vector(const struct slope *s, double *v)
{
  double square = 0;
  int64_t column = (int64_t)s->d * L;

  memset(s->h, 0, (size_t)column * sizeof *s->h);
  mean_at(s, s->h, v);
  for (int64_t j = 0; j < s->d; j++)
    square += v[j * L] * v[j * L];
  for (int64_t i = 0; i < column && square > 0; i++)
    v[i] /= sqrt(square);
  return square;
}

/* Steps of h that move means by a thousandth of the width. */
static void set_epsilon(struct slope *s, double *v, double *scratch)
{
  double most = 0;

  s->epsilon = 1e-3;
  apply(s, v, scratch);
  for (int64_t i = 0; i < (int64_t)s->d * L; i++)
    most = fmax(most, fabs(scratch[i]));
  if (most > 0 && isfinite(most))
    s->epsilon = 1e-3 / sqrt(most);
}

/* work: first vectors [d], Lanczos' scratch, nodes and weights. */
static int find_spectrum(struct slope *s, const struct dun_run *run, double *work,
                         struct bins *bins)
{
  int d = s->d, steps = d < STEPS ? d : STEPS, lanes = d < L ? d : L;
  double *v = work, *scratch = v + (int64_t)d * L;
  double *node = scratch + (int64_t)dun_lanczos_scratch(d, steps) * L, *weight = node + steps * L;

  first_vectors(run, d, v);
  set_epsilon(s, v, scratch);
  dun_lanczos(d, steps, 1e-6, apply, s, v, scratch, node, weight);
  for (int64_t i = 0; i < (int64_t)steps * L; i++)
    bins->largest = fmax(bins->largest, weight[i] > 0 ? node[i] : 0);
  if (!(bins->largest > 0 && isfinite(bins->largest)))
    return dun_fail(DUN_ERROR_INPUT, "grid tuned: the field's target has no finite covariance; "
                                     "give method.spectrum");
  for (int k = 0; k < steps; k++)
    for (int l = 0; l < lanes; l++)
      if (weight[k * L + l] > 0)
        add(bins, node[k * L + l], weight[k * L + l] * d / lanes, 0);
  double square = mean_vector(s, v);
  if (square > 0)
    dun_lanczos(d, steps, 1e-6, apply, s, v, scratch, node, weight);
  for (int k = 0; k < steps && square > 0; k++)
    if (weight[k * L] > 0)
      add(bins, node[k * L], 0, square * weight[k * L]);
  return 0;
}

static int from_field(const struct dun_march *m, const struct dun_run *run, struct bins *bins)
{
  int64_t d = m->d, steps = d < STEPS ? d : STEPS, column = d * L;
  int64_t numbers = 3 * column + dun_lanczos_scratch((int)d, (int)steps) * L + 2 * steps * L + L;
  int code;

  if (m->field->prepare || (m->field->spread_out && m->field->spread_out(m->field_self)))
    return dun_fail(DUN_ERROR_INPUT,
                    "grid tuned learns the target's spectrum from field exact: of field %s give "
                    "method.spectrum, variances",
                    m->field->type.name);
  double *work = dun_allocate(numbers, sizeof *work);
  if (!work)
    return DUN_ERROR_MEMORY;
  struct slope slope = {.field = m->field,
                        .self = m->field_self,
                        .d = (int)d,
                        .h = work,
                        .other = work + column,
                        .lambda = work + 2 * column};
  memset(work, 0, (size_t)(2 * column + L) * sizeof *work);
  code = find_spectrum(&slope, run, work + 2 * column + L, bins);
  dun_free(work);
  return code;
}

/* ---- the choice ----------------------------------------------------------------------------- */

static int choose(struct dun_psld_tuned *t, const struct dun_march *m,
                  const struct dun_numbers *variances, const struct dun_run *run)
{
  struct dun_phase_direction direction[BINS];
  struct dun_phase_budget budget = {.evaluations = m->grid.evaluations,
                                    .last = m->final == DUN_MARCH_DENOISE,
                                    .begin = m->grid.time[0],
                                    .end = m->grid.time[m->grid.count],
                                    .eta = {t->eta[0], t->eta[1]}};
  struct bins bins = {0};
  int code = 0;

  if (m->grid.evaluations < 1)
    return dun_fail(DUN_ERROR_INPUT, "grid tuned needs a budget: give grid.evaluations");
  if (m->final == DUN_MARCH_DRAW)
    return dun_fail(DUN_ERROR_INPUT, "grid tuned knows finals state and denoise, not draw");
  for (int64_t i = 0; i < variances->count; i++)
    bins.largest = fmax(bins.largest, variances->value[i]);
  if (variances->count > 0 && !(bins.largest > 0))
    return dun_fail(DUN_ERROR_INPUT, "method.spectrum has no variance above 0");
  for (int64_t i = 0; i < variances->count; i++)
    add(&bins, variances->value[i], 1, 0);
  if (variances->count == 0 && (code = from_field(m, run, &bins)) < 0)
    return code;
  return dun_phase_tune(t->space, &budget, t->given, directions_of(&bins, direction), direction,
                        &t->choice);
}

int dun_psld_tune(struct dun_context *context, struct dun_psld_tuned *tuned,
                  const struct dun_march *march, const struct dun_numbers *variances,
                  const struct dun_run *run)
{
  return dun_agree(context, choose(tuned, march, variances, run));
}
