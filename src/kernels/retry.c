#include "kernels/retry.h"
#include "base/vmath.h"
#include "kernels/metropolis.h"
#include "kernels/splitting.h"
#include "kernels/spread.h"
#include <math.h>
#include <string.h>

/* How much shorter most steps of second tries are, and how much some: a chain may begin where the
 * former are too long as well. */
enum { SHORTER = 4, SHORTEST = 16 };
static const double SHORTEST_SHARE = .5;

/* What became of a trajectory. */
struct attempt {
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));
  double acceptance[DUN_LANES] __attribute__((aligned(64)));
  double unseen[DUN_LANES] __attribute__((aligned(64)));
};

/* Blocks of the scratch: of the trajectory with short steps, and of that which tells whether it
 * would have been made from its end. */
struct blocks {
  double *momentum, *gradient, *proposal, *back_gradient, *back;
};

int dun_retry_scratch(int d, int K)
{
  return dun_leapfrog_scratch(d, K) + d + (d + K + 1);
}

static struct blocks blocks_of(const struct dun_move *m)
{
  int64_t d = (int64_t)m->d * DUN_LANES, state = d + (int64_t)(m->K + 1) * DUN_LANES;
  struct blocks b = {.momentum = m->scratch};
  b.gradient = b.momentum + d;
  b.proposal = b.gradient + d;
  b.back_gradient = b.proposal + state;
  b.back = b.back_gradient + d;
  return b;
}

static int has_no_chance(double acceptance, double unseen)
{
  return acceptance < DUN_SPREAD_FROZEN && unseen == 0;
}

/* Those to be tried again. */
static int find_lanes(const struct dun_move *m, int *lane)
{
  double uniform[DUN_LANES] __attribute__((aligned(64)));
  int count = 0, any = 0;

  for (int l = 0; l < m->n; l++)
    any |= has_no_chance(m->acceptance[l], m->unseen[l]);
  if (!any)
    return 0;
  dun_uniforms(dun_move_address(m, DUN_PURPOSE_ACCEPT), 1, uniform);
  for (int l = 0; l < m->n; l++)
    if (has_no_chance(m->acceptance[l], m->unseen[l]) && uniform[l] > m->acceptance[l])
      lane[count++] = l;
  return count;
}

/* They come first, so that the target is asked for no others; behind them stand copies.  `to` may
 * be `from`. */
static void gather(int64_t columns, int count, const int *lane, const double *from, double *to)
{
  double row[DUN_LANES];

  for (int64_t j = 0; j < columns; j++) {
    for (int k = 0; k < DUN_LANES; k++)
      row[k] = from[j * DUN_LANES + lane[k < count ? k : 0]];
    memcpy(to + j * DUN_LANES, row, sizeof row);
  }
}

/* From where `proposal` is, with the gradient there. */
static void go(struct dun_sweep *s, const struct dun_move *m, int leapfrogs, const double *lp,
               double *momentum, double *gradient, double *proposal, struct attempt *out)
{
  static const double none[DUN_LANES] __attribute__((aligned(64)));
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double chosen[DUN_LANES] __attribute__((aligned(64)));
  const double *end = proposal + (int64_t)(m->d + m->K) * DUN_LANES;

  dun_sweep_forget_nans(s);
  dun_leapfrog_trajectory(m, leapfrogs, momentum, gradient, proposal, energy);
  dun_metropolis_ratio(lp, end, energy, out->log_ratio);
  dun_metropolis_unseen(lp, end, energy, out->log_ratio, out->unseen);
  dun_metropolis_decide(out->log_ratio, none, out->acceptance, chosen);
  for (int l = 0; l < DUN_LANES; l++)
    energy[l] = -energy[l];
  dun_sweep_set_nans_aside(s, m->n, out->acceptance, out->unseen, energy);
}

static int shorter(const struct dun_move *m)
{
  struct dun_address address = dun_move_address(m, DUN_PURPOSE_JITTER);
  return dun_uniform_one(address, 2) < SHORTEST_SHARE ? SHORTEST : SHORTER;
}

