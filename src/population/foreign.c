#include "population/foreign.h"
#include "base/error.h"
#include "base/memory.h"
#include <string.h>

struct dun_foreign *dun_foreign_make(const struct dun_foreign *sizes)
{
  int64_t lanes = DUN_LANES, d = sizes->d, widest = d > sizes->outputs ? d : sizes->outputs;
  const struct {
    const char *name;
    int64_t count;
  } all[DUN_FOREIGN_ARRAYS] = {
      {"x", widest * lanes},        {"scale", lanes},           {"lp", lanes},
      {"gradient", d * lanes},      {"work", sizes->work_size}, {"theta", sizes->outputs},
      {"out", sizes->observations}, {"value", sizes->letters}};
  struct dun_foreign *foreign = dun_allocate(1, sizeof *foreign);
  int status = foreign ? 0 : DUN_ERROR_MEMORY;
  if (foreign)
    *foreign = *sizes;
  for (int i = 0; i < DUN_FOREIGN_ARRAYS && status == 0; i++)
    status = dun_fence_init(&foreign->array[i], all[i].name, all[i].count);
  if (status == 0)
    return foreign;
  dun_foreign_free(foreign);
  return NULL;
}

void dun_foreign_free(struct dun_foreign *foreign)
{
  for (int i = 0; foreign && i < DUN_FOREIGN_ARRAYS; i++)
    dun_fence_free(&foreign->array[i]);
  dun_free(foreign);
}

/* An array that may be left out. */
static double *take(struct dun_fence *fence, int64_t count, const double *from, const double *there)
{
  return there ? dun_fence_take(fence, count, from) : NULL;
}

static void give(const struct dun_fence *fence, double *to)
{
  if (to)
    dun_fence_give(fence, to);
}

double dun_foreign_point(struct dun_foreign *f, const double *x, double *gradient)
{
  double *own = dun_fence_take(&f->x, f->d, x);
  double *slope = take(&f->gradient, f->d, gradient, gradient);
  double lp = f->target->point(f->self, own, slope);
  if (slope)
    memcpy(gradient, slope, (size_t)f->d * sizeof *slope);
  return lp;
}

void dun_foreign_check_points(const struct dun_foreign *f)
{
  if (f->x.count == f->d)
    dun_fence_check(&f->x);
  if (f->gradient.count == f->d)
    dun_fence_check(&f->gradient);
}

void dun_foreign_rows(struct dun_foreign *f, int n, const double *x, double *lp, double *gradient)
{
  int64_t count = (int64_t)n * f->d;
  f->target->rows(f->self, n, dun_fence_take(&f->x, count, x), dun_fence_take(&f->lp, n, lp),
                  take(&f->gradient, count, gradient, gradient),
                  dun_fence_take(&f->work, f->work_size, NULL));
  dun_fence_give(&f->x, NULL);
  dun_fence_give(&f->work, NULL);
  dun_fence_give(&f->lp, lp);
  give(&f->gradient, gradient);
}

void dun_foreign_columns(struct dun_foreign *f, dun_columns_function *columns, const double *x,
                         double *lp, const double *scale, double *gradient)
{
  int64_t count = (int64_t)f->d * DUN_LANES;
  columns(f->self, dun_fence_take(&f->x, count, x), take(&f->lp, DUN_LANES, lp, lp),
          take(&f->scale, DUN_LANES, scale, scale), take(&f->gradient, count, gradient, gradient),
          dun_fence_take(&f->work, f->work_size, NULL));
  dun_fence_give(&f->x, NULL);
  dun_fence_give(&f->work, NULL);
  give(&f->lp, lp);
  give(&f->gradient, gradient);
}

void dun_foreign_draw(struct dun_foreign *f, dun_draw_function *draw, int width,
                      const double *uniform, const double *normal, double *x)
{
  draw(f->self, uniform, normal, dun_fence_take(&f->x, (int64_t)width * DUN_LANES, x));
  dun_fence_give(&f->x, x);
}

void dun_foreign_constrain(struct dun_foreign *f, const double *x, double *theta)
{
  f->target->constrain(f->self, dun_fence_take(&f->x, f->d, x),
                       dun_fence_take(&f->theta, f->outputs, theta));
  dun_fence_give(&f->x, NULL);
  dun_fence_give(&f->theta, theta);
}

void dun_foreign_pointwise(struct dun_foreign *f, const double *x, double *out)
{
  f->target->log_likelihood(f->self, dun_fence_take(&f->x, f->d, x),
                            dun_fence_take(&f->out, f->observations, out));
  dun_fence_give(&f->x, NULL);
  dun_fence_give(&f->out, out);
}

void dun_foreign_site(struct dun_foreign *f, int j, const double *x, double *value)
{
  f->target->site(f->self, j, dun_fence_take(&f->x, (int64_t)f->d * DUN_LANES, x),
                  dun_fence_take(&f->value, f->letters, value));
  dun_fence_give(&f->x, NULL);
  dun_fence_give(&f->value, value);
}
