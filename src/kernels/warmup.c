#include "kernels/warmup.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "kernels/climb.h"
#include "kernels/lost.h"
#include "kernels/trials.h"
#include <math.h>
#include <string.h>

static const int64_t FIRST_WINDOW = 4, PILOT_WINDOW = 32;
static const double METRIC_SHARE = .75; /* of the sweeps, while the metric is learned */

/* Leapfrogs of the first windows at most, and from which on the length is learned. */
static const double CAP[] = {8, 32, 128, 512, 1024};
enum { CAPS = sizeof CAP / sizeof *CAP, LEARN_LENGTH = 4 };

/* A whitened Gaussian's quarter period: the best length for places and their squares both. */
static const double QUARTER = 1.5;

/* A coordinate so slow, in sweeps for an independent draw, asks for longer trajectories, since what
 * they do for all together tells nothing of it: up to the first or to the second.  After half a
 * period, between them, squares of the others are what they were.  Where the last window asks for
 * that much more than it has had, it is repeated. */
static const double SLOW = 4, LONGER = 2.1, LONGEST = 4.5, ASKED = 1.25;

/* Of dual averaging; gamma is .05 in the paper, where one chain learns alone. */
static const double GAMMA = .2, KAPPA = .75, T0 = 10;

/* Moves without a chance from which on a target has parts that are narrow for the step. */
static const double FROZEN = 1e-3;

/* How far the target acceptance rises with the share of moves that have no chance. */
static const double FROZEN_WEIGHT = 10, FROZEN_MOST = .9;

static const double PRIOR_POINTS = 5; /* so many count for the present scales, without forces */

/* Points of a window that teach all there is to learn: more are left out. */
static const double POINTS = 500, POINTS_DIMENSION = 50;

/* Of a warm-up that ends by itself: points of a window with which it may, sweeps of the last window
 * and of all, windows and chains with which the last one begins early. */
static const double READY = 200, READY_DIMENSION = 10;
static const int64_t LAST_LEAST = 30, MOST = 400, MOST_FEW = 1000, MANY_CHAINS = 512;
static const double CHANGE = .405; /* log 1.5: of the metric at rest */
enum { READY_WINDOWS = 4, REPEATS = 2 };

/* Whether log densities rise: so many more chains do than fall. */
static const double RISING = .25;

/* Sweeps beyond which windows do not grow while they do, and points that are more than enough, in
 * units of those that teach all. */
static const int64_t SHORT_WINDOW = 16;
static const double ENOUGH = 16;

/* Chains at rest that far below the others, a dimension: there the target would have to be wider by
 * a factor of 20 in all directions, and more than that, to weigh as much. */
static const double STUCK = 3;

/* ---- set-up ---------------------------------------------------------------------------------- */

int64_t dun_warmup_most(int64_t chains)
{
  double few = chains < 8 ? 1 : 8 / (double)chains;
  return MOST + (int64_t)((double)(MOST_FEW - MOST) * few);
}

static int is_dense(int d, int form, int forces)
{
  return form == DUN_METRIC_DENSE || (form == DUN_METRIC_AUTO && d <= DUN_FISHER_MOST && forces);
}

void dun_warmup_init(struct dun_warmup *w, int d, int form, int forces, int64_t sweeps)
{
  w->sweeps = sweeps;
  w->form = form;
  w->cloud.d = d;
  w->cloud.dense = is_dense(d, form, forces);
  w->cloud.gradients = forces;
}

/* Metric windows end here. */
static int64_t last_begins(const struct dun_warmup *w)
{
  return (int64_t)(METRIC_SHARE * (double)w->sweeps);
}

/* How long the window is that begins now, if it could be as long as `length`. */
static void begin_window(struct dun_warmup *w, int64_t length)
{
  int64_t left = w->sweeps < 0 ? INT64_MAX / 2 : last_begins(w) - w->done;

  w->window = 0;
  w->number++;
  w->log_step = w->log_tau = w->error = w->frozen = 0;
  w->last = left <= 0;
  w->length = w->last ? w->sweeps - w->done : length + 2 * length > left ? left : length;
}

