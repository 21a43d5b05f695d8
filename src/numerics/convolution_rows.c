/* Distributed convolutions: points go to the ranks that hold their slabs, values come back. */
#include "base/error.h"
#include "base/memory.h"
#include "dunlin/target.h"
#include "numerics/convolution_parts.h"
#include <string.h>

enum {
  L = DUN_LANES,
  AXES = DUN_GRID_AXES,
  BUFFER = 64 << 20,   /* bytes that a rank receives in one round at most */
  MOST_POINTS = 65536, /* that it sends, however few ranks there are */
  PIECE = 8 << 20,     /* numbers of a message of halos */
  TAG = 73,
};

struct dun_travel {
  int32_t *owner;     /* [P]: the rank that holds a plane */
  int64_t portion;    /* points that a rank sends in one round at most */
  int32_t *target;    /* [portion]: of each point of the round */
  int64_t *order;     /* [portion]: points by target */
  double *send;       /* [portion][d] */
  double *received;   /* [size × portion][d] */
  double *answer;     /* [size × portion][1 + d]: log density, E */
  double *back;       /* [portion][1 + d] */
  int *count, *other; /* [4 size]: points to send and to receive; numbers, where they begin */
};

/* ---- memory ------------------------------------------------------------------------------ */

static int64_t portion_of(int dimension, int ranks)
{
  int64_t portion = BUFFER / (8 * (1 + dimension)) / ranks;
  return portion < L ? L : portion > MOST_POINTS ? MOST_POINTS : portion;
}

int64_t dun_travel_bytes(int dimension, int ranks)
{
  int64_t portion = portion_of(dimension, ranks), d = dimension;
  return portion * (12 + 8 * (1 + 2 * d)) + 8 * ranks * portion * (1 + 2 * d);
}

/* Who holds which planes. */
static void set_owners(struct dun_context *context, const struct dun_convolution *c)
{
  struct dun_travel *t = c->travel;
  int64_t mine[2] = {c->fft.first, c->fft.count}, *all = (int64_t *)(void *)t->answer;
  MPI_Allgather(mine, 2, MPI_INT64_T, all, 2, MPI_INT64_T, context->comm);
  context->collectives++;
  context->bytes_sent += (int64_t)sizeof mine;
  for (int rank = 0; rank < context->size; rank++)
    for (int64_t i = 0; i < all[2 * rank + 1]; i++)
      t->owner[all[2 * rank] + i] = rank;
}

int dun_travel_init(struct dun_context *context, struct dun_convolution *c)
{
  struct dun_travel *t = c->travel = dun_allocate(1, sizeof *t);
  int64_t d = c->grid.dimension, size = context->size;
  int status = t ? 0 : DUN_ERROR_MEMORY;
  if (t) {
    int64_t portion = t->portion = portion_of((int)d, context->size);
    t->owner = dun_allocate(c->grid.points, sizeof *t->owner);
    t->target = dun_allocate(portion, sizeof *t->target);
    t->order = dun_allocate(portion, sizeof *t->order);
    t->send = dun_allocate(portion * d, sizeof *t->send);
    t->back = dun_allocate(portion * (1 + d), sizeof *t->back);
    t->received = dun_allocate(size * portion * d, sizeof *t->received);
    t->answer = dun_allocate(size * portion * (1 + d), sizeof *t->answer);
    t->count = dun_allocate(4 * size, sizeof *t->count);
    t->other = dun_allocate(4 * size, sizeof *t->other);
    if (!t->owner || !t->target || !t->order || !t->send || !t->back || !t->received ||
        !t->answer || !t->count || !t->other)
      status = DUN_ERROR_MEMORY;
  }
  status = dun_agree(context, status);
  if (status >= 0)
    set_owners(context, c);
  return status;
}

void dun_travel_free(struct dun_convolution *c)
{
  struct dun_travel *t = c->travel;
  if (!t)
    return;
  void *block[] = {t->owner,    t->target, t->order, t->send, t->back,
                   t->received, t->answer, t->count, t->other};
  for (size_t i = 0; i < sizeof block / sizeof *block; i++)
    dun_free(block[i]);
  DUN_FREE(c->travel);
}

/* ---- halos ------------------------------------------------------------------------------- */

static void halo_of(struct dun_context *context, double *table, int64_t plane, int64_t count,
                    int next, int previous)
{
  for (int64_t done = 0; done < plane; done += PIECE) {
    int piece = plane - done < PIECE ? (int)(plane - done) : PIECE;
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Irecv(table + count * plane + done, piece, MPI_DOUBLE, next, TAG, context->comm, &request);
    MPI_Send(table + done, piece, MPI_DOUBLE, previous, TAG, context->comm);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    context->bytes_sent += previous == MPI_PROC_NULL ? 0 : piece * (int64_t)sizeof *table;
  }
}

void dun_travel_halo(struct dun_context *context, struct dun_convolution *c)
{
  const struct dun_fft *fft = &c->fft;
  int64_t behind = fft->first + fft->count;
  int next = MPI_PROC_NULL, previous = MPI_PROC_NULL;
  if (fft->count > 0 && behind < c->grid.points)
    next = c->travel->owner[behind];
  if (fft->count > 0 && fft->first > 0)
    previous = c->travel->owner[fft->first - 1];
  for (int f = 0; f <= c->grid.dimension; f++)
    halo_of(context, c->table[f], dun_convolution_plane(fft), fft->count, next, previous);
}

/* ---- points ------------------------------------------------------------------------------ */

/* Columns of up to 64 rows; lanes beyond repeat the last one. */
static void columns_of(int d, int n, const double *rows, double *y)
{
  for (int l = 0; l < L; l++)
    for (int a = 0; a < d; a++)
      y[a * L + l] = rows[(l < n ? l : n - 1) * d + a];
}

