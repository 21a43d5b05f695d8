/* Steps and whole marches of splitting programs on a known mixture: published values, identities,
 * truncation errors. */
#include "phase.h"

static double z[2 * DUN_LANES] __attribute__((aligned(64)));

static struct dun_phase_table table_of(const struct dun_phase_space *space, const char *name,
                                       const struct dun_phase_noise *noise, int steps,
                                       const double *time)
{
  struct dun_program p;
  struct dun_phase_table table = {0};
  CHECK(dun_phase_program_parse("program", name, space->gamma, &p) == 0);
  CHECK(dun_phase_table_make(&table, space, noise, &p, steps, time) == 0);
  return table;
}

static void begin(double x, double m)
{
  for (int l = 0; l < DUN_LANES; l++) {
    z[l] = x;
    z[DUN_LANES + l] = m;
  }
}

/* One step from t to t - h. */
static int step(const struct dun_phase_space *space, const char *name,
                const struct dun_phase_noise *noise, double t, double h, const double *xi)
{
  const double time[] = {t, t - h};
  struct phase_case c = {.space = space, .g = &phase_g1, .begin = t, .end = t - h};
  struct dun_phase_table table = table_of(space, name, noise, 1, time);
  for (int i = 0; i < 4; i++)
    c.xi[i] = xi[i];
  phase_step(&table, 0, &c, z);
  dun_phase_table_free(&table);
  return c.evaluations;
}

static const struct dun_phase_noise plain = {1, DUN_PHASE_CONSISTENT, {1, 1}};

static void steps_have_their_constants(void)
{
  static const struct {
    const char *name;
    struct dun_phase_noise noise;
    double x, m;
    int evaluations;
  } rows[] = {{"em", {1, 0, {1, 1}}, .483516628349, -.482571474543, 1},
              {"sscs", {1, 0, {1, 1}}, .515516981363, -.207577021262, 1},
              {"noba", {1, 0, {1, 1}}, .554746453847, -.422820789977, 2},
              {"roba", {1, 0, {1, 1}}, .554728210374, -.422820789977, 1},
              {"nbao", {1, 0, {1, 1}}, .466280233528, -.450176209499, 2},
              {"rbao", {1, 0, {1, 1}}, .466265640988, -.450176209499, 1},
              {"nobab", {1, 0, {1, 1}}, .565356208014, -.415586751935, 3},
              {"robab-t", {1, 0, {1, 1}}, .565347079713, -.415587243423, 2},
              {"robab", {1, 0, {1, 1}}, .565347079713, -.411763204795, 2},
              {"euler", {1, 0, {1, 1}}, .463918314175, -.157115893327, 1},
              {"nse", {1, 0, {1, 1}}, .450201225173, -.157115893327, 2},
              {"rse", {1, 0, {1, 1}}, .450195400039, -.157115893327, 1},
              {"nvv", {1, 0, {1, 1}}, .457059770829, -.154637765976, 3},
              {"rvv-t", {1, 0, {1, 1}}, .457056857107, -.154637902394, 2},
              {"rvv", {1, 0, {1, 1}}, .457056857107, -.153452243980, 2},
              {"heun", {1, 0, {1, 1}}, .457046286788, -.153353621805, 2},
              {"roba", {2, DUN_PHASE_CONSISTENT, {1, 1}}, .562711391051, -.421930970296, 1},
              {"robab", {2, DUN_PHASE_CONSISTENT, {1, 1}}, .573472631540, -.410862369858, 2},
              {"roba", {.5, DUN_PHASE_MIDPOINT, {1, 1}}, .587264379119, -.419193862317, 1},
              {"rbao", {.5, DUN_PHASE_MIDPOINT, {1, 1}}, .499969493368, -.450176209499, 1}};
  static const double xi[] = {.5, -1, .25, .75};
  struct dun_phase_space space = phase_space(.01, 4.01, 8, 8);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    begin(.4, -.2);
    CHECK(step(&space, rows[i].name, &rows[i].noise, .3, .02, xi) == rows[i].evaluations);
    CHECK_NEAR(z[0], rows[i].x, 1e-11);
    CHECK_NEAR(z[DUN_LANES + 63], rows[i].m, 1e-11);
  }
}

