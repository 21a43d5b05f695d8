#include "kernels/sweep.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "kernels/retry.h"
#include "kernels/spread.h"
#include "kernels/sweep_parts.h"
#include "population/tile.h"
#include <math.h>

const struct dun_state dun_sweep_state[] = {
    DUN_STATE_UP_TO(64, "passes", offsetof(struct dun_sweep, pass.over)),
    DUN_STATE_ROW("sums", DUN_STATE_NUMBERS, offsetof(struct dun_sweep, pass.sums), 1),
    DUN_STATE_ROW("answers", DUN_STATE_NUMBERS, offsetof(struct dun_sweep, pass.answers), 1),
    DUN_STATE_ROW("statistic", DUN_STATE_NUMBER, offsetof(struct dun_sweep, statistic), DUN_HALVES),
    DUN_STATE_ROW("forces_time", DUN_STATE_NUMBER, offsetof(struct dun_sweep, forces_time), 1),
    {0},
};

int64_t dun_sweep_memory(const struct dun_kernel *kernel, int d, int K)
{
  int64_t columns =
      6 * (int64_t)d + 2 * K + 13 + DUN_LOOK_COLUMNS + (kernel ? kernel->scratch(d, K) : 0);
  return columns * DUN_LANES * (int64_t)sizeof(double);
}

static int64_t triangle(const struct dun_sweep *s)
{
  return (int64_t)s->d * (s->d + 1) / 2;
}

/* A carry that remembers has a column for it, or the method knows no such carries; notes may go
 * without. */
static int find_memory(struct dun_sweep *s)
{
  int width = s->path && s->path->remembers ? s->path->remembers(s->path_self) : 0;
  int notes = s->path && s->path->notes ? s->path->notes(s->path_self) : 0;
  int all = width + (notes > 0 ? notes : 0);
  s->memory = all ? dun_population_find(s->population, "memory") : NULL;
  DUN_FREE(s->remembered);
  if (width && !s->memory)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s with this field keeps something of every particle, which method smc "
                    "alone takes along",
                    s->path->type.name);
  if (all)
    s->remembered = dun_allocate((int64_t)all * DUN_LANES, sizeof *s->remembered);
  return all && !s->remembered ? DUN_ERROR_MEMORY : 0;
}

int dun_sweep_init(struct dun_sweep *s)
{
  int status = find_memory(s);
  if (status < 0)
    return status;
  dun_sweep_find_columns(s);
  s->highest = s->forces_time = NAN;
  s->floor = -INFINITY;
  s->d = s->x->width;
  s->K = s->part_lp->width;
  DUN_FREE(s->workspace);
  s->workspace = dun_allocate(dun_sweep_memory(s->kernel, s->d, s->K), 1);
  if (!s->workspace)
    return DUN_ERROR_MEMORY;
  DUN_FREE(s->lane_scale);
  if (s->rung)
    s->lane_scale = dun_allocate((int64_t)s->d * DUN_LANES, sizeof *s->lane_scale);
  DUN_FREE(s->lane_factor);
  if (s->rung && s->dense_rungs)
    s->lane_factor = dun_allocate(triangle(s) * DUN_LANES, sizeof *s->lane_factor);
  return s->rung && (!s->lane_scale || (s->dense_rungs && !s->lane_factor)) ? DUN_ERROR_MEMORY : 0;
}

void dun_sweep_free(struct dun_sweep *s)
{
  DUN_FREE(s->workspace);
  DUN_FREE(s->remembered);
  DUN_FREE(s->lane_scale);
  DUN_FREE(s->lane_factor);
  dun_pass_free(&s->pass);
}

/* ---- moving ------------------------------------------------------------------------------ */

static void broadcast_lanes(double *lane, double value)
{
  for (int l = 0; l < DUN_LANES; l++)
    lane[l] = value;
}

/* The path's unit at the lanes' times. */
static void lane_units(const struct dun_sweep *s, const double *time, double *unit)
{
  for (int l = 0; l < DUN_LANES; l++)
    unit[l] = !s->path->unit                ? 1
              : l > 0 && time[l] == time[0] ? unit[0]
                                            : s->path->unit(s->path_self, time[l]);
}

