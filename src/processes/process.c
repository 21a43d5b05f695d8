#include "processes/process.h"

int dun_process_channel(const struct dun_process *process, const void *self, double t,
                        struct dun_channel *channel)
{
  *channel = (struct dun_channel){.r = process->width};
  process->channel(self, t, channel);
  return dun_channel_set(channel);
}

/* lambda grows from the noise to the data: bisection, until no number lies between. */
double dun_process_time(const struct dun_process *process, const void *self, double lambda)
{
  struct dun_channel channel;
  double below, above;
  process->ends(self, &below, &above);
  for (int k = 0; k < 2000; k++) {
    double middle = .5 * (below + above);
    if (middle == below || middle == above)
      break;
    int known = dun_process_channel(process, self, middle, &channel) >= 0;
    if (known && channel.lambda < lambda)
      below = middle;
    else
      above = middle;
  }
  return above;
}
