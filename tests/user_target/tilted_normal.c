/* A user's target with closed forms under a tilt: a standard normal in three dimensions, by
 * columns.  Seen through noise it is a normal again, and flows and diffusions need nothing else:
 *
 *     target: {type: library, file: tilted_normal.so}
 *     method: {type: flow}
 */
#include <dunlin/target.h>
#include <math.h>

enum { D = 3 };

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  (void)self;
  (void)work;
  for (int l = 0; l < DUN_LANES; l++) {
    double square = 0;
    for (int j = 0; j < D; j++) {
      double y = x[j * DUN_LANES + l];
      square += y * y;
      if (gradient)
        gradient[j * DUN_LANES + l] -= scale[l] * y;
    }
    if (lp)
      lp[l] = -.5 * square - D * .918938533204672742;
  }
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)self;
  (void)uniform;
  for (int i = 0; i < D * DUN_LANES; i++)
    x[i] = normal[i];
}

/* exp(-|x|^2 / 2 + <h, x> - lambda |x|^2 / 2) is a normal of precision 1 + lambda. */
static int tilted(const void *self, const struct dun_tilted *t, double *work)
{
  (void)self;
  (void)work;
  for (int l = 0; l < DUN_LANES; l++) {
    double q = 1 + t->lambda[l], square = 0;
    for (int i = l; i < D * DUN_LANES; i += DUN_LANES) {
      t->mean[i] = t->h[i] / q;
      square += t->h[i] * t->h[i];
      if (t->draw)
        t->draw[i] = t->mean[i] + t->normal[i] / sqrt(q);
    }
    if (t->log_mass)
      t->log_mass[l] = .5 * (square / q - D * log1p(t->lambda[l]));
    if (t->spread)
      t->spread[l] = D / q;
  }
  return 0;
}

const struct dun_target dun_target_tilted_normal = {
    .type = {DUN_TYPE(struct dun_target), .name = "tilted_normal",
             .doc = "A standard normal that says what is left of it behind noise."},
    .dimension = D,
    .columns = columns,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW,
};
