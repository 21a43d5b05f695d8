/* Numbers as people read them: digits follow errors and spreads, and nothing known is a dash. */
#include "app/lines.h"
#include "app/number.h"
#include "base/text.h"
#include "check.h"
#include "methods/run.h"

static void tells(double value, double error, double spread, const char *text, const char *more)
{
  struct dun_number number = dun_number_of(value, error, spread);
  if (strcmp(number.value, text) != 0 || strcmp(number.error, more) != 0) {
    fprintf(stderr, "%g ± %g (%g): found '%s' ± '%s', expected '%s' ± '%s'\n", value, error, spread,
            number.value, number.error, text, more);
    test_bad++;
  }
}

static void test_digits(void)
{
  tells(1.23456, .0123, 1, "1.235", "0.012");
  tells(-1 + 6.1e-9, 1.6e-8, 1e-7, "-0.999999994", "1.6e-08");
  tells(-1 - 1.65e-7, 1.6e-8, 1e-7, "-1.000000165", "1.6e-08");
  tells(123456789.061, .032, 1, "123456789.061", "0.032");
  tells(12345.6, 123, 1e3, "12346", "123");
  tells(6.1e18, 3.2e18, 1e20, "6.1e+18", "3.2e+18");
  tells(-1.6536e-200, 7.6e-202, 0, "-1.654e-200", "7.6e-202");
  tells(0, .01, 1, "0.000", "0.010");
  tells(.0996, .0996, 1, "0.100", "0.100");
}

static void test_unknown_errors(void)
{
  tells(-1 - 1.65e-7, NAN, 1e-7, "-1.000000165", "-");
  tells(-1. / 3, NAN, 0, "-0.333333", "-");
  tells(1234.5678, NAN, 12, "1234.6", "-");
  tells(NAN, NAN, NAN, "-", "-");
  tells(-NAN, .1, 1, "-", "0.1");
  tells(-1000, 0, NAN, "-1000", "0");
  tells(-INFINITY, NAN, NAN, "-inf", "-");
  tells(1. / 3, 1e-30, 1, "0.3333333333333333", "1e-30");
}

/* No value, however odd, leaves the room of its text or is a word that nobody knows. */
static void test_any(void)
{
  const double odd[] = {0, 1, -1, 1e-320, 1e308, -1e-5, 9.9999e14, 1e15, 3e16, INFINITY, NAN};
  enum { COUNT = sizeof odd / sizeof *odd };
  for (int i = 0; i < COUNT * COUNT * COUNT; i++) {
    struct dun_number number =
        dun_number_of(odd[i % COUNT], fabs(odd[i / COUNT % COUNT]), fabs(odd[i / COUNT / COUNT]));
    CHECK(strlen(number.value) < DUN_NUMBER_TEXT - 1 && !strstr(number.value, "nan"));
    CHECK(strlen(number.error) < DUN_NUMBER_TEXT - 1 && !strstr(number.error, "nan"));
  }
}

/* The rounding of equal numbers is no spread. */
static void test_spread(void)
{
  CHECK(!dun_spread_is_real(-1. / 3, 5e-17) && !dun_spread_is_real(1e20, 1e4));
  CHECK(dun_spread_is_real(-1, 1e-14) && dun_spread_is_real(0, 1e-300));
  CHECK(!dun_spread_is_real(0, 0) && !dun_spread_is_real(1, NAN));
}

static void says(const char *before, const char *after)
{
  char text[40];
  snprintf(text, sizeof text, "%s", before);
  dun_text_tell_nan(text, sizeof text, "unknown");
  if (strcmp(text, after) != 0) {
    fprintf(stderr, "'%s' became '%s', expected '%s'\n", before, text, after);
    test_bad++;
  }
}

static void test_sentences(void)
{
  struct dun_diagnosis diagnosis = {0};
  says("0.01, -nan errors", "0.01, unknown errors");
  says("nan", "unknown");
  says("is nan; nan.", "is unknown; unknown.");
  says("banana nano x[nan] 'nan' _nan", "banana nano x[nan] 'nan' _nan");
  says("the words before it leave no room nan", "the words before it leave no room nan");
  says("those before it leave little room nan x", "those before it leave little room nan x");
  says("a sentence of some length: nan, and so", "a sentence of some length: unknown, and");
  dun_diagnose(&diagnosis, "a", DUN_GOOD, "%.1f errors", -NAN);
  CHECK(!strcmp(diagnosis.verdict[0].text, "unknown errors"));
}

/* Every column is as wide as what stands in it, in letters, not bytes. */
static void test_lines(void)
{
  static const double probability[DUN_QUANTILES] = {.05, .5, .95};
  struct dun_summary_line line[2] = {{.name = "coefficients[gr\xc3\xb6\xc3\x9f"
                                              "e]",
                                      .mean = 1,
                                      .error = .1,
                                      .deviation = 1,
                                      .rhat = NAN,
                                      .ess_bulk = NAN,
                                      .ess_tail = NAN},
                                     {.name = "x",
                                      .mean = -123456789,
                                      .error = NAN,
                                      .deviation = NAN,
                                      .rhat = 1,
                                      .ess_bulk = 1e9}};
  for (int mixing = 0; mixing < 2; mixing++) {
    struct dun_text out = {0};
    int columns[3] = {0}, row = 0;
    dun_lines_tell(&out, line, 2, mixing, 1, probability);
    for (const char *c = out.text; *c && row < 3; c++) {
      columns[row] += *c != '\n' && ((unsigned char)*c & 0xc0) != 0x80;
      row += *c == '\n';
    }
    CHECK(row == 3 && columns[0] == columns[1] && columns[1] == columns[2]);
    CHECK(!strstr(out.text, "nan") && strstr(out.text, "95%"));
    CHECK(!strstr(out.text, "R-hat") == !mixing);
    dun_text_free(&out);
  }
}

TEST_MAIN({"digits", test_digits}, {"unknown_errors", test_unknown_errors}, {"any", test_any},
          {"spread", test_spread}, {"sentences", test_sentences}, {"lines", test_lines})
