#include "numerics/phase_program.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "dunlin/target.h"
#include <math.h>
#include <stdlib.h>

const struct dun_program_name dun_phase_programs[] = {
    {"em", "S E"},
    {"sscs", "H/2 S K H/2"},
    {"noba", "O S B S A"},
    {"roba", "O S B A"},
    {"nbao", "S B S A O"},
    {"rbao", "S B A O"},
    {"nobab", "O S B/2 S A S B/2"},
    {"robab", "O S B/2 A S' B/2"},
    {"robab-t", "O S B/2 A S B/2"},
    {"euler", "S D"},
    {"nse", "S B S A"},
    {"rse", "S B A"},
    {"nvv", "S B/2 S A S B/2"},
    {"rvv", "S B/2 A S' B/2"},
    {"rvv-t", "S B/2 A S B/2"},
    {"heun", "S D S' T"},
    {0},
};

/* Operators that together are the whole of the reverse dynamics. */
static const char *const wholes[] = {"OAB", "AB", "E", "D", "DT", "HK", NULL};

static int is_whole(const struct dun_program *program, const char *whole)
{
  for (const char *c = "OABEDTHK"; *c; c++) {
    int wanted = 0;
    for (const char *w = whole; *w; w++)
      wanted |= *w == *c;
    if (wanted != (dun_program_has(program, *c) > 0))
      return 0;
  }
  return 1;
}

static int check_whole(const char *what, const char *text, const struct dun_program *program)
{
  for (const char *const *whole = wholes; *whole; whole++)
    if (is_whole(program, *whole))
      return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "%s: \"%s\": its operators are no reverse dynamics; these are: O A B, A B "
                  "(probability flow), E, H K, D, D T",
                  what, text);
}

/* T goes back to where the step begins: one D in full, one T in full, nothing after it. */
static int check_trapezoid(const char *what, const char *text, const struct dun_program *program)
{
  if (!dun_program_has(program, 'T') ||
      (dun_program_has(program, 'D') == 1 && dun_program_has(program, 'T') == 1 &&
       program->operation[program->count - 1].letter == 'T'))
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "%s: \"%s\": T stands at the end, behind one D: S D S' T", what,
                  text);
}

int dun_phase_program_parse(const char *what, const char *text, double gamma,
                            struct dun_program *program)
{
  const char *users = gamma > 0 ? "BAEDTK" : "BEDTK";
  int place = -1;
  int status = dun_program_parse(what, text, "SOABEDTHK", dun_phase_programs, program);

  if (status == 0)
    status = check_whole(what, text, program);
  if (status == 0)
    status = check_trapezoid(what, text, program);
  if (status < 0)
    return status;
  place = dun_program_unscored(program, "BAEDTK");
  if (place >= 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: \"%s\": %c, operator %d, has no score yet; an S must stand before it",
                    what, text, program->operation[place].letter, place + 1);
  dun_program_prune(program, users);
  return 0;
}

int dun_phase_program_is_random(const struct dun_program *program)
{
  return dun_program_has(program, 'O') || dun_program_has(program, 'E') ||
         dun_program_has(program, 'H');
}

/* ---- coefficients ------------------------------------------------------------------------ */

/* What positions and momenta lose and gain of noise in an Ornstein-Uhlenbeck step. */
static void set_refresh(const struct dun_phase_space *s, const struct dun_phase_noise *noise,
                        double share, double q, double level, struct dun_phase_operator *o)
{
  double ex = noise->eta[0] * noise->eta[0] * s->gamma, em = noise->eta[1] * noise->eta[1] * s->nu;
  double reach = noise->placement == DUN_PHASE_MIDPOINT ? share * level : q;

  o->state[0][0] = dun_scalar_exp(-.5 * ex * q);
  o->state[1][1] = dun_scalar_exp(-.5 * em * q);
  o->noise[0][0] = sqrt(-dun_scalar_expm1(-noise->lambda * ex * reach));
  o->noise[1][1] = sqrt(-dun_scalar_expm1(-em * q) * s->mass);
}

