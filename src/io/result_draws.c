/* Particles of the population as draws of a result: all of them as one chain, or one draw of every
 * chain. */
#include "base/error.h"
#include "base/memory.h"
#include "io/durable.h"
#include "io/result_file.h"
#include "population/pointwise.h"
#include <math.h>
#include <string.h>

enum { BATCH_BYTES = 4 << 20, CHAIN_BYTES = 32 << 20, CACHE_BYTES = 64 << 20 };

/* Draws of one rank on their way to the file.  Of the chains that this rank has particles of there
 * are `depth` consecutive draws of `rows` chains; where a single draw of all of them is too large,
 * depth is 0, and a draw passes through the buffer in groups of `rows` chains at once.  Where a
 * chain has several particles, the draws of one may lie on several ranks: each writes its own. */
struct dun_result_buffer {
  struct dun_result *result;
  struct dun_run *run;
  const struct dun_column *x, *part_lp;
  int64_t rows, depth;
  char **buffer;     /* [variables][rows][depth or 1] draws */
  double *theta;     /* [outputs] */
  double *pointwise; /* [run->pointwise]: log likelihoods */
  double *lanes;     /* [K + 2][64]: parts, times, lp */
  int file;

  /* draws of chains */
  int64_t first, used; /* the first draw in the buffer, and how many there are of each chain */
  char *held;          /* [rows][depth or 1]: is it this rank's? */

  /* numbers read back: those from `cached` on of the first cached_draws draws of all chains */
  int cached, cache_numbers;
  int64_t cached_draws, cached_replicate;
  double *cache; /* [cache_numbers][local][cached_draws] */
};

static void buffer_free(struct dun_result_buffer *b)
{
  for (int i = 0; b->buffer && i < b->result->variables; i++)
    dun_free(b->buffer[i]);
  DUN_FREE(b->buffer);
  DUN_FREE(b->held);
  DUN_FREE(b->theta);
  DUN_FREE(b->pointwise);
  DUN_FREE(b->lanes);
  DUN_FREE(b->cache);
}

static int64_t bytes_of_draw(const struct dun_result *result)
{
  int64_t bytes = 0;
  for (int i = 0; i < result->variables; i++)
    bytes += (int64_t)dun_result_bytes(&result->variable[i]);
  return bytes;
}

static int64_t at_least_1(int64_t n)
{
  return n < 1 ? 1 : n;
}

static int buffer_init(struct dun_result_buffer *b, struct dun_result *result, struct dun_run *run,
                       int64_t rows, int64_t depth)
{
  *b = (struct dun_result_buffer){
      .result = result, .run = run, .rows = rows, .depth = depth, .file = -1, .cached = -1};
  b->x = run->x;
  b->part_lp = dun_population_find(&run->population, "part_lp");
  b->buffer = dun_allocate(result->variables, sizeof *b->buffer);
  b->held = dun_allocate(rows * at_least_1(depth), 1);
  b->theta = dun_allocate(result->outputs, sizeof *b->theta);
  b->pointwise = dun_allocate(run->pointwise, sizeof *b->pointwise);
  b->lanes = dun_allocate((DUN_MAX_PARTS + 2) * DUN_LANES, sizeof *b->lanes);
  if (!b->buffer || !b->held || !b->theta || !b->pointwise || !b->lanes)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < result->variables; i++) {
    b->buffer[i] = dun_allocate(rows * at_least_1(depth), dun_result_bytes(&result->variable[i]));
    if (!b->buffer[i])
      return DUN_ERROR_MEMORY;
  }
  return 0;
}

/* ---- from particles to the buffer ------------------------------------------------------------ */

/* One draw of every variable that is not lp. */
static void take_one(struct dun_result_buffer *b, int64_t slot, int64_t particle)
{
  const double *theta = b->theta, *pointwise = b->pointwise;
  const double *x = dun_f64(b->x) + particle * b->x->width;
  dun_evaluator_constrain(b->run->evaluator, x, b->theta);
  if (b->run->pointwise > 0)
    dun_pointwise(b->run->evaluator, x, b->pointwise);
  for (int i = 0; i < b->result->variables; i++) {
    const struct dun_result_variable *v = &b->result->variable[i];
    size_t bytes = dun_result_bytes(v);
    char *to = b->buffer[i] + slot * (int64_t)bytes;
    if (v->column)
      memcpy(to, (const char *)v->column->data + particle * (int64_t)bytes, bytes);
    else if (v->group == DUN_POSTERIOR) {
      memcpy(to, theta, bytes);
      theta += v->width;
    } else if (v->group == DUN_LOG_LIKELIHOOD) {
      memcpy(to, pointwise, bytes);
      pointwise += v->width;
    }
  }
}

