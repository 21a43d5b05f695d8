/* Stochastic samplers of flows and diffusions: from noise to points of the target in small steps,
 * with as much noise on the way as one likes (Singh & Fischer 2024, arXiv 2410.02217).
 *
 *   start:  z from the noise's end
 *   step:   m = E[x | z] from the field; z = step(z, m) + noise, by the row of methods/flow_rows.h
 *   Heun:   m once more at the end of the step, which is then made with both
 *
 * alpha = 0 is the flow itself.  With process vp, ddim and ddpm are Song et al. 2021 (ICLR) and Ho
 * et al. 2020; with process ve the noise `reverse` is the reverse SDE of Song et al. 2021, ddpm
 * their ancestral sampler; with process isotropic it is stochastic localization. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "methods/flow_rows.h"
#include "methods/march.h"
#include "numerics/columns.h"
#include <string.h>

enum { L = DUN_LANES };

struct flow {
  /* options */
  struct dun_march march;
  struct dun_flow_dial dial;
  struct dun_matrix matrix; /* G [d][..] */

  /* made by init; owned */
  struct dun_flow_row *row; /* [K] */
  struct dun_flow_way *way; /* [K] */
  double *square;           /* G G' [d][d], with a matrix */
};

/* ---- rows ------------------------------------------------------------------------------------ */

static int make_square(struct flow *s)
{
  int64_t d = s->march.d, columns = s->matrix.columns;
  const double *g = s->matrix.value;
  dun_free(s->square);
  s->square = dun_allocate(d * d, sizeof *s->square);
  if (!s->square)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++) {
      double sum = 0;
      for (int64_t k = 0; k < columns; k++)
        sum += g[i * columns + k] * g[j * columns + k];
      s->square[i * d + j] = sum;
    }
  return 0;
}

static int make_rows(struct flow *s)
{
  struct dun_march *m = &s->march;
  struct dun_flow_grid grid = {.steps = m->grid.count, .time = m->grid.time, .channel = m->channel};
  m->process->ends(m->process_self, &grid.noise, &grid.data);
  dun_process_channel(m->process, m->process_self, .5 * (grid.time[0] + grid.time[1]),
                      &grid.middle);
  dun_free(s->row);
  dun_free(s->way);
  s->row = dun_allocate(m->grid.count, sizeof *s->row);
  s->way = dun_allocate(m->grid.count, sizeof *s->way);
  if (!s->row || !s->way)
    return DUN_ERROR_MEMORY;
  dun_flow_rows(&s->dial, &grid, s->row);
  m->ways.wanted = dun_march_can_weigh(m) && s->matrix.rows == 0 &&
                   dun_flow_ways(&grid, s->row, m->steps, m->d, s->way);
  return 0;
}

static int check(const struct flow *s)
{
  const struct dun_march *m = &s->march;
  if (m->r != 1)
    return dun_fail(DUN_ERROR_INPUT,
                    "method flow: a coordinate's state has %d numbers in process %s; method psld "
                    "runs it",
                    m->r, m->process->type.name);
  if (m->grid.type == DUN_GRID_TUNED)
    return dun_fail(DUN_ERROR_INPUT, "grid tuned belongs to method psld");
  if (s->matrix.rows == 0)
    return 0;
  if (s->matrix.rows != m->d)
    return dun_fail(DUN_ERROR_INPUT, "noise.matrix has %lld rows, and the target %d dimensions",
                    s->matrix.rows, m->d);
  if (s->dial.scheme != DUN_FLOW_EULER)
    return dun_fail(DUN_ERROR_INPUT, "noise.matrix goes with scheme euler alone");
  return 0;
}

/* A g that is infinite within the way, or a first step to where the state has no noise to draw. */
static int check_rows(const struct flow *s)
{
  for (int64_t k = 0; k < s->march.steps; k++)
    if (!(s->row[k].noise < 1e150 && s->row[k].step.state > -1e150 && s->row[k].step.state < 1e150))
      return dun_fail(DUN_ERROR_INPUT,
                      "method flow: the noise of step %lld is not finite: take "
                      "another noise.type",
                      (long long)k);
  return 0;
}

