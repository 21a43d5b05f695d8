#include "paths/path.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include <math.h>

int dun_path_prepare(struct dun_context *context, const struct dun_path *path, void *self, double t)
{
  return path->prepare ? path->prepare(context, self, t) : 0;
}

int dun_path_is_map(const struct dun_path *path, const void *self)
{
  return path->carry && (!path->follow || path->follow(self) == DUN_FOLLOW_BY_MOVES);
}

void dun_path_lane_coefficients(const struct dun_path *path, const void *self, const double *time,
                                double *coefficient)
{
  double c[DUN_MAX_PARTS];
  int same = 1;

  for (int l = 1; l < DUN_LANES; l++)
    same &= time[l] == time[0];
  for (int l = 0; l < DUN_LANES; l++) {
    if (l == 0 || !same)
      path->coefficients(self, time[l], c);
    for (int k = 0; k < path->parts; k++)
      coefficient[k * DUN_LANES + l] = c[k];
  }
}

/* A coefficient of 0 silences a part that is -inf; +inf cannot come out of a density, and it and
 * NaN count as outside. */
DUN_CLONES void dun_path_combine_parts(int K, const double *coefficient, const double *part_lp,
                                       double *lp)
{
  double sum[DUN_LANES] = {0};

  for (int k = 0; k < K; k++) {
    const double *c = coefficient + (int64_t)k * DUN_LANES;
    const double *part = part_lp + (int64_t)k * DUN_LANES;
    for (int l = 0; l < DUN_LANES; l++) {
      double term = c[l] * part[l];
      sum[l] += c[l] == 0 ? 0 : term;
    }
  }
  for (int l = 0; l < DUN_LANES; l++)
    lp[l] = sum[l] < INFINITY ? sum[l] : -INFINITY;
}

void dun_path_combine(const struct dun_path *path, const void *self, const double *time,
                      const double *part_lp, double *lp)
{
  double c[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));

  dun_path_lane_coefficients(path, self, time, c);
  dun_path_combine_parts(path->parts, c, part_lp, lp);
}

void dun_path_draws(const struct dun_path *path, const void *self, int d, int *uniforms,
                    int *normals)
{
  path->draws(self, uniforms, normals);
  *uniforms = *uniforms < 0 ? d : *uniforms;
  *normals = *normals < 0 ? d : *normals;
}

void dun_path_draw_letters(const struct dun_evaluator *target, const double *uniform, double *x)
{
  int q = target->letters;
  for (int64_t i = 0; i < (int64_t)target->dimension * DUN_LANES; i++) {
    int letter = (int)(uniform[i] * q);
    x[i] = dun_evaluator_letter(target, letter < q ? letter : q - 1);
  }
}

double dun_path_letters_density(const struct dun_evaluator *target)
{
  return target->letters ? -target->dimension * dun_scalar_log(target->letters) : 0;
}

int dun_path_need_letters(const struct dun_evaluator *target, const char *option)
{
  if (target->letters)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%s: uniform is for spins and letters, and target %s has points of real numbers; "
                  "use gaussian",
                  option, target->target->type.name);
}

int dun_path_at_point(const struct dun_path *path, const void *self, int d, int *at_point)
{
  double lp[DUN_LANES] __attribute__((aligned(64)));

  *at_point = 0;
  if (!path->draw_density)
    return 0;
  double *x = dun_allocate((int64_t)d * DUN_LANES, sizeof *x);
  if (!x)
    return DUN_ERROR_MEMORY;
  *at_point = !path->draw_density(self, x, lp);
  dun_free(x);
  return 0;
}

void dun_path_evaluate_target(struct dun_evaluator *target, const struct dun_request *request)
{
  double one[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    one[l] = 1;
  if (request->gradient)
    memset(request->gradient, 0, (size_t)target->dimension * DUN_LANES * sizeof(double));
  dun_evaluate(target, request->n, request->x, request->part_lp, one, request->gradient);
  if (request->lp)
    memcpy(request->lp, request->part_lp, DUN_LANES * sizeof(double));
}
