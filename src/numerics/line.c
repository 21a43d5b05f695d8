#include "numerics/line.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include <fftw3.h>

enum { W = DUN_LINE_LANES };

/* ---- plans ------------------------------------------------------------------------------- */

/* Eight transforms of complex numbers, lanes innermost; the planner that estimates reads and writes
 * nothing. */
static fftw_plan plan(int64_t n, int sign, double *work)
{
  int size = (int)n;
  return fftw_plan_many_dft(1, &size, W, (fftw_complex *)work, NULL, W, 1,
                            (fftw_complex *)(work + 2 * n * W), NULL, W, 1, sign,
                            FFTW_ESTIMATE | FFTW_DESTROY_INPUT);
}

int64_t dun_line_work(const struct dun_line *line)
{
  return 4 * line->n * W;
}

int dun_line_init(struct dun_line *line, int64_t n)
{
  *line = (struct dun_line){.n = n};
  if (n < 1 || n > INT32_MAX)
    return dun_fail(DUN_ERROR_NUMERIC, "a Fourier transform of %lld points along an axis",
                    (long long)n);
  double *work = dun_allocate(dun_line_work(line), sizeof *work);
  if (!work)
    return DUN_ERROR_MEMORY;
  line->forward = plan(n, FFTW_FORWARD, work);
  line->backward = plan(n, FFTW_BACKWARD, work);
  dun_free(work);
  return line->forward && line->backward
             ? 0
             : dun_fail(DUN_ERROR_MEMORY, "no plan for a Fourier transform of %lld points",
                        (long long)n);
}

void dun_line_free(struct dun_line *line)
{
  if (line->forward)
    fftw_destroy_plan(line->forward);
  if (line->backward)
    fftw_destroy_plan(line->backward);
  line->forward = line->backward = NULL;
}

/* ---- real lines, two as one of complex numbers z[n][8][2] --------------------------------- */

DUN_INLINE void pair(int64_t n, const double *restrict a, const double *restrict b, int64_t stride,
                     double *restrict z)
{
  for (int64_t i = 0; i < n; i++, z += 2 * W)
    for (int l = 0; l < W; l++) {
      z[2 * l] = a[i * stride + l];
      z[2 * l + 1] = b[i * stride + l];
    }
}

DUN_INLINE void part(int two, int64_t n, const double *restrict z, double *restrict a,
                     double *restrict b, int64_t stride)
{
  for (int64_t i = 0; i < n; i++, z += 2 * W)
    for (int l = 0; l < W; l++) {
      a[i * stride + l] = z[2 * l];
      if (two)
        b[i * stride + l] = z[2 * l + 1];
    }
}

/* Of z = F (x + i y) the waves of x and of y. */
DUN_INLINE void untangle(int two, int64_t n, const double *restrict z, double *restrict x,
                         double *restrict y, int64_t stride)
{
  part(two, 1, z, x, y, stride);
  if (n % 2 == 0)
    part(two, 1, z + n * W, x + n / 2 * stride, two ? y + n / 2 * stride : y, stride);
  for (int64_t k = 1; 2 * k < n; k++) {
    const double *one = z + 2 * k * W, *other = z + 2 * (n - k) * W;
    int64_t cosine = k * stride, sine = (n - k) * stride;
    for (int l = 0; l < W; l++) {
      x[cosine + l] = one[2 * l] + other[2 * l];
      x[sine + l] = one[2 * l + 1] - other[2 * l + 1];
      if (two) {
        y[cosine + l] = one[2 * l + 1] + other[2 * l + 1];
        y[sine + l] = other[2 * l] - one[2 * l];
      }
    }
  }
}

/* The transpose of that. */
DUN_INLINE void tangle(int64_t n, const double *restrict x, const double *restrict y,
                       int64_t stride, double *restrict z)
{
  pair(1, x, y, stride, z);
  if (n % 2 == 0)
    pair(1, x + n / 2 * stride, y + n / 2 * stride, stride, z + n * W);
  for (int64_t k = 1; 2 * k < n; k++) {
    double *one = z + 2 * k * W, *other = z + 2 * (n - k) * W;
    int64_t cosine = k * stride, sine = (n - k) * stride;
    for (int l = 0; l < W; l++) {
      one[2 * l] = x[cosine + l] - y[sine + l];
      one[2 * l + 1] = x[sine + l] + y[cosine + l];
      other[2 * l] = x[cosine + l] + y[sine + l];
      other[2 * l + 1] = y[cosine + l] - x[sine + l];
    }
  }
}

/* A line without a second one is its own second one. */
DUN_CLONES void dun_line_forward(const struct dun_line *line, const double *a, const double *b,
                                 int64_t stride, double *to_a, double *to_b, int64_t to_stride,
                                 double *work)
{
  double *z = work + 2 * line->n * W;
  pair(line->n, a, b ? b : a, stride, work);
  fftw_execute_dft(line->forward, (fftw_complex *)work, (fftw_complex *)z);
  untangle(b != NULL, line->n, z, to_a, to_b, to_stride);
}

DUN_CLONES void dun_line_backward(const struct dun_line *line, const double *a, const double *b,
                                  int64_t stride, double *to_a, double *to_b, int64_t to_stride,
                                  double *work)
{
  double *z = work + 2 * line->n * W;
  tangle(line->n, a, b ? b : a, stride, work);
  fftw_execute_dft(line->backward, (fftw_complex *)work, (fftw_complex *)z);
  part(b != NULL, line->n, z, to_a, to_b, to_stride);
}