/* Points outside the padded domain stay here. */
static void find_targets(const struct dun_convolution *c, int me, int64_t n, const double *y)
{
  _Alignas(64) double column[AXES * L], fraction[AXES * L];
  _Alignas(64) int32_t corner[AXES * L], inside[L];
  int d = c->grid.dimension;
  for (int64_t i = 0; i < n; i += L) {
    int lanes = n - i < L ? (int)(n - i) : L;
    columns_of(d, lanes, y + i * d, column);
    dun_grid_locate(&c->grid, column, corner, fraction, inside);
    for (int l = 0; l < lanes; l++)
      c->travel->target[i + l] = inside[l] ? c->travel->owner[corner[l]] : me;
  }
}

/* Sorts the points by target: count[0..size) points each, packed into `send`. */
static void pack(struct dun_travel *t, int size, int d, int64_t n, const double *y)
{
  int *count = t->count, *begin = t->count + size;
  memset(count, 0, (size_t)size * sizeof *count);
  for (int64_t i = 0; i < n; i++)
    count[t->target[i]]++;
  begin[0] = 0;
  for (int r = 1; r < size; r++)
    begin[r] = begin[r - 1] + count[r - 1];
  for (int64_t i = 0; i < n; i++) {
    int64_t place = begin[t->target[i]]++;
    t->order[place] = i;
    memcpy(t->send + place * d, y + i * d, (size_t)d * sizeof *y);
  }
}

/* Counts and places in units of `width` numbers, behind the counts of points. */
static int64_t layout(int *count, int size, int width)
{
  int *numbers = count + 2 * size, *begin = count + 3 * size;
  int64_t points = 0;
  for (int r = 0; r < size; r++) {
    numbers[r] = count[r] * width;
    begin[r] = (int)points * width;
    points += count[r];
  }
  return points;
}

static void swap_numbers(struct dun_context *context, const double *send, const int *from,
                         double *receive, const int *to)
{
  int size = context->size;
  MPI_Alltoallv(send, from + 2 * size, from + 3 * size, MPI_DOUBLE, receive, to + 2 * size,
                to + 3 * size, MPI_DOUBLE, context->comm);
  context->collectives++;
  for (int r = 0; r < size; r++)
    context->bytes_sent += r == context->rank ? 0 : from[2 * size + r] * (int64_t)sizeof *send;
}

static void answer(const struct dun_convolution *c, int64_t n, const double *y, double *out)
{
  _Alignas(64) double column[AXES * L], value[(1 + AXES) * L];
  int d = c->grid.dimension;
  for (int64_t i = 0; i < n; i += L) {
    int lanes = n - i < L ? (int)(n - i) : L;
    columns_of(d, lanes, y + i * d, column);
    dun_convolution_evaluate(c, column, value + L, value);
    for (int l = 0; l < lanes; l++)
      for (int a = 0; a <= d; a++)
        out[(i + l) * (1 + d) + a] = value[a * L + l];
  }
}

static void unpack(int d, int64_t n, const int64_t *order, const double *value, double *mean,
                   double *log_density)
{
  for (int64_t i = 0; i < n; i++) {
    const double *one = value + i * (1 + d);
    int64_t to = order ? order[i] : i;
    if (log_density)
      log_density[to] = one[0];
    if (mean)
      memcpy(mean + to * d, one + 1, (size_t)d * sizeof *mean);
  }
}

static void round_trip(struct dun_context *context, const struct dun_convolution *c, int64_t n,
                       const double *y, double *mean, double *log_density)
{
  struct dun_travel *t = c->travel;
  int d = c->grid.dimension, size = context->size;
  find_targets(c, context->rank, n, y);
  pack(t, size, d, n, y);
  MPI_Alltoall(t->count, 1, MPI_INT, t->other, 1, MPI_INT, context->comm);
  context->collectives++;
  layout(t->count, size, d);
  int64_t here = layout(t->other, size, d);
  swap_numbers(context, t->send, t->count, t->received, t->other);
  answer(c, here, t->received, t->answer);
  layout(t->count, size, 1 + d);
  layout(t->other, size, 1 + d);
  swap_numbers(context, t->answer, t->other, t->back, t->count);
  unpack(d, n, t->order, t->back, mean, log_density);
}

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static void evaluate_here(const struct dun_convolution *c, int64_t n, const double *y, double *mean,
                          double *log_density)
{
  double value[(1 + AXES) * L];
  int d = c->grid.dimension;
  for (int64_t i = 0; i < n; i += L) {
    int64_t lanes = least(n - i, L);
    answer(c, lanes, y + i * d, value);
    unpack(d, lanes, NULL, value, mean ? mean + i * d : NULL, log_density ? log_density + i : NULL);
  }
}

void dun_convolution_evaluate_rows(struct dun_context *context, struct dun_convolution *convolution,
                                   int64_t n, const double *y, double *mean, double *log_density)
{
  if (!convolution->distributed) {
    evaluate_here(convolution, n, y, mean, log_density);
    return;
  }
  int64_t portion = convolution->travel->portion, rounds = (n + portion - 1) / portion;
  int d = convolution->grid.dimension;
  MPI_Allreduce(MPI_IN_PLACE, &rounds, 1, MPI_INT64_T, MPI_MAX, context->comm);
  context->collectives++;
  for (int64_t round = 0; round < rounds; round++) {
    int64_t first = least(round * portion, n);
    round_trip(context, convolution, least(portion, n - first), y + first * d,
               mean ? mean + first * d : NULL, log_density ? log_density + first : NULL);
  }
}