int dun_warmup_start(struct dun_warmup *w, int pilot)
{
  *w = (struct dun_warmup){.sweeps = w->sweeps,
                           .form = w->form,
                           .drift = w->drift,
                           .climb = w->climb,
                           .share = w->share,
                           .cloud = w->cloud,
                           .floor = -INFINITY,
                           .core = -INFINITY,
                           .tau = QUARTER,
                           .least = QUARTER};
  w->change = w->ridge = w->score = w->rest.worst = NAN;
  if (dun_cloud_start(&w->cloud) < 0)
    return DUN_ERROR_MEMORY;
  w->number = pilot ? LEARN_LENGTH - 1 : 0;
  begin_window(w, pilot ? PILOT_WINDOW : FIRST_WINDOW);
  return 0;
}

void dun_warmup_free(struct dun_warmup *w)
{
  dun_cloud_free(&w->cloud);
}

int dun_warmup_fits(const struct dun_warmup *w)
{
  return dun_cloud_fits(&w->cloud) && w->number > 0 && w->window <= w->length;
}

/* Whether what chains show of the target is still that of their way there. */
static int is_on_the_way(const struct dun_warmup *w)
{
  return w->rising && !(w->change <= CHANGE);
}

/* ---- the metric and the centre --------------------------------------------------------------- */

/* Chains that are enough for a metric, in whole tiles. */
static int64_t tiles_for(const struct dun_warmup *w, const struct dun_sweep *s)
{
  const struct dun_tiles *tiles = &s->population->tiles;
  double points = POINTS + POINTS_DIMENSION * w->cloud.d;
  double count = ceil(points / tiles->tile) + 1;
  return count < (double)tiles->tiles ? (int64_t)count : tiles->tiles;
}

/* Every so many sweeps of the window, its last one among them, the points are added. */
static int is_gathered(const struct dun_warmup *w, const struct dun_sweep *s)
{
  double chains = (double)tiles_for(w, s) * s->population->tiles.tile;
  double points = POINTS + POINTS_DIMENSION * w->cloud.d;
  int64_t stride = (int64_t)((double)w->length * chains / points);

  stride = stride < 1 ? 1 : stride > w->length ? w->length : stride;
  return (w->length - w->window) % stride == 0;
}

/* Few chains are their own judges in other stretches of a window. */
static int64_t turn_of(const struct dun_warmup *w, const struct dun_sweep *s)
{
  const int64_t few = 8, stretches = 8;
  return s->population->tiles.total >= few || w->length == 0 ? 0
                                                             : w->window * stretches / w->length;
}

static int gather(struct dun_context *context, struct dun_warmup *w, const struct dun_sweep *s,
                  double t)
{
  return dun_cloud_add(context, &w->cloud, s, t, tiles_for(w, s), turn_of(w, s));
}

/* Without forces a variance of few points is drawn to the present one. */
static void blend(const struct dun_warmup *w, const struct dun_adaptation *a, double *scale)
{
  double n = dun_cloud_count(&w->cloud);

  for (int64_t j = 0; j < a->scale.count && !w->cloud.gradients; j++) {
    double old = a->scale.value[j];
    scale[j] = sqrt((n * scale[j] * scale[j] + PRIOR_POINTS * old * old) / (n + PRIOR_POINTS));
  }
}

/* Takes what was learned; the factor becomes the adaptation's. */
static int take(struct dun_warmup *w, struct dun_adaptation *a, struct dun_fisher *f)
{
  int64_t d = a->scale.count;
  int status = 0;

  w->ridge = f->dense ? f->ridge : NAN;
  w->score = f->score;
  if (!f->dense)
    blend(w, a, f->scale);
  if (d <= DUN_FISHER_MOST || !w->cloud.dense)
    status = dun_fisher_change((int)d, a->scale.value, a->factor.count ? a->factor.value : NULL,
                               f->scale, f->dense ? f->factor : NULL, &w->change);
  dun_adaptation_adopt(a, f);
  return status;
}

static enum dun_fisher_form form_of(const struct dun_warmup *w)
{
  return !w->cloud.dense               ? DUN_FISHER_DIAGONAL
         : w->form == DUN_METRIC_DENSE ? DUN_FISHER_DENSE
                                       : DUN_FISHER_AUTO;
}

