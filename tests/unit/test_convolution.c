/* Convolutions on grids against closed forms; local tables at any number of ranks, distributed ones
 * against local ones. */
/* ranks: 1 2 3 */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "convolution_case.h"
#include "parallel/available.h"

static const double NO_CENTER[3] = {0, 0, 0};

/* ---- accuracy ---------------------------------------------------------------------------- */

/* Checks D13 and D15: 16 modes {-15, -5, 5, 15}^2 of weights 1 to 16 and sd 1 in a box of
 * half-width 21; limits are about 1.5 times the errors that an independent implementation found. */
static void test_errors_of_scores(void)
{
  static const struct {
    int64_t cells;
    double pad, tau, least, most;
  } row[] = {
      {64, 4, 1, 0, 4e-2},   {64, 4, 3, 0, 1.4e-2},   {64, 4, 10, 0, 2e-4},
      {128, 4, .3, 0, 3e-3}, {128, 4, 1, 0, 1.5e-2},  {128, 4, 3, 0, 3.5e-3},
      {128, 4, 10, 0, 1e-4}, {256, 4, 10, 0, 1.5e-5}, {128, 2, 10, 1e-2, .2},
      {128, 1, .3, 0, 3e-3}, {128, 1, 3, .5, 1.2},
  };
  struct dun_mixture modes;
  struct dun_convolution c = {.tau = 0};
  case_grid_of_modes(&modes, 15, 1);
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    CHECK(case_open(&c, &modes, NO_CENTER, 21, row[i].cells, row[i].pad, 0, 0) == 0);
    CHECK(dun_convolution_level(&test_context, &c, row[i].tau) == 0);
    struct case_errors errors = case_errors_of(&c, &modes, 64);
    if (test_context.rank == 0)
      printf("# n %lld pad %g tau %g: score %.2e log density %.2e\n", (long long)row[i].cells,
             row[i].pad, row[i].tau, errors.score, errors.log_density);
    CHECK(errors.score <= row[i].most);
    CHECK(errors.score >= row[i].least);
    dun_convolution_free(&c);
  }
  dun_mixture_free(&modes);
}

/* ---- closed forms in one, two and three dimensions ---------------------------------------- */

static const double CENTER[3] = {7, -40, 300};
static const int64_t CELLS[4] = {0, 160, 128, 48};

static void check_moments(const struct dun_convolution *c, const struct dun_mixture *mixture)
{
  int d = c->grid.dimension;
  double weight = 0, cut = d == 3 ? 3e-6 : 1e-8; /* by the box */
  for (int k = 0; k < mixture->components; k++)
    weight += mixture->weight[k];
  CHECK_NEAR(c->log_evidence, 1.7, cut);
  CHECK(c->edge >= 0 && c->edge < cut);
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      double mean[2] = {0}, second = 0;
      for (int k = 0; k < mixture->components; k++) {
        double share = mixture->weight[k] / weight, s = mixture->deviation[k];
        double x = mixture->mean[k * d + a] - CENTER[a], y = mixture->mean[k * d + b] - CENTER[b];
        mean[0] += share * x;
        mean[1] += share * y;
        second += share * (x * y + (a == b ? s * s : 0));
      }
      CHECK_NEAR(c->mean[a] - CENTER[a], mean[0], cut);
      CHECK_NEAR(c->covariance[a * d + b], second - mean[0] * mean[1], cut);
    }
}

/* Cells of .4 of the smallest deviation or less; tau as far as the padding allows. */
static void test_closed_forms(void)
{
  for (int d = 1; d <= 3; d++) {
    struct dun_mixture mixture;
    struct dun_convolution c;
    case_scattered(&mixture, d, CENTER);
    CHECK(case_open(&c, &mixture, CENTER, d == 3 ? 4.5 : 6, CELLS[d], 2.6, 0, 0) == 0);
    check_moments(&c, &mixture);
    double most = dun_grid_largest_tau(&c.grid), tau[] = {.3, 1, most};
    for (int i = 0; i < 3; i++) {
      CHECK(dun_convolution_level(&test_context, &c, tau[i]) == 0);
      struct case_errors errors = case_errors_of(&c, &mixture, 32);
      if (test_context.rank == 0)
        printf("# d %d tau %g: score %.2e log density %.2e\n", d, tau[i], errors.score,
               errors.log_density);
      CHECK(errors.score <= (d == 3 ? 2e-2 : 5e-3));
      CHECK(errors.log_density <= (d == 3 ? 4e-4 : 4e-5));
    }
    dun_convolution_free(&c);
    dun_convolution_free(&c);
    dun_mixture_free(&mixture);
  }
}