/* Loads x, parts and the chains' own time and step size; combines the log density. */
void dun_sweep_load(const struct dun_sweep *s, const struct dun_lanes *w, int64_t i, double t,
                    double step)
{
  double *part = w->state + (int64_t)s->d * DUN_LANES;

  dun_tile_load(s->population, s->x, i, w->state);
  dun_tile_load(s->population, s->part_lp, i, part);
  if (s->time)
    dun_tile_load(s->population, s->time, i, w->time);
  else
    broadcast_lanes(w->time, t);
  if (s->step_size)
    dun_tile_load(s->population, s->step_size, i, w->step);
  else
    broadcast_lanes(w->step, step);
  dun_path_lane_coefficients(s->path, s->path_self, w->time, w->coefficient);
  dun_path_combine_parts(s->K, w->coefficient, part, part + (int64_t)s->K * DUN_LANES);
}

/* Whether the column of forces is that of the points as they stand, at time t. */
static int has_forces(const struct dun_sweep *s, double t)
{
  return dun_sweep_keeps(s) && s->forces_time == t;
}

/* The workspace of a move of the loaded tile, by the adaptation of a half. */
static struct dun_move move_of(const struct dun_sweep *s, const struct dun_lanes *w,
                               struct dun_address address, int n, int half)
{
  const struct dun_adaptation *adaptation = &s->adaptation[half];
  lane_units(s, w->time, w->unit);
  return (struct dun_move){.path = s->path,
                           .path_self = s->path_self,
                           .address = address,
                           .n = n,
                           .d = s->d,
                           .K = s->K,
                           .letters = s->pass.evaluator->letters,
                           .spins = s->pass.evaluator->target->support == DUN_SPINS,
                           .time = w->time,
                           .coefficient = w->coefficient,
                           .step_size = w->step,
                           .scale = adaptation->scale.value,
                           .metric = s->metric.d ? &s->metric : NULL,
                           .centre = adaptation->centre.value,
                           .unit = w->unit,
                           .statistic = s->statistic[s->halves ? 1 - half : 0],
                           .from_point = s->from_point,
                           .blind = s->blind,
                           .final = s->final,
                           .leapfrogs = dun_adaptation_leapfrogs(adaptation, address),
                           .state = w->state,
                           .acceptance = w->acceptance,
                           .unseen = w->unseen,
                           .momentum = s->momentum ? w->momentum : NULL,
                           .gradient = s->gradient && s->known ? w->gradient : NULL,
                           .force = s->force ? w->force : NULL,
                           .force_known = has_forces(s, w->time[0]),
                           .log_weight = s->logw ? w->log_weight : NULL,
                           .scratch = w->scratch};
}

/* `lost` tells which weights became 0. */
void dun_sweep_add_log_weight(const struct dun_sweep *s, const struct dun_lanes *w, int64_t i,
                              struct dun_span span, struct dun_column *logw, double *lost)
{
  double sum[DUN_LANES] __attribute__((aligned(64)));

  dun_tile_load(s->population, logw, i, sum);
  for (int l = 0; l < DUN_LANES; l++) {
    double more = sum[l] + w->log_weight[l];
    more = more < INFINITY ? more : -INFINITY;
    lost[l] = sum[l] > -INFINITY && more == -INFINITY;
    sum[l] = more;
  }
  dun_tile_store_lanes(s->population, logw, i, span.from, span.to, sum);
}

/* The metrics of a tile's rungs; lanes behind the last particle have that of the first. */
static void load_scales(struct dun_sweep *s, int64_t i, int n)
{
  const int64_t *rung = dun_i64(s->rung) + 2 * i * s->population->tiles.tile;
  for (int l = 0; l < DUN_LANES; l++) {
    const double *scale = s->rung_scale + rung[l < n ? 2 * l : 0] * s->d;
    for (int64_t j = 0; j < s->d; j++)
      s->lane_scale[j * DUN_LANES + l] = scale[j];
  }
}

/* Their lower triangles, behind their scales. */
static void load_factors(struct dun_sweep *s, int64_t i, int n)
{
  const int64_t *rung = dun_i64(s->rung) + 2 * i * s->population->tiles.tile;
  for (int l = 0; l < DUN_LANES; l++) {
    const double *entry = s->rung_factor + rung[l < n ? 2 * l : 0] * triangle(s);
    double *out = s->lane_factor + l;
    for (int64_t j = 0; j < s->d; j++)
      for (int64_t k = 0; k <= j; k++, out += DUN_LANES)
        *out = s->lane_scale[j * DUN_LANES + l] * *entry++;
  }
}

