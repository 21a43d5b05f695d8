/* Phase space Langevin diffusion: every coordinate has a momentum beside it, and both are noised at
 * critical damping (numerics/phase_space.h).  The channel is that of a point whose momentum was
 * drawn from N(0, kappa M) with it.  gamma = 0: critically damped Langevin diffusion, which noises
 * momenta only (Dockhorn et al. 2022, ICLR). */
#include "processes/psld.h"
#include "base/error.h"

struct psld {
  double gamma, nu, kappa;
  struct dun_numbers beta;

  struct dun_phase_space space; /* made */
};

const struct dun_phase_space *dun_psld_space(const void *self)
{
  return &((const struct psld *)self)->space;
}

static int init(void *self)
{
  struct psld *s = self;
  if (s->beta.count != 1 && s->beta.count != 2)
    return dun_fail(DUN_ERROR_INPUT, "beta is one number, or two for both ends, not %lld",
                    s->beta.count);
  s->space = (struct dun_phase_space){.gamma = s->gamma,
                                      .nu = s->nu < 0 ? s->gamma + 4 : s->nu,
                                      .beta = {s->beta.value[0], s->beta.value[s->beta.count - 1]},
                                      .kappa = s->kappa};
  return dun_phase_space_set(&s->space);
}

static void ends(const void *self, double *noise, double *data)
{
  (void)self;
  *noise = 1;
  *data = 0;
}

static void channel(const void *self, double t, struct dun_channel *c)
{
  const struct dun_phase_space *s = &((const struct psld *)self)->space;
  double speed = s->beta[0] + t * (s->beta[1] - s->beta[0]);
  const double f[2][2] = {{-.5 * speed * s->gamma, .5 * speed * s->inverse_mass},
                          {-.5 * speed, -.5 * speed * s->nu}};
  const double source[2] = {speed * s->gamma, speed * s->mass * s->nu};
  struct dun_phase_flow flow;

  dun_phase_space_flow(s, dun_phase_space_clock(s, t), &flow);
  dun_phase_flow_spread(&flow, 0, s->kappa * s->mass, c->noise, &c->determinant);
  for (int i = 0; i < 2; i++) {
    c->gain[i] = flow.mean[i][0];
    c->gain_rate[i] = f[i][0] * flow.mean[0][0] + f[i][1] * flow.mean[1][0];
    for (int j = 0; j < 2; j++)
      c->noise_rate[i][j] = f[i][0] * c->noise[0][j] + f[i][1] * c->noise[1][j] +
                            f[j][0] * c->noise[i][0] + f[j][1] * c->noise[i][1] +
                            (i == j ? source[i] : 0);
  }
}

static void prior(const void *self, double mean[2], double root[2][2])
{
  const struct dun_phase_space *s = &((const struct psld *)self)->space;

  mean[0] = mean[1] = 0;
  root[0][0] = 1;
  root[0][1] = root[1][0] = 0;
  root[1][1] = 1 / (s->width < 0 ? -s->width : s->width);
}

static const struct dun_option options[] = {
    {.name = "gamma",
     .type = DUN_NUMBER,
     .offset = offsetof(struct psld, gamma),
     .initial = "0.01",
     .minimum = 0,
     .maximum = 100,
     .doc = "Friction of the positions, and their own noise; 0: none, critically damped Langevin "
            "diffusion."},
    {.name = "nu",
     .type = DUN_NUMBER,
     .offset = offsetof(struct psld, nu),
     .initial = "critical",
     .words = "critical",
     .minimum = 0,
     .maximum = 100,
     .doc = "Friction of the momenta, whose mass is M = 4 / (nu - gamma)^2; critical: gamma + 4."},
    {.name = "beta",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct psld, beta),
     .initial = "8",
     .minimum = 1e-3,
     .maximum = 1e4,
     .doc = "Speed of the noising, or its speeds at the data's end and at the noise's."},
    {.name = "kappa",
     .type = DUN_NUMBER,
     .offset = offsetof(struct psld, kappa),
     .initial = "0.04",
     .minimum = 0,
     .maximum = 1,
     .doc = "The momentum of a point has the variance kappa M."},
    {0},
};

const struct dun_process dun_process_psld = {
    .type = {DUN_TYPE(struct dun_process), .name = "psld",
             .doc = "Phase space Langevin: a position and a momentum, noised at critical damping.",
             .citation = "Pandey & Mandt 2023, ICCV, arXiv 2303.01748", .size = sizeof(struct psld),
             .options = options},
    .init = init,
    .width = 2,
    .ends = ends,
    .channel = channel,
    .prior = prior,
};
