#include "learning/convolution_winograd.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include "numerics/real.h"
#include "numerics/tile_product.h"
#include <string.h>

/* Lanes that are done together, PART, and the most of either precision: a patch of 32 channels and
 * its values then stay in a second-level cache of 1 MiB. */
enum { L = DUN_LANES, MOST = 128 / sizeof(float), PART = 128 / sizeof(dun_real) };

/* Along an axis: values, pixels that they tell of, and places of the kernel; patches whose slopes
 * are summed before they are brought to the kernel, in double precision: of 16 in single precision
 * they would be off by 1.7e-5 of their size. */
enum { SIX = 6, OUT = 4, SIDE = 3, POINTS = SIX * SIX, SQUARE = OUT * OUT, TOGETHER = 4 };

/* The points are 0, A, -A, B, -B and infinity. */
#define A       ((dun_real).625)
#define B       ((dun_real)1.5)
#define A2      (A * A)
#define B2      (B * B)
#define FMA     DUN_REAL_FMA
#define EACH(i) for (int i = 0; i < SIX; i++)

/* ---- along one axis -------------------------------------------------------------------------- */

struct six {
  dun_real v[SIX];
};

/* What six pixels are worth at the points: times the kernel's values they are those of the
 * convolution. */
DUN_INLINE struct six see(struct six d)
{
  dun_real a = FMA(-B2, d.v[2], d.v[4]), a_odd = FMA(-B2, d.v[1], d.v[3]);
  dun_real b = FMA(-A2, d.v[2], d.v[4]), b_odd = FMA(-A2, d.v[1], d.v[3]);
  return (struct six){{FMA(A2 * B2, d.v[0], FMA(-(A2 + B2), d.v[2], d.v[4])), FMA(A, a_odd, a),
                       FMA(-A, a_odd, a), FMA(B, b_odd, b), FMA(-B, b_odd, b),
                       FMA(A2 * B2, d.v[1], FMA(-(A2 + B2), d.v[3], d.v[5]))}};
}

/* The four pixels that values at the points tell of. */
DUN_INLINE struct six tell(struct six m)
{
  dun_real a = m.v[1] + m.v[2], a_odd = m.v[1] - m.v[2];
  dun_real b = m.v[3] + m.v[4], b_odd = m.v[3] - m.v[4];
  return (struct six){{m.v[0] + (a + b), FMA(B, b_odd, A * a_odd), FMA(B2, b, A2 * a),
                       FMA(B * B2, b_odd, A * A2 * a_odd) + m.v[5]}};
}

/* The transpose of `tell`: what the bars of four pixels are at the points. */
DUN_INLINE struct six untell(struct six y)
{
  dun_real a = FMA(A2, y.v[2], y.v[0]), a_odd = FMA(A * A2, y.v[3], A * y.v[1]);
  dun_real b = FMA(B2, y.v[2], y.v[0]), b_odd = FMA(B * B2, y.v[3], B * y.v[1]);
  return (struct six){{y.v[0], a + a_odd, a - a_odd, b + b_odd, b - b_odd, y.v[3]}};
}

/* What a kernel's places are multiplied by: powers of the points, over the product of a point's
 * distances from the others. */
#define POWERS(point, over)                                                                        \
  {                                                                                                \
    1 / (over), (point) / (over), (point) * (point) / (over)                                       \
  }
static const double power[SIX][SIDE] = {
    POWERS(0., .625 * .625 * 2.25),
    POWERS(.625, 2 * .625 * .625 * (.625 * .625 - 2.25)),
    POWERS(-.625, 2 * .625 * .625 * (.625 * .625 - 2.25)),
    POWERS(1.5, 2 * 2.25 * (2.25 - .625 * .625)),
    POWERS(-1.5, 2 * 2.25 * (2.25 - .625 * .625)),
    {0, 0, 1},
};

/* ---- along both ------------------------------------------------------------------------------ */

/* What is done along an axis, with PART lanes at once: from six places, or four, to others. */
enum way { SEE, TELL, UNTELL };

