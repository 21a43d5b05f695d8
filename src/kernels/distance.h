/* Squared distances of the lanes, out[64], of columns [d][64]. */
#ifndef DUNLIN_KERNELS_DISTANCE_H
#define DUNLIN_KERNELS_DISTANCE_H

/* Between x and y in units of scales, whose inverses are [d]. */
void dun_squared_distance(int d, const double *x, const double *y, const double *inverse,
                          double *out);
/* The same with the scales of each lane, [d][64]. */
void dun_squared_lane_distance(int d, const double *x, const double *y, const double *scale,
                               double *out);
/* Of x from a point [d]. */
void dun_squared_radius(int d, const double *x, const double *centre, const double *inverse,
                        double *out);

#endif
