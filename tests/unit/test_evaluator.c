/* ranks: 1 */
/* One density in three layouts, with a wall, a region of NaN and one of +inf, behind the
 * evaluator. */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "population/evaluator.h"
#include <xmmintrin.h>

/* ---- the density: -(x - 1)^2 / 2 in every coordinate, odd where the first one is large --- */

struct test_target {
  int d;
  int calls, points, faults;
  double largest; /* coordinate seen */
};

enum { WALL = 10, NANS = 20, PLUS = 30, ROUGH = 40 };

static double density(const struct test_target *t, int64_t stride, const double *x,
                      double *gradient)
{
  double sum = 0;
  for (int j = 0; j < t->d; j++) {
    double u = x[j * stride] - 1;
    sum -= u * u / 2;
    if (gradient)
      gradient[j * stride] = x[0] > WALL && x[0] < ROUGH ? 0 : -u;
  }
  if (gradient && x[0] > NANS)
    gradient[(t->d - 1) * stride] = NAN;
  return x[0] > ROUGH  ? sum
         : x[0] > PLUS ? INFINITY
         : x[0] > NANS ? NAN
         : x[0] > WALL ? -INFINITY
                       : sum;
}

static void look(const void *self, const double *x, int64_t stride)
{
  struct test_target *t = *(struct test_target *const *)self;
  t->points++;
  for (int j = 0; j < t->d; j++) {
    t->faults += !isfinite(x[j * stride]);
    t->largest = fmax(t->largest, x[j * stride]);
  }
}

static double point(const void *self, const double *x, double *gradient)
{
  struct test_target *t = *(struct test_target *const *)self;
  t->calls++;
  look(self, x, 1);
  t->faults += (uintptr_t)x % 64 != 0 || (uintptr_t)gradient % 64 != 0;
  return density(t, 1, x, gradient);
}

static void rows(const void *self, int n, const double *x, double *lp, double *gradient,
                 double *work)
{
  struct test_target *t = *(struct test_target *const *)self;
  t->calls++;
  t->faults += (uintptr_t)x % 64 != 0 || (uintptr_t)gradient % 64 != 0 || (uintptr_t)work % 64 != 0;
  for (int i = 0; i < 3 * DUN_LANES; i++)
    work[i] = i;
  for (int l = 0; l < n; l++) {
    look(self, x + l * t->d, 1);
    lp[l] = density(t, 1, x + l * t->d, gradient ? gradient + l * t->d : NULL);
  }
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  struct test_target *t = *(struct test_target *const *)self;
  double own[DUN_LANES * 60];
  t->calls++;
  for (int i = 0; i < 3 * DUN_LANES; i++)
    work[i] = i;
  for (int l = 0; l < DUN_LANES; l++) {
    look(self, x + l, DUN_LANES);
    double value = density(t, DUN_LANES, x + l, own + l);
    if (lp)
      lp[l] = value;
    for (int j = 0; j < t->d && gradient; j++)
      gradient[j * DUN_LANES + l] += scale[l] * own[j * DUN_LANES + l];
  }
}

static int dimension_of(const void *self)
{
  return (*(struct test_target *const *)self)->d;
}

static int three(const void *self)
{
  (void)self;
  return 3;
}

#define HEAD(name_)                                                                                \
  .type = {DUN_TYPE(struct dun_target), .name = name_}, .dimension_of = dimension_of,              \
  .work_columns = three

static const struct dun_target layouts[] = {
    {HEAD("by_point"), .point = point},
    {HEAD("by_rows"), .rows = rows},
    {HEAD("by_columns"), .columns = columns, .prior = columns},
};

/* ---- one evaluation and what it must give ------------------------------------------------ */

struct scene {
  struct test_target target, *self;
  struct dun_evaluator evaluator;
  int d, n;
  double *x, *lp, *scale, *gradient;
};

