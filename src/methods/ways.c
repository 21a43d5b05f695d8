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

/* log Z by the weights. */
static double log_mean(const struct dun_ways *ways, const struct dun_run *run)
{
  return ways->sum[0] + dun_scalar_log(ways->sum[2] / (double)run->options.particles);
}

double dun_ways_nats(const struct dun_ways *ways, const struct dun_run *run, double log_evidence)
{
  if (ways->particles != run->options.particles)
    return NAN;
  return log_evidence - ways->sum[1] / (double)ways->particles;
}

/* Weights of all of the target's mass have its log Z; what no way reaches is missing in it. */
static void judge_mass(double deviations, struct dun_diagnosis *out)
{
  dun_diagnose(out, "mass of ways", dun_verdict_above(fabs(deviations), 4, 8),
               "log Z by the weights of the ways is %.2g errors from the target's%s", deviations,
               fabs(deviations) < 4 ? "" : ": they do not reach all of it");
}

void dun_ways_diagnose(const struct dun_ways *ways, const struct dun_run *run, double log_evidence,
                       int drawn, struct dun_diagnosis *out)
{
  double N = (double)run->options.particles, nats = dun_ways_nats(ways, run, log_evidence);
  double mean = ways->sum[2] / N, effective = mean * mean / (ways->sum[3] / N);
  double error = sqrt((1 / effective - 1) / N), found = log_mean(ways, run);
  enum dun_verdict_level level = dun_verdict_above(nats, NEAR, INFINITY);

  if (isnan(nats)) {
    dun_diagnose(out, "path", DUN_BAD, "%.0f of the ways have no density",
                 N - (double)(ways->particles < 0 ? 0 : ways->particles));
    return;
  }
  if (effective * N < FEW) {
    dun_diagnose(out, "path", DUN_DOUBTFUL,
                 "the law of the ways is %.4g nats from the noising run backwards, too far to be "
                 "weighed by it",
                 nats);
    return;
  }
  dun_diagnose(out, "path", drawn || level > DUN_DOUBTFUL ? level : DUN_DOUBTFUL,
               "the law of the ways is %.3g nats from the noising run backwards (log Z by their "
               "weights is %.5g +- %.2g, %.3g%% of them effective): %s are at most so far from the "
               "target's, %.2g in total variation%s",
               fmax(nats, 0), found, error, 100 * effective,
               drawn ? "the points" : "the last, noisy states", fmin(sqrt(fmax(nats, 0) / 2), 1),
               drawn ? "" : "; without the noise they are narrower: final: draw gives its law");
  judge_mass((found - log_evidence) / fmax(error, 1e-12), out);
}
