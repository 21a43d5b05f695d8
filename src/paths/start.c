#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/given.h"
#include "paths/path.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { L = DUN_LANES };

static enum dun_start_type law_of(const struct dun_start *s)
{
  return s->target->letters ? DUN_START_LETTERS : (enum dun_start_type)s->type;
}

/* ---- setting up ---------------------------------------------------------------------------- */

static int make_box(struct dun_start *s, const char *place)
{
  int d = s->target->dimension;
  char name[64];
  s->low = dun_allocate(d, sizeof *s->low);
  s->width = dun_allocate(d, sizeof *s->width);
  if (!s->low || !s->width)
    return DUN_ERROR_MEMORY;
  snprintf(name, sizeof name, "%.40s.lower", place);
  int status = dun_given_numbers(&s->lower, name, d, s->low);
  snprintf(name, sizeof name, "%.40s.upper", place);
  if (status >= 0)
    status = dun_given_numbers(&s->upper, name, d, s->width);
  for (int j = 0; j < d && status >= 0; j++) {
    double upper = s->width[j];
    s->width[j] = upper - s->low[j];
    if (!(s->width[j] > 0))
      status = dun_fail(DUN_ERROR_INPUT,
                        "%s: coordinate %d lies between lower, %g, and upper, %g, which is not "
                        "above it",
                        place, j, s->low[j], upper);
  }
  return status;
}

static int make_point(struct dun_start *s, const char *place)
{
  const struct dun_evaluator *e = s->target;
  char name[64], reason[256] = "";
  int count = s->points.coordinates == DUN_CONSTRAINED ? e->outputs : e->dimension, status;
  double *given = dun_allocate(count, sizeof *given);
  s->points.row = dun_allocate(e->dimension, sizeof *s->points.row);
  s->points.rows = 1;
  snprintf(name, sizeof name, "%.40s.point", place);
  status = given && s->points.row ? 0 : DUN_ERROR_MEMORY;
  if (status >= 0 && s->point.count != 1 && s->point.count != count)
    status = dun_fail(DUN_ERROR_INPUT, "%s: found %lld numbers, expected 1 or %d, %s", name,
                      s->point.count, count,
                      s->points.coordinates == DUN_CONSTRAINED ? "those of the output parameters"
                                                               : "the target's dimension");
  if (status >= 0)
    status = dun_given_numbers(&s->point, name, count, given);
  if (status >= 0 && s->points.coordinates == DUN_UNCONSTRAINED)
    memcpy(s->points.row, given, (size_t)count * sizeof *given);
  else if (status >= 0 &&
           dun_evaluator_unconstrain(e, given, s->points.row,
                                     (struct dun_message){reason, sizeof reason}) < 0)
    status = dun_fail(DUN_ERROR_INPUT, "%s: %s", name, reason);
  dun_free(given);
  return status;
}

static int check_prior(const struct dun_start *s, const char *place)
{
  const struct dun_target *target = s->target->target;
  if (target->prior && target->draw_prior)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "%s.type: target %s has no prior to draw from; use gaussian",
                  place, target->type.name);
}

static int check_letters(const struct dun_start *s, const char *place)
{
  if (s->type != DUN_START_POINT && s->type != DUN_START_FILE)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%s.type: points of target %s are spins or letters, and begin at any, all alike: "
                  "points cannot be given",
                  place, s->target->target->type.name);
}

int dun_start_init(struct dun_context *context, struct dun_start *s, struct dun_evaluator *target,
                   const char *place)
{
  char mean[64], scale[64];
  int status = 0;
  s->target = target;
  snprintf(mean, sizeof mean, "%.40s.mean", place);
  snprintf(scale, sizeof scale, "%.40s.scale", place);
  switch (law_of(s)) {
  case DUN_START_GAUSSIAN:
    status = dun_given_gaussian(&s->law, target->dimension, &s->mean, mean, &s->scale, scale);
    break;
  case DUN_START_UNIFORM: status = make_box(s, place); break;
  case DUN_START_PRIOR: status = check_prior(s, place); break;
  case DUN_START_POINT: status = make_point(s, place); break;
  case DUN_START_FILE: return dun_given_points_read(context, &s->points, target);
  case DUN_START_LETTERS: status = check_letters(s, place); break;
  }
  return dun_agree(context, status);
}

void dun_start_free(struct dun_start *s)
{
  dun_gaussian_free(&s->law);
  DUN_FREE(s->low);
  DUN_FREE(s->width);
  DUN_FREE(s->points.row);
}

/* ---- drawing ------------------------------------------------------------------------------- */

void dun_start_draws(const struct dun_start *s, int *uniforms, int *normals)
{
  *uniforms = *normals = 0;
  switch (law_of(s)) {
  case DUN_START_GAUSSIAN: *normals = -1; break;
  case DUN_START_UNIFORM:
  case DUN_START_LETTERS: *uniforms = -1; break;
  case DUN_START_PRIOR:
    *uniforms = s->target->target->draw_uniforms;
    *normals = s->target->target->draw_normals;
    break;
  case DUN_START_POINT:
  case DUN_START_FILE: *uniforms = s->points.rows > 1; break;
  }
}

DUN_CLONES static void draw_box(const struct dun_start *s, const double *restrict uniform,
                                double *restrict x)
{
  for (int64_t j = 0; j < s->target->dimension; j++)
    for (int l = 0; l < L; l++)
      x[j * L + l] = DUN_FMA(s->width[j], uniform[j * L + l], s->low[j]);
}

