/* Scores of a field on a lattice, by waves, against a dense solve: 64 sites, positions and
 * momenta. */
#include "check.h"
#include "made_part.h"
#include "numerics/linear.h"
#include "processes/psld.h"
#include "subject.h"

enum { SITES = 64, BOTH = 2 * SITES };

static double h[SITES * L] __attribute__((aligned(64)));
static double mean[SITES * L] __attribute__((aligned(64)));
static double lambda[L] __attribute__((aligned(64)));

static void ask(const struct subject *s)
{
  struct dun_tilted request = {.n = L, .h = h, .lambda = lambda, .mean = mean};
  CHECK(s->target->tilted(s->self, &request, s->evaluator.work) == 0);
}

/* The covariance is how the mean follows h at no noise: one column a lane. */
static void covariance_of(const struct subject *s, double covariance[SITES][SITES])
{
  memset(lambda, 0, sizeof lambda);
  for (int i = 0; i < SITES * L; i++)
    h[i] = i / L == i % L;
  ask(s);
  for (int i = 0; i < SITES; i++)
    for (int j = 0; j < SITES; j++)
      covariance[i][j] = mean[i * L + j];
}

/* -S^-1 z with S = gain gain' (x) covariance + noise (x) 1. */
static void solve(const struct dun_channel *c, double covariance[SITES][SITES], const double *z,
                  double *score)
{
  static double s[BOTH][BOTH], inverse[BOTH][BOTH];
  for (int i = 0; i < BOTH; i++)
    for (int j = 0; j < BOTH; j++) {
      int a = i / SITES, b = j / SITES;
      s[i][j] = c->gain[a] * c->gain[b] * covariance[i % SITES][j % SITES] +
                (i % SITES == j % SITES ? c->noise[a][b] : 0);
    }
  CHECK(dun_cholesky(BOTH, s[0]) == 0);
  CHECK(dun_cholesky_inverse(BOTH, s[0], inverse[0]) == 0);
  for (int i = 0; i < BOTH; i++) {
    score[i] = 0;
    for (int j = 0; j < BOTH; j++)
      score[i] -= inverse[i][j] * z[j];
  }
}

static void check_time(const struct subject *s, const struct dun_channel *c,
                       double covariance[SITES][SITES])
{
  double z[BOTH], score[BOTH], size = 0;
  struct dun_affine a = dun_channel_from_denoiser(c, DUN_SCORE);
  for (int i = 0; i < BOTH; i++)
    z[i] = sin(1 + i * i);
  for (int i = 0; i < SITES * L; i++)
    h[i] = c->tilt[0] * z[i / L] + c->tilt[1] * z[SITES + i / L];
  for (int l = 0; l < L; l++)
    lambda[l] = c->lambda;
  ask(s);
  solve(c, covariance, z, score);
  for (int i = 0; i < BOTH; i++)
    size = fmax(size, fabs(score[i]));
  for (int i = 0; i < BOTH; i++) {
    int row = i / SITES, site = i % SITES;
    double by = a.state[row][0] * z[site] + a.state[row][1] * z[SITES + site] +
                a.mean[row] * mean[site * L];
    CHECK_NEAR(by, score[i], 1e-12 * size);
  }
}

static void waves_and_matrices_agree(void)
{
  static double covariance[SITES][SITES];
  struct subject s;
  struct made_part made;
  char why[1024];
  CHECK(subject_open(&test_context, &s, "type: gaussian_field, side: 64, axes: 1, mass: .3", why) ==
        0);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: psld, gamma: .05", why) == 0);
  const struct dun_process *process = (const struct dun_process *)made.part.type;
  CHECK(process->init(made.part.self) == 0);
  covariance_of(&s, covariance);
  for (double t = .02; t < 1; t *= 1.7) {
    struct dun_channel c;
    CHECK(dun_process_channel(process, made.part.self, t, &c) == 0);
    check_time(&s, &c, covariance);
  }
  made_part_close(&made);
  subject_close(&s);
}

TEST_MAIN({"waves_and_matrices_agree", waves_and_matrices_agree})
