/* What to think of a run of stochastic localization. */
#include "methods/localization.h"

static void judge_steps(const struct localization *s, const struct dun_run *run,
                        struct dun_diagnosis *out)
{
  const char *observation = s->posterior.observation->type.name;
  if (s->exact)
    dun_diagnose(out, "steps", DUN_GOOD,
                 "%lld steps of observation %s by %s, which make no error however long they are",
                 (long long)s->steps, observation,
                 s->by_draws ? "draws from its posteriors" : "one letter after the other");
  else if (s->letter_by_letter)
    dun_diagnose(out, "steps", DUN_DOUBTFUL,
                 "%lld steps of observation %s by one letter after the other, whose laws field %s "
                 "knows nearly: what that costs is not known",
                 (long long)s->steps, observation, s->posterior.field->type.name);
  else if (s->posterior.remembers)
    dun_diagnose(
        out, "steps", DUN_DOUBTFUL,
        "%lld steps of observation %s by %s of chains: what their length, chains that have "
        "not come far, and modes that none has met cost is not known: compare with twice "
        "as many, other moves and another first",
        (long long)s->steps, observation, s->by_draws ? "draws" : "means");
  else if (s->by_draws)
    dun_diagnose(out, "steps", DUN_DOUBTFUL,
                 "%lld steps of observation %s by draws from its posteriors, which make no error, "
                 "from where moves of the observation had come: how far that is from its law is "
                 "not known",
                 (long long)s->steps, observation);
  else if (s->certificate.ways.wanted || s->certificate.measured)
    dun_certificate_diagnose(&s->certificate, &s->posterior, run, s->steps,
                             s->end == END_DRAW && (s->posterior.gives & DUN_TILTED_DRAW),
                             (s->posterior.gives & DUN_FIELD_SURE) != 0, out);
  else
    dun_diagnose(out, "steps", DUN_DOUBTFUL,
                 "%lld steps of observation %s by single coordinates: what their length costs is "
                 "not known: compare with twice as many",
                 (long long)s->steps, observation);
}

static void judge_chains(const struct localization *s, struct dun_diagnosis *out)
{
  dun_diagnose(
      out, "chains", dun_verdict_above(s->apart, .01, .05),
      "of at most %.3g%% of the particles the chains lay apart on the way, or did not tell",
      100 * s->apart);
  dun_diagnose(out, "acceptance", dun_verdict_above(-s->accepted, -.5, -.2),
               "the chains' last moves were accepted with %.2f", s->accepted);
}

void dun_localization_diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  const struct localization *s = self;
  int single = s->posterior.of.letters && !s->letter_by_letter &&
               (s->end == END_MEAN || !(s->posterior.gives & DUN_TILTED_DRAW));
  if (s->broken > 0)
    dun_diagnose(out, "broken", DUN_BAD,
                 "%.3g%% of the particles ended at what is no number and have no weight",
                 100 * (double)s->broken / (double)run->options.particles);
  judge_steps(s, run, out);
  if (s->posterior.remembers)
    judge_chains(s, out);
  if (s->first > 0)
    dun_beginning_diagnose(&s->begin, run, s->time[0], out);
  if (s->posterior.field->show)
    dun_diagnose(out, "field", DUN_DOUBTFUL,
                 "field %s tells means by a part of what is seen: how points hang together beyond "
                 "it comes from the features of observation %s alone",
                 s->posterior.field->type.name, s->posterior.observation->type.name);
  dun_diagnose_learned(out, s->posterior.field, s->posterior.field_self);
  if (s->end == END_MEAN && !s->posterior.of.letters)
    dun_diagnose(out, "end", DUN_DOUBTFUL,
                 "the points are means of what was left open at the time %g: they lie closer "
                 "together than the target's",
                 s->time[s->steps]);
  else if (single)
    dun_diagnose(out, "end", DUN_DOUBTFUL,
                 "the last letters were drawn each for itself: what was left open at the time %g "
                 "is taken as independent",
                 s->time[s->steps]);
}
