/* The scales of the Fourier metric: s_k = 1 / sqrt(mass^2 + khat^2), the square root of the free
 * field's propagator.  A free field of that mass moves in it like independent standard normals,
 * whatever the size of the lattice; an interacting one has lost most of its slow waves. */
#ifndef DUNLIN_KERNELS_PROPAGATOR_H
#define DUNLIN_KERNELS_PROPAGATOR_H

#include "kernels/kernel.h"
#include "numerics/lattice.h"

struct dun_propagator {
  struct dun_lattice lattice;
  double *scale; /* [sites]: s_k; owned; NULL: the kernel has another metric */
};

/* Local.  DUN_ERROR_INPUT for a target without a lattice, DUN_ERROR_MEMORY; dun_propagator_free is
 * safe afterwards, and twice. */
int dun_propagator_init(struct dun_propagator *propagator, const struct dun_evaluator *target,
                        const struct dun_kernel_options *options);
void dun_propagator_free(struct dun_propagator *propagator);

#endif
