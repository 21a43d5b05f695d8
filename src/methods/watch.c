#include "methods/watch.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <stdio.h>

/* Of more coordinates some are watched, of more tiles some are looked at: they tell enough. */
enum { SIGNED_SUMS = 4, MOST_COORDINATES = 256, MOST_TILES = 128 };
/* Directions of more coordinates stay those with random signs. */
enum { MOST_LEARNED = 4096 };
/* Noise is that of so many consecutive particles together: relatives lie side by side. */
enum { BLOCK = 16 };

/* Sums of each column. */
enum { CHANGE, SQUARE_CHANGE, NOISE, SQUARE_NOISE, MEAN, SQUARE, SUMS };
/* Sums of each direction. */
enum { JUMP, TYPICAL, JUMPS };

/* Where the sums begin: of columns, of the directions' jumps, of their products with the
 * coordinates and of these alone, of the weights. */
static int64_t jumps_at(const struct dun_watch *w)
{
  return (int64_t)SUMS * w->columns;
}

static int64_t products_at(const struct dun_watch *w)
{
  return jumps_at(w) + (int64_t)JUMPS * DUN_DIRECTIONS;
}

static int64_t learned(const struct dun_watch *w)
{
  return w->d <= MOST_LEARNED ? w->d : 0;
}

static int64_t weight_at(const struct dun_watch *w)
{
  return products_at(w) + (DUN_DIRECTIONS + 1) * learned(w);
}

static int direction_column(const struct dun_watch *w, int k)
{
  return w->coordinates + SIGNED_SUMS + k;
}

/* ---- setting up ---------------------------------------------------------------------------- */

static void draw_signs(const struct dun_run *run, int64_t first, int64_t count, double *sign)
{
  struct dun_address address = {.seed = (uint64_t)run->options.seed, .purpose = DUN_PURPOSE_SIGNS};
  for (int64_t i = 0; i < count; i++)
    sign[i] = dun_uniform_one(address, first + i) > .5 ? 1 : -1;
}

static void size_in(struct dun_watch *w, int d)
{
  w->d = d;
  w->coordinates = d < MOST_COORDINATES ? d : MOST_COORDINATES;
  w->columns = w->coordinates + SIGNED_SUMS + DUN_DIRECTIONS + 1;
}

static void size(struct dun_watch *w, const struct dun_run *run)
{
  size_in(w, run->evaluator->dimension);
  w->spins = run->target->support == DUN_SPINS;
}

int dun_watch_start(struct dun_watch *w, const struct dun_run *run)
{
  int d = run->evaluator->dimension;

  size(w, run);
  w->slow = w->steps = w->unknown = 0;
  if (dun_numbers_make(&w->centre, w->columns, 0) < 0 ||
      dun_numbers_make(&w->scale, w->columns, 0) < 0 ||
      dun_numbers_make(&w->moved, 2 * w->columns, 0) < 0 ||
      dun_numbers_make(&w->variance, 2 * w->columns, 0) < 0 ||
      dun_numbers_make(&w->direction, DUN_DIRECTIONS * (int64_t)d, 0) < 0)
    return DUN_ERROR_MEMORY;
  draw_signs(run, SIGNED_SUMS * (int64_t)d, DUN_DIRECTIONS * (int64_t)d, w->direction.value);
  return 0;
}

int dun_watch_restore(const struct dun_watch *watch)
{
  struct dun_watch w = {0};
  size_in(&w, watch->d);
  if (watch->centre.count == w.columns && watch->scale.count == w.columns &&
      watch->moved.count == 2 * w.columns && watch->variance.count == 2 * w.columns &&
      watch->direction.count == DUN_DIRECTIONS * (int64_t)w.d)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "The checkpoint has moves that its run does not have.");
}

