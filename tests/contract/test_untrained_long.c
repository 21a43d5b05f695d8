/* tier: long */
/* ranks: 2 */
/* The same of the sonar model and of a mixture of Student laws in 50 dimensions (untrained.h),
 * where their data are at hand.  3 comparisons in standard errors for each, limit 5; fixed
 * seeds. */
#include "untrained.h"

static const struct known known[] = {
    {.name = "sonar",
     .data = "sonar_minmax.csv",
     .target = "type: logistic_regression, data: DATA",
     .scale = 1,
     .largest = 1,
     .pieces = 128,
     .step = {.05, .001},
     .bound = {-111.21, .44},
     .evidence = {-108.71, .45},
     .alone = {-320.43, 1.02},
     .selections = {8, 9},
     .acceptance = .999},
    {.name = "mixture of Student laws",
     .data = "mos10_locs_d50.csv",
     .target = "type: student_mixture, layout: given, file: DATA",
     .scale = 15,
     .largest = 1,
     .pieces = 128,
     .step = {.2, .2},
     .bound = {-3.98, .75},
     .evidence = {-3.24, .77},
     .alone = {-113.77, .15},
     .selections = {8, 9},
     .acceptance = .992},
};

static void figures_are_those_published(void)
{
  judge_all(sizeof known / sizeof *known, known);
}

TEST_MAIN({"figures_are_those_published", figures_are_those_published})
