/* The geometric path log pi_t = (1 - t) log pi_0 + t log pi: tempering (Gelman & Meng 1998).
 *
 * Its base pi_0 is a Gaussian that the input states or that has the moments of points in a file, a
 * Gaussian fitted to pilot chains, the target's own prior, or, of spins and letters, uniform; with
 * the prior, d log pi_t / dt is the log likelihood.  pi_0 is normalised, so that log Z of the path
 * is that of the target. */
#include "base/error.h"
#include "base/memory.h"
#include "numerics/given.h"
#include "paths/given_base.h"
#include "paths/path.h"
#include <math.h>
#include <string.h>

enum base { BASE_GAUSSIAN, BASE_FITTED, BASE_PRIOR, BASE_UNIFORM, BASE_DENSE, BASE_POINTS };

struct geometric {
  /* options */
  struct {
    int type;
    struct dun_numbers mean, scale; /* of the Gaussian, or of the pilot chains' starts */
    long long pilot_moves, pilot_chains;
    double inflate;
    int covariance; /* enum fitted */
    struct dun_given_base given;
  } base;
  struct dun_schedule schedule;

  /* state: of a fitted base; empty before the fit */
  struct dun_numbers fitted_mean, fitted_covariance; /* [d]; [d][d] if dense, else [d] */

  /* made by init */
  struct dun_evaluator *target;
  struct dun_gaussian start, gaussian; /* pilot starts; pi_0 */
  double *work;
};

enum fitted { FITTED_DIAGONAL, FITTED_DENSE };
/* A dense covariance is summed exactly, half a kilobyte for each of its numbers. */
enum { FITTED_DENSE_MOST = 512 };

/* ---- setting up -------------------------------------------------------------------------- */

static int make_gaussian(struct geometric *g, struct dun_gaussian *out)
{
  return dun_given_gaussian(out, g->target->dimension, &g->base.mean, "path.base.mean",
                            &g->base.scale, "path.base.scale");
}

static int check_fitted(const struct geometric *g)
{
  if (g->base.covariance == FITTED_DENSE && g->target->dimension > FITTED_DENSE_MOST)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.base.covariance: dense is for at most %d dimensions, the target has %d; "
                    "use diagonal",
                    FITTED_DENSE_MOST, g->target->dimension);
  return 0;
}

static int init_base(struct dun_context *context, struct geometric *g)
{
  int status;
  if (g->target->letters && g->base.type != BASE_UNIFORM)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.base.type: points of target %s are spins or letters; use uniform",
                    g->target->target->type.name);
  switch ((enum base)g->base.type) {
  case BASE_GAUSSIAN: return make_gaussian(g, &g->gaussian);
  case BASE_FITTED:
    status = check_fitted(g);
    /* Until the fit the starts' law stands in for the base; the pilot chains give it no weight. */
    if (status >= 0 && (status = make_gaussian(g, &g->start)) >= 0)
      status = make_gaussian(g, &g->gaussian);
    return status;
  case BASE_DENSE:
    return dun_given_base_dense(&g->base.given, g->target->dimension, &g->base.mean,
                                g->base.inflate, &g->gaussian);
  case BASE_POINTS:
    status = check_fitted(g);
    return status < 0 ? status
                      : dun_given_base_points(context, &g->base.given, g->target,
                                              g->base.covariance == FITTED_DENSE, g->base.inflate,
                                              &g->gaussian);
  case BASE_UNIFORM: return dun_path_need_letters(g->target, "path.base.type");
  case BASE_PRIOR: break;
  }
  if (!g->target->target->prior || !g->target->target->draw_prior)
    return dun_fail(DUN_ERROR_INPUT,
                    "path.base.type: target %s has no prior to draw from; use gaussian or fitted",
                    g->target->target->type.name);
  return 0;
}

/* Scratch of the densest Gaussian that the base may become. */
static int make_work(struct geometric *g)
{
  DUN_FREE(g->work);
  g->work =
      dun_allocate((int64_t)g->target->dimension + dun_gaussian_work_columns(&g->gaussian) + 1,
                   DUN_LANES * sizeof *g->work);
  return g->work ? 0 : DUN_ERROR_MEMORY;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct geometric *g = self;
  int status;

  g->target = target;
  status = init_base(context, g);
  if (status >= 0)
    status = make_work(g);
  if ((status = dun_agree(context, status)) < 0)
    return status;
  return dun_schedule_init(context, &g->schedule);
}

static void release(void *self)
{
  struct geometric *g = self;
  dun_gaussian_free(&g->start);
  dun_gaussian_free(&g->gaussian);
  dun_schedule_free(&g->schedule);
  DUN_FREE(g->fitted_mean.value);
  DUN_FREE(g->fitted_covariance.value);
  DUN_FREE(g->work);
}

/* ---- the path ---------------------------------------------------------------------------- */

