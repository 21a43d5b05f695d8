/* The many-well density: a product of double wells, exp(-height (x^2 - separation)^2 - tilt x), and
 * of standard normals.  Everything about it is a quadrature in one dimension.
 *
 * Height 1, separation 4, tilt 0 is the many well of controlled transport samplers; height 1,
 * separation 3, tilt -0.5 is x^4 - 6 x^2 - x / 2 of Boltzmann generators, up to exp(-9) a well. */
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/tabulated.h"
#include "targets/setup.h"
#include <math.h>

enum { L = DUN_LANES, ALL = -1, MOST_SPLIT = 12 };

struct many_well {
  long long dimension, wells; /* wells: how many coordinates are double wells, m */
  double height, separation, tilt;

  double lowest;                  /* the least energy of a well */
  double centre[2], deviation[2]; /* of the left and the right well */
  double share[2];
  double log_mass; /* of one double well */
  struct dun_tabulated well, normal;
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct many_well, dimension),
     .initial = "5",
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Number of coordinates, d."},
    {.name = "wells",
     .type = DUN_INTEGER,
     .offset = offsetof(struct many_well, wells),
     .initial = "all",
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .words = "all",
     .doc = "How many coordinates, the first ones, are double wells; the others are normal."},
    {.name = "height",
     .type = DUN_NUMBER,
     .offset = offsetof(struct many_well, height),
     .initial = "1",
     .minimum = 0.01,
     .maximum = 100,
     .doc = "Factor a of the energy a (x^2 - separation)^2 + tilt x of a double well."},
    {.name = "separation",
     .type = DUN_NUMBER,
     .offset = offsetof(struct many_well, separation),
     .initial = "4",
     .minimum = 0.1,
     .maximum = 100,
     .doc = "Without tilt the wells are at plus and minus the root of this."},
    {.name = "tilt",
     .type = DUN_NUMBER,
     .offset = offsetof(struct many_well, tilt),
     .initial = "0",
     .minimum = -1e5,
     .maximum = 1e5,
     .doc = "Slope that makes one well deeper; both wells must remain."},
    {0}};

/* ---- one double well --------------------------------------------------------------------- */

static double energy(const struct many_well *t, double x)
{
  double off = x * x - t->separation;
  return t->height * off * off + t->tilt * x;
}

static double force(const struct many_well *t, double x)
{
  return -4 * t->height * x * (x * x - t->separation) - t->tilt;
}

static void density(const void *self, double x, double *value, double *slope)
{
  const struct many_well *t = self;
  *value = dun_scalar_exp(t->lowest - energy(t, x));
  *slope = force(t, x) * *value;
}

/* Where the force vanishes between a point where it is positive and one where it is negative. */
static double find_bottom(const struct many_well *t, double rising, double falling)
{
  for (int i = 0; i < 200; i++) {
    double middle = 0.5 * (rising + falling);
    if (force(t, middle) > 0)
      rising = middle;
    else
      falling = middle;
  }
  return 0.5 * (rising + falling);
}

/* From the bottom of a well outwards until the density is nothing. */
static double find_edge(const struct many_well *t, double bottom, double step)
{
  double edge = bottom;
  while (energy(t, edge) < t->lowest + 60)
    edge += step;
  return edge;
}

/* The deviation from the bottom of a well, between two points, by the rule of three points. */
static double find_deviation(const struct many_well *t, int side, double from, double to)
{
  double sum = 0, square = 0, h = (to - from) / (2 * t->well.cells), value, slope;
  for (int i = 0; i <= 2 * t->well.cells; i++) {
    double x = from + i * h, weight = i % (2 * t->well.cells) == 0 ? 1 : i % 2 ? 4 : 2;
    density(t, x, &value, &slope);
    sum += weight * value;
    square += weight * value * (x - t->centre[side]) * (x - t->centre[side]);
  }
  return sqrt(square / sum);
}

/* The tables resolve a tenth of the deviation at the bottom of a well, or better. */
static int make_tables(struct many_well *t, struct dun_message why)
{
  double turn = sqrt(t->separation / 3), narrow = 0.1 / sqrt(12 * t->height * t->separation);
  double barrier = find_bottom(t, turn, -turn), low, high;
  t->lowest = fmin(energy(t, t->centre[0]), energy(t, t->centre[1]));
  low = find_edge(t, t->centre[0], -1e-2 * turn);
  high = find_edge(t, t->centre[1], 1e-2 * turn);
  if (dun_tabulated_init(&t->well, low, high, 1024 + (int)((high - low) / narrow), density, t) <
          0 ||
      dun_tabulated_normal(&t->normal) < 0)
    return dun_refuse_failed(why);
  t->deviation[0] = find_deviation(t, 0, low, barrier);
  t->deviation[1] = find_deviation(t, 1, barrier, high);
  t->share[0] = dun_tabulated_mass(&t->well, barrier) / t->well.total;
  t->share[1] = 1 - t->share[0];
  t->log_mass = dun_scalar_log(t->well.total) - t->lowest;
  return 0;
}