#define FROM(name) const dun_real *restrict name
#define TO(name)   dun_real *restrict name

DUN_INLINE void lines(const enum way way, FROM(a), FROM(b), FROM(c), FROM(d), FROM(e), FROM(f),
                      TO(u), TO(v), TO(w), TO(x), TO(y), TO(z))
{
  for (int l = 0; l < PART; l++) {
    struct six in = {{a[l], b[l], c[l], d[l], way == UNTELL ? 0 : e[l], way == UNTELL ? 0 : f[l]}};
    struct six to = way == SEE ? see(in) : way == TELL ? tell(in) : untell(in);
    u[l] = to.v[0];
    v[l] = to.v[1];
    w[l] = to.v[2];
    x[l] = to.v[3];
    if (way != TELL) {
      y[l] = to.v[4];
      z[l] = to.v[5];
    }
  }
}

/* The same from number `at` of each place to others that are so far apart. */
DUN_INLINE void axis(const enum way way, const dun_real *const *from, int64_t at, dun_real *to,
                     int64_t apart)
{
  lines(way, from[0] + at, from[1] + at, from[2] + at, from[3] + at, from[4] + at, from[5] + at, to,
        to + apart, to + 2 * apart, to + 3 * apart, to + 4 * apart, to + 5 * apart);
}

/* What is seen of a pixel: so many times PART lanes, the first of them and how far it is to the
 * next. */
struct columns {
  int64_t count, first, pitch;
};

/* value[36][step][PART] of patches of 6 x 6 pixels, or 4 x 4 bars. */
DUN_INLINE void to_values(const enum way way, const struct columns *columns,
                          const dun_real *const *pixel, int64_t step, dun_real *value)
{
  _Alignas(64) dun_real half[POINTS][PART];
  const int side = way == UNTELL ? OUT : SIX;
  for (int64_t c = 0; c < columns->count; c++) {
    for (int j = 0; j < side; j++) {
      const dun_real *from[SIX];
      EACH(i) from[i] = pixel[i < side ? i * side + j : j];
      axis(way, from, columns->first + c * columns->pitch, half[j], SIX * PART);
    }
    EACH(i)
    {
      const dun_real *from[SIX];
      EACH(j) from[j] = half[i * SIX + j];
      axis(way, from, 0, value + (i * SIX * step + c) * PART, step * PART);
    }
  }
}

DUN_CLONES static void see_pixels(const struct columns *columns, const dun_real *const *pixel,
                                  int64_t step, dun_real *value)
{
  to_values(SEE, columns, pixel, step, value);
}

DUN_CLONES static void untell_pixels(const struct columns *columns, const dun_real *const *pixel,
                                     int64_t step, dun_real *value)
{
  to_values(UNTELL, columns, pixel, step, value);
}

DUN_INLINE void add(const dun_real *restrict one, const dun_real *restrict other,
                    dun_real *restrict sum)
{
  for (int l = 0; l < PART; l++)
    sum[l] = one[l] + other[l];
}

/* Pixels 4 x 4 of what value[36][step][PART] tells of them, beyond a start of each. */
DUN_CLONES static void tell_pixels(const struct columns *columns, const dun_real *value,
                                   int64_t step, const dun_real *start, dun_real *const *pixel)
{
  _Alignas(64) dun_real half[POINTS][PART], sum[SIX][PART];
  for (int64_t c = 0; c < columns->count; c++) {
    int64_t at = columns->first + c * columns->pitch;
    EACH(j)
    {
      const dun_real *from[SIX];
      EACH(i) from[i] = value + ((i * SIX + j) * step + c) * PART;
      axis(TELL, from, 0, half[j], SIX * PART);
    }
    for (int i = 0; i < OUT; i++) {
      const dun_real *from[SIX];
      EACH(j) from[j] = half[i * SIX + j];
      axis(TELL, from, 0, sum[0], PART);
      for (int j = 0; j < OUT; j++)
        add(start + at, sum[j], pixel[i * OUT + j] + at);
    }
  }
}

