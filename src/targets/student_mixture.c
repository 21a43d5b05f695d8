/* A mixture of components that are products of Student's t over the coordinates: heavy tails that
 * no Gaussian covers.
 *
 * Draws: t = sinh(y), whose law in y has a smooth density with exponential tails; its table also
 * gives the normalising constant. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/tabulated.h"
#include "targets/setup.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, AUTO = -1, MAX_COMPONENTS = 65536 };
enum { DRAWN, GIVEN };
#define LOWEST (-1e300)

struct student_mixture {
  long long dimension;
  double freedom;
  int layout;
  long long components;
  double span;
  long long seed;
  struct dun_setup_given given;
  struct dun_numbers weights, scales;

  int d, count;       /* count: of components, K */
  double *mean;       /* [K][d] */
  double *weight;     /* [K], sum 1 */
  double *scale;      /* [K] */
  double *log_peak;   /* [K] */
  double *cumulative; /* [K], the last is 1 */
  struct dun_tabulated law, normal;
  struct dun_setup_names names; /* of the coordinates */
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct student_mixture, dimension),
     .initial = "auto",
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .words = "auto",
     .doc = "Number of coordinates, d; auto: as many as the given means have, 2 for drawn ones."},
    {.name = "freedom",
     .type = DUN_NUMBER,
     .offset = offsetof(struct student_mixture, freedom),
     .initial = "2",
     .minimum = 0.5,
     .maximum = 1000,
     .doc = "Degrees of freedom; means exist above 1, variances above 2."},
    {.name = "layout",
     .type = DUN_CHOICE,
     .offset = offsetof(struct student_mixture, layout),
     .initial = "drawn",
     .words = "drawn|given",
     .doc = "Where the centres are: uniform on [-span, span] in every coordinate, or as given."},
    {.name = "components",
     .type = DUN_INTEGER,
     .offset = offsetof(struct student_mixture, components),
     .initial = "10",
     .minimum = 1,
     .maximum = MAX_COMPONENTS,
     .doc = "Drawn: number of components.",
     .when = "layout=drawn"},
    {.name = "span",
     .type = DUN_NUMBER,
     .offset = offsetof(struct student_mixture, span),
     .initial = "10",
     .minimum = 0,
     .maximum = 1e100,
     .doc = "Drawn: how far from 0 the centres may lie in each coordinate.",
     .when = "layout=drawn"},
    {.name = "seed",
     .type = DUN_INTEGER,
     .offset = offsetof(struct student_mixture, seed),
     .initial = "0",
     .maximum = 9e15,
     .doc = "Drawn: seed of the centres, which the seed of the run does not change.",
     .when = "layout=drawn"},
    {.name = "means",
     .type = DUN_MATRIX,
     .offset = offsetof(struct student_mixture, given.means),
     .initial = "",
     .doc = "Given: a list of centres, each a list of d numbers.",
     .when = "layout=given"},
    {.name = "file",
     .type = DUN_DATA,
     .offset = offsetof(struct student_mixture, given.file),
     .initial = "",
     .doc = "Given: a CSV file of centres, one a row, in place of `means`.",
     .when = "layout=given"},
    DUN_CSV_ROWS(struct student_mixture, given.format, "layout=given"),
    {.name = "weights",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct student_mixture, weights),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e300,
     .doc = "Weights of the components in proportion; one for all or one for each."},
    {.name = "scales",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct student_mixture, scales),
     .initial = "1",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "Factors on Student's t, one for all or one for each component."},
    {0}};

/* ---- the law of one coordinate ----------------------------------------------------------- */

/* Of y = asinh(t), both times the constant of t: cosh(y) (1 + sinh(y)^2 / nu)^(-(nu + 1) / 2). */
static void law_density(const void *self, double y, double *density, double *slope)
{
  double nu = ((const struct student_mixture *)self)->freedom;
  double e = dun_scalar_exp(y), sinh = 0.5 * (e - 1 / e), cosh = 0.5 * (e + 1 / e);
  double inside = 1 + sinh * sinh / nu;
  *density = cosh * dun_scalar_exp(-0.5 * (nu + 1) * dun_scalar_log(inside));
  *slope = *density * (sinh / cosh - (nu + 1) / nu * sinh * cosh / inside);
}

/* Up to where the density is 1e-22 of its peak: no normal that is drawn lies beyond. */
static int make_law(struct student_mixture *t)
{
  double edge = 0, density = 1, slope;
  while (density > 1e-22) {
    edge += 1. / 16;
    law_density(t, edge, &density, &slope);
  }
  if (dun_tabulated_init(&t->law, -edge, edge, 8192, law_density, t) < 0)
    return DUN_ERROR_NUMERIC;
  return dun_tabulated_normal(&t->normal);
}

