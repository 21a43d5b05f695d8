#include "numerics/transport.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "parallel/sum.h"
#include "parallel/tiles.h"
#include <math.h>

enum { L = DUN_LANES, B = DUN_POINTS_BLOCK, MOST_ITERATIONS = 2000, BETWEEN_CHECKS = 10 };
#define TOLERANCE 1e-3
#define MOST_KEPT (32 << 20) /* bytes of distances that a rank keeps of a side's rows */
#define LOWEST    (-1e300)   /* below every exponent; -inf less -inf would be no number */

/* One of the two sets, with what belongs to its points. */
struct side {
  const struct dun_points *points;
  struct dun_tiles tiles;      /* which of its points this rank's rows are */
  double *share, *log_share;   /* [n]: weights of sum 1, eps times their logarithms */
  double *potential, *renewed; /* [n]: f as it stands, and as the other side wants it */
  double *column, *exponent;   /* [d][64], [2][B][64] */
  double *kept;                /* [tiles.count][n of the other][64]: distances; NULL: too many */
  int is_kept;                 /* they are there */
};

static void side_free(struct side *side)
{
  DUN_FREE(side->share);
  DUN_FREE(side->log_share);
  DUN_FREE(side->potential);
  DUN_FREE(side->renewed);
  DUN_FREE(side->column);
  DUN_FREE(side->exponent);
  DUN_FREE(side->kept);
}

static int side_init(const struct dun_context *context, struct side *side,
                     const struct dun_points *points)
{
  int64_t n = points->n;
  double total = 0;
  *side = (struct side){.points = points};
  side->tiles = dun_tiles_of(n, L, context->rank, context->size);
  side->share = dun_allocate(n, sizeof(double));
  side->log_share = dun_allocate(n, sizeof(double));
  side->potential = dun_allocate(n, sizeof(double));
  side->renewed = dun_allocate(n, sizeof(double));
  side->column = dun_allocate((int64_t)points->d * L, sizeof(double));
  side->exponent = dun_allocate(2 * B * L, sizeof(double));
  if (!side->share || !side->log_share || !side->potential || !side->renewed || !side->column ||
      !side->exponent)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++)
    total += points->weight[i];
  for (int64_t i = 0; i < n; i++)
    side->share[i] = points->weight[i] / total;
  return 0;
}

/* Potentials begin with 0. */
static void side_begin(struct side *side, double epsilon)
{
  for (int64_t i = 0; i < side->points->n; i++) {
    side->log_share[i] = epsilon * dun_scalar_log(side->share[i]);
    side->potential[i] = 0;
  }
}

/* ---- one half of an iteration ---------------------------------------------------------------- */

/* Adds exp((g - c) / eps) of `count` points, c[count][64], to the sums of 64 lanes, each scaled by
 * its largest exponent so far. */
DUN_CLONES
static void add_block(int count, const double *restrict g, const double *restrict c, double inverse,
                      double *restrict exponent, double *restrict top, double *restrict sum)
{
  double most[L] __attribute__((aligned(64)));
  c = DUN_ALIGNED(c);
  exponent = DUN_ALIGNED(exponent);
  for (int l = 0; l < L; l++)
    most[l] = top[l];
  for (int b = 0; b < count; b++)
    for (int l = 0; l < L; l++) {
      double z = (g[b] - c[b * L + l]) * inverse;
      exponent[b * L + l] = z;
      most[l] = z > most[l] ? z : most[l];
    }
  for (int l = 0; l < L; l++) {
    sum[l] *= dun_exp_weight(top[l] - most[l]);
    top[l] = most[l];
  }
  for (int b = 0; b < count; b++)
    for (int l = 0; l < L; l++)
      sum[l] += dun_exp_weight(exponent[b * L + l] - most[l]);
}

/* Makes the distances of a block, or finds them: of number j of `from` on, from the tile's rows. */
static const double *distances(struct side *to, int64_t tile, const struct side *from, int64_t j,
                               int count)
{
  int64_t n = from->points->n, d = from->points->d;
  double *c = to->kept ? to->kept + ((tile - to->tiles.first_tile) * n + j) * L : to->exponent;
  if (!to->is_kept)
    dun_points_squares((int)d, to->column, count, from->points->x + j * d, c);
  return c;
}