/* A single Gaussian: beyond the domain everything is exact, up to the clamp. */
static void test_beyond_the_domain(void)
{
  _Alignas(64) double y[2 * L], mean[2 * L], lp[L], exact[L], work[CASE_WORK * L];
  struct dun_mixture one, law;
  struct dun_convolution c;
  CHECK(dun_mixture_init(&one, 2, 1) == 0);
  one.mean[0] = .5;
  one.mean[1] = -.25;
  one.weight[0] = one.deviation[0] = 1;
  CHECK(dun_mixture_set(&one) == 0);
  CHECK(case_open(&c, &one, NO_CENTER, 8, 64, 2, 0, 0) == 0);
  CHECK(dun_convolution_level(&test_context, &c, 1.5) == 0);
  case_convolved(&law, &one, 1.5);
  for (int l = 0; l < L; l++) {
    y[l] = 17 + l;
    y[L + l] = l % 2 ? 4 : -30 - l;
  }
  y[L - 1] = NAN;
  y[L - 2] = INFINITY;
  y[L - 3] = 1e300;
  dun_convolution_evaluate(&c, y, mean, lp);
  dun_mixture_evaluate(&law, y, exact, NULL, NULL, work);
  for (int l = 0; l < L - 3; l++) {
    for (int a = 0; a < 2; a++) {
      double e = one.mean[a] + (y[a * L + l] - one.mean[a]) / (1 + 1.5 * 1.5);
      CHECK_NEAR(mean[a * L + l], e > 8 ? 8 : e < -8 ? -8 : e, 1e-6);
    }
    CHECK_NEAR(lp[l], exact[l], 1e-6 * fabs(exact[l]));
  }
  for (int i = 0; i < 2 * L; i++)
    CHECK(fabs(mean[i]) <= 8);
  dun_convolution_free(&c);
  dun_mixture_free(&one);
  dun_mixture_free(&law);
}

/* Far from all mass, inside the domain: E is the point, clamped to the box, and the log density
 * falls off outside of it only. */
static void test_where_nothing_is(void)
{
  _Alignas(64) double y[2 * L], mean[2 * L], lp[L];
  struct dun_mixture modes;
  struct dun_convolution c;
  case_grid_of_modes(&modes, 15, .5);
  CHECK(case_open(&c, &modes, NO_CENTER, 21, 128, 2, 0, 0) == 0);
  CHECK(dun_convolution_level(&test_context, &c, .25) == 0);
  for (int l = 0; l < L; l++) {
    y[l] = l % 2 ? 0 : 21 + .3 * (l + 1);
    y[L + l] = .01 * l;
  }
  dun_convolution_evaluate(&c, y, mean, lp);
  for (int l = 0; l < L; l++) {
    CHECK_NEAR(mean[l], l % 2 ? 0 : 21, 1e-12);
    CHECK_NEAR(mean[L + l], .01 * l, 1e-12);
    if (l % 2 == 0 && l >= 2) /* a cell and more from the edge: exact for a Gaussian's tail */
      CHECK_NEAR(lp[l] - lp[1], -.5 * (y[l] - 21) * (y[l] - 21) / (.25 * .25), 1e-9 * fabs(lp[l]));
  }
  dun_convolution_free(&c);
  dun_mixture_free(&modes);
}

/* ---- ranks ------------------------------------------------------------------------------- */

/* Rows without what pads them. */
static int64_t different(const struct dun_convolution *a, const struct dun_convolution *b)
{
  int64_t count = 0;
  for (int f = 0; f <= a->grid.dimension; f++)
    for (int64_t i = 0; i < a->fft.block; i++)
      count += i % a->fft.row < a->grid.points &&
               memcmp(a->table[f] + i, b->table[f] + i, sizeof(double)) != 0;
  return count;
}

