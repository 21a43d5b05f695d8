#include "targets/pictures.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/idx.h"
#include "targets/digits.h"

enum { AUTO = -1, FIRST = 10000 };

static int allocate(struct dun_pictures *p, struct dun_message why)
{
  p->pixel = dun_allocate(p->count * p->height * p->width, sizeof *p->pixel);
  p->label = dun_allocate(p->count, sizeof *p->label);
  return p->pixel && p->label ? 0 : dun_refuse_failed(why);
}

static int draw_digits(struct dun_pictures *p, const struct dun_pictures_given *given,
                       int64_t digits, struct dun_message why)
{
  p->height = p->width = (int)given->side;
  p->count = given->images == AUTO ? digits : given->images;
  if (allocate(p, why) < 0)
    return DUN_ERROR_INPUT;
  for (int64_t i = 0; i < p->count; i++) {
    dun_digits_draw((uint64_t)given->seed, i, p->height, p->pixel + i * p->height * p->width);
    p->label[i] = (int)(i % DUN_DIGITS);
  }
  return 0;
}

static int read_file(struct dun_pictures *p, const struct dun_pictures_given *given,
                     struct dun_message why)
{
  struct dun_idx images, labels = {0};
  if (dun_idx_parse(&images, &given->data, 3) < 0 ||
      (given->labels.path && dun_idx_parse(&labels, &given->labels, 1) < 0))
    return dun_refuse_failed(why);
  if (given->labels.path && labels.size[0] != images.size[0])
    return dun_refuse(why, "labels: %s holds %lld, but %s holds %lld images", given->labels.path,
                      labels.size[0], given->data.path, images.size[0]);
  if (images.size[1] > DUN_MAX_DIMENSION / images.size[2])
    return dun_refuse(why, "data: %s holds images of %lld x %lld, expected at most %d pixels",
                      given->data.path, images.size[1], images.size[2], DUN_MAX_DIMENSION);
  p->height = (int)images.size[1];
  p->width = (int)images.size[2];
  p->count = given->images == AUTO ? FIRST : given->images;
  if (given->images != AUTO && images.size[0] < given->images)
    return dun_refuse(why, "images: %s holds %lld, expected the %lld that are asked for",
                      given->data.path, images.size[0], given->images);
  p->count = p->count < images.size[0] ? p->count : images.size[0];
  if (allocate(p, why) < 0)
    return DUN_ERROR_INPUT;
  for (int64_t i = 0; i < p->count * p->height * p->width; i++)
    p->pixel[i] = images.value[i] / 255.0;
  for (int64_t i = 0; i < p->count && labels.value; i++)
    p->label[i] = labels.value[i];
  return 0;
}

int dun_pictures_read(struct dun_pictures *p, const struct dun_pictures_given *given,
                      int64_t digits, struct dun_message why)
{
  *p = (struct dun_pictures){0};
  return given->source == DUN_PICTURES_IDX ? read_file(p, given, why)
                                           : draw_digits(p, given, digits, why);
}

void dun_pictures_free(struct dun_pictures *p)
{
  DUN_FREE(p->pixel);
  DUN_FREE(p->label);
}

void dun_pictures_centre(struct dun_pictures *p, double *mean)
{
  int64_t d = (int64_t)p->height * p->width;
  for (int64_t j = 0; j < d; j++)
    mean[j] = 0;
  for (int64_t i = 0; i < p->count * d; i++)
    mean[i % d] += p->pixel[i] / (double)p->count;
  for (int64_t i = 0; i < p->count * d; i++)
    p->pixel[i] -= mean[i % d];
}

struct dun_parameter dun_pictures_parameter(int height, int width)
{
  return (struct dun_parameter){.name = "image",
                                .rank = 2,
                                .shape = {height, width},
                                .doc = "Pixels by rows from the top; the data's lie from 0 to 1."};
}
