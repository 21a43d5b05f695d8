/* A density of images: for each class of a data set one or more Gaussians of few factors and noise,
 * fitted when the run begins.  The data are an IDX file, MNIST's format, or digits that the program
 * draws itself.
 *
 * The coordinates are the pixels, from 0 (dark) to 1, less the data's mean image, so that 0 lies in
 * the midst of the classes; what a result holds are pixels. */
#include "base/error.h"
#include "base/memory.h"
#include "numerics/clusters.h"
#include "numerics/factors.h"
#include "targets/pictures.h"
#include <math.h>
#include <string.h>

enum { AUTO = -1, CLASSES = 256, ROUNDS = 30, DIGITS = 1000 };

struct image {
  struct dun_pictures_given given;
  long long components, factors;
  double noise;

  int height, width;
  double *mean; /* [height][width], of the data */
  struct dun_factors density;
};

/* While the density is fitted. */
struct fitting {
  struct dun_pictures all;
  double *own, *part; /* [count][d]: those of a class, of a component */
  int *member;        /* [count], component of each of a class */
};

static const struct dun_option options[] = {
    DUN_PICTURES_ROWS(struct image, given),
    {.name = "labels",
     .type = DUN_DATA,
     .offset = offsetof(struct image, given.labels),
     .initial = "",
     .doc = "Their classes: an IDX file of unsigned bytes; left out: all are of one class.",
     .when = "source=idx"},
    {.name = "images",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image, given.images),
     .initial = "auto",
     .minimum = 2,
     .maximum = 1e6,
     .words = "auto",
     .doc = "How many images the density is fitted to; auto: 1000 digits, or the first 10000 of a "
            "file."},
    {.name = "components",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image, components),
     .initial = "auto",
     .minimum = 1,
     .maximum = 1000,
     .words = "auto",
     .doc = "Gaussians for each class; auto: 1, or 10 if there are no labels."},
    {.name = "factors",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image, factors),
     .initial = "8",
     .minimum = 0,
     .maximum = 64,
     .doc = "Directions of each Gaussian with a variance of their own."},
    {.name = "noise",
     .type = DUN_NUMBER,
     .offset = offsetof(struct image, noise),
     .initial = "0.1",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Least standard deviation in every direction; a pixel's range is 1."},
    {0}};

/* ---- data -------------------------------------------------------------------------------- */

static int read_pictures(struct image *t, struct fitting *f, struct dun_message why)
{
  if (dun_pictures_read(&f->all, &t->given, DIGITS, why) < 0)
    return DUN_ERROR_INPUT;
  t->height = f->all.height;
  t->width = f->all.width;
  int64_t d = (int64_t)t->height * t->width;
  f->own = dun_allocate(f->all.count * d, sizeof *f->own);
  f->part = dun_allocate(f->all.count * d, sizeof *f->part);
  f->member = dun_allocate(f->all.count, sizeof *f->member);
  t->mean = dun_allocate(d, sizeof *t->mean);
  if (!f->own || !f->part || !f->member || !t->mean)
    return dun_refuse_failed(why);
  dun_pictures_centre(&f->all, t->mean);
  return 0;
}

static void free_fitting(struct fitting *f)
{
  dun_pictures_free(&f->all);
  DUN_FREE(f->own);
  DUN_FREE(f->part);
  DUN_FREE(f->member);
}

/* ---- the fit ----------------------------------------------------------------------------- */

/* No class has more components than images. */
static int count_components(const struct dun_pictures *p, long long most)
{
  long long size[CLASSES] = {0}, count = 0;
  for (int64_t i = 0; i < p->count; i++)
    size[p->label[i]]++;
  for (int class = 0; class < CLASSES; class ++)
    count += size[class] < most ? size[class] : most;
  return (int)count;
}

/* The rows of `from` whose number in `of` is `wanted`. */
static int64_t select_rows(int64_t n, int64_t d, const double *from, const int *of, int wanted,
                           double *out)
{
  int64_t count = 0;
  for (int64_t i = 0; i < n; i++)
    if (of[i] == wanted)
      memcpy(out + count++ * d, from + i * d, (size_t)d * sizeof *out);
  return count;
}

