/* In single precision. */
#define DUN_SINGLE
#include "learning/mlp_tile.c"
