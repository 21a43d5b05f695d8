/* Independence Metropolis: x' = c + h S z with z ~ N(0, I), whatever x is, accepted with
 * probability min(1, pi_t(x') q(x) / (pi_t(x) q(x'))), q = N(c, h^2 S S^T) (Hastings 1970, sec.
 * 2.5; Tierney 1994, sec. 2.3.3).  Centre and metric are the particles' own: of a population the
 * mean and the covariance of the other half. */
#include "base/vmath.h"
#include "kernels/metropolis.h"
#include "kernels/splitting.h"
#include <string.h>

struct independence {
  struct dun_kernel_options options;
};

static int scratch(int d, int K)
{
  return d + (d + K + 1) + d; /* normals, proposal, distances from the centre */
}

/* out = x - c. */
DUN_CLONES static void subtract(int d, const double *restrict x, const double *c,
                                double *restrict out)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      out[j * DUN_LANES + l] = x[j * DUN_LANES + l] - (c ? c[j] : 0);
}

DUN_CLONES static void divide(int d, const double *scale, double *restrict w)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      w[j * DUN_LANES + l] /= scale[j];
}

/* gain += log q(x) at w = S^-1 (x - c): -|w|^2 / (2 h^2), without its constant. */
DUN_CLONES static void add_density(int d, const double *restrict step, const double *restrict w,
                                   double *restrict gain)
{
  double square[DUN_LANES] = {0};

  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      square[l] = DUN_FMA(w[j * DUN_LANES + l], w[j * DUN_LANES + l], square[l]);
  for (int l = 0; l < DUN_LANES; l++)
    gain[l] -= .5 * square[l] / (step[l] * step[l]);
}

static void move(const void *self, struct dun_move *m)
{
  int64_t block = (int64_t)m->d * DUN_LANES;
  double *z = m->scratch, *proposal = z + block, *w = proposal + block + (m->K + 1) * DUN_LANES;
  double *lp = proposal + block + (int64_t)m->K * DUN_LANES;
  double gain[DUN_LANES] __attribute__((aligned(64))) = {0};
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  (void)self;
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, z);
  for (int64_t j = 0; j < m->d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      proposal[j * DUN_LANES + l] = m->centre ? m->centre[j] : 0;
  dun_drift(m, 1, z, proposal);
  dun_move_evaluate(m, proposal, NULL);
  dun_add_kinetic(m->d, 1, z, gain);
  subtract(m->d, dun_move_x(m), m->centre, w);
  if (m->metric) {
    m->metric->solve(m->metric, w, z);
    add_density(m->d, m->step_size, z, gain);
  } else {
    divide(m->d, m->scale, w);
    add_density(m->d, m->step_size, w, gain);
  }
  dun_metropolis_ratio(dun_move_lp(m), lp, gain, log_ratio);
  dun_metropolis_unseen(dun_move_lp(m), lp, NULL, log_ratio, m->unseen);
  dun_metropolis_accept(m, proposal, log_ratio);
}

#define ROW(name_, type_, member, ...)                                                             \
  {                                                                                                \
    .name = name_, .type = type_, .offset = offsetof(struct independence, options.member),         \
    __VA_ARGS__                                                                                    \
  }
static const struct dun_option options[] = {
    ROW("step_size", DUN_NUMBER, step_size, .initial = "1", .minimum = 1e-12, .maximum = 1e12,
        .doc = "Proposals are this times as wide as the particles; above 1 tails are reached."),
    ROW("jitter", DUN_NUMBER, jitter, .initial = "0", .minimum = 0, .maximum = .99,
        .doc = "Widths are spread over 1 ± jitter, tile by tile."),
    ROW("load", DUN_FILE, load, .initial = "",
        .doc = "A result from whose mean and metric learning begins."),
    ROW("fixed", DUN_FLAG, fixed, .initial = "false",
        .doc = "What was loaded stays as it is: nothing is learned."),
    ROW("metric", DUN_CHOICE, metric, .initial = "dense", .words = "identity|diagonal|dense",
        .doc = "Scales of the coordinates: none, the weighted particles' standard deviations, or "
               "their whole covariance."),
    {0},
};

const struct dun_kernel dun_kernel_independence = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "independence",
             .doc = "Independence Metropolis: proposals from a Gaussian with the particles' mean "
                    "and covariance.",
             .citation = "Hastings 1970, Biometrika 57, 97", .size = sizeof(struct independence),
             .options = options},
    .initial_step = 1,
    .uses_centre = 1,
    .scratch = scratch,
    .move = move,
};