/* A whole march without noise. */
static int march(const struct dun_phase_space *space, const char *name, int steps, double power)
{
  double time[2000];
  static const double none[4] = {0};
  phase_grid(steps, power, 1e-3, time);
  struct phase_case c = {.space = space, .g = &phase_g1};
  struct dun_phase_table table = table_of(space, name, &plain, steps, time);
  memcpy(c.xi, none, sizeof none);
  for (int k = 0; k < steps; k++) {
    c.begin = time[k];
    c.end = time[k + 1];
    phase_step(&table, k, &c, z);
  }
  c.begin = time[steps];
  phase_last(&table, &c, z);
  CHECK(c.evaluations == dun_phase_table_evaluations(&table, 1));
  dun_phase_table_free(&table);
  return c.evaluations;
}

static void marches_have_their_constants(void)
{
  static const struct {
    const char *name;
    double x, m;
    int evaluations;
  } rows[] = {{"em", .1000024823, -.0047850148, 26},    {"sscs", .0923995793, -.0056618493, 26},
              {"noba", .1039836319, -.0029839518, 51},  {"roba", .1038658707, -.0029532681, 26},
              {"nbao", .1018475213, -.0025123003, 51},  {"rbao", .1018017603, -.0024771134, 26},
              {"nobab", .0938320997, -.0069145412, 76}, {"robab-t", .0939571614, -.0068514788, 51},
              {"robab", .0970689719, -.0010716066, 51}, {"euler", -.0062722078, .8577156712, 26},
              {"nse", .0255534944, .0613647674, 51},    {"rse", .0260038949, .0613697727, 26},
              {"nvv", .0415741229, .1012540536, 76},    {"rvv-t", .0416818083, .1011806097, 51},
              {"rvv", .0311807660, .0527833091, 51},    {"heun", -.0066800467, .0441297752, 51}};
  struct dun_phase_space space = phase_space(.01, 4.01, 8, 8);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    begin(.7, -.3);
    CHECK(march(&space, rows[i].name, 25, 2) == rows[i].evaluations);
    CHECK_NEAR(z[0], rows[i].x, 1e-10);
    CHECK_NEAR(z[DUN_LANES], rows[i].m, 1e-10);
  }
}

/* With gamma = 0 positions use no score: to the last bit, and in as many evaluations. */
static void naive_is_reduced_without_friction(void)
{
  static const char *const pairs[][2] = {
      {"noba", "roba"}, {"nbao", "rbao"}, {"nobab", "robab-t"}, {"nse", "rse"}, {"nvv", "rvv-t"}};
  static const double xi[] = {.5, -1, .25, .75};
  struct dun_phase_space space = phase_space(0, 4, 8, 8);
  for (int i = 0; i < 5; i++) {
    double first[2];
    int evaluations;
    begin(.4, -.2);
    evaluations = step(&space, pairs[i][0], &plain, .3, .02, xi);
    memcpy(first, (double[]){z[0], z[DUN_LANES]}, sizeof first);
    begin(.4, -.2);
    CHECK(step(&space, pairs[i][1], &plain, .3, .02, xi) == evaluations);
    CHECK(first[0] == z[0] && first[1] == z[DUN_LANES]);
  }
}

/* The flow from t to t - h in many small steps of Heun's method. */
static void flow(const struct dun_phase_space *space, double t, double h, double *x, double *m)
{
  static const double none[4] = {0};
  int n = 200;
  begin(.4, -.2);
  for (int k = 0; k < n; k++)
    step(space, "heun", &plain, t - h * k / n, h / n, none);
  *x = z[0];
  *m = z[DUN_LANES];
}

/* (error / h^2 of a step from the flow) against the published coefficients, and that their
 * distance halves with h. */
