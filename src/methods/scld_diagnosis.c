/* What to think of a training by method scld. */
#include "methods/judge.h"
#include "methods/scld.h"

void dun_scld_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct dun_scld *s = self;
  double ancestors = 1 / s->now.square_sum, acceptance = dun_scld_acceptance(s);
  int less = s->loss < s->first_loss;
  if (s->done > 0)
    dun_diagnose(out, "loss",
                 less           ? DUN_GOOD
                 : s->done == 1 ? DUN_DOUBTFUL
                                : DUN_BAD,
                 "the variance of a piece's log weights is %.4g, was %.4g at the first of %lld "
                 "steps%s",
                 s->loss, s->first_loss, (long long)s->done, less ? "" : ": nothing was learned");
  if (s->lost)
    dun_diagnose(out, "lost", DUN_BAD,
                 "behind step %lld no particle had any weight left: the training was ended, with "
                 "what the simulation before went by; take lower rates",
                 (long long)s->done);
  dun_diagnose_origins(out, run, s->now.missing);
  if (s->optimiser.skipped > 0)
    dun_diagnose(out, "divergence", 10 * s->optimiser.skipped < s->done ? DUN_DOUBTFUL : DUN_BAD,
                 "%lld gradients were no numbers and were skipped",
                 (long long)s->optimiser.skipped);
  dun_judge_genealogy(run, run->options.particles, ancestors, out);
  dun_judge_evidence(&run->now, ancestors, s->moves_every == 0, out);
  if (s->now.moves > 0)
    dun_diagnose(out, "acceptance", dun_verdict_above(-acceptance, -.1, -.01),
                 "the mean acceptance of the last simulation's moves was %.3f", acceptance);
  dun_diagnose(out, "training", DUN_DOUBTFUL,
               "the particles are those of one simulation of a training: method smc with path.load "
               "tells how well what was learned does");
}
