/* Transforms of constrained parameters: Jacobians and gradients against differences, what the
 * constraints say, far ends, integrals over surfaces, refusals. */
#include "base/random.h"
#include "check.h"
#include "numerics/transform.h"

enum { MOST = 16, L = DUN_LANES };

static const struct dun_parameter all[] = {
    {.name = "unbounded", .rank = 1, .shape = {3}},
    {.name = "positive", .rank = 0, .transform = DUN_POSITIVE},
    {.name = "above", .rank = 2, .shape = {2, 2}, .transform = DUN_ABOVE, .lower = -3},
    {.name = "below", .rank = 1, .shape = {2}, .transform = DUN_BELOW, .upper = 5},
    {.name = "between", .rank = 1, .shape = {3}, .transform = DUN_BETWEEN, .lower = -1, .upper = 4},
    {.name = "ordered", .rank = 1, .shape = {4}, .transform = DUN_ORDERED},
    {.name = "rising", .rank = 1, .shape = {4}, .transform = DUN_POSITIVE_ORDERED},
    {.name = "shares", .rank = 1, .shape = {2}, .transform = DUN_SIMPLEX},
    {.name = "more_shares", .rank = 1, .shape = {5}, .transform = DUN_SIMPLEX},
    {.name = "direction", .rank = 1, .shape = {2}, .transform = DUN_UNIT_VECTOR},
    {.name = "axis", .rank = 1, .shape = {3}, .transform = DUN_UNIT_VECTOR},
    {.name = "phase", .rank = 0, .transform = DUN_PERIODIC, .lower = -2, .upper = 6},
    {.name = "pair", .rank = 2, .shape = {2, 2}, .transform = DUN_CORRELATION_FACTOR},
    {.name = "factor", .rank = 2, .shape = {4, 4}, .transform = DUN_CORRELATION_FACTOR},
};
enum { ALL = sizeof all / sizeof *all };

static double normals[L * MOST] __attribute__((aligned(64)));

static void draw(uint32_t tile)
{
  struct dun_address address = {.seed = 1, .purpose = DUN_PURPOSE_TEST, .tile = tile};
  dun_normals(address, MOST, normals);
}

/* A smooth function of theta, and its slope. */
static double f(int n, const double *theta, double *slope)
{
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (i + 1) * .3 * theta[i] - .2 * theta[i] * theta[i];
    if (slope)
      slope[i] = (i + 1) * .3 - .4 * theta[i];
  }
  return sum;
}

static double value(const struct dun_transforming *t, const double *x)
{
  double theta[MOST];
  double jacobian = dun_transform(t, x, theta);
  return jacobian + f(t->entries, theta, NULL);
}

static void gradients(void)
{
  for (int p = 0; p < ALL; p++)
    for (uint32_t k = 0; k < 20; k++) {
      struct dun_transforming t = dun_transforming_of(&all[p]);
      double theta[MOST], slope[MOST], gradient[MOST];
      draw(k);
      dun_transform(&t, normals, theta);
      f(t.entries, theta, slope);
      dun_transform_back(&t, normals, theta, slope, gradient);
      for (int j = 0; j < t.free; j++) {
        double at = normals[j], h = 1e-5, up, down;
        normals[j] = at + h;
        up = value(&t, normals);
        normals[j] = at - h;
        down = value(&t, normals);
        normals[j] = at;
        int turned = t.type == DUN_PERIODIC && fabs(up - down) > .1;
        if (!turned) /* the ends of the interval lie between */
          CHECK_NEAR(gradient[j], (up - down) / (2 * h), 2e-8 * (1 + fabs(gradient[j])));
      }
    }
}

/* Entries of theta that are free: of a simplex all but the last, of a factor those below the
 * diagonal. */
static int free_entry(const struct dun_transforming *t, int number)
{
  if (t->type != DUN_CORRELATION_FACTOR)
    return number;
  int row = 1;
  while (number >= row)
    number -= row++;
  return row * t->size + number;
}

