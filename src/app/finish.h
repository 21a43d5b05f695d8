/* The end of a replicate, and of the run: last selection, draws, combined evidence, the result
 * file. */
#ifndef DUNLIN_APP_FINISH_H
#define DUNLIN_APP_FINISH_H

#include "app/driver.h"

/* Evidence over all replicates. */
struct dun_evidence {
  double log_evidence; /* log of the mean of the replicates' estimates of Z */
  double error;        /* from the reported errors: sqrt(sum (Z_r e_r)^2) / sum Z_r */
  double spread;       /* the same from the replicates' differences; NAN for one replicate */
  double excess;       /* mean squared deviation of log Z_r over the mean of e_r^2; NAN for one */
  double ess;          /* of the parameter that is known least, summed over the replicates */
  double kish;         /* of the weights alone */
};

/* The verdicts of the method, the second estimate or the finish that has just done its work. */
void dun_finish_diagnose(struct dun_driver *driver);

/* Takes verdicts of the present replicate over, the worse of each pair. */
void dun_finish_merge(struct dun_driver *driver, const struct dun_diagnosis *one);

/* Collective.  Hash and row of the finished replicate; then the last selection and its
 * draws.  The population is equally weighted afterwards. */
int dun_finish_replicate(struct dun_context *context, struct dun_driver *driver);

/* Of the replicates that are finished; there must be one. */
struct dun_evidence dun_finish_evidence(const struct dun_driver *driver);

/* The replicates' hashes in order; that of a single one is its own. */
uint64_t dun_finish_hash(const struct dun_driver *driver);

/* Collective.  Completes the result file and removes the checkpoints. */
int dun_finish_run(struct dun_context *context, struct dun_driver *driver);

#endif
