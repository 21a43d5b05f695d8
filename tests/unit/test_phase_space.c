/* The kernel of phase space diffusions against their differential equation, published constants of
 * it, scores against differences, and the score by the denoiser against the one by Gaussians. */
#include "made_part.h"
#include "phase.h"
#include "processes/psld.h"

static const double sets[6][4] = {{.01, 4.01, 8, 8}, {.02, 4.02, 8, 8}, {0, 4, 8, 8},
                                  {.25, 4.25, 8, 8}, {4.25, .25, 8, 8}, {.01, 4.01, 4, 12}};

/* d/dt of the mean map [0..3] and of the covariance [4..6]: dS = (beta/2)(F S + S F') + beta G. */
static void slope(const struct dun_phase_space *s, double t, const double *y, double *out)
{
  double h = .5 * (s->beta[0] + t * (s->beta[1] - s->beta[0]));
  double f[2][2] = {{-s->gamma, s->inverse_mass}, {-1, -s->nu}};
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      out[2 * i + j] = h * (f[i][0] * y[j] + f[i][1] * y[2 + j]);
  out[4] = 2 * h * (f[0][0] * y[4] + f[0][1] * y[5] + s->gamma);
  out[5] = h * (f[0][0] * y[5] + f[0][1] * y[6] + f[1][0] * y[4] + f[1][1] * y[5]);
  out[6] = 2 * h * (f[1][0] * y[5] + f[1][1] * y[6] + s->mass * s->nu);
}

static void integrate(const struct dun_phase_space *s, double from, double to, int steps, double *y)
{
  double h = (to - from) / steps, k[4][7], z[7];
  for (int n = 0; n < steps; n++) {
    double t = from + n * h;
    slope(s, t, y, k[0]);
    for (int stage = 1; stage < 4; stage++) {
      double part = stage == 3 ? h : .5 * h;
      for (int i = 0; i < 7; i++)
        z[i] = y[i] + part * k[stage - 1][i];
      slope(s, t + part, z, k[stage]);
    }
    for (int i = 0; i < 7; i++)
      y[i] += h / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
  }
}

/* The equation, solved by Runge and Kutta's method from the point on, at times up to 1. */
static void kernel_solves_its_equation(void)
{
  static const double times[] = {1e-3, .01, .05, .1, .2, .5, 1};
  for (int set = 0; set < 6; set++) {
    struct dun_phase_space s = phase_space(sets[set][0], sets[set][1], sets[set][2], sets[set][3]);
    double y[7] = {1, 0, 0, 1, 0, 0, s.kappa * s.mass}, before = 0;
    for (int i = 0; i < 7; i++) {
      struct dun_phase_flow f;
      double c[2][2], det;
      integrate(&s, before, times[i], 4000, y);
      before = times[i];
      dun_phase_space_flow(&s, dun_phase_space_clock(&s, times[i]), &f);
      dun_phase_flow_spread(&f, 0, s.kappa * s.mass, c, &det);
      for (int a = 0; a < 4; a++)
        CHECK_NEAR(f.mean[a / 2][a % 2], y[a], 1e-9 * (fabs(y[a]) + 1e-4));
      CHECK_NEAR(c[0][0], y[4], 1e-9 * y[4]);
      CHECK_NEAR(c[0][1], y[5], 1e-9 * sqrt(y[4] * y[6]));
      CHECK_NEAR(c[1][1], y[6], 1e-9 * y[6]);
      CHECK_NEAR(det, c[0][0] * c[1][1] - c[0][1] * c[0][1], 1e-9 * det);
    }
  }
}