static void open_scene(struct scene *s, const struct dun_target *layout, int d, int n)
{
  *s = (struct scene){.target = {.d = d}, .d = d, .n = n};
  s->self = &s->target;
  CHECK(dun_evaluator_init(&s->evaluator, layout, &s->self) == 0);
  CHECK(s->evaluator.dimension == d);
  s->x = dun_allocate(d * DUN_LANES, sizeof *s->x);
  s->gradient = dun_allocate(d * DUN_LANES, sizeof *s->gradient);
  s->lp = dun_allocate(DUN_LANES, sizeof *s->lp);
  s->scale = dun_allocate(DUN_LANES, sizeof *s->scale);
  for (int l = 0; l < DUN_LANES; l++) {
    s->scale[l] = .5 + .125 * l;
    s->lp[l] = 12345;
    for (int j = 0; j < d; j++) {
      int i = l < n ? l : 0;
      s->x[j * DUN_LANES + l] = sin(i * 1.7 + j * j);
      s->gradient[j * DUN_LANES + l] = l - 3 * j;
    }
  }
}

static void set_first(struct scene *s, int lane, double value)
{
  for (int l = 0; l < DUN_LANES; l++)
    if (l == lane || (lane == 0 && l >= s->n))
      s->x[l] = value;
}

static void close_scene(struct scene *s)
{
  CHECK(s->target.faults == 0);
  DUN_FREE(s->x);
  DUN_FREE(s->gradient);
  DUN_FREE(s->lp);
  DUN_FREE(s->scale);
  dun_evaluator_free(&s->evaluator);
  dun_evaluator_free(&s->evaluator);
}

static int point_finite(const struct scene *s, int lane)
{
  int finite = 1;
  for (int j = 0; j < s->d; j++)
    finite &= isfinite(s->x[j * DUN_LANES + lane]) != 0;
  return finite;
}

/* Checks lane by lane; `added` says whether a gradient was asked for, `zeroed` what a target by
 * columns may leave where it adds numbers that are not finite. */
static void check_scene(const struct scene *s, int lp, int added, int zeroed)
{
  double own[60];
  for (int l = 0; l < DUN_LANES; l++) {
    double point_[60];
    for (int j = 0; j < s->d; j++)
      point_[j] = s->x[j * DUN_LANES + l];
    double value = density(&s->target, 1, point_, own);
    int inside = point_finite(s, l) && isfinite(value), odd = !isfinite(own[s->d - 1]);
    if (lp)
      CHECK(inside ? fabs(s->lp[l] - value) <= 1e-12 * fabs(value) : s->lp[l] == -INFINITY);
    else
      CHECK(s->lp[l] == 12345);
    for (int j = 0; j < s->d; j++) {
      double before = l - 3 * j, found = s->gradient[j * DUN_LANES + l];
      double step = added && inside && !odd ? s->scale[l] * own[j] : 0;
      if (added && odd && zeroed && point_finite(s, l))
        CHECK(found == 0);
      else
        CHECK_NEAR(found, before + step, 1e-13 * (1 + fabs(before) + fabs(step)));
    }
  }
}

static void evaluate(struct scene *s, int lp, int gradient)
{
  dun_evaluate(&s->evaluator, s->n, s->x, lp ? s->lp : NULL, gradient ? s->scale : NULL,
               gradient ? s->gradient : NULL);
  check_scene(s, lp, gradient, s->evaluator.target->columns != NULL);
}

static int by_columns(int k)
{
  return layouts[k].columns != NULL;
}

/* ---- tests ------------------------------------------------------------------------------- */

static void layouts_agree(void)
{
  const int numbers[] = {1, 2, 7, 8, 32, 33, 37, 63, 64}, dimensions[] = {1, 2, 3, 4, 8, 10, 51};
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 9; i++)
      for (int j = 0; j < 7; j++)
        for (int wanted = 1; wanted < 4; wanted++) {
          struct scene s;
          open_scene(&s, &layouts[k], dimensions[j], numbers[i]);
          evaluate(&s, wanted & 1, wanted & 2);
          CHECK(s.evaluator.evaluations == numbers[i] && s.evaluator.nans == 0);
          CHECK(s.target.points == (by_columns(k) ? DUN_LANES : numbers[i]));
          close_scene(&s);
        }
}

/* Outside the wall, NaN, +inf and a gradient of NaN, in some lanes, and in lane 0, which others
 * repeat. */
