/* The posterior mean by Markov chains, of any target with a gradient (SLIPS: Grenioux, Noble,
 * Gabrie & Durmus 2024, arXiv 2402.10758).  Each particle has chains of its own, which go on where
 * they stood at the last call, when h and lambda were a little different:
 *
 *   move   x' = x + eps grad log p + sqrt(2 eps) z, p = pi(x) exp(<h, x> - lambda |x|^2 / 2), by
 *          Metropolis' rule (MALA); then eps *= 1.03 if it was accepted with more than .76, eps /=
 *          1.03 with less than .74
 *   mean   of the states after the later half of the moves, of all chains
 *   first  x = h / lambda, a tiny eps, and `warm_up` times as many moves before
 *
 * Chains are as many passes over the lanes of a tile.  What one of them does depends on no other
 * lane.  States outside the support count for nothing: from there a chain wanders, by steps that
 * grow, until it meets a point inside. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "fields/field.h"
#include "numerics/columns.h"
#include "numerics/decision.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* The memory's columns: these, then x[d] and eps of each chain. */
enum { CALLS, ACCEPTANCE, BETWEEN, HEAD };

/* In the workspace: of the chain at hand, and of all of them. */
struct lanes {
  double *gradient, *proposal, *proposed_gradient, *momentum; /* [d] */
  double *origin, *sum; /* [d]: where its later half began, and of the states from there */
  double *base, *total; /* [d]: the first chain's origin, and of the chains' means from there */

  double *lp, *proposed_lp, *energy, *ratio, *step, *uniform, *chosen, *accepted; /* [1] */
  double *count, *square;                    /* [1]: states inside, and of their distances */
  double *all, *acceptance, *means, *within; /* [1]: of the chains */
  double *drawn;                             /* [1] */
};
enum { BLOCKS = 8, COLUMNS = 15 };

struct mcmc {
  /* options */
  long long chains, moves, warm_up;

  /* made by init */
  struct dun_evaluator *target;
  double *work; /* lanes; owned */
  double *unit; /* [d] and [64] of 1, the longer; owned */
};

static const double FIRST_STEP = 1e-5, LEAST_STEP = 1e-150, MOST_STEP = 1e150;

/* ---- set-up -------------------------------------------------------------------------------- */

static int init_here(struct mcmc *s, struct dun_evaluator *target)
{
  const long long most = 1 << 24;
  int64_t d = target->dimension, units = d > L ? d : L;
  s->target = target;
  if (target->target->support != DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT,
                    "field mcmc is of reals, and target %s has none: take field exact or atoms",
                    target->target->type.name);
  if (dun_evaluator_need_gradient(target, "field mcmc", "field monte_carlo with estimator: dsi") <
      0)
    return DUN_ERROR_INPUT;
  if (s->chains > most / (d + 1))
    return dun_fail(DUN_ERROR_INPUT, "chains: found %lld, expected at most %lld in %lld dimensions",
                    s->chains, most / (d + 1), (long long)d);
  DUN_FREE(s->work);
  DUN_FREE(s->unit);
  s->work = dun_allocate((BLOCKS * d + COLUMNS) * L, sizeof *s->work);
  s->unit = dun_allocate(units, sizeof *s->unit);
  if (!s->work || !s->unit)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < units; i++)
    s->unit[i] = 1;
  return 0;
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  (void)lambda;
  return dun_agree(context, init_here(self, target));
}

static void release(void *self)
{
  struct mcmc *s = self;
  DUN_FREE(s->work);
  DUN_FREE(s->unit);
}

static unsigned gives(const void *self)
{
  (void)self;
  return DUN_TILTED_DRAW | DUN_FIELD_SCALE;
}

static int remembers(const void *self)
{
  const struct mcmc *s = self;
  return HEAD + (int)s->chains * (s->target->dimension + 1);
}

/* ---- a move -------------------------------------------------------------------------------- */

