#include "kernels/climb.h"
#include "base/vmath.h"
#include "kernels/sweep_parts.h"
#include "numerics/columns.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

static const double DEVIATIONS = 4; /* of |S^T grad|^2 from what it is for draws */
static const double SHORTER = .25, LONGER = 2, LEAST = 1e-6;

enum { L = DUN_LANES };

/* S^T g of all lanes. */
DUN_CLONES static void whiten(const struct dun_sweep *s, const struct dun_metric *metric,
                              const double *g, double *w)
{
  double one[L] __attribute__((aligned(64)));
  const double *scale = s->adaptation->scale.value;

  for (int l = 0; l < L; l++)
    one[l] = 1;
  memset(w, 0, (size_t)s->d * L * sizeof *w);
  if (metric->d) {
    metric->transposed(metric, one, g, w);
    return;
  }
  for (int64_t j = 0; j < s->d; j++)
    for (int l = 0; l < L; l++)
      w[j * L + l] = scale[j] * g[j * L + l];
}

/* x += by S w */
DUN_CLONES static void step_by(const struct dun_sweep *s, const struct dun_metric *metric,
                               const double *by, const double *w, double *x)
{
  const double *scale = s->adaptation->scale.value;

  if (metric->d) {
    metric->apply(metric, by, w, x);
    return;
  }
  for (int64_t j = 0; j < s->d; j++)
    for (int l = 0; l < L; l++)
      x[j * L + l] = DUN_FMA(by[l] * scale[j], w[j * L + l], x[j * L + l]);
}

/* How far each lane goes, 0: not at all; those that are there, or cannot go, climb no more. */
static int find_steps(const struct dun_sweep *s, int n, const double *lp, const double *square,
                      double *share, double *by)
{
  double due = s->d, most = due + DEVIATIONS * sqrt(2 * due);
  int count = 0;

  for (int l = 0; l < L; l++) {
    int far = square[l] > most && square[l] < INFINITY && isfinite(lp[l]);
    int climbs = l < n && share[l] > 0 && far;
    if (!climbs)
      share[l] = 0;
    by[l] = climbs ? share[l] * (1 - sqrt(due / square[l])) : 0;
    count += climbs;
  }
  return count;
}

/* Lanes that climb come first, copies of the first of them stand behind: the target is asked for
 * no others. */
static void gather(int64_t columns, const double *by, double *block)
{
  double row[L];

  for (int64_t j = 0; j < columns; j++) {
    int k = 0;
    for (int l = 0; l < L; l++)
      if (by[l] > 0)
        row[k++] = block[j * L + l];
    for (int first = k; k < L && first > 0; k++)
      row[k] = row[0];
    memcpy(block + j * L, row, sizeof row);
  }
}

static int is_higher(const struct dun_sweep *s, int k, const double *lp, const double *g,
                     double before)
{
  for (int64_t j = 0; j < s->d; j++)
    if (!isfinite(g[j * L + k]))
      return 0;
  return lp[k] > before && lp[k] < INFINITY;
}

/* Takes what went up. */
static int take(const struct dun_sweep *s, const double *by, const double *state, const double *g,
                const struct dun_lanes *w, double *share)
{
  int64_t columns = (int64_t)s->d + s->K;
  const double *lp = state + columns * L, *before = w->state + columns * L;
  int k = 0, left = 0;

  for (int l = 0; l < L; l++) {
    if (!(by[l] > 0))
      continue;
    int higher = is_higher(s, k, lp, g, before[l]);
    for (int64_t j = 0; j < columns && higher; j++)
      w->state[j * L + l] = state[j * L + k];
    for (int64_t j = 0; j < s->d && higher; j++)
      w->force[j * L + l] = g[j * L + k];
    share[l] *= higher ? LONGER : SHORTER;
    share[l] = share[l] > 1 ? 1 : share[l] < LEAST ? 0 : share[l];
    left += share[l] > 0;
    k++;
  }
  return left;
}

/* Where a tile's lanes might go, and how far each does, by[64]; how many do. */
static int propose(const struct dun_sweep *s, const struct dun_metric *metric, int n,
                   const struct dun_lanes *w, double *share, double *by)
{
  int64_t d = s->d, columns = d + s->K;
  double *y = w->scratch, *white = w->before;
  double square[L] __attribute__((aligned(64))) = {0};

  whiten(s, metric, w->force, white);
  dun_columns_add_square((int)d, white, square);
  int count = find_steps(s, n, w->state + columns * L, square, share, by);
  memcpy(y, w->state, (size_t)(columns + 1) * L * sizeof *y);
  step_by(s, metric, by, white, y);
  gather(d, by, y);
  return count;
}

static int climb_tile(struct dun_sweep *s, const struct dun_metric *metric,
                      struct dun_column *share_of, int64_t i, double t)
{
  struct dun_lanes w = dun_lanes_of(s);
  int64_t d = s->d;
  int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i), left = 0;
  double share[L] __attribute__((aligned(64))), by[L] __attribute__((aligned(64)));
  double *y = w.scratch, *g = w.gradient;

  dun_sweep_load(s, &w, i, t, 0);
  dun_tile_load(s->population, s->force, i, w.force);
  dun_tile_load(s->population, share_of, i, share);
  int count = propose(s, metric, n, &w, share, by);
  if (count > 0) {
    struct dun_request request = {.n = count,
                                  .x = y,
                                  .time = w.time,
                                  .coefficient = w.coefficient,
                                  .part_lp = y + d * L,
                                  .lp = y + (d + s->K) * L,
                                  .gradient = g};
    s->path->evaluate(s->path_self, &request);
    left = take(s, by, y, g, &w, share);
  }
  int status = dun_pass_leave(&s->pass, i, 0, n);
  if (status < 0)
    return status;
  dun_tile_store(s->population, s->x, i, w.state);
  dun_tile_store(s->population, s->part_lp, i, w.state + d * L);
  dun_tile_store(s->population, s->force, i, w.force);
  dun_tile_store(s->population, share_of, i, share);
  return left;
}

int dun_climb(struct dun_context *context, struct dun_sweep *s, struct dun_column *share, double t,
              int64_t *left)
{
  struct dun_metric metric = dun_sweep_metric(s, 0);
  struct dun_exact sum = {0};
  double total = 0;
  int status = dun_path_prepare(context, s->path, s->path_self, t);

  if (status < 0)
    return status;
  if (!dun_pass_begin(context, &s->pass, 1, &sum)) {
    for (int64_t i = 0; i < s->population->tiles.count && status >= 0; i++)
      if ((status = dun_pass_enter(&s->pass, i, 0)) > 0 &&
          (status = climb_tile(s, &metric, share, i, t)) >= 0)
        dun_exact_add(&sum, status);
    status = dun_pass_end(context, &s->pass, status, 1, &sum, &total);
  }
  *left = (int64_t)total;
  return status;
}
