/* ranks: 1 2 3 7 */
/* Sums over groups of a batch, the same bits at any number of ranks; steps of the optimiser against
 * its formulas and down a valley; points that hang together. */
#include "base/memory.h"
#include "base/random.h"
#include "base/table.h"
#include "check.h"
#include "learning/batch_sum.h"
#include "learning/kinship.h"
#include "learning/optimiser.h"

enum { NUMBERS = 100 };

/* Numbers of a group: of sizes that make every order of adding them another sum. */
static void fill(int group, double *sum)
{
  double normal[128] __attribute__((aligned(64)));
  struct dun_address address = {.purpose = DUN_PURPOSE_TEST, .tile = (uint32_t)group};
  dun_normals(address, 2, normal);
  for (int i = 0; i < NUMBERS; i++)
    sum[i] = normal[i] * pow(10, group % 7);
}

/* The tree as it is told: 0 and 1, 2 and 3, ... */
static void expected(int groups, int first, int size, double *sum)
{
  double right[NUMBERS];
  if (size == 1) {
    fill(first, sum);
    return;
  }
  expected(groups, first, size / 2, sum);
  if (first + size / 2 >= groups)
    return;
  expected(groups, first + size / 2, size / 2, right);
  for (int i = 0; i < NUMBERS; i++)
    sum[i] += right[i];
}

static void sums_go_along_a_tree(void)
{
  for (int groups = 1; groups <= 33; groups++) {
    struct dun_batch_sum s = {0};
    double total[NUMBERS], right[NUMBERS];
    int size = 1;
    CHECK(dun_batch_sum_init(&test_context, &s, groups, NUMBERS) == 0);
    dun_batch_sum_clear(&s);
    for (int i = 0; i < s.own; i++)
      fill(s.first + i, dun_batch_sum_of(&s, i));
    CHECK(dun_batch_sum_total(&test_context, &s, total) == 0);
    while (size < groups)
      size *= 2;
    expected(groups, 0, size, right);
    CHECK(!memcmp(total, right, sizeof total));
    dun_batch_sum_free(&s);
  }
}

static struct dun_optimiser usual(void)
{
  return (struct dun_optimiser){
      .rate = .1, .first_decay = .9, .second_decay = .99, .epsilon = 1e-8};
}

/* Two steps by the formulas of the papers. */
static void steps_are_those_of_adamw(void)
{
  struct dun_optimiser o = usual();
  double w[3] = {1, -2, .5}, g[2][3] = {{.3, -.1, 0}, {.2, .4, -1}}, norm, m = 0, v = 0,
         expected = 1;
  o.weight_decay = .05;
  o.average = .5;
  CHECK(dun_optimiser_start(&o, 3, w) == 0);
  for (int n = 1; n <= 2; n++) {
    dun_optimiser_step(&o, 10, g[n - 1], w, &norm);
    double first = g[n - 1][0];
    m = .9 * m + .1 * first;
    v = .99 * v + .01 * first * first;
    expected -= .1 * .05 * expected;
    expected -= .1 * m / (1 - pow(.9, n)) / (sqrt(v / (1 - pow(.99, n))) + 1e-8);
    CHECK_NEAR(
        norm,
        sqrt(g[n - 1][0] * g[n - 1][0] + g[n - 1][1] * g[n - 1][1] + g[n - 1][2] * g[n - 1][2]),
        1e-14);
    CHECK_NEAR(w[0], expected, 1e-14);
  }
  CHECK(o.steps == 2 && dun_optimiser_weights(&o, w) == o.mean.value);
  CHECK(o.mean.value[0] > w[0] && o.mean.value[0] < 1);
  dun_optimiser_free(&o);
}

static void clipped_steps_have_the_longest_norm(void)
{
  struct dun_optimiser o[2] = {usual(), usual()};
  double w[2][2] = {{0}}, g[2][2] = {{30, 40}, {.6, .8}}, norm;
  o[0].clip = 1;
  for (int i = 0; i < 2; i++) {
    CHECK(dun_optimiser_start(&o[i], 2, w[i]) == 0);
    dun_optimiser_step(&o[i], 10, g[i], w[i], &norm);
    CHECK_NEAR(norm, i ? 1 : 50, 1e-13);
  }
  CHECK_NEAR(o[0].second.value[0], o[1].second.value[0], 1e-16);
  CHECK_NEAR(o[0].first.value[1], o[1].first.value[1], 1e-16);
  dun_optimiser_free(&o[0]);
  dun_optimiser_free(&o[1]);
}

static void what_is_no_number_is_skipped(void)
{
  struct dun_optimiser o = usual();
  double w[1] = {1}, g[1] = {NAN}, norm;
  CHECK(dun_optimiser_start(&o, 1, w) == 0);
  dun_optimiser_step(&o, 10, g, w, &norm);
  CHECK(o.skipped == 1 && o.steps == 0 && w[0] == 1 && o.first.value[0] == 0);
  dun_optimiser_free(&o);
}

/* (w - 3)^2 from 0; the rate rises and falls as it is told. */
static void schedules_end_at_rest(void)
{
  for (int schedule = DUN_RATE_COSINE; schedule <= DUN_RATE_LINEAR; schedule++) {
    struct dun_optimiser o = usual();
    double w[1] = {0}, norm, last = 0;
    o.schedule = schedule;
    o.rise = 10;
    CHECK(dun_optimiser_start(&o, 1, w) == 0);
    for (int n = 0; n < 1000; n++) {
      double g[1] = {2 * (w[0] - 3)}, before = w[0];
      dun_optimiser_step(&o, 1000, g, w, &norm);
      last = fabs(w[0] - before);
      if (n == 0)
        CHECK_NEAR(last, .01, 1e-6);
    }
    CHECK_NEAR(w[0], 3, 1e-3);
    CHECK(last < 1e-4);
    dun_optimiser_free(&o);
  }
}

