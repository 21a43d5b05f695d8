#include "parallel/context.h"
#include "base/error.h"
#include "base/memory.h"
#include <string.h>

enum {
  TEXT = 2048,       /* longest sentence that travels */
  PIECE = 256 << 20, /* bytes of one message: MPI counts are int */
  BUFFER = 4096,     /* numbers: reductions of a few dozen sums need no growth */
};

int dun_context_init(struct dun_context *context, MPI_Comm comm, enum dun_level level)
{
  *context = (struct dun_context){.comm = MPI_COMM_NULL};
  if (MPI_Comm_dup(comm, &context->comm) != MPI_SUCCESS)
    return dun_fail(DUN_ERROR_MEMORY, "MPI could not duplicate the communicator.");
  MPI_Comm_set_errhandler(context->comm, MPI_ERRORS_ARE_FATAL);
  MPI_Comm_rank(context->comm, &context->rank);
  MPI_Comm_size(context->comm, &context->size);
  dun_log_init(&context->log, context->rank, level);
  dun_timers_start(&context->timers, DUN_PHASE_SETUP);
  context->buffer = dun_allocate(BUFFER, sizeof(int64_t));
  context->capacity = BUFFER;
  int status = dun_agree(context, context->buffer ? 0 : DUN_ERROR_MEMORY);
  if (status < 0)
    dun_context_free(context);
  return status;
}

void dun_context_alone(struct dun_context *context, enum dun_level level)
{
  *context = (struct dun_context){.comm = MPI_COMM_NULL, .size = 1};
  dun_log_init(&context->log, 0, level);
}

void dun_context_free(struct dun_context *context)
{
  if (context->size > 0 && context->comm != MPI_COMM_NULL)
    MPI_Comm_free(&context->comm);
  DUN_FREE(context->buffer);
  context->capacity = 0;
  context->size = 0;
}

/* Everyone takes over the sentence of rank `root`. */
static int share_sentence(struct dun_context *context, int code, int root)
{
  char text[TEXT] = "";
  if (context->rank == root)
    memcpy(text, dun_error_text(), strnlen(dun_error_text(), TEXT - 1));
  dun_broadcast(context, text, TEXT, root);
  return dun_fail(code, "%s", text);
}

int dun_agree(struct dun_context *context, int status)
{
  if (context->comm == MPI_COMM_NULL)
    return status;
  /* Ordered by code, then by rank: the minimum names the code and whose sentence it is. */
  int64_t key = (int64_t)status * ((int64_t)1 << 32) + context->rank, least;
  MPI_Allreduce(&key, &least, 1, MPI_INT64_T, MPI_MIN, context->comm);
  context->collectives++;
  context->bytes_sent += (int64_t)sizeof key;
  int code = (int)(least >> 32), owner = (int)(least & 0xffffffff);
  return code < 0 ? share_sentence(context, code, owner) : code;
}

int dun_broadcast(struct dun_context *context, void *bytes, int64_t size, int root)
{
  for (int64_t done = 0; done < size && context->comm != MPI_COMM_NULL; done += PIECE) {
    int count = size - done < PIECE ? (int)(size - done) : PIECE;
    MPI_Bcast((char *)bytes + done, count, MPI_BYTE, root, context->comm);
    context->collectives++;
    context->bytes_sent += context->rank == root ? count : 0;
  }
  return 0;
}

int dun_broadcast_block(struct dun_context *context, int status, char **bytes, int64_t *size)
{
  int64_t length = context->rank == 0 && status >= 0 ? *size : 0;
  dun_broadcast(context, &length, sizeof length, 0);
  if (context->rank != 0) {
    *size = length;
    *bytes = dun_allocate(length + 1, 1);
    status = *bytes ? 0 : DUN_ERROR_MEMORY;
  }
  status = dun_agree(context, status);
  if (status >= 0)
    return dun_broadcast(context, *bytes, length, 0);
  if (context->rank != 0) {
    DUN_FREE(*bytes);
    *size = 0;
  }
  return status;
}
