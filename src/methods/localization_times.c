/* When points are observed: the times of stochastic localization, and the steps between them. */
#include "base/error.h"
#include "base/memory.h"
#include "methods/localization.h"

static int64_t steps_of(const struct localization *s, double first, double last)
{
  const struct dun_observation *o = s->posterior.observation;
  int64_t exact = o->exact_steps ? o->exact_steps(s->posterior.observation_self) : 0;
  if (s->steps > 0)
    return s->steps;
  if (exact > 0)
    return exact;
  if (dun_observation_draws_only(o, s->posterior.observation_self) && o->time && last - first >= 2)
    return (int64_t)(last - first); /* whole numbers of questions */
  return s->by_draws ? 20 : 200;
}

/* Steps that grow by one factor behind the first. */
static int check_first_step(const struct localization *s, const struct dun_clearing_ends *ends)
{
  const struct dun_observation *o = s->posterior.observation;
  double way = ends->last - ends->first;
  if (s->first_step < 0)
    return 0;
  if (ends->later || s->schedule.type != DUN_CLEARING_STANDARD)
    return dun_fail(DUN_ERROR_INPUT, "first_step: steps from a first time on are even in log t: "
                                     "leave first and schedule out, or first_step");
  if (o->exact_steps || dun_observation_draws_only(o, s->posterior.observation_self))
    return dun_fail(DUN_ERROR_INPUT, "first_step: observation %s goes question by question",
                    o->type.name);
  if (s->steps < 2 || !(s->first_step < way))
    return dun_fail(DUN_ERROR_INPUT,
                    "first_step: found %g and %lld steps, expected less than the way of %g and at "
                    "least 2",
                    s->first_step, s->steps, way);
  return 0;
}

static int make_times(struct localization *s)
{
  const struct dun_posterior *p = &s->posterior;
  struct dun_clearing_ends ends;
  int status = dun_clearing_find_ends(&s->schedule, p->observation, p->observation_self, p->of.d,
                                      s->first, s->last, &ends);
  if (status < 0)
    return status;
  ends.step = s->first_step;
  s->steps = steps_of(s, ends.first, ends.last);
  if ((status = check_first_step(s, &ends)) < 0)
    return status;
  DUN_FREE(s->time);
  DUN_FREE(s->mix);
  s->time = dun_allocate(s->steps + 1, sizeof *s->time);
  if (s->schedule.type != DUN_CLEARING_STANDARD)
    s->mix = dun_allocate(s->steps, sizeof *s->mix);
  if (!s->time || (s->schedule.type != DUN_CLEARING_STANDARD && !s->mix))
    return DUN_ERROR_MEMORY;
  return dun_clearing_make(&s->schedule, p->observation, p->observation_self, &ends, s->steps,
                           s->time, s->mix);
}

int dun_localization_times(struct dun_context *context, struct localization *s)
{
  const struct dun_field *field = s->posterior.field;
  int status = make_times(s);
  if (status < 0 || !field->times)
    return status;
  return dun_agree(context, field->times(s->posterior.field_self, s->steps + 1, s->time));
}
