/* First draws; those where the density or the gradient is no finite number are drawn anew, since
 * most moves lead nowhere from there.  Chains that found no place in so many draws begin where
 * others do. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/text.h"
#include "methods/run.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

/* Draws in a chain's place, and of all together before it is given up to find any place. */
static const int64_t BOUND = 100, HOPELESS = 10000;

/* ---- drawing --------------------------------------------------------------------------------- */

struct drawing {
  int uniforms, normals; /* columns */
  void (*draw)(const struct dun_run *run, const double *uniform, const double *normal, double *x);
  double *uniform, *normal, *x; /* blocks; uniform is owned */
  double *joined;               /* [d][64]: of starts that are given or shared */
};

/* DUN_ERROR_MEMORY. */
static int make_drawing(struct drawing *w, const struct dun_run *run)
{
  int d = run->evaluator->dimension;
  int64_t columns = (int64_t)w->uniforms + w->normals + 2 * (int64_t)d;
  w->uniform = dun_allocate(columns * DUN_LANES, sizeof *w->uniform);
  if (!w->uniform)
    return DUN_ERROR_MEMORY;
  w->normal = w->uniform + (int64_t)w->uniforms * DUN_LANES;
  w->x = w->normal + (int64_t)w->normals * DUN_LANES;
  w->joined = w->x + (int64_t)d * DUN_LANES;
  return 0;
}

/* Points of a tile with this global number, w->x[d][64]. */
static void draw_number(const struct drawing *w, const struct dun_run *run,
                        struct dun_address address, int64_t tile)
{
  address.tile = (uint32_t)tile;
  dun_normals(address, w->normals, w->normal);
  address.purpose = DUN_PURPOSE_START_UNIFORM;
  dun_uniforms(address, w->uniforms, w->uniform);
  w->draw(run, w->uniform, w->normal, w->x);
}

/* Of a local tile. */
static void draw_tile(const struct drawing *w, const struct dun_run *run,
                      struct dun_address address, int64_t i)
{
  draw_number(w, run, address, run->population.tiles.first_tile + i);
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

/* ---- starts that are given or shared -------------------------------------------------------- */

static void copy_lane(int width, const double *from, int lane, double *to, int other)
{
  for (int64_t j = 0; j < width; j++)
    to[j * DUN_LANES + other] = from[j * DUN_LANES + lane];
}

static int64_t groups_of(const struct dun_run *run)
{
  return run->kept.superchains > 0 ? run->kept.superchains : run->population.tiles.total;
}

/* The superchain of a chain; a chain that begins for itself is its own. */
static int64_t group_of(const struct dun_run *run, int64_t chain)
{
  return chain / (run->population.tiles.total / groups_of(run));
}

static const struct dun_start *start_of(const struct dun_run *run)
{
  return run->path->start ? run->path->start(run->path_self) : NULL;
}

/* Begins of a local tile's n chains, w->x[d][64].  Superchains have the numbers of chains in tiles
 * of 64, one draw each, wherever their chains lie.  What is `given` comes in its order. */
static void draw_starts(const struct drawing *w, const struct dun_run *run,
                        struct dun_address address, int64_t i, int given)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t drawn = -1, number = tiles->first_tile + i;
  int d = run->evaluator->dimension, n = dun_tile_size(tiles, number);
  if (!given && run->kept.superchains == 0) {
    draw_tile(w, run, address, i);
    return;
  }
  for (int l = 0; l < n; l++) {
    int64_t group = group_of(run, number * tiles->tile + l), tile = group / DUN_LANES;
    if (given) {
      dun_start_given(start_of(run), group, groups_of(run), w->x);
      for (int64_t j = 0; j < d; j++)
        w->joined[j * DUN_LANES + l] = w->x[j];
      continue;
    }
    if (tile != drawn)
      draw_number(w, run, address, tile);
    drawn = tile;
    copy_lane(d, w->x, (int)(group % DUN_LANES), w->joined, l);
  }
  for (int l = n; l < DUN_LANES; l++)
    copy_lane(d, w->joined, 0, w->joined, l);
  memcpy(w->x, w->joined, (size_t)d * DUN_LANES * sizeof *w->x);
}

int dun_run_start(struct dun_run *run)
{
  struct drawing w = {.draw = draw_path};
  int given = start_of(run) && start_of(run)->points.rows > 0;
  dun_path_draws(run->path, run->path_self, run->evaluator->dimension, &w.uniforms, &w.normals);
  int status = make_drawing(&w, run);
  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++) {
    draw_starts(&w, run, dun_run_address(run, DUN_PURPOSE_START), i, given);
    dun_tile_store(&run->population, run->x, i, w.x);
  }
  dun_free(w.uniform);
  return status;
}

