/* The functions of vmath.h for one number at a time: code that is not a loop over lanes calls
 * these, so that it needs no clones of its own. */
#ifndef DUNLIN_BASE_SCALAR_H
#define DUNLIN_BASE_SCALAR_H

double dun_scalar_exp(double x);                                   /* dun_exp */
double dun_scalar_log(double x);                                   /* dun_log */
double dun_scalar_expm1(double x);                                 /* dun_expm1 */
void dun_scalar_sincos2pi(double u, double *sine, double *cosine); /* dun_sincos2pi */

#endif
