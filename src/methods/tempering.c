/* Parallel tempering along an affine path, with the non-reversible swaps and the ladder of Syed,
 * Bouchard-Cote, Deligiannidis & Doucet 2022 (J. R. Stat. Soc. B 84, 321).
 *
 *   particles are replicas: N = L ladders of R rungs, 0 = t_0 < ... < t_{R-1} = 1
 *   repeat:
 *     move: a sweep of the kernel, every replica at the time of its rung
 *     swap: rungs k, k + 1 with even k in even sweeps, odd k in odd ones: with probability
 *           min(1, exp((t_{k+1} - t_k)(V_k - V_{k+1}))) two replicas exchange their times
 *
 * V = d log pi_t / dt of a replica's point.  Times are exchanged, rows never.  In the warm-up the
 * rejections r_k of rounds of doubling length give the barrier Lambda(t_k) = r_0 + ... + r_{k-1},
 * and the next ladder has its times at equal distances of Lambda.
 *
 * log Z is the sum over pairs of rungs of the geometric bridge (Meng & Wong 1996, Stat. Sin. 6,
 * 831): Z_{k+1} / Z_k = E_k exp(dt V / 2) / E_{k+1} exp(-dt V / 2).
 *
 * Decisions need V, rung and acceptance of all replicas on all ranks: one sum of 3 N + 1 integers
 * a sweep (24 N bytes), of which each rank fills its own; all ranks then decide the same. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "methods/run.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { START, WARMUP, SAMPLE };
enum { BATCHES = 20 };

struct tempering {
  /* options */
  long long rungs, warmup, sweeps;

  /* state */
  int64_t phase, done;         /* sweeps done in this phase */
  int64_t round;               /* sweeps of the present step */
  int64_t trips;               /* from the last rung to the first and back, all replicas */
  struct dun_numbers time;     /* [R] of the rungs, owned */
  struct dun_numbers log_step; /* [R], owned */
  struct dun_numbers rejected; /* [R][2]: sum of rejection probabilities of k, k + 1; attempts */
  struct dun_numbers ladder;   /* [L][R][3]: bridge sums of a ladder */
  struct dun_numbers batch;    /* [BATCHES][R][3]: of a batch of sweeps, over all ladders */
  struct dun_numbers center;   /* [R]: V about which the pair k, k + 1 is summed */

  /* made by init */
  struct dun_column *x, *logw, *root, *part_lp, *chain_time, *step_size, *acceptance, *rung;
  int64_t *all;      /* [3][N] and round trips: bits of V, rung, bits of acceptance */
  int64_t *replica;  /* [R]: of one ladder, by rung */
  double *slope;     /* [K] dc_k / dt */
  double *intercept; /* [K] scratch */
};

enum { UP, DOWN, COUNT, SUMS }; /* of exp(dt V / 2) at k, of exp(-dt V / 2) at k + 1, how many */

#define STATE(member, type_)                                                                       \
  {                                                                                                \
#member, type_, offsetof(struct tempering, member), 1                                          \
  }
static const struct dun_state state[] = {
    STATE(phase, DUN_STATE_INTEGER),
    STATE(done, DUN_STATE_INTEGER),
    STATE(round, DUN_STATE_INTEGER),
    STATE(trips, DUN_STATE_INTEGER),
    STATE(time, DUN_STATE_NUMBERS),
    STATE(log_step, DUN_STATE_NUMBERS),
    STATE(rejected, DUN_STATE_NUMBERS),
    STATE(ladder, DUN_STATE_NUMBERS),
    STATE(batch, DUN_STATE_NUMBERS),
    STATE(center, DUN_STATE_NUMBERS),
    {0},
};

/* ---- setting up -------------------------------------------------------------------------- */

static struct dun_column *column(struct dun_run *run, const char *name, enum dun_column_type type,
                                 int width, unsigned flags, const char *doc)
{
  return dun_population_declare(
      &run->population,
      (struct dun_column){.name = name, .type = type, .width = width, .flags = flags, .doc = doc});
}

