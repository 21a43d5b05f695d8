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
#include "finishes/ascent.h"
#include "finishes/finish.h"
#include "numerics/gaussian.h"
#include "population/tile.h"
#include "population/weights.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum covariance { DIAGONAL, DENSE };

struct fit {
  struct dun_finish_head head;

  /* options */
  double share, step, width, inflate;
  long long steps, most_modes;
  int covariance;

  /* state */
  int64_t modes; /* found in the last replicate */
};

/* What one tick needs. */
struct work {
  const struct fit *fit;
  struct dun_run *run;
  const struct dun_tiles *tiles;
  struct dun_weights weights;
  int d, modes;
  struct dun_column *x;

  double *scale;         /* [d], deviations of all particles */
  double *lanes;         /* [4 d + 8][64] */
  double *end, *end_lp;  /* [local][d], [local]: ends of ascents; -DBL_MAX: claimed or none */
  int *basin;            /* [local] */
  struct dun_exact *sum; /* [moments] */
  double *total;         /* [moments] */
  double *centre, *mean, *spread; /* [most][d], [most][d], [most][d or d * d] */
  double *mass, *log_share;       /* [most] */
  double *within;                 /* [d], mean variance in the basins */
  struct dun_gaussian *gaussian;  /* [most] */
  double *log_q;                  /* [most][64] */
  double *scratch;                /* of the Gaussians */
  int64_t moments;
};

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct fit *f = self;
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
  if (!run->path || !run->kernel || !run->logw || !run->root ||
      !dun_population_find(&run->population, "x"))
    return dun_fail(DUN_ERROR_INPUT,
                    "finish fit_and_reweight needs a method that leaves weighted particles, and "
                    "method %s does not",
                    run->method->type.name);
  return dun_table_make(&f->head.table, columns, COLUMNS);
}

static void release(void *self)
{
  dun_table_free(&((struct fit *)self)->head.table);
}

static void free_work(struct work *w)
{
  for (int k = 0; k < w->modes && w->gaussian; k++)
    dun_gaussian_free(&w->gaussian[k]);
  double *all[] = {w->scale,  w->lanes, w->end,       w->end_lp, w->total, w->centre, w->mean,
                   w->spread, w->mass,  w->log_share, w->within, w->log_q, w->scratch};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    dun_free(all[i]);
  dun_free(w->basin);
  dun_free(w->sum);
  dun_free(w->gaussian);
  dun_weights_free(&w->weights);
}

static int make_work(struct work *w)
{
  int64_t d = w->d, most = w->fit->most_modes, local = w->tiles->local + 1;
  int64_t entries = w->fit->covariance == DENSE ? d * d : d;
  w->moments = 1 + (w->fit->covariance == DENSE ? d * (d + 1) / 2 : d);
  w->scale = dun_allocate(d, sizeof(double));
  w->lanes = dun_allocate((7 * d + 12) * DUN_LANES, sizeof(double));
  w->end = dun_allocate(local * d, sizeof(double));
  w->end_lp = dun_allocate(local, sizeof(double));
  w->basin = dun_allocate(local, sizeof(int));
  w->sum = dun_allocate(w->moments, sizeof *w->sum);
  w->total = dun_allocate(w->moments, sizeof(double));
  w->centre = dun_allocate(most * d, sizeof(double));
  w->mean = dun_allocate(most * d, sizeof(double));
  w->spread = dun_allocate(most * entries, sizeof(double));
  w->mass = dun_allocate(2 * most, sizeof(double));
  w->log_share = dun_allocate(most, sizeof(double));
  w->within = dun_allocate(2 * d, sizeof(double));
  w->gaussian = dun_allocate(most, sizeof *w->gaussian);
  w->log_q = dun_allocate(most * DUN_LANES, sizeof(double));
  w->scratch = dun_allocate((4 * d + 8) * DUN_LANES, sizeof(double));
  return w->scale && w->lanes && w->end && w->end_lp && w->basin && w->sum && w->total &&
                 w->centre && w->mean && w->spread && w->mass && w->log_share && w->within &&
                 w->gaussian && w->log_q && w->scratch
             ? 0
             : DUN_ERROR_MEMORY;
}

static int tile_size(const struct work *w, int64_t tile)
{
  return dun_tile_size(w->tiles, w->tiles->first_tile + tile);
}

/* ---- modes --------------------------------------------------------------------------------- */

