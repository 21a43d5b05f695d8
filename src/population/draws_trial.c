/* Draws against the density that they should have.
 *
 * Drift: a Metropolis move with a symmetric proposal leaves the density invariant, and of draws
 * from it (x, x') is as likely as (x', x), so that every f(x') - f(x) is symmetric about 0,
 * whatever walls, kinks, tails and modes there are.  Then S = sum D and Q = sum D^2 of independent
 * draws have P(|S| > z sqrt(Q)) <= 2 exp(-z^2 / 2).
 *
 * Constant: with q a Gaussian within the draws, the mean of q/p over draws of p and the mean of p/q
 * over draws of q both tell the integral of p; it is believed where both are known well and say the
 * same. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "population/promises.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_BLOCKS = 8, MAX_TILES = 64 };
static const double limit = 6.5; /* 1.3e-9 for each of some hundred comparisons */

struct draws {
  struct dun_caller *caller;
  enum dun_density_kind which;
  struct dun_address address;
  struct dun_findings *findings;
  int d, tiles;
  int64_t block; /* d × 64 */

  double *x, *lp;           /* [tiles][d][64], [tiles][64] */
  double *y;                /* [d][64] */
  double *normal, *uniform; /* columns of random numbers */
  double *mean, *spread;    /* [d] */
  double *place, *place2;   /* [d]: sums of D and D^2 of a bounded function of the place */
  double *size, *size2;     /* [d]: of one of the distance from the mean */
  double height, height2;   /* of one of the log density */
};

static const char *draw_name(const struct draws *w)
{
  return w->which == DUN_DENSITY_PRIOR ? "draw_prior" : "draw";
}

static const char *density_name(const struct draws *w)
{
  return w->which == DUN_DENSITY_PRIOR ? "prior" : "the log density";
}

/* ---- set-up ------------------------------------------------------------------------------ */

static int normals_of(const struct draws *w)
{
  int given = w->caller->evaluator->target->draw_normals;
  return given < 0 || given < w->d ? w->d : given;
}

static void draws_free(struct draws *w)
{
  double **all[] = {&w->x,      &w->lp,    &w->y,      &w->normal, &w->uniform, &w->mean,
                    &w->spread, &w->place, &w->place2, &w->size,   &w->size2};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    DUN_FREE(*all[i]);
}

static int draws_init(struct draws *w)
{
  int uniforms = dun_evaluator_uniforms(w->caller->evaluator);
  w->d = w->caller->evaluator->dimension;
  w->block = (int64_t)w->d * DUN_LANES;
  w->x = dun_allocate(w->tiles * w->block, sizeof(double));
  w->lp = dun_allocate((int64_t)w->tiles * DUN_LANES, sizeof(double));
  w->y = dun_allocate(w->block, sizeof(double));
  w->normal = dun_allocate((int64_t)normals_of(w) * DUN_LANES, sizeof(double));
  w->uniform = dun_allocate((int64_t)(uniforms > 1 ? uniforms : 1) * DUN_LANES, sizeof(double));
  double **sums[] = {&w->mean, &w->spread, &w->place, &w->place2, &w->size, &w->size2};
  int status = w->x && w->lp && w->y && w->normal && w->uniform ? 0 : DUN_ERROR_MEMORY;
  for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
    if (!(*sums[i] = dun_allocate(w->d, sizeof(double))))
      status = DUN_ERROR_MEMORY;
  return status;
}

/* Every tile of every use has numbers of its own. */
static struct dun_address address_of(const struct draws *w, int use, int tile)
{
  struct dun_address address = w->address;
  address.step = (uint32_t)(16 * (use + 1) + w->which);
  address.tile = (uint32_t)tile;
  return address;
}

/* ---- the draws --------------------------------------------------------------------------- */

static int draw(struct draws *w, int tile)
{
  const struct dun_evaluator *e = w->caller->evaluator;
  double *x = w->x + tile * w->block;
  dun_normals(address_of(w, 0, tile), dun_evaluator_normals(e), w->normal);
  if (dun_evaluator_uniforms(e) > 0)
    dun_uniforms(address_of(w, 1, tile), dun_evaluator_uniforms(e), w->uniform);
  int status = dun_caller_draw(w->caller, w->which, w->uniform, w->normal, x);
  if (status >= 0)
    status = dun_caller_evaluate(w->caller, w->which, DUN_LANES, NULL, x, 0);
  memcpy(w->lp + (int64_t)tile * DUN_LANES, w->caller->found_lp, DUN_LANES * sizeof(double));
  return status;
}

