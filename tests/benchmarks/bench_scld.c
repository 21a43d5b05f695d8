/* Parts of a step of method scld at published settings, of d dimensions and pieces of so many
 * steps: the lesson on pieces that are kept (weighed, and their slopes) and the carry, under a
 * normal target, which costs next to nothing.  Nanoseconds are those of a particle's step.  Bare:
 * the network's products alone; the aim is half of the time.  Slots are the products' flops in
 * single precision, which does two in a double's time, so that aim/is is the share of the peak over
 * .5.  scld_steps.py has the whole. */
#include "base/memory.h"
#include "bench.h"
#define FIXTURE_CONTEXT bench_context
#include "fixture.h"
#include "numerics/tile_product.h"
#include "paths/controlled_lessons.h"
#include <stdlib.h>

enum { L = DUN_LANES, W = 64 };

static void *must(int64_t count, size_t size)
{
  void *block = dun_allocate(count, size);
  if (!block)
    exit(1);
  return block;
}

/* ---- products -------------------------------------------------------------------------------- */

struct products {
  float *w, *x, *y;
};

static void forward(const struct products *p, int m, int k)
{
  dun_tile_product_f(m, k, L, p->w, k, 1, p->x, NULL, 0, p->y);
}

/* Of sums over lanes, and of the bars unless nobody asks for them. */
static void back(const struct products *p, int m, int k, int bars)
{
  dun_tile_product_f(m, L, (k + 15) / 16 * 16, p->w, L, 1, p->x, NULL, 0, p->y);
  if (bars)
    dun_tile_product_f(k, m, L, p->w, 1, k, p->x, NULL, 0, p->y);
}

/* Nanoseconds that the products of a particle's step take: so often forward, and back or not. */
static double products_ns(int d, int times, int backward)
{
  int64_t most = (int64_t)(d + 2 * W) * (W + L);
  struct products p = {must(most, 4), must(most, 4), must(most, 4)};
  struct bench_timer timer = {0};
  while (bench_again(&timer)) {
    for (int i = 0; i < times; i++) {
      forward(&p, W, d);
      forward(&p, W, W);
      forward(&p, d, W);
    }
    if (backward) {
      back(&p, d, W, 1);
      back(&p, W, W, 1);
      back(&p, W, d, 0);
    }
  }
  dun_free(p.w);
  dun_free(p.x);
  dun_free(p.y);
  return bench_ns(&timer, L);
}

/* ---- pieces ---------------------------------------------------------------------------------- */

struct pieces {
  struct fixture fixture;
  struct dun_controlled *path;
  struct dun_steering steering;
  struct dun_lessons lessons;
  int64_t d, points, stored;
  float *x, *gradient; /* [stored][points][d] */
  double *slopes, *at; /* [d][64] */
  uint64_t next;       /* of those that are chosen */
};

static void open_pieces(struct pieces *p, int d, int pieces, int64_t stored)
{
  const struct dun_address first = {.seed = 1, .purpose = DUN_PURPOSE_WEIGHTS};
  char text[512];
  *p = (struct pieces){.d = d, .points = 128 / pieces + 1, .stored = stored};
  snprintf(text, sizeof text,
           "run: {seed: 1, particles: 64}\ntarget: {type: gaussian, dimension: %d}\npath: {type: "
           "controlled, base: {scale: 1}, steps: 128, pieces: %d}\nmethod: {type: smc, "
           "moves_per_step: 0}\n",
           d, pieces);
  p->path = fixture_make(&p->fixture, text)->path_self;
  p->steering.width = W;
  p->lessons.path = p->path;
  if (dun_controlled_steer(p->path, &p->steering, &first) < 0 || dun_lessons_init(&p->lessons) < 0)
    exit(1);
  p->x = must(stored * p->points * d, sizeof *p->x);
  p->gradient = must(stored * p->points * d, sizeof *p->gradient);
  p->slopes = must(dun_lessons_slopes(p->path), sizeof *p->slopes);
  p->at = must(d, L * sizeof *p->at);
  for (int64_t i = 0; i < stored * p->points * d; i++) {
    p->x[i] = (float)(i % 13) - 6;
    p->gradient[i] = -p->x[i];
  }
}

