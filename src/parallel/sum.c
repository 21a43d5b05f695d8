/* Every message of a reduction begins with the number of ranks that failed, so that all learn of
 * it in the same call; only then dun_agree is asked who and why. */
#include "parallel/sum.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include <math.h>
#include <string.h>

enum {
  PIECE = (8 << 20) / 8, /* numbers in one message */
  ODD = 3,
  WORDS = DUN_EXACT_DIGITS + ODD, /* of one accumulator in a message */
};

DUN_CLONES double dun_fold(const double *lanes)
{
  return dun_fold_lanes(lanes);
}

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* Room for `words` numbers.  The capacity is the same everywhere, so all ranks come here to grow
 * it, or none does; a rank without memory then takes all with it. */
static int reserve(struct dun_context *context, int status, int64_t words)
{
  if (words <= context->capacity)
    return 0;
  int64_t *buffer = dun_allocate(words, sizeof *buffer);
  status = dun_agree(context, buffer || status < 0 ? status : DUN_ERROR_MEMORY);
  if (status < 0) {
    dun_free(buffer);
    return status;
  }
  dun_free(context->buffer);
  context->buffer = buffer;
  context->capacity = words;
  return 0;
}

/* Reduces the buffer's first `words` numbers in place. */
static void reduce(struct dun_context *context, int64_t words, MPI_Datatype type, MPI_Op operation)
{
  MPI_Allreduce(MPI_IN_PLACE, context->buffer, (int)words, type, operation, context->comm);
  context->collectives++;
  context->bytes_sent += words * (int64_t)sizeof(int64_t);
}

static void pack(int64_t count, struct dun_exact *sum, int64_t *words)
{
  for (int64_t i = 0; i < count; i++, words += WORDS) {
    dun_exact_carry(&sum[i]);
    memcpy(words, sum[i].digit, sizeof sum[i].digit);
    memcpy(words + DUN_EXACT_DIGITS, sum[i].odd, sizeof sum[i].odd);
  }
}

static void unpack(int64_t count, const int64_t *words, double *total)
{
  for (int64_t i = 0; i < count; i++, words += WORDS) {
    struct dun_exact sum = {.added = 1};
    memcpy(sum.digit, words, sizeof sum.digit);
    memcpy(sum.odd, words + DUN_EXACT_DIGITS, sizeof sum.odd);
    total[i] = dun_exact_value(&sum);
  }
}

int dun_sum(struct dun_context *context, int status, int64_t m, struct dun_exact *sum,
            double *total)
{
  int64_t step = least(m, (PIECE - 1) / WORDS), done = 0;
  int agreed = reserve(context, status, 1 + step * WORDS);
  if (agreed < 0)
    return agreed;
  do {
    int64_t *buffer = context->buffer, count = least(step, m - done), words = 1 + count * WORDS;
    memset(buffer, 0, (size_t)words * sizeof *buffer);
    buffer[0] = status < 0;
    if (status >= 0)
      pack(count, sum + done, buffer + 1);
    reduce(context, words, MPI_INT64_T, MPI_SUM);
    if (buffer[0])
      return dun_agree(context, status);
    unpack(count, buffer + 1, total + done);
    done += count;
  } while (done < m);
  return 0;
}

static int refuse_nan(int64_t m, const double *value)
{
  for (int64_t i = 0; i < m; i++)
    if (isnan(value[i]))
      return dun_fail(DUN_ERROR_NUMERIC, "Number %lld of a maximum over the ranks is NaN.",
                      (long long)i);
  return 0;
}

int dun_max(struct dun_context *context, int status, int64_t m, double *value)
{
  int64_t step = least(m, PIECE - 1), done = 0;
  if (status >= 0)
    status = refuse_nan(m, value);
  int agreed = reserve(context, status, 1 + step);
  if (agreed < 0)
    return agreed;
  do {
    double *buffer = context->buffer;
    int64_t count = least(step, m - done);
    buffer[0] = status < 0;
    for (int64_t i = 0; i < count; i++)
      buffer[1 + i] = status < 0 ? 0 : value[done + i] + 0.;
    reduce(context, 1 + count, MPI_DOUBLE, MPI_MAX);
    if (buffer[0] > 0)
      return dun_agree(context, status);
    for (int64_t i = 0; i < count; i++)
      value[done + i] = buffer[1 + i];
    done += count;
  } while (done < m);
  return 0;
}

/* Words of 8 bytes, whatever they are taken for. */
static int sum_words(struct dun_context *context, int status, int64_t m, void *value)
{
  int64_t step = least(m, PIECE - 1), done = 0;
  int agreed = reserve(context, status, 1 + step);
  if (agreed < 0)
    return agreed;
  do {
    int64_t *buffer = context->buffer, count = least(step, m - done);
    size_t bytes = (size_t)count * sizeof *buffer;
    char *piece = (char *)value + (size_t)done * sizeof *buffer;
    buffer[0] = status < 0;
    if (status < 0)
      memset(buffer + 1, 0, bytes);
    else if (bytes)
      memcpy(buffer + 1, piece, bytes);
    reduce(context, 1 + count, MPI_INT64_T, MPI_SUM);
    if (buffer[0])
      return dun_agree(context, status);
    if (bytes)
      memcpy(piece, buffer + 1, bytes);
    done += count;
  } while (done < m);
  return 0;
}

int dun_sum_integers(struct dun_context *context, int status, int64_t m, int64_t *value)
{
  return sum_words(context, status, m, value);
}

int dun_share(struct dun_context *context, int status, int64_t m, double *value)
{
  return sum_words(context, status, m, value);
}

enum { LIMBS = 4 }; /* of 32 bits in int64: 2^31 of them can be added */

static dun_u128 joined(const int64_t *limb)
{
  dun_u128 value = 0;
  for (int i = 0; i < LIMBS; i++)
    value += (dun_u128)limb[i] << (32 * i);
  return value;
}

int dun_prefix(struct dun_context *context, int status, dun_u128 value, dun_u128 *before,
               dun_u128 *total)
{
  int64_t own[LIMBS], sum[LIMBS], lower[LIMBS] = {0};
  for (int i = 0; i < LIMBS; i++)
    sum[i] = own[i] = (int64_t)(value >> (32 * i) & 0xffffffff);
  status = dun_sum_integers(context, status, LIMBS, sum);
  if (status < 0)
    return status;
  MPI_Exscan(own, lower, LIMBS, MPI_INT64_T, MPI_SUM, context->comm);
  context->collectives++;
  context->bytes_sent += (int64_t)sizeof own;
  *before = context->rank > 0 ? joined(lower) : 0; /* MPI leaves rank 0's undefined */
  *total = joined(sum);
  return 0;
}
