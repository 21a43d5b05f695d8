/* The contract of targets that draw from themselves or from their prior, are normalised, and tell
 * their parameters and modes. */
#include "settings.h"

static long long comparisons; /* statistical ones */

/* ---- exact draws ------------------------------------------------------------------------- */

enum { TILES = 600 };

struct moment {
  double sum, squares;
};

static void add(struct moment *moment, double value)
{
  moment->sum += value;
  moment->squares += value * value;
}

/* The mean is `expected` within 5 standard errors. */
static void check_moment(const struct moment *moment, double expected)
{
  double n = (double)TILES * L, mean = moment->sum / n;
  double error = sqrt((moment->squares / n - mean * mean) / n);
  CHECK_NEAR(mean, expected, 5 * error + 1e-12);
  comparisons++;
}

static double log_normal_density(const struct subject *s, const struct setting *setting, int lane)
{
  double width = setting->width[0], sum = 0;
  for (int j = 0; j < s->d; j++) {
    if (j < 8 && setting->width[j] > 0)
      width = setting->width[j];
    double y = s->x[(size_t)j * L + lane] / width;
    sum -= 0.5 * y * y + log(width) + 0.918938533204672742;
  }
  return sum;
}

/* For x from a density p: E[d log p / dx_j] = 0, E[x_j d log p / dx_j] = -1 (integration by parts),
 * and for a normalised h, E[h / (Z p)] = 1 / Z. */
static void check_draws(struct subject *s, const struct setting *setting, evaluate *density,
                        void (*draw)(const void *, const double *, const double *, double *),
                        double log_z)
{
  struct moment *slope = dun_allocate(2 * (int64_t)s->d, sizeof *slope), *product = slope + s->d;
  struct moment ratio = {0};
  set_scale(s, 1);
  for (int tile = 0; tile < TILES; tile++) {
    subject_numbers(s, tile);
    draw(s->self, s->uniform, s->normal, s->x);
    clear(s);
    density(&s->evaluator, L, s->x, s->lp, s->scale, s->gradient);
    for (int l = 0; l < L; l++)
      add(&ratio, exp(log_normal_density(s, setting, l) - s->lp[l] + log_z));
    for (int i = 0; i < s->d * L; i++) {
      add(&slope[i / L], s->gradient[i]);
      add(&product[i / L], s->x[i] * s->gradient[i]);
    }
  }
  for (int j = 0; j < s->d; j++) {
    check_moment(&slope[j], 0);
    check_moment(&product[j], -1);
  }
  if (setting->width[0] > 0) {
    double n = (double)TILES * L;
    CHECK_NEAR(ratio.squares / n, 0, 200); /* the error of the mean is then 7 % */
    check_moment(&ratio, 1);
  }
  DUN_FREE(slope);
}

static void draws(struct subject *s, const struct setting *setting)
{
  const struct dun_target *t = s->target;
  if (t->draw)
    check_draws(s, setting, dun_evaluate, t->draw, t->log_evidence(s->self));
  if (t->draw_prior)
    check_draws(s, setting, dun_evaluate_prior, t->draw_prior, 0);
}

static void test_draws(void)
{
  comparisons = 0;
  each(draws);
  if (test_context.rank == 0)
    printf("# draws: %lld comparisons, each within 5 standard errors\n", comparisons);
}

/* ---- quadrature -------------------------------------------------------------------------- */

/* The sum over a regular grid is exact to rounding for densities as smooth as Gaussians. */
static void quadrature(struct subject *s, const struct setting *setting)
{
  int narrow = strstr(setting->options, "rings") && !strstr(setting->options, "widths");
  double h = s->d == 1 ? 0.05 : narrow ? 0.04 : 0.25, sum = 0, largest = -INFINITY;
  int side = s->d == 1 ? 640 : 480, columns = s->d == 1 ? 1 : side, filled = 0;
  double expected = s->target->log_evidence ? s->target->log_evidence(s->self) : NAN;
  if (s->d > 2 || isnan(expected) || strstr(s->target->type.name, "funnel"))
    return;
  for (int i = 0; i < side * columns; i++) {
    s->x[filled] = h * (i % side - side / 2);
    if (s->d == 2)
      s->x[L + filled] = h * (i / side - side / 2);
    if (strstr(setting->options, "shift"))
      s->x[filled] -= 50, s->x[L + filled] -= 50;
    if (++filled < L)
      continue;
    filled = 0;
    dun_evaluate(&s->evaluator, L, s->x, s->lp, NULL, NULL);
    for (int l = 0; l < L; l++) {
      largest = fmax(largest, s->lp[l]);
      sum += exp(s->lp[l] - expected);
    }
  }
  CHECK(largest > expected - 10);
  CHECK_NEAR(sum * (s->d == 1 ? h : h * h), 1, 1e-10);
}