static struct lanes lanes_of(const struct mcmc *s)
{
  int64_t block = (int64_t)s->target->dimension * L;
  struct lanes w = {.gradient = s->work};
  double **blocks[] = {&w.gradient, &w.proposal, &w.proposed_gradient,
                       &w.momentum, &w.origin,   &w.sum,
                       &w.base,     &w.total};
  double **columns[] = {&w.lp,      &w.proposed_lp, &w.energy,   &w.ratio,  &w.step,
                        &w.uniform, &w.chosen,      &w.accepted, &w.count,  &w.square,
                        &w.all,     &w.acceptance,  &w.means,    &w.within, &w.drawn};
  for (int b = 0; b < BLOCKS; b++)
    *blocks[b] = s->work + b * block;
  for (int c = 0; c < COLUMNS; c++)
    *columns[c] = s->work + BLOCKS * block + (int64_t)c * L;
  return w;
}

/* Of the tilt alone: lp[64] and gradient[d][64]. */
DUN_CLONES static void tilt(int64_t d, const double *restrict h, const double *restrict lambda,
                            const double *restrict scale, const double *restrict x,
                            double *restrict lp, double *restrict gradient)
{
  for (int l = 0; l < L; l++)
    lp[l] = 0;
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double pull = lambda[l] * (scale ? scale[j] : 1) * x[j * L + l], from = h[j * L + l];
      lp[l] = DUN_FMA(x[j * L + l], DUN_FMA(-.5, pull, from), lp[l]);
      gradient[j * L + l] = from - pull;
    }
}

DUN_CLONES static void add_tilt(const double *restrict tilt, double *restrict lp)
{
  for (int l = 0; l < L; l++) {
    double sum = lp[l] + tilt[l];
    lp[l] = sum > -INFINITY && sum < INFINITY ? sum : -INFINITY; /* NaN too */
  }
}

/* Of the tilted law at x; a scratch column. */
static void evaluate(const struct mcmc *s, const struct dun_field_call *call, const double *x,
                     double *scratch, double *lp, double *gradient)
{
  tilt(s->target->dimension, call->h, call->lambda, call->scale, x, scratch, gradient);
  dun_evaluate(s->target, call->n, x, lp, s->unit, gradient);
  add_tilt(scratch, lp);
}

/* A leapfrog from momenta z is Langevin's proposal, its kinetic energies the ways' densities. */
DUN_CLONES static void lengths(const double *restrict eps, double *restrict step)
{
  for (int l = 0; l < L; l++)
    step[l] = sqrt(2 * eps[l]);
}

/* Kinetic energies from squares before, with those after. */
DUN_CLONES static void lose(int d, const double *restrict p, double *restrict energy)
{
  double after[L] __attribute__((aligned(64))) = {0};
  dun_columns_add_square(d, p, after);
  for (int l = 0; l < L; l++)
    energy[l] = .5 * (energy[l] - after[l]);
}

/* Outside the support steps grow. */
DUN_CLONES static void adapt(const double *restrict lp, const double *restrict acceptance,
                             double *restrict eps)
{
  for (int l = 0; l < L; l++) {
    double a = lp[l] > -INFINITY ? acceptance[l] : 1;
    double by = a > .76 ? 1.03 : a < .74 ? 1 / 1.03 : 1, to = eps[l] * by;
    eps[l] = to > MOST_STEP ? MOST_STEP : to < LEAST_STEP ? LEAST_STEP : to;
  }
}

