/* Particles that go along a grid of times of a process, each for itself: what all samplers of
 * diffusions and flows share.
 *
 *   start:    states from the process's law at the noise's end
 *   steps:    the plan's operations between evaluations of the field, which sees the states through
 *             the process's channels and gives the denoiser m, the mean of the point
 *   readout:  the point: what the last state says, the denoiser there, or a draw of the posterior
 *
 * Nothing is selected: weights are equal, and log Z is not known.  Where the field needs no tables
 * a tick is a stride of steps with each tile in the workspace; else it is one evaluation.  The
 * numbers do not depend on it.
 *
 * Column x is the first number of every coordinate's state, column momentum the others. */
#ifndef DUNLIN_METHODS_MARCH_H
#define DUNLIN_METHODS_MARCH_H

#include "fields/field.h"
#include "methods/march_grid.h"
#include "methods/ways.h"

struct dun_march_tile {
  int n; /* particles; the other lanes repeat the first */
  int d;
  int64_t k;                  /* the step */
  struct dun_address address; /* of its noise: DUN_PURPOSE_NOISE, numbers from column 0 */
  double *z;                  /* [r][d][64] state */
  double *mean;               /* [d][64] the denoiser at the stage's evaluation */
  double *kept;               /* [kept][64] the method's, saved from stage to stage */
  double *scratch;            /* [scratch][64] */
  double *log_weight;         /* [64] of the way; of no use unless ways are wanted */
};

/* What a method does on the way: a step is a number of stages, of which each may ask the field
 * once.  Local and without state of their own. */
struct dun_march_plan {
  int (*stages)(const void *self);
  /* The index of the grid's time, k or k + 1, at which a stage of step k asks; -1: it does not. */
  int64_t (*look)(const void *self, int64_t k, int stage);
  void (*before)(const void *self, struct dun_march_tile *tile, int stage); /* NULL: nothing */
  void (*after)(const void *self, struct dun_march_tile *tile, int stage);
  /* From the last state, with the denoiser there, to the point in its first number, where the final
   * is `denoise`; NULL: the point is the denoiser. */
  void (*last)(const void *self, struct dun_march_tile *tile);
  /* The most steps that ask the field so often; `noisy`: the last time has noise.  At least 1. */
  int64_t (*steps)(const void *self, int64_t evaluations, int noisy);
  int (*kept)(const void *self, int d); /* columns; NULL: none */
  int (*scratch)(const void *self, int d);
};

/* What becomes of the last state z. */
enum dun_march_final {
  DUN_MARCH_STATE,   /* (z - offset) / gain of its first number */
  DUN_MARCH_DENOISE, /* the denoiser, at the last time that has noise */
  DUN_MARCH_DRAW,    /* a draw of the point given the state there */
};

enum { DUN_MARCH_SUMS = 3 };
enum dun_march_phase { DUN_MARCH_START, DUN_MARCH_STEPS, DUN_MARCH_OVER };

/* The operations that all such methods share. */
#define DUN_MARCH_OPERATIONS                                                                       \
  .sweeps = dun_march_sweeps, .progress = dun_march_progress,                                      \
  .deterministic = dun_march_deterministic, .memory = dun_march_memory, .table = dun_march_table,  \
  .start = dun_march_start, .advance = dun_march_advance

/* What the own struct of such a method begins with: pointers to it are pointers to this. */
struct dun_march {
  /* options */
  struct dun_part process_part, field_part;
  struct dun_march_grid grid;
  struct {
    long long label; /* -1: none */
    double scale;
  } guidance;
  int final; /* enum dun_march_final */
  long long stride;

  /* given by the method */
  const struct dun_march_plan *plan;

  /* state */
  int64_t phase, k, stage;
  double scores;  /* evaluations of the field, of all particles */
  double looks;   /* of these, where the noise was looked at */
  double worst;   /* largest mean of a tick */
  double astray;  /* looks at states that the law would never show */
  int64_t broken; /* particles at the end that are no numbers */
  struct dun_table table;
  struct dun_ways ways; /* wanted by the method, if dun_march_can_weigh: it begins with minus the
                         * log density of the first states and adds every step's ratio */

  /* made by init */
  const struct dun_process *process;
  void *process_self;
  const struct dun_field *field;
  void *field_self;
  int d, r;
  int64_t steps; /* to be taken: K, or K - 1 where the last has no noise and is read out before */
  struct dun_channel *channel; /* [K + 1] at grid.time; owned */
  struct dun_column *momentum, *kept, *log_weight;
  double *workspace; /* owned */
  double *rows;      /* [2][local][d] of a field that is spread over the ranks; owned */
};