static void outside(void)
{
  const double places[] = {WALL + 1, NANS + 1, PLUS + 1, ROUGH + 1};
  for (int k = 0; k < 3; k++)
    for (int p = 0; p < 4; p++)
      for (int lane = 0; lane < 40; lane += 13)
        for (int wanted = 1; wanted < 4; wanted++) {
          struct scene s;
          open_scene(&s, &layouts[k], 5, 40);
          set_first(&s, lane, places[p]);
          set_first(&s, 5, places[p]);
          evaluate(&s, wanted & 1, wanted & 2);
          /* by columns, the gradient is known to be odd only beside its log density */
          int density_counts = wanted & 1 && (p == 1 || p == 2);
          int gradient_counts = wanted & 2 && p == 3 && (wanted & 1 || !by_columns(k));
          CHECK(s.evaluator.nans == (density_counts || gradient_counts ? 2 : 0));
          close_scene(&s);
        }
}

/* Points that are not finite: no target sees them, and no NaN is counted. */
static void points_diverged(void)
{
  const double odd[] = {NAN, INFINITY, -INFINITY};
  for (int k = 0; k < 3; k++)
    for (int p = 0; p < 3; p++)
      for (int all = 0; all < 2; all++)
        for (int wanted = 1; wanted < 4; wanted++) {
          struct scene s;
          open_scene(&s, &layouts[k], 6, 50);
          for (int l = 0; l < DUN_LANES; l++)
            if (all || l == 0 || l == 17 || l >= 50)
              s.x[l % 6 * DUN_LANES * (l < 50) + l] = odd[p];
          evaluate(&s, wanted & 1, wanted & 2);
          CHECK(s.evaluator.nans == 0 && s.evaluator.evaluations == 50);
          CHECK(s.target.calls == (layouts[k].point ? 50 : 1));
          close_scene(&s);
        }
}

/* The point that stands in for a diverged one may be odd itself: it is counted once. */
static void diverged_and_nan(void)
{
  for (int k = 0; k < 3; k++) {
    struct scene s;
    open_scene(&s, &layouts[k], 2, 64);
    set_first(&s, 0, NANS + 1);
    set_first(&s, 9, NAN);
    dun_evaluate(&s.evaluator, 64, s.x, s.lp, s.scale, s.gradient);
    CHECK(s.lp[0] == -INFINITY && s.lp[9] == -INFINITY && s.evaluator.nans == 1);
    for (int i = 0; i < 2 * DUN_LANES; i++)
      CHECK(isfinite(s.gradient[i]));
    CHECK(s.gradient[1] != 1 && s.gradient[63] != 63);
    close_scene(&s);
  }
}

/* Finite numbers whose sum is not: the target sees them as they are. */
static void large_points(void)
{
  for (int k = 0; k < 3; k++) {
    struct scene s;
    open_scene(&s, &layouts[k], 3, 64);
    for (int l = 0; l < DUN_LANES; l++)
      s.x[DUN_LANES + l] = 1.7e308;
    dun_evaluate(&s.evaluator, 64, s.x, s.lp, s.scale, s.gradient);
    CHECK(s.target.largest == 1.7e308 && s.evaluator.nans == 0);
    for (int l = 0; l < DUN_LANES; l++)
      CHECK(s.lp[l] == -INFINITY && isfinite(s.gradient[DUN_LANES + l]));
    close_scene(&s);
  }
}

/* ---- foreign code that leaves the control register in disorder --------------------------- */

static double disorder(const void *self, const double *x, double *gradient)
{
  _mm_setcsr(_mm_getcsr() | 0x8040 | 0x6000); /* flush to zero, denormals are zero, truncate */
  return point(self, x, gradient);
}

static void disorder_rows(const void *self, int n, const double *x, double *lp, double *gradient,
                          double *work)
{
  _mm_setcsr(_mm_getcsr() | 0x8040 | 0x6000);
  rows(self, n, x, lp, gradient, work);
}