/* ---- centres ----------------------------------------------------------------------------- */

static int allocate(struct student_mixture *t, long long count, long long dimension,
                    struct dun_message why)
{
  t->d = (int)dimension;
  t->count = (int)count;
  t->mean = dun_allocate(count * dimension, sizeof(double));
  t->weight = dun_allocate(count, sizeof(double));
  t->scale = dun_allocate(count, sizeof(double));
  t->log_peak = dun_allocate(count, sizeof(double));
  t->cumulative = dun_allocate(count, sizeof(double));
  if (!t->mean || !t->weight || !t->scale || !t->log_peak || !t->cumulative)
    return dun_refuse_failed(why);
  return 0;
}

static int draw_means(struct student_mixture *t, struct dun_message why)
{
  struct dun_address address = {(uint64_t)t->seed, DUN_PURPOSE_DATA, 0, 0, 0};
  if (allocate(t, t->components, t->dimension == AUTO ? 2 : t->dimension, why) < 0)
    return DUN_ERROR_INPUT;
  for (int64_t i = 0; i < (int64_t)t->count * t->d; i++)
    t->mean[i] = t->span * (2 * dun_uniform_one(address, i) - 1);
  return 0;
}

static int read_means(struct student_mixture *t, struct dun_message why)
{
  struct dun_matrix means = {0};
  int status = dun_setup_means(why, &t->given, t->dimension, MAX_COMPONENTS, &means, &t->names);

  if (status < 0)
    return status;
  if ((status = allocate(t, means.rows, means.columns, why)) == 0)
    memcpy(t->mean, means.value, (size_t)(means.rows * means.columns) * sizeof *means.value);
  dun_free(means.value);
  return status;
}

static int init(void *self, struct dun_message why)
{
  struct student_mixture *t = self;
  double total = 0, sum = 0;
  if ((t->layout == DRAWN ? draw_means(t, why) : read_means(t, why)) < 0 ||
      dun_spread(why, "weights", &t->weights, 1, t->count, t->weight) < 0 ||
      dun_spread(why, "scales", &t->scales, 1, t->count, t->scale) < 0)
    return DUN_ERROR_INPUT;
  if (make_law(t) < 0)
    return dun_refuse_failed(why);
  for (int k = 0; k < t->count; k++)
    total += t->weight[k];
  for (int k = 0; k < t->count; k++) {
    t->weight[k] /= total;
    sum += t->weight[k];
    t->cumulative[k] = k < t->count - 1 ? sum : 1;
    t->log_peak[k] = dun_scalar_log(t->weight[k]) -
                     t->d * (dun_scalar_log(t->scale[k]) + dun_scalar_log(t->law.total));
  }
  return 0;
}

static void free_tables(void *self)
{
  struct student_mixture *t = self;
  DUN_FREE(t->mean);
  DUN_FREE(t->weight);
  DUN_FREE(t->scale);
  DUN_FREE(t->log_peak);
  DUN_FREE(t->cumulative);
  dun_tabulated_free(&t->law);
  dun_tabulated_free(&t->normal);
  dun_setup_free_names(&t->names);
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct student_mixture *t = self;
  return dun_setup_point(&t->names, t->d, capacity, parameter);
}

static int dimension_of(const void *self)
{
  return ((const struct student_mixture *)self)->d;
}

static int work_columns(const void *self)
{
  return ((const struct student_mixture *)self)->count;
}

/* ---- evaluation -------------------------------------------------------------------------- */

/* A square that does not overflow. */
DUN_INLINE double square(double y)
{
  double size = fabs(y);
  size = size < 1e150 ? size : 1e150;
  return size * size;
}

/* Log of each component, share[K][64], and the largest one. */
DUN_INLINE void exponents(const struct student_mixture *t, const double *restrict x,
                          double *restrict share, double *restrict top)
{
  double half = 0.5 * (t->freedom + 1), inverse = 1 / t->freedom;
  for (int l = 0; l < L; l++)
    top[l] = LOWEST;
  for (int k = 0; k < t->count; k++) {
    double *restrict s = DUN_ALIGNED(share + (ptrdiff_t)k * L);
    const double *restrict mean = t->mean + (ptrdiff_t)k * t->d;
    double narrow = 1 / t->scale[k], peak = t->log_peak[k];
    for (int l = 0; l < L; l++)
      s[l] = 0;
    for (int j = 0; j < t->d; j++) {
      const double *restrict xj = DUN_ALIGNED(x + (ptrdiff_t)j * L);
      for (int l = 0; l < L; l++)
        s[l] += dun_log_normal(1 + inverse * square(narrow * (xj[l] - mean[j])));
    }
    for (int l = 0; l < L; l++) {
      s[l] = peak - half * s[l];
      top[l] = s[l] > top[l] ? s[l] : top[l];
    }
  }
}

