/* A Gaussian mixture is fitted to the modes that the particles have found, and drawn from: its
 * independent draws with their importance weights replace the particles.  Shares of separated
 * modes and log Z come out right wherever the particles, though not in due numbers, are in all
 * modes.
 *
 *   modes:  gradient ascent from a share of the particles, also of those without weight (parallel
 *           tempering's at earlier times), ends merged, the highest first
 *   q:      sum_k v_k N(m_k, inflate^2 C_k) with the moments m_k, C_k of the particles nearest to
 *           mode k, and v_k half the particles' share, half 1/K
 *   x ~ q,  logw = log gamma(x) - log q(x),  log Z = log of the mean weight
 */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "finishes/fit.h"
#include "methods/tails.h"
#include "population/tile.h"
#include <math.h>

enum phase { BEGIN, ASCEND, LIST, MOMENTS, DRAW, WEIGH };
enum { MOST_SLICES = 1024, MOST_MODES = 65536 };

/* ---- setting up ---------------------------------------------------------------------------- */

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct dun_fit *f = self;
  static const struct dun_table_column columns[] = {
      {"replicate", "", "Number of the population, from 0."},
      {"mode", "", "Number of the mode; the highest is 0."},
      {"share", "", "Weight of the particles nearest to it, as the method left them."},
      {"weight", "", "Weight of its component in the mixture."},
      {"log_density", "", "Log density of the target at the mode."},
      {"size", "", "Root mean square of its component's standard deviations."},
  };
  enum { COLUMNS = sizeof columns / sizeof *columns };
  (void)context;
  if (!run->x || !run->logw || !run->root)
    return dun_fail(DUN_ERROR_INPUT,
                    "finish fit_and_reweight needs a method that leaves weighted particles, and "
                    "method %s does not",
                    run->method->type.name);
  if (dun_evaluator_need_gradient(run->evaluator, "finish fit_and_reweight", "method smc") < 0)
    return DUN_ERROR_INPUT;
  f->ascent = dun_population_declare(
      &run->population, (struct dun_column){.name = "ascent",
                                            .type = DUN_F64,
                                            .width = run->evaluator->dimension + 1,
                                            .flags = DUN_SAVED,
                                            .doc = "Where an ascent ends, and how high."});
  if (!f->ascent)
    return DUN_ERROR_MEMORY;
  return dun_table_make(&f->head.table, columns, COLUMNS);
}

int64_t dun_fit_entries(const struct dun_fit *f)
{
  int64_t d = f->d;
  return f->covariance == DUN_FIT_DENSE ? d * d : d;
}

int dun_fit_tile_size(const struct dun_fit *f, int64_t tile)
{
  return dun_tile_size(f->tiles, f->tiles->first_tile + tile);
}

void dun_fit_forget(struct dun_fit *f)
{
  for (int64_t k = 0; k < f->modes && f->gaussian; k++)
    dun_gaussian_free(&f->gaussian[k]);
  DUN_FREE(f->gaussian);
  DUN_FREE(f->lanes);
  DUN_FREE(f->basin);
  DUN_FREE(f->sum);
  DUN_FREE(f->total);
  DUN_FREE(f->log_share);
  DUN_FREE(f->log_q);
  DUN_FREE(f->scratch);
  dun_weights_free(&f->weights);
  f->weights = (struct dun_weights){0};
}

static void release(void *self)
{
  struct dun_fit *f = self;
  struct dun_numbers *const owned[] = {&f->scale, &f->centre, &f->height, &f->mass,
                                       &f->mean,  &f->spread, &f->within};
  dun_fit_forget(f);
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    DUN_FREE(owned[i]->value);
  dun_table_free(&f->head.table);
}

