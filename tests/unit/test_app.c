/* Pieces of the program that are hard to see from outside: quantiles and their errors, verdicts,
 * combined evidence, the stop request. */
/* ranks: 1 2 */
#include "app/diagnosis.h"
#include "app/finish.h"
#include "app/quantiles.h"
#include "app/stop.h"
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include <signal.h>

/* ---- quantiles ----------------------------------------------------------------------------- */

enum { DRAWS = 6400 };

static double *normals(uint32_t tile)
{
  double *value = dun_allocate(DRAWS, sizeof *value);
  struct dun_address address = {.seed = 11, .purpose = DUN_PURPOSE_TEST, .tile = tile};
  dun_normals(address, DRAWS / DUN_LANES, value);
  return value;
}

static void test_quantile_of_known_numbers(void)
{
  const double value[] = {5, 1, 4, 2, 3};
  double sorted[5];
  struct dun_quantile q[] = {{.probability = .5}, {.probability = .25}, {.probability = .9}};
  dun_quantiles(1, 5, value, NULL, sorted, 3, q);
  CHECK_NEAR(q[0].value, 3, 0);
  CHECK_NEAR(q[1].value, 2, 0);
  CHECK_NEAR(q[2].value, 4.6, 1e-14);
}

static void test_quantile_of_one_number(void)
{
  const double value[] = {7, 7, 7};
  double sorted[3];
  struct dun_quantile q = {.probability = .5};
  dun_quantiles(1, 3, value, NULL, sorted, 1, &q);
  CHECK_NEAR(q.value, 7, 0);
  CHECK(isnan(q.error)); /* no density to divide by */
}

static void test_quantile_of_one_ancestor(void)
{
  const double value[] = {1, 2, 3, 4, 5}, root[] = {3, 3, 3, 3, 3};
  double sorted[5];
  struct dun_quantile q = {.probability = .5};
  dun_quantiles(1, 5, value, root, sorted, 1, &q);
  CHECK_NEAR(q.value, 3, 0);
  CHECK(isnan(q.error)); /* it is no sample */
}

/* Every draw four times with one ancestor: the quantile is the same, the error that of a
 * quarter. */
static void test_error_by_ancestor(void)
{
  double *value = normals(1), *four = dun_allocate(4 * DRAWS, sizeof *four);
  double *root = dun_allocate(4 * DRAWS, sizeof *root);
  double *sorted = dun_allocate(4 * DRAWS, sizeof *sorted);
  struct dun_quantile alone = {.probability = .5}, copies = alone, blind = alone;
  for (int i = 0; i < 4 * DRAWS; i++) {
    four[i] = value[i / 4];
    root[i] = i / 4;
  }
  dun_quantiles(1, DRAWS, value, NULL, sorted, 1, &alone);
  dun_quantiles(1, 4 * DRAWS, four, root, sorted, 1, &copies);
  dun_quantiles(1, 4 * DRAWS, four, NULL, sorted, 1, &blind);
  CHECK_NEAR(alone.error, sqrt(M_PI / 2 / DRAWS), .1 * alone.error);
  CHECK_NEAR(copies.error, alone.error, .02 * alone.error);
  CHECK_NEAR(blind.error, alone.error / 2, .02 * alone.error);
  dun_free(value);
  dun_free(four);
  dun_free(root);
  dun_free(sorted);
}

/* Equal roots in two chains are two ancestors. */
static void test_chains_are_apart(void)
{
  double *value = normals(2), *root = dun_allocate(DRAWS, sizeof *root);
  double *sorted = dun_allocate(DRAWS, sizeof *sorted);
  struct dun_quantile q = {.probability = .5};
  dun_quantiles(64, DRAWS / 64, value, root, sorted, 1, &q);
  /* 64 ancestors of 100 draws each, which are independent here */
  CHECK_NEAR(q.error, sqrt(M_PI / 2 / DRAWS), .5 * q.error);
  dun_free(value);
  dun_free(root);
  dun_free(sorted);
}

/* ---- verdicts ------------------------------------------------------------------------------ */

static void test_worse_verdict_wins(void)
{
  struct dun_diagnosis all = {0}, first = {0}, second = {0};
  dun_diagnose(&first, "a", DUN_GOOD, "fine");
  dun_diagnose(&first, "b", DUN_BAD, "broken");
  dun_diagnose(&second, "a", DUN_DOUBTFUL, "odd");
  dun_diagnose(&second, "b", DUN_GOOD, "fine");
  dun_diagnosis_merge(&all, &first, 0);
  dun_diagnosis_merge(&all, &second, 1);
  CHECK(all.count == 2);
  CHECK(all.verdict[0].level == DUN_DOUBTFUL && !strcmp(all.verdict[0].text, "replicate 2: odd"));
  CHECK(all.verdict[1].level == DUN_BAD && !strcmp(all.verdict[1].text, "replicate 1: broken"));
  CHECK(dun_diagnosis_level(&all) == DUN_BAD);
}