/* ---- kernels --------------------------------------------------------------------------------- */

/* value[36][gives][takes] of kernel[gives][3][3][takes]. */
DUN_CLONES static void see_kernel(const struct dun_convolution_layer *at,
                                  const dun_real *restrict kernel, dun_real *restrict value)
{
  int64_t takes = at->takes, all = at->gives * takes;
  for (int64_t o = 0; o < at->gives; o++)
    EACH(i) EACH(j)
    {
      const dun_real *from = kernel + o * SIDE * SIDE * takes;
      dun_real *to = value + (i * SIX + j) * all + o * takes;
      for (int64_t c = 0; c < takes; c++) {
        double sum = 0;
        for (int k = 0; k < SIDE * SIDE; k++)
          sum = DUN_FMA(power[i][k / SIDE] * power[j][k % SIDE], (double)from[k * takes + c], sum);
        to[c] = (dun_real)sum;
      }
    }
}

/* gradient[gives][3][3][takes] += what products[36][takes][padded] tell of it, which become 0. */
DUN_CLONES static void tell_kernel(const struct dun_convolution_layer *at, int64_t padded,
                                   dun_real *restrict products, double *restrict gradient)
{
  double half[SIDE][SIX][L];
  int64_t takes = at->takes;
  for (int64_t c = 0; c < takes; c++)
    for (int64_t o = 0; o < at->gives; o += L) {
      dun_real *from = products + c * padded + o;
      int n = at->gives - o < L ? (int)(at->gives - o) : L;
      for (int a = 0; a < SIDE; a++)
        EACH(j)
        {
          memset(half[a][j], 0, sizeof half[a][j]);
          EACH(i)
          for (int l = 0; l < n; l++)
            half[a][j][l] = DUN_FMA(power[i][a], (double)from[(i * SIX + j) * takes * padded + l],
                                    half[a][j][l]);
        }
      for (int k = 0; k < SIDE * SIDE; k++) {
        double sum[L] = {0};
        EACH(j)
        for (int l = 0; l < n; l++)
          sum[l] = DUN_FMA(power[j][k % SIDE], half[k / SIDE][j][l], sum[l]);
        for (int l = 0; l < n; l++)
          gradient[((o + l) * SIDE * SIDE + k) * takes + c] += sum[l];
      }
    }
  memset(products, 0, (size_t)(POINTS * takes * padded) * sizeof *products);
}

/* ---- room and patches ------------------------------------------------------------------------ */

/* Values of points lie `of_takes`, `of_gives` or `of_turned` columns apart, an odd number: powers
 * of two would meet in the same lines of the cache. */
struct room {
  int64_t of_takes, of_gives, of_turned;
  int64_t padded;
  dun_real *kernel;  /* [36][gives][takes], or products [36][takes][padded] */
  dun_real *seen;    /* [36][of_takes][PART] */
  dun_real *told;    /* [36][of_gives][PART], or [36][of_turned][PART]: PART lanes by padded */
  dun_real *turned;  /* [16][64][padded] */
  dun_real *beyond;  /* what is seen beyond the border: zeros */
  dun_real *nowhere; /* where goes what is beyond the image */
};

/* Takes so many columns of the scratch; without one it counts. */
static dun_real *take(dun_real *scratch, int64_t *columns, int64_t more)
{
  dun_real *at = scratch ? scratch + *columns * L : NULL;
  *columns += more;
  return at;
}

static int64_t whole(int64_t n, int64_t step)
{
  return (n + step - 1) / step * step;
}

static int64_t lay_out(struct room *r, const struct dun_convolution_layer *at, dun_real *scratch)
{
  int64_t columns = 0, takes = at->takes, gives = at->gives;
  r->padded = whole(gives, DUN_TILE_PRODUCT_STEP);
  r->of_takes = takes | 1;
  r->of_gives = gives | 1;
  r->of_turned = r->padded | 1;
  r->kernel = take(scratch, &columns, whole(POINTS * takes * r->padded, L) / L);
  r->seen = take(scratch, &columns, whole(POINTS * r->of_takes * MOST, L) / L);
  r->told = take(scratch, &columns, whole(POINTS * r->of_turned * MOST, L) / L);
  r->turned = take(scratch, &columns, SQUARE * r->padded);
  r->beyond = take(scratch, &columns, takes > r->padded ? takes : r->padded);
  r->nowhere = take(scratch, &columns, gives);
  return columns;
}

