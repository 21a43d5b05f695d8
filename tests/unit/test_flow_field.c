/* The flow of a mixture whose velocity and score come from its denoiser through a process's
 * channels: against the mixture's own score, written out, and against conservation of mass, by
 * differences. */
#include "check.h"
#include "made_part.h"
#include "processes/process.h"
#include "subject.h"

enum { D = 3, M = 3 };

static const double mean[M][D] = {{1, -2, .5}, {-1.5, .3, 2}, {0, 1, -1}};
static const double weight[M] = {.5, .3, .2}, scale[M] = {.4, .8, .6};
static const char *const text = "type: gaussian_mixture, means: [[1, -2, .5], [-1.5, .3, 2], [0, "
                                "1, -1]], weights: [.5, .3, .2], scales: [.4, .8, .6]";
static const char *const process[] = {"type: interpolant, mean: .7, scale: 1.4",
                                      "type: interpolant, schedule: trigonometric", "type: vp",
                                      "type: ve, scale: 10"};
enum { PROCESSES = sizeof process / sizeof *process };

static struct subject s;
static struct made_part made;

static struct dun_channel at(double share)
{
  const struct dun_process *p = (const struct dun_process *)made.part.type;
  struct dun_channel c;
  double noise, data;
  p->ends(made.part.self, &noise, &data);
  CHECK(dun_process_channel(p, made.part.self, data + share * (noise - data), &c) == 0);
  return c;
}

/* The time's length of a share. */
static double length(void)
{
  double noise, data;
  ((const struct dun_process *)made.part.type)->ends(made.part.self, &noise, &data);
  return noise - data;
}

/* At states z[D][64]: denoiser and log density of the states. */
static void ask(const struct dun_channel *c, const double *z, double *m, double *lp)
{
  static double h[D * L] __attribute__((aligned(64)));
  double lambda[L] __attribute__((aligned(64)));
  for (int i = 0; i < D * L; i++)
    h[i] = c->tilt[0] * (z[i] - c->offset[0]);
  for (int l = 0; l < L; l++)
    lambda[l] = c->lambda;
  struct dun_tilted tilted = {.n = L, .h = h, .lambda = lambda, .mean = m, .log_mass = lp};
  CHECK(s.target->tilted(s.self, &tilted, s.evaluator.work) == 0);
  for (int l = 0; l < L; l++)
    for (int j = 0; j < D; j++) {
      double y = z[j * L + l] - c->offset[0], v = c->noise[0][0];
      lp[l] -= .5 * y * y / v + .5 * log(2 * 3.14159265358979323846 * v);
    }
}

/* The mixture's score at one state, by its components N(gain m + offset, gain^2 s^2 + noise). */
static void score_of(const struct dun_channel *c, const double *z, double *score)
{
  double log_r[M], most = -INFINITY, sum = 0;
  for (int i = 0; i < M; i++) {
    double v = c->gain[0] * c->gain[0] * scale[i] * scale[i] + c->noise[0][0], square = 0;
    for (int j = 0; j < D; j++)
      square += pow(z[j] - c->gain[0] * mean[i][j] - c->offset[0], 2);
    log_r[i] = log(weight[i]) - .5 * D * log(v) - .5 * square / v;
    most = fmax(most, log_r[i]);
  }
  for (int i = 0; i < M; i++)
    sum += exp(log_r[i] - most);
  for (int j = 0; j < D; j++) {
    score[j] = 0;
    for (int i = 0; i < M; i++) {
      double v = c->gain[0] * c->gain[0] * scale[i] * scale[i] + c->noise[0][0];
      score[j] -= exp(log_r[i] - most) / sum * (z[j] - c->gain[0] * mean[i][j] - c->offset[0]) / v;
    }
  }
}

/* States as they may be met there. */
static void states(const struct dun_channel *c, double *z)
{
  for (int l = 0; l < L; l++)
    for (int j = 0; j < D; j++)
      z[j * L + l] = c->gain[0] * (mean[l % M][j] + .7 * sin(3 * l + j)) + c->offset[0] +
                     c->root[0][0] * cos(5 * l + 2 * j);
}

