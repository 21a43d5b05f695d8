/* In single precision. */
#define DUN_SINGLE
#include "learning/convolution_winograd.c"