static void move(const struct mcmc *s, const struct dun_field_call *call, uint64_t number,
                 const struct lanes *w, double *x, double *eps)
{
  int d = s->target->dimension;
  struct dun_address address = dun_address_apart(call->address, number);
  address.purpose = DUN_PURPOSE_FIELD;
  dun_normals(address, d, w->momentum);
  address.purpose = DUN_PURPOSE_FIELD_UNIFORM;
  dun_uniforms(address, 1, w->uniform);
  lengths(eps, w->step);
  memset(w->energy, 0, L * sizeof *w->energy);
  dun_columns_add_square(d, w->momentum, w->energy);
  dun_columns_add_scaled(d, .5, w->step, s->unit, w->gradient, w->momentum);
  memcpy(w->proposal, x, (size_t)d * L * sizeof *x);
  dun_columns_add_scaled(d, 1, w->step, s->unit, w->momentum, w->proposal);
  evaluate(s, call, w->proposal, w->ratio, w->proposed_lp, w->proposed_gradient);
  dun_columns_add_scaled(d, .5, w->step, s->unit, w->proposed_gradient, w->momentum);
  lose(d, w->momentum, w->energy);
  dun_metropolis_ratio(w->lp, w->proposed_lp, w->energy, w->ratio);
  dun_metropolis_decide(w->ratio, w->uniform, w->accepted, w->chosen);
  adapt(w->lp, w->accepted, eps);
  dun_metropolis_take(d, w->chosen, w->proposal, x);
  dun_metropolis_take(d, w->chosen, w->proposed_gradient, w->gradient);
  dun_metropolis_take(1, w->chosen, w->proposed_lp, w->lp);
}

/* ---- means ----------------------------------------------------------------------------------- */

/* One more state of the chain's later half. */
DUN_CLONES static void count(int64_t d, const struct lanes *w, const double *restrict x)
{
  double inside[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++) {
    inside[l] = w->lp[l] > -INFINITY ? 1 : 0;
    w->count[l] += inside[l];
    w->acceptance[l] += w->accepted[l];
  }
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double off = inside[l] > 0 ? x[i] - w->origin[i] : 0;
      w->sum[i] += off;
      w->square[l] = DUN_FMA(off, off, w->square[l]);
    }
}

/* The chain's mean and variance join those of the others. */
DUN_CLONES static void join(int64_t d, const struct lanes *w)
{
  double within[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    within[l] = w->count[l] > 0 ? w->square[l] / w->count[l] : 0;
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double mean = w->count[l] > 0 ? w->sum[i] / w->count[l] : 0;
      double off = w->count[l] > 0 ? w->origin[i] + mean - w->base[i] : 0;
      within[l] -= mean * mean;
      w->total[i] += off;
      w->means[l] = DUN_FMA(off, off, w->means[l]);
    }
  for (int l = 0; l < L; l++) {
    w->within[l] += within[l];
    w->all[l] += w->count[l] > 0 ? 1 : 0;
  }
}

/* The last state of the first chain that is inside. */
static void take_draw(int64_t d, const struct lanes *w, const double *x, double *draw)
{
  for (int l = 0; l < L; l++) {
    w->chosen[l] = w->lp[l] > -INFINITY && w->drawn[l] == 0 ? 1 : 0;
    w->drawn[l] += w->chosen[l];
  }
  dun_metropolis_take(d, w->chosen, x, draw);
}

/* Where no chain is inside there is no number. */
DUN_CLONES static void finish(int64_t d, double moves, const struct lanes *w,
                              double *restrict memory, double *restrict mean)
{
  double between[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    between[l] = w->means[l];
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      int64_t i = j * L + l;
      double off = w->total[i] / w->all[l];
      mean[i] = w->all[l] > 0 ? w->base[i] + off : NAN;
      between[l] -= w->all[l] * off * off;
    }
  for (int l = 0; l < L; l++) {
    double chains = w->all[l], apart = between[l] / (chains - 1), own = w->within[l] / chains;
    memory[CALLS * L + l] += 1;
    memory[ACCEPTANCE * L + l] = w->acceptance[l] / moves;
    memory[BETWEEN * L + l] = chains > 1 && own > 0 ? (apart > 0 ? apart : 0) / own : NAN;
  }
}

/* Where chains begin. */
DUN_CLONES static void begin(int64_t d, const double *restrict h, const double *restrict lambda,
                             const double *restrict scale, double *restrict x, double *restrict eps)
{
  for (int64_t j = 0; j < d; j++)
    for (int l = 0; l < L; l++) {
      double pull = lambda[l] * (scale ? scale[j] : 1);
      x[j * L + l] = pull > 0 ? h[j * L + l] / pull : 0;
    }
  for (int l = 0; l < L; l++)
    eps[l] = FIRST_STEP;
}

