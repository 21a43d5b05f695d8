#include "methods/cross_fit.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/metric.h"
#include "parallel/sum.h"
#include "population/covariance.h"
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

/* Ancestors from <= r < to, and the weights of their descendants. */
struct clan {
  int64_t from, to;
  struct dun_column logw; /* -inf for all others */
};

/* One half of the lineages. */
static struct clan half_clan(const struct dun_run *run, int half)
{
  int64_t total = run->population.tiles.total, middle = (total + 1) / 2;
  return (struct clan){.from = half ? middle : 0, .to = half ? total : middle};
}

/* The clan's weights; returns 0 where no particle of it has any. */
static int mask(struct dun_context *context, struct dun_cross_fit *f, const struct dun_run *run,
                struct clan *clan)
{
  int64_t local = run->population.tiles.local, any = 0;
  const double *logw = dun_f64(run->logw);
  const int64_t *root = dun_i64(run->root);

  clan->logw = *run->logw;
  clan->logw.data = f->logw;
  for (int64_t i = 0; i < local; i++) {
    f->logw[i] = root[i] >= clan->from && root[i] < clan->to ? logw[i] : -INFINITY;
    any |= f->logw[i] > -INFINITY;
  }
  int status = dun_sum_integers(context, 0, 1, &any);
  return status < 0 ? status : any > 0;
}

/* The same, and how many equal ancestors it is worth; returns 0 where these are too few. */
static int weigh(struct dun_context *context, struct dun_cross_fit *f, const struct dun_run *run,
                 struct clan *clan, double *ancestors)
{
  struct dun_genealogy genealogy;
  int status = mask(context, f, run, clan);

  if (status <= 0 ||
      (status = dun_weights_compute(context, &run->population, &clan->logw, &f->weights)) < 0 ||
      (status = dun_genealogy_compute(context, &run->population, run->root, &clan->logw,
                                      &f->weights, &genealogy)) < 0)
    return status;
  *ancestors = 1 / genealogy.square_sum;
  return *ancestors >= LEAST_ANCESTORS;
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

/* Means and covariances of a clan's points, and of the forces where they are kept, into
 * block[2 (d + d^2)]; of as many points as its effective size says, and *log_mass of its weights.
 * Returns 0 where it has too few ancestors. */
static int measure(struct dun_context *context, struct dun_cross_fit *f, const struct dun_run *run,
                   struct clan clan, double *block, struct dun_fisher_half *part, double *log_mass)
{
  int64_t d = run->evaluator->dimension;
  double ancestors, *forces = run->sweep.force ? block + d + d * d : NULL;
  int status = weigh(context, f, run, &clan, &ancestors);

  if (status <= 0)
    return status;
  *log_mass = f->weights.log_mean;
  *part = (struct dun_fisher_half){.count = f->weights.ess,
                                   .mean_x = block,
                                   .x = block + d,
                                   .mean_g = forces,
                                   .g = forces ? forces + d : NULL};
  status = dun_weighted_covariance(context, &run->population, run->x, &clan.logw, &f->weights,
                                   block, block + d);
  if (status >= 0 && forces)
    status = dun_weighted_covariance(context, &run->population, run->sweep.force, &clan.logw,
                                     &f->weights, forces, forces + d);
  return status < 0 ? status : 1;
}

/* Points by the shares that the parts have of the weights, so that their pooled covariance is that
 * of all. */
static void share_points(struct dun_fisher_half part[2], const double log_mass[2])
{
  double all = part[0].count + part[1].count;
  double second = 1 / (1 + dun_scalar_exp(log_mass[0] - log_mass[1]));

  part[0].count = all * (1 - second);
  part[1].count = all * second;
}

/* Whether a half's metric is dense, as its own halves find: who is moved by it must have no say.
 * Returns 1 where it is, and was taken, or where too few ancestors are left to find anything and it
 * was dense before. */
static int choose(struct dun_context *context, struct dun_cross_fit *f, struct dun_run *run,
                  struct clan clan, struct dun_adaptation *adaptation)
{
  int64_t d = run->evaluator->dimension, middle = clan.from + (clan.to - clan.from) / 2;
  double *block = dun_allocate(4 * (d + d * d), sizeof *block), log_mass[2];
  struct clan of[2] = {{.from = clan.from, .to = middle}, {.from = middle, .to = clan.to}};
  struct dun_fisher_half part[2];
  int status = dun_agree(context, block ? 0 : DUN_ERROR_MEMORY), known = status >= 0;