/* Adds the gradient of component k, of which each lane takes factor[lane]. */
DUN_INLINE void add_gradient(const struct student_mixture *t, int k, const double *restrict x,
                             const double *restrict factor, double *restrict gradient)
{
  double narrow = 1 / t->scale[k], nu = t->freedom, most = -(nu + 1) * narrow;
  for (int j = 0; j < t->d; j++) {
    const double *restrict xj = DUN_ALIGNED(x + (ptrdiff_t)j * L);
    double *restrict out = DUN_ALIGNED(gradient + (ptrdiff_t)j * L);
    double mean = t->mean[(ptrdiff_t)k * t->d + j];
    for (int l = 0; l < L; l++) {
      double y = narrow * (xj[l] - mean), sign = y < 0 ? -1 : 1, square_y = square(y);
      double size = fabs(y) < 1e150 ? fabs(y) : 1e150;
      out[l] = DUN_FMA(factor[l], most * sign * size / (nu + square_y), out[l]);
    }
  }
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *restrict share)
{
  const struct student_mixture *t = self;
  double top[L] __attribute__((aligned(64))), sum[L] __attribute__((aligned(64))) = {0};
  x = DUN_ALIGNED(x);
  exponents(t, x, share, top);
  for (int k = 0; k < t->count; k++) {
    double *restrict s = DUN_ALIGNED(share + (ptrdiff_t)k * L);
    for (int l = 0; l < L; l++) {
      s[l] = dun_exp_weight(s[l] - top[l]);
      sum[l] += s[l];
    }
  }
  for (int l = 0; l < L && lp; l++)
    lp[l] = top[l] + dun_log(sum[l]);
  for (int k = 0; k < t->count && gradient; k++) {
    double *restrict s = DUN_ALIGNED(share + (ptrdiff_t)k * L), most = 0;
    for (int l = 0; l < L; l++)
      most = s[l] > most ? s[l] : most;
    for (int l = 0; l < L; l++)
      s[l] *= scale[l] / sum[l];
    if (most > 0)
      add_gradient(t, k, x, s, gradient);
  }
}

/* ---- draws ------------------------------------------------------------------------------- */

/* Student's t with as much mass beyond it as the normal has beyond its own. */
static double student_of(const struct student_mixture *t, double normal)
{
  double share = dun_tabulated_mass(&t->normal, -fabs(normal)) / t->normal.total;
  double e = dun_scalar_exp(-dun_tabulated_quantile(&t->law, share * t->law.total));
  double size = 0.5 * (e - 1 / e);
  return normal < 0 ? -size : size;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct student_mixture *t = self;
  for (int l = 0; l < L; l++) {
    int k = 0;
    while (k < t->count - 1 && uniform[l] > t->cumulative[k])
      k++;
    for (ptrdiff_t j = 0; j < t->d; j++)
      x[j * L + l] =
          t->mean[(ptrdiff_t)k * t->d + j] + t->scale[k] * student_of(t, normal[j * L + l]);
  }
}

/* The width is the distance from the centre within which 68 % of each coordinate lie. */
static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  const struct student_mixture *t = self;
  double one = student_of(t, 1);
  size_t count = (size_t)(capacity < t->count ? capacity : t->count);
  if (capacity <= 0)
    return t->count;
  if (centre)
    memcpy(centre, t->mean, count * (size_t)t->d * sizeof *centre);
  if (share)
    memcpy(share, t->weight, count * sizeof *share);
  for (size_t k = 0; k < count && width; k++)
    width[k] = one * t->scale[k];
  return t->count;
}

const struct dun_target dun_target_student_mixture = {
    .type = {DUN_TYPE(struct dun_target), .name = "student_mixture",
             .doc = "A mixture of products of Student's t: modes with heavy tails.",
             .size = sizeof(struct student_mixture), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_uniforms = 1,
    .draw_normals = -1,
    .draw = draw,
    .log_evidence = dun_setup_normalised,
    .parameters = parameters,
    .modes = modes,
};
