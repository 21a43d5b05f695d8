#include "evidence/second.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "evidence/deal.h"
#include "evidence/points.h"
#include "numerics/pareto.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>

enum phase { FIT, DRAW, SEARCH, TELL };
enum { MOST_DIMENSION = 256, MOST_DRAWS = 4096, FEWEST_DRAWS = 256, SLICE = 8 };
enum { MOST_COMPONENTS = 64, MOST_FREEDOM = 64 };

#define STATE(member, type_)                                                                       \
  {                                                                                                \
    .name = #member, .type = type_, .offset = offsetof(struct dun_second, member), .count = 1      \
  }
const struct dun_state dun_second_state[] = {
    DUN_STATE_UP_TO(TELL, "phase", offsetof(struct dun_second, phase)),
    STATE(done, DUN_STATE_INTEGER),
    DUN_STATE_UP_TO(DUN_SECOND_OUTSIDE, "lack", offsetof(struct dun_second, lack)),
    DUN_STATE_UP_TO(1, "still", offsetof(struct dun_second, still)),
    STATE(held, DUN_STATE_INTEGER),
    DUN_STATE_UP_TO(1, "dense", offsetof(struct dun_second, dense)),
    DUN_STATE_UP_TO(MOST_COMPONENTS, "components", offsetof(struct dun_second, components)),
    DUN_STATE_UP_TO(MOST_FREEDOM, "freedom", offsetof(struct dun_second, freedom)),
    STATE(tail, DUN_STATE_NUMBER),
    STATE(slope, DUN_STATE_NUMBERS),
    STATE(point, DUN_STATE_NUMBERS),
    STATE(parameter, DUN_STATE_NUMBERS),
    STATE(logw, DUN_STATE_NUMBERS),
    STATE(table.cells, DUN_STATE_NUMBERS),
    DUN_BASINS_STATE(struct dun_second, basins),
    {0},
};

static const struct dun_table_column columns[DUN_EVIDENCE_COLUMNS] = {
    [DUN_EVIDENCE_REPLICATE] = {"replicate", "", "Number of the population, from 0."},
    [DUN_EVIDENCE_ESTIMATOR] = {"estimator", "",
                                "0: the method's own; 1: weighted draws from a mixture fitted to "
                                "its points; 2: thermodynamic integration over its times."},
    [DUN_EVIDENCE_LOG_EVIDENCE] = {"log_evidence", "", "Natural logarithm of the evidence."},
    [DUN_EVIDENCE_ERROR] =
        {"error", "",
         "Standard error of log_evidence; of thermodynamic integration what the variances "
         "change; NaN: not known."},
    [DUN_EVIDENCE_ESS] = {"ess", "", "Effective number of its particles or draws."},
    [DUN_EVIDENCE_SHAPE] = {"pareto_k", "",
                            "Shape of a generalised Pareto law fitted to the largest weights."},
    [DUN_EVIDENCE_DRAWS] = {"draws", "", "Draws from the mixture."},
    [DUN_EVIDENCE_COMPONENTS] = {"components", "", "Components of the mixture."},
};

/* The mixture, its draws and the climbs belong together. */
static int draws_are_sound(const struct dun_second *s, int dimension)
{
  struct dun_heavy_shape shape = {.d = dimension,
                                  .dense = (int)s->dense,
                                  .components = (int)s->components,
                                  .freedom = (int)s->freedom};
  const struct dun_basins *b = &s->basins;
  int64_t row = (int64_t)dimension + 1;
  return s->lack == DUN_SECOND_MADE && s->components > 0 && s->freedom > 0 && s->freedom % 2 == 0 &&
         s->parameter.count == s->components * dun_heavy_stride(&shape) &&
         s->logw.count >= FEWEST_DRAWS && s->logw.count <= MOST_DRAWS &&
         s->logw.count % DUN_LANES == 0 && s->done <= s->logw.count / DUN_LANES &&
         b->climbed <= b->starts && b->climbed % DUN_LANES == 0 && b->starts % DUN_LANES == 0 &&
         (b->climbed == 0 || (b->end.count % row == 0 && b->end.count / row == b->starts));
}

