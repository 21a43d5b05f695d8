/* In single precision. */
#define DUN_SINGLE
#include "learning/two_layer_tile.c"