static void close_pieces(struct pieces *p)
{
  dun_lessons_free(&p->lessons);
  dun_steering_free(&p->steering);
  dun_free(p->x);
  dun_free(p->gradient);
  dun_free(p->slopes);
  dun_free(p->at);
  fixture_free(&p->fixture);
}

/* Any 64 of those that are stored. */
static void choose(struct pieces *p, struct dun_piece *piece)
{
  piece->n = L;
  for (int l = 0; l < L; l++) {
    p->next = p->next * 6364136223846793005u + 1442695040888963407u;
    int64_t at = (int64_t)((p->next >> 33) % (uint64_t)p->stored) * p->points * p->d;
    piece->x[l] = p->x + at;
    piece->gradient[l] = p->gradient + at;
    piece->start[l] = piece->end[l] = 1;
  }
}

static void lesson(struct bench_result *result, int d, int pieces, int64_t stored)
{
  double log_weight[L] __attribute__((aligned(64)));
  struct dun_piece piece;
  struct pieces p;
  struct bench_timer timer = {0};
  open_pieces(&p, d, pieces, stored);
  while (bench_again(&timer)) {
    choose(&p, &piece);
    dun_lessons_weigh(&p.lessons, 1, &piece, log_weight);
    dun_lessons_learn(&p.lessons, 1, &piece, log_weight, p.slopes);
  }
  result->ns = bench_ns(&timer, L * (p.points - 1)) * bench_context.size;
  result->bare = products_ns(d, 2, 1) * (double)p.points / (double)(p.points - 1);
  close_pieces(&p);
}

static void carry(struct bench_result *result, int d, int pieces, int64_t stored)
{
  double ratio[L] __attribute__((aligned(64)));
  struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_NOISE};
  struct dun_track track;
  struct pieces p;
  struct bench_timer timer = {0};
  open_pieces(&p, d, pieces, stored);
  track = (struct dun_track){
      .tiles = {.tile = L}, .points = p.points, .x = p.x, .gradient = p.gradient};
  p.path->track = &track;
  while (bench_again(&timer)) {
    address.tile = (uint32_t)((address.tile + 1) % (uint64_t)(stored / L));
    dun_controlled_carry(p.path, 0, 1 / (double)pieces, L, address, p.at, NULL, ratio);
  }
  result->ns = bench_ns(&timer, L * (p.points - 1)) * bench_context.size;
  result->bare = products_ns(d, 1, 0) * (double)p.points / (double)(p.points - 1);
  close_pieces(&p);
}

/* Multiply-adds of a point: forward, and back. */
#define FORWARD(d) (2. * (d)*W + W * W)
#define BACK(d)    (3. * (d)*W + 2 * W * W)

#define SETTING(name, d, pieces, stored)                                                           \
  static void lesson_##name(struct bench_result *result)                                           \
  {                                                                                                \
    lesson(result, d, pieces, stored);                                                             \
  }                                                                                                \
  static void carry_##name(struct bench_result *result)                                            \
  {                                                                                                \
    carry(result, d, pieces, stored);                                                              \
  }
#define ROWS(name, d, pieces)                                                                      \
  {.work = "scld lesson " #d " in " #pieces " pieces",                                             \
   .slots = (2 * FORWARD(d) + BACK(d)) * (1 + pieces / 128.) / .5,                                 \
   .times = 2,                                                                                     \
   .measure = lesson_##name},                                                                      \
  {                                                                                                \
    .work = "scld carry " #d " in " #pieces " pieces",                                             \
    .slots = FORWARD(d) * (1 + pieces / 128.) / .5, .times = 2, .measure = carry_##name            \
  }

SETTING(forty_modes, 50, 4, 2048)
SETTING(seeds, 26, 128, 16384)
SETTING(pines, 1600, 128, 320)

const struct bench_row bench_scld[] = {
    ROWS(forty_modes, 50, 4),
    ROWS(seeds, 26, 128),
    ROWS(pines, 1600, 128),
    {0},
};
