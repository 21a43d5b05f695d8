/* A gradient against differences of the log density, lane by lane.
 *
 * A lane's direction v goes over a block of coordinates, each by its spread among the lanes with a
 * random sign, so that a step of 1 is as long as the points lie apart.  A gradient is cleared where
 * one difference of any step agrees with it: the first step is chosen by the gradient itself, and a
 * right one nearly always needs no other.  It is blamed only where differences of neighbouring
 * steps agree with each other, on both sides of the point, far above rounding, and none agrees with
 * it: kinks, walls, noise and constants that swallow the digits blame nobody. */
#include "base/error.h"
#include "base/memory.h"
#include "population/promises.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 13 }; /* 1, 1e-1, ..., 1e-12 spreads */

enum opinion { UNKNOWN, CLEARED, BLAMED };

struct slopes {
  /* given */
  struct dun_caller *caller;
  enum dun_density_kind which;
  int n, d;
  const double *x; /* [d][64] */

  const double *lp, *gradient; /* [64], [d][64]: found at these points */
  uint64_t seed;               /* of the signs */

  /* owned */
  double *spread; /* [d] */
  double *moved;  /* [d][64] */

  /* of the present direction */
  int first[DUN_LANES],
      last[DUN_LANES]; /* the lane's block of coordinates, from first to last - 1 */
  char active[DUN_LANES];
  double along[DUN_LANES], size[DUN_LANES]; /* gradient · v and sum of |gradient_j v_j| */
  double plus[DUN_LANES], minus[DUN_LANES];
  enum opinion opinion[DUN_LANES];
  double step[DUN_LANES]; /* at which a lane was blamed */
};

/* ---- set-up ------------------------------------------------------------------------------ */

static void slopes_free(struct slopes *s)
{
  DUN_FREE(s->spread);
  DUN_FREE(s->moved);
}

/* Standard deviation of a coordinate over the lanes; where all are alike, its own size. */
static double spread_of(int n, const double *x)
{
  double sum = 0, square = 0, largest = 0;
  for (int l = 0; l < n; l++) {
    sum += x[l] / n;
    largest = fabs(x[l]) > largest ? fabs(x[l]) : largest;
  }
  for (int l = 0; l < n; l++)
    square += (x[l] - sum) * (x[l] - sum) / n;
  if (sqrt(square) > 1e-12 * largest && isfinite(square))
    return sqrt(square);
  return largest > 0 && isfinite(largest) ? largest : 1;
}

static int slopes_init(struct slopes *s)
{
  s->spread = dun_allocate(s->d, sizeof(double));
  s->moved = dun_allocate((int64_t)s->d * DUN_LANES, sizeof(double));
  if (!s->spread || !s->moved)
    return DUN_ERROR_MEMORY;
  for (int j = 0; j < s->d; j++)
    s->spread[j] = spread_of(s->n, s->x + (int64_t)j * DUN_LANES);
  return 0;
}

/* A coordinate's share of a step of 1 in a lane's direction: its spread with a random sign. */
static double unit_of(const struct slopes *s, int64_t coordinate, int lane)
{
  uint64_t z = s->seed + (uint64_t)(coordinate * DUN_LANES + lane) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z >> 63 ? s->spread[coordinate] : -s->spread[coordinate];
}

/* ---- entries that were not written ------------------------------------------------------- */

static void count_odd(const struct slopes *s, int j, int *valid, int *marks, int *odd)
{
  *valid = *marks = *odd = 0;
  for (int l = 0; l < s->n; l++) {
    double g = s->gradient[(int64_t)j * DUN_LANES + l];
    if (!isfinite(s->lp[l]))
      continue;
    ++*valid;
    *marks += dun_is_mark(g);
    *odd += !isfinite(g);
  }
}

static const char *function_of(const struct slopes *s)
{
  const struct dun_target *target = s->caller->evaluator->target;
  if (s->which == DUN_DENSITY_PRIOR)
    return "prior";
  return target->point ? "point" : target->rows ? "rows" : "columns";
}