static int check(const struct tempering *s, const struct dun_run *run)
{
  if (!run->path->affine || !run->path->draw)
    return dun_fail(DUN_ERROR_INPUT,
                    "method tempering follows affine paths, and path %s is not "
                    "one",
                    run->path->type.name);
  if (run->path->pilot && run->path->pilot(run->path_self).moves > 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "method tempering needs a base that is given, not one fitted by pilot chains");
  if (run->path->schedule && run->path->schedule(run->path_self)->type != DUN_SCHEDULE_ADAPTIVE)
    return dun_fail(DUN_ERROR_INPUT, "path.schedule is for methods that follow one; method "
                                     "tempering adapts a ladder of its own");
  if (dun_kernel_is_biased(run->kernel, run->kernel_self))
    return dun_fail(DUN_ERROR_INPUT,
                    "method tempering needs a kernel that leaves pi_t invariant, and kernel %s "
                    "with these options does not",
                    run->kernel->type.name);
  if (run->options.particles % s->rungs)
    return dun_fail(DUN_ERROR_INPUT,
                    "run.particles is %lld, expected a multiple of method.temperatures, %lld",
                    run->options.particles, s->rungs);
  return 0;
}

static int numbers(struct dun_numbers *n, int64_t count)
{
  DUN_FREE(n->value);
  n->value = dun_allocate(count, sizeof *n->value);
  n->count = n->value ? count : 0;
  return n->value ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct tempering *s = self;
  int d = run->evaluator->dimension, K = run->path->parts;
  unsigned kept = DUN_MOVES | DUN_SAVED;
  int code = check(s, run);

  (void)context;
  if (code < 0)
    return code;
  s->x = column(run, "x", DUN_F64, d, kept | DUN_HASHED, "The replica's point.");
  s->logw = column(run, "logw", DUN_F64, 1, DUN_SAVED, "0 at time 1, -inf elsewhere.");
  s->root = column(run, "root", DUN_I64, 1, kept | DUN_OUTPUT,
                   "Global index of the first replica of the ladder.");
  s->part_lp = column(run, "part_lp", DUN_F64, K, kept, "Log densities of the path's parts.");
  s->chain_time = column(run, "time", DUN_F64, 1, DUN_SAVED | DUN_HASHED, "The replica's time.");
  s->step_size = column(run, "step_size", DUN_F64, 1, DUN_SAVED, "The replica's step size.");
  s->acceptance = column(run, "acceptance", DUN_F64, 1, DUN_SAVED, "Of the last move.");
  s->rung = column(run, "rung", DUN_I64, 2, DUN_SAVED,
                   "Place in the ladder; 1 on the way from the last rung to the first, 2 back.");
  if (!s->x || !s->logw || !s->root || !s->part_lp || !s->chain_time || !s->step_size ||
      !s->acceptance || !s->rung)
    return DUN_ERROR_MEMORY;
  run->logw = s->logw;
  run->root = s->root;
  s->all = dun_allocate(3 * run->options.particles + 1, sizeof *s->all);
  s->replica = dun_allocate(s->rungs, sizeof *s->replica);
  s->slope = dun_allocate(K, sizeof *s->slope);
  s->intercept = dun_allocate(K, sizeof *s->intercept);
  return s->all && s->replica && s->slope && s->intercept ? 0 : DUN_ERROR_MEMORY;
}

static void release(void *self)
{
  struct tempering *s = self;
  struct dun_numbers *const owned[] = {&s->time,   &s->log_step, &s->rejected,
                                       &s->ladder, &s->batch,    &s->center};
  for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
    DUN_FREE(owned[i]->value);
  DUN_FREE(s->all);
  DUN_FREE(s->replica);
  DUN_FREE(s->slope);
  DUN_FREE(s->intercept);
}

static int start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct tempering *s = self;
  int64_t R = s->rungs, N = run->options.particles;
  int code = dun_adaptation_init(&run->adaptation, run->kernel, run->kernel_self,
                                 run->evaluator->dimension);

  (void)context;
  if (code < 0 || numbers(&s->time, R) < 0 || numbers(&s->log_step, R) < 0 ||
      numbers(&s->rejected, 2 * R) < 0 || numbers(&s->ladder, SUMS * N) < 0 ||
      numbers(&s->batch, SUMS * R * BATCHES) < 0 || numbers(&s->center, R) < 0)
    return DUN_ERROR_MEMORY;
  memset(s->rejected.value, 0, (size_t)(2 * R) * sizeof(double));
  memset(s->ladder.value, 0, (size_t)(SUMS * N) * sizeof(double));
  memset(s->batch.value, 0, (size_t)(SUMS * R * BATCHES) * sizeof(double));
  memset(s->center.value, 0, (size_t)R * sizeof(double));
  for (int64_t k = 0; k < R; k++) {
    double share = (double)k / (double)(R - 1);
    s->time.value[k] = share * share * share;
    s->log_step.value[k] = run->adaptation.log_step;
  }
  s->phase = START;
  s->done = s->round = s->trips = 0;
  run->now = (struct dun_now){.ess = (double)(N / R),
                              .acceptance = NAN,
                              .log_likelihood_mean = NAN,
                              .log_likelihood_variance = NAN};
  return 0;
}

