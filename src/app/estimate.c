#include "app/estimate.h"
#include "app/progress.h"
#include "app/rehearsal.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "numerics/mixing.h"
#include "parallel/host.h"
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
  int u = 0, g = (int)d;
  if (run->path)
    dun_path_draws(run->path, run->path_self, (int)d, &u, &g);
  bench->block = dun_allocate((u + g + 2 * d + K + 2) * DUN_LANES, sizeof *bench->block);
  if (!bench->block)
    return DUN_ERROR_MEMORY;
  bench->uniform = bench->block;
  bench->normal = bench->uniform + u * DUN_LANES;
  bench->x = bench->normal + g * DUN_LANES;
  bench->part = bench->x + d * DUN_LANES;
  bench->lp = bench->part + K * DUN_LANES;
  bench->gradient = bench->lp + DUN_LANES;
  bench->time = bench->gradient + d * DUN_LANES;
  dun_uniforms(address(DUN_PURPOSE_START), u, bench->uniform);
  dun_normals(address(DUN_PURPOSE_START), g, bench->normal);
  if (run->path)
    run->path->draw(run->path_self, bench->uniform, bench->normal, bench->x);
  else
    dun_normals(address(DUN_PURPOSE_START), (int)d, bench->x);
  for (int l = 0; l < DUN_LANES; l++)
    bench->time[l] = .5;
  return 0;
}

static void evaluate(const struct bench *bench, const struct dun_run *run, int n)
{
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
 * a second unless a tile takes longer.  Of a slow target a single particle tells enough. */
static double measure_evaluation(const struct bench *bench, const struct dun_run *run)
{
  const double slow = .05;
  double began = dun_clock(), seconds = 0;
  int64_t tiles = 0;
  evaluate(bench, run, 1);
  if ((seconds = dun_clock() - began) > slow)
    return seconds;
  began = dun_clock();
  do {
    evaluate(bench, run, (int)run->options.tile);
    tiles++;
    seconds = dun_clock() - began;
  } while (tiles < 3 || (seconds < .2 && tiles < 1000000));
  return seconds / (double)(tiles * run->options.tile);
}

int dun_estimate_evaluation(struct dun_context *context, const struct dun_run *run, double *seconds)
{
  struct bench bench = {0};
  int code = dun_agree(context, bench_init(&bench, run));
  if (code >= 0 && run->path)
    code = dun_path_prepare(context, run->path, run->path_self, bench.time[0]);
  double began = dun_clock();
  int64_t calls = 0;
  do {
    if (code >= 0)
      evaluate(&bench, run, 1);
    *seconds = (dun_clock() - began) / (double)++calls;
  } while (code >= 0 && calls < 100 && *seconds * (double)(calls + 1) < .01);
  dun_free(bench.block);
  return code < 0 ? code : dun_max(context, 0, 1, seconds);
}

int dun_estimate_is_dense(const struct dun_run *run)
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
  if (dun_estimate_is_dense(run)) {
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
  return path->carry && !(path->carry_evaluations && path->carry_evaluations(run->path_self) > 0);
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
                   address(DUN_PURPOSE_START), bench->x, NULL, bench->lp);
  *seconds += (dun_clock() - began) * (double)run->population.tiles.count;
  return code;
}

/* Bytes of the target's, the path's, the method's and the kernel's, which are there already. */
static double tables_of(const struct dun_assembly *assembly)
{
  const struct dun_run *run = &assembly->run;
  double bytes = assembly->tables.held;
  bytes += run->path && run->path->memory ? (double)run->path->memory(run->path_self) : 0;
  bytes += run->method->memory ? (double)run->method->memory(run->method_self) : 0;
  return bytes + (propagator(run) ? (double)dun_lattice_memory(&propagator(run)->lattice) : 0);
}

