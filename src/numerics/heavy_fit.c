/* Expectation-maximisation for mixtures of Student laws (Peel & McLachlan 2000, Stat. Comput. 10,
 * 339): with the share r_ik of point i that component k has, and u_ik = (nu + d) / (nu + q_ik),
 *
 *   mean_k = sum_i r u x / sum_i r u,   matrix_k = sum_i r u (x - mean)(x - mean)^T / sum_i r
 *
 * Coordinates are centred at their medians and scaled by their quartiles. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/heavy_mixture.h"
#include "numerics/linear.h"
#include "parallel/sum.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { L = DUN_LANES, FIRST_FREEDOM = 8, FEWEST = 2 * DUN_LANES, FEW = 8 };

struct fit {
  struct dun_heavy_limits limits;
  int64_t n, tiles, seen; /* points, tiles, and tiles of the first half */
  int d;
  double *centre, *scale; /* [d] */
  double *column; /* [tiles][d][64]: points by tiles, lanes behind the last repeat a point */
  double *row;    /* [tiles * 64][d]: the same by rows */
  double *own;    /* [most]: sums of r */
  double *pull;   /* [most][tiles * 64]: r u */
  double *chosen; /* [tiles * 64][d] scratch */
  double *axis;   /* [2][d] scratch */
  int *listed;    /* [tiles * 64]: the points of a component */
};

/* A mixture at work, in standard units. */
struct state {
  struct dun_heavy_shape shape;
  double *parameter; /* [most][stride], owned */
  double *mass;      /* [most]: points of each, owned */
};

/* ---- setting up ------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The median, and the quartiles' distance as of a Gaussian; where that is 0, 1.  Of some hundred
 * points: units need not be precise. */
static void standardise(struct fit *f, const double *x, double *sorted)
{
  int64_t every = f->n / 256 > 0 ? f->n / 256 : 1, count = f->n / every;
  for (int j = 0; j < f->d; j++) {
    for (int64_t i = 0; i < count; i++)
      sorted[i] = x[i * every * f->d + j];
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    double width = (sorted[3 * count / 4] - sorted[count / 4]) / 1.349;
    f->centre[j] = sorted[count / 2];
    f->scale[j] = width > 0 && isfinite(width) ? width : 1;
  }
}

static void fill(struct fit *f, const double *x)
{
  for (int64_t i = 0; i < f->tiles * L; i++) {
    int64_t from = i < f->n ? i : i / L * L;
    for (int j = 0; j < f->d; j++) {
      double z = (x[from * f->d + j] - f->centre[j]) / f->scale[j];
      f->row[i * f->d + j] = z;
      f->column[(i / L * f->d + j) * L + i % L] = z;
    }
  }
}

static void fit_free(struct fit *f)
{
  DUN_FREE(f->centre);
  DUN_FREE(f->column);
  DUN_FREE(f->row);
  DUN_FREE(f->pull);
  DUN_FREE(f->chosen);
  DUN_FREE(f->listed);
}

static int fit_init(struct fit *f, const struct dun_heavy_points *points,
                    struct dun_heavy_limits limits)
{
  int64_t d = points->d, tiles = (points->n + L - 1) / L, all = tiles * L;
  *f = (struct fit){.limits = limits, .n = points->n, .tiles = tiles, .d = points->d};
  f->seen = tiles / 2;
  f->centre = dun_allocate(4 * d + limits.most, sizeof *f->centre);
  f->column = dun_allocate(all * d, sizeof *f->column);
  f->row = dun_allocate(all * d, sizeof *f->row);
  f->pull = dun_allocate(limits.most * all, sizeof *f->pull);
  f->chosen = dun_allocate(all * d, sizeof *f->chosen);
  f->listed = dun_allocate(all + 1, sizeof *f->listed);
  if (!f->centre || !f->column || !f->row || !f->pull || !f->chosen || !f->listed)
    return DUN_ERROR_MEMORY;
  f->scale = f->centre + d;
  f->axis = f->scale + d;
  f->own = f->axis + 2 * d;
  standardise(f, points->x, f->chosen);
  fill(f, points->x);
  return 0;
}

static int state_init(const struct fit *f, int dense, struct state *s)
{
  *s = (struct state){.shape = {.d = f->d, .dense = dense, .freedom = FIRST_FREEDOM}};
  s->parameter = dun_allocate(f->limits.most * dun_heavy_stride(&s->shape), sizeof(double));
  s->mass = dun_allocate(f->limits.most, sizeof *s->mass);
  return s->parameter && s->mass ? 0 : DUN_ERROR_MEMORY;
}