/* The reverse drift over q: `x`, `m` say of which numbers, `eta2` are the squares of eta; what O
 * takes away is given back where `split`. */
static void set_drift(const struct dun_phase_space *s, const double eta2[2], int x, int m,
                      int split, double q, struct dun_phase_operator *o)
{
  if (x) {
    o->state[0][0] = 1 + .5 * q * s->gamma * (split ? 1 + eta2[0] : 1);
    o->state[0][1] = -.5 * q * s->inverse_mass;
    o->score[0] = .5 * q * s->gamma * (1 + eta2[0]);
  }
  if (m) {
    o->state[1][0] = .5 * q;
    o->state[1][1] = 1 + .5 * q * s->nu * (split ? 1 + eta2[1] : 1);
    o->score[1] = .5 * q * s->mass * s->nu * (1 + eta2[1]);
  }
}

static void set_maruyama(const struct dun_phase_space *s, const struct dun_phase_noise *noise,
                         double q, double level, struct dun_phase_operator *o)
{
  const double eta2[2] = {noise->eta[0] * noise->eta[0], noise->eta[1] * noise->eta[1]};

  set_drift(s, eta2, 1, 1, 0, q, o);
  o->noise[0][0] = sqrt(noise->lambda * eta2[0] * s->gamma *
                        (noise->placement == DUN_PHASE_MIDPOINT ? level : q));
  o->noise[1][1] = sqrt(eta2[1] * s->nu * s->mass * q);
}

/* The forward flow with the momenta reversed. */
static void set_linear_flow(const struct dun_phase_space *s, double q, struct dun_phase_operator *o)
{
  struct dun_phase_flow flow;

  dun_phase_space_flow(s, q, &flow);
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 2; j++)
      o->state[i][j] = i == j ? flow.mean[i][j] : -flow.mean[i][j];
  dun_phase_root(flow.noise, flow.noise_determinant, o->noise);
  o->noise[1][0] = -o->noise[1][0];
}

static void set_kick(const struct dun_phase_space *s, double q, struct dun_phase_operator *o)
{
  o->state[0][0] = 1 + q * s->gamma;
  o->score[0] = q * s->gamma;
  o->state[1][1] = 1 + q * s->nu;
  o->score[1] = q * s->mass * s->nu;
}

/* Half of the way back to the beginning and half of a step from here. */
static void set_trapezoid(const struct dun_phase_space *s, double q, struct dun_phase_operator *o)
{
  static const double none[2] = {0, 0};

  set_drift(s, none, 1, 1, 0, q, o);
  for (int i = 0; i < 2; i++) {
    o->state[i][0] *= .5;
    o->state[i][1] *= .5;
    o->score[i] *= .5;
  }
  o->start = .5;
}

void dun_phase_operator_set(const struct dun_phase_space *s, const struct dun_phase_noise *noise,
                            const struct dun_program_operation *operation, double step,
                            double level, struct dun_phase_operator *o)
{
  static const double none[2] = {0, 0};
  const double eta2[2] = {noise->eta[0] * noise->eta[0], noise->eta[1] * noise->eta[1]};
  double q = operation->share * step;

  *o = (struct dun_phase_operator){
      .letter = operation->letter, .end = operation->end, .block = -1, .state = {{1, 0}, {0, 1}}};
  switch (operation->letter) {
  case 'O': set_refresh(s, noise, operation->share, q, level, o); break;
  case 'A':
  case 'B': set_drift(s, eta2, operation->letter == 'A', operation->letter == 'B', 1, q, o); break;
  case 'E': set_maruyama(s, noise, q, operation->share * level, o); break;
  case 'D': set_drift(s, none, 1, 1, 0, q, o); break;
  case 'T': set_trapezoid(s, q, o); break;
  case 'H': set_linear_flow(s, q, o); break;
  case 'K': set_kick(s, q, o); break;
  default: break;
  }
}

/* ---- tables ------------------------------------------------------------------------------ */

