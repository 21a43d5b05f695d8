/* ranks: 1 */
/* Operators that are diagonal in Fourier space, against sums over all sites. */
#include "base/memory.h"
#include "check.h"
#include "numerics/lattice.h"
#include <math.h>
#include <stdlib.h>

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
  double *factor = dun_allocate(s.modes, sizeof *factor), by[L], trace = 0;
  for (int64_t k = 0; k < s.modes; k++)
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

static void operators(void)
{
  static const struct {
    int axes, size[3];
  } c[] = {{1, {1}}, {1, {7}}, {1, {8}}, {2, {3, 4}}, {2, {4, 5}}, {3, {2, 3, 4}}, {3, {3, 1, 5}}};
  for (size_t i = 0; i < sizeof c / sizeof *c; i++)
    check(c[i].axes, c[i].size);
}

static void refusals(void)
{
  struct dun_lattice s;
  CHECK(dun_lattice_init(&s, 4, (const int[]){2, 2, 2, 2}) < 0);
  dun_lattice_free(&s);
  CHECK(dun_lattice_init(&s, 2, (const int[]){3, 0}) < 0);
  dun_lattice_free(&s);
}

TEST_MAIN({"operators", operators}, {"refusals", refusals})