struct dun_metric dun_sweep_metric(const struct dun_sweep *s, int half)
{
  const struct dun_numbers *factor = &s->adaptation[half].factor;
  if (s->rung_scale && s->rung_factor)
    return dun_metric_dense_lanes(s->d, s->lane_factor);
  if (s->rung_scale)
    return dun_metric_lanes(s->d, s->lane_scale);
  if (s->propagator && s->propagator->scale)
    return dun_metric_fourier(&s->propagator->lattice, s->propagator->scale);
  if (factor->count)
    return dun_metric_dense(s->d, factor->value);
  return (struct dun_metric){0};
}

/* Into *tile's spans; how many there are. */
static int spans_of(const struct dun_sweep *s, int64_t i, struct dun_span span[DUN_HALVES])
{
  const struct dun_tiles *tiles = &s->population->tiles;
  int n = dun_tile_size(tiles, tiles->first_tile + i);
  int64_t cut = s->halves ? s->boundary - tiles->first - i * tiles->tile : n;

  if (cut <= 0 || cut >= n) {
    span[0] = (struct dun_span){cut <= 0, 0, n};
    return 1;
  }
  span[0] = (struct dun_span){0, 0, (int)cut};
  span[1] = (struct dun_span){1, (int)cut, n};
  return 2;
}

static void store_lanes(const struct dun_sweep *s, struct dun_column *column, int64_t i,
                        struct dun_span span, const double *lanes)
{
  if (column)
    dun_tile_store_lanes(s->population, column, i, span.from, span.to, lanes);
}

/* The probability that the move was accepted, by its second try or already by its first. */
static void store_acceptance(const struct dun_sweep *s, const struct dun_lanes *w, int64_t i,
                             struct dun_span span)
{
  double all[DUN_LANES];

  for (int l = 0; l < DUN_LANES; l++)
    all[l] = w->acceptance[l] + (1 - w->acceptance[l]) * w->again[l];
  store_lanes(s, s->acceptance, i, span, all);
}

/* What a move leaves behind, where it was not given up. */
static void store_span(struct dun_sweep *s, struct dun_lanes *w, int64_t i, struct dun_span span,
                       struct dun_exact *sum)
{
  double lost[DUN_LANES];

  store_lanes(s, s->momentum, i, span, w->momentum);
  if (s->logw) {
    dun_sweep_add_log_weight(s, w, i, span, s->logw, lost);
    dun_look_lost(w, lost, sum);
  }
  store_lanes(s, s->x, i, span, w->state);
  store_lanes(s, s->part_lp, i, span, w->state + (int64_t)s->d * DUN_LANES);
  store_lanes(s, s->force, i, span, w->force);
  store_acceptance(s, w, i, span);
  store_lanes(s, s->credit, i, span, dun_look_credit(s, w, span.half));
  if (s->start)
    dun_tile_load(s->population, s->start, i, w->start);
}

/* Steps of the particles' own, where they differ. */
static void spread_steps(const struct dun_sweep *s, const struct dun_lanes *w,
                         struct dun_address address, int half)
{
  broadcast_lanes(w->spread, 0);
  if (!s->adaptation[half].adapt_spread)
    return;
  dun_spread_draw(address, w->spread);
  dun_spread_steps(&s->adaptation[half], w->spread, w->step);
}

/* What ends so that nothing would let it be accepted says nothing of a draw: no density, where a
 * trajectory has got more kinetic energy than any climb gives it (from where most of a normal law
 * is, d / 2), and no gradient, where the density is a number. */
void dun_sweep_set_nans_aside(struct dun_sweep *s, int n, const double *acceptance,
                              const double *unseen, const double *gain)
{
  struct dun_evaluator *e = s->pass.evaluator;
  double climb = 50 + 2 * (double)s->d;
  for (int l = 0; l < n && s->kernel->uses_leapfrogs && !e->warming; l++) {
    int density = e->odd_densities >> l & 1;
    int away = unseen[l] == 0 || gain[l] > climb;
    e->nans_aside += acceptance[l] == 0 && (!density || away) ? e->odd[l] : 0;
  }
}

void dun_sweep_forget_nans(struct dun_sweep *s)
{
  s->pass.evaluator->odd_densities = 0;
  memset(s->pass.evaluator->odd, 0, sizeof s->pass.evaluator->odd);
}

