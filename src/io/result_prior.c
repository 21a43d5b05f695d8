/* Draws of the prior, beside those of the posterior. */
#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "io/result_file.h"
#include <string.h>

/* The numbers of one variable of all draws. */
static int write_variable(hid_t group, const struct dun_result *prior,
                          const struct dun_result_variable *v, int at, const double *theta,
                          double *buffer)
{
  for (int64_t i = 0; i < prior->draws; i++)
    memcpy(buffer + i * v->width, theta + i * prior->outputs + at,
           (size_t)v->width * sizeof *buffer);
  hid_t dataset = H5Dopen2(group, v->name, H5P_DEFAULT);
  int status = dataset < 0 ? -1 : 0;
  if (status == 0 &&
      H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) < 0)
    status = -1;
  if (dataset >= 0)
    H5Dclose(dataset);
  return status;
}

static int write_variables(hid_t handle, const struct dun_result *prior, const double *theta)
{
  hid_t group = H5Gopen2(handle, "prior", H5P_DEFAULT);
  double *buffer = dun_allocate(prior->draws * prior->outputs, sizeof *buffer);
  int status = group < 0 || !buffer ? -1 : 0, at = 0;
  for (int i = 0; i < prior->variables && status == 0; i++)
    if (prior->variable[i].group == DUN_POSTERIOR) {
      status = write_variable(group, prior, &prior->variable[i], at, theta, buffer);
      at += (int)prior->variable[i].width;
    }
  if (group >= 0)
    H5Gclose(group);
  dun_free(buffer);
  return status;
}

int64_t dun_result_prior_bytes(const struct dun_result *result)
{
  int64_t bytes = 0;
  for (int i = 0; i < result->variables && result->prior; i++)
    bytes += 65536 + result->variable[i].width * (8 * result->prior_draws + 16);
  return bytes;
}

int dun_result_write_prior(int64_t handle, const struct dun_result *result)
{
  struct dun_result prior = *result;
  if (!result->prior)
    return 0;
  dun_hdf_remove(handle, "prior");
  prior.chains = 1;
  prior.draws = result->prior_draws;
  prior.variable = dun_allocate(result->variables, sizeof *prior.variable);
  int status = prior.variable ? 0 : -1;
  if (status == 0) {
    memcpy(prior.variable, result->variable, (size_t)result->variables * sizeof *prior.variable);
    status = dun_result_make_group(handle, "prior", DUN_POSTERIOR, &prior);
  }
  if (status == 0)
    status = write_variables(handle, &prior, result->prior);
  dun_free(prior.variable);
  return status;
}
