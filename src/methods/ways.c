#include "methods/ways.h"
#include "base/scalar.h"
#include "parallel/sum.h"
#include <math.h>

/* By the weights of so few effective ways nothing is told of log Z. */
static const double FEW = 50;
/* So many nats leave a law as good as right. */
static const double NEAR = .1;

int dun_ways_sum(struct dun_context *context, struct dun_ways *ways, const struct dun_run *run,
                 const struct dun_column *log_weight)
{
  const double *w = dun_f64(log_weight);
  struct dun_exact sum[3] = {{{0}, 0, {0}}};
  double most = -INFINITY;
  int64_t n = run->population.tiles.local, count = 0;

  for (int64_t i = 0; i < n; i++) {
    count += isfinite(w[i]) != 0;
    most = isfinite(w[i]) && w[i] > most ? w[i] : most;
  }
  int status = dun_max(context, 0, 1, &most);
  for (int64_t i = 0; i < n && status >= 0; i++) {
    double part = isfinite(w[i]) ? dun_scalar_exp(w[i] - most) : 0;
    dun_exact_add(&sum[0], isfinite(w[i]) ? w[i] : 0);
    dun_exact_add(&sum[1], part);
    dun_exact_add(&sum[2], part * part);
  }
  status = dun_sum(context, status, 3, sum, &ways->sum[1]);
  if (status >= 0)
    status = dun_sum_integers(context, 0, 1, &count);
  ways->sum[0] = most;
  ways->particles = count > 0 ? count : -1;
  return status;
}

static double known_evidence(const struct dun_run *run)
{
  const struct dun_target *target = run->target;
  return target->log_evidence ? target->log_evidence(run->evaluator->self) : NAN;
}

/* log Z by the weights. */
static double log_mean(const struct dun_ways *ways, const struct dun_run *run)
{
  return ways->sum[0] + dun_scalar_log(ways->sum[2] / (double)run->options.particles);
}

double dun_ways_nats(const struct dun_ways *ways, const struct dun_run *run)
{
  double known = known_evidence(run);
  if (ways->particles != run->options.particles)
    return NAN;
  return (isfinite(known) ? known : log_mean(ways, run)) - ways->sum[1] / (double)ways->particles;
}

void dun_ways_diagnose(const struct dun_ways *ways, const struct dun_run *run, int drawn,
                       struct dun_diagnosis *out)
{
  double N = (double)run->options.particles, nats = dun_ways_nats(ways, run);
  double mean = ways->sum[2] / N, effective = mean * mean / (ways->sum[3] / N);
  const char *bound = isfinite(known_evidence(run)) ? "" : "more than ";

  if (isnan(nats)) {
    dun_diagnose(out, "path", DUN_BAD, "%.0f of the ways have no density",
                 N - (double)(ways->particles < 0 ? 0 : ways->particles));
    return;
  }
  if (effective * N < FEW) {
    dun_diagnose(out, "path", DUN_DOUBTFUL,
                 "the law of the ways is %s%.4g nats from the noising run backwards, too far to be "
                 "weighed by it",
                 bound, nats);
    return;
  }
  dun_diagnose(out, "path", dun_verdict_above(nats, NEAR, INFINITY),
               "the law of the ways is %s%.3g nats from the noising run backwards (log Z by their "
               "weights is %.5g +- %.2g, %.3g%% of them effective): %s are at most so far from the "
               "target's, %.2g in total variation",
               bound, fmax(nats, 0), log_mean(ways, run), sqrt((1 / effective - 1) / N),
               100 * effective, drawn ? "the points" : "the last, noisy states",
               fmin(sqrt(fmax(nats, 0) / 2), 1));
}