/* Where the halves meet in a tile, each moves with all lanes, and the other's are thrown away. */
static int move_span(struct dun_sweep *s, struct dun_lanes *w, struct dun_address address,
                     int64_t i, double t, struct dun_span span, const double *inverse,
                     struct dun_exact *sum)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  int64_t tile = tiles->first_tile + i, d = s->d;
  int n = dun_tile_size(tiles, tile);
  double *lp = w->state + (d + s->K) * DUN_LANES, gain[DUN_LANES] = {0};

  address.tile = (uint32_t)tile;
  dun_sweep_load(s, w, i, t, dun_adaptation_step(&s->adaptation[span.half], address));
  if (s->rung_scale)
    load_scales(s, i, n);
  if (s->rung_scale && s->rung_factor)
    load_factors(s, i, n);
  if (dun_sweep_tries(s)) {
    memcpy(w->before, w->state, (size_t)d * DUN_LANES * sizeof *lp);
    memcpy(w->before + d * DUN_LANES, lp, DUN_LANES * sizeof *lp);
  }
  if (s->momentum)
    dun_tile_load(s->population, s->momentum, i, w->momentum);
  if (s->gradient && s->known)
    dun_tile_load(s->population, s->gradient, i, w->gradient);
  if (has_forces(s, w->time[0]))
    dun_tile_load(s->population, s->force, i, w->force);
  for (int l = 0; l < DUN_LANES; l++)
    w->counts[l] = l >= span.from && l < span.to && lp[l] >= s->floor;
  s->metric = dun_sweep_metric(s, span.half);
  struct dun_move move = move_of(s, w, address, n, span.half);
  move.gain = gain;
  broadcast_lanes(w->unseen, 0);
  spread_steps(s, w, address, span.half);
  broadcast_lanes(w->again, 0);
  broadcast_lanes(w->second, -1);
  dun_sweep_forget_nans(s);
  s->kernel->move(s->kernel_self, &move);
  dun_sweep_set_nans_aside(s, n, w->acceptance, w->unseen, gain);
  if (s->kernel->retries && s->adaptation[span.half].retries)
    dun_retry_tile(s, w, &move);
  int status = dun_pass_leave(&s->pass, i, span.from, span.to);
  if (status < 0)
    return status;
  store_span(s, w, i, span, sum);
  dun_look_tile(s, w, inverse, address, move.leapfrogs, sum);
  return 0;
}

/* This rank's tiles below a global index. */
int64_t dun_sweep_tiles_below(const struct dun_tiles *tiles, int64_t limit)
{
  int64_t count = limit - tiles->first_tile;
  return count < 0 ? 0 : count < tiles->count ? count : tiles->count;
}

/* What the kernel asks for, of a tile; its gradients are kept. */
static int add_statistic(struct dun_sweep *s, struct dun_lanes *w, struct dun_address address,
                         double t, int64_t i, struct dun_exact *sum)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double value[DUN_LANES] __attribute__((aligned(64)));
  struct dun_span span[DUN_HALVES];
  int n = dun_tile_size(tiles, tiles->first_tile + i), spans = spans_of(s, i, span);

  address.tile = (uint32_t)(tiles->first_tile + i);
  dun_sweep_load(s, w, i, t, dun_adaptation_step(s->adaptation, address));
  struct dun_move move = move_of(s, w, address, n, 0);
  s->kernel->statistic(s->kernel_self, &move, value);
  int status = dun_pass_leave(&s->pass, i, 0, n);
  if (status < 0)
    return status;
  if (s->gradient)
    dun_tile_store(s->population, s->gradient, i, w->gradient);
  for (int k = 0; k < spans; k++) {
    double part[DUN_LANES] = {0};
    for (int l = span[k].from; l < span[k].to; l++)
      part[l] = value[l];
    dun_exact_add(&sum[2 * span[k].half], dun_fold(part));
    dun_exact_add(&sum[2 * span[k].half + 1], span[k].to - span[k].from);
  }
  return 0;
}

/* Its means over the particles of each half, or of all: a pass of its own. */
static int find_statistic(struct dun_context *context, struct dun_sweep *s,
                          struct dun_address address, double t, int64_t count)
{
  struct dun_exact sum[2 * DUN_HALVES] = {0};
  double total[2 * DUN_HALVES];
  struct dun_lanes w = dun_lanes_of(s);
  int m = s->halves ? 2 * DUN_HALVES : 2, status = 0;

