/* The samplers of a flow on a normal target, where a step is linear and the law of the particles
 * known at every time: means and variances by recursion over the very rows of coefficients that the
 * method uses, beside the values of the literature's toy problem, to the digits given there. */
#include "check.h"
#include "made_part.h"
#include "methods/flow_rows.h"
#include "methods/march_grid.h"

enum { MOST = 4000 };

struct toy {
  struct made_part made;
  struct dun_march_grid times;
  struct dun_channel channel[MOST + 1];
  struct dun_flow_grid grid;
  struct dun_flow_row row[MOST];
  double m0, s0;     /* data */
  double start, var; /* of the first state; NAN: as the process has it */
};

static struct toy toy;

static void open_grid(const char *process, struct dun_march_grid times)
{
  char why[1024];
  double noise, data, mean[2], root[2][2];
  if (made_part_open(&test_context, &toy.made, DUN_KIND_PROCESS, process, why) < 0) {
    fprintf(stderr, "%s\n", why);
    exit(1);
  }
  const struct dun_process *p = (const struct dun_process *)toy.made.part.type;
  const void *self = toy.made.part.self;
  p->ends(self, &noise, &data);
  toy.times = times;
  CHECK(dun_march_grid_make(&toy.times, p, self) == 0);
  for (int64_t k = 0; k <= toy.times.count; k++)
    dun_process_channel(p, self, toy.times.time[k], &toy.channel[k]);
  toy.grid = (struct dun_flow_grid){.steps = toy.times.count,
                                    .time = toy.times.time,
                                    .channel = toy.channel,
                                    .noise = noise,
                                    .data = data};
  dun_process_channel(p, self, .5 * (toy.times.time[0] + toy.times.time[1]), &toy.grid.middle);
  p->prior(self, mean, root);
  toy.start = mean[0];
  toy.var = root[0][0] * root[0][0];
}

static void close_grid(void)
{
  dun_march_grid_free(&toy.times);
  made_part_close(&toy.made);
}

/* The denoiser of N(m0, s0^2): slope z + constant. */
static struct dun_flow_sum denoiser(const struct dun_channel *c)
{
  double precision = 1 / (toy.s0 * toy.s0), slope = c->tilt[0] / (precision + c->lambda);
  return (struct dun_flow_sum){.state = slope,
                               .constant = toy.m0 * precision / (precision + c->lambda) -
                                           slope * c->offset[0]};
}

/* As a function of the state alone. */
static struct dun_flow_sum with(struct dun_flow_sum a, struct dun_flow_sum m)
{
  return (struct dun_flow_sum){.state = a.state + a.mean * m.state,
                               .constant = a.constant + a.mean * m.constant};
}

struct law {
  double mean, variance;
};

/* Over the steps [0, K). */
static struct law go(int64_t K)
{
  struct law law = {toy.start, toy.var};
  for (int64_t k = 0; k < K; k++) {
    const struct dun_flow_row *r = &toy.row[k];
    struct dun_flow_sum a = with(r->step, denoiser(&toy.channel[k]));
    double noise = r->noise;
    if (r->corrected) {
      struct dun_flow_sum b = with(r->keep, denoiser(&toy.channel[k]));
      struct dun_flow_sum c = with(r->correct, denoiser(&toy.channel[k + 1]));
      noise *= 1 + c.state;
      a = (struct dun_flow_sum){.state = b.state + c.state * a.state,
                                .constant = b.constant + c.constant + c.state * a.constant};
    }
    law.mean = a.state * law.mean + a.constant;
    law.variance = a.state * a.state * law.variance + noise * noise;
  }
  return law;
}

static struct law run(const char *process, struct dun_march_grid times, struct dun_flow_dial dial,
                      double m0, double s0)
{
  open_grid(process, times);
  toy.m0 = m0;
  toy.s0 = s0;
  dun_flow_rows(&dial, &toy.grid, toy.row);
  struct law law = go(toy.grid.steps);
  close_grid();
  return law;
}

static struct dun_march_grid uniform(int steps)
{
  return (struct dun_march_grid){.steps = steps, .first = -1, .last = -1};
}

