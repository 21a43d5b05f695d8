#include "methods/flow_rows.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include <math.h>

/* ---- g --------------------------------------------------------------------------------------- */

/* x^(n / 2) of x >= 0, exact where n is -1, 0, 1. */
static double half_power(double x, double n)
{
  if (n == 0)
    return 1;
  if (n == 1 || n == -1)
    return n == 1 ? sqrt(x) : 1 / sqrt(x);
  return dun_scalar_exp(.5 * n * dun_scalar_log(x));
}

/* g of the process itself: its states fade at the rate of the gain, and this makes up the rest. */
static double own(const struct dun_channel *c)
{
  return sqrt(fabs(c->noise_rate[0][0] - 2 * c->gain_rate[0] / c->gain[0] * c->noise[0][0]));
}

static double size_at(const struct dun_flow_dial *dial, const struct dun_flow_grid *grid, double t,
                      const struct dun_channel *channel)
{
  static const struct {
    double n, m;
  } named[] = {
      [DUN_FLOW_CONSTANT] = {0, 0},
      [DUN_FLOW_SINGULAR] = {1, -1},
      [DUN_FLOW_NON_SINGULAR] = {1, 0},
      [DUN_FLOW_ZERO_ENDS] = {1, 1},
  };
  double u = (t - grid->data) / (grid->noise - grid->data);

  if (dial->type == DUN_FLOW_DETERMINISTIC || dial->alpha == 0)
    return 0;
  if (dial->type == DUN_FLOW_REVERSE)
    return dial->alpha * own(channel);
  double n = dial->type == DUN_FLOW_POWER ? dial->n : named[dial->type].n;
  double m = dial->type == DUN_FLOW_POWER ? dial->m : named[dial->type].m;
  return dial->alpha * half_power(u, n) * half_power(1 - u, m);
}