/* t, E11 E12 E21 E22 Sxx Sxm Smm of gamma .01. */
static void kernel_has_its_constants(void)
{
  static const double golden[][8] = {
      {1e-5, 9.9999959680e-01, 1.5998713652e-04, -3.9996784129e-05, 9.9983960966e-01,
       8.0025632142e-07, 1.6060137322e-06, 1.0076979588e-02},
      {1e-3, 9.9992817223e-01, 1.5871875750e-02, -3.9679689374e-03, 9.8405629648e-01,
       8.3190437387e-05, 2.1916730264e-04, 1.7576224509e-02},
      {.01, 9.9656694758e-01, 1.4763954779e-01, -3.6909886948e-02, 8.4892739979e-01,
       1.6229343288e-03, 6.7027115920e-03, 7.5675005017e-02},
      {.05, 9.3657304397e-01, 5.3518459655e-01, -1.3379614914e-01, 4.0138844741e-01,
       5.4089520743e-02, 7.3753807240e-02, 1.9343154590e-01},
      {.1, 8.0556342859e-01, 7.1605638097e-01, -1.7901409524e-01, 8.9507047621e-02,
       2.2801074475e-01, 1.2882510611e-01, 2.1603119093e-01},
      {.2, 5.2074825230e-01, 6.4092092590e-01, -1.6023023148e-01, -1.2017267361e-01,
       6.3023414575e-01, 1.0192469650e-01, 2.2086031977e-01},
      {.5, 8.9764824698e-02, 1.4362371952e-01, -3.5905929879e-02, -5.3858894819e-02,
       9.8699161077e-01, 5.0795890539e-03, 2.4801457687e-01},
      {1, 2.9007805511e-03, 5.1569432019e-03, -1.2892358005e-03, -2.2561626508e-03,
       9.9998520290e-01, 6.5321667705e-06, 2.4999711621e-01}};
  struct dun_phase_space s = phase_space(.01, 4.01, 8, 8);
  for (int i = 0; i < 8; i++) {
    struct dun_phase_flow f;
    double c[2][2], det;
    dun_phase_space_flow(&s, dun_phase_space_clock(&s, golden[i][0]), &f);
    dun_phase_flow_spread(&f, 0, s.kappa * s.mass, c, &det);
    double got[] = {f.mean[0][0], f.mean[0][1], f.mean[1][0], f.mean[1][1],
                    c[0][0],      c[0][1],      c[1][1]};
    for (int j = 0; j < 7; j++)
      CHECK_NEAR(got[j], golden[i][j + 1], 1e-10 * fabs(golden[i][j + 1]));
  }
}

/* In long doubles, by the polynomial's exact remainder from a longer series, where doubles of the
 * plain formula have nothing left: gamma, t, Sxx, det of 60 digits. */
static void small_times_lose_nothing(void)
{
  static const double golden[][4] = {
      {.01, 1e-6, 8.000256e-08, 8.006159e-10}, {.01, 1e-5, 8.002563e-07, 8.061587e-09},
      {.01, 1e-3, 8.319044e-05, 1.414139e-06}, {0, 1e-6, 2.560642e-12, 6.827895e-18},
      {0, 1e-5, 2.566416e-10, 6.838953e-15},   {0, 1e-3, 3.193893e-06, 8.035195e-09}};
  for (int i = 0; i < 6; i++) {
    struct dun_phase_space s = phase_space(golden[i][0], golden[i][0] + 4, 8, 8);
    struct dun_phase_flow f;
    double c[2][2], det, b = dun_phase_space_clock(&s, golden[i][1]);
    dun_phase_space_flow(&s, b, &f);
    dun_phase_flow_spread(&f, 0, s.kappa * s.mass, c, &det);
    CHECK_NEAR(c[0][0], golden[i][2], 1e-6 * golden[i][2]);
    CHECK_NEAR(det, golden[i][3], 1e-6 * golden[i][3]);
    /* the same in long doubles, by the same formulas and the series to the end */
    long double x = (long double)s.rate * b, term = x * x * x / 6, rest = 0;
    for (int k = 4; k < 60; k++, term *= x / (k - 1))
      rest += term;
    long double decay = expl(-x), half = expl(-x / 2), w = s.width, m = s.mass, bl = b;
    long double q11 = decay * (rest + s.gamma * bl + s.gamma * s.nu * bl * bl / 2);
    long double q12 = decay * w / 2 * bl * bl;
    long double q22 = decay * m * (rest + s.nu * bl + s.gamma * s.nu * bl * bl / 2);
    long double e12 = half * w * w * bl / 2, e22 = half * (1 - w * bl / 2);
    long double mm = (long double)s.kappa * m;
    long double expected =
        q11 * q22 - q12 * q12 + mm * (e22 * e22 * q11 - 2 * e12 * e22 * q12 + e12 * e12 * q22);
    CHECK_NEAR(det, (double)expected, 1e-12 * det);
  }
}

