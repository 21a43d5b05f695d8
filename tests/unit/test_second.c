/* ranks: 1 */
/* What is made of a second estimate of log Z that differs from the method's. */
#include "check.h"
#include "evidence/second.h"
#include "methods/run.h"
#include <math.h>
#include <string.h>

/* The verdict's level where the method says 0 +- .1 and draws worth so many, with such a tail,
 * `other` +- .1; still: nothing moved. */
static enum dun_verdict_level level(double other, double worth, double shape, int still)
{
  double row[DUN_ESTIMATES][DUN_EVIDENCE_COLUMNS] = {0};
  struct dun_second second = {.still = still, .tail = NAN};
  struct dun_diagnosis found = {0};
  row[DUN_ESTIMATE_METHOD][DUN_EVIDENCE_ERROR] = .1;
  row[DUN_ESTIMATE_MIXTURE][DUN_EVIDENCE_LOG_EVIDENCE] = other;
  row[DUN_ESTIMATE_MIXTURE][DUN_EVIDENCE_ERROR] = .1;
  row[DUN_ESTIMATE_MIXTURE][DUN_EVIDENCE_ESS] = worth;
  row[DUN_ESTIMATE_MIXTURE][DUN_EVIDENCE_SHAPE] = shape;
  row[DUN_ESTIMATE_MIXTURE][DUN_EVIDENCE_DRAWS] = 4096;
  second.table.cells = (struct dun_numbers){.value = row[0], .count = sizeof row / sizeof **row};
  dun_second_diagnose(&second, &found);
  for (int i = 0; i < found.count; i++)
    if (strcmp(found.verdict[i].name, "second estimate") == 0)
      return found.verdict[i].level;
  CHECK(!"there is a verdict");
  return DUN_BAD;
}

static void estimates_that_count(void)
{
  CHECK(level(.2, 4000, .2, 0) == DUN_GOOD);
  CHECK(level(.35, 4000, .2, 0) == DUN_DOUBTFUL && level(-.35, 4000, .2, 0) == DUN_DOUBTFUL);
  CHECK(level(.5, 4000, .2, 0) == DUN_BAD && level(-.5, 4000, .2, 0) == DUN_BAD);
}

/* Draws that are worth little give too little: only where it is more do they tell anything. */
static void estimates_that_do_not(void)
{
  const double worth[] = {50, 4000}, shape[] = {.2, .9};
  for (int k = 0; k < 2; k++) {
    CHECK(level(.2, worth[k], shape[k], 0) == DUN_GOOD);
    CHECK(level(5, worth[k], shape[k], 0) == DUN_DOUBTFUL);
    CHECK(level(-5, worth[k], shape[k], 0) == DUN_GOOD);
    for (int off = -5; off <= 5; off += 5) /* of particles that nothing moved nothing else tells */
      CHECK(level(off, worth[k], shape[k], 1) == DUN_DOUBTFUL);
  }
}

TEST_MAIN({"estimates_that_count", estimates_that_count},
          {"estimates_that_do_not", estimates_that_do_not})