/* One rank alone, ranks with tables of their own, in pairs, and all together: the same bits. */
static void test_bits_of_local_tables(void)
{
  struct dun_context alone;
  CHECK(dun_context_init(&alone, MPI_COMM_SELF, DUN_WARNINGS) == 0);
  for (int d = 1; d <= 3; d++) {
    double half_width[3] = {5, 4.5, 6};
    struct dun_mixture mixture;
    struct dun_convolution one, all;
    struct dun_grid grid;
    struct dun_density density = {case_density, &mixture};
    case_scattered(&mixture, d, CENTER);
    CHECK(dun_grid_init(&grid, d, CENTER, half_width, d == 3 ? 21 : 90, 1.9) == 0);
    CHECK(dun_convolution_init(&alone, &one, &grid, (struct dun_convolution_options){0}, density) ==
          0);
    CHECK(dun_convolution_level(&alone, &one, .7) == 0);
    for (int share = 0; share <= 2; share++) {
      CHECK(dun_convolution_init(&test_context, &all, &grid,
                                 (struct dun_convolution_options){.share = share}, density) == 0);
      CHECK(share == 0 || all.node.size <= share);
      CHECK(dun_convolution_level(&test_context, &all, 2) == 0);
      CHECK(dun_convolution_level(&test_context, &all, .7) == 0);
      CHECK(different(&one, &all) == 0);
      CHECK(memcmp(one.mean, all.mean, sizeof all.mean) == 0);
      CHECK(memcmp(one.covariance, all.covariance, sizeof all.covariance) == 0);
      CHECK(memcmp(&one.log_evidence, &all.log_evidence, sizeof(double)) == 0);
      CHECK(memcmp(one.gain, all.gain, sizeof all.gain) == 0);
      dun_convolution_free(&all);
    }
    dun_convolution_free(&one);
    dun_mixture_free(&mixture);
  }
  dun_context_free(&alone);
}

static void test_distributed(void)
{
  static const struct {
    int d;
    int64_t cells;
    double pad, tau;
  } row[] = {{2, 60, 2, .8}, {2, 64, 1.5, .2}, {3, 20, 2, .8}, {3, 15, 1, .5}, {2, 2, 1, 2}};
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    struct dun_mixture mixture;
    struct dun_convolution local, slabs;
    case_scattered(&mixture, row[i].d, CENTER);
    CHECK(case_open(&local, &mixture, CENTER, 4, row[i].cells, row[i].pad, 0, 0) == 0);
    CHECK(case_open(&slabs, &mixture, CENTER, 4, row[i].cells, row[i].pad, 1, 0) == 0);
    CHECK(dun_convolution_level(&test_context, &local, row[i].tau) == 0);
    CHECK(dun_convolution_level(&test_context, &slabs, row[i].tau) == 0);
    CHECK(memcmp(&local.log_evidence, &slabs.log_evidence, sizeof(double)) == 0);
    CHECK(memcmp(local.mean, slabs.mean, sizeof local.mean) == 0);
    CHECK(memcmp(local.covariance, slabs.covariance, sizeof local.covariance) == 0);
    case_compare_tables(&local, &slabs);
    case_compare_rows(&local, &slabs, &mixture, 700 * test_context.rank);
    dun_convolution_free(&local);
    dun_convolution_free(&slabs);
    dun_mixture_free(&mixture);
  }
}

/* More points than one round takes, on the last rank; local rows are what columns give. */
static void test_many_rows(void)
{
  enum { MANY = 70000 };
  struct dun_mixture mixture;
  struct dun_convolution local, slabs;
  _Alignas(64) double y[2 * L], mean[2 * L], lp[L], rows[2 * L], row_mean[2 * L], row_lp[L];
  case_scattered(&mixture, 2, CENTER);
  CHECK(case_open(&local, &mixture, CENTER, 4, 40, 2, 0, 0) == 0);
  CHECK(case_open(&slabs, &mixture, CENTER, 4, 40, 2, 1, 0) == 0);
  CHECK(dun_convolution_level(&test_context, &local, .6) == 0);
  CHECK(dun_convolution_level(&test_context, &slabs, .6) == 0);
  case_compare_rows(&local, &slabs, &mixture,
                    test_context.rank == test_context.size - 1 ? MANY : 3);
  case_points(&mixture, 1, y);
  case_rows(2, y, rows);
  dun_convolution_evaluate(&local, y, mean, lp);
  dun_convolution_evaluate_rows(&test_context, &local, L, rows, row_mean, row_lp);
  case_rows(2, mean, rows);
  CHECK(memcmp(rows, row_mean, sizeof rows) == 0);
  CHECK(memcmp(lp, row_lp, sizeof lp) == 0);
  dun_convolution_free(&local);
  dun_convolution_free(&slabs);
  dun_mixture_free(&mixture);
}

