#include "population/exchange.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/gather.h"
#include <string.h>

enum {
  PIECE = 1 << 18,   /* bytes of a message */
  MOST_ROWS = 16384, /* in a message */
  SLOTS = 4096,      /* filled column by column while their parents are in the cache */
  UNROLLED = 4,      /* children written without asking */
  TAG = 71,
  SENDING = 0, /* two buffers, two requests each way */
  RECEIVING = 2,
};

/* Parents in a row, each with the slot behind its last child, and the slots still to be filled. */
struct litter {
  const double *end;
  int64_t parent, parents; /* the next one; how many there are */
  int64_t slot, limit;     /* global */
  const char *rows[DUN_MAX_COLUMNS];
};

/* Of a message; behind it end[rows], then the rows column by column, each block at a multiple of 8
 * bytes. */
struct header {
  int64_t slot, limit, rows;
};

struct exchange {
  struct dun_context *context;
  const struct dun_tiles *tiles;
  int columns;
  struct dun_column *column[DUN_MAX_COLUMNS]; /* those that move */
  size_t bytes[DUN_MAX_COLUMNS];              /* of a row */
  size_t size;                                /* of a message at most */
  int64_t most;                               /* rows in a message */

  const double *end; /* this rank's parents */
  int64_t *border;   /* [size + 1]: first slot of each rank's children */
  uint32_t *row;     /* parents of a block of slots, or rows of a message */
  char *buffer[4];   /* two to send, two to receive */
  MPI_Request request[4];

  struct litter own, away; /* children here; children on `target` */
  int target, source;      /* next rank to send to; rank to receive from; size: none left */
  int64_t missing;         /* slots still to come from `source` */
  int inbox;               /* buffer of the message that is awaited */
};

/* ---- filling slots ----------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* Writes the next slots' parents, counted from `first`; returns how many slots. */
static int64_t parents_write(struct litter *litter, int64_t first, uint32_t *restrict row)
{
  const double *restrict end = litter->end;
  const int64_t begin = litter->slot, stop = least(litter->limit, begin + SLOTS);
  const int64_t last = least(litter->parents, first + UINT32_MAX);
  int64_t slot = begin, parent = litter->parent;
  for (; slot < stop && parent < last; parent++) {
    const int64_t behind = (int64_t)end[parent];
    uint32_t *out = row + (slot - begin);
    const uint32_t index = (uint32_t)(parent - first);
    if (behind > stop)
      break;
    for (int k = 0; k < UNROLLED; k++)
      out[k] = index;
    for (int64_t k = UNROLLED; k < behind - slot; k++)
      out[k] = index;
    slot = behind;
  }
  if (parent < last) /* the last one, whose children go on behind the block */
    for (; slot < stop; slot++)
      row[slot - begin] = (uint32_t)(parent - first);
  litter->slot = slot;
  litter->parent = parent;
  return slot - begin;
}

/* Fills a block of slots from their parents; 0 when all are filled. */
static int litter_settle(struct exchange *x, struct litter *litter)
{
  const int64_t slot = litter->slot - x->tiles->first, first = litter->parent;
  int64_t n;
  if (litter->slot >= litter->limit || first >= litter->parents)
    return 0;
  n = parents_write(litter, first, x->row);
  for (int c = 0; c < x->columns; c++)
    dun_gather(n, x->bytes[c], x->row, litter->rows[c] + (size_t)first * x->bytes[c],
               (char *)x->column[c]->spare + (size_t)slot * x->bytes[c]);
  return 1;
}

/* The first parent, from `parent` on, with a child in `slot` or behind. */
static int64_t parent_of(const double *end, int64_t parent, int64_t parents, int64_t slot)
{
  while (parent < parents) {
    const int64_t middle = parent + (parents - parent) / 2;
    if (end[middle] > (double)slot)
      parents = middle;
    else
      parent = middle + 1;
  }
  return parent;
}

/* This rank's children in the slots of a rank. */
static struct litter litter_of(const struct exchange *x, int rank)
{
  const struct dun_tiles *t = x->tiles;
  const int size = x->context->size, me = x->context->rank;
  struct litter litter = {.end = x->end, .parents = t->local};
  litter.slot = most(dun_tiles_first_of(t, rank, size), x->border[me]);
  litter.limit = least(dun_tiles_first_of(t, rank + 1, size), x->border[me + 1]);
  if (litter.slot < litter.limit)
    litter.parent = parent_of(x->end, 0, t->local, litter.slot);
  for (int c = 0; c < x->columns; c++)
    litter.rows[c] = x->column[c]->data;
  return litter;
}

