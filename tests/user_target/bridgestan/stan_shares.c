/* data { array[3] int n; }
 * parameters { simplex[3] theta; }
 * model { theta ~ dirichlet([2, 3, 4]'); target += multinomial_lpmf(n | theta) without its
 * coefficient; }
 *
 * Its evidence is known: the ratio of two Dirichlet laws' constants. */
#include "stan.h"

struct bs_model {
  double n[3];
};

static const double prior[3] = {2, 3, 4};

bs_model *bs_model_construct(const char *data, unsigned int seed, char **error_msg)
{
  bs_model *m = calloc(1, sizeof *m);
  (void)seed;
  if (m && read_list(data, "n", 3, m->n) == 3)
    return m;
  refuse(error_msg, "mismatch in number dimensions declared and found in context; variable name=n");
  free(m);
  return NULL;
}

void bs_model_destruct(bs_model *m)
{
  free(m);
}

const char *bs_name(const bs_model *m)
{
  (void)m;
  return "shares_model";
}

const char *bs_param_names(const bs_model *m, bool include_tp, bool include_gq)
{
  (void)m;
  (void)include_tp;
  (void)include_gq;
  return "theta.1,theta.2,theta.3";
}

int bs_param_num(const bs_model *m, bool include_tp, bool include_gq)
{
  (void)m;
  (void)include_tp;
  (void)include_gq;
  return 3;
}

int bs_param_unc_num(const bs_model *m)
{
  (void)m;
  return 2;
}

/* Sticks are broken: z_k = logistic(x_k - log(3 - k)) of what is left. */
static void shares(const double *x, double z[2], double theta[3])
{
  double left = 1;
  for (int k = 0; k < 2; k++) {
    z[k] = 1 / (1 + exp(-(x[k] - log(2 - k))));
    theta[k] = left * z[k];
    left -= theta[k];
  }
  theta[2] = left;
}

/* log theta_1 = log z_1, log theta_2 = log(1 - z_1) + log z_2, log theta_3 = both of 1 - z; the
 * Jacobian is z_1 (1 - z_1)^2 z_2 (1 - z_2). */
int bs_log_density_gradient(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                            double *val, double *grad, char **error_msg)
{
  double z[2], theta[3], power[3], ones = jacobian;
  (void)error_msg;
  shares(theta_unc, z, theta);
  for (int k = 0; k < 3; k++)
    power[k] = prior[k] - 1 + m->n[k];
  *val = propto ? 0 : lgamma(9) - lgamma(2) - lgamma(3) - lgamma(4);
  *val += (power[0] + ones) * log(z[0]) + (power[1] + power[2] + 2 * ones) * log(1 - z[0]);
  *val += (power[1] + ones) * log(z[1]) + (power[2] + ones) * log(1 - z[1]);
  grad[0] = (power[0] + ones) * (1 - z[0]) - (power[1] + power[2] + 2 * ones) * z[0];
  grad[1] = (power[1] + ones) * (1 - z[1]) - (power[2] + ones) * z[1];
  return 0;
}

int bs_log_density(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                   double *lp, char **error_msg)
{
  double gradient[2];
  return bs_log_density_gradient(m, propto, jacobian, theta_unc, lp, gradient, error_msg);
}

int bs_param_constrain(const bs_model *m, bool include_tp, bool include_gq, const double *theta_unc,
                       double *theta, bs_rng *rng, char **error_msg)
{
  double z[2];
  (void)m;
  (void)include_tp;
  (void)include_gq;
  (void)rng;
  (void)error_msg;
  shares(theta_unc, z, theta);
  return 0;
}