/* What lambda_s and eta may be for these operators. */
static int check_noise(const struct dun_program *program, const struct dun_phase_noise *noise)
{
  int changes = noise->lambda != 1 || noise->placement != DUN_PHASE_CONSISTENT;

  if (!(noise->lambda >= 0 && noise->eta[0] >= 0 && noise->eta[1] >= 0))
    return dun_fail(DUN_ERROR_INPUT, "program: lambda_s and eta are at least 0");
  if (changes && !dun_program_has(program, 'O') && !dun_program_has(program, 'E'))
    return dun_fail(DUN_ERROR_INPUT,
                    "program: lambda_s scales the noise of O or E, which the program has not");
  if (dun_program_has(program, 'H') && (noise->eta[0] != 1 || noise->eta[1] != 1))
    return dun_fail(DUN_ERROR_INPUT, "program: H is the exact flow with eta = 1");
  return 0;
}

static int check_times(int64_t steps, const double *time)
{
  for (int64_t k = 0; k <= steps; k++)
    if (!(time[k] > 0) || (k > 0 && !(time[k] < time[k - 1])))
      return dun_fail(DUN_ERROR_INPUT,
                      "grid: time %lld is %.9g; times fall from the noise to the data and stay "
                      "above 0",
                      (long long)k, time[k]);
  return 0;
}

/* The step from the last time to 0: noise beyond that of the reverse diffusion (eta > 1) is not
 * taken out by a drift without noise. */
static void set_last(struct dun_phase_table *table, const struct dun_phase_space *space,
                     const struct dun_phase_noise *noise)
{
  double eta2[2];

  for (int i = 0; i < 2; i++)
    eta2[i] = noise->eta[i] < 1 ? noise->eta[i] * noise->eta[i] : 1;
  table->last = (struct dun_phase_operator){.letter = 'D', .block = -1};
  set_drift(space, eta2, 1, 1, 0, table->clock[table->steps], &table->last);
}

static void fill(struct dun_phase_table *table, const struct dun_phase_space *space,
                 const struct dun_phase_noise *noise, const double *time)
{
  int count = table->program.count;

  for (int64_t k = 0; k <= table->steps; k++)
    dun_phase_space_flow(space, table->clock[k] = dun_phase_space_clock(space, time[k]),
                         &table->flow[k]);
  for (int64_t k = 0; k < table->steps; k++) {
    double q = table->clock[k] - table->clock[k + 1];
    double level = dun_phase_space_clock(space, .5 * (time[k] + time[k + 1]));
    table->blocks = 0;
    for (int i = 0; i < count; i++) {
      struct dun_phase_operator *o = &table->operation[k * count + i];
      dun_phase_operator_set(space, noise, &table->program.operation[i], q, level, o);
      if (o->letter == 'O' || o->letter == 'E' || o->letter == 'H')
        o->block = table->blocks++;
    }
  }
  set_last(table, space, noise);
}

int dun_phase_table_make(struct dun_phase_table *table, const struct dun_phase_space *space,
                         const struct dun_phase_noise *noise, const struct dun_program *program,
                         int64_t steps, const double *time)
{
  struct dun_phase_noise flow = *noise;

  if (!dun_phase_program_is_random(program))
    flow.eta[0] = flow.eta[1] = 0;
  if (check_noise(program, &flow) < 0 || check_times(steps, time) < 0)
    return DUN_ERROR_INPUT;
  *table = (struct dun_phase_table){.program = *program, .steps = steps};
  table->clock = dun_allocate(steps + 1, sizeof *table->clock);
  table->flow = dun_allocate(steps + 1, sizeof *table->flow);
  table->operation = dun_allocate(steps * program->count + 1, sizeof *table->operation);
  if (!table->clock || !table->flow || !table->operation) {
    dun_phase_table_free(table);
    return dun_fail(DUN_ERROR_MEMORY, "no memory for the coefficients of %lld steps",
                    (long long)steps);
  }
  fill(table, space, &flow, time);
  return 0;
}

void dun_phase_table_free(struct dun_phase_table *table)
{
  DUN_FREE(table->clock);
  DUN_FREE(table->flow);
  DUN_FREE(table->operation);
}

