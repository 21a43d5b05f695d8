/* Stochastic localization: z = t x + W_t, from t = 0, where z is 0.  Eldan 2013, GAFA 23, 532;
 * Montanari 2023, arXiv 2305.10690. */
#include "processes/process.h"

struct isotropic {
  double horizon;
};

static void ends(const void *self, double *noise, double *data)
{
  *noise = 0;
  *data = ((const struct isotropic *)self)->horizon;
}

/* The tilt is the state itself, also where there is no noise yet. */
static void channel(const void *self, double t, struct dun_channel *c)
{
  (void)self;
  c->gain[0] = t;
  c->gain_rate[0] = 1;
  c->noise[0][0] = c->determinant = t;
  c->noise_rate[0][0] = 1;
  c->tilted = 1;
  c->tilt[0] = 1;
  c->lambda = t;
}

static void prior(const void *self, double mean[2], double root[2][2])
{
  (void)self;
  mean[0] = 0;
  root[0][0] = 0;
}

static const struct dun_option options[] = {
    {.name = "horizon",
     .type = DUN_NUMBER,
     .offset = offsetof(struct isotropic, horizon),
     .initial = "1000",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "The last time; what is left of the noise in a point has the variance 1 / horizon."},
    {0},
};

const struct dun_process dun_process_isotropic = {
    .type = {DUN_TYPE(struct dun_process), .name = "isotropic",
             .doc = "Stochastic localization: a point times the time, and Brownian motion.",
             .citation = "Eldan 2013, GAFA 23, 532; Montanari 2023, arXiv 2305.10690",
             .size = sizeof(struct isotropic), .options = options},
    .width = 1,
    .ends = ends,
    .channel = channel,
    .prior = prior,
};
