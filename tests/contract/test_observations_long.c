/* tier: long */
/* ranks: 2 */
/* The same at a hundred thousand draws, with three seeds: 105 comparisons, limit 5 standard
 * errors. */
#include "observations.h"

static void points_have_the_law(void)
{
  for (int seed = 1; seed <= 3; seed++)
    check_ways(100000, seed);
}

TEST_MAIN({"points_have_the_law", points_have_the_law})
