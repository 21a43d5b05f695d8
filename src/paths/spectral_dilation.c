/* Dilation of a field on a lattice by a factor of its own for each wave: pi_t is the law of
 * x = c + F^-1 Lambda_t^(1/2) F (U - c) with U from the target, where the wave k has
 *
 *   log lambda_k(t) = (1 + strength w_k) log max(t, t_1),
 *   w_k = khat^2 / (khat^2 + mass^2), divided by the largest of them,
 *
 * and t_1 is the first level.  With strength > 0 the coarse scales open first: the field grows from
 * its large scales to its small ones; 1 / mass is the length in sites that parts them.  With 0 this
 * is the path `dilation`.  lambda_k(1) = 1.  With u = c + F^-1 Lambda^(-1/2) F (x - c) and the
 * target's score s,
 *
 *   log pi_t(x) = log gamma(u) - 1/2 sum_k log lambda_k(t),
 *   grad log pi_t(x) = F^-1 Lambda^(-1/2) F s(u).
 *
 * Two forms of the state.  `form: u` moves u, whose law is the target's at every time; a new time
 * keeps x and so multiplies u_k by (lambda_k(t) / lambda_k(t'))^(1/2), unless `map` keeps u.  A
 * step h of the path is h / lambda_0 in u: in x a wave moves by h lambda_k / lambda_0, with its
 * size.  `form: x` moves y = c + (x - c) / sqrt(lambda_0), as `dilation` does, of which the waves
 * keep the factors R_k = lambda_k / lambda_0: u = c + F^-1 R^(-1/2) F (y - c), the gradient is
 * F^-1 R^(-1/2) F s(u), two pairs of transforms in an evaluation, none at t = 1.  There all waves
 * of x take steps of the same length, which does not suit the narrow ones long before t = 1.
 *
 * Where levels are close, Langevin moves of u and the contractions together sample from the target
 * times exp(-sum_k kappa_k |u_k|^2 / 2) with kappa_k proportional to 1 + strength w_k: waves held
 * at c, the fine ones more than the coarse ones, until t comes near 1. */
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/lattice.h"
#include "paths/shrunk.h"
#include <math.h>

enum form { FORM_U, FORM_X };

struct spectral_dilation {
  struct dun_shrunk shrunk; /* first */
  double strength, mass;
  int form;

  /* made by init; owned */
  struct dun_lattice lattice;
  double *rate;  /* [sites]: -strength w_k / 2, so that R_k^(-1/2) = exp(rate log t) */
  double trace;  /* their sum over all modes */
  double *u, *s; /* [d][64]: scratch */
};

static int make_waves(struct spectral_dilation *s, const struct dun_evaluator *target)
{
  int axes, size[DUN_LATTICE_AXES], status;
  int64_t d = target->dimension;
  double most = 0;

  if ((status = dun_evaluator_lattice(target, &axes, size)) < 0 ||
      (status = dun_lattice_init(&s->lattice, axes, size)) < 0)
    return status;
  s->rate = dun_allocate(s->lattice.sites, sizeof *s->rate);
  s->u = dun_allocate(d, DUN_LANES * sizeof *s->u);
  s->s = dun_allocate(d, DUN_LANES * sizeof *s->s);
  if (!s->rate || !s->u || !s->s)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < s->lattice.sites; k++) {
    s->rate[k] = s->lattice.wave[k] / (s->lattice.wave[k] + s->mass * s->mass);
    most = fmax(most, s->rate[k]);
  }
  for (int64_t k = 0; k < s->lattice.sites && most > 0; k++)
    s->rate[k] *= -.5 * s->strength / most;
  s->trace = dun_lattice_trace(&s->lattice, s->rate);
  return 0;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct spectral_dilation *s = self;
  int status = dun_agree(context, make_waves(s, target));
  return status < 0 ? status : dun_shrunk_init(context, &s->shrunk, target);
}

static void release(void *self)
{
  struct spectral_dilation *s = self;
  dun_shrunk_free(&s->shrunk);
  dun_lattice_free(&s->lattice);
  DUN_FREE(s->rate);
  DUN_FREE(s->u);
  DUN_FREE(s->s);
}

/* log max(t, t_1); 0 where no wave has a factor. */
static double log_time(const struct spectral_dilation *s, double t)
{
  double first = s->shrunk.schedule.times.value[0];
  return s->strength == 0 ? 0 : dun_scalar_log(t > first ? t : first);
}

/* log max(t, t_1) of each lane; whether any is not 0. */
static int log_times(const struct spectral_dilation *s, const double *time, double *log_t)
{
  double last = log_time(s, time[0]);
  int any = 0;
  for (int l = 0; l < DUN_LANES; l++) {
    last = l > 0 && time[l] == time[l - 1] ? last : log_time(s, time[l]);
    log_t[l] = last;
    any |= last != 0;
  }
  return any;
}

DUN_CLONES static void shift(int64_t d, double sign, const double *restrict center,
                             double *restrict x)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] += sign * center[j];
}

/* out = c + F^-1 diag(exp(rate_k by)) F (x - c), a number `by` for each lane. */
static void spread(const struct spectral_dilation *s, const double *by, const double *x,
                   double *out)
{
  int64_t d = s->lattice.sites;
  if (out != x)
    memcpy(out, x, (size_t)d * DUN_LANES * sizeof *out);
  shift(d, -1, s->shrunk.law.mean, out);
  dun_lattice_grow(&s->lattice, s->rate, by, out, out);
  shift(d, 1, s->shrunk.law.mean, out);
}

