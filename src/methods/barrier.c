#include "methods/barrier.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* From `UNKNOWN` on a rejection says only that rungs are far apart.  So many V's of a rung have to
 * be left by their weights to tell of another time. */
static const double UNKNOWN = .95, EFFECTIVE = 8, LEAST = 1e-3;
enum { FIRST_POINTS = 512, POINTS = 32 };

/* A rung's V's, sorted, without those that are no numbers. */
struct rung {
  int64_t n;
  double time;
  double *v, *weight;
};

/* Lambda over the times: points of all intervals, one after the other. */
struct curve {
  int64_t count;
  int64_t *end; /* [R - 1]: the last point of each interval */
  double *time; /* [count], from 0 to 1 */
  double *far;  /* [count]: Lambda of its time */
  double *local;
  double jump; /* Lambda that every first step takes, however short: of what t > 0 kills */
};

double dun_barrier_distance(double r)
{
  r = r > 0 ? r : 0;
  r = r < 1 - 1e-9 ? r : 1 - 1e-9;
  return sqrt(-dun_scalar_log(1 - r * r));
}

/* ---- lambda ---------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static struct rung sort_rung(const struct dun_barrier *b, int64_t k, double *work)
{
  struct rung r = {.time = b->time[k], .v = work, .weight = work + b->drawn};
  const double *value = b->value + k * b->stride;
  for (int64_t i = 0; i < b->drawn; i++)
    if (isfinite(value[i]))
      r.v[r.n++] = value[i];
  qsort(r.v, (size_t)r.n, sizeof *r.v, compare);
  return r;
}

/* At time t from the V's of one rung, and how many of them count there. */
static double local_barrier(const struct rung *r, double t, double *effective)
{
  double sum = 0, square = 0, below = 0, apart = 0, dt = t - r->time;
  *effective = 0;
  if (r->n < 2)
    return 0;
  double top = dt > 0 ? r->v[r->n - 1] : r->v[0];
  for (int64_t i = 0; i < r->n; i++) {
    r->weight[i] = dun_scalar_exp(dt * (r->v[i] - top));
    sum += r->weight[i];
    square += r->weight[i] * r->weight[i];
  }
  for (int64_t i = 0; i + 1 < r->n; i++) {
    below += r->weight[i];
    apart += (r->v[i + 1] - r->v[i]) * (below / sum) * (1 - below / sum);
  }
  *effective = sum * sum / square;
  return *effective > 1 ? apart / (1 - square / (sum * sum)) : 0;
}

/* From both ends of an interval; NAN: neither knows. */
static double join(const struct rung *low, const struct rung *high, double t)
{
  double a, b, from_low = local_barrier(low, t, &a), from_high = local_barrier(high, t, &b);
  double least = .25 * (double)(low->n < high->n ? low->n : high->n);
  least = least < EFFECTIVE ? least : EFFECTIVE;
  double value = (a * from_low + b * from_high) / (a + b);
  return (a >= least || b >= least) && value > 0 && value < INFINITY ? value : NAN;
}

/* ---- an interval between two rungs ----------------------------------------------------------- */

/* Log-linear between the known values; it stays as it is before the first and behind the last. */
static void fill(int64_t n, const double *time, double *local)
{
  int64_t known = -1;
  for (int64_t i = 0; i < n; i++) {
    if (!(local[i] > 0))
      continue;
    for (int64_t j = known + 1; j < i; j++) {
      double share =
          known < 0 ? 1
                    : dun_scalar_log(time[j] / time[known]) / dun_scalar_log(time[i] / time[known]);
      double from = dun_scalar_log(local[known < 0 ? i : known]);
      local[j] = dun_scalar_exp(from + share * (dun_scalar_log(local[i]) - from));
    }
    known = i;
  }
  for (int64_t j = known + 1; j < n; j++)
    local[j] = known < 0 ? 0 : local[known];
}

/* How small a time is so near 0 that the weights are still alike. */
static double first_time(const struct rung *low, double end)
{
  double range = low->n > 1 ? low->v[low->n - 1] - low->v[0] : 0, most = end / POINTS;
  double t = range > 0 ? .1 / range : most;
  return t < most ? (t > 1e-305 ? t : 1e-305) : most;
}

/* Points at equal distances of log t, from behind the low rung to the high one. */
static void add_points(struct curve *c, const struct rung *low, const struct rung *high)
{
  int64_t points = low->time > 0 ? POINTS : FIRST_POINTS;
  double start = low->time > 0 ? low->time : first_time(low, high->time);
  double length = dun_scalar_log(high->time / start);
  for (int64_t i = 0; i <= points; i++) {
    if (i == 0 && low->time > 0)
      continue;
    double t =
        i == points ? high->time : start * dun_scalar_exp(length * (double)i / (double)points);
    c->local[c->count] = join(low, high, t);
    c->time[c->count++] = t;
  }
}

