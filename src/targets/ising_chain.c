/* Spins on a chain or a ring, log pi(s) = sum_i J_i s_i s_(i+1) + sum_i h_i s_i, not normalised:
 * everything is known, also under a tilt, by sums from both ends (Baxter 1982, ch. 2).  Without
 * couplings they are independent spins.
 *
 * A ring is two chains, by whether its first spin is up. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "targets/setup.h"
#include "targets/spins.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

struct ising_chain {
  long long dimension;
  struct dun_numbers coupling, field;
  int closed;

  double *J, *h; /* [d]: of the pair (i, i + 1), of the last one on a chain 0; owned */
  double log_evidence;
  double first_up;        /* probability that the first spin is up */
  double (*chance)[2][2]; /* [d - 1]: that spin i + 1 is, by the first spin and spin i; owned */
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct ising_chain, dimension),
     .minimum = 2,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Number of spins, d."},
    {.name = "coupling",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct ising_chain, coupling),
     .initial = "1",
     .minimum = -300,
     .maximum = 300,
     .doc = "Strength of each pair of neighbours over the temperature; one number or one for each "
            "spin and the next."},
    {.name = "field",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct ising_chain, field),
     .initial = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "External field over the temperature; one number or one for each spin."},
    {.name = "closed",
     .type = DUN_FLAG,
     .offset = offsetof(struct ising_chain, closed),
     .initial = "false",
     .doc = "The last spin is coupled to the first: a ring."},
    {0}};

static int work_columns(const void *self)
{
  return 4 * (int)((const struct ising_chain *)self)->dimension; /* sums of both starts */
}

static int dimension_of(const void *self)
{
  return (int)((const struct ising_chain *)self)->dimension;
}

/* ---- sums from the end ----------------------------------------------------------------------- */

/* log(exp a + exp b). */
DUN_INLINE double add_logs(double a, double b)
{
  double high = a > b ? a : b, low = a > b ? b : a;
  return high > -INFINITY ? high + dun_log1p(dun_exp_weight(low - high)) : -INFINITY;
}

/* after[d][2][64]: the log of the sum over all spins behind i, given that it is down or up, of a
 * ring with a first spin of sign `start`; h_i + tilt belongs to spin i. */
DUN_CLONES static void sum_from_end(const struct ising_chain *t, const double *restrict tilt,
                                    double start, double *restrict after)
{
  int64_t d = t->dimension;
  double end = t->closed ? t->J[d - 1] * start : 0;
  for (int l = 0; l < L; l++) {
    after[(2 * d - 2) * L + l] = -end;
    after[(2 * d - 1) * L + l] = end;
  }
  for (int64_t i = d - 2; i >= 0; i--)
    for (int l = 0; l < L; l++) {
      double field = t->h[i + 1] + tilt[(i + 1) * L + l], J = t->J[i];
      double down = after[(2 * i + 2) * L + l] - field, up = after[(2 * i + 3) * L + l] + field;
      after[2 * i * L + l] = add_logs(down + J, up - J);
      after[(2 * i + 1) * L + l] = add_logs(down - J, up + J);
    }
}

/* The log weights of a first spin that is down and up. */
DUN_CLONES static void first_weights(const struct ising_chain *t, const double *restrict tilt,
                                     const double *restrict of_down, const double *restrict of_up,
                                     double *restrict weight)
{
  for (int l = 0; l < L; l++) {
    double field = t->h[0] + tilt[l];
    weight[l] = of_down[l] - field;
    weight[L + l] = of_up[L + l] + field;
  }
}

/* Of the first spin's two starts, or of a chain one alone: `after` of each. */
static void sum_all(const struct ising_chain *t, const double *tilt, double *work, double *weight)
{
  int64_t block = 2 * t->dimension * L;
  sum_from_end(t, tilt, -1, work);
  if (t->closed)
    sum_from_end(t, tilt, 1, work + block);
  else
    memcpy(work + block, work, (size_t)block * sizeof *work);
  first_weights(t, tilt, work, work + block, weight);
}

/* ---- laws under a tilt ----------------------------------------------------------------------- */

