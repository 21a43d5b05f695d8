/* A user's target with closed forms under the tilt of a matrix, too: a standard normal in three
 * dimensions.  Observation `adapted` asks for them:
 *
 *     target: {type: library, file: matrix_normal.so}
 *     method: {type: localization, observation: {type: adapted}}
 */
#include <dunlin/target.h>
#include <math.h>

enum { D = 3, L = DUN_LANES };

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  (void)self;
  (void)work;
  for (int l = 0; l < L; l++) {
    double square = 0;
    for (int j = 0; j < D; j++) {
      double y = x[j * L + l];
      square += y * y;
      if (gradient)
        gradient[j * L + l] -= scale[l] * y;
    }
    if (lp)
      lp[l] = -.5 * square - D * .918938533204672742;
  }
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)self;
  (void)uniform;
  for (int i = 0; i < D * L; i++)
    x[i] = normal[i];
}

/* exp(-|x|^2 / 2 + <h, x> - <x, M x> / 2) is a normal of precision A = 1 + M = F F^T. */
static void tilt_lane(const struct dun_tilted *t, int l)
{
  double f[D][D] = {{0}}, inverse[D][D] = {{0}}, y[D], z[D], mass = 0, spread = 0;
  for (int i = 0; i < D; i++) {
    y[i] = t->h[i * L + l];
    for (int j = 0; j <= i; j++) {
      double sum = (i == j) + (t->precision ? t->precision[(i * (i + 1) / 2 + j) * L + l]
                                            : (i == j) * t->lambda[l]);
      for (int k = 0; k < j; k++)
        sum -= f[i][k] * f[j][k];
      f[i][j] = i == j ? sqrt(sum) : sum / f[j][j];
      y[i] -= i == j ? 0 : f[i][j] * y[j];
    }
    y[i] /= f[i][i];
    for (int j = 0; j <= i; j++) { /* F^-1 */
      double sum = i == j;
      for (int k = j; k < i; k++)
        sum -= f[i][k] * inverse[k][j];
      inverse[i][j] = sum / f[i][i];
    }
    mass += .5 * y[i] * y[i] - log(f[i][i]);
    z[i] = y[i] + (t->draw ? t->normal[i * L + l] : 0);
  }
  for (int i = 0; i < D; i++) {
    double mean = 0, drawn = 0;
    for (int k = i; k < D; k++) {
      mean += inverse[k][i] * y[k];
      drawn += inverse[k][i] * z[k];
      spread += inverse[k][i] * inverse[k][i];
    }
    t->mean[i * L + l] = mean;
    if (t->draw)
      t->draw[i * L + l] = drawn;
    for (int j = 0; j <= i && t->covariance; j++) {
      double sum = 0;
      for (int k = i; k < D; k++)
        sum += inverse[k][i] * inverse[k][j];
      t->covariance[(i * (i + 1) / 2 + j) * L + l] = sum;
    }
  }
  if (t->log_mass)
    t->log_mass[l] = mass;
  if (t->spread)
    t->spread[l] = spread;
}

static int tilted(const void *self, const struct dun_tilted *t, double *work)
{
  (void)self;
  (void)work;
  for (int l = 0; l < L; l++)
    tilt_lane(t, l);
  return 0;
}

const struct dun_target dun_target_matrix_normal = {
    .type = {DUN_TYPE(struct dun_target), .name = "matrix_normal",
             .doc = "A standard normal that says what is left of it behind noise of any shape."},
    .dimension = D,
    .columns = columns,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW | DUN_TILTED_MATRIX,
};
