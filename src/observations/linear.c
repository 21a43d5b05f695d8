/* Linear functions of a point through Gaussian noise, y = t A x + B(t) (Montanari 2023, arXiv
 * 2305.10690): the pixels of an image, and beside them what a small window of it does not tell, its
 * average, the blocks of a pyramid, its long waves; or the rows of any matrix.
 *
 * A redundant function of y changes nothing for who knows the exact posterior.  Who knows it from a
 * small part of y sees functions of all of the point through it. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "data/csv.h"
#include "numerics/features.h"
#include "numerics/lattice.h"
#include "observations/observation.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, MOST_NUMBERS = 1 << 26 };
enum { AUTO, YES, NO };

struct linear {
  struct dun_matrix matrix;
  struct dun_data file;
  int pixels;
  double average, pyramid, fourier;
  long long channels, frequencies;
  double horizon;

  /* made by init */
  struct dun_observed of;
  struct dun_features features; /* first; then the rows */
  int64_t boxes, rows;          /* of all channels' features, of A below them */
  double *row;                  /* [rows][d]; owned */
  double *normal, *image;       /* [m][64] each, scratch; owned */
  double *point;                /* [m], scratch; owned */
};

/* ---- which features ------------------------------------------------------------------------ */

/* The pixels of a channel; 0: the coordinates do not lie so. */
static int size_of(const struct linear *s, int size[2])
{
  const struct dun_observed *of = &s->of;
  int flat = of->axes == 2 && s->channels == 1;
  int deep = of->axes == 3 && s->channels == of->size[0];
  size[0] = flat ? of->size[0] : deep ? of->size[1] : 1;
  size[1] = flat ? of->size[1] : deep ? of->size[2] : of->d / (int)s->channels;
  return flat || deep;
}

static int add_pyramid(struct linear *s, const int size[2])
{
  int side = 2, status = 0;
  for (; status >= 0 && size[0] % side == 0 && size[1] % side == 0; side *= 2)
    status = dun_features_add(&s->features, side, side, s->pyramid * side);
  if (status >= 0 && side == 2)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation.pyramid: blocks of 2 x 2 pixels do not fill %d x %d", size[0],
                    size[1]);
  return status;
}

static int set_features(struct linear *s)
{
  int size[2], status = 0, pixels = s->pixels == YES;
  if (s->of.d % s->channels)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation.channels: found %lld, which does not divide the target's %d "
                    "coordinates",
                    s->channels, s->of.d);
  if (!size_of(s, size) && (s->pyramid > 0 || s->fourier > 0))
    return dun_fail(DUN_ERROR_INPUT,
                    "observation linear: pyramids and waves are of images, lattices of two axes, "
                    "of which there are %lld here (`channels`); the target is none",
                    s->channels);
  if (s->pixels == AUTO)
    pixels = s->matrix.rows == 0 && !s->file.path;
  dun_features_init(&s->features, (int)s->channels, size);
  if (pixels)
    status = dun_features_add(&s->features, 1, 1, 1);
  if (status >= 0 && s->average > 0)
    status = dun_features_add(&s->features, size[0], size[1],
                              s->average * sqrt((double)size[0] * size[1]));
  if (status >= 0 && s->pyramid > 0)
    status = add_pyramid(s, size);
  s->boxes = s->channels * s->features.rows;
  return status;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static int check_rows(const struct linear *s, const char *what, int64_t columns, int64_t rows)
{
  if (columns != s->of.d)
    return dun_fail(DUN_ERROR_INPUT, "%s: found rows of %lld numbers, expected the target's %d",
                    what, (long long)columns, s->of.d);
  if (rows > MOST_NUMBERS / columns)
    return dun_fail(DUN_ERROR_INPUT, "%s: found %lld rows of %lld numbers, expected at most %d",
                    what, (long long)rows, (long long)columns, (int)(MOST_NUMBERS / columns));
  return 0;
}

static int take_rows(struct linear *s, const char *what, const double *value, int64_t rows,
                     int64_t columns)
{
  int status = check_rows(s, what, columns, rows);
  if (status < 0)
    return status;
  s->row = dun_allocate(rows * columns, sizeof *s->row);
  if (!s->row)
    return DUN_ERROR_MEMORY;
  memcpy(s->row, value, (size_t)(rows * columns) * sizeof *value);
  s->rows = rows;
  return 0;
}

static int read_rows(struct linear *s)
{
  static const struct dun_csv_format plain = {.header = 2}; /* none: all rows are numbers */
  struct dun_csv csv = {0};
  int status = dun_csv_parse(&csv, &s->file, &plain);
  if (status >= 0)
    status = dun_csv_check(&csv, &s->file, -1);
  if (status >= 0)
    status = take_rows(s, s->file.path, csv.value, csv.rows, csv.columns);
  dun_csv_free(&csv);
  return status;
}