static void pick_rows(const struct dun_start *s, const double *uniform, double *x)
{
  int64_t d = s->target->dimension;
  for (int l = 0; l < L; l++) {
    int64_t k = s->points.rows > 1 ? (int64_t)(uniform[l] * (double)s->points.rows) : 0;
    k = k < s->points.rows ? k : s->points.rows - 1;
    for (int64_t j = 0; j < d; j++)
      x[j * L + l] = s->points.row[k * d + j];
  }
}

void dun_start_draw(const struct dun_start *s, const double *uniform, const double *normal,
                    double *x)
{
  switch (law_of(s)) {
  case DUN_START_GAUSSIAN: dun_gaussian_draw(&s->law, normal, x); break;
  case DUN_START_UNIFORM: draw_box(s, uniform, x); break;
  case DUN_START_PRIOR: dun_evaluator_draw_prior(s->target, uniform, normal, x); break;
  case DUN_START_POINT:
  case DUN_START_FILE: pick_rows(s, uniform, x); break;
  case DUN_START_LETTERS: dun_path_draw_letters(s->target, uniform, x); break;
  }
}

DUN_CLONES static int box_density(const struct dun_start *s, const double *x, double *lp)
{
  double peak = 0;
  for (int64_t j = 0; j < s->target->dimension; j++)
    peak -= dun_scalar_log(s->width[j]);
  for (int l = 0; l < L; l++) {
    int inside = 1;
    for (int64_t j = 0; j < s->target->dimension; j++) {
      double away = x[j * L + l] - s->low[j];
      inside &= away >= 0 && away <= s->width[j];
    }
    lp[l] = inside ? peak : -INFINITY;
  }
  return 1;
}

static int alike_density(const struct dun_start *s, double *lp)
{
  double alike = dun_path_letters_density(s->target);
  for (int l = 0; l < L; l++)
    lp[l] = alike;
  return 1;
}

int dun_start_density(const struct dun_start *s, const double *x, double *lp)
{
  switch (law_of(s)) {
  case DUN_START_GAUSSIAN: dun_gaussian_evaluate(&s->law, x, lp, NULL, NULL, NULL); return 1;
  case DUN_START_UNIFORM: return box_density(s, x, lp);
  case DUN_START_PRIOR: dun_evaluate_prior(s->target, L, x, lp, NULL, NULL); return 1;
  case DUN_START_LETTERS: return alike_density(s, lp);
  case DUN_START_POINT:
  case DUN_START_FILE: break;
  }
  return 0;
}

/* Of many points the last of equal stretches: of a result's draws each chain's latest. */
int dun_start_given(const struct dun_start *s, int64_t number, int64_t count, double *x)
{
  int64_t d = s->target->dimension;
  if (s->points.rows == 0)
    return 0;
  int64_t k = s->points.rows > count
                  ? (int64_t)((__int128)(number + 1) * s->points.rows / count) - 1
                  : number % s->points.rows;
  memcpy(x, s->points.row + k * d, (size_t)d * sizeof *x);
  return 1;
}

/* ---- options ------------------------------------------------------------------------------- */

#define START(member) offsetof(struct dun_start, member)
const struct dun_option dun_start_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = START(type),
     .initial = "gaussian",
     .words = "gaussian|uniform|prior|point|file",
     .doc = "A stated Gaussian, uniform in a box, the target's prior, one point, or points of a "
            "file; drawn anew up to 100 times where density or gradient is no finite number.  "
            "Spins and letters start at any, all alike."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = START(mean),
     .initial = "0",
     .when = "type=gaussian",
     .doc = "Mean of the Gaussian; one number or one for each coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = START(scale),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e300,
     .when = "type=gaussian",
     .doc = "Its standard deviation; one number or one for each coordinate."},
    {.name = "lower",
     .type = DUN_NUMBERS,
     .offset = START(lower),
     .initial = "-2",
     .when = "type=uniform",
     .doc = "Lower end of the box, in unconstrained coordinates; one number or one for each."},
    {.name = "upper",
     .type = DUN_NUMBERS,
     .offset = START(upper),
     .initial = "2",
     .when = "type=uniform",
     .doc = "Its upper end."},
    {.name = "point",
     .type = DUN_NUMBERS,
     .offset = START(point),
     .when = "type=point",
     .doc = "Where all chains begin; one number for all or one for each."},
    {.name = "file",
     .type = DUN_FILE,
     .offset = START(points.file),
     .when = "type=file",
     .doc =
         "Points: a CSV file of a row each, whose columns may have the output's names; a result, "
         "of whose draws the chains take the latest; another HDF5 file; or an IDX file."},
    {.name = "dataset",
     .type = DUN_TEXT,
     .offset = START(points.dataset),
     .initial = "",
     .when = "type=file",
     .doc = "Place of the points in an HDF5 file, a row each; left out: the draws of a result."},
    {.name = "coordinates",
     .type = DUN_CHOICE,
     .offset = START(points.coordinates),
     .initial = "constrained",
     .words = "constrained|unconstrained",
     .when = "type=point|file",
     .doc = "What the numbers are: the output parameters, or what the chains move in; of a target "
            "without transforms the same."},
    {.name = "climb",
     .type = DUN_INTEGER,
     .offset = START(climb),
     .initial = "0",
     .maximum = 10000,
     .doc = "So many steps at most before the warm-up, along gradients and in a metric that all "
            "chains teach, until a chain lies as far from the mode as draws do: for starts that "
            "are far off."},
    {.name = "superchains",
     .type = DUN_INTEGER,
     .offset = START(superchains),
     .initial = "0",
     .maximum = 1024,
     .doc = "So many groups of consecutive chains begin each at one point, so that nested R-hat "
            "tells of the shortest chains whether they have forgotten it; 0: every chain begins "
            "for itself."},
    {0},
};
