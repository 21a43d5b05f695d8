#include "evidence/basins.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "evidence/deal.h"
#include "evidence/tops.h"
#include "numerics/pareto.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include "population/weights.h"
#include <math.h>
#include <string.h>

enum { MOST_DIMENSION = 128, MOST_STARTS = 1024, CLIMB = 40, SLICE = 4 };
enum { MOST_TOPS = 16, MOST_TRIES = 32, DRAWS = 8 * DUN_LANES };
/* Means of weights with so heavy a tail are too small in most runs, by more than their errors say:
 * such a mass is a lower bound, and tells of particles that are missing, not of too many. */
static const double HEAVY = .5;
enum { FEWEST_CLIMBS = 16, FAR_STEP = 1000 }; /* of random numbers */

void dun_basins_start(struct dun_basins *b)
{
  b->climbed = b->starts = b->tops = 0;
  b->errors = b->mass = b->share = 0;
}

void dun_basins_free(struct dun_basins *b)
{
  DUN_FREE(b->end.value);
  b->end.count = 0;
}

/* ---- climbing -------------------------------------------------------------------------------- */

/* One step of a coordinate in all lanes; a turn halves it and waits. */
static void climb(double *x, double *step, double *before, const double *gradient)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double turn = gradient[l] * before[l], g = turn < 0 ? 0 : gradient[l];
    step[l] *= turn < 0 ? .5 : turn > 0 ? 1.2 : 1;
    x[l] += g > 0 ? step[l] : g < 0 ? -step[l] : 0;
    before[l] = g;
  }
}

static void keep_best(int d, int n, const double *x, const double *lp, double *out)
{
  for (int l = 0; l < n; l++) {
    double *row = out + (int64_t)l * (d + 1);
    if (!(lp[l] > row[d]))
      continue;
    for (int j = 0; j < d; j++)
      row[j] = x[j * DUN_LANES + l];
    row[d] = lp[l];
  }
}

/* Away from the points' mean by 2, 4, 8 and 16 times as much as draws and points are: every second
 * lane of the first tile, which may be the only one, and every fourth of the others. */
static void widen(const struct dun_deal *w, struct dun_address address, double *normal, double *x)
{
  int d = w->run->evaluator->dimension, each = address.tile == 0 ? 2 : 4;

  address.step = FAR_STEP;
  dun_normals(address, d, normal);
  for (int j = 0; j < d; j++)
    for (int l = each - 1; l < DUN_LANES; l += each) {
      double off = x[j * DUN_LANES + l] - w->top[j] + w->factor[j] * normal[j * DUN_LANES + l];
      x[j * DUN_LANES + l] = w->top[j] + (double)(2 << l / each % 4) * off;
    }
}

/* The first w->step of the path's draws climb; out[64][d + 1] is the best place that each has seen,
 * of log density -inf where there is none. */
static void climb_tile(const struct dun_deal *w, int64_t tile, double *out)
{
  const struct dun_run *run = w->run;
  int d = run->evaluator->dimension, uniforms, normals;
  int64_t block = (int64_t)d * DUN_LANES;
  double *x = w->lanes, *gradient = x + block, *before = gradient + block, *step = before + block;
  double *lp = step + block, *uniform = lp + DUN_LANES;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_BASINS);

  dun_path_draws(run->path, run->path_self, d, &uniforms, &normals);
  double *normal = uniform + (int64_t)uniforms * DUN_LANES;
  address.tile = (uint32_t)tile;
  address.step = 0;
  dun_normals(address, normals, normal);
  address.step = 1;
  dun_uniforms(address, uniforms, uniform);
  run->path->draw(run->path_self, uniform, normal, x);
  widen(w, address, before, x);
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      step[j * DUN_LANES + l] = .1 * w->factor[j];
      before[j * DUN_LANES + l] = 0;
    }
  for (int l = 0; l < DUN_LANES; l++)
    out[(int64_t)l * (d + 1) + d] = -INFINITY;
  for (int i = 0; i < CLIMB; i++) {
    dun_tops_slope(run, (int)w->step, x, lp, gradient);
    keep_best(d, (int)w->step, x, lp, out);
    for (int j = 0; j < d; j++)
      climb(x + j * DUN_LANES, step + j * DUN_LANES, before + j * DUN_LANES,
            gradient + j * DUN_LANES);
  }
}

