#include "app/estimate.h"
#include "app/progress.h"
#include "base/memory.h"
#include "base/random.h"
#include "parallel/sum.h"
#include <math.h>

/* What selection takes, and what chains take for draws that are written and read back. */
enum { EXCHANGE_BUFFERS = 64 << 20, DRAW_BUFFERS = 96 << 20, MOVES = 5, LEAPFROGS = 10 };
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
static double measure(const struct bench *bench, const struct dun_run *run)
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

static double workspace(const struct dun_run *run)
{
  int d = run->evaluator->dimension, K = run->path ? run->path->parts : 1;
  int columns = run->kernel ? run->kernel->scratch(d, K) + d + K + 8 : 0;
  double draws = (double)run->kept.due * (double)run->kept.chains.local;
  double tables = run->path && run->path->memory ? (double)run->path->memory(run->path_self) : 0;
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
  const struct dun_schedule *schedule =
      run->path && run->path->schedule ? run->path->schedule(run->path_self) : NULL;
  *known = schedule && schedule->type != DUN_SCHEDULE_ADAPTIVE;
  return *known ? (double)schedule->times.count : 10 + 5 * sqrt(run->evaluator->dimension);
}

static double gradients(const struct dun_run *run)
{
  const struct dun_kernel_options *options = run->kernel_self;
  if (!run->kernel || !run->kernel->uses_leapfrogs)
    return 1;
  return options->leapfrog_steps > 0 ? (double)options->leapfrog_steps + 1 : LEAPFROGS + 1;
}

static void tell(struct dun_text *out, const struct dun_run *run, double bytes, double seconds,
                 double particles)
{
  char text[32];
  int known, moves = run->method->sweeps ? 1 : MOVES;
  double S = steps(run, &known), G = gradients(run);
  double R = (double)run->options.replicates;
  dun_text_add(out, "memory per rank: at most ");
  add_memory(out, bytes);
  dun_text_add(out, " (particles, workspace, buffers)\n");
  dun_text_add(out,
               "one evaluation with gradient: %.3g us for a particle, measured on one tile of "
               "first draws\n",
               seconds * 1e6);
  dun_text_add(out, "wall time: about %s, assuming %.0f steps%s of %d moves of %.0f evaluations",
               dun_seconds_text(S * moves * G * seconds * particles * R, text, sizeof text), S,
               known ? "" : " (the schedule is adaptive: a guess)", moves, G);
  dun_text_add(out, R > 1 ? ", for %.0f replicates\n" : "\n", R);
}

int dun_estimate(struct dun_context *context, struct dun_assembly *assembly, struct dun_text *out)
{
  struct dun_run *run = &assembly->run;
  struct bench bench = {0};
  double most[3] = {(double)dun_population_memory(&run->population) + workspace(run), 0,
                    (double)run->population.tiles.local};
  int code = dun_agree(context, bench_init(&bench, run));
  if (code >= 0 && run->path)
    code = dun_path_prepare(context, run->path, run->path_self, bench.time[0]);
  if (code >= 0) {
    most[1] = measure(&bench, run);
    code = dun_max(context, 0, 3, most);
  }
  if (code >= 0)
    tell(out, run, most[0], most[1], most[2]);
  dun_free(bench.block);
  return code;
}
