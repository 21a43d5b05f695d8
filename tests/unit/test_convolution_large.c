/* Distributed against local convolutions at 256^3. */
/* ranks: 2 3 */
/* tier: long */
#include "check.h"
#include "convolution_case.h"

static void test_large(void)
{
  static const double center[3] = {7, -40, 300};
  struct dun_mixture mixture;
  struct dun_convolution local, slabs;
  case_scattered(&mixture, 3, center);
  CHECK(case_open(&local, &mixture, center, 4.5, 128, 2, 0, 0) == 0);
  CHECK(case_open(&slabs, &mixture, center, 4.5, 128, 2, 1, 0) == 0);
  CHECK(local.grid.points == 256);
  for (int i = 0; i < 2; i++) {
    CHECK(dun_convolution_level(&test_context, &local, i ? .9 : .3) == 0);
    CHECK(dun_convolution_level(&test_context, &slabs, i ? .9 : .3) == 0);
    case_compare_tables(&local, &slabs);
    case_compare_rows(&local, &slabs, &mixture, test_context.rank == 1 ? 100000 : 20000);
  }
  dun_convolution_free(&local);
  dun_convolution_free(&slabs);
  dun_mixture_free(&mixture);
}

TEST_MAIN({"large", test_large})