static void state_free(struct state *s)
{
  DUN_FREE(s->parameter);
  DUN_FREE(s->mass);
}

static void state_copy(const struct fit *f, const struct state *from, struct state *to)
{
  size_t stride = (size_t)dun_heavy_stride(&from->shape), most = (size_t)f->limits.most;
  to->shape = from->shape;
  memcpy(to->parameter, from->parameter, most * stride * sizeof(double));
  memcpy(to->mass, from->mass, most * sizeof(double));
}

/* ---- expectation ----------------------------------------------------------------------------- */

/* Of the first n lanes; returns the sum of r. */
DUN_CLONES static double set_pulls(const struct dun_heavy_mixture *m, int k, int n,
                                   double *restrict pull)
{
  const double *restrict own = m->own + (int64_t)k * L, *restrict square = m->square + k * L;
  double freedom = m->shape.freedom, all = freedom + m->shape.d, part[L];
  for (int l = 0; l < L; l++) {
    part[l] = l < n ? own[l] : 0;
    pull[l] = part[l] * all / (freedom + square[l]);
  }
  return dun_fold_lanes(part);
}

static int lanes_of(const struct fit *f, int64_t tile)
{
  int64_t left = f->n - tile * L;
  return left < L ? (int)left : L;
}

static void expect_tile(struct fit *f, const struct dun_heavy_mixture *m, int64_t tile)
{
  for (int k = 0; k < m->shape.components; k++)
    f->own[k] += set_pulls(m, k, lanes_of(f, tile), f->pull + (k * f->tiles + tile) * L);
}

/* The mean log density of the points in the tiles; with `expect` also r and r u of each. */
static int look(struct fit *f, const struct state *s, int64_t first, int64_t last, int expect,
                double *mean)
{
  struct dun_heavy_mixture m;
  double density[L] __attribute__((aligned(64))), sum = 0, points = 0;
  int status = dun_heavy_init(&m, &s->shape, s->parameter);
  for (int k = 0; k < s->shape.components && expect; k++)
    f->own[k] = 0;
  for (int64_t t = first; t < last && status >= 0; t++) {
    int n = lanes_of(f, t);
    dun_heavy_evaluate(&m, f->column + t * f->d * L, density);
    for (int l = 0; l < n; l++)
      sum += density[l];
    points += n;
    if (expect)
      expect_tile(f, &m, t);
  }
  dun_heavy_free(&m);
  *mean = sum / points;
  return status;
}

/* ---- maximisation ---------------------------------------------------------------------------- */

/* The points that count for a component. */
static int list(struct fit *f, const double *pull, int64_t first, int64_t last)
{
  int count = 0;
  for (int64_t i = first; i < last; i++) {
    f->listed[count] = (int)i;
    count += pull[i] > 1e-7;
  }
  return count;
}

static void set_mean(const struct fit *f, const double *pull, int count, double *mean)
{
  double all = 0;
  memset(mean, 0, (size_t)f->d * sizeof *mean);
  for (int c = 0; c < count; c++) {
    const double *x = f->row + (int64_t)f->listed[c] * f->d;
    double weight = pull[f->listed[c]];
    all += weight;
    for (int j = 0; j < f->d; j++)
      mean[j] += weight * x[j];
  }
  for (int j = 0; j < f->d; j++)
    mean[j] /= all;
}

/* Deviations from the mean, each times sqrt(r u). */
static void set_chosen(struct fit *f, const double *pull, int count, const double *mean)
{
  for (int c = 0; c < count; c++) {
    const double *x = f->row + (int64_t)f->listed[c] * f->d;
    double root = sqrt(pull[f->listed[c]]), *to = f->chosen + (int64_t)c * f->d;
    for (int j = 0; j < f->d; j++)
      to[j] = root * (x[j] - mean[j]);
  }
}

static void set_matrix(struct fit *f, int dense, int count, double mass, double *matrix)
{
  int d = f->d;
  if (dense) {
    memset(matrix, 0, (size_t)d * (size_t)d * sizeof *matrix);
    dun_multiply_add_atb(d, d, count, f->chosen, d, f->chosen, d, matrix, d);
    for (int64_t i = 0; i < (int64_t)d * d; i++)
      matrix[i] /= mass;
    return;
  }
  memset(matrix, 0, (size_t)d * sizeof *matrix);
  for (int i = 0; i < count; i++)
    for (int j = 0; j < d; j++)
      matrix[j] += f->chosen[(int64_t)i * d + j] * f->chosen[(int64_t)i * d + j] / mass;
}

