#include "app/arguments.h"
#include "base/text.h"
#include <stdlib.h>

static int variable(const char *name, int fallback)
{
  const char *text = getenv(name);
  long long value;
  return text && dun_text_integer(text, &value) == 0 && value >= 0 && value < 1 << 30 ? (int)value
                                                                                      : fallback;
}

int dun_launcher_size(void)
{
  int size = variable("OMPI_COMM_WORLD_SIZE", 0);
  if (!size)
    size = variable("PMI_SIZE", 0);
  /* The batch script of a Slurm job sees SLURM_NTASKS too, but is no step of it. */
  if (!size && getenv("SLURM_STEP_ID"))
    size = variable("SLURM_STEP_NUM_TASKS", variable("SLURM_NTASKS", 0));
  return size > 0 ? size : 1;
}

int dun_launcher_rank(void)
{
  int rank = variable("OMPI_COMM_WORLD_RANK", -1);
  if (rank < 0)
    rank = variable("PMIX_RANK", -1);
  if (rank < 0)
    rank = variable("PMI_RANK", -1);
  if (rank < 0 && getenv("SLURM_STEP_ID"))
    rank = variable("SLURM_PROCID", -1);
  return rank > 0 ? rank : 0;
}