/* ---- points that hang together --------------------------------------------------------------- */

enum { ROWS = 1 << 14, WIDTH = 3 };

/* Chains that keep `memory` of the last row, in all coordinates but the first; each row `times`
 * times over. */
static void make_chain(int seed, double memory, int times, double *row)
{
  double normal[128 * WIDTH] __attribute__((aligned(64)));
  for (int64_t k = 0; k < ROWS; k++) {
    struct dun_address address = {
        .purpose = DUN_PURPOSE_TEST, .step = (uint32_t)seed, .tile = (uint32_t)(k / 64)};
    if (k % 64 == 0)
      dun_normals(address, WIDTH, normal);
    for (int j = 0; j < WIDTH; j++) {
      double keep = j > 0 && k > 0 ? memory : 0, fresh = normal[j * 64 + k % 64];
      double last = keep > 0 ? row[(k - 1) * WIDTH + j] : 0;
      row[k * WIDTH + j] = keep * last + sqrt(1 - keep * keep) * fresh;
    }
  }
  for (int64_t k = ROWS - 1; k >= 0; k--)
    memcpy(row + k * WIDTH, row + k / times * WIDTH, WIDTH * sizeof *row);
}

/* The squared error that sums over kin give to the mean of a coordinate. */
static double error_of(const struct dun_kinship *s, const double *row, int j, double *mean)
{
  double *sum = dun_allocate(s->rows, sizeof *sum), square = 0;
  *mean = 0;
  for (int64_t k = 0; k < s->rows; k++)
    *mean += row[k * WIDTH + j] / (double)s->rows;
  for (int64_t k = 0; k < s->rows; k++)
    sum[s->kin[k]] += (row[k * WIDTH + j] - *mean) / (double)s->rows;
  for (int64_t k = 0; k < s->rows; k++)
    square += sum[k] * sum[k];
  dun_free(sum);
  return square;
}

/* Of 50 chains: their worth is that of the coordinate known least, and the squares of their means,
 * which are 0, are what is said of them, but for the eighth of it that stretches miss. */
static void chains_are_worth_what_they_are(void)
{
  enum { CHAINS = 50 };
  static const double memory[] = {0, .5, .9, .98};
  double *row = dun_allocate(ROWS * WIDTH, sizeof *row);
  for (int m = 0; m < 4; m++) {
    double truth = ROWS * (1 - memory[m]) / (1 + memory[m]), worth = 0, ratio = 0;
    for (int c = 0; c < CHAINS; c++) {
      struct dun_kinship s = {0};
      double mean;
      make_chain(CHAINS * m + c, memory[m], 1, row);
      CHECK(dun_kinship_init(&s, ROWS, WIDTH, row) == 0 && s.distinct == ROWS);
      worth += s.worth / CHAINS;
      double error = error_of(&s, row, 1, &mean);
      ratio += mean * mean / error / CHAINS;
      dun_kinship_free(&s);
    }
    printf("# memory %g: worth %g of %g, squared error %g\n", memory[m], worth, truth, ratio);
    CHECK(worth > .6 * truth && worth < 1.4 * truth);
    CHECK(fabs(ratio - 1.1) < .1 + 5 * sqrt(2. / CHAINS)); /* of a square of a normal number */
  }
  dun_free(row);
}

static void equal_points_count_once(void)
{
  double *row = dun_allocate(ROWS * WIDTH, sizeof *row);
  struct dun_kinship s = {0};
  make_chain(1, 0, 8, row); /* in a row, as draws of chains that reject */
  CHECK(dun_kinship_init(&s, ROWS, WIDTH, row) == 0);
  CHECK(s.distinct == ROWS / 8 && s.worth > ROWS / 16 && s.worth <= ROWS / 8);
  make_chain(2, 0, 1, row); /* the same half twice */
  memcpy(row + ROWS / 2 * WIDTH, row, ROWS / 2 * WIDTH * sizeof *row);
  CHECK(dun_kinship_init(&s, ROWS, WIDTH, row) == 0);
  CHECK(s.distinct == ROWS / 2 && s.worth == ROWS / 2);
  for (int64_t k = 0; k < ROWS; k++)
    CHECK(s.kin[k] == k % (ROWS / 2));
  memset(row, 0, ROWS * WIDTH * sizeof *row); /* one point */
  CHECK(dun_kinship_init(&s, ROWS, WIDTH, row) == 0 && s.distinct == 1 && s.worth == 1);
  CHECK(dun_kinship_init(&s, 1, WIDTH, row) == 0 && s.distinct == 1 && s.worth == 1);
  dun_kinship_free(&s);
  dun_free(row);
}

TEST_MAIN({"sums go along a tree", sums_go_along_a_tree},
          {"steps are those of AdamW", steps_are_those_of_adamw},
          {"clipped steps have the longest norm", clipped_steps_have_the_longest_norm},
          {"what is no number is skipped", what_is_no_number_is_skipped},
          {"schedules end at rest", schedules_end_at_rest},
          {"chains are worth what they are", chains_are_worth_what_they_are},
          {"equal points count once", equal_points_count_once})
