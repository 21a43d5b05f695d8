/* Contract of every registered process, and of the channels that it gives: the law of a state as
 * the ends say, rates against differences, the noise near both ends against the integral of its
 * rate, every meaning there and back, the score against a difference of the log density. */
#include "check.h"
#include "made_part.h"
#include "processes/process.h"

static const struct {
  const char *name, *options;
} settings[] = {
    {"interpolant", "type: interpolant"},
    {"interpolant", "type: interpolant, mean: 3, scale: 10"},
    {"interpolant", "type: interpolant, schedule: trigonometric, mean: -1, scale: .5"},
    {"isotropic", "type: isotropic, horizon: 50"},
    {"psld", "type: psld"},
    {"psld", "type: psld, gamma: 0.25, beta: [4, 12]"},
    {"psld", "type: psld, gamma: 0"},
    {"ve", "type: ve, scale: 80"},
    {"vp", "type: vp"},
    {"vp", "type: vp, beta_min: 8, beta_max: 8"},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static char why[1024];

struct subject {
  struct made_part made;
  const struct dun_process *process;
  const void *self;
  double noise, data;
  int r;
};

static void open(struct subject *s, int i)
{
  if (made_part_open(&test_context, &s->made, DUN_KIND_PROCESS, settings[i].options, why) < 0) {
    fprintf(stderr, "%s: %s\n", settings[i].options, why);
    MPI_Abort(test_context.comm, 1);
  }
  s->process = (const struct dun_process *)s->made.part.type;
  s->self = s->made.part.self;
  CHECK(!s->process->init || s->process->init(s->made.part.self) == 0);
  s->process->ends(s->self, &s->noise, &s->data);
  s->r = s->process->width;
}

static void each(void (*run)(const struct subject *s))
{
  for (int i = 0; i < SETTINGS; i++) {
    struct subject s;
    open(&s, i);
    run(&s);
    made_part_close(&s.made);
  }
}

/* The time at that share of the way from the data to the noise. */
static double at(const struct subject *s, double share)
{
  return s->data + (s->noise - s->data) * share;
}

static struct dun_channel channel(const struct subject *s, double t)
{
  struct dun_channel c;
  CHECK(dun_process_channel(s->process, s->self, t, &c) == 0);
  return c;
}

/* Without what may fail at the ends. */
static struct dun_channel given(const struct subject *s, double t)
{
  struct dun_channel c = {.r = s->r};
  s->process->channel(s->self, t, &c);
  return c;
}

static void every_process_has_settings(void)
{
  for (const struct dun_type *const *t = dun_registry(DUN_KIND_PROCESS); *t; t++) {
    int found = 0;
    for (size_t i = 0; i < SETTINGS; i++)
      found |= !strcmp(settings[i].name, (*t)->name);
    CHECK(found);
  }
}

static void wrong_options_are_refused(void)
{
  struct made_part made;
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: vp, beta_min: 3, beta_max: 1",
                       why) == 0);
  CHECK(((const struct dun_process *)made.part.type)->init(made.part.self) == DUN_ERROR_INPUT);
  made_part_close(&made);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: psld, gamma: 1, nu: 1",
                       why) == 0);
  CHECK(((const struct dun_process *)made.part.type)->init(made.part.self) == DUN_ERROR_INPUT);
  made_part_close(&made);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: psld, beta: [1, 2, 3]",
                       why) == 0);
  CHECK(((const struct dun_process *)made.part.type)->init(made.part.self) == DUN_ERROR_INPUT);
  made_part_close(&made);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: ve, scale: 0", why) < 0);
  made_part_close(&made);
  CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, "type: vq", why) < 0);
  CHECK(strstr(why, "did you mean 've'") || strstr(why, "did you mean 'vp'"));
  made_part_close(&made);
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void ends_of(const struct subject *s)
{
  double mean[2], root[2][2];
  struct dun_channel last = given(s, s->noise);
  s->process->prior(s->self, mean, root);
  CHECK(s->noise != s->data && s->r >= 1 && s->r <= DUN_CHANNEL_MOST);
  /* what is left of a point at the noise's end, in units of the noise */
  for (int i = 0; i < s->r; i++) {
    CHECK(fabs(mean[i] - last.offset[i]) <= 1e-12 * (1 + fabs(mean[i])));
    for (int j = 0; j <= i; j++) {
      double prior = root[i][0] * root[j][0] + (j ? root[i][1] * root[j][1] : 0);
      CHECK_NEAR(prior, last.noise[i][j], 2e-2 * sqrt(last.noise[i][i] * last.noise[j][j]));
    }
  }
  CHECK(last.gain[0] * last.gain[0] <= 1e-2 || last.noise[0][0] >= 1e3);
}