/* Scratch, where it is not there from the look before. */
static int prepare(struct dun_watch *w, const struct dun_run *run)
{
  int64_t d = run->evaluator->dimension;

  if (!w->lanes) {
    size(w, run); /* of a restart */
    w->sign = dun_allocate(SIGNED_SUMS * d, sizeof *w->sign);
    w->inverse = dun_allocate(d, sizeof *w->inverse);
    w->lanes = dun_allocate((2 * w->columns + d + 3) * DUN_LANES, sizeof *w->lanes);
    w->total = dun_allocate(weight_at(w) + 1, sizeof *w->total);
    w->sum = dun_allocate(weight_at(w) + 1, sizeof *w->sum);
    if (!w->sign || !w->inverse || !w->lanes || !w->total || !w->sum)
      return DUN_ERROR_MEMORY;
    draw_signs(run, 0, SIGNED_SUMS * d, w->sign);
  }
  for (int64_t j = 0; j < d; j++)
    w->inverse[j] = 1 / run->adaptation->scale.value[j];
  return 0;
}

void dun_watch_free(struct dun_watch *w)
{
  struct dun_numbers *const owned[] = {&w->centre, &w->scale, &w->moved, &w->variance,
                                       &w->direction};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    DUN_FREE(owned[i]->value);
  DUN_FREE(w->sign);
  DUN_FREE(w->inverse);
  DUN_FREE(w->lanes);
  DUN_FREE(w->total);
  DUN_FREE(w->sum);
  dun_weights_free(&w->weights);
}

/* ---- one tile ------------------------------------------------------------------------------ */

/* sum[rows][64] = rows of factors times x[d][64]. */
DUN_CLONES static void project(int rows, int64_t d, const double *restrict factor,
                               const double *restrict x, double *restrict sum)
{
  for (int k = 0; k < rows; k++) {
    double row[DUN_LANES] = {0};
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < DUN_LANES; l++)
        row[l] = DUN_FMA(factor[k * d + j], x[j * DUN_LANES + l], row[l]);
    memcpy(sum + k * DUN_LANES, row, sizeof row);
  }
}

DUN_CLONES static void to_units(int64_t d, const double *restrict inverse, double *restrict x)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] *= inverse[j];
}

/* The columns of points x[d], which are brought to units of the metric, with log density lp. */
static void watch(const struct dun_watch *w, double *x, const double *lp, double *value)
{
  double *next = value;

  to_units(w->d, w->inverse, x);
  for (int64_t c = 0; c < w->coordinates; c++, next += DUN_LANES)
    memcpy(next, x + c * w->d / w->coordinates * DUN_LANES, DUN_LANES * sizeof *x);
  project(SIGNED_SUMS, w->d, w->sign, x, next);
  next += SIGNED_SUMS * DUN_LANES;
  project(DUN_DIRECTIONS, w->d, w->direction.value, x, next);
  next += DUN_DIRECTIONS * DUN_LANES;
  for (int l = 0; l < DUN_LANES; l++)
    next[l] = fabs(lp[l]) < INFINITY ? lp[l] : 0;
}

/* What one column adds to its sums; what would overflow is left out. */
DUN_CLONES static void compare(const double *restrict weight, double centre, double inverse,
                               const double *restrict now, const double *restrict before,
                               double *restrict out)
{
  double lane[SUMS][DUN_LANES];

  for (int l = 0; l < DUN_LANES; l++) {
    double raw = now[l] - centre, old = before[l] - centre;
    double a = old * inverse, b = raw * inverse;
    double share = fabs(raw) < 1e100 && fabs(old) < 1e100 ? weight[l] : 0;
    lane[CHANGE][l] = share > 0 ? share * (b - a) : 0;
    lane[SQUARE_CHANGE][l] = share > 0 ? share * (b * b - a * a) : 0;
    lane[MEAN][l] = share > 0 ? share * raw : 0;
    lane[SQUARE][l] = share > 0 ? share * (raw * raw) : 0;
  }
  for (int f = 0; f < 2; f++) {
    double noise = 0;
    for (int first = 0; first < DUN_LANES; first += BLOCK) {
      double block = 0;
      for (int l = first; l < first + BLOCK; l++)
        block += lane[CHANGE + f][l];
      noise += block * block;
    }
    out[NOISE + f] = noise;
    out[CHANGE + f] = dun_fold_lanes(lane[CHANGE + f]);
    out[MEAN + f] = dun_fold_lanes(lane[MEAN + f]);
  }
}

