#include "processes/channel.h"
#include "base/error.h"
#include <math.h>

/* ---- pairs, of which r numbers count --------------------------------------------------------- */

static double dot(int r, const double *a, const double *b)
{
  return r == 1 ? a[0] * b[0] : a[0] * b[0] + a[1] * b[1];
}

static void times(int r, const double (*m)[2], const double *v, double *out)
{
  for (int i = 0; i < r; i++)
    out[i] = dot(r, m[i], v);
}

/* out = L^-1 with L lower triangular. */
static void invert_root(int r, const double l[2][2], double out[2][2])
{
  out[0][0] = 1 / l[0][0];
  if (r == 2) {
    out[0][1] = 0;
    out[1][1] = 1 / l[1][1];
    out[1][0] = -l[1][0] * out[0][0] * out[1][1];
  }
}

/* ---- the channel ----------------------------------------------------------------------------- */

static void set_tilt(struct dun_channel *c)
{
  times(c->r, c->precision, c->gain, c->tilt);
  c->lambda = dot(c->r, c->gain, c->tilt);
}

int dun_channel_set(struct dun_channel *c)
{
  double a = c->noise[0][0], det = c->determinant;

  if (!(a > 0 && det > 0 && isfinite(a) && isfinite(det)))
    return DUN_ERROR_NUMERIC;
  c->root[0][0] = sqrt(a);
  c->precision[0][0] = 1 / a;
  if (c->r == 2) {
    c->root[0][1] = 0;
    c->root[1][0] = c->noise[1][0] / c->root[0][0];
    c->root[1][1] = sqrt(det / a);
    c->precision[0][0] = c->noise[1][1] / det;
    c->precision[1][1] = a / det;
    c->precision[0][1] = c->precision[1][0] = -c->noise[1][0] / det;
  }
  if (!c->tilted)
    set_tilt(c);
  return 0;
}

/* out = gain' m + offset' + k (z - offset - gain m) with k = noise' noise^-1 / 2. */
static void velocity_factor(const struct dun_channel *c, double k[2][2])
{
  double row[2];
  for (int i = 0; i < c->r; i++) {
    times(c->r, c->precision, c->noise_rate[i], row); /* the precision is symmetric */
    for (int j = 0; j < c->r; j++)
      k[i][j] = .5 * row[j];
  }
}

struct dun_affine dun_channel_from_denoiser(const struct dun_channel *c, enum dun_meaning meaning)
{
  struct dun_affine out = {.mean = {1}};
  double add[2] = {0}, shift[2];

  if (meaning == DUN_DENOISER)
    return out;
  if (meaning == DUN_VELOCITY)
    velocity_factor(c, out.state);
  else if (meaning == DUN_NOISE)
    invert_root(c->r, c->root, out.state);
  for (int i = 0; meaning == DUN_SCORE && i < c->r; i++)
    for (int j = 0; j < c->r; j++)
      out.state[i][j] = -c->precision[i][j];
  times(c->r, out.state, c->gain, out.mean);
  times(c->r, out.state, c->offset, shift);
  for (int i = 0; i < c->r; i++) {
    add[i] = meaning == DUN_VELOCITY ? c->gain_rate[i] : 0;
    out.mean[i] = add[i] - out.mean[i];
    out.constant[i] = (meaning == DUN_VELOCITY ? c->offset_rate[i] : 0) - shift[i];
  }
  return out;
}

/* One number a coordinate: m (gain' noise - noise' gain / 2) = noise (out - offset') - noise' (z -
 * offset) / 2, without a division by what may vanish at both ends. */
static struct dun_inverse from_velocity(const struct dun_channel *c)
{
  double v = c->noise[0][0], half = .5 * c->noise_rate[0][0];
  double scale = 1 / (c->gain_rate[0] * v - half * c->gain[0]);
  return (struct dun_inverse){
      .state = {-half * scale},
      .value = {v * scale},
      .constant = (half * c->offset[0] - v * c->offset_rate[0]) * scale,
  };
}

/* Two numbers: out = f m + what is known, by least squares along f. */
static struct dun_inverse from_velocities(const struct dun_channel *c)
{
  struct dun_affine there = dun_channel_from_denoiser(c, DUN_VELOCITY);
  struct dun_inverse out = {.constant = 0};
  double size = dot(c->r, there.mean, there.mean);
  for (int i = 0; i < c->r; i++) {
    out.value[i] = there.mean[i] / size;
    out.constant -= out.value[i] * there.constant[i];
    for (int j = 0; j < c->r; j++)
      out.state[j] -= there.mean[i] * there.state[i][j] / size;
  }
  return out;
}

/* Of the rest, which are B (z - offset - gain m): with u the tilt m = u' (z - offset - B^-1 out) /
 * lambda. */
struct dun_inverse dun_channel_to_denoiser(const struct dun_channel *c, enum dun_meaning meaning)
{
  struct dun_inverse out = {.value = {1}};

  if (meaning == DUN_DENOISER)
    return out;
  if (meaning == DUN_VELOCITY)
    return c->r == 1 ? from_velocity(c) : from_velocities(c);
  for (int i = 0; i < c->r; i++)
    out.state[i] = c->tilt[i] / c->lambda;
  out.constant = -dot(c->r, out.state, c->offset);
  for (int j = 0; j < c->r; j++) {
    out.value[j] = 0;
    for (int i = 0; i < c->r; i++)
      out.value[j] +=
          meaning == DUN_SCORE ? out.state[i] * c->noise[i][j] : -out.state[i] * c->root[i][j];
  }
  return out;
}
