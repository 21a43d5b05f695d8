/* Convolutions on grids against closed forms; local tables at any number of ranks, distributed ones
 * against local ones. */
/* ranks: 1 2 3 */
#include "base/error.h"
#include "base/memory.h"
#include "check.h"
#include "convolution_case.h"

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
    if (getenv("DUNLIN_SHOW") && test_context.rank == 0)
      printf("n %lld pad %g tau %g: score %.2e log density %.2e\n", (long long)row[i].cells,
             row[i].pad, row[i].tau, errors.score, errors.log_density);
    CHECK(errors.score <= row[i].most);
    CHECK(errors.score >= row[i].least);
    dun_convolution_free(&c);
  }
  dun_mixture_free(&modes);
}

TEST_MAIN({"errors of scores", test_errors_of_scores})