/* Returns 1 after a finding. */
static int refuse_odd(const struct slopes *s, struct dun_findings *findings)
{
  for (int j = 0; j < s->d; j++) {
    int valid, marks, odd;
    count_odd(s, j, &valid, &marks, &odd);
    if (marks > 0)
      dun_find(
          findings, DUN_FINDING_REFUSED,
          "gradient: `%s` leaves gradient[%d] of %d unwritten, or adds to what stood there, at "
          "%d of %d points; expected every entry to be written",
          function_of(s), j, s->d, marks, valid);
    else if (2 * odd > valid)
      dun_find(findings, DUN_FINDING_REFUSED,
               "gradient: `%s` gives gradient[%d] of %d as no finite number at %d of %d points "
               "where the log density is finite",
               function_of(s), j, s->d, odd, valid);
    if (marks > 0 || 2 * odd > valid)
      return 1;
  }
  return 0;
}

/* ---- differences ------------------------------------------------------------------------- */

static void set_direction(struct slopes *s, int lane, int first, int last)
{
  double along = 0, size = 0;
  for (int64_t j = first; j < last; j++) {
    int64_t i = j * DUN_LANES + lane;
    double term = s->gradient[i] * unit_of(s, j, lane);
    along += term;
    size += fabs(term);
  }
  s->first[lane] = first;
  s->last[lane] = last;
  s->along[lane] = along;
  s->size[lane] = size;
}

/* The log densities at x + step v of the active lanes. */
static int evaluate_at(struct slopes *s, const double *step, double side, double *lp)
{
  memcpy(s->moved, s->x, (size_t)s->d * DUN_LANES * sizeof(double));
  for (int l = 0; l < s->n; l++)
    for (int64_t j = s->first[l]; j < s->last[l] && s->active[l]; j++) {
      int64_t i = j * DUN_LANES + l;
      s->moved[i] = s->x[i] + side * step[l] * unit_of(s, j, l);
    }
  int status = dun_caller_evaluate(s->caller, s->which, s->n, s->active, s->moved, 0);
  memcpy(lp, s->caller->found_lp, DUN_LANES * sizeof *lp);
  return status;
}

static int differences(struct slopes *s, const double *step)
{
  int status = evaluate_at(s, step, 1, s->plus);
  return status < 0 ? status : evaluate_at(s, step, -1, s->minus);
}

/* What rounding may do to a difference; log densities have no better digits than their own. */
static double noise_of(const struct slopes *s, int lane, double step)
{
  double size = fabs(s->plus[lane]) + fabs(s->minus[lane]) + fabs(s->lp[lane]);
  return 1e-15 * size / step;
}

static double slope_of(const struct slopes *s, int lane, double step)
{
  return (s->plus[lane] - s->minus[lane]) / (2 * step);
}

static int agrees(const struct slopes *s, int lane, double step)
{
  double slope = slope_of(s, lane, step), along = s->along[lane];
  double allowed = 1e-2 * fmax(fabs(slope), fabs(along)) + 1e-3 * s->size[lane];
  return fabs(slope - along) <= allowed + noise_of(s, lane, step);
}

/* Not only because rounding hides everything. */
static int agrees_clearly(const struct slopes *s, int lane, double step)
{
  double largest = fmax(fabs(slope_of(s, lane, step)), fabs(s->along[lane]));
  return noise_of(s, lane, step) < .1 * largest && agrees(s, lane, step);
}

/* A step over which the log density should change by a thousandth, or by more where a constant
 * swallows its digits, and over which the coordinates change at all. */
static double first_step(const struct slopes *s, int lane)
{
  double change = fmax(1e-3, 1e-11 * fabs(s->lp[lane]));
  double most = change > 1e-3 ? .3 : 1e-3;
  double step = fmin(change / fmax(s->size[lane], 1e-300), most), least = 1e-12;
  for (int64_t j = s->first[lane]; j < s->last[lane]; j++)
    least = fmax(least, 1e-9 * fabs(s->x[j * DUN_LANES + lane]) / s->spread[j]);
  return fmin(fmax(step, least), 1);
}

/* ---- opinions ---------------------------------------------------------------------------- */

/* What the sweep over steps has seen of a lane. */
struct sweep {
  double slope[STEPS];
  char sound[STEPS]; /* far above rounding, and alike on both sides */
  int flat;          /* no step changed the log density at all */
};