  if (dun_pass_begin(context, &s->pass, m, sum))
    return 0;
  for (int64_t i = 0; i < count && status >= 0; i++)
    if ((status = dun_pass_enter(&s->pass, i, 0)) > 0)
      status = add_statistic(s, &w, address, t, i, sum);
  status = dun_pass_end(context, &s->pass, status, m, sum, total);
  for (int half = 0; half < m / 2 && status >= 0; half++) {
    const double *own = total + 2 * half, *other = total + 2 * (m / 2 - 1 - half);
    const double *found = own[1] > 0 ? own : other; /* of a half that died out */
    s->statistic[half] = found[1] > 0 ? found[0] / found[1] : 0;
  }
  return status;
}

/* 1 / scale [DUN_HALVES][d] */
static double *inverse_scales(const struct dun_sweep *s)
{
  int halves = s->halves ? DUN_HALVES : 1;
  double *inverse = dun_allocate((int64_t)halves * s->d, sizeof *inverse);

  for (int h = 0; h < halves && inverse; h++)
    for (int64_t j = 0; j < s->d; j++)
      inverse[h * s->d + j] = 1 / s->adaptation[h].scale.value[j];
  return inverse;
}

/* The looks of the halves and that of all from totals [DUN_HALVES][sums]. */
static void summarise(struct dun_sweep *s, double *total, int sums, struct dun_look *look)
{
  for (int h = 0; h < DUN_HALVES && s->halves; h++)
    dun_look_summarise(s, total + (int64_t)h * sums, &s->half[h]);
  for (int q = 0; q < sums && s->halves; q++)
    total[q] += total[sums + q];
  dun_look_summarise(s, total, look);
}

/* The highest log density in `start`, found once. */
static int find_highest(struct dun_context *context, struct dun_sweep *s)
{
  double highest = -INFINITY;

  if (!s->start || !isnan(s->highest))
    return 0;
  for (int64_t i = 0; i < s->population->tiles.local; i++) {
    double lp = dun_f64(s->start)[i * (s->d + 1) + s->d];
    highest = lp > highest ? lp : highest;
  }
  int status = dun_max(context, 0, 1, &highest);
  s->highest = highest > -INFINITY ? highest : 0;
  return status;
}

/* The pass of the moves, behind that of the statistic. */
static int move_tiles(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                      double t, int64_t count, const double *inverse, struct dun_exact *sum)
{
  struct dun_lanes w = dun_lanes_of(s);
  int sums = dun_look_sums(s), all = s->halves ? DUN_HALVES * sums : sums;
  int status = dun_pass_begin(context, &s->pass, all, sum);

  for (int64_t i = 0; i < count && status >= 0; i++) {
    struct dun_span span[DUN_HALVES];
    int spans = spans_of(s, i, span);
    for (int k = 0; k < spans && status >= 0; k++)
      if ((status = dun_pass_enter(&s->pass, i, span[k].from)) > 0)
        status = move_span(s, &w, address, i, t, span[k], inverse + (int64_t)span[k].half * s->d,
                           sum + (int64_t)span[k].half * sums);
  }
  return status;
}

int dun_sweep_move(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                   double t, int64_t tiles, struct dun_look *look)
{
  int64_t count = dun_sweep_tiles_below(&s->population->tiles, tiles);
  double total[DUN_HALVES * DUN_LOOK_COLUMNS] = {0};
  int sums = dun_look_sums(s), all = s->halves ? DUN_HALVES * sums : sums;
  int prepared = dun_path_prepare(context, s->path, s->path_self, t);
  if (prepared < 0 || (prepared = find_highest(context, s)) < 0)
    return prepared;
  struct dun_exact *sum = dun_allocate(all, sizeof *sum);
  double *inverse = inverse_scales(s);
  int found = 0, status = sum && inverse ? 0 : DUN_ERROR_MEMORY;

  s->known = s->kernel->statistic && !s->final && s->kernel->wants_statistic(s->kernel_self);
  if (s->known)
    found = find_statistic(context, s, address, t, count);
  if (found >= 0 && status >= 0)
    status = move_tiles(context, s, address, t, count, inverse, sum);
  status = found < 0 ? found : dun_pass_end(context, &s->pass, status, all, sum, total);
  if (status >= 0) {
    summarise(s, total, sums, look);
    s->forces_time = t;
  }
  dun_free(sum);
  dun_free(inverse);
  return status;
}

