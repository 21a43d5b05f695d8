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
  for (int i = 0; foreign && i < DUN_FOREIGN_SELDOM; i++)
    dun_fence_free(&foreign->seldom[i]);
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

void dun_foreign_observed(struct dun_foreign *f, int count, const int *which, const double *x,
                          double *lp, const double *scale, double *gradient)
{
  int64_t block = (int64_t)f->d * DUN_LANES;
  f->target->observed(f->self, count, which, dun_fence_take(&f->x, block, x),
                      take(&f->lp, DUN_LANES, lp, lp), take(&f->scale, DUN_LANES, scale, scale),
                      take(&f->gradient, block, gradient, gradient),
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

/* ---- what is asked seldom ------------------------------------------------------------------ */

/* An array that a target is lent: its numbers are those of `from` and become those of `to`. */
struct loan {
  const char *name;
  int64_t count;
  const double *from;
  double *to;  /* NULL: nothing is taken from it */
  double *own; /* what the target gets; NULL for NULL */
};

static int lend(struct dun_foreign *f, int n, struct loan *loan)
{
  int status = 0;
  for (int i = 0; i < n && status == 0; i++) {
    struct dun_fence *fence = &f->seldom[i];
    const double *from = loan[i].to ? loan[i].to : loan[i].from;
    if (!from)
      continue;
    if (!fence->pages.base || fence->most < loan[i].count) {
      dun_fence_free(fence);
      status = dun_fence_init(fence, loan[i].name, loan[i].count);
    }
    fence->name = loan[i].name;
    loan[i].own = status == 0 ? dun_fence_take(fence, loan[i].count, from) : NULL;
  }
  return status;
}

static void take_back(const struct dun_foreign *f, int n, const struct loan *loan)
{
  for (int i = 0; i < n; i++)
    if (loan[i].own)
      dun_fence_give(&f->seldom[i], loan[i].to);
}

int dun_foreign_modes(struct dun_foreign *f, int capacity, double *centre, double *share,
                      double *width)
{
  enum { N = 3 };
  struct loan loan[N] = {{"centre", (int64_t)capacity * f->d, .to = centre},
                         {"share", capacity, .to = share},
                         {"width", capacity, .to = width}};
  if (lend(f, N, loan) < 0)
    return f->target->modes(f->self, capacity, centre, share, width);
  int count = f->target->modes(f->self, capacity, loan[0].own, loan[1].own, loan[2].own);
  take_back(f, N, loan);
  return count;
}

int dun_foreign_tilted(struct dun_foreign *f, const struct dun_tilted *tilted, int uniforms,
                       int normals, double *work)
{
  enum { N = DUN_FOREIGN_SELDOM, L = DUN_LANES };
  const int64_t entries = (int64_t)f->d * (f->d + 1) / 2;
  struct dun_tilted t = *tilted;
  struct loan loan[N] = {{"h", f->d * L, .from = t.h},
                         {"lambda", L, .from = t.lambda},
                         {"scale", f->d, .from = t.scale},
                         {"mean", f->d * L, .to = t.mean},
                         {"log_mass", L, .to = t.log_mass},
                         {"spread", L, .to = t.spread},
                         {"draw", f->d * L, .to = t.draw},
                         {"uniform", uniforms * L, .from = t.uniform},
                         {"normal", normals * L, .from = t.normal},
                         {"work", f->work_size, .to = work},
                         {"precision", entries * L, .from = t.precision},
                         {"covariance", entries * L, .to = t.covariance},
                         {"spare", entries * L, .to = t.spare}};
  if (lend(f, N, loan) < 0)
    return f->target->tilted(f->self, tilted, work);
  t.h = loan[0].own;
  t.lambda = loan[1].own;
  t.scale = loan[2].own;
  t.mean = loan[3].own;
  t.log_mass = loan[4].own;
  t.spread = loan[5].own;
  t.draw = loan[6].own;
  t.uniform = loan[7].own;
  t.normal = loan[8].own;
  t.precision = loan[10].own;
  t.covariance = loan[11].own;
  t.spare = loan[12].own;
  int status = f->target->tilted(f->self, &t, loan[9].own);
  take_back(f, N, loan);
  return status;
}

void dun_foreign_couplings(struct dun_foreign *f, int first, int count, double *row, double *field)
{
  enum { N = 2 };
  struct loan loan[N] = {{"row", (int64_t)count * f->d, .to = row}, {"field", count, .to = field}};
  if (lend(f, N, loan) < 0) {
    f->target->couplings(f->self, first, count, row, field);
    return;
  }
  f->target->couplings(f->self, first, count, loan[0].own, loan[1].own);
  take_back(f, N, loan);
}
