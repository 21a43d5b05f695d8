/* First draws; those outside the support are drawn anew until they lie inside, since most moves
 * lead nowhere from there. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/run.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

static const int64_t LOOKS = 10000, HOPELESS = 1000000;

/* ---- drawing --------------------------------------------------------------------------------- */

struct drawing {
  int uniforms, normals; /* columns */
  void (*draw)(const struct dun_run *run, const double *uniform, const double *normal, double *x);
  double *uniform, *normal, *x; /* blocks; uniform is owned */
};

/* DUN_ERROR_MEMORY. */
static int make_drawing(struct drawing *w, const struct dun_run *run)
{
  int d = run->evaluator->dimension;
  w->uniforms = w->uniforms < 0 ? d : w->uniforms;
  w->normals = w->normals < 0 ? d : w->normals;
  int64_t columns = (int64_t)w->uniforms + w->normals + d;
  w->uniform = dun_allocate(columns * DUN_LANES, sizeof *w->uniform);
  if (!w->uniform)
    return DUN_ERROR_MEMORY;
  w->normal = w->uniform + (int64_t)w->uniforms * DUN_LANES;
  w->x = w->normal + (int64_t)w->normals * DUN_LANES;
  return 0;
}

/* Points of a local tile, w->x[d][64]. */
static void draw_tile(const struct drawing *w, const struct dun_run *run,
                      struct dun_address address, int64_t i)
{
  address.tile = (uint32_t)(run->population.tiles.first_tile + i);
  dun_normals(address, w->normals, w->normal);
  address.purpose = DUN_PURPOSE_START_UNIFORM;
  dun_uniforms(address, w->uniforms, w->uniform);
  w->draw(run, w->uniform, w->normal, w->x);
}

int dun_run_draw_slice(struct dun_run *run, int64_t slice, int64_t slices, enum dun_purpose purpose,
                       int uniforms, int normals,
                       void (*draw)(const struct dun_run *run, const double *uniform,
                                    const double *normal, double *x))
{
  struct drawing w = {.uniforms = uniforms, .normals = normals, .draw = draw};
  struct dun_address address = dun_run_address(run, purpose);
  int status = make_drawing(&w, run);
  address.step -= (uint32_t)slice;
  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++) {
    if ((run->population.tiles.first_tile + i) % slices != slice)
      continue;
    draw_tile(&w, run, address, i);
    dun_tile_store(&run->population, run->x, i, w.x);
  }
  dun_free(w.uniform);
  return status;
}

int dun_run_draw(struct dun_run *run, enum dun_purpose purpose, int uniforms, int normals,
                 void (*draw)(const struct dun_run *run, const double *uniform,
                              const double *normal, double *x))
{
  return dun_run_draw_slice(run, 0, 1, purpose, uniforms, normals, draw);
}

static void draw_path(const struct dun_run *run, const double *uniform, const double *normal,
                      double *x)
{
  run->path->draw(run->path_self, uniform, normal, x);
}

int dun_run_start(struct dun_run *run)
{
  int uniforms, normals;
  run->path->draws(run->path_self, &uniforms, &normals);
  return dun_run_draw(run, DUN_PURPOSE_START, uniforms, normals, draw_path);
}

/* ---- drawing anew ---------------------------------------------------------------------------- */

static int is_outside(const double *part, int K, int64_t stride)
{
  for (int k = 0; k < K; k++)
    if (!(part[k * stride] > DUN_NOWHERE))
      return 1;
  return 0;
}

/* Of a local tile. */
static int64_t count_outside(const struct dun_run *run, int64_t i)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int K = run->path->parts, n = dun_tile_size(tiles, tiles->first_tile + i);
  const double *part = dun_f64(run->sweep.part_lp) + i * tiles->tile * K;
  int64_t count = 0;
  for (int l = 0; l < n; l++)
    count += is_outside(part + l * K, K, 1);
  return count;
}

static void copy_lane(int width, const double *from, int lane, double *to, int other)
{
  for (int64_t j = 0; j < width; j++)
    to[j * DUN_LANES + other] = from[j * DUN_LANES + lane];
}

/* As many points as the tile has particles, w->x, and their parts: a piece of a pass. */
static int draw_points(struct dun_run *run, const struct drawing *w, int64_t i, int n,
                       const double *time, double *part)
{
  draw_tile(w, run, dun_run_address(run, DUN_PURPOSE_START), i);
  for (int l = n; l < DUN_LANES; l++)
    copy_lane(run->evaluator->dimension, w->x, 0, w->x, l);
  struct dun_request request = {.n = n, .x = w->x, .time = time, .part_lp = part};
  run->path->evaluate(run->path_self, &request);
  return dun_pass_leave(&run->sweep.pass, i, 0, n);
}