/* ---- replicas ---------------------------------------------------------------------------- */

/* A replica's time, weight and jittered step size, as its rung says. */
static void place(struct tempering *s, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_SWAP);
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i, k = dun_i64(s->rung)[2 * i];
    address.tile = (uint32_t)(global / s->rungs);
    double u = dun_uniform_one(address, s->rungs + global % s->rungs);
    dun_f64(s->chain_time)[i] = s->time.value[k];
    dun_f64(s->step_size)[i] =
        dun_scalar_exp(s->log_step.value[k]) * (1 + run->adaptation.jitter * (2 * u - 1));
    dun_f64(s->logw)[i] = k == s->rungs - 1 ? 0 : -INFINITY;
  }
}

static int draw(struct tempering *s, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int d = run->evaluator->dimension, uniforms, normals;
  run->path->draws(run->path_self, &uniforms, &normals);
  int64_t U = uniforms < 0 ? d : uniforms, G = normals < 0 ? d : normals;
  double *block = dun_allocate((U + G + d) * DUN_LANES, sizeof *block);

  if (!block)
    return DUN_ERROR_MEMORY;
  double *normal = block + U * DUN_LANES, *x = normal + G * DUN_LANES;
  for (int64_t i = 0; i < tiles->count; i++) {
    struct dun_address address = dun_run_address(run, DUN_PURPOSE_START);
    address.tile = (uint32_t)(tiles->first_tile + i);
    dun_normals(address, (int)G, normal);
    address.step += UINT32_C(1) << 31; /* ticks stay below: the uniforms' own half of the steps */
    dun_uniforms(address, (int)U, block);
    run->path->draw(run->path_self, block, normal, x);
    dun_tile_store(&run->population, s->x, i, x);
  }
  dun_free(block);
  return 0;
}

static int begin(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int code = dun_agree(context, draw(s, run));
  if (code < 0)
    return code;
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i;
    dun_i64(s->rung)[2 * i] = global % s->rungs;
    dun_i64(s->rung)[2 * i + 1] = 0;
    dun_i64(s->root)[i] = global - global % s->rungs;
  }
  place(s, run);
  dun_sweep_forget(&run->sweep);
  code = dun_sweep_evaluate(context, &run->sweep, 0, INT64_MAX);
  s->phase = WARMUP;
  return code < 0 ? code : DUN_TICK_GOING;
}

static int64_t bits(double value)
{
  int64_t word;
  memcpy(&word, &value, sizeof word);
  return word;
}

static double number(int64_t word)
{
  double value;
  memcpy(&value, &word, sizeof value);
  return value;
}

/* d log pi_t / dt of a local replica. */
static double derivative(const struct tempering *s, int K, int64_t i)
{
  double sum = 0;
  for (int k = 0; k < K; k++)
    if (s->slope[k] != 0)
      sum += s->slope[k] * dun_f64(s->part_lp)[i * K + k];
  return sum;
}

/* Every place is filled by one rank: integer sums bring the numbers to all unchanged. */
static int gather(struct dun_context *context, struct tempering *s, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t N = tiles->total, trips = 0;
  int K = run->path->parts;

  run->path->coefficients(run->path_self, 0, s->intercept);
  run->path->coefficients(run->path_self, 1, s->slope);
  for (int k = 0; k < K; k++)
    s->slope[k] -= s->intercept[k];
  memset(s->all, 0, (size_t)(3 * N + 1) * sizeof *s->all);
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t *rung = dun_i64(s->rung) + 2 * i;
    s->all[tiles->first + i] = bits(derivative(s, K, i));
    s->all[N + tiles->first + i] = rung[0];
    s->all[2 * N + tiles->first + i] = bits(dun_f64(s->acceptance)[i]);
    if (rung[0] == 0 && rung[1] == 1)
      rung[1] = 2;
    if (rung[0] == s->rungs - 1) {
      trips += rung[1] == 2;
      rung[1] = 1;
    }
  }
  s->all[3 * N] = trips;
  return dun_sum_integers(context, 0, 3 * N + 1, s->all);
}