static void ends_are_the_priors(void)
{
  each(ends_of);
}

static void lambda_grows(const struct subject *s)
{
  double before = INFINITY;
  for (int k = 1; k < 1000; k++) {
    struct dun_channel c = channel(s, at(s, k / 1000.));
    double t = dun_process_time(s->process, s->self, c.lambda);
    CHECK(c.lambda > 0 && c.lambda < before);
    CHECK_NEAR(channel(s, t).lambda, c.lambda, 1e-12 * c.lambda);
    before = c.lambda;
  }
}

static void the_signal_grows_towards_the_data(void)
{
  each(lambda_grows);
}

/* ---- rates ----------------------------------------------------------------------------------- */

static void differences(const struct subject *s)
{
  double step = 1e-5 * (s->noise - s->data);
  for (int k = 1; k < 20; k++) {
    double t = at(s, k / 20.);
    struct dun_channel c = channel(s, t), up = channel(s, t + step), down = channel(s, t - step);
    for (int i = 0; i < s->r; i++) {
      double size = fabs(s->noise - s->data), of = (1 + fabs(c.gain[i]) + fabs(c.offset[i])) / size;
      CHECK_NEAR((up.gain[i] - down.gain[i]) / (2 * step), c.gain_rate[i], 1e-7 * of);
      CHECK_NEAR((up.offset[i] - down.offset[i]) / (2 * step), c.offset_rate[i], 1e-7 * of);
      for (int j = 0; j < s->r; j++)
        CHECK_NEAR((up.noise[i][j] - down.noise[i][j]) / (2 * step), c.noise_rate[i][j],
                   1e-7 * (1 + fabs(c.noise[i][j])) / size);
    }
  }
}

static void rates_are_derivatives(void)
{
  each(differences);
}

/* Of the rate from one time to another, by Gauss and Legendre's three points. */
static double integral(const struct subject *s, double from, double to, int i, int j)
{
  double middle = .5 * (from + to), half = .5 * (to - from), node = sqrt(.6) * half;
  return half / 9 *
         (5 * given(s, middle - node).noise_rate[i][j] + 8 * given(s, middle).noise_rate[i][j] +
          5 * given(s, middle + node).noise_rate[i][j]);
}

/* However little noise there is, all its figures are right. */
static void noise_near(const struct subject *s, double end)
{
  for (int k = 3; k < 14; k++) {
    double t = at(s, end == s->data ? pow(10, -k) : 1 - pow(10, -k));
    struct dun_channel first = given(s, end), c = channel(s, t);
    for (int i = 0; i < s->r; i++) {
      double sum = integral(s, end, t, i, i), change = c.noise[i][i] - first.noise[i][i];
      double round = 1e-15 * fabs(first.noise[i][i]);
      CHECK_NEAR(change, sum, 1e-6 * pow(10, 6 - 2 * k) * fabs(sum) + 1e-12 * fabs(sum) + round);
    }
    for (int i = 0; i < s->r; i++)
      for (int j = 0; j < s->r; j++) {
        double product = 0;
        for (int l = 0; l < s->r; l++)
          product += c.root[i][l] * c.root[j][l];
        CHECK_NEAR(product, c.noise[i][j], 1e-12 * sqrt(c.noise[i][i] * c.noise[j][j]));
      }
  }
}

static void noise_near_both(const struct subject *s)
{
  noise_near(s, s->data);
  noise_near(s, s->noise);
}

static void noise_is_precise_near_both_ends(void)
{
  each(noise_near_both);
}

/* ---- meanings -------------------------------------------------------------------------------- */

static void apply(const struct dun_affine *a, int r, const double *z, double m, double *out)
{
  for (int i = 0; i < r; i++) {
    out[i] = a->mean[i] * m + a->constant[i];
    for (int j = 0; j < r; j++)
      out[i] += a->state[i][j] * z[j];
  }
}

