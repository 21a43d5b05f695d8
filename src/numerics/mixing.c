#include "numerics/mixing.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/order.h"
#include "parallel/sum.h"
#include <math.h>

enum { LANES = 64 };

#define INLINE static inline __attribute__((always_inline))

/* ---- the normal quantile --------------------------------------------------------------------- */

INLINE double ratio(const double *above, const double *below, double r)
{
  double a = above[7], b = below[7];
  for (int i = 6; i >= 0; i--) {
    a = a * r + above[i];
    b = b * r + below[i];
  }
  return a / b;
}

static const double centre_above[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                       1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                       4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                       3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double centre_below[8] = {1.0,
                                       4.2313330701600911252e+1,
                                       6.8718700749205790830e+2,
                                       5.3941960214247511077e+3,
                                       2.1213794301586595867e+4,
                                       3.9307895800092710610e+4,
                                       2.8729085735721942674e+4,
                                       5.2264952788528545610e+3};
static const double middle_above[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                       5.76949722146069140550e0,  3.64784832476320460504e0,
                                       1.27045825245236838258e0,  2.41780725177450611770e-1,
                                       2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double middle_below[8] = {1.0,
                                       2.05319162663775882187e0,
                                       1.67638483018380384940e0,
                                       6.89767334985100004550e-1,
                                       1.48103976427480074590e-1,
                                       1.51986665636164571966e-2,
                                       5.47593808499534494600e-4,
                                       1.05075007164441684324e-9};
static const double far_above[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                    1.78482653991729133580e0,  2.96560571828504891230e-1,
                                    2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                    2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double far_below[8] = {1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};

static const double CENTRE = .425; /* so far from 1/2 */

INLINE double central(double q)
{
  return q * ratio(centre_above, centre_below, .180625 - q * q);
}

double dun_normal_quantile(double p)
{
  double q = p - .5;
  if (fabs(q) <= CENTRE)
    return central(q);
  double r = sqrt(-dun_scalar_log(q < 0 ? p : 1 - p));
  double z =
      r <= 5 ? ratio(middle_above, middle_below, r - 1.6) : ratio(far_above, far_below, r - 5);
  return q < 0 ? -z : z;
}

/* ---- halves of chains ------------------------------------------------------------------------ */

/* The two halves of each chain, without the middle draw if their number is odd. */
struct halves {
  int64_t local, n; /* this rank's halves, and draws of each */
  double total;     /* halves of all ranks */
  double *value;    /* [local][n] */
  double *centred;  /* [local][n], scratch */
};

void dun_mixing_free(struct dun_mixing_work *work)
{
  DUN_FREE(work->value);
  DUN_FREE(work->centred);
  dun_order_free(&work->order);
}

static void fill(struct halves *h, int64_t draws, const double *value)
{
  for (int64_t c = 0; c < h->local / 2; c++)
    for (int64_t i = 0; i < h->n; i++) {
      h->value[2 * c * h->n + i] = value[c * draws + i];
      h->value[(2 * c + 1) * h->n + i] = value[c * draws + draws - h->n + i];
    }
}

/* Collective. */
static int halves_init(struct dun_context *context, struct dun_mixing_work *work, struct halves *h,
                       int64_t chains, int64_t draws, const double *value)
{
  int64_t n = draws / 2, total = 2 * chains;
  if (!work->value || dun_block_bytes(work->value) < total * n * (int64_t)sizeof *h->value) {
    dun_mixing_free(work);
    work->value = dun_allocate(total * n, sizeof *h->value);
    work->centred = dun_allocate(total * n, sizeof *h->centred);
  }
  *h = (struct halves){.local = total, .n = n, .value = work->value, .centred = work->centred};
  int status = h->value && h->centred ? 0 : DUN_ERROR_MEMORY;
  if (status == 0)
    fill(h, draws, value);
  status = dun_sum_integers(context, status, 1, &total);
  h->total = (double)total;
  return status;
}

/* ---- sums with 64 accumulators, in the order of dun_fold --------------------------------------
 *
 * Of no more than `width` numbers there are only so many accumulators that are not 0: with 16 or 32
 * in the place of 64 the sums of short chains are the same, and take a fraction of the time. */

INLINE double folded_lanes(int width, double *lane)
{
  for (int half = width / 2; half >= 4; half /= 2)
    for (int l = 0; l < half; l++)
      lane[l] += lane[l + half];
  return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

INLINE double sum_lanes(int width, int64_t n, double first, const double *restrict x)
{
  double lane[LANES];
  int64_t i = 0;
  for (int l = 0; l < width; l++)
    lane[l] = 0;
  for (; i + width <= n; i += width)
    for (int l = 0; l < width; l++)
      lane[l] += x[i + l] - first;
  for (int l = 0; i < n; i++, l++)
    lane[l] += x[i] - first;
  return folded_lanes(width, lane);
}

INLINE double product_lanes(int width, int64_t n, const double *restrict x,
                            const double *restrict y)
{
  double lane[LANES];
  int64_t i = 0;
  for (int l = 0; l < width; l++)
    lane[l] = 0;
  for (; i + width <= n; i += width)
    for (int l = 0; l < width; l++)
      lane[l] = DUN_FMA(x[i + l], y[i + l], lane[l]);
  for (int l = 0; i < n; i++, l++)
    lane[l] = DUN_FMA(x[i], y[i], lane[l]);
  return folded_lanes(width, lane);
}

/* Of x - first. */
DUN_CLONES static double sum_of(int64_t n, double first, const double *restrict x)
{
  return n <= 16   ? sum_lanes(16, n, first, x)
         : n <= 32 ? sum_lanes(32, n, first, x)
                   : sum_lanes(LANES, n, first, x);
}

DUN_CLONES static double product_of(int64_t n, const double *restrict x, const double *restrict y)
{
  return n <= 16   ? product_lanes(16, n, x, y)
         : n <= 32 ? product_lanes(32, n, x, y)
                   : product_lanes(LANES, n, x, y);
}

/* About the first one, so that numbers that are all the same have that mean to the last bit. */
static double mean_of_half(int64_t n, const double *x)
{
  return x[0] + sum_of(n, x[0], x) / (double)n;
}

DUN_CLONES static void centre(int64_t n, double mean, const double *restrict x,
                              double *restrict out)
{
  for (int64_t i = 0; i < n; i++)
    out[i] = x[i] - mean;
}

/* Variances of the halves' means and inside the halves. */
struct spread {
  double between; /* of the means, divided by their number less 1 */
  double within;  /* mean over the halves, divided by n less 1 */
};

/* Collective.  Fills `centred`. */
static int find_spread(struct dun_context *context, struct halves *h, struct spread *spread)
{
  struct dun_exact sum = {0}, square[2] = {0};
  double total, squares[2], n = (double)h->n;
  for (int64_t c = 0; c < h->local; c++)
    dun_exact_add(&sum, mean_of_half(h->n, h->value + c * h->n));
  int status = dun_sum(context, 0, 1, &sum, &total);
  if (status < 0)
    return status;
  for (int64_t c = 0; c < h->local; c++) {
    double *x = h->centred + c * h->n, mean = mean_of_half(h->n, h->value + c * h->n);
    double away = mean - total / h->total;
    centre(h->n, mean, h->value + c * h->n, x);
    dun_exact_add(&square[0], away * away);
    dun_exact_add(&square[1], product_of(h->n, x, x));
  }
  status = dun_sum(context, 0, 2, square, squares);
  if (status < 0)
    return status;
  spread->between = squares[0] / (h->total - 1);
  spread->within = squares[1] / (n - 1) / h->total;
  return status;
}

/* Eq. 1 to 4. */
static double rhat_of(const struct spread *spread, double n)
{
  if (spread->within == 0)
    return INFINITY;
  return sqrt(((n - 1) / n * spread->within + spread->between) / spread->within);
}

/* ---- the effective sample size --------------------------------------------------------------- */

/* Mean autocovariances over all halves at some lags. */
static int autocovariances(struct dun_context *context, const struct halves *h, int64_t first,
                           int count, double *covariance)
{
  struct dun_exact *sum = dun_allocate(count, sizeof *sum);
  int status = sum ? 0 : DUN_ERROR_MEMORY;
  for (int64_t c = 0; c < h->local && status == 0; c++)
    for (int k = 0; k < count; k++) {
      const double *x = h->centred + c * h->n;
      int64_t lag = first + k;
      dun_exact_add(&sum[k], product_of(h->n - lag, x, x + lag));
    }
  status = dun_sum(context, status, count, sum, covariance);
  for (int k = 0; k < count && status >= 0; k++)
    covariance[k] /= (double)h->n * h->total;
  dun_free(sum);
  return status;
}

enum { FIRST_LAGS = 4, LAGS = 32 };

/* Autocorrelations at lags 0, 1, 2, ..., so many in a reduction: few at first, since the sequence
 * of chains that mix ends soon. */
struct correlations {
  double within, total;
  int64_t first;
  int count;
  double rho[LAGS];
};

static int correlation(struct dun_context *context, const struct halves *h, struct correlations *c,
                       int64_t lag, double *rho)
{
  if (lag >= c->first + c->count) {
    int64_t left = h->n - lag;
    int count = c->count == 0 ? FIRST_LAGS : 2 * c->count < LAGS ? 2 * c->count : LAGS;
    c->first = lag;
    c->count = left < count ? (int)left : count;
    int status = autocovariances(context, h, lag, c->count, c->rho);
    if (status < 0)
      return status;
    for (int k = 0; k < c->count; k++)
      c->rho[k] = 1 - (c->within - c->rho[k]) / c->total;
  }
  *rho = lag == 0 ? 1 : c->rho[lag - c->first];
  return 0;
}

/* Collective.  Eq. 10 and 13; `centred` is filled. */
static int effective_size(struct dun_context *context, const struct halves *h,
                          const struct spread *spread, double *ess)
{
  double n = (double)h->n, draws = n * h->total, sum = 0, least = INFINITY, last = 0;
  struct correlations c = {.within = spread->within,
                           .total = spread->within * (n - 1) / n + spread->between};
  for (int64_t t = 0; t < h->n; t += 2) {
    double even, odd = 0;
    int status = correlation(context, h, &c, t, &even);
    if (status >= 0 && t + 1 < h->n)
      status = correlation(context, h, &c, t + 1, &odd);
    if (status < 0)
      return status;
    last = even > 0 ? even : 0;
    if (t > 0 && !(t + 1 < h->n && even + odd > 0))
      break; /* the initial positive sequence has ended */
    least = even + odd < least ? even + odd : least;
    sum += least;
    last = 0;
  }
  double tau = -1 + 2 * sum + last, floor = M_LN10 / dun_scalar_log(draws);
  *ess = draws / (tau > floor ? tau : floor);
  return 0;
}

/* Collective.  Effective size of what `value` holds; NaN if it is constant. */
static int size_of_values(struct dun_context *context, struct halves *h, double *ess)
{
  struct spread spread;
  int status = find_spread(context, h, &spread);
  *ess = NAN;
  if (status < 0 || !(spread.within + spread.between > 0))
    return status;
  return effective_size(context, h, &spread, ess);
}

/* ---- what is usable -------------------------------------------------------------------------- */

/* Collective.  1 if all values are finite and not all are the same. */
static int usable(struct dun_context *context, int64_t n, const double *value)
{
  int64_t odd = 0;
  double range[2] = {-INFINITY, -INFINITY};
  for (int64_t i = 0; i < n; i++) {
    odd += !isfinite(value[i]);
    range[0] = value[i] > range[0] ? value[i] : range[0];
    range[1] = -value[i] > range[1] ? -value[i] : range[1];
  }
  int status = dun_sum_integers(context, 0, 1, &odd);
  if (status >= 0)
    status = dun_max(context, 0, 2, range);
  return status < 0 ? status : odd == 0 && range[0] > -range[1];
}

/* ---- ranks ----------------------------------------------------------------------------------- */

/* Normal quantiles of (rank - 3/8) / (total + 1/4), for those that are not in the tails. */
DUN_CLONES static void central_scores(int64_t n, double total, const double *restrict rank,
                                      double *restrict score)
{
  for (int64_t i = 0; i < n; i++)
    score[i] = central((rank[i] - .375) / (total + .25) - .5);
}

/* Collective.  The values become normal scores of the ranks: eq. 14. */
static int normalise(struct dun_context *context, struct halves *h, struct dun_order *order)
{
  double total = h->total * (double)h->n;
  int64_t n = h->local * h->n;
  int status = dun_order_ranks(context, order, h->centred);
  if (status < 0)
    return status;
  central_scores(n, total, h->centred, h->value);
  for (int64_t i = 0; i < n; i++) {
    double p = (h->centred[i] - .375) / (total + .25);
    h->value[i] = fabs(p - .5) <= CENTRE ? h->value[i] : dun_normal_quantile(p);
  }
  return status;
}

/* Linear between two order statistics, and one of them at its end. */
static double between(const double *pair, double share)
{
  double apart = pair[1] - pair[0];
  return share < .5 ? pair[0] + share * apart : pair[1] - (1 - share) * apart;
}

/* Median, 5% and 95%; the halves' numbers are even. */
struct quantiles {
  double median, low, high;
};

static int find_quantiles(struct dun_context *context, const struct halves *h,
                          const struct dun_order *order, struct quantiles *q)
{
  static const double share[3] = {.5, .05, .95};
  int64_t total = (int64_t)h->total * h->n, place[6];
  double value[6] = {0}, fraction[3];
  for (int k = 0; k < 3; k++) {
    double at = share[k] * (double)(total - 1);
    place[2 * k] = (int64_t)at;
    place[2 * k + 1] = place[2 * k] + 1 < total ? place[2 * k] + 1 : total - 1;
    fraction[k] = at - (double)place[2 * k];
  }
  int status = dun_order_statistics(context, order, 6, place, value);
  *q = (struct quantiles){.5 * (value[0] + value[1]), between(value + 2, fraction[1]),
                          between(value + 4, fraction[2])};
  return status;
}

static int scores(struct dun_context *context, struct halves *h, struct dun_order *order,
                  struct dun_mixing *mixing)
{
  struct spread spread;
  int status = normalise(context, h, order);
  if (status >= 0)
    status = find_spread(context, h, &spread);
  if (status < 0)
    return status;
  mixing->rhat_bulk = rhat_of(&spread, (double)h->n);
  return effective_size(context, h, &spread, &mixing->ess_bulk);
}

/* Eq. 15. */
static int folded(struct dun_context *context, struct halves *h, struct dun_order *order,
                  double median, struct dun_mixing *mixing)
{
  struct spread spread;
  dun_order_fold(order, median);
  int status = normalise(context, h, order);
  if (status >= 0)
    status = find_spread(context, h, &spread);
  if (status >= 0 && spread.within + spread.between > 0)
    mixing->rhat_folded = rhat_of(&spread, (double)h->n);
  return status;
}

/* Ranks, and those of the distances from the median, from one sorting. */
static int by_ranks(struct dun_context *context, struct halves *h, struct dun_order *order,
                    struct quantiles *q, struct dun_mixing *mixing)
{
  int status = dun_agree(context, dun_order_set(order, h->local * h->n, h->value));
  if (status >= 0)
    status = find_quantiles(context, h, order, q);
  if (status >= 0)
    status = scores(context, h, order, mixing);
  if (status >= 0)
    status = folded(context, h, order, q->median, mixing);
  return status;
}

static int tail(struct dun_context *context, struct halves *h, double quantile, double *ess)
{
  for (int64_t i = 0; i < h->local * h->n; i++)
    h->value[i] = h->value[i] <= quantile;
  return size_of_values(context, h, ess);
}

static int measure(struct dun_context *context, struct halves *h, struct dun_order *order,
                   int64_t draws, const double *value, struct dun_mixing *mixing)
{
  struct quantiles q = {NAN, NAN, NAN};
  double low, high;
  int status = by_ranks(context, h, order, &q, mixing);
  fill(h, draws, value);
  if (status >= 0)
    status = tail(context, h, q.low, &low);
  fill(h, draws, value);
  if (status >= 0)
    status = tail(context, h, q.high, &high);
  if (status >= 0)
    mixing->ess_tail =
        low < high || isnan(high) ? low : high; /* one that is constant is left out */
  return status;
}

int dun_mixing_ranks(struct dun_context *context, struct dun_mixing_work *work, int64_t chains,
                     int64_t draws, const double *value, struct dun_mixing *mixing)
{
  struct halves h;
  *mixing = (struct dun_mixing){NAN, NAN, NAN, NAN};
  if (draws < 4)
    return 0;
  int status = halves_init(context, work, &h, chains, draws, value);
  if (status >= 0)
    status = usable(context, h.local * h.n, h.value);
  if (status > 0)
    status = measure(context, &h, &work->order, draws, value, mixing);
  return status < 0 ? status : 0;
}

/* ---- moments --------------------------------------------------------------------------------- */

/* Collective.  Mean of n values of this rank and of all others, and their standard deviation. */
static int mean_of(struct dun_context *context, int64_t chains, int64_t draws, const double *value,
                   double *scratch, double *mean, double *deviation)
{
  struct dun_exact sum[2] = {0}, square = {0};
  double total[2], squares;
  for (int64_t c = 0; c < chains; c++)
    dun_exact_add(&sum[0], sum_of(draws, 0, value + c * draws));
  dun_exact_add(&sum[1], (double)(chains * draws));
  int status = dun_sum(context, 0, 2, sum, total);
  if (status < 0)
    return status;
  *mean = total[0] / total[1];
  for (int64_t c = 0; c < chains; c++) {
    centre(draws, *mean, value + c * draws, scratch);
    dun_exact_add(&square, product_of(draws, scratch, scratch));
  }
  status = dun_sum(context, 0, 1, &square, &squares);
  *deviation = sqrt(squares / total[1]);
  return status;
}

/* Distances from the mean: what is far from 0 keeps its digits. */
static void shift_values(struct halves *h, double mean)
{
  for (int64_t i = 0; i < h->local * h->n; i++)
    h->value[i] -= mean;
}

static void square_values(struct halves *h)
{
  for (int64_t i = 0; i < h->local * h->n; i++)
    h->value[i] *= h->value[i];
}

int dun_mixing_by_chain(int64_t chains, int64_t draws)
{
  return chains >= 16 && chains >= draws;
}

/* Collective.  Standard errors from the spread of all chains' means and mean squares. */
static int errors_by_chain(struct dun_context *context, int64_t chains, int64_t draws,
                           const double *value, double *scratch, double total,
                           struct dun_chain_moments *m)
{
  struct dun_exact sum[2] = {0};
  double squares[2];
  for (int64_t c = 0; c < chains; c++) {
    centre(draws, m->mean, value + c * draws, scratch);
    double away = sum_of(draws, 0, scratch) / (double)draws;
    double more = product_of(draws, scratch, scratch) / (double)draws - m->deviation * m->deviation;
    dun_exact_add(&sum[0], away * away);
    dun_exact_add(&sum[1], more * more);
  }
  int status = dun_sum(context, 0, 2, sum, squares);
  m->error = sqrt(squares[0] / (total * (total - 1)));
  m->square_error = sqrt(squares[1] / (total * (total - 1)));
  return status;
}

int dun_mixing_moments(struct dun_context *context, struct dun_mixing_work *work, int64_t chains,
                       int64_t draws, const double *value, struct dun_chain_moments *m)
{
  struct halves h;
  double *scratch = dun_allocate(draws, sizeof *scratch), unused;
  *m = (struct dun_chain_moments){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  int status = halves_init(context, work, &h, chains, draws, value);
  int status_scratch = dun_agree(context, scratch ? 0 : DUN_ERROR_MEMORY);
  if (status >= 0)
    status = status_scratch;
  if (status >= 0)
    status = mean_of(context, chains, draws, value, scratch, &m->mean, &m->deviation);
  if (status >= 0 && draws >= 4 && (status = usable(context, h.local * h.n, h.value)) > 0) {
    shift_values(&h, m->mean);
    status = size_of_values(context, &h, &m->ess_mean);
    square_values(&h);
    if (status >= 0)
      status = mean_of(context, h.local, h.n, h.value, h.centred, &unused, &m->square_deviation);
    if (status >= 0)
      status = size_of_values(context, &h, &m->ess_square);
    m->error = m->deviation / sqrt(m->ess_mean);
    m->square_error = m->square_deviation / sqrt(m->ess_square);
  }
  if (status >= 0 && dun_mixing_by_chain((int64_t)h.total / 2, draws))
    status = errors_by_chain(context, chains, draws, value, scratch, h.total / 2, m);
  dun_free(scratch);
  return status < 0 ? status : 0;
}