int dun_starts_check(struct dun_run *run)
{
  const struct dun_start *start = start_of(run);
  long long groups = start ? start->superchains : 0, chains = run->options.particles;
  run->kept.superchains = groups;
  if (run->path && run->path->piece_end)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s is for method smc; chains of method %s take path constant",
                    run->path->type.name, run->method->type.name);
  if (groups == 0 || (groups > 1 && chains % groups == 0))
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "path.start.superchains: found %lld, expected 0 or at least 2 groups of equally "
                  "many of the %lld chains",
                  groups, chains);
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

/* Parts at n points and, if a kernel needs it, whether the gradient is there: it counts as outside
 * where it is not. */
static void evaluate_starts(const struct dun_run *run, int n, const double *x, double *part,
                            double *gradient)
{
  double time[DUN_LANES] __attribute__((aligned(64)));
  struct dun_evaluator *e = run->evaluator;
  struct dun_request request = {.n = n, .x = x, .time = time, .part_lp = part};
  for (int l = 0; l < DUN_LANES; l++)
    time[l] = 1;
  request.gradient = run->kernel && run->kernel->uses_gradient ? gradient : NULL;
  e->odd_gradients = 0;
  run->path->evaluate(run->path_self, &request);
  for (int l = 0; l < n && e->odd_gradients; l++)
    for (int k = 0; k < run->path->parts && e->odd_gradients >> l & 1; k++)
      part[k * DUN_LANES + l] = -INFINITY;
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
 * that do not, one after the other; but a superchain's own draw those of its chains. */
static int fill_tile(struct dun_run *run, const struct drawing *w, int64_t i, double *state)
{
  int d = run->evaluator->dimension, K = run->path->parts, shared = run->kept.superchains > 0;
  int n = dun_tile_size(&run->population.tiles, run->population.tiles.first_tile + i), next = 0;
  double *x = state, *part = x + (int64_t)d * DUN_LANES, *drawn = part + (int64_t)K * DUN_LANES;

  draw_starts(w, run, dun_run_address(run, DUN_PURPOSE_START), i, 0);
  for (int l = n; l < DUN_LANES; l++)
    copy_lane(d, w->x, 0, w->x, l);
  evaluate_starts(run, n, w->x, drawn, x);
  int status = dun_pass_leave(&run->sweep.pass, i, 0, n);
  if (status < 0)
    return status;
  dun_tile_load(&run->population, run->x, i, x);
  dun_tile_load(&run->population, run->sweep.part_lp, i, part);
  for (int l = 0; l < n; l++) {
    if (!is_outside(part + l, K, DUN_LANES) || (shared && is_outside(drawn + l, K, DUN_LANES)))
      continue;
    next = shared ? l : next;
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
  int d = run->evaluator->dimension;
  int64_t columns = (int64_t)d + 2 * run->path->parts;
  *w = (struct workspace){.drawing = {.draw = draw_path}};
  dun_path_draws(run->path, run->path_self, d, &w->drawing.uniforms, &w->drawing.normals);
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

int dun_starts_evaluate(struct dun_context *context, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_pass *pass = &run->sweep.pass;
  int d = run->evaluator->dimension;
  struct workspace w;
  if (dun_pass_begin(context, pass, 0, NULL))
    return 0;
  int status = make_workspace(&w, run);
  for (int64_t i = 0; i < tiles->count && status >= 0; i++)
    if ((status = dun_pass_enter(pass, i, 0)) > 0) {
      int n = dun_tile_size(tiles, tiles->first_tile + i);
      double *part = w.state + (int64_t)d * DUN_LANES;
      dun_tile_load(&run->population, run->x, i, w.drawing.x);
      evaluate_starts(run, n, w.drawing.x, part, w.state);
      if ((status = dun_pass_leave(pass, i, 0, n)) >= 0)
        dun_tile_store(&run->population, run->sweep.part_lp, i, part);
    }
  free_workspace(&w);
  return dun_pass_end(context, pass, status, 0, NULL, NULL);
}

/* ---- places of others ---------------------------------------------------------------------- */

/* At most so many chains, equally spaced among those that lie inside, give their places. */
enum { DONORS = 64, DONORS_NUMBERS = 1 << 20 };

/* Collective.  donor[count][d + K], the same on all ranks; returns how many. */
static int64_t find_donors(struct dun_context *context, const struct dun_run *run, int64_t inside,
                           double *donor, int *status)
{
  int64_t local = run->population.tiles.local;
  int d = run->evaluator->dimension, K = run->path->parts, width = d + K;
  int64_t most = DONORS_NUMBERS / width, count = most < 1 ? 1 : most < DONORS ? most : DONORS;
  const double *x = dun_f64(run->x), *part = dun_f64(run->sweep.part_lp);
  dun_u128 own = 0, before, total;
  count = count < inside ? count : inside;
  for (int64_t i = 0; i < local; i++)
    own += !is_outside(part + i * K, K, 1);
  if ((*status = dun_prefix(context, 0, own, &before, &total)) < 0)
    return 0;
  int64_t number = (int64_t)before;
  for (int64_t i = 0; i < local; i++) {
    if (is_outside(part + i * K, K, 1))
      continue;
    int64_t k = (number * count + inside - 1) / inside;
    if (k < count && k * inside / count == number) {
      memcpy(donor + k * width, x + i * d, (size_t)d * sizeof *x);
      memcpy(donor + k * width + d, part + i * K, (size_t)K * sizeof *part);
    }
    number++;
  }
  *status = dun_share(context, 0, count * width, donor);
  return count;
}

/* Collective.  Chains that lie outside begin where others do that are drawn for them; a superchain
 * stays together. */
static int take_places(struct dun_context *context, struct dun_run *run, int64_t inside)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int d = run->evaluator->dimension, K = run->path->parts, width = d + K, status = 0;
  double *x = dun_f64(run->x), *part = dun_f64(run->sweep.part_lp);
  double *donor = dun_allocate((int64_t)DONORS * width, sizeof *donor);
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_RESEED);
  if ((status = dun_agree(context, donor ? 0 : DUN_ERROR_MEMORY)) < 0) {
    dun_free(donor);
    return status;
  }
  int64_t count = find_donors(context, run, inside, donor, &status);
  for (int64_t i = 0; i < tiles->local && status >= 0; i++) {
    if (!is_outside(part + i * K, K, 1))
      continue;
    int64_t group = group_of(run, tiles->first + i);
    address.tile = (uint32_t)(group / DUN_LANES);
    int64_t k = (int64_t)(dun_uniform_one(address, group % DUN_LANES) * (double)count);
    k = k < count ? k : count - 1;
    memcpy(x + i * d, donor + k * width, (size_t)d * sizeof *x);
    memcpy(part + i * K, donor + k * width + d, (size_t)K * sizeof *part);
  }
  dun_free(donor);
  return status;
}

/* ---- looking ------------------------------------------------------------------------------- */

/* Collective.  The rank of the first chain tells of its point. */
static int give_up(struct dun_context *context, const struct dun_run *run,
                   const struct dun_starts *s)
{
  enum { SHOWN = 4 };
  const struct dun_tiles *tiles = &run->population.tiles;
  int d = run->evaluator->dimension, status = 0;
  struct dun_text point = {0};
  if (tiles->first == 0 && tiles->local > 0) {
    for (int j = 0; j < d && j < SHOWN; j++)
      dun_text_add(&point, "%s%.6g", j ? ", " : "", dun_f64(run->x)[j]);
    status =
        dun_fail(DUN_ERROR_INPUT,
                 "Target %s has no finite log density and gradient at the %lld first points of "
                 "the chains, nor at %lld more that were drawn in their places; the first is "
                 "(%s%s): let the path start nearer to the target",
                 run->target->type.name, (long long)tiles->total, (long long)s->tried,
                 point.text ? point.text : "", d > SHOWN ? ", ..." : "");
    dun_text_free(&point);
  }
  return dun_agree(context, status);
}

int dun_starts_move(struct dun_context *context, struct dun_run *run, struct dun_starts *s)
{
  const struct dun_start *start = start_of(run);
  int64_t left = 0, total = run->population.tiles.total;
  int64_t bound = start && start->points.rows == 1 ? 0 : BOUND; /* nothing else can be drawn */
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
  if (s->left == total && s->passes > bound && (s->tried >= HOPELESS || bound == 0))
    return give_up(context, run, s);
  if (s->left == 0 || s->left == total || s->passes <= bound)
    return 0;
  s->reseeded = s->left;
  s->left = 0;
  return take_places(context, run, total - s->reseeded);
}

int dun_starts_climb(struct dun_run *run, struct dun_warmup *warmup)
{
  const struct dun_start *start = start_of(run);
  if (!start || start->climb == 0)
    return 0;
  if (!run->kernel->keeps || run->evaluator->letters > 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.start.climb: kernel %s does not go by gradients, and starts cannot climb "
                    "before it; take hmc, mala or underdamped, or leave it out",
                    run->kernel->type.name);
  warmup->climb = start->climb;
  warmup->share = dun_run_column(run, "climb", DUN_F64, 1, 0,
                                 "What part of a step a start's climb dares; 0: it is over.");
  return warmup->share ? 0 : DUN_ERROR_MEMORY;
}

void dun_starts_diagnose(const struct dun_starts *s, const struct dun_run *run,
                         struct dun_diagnosis *out)
{
  double each = (double)s->tried / (double)s->moved;
  double share = (double)s->reseeded / (double)run->options.particles;
  if (s->reseeded > 0)
    dun_diagnose(out, "starts", dun_verdict_above(share, .1, INFINITY),
                 "%lld of %lld first draws lay where the target's density or gradient is no finite "
                 "number; %lld of them found no place in %lld draws and began where others did",
                 (long long)s->moved, (long long)run->population.tiles.total,
                 (long long)s->reseeded, (long long)BOUND);
  else if (s->moved > 0)
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
