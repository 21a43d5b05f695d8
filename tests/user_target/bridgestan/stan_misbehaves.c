/* parameters { real x; } model { x ~ std_normal(); } generated quantities { real twice = 2 * x; }
 *
 * with a fault that its data choose: {"fault": [N]}. */
#include "stan.h"

enum {
  NONE,
  NO_REASON,     /* construct fails without a word */
  NO_DIMENSION,  /* no unconstrained parameter */
  NO_NAMES,      /* names are NULL */
  FEW_NAMES,     /* fewer than quantities */
  NAN_DENSITY,   /* everywhere */
  NAN_GRADIENT,  /* where the density is a number */
  THROWS,        /* from 0 on, with words over two lines */
  THROWS_OUTPUT, /* constrain, from 0 on */
  LONG_GRADIENT, /* one number too many */
  LONG_OUTPUT,   /* the same of constrain */
  TWO_DENSITIES, /* another one with the gradient */
  PRINTS,        /* at each evaluation */
  LATE_GRADIENT, /* one number too many behind the first thousands of calls */
};

struct bs_model {
  int fault;
};

static void (*told)(const char *text, size_t size);

int bs_set_print_callback(void (*callback)(const char *text, size_t size), char **error_msg);
int bs_set_print_callback(void (*callback)(const char *text, size_t size), char **error_msg)
{
  (void)error_msg;
  told = callback;
  return 0;
}

bs_model *bs_model_construct(const char *data, unsigned int seed, char **error_msg)
{
  double fault = 0;
  bs_model *m = calloc(1, sizeof *m);
  (void)seed;
  (void)error_msg;
  read_list(data, "fault", 1, &fault);
  if (!m || fault == NO_REASON) {
    free(m);
    return NULL;
  }
  m->fault = (int)fault;
  return m;
}

void bs_model_destruct(bs_model *m)
{
  free(m);
}

const char *bs_name(const bs_model *m)
{
  (void)m;
  return "misbehaves_model";
}

const char *bs_param_names(const bs_model *m, bool include_tp, bool include_gq)
{
  (void)include_tp;
  return m->fault == NO_NAMES ? NULL : include_gq && m->fault != FEW_NAMES ? "x,twice" : "x";
}

int bs_param_num(const bs_model *m, bool include_tp, bool include_gq)
{
  (void)m;
  (void)include_tp;
  return 1 + include_gq;
}

int bs_param_unc_num(const bs_model *m)
{
  return m->fault != NO_DIMENSION;
}

int bs_log_density(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                   double *lp, char **error_msg)
{
  (void)propto;
  (void)jacobian;
  if (m->fault == THROWS && theta_unc[0] > 0)
    return refuse(error_msg, "Exception: the point\nis on the wrong side");
  const char *words = "a print\033[2J\n"; /* which clears a terminal */
  if (m->fault == PRINTS && told)
    told(words, strlen(words));
  else if (m->fault == PRINTS)
    fputs(words, stdout);
  *lp = m->fault == NAN_DENSITY ? NAN : -.5 * theta_unc[0] * theta_unc[0] - .91893853320467274178;
  return 0;
}

int bs_log_density_gradient(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                            double *val, double *grad, char **error_msg)
{
  grad[0] = m->fault == NAN_GRADIENT ? NAN : -theta_unc[0];
  static int calls;
  if (m->fault == LONG_GRADIENT || (m->fault == LATE_GRADIENT && calls++ > 2000))
    grad[1] = 0;
  int status = bs_log_density(m, propto, jacobian, theta_unc, val, error_msg);
  *val += m->fault == TWO_DENSITIES;
  return status;
}

int bs_param_constrain(const bs_model *m, bool include_tp, bool include_gq, const double *theta_unc,
                       double *theta, bs_rng *rng, char **error_msg)
{
  (void)include_tp;
  (void)rng;
  if (m->fault == THROWS_OUTPUT && theta_unc[0] > 0)
    return refuse(error_msg, "Exception: twice is not\nto be\342\200\256 had"); /* turned around */
  theta[0] = theta_unc[0];
  if (include_gq)
    theta[1] = 2 * theta_unc[0];
  if (m->fault == LONG_OUTPUT)
    theta[2] = 0;
  return 0;
}