/* Squared jumps along a direction, and roots of their sizes, which rare far ones hardly change. */
DUN_CLONES static void jump(const double *restrict weight, const double *restrict now,
                            const double *restrict before, double *restrict out)
{
  double square[DUN_LANES], root[DUN_LANES];

  for (int l = 0; l < DUN_LANES; l++) {
    double off = fabs(now[l] - before[l]), share = off < 1e100 ? weight[l] : 0;
    square[l] = share > 0 ? share * (off * off) : 0;
    root[l] = share > 0 ? share * sqrt(off) : 0;
  }
  out[JUMP] = dun_fold_lanes(square);
  out[TYPICAL] = dun_fold_lanes(root);
}

/* factor[d] = folds of weight y x_j; of weight x_j where y is NULL. */
DUN_CLONES static void correlate(int64_t d, const double *restrict weight, const double *y,
                                 const double *restrict x, double *restrict factor)
{
  double weighted[DUN_LANES], product[DUN_LANES];

  for (int l = 0; l < DUN_LANES; l++) {
    weighted[l] = y ? weight[l] * y[l] : weight[l];
    weighted[l] = weight[l] > 0 && fabs(weighted[l]) < 1e100 ? weighted[l] : 0;
  }
  for (int64_t j = 0; j < d; j++) {
    for (int l = 0; l < DUN_LANES; l++) {
      double off = x[j * DUN_LANES + l];
      product[l] = weighted[l] != 0 && fabs(off) < 1e100 ? weighted[l] * off : 0;
    }
    factor[j] = dun_fold_lanes(product);
  }
}

static void add_directions(struct dun_watch *w, const double *x, const double *weight,
                           const double *now, const double *before)
{
  int64_t d = learned(w);

  for (int k = 0; k <= DUN_DIRECTIONS; k++) {
    int64_t at = (int64_t)direction_column(w, k) * DUN_LANES;
    struct dun_exact *sum = w->sum + jumps_at(w) + (int64_t)JUMPS * k;
    double found[JUMPS];
    if (k < DUN_DIRECTIONS) {
      jump(weight, now + at, before + at, found);
      for (int s = 0; s < JUMPS; s++)
        dun_exact_add(&sum[s], found[s]);
    }
    correlate(d, weight, k < DUN_DIRECTIONS ? now + at : NULL, x, w->total);
    for (int64_t j = 0; j < d; j++)
      dun_exact_add(&w->sum[products_at(w) + k * d + j], w->total[j]);
  }
}

static void add_tile(struct dun_watch *w, const struct dun_run *run, int64_t tile)
{
  int64_t d = w->d;
  double *now = w->lanes, *before = now + (int64_t)w->columns * DUN_LANES;
  double *x = before + (int64_t)w->columns * DUN_LANES, *lp = x + d * DUN_LANES;
  double *weight = lp + DUN_LANES, found[SUMS];

  dun_weights_tile(&run->population, run->logw, &w->weights, tile, weight);
  dun_tile_load(&run->population, run->sweep.start, tile, x); /* with lp as its last column */
  watch(w, x, lp, before);
  dun_tile_load(&run->population, run->x, tile, x);
  dun_sweep_density(&run->sweep, tile, run->now.time, lp);
  watch(w, x, lp, now);
  for (int64_t c = 0; c < w->columns; c++) {
    double scale = w->scale.value[c];
    compare(weight, w->centre.value[c], scale > 0 ? 1 / scale : 0, now + c * DUN_LANES,
            before + c * DUN_LANES, found);
    for (int s = 0; s < SUMS; s++)
      dun_exact_add(&w->sum[s * w->columns + c], found[s]);
  }
  add_directions(w, x, weight, now, before);
  dun_exact_add(&w->sum[weight_at(w)], dun_fold(weight));
}