static void moments(int d, const struct dun_basin_points *p, double *mean, double *deviation)
{
  for (int j = 0; j < d; j++) {
    double sum = 0, square = 0, n = (double)p->count;
    for (int64_t i = 0; i < p->count; i++)
      sum += p->x[i * d + j];
    mean[j] = sum / n;
    for (int64_t i = 0; i < p->count; i++)
      square += (p->x[i * d + j] - mean[j]) * (p->x[i * d + j] - mean[j]);
    deviation[j] = sqrt(square / n);
  }
}

/* Of what the run's path draws from, in tiles of work. */
static int64_t lanes_of(const struct dun_run *run)
{
  int d = run->evaluator->dimension, uniforms, normals;
  dun_path_draws(run->path, run->path_self, d, &uniforms, &normals);
  return (int64_t)(4 * d + 1 + uniforms + normals) * DUN_LANES;
}

/* What is met so far out that a target has no numbers is no part of any draw. */
static void forget_faults(struct dun_evaluator *e, const struct dun_evaluator *before)
{
  e->nans = before->nans;
  e->nans_aside = before->nans_aside;
  e->infinities = before->infinities;
}

static int climb_unseen(struct dun_context *context, const struct dun_deal *work, int64_t first,
                        int64_t last, double *end)
{
  struct dun_evaluator *e = work->run->evaluator, before = *e;
  int status = dun_deal_tiles(context, work, first, last, end);
  forget_faults(e, &before);
  return status;
}

/* What those that fitted a base moved is paid for, too. */
static double pilots_share(const struct dun_run *run)
{
  struct dun_pilot pilot = {0};
  if (run->path->pilot)
    pilot = run->path->pilot(run->path_self);
  return .02 * (double)pilot.moves * fmin((double)pilot.chains, (double)run->options.particles);
}

/* Short runs spend up to a tenth of their evaluations on a few climbs: modes that none of few
 * chains has met are missed more often than any others. */
static double short_climbs(double afford)
{
  return 5 * afford / CLIMB;
}

static uint32_t lanes_afforded(const struct dun_basins *b, double afford)
{
  double few = short_climbs(afford);
  return b->starts > DUN_LANES || few >= DUN_LANES ? DUN_LANES : (uint32_t)few;
}

/* In tiles.  Where tiles are of one particle an evaluation takes long, and a tile of climbs would
 * take one rank as many of them. */
static double climbs_afforded(const struct dun_run *run, double afford)
{
  double tiles = ceil(afford / CLIMB / DUN_LANES - .25), most = (double)MOST_STARTS / DUN_LANES;
  int short_run = short_climbs(afford) >= FEWEST_CLIMBS && run->population.tiles.tile > 1;
  return fmin(fmax(tiles, short_run), most);
}

static int climb_some(struct dun_context *context, struct dun_basins *b, const struct dun_run *run,
                      const struct dun_basin_points *points, double afford)
{
  int d = run->evaluator->dimension;
  int64_t first = b->climbed / DUN_LANES, last = b->starts / DUN_LANES;
  int64_t most = first + SLICE * (int64_t)context->size;
  double *mean = dun_allocate(2 * (int64_t)d, sizeof *mean), *deviation = mean ? mean + d : NULL;
  struct dun_deal work = {.run = run,
                          .width = d + 1,
                          .top = mean,
                          .factor = deviation,
                          .step = lanes_afforded(b, afford),
                          .tile = climb_tile};

  work.lanes = dun_allocate(lanes_of(run), sizeof *work.lanes);
  int status = mean && work.lanes ? 0 : DUN_ERROR_MEMORY;
  if (status >= 0 && b->climbed == 0)
    status = dun_numbers_make(&b->end, b->starts * (d + 1), 0);
  status = dun_agree(context, status);
  last = last < most ? last : most;
  if (status >= 0) {
    moments(d, points, mean, deviation);
    status = climb_unseen(context, &work, first, last, b->end.value + first * DUN_LANES * (d + 1));
  }
  if (status >= 0)
    b->climbed = last * DUN_LANES;
  dun_free(mean);
  dun_free(work.lanes);
  return status;
}

/* ---- tops ----------------------------------------------------------------------------------- */

static double radius(int d)
{
  return d + 2 * sqrt(2. * d);
}

struct search {
  struct dun_context *context;
  struct dun_basins *basins;
  const struct dun_run *run;
  const struct dun_basin_points *points;
  int d, count, tries;
  double effective; /* how many independent ones the points are worth */
  struct dun_tops tops;
  double *lanes;
  double *inside, *mean;             /* [points], [d] */
  signed char *tried;                /* [starts] */
  struct dun_top top[MOST_TOPS + 1]; /* the last one is being climbed */
};

