/* A standard normal law in two dimensions behind a wall, for chains that have to find a place to
 * begin: the density is 0 up to x0 = wall, and the gradient is no number from x1 = fog on. */
#include <dunlin/target.h>
#include <math.h>

struct fogged {
  double wall, fog;
};

static double point(const void *self, const double *x, double *gradient)
{
  const struct fogged *t = self;
  if (gradient) {
    gradient[0] = -x[0];
    gradient[1] = x[1] < t->fog ? -x[1] : NAN;
  }
  return x[0] > t->wall ? -.5 * (x[0] * x[0] + x[1] * x[1]) : -INFINITY;
}

static const struct dun_option options[] = {
    {.name = "wall",
     .type = DUN_NUMBER,
     .offset = offsetof(struct fogged, wall),
     .doc = "The support begins here."},
    {.name = "fog",
     .type = DUN_NUMBER,
     .offset = offsetof(struct fogged, fog),
     .initial = "1e9",
     .doc = "The gradient ends here."},
    {0},
};

const struct dun_target dun_target_fogged = {
    .type = {DUN_TYPE(struct dun_target), .name = "fogged",
             .doc = "A normal law behind a wall, without a gradient in a part of it.",
             .size = sizeof(struct fogged), .options = options},
    .dimension = 2,
    .point = point,
};