/* ---- what is refused --------------------------------------------------------------------- */

static int refused(const char *word)
{
  if (!strstr(dun_error_text(), word))
    fprintf(stderr, "no \"%s\" in: %s\n", word, dun_error_text());
  return strstr(dun_error_text(), word) != NULL;
}

static void flat(void *data, int n, const double *x, double *lp)
{
  (void)n;
  (void)x;
  for (int l = 0; l < L; l++)
    lp[l] = *(const double *)data;
}

/* A NaN in half of the box. */
static void half_flat(void *data, int n, const double *x, double *lp)
{
  (void)n;
  (void)data;
  for (int l = 0; l < L; l++)
    lp[l] = x[l] > 0 ? 3 : NAN;
}

static void test_refusals(void)
{
  const double width[3] = {1, 1, 1};
  struct dun_convolution c;
  struct dun_grid grid;
  double value = -INFINITY;
  struct dun_density density = {flat, &value};
  const struct dun_convolution_options local = {0}, slabs = {.distributed = 1};
  CHECK(dun_grid_init(&grid, 3, NO_CENTER, width, 6000, 4) == 0);
  CHECK(dun_convolution_init(&test_context, &c, &grid, local, density) == DUN_ERROR_MEMORY);
  CHECK(refused("on each node") && refused("cells along an axis would fit"));
  dun_convolution_free(&c);
  CHECK(dun_convolution_init(&test_context, &c, &grid, slabs, density) == DUN_ERROR_MEMORY);
  CHECK(refused("on each rank"));
  dun_convolution_free(&c);
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, width, 8, 2) == 0);
  CHECK(dun_convolution_init(&test_context, &c, &grid, local, density) == DUN_ERROR_NUMERIC);
  CHECK(refused("-inf at the centres of all 8 cells"));
  dun_convolution_free(&c);
  value = INFINITY;
  CHECK(dun_convolution_init(&test_context, &c, &grid, slabs, density) == DUN_ERROR_NUMERIC);
  CHECK(refused("+inf"));
  dun_convolution_free(&c);
  density = (struct dun_density){half_flat, NULL};
  CHECK(dun_convolution_init(&test_context, &c, &grid, local, density) == 0);
  CHECK_NEAR(c.log_evidence, 3 + log(2), 1e-14);
  CHECK_NEAR(c.mean[0], .5, 1e-14);
  CHECK_NEAR(c.edge, 14. / 32, 1e-14); /* of 4 × 8 cells: the last 8, and both ends of 3 others */
  CHECK(dun_convolution_level(&test_context, &c, 0) == DUN_ERROR_NUMERIC);
  CHECK(dun_convolution_level(&test_context, &c, NAN) == DUN_ERROR_NUMERIC);
  CHECK(dun_convolution_level(&test_context, &c, 1) == 0);
  dun_convolution_free(&c);
  dun_convolution_free(&c);
}

static void test_sizes_that_fit(void)
{
  const double width[3] = {1, 1, 1};
  struct dun_convolution c;
  struct dun_grid grid;
  double value = 0;
  long long cells = 0;
  struct dun_density density = {flat, &value};
  CHECK(dun_grid_init(&grid, 3, NO_CENTER, width, 3000, 3) == 0);
  CHECK(dun_convolution_init(&test_context, &c, &grid, (struct dun_convolution_options){0},
                             density) == DUN_ERROR_MEMORY);
  dun_convolution_free(&c);
  const char *at = strstr(dun_error_text(), "at most ");
  CHECK(at && sscanf(at, "at most %lld cells", &cells) == 1);
  CHECK(cells > 30 && cells < 3000);
  CHECK(dun_grid_init(&grid, 3, NO_CENTER, width, cells, 3) == 0);
  double gib = (double)dun_convolution_bytes(&grid, 0, 1) / 0x1p30;
  double have = (double)dun_memory_available() / 0x1p30;
  CHECK(gib < have + 1 && gib > .6 * have - 3); /* others take and give meanwhile */
}

/* No room where MPI keeps shared memory: told before MPI, which would hang, is asked. */
static void test_no_shared_memory(void)
{
  const double width[3] = {1, 1, 1};
  struct dun_convolution c;
  struct dun_grid grid;
  double value = 0;
  struct dun_density density = {flat, &value};
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, width, 8, 2) == 0);
  setenv("OMPI_MCA_osc_sm_backing_directory", "/proc", 1);
  int status =
      dun_convolution_init(&test_context, &c, &grid, (struct dun_convolution_options){0}, density);
  unsetenv("OMPI_MCA_osc_sm_backing_directory");
  CHECK(status == (test_context.size > 1 ? DUN_ERROR_MEMORY : 0));
  CHECK(status == 0 || refused("/proc has room for 0"));
  dun_convolution_free(&c);
}