/* What every tick needs, where it is not there from the one before. */
static int prepare(struct dun_fit *f, struct dun_run *run)
{
  int64_t d = run->evaluator->dimension;
  f->run = run;
  f->tiles = &run->population.tiles;
  f->d = (int)d;
  if (f->lanes)
    return 0;
  f->moments = 1 + (f->covariance == DUN_FIT_DENSE ? d * (d + 1) / 2 : d);
  f->lanes = dun_allocate((7 * d + 12) * DUN_LANES, sizeof *f->lanes);
  f->sum = dun_allocate(f->moments, sizeof *f->sum);
  f->total = dun_allocate(f->moments, sizeof *f->total);
  return f->lanes && f->sum && f->total ? 0 : DUN_ERROR_MEMORY;
}

/* Slices in which the tiles are gone through, each with tiles of many ranks: those whose global
 * number leaves it as the remainder.  An odd number, since the tiles that ascend are every fourth
 * or so. */
static int64_t slices(const struct dun_fit *f)
{
  int64_t count = f->tiles->tiles / 32;
  return (count < MOST_SLICES ? count : MOST_SLICES) | 1;
}

static int begin(struct dun_context *context, struct dun_fit *f)
{
  int64_t d = f->d;
  int status = dun_numbers_make(&f->scale, d, 0);
  if (status < 0 || dun_numbers_make(&f->within, d, 0) < 0 ||
      dun_numbers_make(&f->centre, f->most_modes * d, 0) < 0 ||
      dun_numbers_make(&f->height, f->most_modes, 0) < 0)
    status = DUN_ERROR_MEMORY;
  if ((status = dun_agree(context, status)) < 0)
    return status;
  status = dun_weights_compute(context, &f->run->population, f->run->logw, &f->weights);
  if (status >= 0)
    status = dun_column_moments(context, &f->run->population, f->run->x, f->run->logw, &f->weights,
                                f->within.value, f->scale.value);
  for (int64_t j = 0; j < d && status >= 0; j++) {
    f->scale.value[j] = f->scale.value[j] > 0 ? f->scale.value[j] : 1;
    f->within.value[j] = 0;
  }
  f->before = isnan(f->run->now.log_evidence) ? 0 : f->run->now.ess;
  f->modes = f->done = 0;
  f->phase = ASCEND;
  return status;
}

static int ascend(struct dun_context *context, struct dun_fit *f)
{
  int status = dun_fit_ascend(context, f, slices(f));
  if (status < 0)
    return status;
  if (++f->done >= slices(f))
    f->phase = LIST;
  return 0;
}

static int list(struct dun_context *context, struct dun_fit *f)
{
  int status = dun_fit_next_mode(context, f);
  if (status != 0)
    return status;
  if (f->modes == 0)
    return dun_fail(DUN_ERROR_NUMERIC, "finish fit_and_reweight: no ascent ends at a finite point");
  if (dun_numbers_make(&f->mass, f->modes, 0) < 0 ||
      dun_numbers_make(&f->mean, f->modes * f->d, 0) < 0 ||
      dun_numbers_make(&f->spread, f->modes * dun_fit_entries(f), 0) < 0)
    status = DUN_ERROR_MEMORY;
  f->done = 0;
  f->phase = MOMENTS;
  return dun_agree(context, status);
}

static int add_rows(struct dun_fit *f)
{
  int status = 0;
  for (int k = 0; k < (int)f->modes && status >= 0; k++) {
    double square = 0;
    for (int j = 0; j < f->d; j++)
      square += f->gaussian[k].deviation[j] * f->gaussian[k].deviation[j] / f->d;
    status = dun_table_add(&f->head.table,
                           (double[]){(double)f->run->replicate, k, f->mass.value[k],
                                      dun_fit_share(f, k), f->height.value[k], sqrt(square)});
  }
  return status;
}

DUN_CLONES static void log_shares(int K, double *share)
{
  for (int k = 0; k < K; k++)
    share[k] = dun_log(share[k]);
}