static int is_known(const struct search *s, const double *x)
{
  for (int k = 0; k < s->count; k++)
    if (dun_top_distance(s->d, &s->top[k], x) < 4 * radius(s->d))
      return 1;
  return 0;
}

/* The highest end of a climb that was not tried yet and leads to no known top; -1: none. */
static int64_t next_end(struct search *s)
{
  const struct dun_numbers *end = &s->basins->end;
  int64_t width = s->d + 1, best;
  do {
    best = -1;
    for (int64_t i = 0; i < s->basins->starts; i++) {
      double here = end->value[i * width + s->d];
      if (!s->tried[i] && here > -INFINITY && (best < 0 || here > end->value[best * width + s->d]))
        best = i;
    }
    if (best >= 0)
      s->tried[best] = 1;
  } while (best >= 0 && is_known(s, end->value + best * width));
  return best;
}

/* ---- masses ---------------------------------------------------------------------------------- */

/* out[64][2]: log weights of normal draws about the top, -inf outside the ellipsoid, and half of
 * the squared distances from it. */
static void weigh_tile(const struct dun_deal *w, int64_t tile, double *out)
{
  int d = w->run->evaluator->dimension;
  double *x = w->lanes, *normal = x + (int64_t)d * DUN_LANES;
  double *lp = normal + (int64_t)d * DUN_LANES, *one = lp + DUN_LANES, square[DUN_LANES];
  struct dun_address address = dun_run_address(w->run, DUN_PURPOSE_BASINS);

  address.step = w->step;
  address.tile = (uint32_t)tile;
  dun_normals(address, d, normal);
  for (int l = 0; l < DUN_LANES; l++) {
    square[l] = 0;
    for (int j = 0; j < d; j++) {
      one[j] = normal[j * DUN_LANES + l];
      square[l] += one[j] * one[j];
    }
    dun_top_solve(d, w->factor, one);
    for (int j = 0; j < d; j++)
      x[j * DUN_LANES + l] = w->top[j] + one[j];
  }
  dun_evaluate(w->run->evaluator, DUN_LANES, x, lp, NULL, NULL);
  for (int l = 0; l < DUN_LANES; l++) {
    out[2 * l] = square[l] <= radius(d) ? lp[l] + square[l] / 2 : -INFINITY;
    out[2 * l + 1] = square[l] / 2;
  }
}

/* Collective.  The mass about a top, and its error.  Returns whether the log density falls about as
 * much over the draws as that of the normal law they are from: of cusps and flat tops the second
 * derivatives tell nothing. */
static int weigh(struct search *s, struct dun_top *top)
{
  double out[DRAWS][2], log_weight[DRAWS], log_normal = .918938533204672742 * s->d;
  double sum = 0, squares = 0;
  double fell = 0, expected = 0;
  struct dun_deal work = {.run = s->run,
                          .top = top->x,
                          .factor = top->factor,
                          .lanes = s->lanes,
                          .width = 2,
                          .step = 2 + (uint32_t)s->count,
                          .tile = weigh_tile};
  int status = dun_deal_tiles(s->context, &work, 0, DRAWS / DUN_LANES, out[0]);
  for (int64_t j = 0; j < s->d; j++)
    log_normal -= dun_scalar_log(top->factor[j * s->d + j]);
  for (int i = 0; i < DRAWS && status >= 0; i++) {
    double w = dun_scalar_exp(out[i][0] + log_normal - s->points->log_evidence);
    int inside = 2 * out[i][1] <= radius(s->d);
    log_weight[i] = out[i][0];
    sum += w;
    squares += w * w;
    expected += inside ? out[i][1] : 0;
    fell += inside ? top->log_density - (out[i][0] - out[i][1]) : 0;
  }
  top->mass = sum / DRAWS;
  top->error = sqrt(fmax(squares / DRAWS - top->mass * top->mass, 0) / DRAWS);
  if (status >= 0)
    status = dun_agree(s->context, dun_pareto_shape(DRAWS, log_weight, &top->shape));
  return status < 0 ? status : fell > .25 * expected && fell < 4 * expected;
}

/* Collective.  From the end of a climb to a top with its ellipsoid and mass; returns whether there
 * is one that is not known yet. */
static int explore(struct search *s, struct dun_top *top, const double *end)
{
  int status;
  memcpy(top->x, end, (size_t)s->d * sizeof *end);
  if ((status = dun_top_ascend(s->context, &s->tops, top)) < 0)
    return status;
  if (status > 0) {
    if (is_known(s, top->x))
      return 0;
    if ((status = weigh(s, top)) != 0)
      return status;
    memcpy(top->x, end, (size_t)s->d * sizeof *end);
  }
  if ((status = dun_top_measure(s->context, &s->tops, top)) <= 0)
    return status;
  if (is_known(s, top->x))
    return 0;
  status = weigh(s, top);
  return status < 0 ? status : 1;
}