/* From the window's points, if there are any. */
static int learn_metric(struct dun_warmup *w, struct dun_adaptation *a)
{
  int d = (int)a->scale.count, status = 0;
  struct dun_cloud_moments m = {0};
  struct dun_fisher f = {.score = NAN};

  if (dun_cloud_count(&w->cloud) == 0)
    return 0;
  if ((status = dun_cloud_moments(&w->cloud, &m)) >= 0 && !a->fixed)
    status = dun_adaptation_centre(a, m.mean);
  if (status >= 0 && dun_adaptation_learns(a)) {
    f.scale = dun_allocate(d, sizeof *f.scale);
    f.factor = w->cloud.dense ? dun_allocate((int64_t)d * d, sizeof *f.factor) : NULL;
    status = f.scale && (f.factor || !w->cloud.dense) ? 0 : DUN_ERROR_MEMORY;
    if (status >= 0)
      status = dun_fisher_learn(d, form_of(w), m.half, a->scale.value, &f);
    if (status >= 0)
      status = take(w, a, &f);
    dun_free(f.scale);
    dun_free(f.factor);
  }
  dun_free(m.block);
  return status;
}

/* ---- step size and trajectory length --------------------------------------------------------- */

static double cap_of(const struct dun_warmup *w)
{
  return CAP[w->number < CAPS ? w->number - 1 : CAPS - 1];
}

/* So many leapfrogs take a trajectory over tau. */
static void set_length(const struct dun_warmup *w, struct dun_adaptation *a)
{
  double length = w->tau * dun_scalar_exp(-a->log_step), cap = cap_of(w);
  if (a->adapt_length)
    a->length = length < 1 ? 1 : length < cap ? length : cap;
}

/* Where some moves have next to no chance while most are accepted, the target is too narrow there
 * for the step: the acceptance aimed at is so much higher, on average over these sweeps. */
static double target_of(const struct dun_warmup *w, const struct dun_adaptation *a,
                        const struct dun_look *look)
{
  double more = FROZEN_WEIGHT * look->frozen, most = FROZEN_MOST * (1 - a->target_acceptance);

  if (is_on_the_way(w) && !w->last) /* whose change is that of the window before */
    return a->target_acceptance;
  if (a->long_moves && (w->frozen > FROZEN || w->narrow > FROZEN))
    return a->target_acceptance + most;
  if (!(more > 0))
    return a->target_acceptance;
  return a->target_acceptance + (more < most ? more : most);
}

/* The step size begins anew with each window, and falls: moves without a chance count where it has
 * come down, in the latter half. */
static void count_frozen(struct dun_warmup *w, const struct dun_look *look)
{
  int64_t half = w->length / 2;

  if (w->window > half && look->frozen >= 0)
    w->frozen += look->frozen / (double)(w->length - half);
}

/* Dual averaging (Hoffman & Gelman 2014, eq. 6) of the pooled acceptance, from the step size with
 * which the window began; its average is what is kept. */
static void learn_step(struct dun_warmup *w, struct dun_adaptation *a, const struct dun_look *look)
{
  double t = (double)w->window, eta = dun_scalar_exp(-KAPPA * dun_scalar_log(t));

  if (w->window == 1)
    w->origin = a->log_step;
  w->log_step += eta * (a->log_step - w->log_step);
  double acceptance = dun_adaptation_acceptance(a, look);
  w->error += (target_of(w, a, look) - acceptance - w->error) / (t + T0);
  a->log_step = w->origin - sqrt(t) / GAMMA * w->error;
  count_frozen(w, look);
}

static void learn_length(struct dun_warmup *w, struct dun_adaptation *a,
                         const struct dun_look *look, double chains)
{
  double before = dun_scalar_log(w->tau), longest = cap_of(w) * dun_scalar_exp(a->log_step);

  dun_trials_remember(w, look);
  w->log_tau += (before - w->log_tau) / (double)w->window;
  if (w->number < LEARN_LENGTH || is_on_the_way(w))
    return;
  double length = a->length, least = w->tau < QUARTER ? w->tau : w->least;
  if (dun_adaptation_shorten(a, look)) {
    w->tau *= a->length / length;
    return;
  }
  w->tau *= dun_scalar_exp(dun_trials_wish(w, a, look, chains));
  w->tau = w->tau > longest ? longest : w->tau;
  w->tau = w->tau < least ? least : w->tau;
}

/* ---- windows --------------------------------------------------------------------------------- */

