#include "app/estimate.h"
#include "app/progress.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "parallel/sum.h"
#include <math.h>

/* What selection takes, and what chains take for draws that are written and read back. */
enum { EXCHANGE_BUFFERS = 64 << 20, DRAW_BUFFERS = 96 << 20, MOVES = 4 };
enum { LEAPFROGS_OF_SMC = 7, LEAPFROGS_OF_CHAINS = 13 }; /* where they are learned */
enum { MATRICES = 4 };                                   /* covariances and factors, old and new */
static const double BYTES_OF_DRAW = 120; /* what R-hat takes for one number of each */

static struct dun_address address(enum dun_purpose purpose)
{
  return (struct dun_address){.seed = 1, .purpose = (uint16_t)purpose};
}

/* Arrays for one tile: numbers to draw from, points, parts, log density, gradient, times. */
struct bench {
  double *block;
  double *uniform, *normal, *x, *part, *lp, *gradient, *time;
};

static int bench_init(struct bench *bench, const struct dun_run *run)
{
  int64_t d = run->evaluator->dimension, K = run->path ? run->path->parts : 1;
  int uniforms = 0, normals = -1;
  int blind =
      run->path && run->path->follow && run->path->follow(run->path_self) == DUN_FOLLOW_BY_CARRIES;
  if (run->path)
    run->path->draws(run->path_self, &uniforms, &normals);
  int64_t u = uniforms < 0 ? d : uniforms, g = normals < 0 ? d : normals;
  bench->block = dun_allocate((u + g + 2 * d + K + 2) * DUN_LANES, sizeof *bench->block);
  if (!bench->block)
    return -1;
  bench->uniform = bench->block;
  bench->normal = bench->uniform + u * DUN_LANES;
  bench->x = bench->normal + g * DUN_LANES;
  bench->part = bench->x + d * DUN_LANES;
  bench->lp = bench->part + K * DUN_LANES;
  bench->gradient = bench->lp + DUN_LANES;
  bench->time = bench->gradient + d * DUN_LANES;
  dun_uniforms(address(DUN_PURPOSE_START), (int)u, bench->uniform);
  dun_normals(address(DUN_PURPOSE_START), (int)g, bench->normal);
  if (run->path)
    run->path->draw(run->path_self, bench->uniform, bench->normal, bench->x);
  else
    dun_normals(address(DUN_PURPOSE_START), (int)d, bench->x);
  for (int l = 0; l < DUN_LANES; l++)
    bench->time[l] = blind ? 1 : .5;
  return 0;
}

static void evaluate(const struct bench *bench, const struct dun_run *run)
{
  int n = (int)run->options.tile;
  struct dun_request request = {.n = n,
                                .x = bench->x,
                                .time = bench->time,
                                .part_lp = bench->part,
                                .lp = bench->lp,
                                .gradient = bench->gradient};
  if (run->path)
    run->path->evaluate(run->path_self, &request);
  else
    dun_evaluate(run->evaluator, n, bench->x, bench->lp, bench->time, bench->gradient);
}

/* Seconds per particle of one evaluation with gradient: at least three tiles, at most a fifth of
 * a second unless a tile takes longer. */
static double measure_evaluation(const struct bench *bench, const struct dun_run *run)
{
  double began = dun_clock(), seconds = 0;
  int64_t tiles = 0;
  do {
    evaluate(bench, run);
    tiles++;
    seconds = dun_clock() - began;
  } while (tiles < 3 || (seconds < .2 && tiles < 1000000));
  return seconds / (double)(tiles * run->options.tile);
}

static int is_dense(const struct dun_run *run)
{
  const struct dun_kernel_options *options = run->kernel_self;
  return run->kernel && options->metric == DUN_METRIC_DENSE;
}

static const struct dun_propagator *propagator(const struct dun_run *run)
{
  const struct dun_propagator *held = run->sweep.propagator;
  return held && held->scale ? held : NULL;
}

