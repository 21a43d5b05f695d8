/* The Metropolis-adjusted Langevin algorithm: x' = x + (h^2 / 2) S^2 grad log pi_t(x) + h S z.
 *
 * Written as one leapfrog with the momentum z: kick, drift, kick.  The last momentum is minus the
 * normal that the way back needs, so that the kinetic energies are the two transition densities
 * (Roberts & Tweedie 1996). */
#include "kernels/splitting.h"

struct mala {
  struct dun_kernel_options options;
};

static void move(const void *self, struct dun_move *m)
{
  (void)self;
  dun_leapfrog_move(m, 1, 0);
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
    .keeps = 1,
    .initial_step = 1,
    .initial_step_power = -1. / 6,
    .scratch = dun_leapfrog_scratch,
    .move = move,
};