/* At the end of a window that is followed by another. */
static void restart_step(struct dun_warmup *w, struct dun_adaptation *a)
{
  if (a->adapt_step && dun_adaptation_learns(a))
    a->log_step = a->first_step;
  if (w->change > CHANGE) /* lengths in units of another metric mean nothing */
    w->tau = QUARTER;
  dun_trials_forget(w);
}

static void finish(struct dun_warmup *w, struct dun_adaptation *a)
{
  w->over = 1;
  a->log_step = a->adapt_step ? w->log_step : a->log_step;
  w->tau = a->adapt_length ? dun_scalar_exp(w->log_tau) : w->tau;
  set_length(w, a);
}

static int is_at_rest(const struct dun_warmup *w)
{
  return !(w->rest.worst > 1);
}

/* Whether the last window may begin, of a warm-up that ends by itself. */
static int is_ready(const struct dun_warmup *w, const struct dun_sweep *s, double points)
{
  int64_t chains = s->population->tiles.total;
  int windows = chains >= MANY_CHAINS ? READY_WINDOWS - 1 : READY_WINDOWS;

  return w->number >= windows && w->left == 0 && points >= READY + READY_DIMENSION * w->cloud.d &&
         is_at_rest(w) && !(w->narrow > FROZEN) &&
         !(w->change > CHANGE + 4 * sqrt(w->cloud.d / points));
}

/* How long the next window is: not longer while chains are on their way, nor where they are so many
 * that a short one tells all. */
static int64_t next_length(const struct dun_warmup *w, const struct dun_sweep *s)
{
  double enough = ENOUGH * (POINTS + POINTS_DIMENSION * w->cloud.d);
  int64_t most = (int64_t)(enough / (double)s->population->tiles.total);

  most = is_on_the_way(w) || most < SHORT_WINDOW ? SHORT_WINDOW : most;
  return 2 * w->length < most ? 2 * w->length : most;
}

/* What follows a window that was not the last one. */
static void next_window(struct dun_warmup *w, const struct dun_sweep *s, double points)
{
  int64_t length = w->length, chains = s->population->tiles.total;
  double before = w->narrow / 8, now = w->number < LEARN_LENGTH ? 0 : w->frozen;
  w->narrow = is_on_the_way(w) ? 0 : now > before ? now : before;
  int64_t most = dun_warmup_most(chains), least = chains < MANY_CHAINS ? LAST_LEAST : SHORT_WINDOW;
  int ready = is_ready(w, s, points) || w->done + 2 * length + length > most;

  begin_window(w, next_length(w, s));
  if (w->sweeps < 0 && ready) {
    w->last = 1;
    w->length = length / 2 < least ? least : length / 2;
  }
}

/* The last window again, or the end. */
static void end_last(struct dun_warmup *w, struct dun_adaptation *a, const struct dun_sweep *s)
{
  int64_t length = w->length;
  int short_of_it = a->adapt_length && w->least > ASKED * dun_scalar_exp(w->log_tau);

  if (w->sweeps >= 0 || (is_at_rest(w) && !short_of_it) || w->repeats == REPEATS ||
      w->done + length > 2 * dun_warmup_most(s->population->tiles.total)) {
    finish(w, a);
    return;
  }
  w->repeats++;
  w->tau = short_of_it && w->tau < w->least ? w->least : w->tau;
  begin_window(w, length);
  w->last = 1;
}

/* The slowest coordinate is renewed in proportion to the square of the length. */
static int ask_for_length(struct dun_context *context, struct dun_warmup *w,
                          const struct dun_sweep *s, double t)
{
  double sweeps;
  int status = dun_drift_slowness(context, s, w->drift, t, w->length, &sweeps);
  double least = w->tau * sqrt(sweeps / SLOW);

  w->least = least < QUARTER        ? QUARTER
             : least < LONGER       ? least
             : least < 1.2 * LONGER ? LONGER
                                    : LONGEST;
  return status;
}

/* All chains that are not lost have to be at rest; most of them are if those are that teach. */
static int test_rest(struct dun_context *context, struct dun_warmup *w, const struct dun_sweep *s,
                     double t)
{
  const int64_t least = 8;
  struct dun_sweep all = *s;
  struct dun_drift most;
  double rise = 0;
  int status = w->drift ? dun_drift_rise(context, s, w->drift, &rise) : 0;

  w->rising = rise > RISING;
  w->quiet = 0;
  all.floor = w->floor;
  if (!w->drift || w->length < least || status < 0)
    return status;
  if ((status = dun_drift_test(context, s, w->drift, t, &most)) >= 0)
    status = dun_drift_test(context, &all, w->drift, t, &w->rest);
  w->quiet = !w->rising && most.worst <= 1;
  return status >= 0 && w->quiet ? ask_for_length(context, w, s, t) : status;
}