/* The option rows, for a struct that has it as `member`, with the defaults of process and final. */
#define DUN_MARCH_OPTIONS(type_, member_, process_, final_)                                        \
  {.name = "process",                                                                              \
   .type = DUN_PART,                                                                               \
   .kind = DUN_KIND_PROCESS,                                                                       \
   .offset = offsetof(type_, member_.process_part),                                                \
   .initial = process_,                                                                            \
   .doc = "How points are seen through noise, less and less of it."},                              \
      {.name = "field",                                                                            \
       .type = DUN_PART,                                                                           \
       .kind = DUN_KIND_FIELD,                                                                     \
       .offset = offsetof(type_, member_.field_part),                                              \
       .initial = "exact",                                                                         \
       .doc = "Who tells the mean of a point that was seen so."},                                  \
      {.name = "grid",                                                                             \
       .type = DUN_SECTION,                                                                        \
       .offset = offsetof(type_, member_.grid),                                                    \
       .initial = "",                                                                              \
       .rows = dun_march_grid_rows,                                                                \
       .doc = "Times, from the noise to the data."},                                               \
      {.name = "guidance",                                                                         \
       .type = DUN_SECTION,                                                                        \
       .offset = offsetof(type_, member_.guidance),                                                \
       .initial = "",                                                                              \
       .rows = dun_march_guidance_rows,                                                            \
       .doc = "Points of one class, and more than that."},                                         \
      {.name = "final",                                                                            \
       .type = DUN_CHOICE,                                                                         \
       .offset = offsetof(type_, member_.final),                                                   \
       .initial = final_,                                                                          \
       .words = "state|denoise|draw",                                                              \
       .doc = "The point: the last state, the field's mean at the last time that has noise (of "   \
              "method "                                                                            \
              "psld a step of the drift from there), or a draw given the state there."},           \
  {                                                                                                \
    .name = "stride", .type = DUN_INTEGER, .offset = offsetof(type_, member_.stride),              \
    .initial = "auto", .words = "auto", .minimum = 1, .maximum = 1e6,                              \
    .doc = "Steps between two looks of probes and trace; auto: a hundredth of all."                \
  }
extern const struct dun_option dun_march_guidance_rows[];

/* The state rows. */
#define DUN_MARCH_STATE(type_, member_)                                                            \
  DUN_STATE_UP_TO(DUN_MARCH_OVER, "march phase", offsetof(type_, member_.phase)),                  \
      DUN_STATE_ROW("march step", DUN_STATE_INTEGER, offsetof(type_, member_.k), 1),               \
      DUN_STATE_ROW("march stage", DUN_STATE_INTEGER, offsetof(type_, member_.stage), 1),          \
      DUN_STATE_ROW("march scores", DUN_STATE_NUMBER, offsetof(type_, member_.scores), 1),         \
      DUN_STATE_ROW("march looks", DUN_STATE_NUMBER, offsetof(type_, member_.looks), 1),           \
      DUN_STATE_ROW("march worst", DUN_STATE_NUMBER, offsetof(type_, member_.worst), 1),           \
      DUN_STATE_ROW("march astray", DUN_STATE_NUMBER, offsetof(type_, member_.astray), 1),         \
      DUN_STATE_ROW("march broken", DUN_STATE_INTEGER, offsetof(type_, member_.broken), 1),        \
      {.name = "march ways",                                                                       \
       .type = DUN_STATE_INTEGER,                                                                  \
       .offset = offsetof(type_, member_.ways.particles),                                          \
       .count = 1,                                                                                 \
       .least = -1,                                                                                \
       .most = (int64_t)1 << 53},                                                                  \
      DUN_STATE_ROW("march way sums", DUN_STATE_NUMBER, offsetof(type_, member_.ways.sum),         \
                    DUN_WAYS_SUMS),                                                                \
      DUN_STATE_ROW("march table", DUN_STATE_NUMBERS, offsetof(type_, member_.table.cells), 1)

/* Collective.  Process, field, grid and channels; then the method makes its tables, and
 * dun_march_declare the columns and the workspace.  DUN_ERROR_INPUT, DUN_ERROR_MEMORY. */
int dun_march_init(struct dun_context *context, struct dun_march *march, struct dun_run *run);
/* Grid and channels once more, when the method has changed the grid's options.  Local. */
int dun_march_make_grid(struct dun_march *march);
int dun_march_declare(struct dun_march *march, struct dun_run *run);
void dun_march_free(struct dun_march *march);

/* Whether the density of the last states is known, as ways need it: with the final read-out comes
 * the field's log mass.  After dun_march_init. */
int dun_march_can_weigh(const struct dun_march *march);

/* The operations of the same names of a method (methods/run.h); sweeps: evaluations of the field
 * for a particle in all, in evaluations of the target where it takes more than one for each. */
int64_t dun_march_sweeps(const void *self, const struct dun_run *run);
int64_t dun_march_memory(const void *self);
int dun_march_deterministic(const void *self);
double dun_march_progress(const void *self, const struct dun_run *run);
struct dun_table *dun_march_table(void *self);
int dun_march_start(struct dun_context *context, void *self, struct dun_run *run);
int dun_march_advance(struct dun_context *context, void *self, struct dun_run *run);
/* Steps and stages that a checkpoint gave are such as there are: else DUN_ERROR_INPUT. */
int dun_march_restore(void *self);
/* What there is to say of particles astray and of what was counted. */
void dun_march_diagnose(const struct dun_march *march, const struct dun_run *run,
                        struct dun_diagnosis *out);

#endif