/* The variance over the data's, along straight lines to N(0, 1). */
static double ratio(int type, double alpha, int steps, double m0, double s0)
{
  struct law law = run("type: interpolant", uniform(steps),
                       (struct dun_flow_dial){.type = type, .alpha = alpha}, m0, s0);
  CHECK_NEAR(law.mean, m0, 1e-12 * (1 + fabs(m0) * steps)); /* exact whatever the steps are */
  return law.variance / (s0 * s0);
}

/* ---- the toy's tables ------------------------------------------------------------------------ */

enum { WIDTH = 8 };

struct line {
  int type;
  double alpha, ratio[WIDTH];
};

#define ROOT2 1.4142135623730951
static const struct line half[] = {
    {DUN_FLOW_DETERMINISTIC, 1, {.5453, .7423, .8621, .9424, .9708, .9853, .9941, .9970}},
    {DUN_FLOW_CONSTANT, 1, {1.0505, 1.0028, .9972, .9980, .9988, .9994, .9997, .9999}},
    {DUN_FLOW_CONSTANT, 2, {8.5796, 1.6221, 1.2145, 1.0732, 1.0349, 1.0171, 1.0067, 1.0034}},
    {DUN_FLOW_SINGULAR, 1, {.9695, .9717, .9858, .9958, .9987, .9998, 1.0001, 1.0002}},
    {DUN_FLOW_SINGULAR, ROOT2, {1.0960, 1.0176, 1.0040, 1.0006, 1.0001, 1, 1, 1}},
    {DUN_FLOW_NON_SINGULAR, 1, {.7925, .8713, .9285, .9695, .9844, .9921, .9968, .9984}},
    {DUN_FLOW_NON_SINGULAR, ROOT2, {.9342, .9433, .9655, .9847, .9921, .9960, .9984, .9992}},
    {DUN_FLOW_NON_SINGULAR, 2, {1.1191, 1.0233, 1.0051, 1.0006, 1.0001, 1, 1, 1}},
    {DUN_FLOW_ZERO_ENDS, 1, {.6801, .8152, .9003, .9582, .9787, .9893, .9957, .9978}},
    {DUN_FLOW_ZERO_ENDS, 2, {.9632, .9555, .9715, .9871, .9933, .9966, .9986, .9993}},
};
static const struct line unit[] = {
    {DUN_FLOW_DETERMINISTIC, 1, {.5937, .7726, .8793, .9499, .9746, 0, .9949, 0}},
    {DUN_FLOW_CONSTANT, 1, {.8062, .8923, .9432, .9765, .9881, 0, .9976, 0}},
    {DUN_FLOW_SINGULAR, 1, {.9673, .9852, .9977, 1.0030, 1.0032, 0, 1.0014, 0}},
    {DUN_FLOW_NON_SINGULAR, 1, {.7356, .8478, .9182, .9658, .9827, 0, .9965, 0}},
    {DUN_FLOW_NON_SINGULAR, 2, {.9445, .9583, .9756, .9893, .9945, 0, .9989, 0}},
    {DUN_FLOW_ZERO_ENDS, 1, {.6432, .8017, .8951, .9565, .9780, 0, .9956, 0}},
};
static const struct line tenth[] = {
    {DUN_FLOW_DETERMINISTIC, 1, {.1295, .3810, .6341, .8359, .9145, 0, .9823, .9911}},
    {DUN_FLOW_CONSTANT, 1, {0, 0, 0, 2.0008, 1.3235, 0, 1.0506, 1.0246}},
    {DUN_FLOW_SINGULAR, 1, {6.848, 1.228, .9507, .9629, .9789, 0, .9954, .9977}},
    {DUN_FLOW_NON_SINGULAR, 1, {4.650, 1.140, .9196, .9486, .9711, 0, .9937, .9968}},
    {DUN_FLOW_ZERO_ENDS, 1, {3.418, 1.059, .8903, .9362, .9647, 0, .9924, .9962}},
};

static void table(const struct line *line, int lines, double m0, double s0)
{
  static const int steps[WIDTH] = {5, 10, 20, 50, 100, 200, 500, 1000};
  for (int i = 0; i < lines; i++)
    for (int k = 0; k < WIDTH; k++) {
      double there = line[i].ratio[k];
      double digit = there > 2 ? 2e-4 * there : there > 1.05 && s0 == .1 ? 5.1e-4 : 1e-4;
      if (there > 0)
        CHECK_NEAR(ratio(line[i].type, line[i].alpha, steps[k], m0, s0), there, digit);
    }
}

