#include "numerics/order.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include <limits.h>
#include <math.h>
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

static uint64_t distance_key(uint64_t key, double centre)
{
  return dun_order_key(fabs(dun_order_value(key) - centre));
}

struct sorting {
  int64_t n;
  uint64_t *from, *to;
  uint32_t *from_place, *to_place;
};

/* Sorts by the digits from `digit` on. */
static void sort_digits(struct sorting *s, int digit)
{
  for (; digit < DIGITS && s->n > 0; digit++) {
    if (!pass(s->n, digit, s->from, s->from_place, s->to, s->to_place))
      continue;
    uint64_t *keys_left = s->from;
    uint32_t *place_left = s->from_place;
    s->from = s->to, s->to = keys_left;
    s->from_place = s->to_place, s->to_place = place_left;
  }
}

/* Puts right what the low digits leave to do behind the high ones; 0 where that is a long way. */
static int insert_all(struct sorting *s)
{
  enum { FAR = 32 };
  uint64_t *keys = s->from;
  uint32_t *place = s->from_place;
  for (int64_t i = 1; i < s->n; i++) {
    uint64_t key = keys[i];
    uint32_t own = place[i];
    int64_t at = i;
    for (; at > 0 && keys[at - 1] > key && i - at < FAR; at--) {
      keys[at] = keys[at - 1];
      place[at] = place[at - 1];
    }
    keys[at] = key;
    place[at] = own;
    if (i - at == FAR)
      return 0;
  }
  return 1;
}

/* Of numbers that are spread out, the high digits tell nearly all. */
void dun_order_sort(int64_t n, uint64_t *keys, uint32_t *place)
{
  struct sorting s = {n, keys, keys + n, place, place + n};
  for (int64_t i = 0; i < n; i++)
    place[i] = (uint32_t)i;
  sort_digits(&s, n < 1 << 20 ? 3 : 2);
  if (!insert_all(&s))
    sort_digits(&s, 0);
  if (s.from != keys) {
    memcpy(keys, s.from, (size_t)n * sizeof *keys);
    memcpy(place, s.from_place, (size_t)n * sizeof *place);
  }
}

/* A block of at least so many items, the one that is there if it is large enough. */
static void *reuse(void *block, int64_t items, size_t size)
{
  if (block && dun_block_bytes(block) >= items * (int64_t)size)
    return block;
  dun_free(block);
  return dun_allocate(items, size);
}

int dun_order_set(struct dun_order *order, int64_t n, const double *value)
{
  order->n = n;
  if (n > INT_MAX / 4)
    return dun_fail(DUN_ERROR_MEMORY,
                    "%lld draws on one rank are too many to sort: take more "
                    "ranks, or thin the chains",
                    (long long)n);
  order->keys = reuse(order->keys, 2 * n, sizeof *order->keys);
  order->place = reuse(order->place, 2 * n, sizeof *order->place);
  if (!order->keys || !order->place)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n; i++)
    order->keys[i] = dun_order_key(value[i]);
  dun_order_sort(n, order->keys, order->place);
  return 0;
}

void dun_order_free(struct dun_order *order)
{
  DUN_FREE(order->keys);
  DUN_FREE(order->place);
  for (int i = 0; i < DUN_ORDER_ROOMS; i++)
    DUN_FREE(order->room[i]);
}

/* What lies on either side of the centre is in order already. */
void dun_order_fold(struct dun_order *order, double centre)
{
  int64_t n = order->n, above = below(n, order->keys, dun_order_key(centre)), under = above - 1;
  uint64_t *keys = order->keys + n;
  uint32_t *place = order->place + n;
  for (int64_t i = 0; i < n; i++) {
    uint64_t low = under < 0 ? UINT64_MAX : distance_key(order->keys[under], centre);
    uint64_t high = above == n ? UINT64_MAX : distance_key(order->keys[above], centre);
    int64_t from = low < high ? under-- : above++;
    keys[i] = low < high ? low : high;
    place[i] = order->place[from];
  }
  memcpy(order->keys, keys, (size_t)n * sizeof *keys);
  memcpy(order->place, place, (size_t)n * sizeof *place);
}

/* ---- order statistics ------------------------------------------------------------------------ */

/* Bits of each key that one reduction brings: of few keys many. */
static int bits_of(int m)
{
  return m <= 16 ? 8 : 4;
}