int dun_second_is_sound(const struct dun_second *s, int dimension)
{
  int points = s->held <= s->point.count / dimension;
  if (s->phase == FIT) /* kept of draws */
    points = points && s->held <= s->slope.count;
  int drawn = s->phase == DRAW || s->phase == SEARCH;
  return (points || s->held == 0 || s->phase == TELL) && (!drawn || draws_are_sound(s, dimension));
}

int dun_second_init(struct dun_second *second)
{
  return dun_table_make(&second->table, columns, DUN_EVIDENCE_COLUMNS);
}

static void forget(struct dun_second *s)
{
  dun_heavy_free(&s->mixture);
  s->made = 0;
  DUN_FREE(s->lanes);
}

void dun_second_free(struct dun_second *second)
{
  forget(second);
  DUN_FREE(second->point.value);
  DUN_FREE(second->slope.value);
  DUN_FREE(second->parameter.value);
  DUN_FREE(second->logw.value);
  dun_basins_free(&second->basins);
  dun_table_free(&second->table);
}

void dun_second_start(struct dun_second *second)
{
  second->phase = FIT;
  second->done = second->held = second->still = 0;
  second->lack = DUN_SECOND_MADE;
  second->tail = NAN;
  dun_basins_start(&second->basins);
}

/* ---- points ---------------------------------------------------------------------------------- */

static int suited(const struct dun_run *run)
{
  return run->path && run->logw && run->x && !run->evaluator->letters;
}

/* Chains of which a point is taken at once. */
static int64_t at_once(const struct dun_run *run, int64_t most)
{
  int64_t chains = run->population.tiles.total / run->kept.members;
  return chains < most ? chains : most;
}

/* Evenly over all draws to come. */
int dun_second_keep(struct dun_context *context, struct dun_second *second,
                    const struct dun_run *run)
{
  int64_t d = run->evaluator->dimension, most = dun_points_most((int)d);
  int64_t count = most > 0 ? at_once(run, most) : 0, times = count > 0 ? most / count : 0;
  int64_t draw = run->kept.draws - 1, due = run->kept.due;
  int status = 0;
  if (!suited(run) || d > MOST_DIMENSION)
    return 0;
  times = times < due ? times : due;
  if ((__int128)draw * times / due == (__int128)(draw + 1) * times / due)
    return 0;
  if (second->held == 0)
    status = dun_numbers_make(&second->point, count * times * d, 0);
  if (second->held == 0 && status >= 0)
    status = dun_numbers_make(&second->slope, count * times, 0);
  if ((status = dun_agree(context, status)) < 0)
    return status;
  if (second->slope.count - second->held < count || second->point.count != second->slope.count * d)
    return dun_fail(DUN_ERROR_INPUT, "The checkpoint holds other points than its run would.");
  status = dun_points_chains(context, run, count, second->point.value + second->held * d,
                             second->slope.value + second->held);
  second->held += count;
  return status;
}

/* What a replica at the rung before the last weighs at time 1 has a tail of shape k / (1 + k) under
 * that rung's law if it has shape k under the target's, which the points are of. */
static int find_tail(struct dun_context *context, struct dun_second *s, const struct dun_run *run)
{
  double gap, shape;
  int status = dun_points_gap(context, run, &gap);
  if (status < 0 || gap == 0 || s->held == 0)
    return status;
  for (int64_t i = 0; i < s->held; i++)
    s->slope.value[i] *= gap;
  status = dun_agree(context, dun_pareto_shape(s->held, s->slope.value, &shape));
  s->tail = shape > 0 ? shape / (1 + shape) : shape;
  return status;
}

