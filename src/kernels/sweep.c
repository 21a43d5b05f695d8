#include "kernels/sweep.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "kernels/distance.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>

/* The workspace's columns, one block after the other. */
struct lanes {
  double *state;                           /* [d + K + 1] */
  double *before;                          /* [d + 1]: x and lp before the move */
  double *start;                           /* [d + 1] */
  double *coefficient;                     /* [K] */
  double *momentum, *gradient;             /* [d] each */
  double *unit, *log_weight;               /* [1] */
  double *time, *step, *acceptance, *look; /* [1], [1], [1], [QUANTITIES] */
  double *scratch;                         /* the kernel's */
};

/* Sums over particles that one sweep collects; the trial groups have three each. */
enum {
  ACCEPTANCE,
  HOPELESS,
  MOVED,
  LOST,
  LP, /* from here on with `start` only */
  LP_SQUARE,
  START_LP,
  START_LP_SQUARE,
  LP_PRODUCT,
  JUMP,
  NEVER_MOVED,
  INSIDE,
  RADIUS, /* from here on with trials only */
  RADIUS_SQUARE,
  TRIAL,
  TRIAL_SHAPE = 0,
  TRIAL_X,
  TRIAL_GRADIENTS,
  TRIAL_COUNT,
  TRIAL_SUMS,
  QUANTITIES = TRIAL + TRIAL_SUMS * DUN_TRIALS
};

static struct lanes lanes_of(const struct dun_sweep *s)
{
  struct lanes w;
  int64_t d = s->d, K = s->K;
  w.state = s->workspace;
  w.before = w.state + (d + K + 1) * DUN_LANES;
  w.start = w.before + (d + 1) * DUN_LANES;
  w.coefficient = w.start + (d + 1) * DUN_LANES;
  w.momentum = w.coefficient + K * DUN_LANES;
  w.gradient = w.momentum + d * DUN_LANES;
  w.unit = w.gradient + d * DUN_LANES;
  w.log_weight = w.unit + DUN_LANES;
  w.time = w.log_weight + DUN_LANES;
  w.step = w.time + DUN_LANES;
  w.acceptance = w.step + DUN_LANES;
  w.look = w.acceptance + DUN_LANES;
  w.scratch = w.look + (int64_t)QUANTITIES * DUN_LANES;
  return w;
}

int64_t dun_sweep_memory(const struct dun_kernel *kernel, int d, int K)
{
  int64_t columns = 5 * (int64_t)d + 2 * K + 8 + QUANTITIES + (kernel ? kernel->scratch(d, K) : 0);
  return columns * DUN_LANES * (int64_t)sizeof(double);
}

int dun_sweep_init(struct dun_sweep *s)
{
  s->x = dun_population_find(s->population, "x");
  s->part_lp = dun_population_find(s->population, "part_lp");
  s->start = dun_population_find(s->population, "start");
  s->time = dun_population_find(s->population, "time");
  s->step_size = dun_population_find(s->population, "step_size");
  s->rung = dun_population_find(s->population, "rung");
  s->momentum = dun_population_find(s->population, "v");
  s->gradient = dun_population_find(s->population, "gradient");
  s->acceptance = dun_population_find(s->population, "acceptance");
  s->d = s->x->width;
  s->K = s->part_lp->width;
  DUN_FREE(s->workspace);
  s->workspace = dun_allocate(dun_sweep_memory(s->kernel, s->d, s->K), 1);
  if (!s->workspace)
    return DUN_ERROR_MEMORY;
  DUN_FREE(s->lane_scale);
  if (s->rung)
    s->lane_scale = dun_allocate((int64_t)s->d * DUN_LANES, sizeof *s->lane_scale);
  return s->rung && !s->lane_scale ? DUN_ERROR_MEMORY : 0;
}

void dun_sweep_free(struct dun_sweep *s)
{
  DUN_FREE(s->workspace);
  DUN_FREE(s->lane_scale);
}

/* ---- looking ----------------------------------------------------------------------------- */

