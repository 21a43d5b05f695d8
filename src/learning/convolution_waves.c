#include "learning/convolution_waves.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/real.h"
#include "numerics/tile_product.h"
#include <string.h>

enum { L = DUN_LANES };

/* ---- room ------------------------------------------------------------------------------------ */

/* Waves of an image with its border: all along the height, of those along the width the half that
 * tells of numbers without imaginary parts. */
struct size {
  int height, width, across; /* pixels with the border; waves along the width */
  int takes, gives, side;
  int rows, columns; /* of the image alone */
  int64_t pairs;     /* takes x gives, padded */
};

static struct size size_of(const struct dun_convolution_network *s,
                           const struct dun_convolution_layer *at)
{
  int64_t pairs = (int64_t)at->takes * at->gives, step = DUN_TILE_PRODUCT_STEP;
  return (struct size){.height = (int)s->height + 2 * at->reach,
                       .width = (int)s->width + 2 * at->reach,
                       .across = ((int)s->width + 2 * at->reach) / 2 + 1,
                       .takes = at->takes,
                       .gives = at->gives,
                       .side = at->side,
                       .rows = (int)s->height,
                       .columns = (int)s->width,
                       .pairs = (pairs + step - 1) / step * step};
}

/* A matrix of waves at places, with cosines and sines in turn: along the width [2 across][places],
 * by which numbers become waves, and [..] back, scaled; along the height [2 height][2 places]. */
struct tables {
  dun_real *wide, *back, *high;
  int places_wide, places_high;
};

struct room {
  struct size size;
  struct tables image, kernel;
  dun_real *cosine, *sine;       /* [larger of height and width] */
  dun_real *of_takes, *of_gives; /* [rows][across][2][channels][64], along the width alone */
  dun_real *of_kernel;           /* [side][across][2][pairs], the same */
  dun_real *line;                /* [height][2][channels][64] of one wave along the width */
  dun_real *takes, *gives;       /* the same, along both */
  dun_real *kernel_line, *pairs; /* [side][2][pairs] and [height][2][pairs] */
  dun_real *matrix;              /* [2 gives][2 takes] of a wave, or [2 gives][2 takes, padded] */
  dun_real *turned;              /* [64][2 takes, padded] */
  dun_real *taps;                /* [side][pairs] */
};

static int64_t padded(int64_t n)
{
  return (n + DUN_TILE_PRODUCT_STEP - 1) / DUN_TILE_PRODUCT_STEP * DUN_TILE_PRODUCT_STEP;
}

/* Takes so many numbers of the scratch, in whole columns; without one it counts. */
static dun_real *take(dun_real *scratch, int64_t *columns, int64_t numbers)
{
  dun_real *at = scratch ? scratch + *columns * L : NULL;
  *columns += (numbers + L - 1) / L;
  return at;
}

static void lay_table(struct tables *t, int wide, int high, const struct size *z, dun_real *scratch,
                      int64_t *columns)
{
  t->places_wide = wide;
  t->places_high = high;
  t->wide = take(scratch, columns, 2 * (int64_t)z->across * wide);
  t->back = take(scratch, columns, 2 * (int64_t)z->across * wide);
  t->high = take(scratch, columns, 4 * (int64_t)z->height * high);
}

