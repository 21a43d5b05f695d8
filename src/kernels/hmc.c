/* Hamiltonian Monte Carlo: leapfrog steps in coordinates divided by the metric's scale, momenta
 * p ~ N(0, I), accepted with probability min(1, exp(H - H')) (Duane et al. 1987; Neal 2011, sec.
 * 5.2). */
#include "kernels/retry.h"
#include "kernels/splitting.h"

struct hmc {
  struct dun_kernel_options options;
};

static void move(const void *self, struct dun_move *m)
{
  (void)self;
  dun_leapfrog_move(m, m->leapfrogs, 1);
}

static const struct dun_option options[] = {
    DUN_KERNEL_OPTIONS(struct hmc, "0.9"),
    {.name = "leapfrog_steps",
     .type = DUN_INTEGER,
     .offset = offsetof(struct hmc, options.leapfrog_steps),
     .initial = "adapt",
     .words = "adapt",
     .minimum = 1,
     .maximum = 4096,
     .doc = "Leapfrog steps of a move, or learned by trial tiles."},
    {0},
};

const struct dun_kernel dun_kernel_hmc = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "hmc",
             .doc = "Hamiltonian Monte Carlo with leapfrog steps.",
             .citation = "Duane et al. 1987, Phys. Lett. B 195, 216", .size = sizeof(struct hmc),
             .options = options},
    .uses_leapfrogs = 1,
    .uses_gradient = 1,
    .keeps = 1,
    .retries = 1,
    .initial_step = 1,
    .initial_step_power = -.25,
    .scratch = dun_retry_scratch,
    .move = move,
};
