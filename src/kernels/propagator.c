#include "kernels/propagator.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>

int dun_propagator_init(struct dun_propagator *s, const struct dun_evaluator *target,
                        const struct dun_kernel_options *options)
{
  int axes, size[DUN_LATTICE_AXES], status;

  *s = (struct dun_propagator){0};
  if (options->metric != DUN_METRIC_FOURIER)
    return 0;
  if ((status = dun_evaluator_lattice(target, &axes, size)) < 0 ||
      (status = dun_lattice_init(&s->lattice, axes, size)) < 0)
    return status;
  s->scale = dun_allocate(s->lattice.sites, sizeof *s->scale);
  if (!s->scale)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k < s->lattice.sites; k++)
    s->scale[k] = 1 / sqrt(options->mass * options->mass + s->lattice.wave[k]);
  return 0;
}

void dun_propagator_free(struct dun_propagator *s)
{
  dun_lattice_free(&s->lattice);
  DUN_FREE(s->scale);
}