static void tables_of_the_toy(void)
{
  table(half, sizeof half / sizeof *half, 2, .5);
  table(unit, sizeof unit / sizeof *unit, 0, 1);
  table(tenth, sizeof tenth / sizeof *tenth, 0, .1);
  CHECK_NEAR(ratio(DUN_FLOW_CONSTANT, 1, 5, 0, .1), 99.5, .05);
  CHECK_NEAR(ratio(DUN_FLOW_CONSTANT, 1, 10, 0, .1), 74.2, .05);
  CHECK_NEAR(ratio(DUN_FLOW_CONSTANT, 1, 20, 0, .1), 17.7, .05);
}

/* At t = .8, .6, .4, .2, 0 with 50 steps. */
static void the_way_of_the_toy(void)
{
  static const struct line way[] = {
      {DUN_FLOW_DETERMINISTIC, 1, {.9984, .9945, .9840, .9630, .9424}},
      {DUN_FLOW_CONSTANT, 1, {1.0049, 1.0115, 1.0175, 1.0131, .9980}},
      {DUN_FLOW_SINGULAR, 1, {1.1101, 1.0689, 1.0464, 1.0193, .9958}},
      {DUN_FLOW_NON_SINGULAR, 1, {1.0042, 1.0074, 1.0049, .9893, .9695}},
      {DUN_FLOW_ZERO_ENDS, 1, {.9989, .9973, .9920, .9768, .9582}},
  };
  for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
    open_grid("type: interpolant", uniform(50));
    toy.m0 = 2;
    toy.s0 = .5;
    struct dun_flow_dial dial = {.type = way[i].type, .alpha = 1};
    dun_flow_rows(&dial, &toy.grid, toy.row);
    for (int k = 0; k < 5; k++) {
      double t = .8 - .2 * k, v = (1 - t) * (1 - t) * .25 + t * t;
      CHECK_NEAR(go(10 * (k + 1)).variance / v, way[i].ratio[k], 1e-4);
    }
    close_grid();
  }
}

/* -N log of the ratio, and what the small scale asks of steps. */
static void laws_of_the_bias(void)
{
  CHECK_NEAR(-1000 * log(ratio(DUN_FLOW_DETERMINISTIC, 0, 1000, 0, 1)), 2.570797, 1e-6);
  CHECK_NEAR(-1000 * log(ratio(DUN_FLOW_DETERMINISTIC, 0, 1000, 0, .5)), 2.963497, 1e-6);
  CHECK_NEAR(-1000 * log(ratio(DUN_FLOW_DETERMINISTIC, 0, 1000, 0, 2)), 2.963497, 1e-6);
  CHECK_NEAR(-1000 * log(ratio(DUN_FLOW_DETERMINISTIC, 0, 1000, 0, .1)), 8.932589, 1e-6);
  CHECK_NEAR(ratio(DUN_FLOW_CONSTANT, 1, 26, 0, .1), 7.8, .05);
  CHECK_NEAR(ratio(DUN_FLOW_NON_SINGULAR, 1, 40, 0, .01), 7.6, .05);
  CHECK_NEAR(ratio(DUN_FLOW_NON_SINGULAR, 1, 100, 0, .01), 1.19, .005);
  CHECK_NEAR(ratio(DUN_FLOW_NON_SINGULAR, 1, 400, 0, .01), .954, .0005);
  CHECK_NEAR(ratio(DUN_FLOW_DETERMINISTIC, 1, 40, 0, .01), .127, .0005);
  CHECK_NEAR(ratio(DUN_FLOW_DETERMINISTIC, 1, 100, 0, .01), .431, .0005);
  CHECK_NEAR(ratio(DUN_FLOW_DETERMINISTIC, 1, 400, 0, .01), .819, .0005);
}

