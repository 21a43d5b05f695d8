#include "numerics/line.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include <string.h>

enum { W = DUN_LINE_LANES, LARGEST = 13 };

/* Complex numbers of a line in two arrays, `step` doubles between neighbours. */
struct numbers {
  const double *re, *im;
  int64_t step;
};

/* ---- tables ------------------------------------------------------------------------------ */

/* Radices of n; 0: there are larger primes. */
static int find_stages(struct dun_line *line)
{
  static const int radix[] = {4, 2, 3, 5, 7, 11, LARGEST};
  int64_t rest = line->n;
  for (size_t i = 0; i < sizeof radix / sizeof *radix; i++)
    for (; rest % radix[i] == 0; rest /= radix[i])
      line->radix[line->stages++] = radix[i];
  return rest == 1;
}

/* exp(-2 pi i k / n) as cosine and minus sine. */
DUN_CLONES static void set_root(int64_t k, int64_t n, double *root)
{
  double sine, cosine;
  dun_sincos2pi((double)(k % n) / (double)n, &sine, &cosine);
  root[0] = cosine;
  root[1] = -sine;
}

/* Roots of the radix itself, then for each p the turns of the outputs 1 to radix - 1. */
static int64_t roots_of(int radix, int64_t n)
{
  return 2 * (radix + n / radix * (radix - 1));
}

static int64_t count_roots(const struct dun_line *line)
{
  int64_t n = line->n, count = 0;
  for (int i = 0; i < line->stages; n /= line->radix[i++])
    count += roots_of(line->radix[i], n);
  return count;
}

static void set_roots(struct dun_line *line)
{
  double *root = line->root;
  int64_t n = line->n;
  for (int i = 0; i < line->stages; i++) {
    int radix = line->radix[i];
    for (int k = 0; k < radix; k++, root += 2)
      set_root(k, radix, root);
    for (int64_t p = 0; p < n / radix; p++)
      for (int k = 1; k < radix; k++, root += 2)
        set_root(p * k, n, root);
    n /= radix;
  }
}

/* ---- one stage --------------------------------------------------------------------------- */

/* to = (re, im), turned by a root if there are any. */
DUN_INLINE void put(int turn, double re, double im, const double *root, double *to_re,
                    double *to_im)
{
  *to_re = turn ? DUN_FMA(re, root[0], -(im * root[1])) : re;
  *to_im = turn ? DUN_FMA(re, root[1], im * root[0]) : im;
}

/* Outputs stand `far` doubles apart, inputs `apart`; s times eight of them. */
DUN_INLINE void two(int turn, int64_t s, const double *root, const double *restrict re,
                    const double *restrict im, int64_t apart, double *restrict to_re,
                    double *restrict to_im, int64_t far)
{
  for (int64_t q = 0; q < s * W; q += W)
#pragma omp simd
    for (int l = 0; l < W; l++) {
      const int64_t i = q + l;
      double a = re[i], b = im[i], c = re[i + apart], d = im[i + apart];
      put(0, a + c, b + d, root, to_re + i, to_im + i);
      put(turn, a - c, b - d, root, to_re + i + far, to_im + i + far);
    }
}

DUN_INLINE void four(int turn, int64_t s, const double *root, const double *restrict re,
                     const double *restrict im, int64_t apart, double *restrict to_re,
                     double *restrict to_im, int64_t far)
{
  for (int64_t q = 0; q < s * W; q += W)
#pragma omp simd
    for (int l = 0; l < W; l++) {
      const int64_t i = q + l;
      double even = re[i] + re[i + 2 * apart], even_im = im[i] + im[i + 2 * apart];
      double less = re[i] - re[i + 2 * apart], less_im = im[i] - im[i + 2 * apart];
      double odd = re[i + apart] + re[i + 3 * apart];
      double odd_im = im[i + apart] + im[i + 3 * apart];
      double turned = im[i + apart] - im[i + 3 * apart];
      double turned_im = re[i + 3 * apart] - re[i + apart];
      put(0, even + odd, even_im + odd_im, root, to_re + i, to_im + i);
      put(turn, less + turned, less_im + turned_im, root, to_re + i + far, to_im + i + far);
      put(turn, even - odd, even_im - odd_im, root + 2, to_re + i + 2 * far, to_im + i + 2 * far);
      put(turn, less - turned, less_im - turned_im, root + 4, to_re + i + 3 * far,
          to_im + i + 3 * far);
    }
}

/* Sums and differences of what stands at j and radix - j. */
struct folded {
  double sum_re[LARGEST / 2][W], sum_im[LARGEST / 2][W];
  double less_re[LARGEST / 2][W], less_im[LARGEST / 2][W];
};

