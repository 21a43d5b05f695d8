/* Underdamped Langevin dynamics, dx = S p dt, dp = S grad log pi_t dt - friction p dt +
 * sqrt(2 friction) dW, by programs of exact steps (numerics/program.h):
 *   B  kicks the momentum      A  drifts      O  refreshes the momentum in part
 * as the palindromes obabo, "O/2 B/2 A B/2 O/2", and baoab, "B/2 A/2 O A/2 B/2" (Leimkuhler &
 * Matthews 2013).  The force is evaluated where a kick needs it: it depends on x alone.
 *
 * Metropolised: since O leaves N(0, I) invariant and is reversible, and a palindrome is its own
 * way back with momenta reversed, the ratio is exp(-work), the work being the energy's change over
 * the deterministic steps; a rejection keeps the point and turns the momentum (Horowitz 1991).
 * Otherwise nothing is rejected, exp(-work) is the weight, and the way back of any program is the
 * program read backwards. */
#include "base/error.h"
#include "base/vmath.h"
#include "kernels/metropolis.h"
#include "kernels/splitting.h"
#include "numerics/program.h"

struct underdamped {
  struct dun_kernel_options options;
  char *scheme;
  int metropolised;
  double friction;

  struct dun_program program; /* made */
};

static const struct dun_program_name schemes[] = {
    {"obabo", "O/2 B/2 A B/2 O/2"}, {"baoab", "B/2 A/2 O A/2 B/2"}, {0}};

static int init(void *self)
{
  struct underdamped *s = self;
  static const char what[] = "underdamped: scheme";
  int status = dun_program_parse(what, s->scheme, "OAB", schemes, &s->program);

  for (const char *c = "OAB"; status == 0 && *c; c++)
    if (!dun_program_has(&s->program, *c))
      status = dun_fail(DUN_ERROR_INPUT, "%s: \"%s\" has no %c; all of O, A and B are needed", what,
                        s->scheme, *c);
  if (status == 0 && s->metropolised && !dun_program_palindrome(&s->program))
    status = dun_fail(DUN_ERROR_INPUT,
                      "%s: \"%s\" is no palindrome, and moves that can be rejected must be their "
                      "own way back; write \"O/2 B/2 A B/2 O/2\", or metropolised: false",
                      what, s->scheme);
  return status;
}

static int scratch(int d, int K)
{
  return 3 * d + (d + K + 1); /* normals, gradient, momentum, proposal */
}

static int declare(const void *self, struct dun_population *population, int d)
{
  (void)self;
  return dun_population_declare(population,
                                (struct dun_column){.name = "v",
                                                    .type = DUN_F64,
                                                    .width = d,
                                                    .flags = DUN_MOVES | DUN_SAVED | DUN_HASHED,
                                                    .doc = "Momentum in units of the metric."})
             ? 0
             : DUN_ERROR_MEMORY;
}

/* Momenta that were never drawn are drawn now. */
static void first_momenta(const struct dun_move *m, double *z)
{
  double square[DUN_LANES] __attribute__((aligned(64))) = {0};

  dun_add_kinetic(m->d, 1, m->momentum, square);
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, z);
  for (int64_t i = 0; i < (int64_t)m->d * DUN_LANES; i++)
    m->momentum[i] = square[i % DUN_LANES] > 0 ? m->momentum[i] : z[i];
}

DUN_CLONES static void decay(double rate, const double *restrict h, double *restrict keep)
{
  for (int l = 0; l < DUN_LANES; l++)
    keep[l] = dun_exp(-rate * h[l]);
}

/* O number `block`; its change of the kinetic energy is none of the work. */
static void refresh(struct dun_move *m, double rate, int block, double *z, double *p,
                    double *energy)
{
  double keep[DUN_LANES] __attribute__((aligned(64)));

  decay(rate, m->step_size, keep);
  dun_normals_from(dun_move_address(m, DUN_PURPOSE_REFRESH), (int64_t)block * m->d, m->d, z);
  dun_add_kinetic(m->d, -1, p, energy);
  dun_refresh(m->d, keep, z, p);
  dun_add_kinetic(m->d, 1, p, energy);
}

/* The last operator that moves the point. */
static int last_drift(const struct dun_program *program)
{
  int i = program->count - 1;

  while (program->operation[i].letter != 'A')
    i--;
  return i;
}

/* The program from the state and p; `energy` gets the kinetic energy lost outside of O, the
 * proposal its log density. */
static void fly(const struct underdamped *s, struct dun_move *m, double *z, double *g, double *p,
                double *proposal, double *energy)
{
  const struct dun_program_operation *o = s->program.operation, *end = o + s->program.count;
  const struct dun_program_operation *last = o + last_drift(&s->program);
  int moved = 0, block = 0, d = m->d;

  memcpy(proposal, dun_move_x(m), (size_t)d * DUN_LANES * sizeof *proposal);
  dun_move_first_gradient(m, g);
  dun_add_kinetic(d, 1, p, energy);
  for (; o < end; o++) {
    if (o->letter == 'O') {
      refresh(m, o->share * s->friction, block++, z, p, energy);
      continue;
    }
    if (o->letter == 'B') {
      if (moved && o > last)
        dun_move_evaluate(m, proposal, g);
      else if (moved)
        dun_move_gradient(m, proposal, g);
      moved = o + 1 < end && o[1].letter == 'A' && o[1].share == 1;
      if (moved)
        dun_kick_and_drift(m, (o++)->share, g, p, proposal);
      else
        dun_kick(m, o->share, g, p);
      continue;
    }
    dun_drift(m, o->share, p, proposal);
    moved = 1;
  }
  if (moved) /* with the gradient that the next move begins with */
    dun_move_evaluate(m, proposal, m->force ? g : NULL);
  dun_add_kinetic(d, -1, p, energy);
}

