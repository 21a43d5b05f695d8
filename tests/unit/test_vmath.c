/* Elementary functions: accuracy against long double, edges, and frozen bits. */
#include "base/vmath.h"
#include "check.h"
#include <float.h>

enum { N = 4096 };

/* ---- the functions as loops -------------------------------------------------------------- */

typedef void array_function(int, const double *restrict, double *restrict);

#define LOOP(name, expression)                                                                     \
  DUN_CLONES static void name(int n, const double *restrict x, double *restrict y)                 \
  {                                                                                                \
    for (int i = 0; i < n; i++)                                                                    \
      y[i] = expression(x[i]);                                                                     \
  }

DUN_INLINE double sine_of(double u)
{
  double s, c;
  dun_sincos2pi(u, &s, &c);
  return s;
}

DUN_INLINE double cosine_of(double u)
{
  double s, c;
  dun_sincos2pi(u, &s, &c);
  return c;
}

LOOP(exp_loop, dun_exp)
LOOP(exp_weight_loop, dun_exp_weight)
LOOP(log_loop, dun_log)
LOOP(log_normal_loop, dun_log_normal)
LOOP(log1p_loop, dun_log1p)
LOOP(expm1_loop, dun_expm1)
LOOP(sine_loop, sine_of)
LOOP(cosine_loop, cosine_of)
LOOP(sigmoid_loop, dun_sigmoid)
LOOP(softplus_loop, dun_softplus)
LOOP(tanh_loop, dun_tanh)

/* ---- arguments --------------------------------------------------------------------------- */

static double uniform(uint64_t *state)
{
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (double)(*state >> 11) * 0x1p-53;
}

static double linear(double a, double b, uint64_t *state)
{
  return a + (b - a) * uniform(state);
}

/* Magnitudes 2^a to 2^b, spread over the exponents; exact operations only, for the frozen bits. */
static double magnitude(double a, double b, uint64_t *state)
{
  double exponent = floor(linear(a, b, state));
  return ldexp(1 + uniform(state), (int)exponent);
}

static double either_sign(double a, double b, uint64_t *state)
{
  double size = magnitude(a, b, state);
  return uniform(state) < .5 ? -size : size;
}

typedef double argument(double, double, uint64_t *);

/* ---- references -------------------------------------------------------------------------- */

static const long double two_pi = 6.28318530717958647692528676655900577L;

static long double sine_exact(long double u)
{
  return sinl(two_pi * (u - rintl(u)));
}

static long double cosine_exact(long double u)
{
  return cosl(two_pi * (u - rintl(u)));
}

static long double sigmoid_exact(long double x)
{
  return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

static long double softplus_exact(long double x)
{
  return (x > 0 ? x : 0) + log1pl(expl(-fabsl(x)));
}

/* The unit in the last place of a result; that of subnormals below 2^-1022. */
static long double ulp(long double value)
{
  int exponent;
  frexpl(fabsl(value), &exponent);
  return ldexpl(1, (exponent < -1021 ? -1021 : exponent) - 53);
}

struct accuracy {
  const char *name;
  array_function *loop;
  long double (*exact)(long double);
  argument *x;
  double from, to;
  double ulps;     /* 0: the bound is absolute */
  double absolute; /* 0: the bound is in ulps */
};

static const struct accuracy bounds[] = {
    {"exp", exp_loop, expl, linear, -700, 700, 1.1, 0},
    {"exp near 0", exp_loop, expl, either_sign, -60, 1, 1.1, 0},
    {"exp to subnormals", exp_loop, expl, linear, -745.2, -700, 1.1, 0},
    {"exp below infinity", exp_loop, expl, linear, 700, 709.78, 1.1, 0},
    {"exp_weight", exp_weight_loop, expl, linear, -700, 0, 1.1, 0},
    {"log", log_loop, logl, magnitude, -1022, 1024, 1, 0},
    {"log of subnormals", log_loop, logl, magnitude, -1074, -1022, 1, 0},
    {"log near 1", log_loop, logl, linear, .7, 1.5, 1, 0},
    {"log_normal", log_normal_loop, logl, linear, 0, 1, 1, 0},
    {"log1p", log1p_loop, log1pl, linear, -1, 1, 2, 0},
    {"log1p near 0", log1p_loop, log1pl, either_sign, -1074, -1, 2, 0},
    {"log1p of large", log1p_loop, log1pl, magnitude, -2, 1024, 2, 0},
    {"expm1", expm1_loop, expm1l, linear, -2, 2, 2, 0},
    {"expm1 near 0", expm1_loop, expm1l, either_sign, -1074, 0, 2, 0},
    {"expm1 of large", expm1_loop, expm1l, linear, -100, 709.78, 2, 0},
    {"sine", sine_loop, sine_exact, linear, -1, 1, 0, 0x1p-52},
    {"sine of large", sine_loop, sine_exact, either_sign, -60, 49, 0, 0x1p-52},
    {"cosine", cosine_loop, cosine_exact, linear, -1, 1, 0, 0x1p-52},
    {"cosine of large", cosine_loop, cosine_exact, either_sign, -60, 49, 0, 0x1p-52},
    {"sigmoid", sigmoid_loop, sigmoid_exact, linear, -20, 20, 3, 0},
    {"sigmoid of large", sigmoid_loop, sigmoid_exact, linear, -700, 700, 3, 0},
    {"softplus", softplus_loop, softplus_exact, linear, -20, 20, 3, 0},
    {"softplus of large", softplus_loop, softplus_exact, linear, -700, 700, 3, 0},
    {"tanh", tanh_loop, tanhl, linear, -20, 20, 3, 0},
    {"tanh near 0", tanh_loop, tanhl, either_sign, -1074, 3, 3, 0},
};

static double worst(const struct accuracy *a, uint64_t *state, double *where)
{
  static double x[N], y[N];
  double most = 0;
  for (int i = 0; i < N; i++)
    x[i] = a->x(a->from, a->to, state);
  a->loop(N, x, y);
  for (int i = 0; i < N; i++) {
    long double exact = a->exact(x[i]), unit = a->ulps > 0 ? ulp(exact) : 1;
    double error = (double)(fabsl(y[i] - exact) / unit);
    if (!(error <= most)) {
      most = isnan(error) ? INFINITY : error;
      *where = x[i];
    }
  }
  return most;
}

static void accuracy(void)
{
  for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
    const struct accuracy *a = bounds + b;
    uint64_t state = b;
    double most = 0, where = 0, limit = a->ulps > 0 ? a->ulps : a->absolute;
    for (int i = 0; i < 8; i++) {
      double at = 0, error = worst(a, &state, &at);
      where = error > most ? at : where;
      most = fmax(most, error);
    }
    if (most > limit)
      fprintf(stderr, "%s at %a: error %g > %g\n", a->name, where, most, limit);
    CHECK(most <= limit);
  }
}

