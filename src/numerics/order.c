#include "numerics/order.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include <limits.h>
#include <string.h>

/* ---- keys ------------------------------------------------------------------------------------ */

uint64_t dun_order_key(double value)
{
  uint64_t bits;
  value += 0.; /* -0 becomes 0 */
  memcpy(&bits, &value, sizeof bits);
  return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

double dun_order_value(uint64_t key)
{
  uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* ---- sorting --------------------------------------------------------------------------------- */

enum { DIGIT = 11, DIGITS = 6, BUCKETS = 1 << DIGIT };

static unsigned digit_of(uint64_t key, int digit)
{
  return (unsigned)(key >> (digit * DIGIT)) & (BUCKETS - 1);
}

/* One stable pass; 0 if all keys have the same digit, so that nothing was done. */
static int pass(int64_t n, int digit, const uint64_t *keys, const uint32_t *place,
                uint64_t *to_keys, uint32_t *to_place)
{
  int64_t begin[BUCKETS] = {0}, sum = 0;
  for (int64_t i = 0; i < n; i++)
    begin[digit_of(keys[i], digit)]++;
  if (begin[digit_of(keys[0], digit)] == n)
    return 0;
  for (int b = 0; b < BUCKETS; b++) {
    int64_t count = begin[b];
    begin[b] = sum;
    sum += count;
  }
  for (int64_t i = 0; i < n; i++) {
    int64_t at = begin[digit_of(keys[i], digit)]++;
    to_keys[at] = keys[i];
    to_place[at] = place[i];
  }
  return 1;
}

void dun_order_sort(int64_t n, uint64_t *keys, uint32_t *place)
{
  uint64_t *from = keys, *to = keys + n;
  uint32_t *from_place = place, *to_place = place + n;
  for (int64_t i = 0; i < n; i++)
    place[i] = (uint32_t)i;
  for (int digit = 0; digit < DIGITS && n > 0; digit++) {
    if (!pass(n, digit, from, from_place, to, to_place))
      continue;
    uint64_t *keys_left = from;
    uint32_t *place_left = from_place;
    from = to, to = keys_left;
    from_place = to_place, to_place = place_left;
  }
  if (from != keys) {
    memcpy(keys, from, (size_t)n * sizeof *keys);
    memcpy(place, from_place, (size_t)n * sizeof *place);
  }
}

/* ---- order statistics ------------------------------------------------------------------------ */

/* How many of the sorted keys are below one. */
static int64_t below(int64_t n, const uint64_t *keys, uint64_t key)
{
  int64_t low = 0, high = n;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The largest keys with at most place[m] keys of all ranks below them, bit by bit from the top. */
static int find_keys(struct dun_context *context, int status, int64_t n, const uint64_t *keys,
                     int m, const int64_t *place, uint64_t *found)
{
  int64_t *count = dun_allocate(m, sizeof *count);
  if (!count)
    status = DUN_ERROR_MEMORY;
  status = dun_agree(context, status);
  for (int i = 0; i < m && status >= 0; i++)
    found[i] = 0;
  for (int bit = 63; bit >= 0 && status >= 0; bit--) {
    for (int i = 0; i < m; i++)
      count[i] = below(n, keys, found[i] | UINT64_C(1) << bit);
    status = dun_sum_integers(context, 0, m, count);
    for (int i = 0; i < m && status >= 0; i++)
      if (count[i] <= place[i])
        found[i] |= UINT64_C(1) << bit;
  }
  dun_free(count);
  return status;
}

int dun_order_statistics(struct dun_context *context, int status, int64_t n, const uint64_t *keys,
                         int m, const int64_t *place, double *value)
{
  uint64_t *found = dun_allocate(m, sizeof *found);
  if (!found)
    status = DUN_ERROR_MEMORY;
  status = find_keys(context, status, n, keys, m, place, found);
  for (int i = 0; i < m && status >= 0; i++)
    value[i] = dun_order_value(found[i]);
  dun_free(found);
  return status;
}

/* ---- ranks ----------------------------------------------------------------------------------- */

/* A key that occurs, and how often. */
struct multiple {
  uint64_t key;
  int64_t count;
};

/* What goes from and to each rank, in the integers that MPI counts with. */
struct traffic {
  int *count, *begin; /* [size + 1] each */
};

struct ranking {
  int64_t n, different; /* numbers, and different ones, of this rank */
  uint64_t *keys;       /* [2 n], sorted */
  uint32_t *place;      /* [2 n] */
  struct multiple *own; /* [different] */
  double *own_rank;     /* [different] */

  int64_t received;
  struct multiple *other; /* [received]: those of all ranks in this rank's stretch of keys */
  double *other_rank;     /* [received] */

  struct traffic out, in;
};

static void ranking_free(struct ranking *r)
{
  dun_free(r->keys);
  dun_free(r->place);
  dun_free(r->own);
  dun_free(r->own_rank);
  dun_free(r->other);
  dun_free(r->other_rank);
  dun_free(r->out.count);
  dun_free(r->out.begin);
  dun_free(r->in.count);
  dun_free(r->in.begin);
}

static int traffic_init(struct traffic *t, int size)
{
  t->count = dun_allocate(size + 1, sizeof *t->count);
  t->begin = dun_allocate(size + 1, sizeof *t->begin);
  return t->count && t->begin ? 0 : DUN_ERROR_MEMORY;
}

static int ranking_init(struct ranking *r, int size, int64_t n, const double *value)
{
  *r = (struct ranking){.n = n};
  if (traffic_init(&r->out, size) < 0 || traffic_init(&r->in, size) < 0)
    return DUN_ERROR_MEMORY;
  if (n > INT_MAX / 4)
    return dun_fail(DUN_ERROR_MEMORY,
                    "%lld draws on one rank are too many to sort: take more "
                    "ranks, or thin the chains",
                    (long long)n);
  r->keys = dun_allocate(2 * n, sizeof *r->keys);
  r->place = dun_allocate(2 * n, sizeof *r->place);
  if (!r->keys || !r->place)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++)
    r->keys[i] = dun_order_key(value[i]);
  dun_order_sort(n, r->keys, r->place);
  for (int64_t i = 0; i < n; i++)
    r->different += i == 0 || r->keys[i] != r->keys[i - 1];
  r->own = dun_allocate(r->different, sizeof *r->own);
  r->own_rank = dun_allocate(r->different, sizeof *r->own_rank);
  if (!r->own || !r->own_rank)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0, k = -1; i < n; i++) {
    k += i == 0 || r->keys[i] != r->keys[i - 1];
    r->own[k].key = r->keys[i];
    r->own[k].count++;
  }
  return 0;
}

/* The keys at which the stretches of ranks 1, 2, ... begin: equal shares of all numbers. */
static int split(struct dun_context *context, struct ranking *r, uint64_t *splitter)
{
  int size = context->size;
  int64_t total = r->n, *place = dun_allocate(size, sizeof *place);
  int status = dun_sum_integers(context, place ? 0 : DUN_ERROR_MEMORY, 1, &total);
  for (int k = 1; k < size && status >= 0; k++)
    place[k - 1] = (int64_t)((__int128)total * k / size);
  if (status >= 0 && size > 1)
    status = find_keys(context, 0, r->n, r->keys, size - 1, place, splitter);
  dun_free(place);
  return status;
}

static int64_t pairs_below(const struct ranking *r, uint64_t key)
{
  int64_t low = 0, high = r->different;
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (r->own[middle].key < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void fill_begins(struct traffic *t, int size)
{
  t->begin[0] = 0;
  for (int k = 0; k < size; k++)
    t->begin[k + 1] = t->begin[k] + t->count[k];
}

/* Sends every different key to the rank whose stretch it is in. */
static int send_keys(struct dun_context *context, struct ranking *r, MPI_Datatype type)
{
  int size = context->size, status;
  uint64_t *splitter = dun_allocate(size, sizeof *splitter);
  status = dun_agree(context, splitter ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = split(context, r, splitter);
  for (int k = 0; k < size && status >= 0; k++) {
    int64_t first = k > 0 ? pairs_below(r, splitter[k - 1]) : 0;
    int64_t end = k < size - 1 ? pairs_below(r, splitter[k]) : r->different;
    r->out.count[k] = (int)(end - first);
  }
  dun_free(splitter);
  if (status < 0)
    return status;
  MPI_Alltoall(r->out.count, 1, MPI_INT, r->in.count, 1, MPI_INT, context->comm);
  for (int k = 0; k < size; k++)
    r->received += r->in.count[k];
  if (r->received > INT_MAX / 4)
    status = dun_fail(DUN_ERROR_MEMORY, "%lld draws on one rank are too many to sort",
                      (long long)r->received);
  r->other = status < 0 ? NULL : dun_allocate(r->received, sizeof *r->other);
  r->other_rank = status < 0 ? NULL : dun_allocate(r->received, sizeof *r->other_rank);
  if (!r->other || !r->other_rank)
    status = DUN_ERROR_MEMORY;
  if ((status = dun_agree(context, status)) < 0)
    return status;
  fill_begins(&r->out, size);
  fill_begins(&r->in, size);
  MPI_Alltoallv(r->own, r->out.count, r->out.begin, type, r->other, r->in.count, r->in.begin, type,
                context->comm);
  context->bytes_sent += r->different * (int64_t)sizeof *r->own;
  context->collectives += 2;
  return 0;
}

/* The mean rank of equal keys that `before` numbers precede. */
static int rank_received(struct dun_context *context, struct ranking *r)
{
  int64_t n = r->received, own = 0;
  dun_u128 before = 0, total;
  uint64_t *keys = dun_allocate(2 * n, sizeof *keys);
  uint32_t *place = dun_allocate(2 * n, sizeof *place);
  int status = keys && place ? 0 : DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n && status == 0; i++) {
    keys[i] = r->other[i].key;
    own += r->other[i].count;
  }
  status = dun_prefix(context, status, (dun_u128)own, &before, &total);
  if (status >= 0)
    dun_order_sort(n, keys, place);
  for (int64_t first = 0, end; first < n && status >= 0; first = end) {
    int64_t equal = 0;
    for (end = first; end < n && keys[end] == keys[first]; end++)
      equal += r->other[place[end]].count;
    for (int64_t i = first; i < end; i++)
      r->other_rank[place[i]] = (double)before + .5 * (double)(equal + 1);
    before += (dun_u128)equal;
  }
  dun_free(keys);
  dun_free(place);
  return status;
}

static void give_back(struct dun_context *context, struct ranking *r, double *rank)
{
  MPI_Alltoallv(r->other_rank, r->in.count, r->in.begin, MPI_DOUBLE, r->own_rank, r->out.count,
                r->out.begin, MPI_DOUBLE, context->comm);
  context->bytes_sent += r->received * (int64_t)sizeof(double);
  context->collectives++;
  for (int64_t i = 0, k = -1; i < r->n; i++) {
    k += i == 0 || r->keys[i] != r->keys[i - 1];
    rank[r->place[i]] = r->own_rank[k];
  }
}

int dun_order_ranks(struct dun_context *context, int64_t n, const double *value, double *rank)
{
  struct ranking r;
  MPI_Datatype type;
  int status = dun_agree(context, ranking_init(&r, context->size, n, value));
  MPI_Type_contiguous(2, MPI_INT64_T, &type);
  MPI_Type_commit(&type);
  if (status >= 0)
    status = send_keys(context, &r, type);
  if (status >= 0)
    status = rank_received(context, &r);
  if (status >= 0)
    give_back(context, &r, rank);
  MPI_Type_free(&type);
  ranking_free(&r);
  return status;
}
