/* A target of letters: words of four of the letters 0, 1, 2, of which neighbours like to differ by
 * one, and the first two not to be alike.  `site` is a few lines more than the density. */
#include <dunlin/target.h>

enum { SITES = 4, LETTERS = 3 };

static double pair(double a, double b)
{
  return a - b == 1 || b - a == 1 ? .8 : 0;
}

static double point(const void *self, const double *x, double *gradient)
{
  double sum = x[0] == x[1] ? -1 : 0;
  (void)self;
  (void)gradient;
  for (int i = 0; i + 1 < SITES; i++)
    sum += pair(x[i], x[i + 1]);
  return sum;
}

static int letters(const void *self)
{
  (void)self;
  return LETTERS;
}

static void site(const void *self, int j, const double *x, double *value)
{
  for (int l = 0; l < DUN_LANES; l++) {
    double word[SITES];
    for (int i = 0; i < SITES; i++)
      word[i] = x[i * DUN_LANES + l];
    for (int a = 0; a < LETTERS; a++) {
      word[j] = a;
      value[a * DUN_LANES + l] = point(self, word, 0);
    }
  }
}

const struct dun_target dun_target_letters = {
    .type = {DUN_TYPE(struct dun_target), .name = "letters", .doc = "Words of four letters."},
    .dimension = SITES,
    .no_gradient = 1,
    .point = point,
    .support = DUN_LETTERS,
    .letters = letters,
    .site = site,
};