static double *lp_buffer(const struct dun_result_buffer *b)
{
  for (int i = 0; i < b->result->variables; i++)
    if (b->result->variable[i].group == DUN_SAMPLE_STATS && !b->result->variable[i].column)
      return (double *)(void *)b->buffer[i];
  return NULL;
}

/* log pi_1 of up to 64 draws from the parts of their particles. */
static void take_lp(struct dun_result_buffer *b, int n, const int64_t *slot,
                    const int64_t *particle)
{
  int K = b->part_lp->width;
  double *time = b->lanes + DUN_MAX_PARTS * DUN_LANES, *combined = time + DUN_LANES;
  double *lp = lp_buffer(b);
  for (int lane = 0; lane < DUN_LANES; lane++) {
    const double *part = dun_f64(b->part_lp) + particle[lane < n ? lane : 0] * K;
    time[lane] = 1;
    for (int k = 0; k < K; k++)
      b->lanes[k * DUN_LANES + lane] = part[k];
  }
  if (b->run->path)
    dun_path_combine(b->run->path, b->run->path_self, time, b->lanes, combined);
  for (int lane = 0; lane < n; lane++)
    lp[slot[lane]] = b->run->path ? combined[lane] : b->lanes[lane];
}

/* Local particles into slots, at most 64 of them. */
static void take(struct dun_result_buffer *b, int n, const int64_t *slot, const int64_t *particle)
{
  for (int i = 0; i < n; i++)
    take_one(b, slot[i], particle[i]);
  if (lp_buffer(b))
    take_lp(b, n, slot, particle);
}

/* The same slots are counted among what was written. */
static int count_in(struct dun_result_buffer *b, int64_t first, int64_t count, int64_t chain,
                    int64_t draw)
{
  for (int i = 0; i < b->result->variables; i++) {
    int64_t bytes = (int64_t)dun_result_bytes(&b->result->variable[i]);
    dun_result_count(b->result, i, chain, draw, count, b->buffer[i] + first * bytes);
  }
  return 0;
}

/* `count` slots from `first` on of every variable become the draws from `draw` on of a chain. */
static int put(struct dun_result_buffer *b, int64_t first, int64_t count, int64_t chain,
               int64_t draw)
{
  int status = 0;
  for (int i = 0; i < b->result->variables && status == 0; i++) {
    const struct dun_result_variable *v = &b->result->variable[i];
    int64_t bytes = (int64_t)dun_result_bytes(v);
    status =
        dun_durable_write(b->file, b->result->part, b->buffer[i] + first * bytes, count * bytes,
                          v->offset + (chain * b->result->draws + draw) * bytes);
  }
  return status;
}

/* ---- a population as one chain --------------------------------------------------------------- */

/* The first draw whose particle is at or behind global index `particle`. */
static int64_t first_draw(int64_t particle, int64_t draws, int64_t particles)
{
  return (int64_t)(((__int128)particle * draws + particles - 1) / particles);
}

static int64_t particle_of(int64_t draw, int64_t draws, int64_t particles)
{
  return (int64_t)((__int128)draw * particles / draws);
}

/* Draws first .. first + n - 1 into the buffer. */
static void fill_batch(struct dun_result_buffer *b, int64_t first, int64_t n)
{
  const struct dun_tiles *tiles = &b->run->population.tiles;
  for (int64_t start = 0; start < n; start += DUN_LANES) {
    int64_t particle[DUN_LANES], slot[DUN_LANES];
    int count = n - start < DUN_LANES ? (int)(n - start) : DUN_LANES;
    for (int i = 0; i < count; i++) {
      slot[i] = start + i;
      particle[i] = particle_of(first + start + i, b->result->draws, tiles->total) - tiles->first;
    }
    take(b, count, slot, particle);
  }
}

