/* Rings in the plane around the origin, |x| near each radius, and a banana beside them if asked.
 *
 * A ring's density is exp(-(|x| - radius)^2 / (2 width^2)) / Z with Z = 2 pi times the integral of
 * r exp(...) over r > 0, by quadrature.  Its cusp at the origin counts as flat. */
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/tabulated.h"
#include "targets/banana.h"
#include "targets/setup.h"
#include <math.h>

enum { L = DUN_LANES, MAX_RINGS = 1024 };
#define LOWEST (-1e300)

struct ring {
  double radius, width;
  double log_peak;          /* log of weight / Z */
  double cumulative;        /* weights of the rings up to it */
  struct dun_tabulated law; /* of the radius of draws */
};

struct rings {
  struct dun_numbers radii, widths, weights;
  struct {
    double weight;
    struct dun_numbers center;
    struct dun_banana shape;
  } banana;

  int count;
  struct ring *ring; /* [count] */
  double center[2];  /* of the banana */
  double log_peak;   /* of the banana's share */
};

#define BANANA(member) offsetof(struct rings, banana.member) - offsetof(struct rings, banana)
static const struct dun_option banana_options[] = {
    {.name = "weight",
     .type = DUN_NUMBER,
     .offset = BANANA(weight),
     .initial = "0",
     .maximum = 0.999999,
     .doc = "Its share of the mass; the rings share what is left."},
    {.name = "center",
     .type = DUN_NUMBERS,
     .offset = BANANA(center),
     .initial = "[0, -4]",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "Its mean, one number for both coordinates or two."},
    {.name = "curvature",
     .type = DUN_NUMBER,
     .offset = BANANA(shape.curvature),
     .initial = "0.3",
     .minimum = -1e3,
     .maximum = 1e3,
     .doc = "From its mean, x_2 is centred at curvature (x_1^2 - scale^2)."},
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = BANANA(shape.scale),
     .initial = "1.5",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Standard deviation of x_1."},
    {.name = "width",
     .type = DUN_NUMBER,
     .offset = BANANA(shape.width),
     .initial = "0.3",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Standard deviation of x_2 given x_1."},
    {0}};

static const struct dun_option options[] = {
    {.name = "radii",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct rings, radii),
     .initial = "[1, 2, 3, 4]",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Radii of the rings around the origin."},
    {.name = "widths",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct rings, widths),
     .initial = "0.15",
     .minimum = 1e-3,
     .maximum = 1e3,
     .doc = "Widths of the rings, standard deviations; one for all or one for each."},
    {.name = "weights",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct rings, weights),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e300,
     .doc = "Masses of the rings in proportion; one for all or one for each."},
    {.name = "banana",
     .type = DUN_SECTION,
     .offset = offsetof(struct rings, banana),
     .initial = "",
     .rows = banana_options,
     .doc = "A normal law bent along a parabola, beside the rings."},
    {0}};

/* ---- set-up ------------------------------------------------------------------------------ */

static void radial_density(const void *data, double r, double *density, double *slope)
{
  const struct ring *ring = data;
  double y = (r - ring->radius) / ring->width, e = dun_scalar_exp(-0.5 * y * y);
  *density = r * e;
  *slope = e * (1 - r * y / ring->width);
}

static int make_rings(struct rings *t, const double *width, const double *weight,
                      struct dun_message why)
{
  double total = 0, sum = 0, share = 1 - t->banana.weight;
  for (int k = 0; k < t->count; k++)
    total += weight[k];
  for (int k = 0; k < t->count; k++) {
    struct ring *ring = &t->ring[k];
    double low = fmax(0, t->radii.value[k] - 10 * width[k]);
    ring->radius = t->radii.value[k];
    ring->width = width[k];
    if (dun_tabulated_init(&ring->law, low, ring->radius + 10 * width[k], 1024, radial_density,
                           ring) < 0)
      return dun_refuse_failed(why);
    sum += share * weight[k] / total;
    ring->cumulative = t->banana.weight == 0 && k == t->count - 1 ? 1 : sum;
    ring->log_peak =
        dun_scalar_log(share * weight[k] / total) - DUN_LOG_2PI - dun_scalar_log(ring->law.total);
  }
  return 0;
}

