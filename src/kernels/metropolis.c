#include "kernels/metropolis.h"
#include "base/vmath.h"
#include <math.h>
#include <string.h>

struct dun_address dun_move_address(const struct dun_move *move, enum dun_purpose purpose)
{
  struct dun_address address = move->address;
  address.purpose = (uint16_t)purpose;
  return address;
}

void dun_move_evaluate(const struct dun_move *move, double *proposal, double *gradient)
{
  double *parts = proposal + (int64_t)move->d * DUN_LANES;
  struct dun_request request = {.n = move->n,
                                .x = proposal,
                                .time = move->time,
                                .coefficient = move->coefficient,
                                .part_lp = parts,
                                .lp = parts + (int64_t)move->K * DUN_LANES,
                                .gradient = gradient};
  move->path->evaluate(move->path_self, &request);
}

void dun_move_gradient(const struct dun_move *move, const double *x, double *gradient)
{
  struct dun_request request = {.n = move->n,
                                .x = x,
                                .time = move->time,
                                .coefficient = move->coefficient,
                                .gradient = gradient};
  move->path->evaluate(move->path_self, &request);
}

void dun_move_first_gradient(const struct dun_move *move, double *gradient)
{
  size_t size = (size_t)move->d * DUN_LANES * sizeof *gradient;

  if (move->force && move->force_known) {
    memcpy(gradient, move->force, size);
    return;
  }
  dun_move_gradient(move, dun_move_x(move), gradient);
  if (move->force)
    memcpy(move->force, gradient, size);
}

/* Forces that show the way give the kinetic energy what they take from the log density, or, where
 * the step is too long for them, far more: at a wall they give nothing.  Beyond `astray` the energy
 * is that of a trajectory that ran away. */
DUN_CLONES void dun_metropolis_unseen(const double *lp, const double *proposed_lp,
                                      const double *energy, const double *log_ratio, double *unseen)
{
  const double share = .1, astray = 700;
  static const double none[DUN_LANES];
  const double *gain = energy ? energy : none;

  for (int l = 0; l < DUN_LANES; l++) {
    double fall = lp[l] - proposed_lp[l], given = fabs(gain[l]);
    double bound = share * fall < astray ? share * fall : astray;
    int blind = energy && log_ratio[l] < 0 && given < bound;
    int outside = lp[l] == -INFINITY && proposed_lp[l] == -INFINITY;
    unseen[l] = blind || outside ? 1 : 0;
  }
}

/* A sum is finite only if all its terms are. */
DUN_CLONES static void find_odd(int d, const double *restrict x, double *restrict odd)
{
  double sum[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      sum[l] += 0 * x[j * DUN_LANES + l];
  for (int l = 0; l < DUN_LANES; l++)
    odd[l] = sum[l] == 0 ? 0 : 1;
}

int dun_move_guard(struct dun_move *move, int64_t columns, const double *before, double *after)
{
  double odd[DUN_LANES] __attribute__((aligned(64)));
  int any = 0;

  find_odd(move->d, after, odd);
  for (int l = 0; l < DUN_LANES; l++)
    any |= odd[l] > 0;
  if (!any)
    return 0;
  dun_metropolis_take(columns, odd, before, after);
  for (int l = 0; l < DUN_LANES; l++)
    move->acceptance[l] = odd[l] > 0 ? 0 : move->acceptance[l];
  return 1;
}

void dun_metropolis_accept(struct dun_move *move, const double *proposal, const double *log_ratio)
{
  double uniform[DUN_LANES] __attribute__((aligned(64)));
  double chosen[DUN_LANES] __attribute__((aligned(64)));

  dun_uniforms(dun_move_address(move, DUN_PURPOSE_ACCEPT), 1, uniform);
  dun_metropolis_decide(log_ratio, uniform, move->acceptance, chosen);
  dun_metropolis_take(move->d + move->K + 1, chosen, proposal, move->state);
  if (move->force && move->proposed_force)
    dun_metropolis_take(move->d, chosen, move->proposed_force, move->force);
}