static int64_t steps_for(const void *self, int64_t evaluations, int noisy)
{
  const struct flow *s = self;
  int64_t steps = s->dial.scheme != DUN_FLOW_HEUN ? evaluations
                  : noisy                         ? evaluations / 2
                                                  : (evaluations + 1) / 2;
  return steps > 1 ? steps : 1;
}

/* ---- the plan ------------------------------------------------------------------------------ */

static int stages(const void *self)
{
  return ((const struct flow *)self)->dial.scheme == DUN_FLOW_HEUN ? 2 : 1;
}

static int64_t look(const void *self, int64_t k, int stage)
{
  const struct flow *s = self;
  return stage == 0 ? k : s->row[k].corrected ? k + 1 : -1;
}

static int kept(const void *self, int d)
{
  return stages(self) == 2 ? d : 0;
}

static int scratch(const void *self, int d)
{
  const struct flow *s = self;
  return d + (s->matrix.rows > 0 ? (int)s->matrix.columns : 0) + (s->march.ways.wanted ? d : 0);
}

/* out = a.state z + a.mean m + a.constant + noise n; out may be z. */
DUN_CLONES static void combine(int d, const struct dun_flow_sum *a, double noise, const double *z_,
                               const double *restrict m_, const double *restrict n_, double *out_)
{
  const double *z = DUN_ALIGNED(z_), *m = DUN_ALIGNED(m_), *n = DUN_ALIGNED(n_);
  double *out = DUN_ALIGNED(out_);
  for (int64_t i = 0; i < (int64_t)d * L; i++) {
    double sum = DUN_FMA(a->state, z[i], DUN_FMA(a->mean, m[i], a->constant));
    out[i] = DUN_FMA(noise, n[i], sum);
  }
}

/* z = a(z, m) without noise. */
DUN_CLONES static void move(int d, const struct dun_flow_sum *a, const double *restrict m_,
                            double *restrict z_)
{
  const double *m = DUN_ALIGNED(m_);
  double *z = DUN_ALIGNED(z_);
  for (int64_t i = 0; i < (int64_t)d * L; i++)
    z[i] = DUN_FMA(a->state, z[i], DUN_FMA(a->mean, m[i], a->constant));
}

/* out[rows][64] += scale matrix[rows][columns] in[columns][64]. */
DUN_CLONES static void add_product(int64_t rows, int64_t columns, double scale,
                                   const double *matrix, const double *restrict in_,
                                   double *restrict out_)
{
  const double *in = DUN_ALIGNED(in_);
  double *out = DUN_ALIGNED(out_);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++)
      for (int l = 0; l < L; l++)
        out[i * L + l] = DUN_FMA(scale * matrix[i * columns + j], in[j * L + l], out[i * L + l]);
}

/* Score and noise of a matrix. */
static void add_matrix(const struct flow *s, const struct dun_flow_row *row,
                       struct dun_march_tile *tile)
{
  int d = tile->d;
  double *q = tile->scratch, *n = tile->scratch + (int64_t)d * L;
  const struct dun_flow_sum distance = {.state = 1, .mean = -row->gain, .constant = -row->offset};
  combine(d, &distance, 0, tile->z, tile->mean, tile->mean, q);
  move(d, &row->step, tile->mean, tile->z);
  add_product(d, d, row->score, s->square, q, tile->z);
  if (row->noise > 0) {
    dun_normals(tile->address, (int)s->matrix.columns, n);
    add_product(d, s->matrix.columns, row->noise, s->matrix.value, n, tile->z);
  }
}