/* The score's term with the other sign, as a published program has it. */
static void the_wrong_sign_is_seen(void)
{
  static const struct {
    int type;
    double alpha, right, wrong;
  } turned[] = {{DUN_FLOW_NON_SINGULAR, .5, 1, 1.428},
                {DUN_FLOW_NON_SINGULAR, 1, 1, 3.377},
                {DUN_FLOW_ZERO_ENDS, 1, 1, 1.653},
                {DUN_FLOW_CONSTANT, 1, 1, 8.571}};
  for (size_t i = 0; i < sizeof turned / sizeof *turned; i++) {
    struct dun_flow_dial dial = {.type = turned[i].type, .alpha = turned[i].alpha};
    CHECK_NEAR(ratio(dial.type, dial.alpha, 500, 0, 1), turned[i].right, 6e-3);
    open_grid("type: interpolant", uniform(500));
    toy.m0 = 0;
    toy.s0 = 1;
    dun_flow_rows(&dial, &toy.grid, toy.row);
    for (int k = 0; k < 500; k++) {
      struct dun_flow_row flow, *r = &toy.row[k];
      struct dun_flow_dial none = {.type = DUN_FLOW_DETERMINISTIC};
      struct dun_flow_grid one = toy.grid;
      one.steps = 1;
      one.time += k;
      one.channel += k;
      dun_flow_rows(&none, &one, &flow);
      r->step.state = 2 * flow.step.state - r->step.state;
      r->step.mean = 2 * flow.step.mean - r->step.mean;
    }
    CHECK_NEAR(go(500).variance, turned[i].wrong, 5e-4 * turned[i].wrong);
    close_grid();
  }
}

/* No noise is no noise, to the last bit. */
static void alpha_0_is_deterministic(void)
{
  static struct dun_flow_row flow[50];
  for (int scheme = DUN_FLOW_EULER; scheme <= DUN_FLOW_HEUN; scheme++)
    for (int type = DUN_FLOW_DETERMINISTIC; type <= DUN_FLOW_REVERSE; type++) {
      struct dun_flow_dial dial = {.scheme = scheme, .type = type, .alpha = 0, .n = 3, .m = -2};
      open_grid("type: interpolant, mean: 3", uniform(50));
      dun_flow_rows(&dial, &toy.grid, toy.row);
      if (type == DUN_FLOW_DETERMINISTIC)
        memcpy(flow, toy.row, sizeof flow);
      for (int k = 0; k < 50; k++) {
        const struct dun_flow_row *a = &flow[k], *b = &toy.row[k];
        CHECK(!memcmp(&a->step, &b->step, sizeof a->step) && b->noise == 0);
        CHECK(!memcmp(&a->keep, &b->keep, sizeof a->keep) && a->corrected == b->corrected);
        CHECK(!memcmp(&a->correct, &b->correct, sizeof a->correct));
      }
      close_grid();
    }
}

/* The start is wrong; noise on the way forgets it. */
static void errors_are_forgotten(void)
{
  static const struct {
    int type;
    double alpha, mean, ratio;
  } after[] = {{DUN_FLOW_DETERMINISTIC, 0, 2.249, 1.491}, {DUN_FLOW_NON_SINGULAR, 1, 2.138, 1.149},
               {DUN_FLOW_NON_SINGULAR, 2, 2.023, 1.004},  {DUN_FLOW_NON_SINGULAR, 3, 2.001, 1.002},
               {DUN_FLOW_ZERO_ENDS, 1, 2.190, 1.286},     {DUN_FLOW_ZERO_ENDS, 2, 2.085, 1.056},
               {DUN_FLOW_ZERO_ENDS, 3, 2.022, 1.005},     {DUN_FLOW_CONSTANT, 1, 2.052, 1.021},
               {DUN_FLOW_SINGULAR, 1, 2.004, 1.000}};
  for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
    struct dun_flow_dial dial = {.type = after[i].type, .alpha = after[i].alpha};
    open_grid("type: interpolant", uniform(500));
    toy.m0 = 2;
    toy.s0 = .5;
    toy.start = .5;
    toy.var = 1.5;
    dun_flow_rows(&dial, &toy.grid, toy.row);
    struct law law = go(500);
    CHECK_NEAR(law.mean, after[i].mean, 6e-4);
    CHECK_NEAR(law.variance / .25, after[i].ratio, 6e-4);
    close_grid();
  }
}