static void open(struct room *r, const struct dun_convolution_layer *at, dun_real *scratch)
{
  lay_out(r, at, scratch);
  memset(r->beyond, 0, (size_t)(r->nowhere - r->beyond) * sizeof *r->beyond);
}

/* A patch whose first pixel is (row, column). */
struct patch {
  int64_t row, column;
};

/* The next one of an image of which every `spacing`-th pixel along an axis meets the others alone;
 * 0: that was the last. */
static int next_patch(const struct dun_convolution_network *s,
                      const struct dun_convolution_layer *at, struct patch *p)
{
  int64_t along = (int64_t)OUT * at->spacing;
  p->column += along;
  if (p->column < s->width)
    return 1;
  p->column = p->column % at->spacing + 1;
  if (p->column < at->spacing && p->column < s->width)
    return 1;
  p->column = 0;
  p->row += along;
  if (p->row < s->height)
    return 1;
  p->row = p->row % at->spacing + 1;
  return p->row < at->spacing && p->row < s->height;
}

/* Where the pixels of x are that a patch sees. */
static void find_seen(const struct dun_convolution_network *s,
                      const struct dun_convolution_layer *at, const struct room *r,
                      const struct patch *p, const dun_real *x, const dun_real **pixel)
{
  for (int k = 0; k < POINTS; k++) {
    int64_t row = p->row + (k / SIX - 1) * (int64_t)at->spacing;
    int64_t column = p->column + (k % SIX - 1) * (int64_t)at->spacing;
    int64_t i = row < s->height + at->spacing ? dun_convolution_inside(s, row, s->height) : -1;
    int64_t j = column < s->width + at->spacing ? dun_convolution_inside(s, column, s->width) : -1;
    pixel[k] = i < 0 || j < 0 ? r->beyond : x + (i * s->width + j) * at->takes * L;
  }
}

/* Number k of the pixels that a patch tells of, or -1. */
static int64_t told_pixel(const struct dun_convolution_network *s,
                          const struct dun_convolution_layer *at, const struct patch *p, int k)
{
  int64_t i = p->row + k / OUT * (int64_t)at->spacing;
  int64_t j = p->column + k % OUT * (int64_t)at->spacing;
  return i < s->height && j < s->width ? i * s->width + j : -1;
}

/* ---- what they are for ----------------------------------------------------------------------- */

void DUN_REAL(dun_convolution_winograd)(const struct dun_convolution_network *s,
                                        const struct dun_convolution_layer *at,
                                        const dun_real *kernel, const dun_real *x,
                                        const dun_real *start, dun_real *y, dun_real *scratch)
{
  struct room r;
  struct patch p = {0, 0};
  const dun_real *seen[POINTS];
  dun_real *told[SQUARE];
  int takes = at->takes, gives = at->gives;
  open(&r, at, scratch);
  see_kernel(at, kernel, r.kernel);
  do {
    find_seen(s, at, &r, &p, x, seen);
    for (int k = 0; k < SQUARE; k++) {
      int64_t q = told_pixel(s, at, &p, k);
      told[k] = q < 0 ? r.nowhere : y + q * gives * L;
    }
    for (int64_t l = 0; l < L; l += PART) {
      see_pixels(&(struct columns){takes, l, L}, seen, r.of_takes, r.seen);
      for (int64_t k = 0; k < POINTS; k++)
        DUN_REAL(dun_tile_product)
      (gives, takes, PART, r.kernel + k * gives * takes, takes, 1, r.seen + k * r.of_takes * PART,
       NULL, 0, r.told + k * r.of_gives * PART);
      tell_pixels(&(struct columns){gives, l, L}, r.told, r.of_gives, start ? start : r.beyond,
                  told);
    }
  } while (next_patch(s, at, &p));
}

