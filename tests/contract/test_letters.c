/* ranks: 1 3 */
/* Contract of targets of spins and letters, found through the registry, against the sum over all
 * states: densities, `site`, gradients at spins, log Z, laws under a tilt, draws; and of the
 * kernels that move them.  Draws and moves are compared by chi-square over all states, limit 5
 * standard errors; fixed seeds. */
#include "fixture.h"
#include "population/tile.h"
#include "states.h"
#include <math.h>

static const char *const settings[] = {
    "type: ising, graph: torus, side: [3, 2], coupling: 0.4, field: 0.2",
    "type: ising, graph: box, axes: 1, side: 7, coupling: -0.6, field: [1, 0, -1, .5, 0, 0, 2]",
    "type: ising, graph: box, axes: 3, side: [2, 2, 2], coupling: 0.3",
    "type: ising, graph: file, file: FOLDER/pairs.csv, coupling: 2, field: -0.1",
    "type: ising_chain, dimension: 6, coupling: 0.6, field: 0.1, closed: true",
    "type: ising_chain, dimension: 7, coupling: [1, -1, 0, .5, 3, -.2], field: [0, 1, 0, -1, 0, 0, "
    "2]",
    "type: ising_chain, dimension: 2, coupling: [0.3, 0.4], closed: true",
    "type: ising_chain, dimension: 8, coupling: 0, field: 0.3",
    "type: hopfield, dimension: 9, beta: 1.3, field: 0.02",
    "type: hopfield, dimension: 8, beta: 0.5, layout: given, patterns: [[1, -1, 1, 1, -1, 1, 1, "
    "-1], "
    "[1, 1, 1, -1, -1, -1, 2, 0]], field: [0, 0, .1, 0, 0, -.3, 0, 0]",
    "type: hopfield, dimension: 8, beta: 2, layout: drawn, count: 3, pattern_seed: 5",
    "type: sherrington_kirkpatrick, dimension: 9, beta: 0.8, instance: 3, field: 0.1",
    "type: sherrington_kirkpatrick, dimension: 7, beta: 1.5, signal: 1.3",
    "type: sherrington_kirkpatrick, dimension: 10, beta: 0.8, signal: 0.5, field: -0.2, "
    "couplings: drawn",
    "type: potts, graph: torus, side: [2, 3], coupling: 0.7, letters: 3, field: [0, .1, -.2]",
    "type: potts, graph: box, axes: 1, side: 4, coupling: -1, letters: 5",
    "type: library, file: BUILD/tests/user_target/letters.so",
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static char folder[64];

static void open_setting(struct subject *s, const char *setting)
{
  subject_open_setting(&test_context, s, setting, folder);
  CHECK(s->evaluator.letters >= 2);
}

static void each(void (*check)(struct subject *))
{
  for (int i = 0; i < SETTINGS; i++) {
    struct subject s;
    int before = test_bad;
    open_setting(&s, settings[i]);
    check(&s);
    if (test_bad > before)
      fprintf(stderr, "  in {%s}\n", settings[i]);
    subject_close(&s);
  }
}

/* ---- targets --------------------------------------------------------------------------------- */

static void test_files(void)
{
  if (test_context.rank == 0) {
    strcpy(folder, "/tmp/dunlin_letters_XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    char path[256];
    snprintf(path, sizeof path, "%s/pairs.csv", folder);
    FILE *file = fopen(path, "w");
    fprintf(file, "first,second,strength\n0,1,0.5\n3,1,-0.25\n4,0,0.1\n5,2,1\n0,1,0.2\n");
    fclose(file);
  }
  MPI_Bcast(folder, sizeof folder, MPI_CHAR, 0, test_context.comm);
}

static void test_files_removed(void)
{
  char path[256];
  MPI_Barrier(test_context.comm);
  if (test_context.rank)
    return;
  snprintf(path, sizeof path, "%s/pairs.csv", folder);
  CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

static void test_registry(void)
{
  for (const struct dun_type *const *type = dun_registry(DUN_KIND_TARGET); *type; type++) {
    const struct dun_target *target = (const struct dun_target *)(const void *)*type;
    int found = target->support == DUN_REALS;
    for (int i = 0; i < SETTINGS; i++) {
      const char *name = settings[i] + strlen("type: ");
      size_t length = strlen((*type)->name);
      found |= !strncmp(name, (*type)->name, length) && name[length] == ',';
    }
    if (!found)
      fprintf(stderr, "target '%s' has no settings in this test\n", (*type)->name);
    CHECK(found);
  }
}

static void check_site(struct subject *s)
{
  double value[DUN_MAX_LETTERS * L] __attribute__((aligned(64)));
  int states = states_of(s), q = s->evaluator.letters, block = 1;
  find_states(s);
  for (int l = 0; l < L; l++) {
    put_state(s, (l * 37 + 5) % states, l, s->x);
    s->scale[l] = 1;
  }
  memset(s->gradient, 0, (size_t)s->d * L * sizeof(double));
  dun_evaluate(&s->evaluator, L, s->x, s->lp, s->scale, s->gradient);
  for (int j = 0; j < s->d; j++, block *= q) {
    dun_evaluate_site(&s->evaluator, j, s->x, value);
    for (int l = 0; l < L; l++) {
      int state = (l * 37 + 5) % states, bare = state - letter_of(s, state, j) * block;
      for (int a = 1; a < q; a++)
        CHECK_NEAR(value[a * L + l] - value[l], state_lp[bare + a * block] - state_lp[bare], 1e-11);
      if (s->target->support == DUN_SPINS && !s->target->no_gradient)
        CHECK_NEAR(s->gradient[j * L + l], .5 * (value[L + l] - value[l]), 1e-11);
    }
  }
}

static void test_site(void)
{
  each(check_site);
}

/* All rows, and some of them alone: symmetric, 0 on the diagonal, and what makes the gradient. */
static void check_couplings(struct subject *s)
{
  enum { MOST = 16 };
  double A[MOST * MOST], some[MOST * MOST], h[MOST], own[MOST];
  int64_t d = s->d;
  if (!s->target->couplings)
    return;
  CHECK(d <= MOST && s->target->support == DUN_SPINS);
  dun_evaluate_couplings(&s->evaluator, 0, (int)d, A, h);
  for (int first = 0; first < d; first += 3) {
    int count = d - first < 3 ? (int)d - first : 3;
    dun_evaluate_couplings(&s->evaluator, first, count, some, own);
    CHECK(!memcmp(some, A + first * d, (size_t)(count * d) * sizeof *A));
    CHECK(!memcmp(own, h + first, (size_t)count * sizeof *h));
  }
  for (int l = 0; l < L; l++)
    put_state(s, l * 37 % states_of(s), l, s->x);
  memset(s->gradient, 0, (size_t)(d * L) * sizeof *s->gradient);
  for (int l = 0; l < L; l++)
    s->scale[l] = 1;
  dun_evaluate(&s->evaluator, L, s->x, NULL, s->scale, s->gradient);
  for (int64_t i = 0; i < d; i++) {
    CHECK(A[i * d + i] == 0);
    for (int64_t j = 0; j < i; j++)
      CHECK(A[i * d + j] == A[j * d + i] && A[i * d + j] != 0);
    for (int l = 0; l < L; l++) {
      double sum = h[i];
      for (int64_t j = 0; j < d; j++)
        sum += A[i * d + j] * s->x[j * L + l];
      CHECK_NEAR(s->gradient[i * L + l], sum, 1e-12);
    }
  }
}

static void test_couplings(void)
{
  each(check_couplings);
}

/* Couplings that are drawn again are those of the table, and all sums are in the order of its rows:
 * the same bits, of as many spins as leave rows over. */
static void test_drawn_couplings(void)
{
  enum { SPINS = 147 };
  static const char *const how[] = {"kept", "drawn"};
  static double lp[2][L], force[2][SPINS * L], value[2][3][2 * L], theta[2][SPINS + 2];
  for (int k = 0; k < 2; k++) {
    struct subject s;
    char text[160];
    snprintf(text, sizeof text,
             "type: sherrington_kirkpatrick, dimension: %d, beta: 1, signal: 2, couplings: %s",
             SPINS, how[k]);
    open_setting(&s, text);
    for (int64_t i = 0; i < (int64_t)SPINS * L; i++)
      s.x[i] = i * i % 11 < 5 ? -1 : 1;
    for (int l = 0; l < L; l++)
      s.scale[l] = 1;
    memset(force[k], 0, sizeof force[k]);
    dun_evaluate(&s.evaluator, L, s.x, lp[k], s.scale, force[k]);
    for (int j = 0; j < 3; j++)
      dun_evaluate_site(&s.evaluator, j * 73, s.x, value[k][j]);
    double x[SPINS];
    for (int i = 0; i < SPINS; i++)
      x[i] = s.x[i * L + 3];
    dun_evaluator_constrain(&s.evaluator, x, theta[k]);
    subject_close(&s);
  }
  CHECK(isfinite(lp[0][0]) && lp[0][0] != lp[0][1]);
  CHECK(!memcmp(lp[0], lp[1], sizeof lp[0]) && !memcmp(force[0], force[1], sizeof force[0]));
  CHECK(!memcmp(value[0], value[1], sizeof value[0]) && !memcmp(theta[0], theta[1], sizeof *theta));
}

static void check_log_evidence(struct subject *s)
{
  double known = s->target->log_evidence ? s->target->log_evidence(s->self) : NAN;
  find_states(s);
  if (!isnan(known))
    CHECK_NEAR(known, sum_states(s, NULL, NULL), 1e-11);
}

static void test_log_evidence(void)
{
  each(check_log_evidence);
}

/* Kaufman's torus is larger than what is enumerated in the target: 4 x 5 is not, 3 x 8 is. */
static void test_torus(void)
{
  struct subject s;
  static const double coupling[] = {.2, .44068679350977147, .9};
  for (int k = 0; k < 3; k++) {
    char options[128];
    double transfer[8] = {0}, sum = 0, matrix[8][8], power[8][8], next[8][8];
    snprintf(options, sizeof options, "type: ising, side: [3, 8], coupling: %.17g", coupling[k]);
    open_setting(&s, options);
    for (int a = 0; a < 8; a++)
      for (int b = 0; b < 8; b++) {
        double lp = 0;
        for (int i = 0; i < 3; i++) {
          int here = a >> i & 1, along = a >> (i + 1) % 3 & 1, ahead = b >> i & 1;
          lp += coupling[k] * ((here == along ? 1 : -1) + (here == ahead ? 1 : -1));
        }
        power[a][b] = matrix[a][b] = exp(lp);
      }
    for (int step = 1; step < 8; step++) {
      for (int a = 0; a < 8; a++)
        for (int b = 0; b < 8; b++) {
          next[a][b] = 0;
          for (int c = 0; c < 8; c++)
            next[a][b] += power[a][c] * matrix[c][b];
        }
      memcpy(power, next, sizeof power);
    }
    for (int a = 0; a < 8; a++)
      sum += transfer[a] + power[a][a];
    CHECK_NEAR(s.target->log_evidence(s.self), log(sum), 1e-11);
    subject_close(&s);
  }
}

static void check_tilted(struct subject *s)
{
  static double mean[16 * L] __attribute__((aligned(64))), h[16 * L] __attribute__((aligned(64)));
  double mass[L] __attribute__((aligned(64))), spread[L] __attribute__((aligned(64)));
  if (!s->target->tilted)
    return;
  find_states(s);
  for (int i = 0; i < s->d * L; i++)
    h[i] = i % L < 8 ? 0 : 2.5 * sin(1 + 3 * i);
  for (int l = 0; l < L; l++)
    s->scale[l] = l % 5;
  struct dun_tilted tilted = {
      .n = L, .h = h, .lambda = s->scale, .mean = mean, .log_mass = mass, .spread = spread};
  if (dun_evaluator_tilted(&s->evaluator, &tilted) < 0)
    return;
  for (int l = 0; l < L; l++) {
    double lane[16], expected[16], left = s->d;
    for (int j = 0; j < s->d; j++)
      lane[j] = h[j * L + l];
    double sum = sum_states(s, lane, expected) - .5 * s->scale[l] * s->d;
    CHECK_NEAR(mass[l], sum, 1e-11 * (1 + fabs(sum)));
    for (int j = 0; j < s->d; j++) {
      CHECK_NEAR(mean[j * L + l], expected[j], 1e-12);
      left -= expected[j] * expected[j];
    }
    CHECK_NEAR(spread[l], left, 1e-11);
  }
}

static void test_tilted(void)
{
  each(check_tilted);
}

enum { TILES = 800 };

/* Of the target itself, and of its laws under one tilt. */
static void check_draws(struct subject *s)
{
  static double count[2][MOST_STATES], law[MOST_STATES], h[16 * L] __attribute__((aligned(64)));
  static double mean[16 * L] __attribute__((aligned(64))), y[16 * L] __attribute__((aligned(64)));
  int states = states_of(s), tilts = s->target->tilts & DUN_TILTED_DRAW;
  double one[16];
  if (!s->target->draw)
    return;
  find_states(s);
  memset(count, 0, sizeof count);
  for (int i = 0; i < s->d * L; i++)
    h[i] = one[i / L] = sin(2 + i / L);
  memset(s->scale, 0, L * sizeof *s->scale);
  for (int tile = 0; tile < TILES; tile++) {
    subject_numbers(s, tile);
    dun_evaluator_draw(&s->evaluator, s->uniform, s->normal, s->x);
    for (int l = 0; l < L; l++)
      count[0][state_at(s, s->x + l, L)]++;
    if (!tilts)
      continue;
    struct dun_tilted tilted = {.n = L,
                                .h = h,
                                .lambda = s->scale,
                                .mean = mean,
                                .draw = y,
                                .uniform = s->uniform,
                                .normal = s->normal};
    CHECK(dun_evaluator_tilted(&s->evaluator, &tilted) == 0);
    for (int l = 0; l < L; l++)
      count[1][state_at(s, y + l, L)]++;
  }
  for (int k = 0; k < 1 + !!tilts; k++) {
    double sum = sum_states(s, k ? one : NULL, NULL);
    for (int i = 0; i < states; i++) {
      law[i] = state_lp[i] - sum;
      for (int j = 0; j < s->d && k; j++)
        law[i] += one[j] * dun_evaluator_letter(&s->evaluator, letter_of(s, i, j));
    }
    CHECK(chi_square(states, count[k], law) < 5);
  }
}

static void test_draws(void)
{
  each(check_draws);
}

/* ---- kernels --------------------------------------------------------------------------------- */

enum { PARTICLES = 30000 };

/* The law at time t of the path from uniform letters. */
static void law_at(struct subject *s, double t, double *law)
{
  int states = states_of(s);
  double sum = 0, highest = -INFINITY;
  for (int k = 0; k < states; k++)
    highest = fmax(highest, t * state_lp[k]);
  for (int k = 0; k < states; k++)
    sum += exp(t * state_lp[k] - highest);
  for (int k = 0; k < states; k++)
    law[k] = t * state_lp[k] - highest - log(sum);
}

/* Particles drawn from a law over the states, by their own uniforms. */
static void draw_states(struct dun_run *run, const struct subject *s, const double *law)
{
  double *x = dun_f64(run->x);
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < tiles->local; i++) {
    struct dun_address address = dun_run_address(run, DUN_PURPOSE_TEST);
    double u = dun_uniform_one(address, tiles->first + i), so_far = 0, point[16 * L];
    int state = -1, states = states_of(s);
    while (++state < states - 1 && (so_far += exp(law[state])) < u)
      continue;
    put_state(s, state, 0, point);
    for (int j = 0; j < s->d; j++)
      x[i * s->d + j] = point[j * L];
  }
}

/* Particles of the law stay so, those of another come to it, and their parts follow them. */
static void check_kernel(struct subject *s, const char *setting, const char *kernel, double t)
{
  char text[2048];
  static double law[MOST_STATES], uniform[MOST_STATES];
  struct fixture fixture;
  struct dun_look look;
  snprintf(text, sizeof text,
           "run: {seed: 5, particles: %d}\ntarget: {%s}\n"
           "path: {type: geometric, base: {type: uniform}}\nkernel: {type: %s}\n"
           "method: {type: smc}\n",
           PARTICLES, setting, kernel);
  struct dun_run *run = fixture_make(&fixture, text);
  int states = states_of(s), d = s->d;
  law_at(s, t, law);
  law_at(s, 0, uniform);
  for (int from = 0; from < 2; from++) {
    draw_states(run, s, from ? uniform : law);
    CHECK(dun_sweep_evaluate(&test_context, &run->sweep, t, INT64_MAX) == 0);
    for (run->tick = 0; run->tick < (from ? 40 : 3); run->tick++)
      CHECK(dun_sweep_move(&test_context, &run->sweep, dun_run_address(run, 0), t, INT64_MAX,
                           &look) == 0);
    double worst = deviation(run, s, law);
    if (!(worst < 5))
      fprintf(stderr, "kernel %s on {%s}: %.1f\n", kernel, setting, worst);
    CHECK(worst < 5);
    CHECK(look.acceptance > .02 && look.acceptance <= 1);
    for (int64_t i = 0; i < run->population.tiles.local; i += 97)
      CHECK_NEAR(dun_f64(run->sweep.part_lp)[2 * i + 1],
                 state_lp[state_at(s, dun_f64(run->x) + i * d, 1)], 1e-11);
  }
  (void)states;
  fixture_free(&fixture);
}

static void test_kernels(void)
{
  static const char *const kernel[] = {"glauber", "glauber, rule: metropolis"};
  static const int chosen[] = {0, 4, 8, 11, 14, 15};
  for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
    struct subject s;
    open_setting(&s, settings[chosen[i]]);
    find_states(&s);
    for (int k = 0; k < 2; k++)
      check_kernel(&s, settings[chosen[i]], kernel[k], k ? .7 : 1);
    subject_close(&s);
  }
}

TEST_MAIN({"files", test_files}, {"registry", test_registry}, {"site", test_site},
          {"couplings", test_couplings}, {"drawn_couplings", test_drawn_couplings},
          {"log_evidence", test_log_evidence}, {"torus", test_torus}, {"tilted", test_tilted},
          {"draws", test_draws}, {"kernels", test_kernels}, {"files_removed", test_files_removed})
