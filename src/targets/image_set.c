/* One of a set of images, any as likely as another, with Gaussian noise on its pixels: an IDX file,
 * MNIST's format, or digits that the program draws itself.  A mixture of as many Gaussians as there
 * are images, so that draws, the density and what is left of an image that was seen through noise
 * are exact.
 *
 * The coordinates are the pixels less the mean image, in units of the root of their mean square;
 * what a result holds are pixels, from 0 (dark) to 1. */
#include "base/memory.h"
#include "numerics/mixture.h"
#include "targets/pictures.h"
#include <math.h>

enum { DIGITS = 10000 };

struct image_set {
  struct dun_pictures_given given;
  double noise;

  int height, width;
  double unit;  /* pixels of a coordinate of 1 */
  double *mean; /* [height][width] */
  struct dun_mixture mixture;
};

static const struct dun_option options[] = {
    DUN_PICTURES_ROWS(struct image_set, given),
    {.name = "images",
     .type = DUN_INTEGER,
     .offset = offsetof(struct image_set, given.images),
     .initial = "auto",
     .minimum = 2,
     .maximum = 1e6,
     .words = "auto",
     .doc = "How many there are; auto: 10000, of a file the first ones."},
    {.name = "noise",
     .type = DUN_NUMBER,
     .offset = offsetof(struct image_set, noise),
     .initial = "0.05",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Its standard deviation; a pixel's range is 1."},
    {0}};

/* The images become the means of the mixture. */
static int set_mixture(struct image_set *t, const struct dun_pictures *p, struct dun_message why)
{
  struct dun_mixture *m = &t->mixture;
  int64_t d = (int64_t)p->height * p->width;
  double square = 0;
  for (int64_t i = 0; i < p->count * d; i++)
    square += p->pixel[i] * p->pixel[i];
  t->unit = sqrt(square / (double)(p->count * d) + t->noise * t->noise);
  if (dun_mixture_init(m, (int)d, (int)p->count) < 0)
    return dun_refuse_failed(why);
  for (int64_t i = 0; i < p->count * d; i++)
    m->mean[i] = p->pixel[i] / t->unit;
  for (int64_t k = 0; k < p->count; k++) {
    m->weight[k] = 1;
    m->deviation[k] = t->noise / t->unit;
  }
  return dun_mixture_set(m) < 0 ? dun_refuse_failed(why) : 0;
}

static int init(void *self, struct dun_message why)
{
  struct image_set *t = self;
  struct dun_pictures p;
  int status = dun_pictures_read(&p, &t->given, DIGITS, why);
  t->height = p.height;
  t->width = p.width;
  if (status >= 0) {
    t->mean = dun_allocate((int64_t)t->height * t->width, sizeof *t->mean);
    status = t->mean ? 0 : dun_refuse_failed(why);
  }
  if (status >= 0) {
    dun_pictures_centre(&p, t->mean);
    status = set_mixture(t, &p, why);
  }
  dun_pictures_free(&p);
  return status;
}

static void free_tables(void *self)
{
  struct image_set *t = self;
  DUN_FREE(t->mean);
  dun_mixture_free(&t->mixture);
}

static int dimension_of(const void *self)
{
  return ((const struct image_set *)self)->mixture.dimension;
}

static int work_columns(const void *self)
{
  return ((const struct image_set *)self)->mixture.components;
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  dun_mixture_evaluate(&((const struct image_set *)self)->mixture, x, lp, scale, gradient, work);
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  dun_mixture_draw(&((const struct image_set *)self)->mixture, uniform, normal, x);
}

static int tilted(const void *self, const struct dun_tilted *tilted, double *work)
{
  if (tilted->scale)
    return -1;
  dun_mixture_tilted(&((const struct image_set *)self)->mixture, tilted, work);
  return 0;
}

static int lattice(const void *self, int *axes, int size[3])
{
  const struct image_set *t = self;
  *axes = 2;
  size[0] = t->height;
  size[1] = t->width;
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct image_set *t = self;
  if (capacity > 0)
    parameter[0] = dun_pictures_parameter(t->height, t->width);
  return 1;
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct image_set *t = self;
  for (int j = 0; j < t->mixture.dimension; j++)
    theta[j] = t->mean[j] + t->unit * x[j];
}

const struct dun_target dun_target_image_set = {
    .type = {DUN_TYPE(struct dun_target), .name = "image_set",
             .doc = "One of a set of images, of an IDX file or digits made up here, with noise on "
                    "its pixels.",
             .size = sizeof(struct image_set), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_uniforms = 1,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW,
    .log_evidence = dun_setup_normalised,
    .lattice = lattice,
    .parameters = parameters,
    .constrain = constrain,
};
