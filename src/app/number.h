/* Numbers as people read them: as many digits as an error or a spread gives sense to, and a dash
 * where nothing is known. */
#ifndef DUNLIN_APP_NUMBER_H
#define DUNLIN_APP_NUMBER_H

enum { DUN_NUMBER_TEXT = 32 };
struct dun_number {
  char value[DUN_NUMBER_TEXT], error[DUN_NUMBER_TEXT];
};

/* A value to two digits of its error; of one whose error is not known (NAN, printed as a dash) to
 * three digits of the spread of what it was made from; to six digits if nothing is known.  Never
 * to more digits than a double has. */
struct dun_number dun_number_of(double value, double error, double spread);

/* snprintf of one number, or a dash if it is NAN; returns `text`. */
const char *dun_number_print(char text[DUN_NUMBER_TEXT], const char *format, double value);

/* Whether a spread about a mean is more than the rounding of equal numbers leaves. */
int dun_spread_is_real(double mean, double deviation);

#endif