double dun_estimate_buffers(const struct dun_run *run)
{
  int d = run->evaluator->dimension, K = run->path ? run->path->parts : 1;
  int columns = run->kernel ? run->kernel->scratch(d, K) + d + K + 8 : 0;
  double draws = (double)run->kept.due * (double)run->kept.chains.local;
  double matrices = dun_estimate_is_dense(run) ? 8. * MATRICES * d * d : 0;
  return 8. * DUN_LANES * columns + matrices +
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
  int64_t given = run->method->moves ? run->method->moves(run->method_self) : -1;
  return run->method->sweeps ? 1 : given >= 0 ? (double)given : MOVES;
}

/* ---- the time of the whole --------------------------------------------------------------- */

struct forecast {
  double bytes, room;             /* of a rank */
  double evaluation, level;       /* seconds: of a particle, of a level */
  double particles;               /* of a rank */
  double begin, method, output;   /* seconds: to start; of a replicate */
  struct dun_rehearsal few, more; /* particles 0: there was none */
};

static double work(const struct dun_run *run)
{
  int known;
  int counts = !run->method->sweeps && run->path && run->path->carry_evaluations;
  double carry = counts ? (double)run->path->carry_evaluations(run->path_self) : 0;
  return steps(run, &known) * fmax(moves(run) * gradients(run) + carry, 1);
}

/* So many particles that a replicate of them takes about `seconds`; all, if that is hardly more. */
static long long some_particles(const struct dun_run *run, const struct forecast *f, int ranks,
                                double seconds)
{
  const double most_bytes = 64e6;
  double all = (double)run->options.particles, tiles = (double)(run->options.tile * ranks);
  double most = most_bytes / (f->bytes / f->particles) * ranks;
  double count = seconds / (work(run) * f->evaluation) * ranks;
  int64_t multiple = run->method->multiple ? run->method->multiple(run->method_self) : 1;
  count = fmax(fmin(count, most), fmax(4 * tiles, 256));
  if (count * 2 >= all)
    return run->options.particles;
  return (long long)ceil(count / (double)multiple) * multiple;
}

/* Two rehearsals tell what grows with the particles and what does not. */
static int rehearse(struct dun_context *context, const struct dun_assembly *assembly,
                    struct forecast *f)
{
  const double budget = 1, most_tables = 1e9;
  const struct dun_run *run = &assembly->run;
  double tables = tables_of(assembly);
  if (f->evaluation * (double)run->options.tile * gradients(run) > budget || tables > most_tables)
    return 0;
  long long all = run->options.particles;
  long long few = some_particles(run, f, context->size, .125 * budget);
  long long more = few * 8 < all ? few * 4 : all;
  if (few < all &&
      dun_rehearse(context, assembly->arguments, few, run->options.tile, budget, &f->few) < 0)
    return 0; /* an input that needs more particles than so few */
  int code = dun_rehearse(context, assembly->arguments, more, run->options.tile, budget, &f->more);
  if (code >= 0 && f->few.particles > 0 && isnan(f->more.seconds)) { /* only few came to the end */
    f->more = f->few;
    f->few.particles = 0;
  }
  return code;
}

/* Nothing is known but the time of some steps, and a guess how many there are. */
static int is_by_steps(const struct dun_run *run, const struct forecast *f)
{
  int known;
  steps(run, &known);
  return !known && f->more.particles > 0 && isnan(f->more.seconds);
}

static double seconds_of_method(const struct dun_run *run, const struct forecast *f)
{
  double all = (double)run->options.particles, more = (double)f->more.particles;
  double few = (double)f->few.particles;
  double times = f->level > 0 ? (double)levels(run)->times.count : 0;
  int known;
  if (more > 0 && few > 0 && isfinite(f->more.seconds - f->few.seconds)) {
    double each = (f->more.seconds - f->few.seconds) / (more - few);
    return f->more.seconds + (each > 0 ? each : 0) * (all - more);
  }
  if (more > 0 && isfinite(f->more.seconds))
    return f->more.seconds * all / more;
  double by_work = work(run) * f->evaluation * f->particles + times * f->level;
  if (!is_by_steps(run, f))
    return by_work;
  double by_steps = f->more.step * steps(run, &known);
  return f->more.steps > 0 ? by_steps * all / more : fmax(by_work, by_steps);
}