static void evaluate(const void *self, const struct dun_request *request)
{
  const struct spectral_dilation *s = self;
  double log_t[DUN_LANES] __attribute__((aligned(64)));
  struct dun_request at_u = *request;

  if (s->form == FORM_U || !log_times(s, request->time, log_t)) {
    dun_path_evaluate_target(s->shrunk.target, request);
    return;
  }
  spread(s, log_t, request->x, s->u);
  at_u.x = s->u;
  at_u.gradient = request->gradient ? s->s : NULL;
  dun_path_evaluate_target(s->shrunk.target, &at_u);
  if (request->gradient)
    dun_lattice_grow(&s->lattice, s->rate, log_t, s->s, request->gradient);
  for (int l = 0; request->part_lp && l < DUN_LANES; l++)
    request->part_lp[l] += s->trace * log_t[l];
  if (request->lp)
    memcpy(request->lp, request->part_lp, DUN_LANES * sizeof *request->lp);
}

/* The lanes are all at one time; `by` of them all. */
static void spread_all(const struct spectral_dilation *s, double by, double *x)
{
  double lanes[DUN_LANES] __attribute__((aligned(64)));
  for (int l = 0; l < DUN_LANES; l++)
    lanes[l] = by;
  if (by != 0)
    spread(s, lanes, x, x);
}

/* The waves' factors change by exp(rate by): of u where x is kept, of y where u is. */
static void carry(const void *self, double t, double next, int n, struct dun_address address,
                  double *x, double *memory, double *log_ratio)
{
  const struct spectral_dilation *s = self;
  int keeps_u = s->shrunk.map, changes = s->form == FORM_X ? keeps_u : !keeps_u && t > 0;
  double step = log_time(s, next) - log_time(s, t), by = s->form == FORM_X ? -step : step;
  double log_factor = keeps_u ? 0 : dun_shrunk_contract(&s->shrunk, t, next, x);

  (void)n;
  (void)address;
  (void)memory;
  if (changes) {
    spread_all(s, by, x);
    log_factor += s->trace * by;
  }
  for (int l = 0; l < DUN_LANES; l++)
    log_ratio[l] = log_factor;
}

/* u is drawn. */
static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct spectral_dilation *s = self;
  (void)uniform;
  dun_shrunk_draw(&s->shrunk, normal, x);
  if (s->form == FORM_X && s->shrunk.begin.type != DUN_BEGIN_DIRAC)
    spread_all(s, -log_time(s, 0), x);
}

static int draw_density(const void *self, const double *x, double *lp)
{
  const struct spectral_dilation *s = self;
  double log_t = s->form == FORM_X ? log_time(s, 0) : 0;
  memcpy(s->u, x, (size_t)s->lattice.sites * DUN_LANES * sizeof *x);
  spread_all(s, log_t, s->u);
  int has = dun_shrunk_density(&s->shrunk, s->u, lp);
  for (int l = 0; has && l < DUN_LANES; l++)
    lp[l] += s->trace * log_t;
  return has;
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct spectral_dilation *)self)->shrunk.schedule;
}

static int64_t memory(const void *self)
{
  const struct spectral_dilation *s = self;
  return dun_lattice_memory(&s->lattice) + dun_block_bytes(s->rate) + dun_block_bytes(s->u) +
         dun_block_bytes(s->s);
}

static const struct dun_option options[] = {
    DUN_SHRUNK_OPTIONS,
    {.name = "strength",
     .type = DUN_NUMBER,
     .offset = offsetof(struct spectral_dilation, strength),
     .initial = "1",
     .minimum = -1,
     .maximum = 16,
     .doc =
         "How much more fine waves are shrunk: log lambda = (1 + strength w) log t, w from 0 for "
         "the coarsest wave to 1 for the finest."},
    {.name = "mass",
     .type = DUN_NUMBER,
     .offset = offsetof(struct spectral_dilation, mass),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Which waves are coarse: w goes as khat^2 / (khat^2 + mass^2)."},
    {.name = "form",
     .type = DUN_CHOICE,
     .offset = offsetof(struct spectral_dilation, form),
     .initial = "u",
     .words = "u|x",
     .doc = "What moves: the target's own u, or x over its coarsest wave's unit."},
    {0},
};

const struct dun_path dun_path_spectral_dilation = {
    .type = {DUN_TYPE(struct dun_path), .name = "spectral_dilation",
             .doc = "A field shrunk to a point, coarse waves less than fine ones, and let grow "
                    "again.",
             .citation = "Chehab & Korba 2024, arXiv 2406.14040, in Fourier space",
             .size = sizeof(struct spectral_dilation), .options = options, .free = release},
    .parts = 1,
    .part_name = {"target"},
    .coefficients = dun_shrunk_coefficients,
    .init = init,
    .evaluate = evaluate,
    .unit = dun_shrunk_unit,
    .carry = carry,
    .draws = dun_shrunk_draws,
    .draw = draw,
    .draw_density = draw_density,
    .schedule = schedule,
    .memory = memory,
};
