/* How far points found by localization in steps of single coordinates are from the target's law.
 *
 * With p the law of observations of the target's points and q that of the steps, both of the whole
 * way y_0 ... y_K,
 *
 *   log w = log mass(y_K) - sum_k weigh(y_k, y_{k+1}, m_k)
 *
 * has E_q w = Z, and log Z - E_q log w is the divergence of q from p (methods/ways.h): of points
 * that are drawn given y_K it is a bound.  For steps of Gaussian noise it is (Girsanov)
 *
 *   1/2 sum_k int E_q |m(y_t; t) - m_k|^2 dt,
 *
 * with m the true means and m_k those of a step.  What the length of the steps does is told,
 * without any mass, by how far the field's own means move in them: the integrand grows from 0 about
 * evenly, which leaves 1/4 sum_k (t_{k+1} - t_k) E |m_{k+1} - m_k|^2.  The rest is the field's. */
#ifndef DUNLIN_METHODS_CERTIFICATE_H
#define DUNLIN_METHODS_CERTIFICATE_H

#include "methods/posterior.h"
#include "methods/ways.h"

/* What steps go by: others have no densities here, and nothing to tell. */
enum dun_certificate_of {
  DUN_CERTIFICATE_OTHERS,
  DUN_CERTIFICATE_MEANS,
  DUN_CERTIFICATE_COVARIANCES
};

struct dun_certificate {
  /* state */
  struct dun_ways ways; /* wanted: steps are weighed */
  double moved;         /* sum over particles and steps of dt |m' - m|^2 */

  /* made by init */
  enum dun_certificate_of of;
  int measured;                          /* steps are Gaussian, and means of theirs are compared */
  double log_evidence;                   /* of the whole target, by the field */
  struct dun_column *log_weight, *means; /* NULL: not wanted */
  double *block;                         /* of the tile's columns below; owned */
  double *before, *last;                 /* [width] y and [d] means of the step before */
  double *weight, *move, *ratio;         /* [1] log weight; what is added to `moved`; scratch */
};

/* Local; DUN_ERROR_MEMORY; dun_certificate_free is safe afterwards, and twice. */
int dun_certificate_init(struct dun_certificate *certificate, const struct dun_posterior *posterior,
                         struct dun_run *run, enum dun_certificate_of of);
void dun_certificate_free(struct dun_certificate *certificate);
void dun_certificate_start(struct dun_certificate *certificate);

/* A tile's columns; `move` is cleared. */
void dun_certificate_load(const struct dun_certificate *certificate, const struct dun_run *run,
                          int64_t tile);
void dun_certificate_store(const struct dun_certificate *certificate, const struct dun_run *run,
                           int64_t tile);

/* With the posterior's means at time[k] of its first n lanes: before step k, and at the end. */
void dun_certificate_look(const struct dun_certificate *certificate,
                          const struct dun_posterior *posterior, const double *time, int64_t k,
                          int n);
/* Behind a step of which ratio[64] is what observation's `weigh` says; and that of the step from t
 * to `next` by what is known. */
void dun_certificate_add(const struct dun_certificate *certificate, const double *ratio);
void dun_certificate_weigh(const struct dun_certificate *certificate,
                           const struct dun_posterior *posterior, double t, double next,
                           const struct dun_known *known);
/* At the end, with the mass that the observations leave. */
void dun_certificate_end(const struct dun_certificate *certificate, const double *mass);

/* Collective, after the last pass: sums the weights. */
int dun_certificate_sum(struct dun_context *context, struct dun_certificate *certificate,
                        const struct dun_run *run);

/* What there is to say of so many steps; `drawn`: the points were drawn given the last
 * observations; `sure`: the field makes no errors. */
void dun_certificate_diagnose(const struct dun_certificate *certificate,
                              const struct dun_posterior *posterior, const struct dun_run *run,
                              long long steps, int drawn, int sure, struct dun_diagnosis *out);

#endif