/* g at time k of the grid, for the step behind it. */
static double size(const struct dun_flow_dial *dial, const struct dun_flow_grid *grid, int64_t k)
{
  double g = size_at(dial, grid, grid->time[k], &grid->channel[k]);
  if (isfinite(g) || k > 0)
    return g;
  if (dial->first == DUN_FLOW_SKIP)
    return 0;
  return size_at(dial, grid, .5 * (grid->time[0] + grid->time[1]), &grid->middle);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* h times the velocity at a channel. */
static struct dun_flow_sum velocity(const struct dun_channel *c, double h)
{
  double fade = h * c->noise_rate[0][0] / (2 * c->noise[0][0]);
  return (struct dun_flow_sum){.state = fade,
                               .mean = h * c->gain_rate[0] - fade * c->gain[0],
                               .constant = h * c->offset_rate[0] - fade * c->offset[0]};
}

/* Adds x times the state's distance from a point's, z - offset - gain m. */
static void add_distance(struct dun_flow_sum *sum, const struct dun_channel *c, double x)
{
  sum->state += x;
  sum->mean -= x * c->gain[0];
  sum->constant -= x * c->offset[0];
}

/* h (v + g^2 / 2 s). */
static struct dun_flow_sum drift(const struct dun_channel *c, double h, double g)
{
  struct dun_flow_sum sum = velocity(c, h);
  add_distance(&sum, c, -fabs(h) * g * g / (2 * c->noise[0][0]));
  return sum;
}

static void take_euler(const struct dun_flow_dial *dial, const struct dun_channel *c, double h,
                       double g, struct dun_flow_row *row)
{
  row->step = dial->matrix ? velocity(c, h) : drift(c, h, g);
  row->step.state += 1;
  row->score = dial->matrix ? -fabs(h) * g * g / (2 * c->noise[0][0]) : 0;
  row->noise = sqrt(fabs(h)) * g;
}

/* The noise of both ends in halves: of second order where the drift is. */
static void take_heun(const struct dun_channel *c, const struct dun_channel *next, double h,
                      double g, double g_next, struct dun_flow_row *row)
{
  row->corrected = 1;
  row->keep = drift(c, .5 * h, g);
  row->keep.state += 1;
  row->correct = drift(next, .5 * h, g_next);
  row->noise = sqrt(.5 * fabs(h) * (g * g + g_next * g_next));
}

/* The law of the next state given this one and the point m, whose noise is
 * noise' (1 - lambda / lambda'), or with a part eta of it, the rest kept from the state. */
static void take_bridge(const struct dun_channel *c, const struct dun_channel *next, double eta,
                        struct dun_flow_row *row)
{
  double left = next->noise[0][0], drawn = left > 0 ? left * (1 - c->lambda / next->lambda) : 0;
  double keep = left > 0 ? left * c->tilt[0] / next->gain[0] : 0;
  if (eta < 1)
    keep = sqrt((left - eta * eta * drawn) / c->noise[0][0]);
  row->step = (struct dun_flow_sum){.mean = next->gain[0], .constant = next->offset[0]};
  add_distance(&row->step, c, keep);
  row->noise = eta * sqrt(drawn);
}

/* A state that is one point, where nothing is known yet, has no noise to keep and no score. */
static void take(const struct dun_flow_dial *dial, const struct dun_flow_grid *grid, int64_t k,
                 struct dun_flow_row *row)
{
  const struct dun_channel *c = &grid->channel[k], *next = c + 1;
  double h = grid->time[k + 1] - grid->time[k], g = size(dial, grid, k);
  int point = !(c->noise[0][0] > 0), end = !(next->noise[0][0] > 0);

  *row = (struct dun_flow_row){.offset = c->offset[0], .gain = c->gain[0]};
  if (point || dial->scheme == DUN_FLOW_DDPM) {
    take_bridge(c, next, 1, row);
    return;
  }
  if (dial->scheme == DUN_FLOW_DDIM) {
    take_bridge(c, next, dial->eta, row);
    return;
  }
  take_euler(dial, c, h, g, row);
  if (dial->scheme == DUN_FLOW_HEUN && !end)
    take_heun(c, next, h, g, size(dial, grid, k + 1), row);
}

void dun_flow_rows(const struct dun_flow_dial *dial, const struct dun_flow_grid *grid,
                   struct dun_flow_row *row)
{
  for (int64_t k = 0; k < grid->steps; k++)
    take(dial, grid, k, &row[k]);
}

/* ---- ways ------------------------------------------------------------------------------------ */

/* The divergence of a normal law from one with the same mean and another variance. */
static double mismatch(double own, double other)
{
  double ratio = own / other;
  return .5 * (ratio - 1 - dun_scalar_log(ratio));
}

/* From a state that is one point there is no way back that could be compared. */
static void take_way(const struct dun_channel *c, const struct dun_flow_row *row,
                     struct dun_flow_way *way)
{
  const struct dun_channel *next = c + 1;
  double back = c->gain[0] / next->gain[0], rest = c->noise[0][0];

  *way = (struct dun_flow_way){.constant = dun_scalar_log(row->noise)};
  if (!(rest > 0)) {
    way->constant += .5 * DUN_LOG_2PI;
    return;
  }
  rest *= 1 - c->lambda / next->lambda;
  way->constant -= .5 * dun_scalar_log(rest);
  way->precision = 1 / rest;
  way->back = back;
  way->shift = c->offset[0] - back * next->offset[0];
}

int dun_flow_ways(const struct dun_flow_grid *grid, const struct dun_flow_row *row, int64_t steps,
                  int d, struct dun_flow_way *way)
{
  const double most = 10; /* nats */
  double lost = 0;

  for (int64_t k = 0; k < steps; k++) {
    const struct dun_channel *c = &grid->channel[k], *next = c + 1;
    double own = next->noise[0][0] * (1 - c->lambda / next->lambda);
    if (!(row[k].noise > 0) || row[k].corrected || row[k].score != 0)
      return 0;
    lost += d * mismatch(row[k].noise * row[k].noise, own);
    take_way(c, &row[k], &way[k]);
  }
  return lost < most;
}
