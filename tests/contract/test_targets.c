/* The contract of targets, for every registered one: gradients, the lanes, the same bits, points
 * far out. */
#include "settings.h"

/* ---- every registered target has settings ------------------------------------------------ */

static void test_registry(void)
{
  for (const struct dun_type *const *type = dun_registry(DUN_KIND_TARGET); *type; type++) {
    /* those of spins and letters are in test_letters.c */
    int found = ((const struct dun_target *)(const void *)*type)->support != DUN_REALS;
    for (int i = 0; i < SETTINGS; i++) {
      const char *name = settings[i].options + strlen("type: ");
      size_t length = strlen((*type)->name);
      found |= !strncmp(name, (*type)->name, length) && (name[length] == ',' || !name[length]);
    }
    if (!found)
      fprintf(stderr, "target '%s' has no settings in this test\n", (*type)->name);
    CHECK(found);
  }
}

/* ---- densities and gradients ------------------------------------------------------------- */

/* Points of three kinds: exact draws (or the prior's, or normals), normals near 0, normals far
 * out. */
static void set_points(struct subject *s, int kind)
{
  subject_numbers(s, 100 + kind);
  if (kind == 0 && s->target->draw)
    s->target->draw(s->self, s->uniform, s->normal, s->x);
  else if (kind == 0 && s->target->draw_prior)
    s->target->draw_prior(s->self, s->uniform, s->normal, s->x);
  else
    dun_normals((struct dun_address){5, DUN_PURPOSE_TEST, 0, 0, (uint32_t)kind}, s->d, s->x);
  for (int i = 0; i < s->d * L && kind > 0; i++)
    s->x[i] *= kind == 1 ? 0.3 : 2;
}

/* Coordinate j against a difference of fourth order, in all lanes at once. */
static void check_derivative(struct subject *s, evaluate *density, int j, const double *lp)
{
  static const double weight[] = {1, -8, 8, -1}, place[] = {-2, -1, 1, 2};
  double kept[L], slope[L] = {0}, step[L], value[L] __attribute__((aligned(64)));
  double *xj = s->x + (size_t)j * L;
  for (int l = 0; l < L; l++) {
    kept[l] = xj[l];
    step[l] = 1e-4 * fmin(1, fmax(fabs(xj[l]), 1e-3));
  }
  for (int k = 0; k < 4; k++) {
    for (int l = 0; l < L; l++)
      xj[l] = kept[l] + place[k] * step[l];
    density(&s->evaluator, L, s->x, value, NULL, NULL);
    for (int l = 0; l < L; l++)
      slope[l] += weight[k] * (value[l] - lp[l]) / (12 * step[l]);
  }
  for (int l = 0; l < L; l++) {
    double g = s->gradient[(size_t)j * L + l];
    double noise = 1e-14 * (fabs(lp[l]) + fabs(kept[l] * g)) / step[l];
    xj[l] = kept[l];
    if (isfinite(lp[l]))
      CHECK_NEAR(g, slope[l], 1e-7 * (1 + fabs(g)) + noise);
  }
}

static void check_gradient(struct subject *s, evaluate *density)
{
  double *lp = dun_allocate(L, sizeof *lp);
  for (int kind = 0; kind < 3; kind++) {
    set_points(s, kind);
    set_scale(s, 1);
    clear(s);
    density(&s->evaluator, L, s->x, lp, s->scale, s->gradient);
    for (int l = 0; l < L; l++)
      CHECK(isfinite(lp[l]));
    for (int j = 0; j < s->d; j++)
      check_derivative(s, density, j, lp);
  }
  DUN_FREE(lp);
}

static void gradients(struct subject *s, const struct setting *setting)
{
  (void)setting;
  check_gradient(s, dun_evaluate);
  if (s->target->prior)
    check_gradient(s, dun_evaluate_prior);
}

static void test_gradients(void)
{
  each(gradients);
}

/* The gradient is added, times its lane's scale; it and lp do not depend on whether the other is
 * asked for; the gradients of lanes without scale do not change, whatever they hold. */
static void check_lanes(struct subject *s, evaluate *density, double tolerance)
{
  size_t size = (size_t)s->d * L * sizeof(double);
  double *sum = dun_allocate(s->d, L * sizeof *sum), *lp = dun_allocate(L, sizeof *lp);
  set_points(s, 0);
  set_scale(s, 1);
  clear(s);
  density(&s->evaluator, L, s->x, lp, s->scale, s->gradient);
  density(&s->evaluator, L, s->x, s->lp, NULL, NULL);
  for (int l = 0; l < L; l++) {
    CHECK_NEAR(s->lp[l], lp[l], tolerance * (1 + fabs(lp[l])));
    s->scale[l] = l == 7 ? 0 : 0.1 * (l - 20);
  }
  for (int i = 0; i < s->d * L; i++)
    sum[i] = i % 11;
  density(&s->evaluator, L, s->x, NULL, s->scale, sum);
  for (int i = 0; i < s->d * L; i++) {
    double added = s->scale[i % L] * s->gradient[i];
    CHECK_NEAR(sum[i], i % 11 + added, 1e-13 * (11 + fabs(added)) + tolerance * fabs(added));
    if (i % L == 7)
      CHECK(sum[i] == i % 11);
  }
  memset(sum, 0, size);
  DUN_FREE(sum);
  DUN_FREE(lp);
}