/* Fits the components of one class from number *k on. */
static int fit_class(struct image *t, struct fitting *f, int class, int *k)
{
  int d = t->height * t->width, groups;
  int64_t n = select_rows(f->all.count, d, f->all.pixel, f->all.label, class, f->own);
  if (n == 0)
    return 0;
  groups = n < t->components ? (int)n : (int)t->components;
  if (dun_clusters_find(n, d, f->own, groups, ROUNDS, f->member) < 0)
    return DUN_ERROR_MEMORY;
  for (int group = 0; group < groups; group++) {
    int64_t size = select_rows(n, d, f->own, f->member, group, f->part);
    if (size > 0 && dun_factors_fit(&t->density, (*k)++, size, f->part, t->noise, 0) < 0)
      return DUN_ERROR_MEMORY;
  }
  return 0;
}

static int fit(struct image *t, struct fitting *f, struct dun_message why)
{
  int d = t->height * t->width, fitted = 0;
  int factors = t->factors < d ? (int)t->factors : d;
  if (t->components == AUTO)
    t->components = t->given.source == DUN_PICTURES_IDX && !t->given.labels.path ? 10 : 1;
  if (dun_factors_init(&t->density, d, count_components(&f->all, t->components), factors) < 0)
    return dun_refuse_failed(why);
  for (int class = 0; class < CLASSES; class ++)
    if (fit_class(t, f, class, &fitted) < 0)
      return dun_refuse_failed(why);
  t->density.components = fitted; /* less those without an image */
  dun_factors_set(&t->density);
  return 0;
}

static int init(void *self, struct dun_message why)
{
  struct image *t = self;
  struct fitting f = {.own = NULL};
  int status = read_pictures(t, &f, why);
  if (status == 0)
    status = fit(t, &f, why);
  free_fitting(&f);
  return status;
}

/* ---- the target -------------------------------------------------------------------------- */

static void free_tables(void *self)
{
  struct image *t = self;
  DUN_FREE(t->mean);
  dun_factors_free(&t->density);
}

static int dimension_of(const void *self)
{
  return ((const struct image *)self)->density.dimension;
}

static int work_columns(const void *self)
{
  return dun_factors_work_columns(&((const struct image *)self)->density);
}

static void rows(const void *self, int n, const double *x, double *lp, double *gradient,
                 double *work)
{
  dun_factors_evaluate(&((const struct image *)self)->density, n, x, lp, gradient, work);
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  dun_factors_draw(&((const struct image *)self)->density, uniform, normal, x);
}

static int lattice(const void *self, int *axes, int size[3])
{
  const struct image *t = self;
  *axes = 2;
  size[0] = t->height;
  size[1] = t->width;
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct image *t = self;
  if (capacity > 0)
    parameter[0] = dun_pictures_parameter(t->height, t->width);
  return 1;
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct image *t = self;
  for (int j = 0; j < t->density.dimension; j++)
    theta[j] = t->mean[j] + x[j];
}

/* A component's squared distances from its mean have the mean of all its variances and a spread
 * that its factors dominate; the width makes room for two of it. */
static double width_of(const struct dun_factors *f, int k)
{
  double noise = f->noise[k] * f->noise[k], sum = (f->dimension - f->factors) * noise, spread = 0;
  for (int i = 0; i < f->factors; i++) {
    double variance = f->variance[(int64_t)k * f->factors + i];
    sum += variance;
    spread += 2 * variance * variance;
  }
  return sqrt((sum + 2 * sqrt(spread)) / f->dimension);
}

static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  const struct dun_factors *f = &((const struct image *)self)->density;
  int64_t d = f->dimension;
  for (int k = 0; k < f->components && k < capacity; k++) {
    if (centre)
      memcpy(centre + k * d, f->rows + k * (f->factors + 1) * d, (size_t)d * sizeof *centre);
    if (share)
      share[k] = f->weight[k];
    if (width)
      width[k] = width_of(f, k);
  }
  return f->components;
}

const struct dun_target dun_target_image = {
    .type = {DUN_TYPE(struct dun_target), .name = "image",
             .doc = "Images, class by class a Gaussian of few factors fitted to an IDX file or to "
                    "digits made up here.",
             .citation = "Tipping & Bishop 1999, J. R. Stat. Soc. B 61, 611",
             .size = sizeof(struct image), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .rows = rows,
    .work_columns = work_columns,
    .draw_uniforms = 1,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = dun_setup_normalised,
    .lattice = lattice,
    .parameters = parameters,
    .constrain = constrain,
    .modes = modes,
};
