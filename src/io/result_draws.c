/* Particles of the population as draws of a result. */
#include "base/error.h"
#include "base/memory.h"
#include "io/durable.h"
#include "io/result_file.h"
#include <string.h>

enum { BATCH_BYTES = 4 << 20 };

/* What one rank needs to write its draws. */
struct writer {
  const struct dun_result *result;
  struct dun_run *run;
  const struct dun_column *x, *part_lp;
  int64_t batch; /* draws in a buffer */
  char **buffer; /* [variables][batch draws] */
  double *theta; /* [outputs] */
  double *lanes; /* [K + 2][64]: parts, times, lp */
  int file;
};

/* The first draw whose particle is at or behind global index `particle`. */
static int64_t first_draw(int64_t particle, int64_t draws, int64_t particles)
{
  return (int64_t)(((__int128)particle * draws + particles - 1) / particles);
}

static int64_t particle_of(int64_t draw, int64_t draws, int64_t particles)
{
  return (int64_t)((__int128)draw * particles / draws);
}

static void writer_free(struct writer *w)
{
  for (int i = 0; w->buffer && i < w->result->variables; i++)
    dun_free(w->buffer[i]);
  DUN_FREE(w->buffer);
  DUN_FREE(w->theta);
  DUN_FREE(w->lanes);
}

static int writer_init(struct writer *w, const struct dun_result *result, struct dun_run *run)
{
  int64_t bytes = 1; /* never 0 */
  *w = (struct writer){.result = result, .run = run, .file = -1};
  w->x = dun_population_find(&run->population, "x");
  w->part_lp = dun_population_find(&run->population, "part_lp");
  for (int i = 0; i < result->variables; i++)
    bytes += (int64_t)dun_result_bytes(&result->variable[i]);
  w->batch = BATCH_BYTES / bytes;
  w->batch = w->batch < 1 ? 1 : w->batch;
  w->buffer = dun_allocate(result->variables, sizeof *w->buffer);
  w->theta = dun_allocate(result->outputs, sizeof *w->theta);
  w->lanes = dun_allocate((DUN_MAX_PARTS + 2) * DUN_LANES, sizeof *w->lanes);
  if (!w->buffer || !w->theta || !w->lanes)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < result->variables; i++) {
    w->buffer[i] = dun_allocate(w->batch, dun_result_bytes(&result->variable[i]));
    if (!w->buffer[i])
      return DUN_ERROR_MEMORY;
  }
  return 0;
}

/* One draw of every variable that is not lp. */
static void copy_draw(struct writer *w, int64_t slot, int64_t particle)
{
  const double *theta = w->theta;
  dun_evaluator_constrain(w->run->evaluator, dun_f64(w->x) + particle * w->x->width, w->theta);
  for (int i = 0; i < w->result->variables; i++) {
    const struct dun_result_variable *v = &w->result->variable[i];
    size_t bytes = dun_result_bytes(v);
    char *to = w->buffer[i] + slot * (int64_t)bytes;
    if (v->column)
      memcpy(to, (const char *)v->column->data + particle * (int64_t)bytes, bytes);
    else if (!v->statistic) {
      memcpy(to, theta, bytes);
      theta += v->width;
    }
  }
}

/* log pi_1 of up to 64 draws from the parts of their particles. */
static void copy_lp(struct writer *w, double *lp, int n, const int64_t *particle)
{
  int K = w->part_lp->width;
  double *time = w->lanes + DUN_MAX_PARTS * DUN_LANES, *combined = time + DUN_LANES;
  for (int lane = 0; lane < DUN_LANES; lane++) {
    const double *part = dun_f64(w->part_lp) + particle[lane < n ? lane : 0] * K;
    time[lane] = 1;
    for (int k = 0; k < K; k++)
      w->lanes[k * DUN_LANES + lane] = part[k];
  }
  if (w->run->path)
    dun_path_combine(w->run->path, w->run->path_self, time, w->lanes, combined);
  memcpy(lp, w->run->path ? combined : w->lanes, (size_t)n * sizeof *lp);
}

static double *lp_buffer(const struct writer *w)
{
  for (int i = 0; i < w->result->variables; i++)
    if (w->result->variable[i].statistic && !w->result->variable[i].column)
      return (double *)(void *)w->buffer[i];
  return NULL;
}

/* Draws first .. first + n - 1 into the buffers. */
static void fill_batch(struct writer *w, int64_t first, int64_t n)
{
  const struct dun_tiles *tiles = &w->run->population.tiles;
  double *lp = lp_buffer(w);
  for (int64_t start = 0; start < n; start += DUN_LANES) {
    int64_t particle[DUN_LANES];
    int count = n - start < DUN_LANES ? (int)(n - start) : DUN_LANES;
    for (int i = 0; i < count; i++) {
      particle[i] = particle_of(first + start + i, w->result->draws, tiles->total) - tiles->first;
      copy_draw(w, start + i, particle[i]);
    }
    if (lp)
      copy_lp(w, lp + start, count, particle);
  }
}

static int write_batch(struct writer *w, int64_t chain, int64_t first, int64_t n)
{
  int status = 0;
  for (int i = 0; i < w->result->variables && status == 0; i++) {
    const struct dun_result_variable *v = &w->result->variable[i];
    int64_t bytes = (int64_t)dun_result_bytes(v);
    status = dun_durable_write(w->file, w->result->part, w->buffer[i], n * bytes,
                               v->offset + (chain * w->result->draws + first) * bytes);
  }
  return status;
}

/* Local: this rank's draws. */
static int write_draws(struct writer *w, int64_t chain)
{
  const struct dun_tiles *tiles = &w->run->population.tiles;
  int64_t draws = w->result->draws;
  int64_t at = first_draw(tiles->first, draws, tiles->total);
  int64_t end = first_draw(tiles->first + tiles->local, draws, tiles->total);
  int status = 0;
  if (at >= end)
    return 0;
  w->file = dun_durable_open(w->result->part, 1);
  if (w->file < 0)
    return w->file;
  for (int64_t n; at < end && status == 0; at += n) {
    n = end - at < w->batch ? end - at : w->batch;
    fill_batch(w, at, n);
    status = write_batch(w, chain, at, n);
  }
  return dun_durable_close(w->file, w->result->part, 1, status);
}

int dun_result_population(struct dun_context *context, struct dun_result *result,
                          struct dun_run *run, int64_t chain)
{
  struct writer writer;
  int status = writer_init(&writer, result, run);
  if (status == 0 && (chain < 0 || chain >= result->chains))
    status = dun_fail(DUN_ERROR_FILE, "'%s' has no chain %lld.", result->part, (long long)chain);
  if (status == 0)
    status = write_draws(&writer, chain);
  writer_free(&writer);
  return dun_agree(context, status);
}