/* Returns 1 after a finding. */
static int refuse_outside(struct draws *w)
{
  int outside = 0, all = w->tiles * DUN_LANES, first = -1;
  for (int i = 0; i < all; i++) {
    outside += !isfinite(w->lp[i]);
    first = first < 0 && !isfinite(w->lp[i]) ? i : first;
  }
  if (20 * outside <= all)
    return 0;
  double place = w->x[first / DUN_LANES * w->block + first % DUN_LANES];
  dun_find(w->findings, DUN_FINDING_REFUSED,
           "`%s`: %d of %d draws lie where %s is %g, the first at x[0] = %.6g; expected draws of "
           "that density",
           draw_name(w), outside, all, density_name(w), w->lp[first], place);
  return 1;
}

static void find_moments(struct draws *w)
{
  double n = (double)w->tiles * DUN_LANES;
  for (int j = 0; j < w->d; j++) {
    double sum = 0, square = 0;
    for (int pass = 0; pass < 2; pass++)
      for (int t = 0; t < w->tiles; t++)
        for (int l = 0; l < DUN_LANES; l++) {
          double x = w->x[t * w->block + (int64_t)j * DUN_LANES + l];
          sum += pass == 0 ? x / n : 0;
          square += pass == 1 ? (x - sum) * (x - sum) / n : 0;
        }
    w->mean[j] = sum;
    w->spread[j] = sqrt(square);
  }
}

/* ---- drift ------------------------------------------------------------------------------- */

/* Bounded functions of a place in units of the spread. */
static double place_of(double u)
{
  return u / sqrt(1 + u * u);
}

static double size_of(double u)
{
  return u * u / (1 + u * u);
}

static void add(double *sum, double *square, double value)
{
  *sum += value;
  *square += value * value;
}

/* An accepted move of the coordinates from first to last - 1 in one lane. */
static void add_move(struct draws *w, const double *x, int lane, int first, int last, double rise)
{
  add(&w->height, &w->height2, rise / (1 + fabs(rise)));
  for (int64_t j = first; j < last; j++) {
    double scale = w->spread[j] > 0 ? w->spread[j] : 1;
    double before = (x[j * DUN_LANES + lane] - w->mean[j]) / scale;
    double after = (w->y[j * DUN_LANES + lane] - w->mean[j]) / scale;
    add(&w->place[j], &w->place2[j], place_of(after) - place_of(before));
    add(&w->size[j], &w->size2[j], size_of(after) - size_of(before));
  }
}

/* One move of a tile, over one block of coordinates. */
static int move(struct draws *w, int tile, int block, int blocks)
{
  const double *x = w->x + tile * w->block, *lp = w->lp + (int64_t)tile * DUN_LANES;
  int first = (int)((int64_t)block * w->d / blocks), last = (int)((block + 1LL) * w->d / blocks);
  double length = 2.4 / sqrt(last - first), uniform[DUN_LANES] __attribute__((aligned(64)));
  dun_normals_from(address_of(w, 2 + block, tile), first, last - first, w->normal);
  dun_uniforms(address_of(w, 2 + MAX_BLOCKS + block, tile), 1, uniform);
  memcpy(w->y, x, (size_t)w->block * sizeof *x);
  for (int64_t j = first; j < last; j++)
    for (int l = 0; l < DUN_LANES; l++)
      w->y[j * DUN_LANES + l] += length * w->spread[j] * w->normal[(j - first) * DUN_LANES + l];
  int status = dun_caller_evaluate(w->caller, w->which, DUN_LANES, NULL, w->y, 0);
  for (int l = 0; l < DUN_LANES && status == 0; l++) {
    double rise = w->caller->found_lp[l] - lp[l];
    if (isfinite(rise) && dun_scalar_log(uniform[l]) < rise)
      add_move(w, x, l, first, last, rise);
  }
  return status;
}

static double deviations(double sum, double square)
{
  return square > 0 ? sum / sqrt(square) : 0;
}

static void tell_drift(struct draws *w, const char *what, double z)
{
  dun_find(w->findings, DUN_FINDING_REFUSED,
           "`%s` does not draw from %s: under moves that leave it invariant %s by %.1f standard "
           "errors of %d draws, where at most %.1f was expected",
           draw_name(w), density_name(w), what, fabs(z), w->tiles * DUN_LANES, limit);
}