static double *look_at(const struct lanes *w, int quantity)
{
  return w->look + (int64_t)quantity * DUN_LANES;
}

/* Particles outside the support have no log density to correlate: they enter as 0 everywhere. */
DUN_CLONES static void compare(const double *restrict lp, const double *restrict lp0,
                               double *restrict look)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double now = lp[l], before = lp0[l], jump = look[JUMP * DUN_LANES + l];
    double inside = ((now > -INFINITY) & (before > -INFINITY)) ? 1 : 0;
    double a = inside > 0 ? before : 0, b = inside > 0 ? now : 0;
    look[NEVER_MOVED * DUN_LANES + l] = jump == 0 ? 1 : 0;
    look[INSIDE * DUN_LANES + l] = inside;
    look[START_LP * DUN_LANES + l] = a;
    look[START_LP_SQUARE * DUN_LANES + l] = a * a;
    look[LP * DUN_LANES + l] = b;
    look[LP_SQUARE * DUN_LANES + l] = b * b;
    look[LP_PRODUCT * DUN_LANES + l] = a * b;
  }
}

static void look_start(const struct dun_sweep *s, const struct lanes *w, const double *inverse)
{
  dun_squared_distance(s->d, w->state, w->start, inverse, look_at(w, JUMP));
  compare(w->state + (int64_t)(s->d + s->K) * DUN_LANES, w->start + (int64_t)s->d * DUN_LANES,
          w->look);
}

/* How much the log density changed. */
static void look_density(const struct dun_sweep *s, const struct lanes *w, double *change)
{
  const double *lp = w->state + (int64_t)(s->d + s->K) * DUN_LANES;
  const double *lp0 = w->before + (int64_t)s->d * DUN_LANES;

  for (int l = 0; l < DUN_LANES; l++)
    change[l] = lp[l] > -INFINITY && lp0[l] > -INFINITY ? lp[l] - lp0[l] : 0;
}

/* How much the squared distance from the centre changed, and what it is now. */
static void look_radius(const struct dun_sweep *s, const struct lanes *w, const double *inverse,
                        double *change)
{
  const double *centre = s->adaptation->centre.value;

  dun_squared_radius(s->d, w->before, centre, inverse, change);
  dun_squared_radius(s->d, w->state, centre, inverse, look_at(w, RADIUS));
  for (int l = 0; l < DUN_LANES; l++) {
    double now = look_at(w, RADIUS)[l];
    change[l] = now - change[l];
    look_at(w, RADIUS_SQUARE)[l] = now * now;
  }
}

static void look_trial(const struct dun_sweep *s, const struct lanes *w, const double *inverse,
                       enum dun_trial group, int leapfrogs)
{
  int first = TRIAL + TRIAL_SUMS * (int)group;
  double *shape = look_at(w, first + TRIAL_SHAPE);

  if (s->rung_scale)
    dun_squared_lane_distance(s->d, w->state, w->before, s->lane_scale,
                              look_at(w, first + TRIAL_X));
  else
    dun_squared_distance(s->d, w->state, w->before, inverse, look_at(w, first + TRIAL_X));
  if (s->adaptation->centre.count)
    look_radius(s, w, inverse, shape);
  else
    look_density(s, w, shape);
  for (int l = 0; l < DUN_LANES; l++) {
    shape[l] *= shape[l];
    look_at(w, first + TRIAL_GRADIENTS)[l] = leapfrogs + 2;
    look_at(w, first + TRIAL_COUNT)[l] = 1;
  }
}

DUN_CLONES static void fold_all(int count, const double *restrict lanes, double *restrict total)
{
  for (int q = 0; q < count; q++)
    total[q] = dun_fold_lanes(lanes + q * DUN_LANES);
}

/* Folds the tile's n particles of the quantities from `first` on into the exact sums. */
static void fold(const struct lanes *w, int n, int first, int count, struct dun_exact *sum)
{
  double total[QUANTITIES];
  for (int q = first; q < first + count; q++)
    for (int l = n; l < DUN_LANES; l++)
      look_at(w, q)[l] = 0;
  fold_all(count, look_at(w, first), total);
  for (int q = 0; q < count; q++)
    dun_exact_add(&sum[first + q], total[q]);
}

