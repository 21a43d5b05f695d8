/* In single precision. */
#define DUN_SINGLE
#include "learning/control_state.c"