/* Of a tile's particles: which lie about each top, f[count][64]. */
static void locate(void *data, int64_t local_tile, double *f)
{
  struct search *s = data;
  double *x = s->lanes, *one = x + (int64_t)s->d * DUN_LANES;
  dun_tile_load(&s->run->population, s->run->x, local_tile, x);
  for (int l = 0; l < DUN_LANES; l++) {
    for (int j = 0; j < s->d; j++)
      one[j] = x[j * DUN_LANES + l];
    for (int k = 0; k < s->count; k++)
      f[k * DUN_LANES + l] = dun_top_distance(s->d, &s->top[k], one) <= radius(s->d);
  }
}

/* Collective.  Shares of the weighted particles, with errors by ancestor. */
static int share_by_ancestor(struct search *s, double *share, double *error)
{
  const struct dun_run *run = s->run;
  struct dun_weights weights = {0};
  double deviation[MOST_TOPS];
  int status = dun_weights_compute(s->context, &run->population, run->logw, &weights);
  if (status >= 0)
    status = dun_weighted_moments(s->context, &run->population, run->root, run->logw, &weights,
                                  s->count, locate, s, share, deviation, error);
  dun_weights_free(&weights);
  return status;
}

/* By how much the variance of the chains' means is larger than that of independent draws would make
 * it; at least 1.  value[count] at a stride. */
static double clustering(const struct dun_basin_points *p, const double *value, int64_t stride)
{
  double n = (double)p->count, chains = (double)p->chains, each = n / chains, sum = 0;
  double total = 0, between = 0;

  for (int64_t i = 0; i < p->count; i++)
    sum += value[i * stride];
  for (int64_t c = 0; c < p->chains; c++) {
    double own = 0;
    for (int64_t i = c; i < p->count; i += p->chains) {
      double off = value[i * stride] - sum / n;
      own += off;
      total += off * off;
    }
    between += own * own / each;
  }
  double excess = chains > 1 && total > 0 ? between / (chains - 1) * (n / total) : each;
  return excess > 1 ? excess : 1;
}

static double effective_points(const struct search *s)
{
  double worst = 1;
  for (int j = 0; j < s->d && s->points->chains > 0; j++)
    worst = fmax(worst, clustering(s->points, s->points->x + j, s->d));
  return (double)s->points->count / worst;
}

/* Shares of the draws that chains kept.  inside[count] is scratch. */
static void share_of_draws(const struct search *s, double *share, double *error)
{
  double n = (double)s->points->count, *inside = s->inside;
  for (int k = 0; k < s->count; k++) {
    share[k] = 0;
    for (int64_t i = 0; i < s->points->count; i++) {
      inside[i] = dun_top_distance(s->d, &s->top[k], s->points->x + i * s->d) <= radius(s->d);
      share[k] += inside[i] / n;
    }
    double worth = share[k] > 0 ? fmin(s->effective, n / clustering(s->points, inside, 1)) : n;
    error[k] = sqrt(share[k] * (1 - share[k]) / worth);
  }
}

/* Of a mass: the square of a smaller one would be 0, and any share infinitely many errors off. */
static const double LEAST = 1e-200;

/* How far a share is from the mass, in errors.  Where hardly any particles are left, their own
 * error tells nothing: what ancestors bring to so large a part is a matter of chance. */
static double deviation_of(const struct search *s, const struct dun_top *top, double share,
                           double error)
{
  const struct dun_now *now = &s->run->now;
  double p = fmin(fmax(top->mass, LEAST), .5), own = top->mass * s->points->error;
  double n = s->points->chains > 0  ? s->effective
             : now->error_roots > 0 ? now->error_roots
                                    : now->ess;
  double variance = share < p / 3 || isnan(error) ? p * (1 - p) / n : error * error;
  return (top->mass - share) / sqrt(top->error * top->error + own * own + variance);
}