static void disorder_columns(const void *self, const double *x, double *lp, const double *scale,
                             double *gradient, double *work)
{
  _mm_setcsr(_mm_getcsr() | 0x8040 | 0x6000);
  columns(self, x, lp, scale, gradient, work);
}

static void disorder_constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  _mm_setcsr(_mm_getcsr() | 0x8040 | 0x6000);
  theta[0] = x[0];
}

static int disorder_parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  _mm_setcsr(_mm_getcsr() | 0x8040 | 0x6000);
  if (capacity > 0)
    *parameter = (struct dun_parameter){.name = "theta"};
  return 1;
}

static void control_register(void)
{
  const struct dun_target targets[] = {
      {HEAD("p"), .point = disorder, .constrain = disorder_constrain},
      {HEAD("r"), .rows = disorder_rows, .parameters = disorder_parameters,
       .constrain = disorder_constrain},
      {HEAD("c"), .columns = disorder_columns, .prior = disorder_columns},
  };
  for (int k = 0; k < 3; k++) {
    struct scene s;
    unsigned before = _mm_getcsr() & ~0x3fu;
    double theta[4] = {0};
    open_scene(&s, &targets[k], 4, 37);
    CHECK((_mm_getcsr() & ~0x3fu) == before);
    dun_evaluate(&s.evaluator, 37, s.x, s.lp, s.scale, s.gradient);
    CHECK((_mm_getcsr() & ~0x3fu) == before);
    dun_evaluator_constrain(&s.evaluator, s.x, theta);
    CHECK((_mm_getcsr() & ~0x3fu) == before && theta[0] == s.x[0]);
    if (k == 2)
      dun_evaluate_prior(&s.evaluator, 37, s.x, s.lp, NULL, NULL);
    CHECK((_mm_getcsr() & ~0x3fu) == before);
    close_scene(&s);
  }
}

static void prior(void)
{
  for (int wanted = 1; wanted < 4; wanted++) {
    struct scene s;
    open_scene(&s, &layouts[2], 7, 20);
    set_first(&s, 3, NANS + 1);
    set_first(&s, 8, INFINITY);
    dun_evaluate_prior(&s.evaluator, 20, s.x, wanted & 1 ? s.lp : NULL, s.scale,
                       wanted & 2 ? s.gradient : NULL);
    check_scene(&s, wanted & 1, wanted & 2, 1);
    CHECK(s.evaluator.evaluations == 0 && s.evaluator.nans == (wanted & 1));
    close_scene(&s);
  }
}

/* ---- set-up ------------------------------------------------------------------------------ */

static void refused(struct dun_target target, const char *word)
{
  struct test_target own = {.d = 2}, *self = &own;
  struct dun_evaluator e;
  int64_t before = dun_memory_in_use();
  target.type.name = "odd";
  CHECK(dun_evaluator_init(&e, &target, &self) == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), word) && strstr(dun_error_text(), "odd"));
  dun_evaluator_free(&e);
  CHECK(dun_memory_in_use() == before);
}

static int minus_one(const void *self)
{
  (void)self;
  return -1;
}

static void tables_refused(void)
{
  refused((struct dun_target){.point = point}, "dimension 0");
  refused((struct dun_target){.dimension = -3, .point = point}, "dimension -3");
  refused((struct dun_target){.dimension = 1000001, .point = point}, "1000000");
  refused((struct dun_target){.dimension_of = minus_one, .point = point}, "dimension -1");
  refused((struct dun_target){.dimension = 2}, "0 of the functions");
  refused((struct dun_target){.dimension = 2, .point = point, .rows = rows}, "2 of the functions");
  refused((struct dun_target){.dimension = 2, .rows = rows, .work_columns = minus_one}, "scratch");
}

static struct dun_parameter listed[3];
static int listed_count;

static int list(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  for (int i = 0; i < capacity && i < listed_count; i++)
    parameter[i] = listed[i];
  return listed_count;
}

static void constrain(const void *self, const double *x, double *theta)
{
  (void)self;
  for (int i = 0; i < 14; i++)
    theta[i] = x[0] + i * x[1];
}

