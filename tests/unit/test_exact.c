/* Exact sums: the integer they stand for, whatever the order. */
#include "base/exact.h"
#include "check.h"
#include <float.h>

static uint64_t next(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 11; /* 53 bits */
}

static double sum_of(int n, const double *x)
{
  struct dun_exact sum = {0};
  for (int i = 0; i < n; i++)
    dun_exact_add(&sum, x[i]);
  return dun_exact_value(&sum);
}

/* Equal as bits, but for the sign of 0, which an exact sum does not keep. */
static int same(double a, double b)
{
  return memcmp(&a, &b, sizeof a) == 0 || (a == 0 && b == 0) || (isnan(a) && isnan(b));
}

#define CHECK_SUM(expected, ...)                                                                   \
  do {                                                                                             \
    const double x_[] = {__VA_ARGS__};                                                             \
    double got_ = sum_of((int)(sizeof x_ / sizeof *x_), x_), expected_ = (expected);               \
    if (!same(got_, expected_))                                                                    \
      fprintf(stderr, "%s:%d: %a, not %a\n", __FILE__, __LINE__, got_, expected_);                 \
    CHECK(same(got_, expected_));                                                                  \
  } while (0)

/* One number comes back as it is, over all exponents. */
static void single_numbers(void)
{
  uint64_t state = 1;
  for (int exponent = -1074; exponent <= 971; exponent++)
    for (int i = 0; i < 8; i++) {
      uint64_t mantissa = next(&state) >> (i % 2 ? 0 : next(&state) % 53);
      double x = ldexp((double)mantissa, exponent);
      CHECK_SUM(x, x);
      CHECK_SUM(-x, -x);
      CHECK_SUM(0, x, -x);
    }
  CHECK_SUM(DBL_MAX, DBL_MAX);
  CHECK_SUM(-DBL_MAX, -DBL_MAX);
}

/* Sums that fit 128 bits, which C rounds by itself. */
static void against_integers(void)
{
  enum { TERMS = 40 };
  uint64_t state = 2;
  for (int trial = 0; trial < 20000; trial++) {
    int low = (int)(next(&state) % 1900) - 1074, spread = 1 + trial % 68;
    double x[TERMS];
    __int128 integer = 0;
    for (int i = 0; i < TERMS; i++) {
      int shift = (int)(next(&state) % (uint64_t)spread);
      int64_t mantissa = (int64_t)(next(&state) >> next(&state) % 50);
      mantissa = next(&state) % 2 ? mantissa : -mantissa;
      integer += (__int128)mantissa * ((__int128)1 << shift);
      x[i] = ldexp((double)mantissa, low + shift);
    }
    if (ldexp((double)integer, low) != 0 && fabs(ldexp((double)integer, low)) < DBL_MIN)
      continue; /* ldexp would round a second time; subnormal sums have a test of their own */
    double got = sum_of(TERMS, x);
    CHECK(same(got, ldexp((double)integer, low)));
  }
}

/* Over all exponents there is no integer to compare with; but what is left after taking the rounded
 * value away is at most half a unit, and takes it to a tie only if the value is even. */
static void rounded_to_nearest(void)
{
  enum { TERMS = 30 };
  uint64_t state = 3;
  for (int trial = 0; trial < 20000; trial++) {
    struct dun_exact sum = {0};
    int top = (int)(next(&state) % 2000) - 1000, spread = 1 + trial % 200;
    for (int i = 0; i < TERMS; i++) {
      double x = ldexp((double)next(&state), top - (int)(next(&state) % (uint64_t)spread) - 53);
      dun_exact_add(&sum, next(&state) % 2 ? x : -x);
    }
    double value = dun_exact_value(&sum);
    dun_exact_add(&sum, -value);
    double left = fabs(dun_exact_value(&sum)),
           unit = nextafter(fabs(value), INFINITY) - fabs(value);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    CHECK(2 * left < unit || (2 * left == unit && bits % 2 == 0));
  }
}

static void ties_and_sticky_bits(void)
{
  CHECK_SUM(1, 1, 0x1p-53);
  CHECK_SUM(1 + 0x1p-51, 1 + 0x1p-52, 0x1p-53);
  CHECK_SUM(1 + 0x1p-52, 1, 0x1p-53, 0x1p-1074);
  CHECK_SUM(1 + 0x1p-52, 1 + 0x1p-52, 0x1p-53, -0x1p-1074);
  CHECK_SUM(-1 - 0x1p-52, -1, -0x1p-53, -0x1p-1074);
  CHECK_SUM(1, 1, 0x1p-53, -0x1p-1074);
  CHECK_SUM(1 - 0x1p-53, 1, -0x1p-53);
  CHECK_SUM(1, 1, -0x1p-54);
  CHECK_SUM(1 - 0x1p-53, 1, -0x1p-54, -0x1p-1074);
  CHECK_SUM(2, 2 - 0x1p-52, 0x1p-53); /* the carry goes into the exponent */
}