/* A key that is looked for: the bits known of it, the local keys that share them, and how many keys
 * of all ranks are below it. */
struct search {
  uint64_t key;
  int64_t low, high, before;
};

/* Local counts below the next candidates; 0 stands for the key itself. */
static void count_below(const uint64_t *keys, const struct search *s, int shift, int choices,
                        int64_t *count)
{
  int64_t from = s->low;
  for (uint64_t c = 1; c <= (uint64_t)choices; c++) {
    from += below(s->high - from, keys + from, s->key | c << shift);
    count[c - 1] = from;
  }
}

/* `own` are the local counts, `count` those of all ranks. */
static void take_bits(struct search *s, int64_t place, int shift, int choices, const int64_t *own,
                      const int64_t *count)
{
  int chosen = 0;
  while (chosen < choices && count[chosen] <= place)
    chosen++;
  s->key |= (uint64_t)chosen << shift;
  s->high = chosen < choices ? own[chosen] : s->high;
  if (chosen > 0) {
    s->low = own[chosen - 1];
    s->before = count[chosen - 1];
  }
}

static int64_t farthest(int m, const struct search *s, const int64_t *place)
{
  int64_t most = 0;
  for (int i = 0; i < m; i++)
    most = place[i] - s[i].before > most ? place[i] - s[i].before : most;
  return most;
}

/* The largest keys with at most place[m] keys of all ranks below them, bits from the top; ends as
 * soon as there are not less than place[m] - slack, which may be -1. */
static int find_keys(struct dun_context *context, int status, int64_t n, const uint64_t *keys,
                     int m, const int64_t *place, int64_t slack, uint64_t *found)
{
  const int bits = bits_of(m), choices = (1 << bits) - 1;
  struct search *s = dun_allocate(m, sizeof *s);
  int64_t *own = dun_allocate(2 * m * choices, sizeof *own), *count = own + m * choices;
  status = dun_agree(context, status < 0 || (s && own) ? status : DUN_ERROR_MEMORY);
  for (int i = 0; i < m && status >= 0; i++)
    s[i] = (struct search){.high = n};
  for (int shift = 64 - bits; shift >= 0 && status >= 0 && farthest(m, s, place) > slack;
       shift -= bits) {
    for (int i = 0; i < m; i++)
      count_below(keys, &s[i], shift, choices, own + i * choices);
    memcpy(count, own, (size_t)m * (size_t)choices * sizeof *count);
    status = dun_sum_integers(context, 0, m * choices, count);
    for (int i = 0; i < m && status >= 0; i++)
      take_bits(&s[i], place[i], shift, choices, own + i * choices, count + i * choices);
  }
  for (int i = 0; i < m && status >= 0; i++)
    found[i] = s[i].key;
  dun_free(s);
  dun_free(own);
  return status;
}

int dun_order_statistics(struct dun_context *context, const struct dun_order *order, int m,
                         const int64_t *place, double *value)
{
  uint64_t *found = dun_allocate(m, sizeof *found);
  int status =
      find_keys(context, found ? 0 : DUN_ERROR_MEMORY, order->n, order->keys, m, place, -1, found);
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
  struct dun_order *order;
  int64_t different;    /* numbers of this rank */
  struct multiple *own; /* [different], a room of the order as all that follow */
  double *own_rank;     /* [different] */

  int64_t received;
  struct multiple *other; /* [received]: those of all ranks in this rank's stretch of keys */
  double *other_rank;     /* [received] */

  struct traffic out, in;
};

/* Of the order's scratch. */
enum room { OWN, OWN_RANK, OTHER, OTHER_RANK, KEYS, PLACE };

static void ranking_free(struct ranking *r)
{
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

static void *room(struct ranking *r, enum room which, int64_t items, size_t size)
{
  return r->order->room[which] = reuse(r->order->room[which], items, size);
}

static int ranking_init(struct ranking *r, int size, struct dun_order *order)
{
  const uint64_t *keys = order->keys;
  *r = (struct ranking){.order = order};
  if (traffic_init(&r->out, size) < 0 || traffic_init(&r->in, size) < 0)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < order->n; i++)
    r->different += i == 0 || keys[i] != keys[i - 1];
  r->own = room(r, OWN, r->different, sizeof *r->own);
  r->own_rank = room(r, OWN_RANK, r->different, sizeof *r->own_rank);
  if (!r->own || !r->own_rank)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0, k = -1; i < order->n; i++) {
    k += i == 0 || keys[i] != keys[i - 1];
    r->own[k].count = i == 0 || keys[i] != keys[i - 1] ? 1 : r->own[k].count + 1;
    r->own[k].key = keys[i];
  }
  return 0;
}