static double log_determinant(int n, double a[MOST][MOST])
{
  double sum = 0;
  for (int k = 0; k < n; k++) {
    int pivot = k;
    for (int i = k + 1; i < n; i++)
      pivot = fabs(a[i][k]) > fabs(a[pivot][k]) ? i : pivot;
    for (int j = 0; j < n; j++) {
      double keep = a[k][j];
      a[k][j] = a[pivot][j];
      a[pivot][j] = keep;
    }
    sum += log(fabs(a[k][k]));
    for (int i = k + 1; i < n; i++)
      for (int j = n - 1; j >= k; j--)
        a[i][j] -= a[i][k] / a[k][k] * a[k][j];
  }
  return sum;
}

static void jacobians(void)
{
  for (int p = 0; p < ALL; p++) {
    struct dun_transforming t = dun_transforming_of(&all[p]);
    if (t.type == DUN_UNIT_VECTOR || t.type == DUN_PERIODIC)
      continue;
    for (uint32_t k = 0; k < 20; k++) {
      double theta[MOST], up[MOST], down[MOST], a[MOST][MOST];
      draw(100 + k);
      double found = dun_transform(&t, normals, theta);
      for (int j = 0; j < t.free; j++) {
        double at = normals[j], h = 1e-5;
        normals[j] = at + h;
        dun_transform(&t, normals, up);
        normals[j] = at - h;
        dun_transform(&t, normals, down);
        normals[j] = at;
        for (int i = 0; i < t.free; i++)
          a[i][j] = (up[free_entry(&t, i)] - down[free_entry(&t, i)]) / (2 * h);
      }
      CHECK_NEAR(found, log_determinant(t.free, a), 1e-7);
    }
  }
}

static int rises(int n, const double *theta, double before)
{
  for (int i = 0; i < n; i++) {
    if (!(theta[i] >= before))
      return 0;
    before = theta[i];
  }
  return 1;
}

static double length(int n, const double *theta)
{
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += theta[i] * theta[i];
  return sqrt(sum);
}

static void check_constraint(const struct dun_transforming *t, const double *theta)
{
  double sum = 0, least = theta[0], most = theta[0];
  for (int i = 0; i < t->entries; i++) {
    CHECK(isfinite(theta[i]));
    sum += theta[i];
    least = theta[i] < least ? theta[i] : least;
    most = theta[i] > most ? theta[i] : most;
  }
  switch (t->type) {
  case DUN_POSITIVE: CHECK(least >= 0); break;
  case DUN_ABOVE: CHECK(least >= t->lower); break;
  case DUN_BELOW: CHECK(most <= t->upper); break;
  case DUN_BETWEEN:
  case DUN_PERIODIC: CHECK(least >= t->lower && most <= t->upper); break;
  case DUN_ORDERED: CHECK(rises(t->entries, theta, -INFINITY)); break;
  case DUN_POSITIVE_ORDERED: CHECK(rises(t->entries, theta, 0)); break;
  case DUN_SIMPLEX: CHECK(least >= 0 && fabs(sum - 1) < 1e-14); break;
  case DUN_UNIT_VECTOR: CHECK_NEAR(length(t->entries, theta), 1, 1e-14); break;
  case DUN_CORRELATION_FACTOR:
    for (int i = 0; i < t->size; i++)
      CHECK_NEAR(length(t->size, theta + i * t->size), 1, 1e-14);
    break;
  case DUN_UNBOUNDED: break;
  }
}

