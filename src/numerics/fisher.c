#include "numerics/fisher.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "numerics/symmetric.h"
#include <math.h>
#include <string.h>

/* A ridge is so much of a coordinate's own spread, of the points and of the gradients. */
static const double RIDGE[] = {1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1};
enum { RIDGES = sizeof RIDGE / sizeof *RIDGE, UNJUDGED = 3 };

/* By such a share must a dense metric beat the diagonal one: each of its moves takes d^2
 * operations. */
static const double MARGIN = .01;

/* Points of a half that can judge. */
static const double LEAST = 4;

/* By such a factor must it shorten trajectories, where that is asked for. */
static const double SHORTER = 1.25;

/* In units of the pooled scales. */
struct work {
  int64_t d;
  int gradients, diagonal;
  double *scale; /* [d] */
  double *a[3],
      *b[3];     /* [d][d], or [d] if diagonal: of the halves and of all; b of points alone NULL */
  double *m[5];  /* [d][d] scratch; unless diagonal */
  double *value; /* [3 d] scratch */
};

static double *at(const struct work *w, double *matrix, int64_t i, int64_t j)
{
  return w->diagonal ? matrix + i : matrix + i * w->d + j;
}

/* ---- pooling and scaling --------------------------------------------------------------------- */

/* The covariance of both halves together; one of them may be empty. */
static void pool(const struct work *w, const struct dun_fisher_half h[2], double *a, double *b)
{
  double n = h[0].count + h[1].count, one = h[0].count / n, other = h[1].count / n;

  for (int64_t i = 0; i < w->d; i++)
    for (int64_t j = w->diagonal ? i : 0; j < (w->diagonal ? i + 1 : w->d); j++) {
      int64_t k = w->diagonal ? i : i * w->d + j;
      double x = (h[0].mean_x[i] - h[1].mean_x[i]) * (h[0].mean_x[j] - h[1].mean_x[j]);
      a[k] = one * h[0].x[k] + other * h[1].x[k] + one * other * x;
      if (w->gradients)
        b[k] = one * h[0].g[k] + other * h[1].g[k] +
               one * other * (h[0].mean_g[i] - h[1].mean_g[i]) * (h[0].mean_g[j] - h[1].mean_g[j]);
    }
}

static int is_scale(double s)
{
  return s > 0 && s < INFINITY;
}

/* The scales; 0 where nothing can be learned. */
static void find_scales(struct work *w)
{
  for (int64_t j = 0; j < w->d; j++) {
    double x = *at(w, w->a[2], j, j), g = w->gradients ? *at(w, w->b[2], j, j) : 0;
    double s = w->gradients ? sqrt(sqrt(x) / sqrt(g)) : sqrt(x);
    w->scale[j] = is_scale(s) && is_scale(x) && (is_scale(g) || !w->gradients) ? s : 0;
  }
}

/* A coordinate in which nothing was learned stands alone. */
static void rescale(const struct work *w, double *matrix, int inverse)
{
  for (int64_t i = 0; i < w->d; i++)
    for (int64_t j = w->diagonal ? i : 0; j < (w->diagonal ? i + 1 : w->d); j++) {
      double s = w->scale[i] * w->scale[j], *entry = at(w, matrix, i, j);
      *entry = s == 0 ? i == j : inverse ? *entry * s : *entry / w->scale[i] / w->scale[j];
    }
}

/* ---- fits and scores ------------------------------------------------------------------------- */

static void add_ridge(const struct work *w, const double *a, const double *b, double ridge,
                      double *out)
{
  int64_t d = w->d;

  memcpy(out, a, (size_t)(d * d) * sizeof *out);
  for (int64_t i = 0; i < d; i++)
    out[i * d + i] += ridge * (b ? sqrt(a[i * d + i] * b[i * d + i]) : a[i * d + i]);
}

static void transpose(int64_t d, const double *a, double *out)
{
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++)
      out[j * d + i] = a[i * d + j];
}