static void flows_follow_each_other(void)
{
  for (int set = 0; set < 5; set++) {
    struct dun_phase_space s = phase_space(sets[set][0], sets[set][1], 8, 8);
    struct dun_phase_flow one, two, both;
    dun_phase_space_flow(&s, .7, &one);
    dun_phase_space_flow(&s, 1.9, &two);
    dun_phase_space_flow(&s, 2.6, &both);
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++) {
        double mean = 0, noise = two.noise[i][j], rest = i == j ? (i ? s.mass : 1) : 0;
        for (int a = 0; a < 2; a++) {
          mean += two.mean[i][a] * one.mean[a][j];
          rest -= both.mean[i][a] * (a ? s.mass : 1) * both.mean[j][a];
          for (int b = 0; b < 2; b++)
            noise += two.mean[i][a] * one.noise[a][b] * two.mean[j][b];
        }
        double unit = s.mass > 1 ? s.mass : 1;
        CHECK_NEAR(mean, both.mean[i][j], 1e-14 * unit);
        CHECK_NEAR(noise, both.noise[i][j], 1e-14 * unit);
        CHECK_NEAR(rest, both.noise[i][j], 1e-14 * unit);
      }
  }
}

/* However long the noising lasts, it ends at the law at rest. */
static void long_flows_are_at_rest(void)
{
  struct dun_phase_space s = phase_space(.01, 4.01, 8, 8);
  for (double b = 100; b < 1e9; b *= 10) {
    struct dun_phase_flow f;
    double c[2][2], det;
    dun_phase_space_flow(&s, b, &f);
    dun_phase_flow_spread(&f, 0, s.kappa * s.mass, c, &det);
    CHECK_NEAR(c[0][0], 1, 1e-14);
    CHECK_NEAR(c[0][1], 0, 1e-14);
    CHECK_NEAR(c[1][1], s.mass, 1e-14);
    CHECK_NEAR(det, s.mass, 1e-14);
  }
}

/* O leaves the law at rest alone; O's square roots are those of exact steps. */
static void refreshing_is_exact(void)
{
  struct dun_phase_space s = phase_space(.01, 4.01, 8, 8);
  struct dun_phase_noise noise = {1, 0, {1, 1}};
  struct dun_program_operation o = {'O', 0, 1};
  struct dun_phase_operator out;
  for (double q = 1e-4; q < 3; q *= 2) {
    dun_phase_operator_set(&s, &noise, &o, q, .5, &out);
    CHECK_NEAR(out.state[0][0] * out.state[0][0] + out.noise[0][0] * out.noise[0][0], 1, 1e-15);
    CHECK_NEAR(out.state[1][1] * out.state[1][1] + out.noise[1][1] * out.noise[1][1] / s.mass, 1,
               1e-15);
  }
}

static void scores_have_their_constants(void)
{
  static const double golden[][6] = {
      {.4, -.2, .3, -5.021072815951e-01, 9.357120532853e-01, -1.260197968546e+00},
      {.4, -.2, .05, -5.265244972483e-01, 9.107261998074e-01, -9.995673670215e-01},
      {-.75, .1, .001, -1.890828207540e+01, -5.283779512292e+00, 1.230703653761e+00},
      {0, 0, 1, -1.450414756532e-04, 2.578514665570e-04, -1.144719046836e+00}};
  static const double of8[] = {1.0059971749,  -2.8011573856, -1.9993130025, -3.1216505276,
                               -4.9726126566, -2.9539350593, -9.1877197273, -2.8268918000,
                               -.62451348782, 2.2821435815,  1.8074068652,  2.7443469200,
                               4.2158426859,  2.8483758303,  7.5353309786,  2.9822439219};
  struct dun_phase_space s = phase_space(.01, 4.01, 8, 8);
  struct phase_mixture g8 = phase_g8();
  double score[16], x[8], m[8];
  for (int i = 0; i < 4; i++) {
    double lp = phase_density(&s, &phase_g1, golden[i][2], &golden[i][0], &golden[i][1], score);
    CHECK_NEAR(score[0], golden[i][3], 1e-10 * fmax(1, fabs(golden[i][3])));
    CHECK_NEAR(score[1], golden[i][4], 1e-10 * fmax(1, fabs(golden[i][4])));
    CHECK_NEAR(lp, golden[i][5], 1e-10 * fabs(golden[i][5]));
  }
  for (int j = 0; j < 8; j++) {
    x[j] = .1 * (j + 1);
    m[j] = -.05 * (j + 1);
  }
  CHECK_NEAR(phase_density(&s, &g8, .1, x, m, score), -17.08419972908, 1e-10 * 17);
  for (int j = 0; j < 16; j++)
    CHECK_NEAR(score[j], of8[j], 1.01e-10 * fmax(1, fabs(of8[j])));
}