static void lanes(struct subject *s, const struct setting *setting)
{
  double tolerance = setting->rough ? 1e-12 : 1e-14;
  check_lanes(s, dun_evaluate, tolerance);
  if (s->target->prior)
    check_lanes(s, dun_evaluate_prior, tolerance);
}

static void test_lanes(void)
{
  each(lanes);
}

/* A point alone gives what it gave among others: the same bits, except through BLAS. */
static void alone(struct subject *s, const struct setting *setting)
{
  double *one = dun_allocate(s->d, L * sizeof *one), *g = dun_allocate(s->d, L * sizeof *g);
  double *lp = dun_allocate(L, sizeof *lp), tolerance = setting->rough ? 1e-12 : 0;
  set_points(s, 0);
  set_scale(s, 1);
  clear(s);
  dun_evaluate(&s->evaluator, L, s->x, lp, s->scale, s->gradient);
  for (int l = 0; l < L; l += 9) {
    for (int i = 0; i < s->d * L; i++)
      one[i] = s->x[i / L * L + l];
    memset(g, 0, (size_t)s->d * L * sizeof *g);
    dun_evaluate(&s->evaluator, 1, one, s->lp, s->scale, g);
    CHECK_NEAR(s->lp[0], lp[l], tolerance * fabs(lp[l]));
    for (int j = 0; j < s->d; j++) {
      double among = s->gradient[(size_t)j * L + l];
      CHECK_NEAR(g[(size_t)j * L], among, tolerance * (10 + fabs(among)));
    }
  }
  DUN_FREE(one);
  DUN_FREE(g);
  DUN_FREE(lp);
}

static void test_alone(void)
{
  each(alone);
}

/* ---- the same bits ----------------------------------------------------------------------- */

static uint64_t digest;

static void add_bits(const double *value, int count)
{
  for (int i = 0; i < count; i++) {
    uint64_t bits;
    memcpy(&bits, &value[i], sizeof bits);
    digest = (digest ^ bits) * 0x9e3779b97f4a7c15u;
    digest ^= digest >> 29;
  }
}

static void add_to_digest(struct subject *s, const struct setting *setting)
{
  if (setting->rough || strstr(setting->options, "dense") || strstr(setting->options, "library") ||
      strstr(setting->options, "bridgestan"))
    return; /* BLAS, LAPACK, libm */
  for (int kind = 0; kind < 3; kind++) {
    set_points(s, kind);
    set_scale(s, 0.7);
    clear(s);
    dun_evaluate(&s->evaluator, L, s->x, s->lp, s->scale, s->gradient);
    add_bits(s->x, s->d * L);
    add_bits(s->lp, L);
    add_bits(s->gradient, s->d * L);
  }
}

/* One number for all machines, vector widths and compilers; it changes only with the formulas. */
static void test_bits(void)
{
  const uint64_t expected = 0xb7884f0360c9a63f;
  digest = 0;
  each(add_to_digest);
  if (digest != expected)
    fprintf(stderr, "digest of densities and gradients: 0x%016llx\n", (unsigned long long)digest);
  CHECK(digest == expected);
}

/* ---- far out ----------------------------------------------------------------------------- */

static void check_far(struct subject *s, evaluate *density, const struct setting *setting)
{
  static const double far[] = {10, 800, 1e4, 1e10, 1e100, 1e153, 1e155, 1e200, 1e300, 1.7e308};
  set_scale(s, 1);
  for (int k = 0; k < 40; k++) {
    double size = far[k / 4];
    subject_numbers(s, 300);
    for (int i = 0; i < s->d * L; i++) {
      int moved = k % 2 ? i / L == (i % L) % s->d : 1; /* one coordinate, or all */
      s->x[i] = moved ? (k % 4 < 2 ? size : -size) : 0.1 * (i % 13);
    }
    clear(s);
    density(&s->evaluator, L, s->x, s->lp, s->scale, s->gradient);
    for (int l = 0; l < L; l++)
      CHECK(isfinite(s->lp[l]) || s->lp[l] == -INFINITY);
    for (int i = 0; i < s->d * L; i++)
      CHECK(isfinite(s->gradient[i]));
    clear(s);
    density(&s->evaluator, L, s->x, NULL, s->scale, s->gradient);
    for (int i = 0; i < s->d * L; i++)
      CHECK(isfinite(s->gradient[i]));
  }
  if (s->target->columns && !setting->rough)
    CHECK(s->evaluator.nans == 0);
}

static void far_out(struct subject *s, const struct setting *setting)
{
  check_far(s, dun_evaluate, setting);
  if (s->target->prior)
    check_far(s, dun_evaluate_prior, setting);
}

static void test_far_out(void)
{
  each(far_out);
}

TEST_MAIN({"files", test_files}, {"registry", test_registry}, {"gradients", test_gradients},
          {"lanes", test_lanes}, {"alone", test_alone}, {"bits", test_bits},
          {"far_out", test_far_out}, {"files_removed", test_files_removed})
