/* The means of the standard 40-mode benchmark in two dimensions. */
#ifndef DUNLIN_TARGETS_FORTY_MODES_H
#define DUNLIN_TARGETS_FORTY_MODES_H

enum { DUN_FORTY = 40 };

/* mean[i] = 80 (u - 1/2) with u = (word mod 2^24) / 2^24 from the Mersenne twister MT19937
 * (Matsumoto and Nishimura 1998) started by init_genrand(0); first coordinate, then second. */
void dun_forty_modes(double mean[DUN_FORTY][2]);

#endif
