#include "finishes/ascent.h"
#include "finishes/fit.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <float.h>
#include <math.h>
#include <string.h>

static double *end_of(const struct dun_fit *w, int64_t i)
{
  return dun_f64(w->ascent) + i * (w->d + 1);
}

/* From a tile's particles. */
static int ascend(struct dun_fit *w, int64_t tile)
{
  int n = dun_fit_tile_size(w, tile), d = w->d;
  double *x = w->lanes, *lp = x + 4 * (int64_t)d * DUN_LANES;
  int64_t first = tile * w->tiles->tile;

  dun_tile_load(&w->run->population, w->run->x, tile, x);
  dun_ascend(w->run->evaluator, n, w->scale.value, w->step, w->steps, x, lp, lp + DUN_LANES);
  int status = dun_pass_leave(&w->run->sweep.pass, tile, 0, n);
  if (status < 0)
    return status;
  dun_strided_rows_from_columns(n, d, d + 1, x, end_of(w, first));
  for (int l = 0; l < n; l++)
    end_of(w, first + l)[d] = isfinite(lp[l]) ? lp[l] : -DBL_MAX;
  return 0;
}

/* Whole tiles, evenly over all of them, since relatives are neighbours. */
static int is_chosen(const struct dun_fit *w, int64_t tile)
{
  double number = (double)(w->tiles->first_tile + tile);
  return number == 0 || floor(number * w->share) > floor((number - 1) * w->share);
}

static void forget_ends(struct dun_fit *w, int64_t tile)
{
  int64_t first = tile * w->tiles->tile;
  for (int l = 0; l < dun_fit_tile_size(w, tile); l++)
    end_of(w, first + l)[w->d] = -DBL_MAX;
}

int dun_fit_ascend(struct dun_context *context, struct dun_fit *w, int64_t slices)
{
  struct dun_pass *pass = &w->run->sweep.pass;
  int status = 0;
  if (dun_pass_begin(context, pass, 0, NULL))
    return 0;
  for (int64_t i = 0; i < w->tiles->count && status >= 0; i++) {
    if ((w->tiles->first_tile + i) % slices != w->done)
      continue;
    if (!is_chosen(w, i))
      forget_ends(w, i);
    else if ((status = dun_pass_enter(pass, i, 0)) > 0)
      status = ascend(w, i);
  }
  return dun_pass_end(context, pass, status, 0, NULL, NULL);
}

double dun_fit_distance(const struct dun_fit *w, const double *a, const double *b)
{
  double square = 0;
  for (int j = 0; j < w->d; j++) {
    double v = (a[j] - b[j]) / w->scale.value[j];
    square += v * v;
  }
  return sqrt(square);
}

/* Collective.  Where the highest unclaimed end is; of equals, that of the lowest index.
 * *found = -1: not on this rank; returns 0 if there is none anywhere. */
static int highest(struct dun_context *context, struct dun_fit *w, double *lp, int64_t *found)
{
  double best = -DBL_MAX, number = -DBL_MAX, mine;
  int status, d = w->d;
  *found = -1;
  for (int64_t i = 0; i < w->tiles->local; i++)
    best = end_of(w, i)[d] > best ? end_of(w, i)[d] : best;
  if ((status = dun_max(context, 0, 1, &best)) < 0 || best == -DBL_MAX)
    return status;
  for (int64_t i = w->tiles->local - 1; i >= 0; i--)
    if (end_of(w, i)[d] == best) {
      *found = i;
      number = -(double)(w->tiles->first + i);
    }
  mine = number;
  if ((status = dun_max(context, 0, 1, &number)) < 0)
    return status;
  if (number != mine)
    *found = -1;
  *lp = best;
  return 1;
}

/* A point of one rank reaches the others as a sum with zeros. */
int dun_fit_next_mode(struct dun_context *context, struct dun_fit *w)
{
  int64_t own, d = w->d;
  double *centre = w->centre.value + w->modes * d;
  int status;
  if (w->modes == w->most_modes)
    return 0;
  if ((status = highest(context, w, &w->height.value[w->modes], &own)) <= 0)
    return status;
  memset(w->sum, 0, (size_t)d * sizeof *w->sum);
  for (int64_t j = 0; j < d && own >= 0; j++)
    dun_exact_add(&w->sum[j], end_of(w, own)[j]);
  if ((status = dun_sum(context, 0, d, w->sum, centre)) < 0)
    return status;
  for (int64_t i = 0; i < w->tiles->local; i++)
    if (end_of(w, i)[d] != -DBL_MAX && dun_fit_distance(w, end_of(w, i), centre) < w->width)
      end_of(w, i)[d] = -DBL_MAX;
  if (own >= 0)
    end_of(w, own)[d] = -DBL_MAX;
  w->modes++;
  return 1;
}
