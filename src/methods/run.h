/* A run: what an input has put together, shared by the method, the probes, the files and the
 * driver. */
#ifndef DUNLIN_METHODS_RUN_H
#define DUNLIN_METHODS_RUN_H

#include "base/table.h"

#include "kernels/warmup.h"

/* The section `run:`. */
struct dun_run_options {
  long long seed, particles, replicates, tile;
  double time_limit;  /* seconds; 0: none */
  double evaluations; /* budget of them, over all ranks; 0: none */
};

/* Where the method stands; it writes this, the driver shows it and keeps the rows in
 * /trace/steps. */
struct dun_now {
  int64_t step;                            /* completed steps of the method */
  double time;                             /* t */
  double ess;                              /* of the weights at this time, before selection */
  double acceptance;                       /* of the last sweep */
  double log_evidence, log_evidence_error; /* so far */
  double log_likelihood_mean, log_likelihood_variance; /* of d log pi_t / dt under the weights
                                                        * before this step; NAN: not known */
  double moves;                                        /* sweeps in this step */
  double autocorrelation; /* of the log density over the step's moves */
  double never_moved;     /* share of the particles that no move of this step displaced */
  double step_size, leapfrogs;
  double pareto_k;       /* of the tail of this step's weights (methods/tails.h); NAN: not known */
  double roots;          /* distinct ancestors */
  double error_roots;    /* how many equal ones the error of log Z rests on; NAN: not known */
  double loss;           /* of what is learned; 0: nothing is */
  int64_t pilot, pilots; /* moves of pilot chains, of so many; 0: there are none */
};

enum dun_verdict_level { DUN_GOOD, DUN_DOUBTFUL, DUN_BAD };

struct dun_verdict {
  char name[48];
  enum dun_verdict_level level;
  char text[256]; /* one sentence with its figures */
};

struct dun_diagnosis {
  int count;
  struct dun_verdict verdict[32];
};