/* ---- a look -------------------------------------------------------------------------------- */

static int add_all(struct dun_context *context, struct dun_watch *w, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t stride = 1 + (tiles->tiles - 1) / MOST_TILES, m = weight_at(w) + 1;

  memset(w->sum, 0, (size_t)m * sizeof *w->sum);
  for (int64_t i = 0; i < tiles->count; i++)
    if ((tiles->first_tile + i) % stride == 0)
      add_tile(w, run, i);
  int status = dun_sum(context, 0, m, w->sum, w->total);
  double weight = status < 0 ? 0 : w->total[m - 1];
  for (int64_t i = 0; i < m && weight > 0; i++) {
    int64_t kind = i / w->columns;
    w->total[i] /= kind == NOISE || kind == SQUARE_NOISE ? weight * weight : weight;
  }
  return status;
}

static double variance_of(const struct dun_watch *w, int64_t column)
{
  double mean = w->total[MEAN * (int64_t)w->columns + column];
  double variance = w->total[SQUARE * (int64_t)w->columns + column] - mean * mean;
  return variance > 0 && variance < INFINITY ? variance : 0;
}

/* Moves that each renew the share 1 - r carry by 1 + r + ... + r^(n - 1) times the squared jump of
 * the first: r^n, what n moves leave, from that factor. */
static double left_after(int64_t moves, double growth)
{
  double low = 0, high = 1;

  for (int i = 0; i < 40; i++) {
    double r = (low + high) / 2, sum = 0, power = 1;
    for (int64_t n = 0; n < moves; n++, power *= r)
      sum += power;
    if (sum < growth)
      low = r;
    else
      high = r;
  }
  double left = 1;
  for (int64_t n = 0; n < moves; n++)
    left *= low;
  return left;
}

/* Directions renewed by less than this are slow if, by the growth of the jumps, more than that is
 * left of what moves can renew. */
static const double RENEWED = .3, LEFT = .5;

int dun_watch_look(struct dun_context *context, struct dun_watch *w, const struct dun_run *run,
                   int64_t moves, int *slow)
{
  int status = dun_agree(context, prepare(w, run));

  *slow = 0;
  if (status >= 0)
    status = dun_weights_compute(context, &run->population, run->logw, &w->weights);
  if (status < 0 || (status = add_all(context, w, run)) < 0)
    return status;
  for (int k = 0; k < DUN_DIRECTIONS; k++) {
    const double *jumps = w->total + jumps_at(w) + (int64_t)JUMPS * k;
    double variance = variance_of(w, direction_column(w, k));
    double typical = jumps[TYPICAL] * jumps[TYPICAL] * (jumps[TYPICAL] * jumps[TYPICAL]);
    if (moves == 1)
      w->first_jump[k] = typical;
    if (!(jumps[JUMP] < RENEWED * 2 * variance))
      continue;
    *slow |= moves == 1 || left_after(moves, typical / w->first_jump[k]) > LEFT;
  }
  return 0;
}

/* One step of the power method for all directions; each is made orthogonal to those before. */
static void turn(struct dun_watch *w)
{
  int64_t d = learned(w);
  const double *mean = w->total + products_at(w) + DUN_DIRECTIONS * d;

  for (int k = 0; k < DUN_DIRECTIONS; k++) {
    int64_t c = direction_column(w, k);
    double *v = w->direction.value + k * d, norm = 0;
    double centre = w->centre.value[c] + w->total[MEAN * (int64_t)w->columns + c];
    for (int64_t j = 0; j < d; j++)
      v[j] = w->total[products_at(w) + k * d + j] - centre * mean[j];
    for (int i = 0; i < k; i++) {
      const double *u = w->direction.value + i * d;
      double dot = 0;
      for (int64_t j = 0; j < d; j++)
        dot += u[j] * v[j];
      for (int64_t j = 0; j < d; j++)
        v[j] -= dot * u[j];
    }
    for (int64_t j = 0; j < d; j++)
      norm += v[j] * v[j];
    for (int64_t j = 0; j < d; j++)
      v[j] = norm > 0 && norm < INFINITY ? v[j] / sqrt(norm) : w->sign[j];
  }
}