static void test_verdicts_are_read_back(void)
{
  struct dun_diagnosis one = {0}, back = {0};
  struct dun_text lines = {0};
  dun_diagnose(&one, "effective size", DUN_DOUBTFUL, "3: of 5 are left, 10%%");
  dun_diagnose(&one, "nan", DUN_GOOD, "none");
  dun_diagnosis_lines(&one, &lines);
  dun_diagnosis_parse(&back, lines.text);
  CHECK(back.count == 2 && back.verdict[0].level == DUN_DOUBTFUL);
  CHECK(!strcmp(back.verdict[0].name, "effective size"));
  CHECK(!strcmp(back.verdict[0].text, one.verdict[0].text));
  dun_diagnosis_parse(&back, "no line of that kind\n: :\nx: purple: y\n");
  CHECK(back.count == 2);
  dun_text_free(&lines);
}

static void add_replicate(struct dun_driver *driver, double log_z, double error, double hash)
{
  double row[DUN_REPLICATE_COLUMNS] = {[DUN_REPLICATE_LOG_EVIDENCE] = log_z,
                                       [DUN_REPLICATE_ERROR] = error,
                                       [DUN_REPLICATE_ESS] = 100,
                                       [DUN_REPLICATE_KISH] = 120,
                                       [DUN_REPLICATE_HASH_LOW] = hash};
  CHECK(dun_table_add(&driver->replicates, row) == 0);
}

static void test_evidence_of_replicates(void)
{
  struct dun_driver *driver = dun_allocate(1, sizeof *driver);
  struct dun_evidence e;
  uint64_t one, two;
  CHECK(dun_table_init(&driver->replicates, DUN_REPLICATE_COLUMNS) == 0);
  add_replicate(driver, -1000, .25, 5);
  e = dun_finish_evidence(driver);
  one = dun_finish_hash(driver);
  CHECK_NEAR(e.log_evidence, -1000, 0);
  CHECK_NEAR(e.error, .25, 1e-15);
  CHECK(isnan(e.spread) && isnan(e.excess) && one == 5);
  add_replicate(driver, -1000 + log(3), .25, 6); /* Z = 1 and 3 in units of exp(-1000) */
  e = dun_finish_evidence(driver);
  two = dun_finish_hash(driver);
  CHECK_NEAR(e.log_evidence, -1000 + log(2), 1e-12);
  CHECK_NEAR(e.error, .25 * sqrt(10) / 4, 1e-12);
  CHECK_NEAR(e.spread, .5, 1e-12);
  CHECK_NEAR(e.excess, log(3) * log(3) / 2 / .0625, 1e-10);
  CHECK_NEAR(e.ess, 200, 0);
  CHECK(two != one && two != 6);
  dun_table_free(&driver->replicates);
  dun_free(driver);
}

/* ---- stopping ------------------------------------------------------------------------------ */

static void test_signal_on_one_rank_stops_all(void)
{
  struct dun_stop stop = {.checkpoint_every = 1000};
  int last = test_context.rank == test_context.size - 1;
  dun_stop_catch();
  dun_stop_begin(&test_context, &stop, dun_clock(), 0);
  CHECK(dun_stop_sync(&test_context, &stop, 3, 0) == 0 && stop.reason == DUN_STOP_NOT);
  CHECK(stop.evaluations_done == 3 * test_context.size && !stop.checkpoint);
  if (last)
    raise(SIGUSR1);
  CHECK(dun_stop_sync(&test_context, &stop, 3, 0) == 0 && stop.reason == DUN_STOP_SIGNAL);
  dun_stop_release();
  dun_stop_catch(); /* the next run starts without a request */
  CHECK(dun_stop_sync(&test_context, &stop, 3, 0) == 0 && stop.reason == DUN_STOP_NOT);
  dun_stop_release();
}

static void test_limits(void)
{
  struct dun_stop stop = {.evaluations = 100, .time_limit = 50};
  dun_stop_begin(&test_context, &stop, dun_clock(), 0);
  CHECK(dun_stop_sync(&test_context, &stop, 1, 90) == 0 && stop.reason == DUN_STOP_NOT);
  CHECK(stop.checkpoint); /* after every tick */
  CHECK(dun_stop_sync(&test_context, &stop, 1, 99) == 0 && stop.reason == DUN_STOP_EVALUATIONS);
  stop.checkpoint_seconds = 49.9; /* what is left would not do for a checkpoint */
  stop.began -= .2;
  CHECK(dun_stop_sync(&test_context, &stop, 1, 0) == 0 && stop.reason == DUN_STOP_TIME);
}