/* Seconds per particle of kicks and drifts by a metric that is an operator. */
static double measure_operator(const struct bench *bench, const struct dun_run *run,
                               const struct dun_metric *metric)
{
  static const double none[DUN_LANES] __attribute__((aligned(64)));
  double began = dun_clock(), seconds = 0;
  int rounds = 0;
  do {
    metric->transposed(metric, none, bench->x, bench->gradient);
    metric->apply(metric, none, bench->x, bench->gradient);
    rounds++;
    seconds = dun_clock() - began;
  } while (rounds < 3 || (seconds < .1 && rounds < 1000000));
  return seconds / rounds / (double)run->options.tile;
}

/* Of a dense metric from one of few dimensions. */
static int measure_dense(const struct bench *bench, const struct dun_run *run, double *seconds)
{
  int d = run->evaluator->dimension, n = d < 256 ? d : 256;
  double *factor = dun_allocate((int64_t)n * n, sizeof *factor), more = (double)d / n;
  if (!factor)
    return DUN_ERROR_MEMORY;
  struct dun_metric metric = dun_metric_dense(n, factor);
  *seconds = measure_operator(bench, run, &metric) * more * more;
  dun_free(factor);
  return 0;
}

/* Of an evaluation, and what a metric that is an operator takes with each. */
static int measure(const struct bench *bench, const struct dun_run *run, double *seconds)
{
  double metric = 0;
  int code = 0;
  *seconds = measure_evaluation(bench, run);
  if (is_dense(run)) {
    code = measure_dense(bench, run, &metric);
  } else if (propagator(run)) {
    struct dun_metric fourier =
        dun_metric_fourier(&propagator(run)->lattice, propagator(run)->scale);
    metric = measure_operator(bench, run, &fourier);
  }
  *seconds += metric;
  return code;
}

static const struct dun_schedule *levels(const struct dun_run *run)
{
  const struct dun_schedule *schedule =
      run->path && run->path->schedule ? run->path->schedule(run->path_self) : NULL;
  return schedule && schedule->type != DUN_SCHEDULE_ADAPTIVE ? schedule : NULL;
}

/* Whether a tile's map takes time that no count of evaluations tells. */
static int carries(const struct dun_run *run)
{
  const struct dun_path *path = run->path;
  return path->carry && !(path->carry_evaluations && path->carry_evaluations(run->path_self) > 0) &&
         (!path->deterministic || path->deterministic(run->path_self));
}

/* Seconds of one of the levels of a path with tables, beside moves: the tables, and the map of all
 * tiles of a rank.  Collective. */
static int measure_level(struct dun_context *context, const struct bench *bench,
                         const struct dun_run *run, double *seconds)
{
  const struct dun_schedule *schedule = levels(run);
  if (!schedule || !run->path->prepare || schedule->times.count < 3)
    return 0;
  const double *time = schedule->times.value + schedule->times.count / 2 - 1;
  double began = dun_clock();
  int code = dun_path_prepare(context, run->path, run->path_self, time[0]);
  *seconds = dun_clock() - began;
  if (code < 0 || !carries(run))
    return code;
  began = dun_clock();
  run->path->carry(run->path_self, time[0], time[1], (int)run->options.tile,
                   address(DUN_PURPOSE_START), bench->x, bench->lp);
  *seconds += (dun_clock() - began) * (double)run->population.tiles.count;
  return code;
}

static double workspace(const struct dun_run *run)
{
  int d = run->evaluator->dimension, K = run->path ? run->path->parts : 1;
  int columns = run->kernel ? run->kernel->scratch(d, K) + d + K + 8 : 0;
  double draws = (double)run->kept.due * (double)run->kept.chains.local;
  double tables = run->path && run->path->memory ? (double)run->path->memory(run->path_self) : 0;
  if (propagator(run))
    tables += (double)dun_lattice_memory(&propagator(run)->lattice);
  tables += is_dense(run) ? 8. * MATRICES * d * d : 0;
  return 8. * DUN_LANES * columns + tables +
         (draws > 0 ? DRAW_BUFFERS + BYTES_OF_DRAW * draws : EXCHANGE_BUFFERS);
}

