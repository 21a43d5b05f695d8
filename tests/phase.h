/* What tests of phase space diffusions share: mixtures and their scores by the formulas of
 * Gaussians (no denoiser), programs by name. */
#ifndef DUNLIN_TESTS_PHASE_H
#define DUNLIN_TESTS_PHASE_H

#include "check.h"
#include "dunlin/target.h"
#include "numerics/phase_program.h"
#include <math.h>

/* Isotropic components in d dimensions. */
struct phase_mixture {
  int d, count;
  double weight[8], mean[8][8], scale[8];
};

static const struct phase_mixture phase_g1 = {
    1, 3, {.3, .5, .2}, {{-.8}, {.1}, {.7}}, {.05, .15, .10}};

static inline struct phase_mixture phase_g8(void)
{
  struct phase_mixture g = {.d = 8, .count = 8};
  for (int k = 0; k < 8; k++) {
    g.weight[k] = (k + 1) / 36.;
    g.scale[k] = .05 + .01 * k;
    for (int j = 0; j < 8; j++)
      g.mean[k][j] = .7 * cos(2 * M_PI * (k + 1) * (j + 1) / 9 + k);
  }
  return g;
}

static inline struct dun_phase_space phase_space(double gamma, double nu, double beta0,
                                                 double beta1)
{
  struct dun_phase_space s = {.gamma = gamma, .nu = nu, .beta = {beta0, beta1}, .kappa = .04};
  CHECK(dun_phase_space_set(&s) == 0);
  return s;
}

/* log p(x, m) at a time, and the score [2][d] unless it is NULL; x[d], m[d]. */
static inline double phase_density(const struct dun_phase_space *space,
                                   const struct phase_mixture *g, double t, const double *x,
                                   const double *m, double *score)
{
  struct dun_phase_flow flow;
  double lp[8], p[8][3], top = -INFINITY, sum = 0;
  dun_phase_space_flow(space, dun_phase_space_clock(space, t), &flow);
  for (int k = 0; k < g->count; k++) {
    double c[2][2], det, uu = 0, uv = 0, vv = 0;
    dun_phase_flow_spread(&flow, g->scale[k] * g->scale[k], space->kappa * space->mass, c, &det);
    for (int j = 0; j < g->d; j++) {
      double u = x[j] - flow.mean[0][0] * g->mean[k][j], v = m[j] - flow.mean[1][0] * g->mean[k][j];
      uu += u * u;
      uv += u * v;
      vv += v * v;
    }
    p[k][0] = c[1][1] / det;
    p[k][1] = -c[0][1] / det;
    p[k][2] = c[0][0] / det;
    lp[k] = log(g->weight[k]) - g->d * (.5 * log(det) + log(2 * M_PI)) -
            .5 * (p[k][0] * uu + 2 * p[k][1] * uv + p[k][2] * vv);
    top = fmax(top, lp[k]);
  }
  for (int k = 0; k < g->count; k++)
    sum += exp(lp[k] - top);
  for (int j = 0; score && j < g->d; j++) {
    score[j] = score[g->d + j] = 0;
    for (int k = 0; k < g->count; k++) {
      double r = exp(lp[k] - top) / sum, u = x[j] - flow.mean[0][0] * g->mean[k][j],
             v = m[j] - flow.mean[1][0] * g->mean[k][j];
      score[j] -= r * (p[k][0] * u + p[k][1] * v);
      score[g->d + j] -= r * (p[k][1] * u + p[k][2] * v);
    }
  }
  return top + log(sum);
}

/* A tile whose lanes are all alike, with given noise. */
struct phase_case {
  const struct dun_phase_space *space;
  const struct phase_mixture *g;
  double begin, end, xi[4];
  int evaluations;
};

static inline void phase_score(struct phase_case *c, int end, const double *z, double *s)
{
  int d = c->g->d;
  double x[8], m[8], score[16];
  for (int j = 0; j < d; j++) {
    x[j] = z[j * DUN_LANES];
    m[j] = z[(d + j) * DUN_LANES];
  }
  phase_density(c->space, c->g, end ? c->end : c->begin, x, m, score);
  for (int i = 0; i < 2 * d * DUN_LANES; i++)
    s[i] = score[i / DUN_LANES];
  c->evaluations++;
}

static inline void phase_normals(void *data, int block, double *xi)
{
  const struct phase_case *c = data;
  int d = c->g->d;
  for (int i = 0; i < 2 * d * DUN_LANES; i++)
    xi[i] = c->xi[2 * block + (i / DUN_LANES) / d];
}

/* Step k of a table, in one dimension. */
static inline void phase_step(const struct dun_phase_table *table, int64_t k, struct phase_case *c,
                              double *z)
{
  static double s[2 * DUN_LANES] __attribute__((aligned(64)));
  static double xi[2 * DUN_LANES] __attribute__((aligned(64)));
  static double start[2 * DUN_LANES] __attribute__((aligned(64)));
  struct dun_phase_normals normals = {c, phase_normals};
  memcpy(start, z, sizeof start);
  dun_phase_before(table, k, 1, &normals, xi, z);
  for (int stage = 0; stage < dun_program_evaluations(&table->program); stage++) {
    phase_score(c, dun_phase_stage_end(table, stage), z, s);
    dun_phase_after(table, k, stage, 1, s, start, &normals, xi, z);
  }
}

static inline void phase_last(const struct dun_phase_table *table, struct phase_case *c, double *z)
{
  static double s[2 * DUN_LANES] __attribute__((aligned(64)));
  phase_score(c, 0, z, s);
  dun_phase_last(table, 1, s, z);
}

/* Reverse times from 1 to `last`, each step's u to the power `power` of what is left: 1 uniform. */
static inline void phase_grid(int steps, double power, double last, double *time)
{
  for (int k = 0; k <= steps; k++)
    time[k] = last + (1 - last) * pow(1 - (double)k / steps, power);
}

#endif
