#include "methods/march_grid.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/spacing.h"
#include <math.h>

#define NUMBER(name_, initial_, words_, when_, minimum_, maximum_, doc_)                           \
  {                                                                                                \
    .name = #name_, .type = DUN_NUMBER, .offset = offsetof(struct dun_march_grid, name_),          \
    .initial = initial_, .words = words_, .when = when_, .minimum = minimum_, .maximum = maximum_, \
    .doc = doc_                                                                                    \
  }
/* Of all types but `given`. */
#define SPACED "type=uniform|quadratic|power|cosine|shift|geometric|arctan|log_snr|tuned"

const struct dun_option dun_march_grid_rows[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_march_grid, type),
     .initial = "uniform",
     .words = "uniform|quadratic|power|cosine|shift|geometric|arctan|log_snr|tuned|given",
     .doc = "How times are spaced: by a formula in the process's time, whose steps are short near "
            "the data (quadratic, power, cosine, geometric) or near the noise (shift above 1), or "
            "evenly in the arctangent of the root, or the logarithm, of the signal to noise "
            "ratio.  tuned: by the power that is best for the target's spectrum (method psld)."},
    {.name = "steps",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_march_grid, steps),
     .initial = "100",
     .minimum = 1,
     .maximum = 1e6,
     .when = SPACED,
     .doc = "How many steps."},
    {.name = "evaluations",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_march_grid, evaluations),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e6,
     .when = SPACED,
     .doc = "As many steps as so many evaluations of the field for a particle allow; 0: steps."},
    NUMBER(power, "3", NULL, "type=power", .01, 100, "Exponent of the share of the way."),
    NUMBER(shift, "3", NULL, "type=shift", 1e-3, 1e3,
           "The last step is its square times as long as the first; above 1 short steps are near "
           "the noise."),
    NUMBER(first, "end", "end", SPACED, 0, 1e100,
           "First time; end: where the process knows nothing.  Of log_snr the second, where the "
           "ratio there is 0."),
    NUMBER(last, "end", "end", SPACED, 0, 1e100,
           "Last time; end: the data, of method psld 0.001.  Of geometric and log_snr the last but "
           "one: the end itself lies infinitely far."),
    {.name = "times",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct dun_march_grid, given),
     .initial = "",
     .maximum = 1e100,
     .when = "type=given",
     .doc = "The times themselves."},
    {0},
};

struct ends {
  double noise, data; /* of the process */
  double first, last; /* of what is spaced by a formula */
  int before, behind; /* steps to them from the process's ends */
  double least, most; /* lambda there */
};

/* Of a time where it is 0 or infinite it may not be made. */
static double lambda_at(const struct dun_process *process, const void *self, double t,
                        const struct ends *e)
{
  struct dun_channel channel;
  if (dun_process_channel(process, self, t, &channel) < 0)
    return t == e->data ? INFINITY : 0;
  return channel.lambda;
}

static int find_ends(const struct dun_march_grid *grid, const struct dun_process *process,
                     const void *self, struct ends *e)
{
  process->ends(self, &e->noise, &e->data);
  e->first = grid->first < 0 ? e->noise : grid->first;
  e->last = grid->last < 0 ? e->data : grid->last;
  e->least = lambda_at(process, self, e->first, e);
  e->most = lambda_at(process, self, e->last, e);
  e->before = grid->type == DUN_GRID_LOG_SNR && e->first != e->noise;
  e->behind =
      (grid->type == DUN_GRID_LOG_SNR || grid->type == DUN_GRID_GEOMETRIC) && e->last != e->data;
  if (grid->type == DUN_GRID_LOG_SNR && !(e->least > 0 && e->most < INFINITY))
    return dun_fail(DUN_ERROR_INPUT,
                    "grid log_snr: the signal to noise ratio is 0 at the noise's end and infinite "
                    "at the data's: give grid.first and grid.last, times between them");
  if (grid->type == DUN_GRID_GEOMETRIC && !(e->first > 0 && e->last > 0))
    return dun_fail(DUN_ERROR_INPUT,
                    "grid geometric does not reach the time 0: give grid.%s above it",
                    e->last > 0 ? "first" : "last");
  if (grid->steps < 1 + e->before + e->behind)
    return dun_fail(DUN_ERROR_INPUT, "grid.steps is %lld, and %d lead to the ends alone",
                    grid->steps, e->before + e->behind);
  return 0;
}

