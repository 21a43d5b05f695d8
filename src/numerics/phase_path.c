#include "numerics/phase_path.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "dunlin/target.h"

int dun_phase_path_has_density(const struct dun_phase_table *table)
{
  const struct dun_phase_operator *last = &table->operation[table->program.count - 1];

  return table->blocks == 1 && last->block >= 0 && last->noise[0][0] > 0 && last->noise[1][1] > 0;
}

void dun_phase_path_ratios(const struct dun_phase_table *table, const struct dun_phase_space *space,
                           struct dun_phase_ratio *ratio)
{
  int count = table->program.count;

  for (int64_t k = 0; k < table->steps; k++) {
    const struct dun_phase_operator *last = &table->operation[k * count + count - 1];
    struct dun_phase_flow flow;
    struct dun_phase_ratio *r = &ratio[k];
    dun_phase_space_flow(space, table->clock[k] - table->clock[k + 1], &flow);
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++) {
        r->mean[i][j] = flow.mean[i][j];
        r->precision[i][j] =
            (i == j ? flow.noise[1 - i][1 - i] : -flow.noise[0][1]) / flow.noise_determinant;
      }
    r->constant = dun_scalar_log(last->noise[0][0] * last->noise[1][1]) -
                  .5 * dun_scalar_log(flow.noise_determinant);
  }
}

DUN_CLONES static void begin(int64_t n, double inverse_mass, double constant,
                             const double *restrict x, const double *restrict m,
                             double *restrict log_weight)
{
  double square[DUN_LANES] = {0};

  for (int64_t i = 0; i < n; i += DUN_LANES)
    for (int l = 0; l < DUN_LANES; l++) {
      square[l] = DUN_FMA(x[i + l], x[i + l], square[l]);
      square[l] = DUN_FMA(inverse_mass * m[i + l], m[i + l], square[l]);
    }
  for (int l = 0; l < DUN_LANES; l++)
    log_weight[l] += constant + .5 * square[l];
}

void dun_phase_path_begin(const struct dun_phase_space *space, int d, const double *z,
                          double *log_weight)
{
  int64_t n = (int64_t)d * DUN_LANES;

  begin(n, space->inverse_mass, d * (DUN_LOG_2PI + .5 * dun_scalar_log(space->mass)), z, z + n,
        log_weight);
}

DUN_CLONES static void step(const struct dun_phase_ratio *r, int64_t n, const double *restrict x,
                            const double *restrict m, const double *restrict nx,
                            const double *restrict nm, const double *restrict xi,
                            double *restrict log_weight)
{
  double square[DUN_LANES] = {0}, xx = r->precision[0][0], xm = 2 * r->precision[0][1];
  double mm = r->precision[1][1], all = (double)(n / DUN_LANES) * r->constant;

  for (int64_t i = 0; i < n; i += DUN_LANES)
    for (int l = 0; l < DUN_LANES; l++) {
      double u = x[i + l] - DUN_FMA(r->mean[0][0], nx[i + l], r->mean[0][1] * nm[i + l]);
      double v = m[i + l] - DUN_FMA(r->mean[1][0], nx[i + l], r->mean[1][1] * nm[i + l]);
      square[l] = DUN_FMA(xi[i + l], xi[i + l], square[l]);
      square[l] = DUN_FMA(xi[n + i + l], xi[n + i + l], square[l]);
      square[l] = DUN_FMA(-xx * u, u, square[l]);
      square[l] = DUN_FMA(-xm * u, v, square[l]);
      square[l] = DUN_FMA(-mm * v, v, square[l]);
    }
  for (int l = 0; l < DUN_LANES; l++)
    log_weight[l] += DUN_FMA(.5, square[l], all);
}

void dun_phase_path_step(const struct dun_phase_ratio *ratio, int d, const double *z,
                         const double *next, const double *xi, double *log_weight)
{
  int64_t n = (int64_t)d * DUN_LANES;

  step(ratio, n, z, z + n, next, next + n, xi, log_weight);
}