/* The distances of the points behind `first`, from lambda, so that they end at `whole`; at least at
 * that if `least`. */
static void measure(struct curve *c, int64_t first, double whole, int least)
{
  double sum = 0;
  for (int64_t i = first + 1; i < c->count; i++) {
    double a = c->time[i - 1], b = c->time[i], *local = c->local;
    double mean =
        a > 0 ? .5 * (local[i - 1] * a + local[i] * b) * dun_scalar_log(b / a) : local[i] * (b - a);
    c->far[i] = mean > 0 ? mean : 0;
    sum += c->far[i];
  }
  double factor = sum > 0 ? whole / sum : 0, few = LEAST / (double)(c->count - first);
  factor = least && factor < 1 ? 1 : factor;
  for (int64_t i = first + 1; i < c->count; i++)
    c->far[i] = c->far[i - 1] + factor * c->far[i] + few;
}

static void add_interval(struct curve *c, const struct rung *low, const struct rung *high,
                         double rejection)
{
  int64_t first = c->count - 1;
  add_points(c, low, high);
  int64_t from = first > 0 ? first : 1; /* time 0 has no logarithm */
  fill(c->count - from, c->time + from, c->local + from);
  measure(c, first, dun_barrier_distance(rejection < UNKNOWN ? rejection : UNKNOWN),
          rejection >= UNKNOWN);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int64_t points_of(int64_t R)
{
  return FIRST_POINTS + 2 + POINTS * (R - 2);
}

static void add_intervals(const struct dun_barrier *b, struct curve *c, double *work)
{
  struct rung low = sort_rung(b, 0, work), high;
  c->jump = dun_barrier_distance(b->lost);
  c->count = 1;
  c->time[0] = c->far[0] = c->local[0] = 0;
  for (int64_t k = 0; k + 1 < b->rungs; k++) {
    high = sort_rung(b, k + 1, work + 2 * b->drawn * ((k + 1) % 2));
    add_interval(c, &low, &high, b->rejection[k]);
    c->end[k] = c->count - 1;
    low = high;
  }
}

/* The time at a distance, and the place among the present rungs. */
static double invert(const struct curve *c, double distance, double *origin)
{
  int64_t i = 1, k = 0;
  while (i + 1 < c->count && c->far[i] < distance)
    i++;
  while (c->end[k] < i)
    k++;
  double below = k > 0 ? c->far[c->end[k - 1]] : 0;
  double share = (distance - c->far[i - 1]) / (c->far[i] - c->far[i - 1]);
  share = share < 0 ? 0 : share < 1 ? share : 1;
  *origin = (double)k + (distance - below) / (c->far[c->end[k]] - below);
  return i == 1
             ? share * c->time[1]
             : c->time[i - 1] * dun_scalar_exp(share * dun_scalar_log(c->time[i] / c->time[i - 1]));
}

/* Where every first step is longer than its share, the first rung is the base without what t > 0
 * kills, and the others share the rest. */
static void place(const struct curve *c, int64_t R, double *time, double *origin)
{
  double whole = c->far[c->count - 1], step = (whole + c->jump) / (double)(R - 1);
  int alone = c->jump > step;
  time[0] = origin[0] = 0;
  for (int64_t j = 1; j + 1 < R; j++) {
    double wanted = alone ? whole * (double)(j - 1) / (double)(R - 2) : step * (double)j - c->jump;
    time[j] = invert(c, wanted > c->far[1] ? wanted : c->far[1], &origin[j]);
  }
  time[R - 1] = 1;
  origin[R - 1] = (double)(R - 1);
}

static int rises(int64_t R, const double *time)
{
  for (int64_t k = 1; k < R; k++)
    if (!(time[k] > time[k - 1]))
      return 0;
  return 1;
}

int dun_barrier_place(const struct dun_barrier *b, int64_t rungs, double *time, double *origin)
{
  int64_t points = points_of(b->rungs);
  double *memory = dun_allocate(3 * points + 4 * b->drawn, sizeof *memory);
  struct curve c = {.end = dun_allocate(b->rungs, sizeof *c.end)};
  int status = memory && c.end ? 0 : DUN_ERROR_MEMORY;

  if (status == 0) {
    c.time = memory;
    c.far = c.time + points;
    c.local = c.far + points;
    add_intervals(b, &c, c.local + points);
    place(&c, rungs, time, origin);
    status = !rises(rungs, time);
  }
  dun_free(memory);
  dun_free(c.end);
  return status;
}