/* sum[64] += scale |z - back y - shift|^2. */
DUN_CLONES static void add_square(int d, double scale, const double *restrict z_, double back,
                                  const double *restrict y_, double shift, double *restrict sum)
{
  const double *z = DUN_ALIGNED(z_), *y = DUN_ALIGNED(y_);
  for (int64_t i = 0; i < (int64_t)d * L; i += L)
    for (int l = 0; l < L; l++) {
      double e = z[i + l] - shift - back * y[i + l];
      sum[l] = DUN_FMA(scale * e, e, sum[l]);
    }
}

/* Minus the log density of the first states. */
static void begin_way(const struct flow *s, struct dun_march_tile *tile)
{
  double mean[2] = {0}, root[2][2] = {{0}}, constant = 0;
  s->march.process->prior(s->march.process_self, mean, root);
  if (root[0][0] > 0)
    constant = tile->d * (dun_scalar_log(root[0][0]) + .5 * DUN_LOG_2PI);
  for (int l = 0; l < L; l++)
    tile->log_weight[l] = constant;
  if (root[0][0] > 0)
    add_square(tile->d, .5 / (root[0][0] * root[0][0]), tile->z, 0, tile->z, mean[0],
               tile->log_weight);
}

/* A step with the way's ratio. */
static void step_and_weigh(const struct flow *s, const struct dun_flow_row *row,
                           struct dun_march_tile *tile)
{
  const struct dun_flow_way *way = &s->way[tile->k];
  double *old = tile->scratch + (int64_t)tile->d * L;

  if (tile->k == 0)
    begin_way(s, tile);
  memcpy(old, tile->z, (size_t)tile->d * L * sizeof *old);
  dun_normals(tile->address, tile->d, tile->scratch);
  combine(tile->d, &row->step, row->noise, old, tile->mean, tile->scratch, tile->z);
  for (int l = 0; l < L; l++)
    tile->log_weight[l] += tile->d * way->constant;
  add_square(tile->d, .5, tile->scratch, 0, tile->scratch, 0, tile->log_weight);
  add_square(tile->d, -.5 * way->precision, old, way->back, tile->z, way->shift, tile->log_weight);
}

static void after(const void *self, struct dun_march_tile *tile, int stage)
{
  const struct flow *s = self;
  const struct dun_flow_row *row = &s->row[tile->k];

  if (stage == 1 && row->corrected) {
    const struct dun_flow_sum *a = &row->correct;
    move(tile->d, a, tile->mean, tile->z);
    dun_columns_add(tile->d, 1, tile->kept, tile->z);
  }
  if (stage == 1)
    return;
  if (s->matrix.rows > 0) {
    add_matrix(s, row, tile);
    return;
  }
  if (s->march.ways.wanted) {
    step_and_weigh(s, row, tile);
    return;
  }
  if (row->noise > 0)
    dun_normals(tile->address, tile->d, tile->scratch);
  if (row->corrected && row->noise > 0)
    combine(tile->d, &row->keep, row->noise, tile->z, tile->mean, tile->scratch, tile->kept);
  else if (row->corrected)
    combine(tile->d, &row->keep, 0, tile->z, tile->mean, tile->mean, tile->kept);
  if (row->noise > 0)
    combine(tile->d, &row->step, row->noise, tile->z, tile->mean, tile->scratch, tile->z);
  else
    move(tile->d, &row->step, tile->mean, tile->z);
}

static const struct dun_march_plan plan = {
    .stages = stages,
    .look = look,
    .after = after,
    .steps = steps_for,
    .kept = kept,
    .scratch = scratch,
};

/* ---- the method ---------------------------------------------------------------------------- */

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct flow *s = self;
  int code;
  s->march.plan = &plan;
  s->dial.matrix = s->matrix.rows > 0;
  if ((code = dun_march_init(context, &s->march, run)) < 0 || (code = check(s)) < 0 ||
      (code = make_rows(s)) < 0 || (code = check_rows(s)) < 0)
    return code;
  if (s->dial.matrix && (code = make_square(s)) < 0)
    return code;
  return dun_march_declare(&s->march, run);
}