/* ---- edges ------------------------------------------------------------------------------- */

struct edge {
  array_function *loop;
  double x, y;
};

static const struct edge edges[] = {
    {exp_loop, 0, 1},
    {exp_loop, -INFINITY, 0},
    {exp_loop, INFINITY, INFINITY},
    {exp_loop, NAN, NAN},
    {exp_loop, 709.79, INFINITY},
    {exp_loop, DBL_MAX, INFINITY},
    {exp_loop, -745.13, 0x1p-1074},
    {exp_loop, -745.14, 0},
    {exp_loop, -DBL_MAX, 0},
    {exp_weight_loop, 0, 1},
    {exp_weight_loop, -INFINITY, 0},
    {exp_weight_loop, -700.0000000000002, 0},
    {exp_weight_loop, NAN, NAN},
    {log_loop, 1, 0},
    {log_loop, 0, -INFINITY},
    {log_loop, -0.0, -INFINITY},
    {log_loop, -1, NAN},
    {log_loop, -INFINITY, NAN},
    {log_loop, INFINITY, INFINITY},
    {log_loop, NAN, NAN},
    {log_loop, -0x1p-1074, NAN},
    {log_normal_loop, 1, 0},
    {log1p_loop, 0, 0},
    {log1p_loop, -1, -INFINITY},
    {log1p_loop, -1.0000000000000002, NAN},
    {log1p_loop, INFINITY, INFINITY},
    {log1p_loop, -INFINITY, NAN},
    {log1p_loop, NAN, NAN},
    {log1p_loop, 0x1p-1074, 0x1p-1074},
    {expm1_loop, 0, 0},
    {expm1_loop, -INFINITY, -1},
    {expm1_loop, INFINITY, INFINITY},
    {expm1_loop, 709.79, INFINITY},
    {expm1_loop, NAN, NAN},
    {sine_loop, 0, 0},
    {sine_loop, .25, 1},
    {sine_loop, .5, 0},
    {sine_loop, .75, -1},
    {sine_loop, -.25, -1},
    {sine_loop, 0x1p48 + .25, 1},
    {cosine_loop, 0, 1},
    {cosine_loop, .25, 0},
    {cosine_loop, .5, -1},
    {cosine_loop, -.5, -1},
    {cosine_loop, .75, 0},
    {cosine_loop, 1, 1},
    {sigmoid_loop, 0, .5},
    {sigmoid_loop, INFINITY, 1},
    {sigmoid_loop, -INFINITY, 0},
    {sigmoid_loop, NAN, NAN},
    {sigmoid_loop, -DBL_MAX, 0},
    {softplus_loop, INFINITY, INFINITY},
    {softplus_loop, -INFINITY, 0},
    {softplus_loop, DBL_MAX, DBL_MAX},
    {softplus_loop, 800, 800},
    {softplus_loop, NAN, NAN},
    {tanh_loop, 0, 0},
    {tanh_loop, INFINITY, 1},
    {tanh_loop, -INFINITY, -1},
    {tanh_loop, NAN, NAN},
};