static void scores_from_velocities(void)
{
  static double z[D * L] __attribute__((aligned(64))), m[D * L] __attribute__((aligned(64)));
  double lp[L] __attribute__((aligned(64)));
  for (int k = 0; k <= 98; k++) {
    double share = .01 + .01 * k;
    struct dun_channel c = at(share);
    struct dun_affine v = dun_channel_from_denoiser(&c, DUN_VELOCITY);
    struct dun_affine u = dun_channel_from_denoiser(&c, DUN_SCORE);
    struct dun_inverse back = dun_channel_to_denoiser(&c, DUN_VELOCITY);
    states(&c, z);
    ask(&c, z, m, lp);
    for (int l = 0; l < L; l++) {
      double point[D], there[D];
      for (int j = 0; j < D; j++)
        point[j] = z[j * L + l];
      score_of(&c, point, there);
      for (int j = 0; j < D; j++) {
        double speed = v.state[0][0] * point[j] + v.mean[0] * m[j * L + l] + v.constant[0];
        double again = back.state[0] * point[j] + back.value[0] * speed + back.constant;
        double score = u.state[0][0] * point[j] + u.mean[0] * again + u.constant[0];
        double size = 1 + fabs(point[j]) / c.noise[0][0];
        CHECK_NEAR(score, there[j], 1e-13 * size + 1e-12 * fabs(there[j]));
        if (made.part.type->name[1] == 'n' && at(.5).gain[0] == .5) { /* straight lines */
          double t = share, w = (.7 - point[j] - (1 - t) * speed) / (1.4 * 1.4);
          CHECK_NEAR(w / t, there[j], 1e-11);
        }
      }
    }
  }
}

/* d log p / dt + div v + v . s = 0. */
static void mass_is_conserved(void)
{
  static double z[D * L] __attribute__((aligned(64))), m[D * L] __attribute__((aligned(64)));
  static double up[D * L] __attribute__((aligned(64))), down[D * L] __attribute__((aligned(64)));
  double lp[L] __attribute__((aligned(64))), more[L] __attribute__((aligned(64))),
      less[L] __attribute__((aligned(64)));
  const double step = 1e-5;
  for (int k = 1; k < 20; k++) {
    struct dun_channel c = at(.05 * k), later = at(.05 * k + step), sooner = at(.05 * k - step);
    struct dun_affine v = dun_channel_from_denoiser(&c, DUN_VELOCITY);
    double sum[L];
    states(&c, z);
    ask(&later, z, m, more);
    ask(&sooner, z, m, less);
    for (int l = 0; l < L; l++)
      sum[l] = (more[l] - less[l]) / (2 * step * length());
    ask(&c, z, m, lp);
    for (int l = 0; l < L; l++) {
      double point[D], score[D];
      for (int j = 0; j < D; j++)
        point[j] = z[j * L + l];
      score_of(&c, point, score);
      for (int j = 0; j < D; j++)
        sum[l] += score[j] * (v.state[0][0] * point[j] + v.mean[0] * m[j * L + l] + v.constant[0]);
    }
    for (int j = 0; j < D; j++) {
      double width = step * fmax(1, c.root[0][0]);
      for (int l = 0; l < L; l++)
        z[j * L + l] += width;
      ask(&c, z, up, more);
      for (int l = 0; l < L; l++)
        z[j * L + l] -= 2 * width;
      ask(&c, z, down, less);
      for (int l = 0; l < L; l++) {
        z[j * L + l] += width;
        sum[l] += v.state[0][0] + v.mean[0] * (up[j * L + l] - down[j * L + l]) / (2 * width);
      }
    }
    for (int l = 0; l < L; l++)
      CHECK_NEAR(sum[l], 0, 1e-6);
  }
}

static void each(void (*run)(void))
{
  char why[1024];
  if (subject_open(&test_context, &s, text, why) < 0) {
    fprintf(stderr, "%s\n", why);
    MPI_Abort(test_context.comm, 1);
  }
  for (int i = 0; i < PROCESSES; i++) {
    CHECK(made_part_open(&test_context, &made, DUN_KIND_PROCESS, process[i], why) == 0);
    run();
    made_part_close(&made);
  }
  subject_close(&s);
}

static void scores(void)
{
  each(scores_from_velocities);
}

static void mass(void)
{
  each(mass_is_conserved);
}

TEST_MAIN({"scores from velocities", scores}, {"mass is conserved", mass})