int64_t dun_phase_table_evaluations(const struct dun_phase_table *table, int last)
{
  return table->steps * dun_program_evaluations(&table->program) + (last != 0);
}

/* ---- steps of a tile --------------------------------------------------------------------- */

DUN_CLONES static void turn(int64_t n, const double p[2][2], double *restrict x, double *restrict m)
{
  double xx = p[0][0], xm = p[0][1], mx = p[1][0], mm = p[1][1];

  for (int64_t i = 0; i < n; i++) {
    double a = x[i], b = m[i];
    x[i] = DUN_FMA(xm, b, xx * a);
    m[i] = DUN_FMA(mx, a, mm * b);
  }
}

/* y = a y + b x. */
DUN_CLONES static void mix(int64_t n, double a, double b, const double *restrict x,
                           double *restrict y)
{
  for (int64_t i = 0; i < n; i++)
    y[i] = DUN_FMA(b, x[i], a * y[i]);
}

/* Both together only where each changes the other. */
static void turn_if(int64_t n, const double p[2][2], double *x, double *m)
{
  if (p[0][0] == 1 && p[0][1] == 0)
    mix(n, p[1][1], p[1][0], x, m);
  else if (p[1][0] == 0 && p[1][1] == 1)
    mix(n, p[0][0], p[0][1], m, x);
  else
    turn(n, p, x, m);
}

DUN_CLONES static void add(int64_t n, double a, const double *restrict x, double *restrict y)
{
  for (int64_t i = 0; i < n; i++)
    y[i] = DUN_FMA(a, x[i], y[i]);
}

/* What is 0 is left out: a score that A has no use of may be anything. */
static void add_if(int64_t n, double a, const double *x, double *y)
{
  if (a != 0)
    add(n, a, x, y);
}

static void apply(const struct dun_phase_operator *o, int64_t n, const double *s, const double *xi,
                  const double *start, double *z)
{
  turn_if(n, o->state, z, z + n);
  add_if(n, o->score[0], s, z);
  add_if(n, o->score[1], s + n, z + n);
  if (o->block >= 0) {
    add_if(n, o->noise[0][0], xi, z);
    add_if(n, o->noise[1][0], xi, z + n);
    add_if(n, o->noise[1][1], xi + n, z + n);
  }
  add_if(2 * n, o->start, start, z);
}

/* The place of S number `stage`, from 0; the program's end behind the last. */
static int place_of(const struct dun_program *program, int stage)
{
  int i = 0;

  for (; i < program->count; i++)
    if (program->operation[i].letter == 'S' && stage-- == 0)
      break;
  return i;
}

int dun_phase_stage_end(const struct dun_phase_table *table, int stage)
{
  return table->program.operation[place_of(&table->program, stage)].end;
}

static void run(const struct dun_phase_table *table, int64_t k, int from, int to, int d,
                const double *s, const double *start, const struct dun_phase_normals *normals,
                double *xi, double *z)
{
  for (int i = from; i < to; i++) {
    const struct dun_phase_operator *o = &table->operation[k * table->program.count + i];
    if (o->block >= 0)
      normals->draw(normals->data, o->block, xi);
    apply(o, (int64_t)d * DUN_LANES, s, xi, start, z);
  }
}

void dun_phase_before(const struct dun_phase_table *table, int64_t k, int d,
                      const struct dun_phase_normals *normals, double *xi, double *z)
{
  run(table, k, 0, place_of(&table->program, 0), d, z, z, normals, xi, z);
}

void dun_phase_after(const struct dun_phase_table *table, int64_t k, int stage, int d,
                     const double *s, const double *start, const struct dun_phase_normals *normals,
                     double *xi, double *z)
{
  run(table, k, place_of(&table->program, stage) + 1, place_of(&table->program, stage + 1), d, s,
      start, normals, xi, z);
}

void dun_phase_last(const struct dun_phase_table *table, int d, const double *s, double *z)
{
  apply(&table->last, (int64_t)d * DUN_LANES, s, s, s, z);
}
