/* Hamiltonian Monte Carlo: leapfrog steps in coordinates divided by the metric's scale, momenta
 * p ~ N(0, I), accepted with probability min(1, exp(H - H')) (Duane et al. 1987; Neal 2011, sec.
 * 5.2). */
#include "base/vmath.h"
#include "kernels/kernel.h"
#include "kernels/metropolis.h"

struct hmc {
  struct dun_kernel_options options;
};

static int scratch(int d, int K)
{
  return 2 * d + (d + K + 1); /* momentum, gradient, proposal */
}

/* Half the squared momentum, ADDED with a sign. */
DUN_CLONES static void add_kinetic(int d, double sign, const double *restrict p,
                                   double *restrict energy)
{
  double half[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      half[l] = DUN_FMA(p[j * DUN_LANES + l], p[j * DUN_LANES + l], half[l]);
  for (int l = 0; l < DUN_LANES; l++)
    energy[l] = DUN_FMA(.5 * sign, half[l], energy[l]);
}

/* p += kick h S g, then x += h S p: the gradient's step joins the drift that follows it. */
DUN_CLONES static void kick_and_drift(int d, double kick, const double *restrict h,
                                      const double *restrict scale, const double *restrict g,
                                      double *restrict p, double *restrict x)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double step = h[l] * scale[j];
      double q = DUN_FMA(kick * step, g[j * DUN_LANES + l], p[j * DUN_LANES + l]);
      p[j * DUN_LANES + l] = q;
      x[j * DUN_LANES + l] = DUN_FMA(step, q, x[j * DUN_LANES + l]);
    }
}

DUN_CLONES static void kick_only(int d, double kick, const double *restrict h,
                                 const double *restrict scale, const double *restrict g,
                                 double *restrict p)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      p[j * DUN_LANES + l] =
          DUN_FMA(kick * h[l] * scale[j], g[j * DUN_LANES + l], p[j * DUN_LANES + l]);
}

static void move(const void *self, struct dun_move *m)
{
  int64_t block = (int64_t)m->d * DUN_LANES;
  double *p = m->scratch, *g = p + block, *proposal = g + block;
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  (void)self;
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, p);
  add_kinetic(m->d, 1, p, energy);
  memcpy(proposal, dun_move_x(m), (size_t)block * sizeof *proposal);
  dun_move_gradient(m, proposal, g);
  kick_and_drift(m->d, .5, m->step_size, m->scale, g, p, proposal);
  for (int step = 1; step < m->leapfrogs; step++) {
    dun_move_gradient(m, proposal, g);
    kick_and_drift(m->d, 1, m->step_size, m->scale, g, p, proposal);
  }
  dun_move_evaluate(m, proposal, g);
  kick_only(m->d, .5, m->step_size, m->scale, g, p);
  add_kinetic(m->d, -1, p, energy);
  dun_metropolis_ratio(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, energy,
                       log_ratio);
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
    .initial_step = 1,
    .initial_step_power = -.25,
    .scratch = scratch,
    .move = move,
};
