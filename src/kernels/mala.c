/* The Metropolis-adjusted Langevin algorithm: x' = x + (h^2 / 2) S^2 grad log pi_t(x) + h S z.
 *
 * Written as one leapfrog with the momentum z: kick, drift, kick.  The last momentum is minus the
 * normal that the way back needs, so that the kinetic energies are the two transition densities
 * (Roberts & Tweedie 1996). */
#include "kernels/metropolis.h"
#include "kernels/splitting.h"
#include <string.h>

struct mala {
  struct dun_kernel_options options;
};

static int scratch(int d, int K)
{
  return 2 * d + (d + K + 1); /* momentum, gradient, proposal */
}

static void move(const void *self, struct dun_move *m)
{
  int64_t block = (int64_t)m->d * DUN_LANES;
  double *p = m->scratch, *g = p + block, *proposal = g + block;
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  (void)self;
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, p);
  dun_add_kinetic(m->d, 1, p, energy);
  memcpy(proposal, dun_move_x(m), (size_t)block * sizeof *proposal);
  dun_move_gradient(m, proposal, g);
  dun_kick_and_drift(m, .5, g, p, proposal);
  dun_move_evaluate(m, proposal, g);
  dun_kick(m, .5, g, p);
  dun_add_kinetic(m->d, -1, p, energy);
  dun_metropolis_ratio(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, energy,
                       log_ratio);
  dun_metropolis_unseen(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, NULL,
                        log_ratio, m->unseen);
  dun_metropolis_accept(m, proposal, log_ratio);
}

static const struct dun_option options[] = {
    DUN_KERNEL_OPTIONS(struct mala, "0.574"),
    {0},
};

const struct dun_kernel dun_kernel_mala = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "mala",
             .doc = "Metropolis-adjusted Langevin steps.",
             .citation = "Roberts & Tweedie 1996, Bernoulli 2, 341", .size = sizeof(struct mala),
             .options = options},
    .uses_gradient = 1,
    .initial_step = 1,
    .initial_step_power = -1. / 6,
    .scratch = scratch,
    .move = move,
};