  for (int h = 0; h < 2 && known; h++) {
    status = measure(context, f, run, of[h], block + 2 * h * (d + d * d), &part[h], &log_mass[h]);
    known = status > 0;
  }
  if (known) {
    share_points(part, log_mass);
    status = dun_metric_choose(context, part, adaptation, &f->ridge);
    f->choices++;
    f->dense += status > 0;
  }
  dun_free(block);
  return status < 0 || known ? status : adaptation->factor.count > 0;
}

/* Where correlations were found not to pay they are asked for in every fourth step only: to ask
 * takes d^2 for each particle. */
static int is_asked(const struct dun_run *run, const struct dun_adaptation *adaptation)
{
  return dun_metric_is_open(run) &&
         (adaptation->factor.count || run->now.step % 4 == 1 || run->now.time >= 1);
}

/* The metric of a half, or, where its choice was a dense one, the mean alone. */
static int take(struct dun_context *context, struct dun_cross_fit *f, const struct dun_run *run,
                const struct clan *clan, double ancestors, int chosen,
                struct dun_adaptation *adaptation)
{
  if (chosen)
    return adaptation->adapt_centre
               ? dun_column_moments(context, &run->population, run->x, &clan->logw, &f->weights,
                                    f->mean, f->deviation)
               : 0;
  if (dun_metric_is_open(run))
    dun_adaptation_forget_factor(adaptation);
  return dun_metric_learn(
      context, run, &clan->logw, &f->weights, adaptation->metric == DUN_METRIC_DENSE,
      points_of(f, ancestors, run->evaluator->dimension), f->mean, f->deviation, adaptation);
}

/* What one half teaches an adaptation. */
static int learn(struct dun_context *context, struct dun_cross_fit *f, struct dun_run *run,
                 int half, struct dun_adaptation *adaptation)
{
  struct clan clan = half_clan(run, half);
  double ancestors;
  int chosen = is_asked(run, adaptation) ? choose(context, f, run, clan, adaptation) : 0;
  int status = chosen < 0 ? chosen : weigh(context, f, run, &clan, &ancestors);

  if (status <= 0)
    return status;
  status = take(context, f, run, &clan, ancestors, chosen, adaptation);
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

int dun_cross_fit_declare(struct dun_run *run)
{
  int wanted = run->kernel && run->kernel->keeps && dun_metric_is_open(run);
  return !wanted || dun_run_column(run, "force", DUN_F64, run->evaluator->dimension, DUN_MOVES,
                                   "Gradient at the particle's point.")
             ? 0
             : DUN_ERROR_MEMORY;
}

void dun_cross_fit_start(struct dun_cross_fit *f)
{
  f->choices = f->dense = 0;
  f->ridge = 0;
}

void dun_cross_fit_diagnose(const struct dun_cross_fit *f, const struct dun_run *run,
                            struct dun_diagnosis *out)
{
  const struct dun_adaptation *a = run->adaptation;
  int dense = a[0].factor.count > 0 || a[1].factor.count > 0;

  if (!dun_metric_is_open(run))
    return;
  if (f->dense == 0)
    dun_diagnose(out, "metric", DUN_GOOD,
                 "auto chose a diagonal metric: correlations do not pay, or there were too few "
                 "ancestors");
  else
    dun_diagnose(out, "metric", DUN_GOOD,
                 "auto chose a dense metric %lld of %lld times (ridge %.0e), at the end %s",
                 (long long)f->dense, (long long)f->choices, f->ridge,
                 dense ? "too" : "a diagonal one");
}