static int judge_drift(struct draws *w)
{
  char what[120];
  double height = deviations(w->height, w->height2);
  for (int j = 0; j < w->d; j++) {
    double place = deviations(w->place[j], w->place2[j]);
    double size = deviations(w->size[j], w->size2[j]);
    if (fabs(place) <= limit && fabs(size) <= limit)
      continue;
    if (fabs(size) > fabs(place))
      snprintf(what, sizeof what, "x[%d] moves %s its mean %.4g (the draws are too %s)", j,
               size < 0 ? "towards" : "away from", w->mean[j], size < 0 ? "wide" : "narrow");
    else
      snprintf(what, sizeof what, "x[%d] moves %s from its mean %.4g (the draws are shifted)", j,
               place < 0 ? "down" : "up", w->mean[j]);
    tell_drift(w, what, fabs(size) > fabs(place) ? size : place);
    return 1;
  }
  if (fabs(height) <= limit)
    return 0;
  tell_drift(w,
             height > 0 ? "the density rises (the draws are too wide)"
                        : "the density falls (the draws are too narrow)",
             height);
  return 1;
}

static int try_drift(struct draws *w)
{
  int blocks = w->d < MAX_BLOCKS ? w->d : MAX_BLOCKS, status = 0;
  for (int t = 0; t < w->tiles; t++)
    for (int b = 0; b < blocks && status == 0; b++)
      status = move(w, t, b, blocks);
  return status == 0 ? judge_drift(w) : status;
}

/* ---- the constant ------------------------------------------------------------------------ */

static const double inside = .9; /* of q's deviations in the draws' */

static double log_gaussian(const struct draws *w, const double *x, int lane)
{
  double sum = 0;
  for (int64_t j = 0; j < w->d; j++) {
    double u = (x[j * DUN_LANES + lane] - w->mean[j]) / (inside * w->spread[j]);
    sum -= .5 * (u * u + DUN_LOG_2PI) + dun_scalar_log(inside * w->spread[j]);
  }
  return sum;
}

/* The log of the mean of exp(value) and its standard error. */
static double log_mean(const double *value, int n, double *error)
{
  double top = -INFINITY, sum = 0, square = 0;
  for (int i = 0; i < n; i++)
    top = value[i] > top ? value[i] : top;
  for (int i = 0; i < n && isfinite(top); i++) {
    double ratio = dun_scalar_exp(value[i] - top);
    sum += ratio / n;
    square += ratio * ratio / n;
  }
  *error = sum > 0 ? sqrt((square / (sum * sum) - 1) / n) : INFINITY;
  return sum > 0 ? top + dun_scalar_log(sum) : -INFINITY;
}

/* Both sides know it well, and say the same: the density does not integrate to 1. */
static int judge_constant(struct draws *w, const double *over, const double *under)
{
  double error[2];
  int n = w->tiles * DUN_LANES;
  double a = -log_mean(over, n, &error[0]), b = log_mean(under, n, &error[1]);
  double least = fmin(fabs(a), fabs(b)), most = fmax(fabs(a), fabs(b));
  if (!(error[0] < .15 && error[1] < .15) || (a > 0) != (b > 0) || !(least > .2) ||
      !(most - least < .2 + .05 * most) || least < 8 * fmax(error[0], error[1]))
    return 0;
  dun_find(
      w->findings, DUN_FINDING_REFUSED,
      "`prior`: found a density that integrates to exp(%.3g), expected one that is normalised: "
      "log Z would be off by as much",
      .5 * (a + b));
  return 1;
}

static int try_constant(struct draws *w)
{
  int status = 0, n = w->tiles * DUN_LANES;
  double *over = dun_allocate(2 * (int64_t)n, sizeof *over);
  if (!over)
    return DUN_ERROR_MEMORY;
  double *under = over + n;
  for (int t = 0; t < w->tiles && status == 0; t++) {
    const double *x = w->x + t * w->block;
    for (int l = 0; l < DUN_LANES; l++)
      over[t * DUN_LANES + l] = log_gaussian(w, x, l) - w->lp[t * DUN_LANES + l];
    dun_normals(address_of(w, 2 + 2 * MAX_BLOCKS, t), w->d, w->normal);
    for (int64_t i = 0; i < w->block; i++)
      w->y[i] = w->mean[i / DUN_LANES] + inside * w->spread[i / DUN_LANES] * w->normal[i];
    status = dun_caller_evaluate(w->caller, w->which, DUN_LANES, NULL, w->y, 0);
    for (int l = 0; l < DUN_LANES; l++)
      under[t * DUN_LANES + l] = w->caller->found_lp[l] - log_gaussian(w, w->y, l);
  }
  if (status == 0)
    status = judge_constant(w, over, under);
  dun_free(over);
  return status;
}