/* Of so many draws as the tile has particles, those that lie inside take the places of particles
 * that do not, one after the other. */
static int fill_tile(struct dun_run *run, const struct drawing *w, int64_t i, double *state)
{
  int d = run->evaluator->dimension, K = run->path->parts;
  int n = dun_tile_size(&run->population.tiles, run->population.tiles.first_tile + i), next = 0;
  double time[DUN_LANES] __attribute__((aligned(64))) = {0};
  double *x = state, *part = x + (int64_t)d * DUN_LANES, *drawn = part + (int64_t)K * DUN_LANES;

  int status = draw_points(run, w, i, n, time, drawn);
  if (status < 0)
    return status;
  dun_tile_load(&run->population, run->x, i, x);
  dun_tile_load(&run->population, run->sweep.part_lp, i, part);
  for (int l = 0; l < n; l++) {
    if (!is_outside(part + l, K, DUN_LANES))
      continue;
    while (next < n && is_outside(drawn + next, K, DUN_LANES))
      next++;
    if (next == n)
      break;
    copy_lane(d, w->x, next, x, l);
    copy_lane(K, drawn, next++, part, l);
  }
  dun_tile_store(&run->population, run->x, i, x);
  dun_tile_store(&run->population, run->sweep.part_lp, i, part);
  return 0;
}

struct workspace {
  struct drawing drawing;
  double *state; /* x, its parts, and the parts of draws: [d + 2 K][64] */
};

/* DUN_ERROR_MEMORY. */
static int make_workspace(struct workspace *w, const struct dun_run *run)
{
  int64_t columns = (int64_t)run->evaluator->dimension + 2 * run->path->parts;
  *w = (struct workspace){.drawing = {.draw = draw_path}};
  run->path->draws(run->path_self, &w->drawing.uniforms, &w->drawing.normals);
  w->state = dun_allocate(columns * DUN_LANES, sizeof *w->state);
  return w->state ? make_drawing(&w->drawing, run) : DUN_ERROR_MEMORY;
}

static void free_workspace(struct workspace *w)
{
  dun_free(w->drawing.uniform);
  dun_free(w->state);
}

/* Collective, a pass of its own; *tried: points that were drawn. */
static int fill_tiles(struct dun_context *context, struct dun_run *run, double *tried)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_pass *pass = &run->sweep.pass;
  struct dun_exact sum = {0};
  struct workspace w;
  if (dun_pass_begin(context, pass, 1, &sum))
    return 0;
  int status = make_workspace(&w, run);
  for (int64_t i = 0; i < tiles->count && status >= 0; i++)
    if (count_outside(run, i) > 0 && (status = dun_pass_enter(pass, i, 0)) > 0 &&
        (status = fill_tile(run, &w.drawing, i, w.state)) >= 0)
      dun_exact_add(&sum, dun_tile_size(tiles, tiles->first_tile + i));
  free_workspace(&w);
  return dun_pass_end(context, pass, status, 1, &sum, tried);
}

int dun_starts_move(struct dun_context *context, struct dun_run *run, struct dun_starts *s)
{
  int64_t left = 0;
  double tried = 0;
  int status = s->passes > 0 ? fill_tiles(context, run, &tried) : 0;
  for (int64_t i = 0; i < run->population.tiles.count; i++)
    left += count_outside(run, i);
  if (status < 0 || (status = dun_sum_integers(context, 0, 1, &left)) < 0)
    return status;
  s->left = left;
  s->moved = s->passes == 0 ? s->left : s->moved;
  s->tried += (int64_t)tried;
  s->passes++;
  int none = s->left == run->population.tiles.total;
  if (s->left > 0 && (s->passes > LOOKS || (none && s->tried > HOPELESS)))
    return dun_fail(DUN_ERROR_NUMERIC,
                    "%lld of %lld first draws lie where the target's density is 0, also after %lld "
                    "more were drawn in their places: let the path start nearer to the target",
                    (long long)s->left, (long long)run->population.tiles.total,
                    (long long)s->tried);
  return 0;
}

void dun_starts_diagnose(const struct dun_starts *s, const struct dun_run *run,
                         struct dun_diagnosis *out)
{
  double each = (double)s->tried / (double)s->moved;
  if (s->moved > 0)
    dun_diagnose(
        out, "starts", dun_verdict_above(each, 1000, INFINITY),
        "%lld of %lld first draws lay where the target's density is 0 and were drawn anew, "
        "%.3g for each",
        (long long)s->moved, (long long)run->population.tiles.total, each);
}

/* ---- regeneration ---------------------------------------------------------------------------- */

