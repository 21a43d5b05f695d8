#include "app/contrast.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "numerics/discrepancy.h"
#include "numerics/order.h"
#include "numerics/pareto.h"
#include "probes/probe.h"
#include <math.h>
#include <string.h>

const double dun_contrast_probability[DUN_CONTRAST_QUANTILES] = {.05, .5, .95};

/* A coordinate of one side. */
struct column {
  struct dun_draws *draws;
  double *value, *f; /* [n]: the coordinate, and functions of it */
  uint64_t *key;     /* [2 n]: sorted */
  uint32_t *place;   /* [2 n] */
  double total;      /* of the weights */
};

static void column_free(struct column *c)
{
  DUN_FREE(c->value);
  DUN_FREE(c->f);
  DUN_FREE(c->key);
  DUN_FREE(c->place);
}

static int column_init(struct column *c, struct dun_draws *draws)
{
  *c = (struct column){.draws = draws};
  if (draws->n >= INT64_C(1) << 32)
    return dun_fail(DUN_ERROR_INPUT, "%s: more than 2^32 draws", draws->name);
  c->value = dun_allocate(draws->n, sizeof *c->value);
  c->f = dun_allocate(draws->n, sizeof *c->f);
  c->key = dun_allocate(2 * draws->n, sizeof *c->key);
  c->place = dun_allocate(2 * draws->n, sizeof *c->place);
  for (int64_t i = 0; i < draws->n; i++)
    c->total += draws->weight ? draws->weight[i] : 1;
  return c->value && c->f && c->key && c->place ? 0 : DUN_ERROR_MEMORY;
}

static int column_read(struct column *c, int64_t j)
{
  int status = dun_draws_read(c->draws, j, c->value);
  for (int64_t i = 0; i < c->draws->n && status >= 0; i++)
    c->key[i] = dun_order_key(c->value[i]);
  if (status >= 0)
    dun_order_sort(c->draws->n, c->key, c->place);
  return status;
}

/* The share of weight of the draw that is number i in order. */
static double share_at(const struct column *c, int64_t i)
{
  return (c->draws->weight ? c->draws->weight[c->place[i]] : 1) / c->total;
}

/* ---- differences ----------------------------------------------------------------------------- */

static double in_errors(double difference, double variance)
{
  if (difference == 0)
    return isnan(variance) ? NAN : 0;
  return difference / sqrt(variance);
}

/* Numbers that never change are the same where nine digits do not tell them apart: tables are
 * written with as many as somebody chose. */
static void settle(struct dun_contrast *c)
{
  double difference = c->value[0] - c->value[1];
  double variance = c->error[0] * c->error[0] + c->error[1] * c->error[1];
  double digits = 1e-9 * fmax(fabs(c->value[0]), fabs(c->value[1]));

  c->errors = in_errors(variance == 0 && fabs(difference) <= digits ? 0 : difference, variance);
}

/* Of a share that both sides have on the average as `p`. */
static double share_errors(const double share[2], const double worth[2], double p)
{
  return in_errors(share[0] - share[1], p * (1 - p) * (1 / worth[0] + 1 / worth[1]));
}

/* How many draws know the share of f = 1, of 0 and 1, as well; at most `most`. */
static int share_worth(struct dun_context *context, struct column *c, double most, double *share,
                       double *worth)
{
  struct dun_draws_mean mean;
  int status = dun_draws_mean(context, c->draws, c->f, &mean);
  *share = mean.mean;
  *worth = dun_draws_worth(c->draws, &mean);
  *worth = *worth < most ? *worth : most; /* also where all or none have it */
  return status;
}

/* Whether a sum of f, which is nowhere negative, has an error: see src/probes/probe.h. */
static int has_error(struct dun_context *context, const struct column *c, int *has)
{
  enum { MOST = 1 << 14, FEW = 400 };
  const struct dun_draws *draws = c->draws;
  *has = 1;
  if (draws->n < FEW)
    return 0;
  struct dun_pareto_sample sample = dun_pareto_sample(draws->n, 0, draws->n, MOST);
  double *sum = dun_allocate(sample.points, sizeof *sum), shape = NAN;
  for (int64_t k = 0; k < sample.points && sum; k++) {
    int64_t i = dun_pareto_local(&sample, k);
    sum[k] = dun_scalar_log((draws->weight ? draws->weight[i] : 1) * c->f[i]);
  }
  int status = dun_pareto_shapes(context, sum ? 0 : DUN_ERROR_MEMORY, &sample, 1, 1, sum, &shape);
  *has = dun_probe_has_error(dun_pareto_may_be(shape, (double)sample.points));
  dun_free(sum);
  return status;
}