/* From 1 - delta instead of 1, or with g of the first step's middle. */
static void singular_near_the_noise(void)
{
  static const int steps[] = {10, 50, 100, 500};
  static const double delta[] = {1e-2, 1e-3, 1e-4, 1e-5}, middle[] = {1.0129, 1.0003, 1.0001, 1};
  static const double there[4][4] = {{1.67, 1.014, 1.003, 1.000},
                                     {50, 1.64, 1.10, 1.003},
                                     {4756, 57, 8.6, 1.07},
                                     {4.7e5, 5.5e3, 737, 7.3}};
  for (int i = 0; i < 4; i++)
    for (int k = 0; k < 4; k++) {
      struct dun_march_grid times = uniform(steps[k]);
      times.first = 1 - delta[i];
      struct law law = run("type: interpolant", times,
                           (struct dun_flow_dial){.type = DUN_FLOW_SINGULAR, .alpha = 1}, 0, 1);
      CHECK_NEAR(law.variance, there[i][k], 1e-2 * there[i][k]);
    }
  for (int k = 0; k < 4; k++) {
    struct law law = run(
        "type: interpolant", uniform(steps[k]),
        (struct dun_flow_dial){.type = DUN_FLOW_SINGULAR, .alpha = ROOT2, .first = DUN_FLOW_MIDDLE},
        0, 1);
    CHECK_NEAR(law.variance, middle[k], 1e-4);
  }
}

/* ---- grids, schemes, processes --------------------------------------------------------------- */

static void grids_of_the_toy(void)
{
  static const struct {
    struct dun_march_grid grid;
    double flow, noisy;
  } there[] = {{{.type = DUN_GRID_UNIFORM}, .634, .920},
               {{.type = DUN_GRID_QUADRATIC}, .816, 1.030},
               {{.type = DUN_GRID_COSINE}, .802, 1.028},
               {{.type = DUN_GRID_SHIFT, .shift = 3}, .261, 1.862}};
  for (int i = 0; i < 4; i++) {
    struct dun_march_grid times = there[i].grid;
    times.steps = 20;
    times.first = times.last = -1;
    struct law flow = run("type: interpolant", times,
                          (struct dun_flow_dial){.type = DUN_FLOW_DETERMINISTIC}, 0, .1);
    struct law noisy =
        run("type: interpolant", times,
            (struct dun_flow_dial){.type = DUN_FLOW_NON_SINGULAR, .alpha = 1}, 0, .1);
    CHECK_NEAR(flow.variance / .01, there[i].flow, 6e-4);
    CHECK_NEAR(noisy.variance / .01, there[i].noisy, 6e-4);
  }
}

/* Along straight lines Euler's step of the flow is DDIM's. */
static void ddim_is_the_flow(void)
{
  static struct dun_flow_row flow[50];
  open_grid("type: interpolant, mean: -2, scale: 3", uniform(50));
  struct dun_flow_dial dial = {.type = DUN_FLOW_DETERMINISTIC};
  dun_flow_rows(&dial, &toy.grid, flow);
  dial = (struct dun_flow_dial){.scheme = DUN_FLOW_DDIM};
  dun_flow_rows(&dial, &toy.grid, toy.row);
  for (int k = 0; k < 50; k++) {
    CHECK_NEAR(toy.row[k].step.state, flow[k].step.state, 1e-13);
    CHECK_NEAR(toy.row[k].step.mean, flow[k].step.mean, 1e-13);
    CHECK_NEAR(toy.row[k].step.constant, flow[k].step.constant, 1e-13);
    CHECK(toy.row[k].noise == 0);
  }
  close_grid();
}

/* DDIM with all noise drawn anew is DDPM; its bias is the larger one. */
static void ddpm_is_ddim_with_noise(void)
{
  static const struct dun_flow_dial ddpm = {.scheme = DUN_FLOW_DDPM};
  static const struct dun_flow_dial ddim = {.scheme = DUN_FLOW_DDIM, .eta = 1};
  static const char *const process[] = {"type: interpolant", "type: vp", "type: ve"};
  for (int i = 0; i < 3; i++) {
    struct law a = run(process[i], uniform(20), ddpm, 0, 1);
    struct law b = run(process[i], uniform(20), ddim, 0, 1);
    CHECK(a.variance == b.variance && a.mean == b.mean);
  }
  CHECK_NEAR(run("type: interpolant", uniform(20), ddpm, 0, 1).variance, .794, 5e-4);
  /* t' = .5 from t = .55, by the formula of that paper */
  open_grid("type: interpolant", uniform(20));
  dun_flow_rows(&ddpm, &toy.grid, toy.row);
  double t = .55, next = .5, fade = (1 - t) / (1 - next) * next / t;
  CHECK_NEAR(toy.row[9].noise, next * sqrt(1 - fade * fade), 1e-14);
  CHECK_NEAR(toy.row[9].step.state, next * fade / t, 1e-14);
  CHECK_NEAR(toy.row[9].step.mean, (1 - next) - next * fade / t * (1 - t), 1e-14);
  close_grid();
}