static void look(const struct slopes *s, int lane, int k, double step, struct sweep *sweep)
{
  double slope = slope_of(s, lane, step), lp = s->lp[lane];
  double up = (s->plus[lane] - lp) / step, down = (lp - s->minus[lane]) / step;
  sweep->slope[k] = slope;
  sweep->sound[k] = isfinite(slope) && 50 * noise_of(s, lane, step) < fabs(slope) &&
                    fabs(up - down) < .2 * fabs(slope);
  sweep->flat &= s->plus[lane] == lp && s->minus[lane] == lp;
}

/* Differences of three neighbouring steps that agree with each other and not with the gradient. */
static enum opinion judge(const struct slopes *s, int lane, const struct sweep *sweep, int *at)
{
  double along = s->along[lane], size = s->size[lane];
  *at = 0;
  if (sweep->flat)
    return size > 0 && fabs(along) > .1 * size ? BLAMED : UNKNOWN;
  for (int k = STEPS - 1; k >= 2; k--) {
    double slope = sweep->slope[k], largest = fmax(fabs(slope), fabs(along));
    int sound = sweep->sound[k] && sweep->sound[k - 1] && sweep->sound[k - 2];
    *at = k;
    if (sound && fabs(sweep->slope[k - 1] - slope) < .02 * fabs(slope) &&
        fabs(sweep->slope[k - 2] - slope) < .1 * fabs(slope) &&
        fabs(slope - along) > .1 * largest + .02 * size)
      return BLAMED;
  }
  return UNKNOWN;
}

/* 10^-k */
static double tenths(int k)
{
  double power = 1;
  for (int i = 0; i < k; i++)
    power *= .1;
  return power;
}

/* All steps, of the lanes that are active: those with one that agrees are cleared. */
static int sweep_steps(struct slopes *s)
{
  struct sweep sweep[DUN_LANES];
  double step[DUN_LANES];
  int status = 0, at;
  for (int l = 0; l < s->n; l++)
    sweep[l].flat = 1;
  for (int k = 0; k < STEPS && status >= 0; k++) {
    for (int l = 0; l < DUN_LANES; l++)
      step[l] = tenths(k);
    status = differences(s, step);
    for (int l = 0; l < s->n && status >= 0; l++)
      if (s->active[l]) {
        look(s, l, k, step[l], &sweep[l]);
        s->opinion[l] = agrees_clearly(s, l, step[l]) ? CLEARED : s->opinion[l];
      }
  }
  for (int l = 0; l < s->n && status >= 0; l++)
    if (s->active[l] && s->opinion[l] != CLEARED) {
      s->opinion[l] = judge(s, l, &sweep[l], &at);
      s->step[l] = tenths(at);
    }
  return status;
}

/* The opinion of every active lane about its direction. */
static int ask(struct slopes *s)
{
  double step[DUN_LANES];
  int left = 0;
  for (int l = 0; l < DUN_LANES; l++) {
    s->opinion[l] = UNKNOWN;
    step[l] = l < s->n && s->active[l] ? first_step(s, l) : 1;
  }
  int status = differences(s, step);
  for (int l = 0; l < s->n && status >= 0; l++) {
    if (s->active[l] && agrees(s, l, step[l])) {
      s->opinion[l] = CLEARED;
      s->active[l] = 0;
    }
    left += s->active[l];
  }
  return status < 0 || left == 0 ? status : sweep_steps(s);
}

/* ---- where and how ----------------------------------------------------------------------- */

/* Halves the block of a blamed lane until one coordinate is left, always the worse half. */
static int narrow(struct slopes *s, int lane)
{
  double step[DUN_LANES];
  int status = 0;
  memset(s->active, 0, sizeof s->active);
  s->active[lane] = 1;
  for (int l = 0; l < DUN_LANES; l++)
    step[l] = s->step[lane];
  while (status >= 0 && s->last[lane] - s->first[lane] > 1) {
    int first = s->first[lane], last = s->last[lane], middle = (first + last) / 2;
    double off;
    set_direction(s, lane, first, middle);
    status = differences(s, step);
    off = fabs(slope_of(s, lane, step[lane]) - s->along[lane]);
    if (status < 0)
      break;
    set_direction(s, lane, middle, last);
    status = differences(s, step);
    if (off > fabs(slope_of(s, lane, step[lane]) - s->along[lane]))
      set_direction(s, lane, first, middle);
  }
  return status < 0 ? status : differences(s, step);
}