/* Bars of a patch, lanes by channels. */
static void turn_bars(const struct dun_convolution_network *s,
                      const struct dun_convolution_layer *at, const struct room *r,
                      const struct patch *p, const dun_real *bar, const dun_real **pixel)
{
  for (int k = 0; k < SQUARE; k++) {
    int64_t q = told_pixel(s, at, p, k);
    dun_real *turned = r->turned + k * r->padded * L;
    if (q >= 0)
      DUN_REAL(dun_tile_turn)(at->gives, (int)r->padded, bar + q * at->gives * L, turned);
    pixel[k] = q < 0 ? r->beyond : turned;
  }
}

/* products += what a patch tells of the kernel's slope. */
static void multiply_bars(const struct dun_convolution_layer *at, const struct room *r,
                          const dun_real *const *seen, const dun_real *const *turned)
{
  for (int64_t l = 0; l < L; l += PART) {
    see_pixels(&(struct columns){at->takes, l, L}, seen, r->of_takes, r->seen);
    untell_pixels(&(struct columns){r->padded, l * r->padded, PART}, turned, r->of_turned, r->told);
    for (int64_t k = 0; k < POINTS; k++)
      DUN_REAL(dun_tile_product)
    (at->takes, PART, (int)r->padded, r->seen + k * r->of_takes * PART, PART, 1,
     r->told + k * r->of_turned * PART, NULL, 1, r->kernel + k * at->takes * r->padded);
  }
}

void DUN_REAL(dun_convolution_winograd_back)(const struct dun_convolution_network *s,
                                             const struct dun_convolution_layer *at,
                                             const dun_real *x, const dun_real *bar,
                                             double *gradient, dun_real *scratch)
{
  struct room r;
  struct patch p = {0, 0};
  const dun_real *seen[POINTS], *turned[SQUARE];
  int more = 1;
  open(&r, at, scratch);
  memset(r.kernel, 0, (size_t)(POINTS * at->takes * r.padded) * sizeof *r.kernel);
  while (more) {
    for (int i = 0; i < TOGETHER && more; i++, more = next_patch(s, at, &p)) {
      find_seen(s, at, &r, &p, x, seen);
      turn_bars(s, at, &r, &p, bar, turned);
      multiply_bars(at, &r, seen, turned);
    }
    tell_kernel(at, r.padded, r.kernel, gradient);
  }
}

#ifndef DUN_SINGLE
int64_t dun_convolution_winograd_scratch(const struct dun_convolution_layer *at)
{
  struct room r;
  struct dun_convolution_layer reverse = *at;
  reverse.takes = at->gives;
  reverse.gives = at->takes;
  int64_t one = lay_out(&r, at, NULL), other = lay_out(&r, &reverse, NULL);
  return one > other ? one : other;
}

/* Patches along an axis. */
static double patches(int64_t size, int64_t spacing)
{
  int64_t full = size / spacing, longer = size % spacing, shorter = spacing - longer;
  return (double)(longer * ((full + OUT) / OUT) + shorter * ((full + OUT - 1) / OUT));
}

int dun_convolution_by_winograd(const struct dun_convolution_network *s,
                                const struct dun_convolution_layer *at)
{
  /* as measured of 7 x 7 to 32 x 32 pixels and 4 to 64 channels: what a number at a point takes
   * beside a multiply-add of a sum, where few channels make short blocks */
  static const double dearer = 1.25, number = 20, more = 3;
  double takes = at->takes, gives = at->gives;
  double points = POINTS * patches(s->height, at->spacing) * patches(s->width, at->spacing);
  double sums = (double)(s->height * s->width) * SIDE * SIDE * (takes + more) * (gives + more);
  return at->side == SIDE && dearer * points * (takes * gives + number * (takes + gives)) < sums;
}
#endif
