#include "numerics/shared_factor.h"
#include "base/clock.h"
#include "base/error.h"

enum { UPPER = 4 }; /* how far the upper triangle lies behind the lower one */

static int64_t fours(int n)
{
  return (n + 3) / 4 * 4;
}

double dun_shared_factor_memory(int n, int inverted, int here, int ranks, double *most)
{
  double numbers = (double)n * ((double)fours(n) + UPPER + (inverted ? (double)fours(n) : 0));
  *most = 8 * numbers / here + dun_distributed_memory(n, ranks);
  return 8 * numbers / here;
}

/* Before the kernel finds out, which ends whom it likes. */
static int check_memory(struct dun_context *context, const struct dun_shared_factor *f,
                        int inverted)
{
  double room, need;
  int code = dun_host_memory(context, &room);
  dun_shared_factor_memory(f->n, inverted, f->host.size, f->ranks, &need);
  if (code >= 0 && need > room)
    code = dun_fail(DUN_ERROR_MEMORY,
                    "the Cholesky factor of a %d x %d matrix%s takes %.4g GB of memory for each of "
                    "%d ranks, %d of them on a node, and %.4g GB are left for it (what node and "
                    "job have left, divided by the ranks of a node): take more nodes",
                    f->n, f->n, inverted ? " with its inverse" : "", need * 1e-9, f->ranks,
                    f->host.size, room * 1e-9);
  return dun_agree(context, code);
}

/* One block for both, so that the room for all of it is asked for at once. */
static int make_tables(struct dun_context *context, struct dun_shared_factor *f)
{
  int64_t triangles = (f->n * f->stride + 7) / 8 * 8;
  int64_t squares = f->inverted ? f->n * f->inverse_stride : 0;
  int code = dun_shared_init(context, &f->host, &f->tables, triangles + squares);
  if (code < 0)
    return code;
  f->lower = f->tables.data;
  f->upper = f->lower + UPPER;
  f->inverse = f->inverted ? f->lower + triangles : NULL;
  return 0;
}

static int fill_tables(struct dun_context *context, struct dun_shared_factor *f,
                       struct dun_distributed_matrix *matrix)
{
  double *table = f->tables.data;
  struct dun_triangles factor = {
      .table = table, .count = f->n * f->stride, .stride = f->stride, .upper = UPPER};
  struct dun_triangles inverse = {.count = f->n * f->inverse_stride, .stride = f->inverse_stride};
  int code = dun_distributed_cholesky(context, matrix);
  if (code >= 0)
    code = dun_distributed_deliver(context, &f->host, matrix, &factor);
  if (code < 0 || !f->inverted)
    return code;
  inverse.table = table + (f->inverse - f->lower);
  code = dun_distributed_invert(context, matrix);
  return code < 0 ? code : dun_distributed_deliver(context, &f->host, matrix, &inverse);
}

int dun_shared_factor_init(struct dun_context *context, struct dun_shared_factor *f, int n,
                           int inverted, dun_entry *entry, const void *self)
{
  struct dun_distributed_matrix matrix = {0};
  double began = dun_clock();
  *f = (struct dun_shared_factor){.n = n, .ranks = context->size, .inverted = inverted};
  f->inverse_stride = fours(n);
  f->stride = f->inverse_stride + UPPER;
  int code = dun_distributed_size(n);
  if (code >= 0)
    code = dun_host_init(context, &f->host, 0);
  if (code >= 0)
    code = check_memory(context, f, inverted);
  if (code >= 0)
    code = make_tables(context, f);
  if (code >= 0)
    code = dun_distributed_init(context, &matrix, n, entry, self);
  if (code >= 0)
    code = fill_tables(context, f, &matrix);
  dun_distributed_free(&matrix);
  f->seconds = dun_clock() - began;
  return code;
}

void dun_shared_factor_free(struct dun_shared_factor *f)
{
  dun_shared_free(&f->tables);
  dun_host_free(&f->host);
  f->lower = f->upper = f->inverse = NULL;
}