/* m[0] = L^-T (L^T A L)^(1/2) L^-1 with B = L L^T.  -1: there is none. */
static int geometric_mean(struct work *w, const double *a, const double *b, double ridge)
{
  int64_t d = w->d;
  double *l = w->m[1], *t = w->m[2], *c = w->m[3], *v = w->m[4], *mean = w->m[0], most = 0;

  add_ridge(w, b, a, ridge, l);
  if (dun_symmetric_cholesky((int)d, l) < 0)
    return -1;
  add_ridge(w, a, b, ridge, v);
  dun_symmetric_ab((int)d, v, l, t); /* A L */
  transpose(d, l, c);
  dun_symmetric_ab((int)d, c, t, mean); /* L^T A L */
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < i; j++)
      mean[j * d + i] = mean[i * d + j];
  if (dun_symmetric_eigen((int)d, mean, w->value, v, w->value + d) < 0)
    return -1;
  for (int64_t k = 0; k < d; k++)
    most = w->value[k] > most ? w->value[k] : most;
  dun_symmetric_invert_lower((int)d, l, t);
  dun_symmetric_ab((int)d, v, t, c);
  for (int64_t k = 0; k < d; k++) {
    double value = w->value[k] > 1e-15 * most ? w->value[k] : 1e-15 * most;
    for (int64_t j = 0; j < d; j++)
      c[k * d + j] *= sqrt(sqrt(value));
  }
  transpose(d, c, v);
  dun_symmetric_ab((int)d, v, c, mean);
  return 0;
}

static int fit(struct work *w, const double *a, const double *b, double ridge)
{
  if (w->gradients)
    return geometric_mean(w, a, b, ridge);
  add_ridge(w, a, NULL, ridge, w->m[0]);
  for (int64_t i = 0; i < w->d * w->d; i++)
    w->m[0][i] /= 1 + ridge;
  return 0;
}

/* Of the metric m[0] on a half; INFINITY: it is none. */
static double score_dense(struct work *w, int half)
{
  int64_t d = w->d;
  double *l = w->m[1], *inverse = w->m[2], *t = w->m[3], sum = 0;

  memcpy(l, w->m[0], (size_t)(d * d) * sizeof *l);
  if (dun_symmetric_cholesky((int)d, l) < 0)
    return INFINITY;
  dun_symmetric_invert_lower((int)d, l, inverse);
  dun_symmetric_ab((int)d, inverse, w->a[half], t);
  for (int64_t i = 0; i < d * d; i++)
    sum += t[i] * inverse[i];
  for (int64_t i = 0; i < d * d && w->gradients; i++)
    sum += w->m[0][i] * w->b[half][i];
  for (int64_t i = 0; i < d && !w->gradients; i++)
    sum += 2 * dun_scalar_log(l[i * d + i]);
  return sum / (double)d;
}

/* Of the diagonal metric of one half on the other. */
static double score_diagonal(const struct work *w, int from, int half)
{
  double sum = 0;

  for (int64_t i = 0; i < w->d; i++) {
    double x = *at(w, w->a[from], i, i), m = x;
    if (w->gradients)
      m = sqrt(x / *at(w, w->b[from], i, i));
    sum += *at(w, w->a[half], i, i) / m;
    sum += w->gradients ? m * *at(w, w->b[half], i, i) : dun_scalar_log(m);
  }
  return isnan(sum) ? INFINITY : sum / (double)w->d;
}

static double cross_score(struct work *w, double ridge)
{
  double sum = 0;

  for (int half = 0; half < 2; half++) {
    if (fit(w, w->a[half], w->gradients ? w->b[half] : NULL, ridge) < 0)
      return INFINITY;
    sum += score_dense(w, 1 - half) / 2;
  }
  return sum;
}

/* ---- lengths of trajectories ----------------------------------------------------------------- */

/* The largest eigenvalue of a symmetric matrix, by the power method: more than close is not needed.
 * value[2 d] is scratch. */
static double largest(const struct work *w, const double *matrix)
{
  const int steps = 40;
  const double golden = .6180339887498949;
  double *v = w->value, *next = v + w->d, size = 0;

  for (int64_t i = 0; i < w->d; i++)
    v[i] = 1 + golden * (double)i - floor(golden * (double)i);
  for (int k = 0; k < steps; k++) {
    double square = 0;
    for (int64_t i = 0; i < w->d; i++) {
      next[i] = 0;
      for (int64_t j = 0; j < w->d; j++)
        next[i] += matrix[i * w->d + j] * v[j];
      square += next[i] * next[i];
    }
    size = sqrt(square);
    for (int64_t i = 0; i < w->d; i++)
      v[i] = size > 0 ? next[i] / size : 0;
  }
  return size;
}

