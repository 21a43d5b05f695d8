/* Bit 0 of digit 0 weighs 2^-1074, the least subnormal. */
#include "base/exact.h"
#include <math.h>
#include <string.h>

enum { ADDS = 1 << 30 }; /* each moves a digit by less than 2^32, so it stays below 2^63 */

enum { PLUS_INFINITY, MINUS_INFINITY, NOT_A_NUMBER };

static void add_odd(struct dun_exact *sum, uint64_t bits)
{
  if (bits & 0xfffffffffffffu)
    sum->odd[NOT_A_NUMBER]++;
  else
    sum->odd[bits >> 63 ? MINUS_INFINITY : PLUS_INFINITY]++;
}

void dun_exact_add(struct dun_exact *sum, double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  int exponent = (int)(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff) {
    add_odd(sum, bits);
    return;
  }
  if (sum->added >= ADDS)
    dun_exact_carry(sum);
  uint64_t mantissa = (bits & 0xfffffffffffffu) | (uint64_t)(exponent != 0) << 52;
  int place = exponent - (exponent != 0), shift = place & 31;
  int64_t *digit = sum->digit + (place >> 5), sign = -(int64_t)(bits >> 63);
  uint64_t low = mantissa << shift, high = mantissa >> (32 - shift) >> 32;
  digit[0] += ((int64_t)(low & 0xffffffffu) ^ sign) - sign;
  digit[1] += ((int64_t)(low >> 32) ^ sign) - sign;
  digit[2] += ((int64_t)high ^ sign) - sign;
  sum->added++;
}

void dun_exact_carry(struct dun_exact *sum)
{
  int64_t carry = 0;
  for (int i = 0; i < DUN_EXACT_DIGITS - 1; i++) {
    int64_t digit = sum->digit[i] + carry;
    carry = digit >> 32;
    sum->digit[i] = digit & 0xffffffff;
  }
  sum->digit[DUN_EXACT_DIGITS - 1] += carry;
  sum->added = 1; /* digits below 2^32: no more than one number adds */
}

static void negate(struct dun_exact *sum)
{
  for (int i = 0; i < DUN_EXACT_DIGITS; i++)
    sum->digit[i] = -sum->digit[i];
  dun_exact_carry(sum);
}

/* The double of a carried sum >= 0: 65 to 96 leading bits, of which the last also stands for all
 * that is left out, are rounded to 53. */
static double rounded(const struct dun_exact *sum)
{
  int top = DUN_EXACT_DIGITS - 1, rest = 0;
  while (top > 0 && sum->digit[top] == 0)
    top--;
  if (top == DUN_EXACT_DIGITS - 1)
    return INFINITY;
  unsigned __int128 window = 0;
  for (int i = 0; i < 3; i++)
    window = window << 32 | (uint64_t)(top >= i ? sum->digit[top - i] : 0);
  for (int i = 0; i < top - 2; i++)
    rest |= sum->digit[i] != 0;
  window |= (unsigned)rest;
  int length = 64;
  while (length < 96 && window >> length)
    length++;
  int drop = length - 53, place = 32 * (top - 2) + drop; /* of the last bit that is kept */
  uint64_t bits = (uint64_t)(window >> drop);
  if (place <= 0) { /* subnormal, or the least normal binade: exact */
    bits = (uint64_t)(window >> (drop - place));
  } else {
    unsigned __int128 half = (unsigned __int128)1 << (drop - 1), cut = window & (2 * half - 1);
    bits += cut > half || (cut == half && (bits & 1));
    bits += (uint64_t)place << 52; /* the leading bit counts as one of the exponent */
  }
  if (bits >> 52 >= 0x7ff)
    return INFINITY;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

double dun_exact_value(struct dun_exact *sum)
{
  if (sum->odd[NOT_A_NUMBER] || (sum->odd[PLUS_INFINITY] && sum->odd[MINUS_INFINITY]))
    return NAN;
  if (sum->odd[PLUS_INFINITY] || sum->odd[MINUS_INFINITY])
    return sum->odd[PLUS_INFINITY] ? INFINITY : -INFINITY;
  dun_exact_carry(sum);
  if (sum->digit[DUN_EXACT_DIGITS - 1] >= 0)
    return rounded(sum);
  struct dun_exact minus = *sum;
  negate(&minus);
  return -rounded(&minus);
}
