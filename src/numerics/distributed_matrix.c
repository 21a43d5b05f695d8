#include "numerics/distributed_matrix.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

enum {
  B = 64,          /* rows and columns of the blocks that are dealt */
  PANELS = 8,      /* of B columns: more than what ScaLAPACK takes for itself while it works */
  REPEATABLE = 15, /* BLACS: sums over ranks in an order that does not depend on arrivals */
};

/* ScaLAPACK has no headers.  Of Fortran's texts the lengths come last. */
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *grid, const char *order, int rows, int columns);
void Cblacs_gridinfo(int grid, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit(int grid);
void Cblacs_set(int grid, int what, int *value);
void pdpotrf_(const char *triangle, const int *n, double *a, const int *row, const int *column,
              const int *descriptor, int *info, size_t);
void pdpotri_(const char *triangle, const int *n, double *a, const int *row, const int *column,
              const int *descriptor, int *info, size_t);

/* ---- blocks ------------------------------------------------------------------------------ */

/* Of n rows, or columns, those of a place among `shape`. */
static int size_of(int n, int place, int shape)
{
  int blocks = n / B, mine = blocks / shape * B, extra = blocks % shape;
  return mine + (place < extra ? B : place == extra ? n % B : 0);
}

/* Where in the matrix the own row, or column, `first` is, the first one of a block. */
static int64_t start_of(const struct dun_distributed_matrix *m, int axis, int64_t first)
{
  return (first / B * m->shape[axis] + m->place[axis]) * B;
}

static int64_t leading(const struct dun_distributed_matrix *m)
{
  return m->size[0] > 0 ? m->size[0] : 1;
}

/* Calls `visit` with the blocks of this rank that hold entries of the lower triangle: their first
 * row and column in the matrix, and how many of them; `own` is the first entry. */
typedef void visit_block(void *data, int64_t i, int64_t j, const int size[2], double *own,
                         int64_t stride);
static void each_block(const struct dun_distributed_matrix *m, visit_block *visit, void *data)
{
  for (int column = 0; column < m->size[1]; column += B)
    for (int row = 0; row < m->size[0]; row += B) {
      int64_t i = start_of(m, 0, row), j = start_of(m, 1, column);
      int size[2] = {m->size[0] - row < B ? m->size[0] - row : B,
                     m->size[1] - column < B ? m->size[1] - column : B};
      if (i >= j)
        visit(data, i, j, size, m->block + column * leading(m) + row, leading(m));
    }
}

struct source {
  dun_entry *entry;
  const void *self;
};

static void fill_block(void *data, int64_t i, int64_t j, const int size[2], double *own,
                       int64_t stride)
{
  const struct source *source = data;
  for (int b = 0; b < size[1]; b++)
    for (int a = 0; a < size[0]; a++)
      if (i + a >= j + b)
        own[b * stride + a] = source->entry(source->self, i + a, j + b);
}

/* ---- set-up ------------------------------------------------------------------------------ */

/* The grid that is nearest to a square. */
static void set_shape(struct dun_distributed_matrix *m, int ranks)
{
  m->shape[0] = 1;
  for (int rows = 1; rows <= ranks / rows; rows++)
    if (ranks % rows == 0)
      m->shape[0] = rows;
  m->shape[1] = ranks / m->shape[0];
}

static void open_grid(struct dun_context *context, struct dun_distributed_matrix *m)
{
  int yes = 1;
  set_shape(m, context->size);
  m->handle = m->grid = Csys2blacs_handle(context->comm);
  m->open = 1;
  Cblacs_gridinit(&m->grid, "Row", m->shape[0], m->shape[1]);
  m->open = 2;
  Cblacs_set(m->grid, REPEATABLE, &yes);
  Cblacs_gridinfo(m->grid, &m->shape[0], &m->shape[1], &m->place[0], &m->place[1]);
  context->collectives += 3;
}

double dun_distributed_memory(int n, int ranks)
{
  struct dun_distributed_matrix m;
  set_shape(&m, ranks);
  double rows = size_of(n, 0, m.shape[0]), columns = size_of(n, 0, m.shape[1]);
  return 8 * (rows * columns + PANELS * B * (rows + columns));
}

int dun_distributed_size(int n)
{
  if (n >= 1 && n <= DUN_MOST_DISTRIBUTED)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "a distributed matrix of %d rows, expected 1 to %d", n,
                  DUN_MOST_DISTRIBUTED);
}