/* Local: this rank's draws. */
static int write_draws(struct dun_result_buffer *b, int64_t chain)
{
  const struct dun_tiles *tiles = &b->run->population.tiles;
  int64_t draws = b->result->draws;
  int64_t at = first_draw(tiles->first, draws, tiles->total);
  int64_t end = first_draw(tiles->first + tiles->local, draws, tiles->total);
  int status = 0;
  if (at >= end)
    return 0;
  b->file = dun_result_open_part(b->result, 1);
  if (b->file < 0)
    return b->file;
  for (int64_t n; at < end && status == 0; at += n) {
    n = end - at < b->rows ? end - at : b->rows;
    fill_batch(b, at, n);
    status = put(b, 0, n, chain, at);
    if (status == 0)
      count_in(b, 0, n, chain, at);
  }
  return dun_durable_close(b->file, b->result->part, 1, status);
}

int dun_result_population(struct dun_context *context, struct dun_result *result,
                          struct dun_run *run, int64_t chain)
{
  struct dun_result_buffer buffer;
  int64_t rows = at_least_1(BATCH_BYTES / at_least_1(bytes_of_draw(result)));
  int status = buffer_init(&buffer, result, run, rows, 1);
  if (status == 0 && (chain < 0 || chain >= result->chains))
    status = dun_fail(DUN_ERROR_FILE, "'%s' has no chain %lld.", result->part, (long long)chain);
  if (status == 0)
    status = write_draws(&buffer, chain);
  buffer_free(&buffer);
  return dun_agree(context, status);
}

/* ---- a draw of every chain ------------------------------------------------------------------- */

/* The particles of the rank that has most, so that all ranks cut their work alike. */
static int64_t most_local(const struct dun_tiles *tiles, int ranks)
{
  return dun_tiles_first_of(tiles, 1, ranks);
}

/* Chains that a rank may have particles of, now or when there are as many as there is room for. */
static int64_t most_rows(const struct dun_run *run, int ranks)
{
  int64_t particles = most_local(&run->population.tiles, ranks);
  int64_t members = run->kept.members;
  if (run->kept.room > 0)
    members = run->population.tiles.total / run->kept.room;
  int64_t chains = members == 1 ? particles : particles / members + 2;
  return at_least_1(chains < particles ? chains : particles);
}

int dun_result_chains(struct dun_context *context, struct dun_result *result, struct dun_run *run)
{
  int64_t bytes = at_least_1(bytes_of_draw(result) + 1);
  int64_t rows = most_rows(run, context->size);
  int64_t depth = CHAIN_BYTES / bytes / rows;
  depth = depth < result->draws ? depth : result->draws;
  rows = depth > 0 ? rows : at_least_1(CHAIN_BYTES / bytes);
  result->buffer = dun_allocate(1, sizeof *result->buffer);
  int status =
      result->buffer ? buffer_init(result->buffer, result, run, rows, depth) : DUN_ERROR_MEMORY;
  run->kept.read = dun_result_kept;
  run->kept.source = result;
  return dun_agree(context, status);
}

void dun_result_chains_free(struct dun_result *result)
{
  if (result->buffer)
    buffer_free(result->buffer);
  DUN_FREE(result->buffer);
}

/* Of all replicates' chains, the first that this rank has a particle of. */
static int64_t first_chain(const struct dun_result_buffer *b)
{
  const struct dun_kept *kept = &b->run->kept;
  return b->run->replicate * kept->chains.total + b->run->population.tiles.first / kept->members;
}

/* How many chains this rank has particles of. */
static int64_t local_chains(const struct dun_result_buffer *b)
{
  const struct dun_tiles *tiles = &b->run->population.tiles;
  int64_t members = b->run->kept.members;
  if (tiles->local == 0)
    return 0;
  return (tiles->first + tiles->local - 1) / members - tiles->first / members + 1;
}

/* The local particle that is the draw of this rank's chain number `row`; -1: another rank has
 * it. */
static int64_t drawn(const struct dun_result_buffer *b, int64_t row)
{
  const struct dun_tiles *tiles = &b->run->population.tiles;
  int64_t members = b->run->kept.members;
  int64_t begin = (tiles->first / members + row) * members - tiles->first, end = begin + members;
  if (members == 1)
    return begin;
  begin = begin > 0 ? begin : 0;
  end = end < tiles->local ? end : tiles->local;
  for (int64_t i = begin; i < end; i++)
    if (dun_f64(b->run->logw)[i] > -INFINITY)
      return i;
  return -1;
}

/* This rank's chains begin .. begin + n - 1, as number `at` of the draws in the buffer. */
static void take_rows(struct dun_result_buffer *b, int64_t begin, int64_t n, int64_t at)
{
  int64_t particle[DUN_LANES], slot[DUN_LANES];
  int count = 0;
  for (int64_t row = 0; row < n; row++) {
    slot[count] = row * at_least_1(b->depth) + at;
    particle[count] = drawn(b, begin + row);
    b->held[slot[count]] = particle[count] >= 0;
    count += particle[count] >= 0;
    if (count == DUN_LANES || (count > 0 && row == n - 1)) {
      take(b, count, slot, particle);
      count = 0;
    }
  }
}

