/* A padded domain of 512^3 over two ranks, the posterior mean at 10^6 points: right, and below 6
 * GiB on each rank. */
/* ranks: 2 */
/* tier: long */
#include "base/memory.h"
#include "check.h"
#include "convolution_case.h"
#include <sys/resource.h>

enum { POINTS = 1000000 };
static const double CENTER[3] = {7, -40, 300};

struct points {
  int64_t n;
  double *y, *mean, *exact; /* [n][3] */
};

/* This rank's share of the draws of the convolved law, with their exact posterior means. */
static void points_init(struct points *p, const struct dun_mixture *law, double tau)
{
  static _Alignas(64) double work[CASE_WORK * L];
  _Alignas(64) double y[3 * L], mean[3 * L], lp[L], scale[L];
  p->n = POINTS / test_context.size / L * L;
  p->y = dun_allocate(3 * p->n, sizeof *p->y);
  p->mean = dun_allocate(3 * p->n, sizeof *p->mean);
  p->exact = dun_allocate(3 * p->n, sizeof *p->exact);
  for (int l = 0; l < L; l++)
    scale[l] = tau * tau;
  for (int64_t i = 0; i < p->n; i += L) {
    case_points(law, (uint32_t)(i / L + test_context.rank * POINTS), y);
    memcpy(mean, y, sizeof mean);
    dun_mixture_evaluate(law, y, lp, scale, mean, work);
    case_rows(3, y, p->y + 3 * i);
    case_rows(3, mean, p->exact + 3 * i);
  }
}

/* The share of this rank's points whose slab lies on another one. */
static double away(const struct dun_convolution *c, const struct points *p)
{
  int64_t count = 0;
  for (int64_t i = 0; i < p->n; i++) {
    double cell =
        (p->y[3 * i] - c->grid.center[0]) / c->grid.width[0] + .5 * (double)(c->grid.points - 1);
    count +=
        floor(cell) < (double)c->fft.first || floor(cell) >= (double)(c->fft.first + c->fft.count);
  }
  return (double)count / (double)p->n;
}

static void check_means(const struct dun_convolution *c, const struct points *p, double tau)
{
  double wrong = 0, size = 0;
  for (int64_t i = 0; i < 3 * p->n; i++) {
    double error = p->mean[i] - p->exact[i], score = p->exact[i] - p->y[i];
    wrong += error * error;
    size += score * score;
  }
  printf("# rank %d: score %.2e, %.0f%% of the points away, in transforms %.1f s, tau %g\n",
         test_context.rank, sqrt(wrong / size), 100 * away(c, p), c->in_transforms, tau);
  CHECK(wrong <= 1e-6 * size);
  CHECK(away(c, p) > .2);
}

static void check_memory(const struct dun_convolution *c)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double gib = (double)usage.ru_maxrss / 0x1p20;
  double promised = (double)dun_convolution_bytes(&c->grid, 1, test_context.size) / 0x1p30;
  printf("# rank %d: %.2f GiB resident at most, %.2f GiB foreseen\n", test_context.rank, gib,
         promised);
  CHECK(gib < 6);
  CHECK(promised < 6 && gib < promised + .5);
}

static void test_memory(void)
{
  const double tau = .8;
  struct dun_mixture mixture, law;
  struct dun_convolution c;
  struct points p;
  case_scattered(&mixture, 3, CENTER);
  case_convolved(&law, &mixture, tau);
  CHECK(case_open(&c, &mixture, CENTER, 4.5, 256, 2, 1, 0) == 0);
  CHECK(c.grid.points == 512);
  CHECK(dun_convolution_level(&test_context, &c, tau) == 0);
  points_init(&p, &law, tau);
  dun_convolution_evaluate_rows(&test_context, &c, p.n, p.y, p.mean, NULL);
  check_means(&c, &p, tau);
  check_memory(&c);
  DUN_FREE(p.y);
  DUN_FREE(p.mean);
  DUN_FREE(p.exact);
  dun_convolution_free(&c);
  dun_mixture_free(&mixture);
  dun_mixture_free(&law);
}

TEST_MAIN({"memory", test_memory})
