#include "parallel/host.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/available.h"
#include "parallel/groups.h"
#include "parallel/sum.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

enum {
  PIECE = 8 << 20,  /* numbers of a message */
  MARGIN = 4 << 20, /* bytes of shared memory that MPI takes for itself */
};

/* ---- ranks ------------------------------------------------------------------------------- */

int dun_host_init(struct dun_context *context, struct dun_host *node, int most)
{
  *node = (struct dun_host){.comm = MPI_COMM_NULL, .leaders = MPI_COMM_NULL, .ready = 1};
  MPI_Comm_split_type(context->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node->comm);
  MPI_Comm_rank(node->comm, &node->rank);
  if (most > 0) {
    MPI_Comm machine = node->comm;
    MPI_Comm_split(machine, node->rank / most, 0, &node->comm);
    MPI_Comm_free(&machine);
  }
  /* What cannot be had shall come back as a code. */
  MPI_Comm_set_errhandler(node->comm, MPI_ERRORS_RETURN);
  MPI_Comm_rank(node->comm, &node->rank);
  MPI_Comm_size(node->comm, &node->size);
  MPI_Comm_split(context->comm, node->rank == 0 ? 0 : MPI_UNDEFINED, 0, &node->leaders);
  if (node->rank == 0)
    MPI_Comm_size(node->leaders, &node->nodes);
  MPI_Bcast(&node->nodes, 1, MPI_INT, 0, node->comm);
  context->collectives += 4;
  return 0;
}

void dun_host_free(struct dun_host *node)
{
  if (!node->ready)
    return;
  if (node->leaders != MPI_COMM_NULL)
    MPI_Comm_free(&node->leaders);
  MPI_Comm_free(&node->comm);
  node->ready = 0;
}

void dun_host_meet(const struct dun_host *node)
{
  __sync_synchronize();
  if (node->size > 1)
    MPI_Barrier(node->comm);
  __sync_synchronize();
}

void dun_host_sum(struct dun_context *context, const struct dun_host *node, double *shared,
                  int64_t count)
{
  dun_host_meet(node);
  if (node->nodes > 1 && node->rank == 0)
    for (int64_t done = 0; done < count; done += PIECE) {
      int piece = count - done < PIECE ? (int)(count - done) : PIECE;
      MPI_Allreduce(MPI_IN_PLACE, shared + done, piece, MPI_DOUBLE, MPI_SUM, node->leaders);
      context->collectives++;
      context->bytes_sent += piece * (int64_t)sizeof(double);
    }
  dun_host_meet(node);
}

/* ---- memory ------------------------------------------------------------------------------ */

static double *aligned(void *start)
{
  uintptr_t address = (uintptr_t)start;
  return (double *)(void *)((char *)start +
                            (DUN_ALIGNMENT - address % DUN_ALIGNMENT) % DUN_ALIGNMENT);
}

/* Where Open MPI keeps shared memory. */
static const char *shared_folder(void)
{
  const char *given = getenv("OMPI_MCA_osc_sm_backing_directory");
  return given ? given : "/dev/shm";
}

/* Open MPI's first rank fails alone where the folder is too small, and the others wait for ever. */
static int check_room(const struct dun_host *node, int64_t bytes)
{
  struct statvfs folder;
  if (node->rank > 0 || statvfs(shared_folder(), &folder) != 0)
    return 0;
  int64_t room = (int64_t)folder.f_bavail * (int64_t)folder.f_frsize;
  if (room - MARGIN >= bytes)
    return 0;
  return dun_fail(DUN_ERROR_MEMORY,
                  "%lld bytes of shared memory are needed on each node; %s has room for %lld: make "
                  "it larger, or name another folder by OMPI_MCA_osc_sm_backing_directory",
                  (long long)bytes, shared_folder(), (long long)room);
}

/* The first rank owns it all; the others map it.  Mappings begin at pages, so that alignment is
 * the same in all of them. */
static int open_window(const struct dun_host *node, struct dun_shared *shared, int64_t bytes)
{
  MPI_Aint size = node->rank == 0 ? (MPI_Aint)(bytes + DUN_ALIGNMENT) : 0, whole;
  void *start = NULL;
  int unit;
  if (MPI_Win_allocate_shared(size, 1, MPI_INFO_NULL, node->comm, &start, &shared->window) !=
      MPI_SUCCESS)
    return dun_fail(DUN_ERROR_MEMORY, "MPI has no shared memory of %lld bytes on a node",
                    (long long)bytes);
  MPI_Win_shared_query(shared->window, 0, &whole, &unit, &start);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, shared->window);
  shared->windowed = 1;
  shared->data = aligned(start);
  return 0;
}

int dun_shared_init(struct dun_context *context, const struct dun_host *node,
                    struct dun_shared *shared, int64_t count)
{
  int64_t bytes = count * (int64_t)sizeof(double);
  *shared = (struct dun_shared){.data = NULL};
  int status = dun_agree(context, node->size > 1 ? check_room(node, bytes) : 0);
  if (status < 0)
    return status;
  if (node->size > 1)
    status = open_window(node, shared, bytes);
  else if (!(shared->data = dun_allocate(count, sizeof(double))))
    status = DUN_ERROR_MEMORY;
  return dun_agree(context, status);
}

void dun_shared_free(struct dun_shared *shared)
{
  if (shared->windowed) {
    MPI_Win_unlock_all(shared->window);
    MPI_Win_free(&shared->window);
  } else {
    dun_free(shared->data);
  }
  *shared = (struct dun_shared){.data = NULL};
}

int dun_host_memory(struct dun_context *context, double *bytes)
{
  struct dun_host node;
  int code = dun_host_init(context, &node, 0);
  if (code < 0)
    return code;
  int ranks = node.size * (context->groups ? context->groups->count : 1); /* they may all be here */
  double least = -(double)dun_memory_available() / ranks;
  dun_host_free(&node);
  code = dun_max(context, 0, 1, &least);
  *bytes = -least;
  return code;
}
