/* Variance exploding: z = x + t noise; the time is the noise's standard deviation.  Song et al.
 * 2021, ICLR; Karras et al. 2022, NeurIPS. */
#include "processes/process.h"

struct ve {
  double scale;
};

static void ends(const void *self, double *noise, double *data)
{
  *noise = ((const struct ve *)self)->scale;
  *data = 0;
}

static void channel(const void *self, double t, struct dun_channel *c)
{
  (void)self;
  c->gain[0] = 1;
  c->noise[0][0] = c->determinant = t * t;
  c->noise_rate[0][0] = 2 * t;
}

static void prior(const void *self, double mean[2], double root[2][2])
{
  mean[0] = 0;
  root[0][0] = ((const struct ve *)self)->scale;
}

static const struct dun_option options[] = {
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = offsetof(struct ve, scale),
     .initial = "100",
     .minimum = 1e-100,
     .maximum = 1e100,
     .doc = "Standard deviation of the noise where nothing is known: many times the target's "
            "width."},
    {0},
};

const struct dun_process dun_process_ve = {
    .type = {DUN_TYPE(struct dun_process), .name = "ve",
             .doc = "Variance exploding: a point and noise whose standard deviation is the time.",
             .citation = "Song et al. 2021, ICLR; Karras et al. 2022, NeurIPS",
             .size = sizeof(struct ve), .options = options},
    .width = 1,
    .ends = ends,
    .channel = channel,
    .prior = prior,
};
