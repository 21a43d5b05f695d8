/* Fifty persons answer twelve items, right or wrong (a two-parameter logistic model):
 *
 *     P(right) = logistic(slope_i (ability_p - difficulty_i)), ability ~ N(0, 1),
 *     slope ~ lognormal(0, .5), difficulty ~ N(0, 2) */
#include "more.h"

enum { PERSONS = 50, ITEMS = 12 };
enum { ABILITY, SLOPE = PERSONS, DIFFICULTY = SLOPE + ITEMS, ENTRIES = DIFFICULTY + ITEMS };

struct item_response {
  int right[PERSONS][ITEMS];
};

static const struct dun_parameter row[] = {
    {.name = "ability", .rank = 1, .shape = {PERSONS}, .doc = "Of each person."},
    {.name = "slope",
     .rank = 1,
     .shape = {ITEMS},
     .transform = DUN_POSITIVE,
     .doc = "How well each item tells persons apart."},
    {.name = "difficulty", .rank = 1, .shape = {ITEMS}, .doc = "Of each item."},
};

static int init(void *self, struct dun_message why)
{
  struct item_response *model = self;
  unsigned long long state = 2;
  double slope[ITEMS], difficulty[ITEMS];
  (void)why;
  for (int i = 0; i < ITEMS; i++) {
    slope[i] = exp(.4 * normal(&state));
    difficulty[i] = 1.2 * normal(&state);
  }
  for (int p = 0; p < PERSONS; p++) {
    double ability = normal(&state);
    for (int i = 0; i < ITEMS; i++) {
      double right = 1 / (1 + exp(-slope[i] * (ability - difficulty[i])));
      model->right[p][i] = uniform(&state) < right;
    }
  }
  return 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  return copy_parameters(3, row, capacity, parameter);
}

static double point(const void *self, const double *t, double *gradient)
{
  const struct item_response *model = self;
  double spare[ENTRIES], *g = begin_slopes(gradient, spare, ENTRIES);
  double lp = normal_priors(PERSONS, t, 1, g);
  lp += normal_priors(ITEMS, t + DIFFICULTY, 2, g + DIFFICULTY);
  for (int i = 0; i < ITEMS; i++)
    lp += lognormal_prior(t[SLOPE + i], 0, .5, &g[SLOPE + i]);
  for (int p = 0; p < PERSONS; p++)
    for (int i = 0; i < ITEMS; i++) {
      double off = t[ABILITY + p] - t[DIFFICULTY + i], logit = t[SLOPE + i] * off;
      double wrong = 1 / (1 + exp(model->right[p][i] ? logit : -logit)); /* of what was answered */
      double slope = model->right[p][i] ? wrong : -wrong;
      lp += wrong < 1 ? log1p(-wrong) : -fabs(logit);
      g[ABILITY + p] += slope * t[SLOPE + i];
      g[DIFFICULTY + i] -= slope * t[SLOPE + i];
      g[SLOPE + i] += slope * off;
    }
  return lp;
}

const struct dun_target dun_target_item_response = {
    .type = {DUN_TYPE(struct dun_target), .name = "item_response",
             .doc = "Abilities of fifty persons from twelve items.",
             .size = sizeof(struct item_response)},
    .init = init,
    .constrained = 1,
    .parameters = parameters,
    .point = point,
};
