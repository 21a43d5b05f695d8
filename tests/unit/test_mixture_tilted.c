/* Tilted mixtures against scores of the literature and against their defining sums. */
#include "base/error.h"
#include "check.h"
#include "numerics/mixture.h"
#include "numerics/phase_space.h"

enum { L = DUN_LANES, MOST = 8 };

static struct dun_mixture mixture;
static double h[MOST * L] __attribute__((aligned(64))), mean[MOST * L] __attribute__((aligned(64)));
static double work[MOST * L] __attribute__((aligned(64)));
static double lambda[L] __attribute__((aligned(64))), mass[L] __attribute__((aligned(64)));

static void make(int d, int components, const double *means, const double *weight,
                 const double *deviation)
{
  CHECK(dun_mixture_init(&mixture, d, components) == 0);
  memcpy(mixture.mean, means, (size_t)(components * d) * sizeof *means);
  memcpy(mixture.weight, weight, (size_t)components * sizeof *weight);
  memcpy(mixture.deviation, deviation, (size_t)components * sizeof *deviation);
  CHECK(dun_mixture_set(&mixture) == 0);
}

static void ask(void)
{
  struct dun_tilted t = {.n = L, .h = h, .lambda = lambda, .mean = mean, .log_mass = mass};
  dun_mixture_tilted(&mixture, &t, work);
}

/* ---- phase space --------------------------------------------------------------------------- */

struct state {
  double t;
  double z[MOST][2], score[MOST][2], log_density;
};

static void check_state(const struct state *s, double tolerance)
{
  struct dun_phase_space space = {.gamma = .01, .nu = 4.01, .beta = {8, 8}, .kappa = .04};
  struct dun_phase_flow flow;
  double noise[2][2], det, p[2][2], tilt[2], square = 0;
  int d = mixture.dimension;

  CHECK(dun_phase_space_set(&space) == 0);
  dun_phase_space_flow(&space, dun_phase_space_clock(&space, s->t), &flow);
  dun_phase_flow_spread(&flow, 0, space.kappa * space.mass, noise, &det);
  p[0][0] = noise[1][1] / det, p[1][1] = noise[0][0] / det, p[0][1] = p[1][0] = -noise[0][1] / det;
  double gain[2] = {flow.mean[0][0], flow.mean[1][0]};
  for (int i = 0; i < 2; i++)
    tilt[i] = p[i][0] * gain[0] + p[i][1] * gain[1];
  for (int l = 0; l < L; l++) {
    lambda[l] = tilt[0] * gain[0] + tilt[1] * gain[1];
    for (int j = 0; j < d; j++)
      h[j * L + l] = tilt[0] * s->z[j][0] + tilt[1] * s->z[j][1];
  }
  ask();
  for (int j = 0; j < d; j++)
    for (int i = 0; i < 2; i++) {
      double away[2] = {s->z[j][0] - gain[0] * mean[j * L], s->z[j][1] - gain[1] * mean[j * L]};
      double score = -p[i][0] * away[0] - p[i][1] * away[1];
      CHECK_NEAR(score, s->score[j][i], tolerance * (1 + fabs(score)));
      square += s->z[j][i] * (p[i][0] * s->z[j][0] + p[i][1] * s->z[j][1]);
    }
  CHECK_NEAR(mass[0] - .5 * (square + d * log(det)) - d * log(2 * M_PI), s->log_density,
             tolerance * fabs(s->log_density));
}

static void scores_of_one_dimension(void)
{
  static const struct state golden[] = {
      {.3, {{.4, -.2}}, {{-5.021072815951e-01, 9.357120532853e-01}}, -1.260197968546e+00},
      {.05, {{.4, -.2}}, {{-5.265244972483e-01, 9.107261998074e-01}}, -9.995673670215e-01},
      {.001, {{-.75, .1}}, {{-1.890828207540e+01, -5.283779512292e+00}}, 1.230703653761e+00},
      {1, {{0, 0}}, {{-1.450414756532e-04, 2.578514665570e-04}}, -1.144719046836e+00},
  };
  make(1, 3, (double[]){-.8, .1, .7}, (double[]){.3, .5, .2}, (double[]){.05, .15, .10});
  for (int i = 0; i < 4; i++)
    check_state(&golden[i], 1e-11);
  dun_mixture_free(&mixture);
}

static void scores_of_eight_dimensions(void)
{
  static const double score[2][8] = {{1.0059971749, -2.8011573856, -1.9993130025, -3.1216505276,
                                      -4.9726126566, -2.9539350593, -9.1877197273, -2.8268918000},
                                     {-.62451348782, 2.2821435815, 1.8074068652, 2.7443469200,
                                      4.2158426859, 2.8483758303, 7.5353309786, 2.9822439219}};
  struct state s = {.t = .1, .log_density = -17.08419972908};
  double means[64], weight[8], deviation[8];
  for (int k = 0; k < 8; k++) {
    weight[k] = (k + 1) / 36.;
    deviation[k] = .05 + .01 * k;
    for (int j = 0; j < 8; j++)
      means[8 * k + j] = .7 * cos(2 * M_PI * (k + 1) * (j + 1) / 9 + k);
    s.z[k][0] = .1 * (k + 1);
    s.z[k][1] = -.05 * (k + 1);
    for (int i = 0; i < 2; i++)
      s.score[k][i] = score[i][k];
  }
  make(8, 8, means, weight, deviation);
  check_state(&s, 1e-10);
  dun_mixture_free(&mixture);
}

