#include "paths/schedule.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/result_array.h"

const struct dun_option dun_schedule_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_schedule, type),
     .initial = "adaptive",
     .words = "adaptive|fixed|file",
     .doc = "Times found from the weights, given by a formula, or read from an earlier result."},
    {.name = "conditional_ess",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_schedule, conditional_ess),
     .initial = "0.9",
     .minimum = .01,
     .maximum = .9999,
     .when = "type=adaptive",
     .doc = "Share of the particles that the weights of the next step leave effective."},
    {.name = "steps",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_schedule, steps),
     .initial = "32",
     .minimum = 1,
     .maximum = 1e6,
     .when = "type=fixed",
     .doc = "Number of steps from t = 0 to t = 1."},
    {.name = "spacing",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_schedule, spacing),
     .initial = "power",
     .words = "linear|power|logarithmic",
     .when = "type=fixed",
     .doc = "t_k = k/n, (k/n)^power, or start^(1 - k/n)."},
    {.name = "power",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_schedule, power),
     .initial = "4",
     .minimum = .1,
     .maximum = 20,
     .when = "spacing=power",
     .doc = "Exponent of power spacing."},
    {.name = "start",
     .type = DUN_NUMBER,
     .offset = offsetof(struct dun_schedule, start),
     .initial = "1e-4",
     .minimum = 1e-12,
     .maximum = .5,
     .when = "spacing=logarithmic",
     .doc = "Where logarithmic spacing begins."},
    {.name = "file",
     .type = DUN_FILE,
     .offset = offsetof(struct dun_schedule, file),
     .initial = "",
     .when = "type=file",
     .doc = "A result file whose steps are taken again."},
    {0},
};

/* Geometric spacing goes from 1 down to `start`: from above there is a time beside 0. */
static double spaced(const struct dun_schedule *s, double fraction)
{
  int down = s->spacing == DUN_SPACING_GEOMETRIC;
  struct dun_spacing spacing = {
      .type = s->spacing, .first = down ? 1 : 0, .last = down ? s->start : 1, .power = s->power};
  return dun_spacing_at(&spacing, down ? 1 - fraction : fraction, 1);
}

static int compute(struct dun_schedule *s)
{
  s->times.value = dun_allocate(s->steps, sizeof *s->times.value);
  if (!s->times.value)
    return DUN_ERROR_MEMORY;
  s->times.count = s->steps;
  for (long long k = 0; k < s->steps; k++)
    s->times.value[k] = spaced(s, (double)(k + 1) / (double)s->steps);
  s->times.value[s->steps - 1] = 1;
  return 0;
}

/* An earlier run may have kept rows of several replicates: the times of the first are taken. */
static int check(struct dun_schedule *s)
{
  double before = 0;
  long long k = 0;

  for (; k < s->times.count && before < 1; k++) {
    double t = s->times.value[k];
    if (k == 0 && t == 0)
      continue;
    if (!(t > before) || t > 1)
      return dun_fail(DUN_ERROR_INPUT,
                      "%s: /trace/steps/time: row %lld is %.17g after %.17g, not "
                      "a rising time in (0, 1]",
                      s->file, k, t, before);
    before = t;
  }
  if (before < 1)
    return dun_fail(DUN_ERROR_INPUT, "%s: /trace/steps/time: the times end at %.17g, not at 1",
                    s->file, before);
  s->times.count = k;
  return 0;
}

int dun_schedule_init(struct dun_context *context, struct dun_schedule *s)
{
  int status = 0;

  dun_schedule_free(s);
  if (s->type == DUN_SCHEDULE_FIXED)
    status = dun_agree(context, compute(s));
  if (s->type != DUN_SCHEDULE_FILE)
    return status;
  if (!s->file)
    return dun_fail(DUN_ERROR_INPUT, "a schedule of type file needs the option file");
  status = dun_result_array(context, s->file, "/trace/steps/time", &s->times);
  return status < 0 ? status : check(s);
}

void dun_schedule_free(struct dun_schedule *s)
{
  DUN_FREE(s->times.value);
  s->times.count = 0;
}

double dun_schedule_after(const struct dun_schedule *s, double t)
{
  long long first = 0, end = s->times.count;

  while (first < end) {
    long long middle = first + (end - first) / 2;
    if (s->times.value[middle] > t)
      end = middle;
    else
      first = middle + 1;
  }
  return first < s->times.count ? s->times.value[first] : 1;
}