/* The keys at which the stretches of ranks 1, 2, ... begin: equal shares of all numbers, about. */
static int split(struct dun_context *context, struct ranking *r, uint64_t *splitter)
{
  int size = context->size;
  int64_t total = r->order->n, *place = dun_allocate(size, sizeof *place);
  int status = dun_sum_integers(context, place ? 0 : DUN_ERROR_MEMORY, 1, &total);
  for (int k = 1; k < size && status >= 0; k++)
    place[k - 1] = (int64_t)((__int128)total * k / size);
  if (status >= 0 && size > 1)
    status = find_keys(context, 0, r->order->n, r->order->keys, size - 1, place, total / size / 16,
                       splitter);
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
  r->other = status < 0 ? NULL : room(r, OTHER, r->received, sizeof *r->other);
  r->other_rank = status < 0 ? NULL : room(r, OTHER_RANK, r->received, sizeof *r->other_rank);
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

/* Merges two sorted stretches that stand one behind the other. */
static void merge(const int64_t begin[3], const uint64_t *keys, const uint32_t *place,
                  uint64_t *to_keys, uint32_t *to_place)
{
  int64_t a = begin[0], b = begin[1];
  for (int64_t i = begin[0]; i < begin[2]; i++) {
    int64_t from = a < begin[1] && (b == begin[2] || keys[a] <= keys[b]) ? a++ : b++;
    to_keys[i] = keys[from];
    to_place[i] = place[from];
  }
}

/* Sorts keys[2 n] that are sorted stretches, from in->begin[k] on, two by two. */
static void merge_all(const struct traffic *in, int size, int64_t n, uint64_t *keys,
                      uint32_t *place)
{
  uint64_t *from = keys, *to = keys + n;
  uint32_t *from_place = place, *to_place = place + n;
  for (int64_t width = 1; width < size; width *= 2) {
    for (int64_t k = 0; k < size; k += 2 * width) {
      int64_t middle = k + width < size ? k + width : size, end = middle + width;
      int64_t begin[3] = {in->begin[k], in->begin[middle], in->begin[end < size ? end : size]};
      merge(begin, from, from_place, to, to_place);
    }
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

/* The mean rank of equal keys that `before` numbers precede. */
static int rank_received(struct dun_context *context, struct ranking *r)
{
  int64_t n = r->received, own = 0;
  dun_u128 before = 0, total;
  uint64_t *keys = room(r, KEYS, 2 * n, sizeof *keys);
  uint32_t *place = room(r, PLACE, 2 * n, sizeof *place);
  int status = keys && place ? 0 : DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < n && status == 0; i++) {
    keys[i] = r->other[i].key;
    place[i] = (uint32_t)i;
    own += r->other[i].count;
  }
  status = dun_prefix(context, status, (dun_u128)own, &before, &total);
  if (status >= 0)
    merge_all(&r->in, context->size, n, keys, place);
  for (int64_t first = 0, end; first < n && status >= 0; first = end) {
    int64_t equal = 0;
    for (end = first; end < n && keys[end] == keys[first]; end++)
      equal += r->other[place[end]].count;
    for (int64_t i = first; i < end; i++)
      r->other_rank[place[i]] = (double)before + .5 * (double)(equal + 1);
    before += (dun_u128)equal;
  }
  return status;
}

static void give_back(struct dun_context *context, struct ranking *r, double *rank)
{
  MPI_Alltoallv(r->other_rank, r->in.count, r->in.begin, MPI_DOUBLE, r->own_rank, r->out.count,
                r->out.begin, MPI_DOUBLE, context->comm);
  context->bytes_sent += r->received * (int64_t)sizeof(double);
  context->collectives++;
  const uint64_t *keys = r->order->keys;
  for (int64_t i = 0, k = -1; i < r->order->n; i++) {
    k += i == 0 || keys[i] != keys[i - 1];
    rank[r->order->place[i]] = r->own_rank[k];
  }
}

int dun_order_ranks(struct dun_context *context, struct dun_order *order, double *rank)
{
  struct ranking r;
  MPI_Datatype type;
  int status = dun_agree(context, ranking_init(&r, context->size, order));
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
