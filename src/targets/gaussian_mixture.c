/* Mixtures of isotropic Gaussians with known everything: two modes on the diagonal, a grid, the
 * standard forty modes in the plane, or given means. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/mixture.h"
#include "targets/forty_modes.h"
#include "targets/setup.h"
#include <string.h>

enum { MAX_COMPONENTS = 65536, AUTO = -1 };
enum { TWO_MODES, GRID, FORTY, GIVEN };

struct gaussian_mixture {
  long long dimension;
  int layout;
  double separation;
  long long points_per_axis;
  struct dun_setup_given given;
  struct dun_numbers weights, scales, shift;
  double log_evidence;

  struct dun_setup_names names; /* of the coordinates */
  struct dun_mixture mixture;
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct gaussian_mixture, dimension),
     .initial = "auto",
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .words = "auto",
     .doc =
         "Number of coordinates, d; auto: 2 for grid and forty, as many as the given means have."},
    {.name = "layout",
     .type = DUN_CHOICE,
     .offset = offsetof(struct gaussian_mixture, layout),
     .initial = "given",
     .words = "two_modes|grid|forty|given",
     .doc = "Where the means are: at -separation and then +separation in every coordinate, on a "
            "grid, the forty of the standard benchmark, or as given."},
    {.name = "separation",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian_mixture, separation),
     .initial = "3",
     .minimum = 0,
     .maximum = 1e100,
     .doc = "Two modes: distance of each mean from 0 in every coordinate; grid: spacing.",
     .when = "layout=two_modes|grid"},
    {.name = "points_per_axis",
     .type = DUN_INTEGER,
     .offset = offsetof(struct gaussian_mixture, points_per_axis),
     .initial = "4",
     .minimum = 1,
     .maximum = MAX_COMPONENTS,
     .doc = "Grid: means along each axis, centred at 0; the first coordinate varies slowest.",
     .when = "layout=grid"},
    {.name = "means",
     .type = DUN_MATRIX,
     .offset = offsetof(struct gaussian_mixture, given.means),
     .initial = "",
     .doc = "Given: a list of means, each a list of d numbers.",
     .when = "layout=given"},
    {.name = "file",
     .type = DUN_DATA,
     .offset = offsetof(struct gaussian_mixture, given.file),
     .initial = "",
     .doc = "Given: a CSV file of means, one a row, in place of `means`.",
     .when = "layout=given"},
    DUN_CSV_ROWS(struct gaussian_mixture, given.format, "layout=given"),
    {.name = "weights",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct gaussian_mixture, weights),
     .initial = "",
     .minimum = 1e-300,
     .maximum = 1e300,
     .doc = "Weights of the components in proportion; equal if left out."},
    {.name = "scales",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct gaussian_mixture, scales),
     .initial = "",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc =
         "Standard deviations, one for all or one for each component; if left out log(1 + e) for "
         "forty and 1 otherwise."},
    {.name = "shift",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct gaussian_mixture, shift),
     .initial = "0",
     .doc = "Added to every mean, one number for all or one for each coordinate."},
    {.name = "log_evidence",
     .type = DUN_NUMBER,
     .offset = offsetof(struct gaussian_mixture, log_evidence),
     .initial = "0",
     .doc = "Known log of the normalising constant, added to the normalised log density."},
    {0}};

/* ---- means ------------------------------------------------------------------------------- */

/* Dimension as given or, for `auto`, the layout's own (0: it has none). */
static int settle_dimension(struct gaussian_mixture *t, long long own, struct dun_message why)
{
  if (t->dimension == AUTO && own == 0)
    return dun_refuse(why, "dimension: this layout needs a number, found auto");
  if (t->dimension == AUTO)
    t->dimension = own;
  return 0;
}

static int make_two_modes(struct gaussian_mixture *t, struct dun_message why)
{
  if (settle_dimension(t, 0, why) < 0)
    return DUN_ERROR_INPUT;
  if (dun_mixture_init(&t->mixture, (int)t->dimension, 2) < 0)
    return dun_refuse_failed(why);
  for (long long j = 0; j < t->dimension; j++) {
    t->mixture.mean[j] = -t->separation;
    t->mixture.mean[t->dimension + j] = t->separation;
  }
  return 0;
}

static int make_grid(struct gaussian_mixture *t, struct dun_message why)
{
  long long n = t->points_per_axis, count = 1;
  if (settle_dimension(t, 2, why) < 0)
    return DUN_ERROR_INPUT;
  for (long long j = 0; j < t->dimension && n > 1; j++) {
    count *= n;
    if (count > MAX_COMPONENTS)
      return dun_refuse(why,
                        "points_per_axis: a grid of %lld in %lld dimensions has more than %d "
                        "components",
                        n, t->dimension, MAX_COMPONENTS);
  }
  if (dun_mixture_init(&t->mixture, (int)t->dimension, (int)count) < 0)
    return dun_refuse_failed(why);
  for (long long k = 0; k < count; k++)
    for (long long j = t->dimension - 1, rest = k; j >= 0; j--, rest /= n)
      t->mixture.mean[k * t->dimension + j] =
          t->separation * ((double)(rest % n) - 0.5 * (double)(n - 1));
  return 0;
}