static void release(void *self)
{
  struct flow *s = self;
  dun_march_free(&s->march);
  DUN_FREE(s->row);
  DUN_FREE(s->way);
  DUN_FREE(s->square);
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  dun_march_diagnose(&((struct flow *)self)->march, run, out);
}

_Static_assert(offsetof(struct flow, march) == 0, "the march begins it");

static const struct dun_state state[] = {DUN_MARCH_STATE(struct flow, march), {0}};

static const struct dun_option noise[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = offsetof(struct flow, dial.type),
     .initial = "non_singular",
     .words = "deterministic|constant|singular|non_singular|zero_ends|power|reverse",
     .doc = "g, the noise on the way, with t the share of the way from the data: 0, alpha, alpha "
            "sqrt(t / (1 - t)), alpha sqrt(t), alpha sqrt(t (1 - t)), alpha t^(n/2) (1 - t)^(m/2), "
            "or alpha times what the process itself adds, which reverse SDEs undo."},
    {.name = "alpha",
     .type = DUN_NUMBER,
     .offset = offsetof(struct flow, dial.alpha),
     .initial = "1",
     .maximum = 1e6,
     .doc = "How much noise; 0: none."},
    {.name = "n",
     .type = DUN_NUMBER,
     .offset = offsetof(struct flow, dial.n),
     .initial = "1",
     .minimum = -10,
     .maximum = 10,
     .when = "type=power",
     .doc = "Exponent at the data: from 1 on the drift is finite there."},
    {.name = "m",
     .type = DUN_NUMBER,
     .offset = offsetof(struct flow, dial.m),
     .initial = "0",
     .minimum = -10,
     .maximum = 10,
     .when = "type=power",
     .doc = "Exponent at the noise: from 0 on g is finite there."},
    {.name = "first",
     .type = DUN_CHOICE,
     .offset = offsetof(struct flow, dial.first),
     .initial = "skip",
     .words = "skip|middle",
     .doc = "Where g is infinite at the noise's end: a first step without noise, or with g of its "
            "middle."},
    {.name = "matrix",
     .type = DUN_MATRIX,
     .offset = offsetof(struct flow, matrix),
     .initial = "",
     .doc =
         "G, with a row for each dimension: the noise is g G dW, and the score's term g^2 G G' / "
         "2."},
    {0},
};

static const struct dun_option options[] = {
    DUN_MARCH_OPTIONS(struct flow, march, "interpolant", "state"),
    {.name = "scheme",
     .type = DUN_CHOICE,
     .offset = offsetof(struct flow, dial.scheme),
     .initial = "euler",
     .words = "euler|heun|ddim|ddpm",
     .doc = "Steps of the stochastic differential equation, with one or two evaluations of the "
            "field, or from the law of the next state given this one and the point, whose noise is "
            "kept (ddim) or drawn anew (ddpm)."},
    {.name = "eta",
     .type = DUN_NUMBER,
     .offset = offsetof(struct flow, dial.eta),
     .initial = "0",
     .minimum = 0,
     .maximum = 1,
     .when = "scheme=ddim",
     .doc = "Part of that law's noise which is drawn anew; 1: all, which is ddpm."},
    {.name = "noise",
     .type = DUN_SECTION,
     .offset = 0,
     .initial = "",
     .rows = noise,
     .when = "scheme=euler|heun",
     .doc = "How much noise there is on the way; the law at its end does not depend on it."},
    {0},
};

const struct dun_method dun_method_flow = {
    .type = {DUN_TYPE(struct dun_method), .name = "flow",
             .doc =
                 "From noise to the target along a flow or diffusion, with any amount of noise on "
                 "the way.",
             .citation =
                 "Singh & Fischer 2024, arXiv 2410.02217; Song et al. 2021, ICLR; Ho et al. "
                 "2020, NeurIPS",
             .size = sizeof(struct flow), .options = options, .state = state, .free = release,
             .restore = dun_march_restore},
    DUN_MARCH_OPERATIONS,
    .init = init,
    .diagnose = diagnose,
};
