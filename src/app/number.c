#include "app/number.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The place of the first digit: 0 of 1 to 9.99. */
static int place_of(double size)
{
  return (int)floor(log10(size));
}

static int is_size(double value)
{
  return value > 0 && value < INFINITY;
}

/* Decimals that are worth telling; may be negative.  A double has 16 digits. */
static int decimals_of(double value, double error, double spread)
{
  int decimals = is_size(error) ? 1 - place_of(error) : 2 - place_of(spread);
  int most = is_size(fabs(value)) ? 15 - place_of(fabs(value)) : decimals;
  return decimals < most ? decimals : most;
}

static void print_value(char *text, double value, int decimals)
{
  int digits = is_size(fabs(value)) ? decimals + place_of(fabs(value)) + 1 : 1;
  if (fabs(value) >= 1e15 || decimals > 17)
    snprintf(text, DUN_NUMBER_TEXT, "%.*e", digits < 1 ? 0 : digits > 16 ? 15 : digits - 1, value);
  else
    snprintf(text, DUN_NUMBER_TEXT, "%.*f", decimals > 0 ? decimals : 0, value);
}

struct dun_number dun_number_of(double value, double error, double spread)
{
  struct dun_number number = {"", ""};
  int decimals;
  if (isnan(value) || (!is_size(error) && !is_size(spread))) {
    dun_number_print(number.value, "%.6g", value);
    dun_number_print(number.error, "%.2g", error);
    return number;
  }
  decimals = decimals_of(value, error, spread);
  print_value(number.value, value, decimals);
  if (is_size(error) && error < 1e6 && decimals <= 6 && fabs(value) < 1e15)
    snprintf(number.error, sizeof number.error, "%.*f", decimals > 0 ? decimals : 0, error);
  else
    dun_number_print(number.error, "%.2g", error);
  return number;
}

const char *dun_number_print(char text[DUN_NUMBER_TEXT], const char *format, double value)
{
  if (isnan(value))
    strcpy(text, "-");
  else
    snprintf(text, DUN_NUMBER_TEXT, format, value);
  return text;
}

int dun_spread_is_real(double mean, double deviation)
{
  return deviation > 8 * DBL_EPSILON * fabs(mean);
}
