#include "kernels/look.h"
#include "base/vmath.h"
#include "kernels/distance.h"
#include "kernels/spread.h"
#include "numerics/columns.h"
#include <math.h>
#include <string.h>

/* Sums over particles that one sweep collects; the trial groups have three each. */
enum {
  ACCEPTANCE,
  HOPELESS,
  WALLED,
  RETRIED,
  UNSEEN, /* shares rejected by what forces do not show */
  SEEN,   /* moves that met nothing of it, and their acceptance */
  SEEN_ACCEPTANCE,
  FROZEN,
  SHORT, /* moves with the shortest steps of a spread, and those of them that are frozen */
  FROZEN_SHORT,
  MOVED,
  LOST,
  LP, /* from here on with `start` only */
  LP_SQUARE,
  START_LP,
  START_LP_SQUARE,
  LP_PRODUCT,
  JUMP,
  NEVER_MOVED,
  INSIDE,
  RADIUS, /* from here on with trials only */
  RADIUS_SQUARE,
  TRIAL,
  TRIAL_SHAPE = 0,
  TRIAL_X,
  TRIAL_GRADIENTS,
  TRIAL_COUNT,
  TRIAL_SUMS,
  QUANTITIES = TRIAL + TRIAL_SUMS * DUN_TRIALS
};

_Static_assert((int)QUANTITIES == (int)DUN_LOOK_COLUMNS, "the workspace has room for them");

struct dun_lanes dun_lanes_of(const struct dun_sweep *s)
{
  struct dun_lanes w;
  int64_t d = s->d, K = s->K;
  w.state = s->workspace;
  w.before = w.state + (d + K + 1) * DUN_LANES;
  w.start = w.before + (d + 1) * DUN_LANES;
  w.coefficient = w.start + (d + 1) * DUN_LANES;
  w.momentum = w.coefficient + K * DUN_LANES;
  w.gradient = w.momentum + d * DUN_LANES;
  w.force = w.gradient + d * DUN_LANES;
  w.unit = w.force + d * DUN_LANES;
  w.log_weight = w.unit + DUN_LANES;
  w.time = w.log_weight + DUN_LANES;
  w.step = w.time + DUN_LANES;
  w.acceptance = w.step + DUN_LANES;
  w.counts = w.acceptance + DUN_LANES;
  w.unseen = w.counts + DUN_LANES;
  w.spread = w.unseen + DUN_LANES;
  w.again = w.spread + DUN_LANES;
  w.second = w.again + DUN_LANES;
  w.look = w.second + DUN_LANES;
  w.scratch = w.look + (int64_t)QUANTITIES * DUN_LANES;
  return w;
}

static double *look_at(const struct dun_lanes *w, int quantity)
{
  return w->look + (int64_t)quantity * DUN_LANES;
}

/* Log densities relative to the highest of the start, so that constants do not cancel.  Particles
 * outside the support, or so far down that they are as good as there, have none to correlate: they
 * enter as 0 everywhere. */
DUN_CLONES static void compare(double highest, const double *restrict lp,
                               const double *restrict lp0, double *restrict look)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double now = lp[l] - highest, before = lp0[l] - highest, jump = look[JUMP * DUN_LANES + l];
    double inside = ((now > -DUN_ABYSS) & (before > -DUN_ABYSS)) ? 1 : 0;
    double a = inside > 0 ? before : 0, b = inside > 0 ? now : 0;
    look[NEVER_MOVED * DUN_LANES + l] = jump == 0 ? 1 : 0;
    look[INSIDE * DUN_LANES + l] = inside;
    look[START_LP * DUN_LANES + l] = a;
    look[START_LP_SQUARE * DUN_LANES + l] = a * a;
    look[LP * DUN_LANES + l] = b;
    look[LP_SQUARE * DUN_LANES + l] = b * b;
    look[LP_PRODUCT * DUN_LANES + l] = a * b;
  }
}

static void look_start(const struct dun_sweep *s, const struct dun_lanes *w, const double *inverse)
{
  dun_squared_distance(s->d, w->state, w->start, inverse, look_at(w, JUMP));
  compare(s->highest, w->state + (int64_t)(s->d + s->K) * DUN_LANES,
          w->start + (int64_t)s->d * DUN_LANES, w->look);
}

/* How much the log density changed. */
static void look_density(const struct dun_sweep *s, const struct dun_lanes *w, double *change)
{
  const double *lp = w->state + (int64_t)(s->d + s->K) * DUN_LANES;
  const double *lp0 = w->before + (int64_t)s->d * DUN_LANES;

  for (int l = 0; l < DUN_LANES; l++)
    change[l] = fabs(lp[l] - lp0[l]) < DUN_ABYSS ? lp[l] - lp0[l] : 0;
}

