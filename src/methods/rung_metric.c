#include "methods/rung_metric.h"
#include "base/error.h"
#include "base/memory.h"
#include "kernels/cloud.h"
#include "methods/metric.h"
#include <math.h>
#include <string.h>

/* Points of a rung that are enough for a round, and how long a round is for its beginning. */
static const double POINTS = 100, POINTS_DIMENSION = 2, ROUND = .3;

/* ---- set-up ---------------------------------------------------------------------------------- */

static int form_of(const struct dun_run *run)
{
  return ((const struct dun_kernel_options *)run->kernel_self)->metric;
}

int dun_rung_metric_may_be_dense(const struct dun_run *run)
{
  int d = run->evaluator->dimension;
  return d > 1 && d <= DUN_RUNGS_DENSE_MOST &&
         (form_of(run) == DUN_METRIC_DENSE || (dun_metric_is_open(run) && run->kernel->keeps));
}

int dun_rung_metric_init(struct dun_rung_metric *m, struct dun_run *run, int64_t rungs,
                         unsigned flags)
{
  int d = run->evaluator->dimension, wanted = dun_rung_metric_may_be_dense(run);

  m->d = wanted ? d : 0;
  m->form = form_of(run);
  m->gradients = run->kernel->keeps;
  m->rungs = rungs;
  run->sweep.dense_rungs = wanted;
  return !wanted || !m->gradients ||
                 dun_run_column(run, "force", DUN_F64, d, flags, "Gradient at the replica's point.")
             ? 0
             : DUN_ERROR_MEMORY;
}

/* A rung's part of the sums. */
static struct dun_cloud cloud_of(const struct dun_rung_metric *m, int64_t rung)
{
  long long sums = m->sums.count / m->rungs, centre = m->centre.count / m->rungs;
  return (struct dun_cloud){.d = m->d,
                            .dense = 1,
                            .gradients = m->gradients,
                            .of_rung = 1,
                            .rung = rung,
                            .sums = {.count = sums, .value = m->sums.value + rung * sums},
                            .centre = {.count = centre, .value = m->centre.value + rung * centre}};
}

static double count_of(const struct dun_rung_metric *m, int64_t rung)
{
  struct dun_cloud cloud = cloud_of(m, rung);
  return dun_cloud_count(&cloud);
}

int dun_rung_metric_start(struct dun_rung_metric *m)
{
  struct dun_cloud one = {.d = m->d, .dense = 1, .gradients = m->gradients};
  int status = 0;

  dun_rung_metric_free(m);
  if (m->d > 0 && (status = dun_cloud_start(&one)) >= 0 &&
      (dun_numbers_make(&m->sums, m->rungs * one.sums.count, 0) < 0 ||
       dun_numbers_make(&m->centre, m->rungs * one.centre.count, 0) < 0))
    status = DUN_ERROR_MEMORY;
  dun_cloud_free(&one);
  return status;
}

int dun_rung_metric_is_sound(const struct dun_rung_metric *m)
{
  struct dun_cloud one;

  if (m->d == 0 || m->sums.count % m->rungs != 0 || m->centre.count % m->rungs != 0)
    return m->d == 0 && m->sums.count == 0 && m->centre.count == 0;
  one = cloud_of(m, 0);
  return dun_cloud_fits(&one);
}

void dun_rung_metric_free(struct dun_rung_metric *m)
{
  DUN_FREE(m->sums.value);
  DUN_FREE(m->centre.value);
  m->sums.count = m->centre.count = 0;
}

/* ---- learning -------------------------------------------------------------------------------- */

int dun_rung_metric_look(struct dun_context *context, struct dun_rung_metric *m,
                         const struct dun_run *run, const struct dun_ladder *ladder, int64_t done)
{
  double wanted = POINTS + POINTS_DIMENSION * m->d;
  int64_t every = 1 + (int64_t)(ROUND * (double)done * (double)ladder->ladders / wanted);
  int status = 0;

  for (int64_t k = 0; k < m->rungs && m->d > 0 && done % every == 0 && status >= 0; k++) {
    struct dun_cloud cloud = cloud_of(m, k);
    status = dun_cloud_add(context, &cloud, &run->sweep, 1, INT64_MAX, 0);
  }
  return status;
}

static enum dun_fisher_form wish(const struct dun_rung_metric *m)
{
  return m->form == DUN_METRIC_DENSE ? DUN_FISHER_DENSE : DUN_FISHER_SHORTER;
}

/* The lower triangle in units of the rung's scales; the unit matrix of a diagonal metric. */
static void store(struct dun_ladder *l, int64_t rung, const struct dun_fisher *found)
{
  const double *scale = l->scale.value + rung * l->d;
  double *out = l->factor.value + rung * dun_ladder_triangle(l);

  for (int64_t i = 0; i < l->d; i++)
    for (int64_t j = 0; j <= i; j++)
      *out++ = found->dense ? found->factor[i * l->d + j] / scale[i] : i == j;
}

static int learn_rung(const struct dun_rung_metric *m, struct dun_ladder *l, int64_t rung,
                      struct dun_fisher *found)
{
  struct dun_cloud cloud = cloud_of(m, rung);
  struct dun_cloud_moments moments = {0};
  int status = dun_cloud_moments(&cloud, &moments);

  if (status >= 0)
    status = dun_fisher_learn(m->d, wish(m), moments.half, l->scale.value + rung * l->d, found);
  if (status >= 0)
    store(l, rung, found);
  dun_free(moments.block);
  return status;
}

int dun_rung_metric_learn(struct dun_rung_metric *m, const struct dun_adaptation *a,
                          struct dun_ladder *l)
{
  int64_t d = m->d, any = 0;
  if (d == 0 || count_of(m, 0) == 0)
    return 0;
  struct dun_fisher found = {.scale = dun_allocate(d, sizeof(double)),
                             .factor = dun_allocate(d * d, sizeof(double))};
  int status = found.scale && found.factor ? 0 : DUN_ERROR_MEMORY;

  if (status >= 0)
    status = dun_numbers_make(&l->factor, m->rungs * dun_ladder_triangle(l), 0);
  for (int64_t k = 0; k < m->rungs && status >= 0; k++) {
    status = learn_rung(m, l, k, &found);
    any += found.dense;
    if (status >= 0 && found.dense && a->adapt_step)
      l->log_step.value[k] = a->first_step;
  }
  if (any == 0)
    dun_ladder_forget_factor(l);
  memset(m->sums.value, 0, (size_t)m->sums.count * sizeof *m->sums.value);
  dun_free(found.scale);
  dun_free(found.factor);
  return status;
}

/* ---- what to think of it --------------------------------------------------------------------- */

static int is_dense(const struct dun_ladder *l, int64_t rung)
{
  const double *entry = l->factor.value + rung * dun_ladder_triangle(l);
  int found = 0;
  for (int64_t i = 0; i < l->d; i++)
    for (int64_t j = 0; j <= i; j++, entry++)
      found |= i != j && *entry != 0;
  return found;
}

void dun_rung_metric_diagnose(const struct dun_rung_metric *m, const struct dun_ladder *l,
                              struct dun_diagnosis *out)
{
  int64_t dense = 0;

  if (m->d == 0 || m->form != DUN_METRIC_AUTO)
    return;
  for (int64_t k = 0; k < m->rungs && l->factor.count > 0; k++)
    dense += is_dense(l, k);
  dun_diagnose(out, "metric", DUN_GOOD, "auto chose a dense metric for %lld of %lld rungs%s",
               (long long)dense, (long long)m->rungs,
               dense > 0 ? "" : ": correlations do not pay, or there were too few points");
}