static void restore_list(void)
{
  listed_count = 3;
  listed[0] = (struct dun_parameter){.name = "mu"};
  listed[1] = (struct dun_parameter){.name = "L", .rank = 2, .shape = {3, 4}};
  listed[2] = (struct dun_parameter){.name = "z", .rank = 1, .shape = {1}};
}

static void parameters(void)
{
  const struct dun_target own = {HEAD("own"), .point = point, .parameters = list,
                                 .constrain = constrain};
  struct scene s;
  struct dun_parameter found[4];
  double x[2] = {1, .5}, theta[14];
  restore_list();
  open_scene(&s, &own, 2, 1);
  CHECK(dun_evaluator_parameters(&s.evaluator, 0, NULL) == 3);
  CHECK(dun_evaluator_parameters(&s.evaluator, 4, found) == 3 && !strcmp(found[1].name, "L"));
  CHECK(s.evaluator.outputs == 14);
  dun_evaluator_constrain(&s.evaluator, x, theta);
  CHECK(theta[0] == 1 && theta[13] == 7.5);
  close_scene(&s);
  open_scene(&s, &layouts[0], 2, 1);
  CHECK(dun_evaluator_parameters(&s.evaluator, 0, NULL) == 1);
  CHECK(dun_evaluator_parameters(&s.evaluator, 4, found) == 1);
  CHECK(!strcmp(found[0].name, "x") && found[0].rank == 1 && found[0].shape[0] == 2);
  CHECK(s.evaluator.outputs == 2);
  dun_evaluator_constrain(&s.evaluator, x, theta);
  CHECK(theta[0] == 1 && theta[1] == .5);
  close_scene(&s);
}

static void parameters_refused(void)
{
  struct dun_target own = {HEAD("own"), .point = point, .parameters = list, .constrain = constrain};
  restore_list();
  listed_count = 0;
  refused(own, "0 output parameters");
  restore_list();
  listed[1].name[0] = 0;
  refused(own, "parameter 2 of target odd has no name");
  memset(listed[1].name, 'n', sizeof listed[1].name);
  refused(own, "without an end");
  strcpy(listed[1].name, "a/b");
  refused(own, "slash");
  strcpy(listed[1].name, "mu");
  refused(own, "are called");
  restore_list();
  listed[2].rank = 3;
  refused(own, "parameter 3 of target odd has a rank");
  restore_list();
  listed[1].shape[1] = 0;
  refused(own, "below 1");
  listed[1].shape[0] = listed[1].shape[1] = 2000000000;
  refused(own, "too large");
  restore_list();
  static const char *label[] = {"a", "b", ""}, *const bad[] = {NULL, "", "\xff", "a\tb"};
  listed[1].label = label;
  for (int i = 0; i < 4; i++) {
    label[2] = bad[i];
    refused(own, i < 2 ? "a label that is missing" : "a label that is no text");
  }
  listed[0].label = label;
  refused(own, "labels but no axis");
  restore_list();
  own.constrain = NULL;
  refused(own, "constrain");
  listed_count = 1;
  listed[0] = (struct dun_parameter){.name = "v", .rank = 1, .shape = {2}};
  struct test_target target = {.d = 2}, *self = &target;
  struct dun_evaluator e;
  CHECK(dun_evaluator_init(&e, &own, &self) == 0);
  dun_evaluator_free(&e);
}

/* ---- lattices ---------------------------------------------------------------------------- */

static int told_axes, told_size[3];

static int lattice(const void *self, int *axes, int size[3])
{
  (void)self;
  *axes = told_axes;
  memcpy(size, told_size, sizeof told_size);
  return told_axes < 0 ? -1 : 0;
}

/* Of a target in 12 dimensions. */
static int asked(const struct dun_target *layout, int size[3])
{
  struct test_target own = {.d = 12}, *self = &own;
  struct dun_evaluator e;
  int axes = 0;
  CHECK(dun_evaluator_init(&e, layout, &self) == 0);
  int status = dun_evaluator_lattice(&e, &axes, size);
  CHECK(status < 0 || axes == told_axes);
  dun_evaluator_free(&e);
  return status;
}

