/* Single-site dynamics of spins and letters, one site after the other: by heat bath a site takes a
 * letter with its probability given all others (Glauber 1963; Geman & Geman 1984), by Metropolis
 * another letter, all alike, with probability min(1, ratio).  A sweep over the sites in a fixed
 * order leaves pi_t invariant, since each of its steps does. */
#include "base/vmath.h"
#include "kernels/metropolis.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, HEAT_BATH = 0, METROPOLIS };

struct glauber {
  struct dun_kernel_options options; /* nothing of them is learned or given */
  int rule;
};

static int init(void *self)
{
  struct glauber *g = self;
  g->options = (struct dun_kernel_options){.step_size = 1, .leapfrog_steps = 1};
  return 0;
}

static int scratch(int d, int K)
{
  return d + (K + 1) * DUN_MAX_LETTERS; /* uniforms; the letters of the parts and of pi_t */
}

/* weight[letters][64]: log of pi_t at each letter, to a number of the lane's own. */
DUN_CLONES static void combine(int K, int letters, const double *coefficient, const double *value,
                               double *weight)
{
  for (int a = 0; a < letters * L; a++)
    weight[a] = 0;
  for (int k = 0; k < K; k++)
    for (int a = 0; a < letters; a++)
      for (int l = 0; l < L; l++) {
        double c = coefficient[k * L + l], v = value[(k * letters + a) * L + l];
        double term = c * v;
        weight[a * L + l] += c == 0 ? 0 : term;
      }
}

/* x becomes low or high, the letters of two. */
DUN_CLONES static void choose_of_two(const double *restrict weight, const double *restrict uniform,
                                     double low, double high, double *restrict x)
{
  for (int l = 0; l < L; l++) {
    double a = weight[l], b = weight[L + l], gain = b - a;
    double p = dun_sigmoid(gain), here = x[l];
    double drawn = uniform[l] <= p ? high : low;
    x[l] = a > -INFINITY || b > -INFINITY ? drawn : here;
  }
}

/* weight[letters][64] becomes their probabilities, cumulated; total[64] the last of them. */
DUN_CLONES static void accumulate(int letters, double *restrict weight, double *restrict total)
{
  double highest[L];
  for (int l = 0; l < L; l++) {
    highest[l] = -INFINITY;
    total[l] = 0;
  }
  for (int a = 0; a < letters; a++)
    for (int l = 0; l < L; l++)
      highest[l] = weight[a * L + l] > highest[l] ? weight[a * L + l] : highest[l];
  for (int a = 0; a < letters; a++)
    for (int l = 0; l < L; l++) {
      double below = weight[a * L + l] - highest[l];
      total[l] += dun_exp_weight(below <= 0 ? below : -INFINITY); /* NaN: none is possible */
      weight[a * L + l] = total[l];
    }
}

/* The first letter whose cumulated probability reaches the uniform's share. */
DUN_CLONES static void choose(int letters, const double *restrict weight,
                              const double *restrict total, const double *restrict uniform,
                              double *restrict x)
{
  for (int l = 0; l < L; l++) {
    double chosen = 0;
    for (int a = 0; a < letters - 1; a++)
      chosen += weight[a * L + l] < uniform[l] * total[l] ? 1 : 0;
    x[l] = total[l] > 0 ? chosen : x[l];
  }
}

/* Probabilities of all acceptances of a site are added to `sum`.  Letters are 0, 1, ..., or spins;
 * the uniform serves twice: its coarse part names the letter, its fine part decides. */
DUN_CLONES static void flip(int letters, int spins, const double *restrict weight,
                            const double *restrict uniform, double *restrict x,
                            double *restrict sum)
{
  for (int l = 0; l < L; l++) {
    double here = spins ? .5 * (x[l] + 1) : x[l], u = uniform[l] * (letters - 1);
    double step = floor(u), fine = u - step;
    step = step > letters - 2 ? letters - 2 : step;
    double other = here + 1 + step;
    other = other >= letters ? other - letters : other;
    double from = weight[(int)here * L + l], to = weight[(int)other * L + l], fall = to - from;
    fall = from > -INFINITY ? fall : 0;
    fall = fall < 0 ? fall : 0;
    double p = to > -INFINITY ? dun_exp_weight(fall) : 0;
    double letter = fine <= p && p > 0 ? other : here;
    x[l] = spins ? 2 * letter - 1 : letter;
    sum[l] += p;
  }
}

static void move(const void *self, struct dun_move *m)
{
  const struct glauber *g = self;
  int letters = m->letters, spins = m->spins;
  double *uniform = m->scratch, *value = uniform + (int64_t)m->d * L;
  double *weight = value + (int64_t)m->K * letters * L, *x = dun_move_x(m);
  double total[L] __attribute__((aligned(64)));

  memset(m->acceptance, 0, L * sizeof *m->acceptance);
  dun_uniforms(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, uniform);
  for (int64_t j = 0; j < m->d; j++) {
    double *xj = x + j * L;
    const double *u = uniform + j * L;
    m->path->site(m->path_self, (int)j, x, value);
    combine(m->K, letters, m->coefficient, value, weight);
    if (g->rule == METROPOLIS) {
      flip(letters, spins, weight, u, xj, m->acceptance);
    } else if (spins) {
      choose_of_two(weight, u, -1, 1, xj);
    } else {
      accumulate(letters, weight, total);
      choose(letters, weight, total, u, xj);
    }
  }
  for (int l = 0; l < L; l++)
    m->acceptance[l] = g->rule == METROPOLIS ? m->acceptance[l] / m->d : 1;
  dun_move_evaluate(m, m->state, NULL);
}

static const struct dun_option options[] = {
    {.name = "rule",
     .type = DUN_CHOICE,
     .offset = offsetof(struct glauber, rule),
     .initial = "heat_bath",
     .words = "heat_bath|metropolis",
     .doc = "A site takes a letter with its probability given the others, or another letter with "
            "that of Metropolis."},
    {0},
};

const struct dun_kernel dun_kernel_glauber = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "glauber",
             .doc = "Single-site dynamics of spins and letters, by heat bath or Metropolis.",
             .citation = "Glauber 1963, J. Math. Phys. 4, 294", .size = sizeof(struct glauber),
             .options = options},
    .init = init,
    .initial_step = 1,
    .moves_letters = 1,
    .scratch = scratch,
    .move = move,
};
