/* Interpolant: z = a(t) x + b(t) y with y ~ N(mean, scale^2) and independent of x; the noise's end
 * is t = 1.  Albergo, Boffi & Vanden-Eijnden 2023, arXiv 2303.08797; of straight lines, rectified
 * flow: Liu, Gong & Liu 2023, ICLR. */
#include "base/scalar.h"
#include "processes/process.h"

enum schedule { LINEAR, TRIGONOMETRIC };

struct interpolant {
  int schedule;
  double mean, scale;
};

static void ends(const void *self, double *noise, double *data)
{
  (void)self;
  *noise = 1;
  *data = 0;
}

static void channel(const void *self, double t, struct dun_channel *c)
{
  const double half_pi = 0x1.921fb54442d18p0;
  const struct interpolant *s = self;
  double a = 1 - t, b = t, a_rate = -1, b_rate = 1;

  if (s->schedule == TRIGONOMETRIC) {
    dun_scalar_sincos2pi(.25 * t, &b, &a);
    a_rate = -half_pi * b;
    b_rate = half_pi * a;
  }
  c->gain[0] = a;
  c->gain_rate[0] = a_rate;
  c->offset[0] = b * s->mean;
  c->offset_rate[0] = b_rate * s->mean;
  c->noise[0][0] = c->determinant = b * b * s->scale * s->scale;
  c->noise_rate[0][0] = 2 * b * b_rate * s->scale * s->scale;
}

static void prior(const void *self, double mean[2], double root[2][2])
{
  const struct interpolant *s = self;
  mean[0] = s->mean;
  root[0][0] = s->scale;
}

static const struct dun_option options[] = {
    {.name = "schedule",
     .type = DUN_CHOICE,
     .offset = offsetof(struct interpolant, schedule),
     .words = "linear|trigonometric",
     .initial = "linear",
     .doc = "Weights of point and noise: 1 - t and t, or cosine and sine of a quarter turn."},
    {.name = "mean",
     .type = DUN_NUMBER,
     .offset = offsetof(struct interpolant, mean),
     .initial = "0",
     .doc = "Mean of the noise, the same in every coordinate."},
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct interpolant, scale),
     .initial = "1",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "Standard deviation of the noise: best near that of the target."},
    {0},
};

const struct dun_process dun_process_interpolant = {
    .type = {DUN_TYPE(struct dun_process), .name = "interpolant",
             .doc = "Flow: a point moves along a line, or an arc, to independent noise.",
             .citation = "Albergo, Boffi & Vanden-Eijnden 2023, arXiv 2303.08797; Liu, Gong & Liu "
                         "2023, ICLR",
             .size = sizeof(struct interpolant), .options = options},
    .width = 1,
    .ends = ends,
    .channel = channel,
    .prior = prior,
};