int dun_distributed_init(struct dun_context *context, struct dun_distributed_matrix *m, int n,
                         dun_entry *entry, const void *self)
{
  struct source source = {entry, self};
  *m = (struct dun_distributed_matrix){.n = n};
  int status = dun_distributed_size(n);
  if (status < 0)
    return status;
  open_grid(context, m);
  for (int axis = 0; axis < 2; axis++)
    m->size[axis] = size_of(n, m->place[axis], m->shape[axis]);
  const int descriptor[9] = {1, m->grid, n, n, B, B, 0, 0, (int)leading(m)};
  memcpy(m->descriptor, descriptor, sizeof descriptor);
  m->block = dun_allocate(leading(m) * (m->size[1] > 0 ? m->size[1] : 1), sizeof *m->block);
  status = dun_agree(context, m->block ? 0 : DUN_ERROR_MEMORY);
  if (status == 0)
    each_block(m, fill_block, &source);
  return status;
}

void dun_distributed_free(struct dun_distributed_matrix *m)
{
  DUN_FREE(m->block);
  if (m->open > 1)
    Cblacs_gridexit(m->grid);
  if (m->open > 0)
    Cfree_blacs_system_handle(m->handle);
  m->open = 0;
}

/* ---- factor ------------------------------------------------------------------------------ */

/* Of the diagonal of a factor: ScaLAPACK lets numbers pass that are none. */
static void look_at_diagonal(void *data, int64_t i, int64_t j, const int size[2], double *own,
                             int64_t stride)
{
  int *bad = data;
  for (int a = 0; i == j && a < size[0]; a++)
    *bad |= !(own[a * stride + a] > 0 && own[a * stride + a] < INFINITY);
}

int dun_distributed_cholesky(struct dun_context *context, struct dun_distributed_matrix *m)
{
  int one = 1, info = 0, bad = 0, n = m->n, status = 0;
  pdpotrf_("L", &n, m->block, &one, &one, m->descriptor, &info, 1);
  context->collectives++;
  if (info == 0)
    each_block(m, look_at_diagonal, &bad);
  if (info > 0)
    status =
        dun_fail(DUN_ERROR_NUMERIC,
                 "the %d x %d matrix is not positive definite (its leading %d x %d block is not)",
                 n, n, info, info);
  else if (info < 0 || bad)
    status = dun_fail(DUN_ERROR_NUMERIC,
                      "the %d x %d matrix has no Cholesky factor (pdpotrf of ScaLAPACK: %d)", n, n,
                      info);
  return dun_agree(context, status);
}

int dun_distributed_invert(struct dun_context *context, struct dun_distributed_matrix *m)
{
  int one = 1, info = 0, n = m->n;
  pdpotri_("L", &n, m->block, &one, &one, m->descriptor, &info, 1);
  context->collectives++;
  return dun_agree(context, info == 0 ? 0
                                      : dun_fail(DUN_ERROR_NUMERIC,
                                                 "a %d x %d Cholesky factor has no inverse "
                                                 "(pdpotri of ScaLAPACK: %d)",
                                                 n, n, info));
}

/* ---- delivery ---------------------------------------------------------------------------- */

static void deliver_block(void *data, int64_t i, int64_t j, const int size[2], double *own,
                          int64_t stride)
{
  const struct dun_triangles *out = data;
  for (int b = 0; b < size[1]; b++)
    for (int a = i == j ? b : 0; a < size[0]; a++) {
      double value = own[b * stride + a];
      if (out->lower >= 0)
        out->table[out->lower + (i + a) * out->stride + j + b] = value;
      if (out->upper >= 0)
        out->table[out->upper + (j + b) * out->stride + i + a] = value;
    }
}

int dun_distributed_deliver(struct dun_context *context, const struct dun_host *node,
                            const struct dun_distributed_matrix *m, const struct dun_triangles *out)
{
  struct dun_triangles copy = *out;
  int64_t first = out->count * node->rank / node->size;
  int64_t behind = out->count * (node->rank + 1) / node->size;
  memset(out->table + first, 0, (size_t)(behind - first) * sizeof *out->table);
  dun_host_meet(node);
  each_block(m, deliver_block, &copy);
  dun_host_sum(context, node, out->table, out->count);
  return dun_agree(context, 0);
}