static int compare(struct search *s)
{
  struct dun_basins *b = s->basins;
  double share[MOST_TOPS], error[MOST_TOPS];
  int status = 0;
  s->effective = effective_points(s);
  if (s->count > 0 && s->run->root && s->points->chains == 0)
    status = share_by_ancestor(s, share, error);
  else
    share_of_draws(s, share, error);
  for (int k = 0; k < s->count && status >= 0; k++) {
    double off = deviation_of(s, &s->top[k], share[k], error[k]);
    if (!(s->top[k].mass > 0 && s->top[k].error <= .3 * s->top[k].mass) || isnan(off))
      continue;
    if (off < 0 && s->top[k].shape >= HEAVY)
      off = 0;
    if (b->tops++ > 0 && fabs(off) <= fabs(b->errors))
      continue;
    b->errors = off;
    b->mass = s->top[k].mass;
    b->share = share[k];
  }
  return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int search_init(struct search *s)
{
  int64_t d = s->d;
  int status = dun_tops_init(&s->tops, s->run);
  s->lanes = dun_allocate((2 * d + 1) * DUN_LANES + d, sizeof(double));
  s->tried = dun_allocate(s->basins->starts, sizeof *s->tried);
  s->inside = dun_allocate(s->points->count, sizeof *s->inside);
  s->mean = dun_allocate(d, sizeof *s->mean);
  int made = s->lanes && s->tried && s->inside && s->mean;
  for (int k = 0; k <= MOST_TOPS && made; k++) {
    s->top[k].x = dun_allocate(d, sizeof(double));
    s->top[k].factor = dun_allocate(d * d, sizeof(double));
    made = s->top[k].x && s->top[k].factor;
  }
  return status < 0 ? status : made ? 0 : DUN_ERROR_MEMORY;
}

static void search_free(struct search *s)
{
  for (int k = 0; k <= MOST_TOPS; k++) {
    dun_free(s->top[k].x);
    dun_free(s->top[k].factor);
  }
  dun_tops_free(&s->tops);
  dun_free(s->lanes);
  dun_free(s->tried);
  dun_free(s->inside);
  dun_free(s->mean);
}

static int search_all(struct search *s)
{
  int64_t end;
  while (s->count < MOST_TOPS && s->tries++ < MOST_TRIES && (end = next_end(s)) >= 0) {
    int status = explore(s, &s->top[s->count], s->basins->end.value + end * (s->d + 1));
    if (status < 0)
      return status;
    s->count += status;
  }
  return compare(s);
}

static int judge(struct dun_context *context, struct dun_basins *b, const struct dun_run *run,
                 const struct dun_basin_points *points)
{
  struct search s = {.context = context,
                     .basins = b,
                     .run = run,
                     .points = points,
                     .d = run->evaluator->dimension};
  struct dun_evaluator before = *run->evaluator;
  int status = dun_agree(context, search_init(&s));
  b->tops = 0;
  b->errors = 0;
  if (status >= 0) {
    moments(s.d, points, s.mean, s.tops.deviation);
    status = search_all(&s);
    forget_faults(run->evaluator, &before);
  }
  search_free(&s);
  if (status >= 0)
    dun_basins_free(b);
  else
    dun_deal_forget(run, &before);
  return status < 0 ? status : DUN_TICK_DONE;
}

static int suited(const struct dun_run *run, const struct dun_basin_points *points)
{
  return run->evaluator->dimension <= MOST_DIMENSION && !run->evaluator->target->no_gradient &&
         isfinite(points->log_evidence);
}

int dun_basins_advance(struct dun_context *context, struct dun_basins *b, const struct dun_run *run,
                       const struct dun_basin_points *points, double afford)
{
  if (b->climbed > 0 && b->climbed == b->starts)
    return judge(context, b, run, points);
  afford += pilots_share(run);
  if (b->climbed == 0) {
    b->starts = (int64_t)climbs_afforded(run, afford) * DUN_LANES;
    if (!suited(run, points) || b->starts == 0)
      return DUN_TICK_DONE;
  }
  int status = climb_some(context, b, run, points, afford);
  return status < 0 ? status : DUN_TICK_GOING;
}

void dun_basins_diagnose(const struct dun_basins *b, struct dun_diagnosis *out)
{
  if (b->tops == 0)
    return;
  double chance = 2 * dun_scalar_log((double)b->tops); /* the largest of so many */
  enum dun_verdict_level level =
      dun_verdict_above(b->errors * b->errors, 2.5 * 2.5 + chance, 5 * 5 + chance);
  dun_diagnose(
      out, "lost parts", level,
      "about the top that differs most of %lld that first draws climb to lies %.3g of Z by "
      "importance weights and %.3g of the particles, %.1f errors%s",
      (long long)b->tops, b->mass, b->share, b->errors,
      level == DUN_GOOD    ? ""
      : b->mass > b->share ? ": they lack what is there, and log Z may, too"
                           : ": they lack what lies elsewhere, and log Z may, too");
}
