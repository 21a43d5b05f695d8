/* Samplers of phase space diffusions: from noise of positions and momenta back to points, by
 * splitting programs (numerics/phase_program.h; Pandey, Rudolph & Mandt 2024, arXiv 2402.07211).
 *
 *   start:  (x, m) from the law at rest
 *   step:   the program's operators, with scores of both from the field by the process's channel,
 *           s = -noise^-1 (z - gain E[x | z])
 *   end:    one step of the drift alone from the last time to 0
 *
 * Where a program's ways have a density (numerics/phase_path.h), each particle gathers the log of
 * its weight against the noising run backwards (methods/ways.h). */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "methods/psld_score.h"
#include "methods/psld_tuned.h"
#include "numerics/phase_path.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

struct psld {
  /* options */
  struct dun_march march;
  char *program; /* NULL: not given */
  double lambda;
  int placement;
  struct dun_numbers eta, spectrum;

  /* made by init */
  const struct dun_phase_space *space;
  struct dun_program parsed;
  struct dun_phase_noise noise;
  struct dun_phase_table table;
  struct dun_psld_tuned tuned;
  struct dun_phase_ratio *ratio; /* [steps] of ways that have a density; owned */
};

/* ---- setting up ----------------------------------------------------------------------------- */

static int set_noise(struct psld *s)
{
  if (s->eta.count != 1 && s->eta.count != 2)
    return dun_fail(DUN_ERROR_INPUT,
                    "eta is one number, or two for positions and momenta, not %lld", s->eta.count);
  s->noise = (struct dun_phase_noise){
      s->lambda, s->placement, {s->eta.value[0], s->eta.value[s->eta.count - 1]}};
  return 0;
}

/* Process and program, before there is a grid: it needs to know how often a step asks. */
static int prepare(struct psld *s)
{
  struct dun_march *m = &s->march;
  const struct dun_process *process = (const struct dun_process *)m->process_part.type;
  const char *program = s->program ? s->program : "O S B A";
  int code;

  if (process != &dun_process_psld)
    return dun_fail(DUN_ERROR_INPUT, "method psld needs process psld, not %s; method flow runs it",
                    process->type.name);
  if ((code = process->init(m->process_part.self)) < 0 || (code = set_noise(s)) < 0)
    return code;
  s->space = dun_psld_space(m->process_part.self);
  if (m->grid.last < 0 && m->grid.type != DUN_GRID_GIVEN)
    m->grid.last = 1e-3; /* at 0 momenta have noise and positions have none */
  return dun_phase_program_parse("program", program, s->space->gamma, &s->parsed);
}

/* Of ways that have a density. */
static int make_ratios(struct psld *s)
{
  struct dun_march *m = &s->march;

  m->ways.wanted = dun_march_can_weigh(m) && dun_phase_path_has_density(&s->table);
  DUN_FREE(s->ratio);
  if (!m->ways.wanted)
    return 0;
  s->ratio = dun_allocate(s->table.steps, sizeof *s->ratio);
  if (!s->ratio)
    return DUN_ERROR_MEMORY;
  dun_phase_path_ratios(&s->table, s->space, s->ratio);
  return 0;
}

static int make_tables(struct psld *s)
{
  struct dun_march *m = &s->march;
  int code;

  if (!(m->channel[m->grid.count].determinant > 0))
    return dun_fail(DUN_ERROR_INPUT,
                    "grid: the last time is %g; method psld ends above 0 and goes the rest in one "
                    "step of its own",
                    m->grid.time[m->grid.count]);
  dun_phase_table_free(&s->table);
  code =
      dun_phase_table_make(&s->table, s->space, &s->noise, &s->parsed, m->grid.count, m->grid.time);
  return code < 0 ? code : make_ratios(s);
}

static int tune(struct dun_context *context, struct psld *s, struct dun_run *run)
{
  struct dun_march *m = &s->march;
  struct dun_psld_tuned *t = &s->tuned;
  int code;

  t->space = s->space;
  t->given = s->program ? &s->parsed : NULL;
  memcpy(t->eta, s->noise.eta, sizeof t->eta);
  if (s->lambda != 1 || s->placement != DUN_PHASE_CONSISTENT)
    return dun_fail(DUN_ERROR_INPUT, "grid tuned chooses lambda_s itself: leave it out");
  if ((code = dun_psld_tune(context, t, m, &s->spectrum, run)) < 0)
    return code;
  s->parsed = t->choice.program;
  s->noise = t->choice.noise;
  m->grid.power = t->choice.power;
  return dun_march_make_grid(m);
}

/* ---- the plan ------------------------------------------------------------------------------- */

static int stages(const void *self)
{
  return dun_program_evaluations(&((const struct psld *)self)->parsed);
}

static int64_t look(const void *self, int64_t k, int stage)
{
  return k + dun_phase_stage_end(&((const struct psld *)self)->table, stage);
}

static int64_t steps_for(const void *self, int64_t evaluations, int noisy)
{
  int64_t steps = evaluations / stages(self);
  (void)noisy;
  return steps > 1 ? steps : 1;
}

/* Where the step began, for T and for the density of ways. */
static int kept(const void *self, int d)
{
  const struct psld *s = self;
  return dun_program_has(&s->parsed, 'T') || s->march.ways.wanted ? 2 * d : 0;
}

static int scratch(const void *self, int d)
{
  (void)self;
  return 4 * d; /* scores, noise */
}

static void draw(void *data, int block, double *xi)
{
  const struct dun_march_tile *tile = data;

  dun_normals_from(tile->address, 2 * (int64_t)block * tile->d, 2 * tile->d, xi);
}

