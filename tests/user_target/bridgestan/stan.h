/* What libraries that BridgeStan makes of Stan models look like from outside, by hand: the
 * functions of its C interface, version 2, as far as Dunlin calls them. */
#ifndef DUNLIN_TESTS_STAN_H
#define DUNLIN_TESTS_STAN_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bs_model bs_model;
typedef struct bs_rng {
  unsigned long long state;
} bs_rng;

extern const int bs_major_version, bs_minor_version, bs_patch_version;
bs_model *bs_model_construct(const char *data, unsigned int seed, char **error_msg);
void bs_model_destruct(bs_model *m);
void bs_free_error_msg(char *error_msg);
const char *bs_name(const bs_model *m);
const char *bs_param_names(const bs_model *m, bool include_tp, bool include_gq);
int bs_param_num(const bs_model *m, bool include_tp, bool include_gq);
int bs_param_unc_num(const bs_model *m);
int bs_log_density(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                   double *lp, char **error_msg);
int bs_log_density_gradient(const bs_model *m, bool propto, bool jacobian, const double *theta_unc,
                            double *val, double *grad, char **error_msg);
int bs_param_constrain(const bs_model *m, bool include_tp, bool include_gq, const double *theta_unc,
                       double *theta, bs_rng *rng, char **error_msg);
bs_rng *bs_rng_construct(unsigned int seed, char **error_msg);
void bs_rng_destruct(bs_rng *rng);

/* What all models have alike. */
const int bs_major_version = 2, bs_minor_version = 7, bs_patch_version = 0;

void bs_free_error_msg(char *error_msg)
{
  free(error_msg);
}

bs_rng *bs_rng_construct(unsigned int seed, char **error_msg)
{
  bs_rng *rng = malloc(sizeof *rng);
  (void)error_msg;
  if (rng)
    rng->state = seed;
  return rng;
}

void bs_rng_destruct(bs_rng *rng)
{
  free(rng);
}

static inline double uniform(bs_rng *rng)
{
  unsigned long long z = rng->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return (double)((z ^ z >> 31) >> 11) * 0x1p-53 + 0x1p-54;
}

static inline int refuse(char **error_msg, const char *text)
{
  *error_msg = malloc(strlen(text) + 1);
  if (*error_msg)
    strcpy(*error_msg, text);
  return -1;
}

/* The numbers of a list in JSON, "y": [1, 2]; -1: it is not there. */
static inline int read_list(const char *json, const char *name, int capacity, double *out)
{
  char key[64];
  int count = 0;
  snprintf(key, sizeof key, "\"%s\"", name);
  const char *at = json ? strstr(json, key) : NULL;
  at = at ? strchr(at, '[') : NULL;
  if (!at)
    return -1;
  for (char *end = NULL; count < capacity; at = end) {
    at += strspn(at, "[, \n");
    out[count] = strtod(at, &end);
    if (end == at)
      break;
    count++;
  }
  return count;
}

#endif
