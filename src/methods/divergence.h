/* How far the ways of the target's points are from those of random carries, in nats.
 *
 * A way x_0 ... x_K is drawn from q: first points, and carries from each to the next.  Under p the
 * last is a point of the target, and each before it comes from the next by the carry's way back.
 * The weight of a way, w = Z p / q, is what all carries multiply up to, and
 *
 *   E_p log w - log Z
 *
 * is the Kullback-Leibler divergence of p from q, whatever the path's densities in between.
 * Weighted particles and their ancestors are ways of p, selected or not, as long as nothing moves
 * between carries.  Without selection some e^(nats) particles are what weights need (Chatterjee &
 * Diaconis 2018, Ann. Appl. Probab. 28, 1099).
 *
 * For steps of Gaussian noise by means m_k, such as those of path localized, it is (Girsanov)
 *
 *   1/2 sum_k int E_p |m(y_t; t) - m_k|^2 dt
 *     = 1/2 sum_k int [mmse(t_k) - mmse(t)] dt + 1/2 sum_k dt_k E_p |m(y_k; t_k) - m_k|^2:
 *
 * the length of the steps, and the errors of the means. */
#ifndef DUNLIN_METHODS_DIVERGENCE_H
#define DUNLIN_METHODS_DIVERGENCE_H

#include "methods/run.h"
#include "population/weights.h"

enum { DUN_DIVERGENCE_TOLD = 5 };

struct dun_divergence {
  /* state */
  int64_t known;
  double told[DUN_DIVERGENCE_TOLD]; /* nats, their error, the deviation of log w; what the length of
                                     * steps makes, and its error; NAN: not known */
  struct dun_table table;           /* the same, a row for each replicate; owned */

  /* made by init */
  struct dun_column *way; /* log w; NULL: it is not wanted */
  int parted;             /* 1: notes tell what is whose; -1: all is the length; 0: nobody knows */
  int note;               /* number of the first of them in: */
  struct dun_column *memory;
};

#define DUN_DIVERGENCE_STATE(type_, member_)                                                       \
  DUN_STATE_UP_TO(1, "divergence known", offsetof(type_, member_.known)),                          \
      DUN_STATE_ROW("divergence", DUN_STATE_NUMBER, offsetof(type_, member_.told),                 \
                    DUN_DIVERGENCE_TOLD),                                                          \
      DUN_STATE_ROW("divergences", DUN_STATE_NUMBERS, offsetof(type_, member_.table.cells), 1)

/* Declares log w where carries are random and, if `still`, nothing moves between them, and the
 * memory of carries with the notes that are wanted.  DUN_ERROR_MEMORY. */
int dun_divergence_declare(struct dun_divergence *divergence, struct dun_run *run, int still);
void dun_divergence_free(struct dun_divergence *divergence);
/* NULL: nothing is told. */
struct dun_table *dun_divergence_table(struct dun_divergence *divergence);

/* For a new replicate. */
void dun_divergence_start(struct dun_divergence *divergence, const struct dun_run *run);

/* Log weights before a carry, to be freed by dun_divergence_add; NULL: they are not wanted.
 * DUN_ERROR_MEMORY. */
int dun_divergence_before(const struct dun_divergence *divergence, const struct dun_run *run,
                          double **before);
/* Behind the carry, or where it failed: of `status`.  Local. */
int dun_divergence_add(const struct dun_divergence *divergence, const struct dun_run *run,
                       int status, double *before);
/* Collective, behind the last carry: with the weights of run->logw and log Z. */
int dun_divergence_find(struct dun_context *context, struct dun_divergence *divergence,
                        const struct dun_run *run, const struct dun_weights *weights);

/* Two sentences of it, which are no judgement. */
void dun_divergence_diagnose(const struct dun_divergence *divergence, const struct dun_run *run,
                             struct dun_diagnosis *out);

#endif
