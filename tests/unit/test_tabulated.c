/* Tabulated laws against closed forms. */
#include "check.h"
#include "numerics/tabulated.h"
#include <math.h>

static void test_normal(void)
{
  struct dun_tabulated law;
  CHECK(dun_tabulated_normal(&law) == 0);
  CHECK_NEAR(law.total, 1, 1e-14);
  for (int i = 0; i <= 170; i++) {
    double x = -8.5 + 0.1 * i + 0.003, exact = 0.5 * erfc(-x * sqrt(0.5));
    double mass = dun_tabulated_mass(&law, x);
    CHECK_NEAR(mass, exact, 1e-14 + 1e-12 * exact);
    if (x < 0)
      CHECK_NEAR(mass, exact, 1e-5 * exact); /* the tail keeps its own digits */
    if (fabs(x) < 5)
      CHECK_NEAR(dun_tabulated_quantile(&law, mass), x, 1e-9);
  }
  CHECK(dun_tabulated_mass(&law, -100) == 0 && dun_tabulated_mass(&law, 100) == law.total);
  CHECK(dun_tabulated_quantile(&law, 0) <= -9.99 && dun_tabulated_quantile(&law, law.total) > 8);
  dun_tabulated_free(&law);
  dun_tabulated_free(&law);
}

/* Two bumps with nothing between them. */
static void bumps(const void *data, double x, double *density, double *slope)
{
  double off = x * x - 1, width = *(const double *)data;
  *density = exp(-off * off / width);
  *slope = -4 * x * off / width * *density;
}

static void test_gap(void)
{
  double width = 0.01;
  struct dun_tabulated law;
  CHECK(dun_tabulated_init(&law, -2, 2, 4096, bumps, &width) == 0);
  CHECK_NEAR(dun_tabulated_mass(&law, 0), 0.5 * law.total, 1e-15);
  for (int i = 1; i <= 200; i++) {
    double mass = law.total * i / 201, x = dun_tabulated_quantile(&law, mass);
    CHECK_NEAR(dun_tabulated_mass(&law, x), mass, 1e-14);
    CHECK(fabs(fabs(x) - 1) < 0.3);
  }
  dun_tabulated_free(&law);
}

static void nothing(const void *data, double x, double *density, double *slope)
{
  (void)data;
  (void)x;
  *density = *slope = 0;
}

static void test_no_mass(void)
{
  struct dun_tabulated law;
  CHECK(dun_tabulated_init(&law, 0, 1, 10, nothing, NULL) < 0);
  dun_tabulated_free(&law);
}

TEST_MAIN({"normal", test_normal}, {"gap", test_gap}, {"no_mass", test_no_mass})
