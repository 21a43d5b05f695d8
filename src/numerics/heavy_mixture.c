#include "numerics/heavy_mixture.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include <math.h>

enum { L = DUN_LANES };

int64_t dun_heavy_stride(const struct dun_heavy_shape *shape)
{
  int64_t d = shape->d;
  return 1 + d + (shape->dense ? d * d : d);
}

/* log of Gamma((nu + d) / 2) / Gamma(nu / 2) (2 / nu)^(d / 2), with nu = 2 a: from Gamma(x + 1) = x
 * Gamma(x), for odd d also from Gamma(3/2) / Gamma(1) = sqrt(pi) / 2. */
static double log_constant(int d, int freedom)
{
  int a = freedom / 2;
  double value = 0, x = a;
  if (d % 2) {
    value = dun_scalar_log(.88622692545275801365); /* sqrt(pi) / 2 */
    for (int i = 1; i < a; i++)
      value += dun_scalar_log((i + .5) / i);
    x += .5;
  }
  for (int i = 0; i < d / 2; i++)
    value += dun_scalar_log(x + i);
  return value + .5 * d * dun_scalar_log(2. / freedom);
}

static int make_gaussian(struct dun_gaussian *gaussian, const struct dun_heavy_shape *shape,
                         const double *mean)
{
  int d = shape->d;
  const double *matrix = mean + d;
  if (shape->dense)
    return dun_gaussian_dense(gaussian, d, mean, matrix);
  double *deviation = dun_allocate(d, sizeof *deviation);
  if (!deviation)
    return DUN_ERROR_MEMORY;
  for (int j = 0; j < d; j++)
    deviation[j] = sqrt(matrix[j]);
  int status = dun_gaussian_diagonal(gaussian, d, mean, deviation);
  dun_free(deviation);
  return status;
}

int dun_heavy_init(struct dun_heavy_mixture *mixture, const struct dun_heavy_shape *shape,
                   const double *parameter)
{
  int K = shape->components, status = 0;
  *mixture = (struct dun_heavy_mixture){.shape = *shape};
  mixture->gaussian = dun_allocate(K, sizeof *mixture->gaussian);
  mixture->share = dun_allocate(2 * K, sizeof *mixture->share);
  mixture->term = dun_allocate(2 * (int64_t)K * L, sizeof *mixture->term);
  mixture->work = dun_allocate((int64_t)(shape->d + 4) * L, sizeof *mixture->work);
  if (!mixture->gaussian || !mixture->share || !mixture->term || !mixture->work)
    return DUN_ERROR_MEMORY;
  mixture->log_share = mixture->share + K;
  mixture->square = mixture->term + (int64_t)K * L;
  mixture->log_constant = log_constant(shape->d, shape->freedom);
  for (int k = 0; k < K && status >= 0; k++, parameter += dun_heavy_stride(shape)) {
    mixture->share[k] = parameter[0];
    mixture->log_share[k] = dun_scalar_log(parameter[0]);
    status = make_gaussian(&mixture->gaussian[k], shape, parameter + 1);
  }
  return status;
}

void dun_heavy_free(struct dun_heavy_mixture *mixture)
{
  for (int k = 0; mixture->gaussian && k < mixture->shape.components; k++)
    dun_gaussian_free(&mixture->gaussian[k]);
  DUN_FREE(mixture->gaussian);
  DUN_FREE(mixture->share);
  DUN_FREE(mixture->term);
  DUN_FREE(mixture->work);
}

/* ---- densities ------------------------------------------------------------------------------- */

/* From the Gaussian's log density, which tells the distance. */
DUN_CLONES static void student(double log_peak, double add, double freedom, double power,
                               double *restrict term, double *restrict square)
{
  for (int l = 0; l < L; l++) {
    double q = 2 * (log_peak - term[l]);
    q = q > 0 ? q : 0;
    square[l] = q;
    term[l] = add - power * dun_log1p(q / freedom);
  }
}

DUN_CLONES static void log_sum(int K, const double *restrict term, double *restrict out)
{
  double top[L], sum[L];
  for (int l = 0; l < L; l++) {
    top[l] = term[l];
    sum[l] = 0;
  }
  for (int k = 1; k < K; k++)
    for (int l = 0; l < L; l++)
      top[l] = term[k * L + l] > top[l] ? term[k * L + l] : top[l];
  for (int k = 0; k < K; k++)
    for (int l = 0; l < L; l++)
      sum[l] += dun_exp_weight(term[k * L + l] - top[l]);
  for (int l = 0; l < L; l++)
    out[l] = top[l] + dun_log(sum[l]);
}

void dun_heavy_evaluate(struct dun_heavy_mixture *mixture, const double *x, double *log_density)
{
  double freedom = mixture->shape.freedom, power = .5 * (freedom + mixture->shape.d);
  for (int k = 0; k < mixture->shape.components; k++) {
    const struct dun_gaussian *gaussian = &mixture->gaussian[k];
    double *term = mixture->term + (int64_t)k * L;
    dun_gaussian_evaluate(gaussian, x, term, NULL, NULL, mixture->work);
    student(gaussian->log_peak, gaussian->log_peak + mixture->log_constant + mixture->log_share[k],
            freedom, power, term, mixture->square + (int64_t)k * L);
  }
  log_sum(mixture->shape.components, mixture->term, log_density);
}

/* ---- draws ----------------------------------------------------------------------------------- */

int dun_heavy_uniforms(const struct dun_heavy_mixture *mixture)
{
  return 1 + mixture->shape.freedom / 2;
}

/* sqrt(freedom / chi-square): of an even number of degrees -2 log of a product of uniforms. */
DUN_CLONES static void spread(int freedom, const double *restrict uniform, double *restrict factor)
{
  for (int l = 0; l < L; l++) {
    double product = 1;
    for (int i = 0; i < freedom / 2; i++)
      product *= uniform[i * L + l];
    double square = -2 * dun_log(product);
    factor[l] = sqrt(freedom / (square > 1e-12 ? square : 1e-12));
  }
}

static int component(const struct dun_heavy_mixture *mixture, double uniform)
{
  double sum = 0;
  int k = 0;
  while (k < mixture->shape.components - 1 && uniform > (sum += mixture->share[k]))
    k++;
  return k;
}

void dun_heavy_draw(const struct dun_heavy_mixture *mixture, const double *uniform,
                    const double *normal, double *one, double *x)
{
  int own[L], d = mixture->shape.d;
  double factor[L];
  spread(mixture->shape.freedom, uniform + L, factor);
  for (int l = 0; l < L; l++)
    own[l] = component(mixture, uniform[l]);
  for (int k = 0; k < mixture->shape.components; k++) {
    const struct dun_gaussian *gaussian = &mixture->gaussian[k];
    int drawn = 0;
    for (int l = 0; l < L; l++) {
      if (own[l] != k)
        continue;
      if (!drawn++)
        dun_gaussian_draw(gaussian, normal, one);
      for (int j = 0; j < d; j++)
        x[j * L + l] = gaussian->mean[j] + factor[l] * (one[j * L + l] - gaussian->mean[j]);
    }
  }
}
