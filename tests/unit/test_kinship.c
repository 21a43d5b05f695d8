/* ranks: 1 */
/* How many independent rows a file's rows are worth: of chains that forget by a factor of 0.9 a
 * draw, whose draws are worth (1 - 0.9) / (1 + 0.9) each, one chain after the other and taking
 * turns; of independent rows; of rows that are all there twice. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "dunlin/target.h"
#include "learning/kinship.h"
#include <math.h>

enum { CHAINS = 32, DRAWS = 512, ROWS = CHAINS * DRAWS, D = 2 };
enum order { WHOLE, TURNS };

static double *normals(void)
{
  double *x = dun_allocate(ROWS * D, sizeof *x);
  dun_normals((struct dun_address){.seed = 6, .purpose = DUN_PURPOSE_TEST}, ROWS * D / DUN_LANES,
              x);
  return x;
}

static int64_t row_of(enum order order, int64_t chain, int64_t draw)
{
  return order == WHOLE ? chain * DRAWS + draw : draw * CHAINS + chain;
}

/* The first coordinate forgets, the second is independent. */
static void make_chains(enum order order, double *x)
{
  for (int64_t c = 0; c < CHAINS; c++) {
    double last = x[row_of(order, c, 0) * D];
    for (int64_t i = 1; i < DRAWS; i++) {
      double *at = x + row_of(order, c, i) * D;
      *at = last = .9 * last + sqrt(1 - .81) * *at;
    }
  }
}

static void chains(void)
{
  for (enum order order = WHOLE; order <= TURNS; order++) {
    struct dun_kinship kin = {0};
    double *x = normals();
    make_chains(order, x);
    CHECK(dun_kinship_init(&kin, ROWS, D, x) == 0 && kin.distinct == ROWS);
    CHECK(kin.worth > ROWS / 19. / 1.4 && kin.worth < ROWS / 19. * 1.4);
    int64_t apart = 0, together = 0;
    for (int64_t c = 0; c < CHAINS; c++)
      for (int64_t i = 0; i + 1 < DRAWS; i++) {
        together += kin.kin[row_of(order, c, i)] == kin.kin[row_of(order, c, i + 1)];
        apart += kin.kin[row_of(order, c, i)] == kin.kin[row_of(order, (c + 2) % CHAINS, i)];
      }
    CHECK(apart == 0 && (double)together > .97 * CHAINS * (DRAWS - 1));
    dun_kinship_free(&kin);
    dun_free(x);
  }
}

static void independent_rows(void)
{
  struct dun_kinship kin = {0};
  double *x = normals();
  CHECK(dun_kinship_init(&kin, ROWS, D, x) == 0 && kin.worth == ROWS);
  for (int64_t k = 0; k < ROWS; k++)
    CHECK(kin.kin[k] == k);
  dun_kinship_free(&kin);
  dun_free(x);
}

static void copies(void)
{
  struct dun_kinship kin = {0};
  double *x = normals();
  for (int64_t i = 0; i < ROWS / 2 * D; i++)
    x[ROWS / 2 * D + i] = x[i];
  CHECK(dun_kinship_init(&kin, ROWS, D, x) == 0);
  CHECK(kin.distinct == ROWS / 2 && kin.worth <= ROWS / 2);
  for (int64_t k = 0; k < ROWS / 2; k++)
    CHECK(kin.kin[k] == kin.kin[k + ROWS / 2]);
  dun_kinship_free(&kin);
  dun_free(x);
}

TEST_MAIN({"chains", chains}, {"independent_rows", independent_rows}, {"copies", copies})