/* From a tile's particles. */
static void ascend(struct work *w, int64_t tile)
{
  int n = tile_size(w, tile), d = w->d;
  double *x = w->lanes, *lp = x + 4 * (int64_t)d * DUN_LANES;
  int64_t first = tile * w->tiles->tile;

  dun_tile_load(&w->run->population, w->x, tile, x);
  dun_ascend(w->run->evaluator, n, w->scale, w->fit->step, w->fit->steps, x, lp, lp + DUN_LANES);
  dun_rows_from_columns(n, d, x, w->end + first * d);
  for (int l = 0; l < n; l++)
    w->end_lp[first + l] = isfinite(lp[l]) ? lp[l] : -DBL_MAX;
}

/* Whole tiles, evenly over all of them, since relatives are neighbours. */
static void ascend_all(struct work *w)
{
  for (int64_t i = 0; i < w->tiles->local; i++)
    w->end_lp[i] = -DBL_MAX;
  for (int64_t i = 0; i < w->tiles->count; i++) {
    double number = (double)(w->tiles->first_tile + i), share = w->fit->share;
    if (number == 0 || floor(number * share) > floor((number - 1) * share))
      ascend(w, i);
  }
}

static double distance(const struct work *w, const double *a, const double *b)
{
  double square = 0;
  for (int j = 0; j < w->d; j++) {
    double v = (a[j] - b[j]) / w->scale[j];
    square += v * v;
  }
  return sqrt(square);
}

/* Collective.  Where the highest unclaimed end is; of equals, that of the lowest index.
 * *found = -1: not on this rank; returns 0 if there is none anywhere. */