/* Columns that all of it takes. */
static int64_t lay_out(struct room *r, dun_real *scratch)
{
  const struct size *z = &r->size;
  int64_t columns = 0, most = z->takes > z->gives ? z->takes : z->gives;
  int64_t along = z->height > z->width ? z->height : z->width;
  int64_t line = 2 * (int64_t)z->height, wide = 2 * (int64_t)z->across;
  lay_table(&r->image, z->width, z->height, z, scratch, &columns);
  lay_table(&r->kernel, z->side, z->side, z, scratch, &columns);
  r->cosine = take(scratch, &columns, along);
  r->sine = take(scratch, &columns, along);
  r->of_takes = take(scratch, &columns, wide * z->height * z->takes * L);
  r->of_gives = take(scratch, &columns, wide * z->height * z->gives * L);
  r->of_kernel = take(scratch, &columns, wide * z->side * z->pairs);
  r->line = take(scratch, &columns, line * most * L);
  r->takes = take(scratch, &columns, line * z->takes * L);
  r->gives = take(scratch, &columns, line * z->gives * L);
  r->kernel_line = take(scratch, &columns, 2 * z->side * z->pairs);
  r->pairs = take(scratch, &columns, line * z->pairs);
  r->matrix = take(scratch, &columns, 2 * most * padded(2 * most));
  r->turned = take(scratch, &columns, L * padded(2 * most));
  r->taps = take(scratch, &columns, z->side * z->pairs);
  return columns;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Of the whole turns i / n. */
DUN_CLONES static void fill_turn(int n, dun_real *restrict cosine, dun_real *restrict sine)
{
  for (int i = 0; i < n; i++) {
    double s, c;
    dun_sincos2pi((double)i / n, &s, &c);
    cosine[i] = (dun_real)c;
    sine[i] = (dun_real)s;
  }
}

/* Places are `spacing` pixels apart; waves turn by `sign`. */
static void fill_table(struct room *r, struct tables *t, int spacing, int sign)
{
  const struct size *z = &r->size;
  fill_turn(z->width, r->cosine, r->sine);
  for (int64_t u = 0; u < z->across; u++)
    for (int64_t j = 0; j < t->places_wide; j++) {
      int64_t at = u * j * spacing % z->width, cosine = 2 * u * t->places_wide + j;
      int64_t sine = cosine + t->places_wide;
      dun_real twice = u == 0 || 2 * u == z->width ? 1 : 2;
      dun_real share = twice / ((dun_real)z->height * (dun_real)z->width);
      t->wide[cosine] = r->cosine[at];
      t->wide[sine] = (dun_real)sign * r->sine[at];
      t->back[cosine] = share * t->wide[cosine];
      t->back[sine] = share * t->wide[sine];
    }
  fill_turn(z->height, r->cosine, r->sine);
  for (int64_t v = 0; v < z->height; v++)
    for (int64_t i = 0; i < t->places_high; i++) {
      int64_t at = v * i * spacing % z->height;
      dun_real *to = t->high + 4 * v * t->places_high + 2 * i, *below = to + 2 * t->places_high;
      to[0] = below[1] = r->cosine[at];
      below[0] = (dun_real)sign * r->sine[at];
      to[1] = -below[0];
    }
}

static void open(struct room *r, const struct dun_convolution_network *s,
                 const struct dun_convolution_layer *at, dun_real *scratch)
{
  r->size = size_of(s, at);
  lay_out(r, scratch);
  fill_table(r, &r->image, 1, -1);
  fill_table(r, &r->kernel, at->spacing, 1);
}

/* ---- transforms ------------------------------------------------------------------------------ */

/* rows[count][2 across][numbers] of image[count][columns][numbers], along the width. */
static void to_waves(const struct room *r, const struct tables *t, int count, int columns,
                     int64_t numbers, const dun_real *image, dun_real *rows)
{
  int waves = 2 * r->size.across;
  for (int64_t i = 0; i < count; i++)
    DUN_REAL(dun_tile_product)
  (waves, columns, (int)numbers, t->wide, t->places_wide, 1, image + i * columns * numbers, NULL, 0,
   rows + i * waves * numbers);
}

/* And back; the image is added to. */
static void from_waves(const struct room *r, const struct tables *t, int count, int columns,
                       int64_t numbers, const dun_real *rows, int add, dun_real *image)
{
  int waves = 2 * r->size.across;
  for (int64_t i = 0; i < count; i++)
    DUN_REAL(dun_tile_product)
  (columns, waves, (int)numbers, t->back, 1, t->places_wide, rows + i * waves * numbers, NULL, add,
   image + i * columns * numbers);
}

/* waves[height][2][numbers] along both, of wave u of the rows; line is scratch. */
static void up(const struct room *r, const struct tables *t, int u, int count, int64_t numbers,
               const dun_real *rows, dun_real *line, dun_real *waves)
{
  for (int64_t i = 0; i < count; i++)
    memcpy(line + 2 * i * numbers, rows + 2 * (i * r->size.across + u) * numbers,
           2 * (size_t)numbers * sizeof *line);
  DUN_REAL(dun_tile_product)
  (2 * r->size.height, 2 * count, (int)numbers, t->high, 2 * t->places_high, 1, line, NULL, 0,
   waves);
}

static void down(const struct room *r, const struct tables *t, int u, int count, int64_t numbers,
                 const dun_real *waves, dun_real *line, dun_real *rows)
{
  DUN_REAL(dun_tile_product)
  (2 * count, 2 * r->size.height, (int)numbers, t->high, 1, 2 * t->places_high, waves, NULL, 0,
   line);
  for (int64_t i = 0; i < count; i++)
    memcpy(rows + 2 * (i * r->size.across + u) * numbers, line + 2 * i * numbers,
           2 * (size_t)numbers * sizeof *line);
}

/* ---- kernels --------------------------------------------------------------------------------- */

/* Row `row` of kernel[gives][side][side][takes] as taps[side][pairs]. */
static void gather_taps(const struct size *z, int row, const dun_real *kernel, dun_real *taps)
{
  for (int64_t o = 0; o < z->gives; o++)
    for (int64_t k = 0; k < z->side; k++)
      memcpy(taps + k * z->pairs + o * z->takes,
             kernel + ((o * z->side + row) * z->side + k) * z->takes,
             (size_t)z->takes * sizeof *taps);
  for (int64_t k = 0; k < z->side; k++)
    for (int64_t i = (int64_t)z->gives * z->takes; i < z->pairs; i++)
      taps[k * z->pairs + i] = 0;
}

static void add_taps(const struct size *z, int row, const dun_real *taps, double *gradient)
{
  for (int64_t o = 0; o < z->gives; o++)
    for (int64_t k = 0; k < z->side; k++)
      for (int64_t c = 0; c < z->takes; c++)
        gradient[((o * z->side + row) * z->side + k) * z->takes + c] +=
            (double)taps[k * z->pairs + o * z->takes + c];
}

/* The product of complex numbers as a matrix of real ones, matrix[2 gives][2 takes], of
 * wave[2][pairs]. */
static void fill_matrix(const struct size *z, const dun_real *wave, dun_real *matrix)
{
  int64_t takes = z->takes, half = 2 * takes * z->gives;
  for (int64_t o = 0; o < z->gives; o++)
    for (int64_t c = 0; c < takes; c++) {
      dun_real real = wave[o * takes + c], imaginary = wave[z->pairs + o * takes + c];
      dun_real *to = matrix + 2 * o * takes + c;
      to[0] = to[half + takes] = real;
      to[takes] = -imaginary;
      to[half] = imaginary;
    }
}

/* wave[2][pairs] of a bar times the conjugate of what was seen, all products of whose parts are in
 * matrix[2 gives][width]. */
static void fold_matrix(const struct size *z, int64_t width, const dun_real *matrix, dun_real *wave)
{
  int64_t takes = z->takes, half = width * z->gives;
  for (int64_t o = 0; o < z->gives; o++)
    for (int64_t c = 0; c < takes; c++) {
      const dun_real *from = matrix + o * width + c;
      wave[o * takes + c] = from[0] + from[half + takes];
      wave[z->pairs + o * takes + c] = from[half] - from[takes];
    }
  for (int64_t i = takes * z->gives; i < z->pairs; i++)
    wave[i] = wave[z->pairs + i] = 0;
}

/* ---- what they are for ----------------------------------------------------------------------- */

/* All waves with the same number u along the width. */
static void multiply(const struct room *r, int u)
{
  const struct size *z = &r->size;
  int64_t takes = 2 * z->takes, gives = 2 * z->gives;
  up(r, &r->image, u, z->height, (int64_t)z->takes * L, r->of_takes, r->line, r->takes);
  up(r, &r->kernel, u, z->side, z->pairs, r->of_kernel, r->kernel_line, r->pairs);
  for (int64_t v = 0; v < z->height; v++) {
    fill_matrix(z, r->pairs + 2 * v * z->pairs, r->matrix);
    DUN_REAL(dun_tile_product)
    ((int)gives, (int)takes, L, r->matrix, takes, 1, r->takes + v * takes * L, NULL, 0,
     r->gives + v * gives * L);
  }
  down(r, &r->image, u, z->rows, (int64_t)z->gives * L, r->gives, r->line, r->of_gives);
}

void DUN_REAL(dun_convolution_waves)(const struct dun_convolution_network *s,
                                     const struct dun_convolution_layer *at, const dun_real *kernel,
                                     const dun_real *x, dun_real *y, dun_real *scratch)
{
  struct room r;
  open(&r, s, at, scratch);
  const struct size *z = &r.size;
  to_waves(&r, &r.image, z->height, z->width, (int64_t)z->takes * L, x, r.of_takes);
  for (int k = 0; k < z->side; k++) {
    gather_taps(z, k, kernel, r.taps);
    to_waves(&r, &r.kernel, 1, z->side, z->pairs, r.taps,
             r.of_kernel + 2 * k * z->across * z->pairs);
  }
  for (int u = 0; u < z->across; u++)
    multiply(&r, u);
  from_waves(&r, &r.image, z->rows, z->columns, (int64_t)z->gives * L, r.of_gives, 1, y);
}

static void correlate(const struct room *r, int u)
{
  const struct size *z = &r->size;
  int64_t takes = 2 * z->takes, gives = 2 * z->gives, width = padded(takes);
  up(r, &r->image, u, z->height, (int64_t)z->takes * L, r->of_takes, r->line, r->takes);
  up(r, &r->image, u, z->rows, (int64_t)z->gives * L, r->of_gives, r->line, r->gives);
  for (int64_t v = 0; v < z->height; v++) {
    DUN_REAL(dun_tile_turn)((int)takes, (int)width, r->takes + v * takes * L, r->turned);
    DUN_REAL(dun_tile_product)
    ((int)gives, L, (int)width, r->gives + v * gives * L, L, 1, r->turned, NULL, 0, r->matrix);
    fold_matrix(z, width, r->matrix, r->pairs + 2 * v * z->pairs);
  }
  down(r, &r->kernel, u, z->side, z->pairs, r->pairs, r->kernel_line, r->of_kernel);
}

void DUN_REAL(dun_convolution_waves_back)(const struct dun_convolution_network *s,
                                          const struct dun_convolution_layer *at, const dun_real *x,
                                          const dun_real *bar, double *gradient, dun_real *scratch)
{
  struct room r;
  open(&r, s, at, scratch);
  const struct size *z = &r.size;
  to_waves(&r, &r.image, z->height, z->width, (int64_t)z->takes * L, x, r.of_takes);
  to_waves(&r, &r.image, z->rows, z->columns, (int64_t)z->gives * L, bar, r.of_gives);
  for (int u = 0; u < z->across; u++)
    correlate(&r, u);
  for (int k = 0; k < z->side; k++) {
    from_waves(&r, &r.kernel, 1, z->side, z->pairs, r.of_kernel + 2 * k * z->across * z->pairs, 0,
               r.taps);
    add_taps(z, k, r.taps, gradient);
  }
}

#ifndef DUN_SINGLE
int64_t dun_convolution_waves_scratch(const struct dun_convolution_network *s,
                                      const struct dun_convolution_layer *at)
{
  struct room r = {.size = size_of(s, at)};
  return lay_out(&r, NULL);
}

int dun_convolution_by_waves(const struct dun_convolution_network *s,
                             const struct dun_convolution_layer *at)
{
  /* as measured of 8 x 8 to 64 x 64 pixels, 1 to 64 channels and kernels of 3 to 21: what a
   * multiply-add of waves takes of that of a sum, where few channels make short blocks of sums */
  static const double dearer = 2.25, more = 3;
  const struct size z = size_of(s, at);
  double takes = at->takes, gives = at->gives, waves = 2 * (double)z.across * z.height;
  double products = 2 * waves * takes * gives;
  double of_takes = waves * (z.width + 2. * z.height) * takes;
  double of_gives = 2. * z.across * z.rows * (z.columns + 2. * z.height) * gives;
  double sums = (double)z.rows * z.columns * at->side * at->side * (takes + more) * (gives + more);
  return dearer * (products + of_takes + of_gives) < sums;
}
#endif