/* Of weighted particles, unless chains' draws were held; *distinct of them. */
static int find_points(struct dun_context *context, struct dun_second *s, const struct dun_run *run,
                       int64_t *distinct)
{
  int64_t d = run->evaluator->dimension, most = dun_points_most((int)d);
  int64_t N = run->population.tiles.total / DUN_LANES * DUN_LANES;
  *distinct = s->held;
  if (run->kept.due > 0)
    return find_tail(context, s, run);
  s->held = N < most ? N : most;
  if (s->held == 0)
    return 0;
  int status = dun_agree(context, dun_numbers_make(&s->point, s->held * d, 0));
  return status < 0 ? status : dun_points_weighted(context, run, s->held, s->point.value, distinct);
}

/* ---- the fit --------------------------------------------------------------------------------- */

/* Evaluations of a carry that came before this row: its time is another than that of the row
 * before. */
static double carries_of(const struct dun_run *run, const struct dun_table *steps, long long row)
{
  const struct dun_path *path = run->path;
  double time = dun_table_cell(steps, row, "time");
  int same = row > 0 && dun_table_cell(steps, row - 1, "time") == time;
  return path->carry_evaluations && !same ? (double)path->carry_evaluations(run->path_self) : 0;
}

/* Of a particle in the last replicate: a carry counts as a move for each of its evaluations.  Where
 * there is neither, as many draws are worth it as there were first draws.  *evaluations: what moves
 * take of them, summed. */
static double moves_of(const struct dun_run *run, const struct dun_table *steps,
                       double *evaluations)
{
  long long row = dun_table_rows(steps) - 1;
  double replicate = dun_table_cell(steps, row, "replicate"), moves = 0;
  *evaluations = 0;
  for (; row >= 0 && dun_table_cell(steps, row, "replicate") == replicate; row--) {
    double here = dun_table_cell(steps, row, "moves"), carry = carries_of(run, steps, row);
    double leapfrogs = dun_table_cell(steps, row, "leapfrogs");
    moves += here + carry;
    *evaluations += carry + here * (leapfrogs > 1 ? leapfrogs : 1);
  }
  if (*evaluations == 0)
    *evaluations = 1;
  return moves > 0 ? moves : 10;
}

/* Whether carries and weights alone led to the last time. */
static int is_still(const struct dun_table *steps)
{
  long long row = dun_table_rows(steps) - 1;
  double replicate = dun_table_cell(steps, row, "replicate"), moves = 0;
  for (; row >= 0 && dun_table_cell(steps, row, "replicate") == replicate; row--)
    if (dun_table_cell(steps, row, "time") < 1)
      moves += dun_table_cell(steps, row, "moves");
  return moves == 0;
}

/* Whole tiles. */
static int64_t draws_of(const struct dun_run *run, const struct dun_table *steps)
{
  double evaluations,
      afford = .1 * (double)run->options.particles * moves_of(run, steps, &evaluations);
  int64_t draws = afford < MOST_DRAWS ? (int64_t)afford : MOST_DRAWS;
  return draws / DUN_LANES * DUN_LANES;
}

static struct dun_heavy_shape shape_of(const struct dun_second *s, const struct dun_run *run)
{
  return (struct dun_heavy_shape){.d = run->evaluator->dimension,
                                  .dense = (int)s->dense,
                                  .components = (int)s->components,
                                  .freedom = (int)s->freedom};
}

/* A tenth of the shares are alike: the particles' own may be off. */
static void level_shares(struct dun_second *s, const struct dun_heavy_shape *shape)
{
  for (int64_t k = 0; k < s->components; k++) {
    double *share = s->parameter.value + k * dun_heavy_stride(shape);
    *share = .9 * *share + .1 / (double)s->components;
  }
}

static int most_components(int64_t points, int d)
{
  int64_t most = points / (4 * ((int64_t)d + 2));
  return most < 1 ? 1 : most < MOST_COMPONENTS ? (int)most : MOST_COMPONENTS;
}

