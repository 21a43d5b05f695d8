/* Variance preserving: dz = -beta z / 2 dt + sqrt(beta) dW with beta from beta_min at t = 0 to
 * beta_max at t = 1, a straight line.  Ho et al. 2020, NeurIPS; Song et al. 2021, ICLR. */
#include "base/error.h"
#include "base/scalar.h"
#include "processes/process.h"

struct vp {
  double beta_min, beta_max;
};

static int init(void *self)
{
  const struct vp *s = self;
  if (s->beta_max < s->beta_min)
    return dun_fail(DUN_ERROR_INPUT, "beta_max is %g, below beta_min, which is %g", s->beta_max,
                    s->beta_min);
  return 0;
}

static void ends(const void *self, double *noise, double *data)
{
  (void)self;
  *noise = 1;
  *data = 0;
}

static void channel(const void *self, double t, struct dun_channel *c)
{
  const struct vp *s = self;
  double beta = s->beta_min + (s->beta_max - s->beta_min) * t;
  double sum = t * (s->beta_min + .5 * (s->beta_max - s->beta_min) * t);

  c->gain[0] = dun_scalar_exp(-.5 * sum);
  c->gain_rate[0] = -.5 * beta * c->gain[0];
  c->noise[0][0] = c->determinant = -dun_scalar_expm1(-sum);
  c->noise_rate[0][0] = beta * dun_scalar_exp(-sum);
}

static void prior(const void *self, double mean[2], double root[2][2])
{
  (void)self;
  mean[0] = 0;
  root[0][0] = 1;
}

#define OPTION(name_, initial_, doc_)                                                              \
  {                                                                                                \
    .name = #name_, .type = DUN_NUMBER, .offset = offsetof(struct vp, name_), .initial = initial_, \
    .minimum = 1e-6, .maximum = 1e4, .doc = doc_                                                   \
  }
static const struct dun_option options[] = {
    OPTION(beta_min, ".1", "Rate of the noise at the data's end."),
    OPTION(beta_max, "20", "Rate of the noise at its own end."),
    {0},
};

const struct dun_process dun_process_vp = {
    .type = {DUN_TYPE(struct dun_process), .name = "vp",
             .doc = "Variance preserving: a point fades while noise of unit variance takes its "
                    "place.",
             .citation = "Ho et al. 2020, NeurIPS; Song et al. 2021, ICLR",
             .size = sizeof(struct vp), .options = options},
    .init = init,
    .width = 1,
    .ends = ends,
    .channel = channel,
    .prior = prior,
};
