/* The functions of vmath.h for one number at a time: code that is not a loop over lanes calls
 * these, so that it needs no clones of its own. */
#ifndef DUNLIN_BASE_SCALAR_H
#define DUNLIN_BASE_SCALAR_H

double dun_scalar_exp(double x); /* dun_exp */
double dun_scalar_log(double x); /* dun_log */

#endif
