/* From an input to a run: read by rank 0, broadcast, parsed and bound by all, initialised,
 * checked.
 *
 * Every fault of the input is collected; nothing expensive happens before all of it is found
 * good. */
#ifndef DUNLIN_APP_ASSEMBLE_H
#define DUNLIN_APP_ASSEMBLE_H

#include "app/arguments.h"
#include "finishes/finish.h"
#include "io/bind.h"
#include "kernels/propagator.h"
#include "probes/probe.h"
#include "targets/together.h"

enum { DUN_MAX_PROBES = 16, DUN_MAX_FINISHES = 4 };

/* The section `output:`. */
struct dun_output_options {
  char *file;              /* NULL: the input's stem + .h5 in the current folder */
  double checkpoint_every; /* seconds; 0: after every tick */
  long long draws;         /* per replicate; -1: all particles */
  int log_likelihood, unconstrained;
  long long prior_draws;
};

struct dun_assembly {
  /* given */
  const struct dun_arguments *arguments;

  /* made; owned */
  struct dun_input input;
  struct dun_binder binder; /* with the complaints */
  char *source;             /* the input's absolute name, recorded in results */
  struct dun_text settings; /* the assignments of --set, one a line */
  char *files;              /* of a result that is run again: see struct dun_source */
  struct dun_output_options output;
  struct dun_part target, path, kernel, method;
  struct dun_text target_lines;      /* of what the target is: data/target_lines.h */
  struct dun_parts probes, finishes; /* finishes in the order in which they work */
  struct dun_evaluator evaluator;
  struct dun_propagator propagator; /* of the kernel's metric */
  struct dun_adaptation pilot;      /* what kernel.load gave */
  struct dun_run run;
  char *file;        /* the result's name */
  uint64_t identity; /* hash of all that decides the numbers in the result */
  int other_bits;    /* the target was seen to give other bits for the same point; see promises.h */
  struct dun_tables tables; /* of the target, which all ranks made together */
  struct dun_tried {
    int lanes, first;     /* see struct dun_effort; 0 lanes: nothing was tried */
    uint64_t points;      /* digest of them */
    double lp[DUN_LANES]; /* what the target gave there */
  } tried;                /* before the run, to be tried again after it */
};

/* Option rows of the sections `run:` and `output:`. */
extern const struct dun_option dun_run_rows[], dun_output_rows[];

/* Collective.  Everything up to, but without, the allocation of particles.  0; DUN_ERROR_INPUT
 * with all complaints in assembly->binder.complaints (its count is 0 if there was only one
 * fault, whose sentence waits in dun_error_text); other codes for failures.  Call
 * dun_assembly_free in any case. */
int dun_assemble(struct dun_context *context, struct dun_assembly *assembly,
                 const struct dun_arguments *arguments);

/* Collective.  No further than to the identity: options are bound, and nothing is initialised, so
 * that faults which only that would show are not found. */
int dun_assemble_identity(struct dun_context *context, struct dun_assembly *assembly,
                          const struct dun_arguments *arguments);

/* Collective.  Allocates particles and workspaces. */
int dun_assembly_allocate(struct dun_context *context, struct dun_assembly *assembly);
void dun_assembly_free(struct dun_assembly *assembly);

/* dun_part_walk over everything that has a state: path, kernel, method, finishes and probes. */
int dun_assembly_walk(struct dun_assembly *assembly,
                      int (*visit)(void *data, const char *place, struct dun_part *part),
                      void *data);

/* Local.  Lets the evaluator tell of its target's options and data.  DUN_ERROR_MEMORY. */
int dun_assembly_tell_target(struct dun_assembly *assembly);

/* Chains in the result, and draws of each. */
int64_t dun_assembly_chains(const struct dun_assembly *assembly);
int64_t dun_assembly_draws(const struct dun_assembly *assembly);

/* What every probe's own struct begins with. */
static inline struct dun_probe_head *dun_probe_head(const struct dun_part *probe)
{
  return probe->self;
}
static inline struct dun_finish_head *dun_finish_head(const struct dun_part *finish)
{
  return finish->self;
}

#endif