/* Whether a wave goes at most so often along each axis; the wave 0 is the average. */
static int is_long(const struct linear *s, const int size[2], int64_t wave)
{
  int64_t i = wave / size[1], j = wave % size[1];
  i = i < size[0] - i ? i : size[0] - i;
  j = j < size[1] - j ? j : size[1] - j;
  return wave > 0 && i <= s->frequencies && j <= s->frequencies;
}

/* out[count][sites], the orthonormal waves of these places times the gain. */
static int make_waves(const struct linear *s, const int size[2], const int64_t *place,
                      int64_t count, double *out)
{
  struct dun_lattice lattice;
  int status = dun_lattice_init(&lattice, 2, size);
  int64_t n = (int64_t)size[0] * size[1];
  double *wave = dun_allocate(n, L * sizeof *wave), one[L] __attribute__((aligned(64)));
  double *x = dun_allocate(n, L * sizeof *x), *gain = dun_allocate(n, sizeof *gain);
  if (status >= 0 && (!wave || !x || !gain))
    status = DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n && status >= 0; i++)
    gain[i] = s->fourier;
  for (int l = 0; l < L; l++)
    one[l] = 1;
  for (int64_t first = 0; first < count && status >= 0; first += L) {
    int64_t some = count - first < L ? count - first : L;
    memset(wave, 0, (size_t)n * L * sizeof *wave);
    memset(x, 0, (size_t)n * L * sizeof *x);
    for (int64_t k = 0; k < some; k++)
      wave[place[first + k] * L + k] = 1;
    dun_lattice_add_field(&lattice, gain, one, wave, x);
    for (int64_t k = 0; k < some; k++)
      for (int64_t i = 0; i < n; i++)
        out[(first + k) * n + i] = x[i * L + k];
  }
  dun_lattice_free(&lattice);
  dun_free(wave);
  dun_free(x);
  dun_free(gain);
  return status;
}

/* Rows of the long waves of each channel. */
static int set_waves(struct linear *s)
{
  int size[2], status;
  size_of(s, size);
  int64_t n = (int64_t)size[0] * size[1], count = 0;
  int64_t *place = dun_allocate(n, sizeof *place);
  double *wave = NULL;
  for (int64_t k = 0; k < n && place; k++)
    if (is_long(s, size, k))
      place[count++] = k;
  status =
      place ? check_rows(s, "observation.fourier", s->of.d, count * s->channels) : DUN_ERROR_MEMORY;
  if (status >= 0) {
    wave = dun_allocate(count, (size_t)n * sizeof *wave);
    s->row = dun_allocate(count * s->channels, (size_t)s->of.d * sizeof *s->row);
    status = wave && s->row ? make_waves(s, size, place, count, wave) : DUN_ERROR_MEMORY;
  }
  for (int64_t i = 0; i < count * s->channels && status >= 0; i++)
    memcpy(s->row + i * s->of.d + i / count * n, wave + i % count * n, (size_t)n * sizeof *wave);
  s->rows = count * s->channels;
  dun_free(place);
  dun_free(wave);
  return status;
}

static int set_rows(struct linear *s)
{
  int given = (s->matrix.rows > 0) + (s->file.path != NULL) + (s->fourier > 0);
  s->rows = 0;
  if (given > 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "observation linear: `matrix`, `file` and `fourier` are rows of one matrix: "
                    "give one of them");
  if (s->matrix.rows > 0)
    return take_rows(s, "observation.matrix", s->matrix.value, s->matrix.rows, s->matrix.columns);
  return s->file.path ? read_rows(s) : s->fourier > 0 ? set_waves(s) : 0;
}

static void release(void *self)
{
  struct linear *s = self;
  DUN_FREE(s->row);
  DUN_FREE(s->normal);
  DUN_FREE(s->image);
  DUN_FREE(s->point);
}

static int init(void *self, const struct dun_observed *of)
{
  struct linear *s = self;
  int status;
  if (of->letters && !of->spins)
    return dun_fail(DUN_ERROR_INPUT, "observation linear is of reals and of spins, not of letters");
  release(s);
  s->of = *of;
  if ((status = set_features(s)) < 0 || (status = set_rows(s)) < 0)
    return status;
  int64_t m = s->boxes + s->rows;
  if (m < 1 || m > INT32_MAX / L)
    return dun_fail(DUN_ERROR_INPUT, "observation linear: found %lld functions, expected 1 to %d",
                    (long long)m, INT32_MAX / L);
  s->normal = dun_allocate(m, L * sizeof *s->normal);
  s->image = dun_allocate(m, L * sizeof *s->image);
  s->point = dun_allocate(m, sizeof *s->point);
  return s->normal && s->image && s->point ? 0 : DUN_ERROR_MEMORY;
}

static int width(const void *self)
{
  const struct linear *s = self;
  return (int)(s->boxes + s->rows);
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = ((const struct linear *)self)->horizon;
}