static void coefficients(const void *self, double t, double *coefficient)
{
  (void)self;
  coefficient[0] = 1 - t;
  coefficient[1] = t;
}

extern const struct dun_path dun_path_geometric;

static void evaluate_base(const struct geometric *g, const struct dun_request *request,
                          const double *coefficient)
{
  if (g->base.type == BASE_UNIFORM) {
    double density = dun_path_letters_density(g->target);
    for (int l = 0; l < DUN_LANES && request->part_lp; l++)
      request->part_lp[l] = density;
  } else if (g->base.type != BASE_PRIOR) {
    dun_gaussian_write(&g->gaussian, request->x, request->part_lp, coefficient, request->gradient,
                       g->work);
    return;
  }
  if (request->gradient)
    memset(request->gradient, 0,
           (size_t)g->target->dimension * DUN_LANES * sizeof *request->gradient);
  if (g->base.type == BASE_PRIOR)
    dun_evaluate_prior(g->target, request->n, request->x, request->part_lp, coefficient,
                       request->gradient);
}

static void site(const void *self, int j, const double *x, double *value)
{
  const struct geometric *g = self;
  int64_t block = (int64_t)g->target->letters * DUN_LANES;
  memset(value, 0, (size_t)block * sizeof *value);
  dun_evaluate_site(g->target, j, x, value + block);
}

static void evaluate(const void *self, const struct dun_request *request)
{
  const struct geometric *g = self;
  double own[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));
  const double *c = request->coefficient;

  if (!c) {
    dun_path_lane_coefficients(&dun_path_geometric, self, request->time, own);
    c = own;
  }
  evaluate_base(g, request, c);
  dun_evaluate(g->target, request->n, request->x,
               request->part_lp ? request->part_lp + DUN_LANES : NULL, c + DUN_LANES,
               request->gradient);
  if (request->lp)
    dun_path_combine_parts(2, c, request->part_lp, request->lp);
}

static void draws(const void *self, int *uniforms, int *normals)
{
  const struct geometric *g = self;
  int prior = g->base.type == BASE_PRIOR, uniform = g->base.type == BASE_UNIFORM;
  *uniforms = prior ? g->target->target->draw_uniforms : uniform ? -1 : 0;
  *normals = prior ? g->target->target->draw_normals : uniform ? 0 : -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct geometric *g = self;
  if (g->base.type == BASE_PRIOR)
    dun_evaluator_draw_prior(g->target, uniform, normal, x);
  else if (g->base.type == BASE_UNIFORM)
    dun_path_draw_letters(g->target, uniform, x);
  else
    dun_gaussian_draw(&g->gaussian, normal, x);
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct geometric *)self)->schedule;
}

/* ---- a base fitted to pilot chains ------------------------------------------------------- */

static struct dun_pilot pilot(const void *self)
{
  const struct geometric *g = self;
  const long long few = 100, most = 800; /* where nothing is stated */
  long long stated = g->base.pilot_moves;
  struct dun_pilot none = {0}, p = {.moves = stated > 0 ? stated : few,
                                    .most = stated > 0 ? stated : most,
                                    .chains = g->base.pilot_chains,
                                    .dense = g->base.covariance == FITTED_DENSE};
  return g->base.type == BASE_FITTED ? p : none;
}

static void pilot_draw(const void *self, const double *normal, double *x)
{
  const struct geometric *g = self;
  dun_gaussian_draw(&g->start, normal, x);
}

static int keep(struct dun_numbers *numbers, const double *value, long long count)
{
  DUN_FREE(numbers->value);
  numbers->count = 0;
  numbers->value = dun_allocate(count, sizeof *value);
  if (!numbers->value)
    return DUN_ERROR_MEMORY;
  memcpy(numbers->value, value, (size_t)count * sizeof *value);
  numbers->count = count;
  return 0;
}

static long long entries(const struct geometric *g)
{
  long long d = g->target->dimension;
  return g->base.covariance == FITTED_DENSE ? d * d : d;
}

/* Makes pi_0 from the fitted mean and covariance: also after a checkpoint gave them back. */
static int restore(void *self)
{
  struct geometric *g = self;
  long long d = g->target->dimension;
  int status;

  if (g->fitted_mean.count == 0)
    return 0;
  if (g->fitted_mean.count != d || g->fitted_covariance.count != entries(g))
    return dun_fail(DUN_ERROR_INPUT, "the stored base is not of dimension %lld", d);
  dun_gaussian_free(&g->gaussian); /* what stood in for it */
  if (g->base.covariance == FITTED_DENSE) {
    status =
        dun_gaussian_dense(&g->gaussian, (int)d, g->fitted_mean.value, g->fitted_covariance.value);
  } else {
    double *deviation = dun_allocate(d, sizeof *deviation);
    if (!deviation)
      return DUN_ERROR_MEMORY;
    for (long long j = 0; j < d; j++)
      deviation[j] = sqrt(g->fitted_covariance.value[j]);
    status = dun_gaussian_diagonal(&g->gaussian, (int)d, g->fitted_mean.value, deviation);
    dun_free(deviation);
  }
  return status < 0 ? status : make_work(g);
}