/* Far out too, where exponentials are near their ends. */
static void constraints(void)
{
  static const double scale[] = {1e-200, 1e-3, 1, 30, 300, 350}; /* up to 700 */
  for (int p = 0; p < ALL; p++)
    for (int s = 0; s < 6; s++)
      for (uint32_t k = 0; k < 20; k++) {
        struct dun_transforming t = dun_transforming_of(&all[p]);
        double theta[MOST], slope[MOST] = {0}, gradient[MOST];
        draw(200 + k);
        for (int j = 0; j < t.free; j++) {
          double far = normals[j] > 2 ? 2 : normals[j] < -2 ? -2 : normals[j];
          normals[j] = scale[s] * (scale[s] > 1 ? far : normals[j]);
        }
        double jacobian = dun_transform(&t, normals, theta);
        if (s == 0 && (t.type == DUN_UNIT_VECTOR || t.type == DUN_PERIODIC))
          continue; /* the square of the length is 0 there */
        CHECK(isfinite(jacobian));
        check_constraint(&t, theta);
        dun_transform_back(&t, normals, theta, slope, gradient);
        for (int j = 0; j < t.free; j++)
          CHECK(isfinite(gradient[j]));
      }
}

/* The density of x is a constant on the surface times that of the length: standard normal numbers
 * whose log density is the Jacobian minus log of the surface.  3 comparisons. */
static void surfaces(void)
{
  const double pi = acos(-1), surface[] = {2 * pi, 4 * pi, 8};
  const int which[] = {9, 10, 11};
  for (int i = 0; i < 3; i++) {
    struct dun_transforming t = dun_transforming_of(&all[which[i]]);
    double theta[MOST], square = 0;
    draw(7);
    for (int j = 0; j < t.free; j++)
      square += normals[j] * normals[j];
    double normal = -.5 * square - .5 * t.free * log(2 * pi);
    CHECK_NEAR(dun_transform(&t, normals, theta) - log(surface[i]), normal, 1e-13);
  }
}

/* All angles, from the axes too. */
static void angles(void)
{
  struct dun_transforming t = dun_transforming_of(
      &(struct dun_parameter){.transform = DUN_PERIODIC, .lower = 0, .upper = 2 * acos(-1)});
  for (int k = 0; k < 720; k++) {
    double angle = k * acos(-1) / 360, theta, r = k % 3 == 0 ? 1e-3 : k % 3 == 1 ? 1 : 50;
    double x[2] = {r * cos(angle), r * sin(angle)};
    dun_transform(&t, x, &theta);
    CHECK_NEAR(theta, atan2(x[1], x[0]) + (x[1] < 0 ? 2 * acos(-1) : 0), 2e-15 * 8);
  }
}

static void refusals(void)
{
  static const struct dun_parameter wrong[] = {
      {.rank = 0, .transform = DUN_SIMPLEX},
      {.rank = 1, .shape = {1}, .transform = DUN_SIMPLEX},
      {.rank = 1, .shape = {1}, .transform = DUN_UNIT_VECTOR},
      {.rank = 0, .transform = DUN_ORDERED},
      {.rank = 1, .shape = {2}, .transform = DUN_PERIODIC, .upper = 1},
      {.rank = 0, .transform = DUN_PERIODIC},
      {.rank = 0, .transform = DUN_BETWEEN, .lower = 1, .upper = 1},
      {.rank = 0, .transform = DUN_BETWEEN, .lower = -1.7e308, .upper = 1.7e308},
      {.rank = 0, .transform = DUN_BELOW, .upper = INFINITY},
      {.rank = 0, .transform = DUN_ABOVE, .lower = NAN},
      {.rank = 2, .shape = {2, 3}, .transform = DUN_CORRELATION_FACTOR},
      {.rank = 2, .shape = {1, 1}, .transform = DUN_CORRELATION_FACTOR},
      {.rank = 0, .transform = (enum dun_transform)99},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const char *why = NULL;
    CHECK(dun_transform_free(&wrong[i], &why) == -1 && why && *why);
  }
}

TEST_MAIN({"gradients", gradients}, {"jacobians", jacobians}, {"constraints", constraints},
          {"surfaces", surfaces}, {"angles", angles}, {"refusals", refusals})
