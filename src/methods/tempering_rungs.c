/* Rungs of parallel tempering: what all ranks know of their replicas, how many there are, and what
 * comes before there are any. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "methods/tempering.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

/* ---- what all ranks know --------------------------------------------------------------------- */

static int64_t bits(double value)
{
  return (int64_t)dun_bits(value);
}

double dun_tempering_number(int64_t word)
{
  return dun_from_bits((uint64_t)word);
}

/* d log pi_t / dt of a local replica; -inf where every t > 0 kills it. */
static double derivative(const struct tempering *s, int K, int64_t i)
{
  double sum = 0;
  for (int k = 0; k < K; k++)
    if (s->slope[k] != 0)
      sum += s->slope[k] * dun_f64(s->part_lp)[i * K + k];
  return sum > DUN_NOWHERE ? sum : -INFINITY;
}

/* Every place is filled by one rank: integer sums bring the numbers to all unchanged. */
int dun_tempering_gather(struct dun_context *context, struct tempering *s,
                         const struct dun_run *run)
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
    s->all[2 * N + tiles->first + i] = bits(dun_f64(s->credit)[i]);
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

/* ---- their number ---------------------------------------------------------------------------- */

enum { FEWEST = 4, FIRST = 32, LADDERS = 4 };

/* Of the divisors of N above 1 that leave enough ladders the least from `least` on, or else the
 * largest; of those that leave too few, if there are no others, the least. */
static int64_t divisor(int64_t N, double least)
{
  int64_t found = 2;
  while (found < N && N % found != 0)
    found++;
  for (int64_t k = found; N / k >= LADDERS && (double)found < least; k++)
    found = N % k == 0 ? k : found;
  return found;
}

/* Many: of few rungs the coldest are stuck on their way down from a wide base, and tell little of
 * where others should stand. */
int64_t dun_tempering_first_rungs(const struct tempering *s, const struct dun_run *run)
{
  return s->temperatures > 0 ? s->temperatures : divisor(run->options.particles, FIRST);
}

int64_t dun_tempering_fewest_rungs(const struct tempering *s, const struct dun_run *run)
{
  return s->temperatures > 0 ? s->temperatures : divisor(run->options.particles, FEWEST);
}

/* Not before replicas have left their starts, nor so late that the metrics of new rungs are not
 * learned any more.  Fewer only where the rungs are about where they should be: else most of the
 * barrier may hide in a pair that rejects everything. */
int64_t dun_tempering_next_rungs(const struct tempering *s, const struct dun_run *run)
{
  const double more = .12, fewer = .25, last = .6; /* shares of the warm-up */
  const double level = .7;
  double share = (double)s->done / (double)s->warmup, worst;
  double wanted = dun_ladder_wanted(&s->ladder, &worst);
  if (s->temperatures > 0 || run->replicate > 0 || share < more || share > last)
    return s->rungs;
  wanted = wanted > FEWEST ? wanted : FEWEST;
  wanted = wanted < 2 * (double)s->rungs ? wanted : 2 * (double)s->rungs;
  int64_t found = divisor(run->options.particles, wanted);
  return found > s->rungs || (share >= fewer && worst < level) ? found : s->rungs;
}

/* The replicas of each new ladder, in the order of the rungs that they had. */
static void deal(struct tempering *s, int64_t N, int64_t before, int64_t rungs)
{
  int64_t *rung = s->all + N;
  for (int64_t first = 0; first < N; first += rungs) {
    int64_t next = 0;
    for (int64_t k = 0; k < before; k++)
      for (int64_t i = first; i < first + rungs; i++)
        if (rung[i] == k)
          s->replica[i] = next++;
  }
  memcpy(rung, s->replica, (size_t)N * sizeof *rung);
}

int dun_tempering_regroup(const struct dun_context *context, struct tempering *s,
                          struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t N = run->options.particles, rungs = s->ladder.rungs;
  if (rungs == s->rungs)
    return 0;
  deal(s, N, s->rungs, rungs);
  s->rungs = s->metric.rungs = rungs;
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i;
    dun_i64(s->root)[i] = global - global % rungs;
    dun_i64(s->rung)[2 * i + 1] = 0;
  }
  if (s->draws > 0)
    dun_run_members(context, run, rungs);
  run->now.ess = run->now.roots = (double)s->ladder.ladders;
  int status = dun_numbers_make(&s->astray, rungs, 0);
  if (status >= 0)
    status = dun_rung_metric_start(&s->metric);
  return status < 0 ? status : dun_bridge_init(&s->bridge, rungs, s->ladder.ladders);
}

/* ---- a base that is fitted ------------------------------------------------------------------- */

/* Of rungs the sweep is told by columns. */
static void show_rungs(const struct tempering *s, struct dun_run *run, int shown)
{
  run->sweep.time = shown ? s->chain_time : NULL;
  run->sweep.step_size = shown ? s->step_size : NULL;
  run->sweep.rung_scale = run->sweep.rung_factor = NULL;
}

/* What the pilots have learned is of the target alone; the rungs begin to learn from the base. */
static int leave_pilots(struct tempering *s, struct dun_run *run)
{
  s->phase = START;
  dun_sweep_forget(&run->sweep);
  return dun_adaptation_init(run->adaptation, run->kernel, run->kernel_self,
                             run->evaluator->dimension);
}

int dun_tempering_pilot(struct dun_context *context, struct tempering *s, struct dun_run *run)
{
  int status;
  show_rungs(s, run, 0);
  if (s->phase == PILOT_START) {
    status = dun_pilots_start(context, &s->pilots, run);
    s->phase = status < 0 ? PILOT_START : PILOT;
  } else if ((status = dun_pilots_move(context, &s->pilots, run)) > 0) {
    status = dun_agree(context, leave_pilots(s, run));
  }
  show_rungs(s, run, 1);
  return status < 0 ? status : DUN_TICK_GOING;
}