/* Seconds for R-hat and for the moments of one number of all draws; the first of three times is
 * that of cold memory. */
static int time_mixing(struct dun_context *context, int64_t chains, int64_t draws,
                       const double *value, double *rhat, double *moments)
{
  struct dun_mixing mixing;
  struct dun_chain_moments unused;
  struct dun_mixing_work work = {0};
  int code = 0;
  *rhat = *moments = INFINITY;
  for (int i = 0; i < 3 && code >= 0; i++) {
    double began = dun_clock();
    code = dun_mixing_ranks(context, &work, chains, draws, value, &mixing);
    double middle = dun_clock();
    if (code >= 0)
      code = dun_mixing_moments(context, &work, chains, draws, value, &unused);
    *rhat = fmin(*rhat, middle - began);
    *moments = fmin(*moments, dun_clock() - middle);
  }
  dun_mixing_free(&work);
  return code;
}

/* What probes make of the draws of chains, from numbers like theirs: one of them is R-hat. */
static int measure_draws(struct dun_context *context, const struct dun_assembly *assembly,
                         double *seconds)
{
  const int64_t most = 1 << 18;
  const struct dun_kept *kept = &assembly->run.kept;
  int64_t draws = kept->due < most ? kept->due : most, chains = most / draws;
  double rhat, moments;
  chains = chains < kept->chains.local ? chains : kept->chains.local;
  double *value = dun_allocate(chains * draws + DUN_LANES, sizeof *value);
  int code = dun_agree(context, value ? 0 : DUN_ERROR_MEMORY);
  struct dun_address own = address(DUN_PURPOSE_START);
  for (int64_t i = 0; code >= 0 && i < chains * draws; i += DUN_LANES) {
    own.tile = (uint32_t)(i / DUN_LANES + context->rank * most);
    dun_normals(own, 1, value + i);
  }
  if (code >= 0)
    code = time_mixing(context, chains, draws, value, &rhat, &moments);
  if (code >= 0 && chains > 0)
    *seconds = (rhat + (assembly->probes.count - 1) * moments) * kept->outputs * (double)kept->due *
               (double)kept->chains.local / (double)(chains * draws);
  dun_free(value);
  return code;
}

static int measure_output(struct dun_context *context, const struct dun_assembly *assembly,
                          double *seconds)
{
  const double bytes_per_second = 5e8;
  const struct dun_kept *kept = &assembly->run.kept;
  double numbers = kept->due > 0 ? (double)kept->due * (double)kept->chains.total
                                 : (double)assembly->run.options.particles;
  int code = kept->due > 0 ? measure_draws(context, assembly, seconds) : 0;
  const struct dun_run *run = &assembly->run;
  int width = run->evaluator->outputs + run->pointwise;
  width += run->unconstrained ? run->evaluator->dimension : 0;
  *seconds += numbers * 8. * (double)width / bytes_per_second;
  return code;
}

/* ---- in words ---------------------------------------------------------------------------- */

static void tell_memory(struct dun_text *out, const struct forecast *f)
{
  dun_text_add(out, "memory per rank: at most ");
  add_memory(out, f->bytes);
  dun_text_add(out, " (particles, workspace, buffers); ");
  add_memory(out, f->room);
  dun_text_add(out, " are left for it%s\n", f->room < f->bytes ? ", which is too little" : "");
}

static void tell_work(struct dun_text *out, const struct dun_run *run, const struct forecast *f)
{
  int known;
  double S = steps(run, &known);
  dun_text_add(out,
               "one evaluation with gradient%s: %.3g us for a particle, measured on one tile of "
               "first draws\n",
               dun_estimate_is_dense(run) || propagator(run) ? ", and metric" : "",
               f->evaluation * 1e6);
  dun_text_add(out, "work: assuming %.0f steps%s of %.0f moves of %.0f evaluations", S,
               known ? "" : " (the schedule is adaptive: a guess)", moves(run), gradients(run));
  if (f->level > 0)
    dun_text_add(out, " and %.0f levels of %.3g ms", (double)levels(run)->times.count,
                 f->level * 1e3);
  dun_text_add(out, run->options.replicates > 1 ? ", for %.0f replicates\n" : "\n",
               (double)run->options.replicates);
}