DUN_INLINE void fold(int radix, const double *restrict re, const double *restrict im, int64_t apart,
                     struct folded *f)
{
  for (int j = 0; j < radix / 2; j++) {
    const double *a = re + (j + 1) * apart, *b = re + (radix - 1 - j) * apart;
    const double *c = im + (j + 1) * apart, *d = im + (radix - 1 - j) * apart;
#pragma omp simd
    for (int l = 0; l < W; l++) {
      f->sum_re[j][l] = a[l] + b[l];
      f->less_re[j][l] = a[l] - b[l];
      f->sum_im[j][l] = c[l] + d[l];
      f->less_im[j][l] = c[l] - d[l];
    }
  }
}

/* Outputs k and radix - k, the k-th wave of the radix being `wave` (cosine, minus sine). */
DUN_INLINE void unfold(int radix, int k, const double *wave, const double *root,
                       const struct folded *f, const double *restrict re, const double *restrict im,
                       double *restrict to_re, double *restrict to_im, int64_t far)
{
  double a[W], b[W], c[W] = {0}, d[W] = {0};
  const double *one = root + 2 * (k - 1), *other = root + 2 * (radix - k - 1);
#pragma omp simd
  for (int l = 0; l < W; l++) {
    a[l] = re[l];
    b[l] = im[l];
  }
  for (int j = 0; j < radix / 2; j++) {
    const double *w = wave + 2 * ((j + 1) * k % radix);
#pragma omp simd
    for (int l = 0; l < W; l++) {
      a[l] = DUN_FMA(w[0], f->sum_re[j][l], a[l]);
      b[l] = DUN_FMA(w[0], f->sum_im[j][l], b[l]);
      c[l] = DUN_FMA(-w[1], f->less_im[j][l], c[l]);
      d[l] = DUN_FMA(w[1], f->less_re[j][l], d[l]);
    }
  }
#pragma omp simd
  for (int l = 0; l < W; l++) {
    put(1, a[l] + c[l], b[l] + d[l], one, to_re + k * far + l, to_im + k * far + l);
    put(1, a[l] - c[l], b[l] - d[l], other, to_re + (radix - k) * far + l,
        to_im + (radix - k) * far + l);
  }
}

DUN_INLINE void odd(int radix, int64_t s, const double *wave, const double *root,
                    const double *restrict re, const double *restrict im, int64_t apart,
                    double *restrict to_re, double *restrict to_im, int64_t far)
{
  struct folded f;
  for (int64_t q = 0; q < s * W; q += W) {
    fold(radix, re + q, im + q, apart, &f);
#pragma omp simd
    for (int l = 0; l < W; l++) {
      double a = re[q + l], b = im[q + l];
      for (int j = 0; j < radix / 2; j++) {
        a += f.sum_re[j][l];
        b += f.sum_im[j][l];
      }
      to_re[q + l] = a;
      to_im[q + l] = b;
    }
    for (int k = 1; k <= radix / 2; k++)
      unfold(radix, k, wave, root, &f, re + q, im + q, to_re + q, to_im + q, far);
  }
}

/* s transforms of n numbers become s × radix of n / radix. */
DUN_INLINE void stage(int radix, int64_t n, int64_t s, const double *root, struct numbers from,
                      double *restrict to_re, double *restrict to_im)
{
  int64_t count = n / radix, apart = count * from.step, far = s * W;
  const double *wave = root;

  root += 2 * radix;
  for (int64_t p = 0; p < count; p++, root += 2 * (radix - 1)) {
    const double *re = from.re + p * from.step, *im = from.im + p * from.step;
    double *out_re = to_re + p * radix * far, *out_im = to_im + p * radix * far;
    if (radix == 4 && p == 0)
      four(0, s, root, re, im, apart, out_re, out_im, far);
    else if (radix == 4)
      four(1, s, root, re, im, apart, out_re, out_im, far);
    else if (radix == 2 && p == 0)
      two(0, s, root, re, im, apart, out_re, out_im, far);
    else if (radix == 2)
      two(1, s, root, re, im, apart, out_re, out_im, far);
    else
      odd(radix, s, wave, root, re, im, apart, out_re, out_im, far);
  }
}

/* ---- complex numbers ---------------------------------------------------------------------- */

/* Of the two places of scratch the one or the other, each for `room` numbers. */
DUN_INLINE struct numbers place(double *work, int64_t room, int which)
{
  const double *re = work + which * 2 * room * W;
  return (struct numbers){re, re + room * W, W};
}

/* Which place holds the result of a transform that wrote to place `first` first. */
DUN_INLINE int last(const struct dun_line *line, int first)
{
  return line->stages % 2 ? first : 1 - first;
}