/* Few points span no volume: correlations are drawn to zero then. */
static void firm(const struct fit *f, int dense, double mass, double *matrix)
{
  int64_t d = f->d;
  double enough = 3. * (double)(d + 1), kept = mass < enough ? mass / enough : 1;
  for (int64_t j = 0; j < d; j++)
    for (int64_t i = 0; i < d && dense; i++)
      matrix[j * d + i] *= i == j ? 1 : kept;
  for (int64_t j = 0; j < d; j++)
    matrix[dense ? j * d + j : j] += 1e-10;
}

/* Components that have next to nothing are gone. */
static void maximise(struct fit *f, struct state *s, int64_t first, int64_t last)
{
  int64_t stride = dun_heavy_stride(&s->shape), all = f->tiles * L;
  int left = 0, dense = s->shape.dense;
  double total = 0;
  for (int k = 0; k < s->shape.components; k++) {
    const double *pull = f->pull + k * all;
    double *mean = s->parameter + left * stride + 1, *matrix = mean + f->d, mass = f->own[k];
    if (mass < 2)
      continue;
    int count = list(f, pull, first * L, last * L);
    set_mean(f, pull, count, mean);
    set_chosen(f, pull, count, mean);
    set_matrix(f, dense, count, mass, matrix);
    firm(f, dense, mass, matrix);
    s->mass[left++] = mass;
    total += mass;
  }
  s->shape.components = left;
  for (int k = 0; k < left; k++)
    s->parameter[k * stride] = s->mass[k] / total;
}

static int improve(struct fit *f, struct state *s, int64_t first, int64_t last, int rounds)
{
  double mean, before = -INFINITY;
  int status = 0;
  for (int i = 0; i < rounds && status >= 0; i++) {
    if ((status = look(f, s, first, last, 1, &mean)) < 0)
      break;
    maximise(f, s, first, last);
    if (mean - before < .02)
      break;
    before = mean;
  }
  return status;
}

/* ---- more components ------------------------------------------------------------------------- */

/* The longest axis by a few rounds of power iteration; returns its variance. */
static double longest(const struct fit *f, int dense, const double *matrix, double *v)
{
  int d = f->d, top = 0;
  double *next = v + d, length = 0;
  for (int j = 1; j < d; j++)
    if (matrix[dense ? (int64_t)j * d + j : j] > matrix[dense ? (int64_t)top * d + top : top])
      top = j;
  for (int j = 0; j < d; j++)
    v[j] = j == top;
  if (!dense)
    return matrix[top];
  for (int round = 0; round < 20; round++) {
    length = 0;
    for (int i = 0; i < d; i++) {
      next[i] = 0;
      for (int j = 0; j < d; j++)
        next[i] += matrix[(int64_t)i * d + j] * v[j];
      length += next[i] * next[i];
    }
    length = sqrt(length);
    for (int i = 0; i < d; i++)
      v[i] = next[i] / length;
  }
  return length;
}

/* One component becomes two of half its share, at both sides of its centre, that have together
 * the same moments. */
static void split(struct fit *f, const struct dun_heavy_shape *shape, double *one, double *other)
{
  int d = f->d;
  double *matrix = one + 1 + d, variance = longest(f, shape->dense, matrix, f->axis);
  double step = .8 * sqrt(variance);
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d && shape->dense; j++)
      matrix[(int64_t)i * d + j] -= step * step * f->axis[i] * f->axis[j];
  for (int j = 0; j < d && !shape->dense; j++)
    matrix[j] -= step * step * f->axis[j] * f->axis[j];
  one[0] *= .5;
  memcpy(other, one, (size_t)dun_heavy_stride(shape) * sizeof *one);
  for (int j = 0; j < d; j++) {
    one[1 + j] += step * f->axis[j];
    other[1 + j] -= step * f->axis[j];
  }
}

/* Splits those that have points enough; 0: none has. */
static int split_all(struct fit *f, struct state *s)
{
  int64_t stride = dun_heavy_stride(&s->shape);
  int K = s->shape.components, count = K;
  double enough = s->shape.dense ? 4. * (f->d + 2) : 16;
  for (int k = 0; k < K && count < f->limits.most; k++)
    if (s->mass[k] >= enough)
      split(f, &s->shape, s->parameter + k * stride, s->parameter + count++ * stride);
  s->shape.components = count;
  return count > K;
}

