/* Grouping of points by Lloyd's iteration from centres that lie far apart.  Never communicates. */
#ifndef DUNLIN_NUMERICS_CLUSTERS_H
#define DUNLIN_NUMERICS_CLUSTERS_H

#include <stdint.h>

/* member[n], from 0 to count - 1, of points x[n][d] by rows: the first centre is the point nearest
 * to the mean, each further one the point farthest from those before; then at most `rounds` rounds
 * of means and nearest centres, until nothing changes.  Groups may be left empty.
 * DUN_ERROR_MEMORY. */
int dun_clusters_find(int64_t n, int d, const double *x, int count, int rounds, int *member);

#endif
