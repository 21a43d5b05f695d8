/* Spectra by Lanczos' method: nodes and weights of known matrices, moments of a large one. */
#include "check.h"
#include "dunlin/target.h"
#include "numerics/lanczos.h"

enum { L = DUN_LANES, D = 200, STEPS = 12 };

/* The second difference has the eigenvalues 2 - 2 cos(pi k / (n + 1)) and known vectors. */
static void tridiagonal_matrices_are_solved(void)
{
  for (int n = 1; n < 40; n++) {
    double d[40], e[40], w[40], sum = 0;
    for (int i = 0; i < n; i++) {
      d[i] = 2;
      e[i] = -1;
    }
    dun_tridiagonal(n, d, e, w);
    for (int i = 0; i < n; i++) {
      double found = INFINITY, weight = 0;
      for (int k = 1; k <= n; k++) {
        double value = 2 - 2 * cos(M_PI * k / (n + 1)), first = sin(M_PI * k / (n + 1));
        if (fabs(value - d[i]) < found) {
          found = fabs(value - d[i]);
          weight = 2 * first * first / (n + 1);
        }
      }
      CHECK(found < 1e-13);
      CHECK_NEAR(w[i], weight, 1e-12);
      sum += w[i];
    }
    CHECK_NEAR(sum, 1, 1e-13);
  }
}

static const double *spectrum(void)
{
  static double value[D];
  for (int j = 0; j < D; j++)
    value[j] = 100 * pow(j + 1, -1.5);
  return value;
}

static void diagonal(void *data, const double *v, double *out)
{
  for (int i = 0; i < D * L; i++)
    out[i] = ((const double *)data)[i / L] * v[i];
}

static double first[D * L] __attribute__((aligned(64)));
static double scratch[(3 * D + 2 * STEPS) * L] __attribute__((aligned(64)));
static double node[STEPS * L] __attribute__((aligned(64)));
static double weight[STEPS * L] __attribute__((aligned(64)));

/* n nodes have the moments 0 to 2 n - 1 of the spectrum in the first vector. */
static void moments_are_kept(void)
{
  double value[D];
  memcpy(value, spectrum(), sizeof value);
  CHECK(dun_lanczos_scratch(D, STEPS) == 3 * D + 2 * STEPS);
  for (int i = 0; i < D * L; i++)
    first[i] = (i / L * 7 + i % L * 3) % 11 - 5 + .5;
  for (int l = 0; l < L; l++) {
    double square = 0;
    for (int j = 0; j < D; j++)
      square += first[j * L + l] * first[j * L + l];
    for (int j = 0; j < D; j++)
      first[j * L + l] /= sqrt(square);
  }
  dun_lanczos(D, STEPS, 1e-12, diagonal, value, first, scratch, node, weight);
  for (int l = 0; l < L; l += 9)
    for (int p = 0; p < 6; p++) {
      double by = 0, exact = 0;
      for (int k = 0; k < STEPS; k++)
        by += weight[k * L + l] * pow(node[k * L + l], p);
      for (int j = 0; j < D; j++)
        exact += first[j * L + l] * first[j * L + l] * pow(value[j], p);
      CHECK_NEAR(by, exact, 1e-10 * exact);
    }
}

/* From an axis of a diagonal matrix there is one node. */
static void runs_end(void)
{
  double value[D];
  memcpy(value, spectrum(), sizeof value);
  for (int i = 0; i < D * L; i++)
    first[i] = i / L == i % L;
  dun_lanczos(D, STEPS, 1e-6, diagonal, value, first, scratch, node, weight);
  for (int l = 0; l < L; l++) {
    CHECK_NEAR(node[l], value[l], 1e-12 * value[l]);
    CHECK_NEAR(weight[l], 1, 1e-15);
    CHECK(weight[L + l] == 0);
  }
}

TEST_MAIN({"tridiagonal_matrices_are_solved", tridiagonal_matrices_are_solved},
          {"moments_are_kept", moments_are_kept}, {"runs_end", runs_end})