static void before(const void *self, struct dun_march_tile *tile, int stage)
{
  const struct psld *s = self;
  struct dun_phase_normals normals = {tile, draw};
  int64_t state = 2 * (int64_t)tile->d * L;

  if (stage > 0)
    return;
  if (kept(self, tile->d) > 0)
    memcpy(tile->kept, tile->z, (size_t)state * sizeof *tile->z);
  if (s->march.ways.wanted && tile->k == 0) {
    memset(tile->log_weight, 0, L * sizeof(double));
    dun_phase_path_begin(s->space, tile->d, tile->z, tile->log_weight);
  }
  dun_phase_before(&s->table, tile->k, tile->d, &normals, tile->scratch + state, tile->z);
}

static void after(const void *self, struct dun_march_tile *tile, int stage)
{
  const struct psld *s = self;
  struct dun_phase_normals normals = {tile, draw};
  int64_t state = 2 * (int64_t)tile->d * L;
  double *xi = tile->scratch + state;

  dun_psld_score(&s->march.channel[look(self, tile->k, stage)], tile->d, tile->z, tile->mean,
                 tile->scratch);
  dun_phase_after(&s->table, tile->k, stage, tile->d, tile->scratch, tile->kept, &normals, xi,
                  tile->z);
  if (s->march.ways.wanted && stage == stages(self) - 1)
    dun_phase_path_step(&s->ratio[tile->k], tile->d, tile->kept, tile->z, xi, tile->log_weight);
}

static void last(const void *self, struct dun_march_tile *tile)
{
  const struct psld *s = self;

  dun_psld_score(&s->march.channel[s->march.grid.count], tile->d, tile->z, tile->mean,
                 tile->scratch);
  dun_phase_last(&s->table, tile->d, tile->scratch, tile->z);
}

static const struct dun_march_plan plan = {
    .stages = stages,
    .look = look,
    .before = before,
    .after = after,
    .last = last,
    .steps = steps_for,
    .kept = kept,
    .scratch = scratch,
};

/* ---- the method ----------------------------------------------------------------------------- */

static int init(struct dun_context *context, void *self, struct dun_run *run)
{
  struct psld *s = self;
  int code;

  s->march.plan = &plan;
  if ((code = prepare(s)) < 0 || (code = dun_march_init(context, &s->march, run)) < 0)
    return code;
  if (s->march.grid.type == DUN_GRID_TUNED && (code = tune(context, s, run)) < 0)
    return code;
  if ((code = make_tables(s)) < 0)
    return code;
  return dun_march_declare(&s->march, run);
}

static void release(void *self)
{
  struct psld *s = self;

  dun_march_free(&s->march);
  dun_phase_table_free(&s->table);
  DUN_FREE(s->ratio);
}

static void diagnose(void *self, const struct dun_run *run, struct dun_diagnosis *out)
{
  struct psld *s = self;
  char text[128];

  dun_march_diagnose(&s->march, run, out);
  if (s->march.grid.type == DUN_GRID_TUNED) {
    dun_program_text(&s->parsed, text, sizeof text);
    dun_diagnose(
        out, "tuned", DUN_GOOD,
        "program %s, grid power %.3g, lambda_s %.3g (%s): Wasserstein distance %.4g from a "
        "Gaussian with the target's spectrum",
        text, s->tuned.choice.power, s->noise.lambda, s->noise.placement ? "mid" : "cons",
        sqrt(s->tuned.choice.distance));
  }
}

_Static_assert(offsetof(struct psld, march) == 0, "the march begins it");

static const struct dun_state state[] = {DUN_MARCH_STATE(struct psld, march), {0}};

static const struct dun_option options[] = {
    DUN_MARCH_OPTIONS(struct psld, march, "psld", "denoise"),
    {.name = "program",
     .type = DUN_TEXT,
     .offset = offsetof(struct psld, program),
     .initial = "",
     .doc =
         "A step, operator by operator: O S B A, S B/2 A S' B/2, ..., or a name: em, sscs, noba, "
         "roba, nbao, rbao, nobab, robab, robab-t, euler, nse, rse, nvv, rvv, rvv-t, heun; O S B "
         "A where there is none, and of a tuned grid the best for it."},
    {.name = "lambda_s",
     .type = DUN_NUMBER,
     .offset = offsetof(struct psld, lambda),
     .initial = "1",
     .maximum = 1e6,
     .doc =
         "Scale of the noise that O and E give positions: above 1 it makes up for what few steps "
         "lose; 1 alone converges."},
    {.name = "placement",
     .type = DUN_CHOICE,
     .offset = offsetof(struct psld, placement),
     .initial = "cons",
     .words = DUN_PHASE_PLACEMENT_WORDS,
     .doc = "Whether that noise goes with the length of a step or with the time in its middle."},
    {.name = "eta",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct psld, eta),
     .initial = "1",
     .minimum = 0,
     .maximum = 100,
     .doc = "Noise of programs with O or E in units of the reverse diffusion's, drift changed "
            "accordingly; two numbers for positions and momenta; 0: probability flow."},
    {.name = "spectrum",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct psld, spectrum),
     .initial = "",
     .minimum = 0,
     .maximum = 1e300,
     .doc = "Variances of directions that a tuned grid is for; none: those of the target, from the "
            "field."},
    {0},
};

const struct dun_method dun_method_psld = {
    .type = {DUN_TYPE(struct dun_method), .name = "psld",
             .doc = "From noise of positions and momenta to the target, by splitting programs.",
             .citation = "Pandey, Rudolph & Mandt 2024, arXiv 2402.07211",
             .size = sizeof(struct psld), .options = options, .state = state, .free = release,
             .restore = dun_march_restore},
    DUN_MARCH_OPERATIONS,
    .init = init,
    .diagnose = diagnose,
};