/* On rank 0 alone: where processors differ the others might find another mixture. */
static int fit(struct dun_second *s, const struct dun_run *run)
{
  int d = run->evaluator->dimension;
  struct dun_heavy_points points = {s->held / DUN_LANES * DUN_LANES, d, s->point.value};
  struct dun_heavy_limits limits = {most_components(points.n, d), 5};
  struct dun_heavy_shape shape;
  double *parameter = NULL;
  int status = dun_heavy_fit(&points, limits, &shape, &parameter), finite = 1;
  for (int64_t i = 0; status >= 0 && i < shape.components * dun_heavy_stride(&shape); i++)
    finite &= isfinite(parameter[i]) != 0;
  if (status < 0 || !finite) { /* points that ran away have no finite squares */
    s->lack = DUN_SECOND_FLAT;
    dun_free(parameter);
    return status == DUN_ERROR_NUMERIC || !finite ? 0 : status;
  }
  s->dense = shape.dense;
  s->components = shape.components;
  s->freedom = shape.freedom;
  DUN_FREE(s->parameter.value);
  s->parameter = (struct dun_numbers){.value = parameter,
                                      .count = shape.components * dun_heavy_stride(&shape)};
  level_shares(s, &shape);
  return 0;
}

static int spread_fit(struct dun_context *context, struct dun_second *s, const struct dun_run *run)
{
  int64_t said[] = {s->lack, s->dense, s->components, s->freedom};
  int status = dun_broadcast(context, said, sizeof said, 0);
  if (status < 0)
    return status;
  s->lack = said[0];
  s->dense = said[1];
  s->components = said[2];
  s->freedom = said[3];
  if (s->lack)
    return 0;
  struct dun_heavy_shape shape = shape_of(s, run);
  int64_t count = s->components * dun_heavy_stride(&shape);
  if (context->rank > 0)
    status = dun_numbers_make(&s->parameter, count, 0);
  if ((status = dun_agree(context, status)) < 0)
    return status;
  return dun_broadcast(context, s->parameter.value, count * (int64_t)sizeof(double), 0);
}

static int begin(struct dun_context *context, struct dun_second *s, const struct dun_run *run,
                 const struct dun_table *steps)
{
  int64_t draws = suited(run) ? draws_of(run, steps) : 0, distinct;
  int status;
  s->phase = TELL;
  s->still = s->held == 0 && is_still(steps); /* chains that kept draws have moved */
  if (!suited(run))
    s->lack = DUN_SECOND_UNSUITED;
  else if (run->evaluator->dimension > MOST_DIMENSION)
    s->lack = DUN_SECOND_DIMENSION;
  else if (draws < FEWEST_DRAWS)
    s->lack = DUN_SECOND_MOVES;
  if (s->lack)
    return 0;
  if ((status = find_points(context, s, run, &distinct)) < 0)
    return status;
  if (distinct < 128 || distinct < run->evaluator->dimension) {
    s->lack = DUN_SECOND_POINTS;
    return 0;
  }
  status = dun_agree(context, context->rank == 0 ? fit(s, run) : 0);
  if (status < 0 || (status = spread_fit(context, s, run)) < 0)
    return status;
  if (!s->lack)
    status = dun_numbers_make(&s->logw, draws, 0);
  s->phase = s->lack ? TELL : DRAW;
  s->done = 0;
  return dun_agree(context, status);
}

/* ---- draws ----------------------------------------------------------------------------------- */

/* What a tick needs where it is not there: a restart may have come in between. */
static int prepare(struct dun_second *s, const struct dun_run *run)
{
  struct dun_heavy_shape shape = shape_of(s, run);
  int64_t d = shape.d;
  if (s->made)
    return 0;
  forget(s);
  int status = dun_heavy_init(&s->mixture, &shape, s->parameter.value);
  s->lanes =
      dun_allocate((3 * d + 3 + dun_heavy_uniforms(&s->mixture)) * DUN_LANES, sizeof(double));
  s->made = status >= 0 && s->lanes;
  return s->lanes ? status : DUN_ERROR_MEMORY;
}

