/* A density of images: for each class of a data set one or more Gaussians of few factors and noise,
 * fitted when the run begins.  The data are an IDX file, MNIST's format, or digits that the program
 * draws itself.
 *
 * The coordinates are the pixels, from 0 (dark) to 1, less the data's mean image, so that 0 lies in
 * the midst of the classes; what a result holds are pixels. */
#include "base/error.h"
#include "base/memory.h"
#include "data/idx.h"
#include "numerics/clusters.h"
#include "numerics/factors.h"
#include "targets/digits.h"
#include "targets/setup.h"
#include <math.h>
#include <string.h>

enum { AUTO = -1, CLASSES = 256, ROUNDS = 30 };
enum { DIGITS, IDX };

struct image {
  int source;
  long long side, seed;
  struct dun_data data, labels;
  long long images, components, factors;
  double noise;

  int height, width;
  double *mean; /* [height][width], of the data */
  struct dun_factors density;
};

/* While the density is fitted. */
struct pictures {
  int64_t count;
  double *pixel;      /* [count][d] */
  int *label;         /* [count] */
  double *own, *part; /* [count][d]: those of a class, of a component */
  int *member;        /* [count], component of each of a class */
};

static const struct dun_option options[] = {
    {.name = "source",
     .type = DUN_CHOICE,
     .offset = offsetof(struct image, source),
     .initial = "digits",
     .words = "digits|idx",
     .doc = "Strokes of the ten digits that the program draws, or an IDX file such as MNIST's."},
    {.name = "side",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image, side),
     .initial = "28",
     .minimum = 4,
     .maximum = 256,
     .doc = "Digits: pixels along each side.",
     .when = "source=digits"},
    {.name = "seed",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image, seed),
     .initial = "0",
     .maximum = 9e15,
     .doc = "Digits: seed of their slants and places, which the seed of the run does not change.",
     .when = "source=digits"},
    {.name = "data",
     .type = DUN_DATA,
     .offset = offsetof(struct image, data),
     .doc = "Images: an IDX file of unsigned bytes with three dimensions, not compressed.",
     .when = "source=idx"},
    {.name = "labels",
     .type = DUN_DATA,
     .offset = offsetof(struct image, labels),
     .initial = "",
     .doc = "Their classes: an IDX file of unsigned bytes; left out: all are of one class.",
     .when = "source=idx"},
    {.name = "images",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image, images),
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

static int allocate(struct image *t, struct pictures *p, struct dun_message why)
{
  size_t bytes = (size_t)t->height * (size_t)t->width * sizeof(double);
  p->pixel = dun_allocate(p->count, bytes);
  p->own = dun_allocate(p->count, bytes);
  p->part = dun_allocate(p->count, bytes);
  p->label = dun_allocate(p->count, sizeof *p->label);
  p->member = dun_allocate(p->count, sizeof *p->member);
  t->mean = dun_allocate(1, bytes);
  if (!p->pixel || !p->own || !p->part || !p->label || !p->member || !t->mean)
    return dun_refuse_failed(why);
  return 0;
}

static void free_pictures(struct pictures *p)
{
  DUN_FREE(p->pixel);
  DUN_FREE(p->own);
  DUN_FREE(p->part);
  DUN_FREE(p->label);
  DUN_FREE(p->member);
}

static int draw_digits(struct image *t, struct pictures *p, struct dun_message why)
{
  t->height = t->width = (int)t->side;
  p->count = t->images == AUTO ? 1000 : t->images;
  if (allocate(t, p, why) < 0)
    return DUN_ERROR_INPUT;
  for (int64_t i = 0; i < p->count; i++) {
    dun_digits_draw((uint64_t)t->seed, i, (int)t->side, p->pixel + i * t->side * t->side);
    p->label[i] = (int)(i % DUN_DIGITS);
  }
  return 0;
}

