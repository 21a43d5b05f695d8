#include "methods/psld_path.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "parallel/sum.h"
#include <math.h>

enum { L = DUN_LANES };

int dun_psld_path_make(struct dun_psld_path *path, const struct dun_phase_table *table,
                       const struct dun_phase_space *space, const struct dun_march *march)
{
  const struct dun_field *field = march->field;
  unsigned gives = field->gives ? field->gives(march->field_self) : 0;

  dun_psld_path_free(path);
  path->wanted = (gives & DUN_TILTED_MASS) && !field->prepare && march->guidance.label < 0 &&
                 march->final == DUN_MARCH_DENOISE && dun_phase_path_has_density(table);
  if (!path->wanted)
    return 0;
  path->ratio = dun_allocate(table->steps, sizeof *path->ratio);
  if (!path->ratio)
    return DUN_ERROR_MEMORY;
  dun_phase_path_ratios(table, space, path->ratio);
  return 0;
}

void dun_psld_path_free(struct dun_psld_path *path)
{
  DUN_FREE(path->ratio);
}

/* h = tilt' z and log N(z; 0, noise), but for its constant. */
DUN_CLONES static void tilt(const struct dun_channel *c, int d, const double *restrict z_,
                            double *restrict h_, double *restrict log_density)
{
  const double *z = DUN_ALIGNED(z_);
  double *h = DUN_ALIGNED(h_), square[L] = {0}, twice = 2 * c->precision[0][1];
  const int64_t n = (int64_t)d * L;

  for (int64_t i = 0; i < n; i += L)
    for (int l = 0; l < L; l++) {
      double x = z[i + l], m = z[n + i + l];
      h[i + l] = DUN_FMA(c->tilt[0], x, c->tilt[1] * m);
      square[l] = DUN_FMA(c->precision[0][0] * x, x, square[l]);
      square[l] = DUN_FMA(twice * x, m, square[l]);
      square[l] = DUN_FMA(c->precision[1][1] * m, m, square[l]);
    }
  for (int l = 0; l < L; l++)
    log_density[l] = -.5 * square[l];
}

/* p(z) = N(z; 0, noise) integral pi(x) exp(<h, x> - lambda |x|^2 / 2). */
void dun_psld_path_end(const struct dun_psld_path *path, const struct dun_march *march,
                       struct dun_march_tile *tile)
{
  const struct dun_channel *c = &march->channel[march->grid.count];
  int64_t column = (int64_t)tile->d * L;
  double *h = tile->scratch, *mean = h + column, *lambda = tile->scratch + 4 * column;
  double *mass = lambda + L, *log_weight = tile->kept + 2 * column;
  double log_density[L] __attribute__((aligned(64)));
  double constant = -tile->d * (DUN_LOG_2PI + .5 * dun_scalar_log(c->determinant));

  (void)path;
  tilt(c, tile->d, tile->z, h, log_density);
  for (int l = 0; l < L; l++)
    lambda[l] = c->lambda;
  struct dun_field_call call = {.n = tile->n,
                                .h = h,
                                .lambda = lambda,
                                .address = tile->address,
                                .label = -1,
                                .mean = mean,
                                .log_mass = mass};
  march->field->value(march->field_self, &call);
  for (int l = 0; l < L; l++)
    log_weight[l] += constant + log_density[l] + mass[l];
}

/* Of this rank: the largest, and how many are finite. */
static double largest(const struct dun_run *run, const double *kept, int64_t width, int64_t *count)
{
  double most = -INFINITY;

  *count = 0;
  for (int64_t i = 0; i < run->population.tiles.local; i++) {
    double w = kept[(i + 1) * width - 1];
    *count += isfinite(w) != 0;
    most = isfinite(w) && w > most ? w : most;
  }
  return most;
}

int dun_psld_path_sum(struct dun_context *context, struct dun_psld_path *path,
                      const struct dun_march *march, const struct dun_run *run)
{
  const double *kept = dun_f64(march->kept);
  int64_t width = march->kept->width, count;
  struct dun_exact sum[3] = {{{0}, 0, {0}}};
  double most = largest(run, kept, width, &count);
  int status = dun_max(context, 0, 1, &most);

  for (int64_t i = 0; i < run->population.tiles.local && status >= 0; i++) {
    double w = kept[(i + 1) * width - 1], part = isfinite(w) ? dun_scalar_exp(w - most) : 0;
    dun_exact_add(&sum[0], isfinite(w) ? w : 0);
    dun_exact_add(&sum[1], part);
    dun_exact_add(&sum[2], part * part);
  }
  status = dun_sum(context, status, 3, sum, &path->sum[1]);
  if (status >= 0)
    status = dun_sum_integers(context, 0, 1, &count);
  path->sum[0] = most;
  path->particles = count > 0 ? count : -1;
  return status;
}

/* By the weights of so many effective ways nothing is told of log Z. */
static const double FEW = 50;

void dun_psld_path_diagnose(const struct dun_psld_path *path, const struct dun_run *run,
                            struct dun_diagnosis *out)
{
  double N = (double)run->options.particles, mean = path->sum[2] / N, square = path->sum[3] / N;
  double known = run->target->log_evidence ? run->target->log_evidence(run->evaluator->self) : NAN;
  double log_mean = path->sum[0] + dun_scalar_log(mean);
  double effective = mean * mean / square;
  double nats = (isfinite(known) ? known : log_mean) - path->sum[1] / (double)path->particles;
  int few = effective * N < FEW;

  if (path->particles < (int64_t)N) {
    dun_diagnose(out, "path", DUN_BAD, "%lld of the ways have no density",
                 (long long)(N - (double)(path->particles < 0 ? 0 : path->particles)));
    return;
  }
  if (few) {
    dun_diagnose(out, "path", DUN_GOOD,
                 "the law of the ways is %s%.4g nats from the noising run backwards, too far to be "
                 "weighed by it",
                 isfinite(known) ? "" : "more than ", nats);
    return;
  }
  dun_diagnose(out, "path", DUN_GOOD,
               "the law of the ways is %.4g nats from the noising run backwards, and that of their "
               "ends not further; log Z by their weights is %.5g +- %.2g, %.3g%% of them effective",
               nats, log_mean, sqrt((1 / effective - 1) / N), 100 * effective);
}