/* The error of a setting at K and 2 K steps: their ratio is 2 to the order. */
static double order(const char *process, struct dun_march_grid times, struct dun_flow_dial dial,
                    int steps)
{
  double error[2];
  for (int i = 0; i < 2; i++) {
    times.steps = steps << i;
    open_grid(process, times);
    toy.m0 = 1;
    toy.s0 = .7;
    const struct dun_channel *first = &toy.channel[0], *last = &toy.channel[times.steps];
    toy.start = first->gain[0] * toy.m0 + first->offset[0]; /* what the process has there */
    toy.var = first->gain[0] * first->gain[0] * toy.s0 * toy.s0 + first->noise[0][0];
    dun_flow_rows(&dial, &toy.grid, toy.row);
    struct law law = go(times.steps);
    double there = last->gain[0] * last->gain[0] * toy.s0 * toy.s0 + last->noise[0][0];
    error[i] = law.variance / there - 1;
    close_grid();
  }
  return log2(error[0] / error[1]);
}

static void steps_converge_at_their_order(void)
{
  struct dun_march_grid all = uniform(0), inner = uniform(0), wide = uniform(0);
  inner.first = .9;
  inner.last = .1;
  wide.type = DUN_GRID_ARCTAN;
  for (int type = DUN_FLOW_DETERMINISTIC; type <= DUN_FLOW_REVERSE; type++) {
    struct dun_flow_dial dial = {.type = type, .alpha = 1.1, .n = 2, .m = 1};
    CHECK_NEAR(order("type: interpolant, scale: 2, mean: 1", inner, dial, 400), 1, .05);
    CHECK_NEAR(order("type: interpolant, schedule: trigonometric", inner, dial, 1600), 1, .05);
    CHECK_NEAR(order("type: vp", inner, dial, 400), 1, .05);
    dial.scheme = DUN_FLOW_HEUN;
    CHECK_NEAR(order("type: interpolant, scale: 2, mean: 1", inner, dial, 400), 2, .05);
    CHECK_NEAR(order("type: interpolant, schedule: trigonometric", inner, dial, 400), 2, .05);
    CHECK_NEAR(order("type: vp", inner, dial, 400), 2, .05);
  }
  for (int scheme = DUN_FLOW_DDIM; scheme <= DUN_FLOW_DDPM; scheme++) {
    struct dun_flow_dial dial = {.scheme = scheme, .eta = .5};
    CHECK_NEAR(order("type: interpolant, scale: 2", all, dial, 400), 1, .05);
    CHECK_NEAR(order("type: vp", all, dial, 1000), 1, .05);
    CHECK_NEAR(order("type: ve, scale: 20", wide, dial, 1000), 1, .05);
  }
  struct dun_flow_dial reverse = {.type = DUN_FLOW_REVERSE, .alpha = 1};
  CHECK_NEAR(order("type: ve, scale: 20", wide, reverse, 1000), 1, .05);
  CHECK_NEAR(order("type: isotropic, horizon: 20", wide, reverse, 1000), 1, .05);
}

/* Euler's localization of N(0, 1), read out as z / t: known variances. */
static void localization_of_a_normal(void)
{
  static const int steps[] = {50, 200, 1000};
  static const double even[] = {.2974, .6464, .9107}, arctan[] = {.9253, .9838, 1.0007};
  struct dun_flow_dial dial[2] = {{.type = DUN_FLOW_REVERSE, .alpha = 1},
                                  {.scheme = DUN_FLOW_DDPM}};
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < 2; i++) { /* the two are the same */
      struct dun_march_grid times = uniform(steps[k]);
      struct law law = run("type: isotropic, horizon: 200", times, dial[i], 0, 1);
      CHECK_NEAR(law.variance / 40000, even[k], 1e-4);
      times.type = DUN_GRID_ARCTAN;
      law = run("type: isotropic, horizon: 200", times, dial[i], 0, 1);
      CHECK_NEAR(law.variance / 40000, arctan[k], 1e-4);
    }
}