/* All points about one coordinate: in how many it is known, and in how many wrong. */
static int poll(struct slopes *s, int coordinate, int *known, int *wrong)
{
  *known = *wrong = 0;
  for (int l = 0; l < s->n; l++) {
    s->active[l] = isfinite(s->lp[l]) != 0;
    set_direction(s, l, coordinate, coordinate + 1);
  }
  int status = ask(s);
  for (int l = 0; l < s->n && status >= 0; l++) {
    *known += s->opinion[l] != UNKNOWN;
    *wrong += s->opinion[l] == BLAMED;
  }
  return status;
}

static void tell(const struct slopes *s, struct dun_findings *findings, int coordinate,
                 double found, double expected, int known, int wrong)
{
  char how[96] = "";
  if (found == 0)
    snprintf(how, sizeof how, ": it is never written, or its term is missing");
  else if (fabs(found + expected) < .03 * fabs(expected))
    snprintf(how, sizeof how, ": its sign is wrong");
  else if (expected != 0)
    snprintf(how, sizeof how, ": it is %.4g times what it should be", found / expected);
  dun_find(findings, DUN_FINDING_REFUSED,
           "gradient: found gradient[%d] = %.6g, expected %.6g from differences of the log density "
           "of `%s`, wrong at %d of %d points%s",
           coordinate, found, expected, function_of(s), wrong, known, how);
}

/* A blamed lane: the coordinate, whether other points say the same, the sentence. */
static int accuse(struct slopes *s, int lane, struct dun_findings *findings)
{
  int known, wrong, status = narrow(s, lane), coordinate = s->first[lane];
  double found = s->gradient[(int64_t)coordinate * DUN_LANES + lane];
  double expected = slope_of(s, lane, s->step[lane]) / unit_of(s, coordinate, lane);
  if (status < 0 || (status = poll(s, coordinate, &known, &wrong)) < 0)
    return status;
  if (wrong == 0 || (wrong < 2 && known > 4) || 20 * wrong < known)
    return 0;
  tell(s, findings, coordinate, found, expected, known, wrong);
  return 1;
}

/* ---- the whole --------------------------------------------------------------------------- */

/* Pass `pass`: every lane's block is another one; with all passes each has its turn. */
static void set_blocks(struct slopes *s, int pass, int passes)
{
  int64_t blocks = (int64_t)s->n * passes < s->d ? (int64_t)s->n * passes : s->d;
  for (int l = 0; l < s->n; l++) {
    int64_t block = ((int64_t)pass * s->n + l) % blocks;
    set_direction(s, l, (int)(block * s->d / blocks), (int)((block + 1) * s->d / blocks));
    s->active[l] = isfinite(s->lp[l]) && isfinite(s->size[l]);
  }
}

/* Returns 1 after a finding. */
static int try_pass(struct slopes *s, int pass, int passes, struct dun_findings *findings)
{
  enum opinion opinion[DUN_LANES];
  double step[DUN_LANES];
  int status, tried = 0;
  set_blocks(s, pass, passes);
  if ((status = ask(s)) < 0)
    return status;
  memcpy(opinion, s->opinion, sizeof opinion);
  memcpy(step, s->step, sizeof step);
  for (int l = 0; l < s->n && status == 0 && tried < 4; l++) {
    if (opinion[l] != BLAMED)
      continue;
    set_blocks(s, pass, passes);
    s->step[l] = step[l];
    status = accuse(s, l, findings);
    tried++;
  }
  return status;
}

int dun_promises_gradient(struct dun_caller *caller, enum dun_density_kind which,
                          const struct dun_effort *effort, struct dun_address address,
                          const struct dun_found *found, struct dun_findings *findings)
{
  struct slopes s = {.caller = caller,
                     .which = which,
                     .n = effort->lanes,
                     .d = caller->evaluator->dimension,
                     .x = found->x,
                     .lp = found->lp,
                     .gradient = found->gradient,
                     .seed = address.seed ^ address.step};
  int status = slopes_init(&s);
  if (status >= 0)
    status = refuse_odd(&s, findings);
  for (int pass = 0; pass < effort->passes && status == 0; pass++)
    status = try_pass(&s, pass, effort->passes, findings);
  slopes_free(&s);
  return status < 0 ? status : 0;
}