static void add_memory(struct dun_text *out, double bytes)
{
  if (bytes < 1e9)
    dun_text_add(out, "%.0f MB", bytes * 1e-6);
  else
    dun_text_add(out, "%.2f GB", bytes * 1e-9);
}

/* Steps of a schedule that is known beforehand; otherwise a guess that grows as it does for
 * Gaussians. */
static double steps(const struct dun_run *run, int *known)
{
  if (run->method->sweeps) {
    *known = 1;
    return (double)run->method->sweeps(run->method_self, run);
  }
  const struct dun_schedule *schedule = levels(run);
  *known = schedule != NULL;
  return *known ? (double)schedule->times.count : 8 + 3 * sqrt(run->evaluator->dimension);
}

static double gradients(const struct dun_run *run)
{
  const struct dun_kernel_options *options = run->kernel_self;
  if (!run->kernel || !run->kernel->uses_leapfrogs)
    return 1;
  double guess = run->method->sweeps ? LEAPFROGS_OF_CHAINS : LEAPFROGS_OF_SMC;
  return (options->leapfrog_steps > 0 ? (double)options->leapfrog_steps : guess) + 1;
}

static double moves(const struct dun_run *run)
{
  int64_t given = run->method->moves ? run->method->moves(run->method_self) : 0;
  return run->method->sweeps ? 1 : given > 0 ? (double)given : MOVES;
}

/* measured: bytes, seconds of an evaluation, particles of a rank, seconds of a level. */
static void tell(struct dun_text *out, const struct dun_run *run, const double *measured)
{
  char text[32];
  int known;
  double S = steps(run, &known), G = gradients(run), M = moves(run);
  double R = (double)run->options.replicates;
  double L = measured[3] > 0 ? (double)levels(run)->times.count : 0;
  dun_text_add(out, "memory per rank: at most ");
  add_memory(out, measured[0]);
  dun_text_add(out, " (particles, workspace, buffers)\n");
  dun_text_add(out,
               "one evaluation with gradient%s: %.3g us for a particle, measured on one tile of "
               "first draws\n",
               is_dense(run) || propagator(run) ? ", and metric" : "", measured[1] * 1e6);
  double seconds = R * (S * M * G * measured[1] * measured[2] + L * measured[3]);
  dun_text_add(out, "wall time: about %s, assuming %.0f steps%s of %.0f moves of %.0f evaluations",
               dun_seconds_text(seconds, text, sizeof text), S,
               known ? "" : " (the schedule is adaptive: a guess)", M, G);
  if (L > 0)
    dun_text_add(out, " and %.0f levels of %.3g ms", L, measured[3] * 1e3);
  dun_text_add(out, R > 1 ? ", for %.0f replicates\n" : "\n", R);
}

int dun_estimate(struct dun_context *context, struct dun_assembly *assembly, struct dun_text *out)
{
  struct dun_run *run = &assembly->run;
  struct bench bench = {0};
  double most[4] = {(double)dun_population_memory(&run->population) + workspace(run), 0,
                    (double)run->population.tiles.local, 0};
  int code = dun_agree(context, bench_init(&bench, run));
  if (code >= 0 && run->path)
    code = dun_path_prepare(context, run->path, run->path_self, bench.time[0]);
  if (code >= 0) {
    code = dun_agree(context, measure(&bench, run, &most[1]));
    code = code >= 0 && run->path ? measure_level(context, &bench, run, most + 3) : code;
  }
  if (code >= 0)
    code = dun_max(context, 0, 4, most);
  if (code >= 0)
    tell(out, run, most);
  dun_free(bench.block);
  return code;
}
