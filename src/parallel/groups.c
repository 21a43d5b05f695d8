#include "parallel/groups.h"
#include "base/error.h"
#include "base/memory.h"

enum { TAG = 17 };

int dun_groups_init(struct dun_context *context, struct dun_groups *groups, int count)
{
  *groups = (struct dun_groups){.all = MPI_COMM_NULL,
                                .own = MPI_COMM_NULL,
                                .rank = context->rank,
                                .size = context->size,
                                .count = count};
  groups->number = (int)((int64_t)context->rank * count / context->size);
  groups->sent = dun_allocate(context->size, sizeof *groups->sent);
  int status = dun_agree(context, groups->sent ? 0 : DUN_ERROR_MEMORY);
  if (status < 0)
    return status;
  MPI_Comm_dup(context->comm, &groups->all);
  MPI_Comm_split(context->comm, groups->number, context->rank, &groups->own);
  return 0;
}

void dun_groups_free(struct dun_groups *groups)
{
  if (groups->size > 0 && groups->all != MPI_COMM_NULL)
    MPI_Comm_free(&groups->all);
  if (groups->size > 0 && groups->own != MPI_COMM_NULL)
    MPI_Comm_free(&groups->own);
  DUN_FREE(groups->sent);
  groups->size = 0;
}

int dun_groups_context(struct dun_groups *groups, struct dun_context *own, enum dun_level level)
{
  int status = dun_context_init(own, groups->own, level);
  own->groups = groups;
  return status;
}

/* Messages without content: they are on their way when this returns. */
void dun_groups_tell(struct dun_groups *groups)
{
  if (groups->teller)
    return;
  groups->teller = 1;
  for (int i = 0; i < groups->size; i++) {
    groups->sent[i] = MPI_REQUEST_NULL;
    if (i != groups->rank)
      MPI_Isend(NULL, 0, MPI_BYTE, i, TAG, groups->all, &groups->sent[i]);
  }
}

int dun_groups_told(const struct dun_groups *groups)
{
  int there = 0;
  if (groups)
    MPI_Iprobe(MPI_ANY_SOURCE, TAG, groups->all, &there, MPI_STATUS_IGNORE);
  return there;
}

int dun_groups_end(struct dun_groups *groups)
{
  int tellers = 0;
  MPI_Allreduce(&groups->teller, &tellers, 1, MPI_INT, MPI_SUM, groups->all);
  for (int i = 0; i < tellers - groups->teller; i++)
    MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, TAG, groups->all, MPI_STATUS_IGNORE);
  if (groups->teller)
    MPI_Waitall(groups->size, groups->sent, MPI_STATUSES_IGNORE);
  return tellers > 0;
}
