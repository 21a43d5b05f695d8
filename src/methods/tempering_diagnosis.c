/* What to think of a run of parallel tempering, of what it is to work with, and of a state that was
 * read. */
#include "base/error.h"
#include "base/memory.h"
#include "methods/barrier.h"
#include "methods/tempering.h"
#include <math.h>

int dun_tempering_check(const struct tempering *s, const struct dun_run *run)
{
  int metric = ((const struct dun_kernel_options *)run->kernel_self)->metric;

  if (!run->path->affine || run->path->piece_end || !run->path->draw)
    return dun_fail(DUN_ERROR_INPUT,
                    "method tempering follows affine paths, and path %s is not "
                    "one",
                    run->path->type.name);
  if (run->path->schedule && run->path->schedule(run->path_self)->type != DUN_SCHEDULE_ADAPTIVE)
    return dun_fail(DUN_ERROR_INPUT, "path.schedule is for methods that follow one; method "
                                     "tempering adapts a ladder of its own");
  if (dun_kernel_is_biased(run->kernel, run->kernel_self))
    return dun_fail(DUN_ERROR_INPUT,
                    "method tempering needs a kernel that leaves pi_t invariant, and kernel %s "
                    "with these options does not",
                    run->kernel->type.name);
  if (run->kernel->uses_centre)
    return dun_fail(DUN_ERROR_INPUT, "method tempering learns no centre, and kernel %s needs one",
                    run->kernel->type.name);
  if (metric == DUN_METRIC_FOURIER ||
      (metric == DUN_METRIC_DENSE && !dun_rung_metric_may_be_dense(run)))
    return dun_fail(DUN_ERROR_INPUT,
                    "method tempering has a metric for every rung: kernel.metric can be identity, "
                    "diagonal, or, in 2 to %d dimensions, dense",
                    DUN_RUNGS_DENSE_MOST);
  if (s->temperatures > 0 && run->options.particles % s->temperatures)
    return dun_fail(DUN_ERROR_INPUT,
                    "run.particles is %lld, expected a multiple of method.temperatures, %lld",
                    run->options.particles, s->temperatures);
  if (run->options.particles < 2)
    return dun_fail(
        DUN_ERROR_INPUT,
        "run.particles is %lld, and a ladder of method tempering has two rungs at least",
        run->options.particles);
  return dun_pilots_check(run);
}

static void diagnose_evidence(const struct tempering *s, const struct dun_run *run,
                              struct dun_diagnosis *out)
{
  double error = run->now.log_evidence_error;
  if (s->draws == 0)
    return;
  if (s->flat)
    dun_diagnose(out, "evidence", DUN_BAD,
                 "the target and the base differ by the same number at every point of every rung: "
                 "either they are the same law, or nothing of the target was found");
  else if (!isfinite(run->now.log_evidence))
    dun_diagnose(out, "evidence", DUN_BAD, "no point of a rung lies inside the next one's law");
  else if (!isfinite(error))
    dun_diagnose(out, "evidence", DUN_DOUBTFUL,
                 "the error of log Z is not known: there is one sweep of less than 4 ladders, or "
                 "all that a rung knows of its neighbour comes from one part of the run");
  else
    dun_diagnose(out, "evidence", dun_verdict_above(error, .3, 1),
                 "the reported error of log Z is %.3g; it covers the modes that were found", error);
  if (!isnan(s->drift))
    dun_diagnose(out, "batches", dun_verdict_above(fabs(s->drift), 3, 6),
                 "log Z of the draws' second half lies %.2f standard errors from that of the first",
                 s->drift);
}

/* From .7 on the largest weights are too rare for sums over them (Vehtari et al. 2024): what is
 * heavier than the base has not been seen. */
static void diagnose_tails(const struct tempering *s, struct dun_diagnosis *out)
{
  if (s->draws > 0 && !isnan(s->tail) && s->tail > -INFINITY)
    dun_diagnose(out, "reach", dun_verdict_above(s->tail, .7, 1),
                 "the weights from rung %lld to the next have a Pareto shape of %.2f%s",
                 (long long)s->tail_rung, s->tail,
                 s->tail < .7 ? "" : ": the base does not reach the target's tails");
}

/* What t > 0 kills of the base swaps nowhere, and no ladder can help it. */
static void diagnose_support(const struct tempering *s, struct dun_diagnosis *out)
{
  double lost = dun_ladder_lost(&s->ladder);
  if (lost > 0)
    dun_diagnose(out, "support", dun_verdict_above(lost, .9, .999),
                 "the target's density is 0 at %.3g%% of the base's points, from which nothing "
                 "climbs the ladder",
                 100 * lost);
}