static int make_banana(struct rings *t, struct dun_message why)
{
  const struct dun_banana *b = &t->banana.shape;
  if (t->banana.weight > 0)
    t->log_peak = dun_scalar_log(t->banana.weight) - DUN_LOG_2PI - dun_scalar_log(b->scale) -
                  dun_scalar_log(b->width);
  return dun_spread(why, "banana.center", &t->banana.center, 0, 2, t->center);
}

static int init(void *self, struct dun_message why)
{
  struct rings *t = self;
  double *number;
  int status;
  if (t->radii.count < 1 || t->radii.count > MAX_RINGS)
    return dun_refuse(why, "radii: found %lld numbers, expected 1 to %d", t->radii.count,
                      MAX_RINGS);
  t->count = (int)t->radii.count;
  t->ring = dun_allocate(t->count, sizeof *t->ring);
  number = dun_allocate(2 * (int64_t)t->count, sizeof *number);
  status = t->ring && number ? 0 : dun_refuse_failed(why);
  if (status == 0)
    status = dun_spread(why, "widths", &t->widths, 1, t->count, number);
  if (status == 0)
    status = dun_spread(why, "weights", &t->weights, 1, t->count, number + t->count);
  if (status == 0)
    status = make_rings(t, number, number + t->count, why);
  DUN_FREE(number);
  return status < 0 ? status : make_banana(t, why);
}

static void free_tables(void *self)
{
  struct rings *t = self;
  for (int k = 0; t->ring && k < t->count; k++)
    dun_tabulated_free(&t->ring[k].law);
  DUN_FREE(t->ring);
}

/* A column for each ring, one for the banana and two for its gradient. */
static int work_columns(const void *self)
{
  return ((const struct rings *)self)->count + 3;
}

/* ---- evaluation -------------------------------------------------------------------------- */

/* |x| and the direction of x, which has no length at the origin. */
DUN_INLINE void polar(const double *restrict x, double *restrict r, double *restrict u0,
                      double *restrict u1)
{
  for (int l = 0; l < L; l++) {
    double a = dun_banana_clamp(x[l], 1e150), b = dun_banana_clamp(x[L + l], 1e150);
    double root = sqrt(DUN_FMA(a, a, b * b)), inverse = root > 0 ? 1 / root : 0;
    r[l] = root;
    u0[l] = a * inverse;
    u1[l] = b * inverse;
  }
}

/* Log of each component, share[count + 1][64], and the largest one. */
DUN_INLINE void exponents(const struct rings *t, const double *restrict x, const double *restrict r,
                          double *restrict share, double *restrict top)
{
  double *restrict last = share + (ptrdiff_t)t->count * L;
  for (int l = 0; l < L; l++) {
    double g0, g1, y0 = x[l] - t->center[0], y1 = x[L + l] - t->center[1];
    last[l] = dun_banana_exponent(&t->banana.shape, y0, y1, &g0, &g1) + t->log_peak;
    last[l] = t->banana.weight > 0 && last[l] > LOWEST ? last[l] : LOWEST;
    last[L + l] = g0;
    last[2 * L + l] = g1;
    top[l] = last[l];
  }
  for (int k = 0; k < t->count; k++) {
    double *restrict s = share + (ptrdiff_t)k * L;
    double radius = t->ring[k].radius, inverse = 1 / t->ring[k].width, peak = t->ring[k].log_peak;
    for (int l = 0; l < L; l++) {
      double y = (r[l] - radius) * inverse, value = peak - 0.5 * y * y;
      s[l] = value > LOWEST ? value : LOWEST;
      top[l] = s[l] > top[l] ? s[l] : top[l];
    }
  }
}