static void there_and_back(const struct subject *s)
{
  const double z[2] = {.7, -.4}, m = 1.3;
  for (int k = 1; k < 20; k++) {
    struct dun_channel c = channel(s, at(s, k / 20.));
    for (int meaning = DUN_DENOISER; meaning <= DUN_VELOCITY; meaning++) {
      struct dun_affine there = dun_channel_from_denoiser(&c, meaning);
      struct dun_inverse back = dun_channel_to_denoiser(&c, meaning);
      double out[2] = {0}, again = back.constant, size = fabs(back.constant) + 1;
      apply(&there, s->r, z, m, out);
      for (int i = 0; i < s->r; i++) {
        again += back.state[i] * z[i] + back.value[i] * out[i];
        size += fabs(back.state[i] * z[i]) + fabs(back.value[i] * out[i]);
      }
      CHECK_NEAR(again, m, 1e-13 * size);
    }
  }
}

static void meanings_go_there_and_back(void)
{
  each(there_and_back);
}

/* Of a point mass at m the state is normal: its score is a difference of the log density, noise has
 * its size, and the flow's velocity carries mean and root along. */
static void definitions(const struct subject *s)
{
  const double m = -.8;
  for (int k = 1; k < 10; k++) {
    double t = at(s, k / 10.);
    struct dun_channel c = channel(s, t);
    double z[2], e[2] = {.3, -1.1}, score[2], noise[2], h = 0;
    for (int i = 0; i < s->r; i++) {
      z[i] = c.gain[i] * m + c.offset[i];
      for (int j = 0; j <= i; j++)
        z[i] += c.root[i][j] * e[j];
      h += c.tilt[i] * (z[i] - c.offset[i]);
    }
    struct dun_affine a = dun_channel_from_denoiser(&c, DUN_NOISE);
    apply(&a, s->r, z, m, noise);
    a = dun_channel_from_denoiser(&c, DUN_SCORE);
    apply(&a, s->r, z, m, score);
    for (int i = 0; i < s->r; i++) {
      double back = 0, size = 1e-12 * (1 + fabs(z[0]) / c.root[0][0]);
      CHECK_NEAR(noise[i], e[i], size);
      for (int j = i; j < s->r; j++)
        back -= c.root[j][i] * score[j]; /* root' score = -noise */
      CHECK_NEAR(back, noise[i], size);
    }
    /* the tilt's mean of N(0, 1) is that of the pair (x, z) */
    double v = c.gain[0] * c.gain[0] + c.noise[0][0];
    if (s->r == 1)
      CHECK_NEAR(h / (1 + c.lambda), c.gain[0] * (z[0] - c.offset[0]) / v, 1e-12 * (1 + fabs(m)));
  }
}

static void meanings_are_what_they_say(void)
{
  each(definitions);
}

/* N(0, 1) seen through the channel has the variance gain^2 + noise: the velocity at m = E[x | z]
 * changes it at its rate. */
static void flow_of(const struct subject *s)
{
  for (int k = 1; k < 10 && s->r == 1; k++) {
    struct dun_channel c = channel(s, at(s, k / 10.));
    struct dun_affine a = dun_channel_from_denoiser(&c, DUN_VELOCITY);
    double v = c.gain[0] * c.gain[0] + c.noise[0][0], slope = a.state[0][0];
    slope += a.mean[0] * c.gain[0] / v;
    CHECK_NEAR(2 * slope * v, 2 * c.gain[0] * c.gain_rate[0] + c.noise_rate[0][0],
               1e-12 * (fabs(slope * v) + fabs(c.noise_rate[0][0])));
    CHECK_NEAR(a.constant[0] + a.state[0][0] * c.offset[0], c.offset_rate[0],
               1e-12 * (1 + fabs(a.constant[0])));
  }
}

static void the_velocity_carries_the_law(void)
{
  each(flow_of);
}

TEST_MAIN({"every process has settings", every_process_has_settings},
          {"wrong options are refused", wrong_options_are_refused},
          {"ends are the priors", ends_are_the_priors},
          {"the signal grows towards the data", the_signal_grows_towards_the_data},
          {"rates are derivatives", rates_are_derivatives},
          {"noise is precise near both ends", noise_is_precise_near_both_ends},
          {"meanings go there and back", meanings_go_there_and_back},
          {"meanings are what they say", meanings_are_what_they_say},
          {"the velocity carries the law", the_velocity_carries_the_law})
