/* The part of a control that depends on the point. */
#include "learning/control.h"
#include "learning/layers.h"
#include "numerics/activation.h"
#include "numerics/real.h"
#include "numerics/tile_product.h"
#include <string.h>

enum { L = DUN_LANES };

#ifdef DUN_SINGLE
#define STATE state_f
#define LIFT  lift_f
#else
#define STATE state
#define LIFT  lift
#endif

/* Columns of the tape: the point; of both layers what the activation is of and what it gives. */
struct DUN_REAL(tape) {
  dun_real *x, *first, *first_on, *second, *second_on;
};

static struct DUN_REAL(tape) tape_of(const struct dun_control *s, dun_real *tape)
{
  int64_t W = (int64_t)s->width * L;
  dun_real *first = tape + (int64_t)s->d * L;
  return (struct DUN_REAL(tape)){tape, first, first + W, first + 2 * W, first + 3 * W};
}

void DUN_REAL(dun_control_state)(const struct dun_control *s, int64_t k, const dun_real *x,
                                 dun_real *o, dun_real *tape)
{
  struct DUN_REAL(tape) at = tape_of(s, tape);
  const dun_real *w = s->STATE, *second = w + (s->at.state[1] - s->at.state[0]);
  const dun_real *last = w + (s->at.state[2] - s->at.state[0]);
  int64_t many = (int64_t)s->width * L;
  if (x != at.x)
    memcpy(at.x, x, (size_t)s->d * L * sizeof *x);
  DUN_REAL(dun_tile_product)(s->width, s->d, L, w, s->d, 1, x, s->LIFT + k * s->width, 0, at.first);
  DUN_REAL(dun_activate)(DUN_GELU, many, at.first, at.first_on);
  DUN_REAL(dun_layer_dense)(s->width, s->width, second, at.first_on, at.second);
  DUN_REAL(dun_activate)(DUN_GELU, many, at.second, at.second_on);
  DUN_REAL(dun_layer_dense)(s->d, s->width, last, at.second_on, o);
}

void DUN_REAL(dun_control_state_back)(const struct dun_control *s, int64_t k, dun_real *tape,
                                      const dun_real *bar, double *slopes, dun_real *scratch)
{
  struct DUN_REAL(tape) at = tape_of(s, tape);
  const dun_real *w = s->STATE;
  int64_t second = s->at.state[1] - s->at.state[0], last = s->at.state[2] - s->at.state[0];
  int64_t many = (int64_t)s->width * L;
  dun_real *back = scratch, *next = scratch + many, *rest = scratch + 2 * many;
  DUN_REAL(dun_layer_dense_back)
  (s->d, s->width, w + last, at.second_on, bar, slopes + last, back, rest);
  DUN_REAL(dun_activate_back)(DUN_GELU, many, at.second, back);
  DUN_REAL(dun_layer_dense_back)
  (s->width, s->width, w + second, at.first_on, back, slopes + second, next, rest);
  DUN_REAL(dun_activate_back)(DUN_GELU, many, at.first, next);
  DUN_REAL(dun_layer_product_back)(s->width, s->d, at.x, next, slopes, rest);
  DUN_REAL(dun_layer_bias_back)
  (s->width, next, slopes + dun_control_lift_slopes(s) + k * s->width);
}