/* The marked lanes of a tile get draws of their own, evaluated together. */
static int renew_tile(struct dun_run *run, const struct drawing *w, int64_t i,
                      const signed char *marked, double *state)
{
  int d = run->evaluator->dimension, K = run->path->parts, count = 0;
  int n = dun_tile_size(&run->population.tiles, run->population.tiles.first_tile + i);
  double time[DUN_LANES] __attribute__((aligned(64))) = {0};
  double *x = state, *part = x + (int64_t)d * DUN_LANES, *drawn = part + (int64_t)K * DUN_LANES;

  draw_tile(w, run, dun_run_address(run, DUN_PURPOSE_START), i);
  dun_tile_load(&run->population, run->x, i, x);
  dun_tile_load(&run->population, run->sweep.part_lp, i, part);
  for (int l = 0; l < n; l++)
    if (marked[l]) {
      copy_lane(d, w->x, l, x, l);
      copy_lane(d, w->x, l, w->x, count++);
    }
  for (int l = count; l < DUN_LANES; l++)
    copy_lane(d, w->x, 0, w->x, l);
  struct dun_request request = {.n = count, .x = w->x, .time = time, .part_lp = drawn};
  run->path->evaluate(run->path_self, &request);
  int status = dun_pass_leave(&run->sweep.pass, i, 0, n);
  if (status < 0)
    return status;
  count = 0;
  for (int l = 0; l < n; l++)
    if (marked[l])
      copy_lane(K, drawn, count++, part, l);
  dun_tile_store(&run->population, run->x, i, x);
  dun_tile_store(&run->population, run->sweep.part_lp, i, part);
  return 0;
}

int dun_run_renew(struct dun_context *context, struct dun_run *run, const signed char *marked)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_pass *pass = &run->sweep.pass;
  struct workspace w;
  if (dun_pass_begin(context, pass, 0, NULL))
    return 0;
  int status = make_workspace(&w, run);
  for (int64_t i = 0; i < tiles->count && status >= 0; i++) {
    const signed char *own = marked + i * tiles->tile;
    if (memchr(own, 1, (size_t)dun_tile_size(tiles, tiles->first_tile + i)) &&
        (status = dun_pass_enter(pass, i, 0)) > 0)
      status = renew_tile(run, &w.drawing, i, own, w.state);
  }
  free_workspace(&w);
  return dun_pass_end(context, pass, status, 0, NULL, NULL);
}

/* ---- independence moves ---------------------------------------------------------------------- */

/* log of pi_t / pi_0 at a point less that at another; times are lane l's. */
static double log_ratio(const struct dun_run *run, double t, const double *new, const double *old,
                        int l)
{
  double base[DUN_MAX_PARTS], now[DUN_MAX_PARTS], sum = 0;
  run->path->coefficients(run->path_self, 0, base);
  run->path->coefficients(run->path_self, t, now);
  for (int k = 0; k < run->path->parts; k++)
    if (now[k] != base[k])
      sum += (now[k] - base[k]) * (new[k * DUN_LANES + l] - old[k * DUN_LANES + l]);
  return sum;
}

static int propose_tile(struct dun_run *run, const struct drawing *w, int64_t i, double *state)
{
  int d = run->evaluator->dimension, K = run->path->parts;
  int n = dun_tile_size(&run->population.tiles, run->population.tiles.first_tile + i);
  double time[DUN_LANES] __attribute__((aligned(64)));
  double *x = state, *part = x + (int64_t)d * DUN_LANES, *drawn = part + (int64_t)K * DUN_LANES;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_ACCEPT);

  address.tile = (uint32_t)(run->population.tiles.first_tile + i);
  dun_tile_load(&run->population, run->sweep.time, i, time);
  int status = draw_points(run, w, i, n, time, drawn);
  if (status < 0)
    return status;
  dun_tile_load(&run->population, run->x, i, x);
  dun_tile_load(&run->population, run->sweep.part_lp, i, part);
  for (int l = 0; l < n; l++)
    if (dun_scalar_log(dun_uniform_one(address, l)) < log_ratio(run, time[l], drawn, part, l)) {
      copy_lane(d, w->x, l, x, l);
      copy_lane(K, drawn, l, part, l);
    }
  dun_tile_store(&run->population, run->x, i, x);
  dun_tile_store(&run->population, run->sweep.part_lp, i, part);
  return 0;
}

int dun_run_propose(struct dun_context *context, struct dun_run *run)
{
  struct dun_pass *pass = &run->sweep.pass;
  struct workspace w;
  if (dun_pass_begin(context, pass, 0, NULL))
    return 0;
  int status = make_workspace(&w, run);
  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++)
    if ((status = dun_pass_enter(pass, i, 0)) > 0)
      status = propose_tile(run, &w.drawing, i, w.state);
  free_workspace(&w);
  return dun_pass_end(context, pass, status, 0, NULL, NULL);
}