static int is_trial(const struct dun_sweep *s)
{
  return s->adaptation->adapt_length && !s->adaptation->frozen;
}

static void look(const struct dun_sweep *s, const struct lanes *w, const double *inverse, int n,
                 struct dun_address address, int leapfrogs, struct dun_exact *sum)
{
  memcpy(look_at(w, ACCEPTANCE), w->acceptance, DUN_LANES * sizeof(double));
  for (int l = 0; l < DUN_LANES; l++)
    look_at(w, HOPELESS)[l] = w->acceptance[l] == 0;
  fold(w, n, ACCEPTANCE, 2, sum);
  dun_exact_add(&sum[MOVED], n);
  if (s->start) {
    look_start(s, w, inverse);
    fold(w, n, LP, INSIDE - LP + 1, sum);
  }
  if (is_trial(s)) {
    enum dun_trial group = dun_adaptation_trial(address);
    look_trial(s, w, inverse, group, leapfrogs);
    fold(w, n, TRIAL + TRIAL_SUMS * (int)group, TRIAL_SUMS, sum);
    if (s->adaptation->centre.count)
      fold(w, n, RADIUS, 2, sum);
  }
}

static double variance(double count, double sum, double square)
{
  double v = count > 0 ? square / count - sum / count * (sum / count) : 0;
  return v > 0 ? v : 0;
}