/* By what became of the second try and of a first one from its end. */
DUN_CLONES static void decide(const struct attempt *second, const struct attempt *back,
                              const double *acceptance, double *log_ratio, double *alone)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double more = dun_log1p(-back->acceptance[l]) - dun_log1p(-acceptance[l]);
    int made = has_no_chance(back->acceptance[l], back->unseen[l]);
    log_ratio[l] = made ? second->log_ratio[l] + more : -INFINITY;
    alone[l] = second->acceptance[l];
  }
}

/* Both trajectories of the gathered lanes, the ratio by which the first of them is accepted, and
 * the probability that its energy alone would give it. */
static void try_again(struct dun_sweep *s, const struct dun_move *m, const double *lp,
                      const double *acceptance, const struct blocks *b, double *log_ratio,
                      double *alone)
{
  int64_t d = (int64_t)m->d * DUN_LANES;
  double step[DUN_LANES] __attribute__((aligned(64)));
  struct dun_move careful = *m;
  struct attempt second, back;
  int factor = shorter(m);

  for (int l = 0; l < DUN_LANES; l++)
    step[l] = m->step_size[l] / factor;
  careful.step_size = step;
  go(s, &careful, factor * m->leapfrogs, lp, b->momentum, b->gradient, b->proposal, &second);
  memcpy(b->back, b->proposal, (size_t)d * sizeof *b->back);
  memcpy(b->back_gradient, b->gradient, (size_t)d * sizeof *b->back);
  for (int64_t i = 0; i < d; i++)
    b->momentum[i] = -b->momentum[i];
  go(s, m, m->leapfrogs, b->proposal + d + (int64_t)m->K * DUN_LANES, b->momentum, b->back_gradient,
     b->back, &back);
  decide(&second, &back, acceptance, log_ratio, alone);
}

static void scatter(int64_t columns, int count, const int *lane, const double *chosen,
                    const double *from, double *to)
{
  for (int64_t j = 0; j < columns; j++)
    for (int k = 0; k < count; k++)
      if (chosen[k] > 0)
        to[j * DUN_LANES + lane[k]] = from[j * DUN_LANES + k];
}

/* The first count lanes of the blocks: where the move begins, with the momenta that it had. */
static void begin(const struct dun_move *m, const struct dun_move *one, const int *lane,
                  const struct blocks *b)
{
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, b->momentum);
  gather(m->d, one->n, lane, b->momentum, b->momentum);
  gather(m->d, one->n, lane, dun_move_x(m), b->proposal);
  if (m->force)
    gather(m->d, one->n, lane, m->force, b->gradient);
  else
    dun_move_gradient(one, b->proposal, b->gradient);
}

void dun_retry_tile(struct dun_sweep *s, const struct dun_lanes *w, struct dun_move *m)
{
  double lp[DUN_LANES] __attribute__((aligned(64))), step[DUN_LANES] __attribute__((aligned(64)));
  double ratio[DUN_LANES] __attribute__((aligned(64))), second[DUN_LANES];
  double acceptance[DUN_LANES] __attribute__((aligned(64)));
  double chosen[DUN_LANES] __attribute__((aligned(64)));
  double uniform[DUN_LANES] __attribute__((aligned(64)));
  int lane[DUN_LANES], count = find_lanes(m, lane);
  struct dun_move one = *m;
  struct blocks b = blocks_of(m);

  if (count == 0)
    return;
  one.n = count;
  one.step_size = step;
  gather(1, count, lane, m->step_size, step);
  gather(1, count, lane, dun_move_lp(m), lp);
  gather(1, count, lane, m->acceptance, acceptance);
  begin(m, &one, lane, &b);
  try_again(s, &one, lp, acceptance, &b, ratio, second);
  dun_uniforms(dun_move_address(m, DUN_PURPOSE_RETRY), 1, uniform);
  gather(1, count, lane, uniform, uniform);
  dun_metropolis_decide(ratio, uniform, acceptance, chosen);
  for (int k = 0; k < count; k++) {
    w->again[lane[k]] = acceptance[k];
    w->second[lane[k]] = second[k];
  }
  scatter(m->d + m->K + 1, count, lane, chosen, b.proposal, m->state);
  if (m->force)
    scatter(m->d, count, lane, chosen, b.gradient, m->force);
}