/* The mixture from the state. */
static int mixture(struct dun_context *context, struct dun_fit *f)
{
  int status = dun_agree(context, dun_fit_gaussians(f));
  for (int k = 0; k < (int)f->modes && status >= 0; k++)
    f->log_share[k] = dun_fit_share(f, k);
  if (status >= 0)
    log_shares((int)f->modes, f->log_share);
  return status;
}

static int moments(struct dun_context *context, struct dun_fit *f)
{
  int status = dun_fit_moments(context, f);
  if (status < 0 || ++f->done < f->modes)
    return status;
  dun_fit_lean(f);
  if ((status = mixture(context, f)) < 0 || (status = dun_agree(context, add_rows(f))) < 0)
    return status;
  f->done = 0;
  f->drawn_at = f->run->tick;
  f->phase = DRAW;
  return 0;
}

/* ---- draws and weights --------------------------------------------------------------------- */

/* log of the sum of K exponentials, lane by lane. */
DUN_CLONES static void log_sum(int K, const double *restrict term, double *restrict out)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double top = term[l], sum = 0;
    for (int k = 1; k < K; k++)
      top = term[k * DUN_LANES + l] > top ? term[k * DUN_LANES + l] : top;
    for (int k = 0; k < K; k++)
      sum += dun_exp_weight(term[k * DUN_LANES + l] - top);
    out[l] = top + dun_log(sum);
  }
}

static int component(const struct dun_fit *f, double uniform)
{
  double sum = 0;
  for (int k = 0; k < (int)f->modes - 1; k++)
    if (uniform <= (sum += dun_fit_share(f, k)))
      return k;
  return (int)f->modes - 1;
}

static void draw_tile(struct dun_fit *f, int64_t tile, double *x)
{
  int64_t block = (int64_t)f->d * DUN_LANES;
  double *normal = x + block, *one = normal + block, *uniform = one + block;
  int own[DUN_LANES];
  struct dun_address address = dun_run_address(f->run, DUN_PURPOSE_START);
  address.step = (uint32_t)f->drawn_at;
  address.tile = (uint32_t)(f->tiles->first_tile + tile);
  dun_normals(address, f->d, normal);
  address.purpose = DUN_PURPOSE_START_UNIFORM;
  dun_uniforms(address, 1, uniform);
  for (int l = 0; l < DUN_LANES; l++)
    own[l] = component(f, uniform[l]);
  for (int k = 0; k < (int)f->modes; k++) {
    int drawn = 0;
    for (int l = 0; l < DUN_LANES; l++) {
      if (own[l] != k)
        continue;
      if (!drawn++)
        dun_gaussian_draw(&f->gaussian[k], normal, one);
      for (int j = 0; j < f->d; j++)
        x[j * DUN_LANES + l] = one[j * DUN_LANES + l];
    }
  }
}

/* Draws replace the particles; the root of each is itself, since they are independent. */
static int replace_tile(struct dun_fit *f, int64_t tile)
{
  double *x = f->lanes, *lp = x + 4 * (int64_t)f->d * DUN_LANES, *log_q = lp + DUN_LANES;
  int n = dun_fit_tile_size(f, tile);
  int64_t first = tile * f->tiles->tile;
  draw_tile(f, tile, x);
  for (int k = 0; k < (int)f->modes; k++) {
    double *term = f->log_q + (int64_t)k * DUN_LANES;
    dun_gaussian_evaluate(&f->gaussian[k], x, term, NULL, NULL, f->scratch);
    for (int l = 0; l < DUN_LANES; l++)
      term[l] += f->log_share[k];
  }
  log_sum((int)f->modes, f->log_q, log_q);
  dun_tile_store(&f->run->population, f->run->x, tile, x);
  dun_tile_load(&f->run->population, f->run->x, tile,
                x); /* the lanes behind the last repeat the first */
  dun_evaluate(f->run->evaluator, n, x, lp, NULL, NULL);
  int status = dun_pass_leave(&f->run->sweep.pass, tile, 0, n);
  if (status < 0)
    return status;
  for (int l = 0; l < n; l++) {
    dun_f64(f->run->logw)[first + l] = lp[l] - log_q[l];
    dun_i64(f->run->root)[first + l] = f->tiles->first + first + l;
    if (f->run->sweep.time)
      dun_f64(f->run->sweep.time)[first + l] = 1;
  }
  return 0;
}