/* ---- what the rungs tell ------------------------------------------------------------------ */

static void find_replicas(struct tempering *s, int64_t ladder, int64_t N)
{
  for (int64_t j = 0; j < s->rungs; j++)
    s->replica[s->all[N + ladder * s->rungs + j]] = ladder * s->rungs + j;
}

static void add_bridge(const struct tempering *s, double *sum, int64_t k, double below,
                       double above)
{
  double half = .5 * (s->time.value[k + 1] - s->time.value[k]), c = s->center.value[k];
  sum[k * SUMS + UP] += dun_scalar_exp(half * (below - c));
  sum[k * SUMS + DOWN] += dun_scalar_exp(half * (c - above));
  sum[k * SUMS + COUNT] += 1;
}

/* Rejections of the pairs whose turn it is, bridge sums of all, and the swaps. */
static void visit_ladder(struct tempering *s, const struct dun_run *run, int64_t ladder, int batch)
{
  int64_t N = run->options.particles, R = s->rungs;
  struct dun_address address = dun_run_address(run, DUN_PURPOSE_SWAP);

  address.tile = (uint32_t)ladder;
  find_replicas(s, ladder, N);
  for (int64_t k = 0; k + 1 < R; k++) {
    double below = number(s->all[s->replica[k]]), above = number(s->all[s->replica[k + 1]]);
    double log_ratio = (s->time.value[k + 1] - s->time.value[k]) * (below - above);
    double acceptance = isnan(log_ratio) ? 0 : log_ratio >= 0 ? 1 : dun_scalar_exp(log_ratio);
    s->rejected.value[2 * k] += 1 - acceptance;
    s->rejected.value[2 * k + 1] += 1;
    if (batch >= 0) {
      add_bridge(s, s->ladder.value + ladder * R * SUMS, k, below, above);
      add_bridge(s, s->batch.value + batch * R * SUMS, k, below, above);
    } else {
      s->center.value[k] += .02 / (double)(N / R) * (.5 * (below + above) - s->center.value[k]);
    }
    if (k % 2 == s->done % 2 && dun_scalar_log(dun_uniform_one(address, k)) < log_ratio) {
      s->all[N + s->replica[k]] = k + 1;
      s->all[N + s->replica[k + 1]] = k;
    }
  }
}

static void take_rungs(struct tempering *s, const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < tiles->local; i++)
    dun_i64(s->rung)[2 * i] = s->all[tiles->total + tiles->first + i];
  place(s, run);
}

/* Step sizes by the mean acceptance of the replicas that were at a rung in this sweep. */
static void adapt_steps(struct tempering *s, const struct dun_run *run)
{
  int64_t N = run->options.particles, ladders = N / s->rungs;
  double gain = 2 / sqrt(1 + (double)s->done);

  if (!run->adaptation.adapt_step)
    return;
  for (int64_t i = 0; i < N; i++) {
    double acceptance = number(s->all[2 * N + i]);
    s->log_step.value[s->all[N + i]] +=
        gain * (acceptance - run->adaptation.target_acceptance) / (double)ladders;
  }
}

static double rejection(const struct tempering *s, int64_t k)
{
  double attempts = s->rejected.value[2 * k + 1];
  return attempts > 0 ? s->rejected.value[2 * k] / attempts : 0;
}

static double barrier_of(const struct tempering *s)
{
  double sum = 0;
  for (int64_t k = 0; k + 1 < s->rungs; k++)
    sum += rejection(s, k);
  return sum;
}

/* The next ladder: times at equal distances of the barrier, linear between the present ones. */
static int adapt_ladder(struct tempering *s)
{
  int64_t R = s->rungs, k = 0;
  double least = 1e-3 / (double)R, below = 0, total = barrier_of(s) + least * (double)(R - 1);
  double *next = dun_allocate(R, sizeof *next);

  if (!next)
    return DUN_ERROR_MEMORY;
  for (int64_t j = 1; j + 1 < R; j++) {
    double wanted = total * (double)j / (double)(R - 1);
    while (k + 2 < R && below + rejection(s, k) + least < wanted)
      below += rejection(s, k++) + least;
    double share = (wanted - below) / (rejection(s, k) + least);
    share = share < 1 ? share : 1;
    next[j] = s->time.value[k] + share * (s->time.value[k + 1] - s->time.value[k]);
  }
  memcpy(s->time.value + 1, next + 1, (size_t)(R - 2) * sizeof *next);
  dun_free(next);
  return 0;
}