void dun_watch_close(struct dun_watch *w, int64_t moves, int slow)
{
  int64_t columns = w->columns;

  w->steps++;
  w->slow += slow && moves > 1;
  w->unknown += slow && moves == 1;
  if (learned(w))
    turn(w);
  for (int64_t i = 0; i < 2 * columns; i++) {
    w->moved.value[i] += w->total[i];
    w->variance.value[i] += w->total[NOISE * columns + i];
  }
  for (int64_t c = 0; c < columns; c++) {
    double variance = variance_of(w, c);
    w->centre.value[c] += w->total[MEAN * columns + c];
    w->scale.value[c] = sqrt(variance);
  }
}

/* ---- what to think of it ------------------------------------------------------------------- */

static void name_column(const struct dun_watch *w, int64_t column, char name[64])
{
  if (column < w->coordinates)
    snprintf(name, 64, "coordinate %lld", (long long)(column * w->d / w->coordinates));
  else if (column == w->columns - 1)
    snprintf(name, 64, "the log density");
  else
    snprintf(name, 64, "a sum of coordinates");
}

static void diagnose_drift(const struct dun_watch *w, struct dun_diagnosis *out)
{
  double worst = 0, by = 0;
  int64_t at = 0;
  char name[64];

  for (int64_t i = 0; i < 2 * w->columns; i++) {
    int64_t direction = i % w->columns - direction_column(w, 0);
    double noise = sqrt(w->variance.value[i]);
    double errors = noise > 0 ? fabs(w->moved.value[i]) / noise : 0;
    if (direction >= 0 && direction < DUN_DIRECTIONS)
      continue; /* learned from the very particles: of many coordinates it fits their noise */
    if (w->spins && i >= w->columns && i - w->columns < w->coordinates)
      continue;
    if (errors > worst) {
      worst = errors;
      by = w->moved.value[i];
      at = i;
    }
  }
  name_column(w, at % w->columns, name);
  double doubtful = w->apart ? 4 : 2; /* the largest of a hundred by chance; less than that */
  dun_diagnose(out, "drift", dun_verdict_above(worst, doubtful, 5),
               "the moves of all steps together changed the mean %s%s by %.2g deviations, %.1f "
               "errors, where 0 is expected%s",
               at < w->columns ? "of " : "square of ", name, by, worst,
               worst < doubtful ? "" : ": the target has parts that particles reach too slowly");
}

void dun_watch_diagnose(const struct dun_watch *watch, const struct dun_run *run,
                        struct dun_diagnosis *out)
{
  struct dun_watch sized = *watch; /* nothing was looked at since a restart */
  const struct dun_watch *w = &sized;
  size(&sized, run);
  double share = w->steps > 0 ? (double)w->slow / (double)w->steps : 0;
  double unknown = w->steps > 0 ? (double)w->unknown / (double)w->steps : 0;
  enum dun_verdict_level level = dun_verdict_above(share, .1, .4);

  diagnose_drift(w, out);
  dun_diagnose(out, "slow directions", level == DUN_GOOD && unknown >= .1 ? DUN_DOUBTFUL : level,
               "in %lld of %lld steps the moves renewed little of the direction of largest "
               "variance%s%s",
               (long long)(w->slow + w->unknown), (long long)w->steps,
               level == DUN_GOOD ? "" : ": take more of them, or metric: dense",
               unknown >= .1 ? "; single moves do not tell modes from slow directions" : "");
}