static int draw(struct dun_context *context, struct dun_fit *f)
{
  struct dun_pass *pass = &f->run->sweep.pass;
  int status = f->gaussian ? 0 : mixture(context, f); /* a restart came in between */
  if (status < 0 || dun_pass_begin(context, pass, 0, NULL))
    return status;
  for (int64_t i = 0; i < f->tiles->count && status >= 0; i++)
    if ((f->tiles->first_tile + i) % slices(f) == f->done &&
        (status = dun_pass_enter(pass, i, 0)) > 0)
      status = replace_tile(f, i);
  if ((status = dun_pass_end(context, pass, status, 0, NULL, NULL)) < 0)
    return status;
  if (++f->done >= slices(f))
    f->phase = WEIGH;
  return status;
}

static int weigh(struct dun_context *context, struct dun_fit *f)
{
  struct dun_run *run = f->run;
  struct dun_genealogy genealogy;
  int status = run->path ? dun_sweep_evaluate(context, &run->sweep, 1, INT64_MAX) : 0;
  if (status >= 0)
    status = dun_weights_compute(context, &run->population, run->logw, &f->weights);
  if (status < 0 || (status = dun_genealogy_compute(context, &run->population, run->root, run->logw,
                                                    &f->weights, &genealogy)) < 0)
    return status;
  if ((status = dun_tails_shape(context, run, 0, dun_tails_none(run))) < 0)
    return status;
  run->now.ess = f->weights.ess;
  run->now.roots = (double)genealogy.roots;
  run->now.error_roots = genealogy.variance_roots;
  run->now.log_evidence = f->weights.log_mean;
  run->now.log_evidence_error = sqrt(genealogy.relative_variance);
  f->shape = run->now.pareto_k;
  run->now.log_likelihood_mean = run->now.log_likelihood_variance = NAN;
  run->now.moves = 0;
  run->now.step++;
  f->phase = BEGIN;
  dun_fit_forget(f);
  return 0;
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  static int (*const phases[])(struct dun_context *, struct dun_fit *) = {
      [BEGIN] = begin,     [ASCEND] = ascend, [LIST] = list,
      [MOMENTS] = moments, [DRAW] = draw,     [WEIGH] = weigh,
  };
  struct dun_fit *f = self;
  int last = f->phase == WEIGH, status = dun_agree(context, prepare(f, run));
  if (status >= 0)
    status = phases[f->phase](context, f);
  return status < 0 ? status : last ? DUN_TICK_DONE : DUN_TICK_GOING;
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct dun_fit *f = self;
  double ess = run->now.ess, share = ess / (double)run->options.particles;
  enum dun_verdict_level of_share = dun_verdict_above(-share, -.05, -.01);
  enum dun_verdict_level of_ess = dun_verdict_above(-ess, -50, -10);
  enum dun_verdict_level of_shape = isnan(f->shape) ? DUN_GOOD : dun_verdict_above(f->shape, .7, 1);
  int lost = ess < .1 * f->before;
  enum dun_verdict_level worst = of_share > of_ess ? of_share : of_ess;
  dun_diagnose(
      out, "fit",
      lost               ? DUN_BAD
      : worst > of_shape ? worst
                         : of_shape,
      "the draws from the mixture of %lld modes are worth %.1f%% of as many exact ones, the "
      "Pareto shape of their weights is %.2f%s",
      (long long)f->modes, 100 * share, f->shape,
      lost                 ? ": the particles that they replace were worth more"
      : of_ess == DUN_GOOD ? ""
                           : ", which are few: errors are guesses");
  if (f->modes >= f->most_modes)
    dun_diagnose(out, "modes", DUN_DOUBTFUL, "the list of modes ended at most_modes = %lld",
                 f->most_modes);
}