/* Adds a verdict: a printf format for its sentence.  Beyond 32 they are dropped. */
void dun_diagnose(struct dun_diagnosis *diagnosis, const char *name, enum dun_verdict_level level,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

struct dun_field;
/* If what a field says was learned, tells it, and that nobody knows how well; and what it remarks
 * of where it comes from. */
void dun_diagnose_learned(struct dun_diagnosis *diagnosis, const struct dun_field *field,
                          const void *self);

/* Good below `doubtful`, bad from `bad` on; for what should be large give the negatives.  What is
 * not known (NAN) is doubtful. */
enum dun_verdict_level dun_verdict_above(double value, double doubtful, double bad);

/* Draws that a method keeps of chains: every particle is one, or so many consecutive particles
 * are, of which the one with weight is the draw.  They live in the result's file and are read back
 * from there, one number of all draws at a time: their size is unbounded. */
struct dun_kept {
  int64_t due;     /* draws of each chain in a replicate; 0: the last population is the result */
  int64_t members; /* state: particles of a chain; set by the method's init where it is not 1,
                    * and by dun_run_members before the first draw.  Exactly one of them has a logw
                    * above -inf whenever a draw is kept */
  int64_t room;    /* chains of a replicate that the result has room for; set by the method's init
                    * where there may come to be more of them than there are at first */
  int64_t draws;   /* state: kept so far in this replicate */
  int64_t began;   /* state, set by the method: from the next tick on sweeps are for draws */
  int64_t warmed;  /* state, set by the method: as many draws as the sweeps before them would be */
  int64_t superchains;     /* so many groups of consecutive chains began each at one point; 0: every
                        * chain began for itself.  Set by the method's init */
  int outputs;             /* numbers in a draw */
  struct dun_tiles chains; /* dealt evenly to the ranks, whoever holds their particles: total, and
                            * this rank's first and local */

  /* Collective.  Number `index` of the draws so far of this rank's chains, out[local][draws]. */
  int (*read)(struct dun_context *context, void *source, int index, double *out);
  void *source;
};

struct dun_run {
  struct dun_run_options options;
  struct dun_population population;
  struct dun_evaluator *evaluator;
  const struct dun_target *target;
  const struct dun_path *path;
  void *path_self;
  const struct dun_kernel *kernel;
  void *kernel_self;
  const struct dun_method *method;
  void *method_self;
  /* Of all particles the first; of methods that cross-fit, of the halves (struct dun_sweep). */
  struct dun_adaptation adaptation[DUN_HALVES];
  struct dun_sweep sweep;
  int pointwise;                      /* log likelihoods that each draw of the result gets */
  int unconstrained;                  /* each draw of the result has its x, too */
  struct dun_column *x, *logw, *root; /* set by the method's init: points, weights, ancestors */

  /* state */
  int64_t tick; /* ticks done in this replicate: the `step` of random numbers */
  int64_t replicate;
  struct dun_now now;
  struct dun_kept kept;
};

/* The address of random numbers of the present tick; kernels and others set the purpose. */
struct dun_address dun_run_address(const struct dun_run *run, enum dun_purpose purpose);

/* Fills x tile by tile with what `draw` makes of so many columns of addressed uniforms
 * (DUN_PURPOSE_START_UNIFORM) and normals (`purpose`).  Local; DUN_ERROR_MEMORY. */
int dun_run_draw(struct dun_run *run, enum dun_purpose purpose, int uniforms, int normals,
                 void (*draw)(const struct dun_run *run, const double *uniform,
                              const double *normal, double *x));
/* The same of the tiles whose number is `slice` modulo `slices`, in the tick that comes so many
 * after the first slice's; what is drawn does not depend on how many slices there are. */
int dun_run_draw_slice(struct dun_run *run, int64_t slice, int64_t slices, enum dun_purpose purpose,
                       int uniforms, int normals,
                       void (*draw)(const struct dun_run *run, const double *uniform,
                                    const double *normal, double *x));
/* The path's first draws.  Local; DUN_ERROR_MEMORY. */
int dun_run_start(struct dun_run *run);

/* Collective.  Evaluates first draws at time t, in tiles below `tiles`.  Moves that meet a density
 * of +inf count it as none and the diagnosis tells; here it would be left out of log Z:
 * DUN_ERROR_NUMERIC. */
int dun_run_evaluate(struct dun_context *context, struct dun_run *run, double t, int64_t tiles);

/* If first draws were killed: whether the others are enough.  Moves begin where they are, and what
 * they do not show of the support is not known. */
void dun_diagnose_survivors(struct dun_diagnosis *diagnosis, const struct dun_run *run,
                            int64_t killed);

/* If so much is missing in log Z where carries did not reach: see dun_sweep_origins. */
void dun_diagnose_origins(struct dun_diagnosis *diagnosis, const struct dun_run *run,
                          double missing);

/* Collective, a pass of run->sweep.  The path's draws in the places of the particles marked[local]
 * with 1, evaluated, along an affine path whose draws are of pi_0.  DUN_INTERRUPTED,
 * DUN_ERROR_MEMORY. */
int dun_run_renew(struct dun_context *context, struct dun_run *run, const signed char *marked);
/* Collective, a pass of run->sweep.  A Metropolis move of every particle at its own time whose
 * proposals are such draws.  DUN_INTERRUPTED, DUN_ERROR_MEMORY. */
int dun_run_propose(struct dun_context *context, struct dun_run *run);

/* Log densities down to this are as good as -inf: targets write -1e300 for it. */
#define DUN_NOWHERE -1e250

/* First draws that lie where the target's density is 0, and those that take their places. */
struct dun_starts {
  int64_t passes;   /* looks so far; 0: the first draws were not looked at yet */
  int64_t left;     /* how many of all particles lie outside */
  int64_t moved;    /* how many did */
  int64_t tried;    /* points drawn to replace them */
  int64_t reseeded; /* how many found no place and began where others did */
};
/* Its rows are counts. */
enum { DUN_STARTS_STATE = sizeof(struct dun_starts) / sizeof(int64_t) };

/* Before the first draws of a method whose particles are chains: sets kept.superchains.
 * DUN_ERROR_INPUT if they do not divide the chains, or if the path is one in pieces.  Local. */
int dun_starts_check(struct dun_run *run);
/* Collective, along an affine path, a pass of run->sweep.  Evaluates the parts at the first draws,
 * as none where a kernel's gradient is no finite number.  DUN_INTERRUPTED. */
int dun_starts_evaluate(struct dun_context *context, struct dun_run *run);
/* Collective, along an affine path.  Counts the particles at which a part of the path has density
 * 0, after it has drawn their places anew unless this is the first look: a pass of run->sweep, the
 * last of a tick.  After 100 of them what is left takes the places of others.  DUN_INTERRUPTED;
 * DUN_ERROR_INPUT if after those, and 10000 draws, none lies inside. */
int dun_starts_move(struct dun_context *context, struct dun_run *run, struct dun_starts *starts);
/* Tells of them if there were any. */
/* The path's option `climb` into the warm-up, with a column for it.  DUN_ERROR_INPUT: a kernel that
 * keeps no gradients cannot; DUN_ERROR_MEMORY. */
int dun_starts_climb(struct dun_run *run, struct dun_warmup *warmup);
void dun_starts_diagnose(const struct dun_starts *starts, const struct dun_run *run,
                         struct dun_diagnosis *diagnosis);

/* So many consecutive particles are a chain: a divisor of their number, and kept.room is enough. */
void dun_run_members(const struct dun_context *context, struct dun_run *run, int64_t members);

/* Declares a column that is saved.  NULL as dun_population_declare. */
struct dun_column *dun_run_column(struct dun_run *run, const char *name, enum dun_column_type type,
                                  int width, unsigned flags, const char *doc);

/* Sets `now` where so many independent chains begin: their weights are equal, and nothing else is
 * known of them yet. */
void dun_run_begin_chains(struct dun_run *run, double chains);

/* Every particle has weight 1 and is its own ancestor. */
void dun_run_equal_weights(struct dun_run *run);
/* The same for independent particles, each of which is its own ancestor: all have weight 1. */
void dun_run_begin_particles(struct dun_run *run);
/* Points x[d][64] of the n particles of a tile that are no numbers become 0 and count for nothing;
 * broken[64]: 1 for each, else 0. */
void dun_run_bury(const struct dun_run *run, int64_t tile, int n, double *x, double *broken);

/* What a tick answers. */
enum dun_tick {
  DUN_TICK_DONE,  /* the method has finished this replicate */
  DUN_TICK_GOING, /* go on */
  DUN_TICK_STEP,  /* a step was completed: `now` has a new row, probes look */
  DUN_TICK_DRAW,  /* the particles are draw number kept.draws - 1 of their chains; a step too if
                   * now.step has grown */
};

/* What a method leaves behind for the result, in the run's population: equally or unequally
 * weighted particles with columns x, logw, root. */
struct dun_method {
  struct dun_type type;

  int needs_path, needs_kernel;
  /* The path, with its defaults, of an input that has none; NULL: it must have one. */
  const char *usual_path;
  /* Whether with these options nothing moves and no kernel is needed; NULL: it is as above. */
  int (*rests)(const void *self);

  /* Draws to be kept of each chain in a replicate; NULL or 0: the last population is the
   * result. */
  int64_t (*draws)(const void *self);
  /* Whether its results have the same bits at any number of ranks; NULL: they have. */
  int (*deterministic)(const void *self);
  /* Bytes of its tables on a rank, or on a machine where its ranks share them, for estimates;
   * NULL: next to none. */
  int64_t (*memory)(const void *self);
  /* What the method tells of its own way, for /trace/<name> of the result: columns are made by
   * init, the cells are a state row.  NULL, or no table: nothing. */
  struct dun_table *(*table)(void *self);
  /* Sweeps of a replicate, for estimates; NULL: not known beforehand. */
  int64_t (*sweeps)(const void *self, const struct dun_run *run);
  /* Sweeps at each time, for estimates where `sweeps` is NULL; NULL or -1: not known beforehand. */
  int64_t (*moves)(const void *self);
  /* Share of the replicate's sweeps that are done, for estimates; NULL or NAN: not known. */
  double (*progress)(const void *self, const struct dun_run *run);
  /* run.particles is a multiple of this; NULL: of 1. */
  int64_t (*multiple)(const void *self);
  /* So many consecutive tiles lie on one rank, in groups that begin at multiples of it; NULL: 1.
   * Asked before init. */
  int64_t (*together)(const void *self);

  /* Declares columns and checks options against the rest of the run, before allocation. */
  int (*init)(struct dun_context *context, void *self, struct dun_run *run);
  /* Begins replicate run->replicate; the population is allocated. */
  int (*start)(struct dun_context *context, void *self, struct dun_run *run);
  /* Collective.  One tick, the smallest thing that can be interrupted and resumed. */
  int (*advance)(struct dun_context *context, void *self, struct dun_run *run);
  /* Collective, in place of further ticks where the budget of evaluations is used up before the
   * method is done: makes of the particles what can be made of them with few evaluations.  It is
   * not interrupted.  NULL: they are fit to be the result as they are. */
  int (*cut)(struct dun_context *context, void *self, struct dun_run *run);
  /* Says what there is to say of the finished replicate. */
  void (*diagnose)(void *self, const struct dun_run *run, struct dun_diagnosis *diagnosis);
};

#endif
