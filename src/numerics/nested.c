#include "numerics/nested.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "numerics/scores.h"
#include "parallel/sum.h"
#include <math.h>

struct superchains {
  int64_t count, members; /* K, M */
  int64_t first, chains;  /* of this rank */
  int64_t draws;          /* N */
  double *value;          /* [chains][draws]: scores */
  double *rank;           /* the same: scratch */
  double *chain;          /* [chains]: means */
  double *mean;           /* [count] */
  struct dun_exact *sum;  /* [count] */
};

static void release(struct superchains *s)
{
  dun_free(s->value);
  dun_free(s->rank);
  dun_free(s->chain);
  dun_free(s->mean);
  dun_free(s->sum);
}

static int make(struct superchains *s)
{
  int64_t n = s->chains * s->draws;
  s->value = dun_allocate(n, sizeof *s->value);
  s->rank = dun_allocate(n, sizeof *s->rank);
  s->chain = dun_allocate(s->chains, sizeof *s->chain);
  s->mean = dun_allocate(s->count, sizeof *s->mean);
  s->sum = dun_allocate(s->count, sizeof *s->sum);
  return s->value && s->rank && s->chain && s->mean && s->sum ? 0 : DUN_ERROR_MEMORY;
}

/* ---- the sums ------------------------------------------------------------------------------ */

/* Collective.  Means of chains and superchains. */
static int find_means(struct dun_context *context, struct superchains *s)
{
  for (int64_t k = 0; k < s->count; k++)
    s->sum[k] = (struct dun_exact){0};
  for (int64_t c = 0; c < s->chains; c++) {
    double sum = 0;
    for (int64_t i = 0; i < s->draws; i++)
      sum += s->value[c * s->draws + i];
    s->chain[c] = sum / (double)s->draws;
    dun_exact_add(&s->sum[(s->first + c) / s->members], s->chain[c]);
  }
  int status = dun_sum(context, 0, s->count, s->sum, s->mean);
  for (int64_t k = 0; k < s->count && status >= 0; k++)
    s->mean[k] /= (double)s->members;
  return status;
}

struct variances {
  double between, of_means, within; /* B, V and the mean variance within chains */
};

static int find_variances(struct dun_context *context, struct superchains *s, struct variances *v)
{
  struct dun_exact sum[2] = {0};
  double total[2], mean = 0, K = (double)s->count;
  for (int64_t c = 0; c < s->chains; c++) {
    double away = s->chain[c] - s->mean[(s->first + c) / s->members], squares = 0;
    for (int64_t i = 0; i < s->draws; i++) {
      double off = s->value[c * s->draws + i] - s->chain[c];
      squares += off * off;
    }
    dun_exact_add(&sum[0], away * away);
    dun_exact_add(&sum[1], squares);
  }
  int status = dun_sum(context, 0, 2, sum, total);
  *v = (struct variances){0};
  if (status < 0)
    return status;
  for (int64_t k = 0; k < s->count; k++)
    mean += s->mean[k] / K;
  for (int64_t k = 0; k < s->count; k++)
    v->between += (s->mean[k] - mean) * (s->mean[k] - mean) / (K - 1);
  if (s->members > 1)
    v->of_means = total[0] / (K * (double)(s->members - 1));
  if (s->draws > 1)
    v->within = total[1] / (K * (double)s->members * (double)(s->draws - 1));
  return 0;
}

/* ---- what they say -------------------------------------------------------------------------- */

static double cube_root(double x)
{
  return x > 0 ? dun_scalar_exp(dun_scalar_log(x) / 3) : 0;
}

/* Of a ratio with the law F with a and b degrees of freedom: Paulson 1942, Ann. Math. Stat. 13. */
static double deviations_of(double ratio, double a, double b)
{
  double root = cube_root(ratio), p = 2 / (9 * a), q = 2 / (9 * b);
  return ((1 - q) * root - (1 - p)) / sqrt(q * root * root + p);
}

static void judge(const struct superchains *s, const struct variances *v, struct dun_nested *nested)
{
  double K = (double)s->count, M = (double)s->members, within = v->of_means + v->within;
  double rhat = within > 0 ? sqrt(1 + v->between / within) : v->between > 0 ? INFINITY : NAN;
  if (!(rhat <= nested->rhat))
    nested->rhat = isnan(rhat) ? nested->rhat : rhat;
  if (s->members == 1 || !(within > 0))
    return;
  double floor = sqrt(1 + v->of_means / (M * within));
  double deviations =
      v->of_means > 0 ? deviations_of(v->between * M / v->of_means, K - 1, K * (M - 1)) : INFINITY;
  nested->floor = floor <= nested->floor ? nested->floor : floor;
  nested->deviations = deviations <= nested->deviations ? nested->deviations : deviations;
}

static int of_scores(struct dun_context *context, struct superchains *s, struct dun_order *order,
                     int64_t total, struct dun_nested *nested)
{
  struct variances variances;
  int status = dun_order_ranks(context, order, s->rank);
  if (status >= 0)
    dun_normal_scores(s->chains * s->draws, (double)total, s->rank, s->value);
  if (status >= 0)
    status = find_means(context, s);
  if (status >= 0)
    status = find_variances(context, s, &variances);
  if (status >= 0)
    judge(s, &variances, nested);
  return status;
}

int dun_nested_rhat(struct dun_context *context, struct dun_mixing_work *work, int64_t superchains,
                    int64_t members, int64_t first, int64_t chains, int64_t draws,
                    const double *value, struct dun_nested *nested)
{
  struct superchains s = {superchains, members, first, chains, draws, NULL, NULL, NULL, NULL, NULL};
  int64_t n = chains * draws, total = superchains * members * draws;
  int64_t place[2] = {(total - 1) / 2, total / 2};
  double middle[2];
  *nested = (struct dun_nested){NAN, NAN, NAN, NAN};
  int status = dun_agree(context, make(&s));
  if (status >= 0)
    status = dun_mixing_usable(context, n, value);
  if (status > 0)
    status = dun_agree(context, dun_order_set(&work->order, n, value)) < 0 ? DUN_ERROR_MEMORY : 1;
  if (status > 0 && (status = dun_order_statistics(context, &work->order, 2, place, middle)) >= 0 &&
      (status = of_scores(context, &s, &work->order, total, nested)) >= 0) {
    dun_order_fold(&work->order, .5 * (middle[0] + middle[1]));
    nested->bulk = nested->rhat;
    status = of_scores(context, &s, &work->order, total, nested);
  }
  release(&s);
  return status < 0 ? status : 0;
}
