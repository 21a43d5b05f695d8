#include "learning/examples.h"
#include "base/error.h"
#include "base/memory.h"
#include "dunlin/target.h"
#include <math.h>

enum { L = DUN_LANES };

int dun_examples_init(struct dun_examples *s, int d,
                      void (*deal)(void *source, int64_t tile, double *x), void *source)
{
  int64_t all = s->count + s->held_back;
  double *tile = dun_allocate(d, L * sizeof *tile);
  int status = 0;
  dun_examples_free(s);
  s->d = d;
  s->x = dun_allocate(all * d, sizeof *s->x);
  if (!tile || !s->x)
    status = DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < all && status >= 0; i++) {
    if (i % L == 0)
      deal(source, i / L, tile);
    for (int64_t j = 0; j < d; j++) {
      s->x[i * d + j] = tile[j * L + i % L];
      if (!isfinite(s->x[i * d + j]))
        status = dun_fail(DUN_ERROR_INPUT, "example %lld: coordinate %lld is %g", (long long)i + 1,
                          (long long)j + 1, s->x[i * d + j]);
    }
  }
  dun_free(tile);
  return status;
}

void dun_examples_free(struct dun_examples *s)
{
  DUN_FREE(s->x);
}

void dun_examples_measure(const struct dun_examples *s, double *centre, double *scale)
{
  double n = (double)s->count, sum = 0;
  for (int64_t j = 0; j < s->d; j++)
    centre[j] = 0;
  for (int64_t i = 0; i < s->count; i++)
    for (int64_t j = 0; j < s->d; j++)
      centre[j] += s->x[i * s->d + j];
  for (int64_t j = 0; j < s->d; j++)
    centre[j] /= n;
  for (int64_t i = 0; i < s->count; i++)
    for (int64_t j = 0; j < s->d; j++) {
      double off = s->x[i * s->d + j] - centre[j];
      sum += off * off;
    }
  *scale = sqrt(sum / (n * (double)s->d));
}

/* ---- halves ---------------------------------------------------------------------------------- */

enum { ROUNDS = 200 };

/* <x - centre, v> of example i. */
static double height(const struct dun_examples *s, int64_t i, const double *centre, const double *v)
{
  double sum = 0;
  for (int64_t j = 0; j < s->d; j++)
    sum += (s->x[i * s->d + j] - centre[j]) * v[j];
  return sum;
}

/* v[d] of length 1 becomes the direction of the largest variance: the covariance applied again and
 * again; next[d] is scratch. */
static void find_direction(const struct dun_examples *s, const double *centre, double *v,
                           double *next)
{
  for (int64_t j = 0; j < s->d; j++) /* no direction that data are likely to be orthogonal to */
    v[j] = 1 + .1 * sin((double)j);
  for (int round = 0; round < ROUNDS; round++) {
    double square = 0;
    for (int64_t j = 0; j < s->d; j++)
      next[j] = 0;
    for (int64_t i = 0; i < s->count; i++) {
      double by = height(s, i, centre, v);
      for (int64_t j = 0; j < s->d; j++)
        next[j] += by * (s->x[i * s->d + j] - centre[j]);
    }
    for (int64_t j = 0; j < s->d; j++)
      square += next[j] * next[j];
    for (int64_t j = 0; j < s->d && square > 0; j++)
      v[j] = next[j] / sqrt(square);
  }
}

static double sign_of_largest(int64_t d, const double *v)
{
  double largest = 0;
  for (int64_t j = 0; j < d; j++)
    largest = fabs(v[j]) > fabs(largest) ? v[j] : largest;
  return largest < 0 ? -1 : 1;
}