/* The next stretch of held slots at or after *from and before `end`; its length. */
static int64_t stretch(const struct dun_result_buffer *b, int64_t *from, int64_t end)
{
  int64_t to;
  while (*from < end && !b->held[*from])
    ++*from;
  for (to = *from; to < end && b->held[to];)
    to++;
  return to - *from;
}

/* What put and count_in do with slots. */
typedef int on_slots(struct dun_result_buffer *b, int64_t first, int64_t count, int64_t chain,
                     int64_t draw);

/* The buffer's chains are this rank's from `begin` on, `draws` draws of each.  Whole chains that
 * are adjacent in the file go together. */
static int each_row(struct dun_result_buffer *b, int64_t begin, int64_t n, int64_t draws,
                    on_slots *visit)
{
  int64_t depth = at_least_1(b->depth), together = draws == b->result->draws ? n : 1, count;
  int status = 0;
  for (int64_t row = 0; row < n && status == 0; row += together) {
    int64_t first = row * depth, end = first + together * draws;
    for (int64_t at = first; status == 0 && (count = stretch(b, &at, end)) > 0; at += count)
      status = visit(b, at, count, first_chain(b) + begin + row, b->first + at - first);
  }
  return status;
}

static int write_rows(struct dun_result_buffer *b, int sync)
{
  int status = 0;
  if (b->run->population.tiles.local == 0 || (b->used == 0 && !sync))
    return 0;
  b->file = dun_result_open_part(b->result, 1);
  if (b->file < 0)
    return b->file;
  if (b->used > 0)
    status = each_row(b, 0, local_chains(b), b->used, put);
  return dun_durable_close(b->file, b->result->part, sync, status);
}

/* Collective.  Writes what is buffered; `sync` also to the disk, with all that was written before.
 * Where a rank fails, all keep what they have, and count nothing of it: a run outlives a checkpoint
 * that failed. */
static int flush(struct dun_context *context, struct dun_result_buffer *b, int sync)
{
  int status = dun_agree(context, write_rows(b, sync));
  if (status >= 0 && b->used > 0)
    each_row(b, 0, local_chains(b), b->used, count_in);
  if (status >= 0)
    b->used = 0;
  return status;
}

/* Local.  One draw that is too large for the buffer. */
static int write_through(struct dun_result_buffer *b)
{
  int64_t local = local_chains(b);
  int status = 0;
  if (local == 0)
    return 0;
  b->file = dun_result_open_part(b->result, 1);
  if (b->file < 0)
    return b->file;
  for (int64_t begin = 0; begin < local && status == 0; begin += b->rows) {
    int64_t n = local - begin < b->rows ? local - begin : b->rows;
    take_rows(b, begin, n, 0);
    status = each_row(b, begin, n, 1, put);
    if (status == 0)
      each_row(b, begin, n, 1, count_in);
  }
  return dun_durable_close(b->file, b->result->part, 0, status);
}

int dun_result_draw(struct dun_context *context, struct dun_result *result, int64_t draw)
{
  struct dun_result_buffer *b = result->buffer;
  if (b->used == 0)
    b->first = draw;
  if (b->depth == 0)
    return dun_agree(context, write_through(b));
  take_rows(b, 0, local_chains(b), b->used++);
  return b->used < b->depth ? 0 : flush(context, b, 0);
}

int dun_result_flush(struct dun_context *context, struct dun_result *result)
{
  return result->buffer ? flush(context, result->buffer, 1) : 0;
}

/* ---- reading back ---------------------------------------------------------------------------- */

/* Whether draws are so wide that what is wanted of each is better read alone. */
static int is_wide(const struct dun_result_variable *v, int count)
{
  return (v->width - count) * 8 > 16384;
}

/* Components `first` .. first + count - 1 of `draws` draws of one chain; `scratch` has room for
 * BATCH_BYTES. */