static void diagnose_swaps(const struct tempering *s, struct dun_diagnosis *out)
{
  double most = 0, least = 1, barrier = 0;
  for (int64_t k = 0; k + 1 < s->rungs; k++) {
    double rejection = dun_ladder_inside(&s->ladder, k);
    barrier += dun_barrier_distance(rejection);
    most = rejection > most ? rejection : most;
    least = rejection < least ? rejection : least;
  }
  dun_diagnose(
      out, "swaps", dun_verdict_above(most, .85, .99),
      "the worst pair of rungs rejects %.0f%% of its swaps; the barrier is %s%.2f, for which "
      "about %.0f temperatures are right",
      100 * most, most < .99 ? "" : "at least ", barrier, 1 + ceil(2 * barrier));
  dun_diagnose(out, "ladder", dun_verdict_above(most - least, .3, 2),
               "the pairs of rungs reject %.0f%% to %.0f%% of their swaps%s", 100 * least,
               100 * most,
               most - least < .3 ? "" : ": far from equal; a longer warm-up spaces them better");
}

/* Where trajectories go astray there may be more of a law that none has entered.  Below the target
 * draws of the base go up the ladder, too: there they may be many before that is a matter. */
static void diagnose_astray(const struct tempering *s, const struct dun_run *run,
                            struct dun_diagnosis *out)
{
  const double few = 1e-4, some = .01;
  double moves = (double)s->done * (double)s->ladder.ladders, worst = 0;
  double target = s->astray.value[s->rungs - 1] / moves;
  int64_t at = 0;
  for (int64_t k = 0; k + 1 < s->rungs; k++)
    if (s->astray.value[k] / moves > worst) {
      worst = s->astray.value[k] / moves;
      at = k;
    }
  if (!run->kernel->uses_leapfrogs || s->draws == 0)
    return;
  enum dun_verdict_level level = dun_verdict_above(target, few, some);
  enum dun_verdict_level below = dun_verdict_above(worst, .1, .5);
  dun_diagnose(
      out, "divergences", below > level ? below : level,
      "%.3g%% of the trajectories of the target, %.3g%% of those of rung %lld, went astray: "
      "their energy rose by more than 700, and not at a wall",
      100 * target, 100 * worst, (long long)at);
}

void dun_tempering_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct tempering *s = self;
  double ladders = (double)s->ladder.ladders, acceptance = s->accepted / (double)s->done;

  dun_pilots_diagnose(&s->pilots, out);
  dun_starts_diagnose(&s->starts, run, out);
  diagnose_evidence(s, run, out);
  diagnose_tails(s, out);
  diagnose_support(s, out);
  diagnose_swaps(s, out);
  dun_diagnose(out, "round trips", dun_verdict_above(-(double)s->trips, -10 * ladders, -ladders),
               "%lld round trips between the base and the target in %lld sweeps of %.0f ladders",
               (long long)s->trips, (long long)s->done, ladders);
  dun_rung_metric_diagnose(&s->metric, &s->ladder, out);
  diagnose_astray(s, run, out);
  dun_diagnose(out, "acceptance", dun_verdict_above(-acceptance, -.1, -.01),
               "the mean acceptance was %.3f", acceptance);
}

/* The state's rungs are those of a run with these options, and what was made for the first ones is
 * made for them. */
static int take_rungs(struct tempering *s)
{
  struct dun_ladder *l = &s->ladder;
  int64_t N = l->rungs * l->ladders;
  if (s->rungs < 2 || s->rungs > N || N % s->rungs != 0 ||
      (s->temperatures > 0 && s->rungs != s->temperatures))
    return 0;
  s->metric.rungs = s->rungs;
  return s->astray.count == s->rungs && dun_ladder_scratch(l, s->rungs, N / s->rungs, l->d) == 0 &&
         dun_bridge_scratch(&s->bridge, s->rungs, N / s->rungs) == 0;
}

int dun_tempering_restore(void *self)
{
  struct tempering *s = self;
  int64_t local = dun_block_bytes(s->first) - 1; /* this rank's particles, and one more */
  int64_t sampled = s->draws * s->thin, most = s->phase == SAMPLE ? sampled : s->warmup - 1;
  int ended = s->phase == SAMPLE && s->draws == 0; /* `done` is the warm-up's */
  int sound = take_rungs(s) && (ended || s->phase <= START || s->done <= most) &&
              s->tail_rung < s->rungs && dun_ladder_is_sound(&s->ladder) &&
              dun_rung_metric_is_sound(&s->metric) && dun_bridge_is_sound(&s->bridge);
  for (int64_t i = 0; i < local && sound; i++)
    sound = dun_i64(s->rung)[2 * i] >= 0 && dun_i64(s->rung)[2 * i] < s->rungs;
  return sound ? 0
               : dun_fail(DUN_ERROR_INPUT, "The checkpoint has a ladder that method tempering does "
                                           "not have with these options.");
}
