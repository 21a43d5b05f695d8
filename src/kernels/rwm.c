/* Random-walk Metropolis: x' = x + h S z with z ~ N(0, I), accepted with probability
 * min(1, pi_t(x') / pi_t(x)) (Metropolis et al. 1953). */
#include "kernels/metropolis.h"
#include "kernels/splitting.h"
#include <string.h>

struct rwm {
  struct dun_kernel_options options;
};

static int scratch(int d, int K)
{
  return d + (d + K + 1); /* normals, proposal */
}

static void move(const void *self, struct dun_move *m)
{
  double *z = m->scratch, *proposal = z + (int64_t)m->d * DUN_LANES;
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  (void)self;
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, z);
  memcpy(proposal, dun_move_x(m), (size_t)m->d * DUN_LANES * sizeof *proposal);
  dun_drift(m, 1, z, proposal);
  dun_move_evaluate(m, proposal, NULL);
  dun_metropolis_ratio(dun_move_lp(m), proposal + (int64_t)(m->d + m->K) * DUN_LANES, NULL,
                       log_ratio);
  dun_metropolis_unseen(dun_move_lp(m), proposal + (int64_t)(m->d + m->K) * DUN_LANES, NULL,
                        log_ratio, m->unseen);
  dun_metropolis_accept(m, proposal, log_ratio);
}

static const struct dun_option options[] = {
    DUN_KERNEL_OPTIONS(struct rwm, "0.3"),
    {0},
};

const struct dun_kernel dun_kernel_rwm = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "rwm",
             .doc = "Random-walk Metropolis with Gaussian proposals.",
             .citation = "Metropolis et al. 1953, J. Chem. Phys. 21, 1087",
             .size = sizeof(struct rwm), .options = options},
    .initial_step = 2.38,
    .initial_step_power = -.5,
    .scratch = scratch,
    .move = move,
};
