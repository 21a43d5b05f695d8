/* A process: how a point is observed, from where nothing is known of it, the noise's end, to where
 * all is, the data's end.  Times are the process's own and run upwards or downwards. */
#ifndef DUNLIN_PROCESSES_PROCESS_H
#define DUNLIN_PROCESSES_PROCESS_H

#include "base/type.h"
#include "processes/channel.h"

struct dun_process {
  struct dun_type type;

  /* After the options are set.  Local; DUN_ERROR_INPUT. */
  int (*init)(void *self);

  /* Numbers of state for each coordinate: r of its channels. */
  int width;

  /* The times of both ends. */
  void (*ends)(const void *self, double *noise, double *data);

  /* What is given of the channel at a time between them, the ends included. */
  void (*channel)(const void *self, double t, struct dun_channel *channel);

  /* The law from which states are drawn at the noise's end, the same for every coordinate: mean[2]
   * and lower Cholesky factor. */
  void (*prior)(const void *self, double mean[2], double root[2][2]);
};

/* The whole channel at a time.  DUN_ERROR_NUMERIC as dun_channel_set. */
int dun_process_channel(const struct dun_process *process, const void *self, double t,
                        struct dun_channel *channel);

/* The time, between the ends, at which the signal to noise ratio lambda > 0 is as given; the
 * nearer end where it never is. */
double dun_process_time(const struct dun_process *process, const void *self, double lambda);

#endif