#define ROW(name_, type_, initial_, minimum_, maximum_, doc_)                                      \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct dun_fit, name_), .initial = initial_, \
    .minimum = minimum_, .maximum = maximum_, .doc = doc_                                          \
  }
static const struct dun_option options[] = {
    ROW(share, DUN_NUMBER, "0.25", 1e-6, 1, "Share of the particles that ascend to their modes."),
    ROW(step, DUN_NUMBER, "0.3", 1e-6, 100,
        "Longest step of an ascent, in standard deviations of all particles."),
    ROW(steps, DUN_INTEGER, "300", 1, 1e6, "Most steps of an ascent."),
    ROW(width, DUN_NUMBER, "0.1", 1e-9, 100,
        "Ends nearer than this, in standard deviations of all particles, are one mode."),
    ROW(most_modes, DUN_INTEGER, "256", 1, MOST_MODES,
        "Most modes in the list; the highest are kept."),
    ROW(inflate, DUN_NUMBER, "1.3", .1, 100, "Factor of the components' standard deviations."),
    {.name = "covariance",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_fit, covariance),
     .initial = "diagonal",
     .words = "diagonal|dense",
     .doc = "Of the components: variances only, or all of it."},
    {0},
};
#define STATE(member, type_)                                                                       \
  {                                                                                                \
    .name = #member, .type = type_, .offset = offsetof(struct dun_fit, member), .count = 1         \
  }
static const struct dun_state state[] = {
    DUN_FINISH_STATE(struct dun_fit),
    DUN_STATE_UP_TO(WEIGH, "phase", offsetof(struct dun_fit, phase)),
    DUN_STATE_UP_TO(MOST_MODES, "done", offsetof(struct dun_fit, done)),
    STATE(drawn_at, DUN_STATE_INTEGER),
    STATE(before, DUN_STATE_NUMBER),
    STATE(shape, DUN_STATE_NUMBER),
    DUN_STATE_UP_TO(MOST_MODES, "modes", offsetof(struct dun_fit, modes)),
    STATE(scale, DUN_STATE_NUMBERS),
    STATE(centre, DUN_STATE_NUMBERS),
    STATE(height, DUN_STATE_NUMBERS),
    STATE(mass, DUN_STATE_NUMBERS),
    STATE(mean, DUN_STATE_NUMBERS),
    STATE(spread, DUN_STATE_NUMBERS),
    STATE(within, DUN_STATE_NUMBERS),
    {0},
};

/* Lists as long as the phase has them, or they were written by nobody's run. */
static int restore(void *self)
{
  const struct dun_fit *f = self;
  int64_t d = f->ascent->width - 1, K = f->modes;
  int64_t entries = f->covariance == DUN_FIT_DENSE ? d * d : d;
  int begun = f->scale.count == d && f->within.count == d && f->centre.count == f->most_modes * d &&
              f->height.count == f->most_modes;
  int listed = K > 0 && f->mass.count == K && f->mean.count == K * d &&
               f->spread.count == K * entries && (f->phase != MOMENTS || f->done < K);
  if (K <= f->most_modes && (f->phase == BEGIN || begun) && (f->phase <= LIST || listed))
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "The checkpoint has modes that finish fit_and_reweight does not "
                                   "have.");
}

const struct dun_finish dun_finish_fit_and_reweight = {
    .type = {DUN_TYPE(struct dun_finish), .name = "fit_and_reweight",
             .doc = "Replaces the particles by weighted draws from a Gaussian mixture at the modes "
                    "they found.",
             .size = sizeof(struct dun_fit), .options = options, .state = state, .free = release,
             .restore = restore},
    .init = init,
    .advance = advance,
    .settles = {"bias", "levels", "start"},
    .diagnose = diagnose,
};