/* share becomes exp(share - top), and the sum of them; 0 where no component reaches. */
DUN_INLINE void normalise(int components, double *restrict share, const double *restrict top,
                          double *restrict sum)
{
  for (int l = 0; l < L; l++)
    sum[l] = 0;
  for (int k = 0; k < components; k++)
    for (int l = 0; l < L; l++) {
      double e = dun_exp_weight(share[(ptrdiff_t)k * L + l] - top[l]);
      share[(ptrdiff_t)k * L + l] = e;
      sum[l] += top[l] > LOWEST ? e : 0;
    }
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *restrict work)
{
  const struct rings *t = self;
  double r[L] __attribute__((aligned(64))), u0[L] __attribute__((aligned(64)));
  double u1[L] __attribute__((aligned(64))), top[L] __attribute__((aligned(64)));
  double sum[L] __attribute__((aligned(64))), slope[L] __attribute__((aligned(64))) = {0};
  const double *banana = work + (ptrdiff_t)t->count * L;
  polar(x, r, u0, u1);
  exponents(t, x, r, work, top);
  normalise(t->count + 1, work, top, sum);
  if (lp)
    for (int l = 0; l < L; l++) {
      double value = top[l] + dun_log(sum[l]);
      lp[l] = sum[l] > 0 ? value : -INFINITY;
    }
  if (!gradient)
    return;
  for (int k = 0; k < t->count; k++) {
    double radius = t->ring[k].radius, precision = 1 / (t->ring[k].width * t->ring[k].width);
    for (int l = 0; l < L; l++)
      slope[l] = DUN_FMA(work[(ptrdiff_t)k * L + l], precision * (radius - r[l]), slope[l]);
  }
  for (int l = 0; l < L; l++) {
    double factor = sum[l] > 0 ? scale[l] / sum[l] : 0;
    double g0 = DUN_FMA(slope[l], u0[l], banana[l] * banana[L + l]);
    double g1 = DUN_FMA(slope[l], u1[l], banana[l] * banana[2 * L + l]);
    gradient[l] = DUN_FMA(factor, g0, gradient[l]);
    gradient[L + l] = DUN_FMA(factor, g1, gradient[L + l]);
  }
}

/* ---- draws ------------------------------------------------------------------------------- */

static void draw_banana(const struct rings *t, int lane, const double *normal, double *x)
{
  const struct dun_banana *b = &t->banana.shape;
  double first = b->scale * normal[lane];
  x[lane] = t->center[0] + first;
  x[L + lane] = t->center[1] + b->width * normal[L + lane] +
                b->curvature * (first * first - b->scale * b->scale);
}

DUN_CLONES
static void turn(const double *restrict uniform, double *restrict sine, double *restrict cosine)
{
  for (int l = 0; l < L; l++)
    dun_sincos2pi(uniform[l], &sine[l], &cosine[l]);
}

/* Uniforms: which component, the radius, the angle.  Normals: the banana. */
static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct rings *t = self;
  double sine[L], cosine[L];
  turn(uniform + 2 * L, sine, cosine);
  for (int l = 0; l < L; l++) {
    int k = 0;
    while (k < t->count && uniform[l] > t->ring[k].cumulative)
      k++;
    if (k == t->count) {
      draw_banana(t, l, normal, x);
      continue;
    }
    double r = dun_tabulated_quantile(&t->ring[k].law, uniform[L + l] * t->ring[k].law.total);
    x[l] = r * cosine[l];
    x[L + l] = r * sine[l];
  }
}

const struct dun_target dun_target_rings = {
    .type = {DUN_TYPE(struct dun_target), .name = "rings",
             .doc = "Rings in the plane, with a banana beside them if asked.",
             .size = sizeof(struct rings), .options = options, .free = free_tables},
    .init = init,
    .dimension = 2,
    .columns = columns,
    .work_columns = work_columns,
    .draw_uniforms = 3,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = dun_setup_normalised,
};