/* Whether distances are those of the whole metric, not of its scales. */
static int whitens(const struct dun_sweep *s)
{
  return s->adaptation->whiten && s->metric.d && s->metric.solve;
}

/* out[64] = |S^-1 off|^2 of the columns `off`, in the first of the scratch. */
static void white_square(const struct dun_sweep *s, const struct dun_lanes *w, double *out)
{
  double *z = w->scratch + (int64_t)s->d * DUN_LANES;

  s->metric.solve(&s->metric, w->scratch, z);
  memset(out, 0, DUN_LANES * sizeof *out);
  dun_columns_add_square(s->d, z, out);
}

static void look_distance(const struct dun_sweep *s, const struct dun_lanes *w,
                          const double *inverse, double *out)
{
  if (!whitens(s)) {
    dun_squared_distance(s->d, w->state, w->before, inverse, out);
    return;
  }
  for (int64_t i = 0; i < (int64_t)s->d * DUN_LANES; i++)
    w->scratch[i] = w->state[i] - w->before[i];
  white_square(s, w, out);
}

/* The squared distance of x from the centre. */
static void radius_of(const struct dun_sweep *s, const struct dun_lanes *w, const double *inverse,
                      const double *x, double *out)
{
  const double *centre = s->adaptation->centre.value;

  if (!whitens(s)) {
    dun_squared_radius(s->d, x, centre, inverse, out);
    return;
  }
  for (int64_t i = 0; i < (int64_t)s->d * DUN_LANES; i++)
    w->scratch[i] = x[i] - centre[i / DUN_LANES];
  white_square(s, w, out);
}

/* How much the squared distance from the centre changed, and what it is now. */
static void look_radius(const struct dun_sweep *s, const struct dun_lanes *w, const double *inverse,
                        double *change)
{
  radius_of(s, w, inverse, w->before, change);
  radius_of(s, w, inverse, w->state, look_at(w, RADIUS));
  for (int l = 0; l < DUN_LANES; l++) {
    double now = look_at(w, RADIUS)[l];
    change[l] = now - change[l];
    look_at(w, RADIUS_SQUARE)[l] = now * now;
  }
}

static void look_trial(const struct dun_sweep *s, const struct dun_lanes *w, const double *inverse,
                       enum dun_trial group, int leapfrogs)
{
  int first = TRIAL + TRIAL_SUMS * (int)group;
  double *shape = look_at(w, first + TRIAL_SHAPE);

  if (s->rung_scale)
    dun_squared_lane_distance(s->d, w->state, w->before, s->lane_scale,
                              look_at(w, first + TRIAL_X));
  else
    look_distance(s, w, inverse, look_at(w, first + TRIAL_X));
  if (s->adaptation->centre.count)
    look_radius(s, w, inverse, shape);
  else
    look_density(s, w, shape);
  for (int l = 0; l < DUN_LANES; l++) {
    shape[l] *= shape[l];
    look_at(w, first + TRIAL_GRADIENTS)[l] = dun_sweep_keeps(s) ? leapfrogs : leapfrogs + 2;
    look_at(w, first + TRIAL_COUNT)[l] = 1;
  }
}

DUN_CLONES static void fold_all(int count, const double *restrict lanes, double *restrict total)
{
  for (int q = 0; q < count; q++)
    total[q] = dun_fold_lanes(lanes + q * DUN_LANES);
}

/* Folds the quantities from `first` on of the particles that count into the exact sums. */
static void fold(const struct dun_lanes *w, int first, int count, struct dun_exact *sum)
{
  double total[QUANTITIES];
  for (int q = first; q < first + count; q++)
    for (int l = 0; l < DUN_LANES; l++)
      look_at(w, q)[l] = w->counts[l] > 0 ? look_at(w, q)[l] : 0;
  fold_all(count, look_at(w, first), total);
  for (int q = 0; q < count; q++)
    dun_exact_add(&sum[first + q], total[q]);
}

const double *dun_look_credit(const struct dun_sweep *s, const struct dun_lanes *w, int half)
{
  double *credit = look_at(w, SEEN_ACCEPTANCE);
  for (int l = 0; l < DUN_LANES; l++)
    credit[l] = dun_adaptation_credit(&s->adaptation[half], w->acceptance[l], w->unseen[l]);
  return credit;
}