/* Forward.  The numbers may lie in the place that is not `first`. */
DUN_INLINE void smooth(const struct dun_line *line, struct numbers from, double *work, int64_t room,
                       int first)
{
  const double *root = line->root;
  int64_t n = line->n, s = 1;

  for (int i = 0; i < line->stages; i++) {
    int radix = line->radix[i];
    double *re = work + (i % 2 ? 1 - first : first) * 2 * room * W, *im = re + room * W;
    if (radix == 4)
      stage(4, n, s, root, from, re, im);
    else if (radix == 2)
      stage(2, n, s, root, from, re, im);
    else
      stage(radix, n, s, root, from, re, im);
    root += roots_of(radix, n);
    n /= radix;
    s *= radix;
    from = (struct numbers){re, im, s * W};
  }
}

/* to = from × factor[count][2]; `to` may be where `from` is. */
DUN_INLINE void multiply(int64_t count, const double *restrict factor, struct numbers from,
                         double *restrict to_re, double *restrict to_im)
{
  for (int64_t j = 0; j < count; j++) {
    double re[W], im[W];
#pragma omp simd
    for (int l = 0; l < W; l++) {
      re[l] = from.re[j * from.step + l];
      im[l] = from.im[j * from.step + l];
    }
#pragma omp simd
    for (int l = 0; l < W; l++)
      put(1, re[l], im[l], factor + 2 * j, to_re + j * W + l, to_im + j * W + l);
  }
}

/* The same for any length: with j k = (j^2 + k^2 - (k - j)^2) / 2 it is a convolution with a
 * chirp.  The numbers may lie in place 1. */
DUN_INLINE struct numbers rough(const struct dun_line *line, struct numbers from, double *work)
{
  int64_t room = line->inner->n, rest = (room - line->n) * W;
  double *re = work + 2 * room * W, *im = re + room * W;
  int at = last(line->inner, 0);

  multiply(line->n, line->chirp, from, re, im);
  memset(re + line->n * W, 0, (size_t)rest * sizeof *re);
  memset(im + line->n * W, 0, (size_t)rest * sizeof *im);
  smooth(line->inner, (struct numbers){re, im, W}, work, room, 0);
  re = work + at * 2 * room * W;
  im = re + room * W;
  multiply(room, line->kernel, (struct numbers){re, im, W}, re, im);
  smooth(line->inner, (struct numbers){im, re, W}, work, room, 1 - at); /* backward */
  im = work + last(line->inner, 1 - at) * 2 * room * W;
  re = im + room * W;
  multiply(line->n, line->chirp, (struct numbers){re, im, W}, re, im);
  return (struct numbers){re, im, W};
}

/* Forward; the numbers may lie in place 1. */
DUN_INLINE struct numbers transform(const struct dun_line *line, struct numbers from, double *work)
{
  if (line->inner)
    return rough(line, from, work);
  if (line->stages == 0)
    return from;
  smooth(line, from, work, line->n, 0);
  return place(work, line->n, last(line, 0));
}

static int64_t room_of(const struct dun_line *line)
{
  return line->inner ? line->inner->n : line->n;
}

int64_t dun_line_work(const struct dun_line *line)
{
  return 4 * room_of(line) * W;
}

/* ---- real lines -------------------------------------------------------------------------- */

/* Of z = F (x + i y) the waves of x; with the parts in exchange and sign -1 those of y. */
DUN_INLINE void untangle(int64_t n, const double *restrict re, const double *restrict im,
                         int64_t step, double sign, double *restrict to, int64_t stride)
{
#pragma omp simd
  for (int l = 0; l < W; l++)
    to[l] = re[l];
  for (int64_t k = 1; 2 * k < n; k++)
#pragma omp simd
    for (int l = 0; l < W; l++) {
      to[k * stride + l] = re[k * step + l] + re[(n - k) * step + l];
      to[(n - k) * stride + l] = sign * (im[k * step + l] - im[(n - k) * step + l]);
    }
  for (int l = 0; n % 2 == 0 && l < W; l++)
    to[n / 2 * stride + l] = re[n / 2 * step + l];
}

/* The transpose of that for x and y together. */
DUN_INLINE void tangle(int64_t n, const double *restrict x, const double *restrict y,
                       int64_t stride, double *restrict re, double *restrict im)
{
  for (int64_t k = 0; k < n; k += n % 2 ? n : n / 2) /* 0, and of even n the middle */
#pragma omp simd
    for (int l = 0; l < W; l++) {
      re[k * W + l] = x[k * stride + l];
      im[k * W + l] = y[k * stride + l];
    }
  for (int64_t k = 1; 2 * k < n; k++) {
    const double *cosine_x = x + k * stride, *sine_x = x + (n - k) * stride;
    const double *cosine_y = y + k * stride, *sine_y = y + (n - k) * stride;
#pragma omp simd
    for (int l = 0; l < W; l++) {
      re[k * W + l] = cosine_x[l] - sine_y[l];
      im[k * W + l] = sine_x[l] + cosine_y[l];
      re[(n - k) * W + l] = cosine_x[l] + sine_y[l];
      im[(n - k) * W + l] = cosine_y[l] - sine_x[l];
    }
  }
}

