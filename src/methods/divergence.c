#include "methods/divergence.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

static const struct dun_table_column columns[] = {
    {"replicate", "", "Number of the population."},
    {"nats", "nat", "Divergence of the target's ways from those of the carries."},
    {"nats_error", "nat", "Its standard error, by ancestor."},
    {"log_weight_deviation", "", "Standard deviation of log w over the target's ways."},
    {"length", "nat", "What the length of the steps makes of it; NaN: not known."},
    {"length_error", "nat", "Standard error of that."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

enum { NATS, ERROR, DEVIATION, LENGTH, LENGTH_ERROR };

int dun_divergence_declare(struct dun_divergence *v, struct dun_run *run, int still)
{
  const struct dun_path *path = run->path;
  int remembers = path->remembers ? path->remembers(run->path_self) : 0;
  int wanted = still && path->carry && !dun_path_is_map(path, run->path_self);
  int notes = wanted && path->notes ? path->notes(run->path_self) : 0;
  dun_divergence_free(v);
  v->way = NULL;
  v->parted = notes < 0 ? -1 : notes > 0;
  v->note = remembers;
  if (wanted && !(v->way = dun_run_column(run, "way", DUN_F64, 1, DUN_MOVES,
                                          "Log of the weight of the whole way.")))
    return DUN_ERROR_MEMORY;
  int width = remembers + (notes > 0 ? notes : 0);
  v->memory = width ? dun_run_column(run, "memory", DUN_F64, width, DUN_MOVES,
                                     "What carries keep of the particle.")
                    : NULL;
  if (width && !v->memory)
    return DUN_ERROR_MEMORY;
  return wanted ? dun_table_make(&v->table, columns, COLUMNS) : 0;
}

void dun_divergence_free(struct dun_divergence *v)
{
  dun_table_free(&v->table);
}

struct dun_table *dun_divergence_table(struct dun_divergence *v)
{
  return v->way ? &v->table : NULL;
}

void dun_divergence_start(struct dun_divergence *v, const struct dun_run *run)
{
  v->known = 0;
  memset(v->told, 0, sizeof v->told);
  if (v->way)
    memset(v->way->data, 0, (size_t)run->population.tiles.local * sizeof(double));
}

int dun_divergence_before(const struct dun_divergence *v, const struct dun_run *run,
                          double **before)
{
  int64_t n = run->population.tiles.local;
  *before = v->way ? dun_allocate(n, sizeof **before) : NULL;
  if (*before)
    memcpy(*before, dun_f64(run->logw), (size_t)n * sizeof **before);
  return v->way && !*before ? DUN_ERROR_MEMORY : 0;
}

int dun_divergence_add(const struct dun_divergence *v, const struct dun_run *run, int status,
                       double *before)
{
  const double *logw = dun_f64(run->logw);
  double *way = v->way ? dun_f64(v->way) : NULL;
  for (int64_t i = 0; i < run->population.tiles.local && way && before && status >= 0; i++)
    way[i] = logw[i] > -INFINITY ? way[i] + (logw[i] - before[i]) : -INFINITY;
  dun_free(before);
  return status;
}

struct source {
  const struct dun_run *run;
  const struct dun_column *memory;
  int note, width;
};

static void length_of(void *data, int64_t tile, double *f)
{
  const struct source *s = data;
  const struct dun_tiles *tiles = &s->run->population.tiles;
  int n = dun_tile_size(tiles, tiles->first_tile + tile);
  const double *memory = dun_f64(s->memory) + tile * tiles->tile * s->width + s->note;
  for (int l = 0; l < DUN_LANES; l++)
    f[l] = l < n ? memory[(int64_t)l * s->width] : 0;
}

int dun_divergence_find(struct dun_context *context, struct dun_divergence *v,
                        const struct dun_run *run, const struct dun_weights *weights)
{
  const struct dun_population *p = &run->population;
  double mean, deviation;
  if (!v->way)
    return 0;
  int status = dun_log_weight_moments(context, p, run->root, run->logw, weights, v->way, &mean,
                                      &v->told[DEVIATION], &v->told[ERROR]);
  if (status < 0)
    return status;
  v->told[NATS] = mean - run->now.log_evidence;
  v->told[LENGTH] = v->parted < 0 ? v->told[NATS] : NAN;
  v->told[LENGTH_ERROR] = v->parted < 0 ? v->told[ERROR] : NAN;
  struct source source = {run, v->memory, v->note, v->memory ? v->memory->width : 0};
  if (v->parted > 0)
    status = dun_weighted_moments(context, p, run->root, run->logw, weights, 1, length_of, &source,
                                  &v->told[LENGTH], &deviation, &v->told[LENGTH_ERROR]);
  if (status < 0)
    return status;
  v->known = 1;
  return dun_agree(context,
                   dun_table_add(&v->table, (double[]){(double)run->replicate, v->told[NATS],
                                                       v->told[ERROR], v->told[DEVIATION],
                                                       v->told[LENGTH], v->told[LENGTH_ERROR]}));
}

void dun_divergence_diagnose(const struct dun_divergence *v, const struct dun_run *run,
                             struct dun_diagnosis *out)
{
  double nats = v->told[NATS], enough = dun_scalar_exp(fmin(nats + v->told[DEVIATION], 300));
  if (!v->known)
    return;
  dun_diagnose(out, "ways", DUN_GOOD,
               "the ways of the target's points are %.3g +- %.1g nats from those of path %s: "
               "without selection weights need about %.2g particles",
               fmax(nats, 0), v->told[ERROR], run->path->type.name, fmax(enough, 1));
  if (v->parted < 0)
    dun_diagnose(out, "parts", DUN_GOOD,
                 "all of it is the length of the steps: the means make no errors");
  else if (v->parted > 0)
    dun_diagnose(out, "parts", DUN_GOOD,
                 "%.3g +- %.1g nats of it are the length of the steps, and %.3g the errors of the "
                 "means and of the last draw",
                 v->told[LENGTH], v->told[LENGTH_ERROR], fmax(nats - v->told[LENGTH], 0));
}