static void truncation_errors_are_predicted(void)
{
  static const struct {
    const char *name;
    double x, m;
  } rows[] = {{"euler", -15.7202, 8.0743},
              {"nse", 14.8416, 8.0743},
              {"rse", 15.0111, 8.0743},
              {"nvv", -.4393, 1.4361},
              {"rvv", -.3546, -.2382}};
  static const double none[4] = {0};
  struct dun_phase_space space = phase_space(.25, 4.25, 8, 8);
  double ratio[5];
  for (int i = 0; i < 5; i++) {
    double away[2];
    for (int half = 0; half < 2; half++) {
      double h = half ? 1.25e-4 : 2.5e-4, x, m;
      flow(&space, .3, h, &x, &m);
      begin(.4, -.2);
      step(&space, rows[i].name, &plain, .3, h, none);
      double ex = (x - z[0]) / (h * h), em = (m - z[DUN_LANES]) / (h * h);
      CHECK_NEAR(ex, rows[i].x, .05 * fabs(rows[i].x));
      CHECK_NEAR(em, rows[i].m, .05 * fabs(rows[i].m));
      away[half] = ex - rows[i].x;
      ratio[i] = em;
    }
    CHECK_NEAR(away[1] / away[0], .5, .03);
  }
  CHECK_NEAR(ratio[4] / ratio[3], -.2382 / 1.4361, .01); /* rvv to nvv, momentum */
}

/* lambda_s and eta as they are defined; eta = 0 is the probability flow. */
static void noise_is_as_asked(void)
{
  struct dun_phase_space s = phase_space(.25, 4.25, 8, 8);
  struct dun_phase_noise noise = {3, DUN_PHASE_CONSISTENT, {1, 1}};
  struct dun_program_operation o = {'O', 0, .5};
  struct dun_phase_operator out;
  dun_phase_operator_set(&s, &noise, &o, .2, .9, &out);
  CHECK_NEAR(out.noise[0][0] * out.noise[0][0], 1 - exp(-3 * .25 * .1), 1e-15);
  CHECK_NEAR(out.state[0][0], exp(-.25 * .05), 1e-15);
  noise.placement = DUN_PHASE_MIDPOINT;
  o.share = 1;
  dun_phase_operator_set(&s, &noise, &o, .2, .9, &out);
  CHECK_NEAR(out.noise[0][0] * out.noise[0][0], 1 - exp(-3 * .25 * .9), 1e-15);
  noise = (struct dun_phase_noise){1, 0, {2, 1}};
  dun_phase_operator_set(&s, &noise, &o, .2, .9, &out);
  CHECK_NEAR(out.state[0][0] * out.state[0][0] + out.noise[0][0] * out.noise[0][0], 1, 1e-15);
  CHECK_NEAR(out.state[0][0], exp(-.25 * .4), 1e-15);
  static const double xi[] = {.5, -1, .25, .75};
  noise = (struct dun_phase_noise){1, 0, {0, 0}};
  begin(.4, -.2);
  step(&s, "roba", &noise, .3, .02, xi);
  double x = z[0], m = z[DUN_LANES];
  begin(.4, -.2);
  step(&s, "rse", &plain, .3, .02, xi);
  CHECK(x == z[0] && m == z[DUN_LANES]);
}

static void tables_refuse_nonsense(void)
{
  struct dun_phase_space s = phase_space(.01, 4.01, 8, 8);
  struct dun_phase_table table = {0};
  struct dun_program ode, sde;
  const double times[] = {1, .5, .1}, rising[] = {1, .1, .5}, to_zero[] = {1, .5, 0};
  struct dun_phase_noise more = {2, 0, {1, 1}}, below = {-1, 0, {1, 1}};
  CHECK(dun_phase_program_parse("program", "rse", .01, &ode) == 0);
  CHECK(dun_phase_program_parse("program", "sscs", .01, &sde) == 0);
  CHECK(dun_phase_table_make(&table, &s, &plain, &ode, 2, rising) < 0);
  CHECK(dun_phase_table_make(&table, &s, &plain, &ode, 2, to_zero) < 0);
  CHECK(dun_phase_table_make(&table, &s, &more, &ode, 2, times) < 0);
  CHECK(dun_phase_table_make(&table, &s, &more, &sde, 2, times) < 0);
  CHECK(dun_phase_table_make(&table, &s, &below, &sde, 2, times) < 0);
  CHECK(dun_phase_table_make(&table, &s, &plain, &ode, 2, times) == 0);
  dun_phase_table_free(&table);
}

TEST_MAIN({"steps_have_their_constants", steps_have_their_constants},
          {"marches_have_their_constants", marches_have_their_constants},
          {"naive_is_reduced_without_friction", naive_is_reduced_without_friction},
          {"truncation_errors_are_predicted", truncation_errors_are_predicted},
          {"noise_is_as_asked", noise_is_as_asked},
          {"tables_refuse_nonsense", tables_refuse_nonsense})
