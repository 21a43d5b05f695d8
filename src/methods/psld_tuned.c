#include "methods/psld_tuned.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/scalar.h"
#include "methods/psld_pilot.h"
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
  double epsilon[L];
  double *base, *h, *other, *lambda; /* where: [d][64], [64]; scratch [d][64] */
};

/* The mean under a tilt. */
static void mean_at(const struct slope *s, const double *h, double *mean)
{
  struct dun_field_call call = {.n = L, .h = h, .lambda = s->lambda, .label = -1, .mean = mean};

  s->field->value(s->self, &call);
}

static void mean_beside(const struct slope *s, double factor, const double *v, double *mean)
{
  for (int64_t i = 0; i < (int64_t)s->d * L; i++)
    s->h[i] = s->base[i] + factor * s->epsilon[i % L] * v[i];
  mean_at(s, s->h, mean);
}

/* Covariance under the base's tilt times v: the slope of the mean. */
static void apply(void *data, const double *v, double *out)
{
  const struct slope *s = data;

  mean_beside(s, 1, v, out);
  mean_beside(s, -1, v, s->other);
  for (int64_t i = 0; i < (int64_t)s->d * L; i++)
    out[i] = (out[i] - s->other[i]) / (2 * s->epsilon[i % L]);
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

  mean_at(s, s->base, v);
  for (int64_t j = 0; j < s->d; j++)
    square += v[j * L] * v[j * L];
  for (int64_t i = 0; i < (int64_t)s->d * L && square > 0; i++)
    v[i] /= sqrt(square);
  return square;
}

/* Steps of h that move the mean along v by `part` of its width there; `out` is scratch. */
static void set_epsilon(struct slope *s, double part, double guess, const double *v, double *out)
{
  double along[L] = {0};

  for (int l = 0; l < L; l++)
    s->epsilon[l] = guess;
  apply(s, v, out);
  for (int64_t i = 0; i < (int64_t)s->d * L; i++)
    along[i % L] += v[i] * out[i];
  for (int l = 0; l < L; l++)
    s->epsilon[l] = along[l] > 0 && isfinite(along[l]) ? part / sqrt(along[l]) : guess;
}

/* Whether the mean is not linear in h: then the target is no Gaussian. */
static int is_curved(const struct slope *s, const double *v, double *once, double *twice)
{
  double off = 0, size = 0;

  mean_beside(s, 1000, v, once);
  mean_beside(s, 2000, v, twice);
  mean_at(s, s->base, s->other);
  for (int64_t i = 0; i < (int64_t)s->d * L; i++) {
    off = fmax(off, fabs(twice[i] - 2 * once[i] + s->other[i]));
    size = fmax(size, fabs(twice[i] - s->other[i]));
  }
  return off > 1e-6 * size;
}

/* Scratch, cut up. */
struct work {
  int steps;
  double *v, *lanczos, *node, *weight; /* [d][64], ..., [steps][64] twice */
};

/* Of all the target: covariance and mean. */
static int add_spectrum(struct slope *s, const struct work *w, struct bins *bins)
{
  int lanes = s->d < L ? s->d : L;

  dun_lanczos(s->d, w->steps, 1e-6, apply, s, w->v, w->lanczos, w->node, w->weight);
  for (int i = 0; i < w->steps * L; i++)
    bins->largest = fmax(bins->largest, w->weight[i] > 0 ? w->node[i] : 0);
  if (!(bins->largest > 0 && isfinite(bins->largest)))
    return dun_fail(DUN_ERROR_INPUT, "grid tuned: the field's target has no finite covariance; "
                                     "give method.spectrum");
  for (int i = 0; i < w->steps * L; i++)
    if (i % L < lanes && w->weight[i] > 0)
      add(bins, w->node[i], w->weight[i] * s->d / lanes, 0);
  double square = mean_vector(s, w->v);
  if (square > 0)
    dun_lanczos(s->d, w->steps, 1e-6, apply, s, w->v, w->lanczos, w->node, w->weight);
  for (int k = 0; k < w->steps && square > 0; k++)
    if (w->weight[k * L] > 0)
      add(bins, w->node[k * L], 0, square * w->weight[k * L]);
  return 0;
}

/* Of what the target is like about the points of a pilot march: seen through noise 1 / lambda a
 * variance v is 1 / (1 / v + lambda).  Not wider than the whole. */
static int add_local(struct slope *s, const struct dun_psld_tuned *t, const struct dun_march *m,
                     const struct dun_run *run, const struct work *w, struct bins *bins)
{
  const struct dun_channel *c = &m->channel[m->grid.count];
  int code = dun_psld_pilot(t->space, m, run, s->base, w->lanczos);

  if (code < 0)
    return code;
  for (int l = 0; l < L; l++)
    s->lambda[l] = c->lambda;
  first_vectors(run, s->d, w->v);
  set_epsilon(s, .1, 1e-3 * sqrt(c->lambda), w->v, w->lanczos);
  dun_lanczos(s->d, w->steps, 1e-6, apply, s, w->v, w->lanczos, w->node, w->weight);
  for (int i = 0; i < w->steps * L; i++) {
    double left = 1 / w->node[i] - c->lambda;
    double variance = left * bins->largest > 1 ? 1 / left : bins->largest;
    if (w->weight[i] > 0 && w->node[i] > 0)
      add(bins, variance, w->weight[i] * s->d / L, 0);
  }
  return 0;
}

static int find_spectrum(struct slope *s, const struct dun_psld_tuned *t, const struct dun_march *m,
                         const struct dun_run *run, const struct work *w, struct bins *bins)
{
  int code, curved;

  first_vectors(run, s->d, w->v);
  set_epsilon(s, 1e-3, 1e-3, w->v, w->lanczos);
  curved = is_curved(s, w->v, w->lanczos, w->lanczos + (int64_t)s->d * L);
  code = add_spectrum(s, w, bins);
  return code < 0 || !curved ? code : add_local(s, t, m, run, w, bins);
}

static int from_field(const struct dun_psld_tuned *t, const struct dun_march *m,
                      const struct dun_run *run, struct bins *bins)
{
  int64_t d = m->d, steps = d < STEPS ? d : STEPS, column = d * L;
  int64_t scratch = dun_lanczos_scratch((int)d, (int)steps) * L;
  int code;

  if (m->field->prepare || m->field->rows || m->field->evaluations)
    return dun_fail(DUN_ERROR_INPUT,
                    "grid tuned learns the target's spectrum from field exact: of field %s give "
                    "method.spectrum, variances",
                    m->field->type.name);
  scratch =
      scratch > dun_psld_pilot_scratch((int)d) * L ? scratch : dun_psld_pilot_scratch((int)d) * L;
  double *work = dun_allocate(4 * column + L + scratch + 2 * steps * L, sizeof *work);
  if (!work)
    return DUN_ERROR_MEMORY;
  memset(work, 0, (size_t)(column + L) * sizeof *work);
  struct slope slope = {.field = m->field,
                        .self = m->field_self,
                        .d = (int)d,
                        .base = work,
                        .lambda = work + column,
                        .h = work + column + L,
                        .other = work + 2 * column + L};
  struct work w = {.steps = (int)steps, .v = slope.other + column};
  w.lanczos = w.v + column;
  w.node = w.lanczos + scratch;
  w.weight = w.node + steps * L;
  code = find_spectrum(&slope, t, m, run, &w, bins);
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
  if (variances->count == 0 && (code = from_field(t, m, run, &bins)) < 0)
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
