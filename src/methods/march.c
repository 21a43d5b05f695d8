#include "base/error.h"
#include "base/memory.h"
#include "methods/march_tile.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

const struct dun_option dun_march_guidance_rows[] = {
    {.name = "label",
     .type = DUN_INTEGER,
     .offset = 0,
     .initial = "none",
     .words = "none",
     .minimum = 0,
     .maximum = 1e9,
     .doc = "The class of the points, a component of a mixture, from 0; none: all."},
    {.name = "scale",
     .type = DUN_NUMBER,
     .offset = sizeof(long long),
     .initial = "0",
     .minimum = -1,
     .maximum = 1e6,
     .doc = "How much of the difference between the class and all is added once more; 0: the class "
            "itself."},
    {0},
};

static const struct dun_table_column columns[] = {
    {"replicate", "", "Number of the population, from 0."},
    {"step", "", "Completed steps."},
    {"time", "", "Of the process."},
    {"scores", "", "Evaluations of the field so far, of all particles."},
    {"noise", "",
     "Mean square of the noise in a state, of the last looks; 1 at most if the law is "
     "met."},
    {"astray", "", "Share of these looks that met states which the law does not show."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---- setting up ---------------------------------------------------------------------------- */

/* Whether so many classes, of which the labels are numbers, leave what is asked for. */
static int check_guidance(const struct dun_march *m, const struct dun_run *run)
{
  int labels = m->field->labels ? m->field->labels(m->field_self) : 0;
  if (m->guidance.label >= labels && labels == 0)
    return dun_fail(DUN_ERROR_INPUT, "guidance.label: field %s knows no classes of target %s",
                    m->field->type.name, run->target->type.name);
  if (m->guidance.label >= labels)
    return dun_fail(DUN_ERROR_INPUT,
                    "guidance.label is %lld, and target %s has the classes 0 to %d",
                    m->guidance.label, run->target->type.name, labels - 1);
  return 0;
}

static int check(const struct dun_march *m, const struct dun_run *run)
{
  unsigned gives = m->field->gives ? m->field->gives(m->field_self) : 0;
  if (DUN_FIELD_REMEMBERS(m->field, m->field_self))
    return dun_fail(DUN_ERROR_INPUT,
                    "field %s keeps something of every particle, which method %s does not take "
                    "along: take method localization, or path localized",
                    m->field->type.name, run->method->type.name);
  if (m->guidance.label >= 0 && check_guidance(m, run) < 0)
    return DUN_ERROR_INPUT;
  if (m->final == DUN_MARCH_DRAW && !(gives & DUN_TILTED_DRAW))
    return dun_fail(DUN_ERROR_INPUT,
                    "final: draw needs exact draws, and field %s of target %s "
                    "gives none",
                    m->field->type.name, run->target->type.name);
  if (m->guidance.label < 0 && m->guidance.scale != 0)
    return dun_fail(DUN_ERROR_INPUT, "guidance.scale is %g, and there is no guidance.label",
                    m->guidance.scale);
  if (m->final == DUN_MARCH_DRAW && m->guidance.scale != 0)
    return dun_fail(DUN_ERROR_INPUT, "final: draw draws points of a class, not guided ones: take "
                                     "final: state or denoise, or guidance.scale: 0");
  return 0;
}

/* The channels at the grid's times; no more than the ends may be without noise. */
static int make_channels(struct dun_march *m)
{
  int64_t K = m->grid.count;
  dun_free(m->channel);
  m->channel = dun_allocate(K + 1, sizeof *m->channel);
  if (!m->channel)
    return DUN_ERROR_MEMORY;
  for (int64_t k = 0; k <= K; k++)
    if (dun_process_channel(m->process, m->process_self, m->grid.time[k], &m->channel[k]) < 0 &&
        k > 0 && k < K)
      return dun_fail(DUN_ERROR_INPUT, "process %s has no noise at the time %g of the grid",
                      m->process->type.name, m->grid.time[k]);
  return 0;
}

/* Whether all ranks ask the field together, and whether they do so, or tell it of a time before it
 * is asked, one evaluation after the other. */
static int all_at_once(const struct dun_march *m)
{
  return DUN_FIELD_SPREAD_OUT(m->field, m->field_self) != DUN_FIELD_WHOLE;
}

static int by_tables(const struct dun_march *m)
{
  return m->field->prepare || all_at_once(m);
}

/* The least above 0 of the grid. */
static double least_lambda(const struct dun_march *m)
{
  double least = INFINITY;
  for (int64_t k = 0; k <= m->grid.count; k++)
    if (m->channel[k].lambda > 0 && m->channel[k].lambda < least)
      least = m->channel[k].lambda;
  return least;
}

/* By a number of evaluations: guided ones count twice, and the readout may take one. */
static void set_steps(struct dun_march *m)
{
  double noise, data;
  m->process->ends(m->process_self, &noise, &data);
  struct dun_channel last = {.r = m->r};
  m->process->channel(m->process_self, m->grid.last < 0 ? data : m->grid.last, &last);
  int64_t count = m->grid.evaluations / (dun_march_guided(m) ? 2 : 1);
  int noisy = dun_march_has_noise(&last);
  m->grid.steps = m->plan->steps(m, count - (noisy && m->final != DUN_MARCH_STATE), noisy);
}

int dun_march_make_grid(struct dun_march *m)
{
  int code;
  if (m->grid.evaluations > 0)
    set_steps(m);
  if ((code = dun_march_grid_make(&m->grid, m->process, m->process_self)) < 0 ||
      (code = make_channels(m)) < 0)
    return code;
  m->steps = m->grid.count;
  if (m->final != DUN_MARCH_STATE && !dun_march_has_noise(&m->channel[m->steps]))
    m->steps--;
  return 0;
}

/* What needs no communication. */
static int init_here(struct dun_march *m)
{
  int code;
  if (m->process->init && (code = m->process->init(m->process_self)) < 0)
    return code;
  m->r = m->process->width;
  code = dun_march_make_grid(m);
  return code < 0 ? code : dun_table_make(&m->table, columns, COLUMNS);
}

int dun_march_init(struct dun_context *context, struct dun_march *m, struct dun_run *run)
{
  m->process = (const struct dun_process *)m->process_part.type;
  m->process_self = m->process_part.self;
  m->field = (const struct dun_field *)m->field_part.type;
  m->field_self = m->field_part.self;
  m->d = run->evaluator->dimension;
  int code = dun_agree(context, init_here(m));
  if (code < 0 ||
      (code = m->field->init(context, m->field_self, run->evaluator, least_lambda(m))) < 0)
    return code;
  return check(m, run);
}

int dun_march_declare(struct dun_march *m, struct dun_run *run)
{
  const struct dun_march_plan *plan = m->plan;
  int kept = plan->kept ? plan->kept(m, m->d) : 0, code;
  int scratch = plan->scratch ? plan->scratch(m, m->d) : 0;
  int64_t width = (int64_t)m->r * m->d + 3 * (int64_t)m->d + kept + scratch + DUN_MARCH_LANES;

  run->x = dun_run_column(run, "x", DUN_F64, m->d, DUN_MOVES | DUN_HASHED,
                          "The point; until the end the state's first number.");
  run->logw =
      dun_run_column(run, "logw", DUN_F64, 1, 0, "0, or -inf of a point that is no number.");
  run->root = dun_run_column(run, "root", DUN_I64, 1, DUN_MOVES, "Number of the particle.");
  if (!run->x || !run->logw || !run->root)
    return DUN_ERROR_MEMORY;
  m->momentum = m->kept = m->log_weight = NULL;
  if (m->r > 1 && !(m->momentum = dun_run_column(run, "momentum", DUN_F64, (m->r - 1) * m->d, 0,
                                                 "The state's other numbers.")))
    return DUN_ERROR_MEMORY;
  if (kept > 0 && !(m->kept = dun_run_column(run, "kept", DUN_F64, kept, 0,
                                             "What a step needs of the one before.")))
    return DUN_ERROR_MEMORY;
  if (m->ways.wanted && !(m->log_weight = dun_run_column(run, "log_weight", DUN_F64, 1, 0,
                                                         "Log of the weight of the way.")))
    return DUN_ERROR_MEMORY;
  if ((code = dun_pass_declare(&run->sweep.pass)) < 0)
    return code;
  DUN_FREE(m->workspace);
  DUN_FREE(m->rows);
  m->workspace = dun_allocate(width * L, sizeof *m->workspace);
  if (all_at_once(m))
    m->rows = dun_allocate(2 * run->population.tiles.local * m->d + 1, sizeof *m->rows);
  return m->workspace && (m->rows || !all_at_once(m)) ? 0 : DUN_ERROR_MEMORY;
}

void dun_march_free(struct dun_march *m)
{
  dun_march_grid_free(&m->grid);
  dun_table_free(&m->table);
  DUN_FREE(m->channel);
  DUN_FREE(m->workspace);
  DUN_FREE(m->rows);
}

int dun_march_can_weigh(const struct dun_march *m)
{
  unsigned gives = m->field->gives ? m->field->gives(m->field_self) : 0;
  return (gives & DUN_TILTED_MASS) && !m->field->prepare && !m->field->start &&
         m->guidance.label < 0 && m->final != DUN_MARCH_STATE &&
         dun_march_has_noise(&m->channel[m->steps]);
}

double dun_march_progress(const void *self, const struct dun_run *run)
{
  const struct dun_march *m = self;
  (void)run;
  return m->phase == DUN_MARCH_OVER ? 1 : (double)m->k / (double)(m->steps + 1);
}

int dun_march_start(struct dun_context *context, void *self, struct dun_run *run)
{
  struct dun_march *m = self;
  (void)context;
  dun_run_begin_particles(run);
  m->phase = DUN_MARCH_START;
  m->k = m->stage = m->broken = m->ways.particles = 0;
  m->scores = m->looks = m->worst = m->astray = 0;
  return 0;
}

/* ---- ticks --------------------------------------------------------------------------------- */

/* What a tick does of the way: stages first <= stage < behind of the steps from <= k < to, or the
 * readout. */
struct leg {
  int64_t from, to;
  int first, behind, readout;
};

static int64_t stride_of(const struct dun_march *m)
{
  return m->stride > 0 ? m->stride : (m->steps + 99) / 100;
}

static struct leg next_leg(const struct dun_march *m)
{
  int stages = m->plan->stages(m);
  int64_t to = m->k + stride_of(m);
  if (m->k == m->steps)
    return (struct leg){.readout = 1};
  if (by_tables(m))
    return (struct leg){m->k, m->k + 1, (int)m->stage, (int)m->stage + 1, 0};
  return (struct leg){m->k, to < m->steps ? to : m->steps, 0, stages, 0};
}

/* The only evaluation of a leg by tables; -1: none. */
static int64_t leg_index(const struct dun_march *m, const struct leg *leg)
{
  if (leg->readout)
    return m->final == DUN_MARCH_STATE ? -1 : m->steps;
  return m->plan->look(m, leg->from, leg->first);
}

static void go(const struct dun_march *m, const struct leg *leg, struct dun_march_work *w)
{
  if (leg->readout)
    dun_march_read_out(m, w);
  for (int64_t k = leg->from; k < leg->to; k++)
    for (int stage = leg->first; stage < leg->behind; stage++)
      dun_march_stage(m, k, stage, w);
}

static void add_looks(const struct dun_march_work *w, struct dun_exact *sum)
{
  for (int q = 0; q < DUN_MARCH_SUMS; q++)
    dun_exact_add(&sum[q], dun_fold(w->look[q]));
}

static int pass_over(struct dun_context *context, const struct dun_march *m, struct dun_run *run,
                     const struct leg *leg, double *total)
{
  struct dun_march_work w = dun_march_work_of(m);
  struct dun_exact sum[DUN_MARCH_SUMS] = {{{0}, 0, {0}}};
  struct dun_pass *pass = &run->sweep.pass;
  int status = dun_pass_begin(context, pass, DUN_MARCH_SUMS, sum);

  for (int64_t i = 0; i < run->population.tiles.count && status >= 0; i++) {
    if ((status = dun_pass_enter(pass, i, 0)) <= 0)
      continue;
    dun_march_load(m, run, i, &w);
    go(m, leg, &w);
    if ((status = dun_pass_leave(pass, i, 0, w.tile.n)) < 0)
      break;
    if (leg->readout)
      dun_run_bury(run, i, w.tile.n, w.tile.z, w.look[DUN_MARCH_BROKEN]);
    dun_march_store(m, run, i, &w);
    add_looks(&w, sum);
  }
  return dun_pass_end(context, pass, status, DUN_MARCH_SUMS, sum, total);
}

/* ---- a field that is spread over the ranks: all states at once ------------------------------- */

static void begin_tile(const struct dun_march *m, const struct leg *leg,
                       const struct dun_channel *c, struct dun_march_work *w)
{
  w->tile.k = leg->from;
  w->tile.address.step = (uint32_t)leg->from;
  if (!leg->readout && m->plan->before)
    m->plan->before(m, &w->tile, leg->first);
  dun_march_tilt(m, c, w);
}

static void end_tile(const struct dun_march *m, const struct leg *leg, const struct dun_channel *c,
                     struct dun_march_work *w)
{
  w->tile.k = leg->from;
  w->tile.address.step = (uint32_t)leg->from;
  if (dun_march_has_noise(c))
    dun_march_look(m, c, w);
  if (leg->readout)
    dun_march_finish(m, w);
  else
    m->plan->after(m, &w->tile, leg->first);
}

/* As pass_over, of a leg with an evaluation; it is not interrupted. */
static int go_together(struct dun_context *context, const struct dun_march *m, struct dun_run *run,
                       const struct leg *leg, double *total)
{
  const struct dun_channel *c = &m->channel[leg->readout ? m->steps : leg_index(m, leg)];
  const struct dun_tiles *tiles = &run->population.tiles;
  struct dun_march_work w = dun_march_work_of(m);
  struct dun_exact sum[DUN_MARCH_SUMS] = {{{0}, 0, {0}}};
  double *h = m->rows, *mean = m->rows + tiles->local * m->d;

  for (int64_t i = 0; i < tiles->count; i++) {
    dun_march_load(m, run, i, &w);
    begin_tile(m, leg, c, &w);
    dun_march_store(m, run, i, &w);
    dun_rows_from_columns(w.tile.n, m->d, w.h, h + i * tiles->tile * m->d);
  }
  int status = m->field->rows(context, m->field_self, tiles->local, h, mean);
  for (int64_t i = 0; i < tiles->count && status >= 0; i++) {
    dun_march_load(m, run, i, &w);
    dun_columns_from_rows(w.tile.n, m->d, mean + i * tiles->tile * m->d, w.tile.mean);
    end_tile(m, leg, c, &w);
    if (leg->readout)
      dun_run_bury(run, i, w.tile.n, w.tile.z, w.look[DUN_MARCH_BROKEN]);
    dun_march_store(m, run, i, &w);
    add_looks(&w, sum);
  }
  return dun_sum(context, status, DUN_MARCH_SUMS, sum, total);
}

int64_t dun_march_memory(const void *self)
{
  const struct dun_march *m = self;
  return m->field && m->field->memory ? m->field->memory(m->field_self) : 0;
}

int dun_march_deterministic(const void *self)
{
  const struct dun_march *m = self;
  return DUN_FIELD_SPREAD_OUT(m->field, m->field_self) != DUN_FIELD_LOOSE;
}

struct dun_table *dun_march_table(void *self)
{
  return &((struct dun_march *)self)->table;
}

static int64_t looks_of(const struct dun_march *m, const struct leg *leg)
{
  int64_t count = 0;
  if (leg->readout)
    return m->final == DUN_MARCH_DENOISE;
  for (int64_t k = leg->from; k < leg->to; k++)
    for (int stage = leg->first; stage < leg->behind; stage++) {
      int64_t index = m->plan->look(m, k, stage);
      count += index >= 0 && dun_march_has_noise(&m->channel[index]);
    }
  return count;
}

static int64_t scores_of(const struct dun_march *m, const struct leg *leg)
{
  int64_t count = leg->readout && m->final != DUN_MARCH_STATE;
  for (int64_t k = leg->from; k < leg->to; k++)
    for (int stage = leg->first; stage < leg->behind; stage++)
      count += m->plan->look(m, k, stage) >= 0;
  return count * (dun_march_guided(m) ? 2 : 1);
}

int64_t dun_march_sweeps(const void *self, const struct dun_run *run)
{
  const struct dun_march *m = self;
  (void)run;
  if (!m->workspace)
    return 1; /* before init: not known */
  struct leg all = {.to = m->steps, .behind = m->plan->stages(m), .readout = 1};
  long long each = m->field->evaluations ? m->field->evaluations(m->field_self, 0) : 0;
  return scores_of(m, &all) * (each > 1 ? each : 1);
}

/* Books a leg; whether it completed a step. */
static int account(struct dun_march *m, struct dun_run *run, const struct leg *leg,
                   const double *total)
{
  double N = (double)run->options.particles, looks = N * (double)looks_of(m, leg);
  m->scores += N * (double)scores_of(m, leg);
  m->looks += looks;
  m->astray += total[DUN_MARCH_ASTRAY];
  m->broken += (int64_t)total[DUN_MARCH_BROKEN];
  if (looks > 0 && total[DUN_MARCH_NOISE] / looks > m->worst)
    m->worst = total[DUN_MARCH_NOISE] / looks;
  int whole = leg->readout || leg->behind == m->plan->stages(m);
  m->stage = whole ? 0 : leg->behind;
  m->k = leg->readout ? m->k : whole ? leg->to : leg->from;
  if (!whole)
    return 0;
  run->now.step = leg->readout ? run->now.step + 1 : m->k;
  run->now.time = leg->readout ? 1 : (double)m->k / (double)(m->steps + 1);
  const double row[COLUMNS] = {(double)run->replicate,
                               (double)run->now.step,
                               m->grid.time[m->k],
                               m->scores,
                               looks > 0 ? total[DUN_MARCH_NOISE] / looks : NAN,
                               looks > 0 ? total[DUN_MARCH_ASTRAY] / looks : NAN};
  return dun_table_add(&m->table, row) < 0 ? DUN_ERROR_MEMORY : 1;
}

static int advance(struct dun_context *context, struct dun_march *m, struct dun_run *run)
{
  struct leg leg = next_leg(m);
  double total[DUN_MARCH_SUMS] = {0};
  int64_t index = by_tables(m) ? leg_index(m, &leg) : -1;
  int status = 0;
  if (index >= 0 && m->field->prepare)
    status = m->field->prepare(context, m->field_self, m->channel[index].lambda);
  if (status >= 0)
    status = (index >= 0 && all_at_once(m) ? go_together : pass_over)(context, m, run, &leg, total);
  if (status < 0)
    return status;
  m->phase = leg.readout ? DUN_MARCH_OVER : DUN_MARCH_STEPS;
  status = dun_agree(context, account(m, run, &leg, total));
  if (status >= 0 && leg.readout && m->ways.wanted) {
    int summed = dun_ways_sum(context, &m->ways, run, m->log_weight);
    status = summed < 0 ? summed : status;
  }
  return status < 0 ? status : status > 0 ? DUN_TICK_STEP : DUN_TICK_GOING;
}

/* States at the first time: by the process's law there, or where the field knows the target's mean
 * and covariance, by what they leave of it. */
static void draw_states(const struct dun_march *m, struct dun_march_work *w)
{
  const struct dun_channel *c = &m->channel[0];
  const struct dun_gaussian *known = m->field->start ? m->field->start(m->field_self) : NULL;
  double mean[2] = {0}, root[2][2] = {{0}}, *z = w->tile.z;
  int64_t column = (int64_t)m->d * L;

  m->process->prior(m->process_self, mean, root);
  known = dun_march_has_noise(c) ? known : NULL;
  if (known) {
    memcpy(mean, c->offset, sizeof mean);
    memcpy(root, c->root, sizeof root);
    dun_normals_from(w->tile.address, (int64_t)m->r * m->d, m->d, w->h);
    dun_gaussian_draw(known, w->h, w->other);
  }
  dun_normals(w->tile.address, m->r * m->d, z);
  for (int64_t j = 0; j < column; j++) {
    double x = known ? w->other[j] : 0, first = z[j];
    if (m->r > 1)
      z[column + j] = mean[1] + c->gain[1] * x + root[1][0] * first + root[1][1] * z[column + j];
    z[j] = mean[0] + c->gain[0] * x + root[0][0] * first;
  }
}

static int set_out(struct dun_march *m, struct dun_run *run)
{
  struct dun_march_work w = dun_march_work_of(m);
  for (int64_t i = 0; i < run->population.tiles.count; i++) {
    dun_march_load(m, run, i, &w);
    w.tile.address.purpose = DUN_PURPOSE_START;
    w.tile.address.step = 0;
    draw_states(m, &w);
    dun_march_store(m, run, i, &w);
  }
  m->phase = DUN_MARCH_STEPS;
  return DUN_TICK_GOING;
}

int dun_march_advance(struct dun_context *context, void *self, struct dun_run *run)
{
  struct dun_march *m = self;
  int status;
  if (m->phase == DUN_MARCH_OVER)
    return DUN_TICK_DONE;
  enum dun_phase before = dun_timers_switch(
      &context->timers, m->phase == DUN_MARCH_START ? DUN_PHASE_SETUP : DUN_PHASE_MOVE);
  status = m->phase == DUN_MARCH_START ? set_out(m, run) : advance(context, m, run);
  dun_timers_switch(&context->timers, before);
  return status;
}

/* ---- what to think of it ------------------------------------------------------------------- */

void dun_march_diagnose(const struct dun_march *m, const struct dun_run *run,
                        struct dun_diagnosis *out)
{
  double N = (double)run->options.particles, broken = (double)m->broken / N;
  double astray = m->looks > 0 ? m->astray / m->looks : 0;

  dun_diagnose(out, "scores", DUN_GOOD,
               "%.0f evaluations of field %s for each particle, in %lld steps of process %s",
               m->scores / N, m->field->type.name, (long long)m->steps, m->process->type.name);
  if (m->broken > 0)
    dun_diagnose(out, "broken", DUN_BAD,
                 "%.3g%% of the particles ended at what is no number and have no weight",
                 100 * broken);
  dun_diagnose_learned(out, m->field, m->field_self);
  if (dun_march_guided(m)) {
    dun_diagnose(out, "guidance", DUN_DOUBTFUL,
                 "guided particles follow no law that is known: it depends on the sampler");
    return;
  }
  struct dun_march_whole whole = dun_march_whole_of(m);
  dun_march_judge_start(m, &whole, out);
  if (m->ways.wanted)
    dun_ways_diagnose(&m->ways, run, whole.log_mass, m->final == DUN_MARCH_DRAW, out);
  else
    dun_diagnose(
        out, "steps", DUN_DOUBTFUL,
        "the particles' law is the target's but for what the length of the steps costs, which "
        "is not known: compare with twice as many");
  dun_diagnose(out, "astray", dun_verdict_above(astray, 1e-12, 1e-3),
               "%.3g%% of the states that the field was asked about lay where the process's law "
               "has none",
               100 * astray);
  dun_diagnose(out, "noise", dun_verdict_above(m->worst, 1.1 + 5 * sqrt(2 / (N * m->d)), 2),
               "the noise in the states had up to %.3g times the mean square that it may have at "
               "most%s",
               m->worst, m->worst > 1.1 ? ": take more steps, or less noise" : "");
}

int dun_march_restore(void *self)
{
  const struct dun_march *m = self;
  if (m->k <= m->steps && m->stage < m->plan->stages(m))
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "The checkpoint is at a step that this run does not have.");
}
