/* ranks: 1 */
/* Operators that are diagonal in Fourier space, against sums over all sites. */
#include "base/memory.h"
#include "check.h"
#include "dunlin/target.h"
#include "numerics/lattice.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { L = DUN_LANES };

static double *columns(int64_t sites)
{
  double *x = dun_allocate(sites, L * sizeof *x);
  for (int64_t i = 0; i < sites * L; i++)
    x[i] = sin(1.3 * (double)i) + .01 * (double)(i % L);
  return x;
}

/* khat^2 of a wave. */
static double wave(const struct dun_lattice *s, const int *k)
{
  double sum = 0;
  for (int a = 0; a < s->axes; a++)
    sum += 4 * pow(sin(M_PI * k[a] / s->size[a]), 2);
  return sum;
}

/* One kernel element of F^-1 f(khat^2) F between two sites. */
static double element(const struct dun_lattice *s, double (*f)(double), int from, int to)
{
  double sum = 0;
  for (int mode = 0; mode < s->sites; mode++) {
    int rest[3] = {mode, from, to}, k[3];
    double angle = 0;
    for (int a = s->axes - 1; a >= 0; a--) {
      int n = s->size[a];
      k[a] = rest[0] % n;
      angle += 2 * M_PI * k[a] * (rest[1] % n - rest[2] % n) / n;
      for (int i = 0; i < 3; i++)
        rest[i] /= n;
    }
    sum += f(wave(s, k)) * cos(angle);
  }
  return sum / (double)s->sites;
}

static double smooth(double wave)
{
  return 1 / (.3 + wave);
}

static double grown(double wave)
{
  return exp(-.4 * wave);
}

static void check(int axes, const int *size)
{
  struct dun_lattice s;
  CHECK(dun_lattice_init(&s, axes, size) == 0);
  double *x = columns(s.sites), *out = columns(s.sites), *both = columns(s.sites);
  double *factor = dun_allocate(s.sites, sizeof *factor), by[L], trace = 0;
  for (int64_t k = 0; k < s.sites; k++)
    factor[k] = smooth(s.wave[k]);
  for (int l = 0; l < L; l++)
    by[l] = l % 2 ? -.4 : -.4 - 1e-9;
  dun_lattice_filter(&s, factor, x, out);
  dun_lattice_grow(&s, s.wave, by, both, both);
  for (int to = 0; to < s.sites; to++)
    for (int l = 0; l < L; l += 21) {
      double a = 0, b = 0;
      for (int from = 0; from < s.sites; from++) {
        a += element(&s, smooth, from, to) * x[from * L + l];
        b += element(&s, grown, from, to) * x[from * L + l];
      }
      CHECK_NEAR(out[to * L + l], a, 1e-13);
      CHECK_NEAR(both[to * L + l], b, 1e-7);
    }
  for (int to = 0; to < s.sites; to++)
    trace += element(&s, smooth, to, to);
  CHECK_NEAR(dun_lattice_trace(&s, factor), trace, 1e-11);
  dun_free(x);
  dun_free(out);
  dun_free(both);
  dun_free(factor);
  dun_lattice_free(&s);
  dun_lattice_free(&s);
}

/* Waves: as long as the field, w += by S^T x with S = Q^T diag(f), so that S S^T is the filter by
 * f^2; and the way back is the transpose. */
static void check_waves(int axes, const int *size)
{
  struct dun_lattice s;
  CHECK(dun_lattice_init(&s, axes, size) == 0);
  int64_t block = s.sites * L;
  double *x = columns(s.sites), *w = columns(s.sites), *out = columns(s.sites);
  double *once = dun_allocate(2 * s.sites, sizeof *once), *twice = once + s.sites;
  double by[L] __attribute__((aligned(64))), back[L] __attribute__((aligned(64)));
  for (int64_t k = 0; k < s.sites; k++) {
    once[k] = sqrt(smooth(s.wave[k]));
    twice[k] = smooth(s.wave[k]);
  }
  for (int l = 0; l < L; l++) {
    by[l] = l % 3 ? .5 : 2;
    back[l] = l % 5 ? -1 : 3;
  }
  memset(w, 0, (size_t)block * sizeof *w);
  dun_lattice_add_waves(&s, once, by, x, w);
  dun_lattice_filter(&s, twice, x, out);
  for (int l = 0; l < L; l++) {
    double squares = 0, product = 0;
    for (int64_t i = l; i < block; i += L) {
      squares += w[i] * w[i];
      product += by[l] * by[l] * x[i] * out[i];
    }
    CHECK_NEAR(squares, product, 1e-12 * product);
  }
  double *to = columns(s.sites);
  dun_lattice_add_field(&s, once, back, w, to);
  for (int64_t i = 0; i < block; i++)
    CHECK_NEAR(to[i], x[i] + back[i % L] * by[i % L] * out[i], 1e-12);
  dun_free(x);
  dun_free(w);
  dun_free(out);
  dun_free(to);
  dun_free(once);
  dun_lattice_free(&s);
}

/* What is no number in one lane leaves the others' bits alone. */
static void lanes_never_mix(void)
{
  struct dun_lattice s;
  CHECK(dun_lattice_init(&s, 2, (const int[]){6, 17}) == 0);
  double *x = columns(s.sites), *out = columns(s.sites), *other = columns(s.sites);
  dun_lattice_filter(&s, s.wave, x, out);
  for (int64_t i = 0; i < s.sites; i++)
    x[i * L + 9] = i % 2 ? NAN : INFINITY;
  dun_lattice_filter(&s, s.wave, x, other);
  for (int64_t i = 0; i < s.sites * L; i++)
    CHECK(i % L == 9 ? isnan(other[i]) : other[i] == out[i]);
  dun_free(x);
  dun_free(out);
  dun_free(other);
  dun_lattice_free(&s);
}

static void operators(void)
{
  static const struct {
    int axes, size[3];
  } c[] = {{1, {1}},    {1, {7}},    {1, {8}},       {1, {17}},      {2, {3, 4}},   {2, {4, 5}},
           {2, {1, 6}}, {2, {6, 1}}, {3, {2, 3, 4}}, {3, {3, 1, 5}}, {3, {5, 4, 2}}};
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
    check(c[i].axes, c[i].size);
    check_waves(c[i].axes, c[i].size);
  }
}

static void refusals(void)
{
  struct dun_lattice s;
  CHECK(dun_lattice_init(&s, 4, (const int[]){2, 2, 2, 2}) < 0);
  dun_lattice_free(&s);
  CHECK(dun_lattice_init(&s, 2, (const int[]){3, 0}) < 0);
  dun_lattice_free(&s);
}

TEST_MAIN({"operators", operators}, {"lanes_never_mix", lanes_never_mix}, {"refusals", refusals})
