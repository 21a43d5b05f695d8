/* Hamiltonian Monte Carlo: leapfrog steps in coordinates divided by the metric's scale, momenta
 * p ~ N(0, I), accepted with probability min(1, exp(H - H')) (Duane et al. 1987; Neal 2011, sec.
 * 5.2). */
#include "kernels/kernel.h"
#include "kernels/metropolis.h"
#include "kernels/splitting.h"
#include <string.h>

struct hmc {
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
  for (int step = 1; step < m->leapfrogs; step++) {
    dun_move_gradient(m, proposal, g);
    dun_kick_and_drift(m, 1, g, p, proposal);
  }
  dun_move_evaluate(m, proposal, g);
  dun_kick(m, .5, g, p);
  dun_add_kinetic(m->d, -1, p, energy);
  dun_metropolis_ratio(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, energy,
                       log_ratio);
  dun_metropolis_unseen(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, energy,
                        log_ratio, m->unseen);
  dun_metropolis_accept(m, proposal, log_ratio);
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
    .initial_step = 1,
    .initial_step_power = -.25,
    .scratch = scratch,
    .move = move,
};