static int read_images(struct image *t, struct pictures *p, struct dun_message why)
{
  struct dun_idx images, labels = {0};
  if (dun_idx_parse(&images, &t->data, 3) < 0 ||
      (t->labels.path && dun_idx_parse(&labels, &t->labels, 1) < 0))
    return dun_refuse_failed(why);
  if (t->labels.path && labels.size[0] != images.size[0])
    return dun_refuse(why, "labels: %s holds %lld, but %s holds %lld images", t->labels.path,
                      labels.size[0], t->data.path, images.size[0]);
  if (images.size[1] > DUN_MAX_DIMENSION / images.size[2])
    return dun_refuse(why, "data: %s holds images of %lld x %lld, expected at most %d pixels",
                      t->data.path, images.size[1], images.size[2], DUN_MAX_DIMENSION);
  t->height = (int)images.size[1];
  t->width = (int)images.size[2];
  p->count = t->images == AUTO ? 10000 : t->images;
  if (t->images != AUTO && images.size[0] < t->images)
    return dun_refuse(why, "images: %s holds %lld, expected the %lld that are asked for",
                      t->data.path, images.size[0], t->images);
  p->count = p->count < images.size[0] ? p->count : images.size[0];
  if (allocate(t, p, why) < 0)
    return DUN_ERROR_INPUT;
  for (int64_t i = 0; i < p->count * t->height * t->width; i++)
    p->pixel[i] = images.value[i] / 255.0;
  for (int64_t i = 0; i < p->count && labels.value; i++)
    p->label[i] = labels.value[i];
  return 0;
}

static void subtract_mean(struct image *t, struct pictures *p)
{
  int64_t d = (int64_t)t->height * t->width;
  for (int64_t i = 0; i < p->count * d; i++)
    t->mean[i % d] += p->pixel[i] / (double)p->count;
  for (int64_t i = 0; i < p->count * d; i++)
    p->pixel[i] -= t->mean[i % d];
}

/* ---- the fit ----------------------------------------------------------------------------- */

/* No class has more components than images. */
static int count_components(const struct pictures *p, long long most)
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
static int fit_class(struct image *t, struct pictures *p, int class, int *k)
{
  int d = t->height * t->width, groups;
  int64_t n = select_rows(p->count, d, p->pixel, p->label, class, p->own);
  if (n == 0)
    return 0;
  groups = n < t->components ? (int)n : (int)t->components;
  if (dun_clusters_find(n, d, p->own, groups, ROUNDS, p->member) < 0)
    return DUN_ERROR_MEMORY;
  for (int group = 0; group < groups; group++) {
    int64_t size = select_rows(n, d, p->own, p->member, group, p->part);
    if (size > 0 && dun_factors_fit(&t->density, (*k)++, size, p->part, t->noise, 0) < 0)
      return DUN_ERROR_MEMORY;
  }
  return 0;
}

static int fit(struct image *t, struct pictures *p, struct dun_message why)
{
  int d = t->height * t->width, fitted = 0;
  int factors = t->factors < d ? (int)t->factors : d;
  if (t->components == AUTO)
    t->components = t->source == IDX && !t->labels.path ? 10 : 1;
  if (dun_factors_init(&t->density, d, count_components(p, t->components), factors) < 0)
    return dun_refuse_failed(why);
  for (int class = 0; class < CLASSES; class ++)
    if (fit_class(t, p, class, &fitted) < 0)
      return dun_refuse_failed(why);
  t->density.components = fitted; /* less those without an image */
  dun_factors_set(&t->density);
  return 0;
}

static int init(void *self, struct dun_message why)
{
  struct image *t = self;
  struct pictures p = {0};
  int status = t->source == IDX ? read_images(t, &p, why) : draw_digits(t, &p, why);
  if (status == 0) {
    subtract_mean(t, &p);
    status = fit(t, &p, why);
  }
  free_pictures(&p);
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
    parameter[0] = (struct dun_parameter){.name = "image",
                                          .rank = 2,
                                          .shape = {t->height, t->width},
                                          .doc = "Pixels by rows from the top; the data's lie "
                                                 "from 0 to 1."};
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