static void summarise(const struct dun_sweep *s, const double *sum, struct dun_look *look)
{
  double inside = sum[INSIDE];
  double v0 = variance(inside, sum[START_LP], sum[START_LP_SQUARE]);
  double v1 = variance(inside, sum[LP], sum[LP_SQUARE]);
  double covariance =
      inside > 0 ? sum[LP_PRODUCT] / inside - sum[LP] / inside * (sum[START_LP] / inside) : 0;

  look->lost = sum[LOST];
  look->acceptance = sum[MOVED] > 0 ? sum[ACCEPTANCE] / sum[MOVED] : NAN;
  look->hopeless = sum[MOVED] > 0 ? sum[HOPELESS] / sum[MOVED] : NAN;
  look->autocorrelation = s->start && v0 * v1 > 0 ? covariance / sqrt(v0 * v1) : NAN;
  look->jump = s->start ? sum[JUMP] / sum[MOVED] / s->d : NAN;
  look->never_moved = s->start ? sum[NEVER_MOVED] / sum[MOVED] : NAN;
  look->lp_variance = v1;
  look->radius = sum[RADIUS] / sum[MOVED];
  look->radius_square = sum[RADIUS_SQUARE] / sum[MOVED];
  for (int g = 0; g < DUN_TRIALS; g++) {
    const double *trial = sum + TRIAL + TRIAL_SUMS * g;
    double moves = trial[TRIAL_COUNT];
    look->trial[g] = (struct dun_trial_look){.moves = moves,
                                             .place = trial[TRIAL_X] / moves,
                                             .shape = trial[TRIAL_SHAPE] / moves,
                                             .gradients = trial[TRIAL_GRADIENTS] / moves};
  }
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
static void load(const struct dun_sweep *s, const struct lanes *w, int64_t i, double t, double step)
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

/* The workspace of a move of the loaded tile. */
static struct dun_move move_of(const struct dun_sweep *s, const struct lanes *w,
                               struct dun_address address, int n)
{
  lane_units(s, w->time, w->unit);
  return (struct dun_move){.path = s->path,
                           .path_self = s->path_self,
                           .address = address,
                           .n = n,
                           .d = s->d,
                           .K = s->K,
                           .time = w->time,
                           .coefficient = w->coefficient,
                           .step_size = w->step,
                           .scale = s->adaptation->scale.value,
                           .metric = s->metric.d ? &s->metric : NULL,
                           .unit = w->unit,
                           .statistic = s->statistic,
                           .from_point = s->from_point,
                           .blind = s->blind,
                           .final = s->final,
                           .leapfrogs = dun_adaptation_leapfrogs(s->adaptation, address),
                           .state = w->state,
                           .acceptance = w->acceptance,
                           .momentum = s->momentum ? w->momentum : NULL,
                           .gradient = s->gradient && s->known ? w->gradient : NULL,
                           .log_weight = s->logw ? w->log_weight : NULL,
                           .scratch = w->scratch};
}

/* look[LOST] tells which weights became 0. */
static void add_log_weight(const struct dun_sweep *s, const struct lanes *w, int64_t i,
                           struct dun_column *logw)
{
  double sum[DUN_LANES] __attribute__((aligned(64)));

  dun_tile_load(s->population, logw, i, sum);
  for (int l = 0; l < DUN_LANES; l++) {
    double more = sum[l] + w->log_weight[l];
    more = more < INFINITY ? more : -INFINITY;
    look_at(w, LOST)[l] = sum[l] > -INFINITY && more == -INFINITY;
    sum[l] = more;
  }
  dun_tile_store(s->population, logw, i, sum);
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

static void move_tile(struct dun_sweep *s, struct lanes *w, struct dun_address address, int64_t i,
                      double t, const double *inverse, struct dun_exact *sum)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  int64_t tile = tiles->first_tile + i, d = s->d;
  int n = dun_tile_size(tiles, tile);
  double *lp = w->state + (d + s->K) * DUN_LANES;

  address.tile = (uint32_t)tile;
  load(s, w, i, t, dun_adaptation_step(s->adaptation, address));
  if (s->rung_scale)
    load_scales(s, i, n);
  if (is_trial(s)) {
    memcpy(w->before, w->state, (size_t)d * DUN_LANES * sizeof *lp);
    memcpy(w->before + d * DUN_LANES, lp, DUN_LANES * sizeof *lp);
  }
  if (s->momentum)
    dun_tile_load(s->population, s->momentum, i, w->momentum);
  if (s->gradient && s->known)
    dun_tile_load(s->population, s->gradient, i, w->gradient);
  struct dun_move move = move_of(s, w, address, n);
  s->kernel->move(s->kernel_self, &move);
  if (s->momentum)
    dun_tile_store(s->population, s->momentum, i, w->momentum);
  if (s->logw) {
    add_log_weight(s, w, i, s->logw);
    fold(w, n, LOST, 1, sum);
  }
  dun_tile_store(s->population, s->x, i, w->state);
  dun_tile_store(s->population, s->part_lp, i, w->state + d * DUN_LANES);
  if (s->acceptance)
    dun_tile_store(s->population, s->acceptance, i, w->acceptance);
  if (s->start)
    dun_tile_load(s->population, s->start, i, w->start);
  look(s, w, inverse, n, address, move.leapfrogs, sum);
}

/* This rank's tiles below a global index. */
static int64_t tiles_below(const struct dun_tiles *tiles, int64_t limit)
{
  int64_t count = limit - tiles->first_tile;
  return count < 0 ? 0 : count < tiles->count ? count : tiles->count;
}

/* The mean over all particles of what the kernel asks for: a pass that keeps its gradients. */
static int find_statistic(struct dun_context *context, struct dun_sweep *s,
                          struct dun_address address, double t, int64_t count)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  struct dun_exact sum[2] = {0};
  double total[2], value[DUN_LANES] __attribute__((aligned(64)));
  struct lanes w = lanes_of(s);

  for (int64_t i = 0; i < count; i++) {
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    address.tile = (uint32_t)(tiles->first_tile + i);
    load(s, &w, i, t, dun_adaptation_step(s->adaptation, address));
    struct dun_move move = move_of(s, &w, address, n);
    s->kernel->statistic(s->kernel_self, &move, value);
    if (s->gradient)
      dun_tile_store(s->population, s->gradient, i, w.gradient);
    for (int l = n; l < DUN_LANES; l++)
      value[l] = 0;
    dun_exact_add(&sum[0], dun_fold(value));
    dun_exact_add(&sum[1], n);
  }
  int status = dun_sum(context, 0, 2, sum, total);
  s->statistic = status >= 0 && total[1] > 0 ? total[0] / total[1] : 0;
  return status;
}