static void cancellation(void)
{
  CHECK_SUM(3, 1e308, 3, -1e308);
  CHECK_SUM(0x1p-1074, DBL_MAX, 0x1p-1074, -DBL_MAX);
  CHECK_SUM(-0x1p-1074, DBL_MAX, -0x1p-1074, -DBL_MAX);
  CHECK_SUM(0x1p-1073, 1, 0x1p-1074, -1, 0x1p-1074);
  CHECK_SUM(1, DBL_MAX, DBL_MAX, 1, -DBL_MAX, -DBL_MAX); /* more than a double in between */
  CHECK_SUM(0, 1, -1, 1e-300, -1e-300);
  CHECK(!signbit(sum_of(2, (const double[]){-1, 1})));
}

static void small_and_large(void)
{
  CHECK_SUM(0x1p-1022, 0x1p-1022 - 0x1p-1074, 0x1p-1074); /* subnormal to normal */
  CHECK_SUM(0x1p-1022 - 0x1p-1074, 0x1p-1022, -0x1p-1074);
  CHECK_SUM(3 * 0x1p-1074, 0x1p-1074, 0x1p-1073);
  CHECK_SUM(0x1p-1021, 0x1p-1021 - 0x1p-1073, 0x1p-1074, 0x1p-1074);
  CHECK_SUM(0x1p-1021 - 0x1p-1073, 0x1p-1021 - 0x1p-1073, 0x0p0);
  CHECK_SUM(0x1p-1021, 0x1p-1021 - 0x1p-1074, 0x1p-1074);
  CHECK_SUM(INFINITY, DBL_MAX, DBL_MAX);
  CHECK_SUM(-INFINITY, -DBL_MAX, -DBL_MAX);
  CHECK_SUM(INFINITY, DBL_MAX, 0x1p970); /* a tie, and DBL_MAX is odd */
  CHECK_SUM(DBL_MAX, DBL_MAX, 0x1p970, -0x1p-1074);
  CHECK_SUM(DBL_MAX, DBL_MAX, 0x1p969);
}

static void infinities(void)
{
  CHECK_SUM(INFINITY, 1, INFINITY, -DBL_MAX);
  CHECK_SUM(-INFINITY, 1, -INFINITY, DBL_MAX);
  CHECK_SUM(NAN, INFINITY, -INFINITY);
  CHECK_SUM(NAN, 1, NAN);
  CHECK_SUM(NAN, INFINITY, NAN);
  CHECK_SUM(0, 0, -0.0);
}

/* Digits of several accumulators added as integers, as ranks do it. */
static void combine(struct dun_exact *to, struct dun_exact *from)
{
  dun_exact_carry(to);
  dun_exact_carry(from);
  for (int i = 0; i < DUN_EXACT_DIGITS; i++)
    to->digit[i] += from->digit[i];
}

static void order_and_parts(void)
{
  enum { TERMS = 1000 };
  double x[TERMS];
  uint64_t state = 4;
  for (int trial = 0; trial < 50; trial++) {
    for (int i = 0; i < TERMS; i++)
      x[i] = ldexp((double)next(&state) - 0x1p52, (int)(next(&state) % 2000) - 1074 + trial - 50);
    double first = sum_of(TERMS, x);
    for (int i = TERMS - 1; i > 0; i--) {
      int j = (int)(next(&state) % (uint64_t)(i + 1));
      double swap = x[i];
      x[i] = x[j];
      x[j] = swap;
    }
    CHECK(same(sum_of(TERMS, x), first));
    struct dun_exact part[7] = {0};
    for (int i = 0; i < TERMS; i++)
      dun_exact_add(part + next(&state) % 7, x[i]);
    for (int p = 1; p < 7; p++)
      combine(part, part + p);
    CHECK(same(dun_exact_value(part), first));
  }
}

/* 2^31 carried accumulators may be added, and 2^30 numbers entered, before a digit overflows. */
static void many_numbers(void)
{
  static const double values[] = {1, -1, DBL_MIN, 0x1.fffffffffffffp100, -0x1.fffffffffffffp-300};
  for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
    struct dun_exact sum = {0};
    dun_exact_add(&sum, values[v]);
    dun_exact_carry(&sum);
    for (int i = 0; i < DUN_EXACT_DIGITS; i++)
      sum.digit[i] *= (int64_t)1 << 31;
    CHECK(same(dun_exact_value(&sum), ldexp(values[v], 31)));

    struct dun_exact many = {0};
    dun_exact_add(&many, values[v]);
    for (int i = 0; i < DUN_EXACT_DIGITS; i++)
      many.digit[i] *= (1 << 30) - 1;
    many.added = (1 << 30) - 1;
    for (int i = 0; i < 5; i++)
      dun_exact_add(&many, values[v]);
    CHECK(many.added < 10);
    for (int i = 0; i < 4; i++)
      dun_exact_add(&many, -values[v]);
    CHECK(same(dun_exact_value(&many), ldexp(values[v], 30)));
  }
}

TEST_MAIN({"single numbers", single_numbers}, {"against integers", against_integers},
          {"rounded to nearest", rounded_to_nearest},
          {"ties and sticky bits", ties_and_sticky_bits}, {"cancellation", cancellation},
          {"small and large", small_and_large}, {"infinities", infinities},
          {"order and parts", order_and_parts}, {"many numbers", many_numbers})
