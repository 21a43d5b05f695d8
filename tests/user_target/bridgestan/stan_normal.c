/* data { array[N] real y; }
 * parameters { real mu; real<lower=0> sigma; }
 * transformed parameters { real variance = square(sigma); }
 * model { mu ~ normal(0, 2); sigma ~ lognormal(0, 0.5); y ~ normal(mu, sigma); }
 * generated quantities { matrix[2, 3] place; real y_new = normal_rng(mu, sigma); } */
#include "stan.h"

struct bs_model {
  int count;
  double y[100];
};

static const double half_log_2pi = 0.91893853320467274178;

bs_model *bs_model_construct(const char *data, unsigned int seed, char **error_msg)
{
  bs_model *m = calloc(1, sizeof *m);
  (void)seed;
  if (m && (m->count = read_list(data, "y", 100, m->y)) > 0)
    return m;
  refuse(error_msg, "variable does not exist; processing stage=data initialization;\n"
                    "variable name=y; base type=double");
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
  return "normal_model";
}

const char *bs_param_names(const bs_model *m, bool include_tp, bool include_gq)
{
  (void)m;
  if (!include_gq)
    return include_tp ? "mu,sigma,variance" : "mu,sigma";
  return include_tp ? "mu,sigma,variance,place.1.1,place.2.1,place.1.2,place.2.2,place.1.3,"
                      "place.2.3,y_new"
                    : "mu,sigma,place.1.1,place.2.1,place.1.2,place.2.2,place.1.3,place.2.3,y_new";
}

int bs_param_num(const bs_model *m, bool include_tp, bool include_gq)
{
  (void)m;
  return 2 + include_tp + 7 * include_gq;
}

int bs_param_unc_num(const bs_model *m)
{
  (void)m;
  return 2;
}

int bs_log_density_gradient(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                            double *val, double *grad, char **error_msg)
{
  double mu = theta_unc[0], log_sigma = theta_unc[1], sigma = exp(log_sigma);
  double constants = propto ? 0 : half_log_2pi;
  if (!(sigma < 1e100))
    return refuse(error_msg, "lognormal_lpdf: Random variable is inf, but must be finite");
  *val = -mu * mu / 8 - (propto ? 0 : log(2)) - constants;
  *val += -2 * log_sigma * log_sigma - log_sigma - (propto ? 0 : log(.5)) - constants;
  *val += jacobian ? log_sigma : 0;
  grad[0] = -mu / 4;
  grad[1] = -4 * log_sigma - 1 + jacobian;
  for (int i = 0; i < m->count; i++) {
    double off = (m->y[i] - mu) / sigma;
    *val += -.5 * off * off - log_sigma - constants;
    grad[0] += off / sigma;
    grad[1] += off * off - 1;
  }
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
  (void)m;
  if (include_gq && !rng)
    return refuse(error_msg, "param_constrain called with include_gq=true but no rng");
  double *out = theta, sigma = exp(theta_unc[1]);
  *out++ = theta_unc[0];
  *out++ = sigma;
  if (include_tp)
    *out++ = sigma * sigma;
  for (int j = 1; j <= 3 && include_gq; j++)
    for (int i = 1; i <= 2; i++)
      *out++ = 10 * i + j;
  if (include_gq)
    *out = theta_unc[0] + sigma * sqrt(-2 * log(uniform(rng))) * cos(2 * acos(-1) * uniform(rng));
  return 0;
}