/* Takes the new momenta, or turns the old ones. */
static void turn(struct dun_move *m, const double *p)
{
  double uniform[DUN_LANES] __attribute__((aligned(64)));

  dun_uniforms(dun_move_address(m, DUN_PURPOSE_ACCEPT), 1, uniform); /* as the decision did */
  for (int64_t i = 0; i < (int64_t)m->d * DUN_LANES; i++) {
    int64_t l = i % DUN_LANES;
    m->momentum[i] = uniform[l] <= m->acceptance[l] ? p[i] : -m->momentum[i];
  }
}

/* The probability with which a Metropolised move would be taken steers the step size. */
DUN_CLONES static void would_accept(const double *restrict log_ratio, double *restrict acceptance)
{
  for (int l = 0; l < DUN_LANES; l++)
    acceptance[l] = dun_exp_weight(log_ratio[l] < 0 ? log_ratio[l] : 0);
}

/* Momenta of moves that the guard undid are drawn afresh; their forces are those before. */
static void forget_odd(const struct dun_move *m, double *p, double *g)
{
  for (int64_t i = 0; i < (int64_t)m->d * DUN_LANES; i++) {
    int odd = !(m->acceptance[i % DUN_LANES] > 0);
    p[i] = odd ? 0 : p[i];
    g[i] = odd && m->force ? m->force[i] : g[i];
  }
}

static void move(const void *self, struct dun_move *m)
{
  const struct underdamped *s = self;
  int64_t block = (int64_t)m->d * DUN_LANES, columns = m->d + m->K + 1;
  double *z = m->scratch, *g = z + block, *p = g + block, *proposal = p + block;
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double log_ratio[DUN_LANES] __attribute__((aligned(64)));

  first_momenta(m, z);
  memcpy(p, m->momentum, (size_t)block * sizeof *p);
  fly(s, m, z, g, p, proposal, energy);
  dun_metropolis_ratio(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, energy,
                       log_ratio);
  /* Without rejections a wall ends weights: then steps answer for it. */
  dun_metropolis_unseen(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES,
                        s->metropolised ? energy : NULL, log_ratio, m->unseen);
  if (s->metropolised) {
    m->proposed_force = g;
    dun_metropolis_accept(m, proposal, log_ratio);
    turn(m, p);
  } else {
    would_accept(log_ratio, m->acceptance);
    if (dun_move_guard(m, columns, m->state, proposal))
      forget_odd(m, p, g);
    if (m->force)
      memcpy(m->force, g, (size_t)block * sizeof *g);
    memcpy(m->state, proposal, (size_t)(columns * DUN_LANES) * sizeof *proposal);
    memcpy(m->momentum, p, (size_t)block * sizeof *p);
  }
  for (int l = 0; m->log_weight && l < DUN_LANES; l++)
    m->log_weight[l] = s->metropolised ? 0 : log_ratio[l];
}

static int biased(const void *self)
{
  return !((const struct underdamped *)self)->metropolised;
}

static const struct dun_option options[] = {
    DUN_KERNEL_OPTIONS(struct underdamped, "0.9"),
    {.name = "scheme",
     .type = DUN_TEXT,
     .offset = offsetof(struct underdamped, scheme),
     .initial = "obabo",
     .doc =
         "Order of the exact steps: obabo, baoab or a program such as O/4 B/2 O/4 A O/4 B/2 O/4, a "
         "palindrome where moves are rejected."},
    {.name = "friction",
     .type = DUN_NUMBER,
     .offset = offsetof(struct underdamped, friction),
     .initial = "1",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Rate at which momenta are forgotten, per unit of time."},
    {.name = "metropolised",
     .type = DUN_FLAG,
     .offset = offsetof(struct underdamped, metropolised),
     .initial = "true",
     .doc = "Rejections, which turn the momentum; without them moves are biased and weighed."},
    {0},
};

const struct dun_kernel dun_kernel_underdamped = {
    .type = {DUN_TYPE(struct dun_kernel), .name = "underdamped",
             .doc = "Underdamped Langevin steps with a momentum that stays with its particle.",
             .citation = "Horowitz 1991, Phys. Lett. B 268, 247",
             .size = sizeof(struct underdamped), .options = options},
    .uses_gradient = 1,
    .keeps = 1,
    .initial_step = 1,
    .initial_step_power = -.25,
    .weighs = 1,
    .init = init,
    .biased = biased,
    .declare = declare,
    .scratch = scratch,
    .move = move,
};