/* With the metric m[0], whose factor goes into m[1], the points of a half are as wide, and their
 * log density is as steep, as these eigenvalues say: a trajectory takes steps in proportion to the
 * root of their product, which this is. */
static double steps_dense(struct work *w, int half)
{
  int d = (int)w->d;
  double *l = w->m[1], *t = w->m[2], *c = w->m[3], *white = w->m[4];

  memcpy(l, w->m[0], (size_t)(w->d * w->d) * sizeof *l);
  if (dun_symmetric_cholesky(d, l) < 0)
    return INFINITY;
  dun_symmetric_invert_lower(d, l, t);
  dun_symmetric_ab(d, t, w->a[half], c);
  dun_symmetric_abt(d, c, t, white);
  double wide = largest(w, white);
  transpose(d, l, t);
  dun_symmetric_ab(d, w->b[half], l, c);
  dun_symmetric_ab(d, t, c, white);
  return sqrt(wide * largest(w, white));
}

/* The same with the diagonal metric of the other half. */
static double steps_diagonal(struct work *w, int half)
{
  double *white = w->m[4], wide = 0;

  for (int steep = 0; steep < 2; steep++) {
    for (int64_t i = 0; i < w->d; i++)
      for (int64_t j = 0; j < w->d; j++) {
        double m = sqrt(sqrt(*at(w, w->a[1 - half], i, i) / *at(w, w->b[1 - half], i, i)) *
                        sqrt(*at(w, w->a[1 - half], j, j) / *at(w, w->b[1 - half], j, j)));
        int64_t k = i * w->d + j;
        white[k] = steep ? w->b[half][k] * m : w->a[half][k] / m;
      }
    wide = steep ? wide : largest(w, white);
  }
  return sqrt(wide * largest(w, white));
}

/* Whether they are so short with the diagonal metric that of so many points no other could be found
 * to be better: chance alone widens the eigenvalues of a sample by about (1 + sqrt(d / n))^2. */
static int are_short(struct work *w, double least)
{
  double chance = 1 + sqrt((double)w->d / least), square = 1;

  for (int half = 0; half < 2; half++)
    square *= steps_diagonal(w, half);
  return sqrt(square) < SHORTER * chance * chance;
}

/* Whether the dense metric with that ridge makes trajectories shorter. */
static int shortens(struct work *w, double ridge)
{
  double gain = 1;

  for (int half = 0; half < 2; half++) {
    if (fit(w, w->a[half], w->b[half], ridge) < 0)
      return 0;
    gain *= steps_diagonal(w, 1 - half) / steps_dense(w, 1 - half);
  }
  return sqrt(gain) > SHORTER;
}

/* The best ridge into *out, if it beats the diagonal's score. */
static void choose_ridge(struct work *w, double diagonal, struct dun_fisher *out)
{
  double before = out->score;

  out->score = diagonal < INFINITY ? diagonal - MARGIN * fabs(diagonal) : INFINITY;
  for (int r = 0; r < RIDGES; r++) {
    double score = cross_score(w, RIDGE[r]);
    if (score < out->score) {
      out->score = score;
      out->ridge = RIDGE[r];
      out->dense = 1;
    }
  }
  out->score = out->dense ? out->score : before;
}

/* The factor of all points' metric. */
static void take_dense(struct work *w, struct dun_fisher *out)
{
  int64_t d = w->d;

  out->dense = fit(w, w->a[2], w->gradients ? w->b[2] : NULL, out->ridge) >= 0;
  if (out->dense)
    memcpy(out->factor, w->m[0], (size_t)(d * d) * sizeof *out->factor);
  out->dense = out->dense && dun_symmetric_cholesky((int)d, out->factor) >= 0;
  for (int64_t i = 0; i < d && out->dense; i++) {
    double square = w->m[0][i * d + i];
    for (int64_t j = 0; j <= i; j++)
      out->factor[i * d + j] *= out->scale[i];
    out->scale[i] *= sqrt(square);
  }
}

/* ---- the whole ------------------------------------------------------------------------------- */

static double *cut(double **block, int64_t count)
{
  double *start = *block;
  *block += count;
  return start;
}

