/* The Sherrington-Kirkpatrick model: log pi(s) = beta / 2 <s, A s> + <h, s>, not normalised, with a
 * symmetric A whose entries beside the diagonal are normal of variance 1 / n (Sherrington &
 * Kirkpatrick 1975), to which a signal may be added: signal / n theta theta^T of random signs theta
 * (the spiked Wigner model).  The instance follows from its seed. */
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/vmath.h"
#include "targets/setup.h"
#include "targets/spins.h"
#include <math.h>

enum { L = DUN_LANES, MOST = 16384 };

struct sherrington_kirkpatrick {
  long long dimension, instance;
  double beta, signal;
  struct dun_numbers field;

  double *A;      /* [d][d], with beta; owned */
  double *h;      /* [d]; owned */
  double *hidden; /* [d]: signs; owned */
};

static const struct dun_option options[] = {
    {.name = "dimension",
     .type = DUN_INTEGER,
     .offset = offsetof(struct sherrington_kirkpatrick, dimension),
     .minimum = 2,
     .maximum = MOST,
     .doc = "Number of spins, n."},
    {.name = "beta",
     .type = DUN_NUMBER,
     .offset = offsetof(struct sherrington_kirkpatrick, beta),
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Inverse temperature; above 1 the spins freeze."},
    {.name = "instance",
     .type = DUN_INTEGER,
     .offset = offsetof(struct sherrington_kirkpatrick, instance),
     .initial = "1",
     .minimum = 0,
     .maximum = 1e15,
     .doc = "Seed of the random couplings and signs."},
    {.name = "signal",
     .type = DUN_NUMBER,
     .offset = offsetof(struct sherrington_kirkpatrick, signal),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e3,
     .doc = "Strength of a hidden vector of signs in the couplings; at beta that law is the "
            "posterior of the signs, which can be found above 1."},
    {.name = "field",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct sherrington_kirkpatrick, field),
     .initial = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "External field, one number for all spins or one for each."},
    {0}};

/* ---- the instance ---------------------------------------------------------------------------- */

static struct dun_address address_of(const struct sherrington_kirkpatrick *t, int step, int row)
{
  return (struct dun_address){.seed = (uint64_t)t->instance,
                              .purpose = DUN_PURPOSE_DATA,
                              .step = (uint32_t)step,
                              .tile = (uint32_t)row};
}

/* Normals number 64 i + l of the row are those of columns 64 i + l. */
static void fill_row(struct sherrington_kirkpatrick *t, int row, double *normal)
{
  int64_t d = t->dimension;
  double deviation = t->beta / sqrt((double)d);
  dun_normals(address_of(t, 0, row), (int)((row + L) / L), normal);
  for (int j = 0; j < row; j++)
    t->A[row * d + j] = t->A[j * d + row] = deviation * normal[j];
  t->A[row * d + row] = 0;
}

static void add_signal(struct sherrington_kirkpatrick *t, const double *uniform)
{
  int64_t d = t->dimension;
  for (int64_t i = 0; i < d; i++)
    t->hidden[i] = uniform[i] < .5 ? -1 : 1;
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < d; j++)
      t->A[i * d + j] += i == j ? 0 : t->beta * t->signal / (double)d * t->hidden[i] * t->hidden[j];
}

static int init(void *self, struct dun_message why)
{
  struct sherrington_kirkpatrick *t = self;
  int64_t d = t->dimension, columns = (d + L) / L;
  double *numbers = dun_allocate(columns * L, sizeof *numbers);
  t->A = dun_allocate(d * d, sizeof *t->A);
  t->h = dun_allocate(d, sizeof *t->h);
  t->hidden = dun_allocate(d, sizeof *t->hidden);
  if (!numbers || !t->A || !t->h || !t->hidden) {
    dun_free(numbers);
    return dun_refuse_failed(why);
  }
  for (int i = 0; i < d; i++)
    fill_row(t, i, numbers);
  dun_uniforms(address_of(t, 1, 0), (int)columns, numbers);
  if (t->signal > 0)
    add_signal(t, numbers);
  dun_free(numbers);
  return dun_spread(why, "field", &t->field, 0, d, t->h);
}

