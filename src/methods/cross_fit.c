#include "methods/cross_fit.h"
#include "base/error.h"
#include "base/memory.h"
#include "methods/metric.h"
#include "parallel/sum.h"
#include <math.h>

/* A half of fewer effective ancestors than this teaches nothing: the metric before is better. */
static const double LEAST_ANCESTORS = 4;

void dun_cross_fit_free(struct dun_cross_fit *f)
{
  DUN_FREE(f->logw);
  DUN_FREE(f->mean);
  DUN_FREE(f->deviation);
  dun_weights_free(&f->weights);
}

static int prepare(struct dun_cross_fit *f, const struct dun_run *run)
{
  int64_t d = run->evaluator->dimension;

  if (!f->logw)
    f->logw = dun_allocate(run->population.tiles.local + 1, sizeof *f->logw);
  if (!f->mean)
    f->mean = dun_allocate(d, sizeof *f->mean);
  if (!f->deviation)
    f->deviation = dun_allocate(d, sizeof *f->deviation);
  return f->logw && f->mean && f->deviation ? 0 : DUN_ERROR_MEMORY;
}

static int half_of(const struct dun_run *run, int64_t root)
{
  return root >= (run->population.tiles.total + 1) / 2;
}

/* The weights of one half; returns 0 where no particle of it has any. */
static int mask(struct dun_context *context, struct dun_cross_fit *f, const struct dun_run *run,
                int half)
{
  int64_t local = run->population.tiles.local, any = 0;
  const double *logw = dun_f64(run->logw);
  const int64_t *root = dun_i64(run->root);

  for (int64_t i = 0; i < local; i++) {
    f->logw[i] = half_of(run, root[i]) == half ? logw[i] : -INFINITY;
    any |= f->logw[i] > -INFINITY;
  }
  int status = dun_sum_integers(context, 0, 1, &any);
  return status < 0 ? status : any > 0;
}

/* For how many points the other half's correlations count: no more than a few for each effective
 * ancestor, since descendants resemble each other, and the fewer the more coordinates there are,
 * so that of n points n / (n + d + 5) is kept of a correlation.  Where they are many it is taken as
 * it is: of a correlation of 1 - 1e-6 a hundredth less leaves nothing. */
static double points_of(const struct dun_cross_fit *f, double ancestors, double d)
{
  const double most = 8, prior_points = 5;
  double n = f->weights.ess < most * ancestors ? f->weights.ess : most * ancestors;
  return n > 20 * d ? n * n : n * prior_points / (prior_points + d);
}

/* What one half teaches an adaptation. */
static int learn(struct dun_context *context, struct dun_cross_fit *f, struct dun_run *run,
                 int half, struct dun_adaptation *adaptation)
{
  struct dun_column logw = *run->logw;
  struct dun_genealogy genealogy;
  int status = mask(context, f, run, half);

  logw.data = f->logw;
  if (status <= 0 ||
      (status = dun_weights_compute(context, &run->population, &logw, &f->weights)) < 0 ||
      (status = dun_genealogy_compute(context, &run->population, run->root, &logw, &f->weights,
                                      &genealogy)) < 0)
    return status;
  double ancestors = 1 / genealogy.square_sum;
  if (ancestors < LEAST_ANCESTORS)
    return 0;
  status = dun_metric_learn(
      context, run, &logw, &f->weights, adaptation->metric == DUN_METRIC_DENSE,
      points_of(f, ancestors, run->evaluator->dimension), f->mean, f->deviation, adaptation);
  if (status < 0 || !adaptation->adapt_centre)
    return status;
  return dun_agree(context, dun_adaptation_centre(adaptation, f->mean));
}

int dun_cross_fit_metric(struct dun_context *context, struct dun_cross_fit *f, struct dun_run *run)
{
  int learned = dun_adaptation_learns(run->adaptation) || run->adaptation->adapt_centre;
  int status = dun_agree(context, prepare(f, run));

  for (int half = 0; half < DUN_HALVES && learned && status >= 0; half++)
    status = learn(context, f, run, half, &run->adaptation[1 - half]);
  return status;
}

int64_t dun_cross_fit_boundary(struct dun_context *context, const struct dun_run *run)
{
  const int64_t *root = dun_i64(run->root);
  int64_t first = 0;

  for (int64_t i = 0; i < run->population.tiles.local; i++)
    first += !half_of(run, root[i]);
  int status = dun_sum_integers(context, 0, 1, &first);
  return status < 0 ? status : first;
}

void dun_cross_fit_update(struct dun_run *run)
{
  struct dun_adaptation *a = run->adaptation;

  if (isnan(run->sweep.half[0].acceptance) || isnan(run->sweep.half[1].acceptance)) {
    int alive = isnan(run->sweep.half[0].acceptance);
    dun_adaptation_update(&a[alive], &run->sweep.half[alive]);
    return;
  }
  for (int half = 0; half < DUN_HALVES; half++)
    dun_adaptation_update(&a[half], &run->sweep.half[half]);
  dun_adaptation_exchange(&a[0], &a[1]);
}
