/* ranks: 1 */
/* Transforms of real lines against their definition, for lengths of small factors and of
 * larger primes; the way back as their transpose; strides, single lines, lanes. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "numerics/line.h"
#include <math.h>
#include <string.h>

enum { W = DUN_LINE_LANES, STEP = 3 * W, ALL = 50 };

static double value_at(int64_t line, int64_t i, int l)
{
  return sin(1.3 * (double)(i + 1) * (double)(i + 1) + 2.1 * (double)line + .7 * l);
}

/* What stands at place k of the transform of a line. */
static double slow(int64_t n, int64_t k, int64_t line, int l)
{
  long double sum = 0;
  int64_t wave = 2 * k <= n ? k : n - k;
  for (int64_t i = 0; i < n; i++) {
    long double angle = 2 * M_PIl * (long double)(wave * i % n) / (long double)n;
    sum += value_at(line, i, l) * (2 * k <= n ? cosl(angle) : -sinl(angle));
  }
  return (double)(wave == 0 || 2 * wave == n ? sum : 2 * sum);
}

/* Places of two lines side by side, with a gap. */
struct lines {
  double *a, *b;
};

static struct lines lines_in(double *block)
{
  return (struct lines){block, block + W};
}

static void fill(struct lines x, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    for (int l = 0; l < W; l++) {
      x.a[i * STEP + l] = value_at(0, i, l);
      x.b[i * STEP + l] = value_at(1, i, l);
    }
}

static void check_forward(const struct dun_line *line, struct lines c, int single)
{
  int64_t n = line->n;
  double bound = 4e-15 * sqrt((double)n) * (1 + log2((double)n));
  for (int64_t k = 0; k < n; k++)
    for (int l = 0; l < W; l += 3) {
      CHECK_NEAR(c.a[k * STEP + l], slow(n, k, 0, l), bound);
      if (!single)
        CHECK_NEAR(c.b[k * STEP + l], slow(n, k, 1, l), bound);
      else
        CHECK(c.b[k * STEP + l] == value_at(1, k, l));
    }
}

/* <R x, c> = <x, R^T c> in every lane, with c = R x divided by its norms: R^T c = n x. */
static void check_backward(const struct dun_line *line, struct lines c, double *work, int single)
{
  int64_t n = line->n;
  for (int64_t k = 1; k < n; k++)
    for (int l = 0; 2 * k != n && l < W; l++) {
      c.a[k * STEP + l] *= .5;
      c.b[k * STEP + l] *= single ? 1 : .5;
    }
  dun_line_backward(line, c.a, single ? NULL : c.b, STEP, c.a, single ? NULL : c.b, STEP, work);
  for (int64_t i = 0; i < n; i++)
    for (int l = 0; l < W; l++) {
      CHECK_NEAR(c.a[i * STEP + l], (double)n * value_at(0, i, l), 1e-14 * (double)n);
      CHECK_NEAR(c.b[i * STEP + l], (single ? 1 : (double)n) * value_at(1, i, l),
                 1e-14 * (double)n);
    }
}

static void check(int64_t n, int single)
{
  struct dun_line line;
  CHECK(dun_line_init(&line, n) == 0);
  double *block = dun_allocate(n, STEP * sizeof *block);
  double *work = dun_allocate(dun_line_work(&line), sizeof *work);
  struct lines x = lines_in(block);

  fill(x, n);
  dun_line_forward(&line, x.a, single ? NULL : x.b, STEP, x.a, single ? NULL : x.b, STEP, work);
  check_forward(&line, x, single);
  check_backward(&line, x, work, single);
  for (int64_t i = 0; i < n; i++)
    for (int l = 0; l < W; l++)
      CHECK(block[i * STEP + 2 * W + l] == 0);
  dun_free(block);
  dun_free(work);
  dun_line_free(&line);
  dun_line_free(&line);
}

static void definition(void)
{
  static const int64_t more[] = {64, 77, 97, 128, 130, 169};
  for (int64_t n = 1; n <= ALL; n++)
    for (int single = 0; single < 2; single++)
      check(n, single);
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    check(more[i], i % 2);
}

/* What is no number in one lane stays in it, on its two lines. */
static void lanes_never_mix(void)
{
  static const int64_t length[] = {12, 34};
  for (int i = 0; i < 2; i++) {
    struct dun_line line;
    int64_t n = length[i];
    CHECK(dun_line_init(&line, n) == 0);
    double *block = dun_allocate(2 * n, STEP * sizeof *block), *other = block + n * STEP;
    double *work = dun_allocate(dun_line_work(&line), sizeof *work);
    struct lines x = lines_in(block), y = lines_in(other);

    fill(x, n);
    fill(y, n);
    y.a[5 * STEP + 2] = NAN;
    y.b[5 * STEP + 6] = INFINITY;
    dun_line_forward(&line, x.a, x.b, STEP, x.a, x.b, STEP, work);
    dun_line_forward(&line, y.a, y.b, STEP, y.a, y.b, STEP, work);
    CHECK(!isfinite(y.a[2]) && !isfinite(y.b[6]));
    for (int64_t k = 0; k < n; k++)
      for (int l = 0; l < W; l++)
        if (l != 2 && l != 6)
          CHECK(x.a[k * STEP + l] == y.a[k * STEP + l] && x.b[k * STEP + l] == y.b[k * STEP + l]);
    dun_free(block);
    dun_free(work);
    dun_line_free(&line);
  }
}

static void refusals(void)
{
  struct dun_line line;
  CHECK(dun_line_init(&line, 0) == DUN_ERROR_NUMERIC);
  dun_line_free(&line);
  CHECK(dun_line_init(&line, INT64_MAX / 2) == DUN_ERROR_NUMERIC);
  dun_line_free(&line);
}

TEST_MAIN({"definition", definition}, {"lanes_never_mix", lanes_never_mix}, {"refusals", refusals})