static int make_forty(struct gaussian_mixture *t, struct dun_message why)
{
  double mean[DUN_FORTY][2];
  if (settle_dimension(t, 2, why) < 0)
    return DUN_ERROR_INPUT;
  if (t->dimension != 2)
    return dun_refuse(why, "dimension: found %lld, but layout forty lies in the plane: 2",
                      t->dimension);
  if (dun_mixture_init(&t->mixture, 2, DUN_FORTY) < 0)
    return dun_refuse_failed(why);
  dun_forty_modes(mean);
  memcpy(t->mixture.mean, mean, sizeof mean);
  return 0;
}

static int make_given(struct gaussian_mixture *t, struct dun_message why)
{
  struct dun_matrix means = {0};
  int status = dun_setup_means(why, &t->given, t->dimension, MAX_COMPONENTS, &means, &t->names);

  if (status < 0)
    return status;
  t->dimension = means.columns;
  if (dun_mixture_init(&t->mixture, (int)means.columns, (int)means.rows) < 0)
    status = dun_refuse_failed(why);
  else
    memcpy(t->mixture.mean, means.value,
           (size_t)(means.rows * means.columns) * sizeof *means.value);
  dun_free(means.value);
  return status;
}

/* ---- the target -------------------------------------------------------------------------- */

static int shift_means(struct gaussian_mixture *t, struct dun_message why)
{
  double *shift = dun_allocate(t->dimension, sizeof *shift);
  int status;
  if (!shift)
    return dun_refuse_failed(why);
  status = dun_spread(why, "shift", &t->shift, 0, t->dimension, shift);
  for (long long k = 0; status == 0 && k < t->mixture.components; k++)
    for (long long j = 0; j < t->dimension; j++)
      t->mixture.mean[k * t->dimension + j] += shift[j];
  DUN_FREE(shift);
  return status;
}

static int init(void *self, struct dun_message why)
{
  static int (*const make[])(struct gaussian_mixture *, struct dun_message) = {
      [TWO_MODES] = make_two_modes, [GRID] = make_grid, [FORTY] = make_forty, [GIVEN] = make_given};
  struct gaussian_mixture *t = self;
  struct dun_mixture *m = &t->mixture;
  double one = t->layout == FORTY ? dun_log(1 + 2.71828182845904523536) : 1;
  if (make[t->layout](t, why) < 0 || shift_means(t, why) < 0 ||
      dun_spread(why, "weights", &t->weights, 1, m->components, m->weight) < 0 ||
      dun_spread(why, "scales", &t->scales, one, m->components, m->deviation) < 0)
    return DUN_ERROR_INPUT;
  return dun_mixture_set(m) < 0 ? dun_refuse_failed(why) : 0;
}

static void free_tables(void *self)
{
  struct gaussian_mixture *t = self;
  dun_mixture_free(&t->mixture);
  dun_setup_free_names(&t->names);
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct gaussian_mixture *t = self;
  return dun_setup_point(&t->names, t->mixture.dimension, capacity, parameter);
}

static int dimension_of(const void *self)
{
  return ((const struct gaussian_mixture *)self)->mixture.dimension;
}

static int work_columns(const void *self)
{
  const struct dun_mixture *m = &((const struct gaussian_mixture *)self)->mixture;
  return m->dimension > DUN_TILTED_MOST ? m->components : dun_mixture_tilted_matrix_columns(m);
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct gaussian_mixture *t = self;
  dun_mixture_evaluate(&t->mixture, x, lp, scale, gradient, work);
  if (lp && t->log_evidence != 0)
    for (int l = 0; l < DUN_LANES; l++)
      lp[l] += t->log_evidence;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  dun_mixture_draw(&((const struct gaussian_mixture *)self)->mixture, uniform, normal, x);
}

static int tilted(const void *self, const struct dun_tilted *tilted, double *work)
{
  const struct gaussian_mixture *t = self;
  if (tilted->scale)
    return -1;
  (tilted->precision ? dun_mixture_tilted_matrix : dun_mixture_tilted)(&t->mixture, tilted, work);
  for (int l = 0; tilted->log_mass && l < DUN_LANES; l++)
    tilted->log_mass[l] += t->log_evidence;
  return 0;
}

static double log_evidence(const void *self)
{
  return ((const struct gaussian_mixture *)self)->log_evidence;
}

static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  const struct dun_mixture *m = &((const struct gaussian_mixture *)self)->mixture;
  size_t count = (size_t)(capacity < m->components ? capacity : m->components);
  if (capacity <= 0)
    return m->components;
  if (centre)
    memcpy(centre, m->mean, count * (size_t)m->dimension * sizeof *centre);
  if (share)
    memcpy(share, m->weight, count * sizeof *share);
  if (width)
    memcpy(width, m->deviation, count * sizeof *width);
  return m->components;
}

const struct dun_target dun_target_gaussian_mixture = {
    .type = {DUN_TYPE(struct dun_target), .name = "gaussian_mixture",
             .doc = "A mixture of isotropic Gaussians: two modes, a grid, forty modes, or given.",
             .size = sizeof(struct gaussian_mixture), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_uniforms = 1,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW | DUN_TILTED_LABEL |
             DUN_TILTED_MATRIX,
    .log_evidence = log_evidence,
    .parameters = parameters,
    .modes = modes,
};