int dun_examples_halve(struct dun_examples *s, int upper, double *share)
{
  int64_t kept = 0, learned = 0, all = s->count + s->held_back;
  double *centre = dun_allocate(s->d, 3 * sizeof *centre), scale;
  if (!centre)
    return DUN_ERROR_MEMORY;
  double *v = centre + s->d;
  dun_examples_measure(s, centre, &scale);
  find_direction(s, centre, v, v + s->d);
  double sign = sign_of_largest(s->d, v);
  for (int64_t i = 0; i < all; i++) {
    if ((sign * height(s, i, centre, v) >= 0) != upper)
      continue;
    for (int64_t j = 0; j < s->d; j++)
      s->x[kept * s->d + j] = s->x[i * s->d + j];
    kept++;
    learned += i < s->count;
  }
  dun_free(centre);
  *share = (double)learned / (double)s->count;
  s->count = learned;
  s->held_back = kept - learned;
  if (s->count > 0 && s->held_back > 0)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "examples: none lie in the half that is asked for");
}

/* ---- turns ----------------------------------------------------------------------------------- */

enum { ROUNDS_OF_TURNS = 4 };

/* What a round adds to a half: 32 bits, of which as many count as a half has. */
static uint32_t mix_of(struct dun_address address, uint32_t epoch, uint32_t round, uint32_t right)
{
  const uint32_t key[2] = {(uint32_t)address.seed, (uint32_t)(address.seed >> 32)};
  const uint32_t counter[4] = {right, round, epoch,
                               (uint32_t)address.purpose << 16 | address.replicate};
  uint32_t word[4];
  dun_philox(counter, key, word);
  return word[0];
}

/* A keyed permutation of 0 .. 4^half - 1: four rounds of Feistel's network; mix[4][2^half] or NULL:
 * they are asked for. */
static uint64_t permute(uint64_t x, int half, struct dun_address address, uint32_t epoch,
                        const uint32_t *mix)
{
  const uint64_t mask = (UINT64_C(1) << half) - 1;
  uint64_t left = x >> half, right = x & mask;
  for (uint32_t round = 0; round < ROUNDS_OF_TURNS; round++) {
    uint32_t word = mix ? mix[((uint64_t)round << half) + right]
                        : mix_of(address, epoch, round, (uint32_t)right);
    uint64_t mixed = left ^ (word & mask);
    left = right;
    right = mixed;
  }
  return left << half | right;
}

/* 4^half is at least the number of examples. */
static int half_of(const struct dun_examples *s)
{
  int half = 1;
  while (half < 31 && (int64_t)1 << 2 * half < s->count)
    half++;
  return half;
}

static int64_t turn(const struct dun_examples *s, struct dun_address address, int64_t i,
                    const uint32_t *mix)
{
  uint64_t number = (uint64_t)(i % s->count);
  int half = half_of(s);
  do /* around again until it is one of them: fewer than 4 times on the whole */
    number = permute(number, half, address, (uint32_t)(i / s->count), mix);
  while (number >= (uint64_t)s->count);
  return (int64_t)number;
}

int64_t dun_examples_turn(const struct dun_examples *s, struct dun_address address, int64_t i)
{
  return turn(s, address, i, NULL);
}

int dun_examples_order_init(struct dun_examples_order *order, const struct dun_examples *s)
{
  dun_examples_order_free(order);
  order->mix = dun_allocate((int64_t)ROUNDS_OF_TURNS << half_of(s), sizeof *order->mix);
  return order->mix ? 0 : DUN_ERROR_MEMORY;
}

void dun_examples_order_free(struct dun_examples_order *order)
{
  DUN_FREE(order->mix);
  order->epoch = -1;
}

int64_t dun_examples_order_turn(struct dun_examples_order *order, const struct dun_examples *s,
                                struct dun_address address, int64_t i)
{
  const struct dun_address *of = &order->address;
  int half = half_of(s);
  int same = order->epoch == i / s->count && of->seed == address.seed &&
             of->purpose == address.purpose && of->replicate == address.replicate;
  if (!same) {
    order->epoch = i / s->count;
    order->address = address;
    for (uint32_t round = 0; round < ROUNDS_OF_TURNS; round++)
      for (uint32_t right = 0; right < (uint32_t)1 << half; right++)
        order->mix[((uint64_t)round << half) + right] =
            mix_of(address, (uint32_t)order->epoch, round, right);
  }
  return turn(s, address, i, order->mix);
}