/* -eps log sum_j exp((g_j - c_ij) / eps) of a tile of points. */
static void soften_tile(struct side *to, int64_t tile, const struct side *from, double epsilon,
                        double *soft)
{
  double top[L] __attribute__((aligned(64))), sum[L] __attribute__((aligned(64))) = {0};
  int64_t n = from->points->n;
  for (int l = 0; l < L; l++)
    top[l] = LOWEST;
  if (!to->is_kept)
    dun_points_tile(to->points, tile, to->column);
  for (int64_t j = 0; j < n; j += B) {
    int count = (int)(n - j < B ? n - j : B);
    const double *c = distances(to, tile, from, j, count);
    add_block(count, from->potential + j, c, 1 / epsilon, to->exponent + B * L, top, sum);
  }
  for (int l = 0; l < L; l++)
    soft[l] = -epsilon * (top[l] + dun_scalar_log(sum[l]));
}

/* Distances of its rows from the other side are kept where there are few. */
static void keep(struct side *to, const struct side *from)
{
  int64_t n = from->points->n;
  DUN_FREE(to->kept);
  to->is_kept = 0;
  if (n <= MOST_KEPT / (L * 8) / (to->tiles.count + 1))
    to->kept = dun_allocate(to->tiles.count * n * L, sizeof(double));
}

/* Collective.  The potentials of `to` for which the plan has its margin there. */
static int renew(struct dun_context *context, struct side *to, const struct side *from,
                 double epsilon)
{
  const struct dun_tiles *tiles = &to->tiles;
  double soft[L];
  for (int64_t i = 0; i < to->points->n; i++)
    to->renewed[i] = 0;
  for (int64_t t = tiles->first_tile; t < tiles->first_tile + tiles->count; t++) {
    soften_tile(to, t, from, epsilon, soft);
    for (int l = 0; l < dun_tile_size(tiles, t); l++)
      to->renewed[t * L + l] = to->log_share[t * L + l] + soft[l];
  }
  to->is_kept = to->kept != NULL;
  return dun_share(context, 0, to->points->n, to->renewed);
}

/* ---- a term ---------------------------------------------------------------------------------- */

/* The plan's margin is share × exp((potential - renewed) / eps): how far it is from the shares, and
 * how much there is of it in all. */
static double margin_error(const struct side *side, double epsilon, double *mass)
{
  double error = 0;
  *mass = 0;
  for (int64_t i = 0; i < side->points->n; i++) {
    if (side->share[i] == 0)
      continue;
    double factor = dun_scalar_exp((side->potential[i] - side->renewed[i]) / epsilon);
    error += side->share[i] * fabs(factor - 1);
    *mass += side->share[i] * factor;
  }
  return error;
}

static double dual_value(const struct side *side)
{
  double value = 0;
  for (int64_t i = 0; i < side->points->n; i++)
    if (side->share[i] > 0)
      value += side->share[i] * (side->potential[i] - side->log_share[i]);
  return value;
}

struct term {
  double value;
  int iterations, converged;
};

/* Takes what was renewed. */
static void step(struct side *side)
{
  double *renewed = side->renewed;
  side->renewed = side->potential;
  side->potential = renewed;
}

/* 1: the term ends with this iteration; so many margins count. */
static int is_over(struct term *term, const struct side *side, double epsilon, int margins,
                   double *mass)
{
  if (++term->iterations % BETWEEN_CHECKS)
    return 0;
  term->converged = margins * margin_error(side, epsilon, mass) <= TOLERANCE;
  return term->converged || term->iterations >= MOST_ITERATIONS;
}

static int across(struct dun_context *context, struct side *x, struct side *y, double epsilon,
                  struct term *term)
{
  double mass = 1;
  keep(x, y);
  keep(y, x);
  int status = renew(context, y, x, epsilon);
  while (status >= 0) {
    step(y);
    status = renew(context, x, y, epsilon);
    step(x);
    if (status >= 0)
      status = renew(context, y, x, epsilon);
    if (status >= 0 && is_over(term, y, epsilon, 1, &mass))
      break;
  }
  term->value = dual_value(x) + dual_value(y) + epsilon * (1 - mass);
  return status;
}