/* Chains below the floor. */
static int restart_lost(struct dun_context *context, struct dun_warmup *w, struct dun_sweep *s,
                        struct dun_address address, double t)
{
  int64_t moved = 0;
  int status = dun_lost_restart(context, s, address, t, w->floor, &moved, &w->left);

  w->restarted += moved;
  return status;
}

static int find_floor(struct dun_context *context, struct dun_warmup *w, const struct dun_sweep *s,
                      double t)
{
  int status = dun_lost_floor(context, s, t, &w->floor);
  if (w->quiet)
    w->floor = fmax(w->floor, w->core - STUCK * s->d);
  return status;
}

static int end_window(struct dun_context *context, struct dun_warmup *w, struct dun_adaptation *a,
                      struct dun_sweep *s, struct dun_address address, double t)
{
  double points = dun_cloud_count(&w->cloud);
  int status = test_rest(context, w, s, t);

  if (status < 0)
    return status;
  if (w->last) {
    end_last(w, a, s);
    return 0;
  }
  status = dun_agree(context, learn_metric(w, a));
  if (status >= 0 && (status = find_floor(context, w, s, t)) >= 0)
    status = restart_lost(context, w, s, address, t);
  dun_cloud_clear(&w->cloud);
  next_window(w, s, points);
  restart_step(w, a);
  set_length(w, a);
  return status;
}

int dun_warmup_retries(const struct dun_warmup *w)
{
  return w->last != 0;
}

double dun_warmup_floor(const struct dun_warmup *w)
{
  return w->floor > w->core ? w->floor : w->core;
}

int dun_warmup_begin(struct dun_context *context, struct dun_warmup *w, struct dun_adaptation *a,
                     struct dun_sweep *s, struct dun_address address, double t)
{
  int fresh = w->number == 1;
  if (w->climbing) {
    w->climbing = 0;
    w->climbs++;
    return dun_climb(context, s, w->share, t, &w->below);
  }
  for (int64_t i = 0; i < s->population->tiles.local && w->climb > 0 && w->climbs == 0; i++)
    dun_f64(w->share)[i] = 1;
  int status = dun_lost_floor(context, s, t, &w->floor);
  if (status >= 0)
    status = dun_lost_core(context, s, t, &w->core);
  s->floor = dun_warmup_floor(w);
  if (status >= 0 && fresh && w->cloud.gradients && (status = gather(context, w, s, t)) >= 0)
    status = dun_agree(context, learn_metric(w, a));
  dun_cloud_clear(&w->cloud);
  if (!fresh)
    w->tau = a->length * dun_scalar_exp(a->log_step);
  set_length(w, a);
  w->climbing = w->climbs < w->climb && (w->climbs == 0 || w->below > 0);
  w->begun = !w->climbing;
  if (status >= 0 && w->begun && w->climbs > 0) { /* those that got nowhere */
    w->floor = w->core;
    status = restart_lost(context, w, s, address, t);
  }
  return status;
}

int dun_warmup_update(struct dun_context *context, struct dun_warmup *w, struct dun_adaptation *a,
                      struct dun_sweep *s, struct dun_address address, double t,
                      const struct dun_look *look)
{
  int status = dun_lost_core(context, s, t, &w->core);

  s->floor = dun_warmup_floor(w);
  w->done++;
  w->window++;
  if (w->drift && a->centre.count)
    dun_drift_add(s, w->drift, t, a->centre.value, w->window - 1, w->length);
  if (a->adapt_step)
    learn_step(w, a, look);
  if (a->adapt_length && a->centre.count)
    learn_length(w, a, look, (double)s->population->tiles.total);
  set_length(w, a);
  if (status >= 0 && !w->last && is_gathered(w, s))
    status = gather(context, w, s, t);
  if (status >= 0 && w->window == w->length)
    status = end_window(context, w, a, s, address, t);
  return status;
}
