/* Unadjusted Langevin steps, x' = x + h g + sqrt(2 h) z with g the score, in the path's own
 * coordinates; in its state, whose unit is sqrt(lambda) for a dilation, the step is eta = h /
 * unit^2 and |g| = |q| / unit with the state's gradient q.  With a metric S: eta S^2 and S q.
 *
 * Step rules, with h0 the step size, c the cap and r the ratio:
 *   const   h0
 *   lambda  h0 unit^2
 *   sqrtl   h0 unit
 *   cap1    min(h0, c / |g|): a particle drifts by c at most
 *   cap2    min(h0, c / |g|^2)
 *   snr     min(h0, 2 (r sqrt(d) / mean |g|)^2), the mean over all particles (Song et al. 2021)
 *   mean    min(h0, c / mean |g|)
 *   tamed   drift h0 g / (1 + h0 |g|), noise sqrt(2 h0) z
 *
 * Nothing is rejected, so that the law is biased.  Weights: pi(x') K(x | x') / (pi(x) K(x' | x))
 * with the kernel itself as the backward one. Those weights cannot come back from a point
 * outside a bounded support: there they are biased low.
 *
 * A step to a point that is not finite is not made; its weight is 0. */
#include "base/error.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "kernels/metropolis.h"
#include "numerics/columns.h"
#include <math.h>

enum rule { CONST, LAMBDA, SQRTL, CAP1, CAP2, SNR, MEAN, TAMED };

struct ula {
  struct dun_kernel_options options;
  int rule;
  double cap, ratio;
};

static int scratch(int d, int K)
{
  (void)K;
  return 3 * d; /* normals, gradient, the point before */
}

/* |g| in the path's coordinates. */
DUN_CLONES static void score_norm(int d, const double *restrict scale, const double *restrict unit,
                                  const double *restrict q, double *restrict norm)
{
  double sum[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double g = scale[j] * q[j * DUN_LANES + l];
      sum[l] = DUN_FMA(g, g, sum[l]);
    }
  for (int l = 0; l < DUN_LANES; l++)
    norm[l] = sqrt(sum[l]) / unit[l];
}

static double least(double a, double b)
{
  return b < a ? b : a;
}

static double cap_of(const struct ula *s, int d)
{
  return s->cap > 0 ? s->cap : s->rule == CAP2 ? 2 * d : 5;
}

/* A lane's step of the noise in the path's coordinates. */
static double rule_step(const struct ula *s, const struct dun_move *m, double h0, double unit,
                        double norm)
{
  double cap = cap_of(s, m->d), target = s->ratio / m->statistic;

  switch (m->final ? CONST : (enum rule)s->rule) {
  case LAMBDA: return h0 * unit * unit;
  case SQRTL: return h0 * unit;
  case CAP1: return least(h0, cap / norm);
  case CAP2: return least(h0, cap / (norm * norm));
  case SNR: return least(h0, 2 * m->d * target * target);
  case MEAN: return least(h0, cap / m->statistic);
  case CONST:
  case TAMED: break;
  }
  return h0;
}

/* Steps of the noise and of the drift in the state, [64] each, from the gradient there. */
static void find_steps(const struct ula *s, const struct dun_move *m, const double *q,
                       double *noise, double *drift)
{
  double norm[DUN_LANES] __attribute__((aligned(64)));

  score_norm(m->d, m->scale, m->unit, q, norm);
  for (int l = 0; l < DUN_LANES; l++) {
    double unit = m->unit[l], h = rule_step(s, m, m->step_size[l], unit, norm[l]);
    noise[l] = h / (unit * unit);
    drift[l] = s->rule == TAMED && !m->final ? noise[l] / (1 + h * norm[l]) : noise[l];
  }
}

/* x += drift S^2 q */
DUN_CLONES static void descend(int d, const double *restrict drift, const double *restrict scale,
                               const double *restrict q, double *restrict x)
{
  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] =
          DUN_FMA(drift[l] * scale[j] * scale[j], q[j * DUN_LANES + l], x[j * DUN_LANES + l]);
}