/* Both sides are one, and so are their potentials. */
static int inside(struct dun_context *context, struct side *x, double epsilon, struct term *term)
{
  double mass = 1;
  keep(x, x);
  int status = renew(context, x, x, epsilon);
  while (status >= 0) {
    for (int64_t i = 0; i < x->points->n; i++)
      x->potential[i] = .5 * (x->potential[i] + x->renewed[i]);
    status = renew(context, x, x, epsilon);
    if (status >= 0 && is_over(term, x, epsilon, 2, &mass))
      break;
  }
  term->value = 2 * dual_value(x) + epsilon * (1 - mass);
  return status;
}

/* ---- the divergence -------------------------------------------------------------------------- */

/* Mean and mean square around it, of one coordinate. */
static void moments_of(const struct side *side, int j, double *mean, double *square)
{
  const struct dun_points *p = side->points;
  *mean = *square = 0;
  for (int64_t i = 0; i < p->n; i++)
    *mean += side->share[i] * p->x[i * p->d + j];
  for (int64_t i = 0; i < p->n; i++) {
    double away = p->x[i * p->d + j] - *mean;
    *square += side->share[i] * away * away;
  }
}

static double mean_cost(const struct side *x, const struct side *y)
{
  double cost = 0, mean[2], square[2];
  for (int j = 0; j < x->points->d; j++) {
    moments_of(x, j, &mean[0], &square[0]);
    moments_of(y, j, &mean[1], &square[1]);
    cost += square[0] + square[1] + (mean[0] - mean[1]) * (mean[0] - mean[1]);
  }
  return cost;
}

static int solve(struct dun_context *context, struct side *x, struct side *y,
                 struct dun_sinkhorn *result)
{
  double epsilon = result->epsilon;
  struct term term[3] = {{0}};
  int status;
  side_begin(x, epsilon);
  side_begin(y, epsilon);
  status = across(context, x, y, epsilon, &term[0]);
  side_begin(x, epsilon);
  side_begin(y, epsilon);
  if (status >= 0)
    status = inside(context, x, epsilon, &term[1]);
  if (status >= 0)
    status = inside(context, y, epsilon, &term[2]);
  if (status < 0)
    return status;
  result->divergence = term[0].value - .5 * term[1].value - .5 * term[2].value;
  result->converged = 1;
  for (int t = 0; t < 3; t++) {
    result->converged &= term[t].converged;
    if (term[t].iterations > result->iterations)
      result->iterations = term[t].iterations;
  }
  return 0;
}

int dun_sinkhorn(struct dun_context *context, const struct dun_points *x,
                 const struct dun_points *y, struct dun_sinkhorn *result)
{
  struct side a = {0}, b = {0};
  *result = (struct dun_sinkhorn){0};
  int status = side_init(context, &a, x);
  if (status >= 0)
    status = side_init(context, &b, y);
  status = dun_agree(context, status);
  if (status >= 0) {
    double cost = mean_cost(&a, &b);
    result->epsilon = .05 * cost;
    result->converged = cost == 0; /* all points are one */
    if (!isfinite(cost) || (cost > 0 && 1 / result->epsilon > 1e300))
      status = dun_fail(DUN_ERROR_NUMERIC, "the squared distances of the points are out of bounds");
    else if (cost > 0)
      status = solve(context, &a, &b, result);
  }
  side_free(&a);
  side_free(&b);
  return status;
}

int dun_sinkhorn_deals(struct dun_context *context, const struct dun_pool *pool, double *value)
{
  int status = 0;
  for (int r = 0; r < pool->deals && status >= 0; r++) {
    struct dun_points first = {0}, second = {0};
    struct dun_sinkhorn sinkhorn = {0};
    status = dun_agree(context, dun_pool_deal(pool, r, &first, &second));
    if (status >= 0)
      status = dun_sinkhorn(context, &first, &second, &sinkhorn);
    value[r] = sinkhorn.divergence;
    dun_points_free(&first);
    dun_points_free(&second);
  }
  return status;
}