static int highest(struct dun_context *context, struct work *w, double *lp, int64_t *found)
{
  double best = -DBL_MAX, number = -DBL_MAX, mine;
  int status;
  *found = -1;
  for (int64_t i = 0; i < w->tiles->local; i++)
    best = w->end_lp[i] > best ? w->end_lp[i] : best;
  if ((status = dun_max(context, 0, 1, &best)) < 0 || best == -DBL_MAX)
    return status;
  for (int64_t i = w->tiles->local - 1; i >= 0; i--)
    if (w->end_lp[i] == best) {
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

/* Collective.  The list of modes: a point of one rank reaches the others as a sum with zeros. */
static int list_modes(struct dun_context *context, struct work *w)
{
  int status = 0, d = w->d;
  while (w->modes < w->fit->most_modes) {
    int64_t own;
    double *centre = w->centre + (int64_t)w->modes * d;
    if ((status = highest(context, w, &w->mass[w->fit->most_modes + w->modes], &own)) <= 0)
      return status;
    for (int j = 0; j < d; j++) {
      memset(w->sum, 0, sizeof *w->sum);
      if (own >= 0)
        dun_exact_add(w->sum, w->end[own * d + j]);
      if ((status = dun_sum(context, 0, 1, w->sum, &centre[j])) < 0)
        return status;
    }
    for (int64_t i = 0; i < w->tiles->local; i++)
      if (w->end_lp[i] != -DBL_MAX && distance(w, w->end + i * d, centre) < w->fit->width)
        w->end_lp[i] = -DBL_MAX;
    if (own >= 0)
      w->end_lp[own] = -DBL_MAX;
    w->modes++;
  }
  return status;
}

/* ---- the mixture --------------------------------------------------------------------------- */

static void find_basins(struct work *w)
{
  const double *x = dun_f64(w->x);
  for (int64_t i = 0; i < w->tiles->local; i++) {
    double least = INFINITY;
    w->basin[i] = 0;
    for (int k = 0; k < w->modes; k++) {
      double away = distance(w, x + i * w->d, w->centre + (int64_t)k * w->d);
      if (away < least) {
        least = away;
        w->basin[i] = k;
      }
    }
  }
}

/* Weights of the lanes in basin k; 0: none. */
static int basin_weights(struct work *w, int64_t tile, int k, double *weight)
{
  int n = tile_size(w, tile), any = 0;
  const int *basin = w->basin + tile * w->tiles->tile;
  for (int l = 0; l < n; l++)
    any |= basin[l] == k;
  if (!any)
    return 0;
  dun_weights_tile(&w->run->population, w->run->logw, &w->weights, tile, weight);
  for (int l = 0; l < DUN_LANES; l++)
    weight[l] = l < n && basin[l] == k ? weight[l] : 0;
  return 1;
}

static void add_product(struct dun_exact *sum, const double *weight, const double *a,
                        const double *b)
{
  double product[DUN_LANES];
  for (int l = 0; l < DUN_LANES; l++)
    product[l] = b ? weight[l] * a[l] * b[l] : weight[l] * a[l];
  dun_exact_add(sum, dun_fold(product));
}

/* Collective.  mass[k] and mean[k]. */
static int first_moments(struct dun_context *context, struct work *w, int k)
{
  double *weight = w->lanes + (int64_t)w->d * DUN_LANES;
  double *mean = w->mean + (int64_t)k * w->d;
  memset(w->sum, 0, (size_t)(w->d + 1) * sizeof *w->sum);
  for (int64_t i = 0; i < w->tiles->count; i++) {
    if (!basin_weights(w, i, k, weight))
      continue;
    dun_tile_load(&w->run->population, w->x, i, w->lanes);
    for (int j = 0; j < w->d; j++)
      add_product(&w->sum[j], weight, w->lanes + (int64_t)j * DUN_LANES, NULL);
    dun_exact_add(&w->sum[w->d], dun_fold(weight));
  }
  int status = dun_sum(context, 0, w->d + 1, w->sum, w->total);
  w->mass[k] = status < 0 ? 0 : w->total[w->d];
  for (int j = 0; j < w->d && status >= 0; j++)
    mean[j] = w->mass[k] > 0 ? w->total[j] / w->mass[k] : w->centre[(int64_t)k * w->d + j];
  return status;
}

/* Collective.  spread[k]: variances, or the covariance. */
static int second_moments(struct dun_context *context, struct work *w, int k)
{
  int d = w->d, dense = w->fit->covariance == DENSE;
  double *weight = w->lanes + (int64_t)d * DUN_LANES, *x = w->lanes;
  double *spread = w->spread + (int64_t)k * d * (dense ? d : 1);
  memset(w->sum, 0, (size_t)w->moments * sizeof *w->sum);
  for (int64_t i = 0; i < w->tiles->count; i++) {
    struct dun_exact *sum = w->sum;
    if (!basin_weights(w, i, k, weight))
      continue;
    dun_tile_load(&w->run->population, w->x, i, x);
    for (int j = 0; j < d; j++)
      for (int l = 0; l < DUN_LANES; l++)
        x[j * DUN_LANES + l] -= w->mean[(int64_t)k * d + j];
    for (int j = 0; j < d; j++)
      for (int m = dense ? 0 : j; m <= j; m++)
        add_product(sum++, weight, x + (int64_t)j * DUN_LANES, x + (int64_t)m * DUN_LANES);
  }
  int status = dun_sum(context, 0, w->moments - 1, w->sum, w->total);
  const double *total = w->total;
  double inverse = w->mass[k] > 0 ? 1 / w->mass[k] : 0;
  for (int j = 0; j < d && status >= 0; j++)
    for (int m = dense ? 0 : j; m <= j; m++, total++)
      if (dense)
        spread[j * d + m] = spread[m * d + j] = *total * inverse;
      else
        spread[j] = *total * inverse;
  return status;
}

/* Moments of few particles lean on the mean variance in all basins, and on the mode itself. */
static int make_component(struct work *w, int k)
{
  int d = w->d, dense = w->fit->covariance == DENSE;
  double n = w->mass[k] * w->weights.ess, lent = dense ? d + 2 : 5;
  double factor = w->fit->inflate * w->fit->inflate / (n + lent);
  double *mean = w->mean + (int64_t)k * d, *spread = w->spread + (int64_t)k * d * (dense ? d : 1);
  for (int64_t i = 0; i < (dense ? (int64_t)d * d : d); i++)
    spread[i] *= n * factor;
  for (int j = 0; j < d; j++) {
    spread[dense ? j * d + j : j] += lent * factor * w->within[j];
    mean[j] = (n * mean[j] + w->centre[(int64_t)k * d + j]) / (n + 1);
    w->within[d + j] = dense ? 0 : sqrt(spread[j]);
  }
  return dense ? dun_gaussian_dense(&w->gaussian[k], d, mean, spread)
               : dun_gaussian_diagonal(&w->gaussian[k], d, mean, w->within + d);
}

static int fit_mixture(struct dun_context *context, struct work *w)
{
  int status = 0, d = w->d, stride = w->fit->covariance == DENSE ? d : 1;
  find_basins(w);
  for (int k = 0; k < w->modes; k++) {
    if ((status = first_moments(context, w, k)) < 0 || (status = second_moments(context, w, k)) < 0)
      return status;
    for (int j = 0; j < d; j++)
      w->within[j] +=
          w->mass[k] * w->spread[(int64_t)k * d * stride + (stride > 1 ? (int64_t)j * d + j : j)];
  }
  for (int j = 0; j < d; j++)
    w->within[j] = fmax(w->within[j], 1e-6 * w->scale[j] * w->scale[j]);
  for (int k = 0; k < w->modes && status >= 0; k++)
    status = make_component(w, k);
  return dun_agree(context, status);
}

static double component_share(const struct work *w, int k)
{
  return .5 * w->mass[k] + .5 / w->modes;
}

static int add_rows(struct fit *f, const struct work *w)
{
  int status = 0;
  for (int k = 0; k < w->modes && status >= 0; k++) {
    double square = 0;
    for (int j = 0; j < w->d; j++)
      square += w->gaussian[k].deviation[j] * w->gaussian[k].deviation[j] / w->d;
    status = dun_table_add(&f->head.table, (double[]){(double)w->run->replicate, k, w->mass[k],
                                                      component_share(w, k),
                                                      w->mass[f->most_modes + k], sqrt(square)});
  }
  return status;
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

DUN_CLONES static void log_shares(int K, double *share)
{
  for (int k = 0; k < K; k++)
    share[k] = dun_log(share[k]);
}

static int component(const struct work *w, double uniform)
{
  double sum = 0;
  for (int k = 0; k < w->modes - 1; k++)
    if (uniform <= (sum += component_share(w, k)))
      return k;
  return w->modes - 1;
}

static void draw_tile(struct work *w, int64_t tile, double *x)
{
  int64_t block = (int64_t)w->d * DUN_LANES;
  double *normal = x + block, *one = normal + block, *uniform = one + block;
  int own[DUN_LANES];
  struct dun_address address = dun_run_address(w->run, DUN_PURPOSE_START);
  address.tile = (uint32_t)(w->tiles->first_tile + tile);
  dun_normals(address, w->d, normal);
  address.step += UINT32_C(1) << 31; /* the uniforms' own half of the steps */
  dun_uniforms(address, 1, uniform);
  for (int l = 0; l < DUN_LANES; l++)
    own[l] = component(w, uniform[l]);
  for (int k = 0; k < w->modes; k++) {
    int drawn = 0;
    for (int l = 0; l < DUN_LANES; l++) {
      if (own[l] != k)
        continue;
      if (!drawn++)
        dun_gaussian_draw(&w->gaussian[k], normal, one);
      for (int j = 0; j < w->d; j++)
        x[j * DUN_LANES + l] = one[j * DUN_LANES + l];
    }
  }
}

/* Draws replace the particles; the root of each is itself, since they are independent. */
static void replace_tile(struct work *w, int64_t tile)
{
  double *x = w->lanes, *lp = x + 4 * (int64_t)w->d * DUN_LANES, *log_q = lp + DUN_LANES;
  int n = tile_size(w, tile);
  int64_t first = tile * w->tiles->tile;
  draw_tile(w, tile, x);
  for (int k = 0; k < w->modes; k++) {
    double *term = w->log_q + (int64_t)k * DUN_LANES;
    dun_gaussian_evaluate(&w->gaussian[k], x, term, NULL, NULL, w->scratch);
    for (int l = 0; l < DUN_LANES; l++)
      term[l] += w->log_share[k];
  }
  log_sum(w->modes, w->log_q, log_q);
  dun_tile_store(&w->run->population, w->x, tile, x);
  dun_tile_load(&w->run->population, w->x, tile,
                x); /* the lanes behind the last repeat the first */
  dun_evaluate(w->run->evaluator, n, x, lp, NULL, NULL);
  for (int l = 0; l < n; l++) {
    dun_f64(w->run->logw)[first + l] = lp[l] - log_q[l];
    dun_i64(w->run->root)[first + l] = w->tiles->first + first + l;
    if (w->run->sweep.time)
      dun_f64(w->run->sweep.time)[first + l] = 1;
  }
}

static int weigh(struct dun_context *context, struct work *w)
{
  struct dun_run *run = w->run;
  struct dun_genealogy genealogy;
  int status = dun_weights_compute(context, &run->population, run->logw, &w->weights);
  if (status < 0 || (status = dun_genealogy_compute(context, &run->population, run->root, run->logw,
                                                    &w->weights, &genealogy)) < 0)
    return status;
  run->now.ess = w->weights.ess;
  run->now.roots = (double)genealogy.roots;
  run->now.log_evidence = w->weights.log_mean;
  run->now.log_evidence_error = sqrt(genealogy.relative_variance);
  run->now.log_likelihood_mean = run->now.log_likelihood_variance = NAN;
  run->now.moves = 0;
  run->now.step++;
  return 0;
}

static void x_columns(void *data, int64_t tile, double *f)
{
  const struct work *w = data;
  dun_tile_load(&w->run->population, w->x, tile, f);
}

static int scales(struct dun_context *context, struct work *w)
{
  int status = dun_weights_compute(context, &w->run->population, w->run->logw, &w->weights);
  if (status >= 0)
    status = dun_weighted_moments(context, &w->run->population, w->run->root, w->run->logw,
                                  &w->weights, w->d, x_columns, w, w->within, w->scale, NULL);
  for (int j = 0; j < w->d; j++) {
    w->scale[j] = w->scale[j] > 0 ? w->scale[j] : 1;
    w->within[j] = 0;
  }
  return status;
}

static int work(struct dun_context *context, struct fit *f, struct work *w)
{
  int status;
  if ((status = dun_agree(context, make_work(w))) < 0 || (status = scales(context, w)) < 0)
    return status;
  ascend_all(w);
  if ((status = list_modes(context, w)) < 0)
    return status;
  if (w->modes == 0)
    return dun_fail(DUN_ERROR_NUMERIC, "finish fit_and_reweight: no ascent ends at a finite point");
  if ((status = fit_mixture(context, w)) < 0 || (status = dun_agree(context, add_rows(f, w))) < 0)
    return status;
  for (int k = 0; k < w->modes; k++)
    w->log_share[k] = component_share(w, k);
  log_shares(w->modes, w->log_share);
  for (int64_t i = 0; i < w->tiles->count; i++)
    replace_tile(w, i);
  status = dun_sweep_evaluate(context, &w->run->sweep, 1, INT64_MAX);
  f->modes = w->modes;
  return status < 0 ? status : weigh(context, w);
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct work w = {.fit = self,
                   .run = run,
                   .tiles = &run->population.tiles,
                   .d = run->evaluator->dimension,
                   .x = dun_population_find(&run->population, "x")};
  int status = work(context, self, &w);
  free_work(&w);
  return status < 0 ? status : DUN_TICK_DONE;
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct fit *f = self;
  double share = run->now.ess / (double)run->options.particles;
  dun_diagnose(out, "fit",
               share < .01   ? DUN_BAD
               : share < .05 ? DUN_DOUBTFUL
                             : DUN_GOOD,
               "the draws from the mixture of %lld modes are worth %.1f%% of as many exact ones",
               (long long)f->modes, 100 * share);
  if (f->modes >= f->most_modes)
    dun_diagnose(out, "modes", DUN_DOUBTFUL, "the list of modes ended at most_modes = %lld",
                 f->most_modes);
}

#define ROW(name_, type_, initial_, minimum_, maximum_, doc_)                                      \
  {                                                                                                \
    .name = #name_, .type = type_, .offset = offsetof(struct fit, name_), .initial = initial_,     \
    .minimum = minimum_, .maximum = maximum_, .doc = doc_                                          \
  }
static const struct dun_option options[] = {
    ROW(share, DUN_NUMBER, "0.25", 1e-6, 1, "Share of the particles that ascend to their modes."),
    ROW(step, DUN_NUMBER, "0.3", 1e-6, 100,
        "Longest step of an ascent, in standard deviations of all particles."),
    ROW(steps, DUN_INTEGER, "300", 1, 1e6, "Most steps of an ascent."),
    ROW(width, DUN_NUMBER, "0.1", 1e-9, 100,
        "Ends nearer than this, in standard deviations of all particles, are one mode."),
    ROW(most_modes, DUN_INTEGER, "256", 1, 65536, "Most modes in the list; the highest are kept."),
    ROW(inflate, DUN_NUMBER, "1.3", .1, 100, "Factor of the components' standard deviations."),
    {.name = "covariance",
     .type = DUN_CHOICE,
     .offset = offsetof(struct fit, covariance),
     .initial = "diagonal",
     .words = "diagonal|dense",
     .doc = "Of the components: variances only, or all of it."},
    {0},
};
static const struct dun_state state[] = {
    DUN_FINISH_STATE(struct fit),
    {"modes", DUN_STATE_INTEGER, offsetof(struct fit, modes), 1},
    {0},
};

const struct dun_finish dun_finish_fit_and_reweight = {
    .type = {DUN_TYPE(struct dun_finish), .name = "fit_and_reweight",
             .doc = "Replaces the particles by weighted draws from a Gaussian mixture at the modes "
                    "they found.",
             .size = sizeof(struct fit), .options = options, .state = state, .free = release},
    .init = init,
    .advance = advance,
    .settles = "bias",
    .diagnose = diagnose,
};
