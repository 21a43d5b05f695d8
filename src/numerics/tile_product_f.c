/* In single precision. */
#define DUN_SINGLE
#include "numerics/tile_product.c"
