#include "learning/batch_sum.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/tiles.h"
#include <string.h>

enum { PIECE = 1 << 25 }; /* numbers in a message: 256 MiB */

/* Dealt as tiles are: see dun_tiles_of. */
static int first_of(int groups, int rank, int size)
{
  return (int)dun_tiles_first(groups, 1, rank, size);
}

static int owner_of(int groups, int group, int size)
{
  int share = groups / size, more = groups % size, longer = more * (share + 1);
  return group < longer ? group / (share + 1) : more + (group - longer) / share;
}

int dun_batch_sum_init(const struct dun_context *context, struct dun_batch_sum *s, int groups,
                       int64_t numbers)
{
  dun_batch_sum_free(s);
  s->groups = groups;
  s->numbers = numbers;
  s->first = first_of(groups, context->rank, context->size);
  s->own = first_of(groups, context->rank + 1, context->size) - s->first;
  s->sum = dun_allocate((int64_t)s->own * numbers, sizeof *s->sum);
  return s->sum ? 0 : DUN_ERROR_MEMORY;
}

void dun_batch_sum_free(struct dun_batch_sum *s)
{
  DUN_FREE(s->sum);
}

void dun_batch_sum_clear(struct dun_batch_sum *s)
{
  memset(s->sum, 0, (size_t)s->own * (size_t)s->numbers * sizeof *s->sum);
}

static void add(int64_t count, const double *restrict from, double *restrict to)
{
  for (int64_t i = 0; i < count; i++)
    to[i] += from[i];
}

/* Group `from` to group `to` of another rank; total[numbers] is scratch. */
static void carry(struct dun_context *context, struct dun_batch_sum *s, int to, int from,
                  double *scratch)
{
  int giver = owner_of(s->groups, from, context->size);
  int taker = owner_of(s->groups, to, context->size);
  for (int64_t done = 0; done < s->numbers; done += PIECE) {
    int count = (int)(s->numbers - done < PIECE ? s->numbers - done : PIECE);
    if (context->rank == giver) {
      MPI_Send(dun_batch_sum_of(s, from - s->first) + done, count, MPI_DOUBLE, taker, 0,
               context->comm);
      context->bytes_sent += (int64_t)count * (int64_t)sizeof(double);
    } else if (context->rank == taker) {
      MPI_Recv(scratch, count, MPI_DOUBLE, giver, 0, context->comm, MPI_STATUS_IGNORE);
      add(count, scratch, dun_batch_sum_of(s, to - s->first) + done);
    }
  }
}

/* All ranks go through the tree in one order, so that none waits for one that waits for it. */
int dun_batch_sum_total(struct dun_context *context, struct dun_batch_sum *s, double *total)
{
  for (int64_t apart = 1; apart < s->groups; apart *= 2)
    for (int64_t to = 0; to + apart < s->groups; to += 2 * apart) {
      int from = (int)(to + apart), mine = s->first <= to && from < s->first + s->own;
      if (mine)
        add(s->numbers, dun_batch_sum_of(s, from - s->first),
            dun_batch_sum_of(s, (int)to - s->first));
      else
        carry(context, s, (int)to, from, total);
    }
  int root = owner_of(s->groups, 0, context->size);
  if (context->rank == root)
    memcpy(total, s->sum, (size_t)s->numbers * sizeof *total);
  if (context->size == 1)
    return 0;
  return dun_broadcast(context, total, s->numbers * (int64_t)sizeof *total, root);
}