static void tell_source(struct dun_text *out, const struct dun_run *run, const struct forecast *f)
{
  const struct dun_rehearsal *r = &f->more;
  if (is_by_steps(run, f))
    dun_text_add(out,
                 "  from a guess of the steps, and the time of %lld of them that a rehearsal with "
                 "%lld particles completed\n",
                 (long long)r->steps, r->particles);
  else if (r->particles == 0 || isnan(r->seconds))
    dun_text_add(out,
                 "  from the work and the time of an evaluation: a rehearsal came to nothing\n");
  else if (f->few.particles > 0 && isfinite(f->few.seconds))
    dun_text_add(out, "  from rehearsals of %.0f%% and %.0f%% of it with %lld and %lld particles\n",
                 100 * f->few.share, 100 * r->share, f->few.particles, r->particles);
  else
    dun_text_add(out, "  from a rehearsal of %.0f%% of it with %lld particles\n", 100 * r->share,
                 r->particles);
}

static void tell(struct dun_text *out, const struct dun_run *run, const struct forecast *f)
{
  char text[4][32];
  double R = (double)run->options.replicates;
  double part[] = {f->begin + R * (f->method + f->output), f->begin, R * f->method, R * f->output};
  for (int i = 0; i < 4; i++)
    dun_seconds_text(part[i], text[i], sizeof text[i]);
  tell_memory(out, f);
  tell_work(out, run, f);
  dun_text_add(out,
               "wall time: about %s (%s to start, %s for the method, %s for draws and files)\n",
               text[0], text[1], text[2], text[3]);
  tell_source(out, run, f);
  dun_text_add(out, "  not foreseen: the launcher, other programs on the machine, checkpoints, and "
                    "learning that ends elsewhere with more particles or more time\n");
}

/* ---- all of it --------------------------------------------------------------------------- */

static int measure_all(struct dun_context *context, const struct dun_assembly *assembly,
                       const struct bench *bench, struct forecast *f)
{
  const struct dun_run *run = &assembly->run;
  double own = (double)dun_population_memory(&run->population) + dun_estimate_buffers(run);
  double tables = tables_of(assembly);
  double most[5] = {fmax(own + tables, assembly->tables.most), 0,
                    (double)run->population.tiles.local, 0, 0};
  int code = dun_agree(context, measure(bench, run, &most[1]));
  if (code >= 0 && run->path)
    code = measure_level(context, bench, run, most + 3);
  if (code >= 0)
    code = measure_output(context, assembly, most + 4);
  if (code >= 0 && (code = dun_max(context, 0, 5, most)) >= 0)
    code = dun_host_memory(context, &f->room);
  f->room += tables; /* which are there already */
  f->bytes = most[0];
  f->evaluation = most[1];
  f->particles = most[2];
  f->level = most[3];
  f->output = most[4];
  return code;
}

int dun_estimate(struct dun_context *context, struct dun_assembly *assembly, struct dun_text *out,
                 int *small)
{
  struct dun_run *run = &assembly->run;
  struct forecast f = {.begin = dun_clock_process()};
  struct bench bench = {0};
  int code = dun_agree(context, bench_init(&bench, run));
  if (code >= 0 && run->path)
    code = dun_path_prepare(context, run->path, run->path_self, bench.time[0]);
  if (code >= 0)
    code = measure_all(context, assembly, &bench, &f);
  dun_free(bench.block);
  if (code < 0)
    return code;
  if (rehearse(context, assembly, &f) < 0)
    f.more.particles = 0;
  f.method = seconds_of_method(run, &f);
  *small = f.room < f.bytes;
  tell(out, run, &f);
  return 0;
}