static void scores_are_slopes(void)
{
  struct dun_phase_space s = phase_space(.02, 4.02, 8, 8);
  struct phase_mixture g8 = phase_g8();
  double z[16], score[16];
  for (double t = .02; t < 1; t *= 3) {
    for (int j = 0; j < 16; j++)
      z[j] = .4 * sin(1 + j + 10 * t);
    phase_density(&s, &g8, t, z, z + 8, score);
    for (int j = 0; j < 16; j++) {
      double at = z[j], h = 1e-6, up, down;
      z[j] = at + h;
      up = phase_density(&s, &g8, t, z, z + 8, NULL);
      z[j] = at - h;
      down = phase_density(&s, &g8, t, z, z + 8, NULL);
      z[j] = at;
      CHECK_NEAR((up - down) / (2 * h), score[j], 1e-6 * (1 + fabs(score[j])));
    }
  }
}

/* E x under the tilt exp(<h, x> - lambda |x|^2 / 2), by the components' own. */
static void denoise(const struct phase_mixture *g, const double *h, double lambda, double *mean)
{
  double lp[8], top = -INFINITY, sum = 0;
  for (int k = 0; k < g->count; k++) {
    double p = 1 / (g->scale[k] * g->scale[k]), all = p + lambda;
    lp[k] = log(g->weight[k]) + .5 * g->d * log(p / all);
    for (int j = 0; j < g->d; j++) {
      double b = p * g->mean[k][j] + h[j];
      lp[k] += .5 * (b * b / all - p * g->mean[k][j] * g->mean[k][j]);
    }
    top = fmax(top, lp[k]);
  }
  memset(mean, 0, (size_t)g->d * sizeof *mean);
  for (int k = 0; k < g->count; k++)
    sum += exp(lp[k] - top);
  for (int k = 0; k < g->count; k++)
    for (int j = 0; j < g->d; j++) {
      double p = 1 / (g->scale[k] * g->scale[k]);
      mean[j] += exp(lp[k] - top) / sum * (p * g->mean[k][j] + h[j]) / (p + lambda);
    }
}

/* -noise^-1 (z - gain E x): one denoiser serves this process too. */
static void scores_come_from_the_denoiser(void)
{
  char why[1024];
  struct made_part made;
  struct phase_mixture g8 = phase_g8();
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: psld", why) == 0);
  const struct dun_process *process = (const struct dun_process *)made.part.type;
  CHECK(process->init(made.part.self) == 0);
  for (int i = 0; i < 10; i++) {
    const struct phase_mixture *g = i % 2 ? &g8 : &phase_g1;
    double t = 1e-3 * pow(900, i / 9.), z[16], h[8], mean[8], score[16];
    struct dun_channel c;
    CHECK(dun_process_channel(process, made.part.self, t, &c) == 0);
    struct dun_affine a = dun_channel_from_denoiser(&c, DUN_SCORE);
    for (int j = 0; j < 2 * g->d; j++)
      z[j] = (j < g->d ? c.gain[0] : c.gain[1]) * g->mean[i % 3][j % g->d] +
             .5 * sqrt(c.noise[j / g->d][j / g->d]) * cos(1 + 7 * j);
    for (int j = 0; j < g->d; j++)
      h[j] = c.tilt[0] * z[j] + c.tilt[1] * z[g->d + j];
    denoise(g, h, c.lambda, mean);
    phase_density(dun_psld_space(made.part.self), g, t, z, z + g->d, score);
    for (int j = 0; j < 2 * g->d; j++) {
      int row = j / g->d, at = j % g->d;
      double by = a.state[row][0] * z[at] + a.state[row][1] * z[g->d + at] + a.mean[row] * mean[at];
      CHECK_NEAR(by, score[j], 1e-10 * (1 + fabs(a.state[row][0] * z[at])));
    }
  }
  made_part_close(&made);
}

TEST_MAIN({"kernel_solves_its_equation", kernel_solves_its_equation},
          {"kernel_has_its_constants", kernel_has_its_constants},
          {"small_times_lose_nothing", small_times_lose_nothing},
          {"flows_follow_each_other", flows_follow_each_other},
          {"long_flows_are_at_rest", long_flows_are_at_rest},
          {"refreshing_is_exact", refreshing_is_exact},
          {"scores_have_their_constants", scores_have_their_constants},
          {"scores_are_slopes", scores_are_slopes},
          {"scores_come_from_the_denoiser", scores_come_from_the_denoiser})