static const struct dun_features *features(const void *self)
{
  const struct linear *s = self;
  return s->rows > 0 ? NULL : &s->features;
}

/* ---- what is seen ---------------------------------------------------------------------------- */

/* image[rows][64] of the means. */
DUN_CLONES static void apply_rows(const struct linear *s, const double *restrict mean,
                                  double *restrict image)
{
  int64_t d = s->of.d;
  for (int64_t i = 0; i < s->rows; i++) {
    double *out = image + i * L;
    for (int l = 0; l < L; l++)
      out[l] = 0;
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < L; l++)
        out[l] = DUN_FMA(s->row[i * d + j], mean[j * L + l], out[l]);
  }
}

/* image[m][64] = A x. */
static void show(const struct linear *s, const double *x)
{
  dun_features_apply(&s->features, x, s->image);
  apply_rows(s, x, s->image + s->boxes * L);
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct linear *s = self;
  double length = next - t, root = sqrt(length);
  int m = width(s);
  dun_normals(address, m, s->normal);
  show(s, x->mean);
  for (int64_t i = 0; i < (int64_t)m * L; i++)
    y[i] += length * s->image[i] + root * s->normal[i];
}

/* <y' - y, A x> - dt |A x|^2 / 2. */
static void weigh(const void *self, double t, double next, const struct dun_known *x,
                  const double *before, const double *y, double *out)
{
  const struct linear *s = self;
  double half = .5 * (next - t);
  show(s, x->mean);
  for (int64_t i = 0; i < (int64_t)width(s) * L; i++)
    out[i % L] += s->image[i] * (y[i] - before[i] - half * s->image[i]);
}

static void square(const void *self, const double *off, double *out)
{
  const struct linear *s = self;
  show(s, off);
  for (int64_t i = 0; i < (int64_t)width(s) * L; i++)
    out[i % L] += s->image[i] * s->image[i];
}

/* <y, A x> - t |A x|^2 / 2. */
static void likelihood(const void *self, double t, const double *y, const double *x, double *out)
{
  const struct linear *s = self;
  int64_t d = s->of.d;
  dun_features_of_point(&s->features, x, s->point);
  for (int64_t i = 0; i < s->rows; i++) {
    double image = 0;
    for (int64_t j = 0; j < d; j++)
      image += s->row[i * d + j] * x[j];
    s->point[s->boxes + i] = image;
  }
  for (int64_t i = 0; i < s->boxes + s->rows; i++)
    for (int l = 0; l < L; l++)
      out[l] += s->point[i] * (y[i * L + l] - .5 * t * s->point[i]);
}

static const struct dun_option options[] = {
    {.name = "pixels",
     .type = DUN_CHOICE,
     .offset = offsetof(struct linear, pixels),
     .initial = "auto",
     .words = "auto|yes|no",
     .doc = "Whether the coordinates themselves are among the functions; auto: where no rows are "
            "given (`matrix`, `file`)."},
    {.name = "average",
     .type = DUN_NUMBER,
     .offset = offsetof(struct linear, average),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "The mean of all n coordinates, of each channel: its gain is this times the root of n; "
            "at 1 it tells as much of the mean as all pixels do.  0: it is not seen."},
    {.name = "pyramid",
     .type = DUN_NUMBER,
     .offset = offsetof(struct linear, pyramid),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Of images, means over blocks of 2 x 2, 4 x 4, ... pixels as long as blocks fill the "
            "image: their gains are this times 2, 4, ...  0: they are not seen."},
    {.name = "fourier",
     .type = DUN_NUMBER,
     .offset = offsetof(struct linear, fourier),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Of images, orthonormal waves but the average: their gain.  0: they are not seen."},
    {.name = "frequencies",
     .type = DUN_INTEGER,
     .offset = offsetof(struct linear, frequencies),
     .initial = "1",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "How often those waves go along each side at most."},
    {.name = "channels",
     .type = DUN_INTEGER,
     .offset = offsetof(struct linear, channels),
     .initial = "1",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "Equal parts of the coordinates, one after the other, with features of their own."},
    {.name = "matrix",
     .type = DUN_MATRIX,
     .offset = offsetof(struct linear, matrix),
     .initial = "",
     .doc = "A, a row of d numbers for each function, behind those; all together tell the point."},
    {.name = "file",
     .type = DUN_DATA,
     .offset = offsetof(struct linear, file),
     .initial = "",
     .doc = "The same from a CSV file without a header."},
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct linear, horizon),
     .initial = "100",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "The last time: noise of the variance 1 / horizon is then left in A x."},
    {0},
};

const struct dun_observation dun_observation_linear = {
    .type = {DUN_TYPE(struct dun_observation), .name = "linear",
             .doc = "Linear functions of a point times the time, and Brownian motion.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct linear),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .time = dun_observation_arctan,
    .step = step,
    .weigh = weigh,
    .square = square,
    .likelihood = likelihood,
    .features = features,
};