static void test_quadrature(void)
{
  each(quadrature);
}

/* ---- parameters and modes ---------------------------------------------------------------- */

static void parameters(struct subject *s, const struct setting *setting)
{
  enum { MOST = 32 };
  struct dun_parameter p[MOST + 1];
  int count = dun_evaluator_parameters(&s->evaluator, 0, NULL), total = 0;
  double *theta = dun_allocate(s->evaluator.outputs + 1, sizeof *theta);
  (void)setting;
  CHECK(count >= 1 && count <= MOST);
  memset(p, 0x5a, sizeof p);
  CHECK(dun_evaluator_parameters(&s->evaluator, count, p) == count);
  CHECK(((char *)&p[count])[0] == 0x5a); /* nothing beyond the capacity */
  for (int i = 0; i < count; i++) {
    int size = 1;
    CHECK(memchr(p[i].name, 0, sizeof p[i].name) && p[i].name[0]);
    CHECK(p[i].rank >= 0 && p[i].rank <= DUN_MAX_SHAPE);
    for (int k = 0; k < p[i].rank; k++)
      size *= p[i].shape[k];
    CHECK(size > 0);
    total += size;
    for (int k = 0; k < i; k++)
      CHECK(strcmp(p[i].name, p[k].name));
  }
  CHECK(total == s->evaluator.outputs);
  for (int j = 0; j < s->d; j++)
    s->x[j] = 0.1 * j - 1;
  theta[total] = 12345;
  dun_evaluator_constrain(&s->evaluator, s->x, theta);
  for (int i = 0; i < total; i++)
    CHECK(isfinite(theta[i]));
  CHECK(theta[total] == 12345);
  DUN_FREE(theta);
}

static void test_parameters(void)
{
  each(parameters);
}

/* Counts exact draws by the nearest centre; meant for modes that do not overlap. */
static void check_shares(struct subject *s, int count, const double *centre, const double *share)
{
  long long *hits = dun_allocate(count, sizeof *hits);
  double n = (double)TILES * L;
  for (int tile = 0; tile < TILES; tile++) {
    subject_numbers(s, tile);
    s->target->draw(s->self, s->uniform, s->normal, s->x);
    for (int l = 0; l < L; l++) {
      double least = INFINITY;
      int nearest = 0;
      for (int k = 0; k < count; k++) {
        double distance = 0;
        for (int j = 0; j < s->d; j++)
          distance +=
              pow(s->x[(size_t)j * L + l] - centre[(size_t)k * (size_t)s->d + (size_t)j], 2);
        nearest = distance < least ? k : nearest;
        least = fmin(least, distance);
      }
      hits[nearest]++;
    }
  }
  for (int k = 0; k < count; k++) {
    CHECK_NEAR((double)hits[k] / n, share[k], 5 * sqrt(share[k] * (1 - share[k]) / n) + 1e-4);
    comparisons++;
  }
  DUN_FREE(hits);
}

static void modes(struct subject *s, const struct setting *setting)
{
  int count = s->target->modes ? s->target->modes(s->self, 0, NULL, NULL, NULL) : 0;
  double *centre = dun_allocate((int64_t)count * s->d, sizeof *centre), sum = 0;
  double *share = dun_allocate(count, sizeof *share), *width = dun_allocate(count, sizeof *width);
  if (count > 0) {
    CHECK(s->target->modes(s->self, count, NULL, NULL, NULL) == count);
    CHECK(s->target->modes(s->self, count, centre, share, width) == count);
    for (int k = 0; k < count; k++) {
      CHECK(share[k] > 0 && width[k] > 0);
      sum += share[k];
    }
    CHECK_NEAR(sum, 1, 1e-12);
  }
  if (strstr(setting->options, "separation: 3") && s->target->draw)
    check_shares(s, count, centre, share);
  DUN_FREE(centre);
  DUN_FREE(share);
  DUN_FREE(width);
}

static void test_modes(void)
{
  comparisons = 0;
  each(modes);
  CHECK(comparisons > 0);
}

TEST_MAIN({"files", test_files}, {"draws", test_draws}, {"quadrature", test_quadrature},
          {"parameters", test_parameters}, {"modes", test_modes},
          {"files_removed", test_files_removed})