static void draw_tile(const struct dun_deal *work, int64_t tile, double *out)
{
  struct dun_heavy_mixture *mixture = work->data;
  const struct dun_run *run = work->run;
  int64_t d = run->evaluator->dimension, block = d * DUN_LANES;
  double *x = work->lanes, *normal = x + block, *one = normal + block, *lp = one + block;
  double *density = lp + DUN_LANES, *uniform = density + DUN_LANES;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_SECOND);
  address.step = 0;
  address.tile = (uint32_t)tile;
  dun_normals(address, (int)d, normal);
  address.step = 1; /* the uniforms' own */
  dun_uniforms(address, dun_heavy_uniforms(mixture), uniform);
  dun_heavy_draw(mixture, uniform, normal, one, x);
  dun_heavy_evaluate(mixture, x, density);
  dun_evaluate(run->evaluator, DUN_LANES, x, lp, NULL, NULL);
  for (int l = 0; l < DUN_LANES; l++)
    out[l] = lp[l] - density[l];
}

/* A few tiles for each rank; all then know the weights of all. */
static int draw(struct dun_context *context, struct dun_second *s, const struct dun_run *run)
{
  int64_t tiles = s->logw.count / DUN_LANES, most = s->done + SLICE * (int64_t)context->size;
  int64_t last = tiles < most ? tiles : most;
  int status = dun_agree(context, prepare(s, run));
  struct dun_deal work = {
      .run = run, .tile = draw_tile, .width = 1, .lanes = s->lanes, .data = &s->mixture};
  if (status >= 0)
    status = dun_deal_tiles(context, &work, s->done, last, s->logw.value + s->done * DUN_LANES);
  if (status < 0)
    return status;
  s->done = last;
  s->phase = last == tiles ? SEARCH : DRAW;
  return status;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void weigh(const struct dun_numbers *logw, double row[DUN_EVIDENCE_COLUMNS])
{
  double top = -INFINITY, sum = 0, square = 0, n = (double)logw->count;
  for (long long i = 0; i < logw->count; i++)
    top = logw->value[i] > top ? logw->value[i] : top;
  for (long long i = 0; i < logw->count && top > -INFINITY; i++) {
    double w = dun_scalar_exp(logw->value[i] - top);
    sum += w;
    square += w * w;
  }
  double ess = top > -INFINITY ? sum * sum / square : 0;
  row[DUN_EVIDENCE_LOG_EVIDENCE] = top > -INFINITY ? top + dun_scalar_log(sum / n) : NAN;
  row[DUN_EVIDENCE_ERROR] = ess > 0 ? sqrt((n / ess - 1) / (n - 1)) : NAN;
  row[DUN_EVIDENCE_ESS] = ess;
}

/* What lost parts are measured by: chains have no log Z but that of the mixture. */
static int find_measure(const struct dun_second *s, const struct dun_run *run,
                        struct dun_basin_points *points)
{
  double row[DUN_EVIDENCE_COLUMNS];
  if (!isnan(points->log_evidence) || run->kept.due == 0)
    return 0;
  weigh(&s->logw, row);
  int status = dun_pareto_shape(s->logw.count, s->logw.value, &row[DUN_EVIDENCE_SHAPE]);
  if (status >= 0 && dun_second_counts(row)) {
    points->log_evidence = row[DUN_EVIDENCE_LOG_EVIDENCE];
    points->error = row[DUN_EVIDENCE_ERROR];
  }
  return status;
}

static int search(struct dun_context *context, struct dun_second *s, const struct dun_run *run,
                  const struct dun_table *steps)
{
  struct dun_basin_points points = {.count = s->held,
                                    .x = s->point.value,
                                    .log_evidence = run->now.log_evidence,
                                    .error = run->now.log_evidence_error};
  double evaluations;
  int status = dun_agree(context, find_measure(s, run, &points));
  if (status < 0)
    return status;
  points.chains = run->kept.due > 0 ? at_once(run, dun_points_most(run->evaluator->dimension)) : 0;
  moves_of(run, steps, &evaluations);
  status = dun_basins_advance(context, &s->basins, run, &points,
                              .02 * (double)run->options.particles * evaluations);
  if (status == DUN_TICK_DONE)
    s->phase = TELL;
  return status;
}

static int add_row(struct dun_second *s, const struct dun_run *run, enum dun_estimator estimator,
                   const struct dun_table *steps)
{
  double row[DUN_EVIDENCE_COLUMNS];
  int status = 0;
  for (int c = 0; c < DUN_EVIDENCE_COLUMNS; c++)
    row[c] = NAN;
  row[DUN_EVIDENCE_REPLICATE] = (double)run->replicate;
  row[DUN_EVIDENCE_ESTIMATOR] = estimator;
  if (estimator == DUN_ESTIMATE_METHOD) {
    row[DUN_EVIDENCE_LOG_EVIDENCE] = run->now.log_evidence;
    row[DUN_EVIDENCE_ERROR] = run->now.log_evidence_error;
    row[DUN_EVIDENCE_ESS] = run->now.ess;
  } else if (estimator == DUN_ESTIMATE_THERMODYNAMIC) {
    row[DUN_EVIDENCE_LOG_EVIDENCE] = dun_thermodynamic(steps, &row[DUN_EVIDENCE_ERROR]);
  } else if (!s->lack) {
    weigh(&s->logw, row);
    row[DUN_EVIDENCE_DRAWS] = (double)s->logw.count;
    row[DUN_EVIDENCE_COMPONENTS] = (double)s->components;
    status = dun_pareto_shape(s->logw.count, s->logw.value, &row[DUN_EVIDENCE_SHAPE]);
    if (!(row[DUN_EVIDENCE_ESS] > 0))
      s->lack = DUN_SECOND_OUTSIDE;
  }
  return status < 0 ? status : dun_table_add(&s->table, row);
}

static int tell(struct dun_context *context, struct dun_second *s, const struct dun_run *run,
                const struct dun_table *steps)
{
  int status = 0;
  for (int i = 0; i < DUN_ESTIMATES && status >= 0; i++)
    status = add_row(s, run, (enum dun_estimator)i, steps);
  forget(s);
  DUN_FREE(s->point.value);
  DUN_FREE(s->logw.value);
  DUN_FREE(s->slope.value);
  s->point.count = s->logw.count = s->slope.count = 0;
  return dun_agree(context, status);
}

int dun_second_advance(struct dun_context *context, struct dun_second *second,
                       const struct dun_run *run, const struct dun_table *steps)
{
  int status;
  if (second->phase == FIT)
    status = begin(context, second, run, steps);
  else if (second->phase == DRAW)
    status = draw(context, second, run);
  else if (second->phase == SEARCH)
    status = search(context, second, run, steps);
  else
    return (status = tell(context, second, run, steps)) < 0 ? status : DUN_TICK_DONE;
  return status < 0 ? status : DUN_TICK_GOING;
}

/* ---- what to think of it --------------------------------------------------------------------- */

static const char *reason(enum dun_second_lack lack)
{
  static const char *const text[] = {
      [DUN_SECOND_MADE] = "",
      [DUN_SECOND_UNSUITED] = "the method leaves no weighted particles of real numbers",
      [DUN_SECOND_DIMENSION] = "no mixture is fitted beyond 256 dimensions",
      [DUN_SECOND_POINTS] = "too few different points are left to fit a mixture to",
      [DUN_SECOND_MOVES] = "a tenth of the run's moves would be too few draws",
      [DUN_SECOND_FLAT] = "the points span no volume",
      [DUN_SECOND_OUTSIDE] = "none of the draws from the fitted mixture lies in the support",
  };
  return text[lack];
}

static double combined_errors(const double *own, const double *other) /* other above own */
{
  double off = other[DUN_EVIDENCE_LOG_EVIDENCE] - own[DUN_EVIDENCE_LOG_EVIDENCE];
  double mine = own[DUN_EVIDENCE_ERROR], its = other[DUN_EVIDENCE_ERROR];
  return off / sqrt((mine > 0 ? mine * mine : 0) + its * its);
}

static void compare(const double *own, const double *other, struct dun_diagnosis *out)
{
  double mine = own[DUN_EVIDENCE_ERROR], its = other[DUN_EVIDENCE_ERROR];
  double errors = fabs(combined_errors(own, other));
  dun_diagnose(
      out, "second estimate", dun_verdict_above(errors, 2, 3),
      "%.0f draws from a fitted mixture give log Z = %.4f ± %.2g, %.1f combined errors from "
      "the method's%s",
      other[DUN_EVIDENCE_DRAWS], other[DUN_EVIDENCE_LOG_EVIDENCE], its, errors,
      errors >= 2  ? ": one of them is wrong, or its error too small"
      : its < mine ? "; its error is the smaller"
                   : "");
}

/* Draws that are worth little tell of a region where the mixture is too thin: it may be the fit
 * that is poor there, or the particles that it was made from.  Where these have not moved they
 * never were there, and nothing else would tell.  They tell of too few points where they give more
 * than the method; less they give anyway. */
static void doubt(const double *own, const double *other, int still, struct dun_diagnosis *out)
{
  int more = combined_errors(own, other) >= 3;
  if (still && !more) {
    dun_diagnose(out, "second estimate", DUN_DOUBTFUL,
                 "%.0f draws from a fitted mixture are worth %.0f, with weights of Pareto shape "
                 "%.2f: the target has more than where the particles were carried; let a kernel "
                 "move them on the way",
                 other[DUN_EVIDENCE_DRAWS], other[DUN_EVIDENCE_ESS], other[DUN_EVIDENCE_SHAPE]);
    return;
  }
  dun_diagnose(
      out, "second estimate", more ? DUN_DOUBTFUL : DUN_GOOD,
      "%.0f draws from a fitted mixture, worth %.0f with weights of Pareto shape %.2f, tell "
      "nothing of log Z%s",
      other[DUN_EVIDENCE_DRAWS], other[DUN_EVIDENCE_ESS], other[DUN_EVIDENCE_SHAPE],
      more ? ", but some of them lie where the method's points are too few" : "");
}

void dun_second_diagnose(const struct dun_second *second, struct dun_diagnosis *diagnosis)
{
  if (!isnan(second->tail))
    dun_diagnose(
        diagnosis, "tails", dun_verdict_above(second->tail, .5, 1),
        "weights from the last rung but one to the last have a tail of Pareto shape %.2f%s",
        second->tail, second->tail < .5 ? "" : ": does the base reach all of the target?");
  dun_basins_diagnose(&second->basins, diagnosis);
  if (second->table.cells.count < DUN_ESTIMATES * DUN_EVIDENCE_COLUMNS)
    return; /* of a checkpoint that was made by nobody's run */
  const double *own =
      second->table.cells.value + second->table.cells.count - DUN_ESTIMATES * DUN_EVIDENCE_COLUMNS;
  const double *other = own + DUN_EVIDENCE_COLUMNS;
  /* What was never moved was where its weights say only if something else says so too. */
  int unmoved = second->still && second->lack != DUN_SECOND_UNSUITED;
  if (second->lack)
    dun_diagnose(diagnosis, "second estimate", unmoved ? DUN_DOUBTFUL : DUN_GOOD,
                 "there is none of log Z: %s%s", reason((enum dun_second_lack)second->lack),
                 unmoved ? "; weights of particles that nothing moved are all that there is" : "");
  else if (!dun_second_counts(other) || (unmoved && !(other[DUN_EVIDENCE_SHAPE] < .5)))
    doubt(own, other, (int)second->still, diagnosis);
  else if (isnan(own[DUN_EVIDENCE_LOG_EVIDENCE]))
    dun_diagnose(diagnosis, "second estimate", DUN_GOOD,
                 "%.0f draws from a fitted mixture give log Z = %.4f ± %.2g; the method gives none",
                 other[DUN_EVIDENCE_DRAWS], other[DUN_EVIDENCE_LOG_EVIDENCE],
                 other[DUN_EVIDENCE_ERROR]);
  else
    compare(own, other, diagnosis);
}

int dun_second_counts(const double *row)
{
  return row[DUN_EVIDENCE_ESS] >= 100 && row[DUN_EVIDENCE_SHAPE] < .7;
}