static void step(int d, const double *noise, const double *drift, const double *scale,
                 const double *q, const double *z, double *x)
{
  double root[DUN_LANES] __attribute__((aligned(64)));

  for (int l = 0; l < DUN_LANES; l++)
    root[l] = sqrt(2 * noise[l]);
  descend(d, drift, scale, q, x);
  dun_columns_add_scaled(d, 1, root, scale, z, x);
}

/* sign times the log density of the step from x to y, ADDED, less -(d / 2) log 4 pi and the
 * metric's determinant. */
DUN_CLONES static void add_log_density(int d, double sign, const double *restrict noise,
                                       const double *restrict drift, const double *restrict scale,
                                       const double *restrict q, const double *restrict x,
                                       const double *restrict y, double *restrict out)
{
  double square[DUN_LANES] = {0};

  for (int j = 0; j < d; j++)
    for (int l = 0; l < DUN_LANES; l++) {
      double away = (y[j * DUN_LANES + l] - x[j * DUN_LANES + l]) / scale[j];
      double r = DUN_FMA(-drift[l] * scale[j], q[j * DUN_LANES + l], away);
      square[l] = DUN_FMA(r, r, square[l]);
    }
  for (int l = 0; l < DUN_LANES; l++)
    out[l] -= sign * (square[l] / (4 * noise[l]) + .5 * d * dun_log(noise[l]));
}

/* What a first step from a point lacks of a density. */
static double log_constant(int d, const double *scale)
{
  double sum = -.5 * d * (DUN_LOG_2PI + 0x1.62e42fefa39efp-1);
  for (int j = 0; j < d; j++)
    sum -= dun_scalar_log(scale[j]);
  return sum;
}

static void weigh(const struct ula *s, struct dun_move *m, const double *before, double *q,
                  const double *lp_before, const double *noise, const double *drift)
{
  double back_noise[DUN_LANES] __attribute__((aligned(64)));
  double back_drift[DUN_LANES] __attribute__((aligned(64)));
  const double *x = dun_move_x(m), *lp = dun_move_lp(m);
  double constant = m->from_point ? log_constant(m->d, m->scale) : 0;

  for (int l = 0; l < DUN_LANES; l++)
    m->log_weight[l] = lp[l] - (m->from_point ? constant : lp_before[l]);
  add_log_density(m->d, -1, noise, drift, m->scale, q, before, x, m->log_weight);
  if (m->from_point)
    return;
  dun_move_gradient(m, x, q);
  find_steps(s, m, q, back_noise, back_drift);
  add_log_density(m->d, 1, back_noise, back_drift, m->scale, q, x, before, m->log_weight);
}

static void move(const void *self, struct dun_move *m)
{
  const struct ula *s = self;
  int64_t block = (int64_t)m->d * DUN_LANES;
  double *z = m->scratch, *q = m->gradient ? m->gradient : z + block, *before = z + 2 * block;
  double *x = dun_move_x(m);
  double noise[DUN_LANES] __attribute__((aligned(64)));
  double drift[DUN_LANES] __attribute__((aligned(64)));
  double lp[DUN_LANES] __attribute__((aligned(64)));

  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, z);
  if (!m->gradient)
    dun_move_gradient(m, x, q);
  find_steps(s, m, q, noise, drift);
  memcpy(before, x, (size_t)block * sizeof *x);
  memcpy(lp, dun_move_lp(m), sizeof lp);
  step(m->d, noise, drift, m->scale, q, z, x);
  for (int l = 0; l < DUN_LANES; l++)
    m->acceptance[l] = 1;
  int odd = dun_move_guard(m, m->d, before, x);
  if (!m->blind)
    dun_move_evaluate(m, m->state, NULL);
  if (m->log_weight)
    weigh(s, m, before, q, lp, noise, drift);
  for (int l = 0; odd && m->log_weight && l < DUN_LANES; l++)
    m->log_weight[l] = m->acceptance[l] > 0 ? m->log_weight[l] : -INFINITY;
}