static void begin(struct fit *f, struct state *s)
{
  int64_t all = f->tiles * L;
  for (int64_t i = 0; i < all; i++)
    f->pull[i] = i < f->n;
  f->own[0] = (double)f->seen * L;
  s->shape.components = 1;
  maximise(f, s, 0, f->seen);
}

/* How likely the second half's points are. */
static int judge(struct fit *f, const struct state *s, double *mean)
{
  return look(f, s, f->seen, f->tiles, 0, mean);
}

/* Of many components, what after half of the rounds is no better than the best so far is not worth
 * the rest: most of the time is spent on the last numbers of them, of which one is too many. */
static int attempt(struct fit *f, struct state *s, double height, double *mean)
{
  int first = f->limits.rounds / 2;
  int status = improve(f, s, 0, f->seen, first);
  if (status >= 0)
    status = judge(f, s, mean);
  if (status < 0 || (s->shape.components > FEW && *mean < height))
    return status;
  status = improve(f, s, 0, f->seen, f->limits.rounds - first);
  return status < 0 ? status : judge(f, s, mean);
}

static int grow(struct fit *f, struct state *best, struct state *next, double *height)
{
  double mean;
  int status, more = 1;
  begin(f, best);
  if ((status = improve(f, best, 0, f->seen, f->limits.rounds)) < 0 ||
      (status = judge(f, best, height)) < 0)
    return status;
  while (more) {
    state_copy(f, best, next);
    if (!split_all(f, next))
      return 0;
    status = attempt(f, next, *height, &mean);
    if (status < 0) /* a component that lies in a plane ends the growth */
      return status == DUN_ERROR_NUMERIC ? 0 : status;
    if ((more = mean > *height + .01)) {
      *height = mean;
      state_copy(f, next, best);
    }
  }
  return 0;
}

static int choose_freedom(struct fit *f, struct state *best, struct state *next, double height)
{
  static const int freedom[] = {4, 16};
  struct dun_heavy_shape shape = best->shape;
  int status = 0;
  for (size_t i = 0; i < sizeof freedom / sizeof *freedom && status >= 0; i++) {
    double mean;
    state_copy(f, best, next);
    next->shape.freedom = freedom[i];
    if ((status = improve(f, next, 0, f->seen, 1)) < 0 || (status = judge(f, next, &mean)) < 0)
      break;
    if (mean > height && next->shape.components == shape.components) {
      height = mean;
      state_copy(f, next, best);
    }
  }
  return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* In the points' own units. */
static void restore_units(const struct fit *f, struct state *s)
{
  int64_t d = f->d, stride = dun_heavy_stride(&s->shape);
  for (int k = 0; k < s->shape.components; k++) {
    double *mean = s->parameter + k * stride + 1, *matrix = mean + d;
    for (int64_t j = 0; j < d; j++) {
      mean[j] = f->centre[j] + f->scale[j] * mean[j];
      for (int64_t i = 0; i < d && s->shape.dense; i++)
        matrix[j * d + i] *= f->scale[j] * f->scale[i];
      if (!s->shape.dense)
        matrix[j] *= f->scale[j] * f->scale[j];
    }
  }
}

/* What the last round made, and in other units, need be no mixture. */
static int check(const struct state *s)
{
  struct dun_heavy_mixture made;
  int status = dun_heavy_init(&made, &s->shape, s->parameter);
  dun_heavy_free(&made);
  return status;
}

int dun_heavy_fit(const struct dun_heavy_points *points, struct dun_heavy_limits limits,
                  struct dun_heavy_shape *shape, double **parameter)
{
  struct fit f = {0};
  struct state best = {0}, next = {0};
  double height;
  int dense = points->d <= 64 && points->n >= 4 * (int64_t)points->d;
  int status = points->n < FEWEST ? dun_fail(DUN_ERROR_NUMERIC, "too few points for a mixture")
                                  : fit_init(&f, points, limits);
  if (status >= 0 && (state_init(&f, dense, &best) < 0 || state_init(&f, dense, &next) < 0))
    status = DUN_ERROR_MEMORY;
  if (status < 0 || (status = grow(&f, &best, &next, &height)) < 0 ||
      (status = choose_freedom(&f, &best, &next, height)) < 0 ||
      (status = improve(&f, &best, 0, f.tiles, 1)) < 0)
    goto out;
  restore_units(&f, &best);
  if ((status = check(&best)) < 0)
    goto out;
  *shape = best.shape;
  *parameter = best.parameter;
  best.parameter = NULL;
out:
  state_free(&best);
  state_free(&next);
  fit_free(&f);
  return status;
}