static int moments(struct dun_context *context, struct column *c, int k,
                   struct dun_contrasts *contrasts)
{
  struct dun_draws_mean mean, square = {0};
  int status = dun_draws_mean(context, c->draws, c->value, &mean);
  if (status < 0)
    return status;
  int has_mean = 1, has_square = 1;
  for (int64_t i = 0; i < c->draws->n; i++)
    c->f[i] = fabs(c->value[i] - mean.mean);
  status = has_error(context, c, &has_mean);
  for (int64_t i = 0; i < c->draws->n; i++)
    c->f[i] *= c->f[i];
  if (status >= 0)
    status = has_error(context, c, &has_square);
  if (status >= 0 && mean.square > 0)
    status = dun_draws_mean(context, c->draws, c->f, &square);
  contrasts->mean.value[k] = mean.mean;
  contrasts->mean.error[k] = has_mean ? mean.error : NAN;
  contrasts->deviation.value[k] = sqrt(mean.square);
  contrasts->deviation.error[k] = !has_square       ? NAN
                                  : mean.square > 0 ? square.error / (2 * sqrt(mean.square))
                                                    : 0;
  contrasts->worth[k] = dun_draws_worth(c->draws, &mean);
  return status;
}

/* The smallest value with so much of the weight, of all, at or below it. */
static double quantile_of(const struct column *c, double p)
{
  double below = 0;
  int64_t i = 0, last = c->draws->n - 1;
  while (i < last && (below += share_at(c, i)) < p * (1 - 1e-12))
    i++;
  return dun_order_value(c->key[i]);
}

static double quantile_of_both(const struct column c[2], double p)
{
  int64_t at[2] = {0};
  double below = 0, value = NAN;
  while (below < p * (1 - 1e-12) && (at[0] < c[0].draws->n || at[1] < c[1].draws->n)) {
    int k = at[1] >= c[1].draws->n || (at[0] < c[0].draws->n && c[0].key[at[0]] <= c[1].key[at[1]])
                ? 0
                : 1;
    below += .5 * share_at(&c[k], at[k]);
    value = dun_order_value(c[k].key[at[k]++]);
  }
  return value;
}

static int quantile(struct dun_context *context, struct column c[2], double p, const double most[2],
                    struct dun_contrast *contrast)
{
  double limit = quantile_of_both(c, p), share[2] = {0}, worth[2] = {0};
  int status = 0;
  for (int k = 0; k < 2 && status >= 0; k++) {
    for (int64_t i = 0; i < c[k].draws->n; i++)
      c[k].f[i] = c[k].value[i] <= limit;
    status = share_worth(context, &c[k], most[k], &share[k], &worth[k]);
    contrast->value[k] = quantile_of(&c[k], p);
    contrast->error[k] = NAN;
  }
  /* where many draws are equal the share is not p */
  double both = .5 * (share[0] + share[1]);
  contrast->errors = status < 0 ? NAN : share_errors(share, worth, both);
  return status;
}

int dun_contrast_coordinate(struct dun_context *context, struct dun_draws side[2], int64_t j,
                            struct dun_contrasts *contrasts)
{
  struct column c[2] = {{0}, {0}};
  int status = 0;
  *contrasts = (struct dun_contrasts){0};
  for (int k = 0; k < 2 && status >= 0; k++) {
    status = column_init(&c[k], &side[k]);
    if (status >= 0)
      status = column_read(&c[k], j);
    if (status >= 0)
      status = moments(context, &c[k], k, contrasts);
  }
  for (int q = 0; q < DUN_CONTRAST_QUANTILES && status >= 0; q++)
    status = quantile(context, c, dun_contrast_probability[q], contrasts->worth,
                      &contrasts->quantile[q]);
  settle(&contrasts->mean);
  settle(&contrasts->deviation);
  column_free(&c[0]);
  column_free(&c[1]);
  return status;
}

/* ---- modes ----------------------------------------------------------------------------------- */