static void free_tables(void *self)
{
  struct sherrington_kirkpatrick *t = self;
  DUN_FREE(t->A);
  DUN_FREE(t->h);
  DUN_FREE(t->hidden);
}

static int dimension_of(const void *self)
{
  return (int)((const struct sherrington_kirkpatrick *)self)->dimension;
}

/* ---- density --------------------------------------------------------------------------------- */

/* field[64] = row . x; 16 lanes at a time stay in registers. */
DUN_CLONES static void row_times(int64_t d, const double *restrict row, const double *restrict x,
                                 double *restrict field)
{
  for (int from = 0; from < L; from += 16) {
    double sum[16] = {0};
    for (int64_t j = 0; j < d; j++)
      for (int l = 0; l < 16; l++)
        sum[l] = DUN_FMA(row[j], x[j * L + from + l], sum[l]);
    for (int l = 0; l < 16; l++)
      field[from + l] = sum[l];
  }
}

DUN_CLONES static void add_site(double h, const double *restrict x, const double *restrict field,
                                double *restrict lp, const double *restrict scale,
                                double *restrict gradient)
{
  for (int l = 0; l < L; l++)
    lp[l] = DUN_FMA(x[l], DUN_FMA(.5, field[l], h), lp[l]);
  for (int l = 0; gradient && l < L; l++)
    gradient[l] = DUN_FMA(scale[l], field[l] + h, gradient[l]);
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct sherrington_kirkpatrick *t = self;
  double sum[L] __attribute__((aligned(64))) = {0}, field[L] __attribute__((aligned(64)));
  (void)work;
  for (int64_t i = 0; i < t->dimension; i++) {
    row_times(t->dimension, t->A + i * t->dimension, x, field);
    add_site(t->h[i], x + i * L, field, sum, scale, gradient ? gradient + i * L : NULL);
  }
  dun_spins_density(sum, lp);
}

static void site(const void *self, int j, const double *x, double *value)
{
  const struct sherrington_kirkpatrick *t = self;
  row_times(t->dimension, t->A + j * t->dimension, x, value + L);
  for (int l = 0; l < L; l++)
    value[L + l] += t->h[j];
  dun_spins_site(value);
}

/* ---- output ---------------------------------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct sherrington_kirkpatrick *t = self;
  const struct dun_parameter row[] = {
      {.name = "energy",
       .doc = "<s, A s> / (2 n), without field; to the mean beta / 2 where it is hot."},
      {.name = "x", .rank = 1, .shape = {(int)t->dimension}, .doc = "The spins."},
      {.name = "overlap", .doc = "|<s, theta>| / n with the hidden signs theta."}};
  int count = t->signal > 0 ? 3 : 2;
  for (int i = 0; i < count && i < capacity; i++)
    parameter[i] = row[i];
  return count;
}

static void constrain(const void *self, const double *x, double *theta)
{
  const struct sherrington_kirkpatrick *t = self;
  int64_t d = t->dimension;
  double sum = 0, overlap = 0;
  for (int64_t i = 0; i < d; i++) {
    double row = 0;
    for (int64_t j = 0; j < i; j++)
      row += t->A[i * d + j] * x[j];
    sum += row * x[i];
    overlap += t->hidden[i] * x[i];
    theta[1 + i] = x[i];
  }
  theta[0] = t->beta > 0 ? sum / (t->beta * (double)d) : 0;
  if (t->signal > 0)
    theta[1 + d] = fabs(overlap) / (double)d;
}

const struct dun_target dun_target_sherrington_kirkpatrick = {
    .type = {DUN_TYPE(struct dun_target), .name = "sherrington_kirkpatrick",
             .doc = "Spins that are all coupled at random, with or without a hidden signal.",
             .citation = "Sherrington & Kirkpatrick 1975, Phys. Rev. Lett. 35, 1792",
             .size = sizeof(struct sherrington_kirkpatrick), .options = options,
             .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .parameters = parameters,
    .constrain = constrain,
    .support = DUN_SPINS,
    .site = site,
};