/* *block is to be freed. */
static int make(struct work *w, double **block)
{
  int64_t n = w->diagonal ? w->d : w->d * w->d;
  double *rest = dun_allocate((w->diagonal ? 6 : 11) * n + 4 * w->d, sizeof *rest);

  *block = rest;
  if (!rest)
    return DUN_ERROR_MEMORY;
  for (int h = 0; h < 3; h++) {
    w->a[h] = cut(&rest, n);
    w->b[h] = cut(&rest, n);
  }
  for (int k = 0; k < 5 && !w->diagonal; k++)
    w->m[k] = cut(&rest, n);
  w->scale = cut(&rest, w->d);
  w->value = rest;
  return 0;
}

static void load(struct work *w, const struct dun_fisher_half half[2])
{
  size_t size = (size_t)(w->diagonal ? w->d : w->d * w->d) * sizeof(double);

  pool(w, half, w->a[2], w->b[2]);
  find_scales(w);
  for (int h = 0; h < 3; h++) {
    if (h < 2) {
      memcpy(w->a[h], half[h].x, size);
      if (w->gradients)
        memcpy(w->b[h], half[h].g, size);
    }
    rescale(w, w->a[h], 0);
    if (w->gradients)
      rescale(w, w->b[h], 1);
  }
}

static void choose(struct work *w, enum dun_fisher_form form, const struct dun_fisher_half half[2],
                   struct dun_fisher *out)
{
  double least = half[0].count < half[1].count ? half[0].count : half[1].count;
  double diagonal = least < LEAST ? NAN : .5 * (score_diagonal(w, 0, 1) + score_diagonal(w, 1, 0));

  out->dense = 0;
  out->ridge = 0;
  out->score = diagonal;
  int saves = form == DUN_FISHER_SHORTER && w->gradients;
  if (w->diagonal || least < LEAST || (saves && are_short(w, least)))
    return;
  if (w->d > DUN_FISHER_MOST) {
    out->ridge = RIDGE[UNJUDGED];
    out->dense = 1;
  } else {
    choose_ridge(w, form == DUN_FISHER_DENSE ? INFINITY : diagonal, out);
    if (out->dense && saves)
      out->dense = shortens(w, out->ridge);
  }
  if (out->dense)
    take_dense(w, out);
}

int dun_fisher_learn(int d, enum dun_fisher_form form, const struct dun_fisher_half half[2],
                     const double *old, struct dun_fisher *out)
{
  struct work w = {.d = d, .gradients = half[0].g != NULL, .diagonal = form == DUN_FISHER_DIAGONAL};
  double *block;
  int status = make(&w, &block);

  if (status < 0)
    return status;
  load(&w, half);
  for (int j = 0; j < d; j++)
    out->scale[j] = w.scale[j] > 0 ? w.scale[j] : old[j];
  choose(&w, form, half, out);
  dun_free(block);
  return 0;
}

/* M or its root as a lower triangular matrix. */
static void root_of(int64_t d, const double *scale, const double *factor, double *out)
{
  memset(out, 0, (size_t)(d * d) * sizeof *out);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++)
      out[i * d + j] = factor ? factor[i * d + j] : i == j ? scale[i] : 0;
}

static double largest_log(int64_t d, const double *value)
{
  double most = 0;

  for (int64_t k = 0; k < d; k++) {
    double size = value[k] > 0 ? fabs(dun_scalar_log(value[k])) : INFINITY;
    most = size > most ? size : most;
  }
  return most;
}

int dun_fisher_change(int d, const double *old_scale, const double *old_factor,
                      const double *new_scale, const double *new_factor, double *change)
{
  int64_t n = (int64_t)d * d;
  int dense = old_factor || new_factor;
  double *block = dun_allocate((dense ? 4 * n : 0) + 3 * d, sizeof *block), *value = block;

  if (!block)
    return DUN_ERROR_MEMORY;
  double *a = block + 3 * d, *b = a + n, *c = b + n, *e = c + n;
  for (int j = 0; j < d; j++)
    value[j] = new_scale[j] / old_scale[j] * (new_scale[j] / old_scale[j]);
  if (dense) {
    root_of(d, old_scale, old_factor, a);
    dun_symmetric_invert_lower(d, a, b);
    root_of(d, new_scale, new_factor, a);
    dun_symmetric_ab(d, b, a, c);
    dun_symmetric_abt(d, c, c, e);
    if (dun_symmetric_eigen(d, e, value, a, value + d) < 0)
      value[0] = 0;
  }
  *change = largest_log(d, value);
  dun_free(block);
  return 0;
}
