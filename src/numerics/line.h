/* Fourier transforms of real lines, eight lanes at once: number i of a line is eight doubles, the
 * next one stands `stride` doubles behind it.  Forward, a line x gives numbers c of as many,
 *
 *   c_k     =  2 sum_i x_i cos(2 pi k i / n)   for 0 < k < n / 2,
 *   c_{n-k} = -2 sum_i x_i sin(2 pi k i / n)   for 0 < k < n / 2,
 *   c_0, and of even n c_{n/2}, the sums with cosines and without the 2,
 *
 * so that c_k and c_{n-k} have one frequency; divided by sqrt(n), and sqrt(2) where there is a 2,
 * the map is orthogonal.  Backward goes its transpose.
 *
 * Two lines are transformed as one of complex numbers by FFTW, whose plans for eight transforms at
 * once keep lanes innermost.  Lanes never mix. */
#ifndef DUNLIN_NUMERICS_LINE_H
#define DUNLIN_NUMERICS_LINE_H

#include <stdint.h>

enum { DUN_LINE_LANES = 8 };

struct dun_line {
  int64_t n;
  void *forward, *backward; /* FFTW's plans, owned */
};

/* Local; n >= 1.  DUN_ERROR_NUMERIC for one so long that nothing holds it, DUN_ERROR_MEMORY;
 * dun_line_free is safe afterwards, and twice. */
int dun_line_init(struct dun_line *line, int64_t n);
void dun_line_free(struct dun_line *line);
/* Doubles of scratch that the transforms need. */
int64_t dun_line_work(const struct dun_line *line);

/* Two lines a and b, or one: b and to_b are NULL.  The results may take the place of the lines; all
 * are aligned to 64 bytes, and strides are multiples of eight. */
void dun_line_forward(const struct dun_line *line, const double *a, const double *b, int64_t stride,
                      double *to_a, double *to_b, int64_t to_stride, double *work);
void dun_line_backward(const struct dun_line *line, const double *a, const double *b,
                       int64_t stride, double *to_a, double *to_b, int64_t to_stride, double *work);

#endif