/* ---- options ------------------------------------------------------------------------------- */

/* Bounds are shown where they hold: a least one without a largest would be neither. */
static void check_bounds(const struct dun_option *row)
{
  for (; row && row->name; row++) {
    int none = row->minimum == 0 && row->maximum == 0;
    if (!none && !(row->minimum < row->maximum))
      fprintf(stderr, "option %s: from %g to %g\n", row->name, row->minimum, row->maximum);
    CHECK(none || row->minimum < row->maximum);
    if (row->type == DUN_SECTION)
      check_bounds(row->rows);
  }
}

static void test_bounds_of_options(void)
{
  check_bounds(dun_run_rows);
  check_bounds(dun_output_rows);
  for (int k = 0; k < DUN_KINDS; k++)
    for (const struct dun_type *const *type = dun_registry(k); *type; type++)
      check_bounds((*type)->options);
}

static void test_a_wish_becomes_urgent(void)
{
  volatile sig_atomic_t asked = 0;
  struct dun_interrupt i = {0};
  CHECK(!dun_interrupt_wished(&i) && !dun_interrupt_urgent(&i, 0) && !dun_interrupt_urgent(&i, 1));
  i.signal = &asked;
  i.limit = dun_clock() + 1000;
  CHECK(!dun_interrupt_wished(&i) && !dun_interrupt_urgent(&i, 0) && !dun_interrupt_urgent(&i, 1));
  asked = SIGUSR1;
  CHECK(dun_interrupt_wished(&i) && !dun_interrupt_urgent(&i, 0));
  CHECK(dun_interrupt_urgent(&i, 1)); /* what is kept can be given up at once */
  i.asked -= 60;
  CHECK(dun_interrupt_urgent(&i, 0));
  asked = 0;
  i.limit = dun_clock() - 1; /* a limit has no patience */
  CHECK(dun_interrupt_wished(&i) && dun_interrupt_urgent(&i, 0));
}

/* A checkpoint that is due stops nothing, and interrupts only what can go on where it was. */
static void test_a_checkpoint_is_due(void)
{
  struct dun_interrupt i = {.due = dun_clock() + 1000};
  CHECK(!dun_interrupt_pauses(&i));
  i.due = dun_clock() - 1;
  CHECK(dun_interrupt_pauses(&i) && !dun_interrupt_wished(&i));
  CHECK(dun_interrupt_urgent(&i, 1) && !dun_interrupt_urgent(&i, 0));
}

/* From the beginning on; but one that is over before anything was done lets a tick pass. */
static void test_limits_reach_the_passes(void)
{
  struct dun_stop stop = {.time_limit = 50};
  double now = dun_clock();
  dun_stop_begin(&test_context, &stop, now, 0);
  CHECK(test_context.interrupt.limit > now + 40 && test_context.interrupt.limit < now + 50);
  CHECK(dun_stop_sync(&test_context, &stop, 1, 0) == 0 && stop.reason == DUN_STOP_NOT);
  CHECK(test_context.interrupt.limit > now + 40 && test_context.interrupt.limit < now + 50);
  stop.time_limit = 1e-3;
  dun_stop_begin(&test_context, &stop, now, 0);
  CHECK(test_context.interrupt.limit == 0 && !dun_interrupt_wished(&test_context.interrupt));
  dun_stop_end(&test_context);
  CHECK(!test_context.interrupt.signal);
}

TEST_MAIN({"bounds_of_options", test_bounds_of_options},
          {"quantile_of_known_numbers", test_quantile_of_known_numbers},
          {"quantile_of_one_number", test_quantile_of_one_number},
          {"quantile_of_one_ancestor", test_quantile_of_one_ancestor},
          {"error_by_ancestor", test_error_by_ancestor},
          {"chains_are_apart", test_chains_are_apart},
          {"worse_verdict_wins", test_worse_verdict_wins},
          {"verdicts_are_read_back", test_verdicts_are_read_back},
          {"evidence_of_replicates", test_evidence_of_replicates},
          {"signal_on_one_rank_stops_all", test_signal_on_one_rank_stops_all},
          {"limits", test_limits}, {"a_wish_becomes_urgent", test_a_wish_becomes_urgent},
          {"a_checkpoint_is_due", test_a_checkpoint_is_due},
          {"limits_reach_the_passes", test_limits_reach_the_passes})