/* f[n] = the number of the nearest centre. */
static int assign(struct column *c, int count, const double *centre, double *square)
{
  int64_t n = c->draws->n, d = c->draws->coordinates;
  int status = 0;
  memset(square, 0, (size_t)(count * n) * sizeof *square);
  for (int64_t j = 0; j < d && status >= 0; j++) {
    status = dun_draws_read(c->draws, j, c->value);
    for (int k = 0; k < count; k++)
      for (int64_t i = 0; i < n; i++) {
        double away = c->value[i] - centre[k * d + j];
        square[k * n + i] += away * away;
      }
  }
  for (int64_t i = 0; i < n && status >= 0; i++) {
    int least = 0;
    for (int k = 1; k < count; k++)
      if (square[k * n + i] < square[least * n + i])
        least = k;
    c->value[i] = least;
  }
  return status;
}

/* Its entropy and error: the mean of -log share of a draw's own mode. */
static int cover(struct dun_context *context, struct column *c, int count, const double *share,
                 double *value, double *error)
{
  struct dun_draws_mean mean;
  for (int64_t i = 0; i < c->draws->n; i++)
    c->f[i] = count > 1 ? -dun_scalar_log(share[(int)c->value[i]]) / dun_scalar_log(count) : 1;
  int status = dun_draws_mean(context, c->draws, c->f, &mean);
  *value = dun_mode_coverage(count, share);
  *error = mean.error;
  return status;
}

static int shares_of(struct dun_context *context, struct column *c, int side, int count,
                     const double *centre, double most, struct dun_contrast *share, double *worth,
                     struct dun_contrast *coverage)
{
  double *square = dun_allocate(count * c->draws->n, sizeof *square);
  double *own = dun_allocate(count, sizeof *own);
  int status = square && own ? assign(c, count, centre, square) : DUN_ERROR_MEMORY;
  for (int k = 0; k < count && status >= 0; k++) {
    for (int64_t i = 0; i < c->draws->n; i++)
      c->f[i] = c->value[i] == k;
    status = share_worth(context, c, most, &own[k], &worth[k]);
    share[k].value[side] = own[k];
    share[k].error[side] = sqrt(own[k] * (1 - own[k]) / worth[k]);
  }
  if (status >= 0)
    status = cover(context, c, count, own, &coverage->value[side], &coverage->error[side]);
  dun_free(square);
  dun_free(own);
  return status;
}

int dun_contrast_modes(struct dun_context *context, struct dun_draws side[2], const double most[2],
                       int count, const double *centre, struct dun_contrast *share,
                       struct dun_contrast *coverage)
{
  struct column c[2] = {{0}, {0}};
  double *worth = dun_allocate(2 * (int64_t)count, sizeof *worth);
  int status = worth ? 0 : DUN_ERROR_MEMORY;
  for (int k = 0; k < 2 && status >= 0; k++) {
    status = column_init(&c[k], &side[k]);
    if (status >= 0)
      status = shares_of(context, &c[k], k, count, centre, most[k], share,
                         worth + (int64_t)k * count, coverage);
  }
  for (int k = 0; k < count && status >= 0; k++) {
    double each[2] = {worth[k], worth[count + k]};
    share[k].errors =
        share_errors(share[k].value, each, .5 * (share[k].value[0] + share[k].value[1]));
  }
  settle(coverage);
  dun_free(worth);
  column_free(&c[0]);
  column_free(&c[1]);
  return status;
}

/* ---- points ---------------------------------------------------------------------------------- */

/* Which draws: those in the middles of equal parts of the weight. */
static void pick(const struct dun_draws *draws, int64_t count, int64_t *index)
{
  double total = 0, below = 0;
  int64_t i = -1;
  for (int64_t k = 0; k < draws->n && draws->weight; k++)
    total += draws->weight[k];
  for (int64_t k = 0; k < count; k++) {
    if (!draws->weight) {
      index[k] = dun_points_pick(draws->n, count, k);
      continue;
    }
    while (i < draws->n - 1 && below <= total * ((double)k + .5) / (double)count)
      below += draws->weight[++i];
    index[k] = i;
  }
}

int dun_contrast_points(const struct dun_draws *draws, int64_t count, struct dun_points *points)
{
  double *value = dun_allocate(draws->n, sizeof *value);
  int64_t *index = dun_allocate(count, sizeof *index);
  int status = dun_points_init(points, count, (int)draws->coordinates);
  if (status >= 0 && (!value || !index))
    status = DUN_ERROR_MEMORY;
  if (status >= 0)
    pick(draws, count, index);
  for (int64_t j = 0; j < draws->coordinates && status >= 0; j++) {
    status = dun_draws_read(draws, j, value);
    for (int64_t k = 0; k < count && status >= 0; k++)
      points->x[k * draws->coordinates + j] = value[index[k]];
  }
  dun_free(value);
  dun_free(index);
  return status;
}