static void edge_cases(void)
{
  for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
    double y;
    edges[i].loop(1, &edges[i].x, &y);
    int right = y == edges[i].y || (isnan(y) && isnan(edges[i].y));
    if (!right)
      fprintf(stderr, "edge %zu: f(%g) = %.17g, not %g\n", i, edges[i].x, y, edges[i].y);
    CHECK(right);
  }
}

static void weights_are_exponentials(void)
{
  static double x[N], y[N], w[N];
  uint64_t state = 1;
  for (int i = 0; i < N; i++)
    x[i] = linear(-700, 0, &state);
  x[0] = -700;
  exp_loop(N, x, y);
  exp_weight_loop(N, x, w);
  CHECK(memcmp(y, w, sizeof y) == 0);
}

/* ---- frozen bits ------------------------------------------------------------------------- */

struct frozen {
  const char *name;
  array_function *loop;
  argument *x;
  double from, to;
  uint64_t hash;
};

static const struct frozen table[] = {
    {"exp", exp_loop, linear, -750, 715, 0xa3c558a22be489ebu},
    {"exp_weight", exp_weight_loop, linear, -750, 0, 0xe6f0f3d29fa70327u},
    {"log", log_loop, magnitude, -1074, 1024, 0x7be63854784fb9cfu},
    {"log_normal", log_normal_loop, linear, 0, 1, 0xd254afe896a7415fu},
    {"log1p", log1p_loop, linear, -1, 3, 0x0904f998bf2e1711u},
    {"log1p", log1p_loop, magnitude, -1074, 1024, 0x4ac7aecdcbcc9c5eu},
    {"expm1", expm1_loop, linear, -60, 715, 0xb59b6488ac2d0636u},
    {"expm1", expm1_loop, either_sign, -1074, 1, 0x31cc88073ac43d16u},
    {"sine", sine_loop, either_sign, -60, 49, 0x56d27c65fb514314u},
    {"cosine", cosine_loop, either_sign, -60, 49, 0x60882da12677f91bu},
    {"sigmoid", sigmoid_loop, linear, -710, 50, 0xee8d30d6c01f537du},
    {"softplus", softplus_loop, linear, -710, 50, 0x570d05b5f8bdd8e8u},
    {"tanh", tanh_loop, either_sign, -1074, 5, 0xaa52086b1eee50cbu},
    {"log near 1", log_loop, linear, .5, 2, 0xbba26bcf57c4dbd8u},
    {"log1p of large", log1p_loop, linear, 2, 100, 0xd381e6a8c93b2b44u},
    {"expm1 near 0", expm1_loop, linear, -2, 2, 0xe34d206322545480u},
    {"sine of a turn", sine_loop, linear, -1, 1, 0xddd1152fe967ae94u},
    {"cosine of a turn", cosine_loop, linear, -1, 1, 0xfc8eb561d5662c9cu},
    {"sigmoid near 0", sigmoid_loop, linear, -20, 20, 0x88714b29c5375141u},
    {"softplus near 0", softplus_loop, linear, -20, 20, 0x58d26185acf7b7bcu},
    {"tanh near 0", tanh_loop, linear, -20, 20, 0x1f94ef3943b9561bu},
};

static uint64_t hash_of(const double *y, int n)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < n; i++) {
    hash = (hash ^ (isnan(y[i]) ? 0x7ff8000000000000u : dun_bits(y[i]))) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return hash;
}

static void frozen_bits(void)
{
  static double x[N], y[N];
  static const double special[] = {0,       -0.0,     1,         -1,        INFINITY, -INFINITY,
                                   DBL_MAX, -DBL_MAX, 0x1p-1022, 0x1p-1074, NAN};
  for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
    uint64_t state = 1000 + t;
    for (int i = 0; i < N; i++)
      x[i] = table[t].x(table[t].from, table[t].to, &state);
    if (!strstr(table[t].name, "sine")) /* defined for |u| < 2^49 only */
      memcpy(x, special, sizeof special);
    table[t].loop(N, x, y);
    uint64_t hash = hash_of(y, N);
    if (hash != table[t].hash)
      fprintf(stderr, "%s: hash 0x%016llxu\n", table[t].name, (unsigned long long)hash);
    CHECK(hash == table[t].hash);
  }
}

/* A value must not depend on whether the main loop or its tail computed it. */
static void same_at_every_place(void)
{
  static double x[N], y[N], z[N];
  for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
    uint64_t state = 2000 + t;
    for (int i = 0; i < N; i++)
      x[i] = table[t].x(table[t].from, table[t].to, &state);
    table[t].loop(N, x, y);
    for (int i = 0, n = 0; i < N; i += n) {
      n = i % 67 + 1 < N - i ? i % 67 + 1 : N - i;
      table[t].loop(n, x + i, z + i);
    }
    CHECK(memcmp(y, z, sizeof y) == 0);
  }
}

TEST_MAIN({"accuracy", accuracy}, {"edges", edge_cases},
          {"weights are exponentials", weights_are_exponentials}, {"frozen bits", frozen_bits},
          {"same at every place of a loop", same_at_every_place})
