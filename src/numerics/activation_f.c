/* In single precision. */
#define DUN_SINGLE
#include "numerics/activation.c"