/* The time at the share part / whole of the way from the noise. */
static double time_at(const struct dun_march_grid *grid, const struct dun_process *process,
                      const void *self, const struct ends *e, double part, double whole)
{
  static const int formula[] = {
      [DUN_GRID_UNIFORM] = DUN_SPACING_LINEAR,   [DUN_GRID_QUADRATIC] = DUN_SPACING_POWER,
      [DUN_GRID_POWER] = DUN_SPACING_POWER,      [DUN_GRID_COSINE] = DUN_SPACING_COSINE,
      [DUN_GRID_SHIFT] = DUN_SPACING_SHIFT,      [DUN_GRID_GEOMETRIC] = DUN_SPACING_GEOMETRIC,
      [DUN_GRID_TUNED] = DUN_SPACING_POWER,      [DUN_GRID_ARCTAN] = DUN_SPACING_ARCTAN,
      [DUN_GRID_LOG_SNR] = DUN_SPACING_GEOMETRIC};
  struct dun_spacing spacing = {.type = formula[grid->type],
                                .first = e->last,
                                .last = e->first,
                                .power = grid->type == DUN_GRID_QUADRATIC ? 2 : grid->power,
                                .shift = grid->shift};
  if (grid->type != DUN_GRID_ARCTAN && grid->type != DUN_GRID_LOG_SNR)
    return dun_spacing_at(&spacing, whole - part, whole);
  spacing.first = e->least;
  spacing.last = e->most;
  return dun_process_time(process, self, dun_spacing_at(&spacing, part, whole));
}

static void fill(struct dun_march_grid *grid, const struct dun_process *process, const void *self,
                 const struct ends *e)
{
  int64_t inner = grid->count - e->before - e->behind;
  grid->time[0] = e->noise;
  for (int64_t k = 0; k <= inner; k++)
    grid->time[k + e->before] = k == 0 ? e->first
                                : k == inner
                                    ? e->last
                                    : time_at(grid, process, self, e, (double)k, (double)inner);
  if (e->behind)
    grid->time[grid->count] = e->data;
}

static int check(const struct dun_march_grid *grid, const struct ends *e)
{
  double way = e->data > e->noise ? 1 : -1;
  for (int64_t k = 0; k <= grid->count; k++) {
    double t = grid->time[k];
    if ((k > 0 && !(way * (t - grid->time[k - 1]) > 0)) || !(way * (t - e->noise) >= 0) ||
        !(way * (e->data - t) >= 0))
      return dun_fail(DUN_ERROR_INPUT,
                      "grid: time %lld is %.9g%s; expected times that go one way, from %.9g, the "
                      "noise, to %.9g, the data",
                      (long long)k, t, k > 0 ? " and does not go on from the one before" : "",
                      e->noise, e->data);
  }
  return 0;
}

int dun_march_grid_make(struct dun_march_grid *grid, const struct dun_process *process,
                        const void *self)
{
  int given = grid->type == DUN_GRID_GIVEN, code = 0;
  struct ends e = {.noise = 0};

  process->ends(self, &e.noise, &e.data);
  if (given && grid->given.count < 2)
    return dun_fail(DUN_ERROR_INPUT, "grid.times has %lld times, and a step needs two",
                    grid->given.count);
  if (!given && (code = find_ends(grid, process, self, &e)) < 0)
    return code;
  grid->count = given ? grid->given.count - 1 : grid->steps;
  dun_free(grid->time);
  grid->time = dun_allocate(grid->count + 1, sizeof *grid->time);
  if (!grid->time)
    return DUN_ERROR_MEMORY;
  if (!given)
    fill(grid, process, self, &e);
  for (int64_t k = 0; given && k <= grid->count; k++)
    grid->time[k] = grid->given.value[k];
  return check(grid, &e);
}

void dun_march_grid_free(struct dun_march_grid *grid)
{
  DUN_FREE(grid->time);
}