/* Evaluates all parts at the loaded tile. */
int dun_sweep_evaluate_tile(struct dun_sweep *s, const struct dun_lanes *w, int64_t i)
{
  double *part = w->state + (int64_t)s->d * DUN_LANES;
  int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i);
  struct dun_request request = {.n = n,
                                .x = w->state,
                                .time = w->time,
                                .coefficient = w->coefficient,
                                .part_lp = part,
                                .lp = part + (int64_t)s->K * DUN_LANES};
  s->path->evaluate(s->path_self, &request);
  return dun_pass_leave(&s->pass, i, 0, n);
}

int dun_sweep_evaluate(struct dun_context *context, struct dun_sweep *s, double t, int64_t tiles)
{
  struct dun_lanes w = dun_lanes_of(s);
  int64_t count = dun_sweep_tiles_below(&s->population->tiles, tiles);
  int status = dun_path_prepare(context, s->path, s->path_self, t);

  double *part = w.state + (int64_t)s->d * DUN_LANES;
  s->forces_time = NAN; /* who evaluates has changed the points */
  if (status < 0 || dun_pass_begin(context, &s->pass, 0, NULL))
    return status;
  for (int64_t i = 0; i < count && status >= 0; i++) {
    if ((status = dun_pass_enter(&s->pass, i, 0)) <= 0)
      continue;
    dun_sweep_load(s, &w, i, t, 0);
    if ((status = dun_sweep_evaluate_tile(s, &w, i)) >= 0)
      dun_tile_store(s->population, s->part_lp, i, part);
  }
  return dun_pass_end(context, &s->pass, status, 0, NULL, NULL);
}

/* The gradient at a tile's points. */
static int force_tile(struct dun_sweep *s, const struct dun_lanes *w, int64_t i, double t)
{
  int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i);

  dun_sweep_load(s, w, i, t, 0);
  struct dun_request request = {
      .n = n, .x = w->state, .time = w->time, .coefficient = w->coefficient, .gradient = w->force};
  s->path->evaluate(s->path_self, &request);
  int status = dun_pass_leave(&s->pass, i, 0, n);
  if (status >= 0)
    dun_tile_store(s->population, s->force, i, w->force);
  return status;
}

int dun_sweep_forces(struct dun_context *context, struct dun_sweep *s, double t)
{
  struct dun_lanes w = dun_lanes_of(s);
  int status = dun_path_prepare(context, s->path, s->path_self, t);

  if (status < 0 || has_forces(s, t) || dun_pass_begin(context, &s->pass, 0, NULL))
    return status;
  for (int64_t i = 0; i < s->population->tiles.count && status >= 0; i++)
    if ((status = dun_pass_enter(&s->pass, i, 0)) > 0)
      status = force_tile(s, &w, i, t);
  status = dun_pass_end(context, &s->pass, status, 0, NULL, NULL);
  s->forces_time = status >= 0 ? t : NAN;
  return status;
}

void dun_sweep_forget(struct dun_sweep *s)
{
  s->forces_time = NAN;
  if (s->momentum)
    memset(dun_f64(s->momentum), 0, (size_t)(s->population->tiles.local * s->d) * sizeof(double));
}

void dun_sweep_density(const struct dun_sweep *s, int64_t tile, double t, double *lp)
{
  struct dun_lanes w = dun_lanes_of(s);
  dun_sweep_load(s, &w, tile, t, 0);
  memcpy(lp, w.state + (int64_t)(s->d + s->K) * DUN_LANES, DUN_LANES * sizeof *lp);
}

void dun_sweep_remember(struct dun_sweep *s, double t)
{
  s->highest = NAN;
  struct dun_lanes w = dun_lanes_of(s);
  const double *lp = w.state + (int64_t)(s->d + s->K) * DUN_LANES;

  for (int64_t i = 0; i < s->population->tiles.count; i++) {
    dun_sweep_load(s, &w, i, t, 0);
    memcpy(w.start, w.state, (size_t)s->d * DUN_LANES * sizeof *lp);
    memcpy(w.start + (int64_t)s->d * DUN_LANES, lp, DUN_LANES * sizeof *lp);
    dun_tile_store(s->population, s->start, i, w.start);
  }
}