static int read_chain(struct dun_result_buffer *b, const struct dun_result_variable *v,
                      int64_t chain, int first, int count, double *scratch, double *out,
                      int64_t stride)
{
  int64_t draws = b->cached_draws, batch = at_least_1(BATCH_BYTES / 8 / v->width);
  int64_t start = v->offset + chain * b->result->draws * v->width * 8;
  int status = 0;
  for (int64_t at = 0; at < draws && status == 0 && is_wide(v, count); at++) {
    status = dun_durable_read(b->file, b->result->part, scratch, count * 8,
                              start + (at * v->width + first) * 8);
    for (int c = 0; c < count; c++)
      out[c * stride + at] = scratch[c];
  }
  for (int64_t at = is_wide(v, count) ? draws : 0, n; at < draws && status == 0; at += n) {
    n = draws - at < batch ? draws - at : batch;
    status = dun_durable_read(b->file, b->result->part, scratch, n * v->width * 8,
                              start + at * v->width * 8);
    for (int c = 0; c < count; c++)
      for (int64_t i = 0; i < n; i++)
        out[c * stride + at + i] = scratch[i * v->width + first + c];
  }
  return status;
}

/* The cached numbers of one variable, whose first number is number `number` of a draw. */
static int read_variable(struct dun_result_buffer *b, const struct dun_result_variable *v,
                         int number, double *scratch)
{
  const struct dun_tiles *chains = &b->run->kept.chains;
  int64_t stride = chains->local * b->cached_draws;
  int64_t chain = b->run->replicate * chains->total + chains->first;
  int first = b->cached > number ? b->cached - number : 0;
  int end = b->cached + b->cache_numbers - number;
  int status = 0;
  end = end < v->width ? end : (int)v->width;
  if (first >= end)
    return 0;
  double *out = b->cache + (number + first - b->cached) * stride;
  for (int64_t i = 0; i < chains->local && status == 0; i++)
    status =
        read_chain(b, v, chain + i, first, end - first, scratch, out + i * b->cached_draws, stride);
  return status;
}

static int read_cache(struct dun_result_buffer *b)
{
  int64_t widest = 1;
  int number = 0, status = 0;
  for (int i = 0; i < b->result->variables; i++)
    widest = b->result->variable[i].width > widest ? b->result->variable[i].width : widest;
  double *scratch = dun_allocate(at_least_1(BATCH_BYTES / 8 / widest) * widest, sizeof *scratch);
  b->file = scratch ? dun_result_open_part(b->result, 0) : DUN_ERROR_MEMORY;
  if (b->file < 0)
    status = b->file;
  for (int i = 0; i < b->result->variables && status == 0; i++) {
    if (b->result->variable[i].group != DUN_POSTERIOR)
      break;
    status = read_variable(b, &b->result->variable[i], number, scratch);
    number += (int)b->result->variable[i].width;
  }
  dun_free(scratch);
  return b->file < 0 ? status : dun_durable_close(b->file, b->result->part, 0, status);
}

/* Local.  Makes room for as many numbers as fit, the same count on every rank. */
static int make_cache(struct dun_result_buffer *b, int index, int ranks)
{
  const struct dun_run *run = b->run;
  int64_t most = most_local(&run->kept.chains, ranks) * run->kept.draws;
  int64_t numbers = at_least_1(CACHE_BYTES / 8 / at_least_1(most));
  if (numbers > b->result->outputs - index)
    numbers = b->result->outputs - index;
  DUN_FREE(b->cache);
  b->cached = index;
  b->cache_numbers = (int)numbers;
  b->cached_draws = run->kept.draws;
  b->cached_replicate = run->replicate;
  b->cache = dun_allocate(numbers * run->kept.chains.local * run->kept.draws, sizeof *b->cache);
  return b->cache ? 0 : DUN_ERROR_MEMORY;
}

int dun_result_kept(struct dun_context *context, void *source, int index, double *out)
{
  const struct dun_result *result = source;
  struct dun_result_buffer *b = result->buffer;
  int64_t count = b->run->kept.chains.local * b->run->kept.draws;
  int known = b->cached >= 0 && index >= b->cached && index < b->cached + b->cache_numbers &&
              b->cached_draws == b->run->kept.draws && b->cached_replicate == b->run->replicate;
  if (!known) {
    int status = flush(context, b, 0); /* others read what this rank holds */
    if (status >= 0)
      status = make_cache(b, index, context->size);
    if (status >= 0 && count > 0)
      status = read_cache(b);
    if ((status = dun_agree(context, status)) < 0) {
      b->cached = -1;
      return status;
    }
  }
  memcpy(out, b->cache + (index - b->cached) * count, (size_t)count * sizeof *out);
  return 0;
}