/* ---- sending ----------------------------------------------------------------------------- */

static size_t padded(size_t bytes)
{
  return (bytes + 7) / 8 * 8;
}

/* Lists parents of the litter's next slots, each once, with the slots behind their children. */
static int64_t rows_list(struct litter *litter, int64_t first, int64_t room, uint32_t *restrict row,
                         double *restrict behind)
{
  const double limit = (double)litter->limit;
  const int64_t last = least(litter->parents, first + UINT32_MAX);
  double slot = (double)litter->slot;
  int64_t n = 0, parent = litter->parent;
  for (; n < room && parent < last && slot < limit; parent++) {
    const double end = litter->end[parent], upto = end < limit ? end : limit;
    row[n] = (uint32_t)(parent - first);
    behind[n] = upto;
    n += upto > slot;
    slot = upto;
  }
  litter->slot = (int64_t)slot;
  litter->parent = parent;
  return n;
}

/* Packs the next message of the litter; returns its bytes. */
static size_t message_pack(const struct exchange *x, struct litter *litter, char *buffer)
{
  const int64_t first = litter->parent;
  struct header header = {.slot = litter->slot};
  char *at = buffer + sizeof header;
  header.rows = rows_list(litter, first, x->most, x->row, (double *)(void *)at);
  header.limit = litter->slot;
  memcpy(buffer, &header, sizeof header);
  at += (size_t)header.rows * sizeof(double);
  for (int c = 0; c < x->columns; c++) {
    dun_gather(header.rows, x->bytes[c], x->row, litter->rows[c] + (size_t)first * x->bytes[c], at);
    at += padded((size_t)header.rows * x->bytes[c]);
  }
  return (size_t)(at - buffer);
}

/* Finds the next rank with slots for this rank's children. */
static void target_next(struct exchange *x)
{
  while (++x->target < x->context->size) {
    if (x->target == x->context->rank)
      continue;
    x->away = litter_of(x, x->target);
    if (x->away.slot < x->away.limit)
      return;
  }
}

static void message_send(struct exchange *x, int which)
{
  size_t bytes;
  if (x->target >= x->context->size)
    return;
  bytes = message_pack(x, &x->away, x->buffer[which]);
  MPI_Isend(x->buffer[which], (int)bytes, MPI_BYTE, x->target, TAG, x->context->comm,
            &x->request[which]);
  x->context->bytes_sent += (int64_t)bytes;
  if (x->away.slot >= x->away.limit)
    target_next(x);
}

/* ---- receiving --------------------------------------------------------------------------- */

/* Finds the next rank that has children here. */
static void source_next(struct exchange *x)
{
  const int64_t first = x->tiles->first, behind = first + x->tiles->local;
  while (++x->source < x->context->size) {
    x->missing = least(behind, x->border[x->source + 1]) - most(first, x->border[x->source]);
    if (x->source != x->context->rank && x->missing > 0)
      return;
  }
}

static void message_await(struct exchange *x)
{
  if (x->source < x->context->size)
    MPI_Irecv(x->buffer[x->inbox], (int)x->size, MPI_BYTE, x->source, TAG, x->context->comm,
              &x->request[x->inbox]);
}

/* The message in `inbox` has come: the next one may come into the other buffer while this is
 * read. */
static void message_read(struct exchange *x)
{
  const char *at = x->buffer[x->inbox];
  struct header header;
  struct litter litter = {0};
  memcpy(&header, at, sizeof header);
  at += sizeof header;
  x->missing -= header.limit - header.slot;
  if (x->missing <= 0)
    source_next(x);
  x->inbox = RECEIVING + (x->inbox == RECEIVING);
  message_await(x);
  litter.end = (const double *)(const void *)at;
  litter.parents = header.rows;
  litter.slot = header.slot;
  litter.limit = header.limit;
  at += (size_t)header.rows * sizeof(double);
  for (int c = 0; c < x->columns; c++) {
    litter.rows[c] = at;
    at += padded((size_t)header.rows * x->bytes[c]);
  }
  while (litter_settle(x, &litter))
    ;
}

/* ---- everything at once ------------------------------------------------------------------ */