static void forget_rejections(struct tempering *s)
{
  memset(s->rejected.value, 0, (size_t)(2 * s->rungs) * sizeof(double));
}

/* ---- log Z ------------------------------------------------------------------------------- */

static double bridge(const struct tempering *s, const double *sum)
{
  double log_z = 0;
  for (int64_t k = 0; k + 1 < s->rungs; k++)
    log_z += (s->time.value[k + 1] - s->time.value[k]) * s->center.value[k] +
             dun_scalar_log(sum[k * SUMS + UP]) - dun_scalar_log(sum[k * SUMS + DOWN]);
  return log_z;
}

/* Standard error of the mean of `count` estimates. */
static double spread(const struct tempering *s, const double *sums, int64_t count)
{
  double mean = 0, square = 0;
  for (int64_t i = 0; i < count; i++)
    mean += bridge(s, sums + i * s->rungs * SUMS) / (double)count;
  for (int64_t i = 0; i < count; i++) {
    double deviation = bridge(s, sums + i * s->rungs * SUMS) - mean;
    square += deviation * deviation;
  }
  return sqrt(square / ((double)count * (double)(count - 1)));
}

/* The larger of the errors by batches of sweeps and, from four on, by ladders. */
static int estimate(struct tempering *s, struct dun_run *run, int64_t batches)
{
  int64_t length = s->rungs * SUMS, ladders = run->options.particles / s->rungs;
  double *total = dun_allocate(length, sizeof *total), other;

  if (!total)
    return DUN_ERROR_MEMORY;
  memset(total, 0, (size_t)length * sizeof *total);
  for (int64_t i = 0; i < batches * length; i++)
    total[i % length] += s->batch.value[i];
  run->now.log_evidence = bridge(s, total);
  run->now.log_evidence_error = batches > 1 ? spread(s, s->batch.value, batches) : NAN;
  other = ladders >= 4 ? spread(s, s->ladder.value, ladders) : 0;
  if (other > run->now.log_evidence_error)
    run->now.log_evidence_error = other;
  dun_free(total);
  return 0;
}

/* ---- the algorithm ----------------------------------------------------------------------- */

/* One sweep, and the swaps; batch -1: of the warm-up. */
static int sweep(struct dun_context *context, struct tempering *s, struct dun_run *run, int batch)
{
  int64_t ladders = run->options.particles / s->rungs;
  struct dun_look look;
  int code = dun_sweep_move(context, &run->sweep, dun_run_address(run, 0), 1, INT64_MAX, &look);
  if (code < 0 || (code = gather(context, s, run)) < 0)
    return code;
  run->now.acceptance = look.acceptance;
  run->now.autocorrelation = run->now.never_moved = NAN;
  run->now.step_size = dun_scalar_exp(s->log_step.value[s->rungs - 1]);
  run->now.leapfrogs = run->kernel->uses_leapfrogs ? run->adaptation.length : NAN;
  run->now.time = 1;
  run->now.moves = (double)++s->round;
  s->trips += s->all[3 * run->options.particles];
  if (batch < 0) {
    adapt_steps(s, run);
    dun_adaptation_update(&run->adaptation, &look); /* the trajectory length */
  }
  for (int64_t ladder = 0; ladder < ladders; ladder++)
    visit_ladder(s, run, ladder, batch);
  s->done++;
  return 0;
}

static int step(struct tempering *s, struct dun_run *run)
{
  s->round = 0;
  run->now.step++;
  return DUN_TICK_STEP;
}