static void clear(double *column)
{
  memset(column, 0, L * sizeof *column);
}

/* The moves of a chain, numbers from `number` on; the last `later` of them count. */
static void go(const struct mcmc *s, const struct dun_field_call *call, uint64_t number,
               long long moves, long long later, const struct lanes *w, double *x, double *eps)
{
  int64_t d = s->target->dimension;
  evaluate(s, call, x, w->ratio, w->lp, w->gradient);
  memset(w->sum, 0, (size_t)d * L * sizeof *w->sum);
  clear(w->count);
  clear(w->square);
  for (long long i = 0; i < moves; i++) {
    if (i == moves - later)
      memcpy(w->origin, x, (size_t)d * L * sizeof *x);
    move(s, call, number + (uint64_t)i, w, x, eps);
    if (i >= moves - later)
      count(d, w, x);
  }
}

static void value(const void *self, const struct dun_field_call *call)
{
  const struct mcmc *s = self;
  int64_t d = s->target->dimension;
  struct lanes w = lanes_of(s);
  int first = call->memory[CALLS * L] == 0;
  long long moves = first ? (1 + s->warm_up) * s->moves : s->moves, later = (s->moves + 1) / 2;

  memset(w.total, 0, (size_t)d * L * sizeof *w.total);
  double *const zero[] = {w.all, w.acceptance, w.means, w.within, w.drawn};
  for (size_t i = 0; i < sizeof zero / sizeof *zero; i++)
    clear(zero[i]);
  for (long long c = 0; c < s->chains; c++) {
    double *x = call->memory + (HEAD + c * (d + 1)) * L, *eps = x + d * L;
    if (first)
      begin(d, call->h, call->lambda, call->scale, x, eps);
    go(s, call, (uint64_t)(c * moves), moves, later, &w, x, eps);
    if (c == 0)
      memcpy(w.base, w.origin, (size_t)d * L * sizeof *w.base);
    join(d, &w);
    if (call->draw)
      take_draw(d, &w, x, call->draw);
  }
  finish(d, (double)(s->chains * later), &w, call->memory, call->mean);
  for (int64_t i = 0; i < d * L && call->draw; i++)
    call->draw[i] = w.drawn[i % L] > 0 ? call->draw[i] : NAN;
}

static void look(const void *self, const double *memory, struct dun_field_look *look)
{
  (void)self;
  memcpy(look->acceptance, memory + ACCEPTANCE * L, sizeof look->acceptance);
  memcpy(look->between, memory + BETWEEN * L, sizeof look->between);
}

/* ---- what it is ---------------------------------------------------------------------------- */

static long long evaluations(const void *self, int first)
{
  const struct mcmc *s = self;
  return s->chains * (1 + s->moves * (first ? 1 + s->warm_up : 1));
}

static const struct dun_option options[] = {
    {.name = "chains",
     .type = DUN_INTEGER,
     .offset = offsetof(struct mcmc, chains),
     .initial = "4",
     .minimum = 1,
     .maximum = 4096,
     .doc = "Chains of each particle."},
    {.name = "moves",
     .type = DUN_INTEGER,
     .offset = offsetof(struct mcmc, moves),
     .initial = "32",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "Moves of each at a time; the later half of them counts."},
    {.name = "warm_up",
     .type = DUN_INTEGER,
     .offset = offsetof(struct mcmc, warm_up),
     .initial = "50",
     .minimum = 0,
     .maximum = 1e5,
     .doc = "So many times as many before, when a particle is seen for the first time."},
    {0},
};

const struct dun_field dun_field_mcmc = {
    .type = {DUN_TYPE(struct dun_field), .name = "mcmc",
             .doc = "Means by Langevin chains that stay with their particle, of any target with a "
                    "gradient (SLIPS).",
             .citation = "Grenioux, Noble, Gabrie & Durmus 2024, arXiv 2402.10758",
             .size = sizeof(struct mcmc), .options = options, .free = release},
    .init = init,
    .gives = gives,
    .value = value,
    .remembers = remembers,
    .look = look,
    .evaluations = evaluations,
};