/* How many of the quantities were asked for; the others stay 0. */
static int collected(const struct dun_sweep *s)
{
  return is_trial(s) ? QUANTITIES : s->start ? RADIUS : LP;
}

/* What takes the place of the adaptation's scales, if anything does: one of these at most. */
static struct dun_metric metric_of(const struct dun_sweep *s)
{
  if (s->rung_scale)
    return dun_metric_lanes(s->d, s->lane_scale);
  if (s->propagator && s->propagator->scale)
    return dun_metric_fourier(&s->propagator->lattice, s->propagator->scale);
  if (s->adaptation->factor.count)
    return dun_metric_dense(s->d, s->adaptation->factor.value);
  return (struct dun_metric){0};
}

int dun_sweep_move(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                   double t, int64_t tiles, struct dun_look *look)
{
  int64_t count = tiles_below(&s->population->tiles, tiles);
  double total[QUANTITIES] = {0};
  int prepared = dun_path_prepare(context, s->path, s->path_self, t);
  if (prepared < 0)
    return prepared;
  struct dun_exact *sum = dun_allocate(QUANTITIES, sizeof *sum);
  double *inverse = dun_allocate(s->d, sizeof *inverse);
  int status = sum && inverse ? 0 : DUN_ERROR_MEMORY;

  s->known = s->kernel->statistic && !s->final && s->kernel->wants_statistic(s->kernel_self);
  int found = s->known ? find_statistic(context, s, address, t, count) : 0;
  status = found < 0 ? found : status;
  if (status == 0) {
    struct lanes w = lanes_of(s);
    s->metric = metric_of(s);
    for (int j = 0; j < s->d; j++)
      inverse[j] = 1 / s->adaptation->scale.value[j];
    for (int64_t i = 0; i < count; i++)
      move_tile(s, &w, address, i, t, inverse, sum);
  }
  status = dun_sum(context, status, collected(s), sum, total);
  if (status >= 0)
    summarise(s, total, look);
  dun_free(sum);
  dun_free(inverse);
  return status;
}

int dun_sweep_evaluate(struct dun_context *context, struct dun_sweep *s, double t, int64_t tiles)
{
  struct lanes w = lanes_of(s);
  int64_t count = tiles_below(&s->population->tiles, tiles);
  double *part = w.state + (int64_t)s->d * DUN_LANES;
  int status = dun_path_prepare(context, s->path, s->path_self, t);

  for (int64_t i = 0; i < count && status >= 0; i++) {
    int n = dun_tile_size(&s->population->tiles, s->population->tiles.first_tile + i);
    load(s, &w, i, t, 0);
    struct dun_request request = {.n = n,
                                  .x = w.state,
                                  .time = w.time,
                                  .coefficient = w.coefficient,
                                  .part_lp = part,
                                  .lp = part + (int64_t)s->K * DUN_LANES};
    s->path->evaluate(s->path_self, &request);
    dun_tile_store(s->population, s->part_lp, i, part);
  }
  return status;
}

/* Log density before a carry: of pi_t, or at t = 0 of the law that was drawn from; 0: it has
 * none. */
static int density_before(const struct dun_sweep *s, const struct lanes *w, double t, double *lp)
{
  if (t == 0 && s->path->draw_density)
    return s->path->draw_density(s->path_self, w->state, lp);
  memcpy(lp, w->state + (int64_t)(s->d + s->K) * DUN_LANES, DUN_LANES * sizeof *lp);
  return 1;
}

/* Carries tile after tile.  Keeps log pi_t and the log of the Jacobian in before[tiles][2][64]
 * unless that is NULL; returns 0 if there is no log pi_t. */
