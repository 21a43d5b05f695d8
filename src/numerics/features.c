#include "numerics/features.h"
#include "base/error.h"
#include "base/vmath.h"
#include "dunlin/target.h"

enum { L = DUN_LANES };

void dun_features_init(struct dun_features *f, int channels, const int size[2])
{
  *f = (struct dun_features){.channels = channels, .size = {size[0], size[1]}};
}

int dun_features_add(struct dun_features *f, int height, int width, double gain)
{
  if (f->levels == DUN_FEATURE_LEVELS)
    return dun_fail(DUN_ERROR_INPUT, "more than %d levels of features", DUN_FEATURE_LEVELS);
  struct dun_boxes *boxes = &f->level[f->levels++];
  *boxes = (struct dun_boxes){.side = {height, width},
                              .count = {f->size[0] / height, f->size[1] / width},
                              .gain = gain,
                              .first = f->rows};
  f->rows += (int64_t)boxes->count[0] * boxes->count[1];
  return 0;
}

/* One number in `lanes` columns at once: the mean over a box whose first pixel is at x. */
DUN_INLINE void mean_of_box(const struct dun_features *f, const struct dun_boxes *b, int lanes,
                            const double *restrict x, double *restrict out)
{
  double by = b->gain / ((double)b->side[0] * b->side[1]);
  for (int l = 0; l < lanes; l++)
    out[l] = 0;
  for (int64_t i = 0; i < b->side[0]; i++)
    for (int64_t j = 0; j < b->side[1]; j++)
      for (int l = 0; l < lanes; l++)
        out[l] += x[(i * f->size[1] + j) * lanes + l];
  for (int l = 0; l < lanes; l++)
    out[l] *= by;
}

DUN_INLINE void apply_lanes(const struct dun_features *f, int lanes, const double *x, double *out)
{
  for (int channel = 0; channel < f->channels; channel++)
    for (int k = 0; k < f->levels; k++) {
      const struct dun_boxes *b = &f->level[k];
      for (int64_t i = 0; i < b->count[0]; i++)
        for (int64_t j = 0; j < b->count[1]; j++) {
          int64_t from =
              ((channel * (int64_t)f->size[0] + i * b->side[0]) * f->size[1]) + j * b->side[1];
          mean_of_box(f, b, lanes, x + from * lanes, out);
          out += lanes;
        }
    }
}

DUN_CLONES void dun_features_apply(const struct dun_features *f, const double *x, double *out)
{
  apply_lanes(f, L, x, out);
}

void dun_features_of_point(const struct dun_features *f, const double *x, double *out)
{
  apply_lanes(f, 1, x, out);
}