static int fit(void *self, const double *mean, const double *covariance)
{
  struct geometric *g = self;

  if (keep(&g->fitted_mean, mean, g->target->dimension) < 0 ||
      keep(&g->fitted_covariance, covariance, entries(g)) < 0)
    return DUN_ERROR_MEMORY;
  for (long long i = 0; i < entries(g); i++)
    g->fitted_covariance.value[i] *= g->base.inflate * g->base.inflate;
  return restore(g);
}

/* ---- options ----------------------------------------------------------------------------- */

#define BASE(member) offsetof(struct geometric, base.member) - offsetof(struct geometric, base)
static const struct dun_option base_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = BASE(type),
     .words = "gaussian|fitted|prior|uniform|dense|points",
     .doc =
         "A stated Gaussian, one fitted to pilot chains, the target's prior, of spins and "
         "letters all alike, a Gaussian with a stated covariance matrix, or one with the moments "
         "of points in a file, an earlier result's draws for one."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = BASE(mean),
     .initial = "0",
     .when = "type=gaussian|fitted|dense",
     .doc = "Mean of the Gaussian, or of the pilot chains' starts; one number or one for each "
            "coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = BASE(scale),
     .minimum = 1e-300,
     .maximum = 1e300,
     .when = "type=gaussian|fitted",
     .doc = "Standard deviation of the Gaussian, or of the pilot chains' starts."},
    {.name = "pilot_moves",
     .type = DUN_INTEGER,
     .offset = BASE(pilot_moves),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 1e9,
     .when = "type=fitted",
     .doc = "Moves of the pilot chains on the target before the fit; auto: 100, and twice, four or "
            "eight times as many where most of them are still far below the highest."},
    {.name = "pilot_chains",
     .type = DUN_INTEGER,
     .offset = BASE(pilot_chains),
     .initial = "1024",
     .minimum = 2,
     .maximum = 1e9,
     .when = "type=fitted",
     .doc = "At most so many particles are pilot chains."},
    {.name = "inflate",
     .type = DUN_NUMBER,
     .offset = BASE(inflate),
     .initial = "1.5",
     .minimum = .1,
     .maximum = 100,
     .when = "type=fitted|dense|points",
     .doc = "Factor on the standard deviations that were fitted, stated or found."},
    {.name = "covariance",
     .type = DUN_CHOICE,
     .offset = BASE(covariance),
     .initial = "dense",
     .words = "diagonal|dense",
     .when = "type=fitted|points",
     .doc = "What is fitted of the covariance."},
    {.name = "matrix",
     .type = DUN_MATRIX,
     .offset = BASE(given.matrix),
     .initial = "",
     .when = "type=dense",
     .doc = "The covariance, before it is inflated; this or matrix_file."},
    {.name = "matrix_file",
     .type = DUN_DATA,
     .offset = BASE(given.matrix_file),
     .initial = "",
     .when = "type=dense",
     .doc = "A CSV file with it, d rows of d numbers."},
    DUN_GIVEN_POINTS_OPTIONS(BASE(given.points), "type=points"),
    {0},
};

static const struct dun_option options[] = {
    {.name = "base",
     .type = DUN_SECTION,
     .offset = offsetof(struct geometric, base),
     .rows = base_options,
     .doc = "The law at t = 0.  It must reach every mode: there is no default."},
    {.name = "schedule",
     .type = DUN_SECTION,
     .offset = offsetof(struct geometric, schedule),
     .initial = "",
     .rows = dun_schedule_options,
     .doc = "The times between."},
    {0},
};

static const struct dun_state state[] = {
    {.name = "fitted_mean",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct geometric, fitted_mean),
     .count = 1},
    {.name = "fitted_covariance",
     .type = DUN_STATE_NUMBERS,
     .offset = offsetof(struct geometric, fitted_covariance),
     .count = 1},
    {0},
};

const struct dun_path dun_path_geometric = {
    .type = {DUN_TYPE(struct dun_path), .name = "geometric",
             .doc = "Tempering from a base to the target: log pi_t = (1 - t) log base + t log "
                    "target.",
             .citation = "Gelman & Meng 1998, Statist. Sci. 13, 163",
             .size = sizeof(struct geometric), .options = options, .state = state, .free = release,
             .restore = restore},
    .affine = 1,
    .parts = 2,
    .part_name = {"base", "target"},
    .coefficients = coefficients,
    .init = init,
    .evaluate = evaluate,
    .site = site,
    .draws = draws,
    .draw = draw,
    .schedule = schedule,
    .pilot = pilot,
    .pilot_draw = pilot_draw,
    .fit = fit,
};