static int carry_tiles(struct dun_sweep *s, struct dun_address address, double t, double next,
                       double *before)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  struct lanes w = lanes_of(s);
  double log_jacobian[DUN_LANES] __attribute__((aligned(64))) = {0};
  int weighed = before != NULL;

  address.purpose = DUN_PURPOSE_CARRY;
  for (int64_t i = 0; i < tiles->count; i++) {
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    address.tile = (uint32_t)(tiles->first_tile + i);
    load(s, &w, i, t, 0);
    if (before)
      weighed = density_before(s, &w, t, before + 2 * i * DUN_LANES);
    if (s->path->carry)
      s->path->carry(s->path_self, t, next, n, address, w.state, log_jacobian);
    if (before)
      memcpy(before + (2 * i + 1) * DUN_LANES, log_jacobian, sizeof log_jacobian);
    dun_tile_store(s->population, s->x, i, w.state);
  }
  return weighed;
}

int dun_sweep_transport(struct dun_context *context, struct dun_sweep *s,
                        struct dun_address address, double t, double next)
{
  int status = s->path->carry ? dun_path_prepare(context, s->path, s->path_self, t) : 0;

  address.purpose = DUN_PURPOSE_CARRY;
  if (s->path->carry_all && status >= 0)
    status = s->path->carry_all(context, s->path_self, t, next, address, s->population, s->x);
  if (s->path->carry && status == 0)
    carry_tiles(s, address, t, next, NULL);
  return status < 0 ? status : 0;
}

static void add_change(struct dun_sweep *s, double next, const double *before,
                       struct dun_column *logw)
{
  struct lanes w = lanes_of(s);
  const double *lp = w.state + (int64_t)(s->d + s->K) * DUN_LANES;

  for (int64_t i = 0; i < s->population->tiles.count; i++) {
    const double *old = before + 2 * i * DUN_LANES, *log_jacobian = old + DUN_LANES;
    load(s, &w, i, next, 0);
    for (int l = 0; l < DUN_LANES; l++)
      w.log_weight[l] = lp[l] - old[l] + log_jacobian[l];
    add_log_weight(s, &w, i, logw);
  }
}

int dun_sweep_carry(struct dun_context *context, struct dun_sweep *s, struct dun_address address,
                    double t, double next, struct dun_column *logw)
{
  double *before = NULL;
  int weighed = 0, status;

  if (!logw) {
    status = dun_sweep_transport(context, s, address, t, next);
    return status < 0 || s->blind ? status : dun_sweep_evaluate(context, s, next, INT64_MAX);
  }
  before = dun_allocate(2 * s->population->tiles.count * DUN_LANES, sizeof *before);
  if ((status = dun_agree(context, before ? 0 : DUN_ERROR_MEMORY)) >= 0)
    status = dun_path_prepare(context, s->path, s->path_self, t);
  if (status >= 0) {
    weighed = carry_tiles(s, address, t, next, before);
    status = dun_sweep_evaluate(context, s, next, INT64_MAX);
  }
  if (status >= 0 && weighed)
    add_change(s, next, before, logw);
  dun_free(before);
  return status;
}

void dun_sweep_forget(struct dun_sweep *s)
{
  if (s->momentum)
    memset(dun_f64(s->momentum), 0, (size_t)(s->population->tiles.local * s->d) * sizeof(double));
}

void dun_sweep_remember(struct dun_sweep *s, double t)
{
  struct lanes w = lanes_of(s);
  const double *lp = w.state + (int64_t)(s->d + s->K) * DUN_LANES;

  for (int64_t i = 0; i < s->population->tiles.count; i++) {
    load(s, &w, i, t, 0);
    memcpy(w.start, w.state, (size_t)s->d * DUN_LANES * sizeof *lp);
    memcpy(w.start + (int64_t)s->d * DUN_LANES, lp, DUN_LANES * sizeof *lp);
    dun_tile_store(s->population, s->start, i, w.start);
  }
}
