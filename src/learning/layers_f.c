/* In single precision. */
#define DUN_SINGLE
#include "learning/layers.c"