DUN_INLINE void copy(int64_t n, const double *restrict from, double *restrict to, int64_t stride)
{
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int l = 0; l < W; l++)
      to[i * stride + l] = from[i * W + l];
}

DUN_CLONES void dun_line_forward(const struct dun_line *line, const double *a, const double *b,
                                 int64_t stride, double *to_a, double *to_b, int64_t to_stride,
                                 double *work)
{
  struct numbers z = transform(line, (struct numbers){a, b ? b : a, stride}, work);
  untangle(line->n, z.re, z.im, z.step, 1, to_a, to_stride);
  if (b)
    untangle(line->n, z.im, z.re, z.step, -1, to_b, to_stride);
}

DUN_CLONES void dun_line_backward(const struct dun_line *line, const double *a, const double *b,
                                  int64_t stride, double *to_a, double *to_b, int64_t to_stride,
                                  double *work)
{
  int64_t room = room_of(line) * W;
  double *re = work + 2 * room, *im = re + room;
  tangle(line->n, a, b ? b : a, stride, re, im);
  struct numbers z = transform(line, (struct numbers){im, re, W}, work); /* parts in exchange */
  copy(line->n, z.im, to_a, to_stride);
  if (b)
    copy(line->n, z.re, to_b, to_stride);
}

/* ---- life -------------------------------------------------------------------------------- */

/* exp(-pi i j^2 / n), and the transform, divided by its length, of the conjugate for j and -j. */
DUN_CLONES static void set_chirp(struct dun_line *line, double *around, double *work)
{
  int64_t n = line->n, room = line->inner->n;
  for (int64_t j = 0; j < n; j++) {
    double *chirp = line->chirp + 2 * j;
    set_root(j * j, 2 * n, chirp);
    for (int64_t l = 0; l < W; l++)
      for (int64_t side = 0; side < 2; side++) {
        int64_t at = side && j ? room - j : j;
        around[at * W + l] = chirp[0];
        around[(room + at) * W + l] = -chirp[1];
      }
  }
  smooth(line->inner, (struct numbers){around, around + room * W, W}, work, room, 0);
  struct numbers z = place(work, room, last(line->inner, 0));
  for (int64_t k = 0; k < room; k++) {
    line->kernel[2 * k] = z.re[k * W] / (double)room;
    line->kernel[2 * k + 1] = z.im[k * W] / (double)room;
  }
}

static int init_rough(struct dun_line *line)
{
  int64_t room = 1, n = line->n;
  while (room < 2 * n - 1)
    room *= 2;
  line->stages = 0;
  line->inner = dun_allocate(1, sizeof *line->inner);
  if (!line->inner)
    return DUN_ERROR_MEMORY;
  int status = dun_line_init(line->inner, room);
  if (status < 0)
    return status;
  line->chirp = dun_allocate(2 * n, sizeof(double));
  line->kernel = dun_allocate(2 * room, sizeof(double));
  double *around = dun_allocate(6 * room * W, sizeof *around);
  if (line->chirp && line->kernel && around)
    set_chirp(line, around, around + 2 * room * W);
  status = line->chirp && line->kernel && around ? 0 : DUN_ERROR_MEMORY;
  dun_free(around);
  return status;
}

int dun_line_init(struct dun_line *line, int64_t n)
{
  *line = (struct dun_line){.n = n};
  if (n < 1 || n > INT32_MAX)
    return dun_fail(DUN_ERROR_NUMERIC, "a Fourier transform of %lld points along an axis",
                    (long long)n);
  if (!find_stages(line))
    return init_rough(line);
  line->root = dun_allocate(count_roots(line), sizeof *line->root);
  if (!line->root)
    return DUN_ERROR_MEMORY;
  set_roots(line);
  return 0;
}

void dun_line_free(struct dun_line *line)
{
  if (line->inner)
    dun_line_free(line->inner);
  DUN_FREE(line->inner);
  DUN_FREE(line->root);
  DUN_FREE(line->chirp);
  DUN_FREE(line->kernel);
}

int64_t dun_line_memory(const struct dun_line *line)
{
  return dun_block_bytes(line->root) + dun_block_bytes(line->chirp) +
         dun_block_bytes(line->kernel) + (line->inner ? dun_line_memory(line->inner) : 0);
}
