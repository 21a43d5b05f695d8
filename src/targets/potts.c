/* The Potts model: log pi(s) = sum over pairs J_ij [s_i = s_j] + sum_i h_(s_i), not normalised,
 * with letters 0 .. q - 1 (Potts 1952).  With q = 2 it is the Ising model with half the couplings.
 * log Z is known of small models, by going through all states. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "targets/couplings.h"
#include <math.h>

enum { L = DUN_LANES, ENUMERATED = 1 << 20, MOST_LETTERS = 64 };

struct potts {
  struct dun_couplings_given given;
  long long letters;
  struct dun_numbers field;

  struct dun_couplings couplings;
  double h[MOST_LETTERS];
  double log_evidence;
};

static const struct dun_option options[] = {DUN_COUPLINGS_ROWS(struct potts, given),
                                            {.name = "letters",
                                             .type = DUN_INTEGER,
                                             .offset = offsetof(struct potts, letters),
                                             .initial = "3",
                                             .minimum = 2,
                                             .maximum = MOST_LETTERS,
                                             .doc = "How many values a site may have, q."},
                                            {.name = "field",
                                             .type = DUN_NUMBERS,
                                             .offset = offsetof(struct potts, field),
                                             .initial = "0",
                                             .minimum = -1e6,
                                             .maximum = 1e6,
                                             .doc = "What each letter adds, one number for each."},
                                            {0}};

/* ---- log Z ----------------------------------------------------------------------------------- */

static double density(const struct potts *t, const int *letter)
{
  const struct dun_couplings *c = &t->couplings;
  double sum = 0;
  for (int e = 0; e < c->pairs; e++)
    sum += letter[c->pair[2 * e]] == letter[c->pair[2 * e + 1]] ? c->strength[e] : 0;
  for (int i = 0; i < c->sites; i++)
    sum += t->h[letter[i]];
  return sum;
}

/* Counts through all states. */
static double enumerate(const struct potts *t, int *letter)
{
  struct dun_states states = {-INFINITY, 0};
  int i = 0;
  for (int k = 0; k < t->couplings.sites; k++)
    letter[k] = 0;
  while (i < t->couplings.sites) {
    dun_states_add(&states, density(t, letter));
    for (i = 0; i < t->couplings.sites && ++letter[i] == t->letters; i++)
      letter[i] = 0;
  }
  return dun_states_log(&states);
}

static int find_log_evidence(struct potts *t, struct dun_message why)
{
  double states = 1;
  for (int i = 0; i < t->couplings.sites && states <= ENUMERATED; i++)
    states *= (double)t->letters;
  t->log_evidence = NAN;
  if (states > ENUMERATED)
    return 0;
  int *letter = dun_allocate(t->couplings.sites, sizeof *letter);
  if (!letter)
    return dun_refuse_failed(why);
  t->log_evidence = enumerate(t, letter);
  dun_free(letter);
  return 0;
}

/* ---- setting up ------------------------------------------------------------------------------ */

static int init(void *self, struct dun_message why)
{
  struct potts *t = self;
  if (dun_couplings_init(&t->couplings, &t->given, why) < 0 ||
      dun_spread(why, "field", &t->field, 0, t->letters, t->h) < 0)
    return DUN_ERROR_INPUT;
  return find_log_evidence(t, why);
}

static void free_tables(void *self)
{
  dun_couplings_free(&((struct potts *)self)->couplings);
}

static int dimension_of(const void *self)
{
  return ((const struct potts *)self)->couplings.sites;
}

static int letters(const void *self)
{
  return (int)((const struct potts *)self)->letters;
}

static double log_evidence(const void *self)
{
  return ((const struct potts *)self)->log_evidence;
}

/* ---- density --------------------------------------------------------------------------------- */

DUN_CLONES static void add_pairs(const struct dun_couplings *c, const double *restrict x,
                                 double *restrict lp)
{
  for (int64_t e = 0; e < c->pairs; e++) {
    const double *a = x + (int64_t)c->pair[2 * e] * L, *b = x + (int64_t)c->pair[2 * e + 1] * L;
    for (int l = 0; l < L; l++)
      lp[l] += a[l] == b[l] ? c->strength[e] : 0;
  }
}

/* Points that are no letters are outside. */
static void add_fields(const struct potts *t, const double *x, double *lp)
{
  for (int64_t i = 0; i < (int64_t)t->couplings.sites * L; i++) {
    int inside = x[i] >= 0 && x[i] < (double)t->letters && x[i] == floor(x[i]);
    lp[i % L] += inside ? t->h[(int)x[i]] : -INFINITY;
  }
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct potts *t = self;
  double sum[L] __attribute__((aligned(64))) = {0};
  (void)scale;
  (void)gradient;
  (void)work;
  add_pairs(&t->couplings, x, sum);
  add_fields(t, x, sum);
  for (int l = 0; lp && l < L; l++)
    lp[l] = sum[l];
}

DUN_CLONES static void add_neighbour(int letters, double strength, const double *restrict x,
                                     double *restrict value)
{
  for (int a = 0; a < letters; a++)
    for (int l = 0; l < L; l++)
      value[a * L + l] += x[l] == a ? strength : 0;
}

static void site(const void *self, int j, const double *x, double *value)
{
  const struct potts *t = self;
  const struct dun_couplings *c = &t->couplings;
  for (int a = 0; a < t->letters; a++)
    for (int l = 0; l < L; l++)
      value[a * L + l] = t->h[a];
  for (int e = c->first[j]; e < c->first[j + 1]; e++)
    add_neighbour((int)t->letters, c->weight[e], x + (int64_t)c->neighbour[e] * L, value);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter all[] = {
      {.name = "largest", .doc = "Share of the sites that have the letter that most have."},
      {.name = "energy", .doc = "Minus the log density per site."}};
  const struct potts *t = self;
  for (int i = 0; i < 2 && i < capacity; i++)
    parameter[i] = all[i];
  if (capacity > 2)
    parameter[2] = dun_couplings_sites(&t->couplings);
  return 3;
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct potts *t = self;
  const struct dun_couplings *c = &t->couplings;
  double energy = 0;
  int count[MOST_LETTERS] = {0}, most = 0;
  for (int i = 0; i < c->sites; i++) {
    int letter = x[i] >= 0 && x[i] < (double)t->letters ? (int)x[i] : 0;
    count[letter]++;
    energy -= t->h[letter];
    theta[2 + i] = x[i];
  }
  for (int e = 0; e < c->pairs; e++)
    energy -= x[c->pair[2 * e]] == x[c->pair[2 * e + 1]] ? c->strength[e] : 0;
  for (int a = 0; a < t->letters; a++)
    most = count[a] > most ? count[a] : most;
  theta[0] = (double)most / c->sites;
  theta[1] = energy / c->sites;
}

const struct dun_target dun_target_potts = {
    .type = {DUN_TYPE(struct dun_target), .name = "potts",
             .doc = "Letters that are coupled in pairs where they are alike.",
             .citation = "Potts 1952, Math. Proc. Camb. Phil. Soc. 48, 106",
             .size = sizeof(struct potts), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .no_gradient = 1,
    .columns = columns,
    .log_evidence = log_evidence,
    .parameters = parameters,
    .constrain = constrain,
    .support = DUN_LETTERS,
    .letters = letters,
    .site = site,
};