/* Probabilities of spin i + 1 from those of spin i: p[64] is that of up. */
DUN_CLONES static void next_probability(const struct ising_chain *t, int64_t i,
                                        const double *restrict tilt, const double *restrict after,
                                        const double *restrict before, double *restrict p)
{
  for (int l = 0; l < L; l++) {
    double field = t->h[i + 1] + tilt[(i + 1) * L + l], J = t->J[i];
    double gain = after[(2 * i + 3) * L + l] - after[(2 * i + 2) * L + l] + 2 * field;
    double if_up = dun_sigmoid(gain + 2 * J), if_down = dun_sigmoid(gain - 2 * J);
    p[l] = DUN_FMA(before[l], if_up - if_down, if_down);
  }
}

/* mean += share[64] (2 p - 1). */
DUN_CLONES static void add_mean(const double *restrict share, const double *restrict p,
                                double *restrict mean)
{
  for (int l = 0; l < L; l++)
    mean[l] = DUN_FMA(share[l], 2 * p[l] - 1, mean[l]);
}

/* Means of all spins of the ways that begin down or up, with their shares. */
static void add_means(const struct ising_chain *t, const double *tilt, const double *after,
                      double first, const double *share, double *mean)
{
  double p[2][L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    p[0][l] = first;
  add_mean(share, p[0], mean);
  for (int64_t i = 0; i + 1 < t->dimension; i++) {
    next_probability(t, i, tilt, after, p[i & 1], p[(i + 1) & 1]);
    add_mean(share, p[(i + 1) & 1], mean + (i + 1) * L);
  }
}

/* share[2][64] of both starts, and the log of their sum. */
DUN_CLONES static void share_out(const double *restrict weight, double *restrict share,
                                 double *restrict log_sum)
{
  for (int l = 0; l < L; l++) {
    share[L + l] = dun_sigmoid(weight[L + l] - weight[l]);
    share[l] = dun_sigmoid(weight[l] - weight[L + l]);
    log_sum[l] = add_logs(weight[l], weight[L + l]);
  }
}

DUN_CLONES static void choose(const double *restrict p, const double *restrict uniform,
                              double *restrict x)
{
  for (int l = 0; l < L; l++)
    x[l] = uniform[l] <= p[l] ? 1 : -1;
}

/* One spin after the other, given the one before. */
static void draw_tilted(const struct ising_chain *t, const double *tilt, const double *after,
                        const double *up, const double *uniform, double *x)
{
  double before[L] __attribute__((aligned(64))), p[L] __attribute__((aligned(64)));
  double start[L] __attribute__((aligned(64))), both[2][L] __attribute__((aligned(64)));
  choose(up, uniform, x);
  memcpy(start, x, sizeof start);
  for (int64_t i = 0; i + 1 < t->dimension; i++) {
    for (int l = 0; l < L; l++)
      before[l] = x[i * L + l] > 0 ? 1 : 0;
    next_probability(t, i, tilt, after, before, both[0]);
    next_probability(t, i, tilt, after + 2 * t->dimension * L, before, both[1]);
    for (int l = 0; l < L; l++)
      p[l] = both[start[l] > 0][l];
    choose(p, uniform + (i + 1) * L, x + (i + 1) * L);
  }
}

static int tilted(const void *self, const struct dun_tilted *tilted, double *work)
{
  const struct ising_chain *t = self;
  int64_t block = 2 * t->dimension * L;
  double weight[2 * L] __attribute__((aligned(64))), share[2 * L] __attribute__((aligned(64)));
  double log_sum[L] __attribute__((aligned(64)));
  sum_all(t, tilted->h, work, weight);
  share_out(weight, share, log_sum);
  memset(tilted->mean, 0, (size_t)t->dimension * L * sizeof *tilted->mean);
  add_means(t, tilted->h, work, 0, share, tilted->mean);
  add_means(t, tilted->h, work + block, 1, share + L, tilted->mean);
  dun_spins_tilted(t->dimension, log_sum, tilted);
  if (tilted->draw)
    draw_tilted(t, tilted->h, work, share + L, tilted->uniform, tilted->draw);
  return 0;
}

/* ---- setting up ------------------------------------------------------------------------------ */

/* What draws without a tilt need, from the sums `after` of both starts. */
static void make_chances(struct ising_chain *t, const double *none, const double *after)
{
  double before[L] __attribute__((aligned(64))), p[L] __attribute__((aligned(64)));
  for (int64_t i = 0; i + 1 < t->dimension; i++)
    for (int k = 0; k < 4; k++) {
      for (int l = 0; l < L; l++)
        before[l] = k & 1;
      next_probability(t, i, none, after + (k >> 1) * 2 * t->dimension * L, before, p);
      t->chance[i][k >> 1][k & 1] = p[0];
    }
}

static int sum_untilted(struct ising_chain *t, struct dun_message why)
{
  double weight[2 * L] __attribute__((aligned(64))), share[2 * L] __attribute__((aligned(64)));
  double log_sum[L] __attribute__((aligned(64)));
  int64_t d = t->dimension;
  double *none = dun_allocate(5 * d * L, sizeof *none);
  if (!none)
    return dun_refuse_failed(why);
  memset(none, 0, (size_t)d * L * sizeof *none);
  sum_all(t, none, none + d * L, weight);
  share_out(weight, share, log_sum);
  t->log_evidence = log_sum[0];
  t->first_up = share[L];
  make_chances(t, none, none + d * L);
  dun_free(none);
  return 0;
}

static int init(void *self, struct dun_message why)
{
  struct ising_chain *t = self;
  int64_t d = t->dimension;
  t->J = dun_allocate(d, sizeof *t->J);
  t->h = dun_allocate(d, sizeof *t->h);
  t->chance = dun_allocate(d, sizeof *t->chance);
  if (!t->J || !t->h || !t->chance)
    return dun_refuse_failed(why);
  t->J[d - 1] = 0;
  if (dun_spread(why, "coupling", &t->coupling, 1, t->closed ? d : d - 1, t->J) < 0 ||
      dun_spread(why, "field", &t->field, 0, d, t->h) < 0)
    return DUN_ERROR_INPUT;
  return sum_untilted(t, why);
}

static void free_tables(void *self)
{
  struct ising_chain *t = self;
  DUN_FREE(t->J);
  DUN_FREE(t->h);
  DUN_FREE(t->chance);
}

static double log_evidence(const void *self)
{
  return ((const struct ising_chain *)self)->log_evidence;
}

/* ---- density and draws ----------------------------------------------------------------------- */

DUN_CLONES static void columns(const void *self, const double *x, double *lp, const double *scale,
                               double *gradient, double *work)
{
  const struct ising_chain *t = self;
  int64_t d = t->dimension;
  double sum[L] = {0};
  (void)work;
  for (int64_t i = 0; i < d; i++) {
    const double *here = x + i * L, *next = x + (i + 1 < d ? i + 1 : 0) * L;
    const double *last = x + (i > 0 ? i - 1 : d - 1) * L;
    double ahead = t->J[i], behind = t->J[i > 0 ? i - 1 : d - 1];
    for (int l = 0; l < L; l++)
      sum[l] = DUN_FMA(here[l], DUN_FMA(ahead, next[l], t->h[i]), sum[l]);
    for (int l = 0; gradient && l < L; l++)
      gradient[i * L + l] += scale[l] * (t->h[i] + ahead * next[l] + behind * last[l]);
  }
  dun_spins_density(sum, lp);
}

DUN_CLONES static void site(const void *self, int j, const double *x, double *value)
{
  const struct ising_chain *t = self;
  int64_t d = t->dimension, next = j + 1 < d ? j + 1 : 0, last = j > 0 ? j - 1 : d - 1;
  for (int l = 0; l < L; l++) {
    double field = t->h[j] + t->J[j] * x[next * L + l] + t->J[last] * x[last * L + l];
    value[l] = -field;
    value[L + l] = field;
  }
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct ising_chain *t = self;
  (void)normal;
  for (int l = 0; l < L; l++)
    x[l] = uniform[l] <= t->first_up ? 1 : -1;
  for (int64_t i = 0; i + 1 < t->dimension; i++)
    for (int l = 0; l < L; l++) {
      double p = t->chance[i][x[l] > 0][x[i * L + l] > 0];
      x[(i + 1) * L + l] = uniform[(i + 1) * L + l] <= p ? 1 : -1;
    }
}

const struct dun_target dun_target_ising_chain = {
    .type = {DUN_TYPE(struct dun_target), .name = "ising_chain",
             .doc = "Spins on a chain or a ring, coupled to their neighbours, in a field.",
             .citation = "Baxter 1982, Exactly Solved Models in Statistical Mechanics",
             .size = sizeof(struct ising_chain), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_uniforms = -1,
    .draw = draw,
    .log_evidence = log_evidence,
    .support = DUN_SPINS,
    .site = site,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW,
};
