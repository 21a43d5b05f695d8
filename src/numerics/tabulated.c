#include "numerics/tabulated.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include <math.h>

enum { POINTS = 5 };

static double cell_mass(double middle, double half, dun_density *density, const void *data)
{
  static const double place[POINTS] = {-0.9061798459386640, -0.5384693101056831, 0,
                                       0.5384693101056831, 0.9061798459386640};
  static const double weight[POINTS] = {0.2369268850561891, 0.4786286704993665, 0.5688888888888889,
                                        0.4786286704993665, 0.2369268850561891};
  double sum = 0, f, slope;
  for (int i = 0; i < POINTS; i++) {
    density(data, middle + half * place[i], &f, &slope);
    sum += weight[i] * f;
  }
  return half * sum;
}

int dun_tabulated_init(struct dun_tabulated *law, double low, double high, int cells,
                       dun_density *density, const void *data)
{
  double step = (high - low) / cells;
  *law = (struct dun_tabulated){.low = low, .step = step, .cells = cells};
  law->below = dun_allocate(cells + 1, sizeof(double));
  law->density = dun_allocate(cells + 1, sizeof(double));
  law->slope = dun_allocate(cells + 1, sizeof(double));
  if (!law->below || !law->density || !law->slope)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i <= cells; i++) {
    density(data, low + i * step, &law->density[i], &law->slope[i]);
    if (i > 0)
      law->below[i] =
          law->below[i - 1] + cell_mass(low + (i - 0.5) * step, 0.5 * step, density, data);
  }
  law->total = law->below[cells];
  if (!(law->total > 0 && isfinite(law->total)))
    return dun_fail(DUN_ERROR_NUMERIC,
                    "the density has the integral %g, expected a positive number", law->total);
  return 0;
}

void dun_tabulated_free(struct dun_tabulated *law)
{
  DUN_FREE(law->below);
  DUN_FREE(law->density);
  DUN_FREE(law->slope);
}

/* Mass up to the fraction t of cell i, and its derivative by t. */
static double within(const struct dun_tabulated *law, int i, double t, double *derivative)
{
  double h = law->step, f = h * law->density[i], s = h * h * law->slope[i];
  double D = law->below[i + 1] - law->below[i] - f - 0.5 * s;
  double E = h * law->density[i + 1] - f - s, G = h * h * law->slope[i + 1] - s;
  double a = 10 * D - 4 * E + 0.5 * G, b = 7 * E - 15 * D - G, c = 6 * D - 3 * E + 0.5 * G;
  *derivative = f + t * (s + t * (3 * a + t * (4 * b + t * 5 * c)));
  return law->below[i] + t * (f + t * (0.5 * s + t * (a + t * (b + t * c))));
}

double dun_tabulated_mass(const struct dun_tabulated *law, double x)
{
  double place = (x - law->low) / law->step, cell = floor(place), derivative;
  if (!(place > 0))
    return 0;
  if (place >= law->cells)
    return law->total;
  return within(law, (int)cell, place - cell, &derivative);
}

/* The last cell that begins at or below the mass. */
static int find_cell(const struct dun_tabulated *law, double mass)
{
  int low = 0, high = law->cells;
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (law->below[middle] <= mass)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* Newton's steps, halving where one leaves the bracket. */
double dun_tabulated_quantile(const struct dun_tabulated *law, double mass)
{
  enum { MOST = 60 };
  int i = find_cell(law, mass);
  double low = 0, high = 1, width = law->below[i + 1] - law->below[i];
  double t = width > 0 ? (mass - law->below[i]) / width : 0.5;
  t = fmin(fmax(t, 0), 1);
  for (int k = 0; k < MOST && high - low > 1e-15; k++) {
    double derivative, off = within(law, i, t, &derivative) - mass, next;
    if (off > 0)
      high = t;
    else
      low = t;
    next = derivative > 0 ? t - off / derivative : -1;
    next = next > low && next < high ? next : 0.5 * (low + high);
    if (off == 0 || fabs(next - t) < 1e-14)
      break;
    t = next;
  }
  return law->low + (i + t) * law->step;
}

static void normal_density(const void *data, double x, double *density, double *slope)
{
  (void)data;
  *density = 0.39894228040143267794 * dun_scalar_exp(-0.5 * x * x);
  *slope = -x * *density;
}

int dun_tabulated_normal(struct dun_tabulated *law)
{
  return dun_tabulated_init(law, -10, 10, 2048, normal_density, NULL);
}