static int wants_statistic(const void *self)
{
  const struct ula *s = self;
  return s->rule == SNR || s->rule == MEAN;
}

static void statistic(const void *self, struct dun_move *m, double *value)
{
  double *q = m->gradient ? m->gradient : m->scratch;
  (void)self;
  dun_move_gradient(m, dun_move_x(m), q);
  score_norm(m->d, m->scale, m->unit, q, value);
}

/* The statistic needs the gradients of all particles before the first one moves.  No sweep leaves
 * any to the next one, but one may be interrupted. */
static int declare(const void *self, struct dun_population *population, int d)
{
  if (!wants_statistic(self))
    return 0;
  return dun_population_declare(population,
                                (struct dun_column){.name = "gradient",
                                                    .type = DUN_F64,
                                                    .width = d,
                                                    .flags = DUN_SAVED,
                                                    .doc = "Gradient of the log density."})
             ? 0
             : DUN_ERROR_MEMORY;
}

static int biased(const void *self)
{
  (void)self;
  return 1;
}

static const struct dun_option options[] = {
    {.name = "step_size",
     .type = DUN_NUMBER,
     .offset = offsetof(struct ula, options.step_size),
     .initial = "1",
     .minimum = 1e-12,
     .maximum = 1e12,
     .doc = "Step size h0, in squared units of the path's coordinates."},
    {.name = "step_rule",
     .type = DUN_CHOICE,
     .offset = offsetof(struct ula, rule),
     .initial = "cap1",
     .words = "const|lambda|sqrtl|cap1|cap2|snr|mean|tamed",
     .doc = "How the step follows the score and the path's unit."},
    {.name = "cap",
     .type = DUN_NUMBER,
     .offset = offsetof(struct ula, cap),
     .initial = "auto",
     .words = "auto",
     .minimum = 1e-12,
     .maximum = 1e12,
     .doc = "Longest drift of cap1 and mean (auto: 5), largest gain of cap2 (auto: 2 d)."},
    {.name = "ratio",
     .type = DUN_NUMBER,
     .offset = offsetof(struct ula, ratio),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .when = "step_rule=snr",
     .doc = "Ratio r of signal to noise in the rule snr."},
    {.name = "final_step_size",
     .type = DUN_NUMBER,
     .offset = offsetof(struct ula, options.final_step_size),
     .initial = "0.1",
     .minimum = 1e-12,
     .maximum = 1e12,
     .doc = "Step size of a last phase at the target itself, the same for all particles."},
    {.name = "jitter",
     .type = DUN_NUMBER,
     .offset = offsetof(struct ula, options.jitter),
     .initial = "0",
     .minimum = 0,
     .maximum = .99,
     .doc = "Step sizes are spread over 1 ± jitter, tile by tile."},
    {.name = "metric",
     .type = DUN_CHOICE,
     .offset = offsetof(struct ula, options.metric),
     .initial = "identity",
     .words = "identity|diagonal",
     .doc = "Scales of the coordinates: none, or the weighted particles' standard deviations."},
    {0},
};

const struct dun_kernel dun_kernel_ula = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "ula",
             .doc = "Unadjusted Langevin steps: fast, biased, with the step rules of annealed "
                    "Langevin dynamics.",
             .citation = "Roberts & Tweedie 1996, Bernoulli 2, 341", .size = sizeof(struct ula),
             .options = options},
    .uses_gradient = 1,
    .initial_step = 1,
    .biased = biased,
    .blind = 1,
    .weighs = 1,
    .weighs_point = 1,
    .scratch = scratch,
    .move = move,
    .statistic = statistic,
    .wants_statistic = wants_statistic,
    .declare = declare,
};