/* ---- noise by a matrix ----------------------------------------------------------------------- */

enum { D = 2 };

static void product(double a[D][D], double b[D][D], double out[D][D])
{
  for (int i = 0; i < D; i++)
    for (int j = 0; j < D; j++)
      out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
}

/* The covariance at the end, of data N(0, diag(s^2)), with the noise g G. */
static void with_matrix(int steps, double square[D][D], const double s[D], double v[D][D])
{
  static const struct dun_flow_dial dial = {
      .type = DUN_FLOW_NON_SINGULAR, .alpha = 1.3, .matrix = 1};
  open_grid("type: interpolant", uniform(steps));
  dun_flow_rows(&dial, &toy.grid, toy.row);
  v[0][0] = v[1][1] = 1;
  v[0][1] = v[1][0] = 0;
  for (int k = 0; k < steps; k++) {
    const struct dun_flow_row *r = &toy.row[k];
    double a[D][D] = {{0}}, turned[D][D], left[D][D];
    for (int j = 0; j < D; j++) { /* the denoiser is diagonal */
      toy.m0 = 0;
      toy.s0 = s[j];
      double slope = denoiser(&toy.channel[k]).state;
      for (int i = 0; i < D; i++)
        a[i][j] = r->score * square[i][j] * (1 - r->gain * slope);
      a[j][j] += r->step.state + r->step.mean * slope;
    }
    for (int i = 0; i < D; i++)
      for (int j = 0; j < D; j++)
        turned[i][j] = a[j][i];
    product(a, v, left);
    product(left, turned, v);
    for (int i = 0; i < D; i++)
      for (int j = 0; j < D; j++)
        v[i][j] += r->noise * r->noise * square[i][j];
  }
  close_grid();
}

/* Whatever G is, also of less than full rank, the law at the end is the target's, but for errors of
 * first order; with G = 1 it is the sampler without one. */
static void a_matrix_leaves_the_law_alone(void)
{
  static double squares[3][D][D] = {{{1, 0}, {0, 1}}, {{1.25, -.6}, {-.6, .4}}, {{1, 2}, {2, 4}}};
  static const double s[D] = {.5, 1.4};
  for (int i = 0; i < 3; i++) {
    double few[D][D], many[D][D];
    with_matrix(400, squares[i], s, few);
    with_matrix(800, squares[i], s, many);
    for (int j = 0; j < D; j++) {
      double there = s[j] * s[j];
      CHECK_NEAR(many[j][j], there, .02 * there);
      CHECK_NEAR(log2((few[j][j] - there) / (many[j][j] - there)), 1, .15);
    }
    CHECK_NEAR(many[0][1], 0, .01);
    for (int j = 0; j < D && i == 0; j++) {
      struct law law =
          run("type: interpolant", uniform(800),
              (struct dun_flow_dial){.type = DUN_FLOW_NON_SINGULAR, .alpha = 1.3}, 0, s[j]);
      CHECK_NEAR(many[j][j], law.variance, 1e-12);
    }
  }
}

TEST_MAIN({"tables of the toy", tables_of_the_toy}, {"the way of the toy", the_way_of_the_toy},
          {"laws of the bias", laws_of_the_bias},
          {"the wrong sign is seen", the_wrong_sign_is_seen},
          {"alpha 0 is deterministic", alpha_0_is_deterministic},
          {"errors are forgotten", errors_are_forgotten},
          {"singular near the noise", singular_near_the_noise},
          {"grids of the toy", grids_of_the_toy}, {"ddim is the flow", ddim_is_the_flow},
          {"ddpm is ddim with noise", ddpm_is_ddim_with_noise},
          {"steps converge at their order", steps_converge_at_their_order},
          {"localization of a normal", localization_of_a_normal},
          {"a matrix leaves the law alone", a_matrix_leaves_the_law_alone})
