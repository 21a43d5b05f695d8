/* The loop of a run.  It looks, shows, saves and stops between ticks only; it knows no method. */
#ifndef DUNLIN_APP_DRIVER_H
#define DUNLIN_APP_DRIVER_H

#include "app/assemble.h"
#include "app/progress.h"
#include "app/stop.h"
#include "evidence/second.h"
#include "io/checkpoint.h"
#include "io/result.h"

/* What a run has cost: sums over the ranks where nothing else is said, over all jobs of the run. */
struct dun_cost {
  int64_t evaluations, gradients, nans, bytes_sent, collectives;
  int64_t nans_aside;         /* of the nans, those that say nothing of any draw */
  int64_t memory;             /* largest resident set of a rank, bytes */
  double seconds[DUN_PHASES]; /* mean over the ranks */
  double wall;                /* seconds of rank 0 */
  double processor;           /* seconds */
};

/* A diagnosis in a form that a checkpoint can hold. */
struct dun_stored_diagnosis {
  _Alignas(8) struct dun_diagnosis diagnosis;
};

/* What this process had used up when this job began its run: a sweep makes many in one process. */
struct dun_beginning {
  double clock, processor, seconds[DUN_PHASES];
  int64_t bytes_sent, collectives;
};

struct dun_driver {
  /* given */
  struct dun_assembly *assembly;

  /* state: the same on all ranks */
  int64_t started;                        /* the present replicate was begun */
  int64_t finishing;                      /* 0: the method works; else the finish of that number */
  int64_t seconding;                      /* the second estimate is made, between the two */
  int64_t rows;                           /* of `steps`, in this replicate */
  int64_t counted, for_method, for_draws; /* evaluations of all ranks and jobs up to the last tick,
                                           * and those of them that the method made, for draws of
                                           * chains */
  struct dun_cost before;                 /* of earlier jobs of this run */
  int64_t blas;                           /* hash of the BLAS kernel family's name */
  int64_t other_bits;                 /* as the assembly has it, from this job or an earlier one */
  int64_t lost;                       /* numbers of draws that were damaged in the file */
  struct dun_table steps;             /* /trace/steps */
  struct dun_table replicates;        /* /trace/replicates */
  struct dun_second second;           /* /trace/evidence */
  struct dun_stored_diagnosis stored; /* worst verdicts of the finished replicates */

  /* made */
  struct dun_stop stop;
  struct dun_progress progress;
  struct dun_result result;
  struct dun_cost cost;        /* `before` and this job's */
  struct dun_stateful *object; /* [objects], owned: what a checkpoint holds */
  int objects, objects_room;
  struct dun_beginning beginning;
  int64_t ticks;       /* in this job */
  int moving, drawing; /* the present tick is the method's; it is for draws of chains */
  int cut;      /* the budget ended the run; the replicate that it ended is left out if others
                     * were complete */
  int finished; /* the result file is complete */
};

/* Columns of the table `replicates`. */
enum dun_replicate_column {
  DUN_REPLICATE_NUMBER,
  DUN_REPLICATE_LOG_EVIDENCE,
  DUN_REPLICATE_ERROR,
  DUN_REPLICATE_ESS,
  DUN_REPLICATE_KISH,
  DUN_REPLICATE_ROOTS,
  DUN_REPLICATE_STEPS,
  DUN_REPLICATE_ACCEPTANCE,
  DUN_REPLICATE_HASH_HIGH, /* upper and lower 32 bits: both exact in a double */
  DUN_REPLICATE_HASH_LOW,
  DUN_REPLICATE_COLUMNS
};

/* What dun_driver_run answers. */
enum { DUN_RUN_DONE, DUN_RUN_STOPPED };

/* Collective.  Runs an assembled and allocated run to its end, or to an early stop with a
 * checkpoint. */
int dun_driver_run(struct dun_context *context, struct dun_driver *driver,
                   struct dun_assembly *assembly, double began,
                   const struct dun_beginning *beginning);
void dun_driver_free(struct dun_driver *driver);

#endif