static int exchange_init(struct exchange *x, struct dun_population *population,
                         const struct dun_column *except)
{
  size_t row = sizeof(double), room = PIECE - sizeof(struct header) - 8 * DUN_MAX_COLUMNS;
  int status = 0;
  for (int c = 0; c < population->columns; c++) {
    struct dun_column *column = &population->column[c];
    if (!(column->flags & DUN_MOVES) || column == except)
      continue;
    x->bytes[x->columns] = (size_t)column->width * dun_column_size(column->type);
    row += x->bytes[x->columns];
    x->column[x->columns++] = column;
  }
  x->most = least(MOST_ROWS, most(1, (int64_t)(room / row)));
  x->size = (size_t)x->most * row + PIECE - room;
  x->border = dun_allocate(2 * (int64_t)x->context->size + 1, sizeof *x->border);
  x->row = dun_allocate(MOST_ROWS + UNROLLED, sizeof *x->row);
  if (!x->border || !x->row)
    status = DUN_ERROR_MEMORY;
  for (int b = 0; b < 4; b++) {
    x->request[b] = MPI_REQUEST_NULL;
    x->buffer[b] = dun_allocate((int64_t)x->size, 1);
    if (!x->buffer[b])
      status = DUN_ERROR_MEMORY;
  }
  if (status >= 0 && x->size > INT32_MAX)
    status =
        dun_fail(DUN_ERROR_MEMORY, "A particle's row of %zu bytes is too long for a message.", row);
  return status;
}

static void exchange_free(struct exchange *x)
{
  for (int b = 0; b < 4; b++)
    dun_free(x->buffer[b]);
  dun_free(x->row);
  dun_free(x->border);
}

/* The slots of every rank's children must join.  All ranks see the same numbers, so that they
 * agree. */
static int borders_gather(struct exchange *x, int64_t begin)
{
  const int size = x->context->size;
  const int64_t local = x->tiles->local, total = x->tiles->total;
  const int64_t own[2] = {begin, local > 0 ? (int64_t)x->end[local - 1] : begin};
  int64_t reached = 0, torn = 0;
  x->context->collectives++;
  x->context->bytes_sent += (int64_t)sizeof own;
  MPI_Allgather(own, 2, MPI_INT64_T, x->border, 2, MPI_INT64_T, x->context->comm);
  for (int r = 0; r < size; r++) {
    const int64_t first = x->border[2 * r];
    torn += first != reached;
    reached = x->border[2 * r + 1];
    x->border[r] = first;
  }
  x->border[size] = total;
  if (torn == 0 && reached == total)
    return 0;
  return dun_fail(DUN_ERROR_NUMERIC,
                  "The children of %lld particles do not fill as many slots: the weights are not "
                  "those of the log weights.",
                  (long long)total);
}

/* Is every particle of this rank its own only child? */
static int all_stay(const struct exchange *x)
{
  const int64_t first = x->tiles->first, local = x->tiles->local;
  int64_t i = 0;
  if (x->border[x->context->rank] != first)
    return 0;
  while (i < local && x->end[i] == (double)(first + i + 1))
    i++;
  return i == local;
}

/* One thing that has happened; waits for it if there is nothing else to do.  0: nothing is under
 * way. */
static int event_handle(struct exchange *x, int wait)
{
  int which, happened = 1;
  if (wait)
    MPI_Waitany(4, x->request, &which, MPI_STATUS_IGNORE);
  else
    MPI_Testany(4, x->request, &which, &happened, MPI_STATUS_IGNORE);
  if (!happened)
    return 1;
  if (which == MPI_UNDEFINED)
    return 0;
  if (which < RECEIVING)
    message_send(x, which);
  else
    message_read(x);
  return 1;
}

static void rows_move(struct exchange *x)
{
  int under_way = 1, left = 1;
  x->own = litter_of(x, x->context->rank);
  x->target = x->source = -1;
  x->inbox = RECEIVING;
  source_next(x);
  message_await(x);
  target_next(x);
  message_send(x, SENDING);
  message_send(x, SENDING + 1);
  while (left || under_way) {
    if (left)
      left = litter_settle(x, &x->own);
    under_way = event_handle(x, !left);
  }
  for (int c = 0; c < x->columns; c++) {
    void *data = x->column[c]->data;
    x->column[c]->data = x->column[c]->spare;
    x->column[c]->spare = data;
  }
}

int dun_exchange(struct dun_context *context, struct dun_population *population,
                 const struct dun_column *except, int64_t begin, const double *end)
{
  struct exchange x = {.context = context, .tiles = &population->tiles, .end = end};
  int status = dun_agree(context, exchange_init(&x, population, except));
  if (status < 0)
    goto out;
  if ((status = borders_gather(&x, begin)) < 0)
    goto out;
  if (!all_stay(&x))
    rows_move(&x);
out:
  exchange_free(&x);
  return status;
}