/* ---- defining sums ------------------------------------------------------------------------- */

/* The mean of x given x + noise / sqrt(lambda) = y, in long double; its log density. */
static void direct(const double *y, double precision, long double *out, long double *log_density)
{
  long double top = -INFINITY, sum = 0, log_part[MOST];
  int d = mixture.dimension;
  for (int k = 0; k < mixture.components; k++) {
    long double s2 = (long double)mixture.deviation[k] * mixture.deviation[k];
    long double v = s2 + 1 / (long double)precision, square = 0;
    for (int j = 0; j < d; j++)
      square += ((long double)y[j] - mixture.mean[k * d + j]) *
                ((long double)y[j] - mixture.mean[k * d + j]);
    log_part[k] =
        logl(mixture.weight[k]) - .5L * (square / v + d * logl(2 * (long double)M_PI * v));
    top = log_part[k] > top ? log_part[k] : top;
  }
  for (int k = 0; k < mixture.components; k++)
    sum += expl(log_part[k] - top);
  *log_density = top + logl(sum);
  for (int j = 0; j < d; j++)
    out[j] = 0;
  for (int k = 0; k < mixture.components; k++) {
    long double s2 = (long double)mixture.deviation[k] * mixture.deviation[k];
    for (int j = 0; j < d; j++)
      out[j] += expl(log_part[k] - top) / sum *
                (mixture.mean[k * d + j] + s2 * precision * (long double)y[j]) /
                (1 + s2 * precision);
  }
}

/* Far from the centre, at noise from far wider to far narrower than any component: with one lambda
 * in all lanes, and with all in one tile, which gives the same bits. */
static void means_are_the_sums(void)
{
  double y[3], alone[3 * L][L];
  long double right[3], log_density;
  make(3, 4, (double[]){1003, -20, 1, 1001, -21, 1, 1000, -20, 0, 995, -20, 3},
       (double[]){.1, .4, .3, .2}, (double[]){1, .01, .5, 3});
  for (int pass = 0; pass <= L; pass++) {
    for (int l = 0; l < L; l++) {
      lambda[l] = exp((pass < L ? pass : l) - 24.);
      for (int j = 0; j < 3; j++)
        h[j * L + l] =
            lambda[l] * (mixture.centre[j] + 2 * sin(5 * j + l) + cos(l) / sqrt(lambda[l]));
    }
    ask();
    for (int l = 0; l < L; l++)
      for (int j = 0; j < 3 && pass < L; j++)
        if (l == pass)
          alone[j][l] = mean[j * L + l];
    if (pass == L)
      for (int i = 0; i < 3 * L; i++)
        CHECK(mean[i] == alone[i / L][i % L]);
  }
  for (int l = 0; l < L; l++) {
    for (int j = 0; j < 3; j++)
      y[j] = h[j * L + l] / lambda[l];
    direct(y, lambda[l], right, &log_density);
    for (int j = 0; j < 3; j++)
      CHECK_NEAR(mean[j * L + l], (double)right[j], 2e-10);
  }
  dun_mixture_free(&mixture);
}

static void labels_are_components(void)
{
  double sum[L] = {0};
  make(1, 3, (double[]){-.8, .1, .7}, (double[]){.3, .5, .2}, (double[]){.05, .15, .10});
  for (int l = 0; l < L; l++) {
    lambda[l] = exp(.1 * l);
    h[l] = lambda[l] * sin(l);
  }
  for (int k = 3; k >= 0; k--) {
    struct dun_tilted t = {
        .n = L, .h = h, .lambda = lambda, .label = k, .mean = mean, .log_mass = mass};
    dun_mixture_tilted(&mixture, &t, work);
    for (int l = 0; l < L; l++) {
      double p = k ? mixture.precision[k - 1] : 1, m = k ? mixture.mean[k - 1] : 0;
      if (k)
        CHECK_NEAR(mean[l], (p * m + h[l]) / (p + lambda[l]), 1e-13);
      sum[l] += k ? exp(mass[l]) : 0;
      if (!k)
        CHECK_NEAR(exp(mass[l]) / sum[l], 1, 1e-9);
    }
  }
  dun_mixture_free(&mixture);
}

TEST_MAIN({"scores_of_one_dimension", scores_of_one_dimension},
          {"scores_of_eight_dimensions", scores_of_eight_dimensions},
          {"means_are_the_sums", means_are_the_sums},
          {"labels_are_components", labels_are_components})