static void lattices(void)
{
  static const struct {
    int axes, size[3], fits;
  } c[] = {
      {1, {12, 7, 7}, 1},  {2, {3, 4, 0}, 1}, {3, {2, 3, 2}, 1}, {3, {2, 3, 3}, 0},
      {2, {-3, -4, 1}, 0}, {0, {12}, 0},      {4, {12}, 0},      {2, {2000000000, 2000000000}, 0},
      {1, {0}, 0},         {-1, {12}, 0},
  };
  struct dun_target own = layouts[0];
  int size[3];
  CHECK(asked(&own, size) == DUN_ERROR_INPUT && strstr(dun_error_text(), "no field on a lattice"));
  own.lattice = lattice;
  for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
    told_axes = c[i].axes;
    memcpy(told_size, c[i].size, sizeof told_size);
    CHECK(asked(&own, size) == (c[i].fits ? 0 : DUN_ERROR_INPUT));
    CHECK(!c[i].fits || size[0] * size[1] * size[2] == 12);
    CHECK(c[i].fits || strstr(dun_error_text(), "lattice"));
  }
}

/* Two evaluations of a piece of work, from the same numbers each time: one that is made again asks
 * for what is not known only, and comes to the same. */
static void do_piece(struct scene *s, const struct scene *first, double *out)
{
  size_t block = (size_t)s->d * DUN_LANES * sizeof(double), lanes = DUN_LANES * sizeof(double);
  memcpy(s->gradient, first->gradient, block);
  dun_evaluate(&s->evaluator, s->n, s->x, s->lp, s->scale, s->gradient);
  memcpy(out, s->lp, lanes);
  dun_evaluate(&s->evaluator, s->n, s->x, s->lp, s->scale, NULL);
  memcpy(out + DUN_LANES, s->lp, lanes);
  memcpy(out + 2 * DUN_LANES, s->gradient, block);
}

static void answers_are_kept(void)
{
  enum { D = 3, N = 5, ROOM = (2 + D) * DUN_LANES };
  static const int calls[] = {2 * N, 2, 2}, left[] = {N + 1, 2, 1};
  double out[ROOM], again[ROOM];
  for (int k = 0; k < 3; k++) {
    struct scene s, first;
    struct dun_answers *answers = &s.evaluator.answers;
    open_scene(&s, &layouts[k], D, N);
    open_scene(&first, &layouts[k], D, N);
    set_first(&s, 2, WALL + 1);
    dun_answers_begin(answers, 1 << 20, 0, NULL);
    do_piece(&s, &first, out);
    CHECK(s.target.calls == calls[k] && dun_answers_ended(answers));
    int64_t count = answers->count;
    double *known = dun_allocate(count, sizeof *known);
    memcpy(known, answers->value, (size_t)count * sizeof *known);
    dun_answers_begin(answers, 1 << 20, count, known);
    do_piece(&s, &first, again);
    CHECK(s.target.calls == calls[k] && !memcmp(out, again, sizeof out));
    /* Cut in the midst of an answer: of the fifth point, of all rows, of the second evaluation. */
    dun_answers_begin(answers, 1 << 20, k < 2 ? N * (D + 1) - 1 : count - 1, known);
    do_piece(&s, &first, again);
    CHECK(s.target.calls == calls[k] + left[k] && !memcmp(out, again, sizeof out));
    CHECK(answers->count == count && !memcmp(known, answers->value, (size_t)count * sizeof *known));
    dun_answers_begin(answers, D + 1, 0, NULL); /* room for the first point alone */
    do_piece(&s, &first, again);
    CHECK(!memcmp(out, again, sizeof out) && answers->count == (k == 0 ? D + 1 : 0));
    dun_free(known);
    close_scene(&s);
    close_scene(&first);
  }
}

TEST_MAIN({"layouts_agree", layouts_agree}, {"outside", outside},
          {"points_diverged", points_diverged}, {"diverged_and_nan", diverged_and_nan},
          {"large_points", large_points}, {"control_register", control_register}, {"prior", prior},
          {"tables_refused", tables_refused}, {"parameters", parameters},
          {"parameters_refused", parameters_refused}, {"lattices", lattices},
          {"answers_are_kept", answers_are_kept})