/* ---- the supports ------------------------------------------------------------------------ */

/* Every lane is moved along one coordinate, by 1 to 4 spreads to either side. */
static void step_out(struct draws *w, int tile)
{
  memcpy(w->y, w->x + tile * w->block, (size_t)w->block * sizeof *w->y);
  for (int l = 0; l < DUN_LANES; l++) {
    int64_t j = (l / 8 + 8 * tile) % w->d;
    w->y[j * DUN_LANES + l] += (l % 2 ? 1 : -1) * (1 + l / 2 % 4) * w->spread[j];
  }
}

/* Where the prior is -inf, the target is. */
static int try_support(struct draws *w, int tile)
{
  char outside[DUN_LANES];
  int count = 0, status;
  step_out(w, tile);
  status = dun_caller_evaluate(w->caller, DUN_DENSITY_PRIOR, DUN_LANES, NULL, w->y, 0);
  for (int l = 0; l < DUN_LANES && status == 0; l++)
    count += outside[l] = w->caller->found_lp[l] == -INFINITY;
  if (status == 0 && count > 0)
    status = dun_caller_evaluate(w->caller, DUN_DENSITY_TARGET, DUN_LANES, outside, w->y, 0);
  for (int l = 0; l < DUN_LANES && status == 0 && count > 0; l++)
    if (outside[l] && isfinite(w->caller->found_lp[l])) {
      int64_t j = (l / 8 + 8 * tile) % w->d;
      dun_find(
          w->findings, DUN_FINDING_REFUSED,
          "the target has the log density %.6g at a point with x[%lld] = %.6g, where its prior "
          "is -inf; expected -inf outside the prior's support",
          w->caller->found_lp[l], (long long)j, w->y[j * DUN_LANES + l]);
      status = 1;
    }
  return status;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int is_spread(const struct draws *w)
{
  for (int j = 0; j < w->d; j++)
    if (!(w->spread[j] > 0) || !isfinite(w->spread[j]))
      return 0;
  return 1;
}

static int try_draws(struct draws *w, const struct dun_effort *effort)
{
  int status = 0;
  for (int t = 0; t < w->tiles && status == 0; t++)
    status = draw(w, t);
  if (status == 0)
    status = refuse_outside(w);
  if (status != 0)
    return status;
  find_moments(w);
  if (!is_spread(w))
    return 0;
  status = try_drift(w);
  if (status == 0 && w->which == DUN_DENSITY_PRIOR)
    status = try_constant(w);
  for (int t = 0; t < w->tiles && t < 2 && status == 0; t++)
    if (w->which == DUN_DENSITY_PRIOR && !effort->thrifty && (t == 0 || w->d > 8))
      status = try_support(w, t);
  return status;
}

static int try_all(struct dun_caller *caller, enum dun_density_kind which,
                   const struct dun_effort *effort, struct dun_address address,
                   struct dun_findings *findings)
{
  struct draws w = {.caller = caller,
                    .which = which,
                    .address = address,
                    .findings = findings,
                    .tiles = effort->tiles < MAX_TILES ? effort->tiles : MAX_TILES};
  if (caller->evaluator->letters) /* the moves are of reals */
    return 0;
  int status = draws_init(&w);
  if (status >= 0)
    status = try_draws(&w, effort);
  if (status == 0 && which == DUN_DENSITY_PRIOR && caller->gradients)
    status = dun_promises_prior_gradient(caller, effort, address_of(&w, 40, 0), w.x, findings);
  draws_free(&w);
  return status < 0 ? status : 0;
}

int dun_promises_prior(struct dun_caller *caller, const struct dun_effort *effort,
                       struct dun_address address, struct dun_findings *findings)
{
  return try_all(caller, DUN_DENSITY_PRIOR, effort, address, findings);
}

int dun_promises_draws(struct dun_caller *caller, const struct dun_effort *effort,
                       struct dun_address address, struct dun_findings *findings)
{
  return try_all(caller, DUN_DENSITY_TARGET, effort, address, findings);
}