/* What became of the moves, and what of it the step size has to answer for. */
static void look_rejections(const struct dun_lanes *w)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double acceptance = w->acceptance[l], unseen = w->unseen[l];
    int hopeless = acceptance == 0 && !(w->second[l] > 0);
    look_at(w, ACCEPTANCE)[l] = acceptance;
    look_at(w, HOPELESS)[l] = hopeless;
    look_at(w, WALLED)[l] = hopeless && unseen > 0;
    look_at(w, RETRIED)[l] = w->second[l] >= 0;
    look_at(w, UNSEEN)[l] = unseen * (1 - acceptance);
    look_at(w, SEEN)[l] = 1 - unseen;
    look_at(w, SEEN_ACCEPTANCE)[l] = (1 - unseen) * acceptance;
    look_at(w, FROZEN)[l] = acceptance < DUN_SPREAD_FROZEN && unseen == 0;
    look_at(w, SHORT)[l] = w->spread[l] > DUN_SPREAD_SHORT;
    look_at(w, FROZEN_SHORT)[l] = look_at(w, FROZEN)[l] * look_at(w, SHORT)[l];
  }
}

void dun_look_tile(const struct dun_sweep *s, const struct dun_lanes *w, const double *inverse,
                   struct dun_address address, int leapfrogs, struct dun_exact *sum)
{
  look_rejections(w);
  fold(w, ACCEPTANCE, FROZEN_SHORT - ACCEPTANCE + 1, sum);
  dun_exact_add(&sum[MOVED], dun_fold_lanes(w->counts));
  if (s->start) {
    look_start(s, w, inverse);
    fold(w, LP, INSIDE - LP + 1, sum);
  }
  if (dun_sweep_tries(s)) {
    enum dun_trial group = dun_adaptation_trial(address);
    look_trial(s, w, inverse, group, leapfrogs);
    fold(w, TRIAL + TRIAL_SUMS * (int)group, TRIAL_SUMS, sum);
    if (s->adaptation->centre.count)
      fold(w, RADIUS, 2, sum);
  }
}

void dun_look_lost(const struct dun_lanes *w, const double *lost, struct dun_exact *sum)
{
  memcpy(look_at(w, LOST), lost, DUN_LANES * sizeof *lost);
  fold(w, LOST, 1, sum);
}

int dun_look_sums(const struct dun_sweep *s)
{
  return dun_sweep_tries(s) ? QUANTITIES : s->start ? RADIUS : LP;
}

static double variance(double count, double sum, double square)
{
  double v = count > 0 ? square / count - sum / count * (sum / count) : 0;
  return v > 0 ? v : 0;
}

void dun_look_summarise(const struct dun_sweep *s, const double *sum, struct dun_look *look)
{
  double inside = sum[INSIDE];
  double v0 = variance(inside, sum[START_LP], sum[START_LP_SQUARE]);
  double v1 = variance(inside, sum[LP], sum[LP_SQUARE]);
  double covariance =
      inside > 0 ? sum[LP_PRODUCT] / inside - sum[LP] / inside * (sum[START_LP] / inside) : 0;

  look->lost = sum[LOST];
  look->acceptance = sum[MOVED] > 0 ? sum[ACCEPTANCE] / sum[MOVED] : NAN;
  look->retried = sum[MOVED] > 0 ? sum[RETRIED] / sum[MOVED] : NAN;
  look->walled = sum[MOVED] > 0 ? sum[WALLED] / sum[MOVED] : NAN;
  look->unseen = sum[MOVED] > 0 ? sum[UNSEEN] / sum[MOVED] : NAN;
  look->seen = sum[SEEN] > 0 ? sum[SEEN_ACCEPTANCE] / sum[SEEN] : 1;
  look->frozen = sum[MOVED] > 0 ? sum[FROZEN] / sum[MOVED] : NAN;
  look->frozen_short = sum[SHORT] > 0 ? sum[FROZEN_SHORT] / sum[SHORT] : 0;
  look->hopeless = sum[MOVED] > 0 ? sum[HOPELESS] / sum[MOVED] : NAN;
  look->autocorrelation = s->start && v0 * v1 > 0 ? covariance / sqrt(v0 * v1) : NAN;
  look->jump = s->start ? sum[JUMP] / sum[MOVED] / s->d : NAN;
  look->never_moved = s->start && !s->pass.evaluator->letters ? sum[NEVER_MOVED] / sum[MOVED] : NAN;
  look->lp_variance = v1;
  look->radius = sum[RADIUS] / sum[MOVED];
  look->radius_square = sum[RADIUS_SQUARE] / sum[MOVED];
  for (int g = 0; g < DUN_TRIALS; g++) {
    const double *trial = sum + TRIAL + TRIAL_SUMS * g;
    double moves = trial[TRIAL_COUNT];
    look->trial[g] = (struct dun_trial_look){.moves = moves,
                                             .place = trial[TRIAL_X] / moves,
                                             .shape = trial[TRIAL_SHAPE] / moves,
                                             .gradients = trial[TRIAL_GRADIENTS] / moves};
  }
}