/* Rounds of 1, 1, 2, 4, ... thirty-seconds of the warm-up, each with the ladder of the last. */
static int warm_up(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int64_t unit = s->warmup / 32 > 0 ? s->warmup / 32 : 1;
  int code;
  if ((code = sweep(context, s, run, -1)) < 0)
    return code;
  int last = s->done == s->warmup, turn = s->done % unit == 0;
  int64_t units = s->done / unit;
  if ((turn && (units & (units - 1)) == 0 && units < 32) || last) {
    /* The last quarter settles step sizes and centres at the ladder that stays. */
    if (!last && (code = adapt_ladder(s)) < 0)
      return code;
    forget_rejections(s);
    if (last) {
      s->phase = SAMPLE;
      s->done = s->trips = 0;
    }
    take_rungs(s, run);
    return step(s, run);
  }
  take_rungs(s, run);
  return DUN_TICK_GOING;
}

static int sample(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int64_t batch = s->done * BATCHES / s->sweeps;
  int code;
  if ((code = sweep(context, s, run, (int)batch)) < 0)
    return code;
  take_rungs(s, run);
  if (s->done < s->sweeps && s->done * BATCHES / s->sweeps == batch)
    return DUN_TICK_GOING;
  code = estimate(s, run, batch + 1);
  return code < 0 ? code : step(s, run);
}

static int advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct tempering *s = self;
  if (s->phase == SAMPLE && s->done == s->sweeps)
    return DUN_TICK_DONE;
  enum dun_phase before = dun_timers_switch(&context->timers, DUN_PHASE_MOVE);
  int code = s->phase == START    ? begin(context, s, run)
             : s->phase == WARMUP ? warm_up(context, s, run)
                                  : sample(context, s, run);
  dun_timers_switch(&context->timers, before);
  return code;
}

/* ---- what to think of it ----------------------------------------------------------------- */

static enum dun_verdict_level above(double value, double doubtful, double bad)
{
  return value >= bad ? DUN_BAD : value >= doubtful ? DUN_DOUBTFUL : DUN_GOOD;
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct tempering *s = self;
  const struct dun_now *now = &run->now;
  double ladders = (double)(run->options.particles / s->rungs);
  double most = 0, barrier = barrier_of(s);

  for (int64_t k = 0; k + 1 < s->rungs; k++)
    most = rejection(s, k) > most ? rejection(s, k) : most;
  dun_diagnose(out, "evidence", above(now->log_evidence_error, .3, 1),
               "the reported error of log Z is %.3g; it covers the modes that were found",
               now->log_evidence_error);
  dun_diagnose(
      out, "swaps", above(most, .85, .99),
      "the worst pair of rungs rejects %.0f%% of its swaps; the barrier is %.2f, for which "
      "about %.0f temperatures are right",
      100 * most, barrier, 1 + ceil(2 * barrier));
  dun_diagnose(out, "round trips", above(-(double)s->trips, -10 * ladders, -ladders),
               "%lld round trips between the base and the target in %lld sweeps of %.0f ladders",
               (long long)s->trips, s->sweeps, ladders);
  dun_diagnose(out, "acceptance", above(-now->acceptance, -.1, -.01),
               "the mean acceptance of the last sweep was %.3f", now->acceptance);
}

#define WHOLE(name_, member_, initial_, least_, doc_)                                              \
  {                                                                                                \
    .name = name_, .type = DUN_INTEGER, .offset = offsetof(struct tempering, member_),             \
    .initial = initial_, .minimum = least_, .maximum = 1e8, .doc = doc_                            \
  }
static const struct dun_option options[] = {
    WHOLE("temperatures", rungs, "10", 2,
          "Rungs of a ladder; run.particles is a multiple: that many ladders side by side."),
    WHOLE("warmup", warmup, "500", 1,
          "Sweeps in which the ladder, step sizes and trajectory length are adapted."),
    WHOLE("sweeps", sweeps, "1000", 20, "Sweeps after the warm-up; log Z is estimated from them."),
    {0},
};

const struct dun_method dun_method_tempering = {
    .type = {DUN_TYPE(struct dun_method), .name = "tempering",
             .doc = "Parallel tempering with non-reversible swaps and a ladder of equal swap "
                    "rates; the draws are the replicas at time 1 after the last sweep.",
             .citation = "Syed, Bouchard-Cote, Deligiannidis & Doucet 2022, J. R. Stat. Soc. B "
                         "84, 321",
             .size = sizeof(struct tempering), .options = options, .state = state, .free = release},
    .needs_path = 1,
    .needs_kernel = 1,
    .init = init,
    .start = start,
    .advance = advance,
    .diagnose = diagnose,
};