/* ---- the grid ---------------------------------------------------------------------------- */

static void test_grid_is_refused(void)
{
  const double center[2] = {0, 1e20}, width[2] = {1, 1};
  struct dun_grid grid;
  CHECK(dun_grid_init(&grid, 4, NO_CENTER, width, 8, 2) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 0, NO_CENTER, width, 8, 2) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 2, center, width, 8, 2) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, NO_CENTER, 8, 2) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, width, 1, 2) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, width, 8, .9) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, width, 8, NAN) == DUN_ERROR_INPUT);
  CHECK(dun_grid_init(&grid, 2, NO_CENTER, width, INT64_MAX, 1) == DUN_ERROR_INPUT);
}

static void test_friendly_sizes(void)
{
  static const int64_t n[][2] = {{1, 1},   {2, 2},   {7, 8},     {11, 12},   {13, 15},
                                 {31, 32}, {49, 50}, {121, 125}, {127, 128}, {513, 540}};
  for (size_t i = 0; i < sizeof n / sizeof *n; i++)
    CHECK(dun_grid_friendly(n[i][0]) == n[i][1]);
}

/* Each cell of the box once, whatever the planes. */
static void test_pieces(void)
{
  static const int64_t cells[] = {2, 64, 65, 13};
  const double width[3] = {1, 2, 3};
  for (int d = 1; d <= 3; d++)
    for (int i = 0; i < 4; i++) {
      struct dun_grid grid;
      CHECK(dun_grid_init(&grid, d, NO_CENTER, width, cells[i], 1.5) == 0);
      int64_t n = cells[i], begin = 0, end = 0, seen = 0, all = 1;
      for (int64_t plane = 0; plane < (d == 1 ? 1 : grid.points); plane++) {
        dun_grid_pieces_of_planes(&grid, plane, 1, &begin, &end);
        for (int64_t p = begin; p < end; p++) {
          _Alignas(64) double x[3 * L];
          struct dun_grid_piece piece = dun_grid_piece(&grid, p);
          CHECK(d == 1 || piece.place[0] == plane);
          dun_grid_piece_points(&grid, &piece, x);
          for (int a = 0; a < d; a++) {
            int64_t last = piece.place[a] + (a == d - 1 ? piece.count - 1 : 0) - grid.offset;
            CHECK(last >= 0 && last < n);
            double there = ((double)last + .5) * 2 * width[a] / (double)n - width[a];
            CHECK_NEAR(x[a * L + L - 1], there, 1e-14);
          }
          seen += piece.count;
        }
      }
      for (int a = 0; a < d; a++)
        all *= n;
      CHECK(seen == all);
      CHECK(end == dun_grid_pieces(&grid));
    }
}

static void test_padding_rule(void)
{
  const double width[3] = {21, 30, 21};
  struct dun_grid grid;
  CHECK(dun_grid_init(&grid, 3, NO_CENTER, width, 128, 4) == 0);
  CHECK_NEAR(dun_grid_largest_tau(&grid), (4 - 1) * 21 / 5., 1e-12);
  CHECK_NEAR(dun_grid_pad_for(&grid, dun_grid_largest_tau(&grid)), 4, 1e-12);
  CHECK(dun_grid_init(&grid, 1, NO_CENTER, width, 128, 1) == 0);
  CHECK(dun_grid_largest_tau(&grid) == 0);
}

TEST_MAIN({"errors of scores", test_errors_of_scores}, {"closed forms", test_closed_forms},
          {"beyond the domain", test_beyond_the_domain},
          {"where nothing is", test_where_nothing_is},
          {"bits of local tables", test_bits_of_local_tables}, {"distributed", test_distributed},
          {"many rows", test_many_rows}, {"refusals", test_refusals},
          {"sizes that fit", test_sizes_that_fit}, {"no shared memory", test_no_shared_memory},
          {"grid is refused", test_grid_is_refused}, {"friendly sizes", test_friendly_sizes},
          {"pieces", test_pieces}, {"padding rule", test_padding_rule})