static int make_well(struct many_well *t, struct dun_message why)
{
  double turn = sqrt(t->separation / 3), far = sqrt(t->separation) + 1;
  if (force(t, -turn) >= 0 || force(t, turn) <= 0)
    return dun_refuse(why, "tilt: with %g only one well is left; its size must be below %g",
                      t->tilt, 8 * t->height * turn * turn * turn);
  while (force(t, -far) <= 0 || force(t, far) >= 0)
    far *= 2;
  t->centre[0] = find_bottom(t, -far, -turn);
  t->centre[1] = find_bottom(t, turn, far);
  return make_tables(t, why);
}

/* ---- the target -------------------------------------------------------------------------- */

static int init(void *self, struct dun_message why)
{
  struct many_well *t = self;
  if (t->wells == ALL)
    t->wells = t->dimension;
  if (t->wells > t->dimension)
    return dun_refuse(why, "wells: found %lld, expected at most the dimension, %lld", t->wells,
                      t->dimension);
  return make_well(t, why);
}

static void free_tables(void *self)
{
  struct many_well *t = self;
  dun_tabulated_free(&t->well);
  dun_tabulated_free(&t->normal);
}

static int dimension_of(const void *self)
{
  return (int)((const struct many_well *)self)->dimension;
}

/* Beyond 1e75 fourth powers overflow, and the density is 0. */
DUN_INLINE double inside(double x)
{
  double low = x > -1e75 ? x : -1e75;
  return low < 1e75 ? low : 1e75;
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *work)
{
  const struct many_well *t = self;
  double sum[L] __attribute__((aligned(64))) = {0};
  double a = t->height, c = t->separation, tilt = t->tilt;
  int d = (int)t->dimension, wells = (int)t->wells;
  (void)work;
  x = DUN_ALIGNED(x);
  for (int j = 0; j < d && lp; j++) {
    const double *restrict xj = x + (ptrdiff_t)j * L;
    for (int l = 0; l < L; l++) {
      double y = inside(xj[l]), off = y * y - c;
      double well = DUN_FMA(a * off, off, tilt * y), normal = 0.5 * y * y;
      sum[l] += j < wells ? well : normal;
    }
  }
  for (int l = 0; l < L && lp; l++)
    lp[l] = -sum[l];
  for (int j = 0; j < d && gradient; j++) {
    const double *restrict xj = x + (ptrdiff_t)j * L;
    double *restrict out = DUN_ALIGNED(gradient + (ptrdiff_t)j * L);
    for (int l = 0; l < L; l++) {
      double y = inside(xj[l]), well = DUN_FMA(-4 * a * y, y * y - c, -tilt);
      out[l] = DUN_FMA(scale[l], j < wells ? well : -y, out[l]);
    }
  }
}

/* Each coordinate is the quantile of its normal's own share. */
static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct many_well *t = self;
  ptrdiff_t wells = t->wells * L;
  double factor = t->well.total / t->normal.total;
  (void)uniform;
  for (ptrdiff_t i = 0; i < wells; i++)
    x[i] = dun_tabulated_quantile(&t->well, factor * dun_tabulated_mass(&t->normal, normal[i]));
  for (ptrdiff_t i = wells; i < t->dimension * L; i++)
    x[i] = normal[i];
}

static double log_evidence(const void *self)
{
  const struct many_well *t = self;
  return (double)t->wells * t->log_mass + 0.5 * DUN_LOG_2PI * (double)(t->dimension - t->wells);
}

/* Every choice of a well in each coordinate, the first one fastest; too many are not told. */
static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  const struct many_well *t = self;
  int count = t->wells <= MOST_SPLIT ? 1 << t->wells : 0, d = (int)t->dimension;
  double one = t->share[0] * t->deviation[0] * t->deviation[0] +
               t->share[1] * t->deviation[1] * t->deviation[1];
  for (int k = 0; k < count && k < capacity; k++) {
    double product = 1;
    for (int j = 0; j < d; j++) {
      int side = j < t->wells ? k >> j & 1 : 0;
      product *= j < t->wells ? t->share[side] : 1;
      if (centre)
        centre[(ptrdiff_t)k * d + j] = j < t->wells ? t->centre[side] : 0;
    }
    if (share)
      share[k] = product;
    if (width)
      width[k] = sqrt((one * (double)t->wells + (double)(d - t->wells)) / d);
  }
  return count;
}

const struct dun_target dun_target_many_well = {
    .type = {DUN_TYPE(struct dun_target), .name = "many_well",
             .doc = "A product of double wells and normals: 2^wells modes of known weights.",
             .citation = "Noe, Olsson, Koehler & Wu 2019, Science 365, eaaw1147",
             .size = sizeof(struct many_well), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = log_evidence,
    .modes = modes,
};
