#include "numerics/mixing.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/order.h"
#include "numerics/scores.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum { LANES = 64 };

#define INLINE static inline __attribute__((always_inline))

/* ---- pieces of chains ------------------------------------------------------------------------ */

/* The two halves of each chain, without the middle draw if their number is odd; or whole chains,
 * whose autocovariances are then taken about the mean of all. */
struct pieces {
  int whole;
  int64_t local, n; /* this rank's pieces, and draws of each */
  double total;     /* pieces of all ranks */
  double *value;    /* [local][n] */
  double *centred;  /* [local][n], scratch */
};

void dun_mixing_free(struct dun_mixing_work *work)
{
  DUN_FREE(work->value);
  DUN_FREE(work->centred);
  dun_order_free(&work->order);
}

static void fill(struct pieces *h, int64_t draws, const double *value)
{
  if (h->whole)
    memcpy(h->value, value, (size_t)(h->local * draws) * sizeof *value);
  for (int64_t c = 0; c < h->local / 2 && !h->whole; c++)
    for (int64_t i = 0; i < h->n; i++) {
      h->value[2 * c * h->n + i] = value[c * draws + i];
      h->value[(2 * c + 1) * h->n + i] = value[c * draws + draws - h->n + i];
    }
}

/* Collective. */
static int pieces_init(struct dun_context *context, struct dun_mixing_work *work, struct pieces *h,
                       int whole, int64_t chains, int64_t draws, const double *value)
{
  int64_t n = whole ? draws : draws / 2, total = whole ? chains : 2 * chains;
  if (!work->value || dun_block_bytes(work->value) < total * n * (int64_t)sizeof *h->value) {
    dun_mixing_free(work);
    work->value = dun_allocate(total * n, sizeof *h->value);
    work->centred = dun_allocate(total * n, sizeof *h->centred);
  }
  *h = (struct pieces){
      .whole = whole, .local = total, .n = n, .value = work->value, .centred = work->centred};
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
static int find_spread(struct dun_context *context, struct pieces *h, struct spread *spread)
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

/* Mean autocovariances over all pieces at some lags. */
static int autocovariances(struct dun_context *context, const struct pieces *h, int64_t first,
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

static int correlation(struct dun_context *context, const struct pieces *h, struct correlations *c,
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

/* Sums of two autocorrelations that are 0 but for rounding: those of shares of few draws. */
static const double ZERO = 1e-12;

/* Collective.  Eq. 10 and 13; `centred` is filled. */
static int sequence_size(struct dun_context *context, const struct pieces *h,
                         struct correlations *c, double *ess)
{
  double n = (double)h->n, draws = n * h->total, sum = 0, least = INFINITY, last = 0;
  for (int64_t t = 0; t < h->n; t += 2) {
    double even, odd = 0;
    int status = correlation(context, h, c, t, &even);
    if (status >= 0 && t + 1 < h->n)
      status = correlation(context, h, c, t + 1, &odd);
    if (status < 0)
      return status;
    last = even > 0 ? even : 0;
    if (t > 0 && !(t + 1 < h->n && even + odd > ZERO))
      break; /* the initial positive sequence has ended */
    least = even + odd < least ? even + odd : least;
    sum += least;
    last = 0;
  }
  double tau = -1 + 2 * sum + last, floor = M_LN10 / dun_scalar_log(draws);
  *ess = draws / (tau > floor ? tau : floor);
  return 0;
}

/* Of halves; their centred draws are there. */
static int halves_size(struct dun_context *context, const struct pieces *h,
                       const struct spread *spread, double *ess)
{
  struct correlations c = {.within = spread->within,
                           .total = spread->within * (double)(h->n - 1) / (double)h->n +
                                    spread->between};
  return sequence_size(context, h, &c, ess);
}

/* Collective.  Of whole chains: about the mean of all, autocovariances that are divided by the
 * number of draws at every lag sum up to the variance of the chains' means, which are independent.
 * However short the chains, nothing is lost with means of their own. */
static int whole_size(struct dun_context *context, struct pieces *h, double *ess)
{
  struct correlations c = {0};
  double total = 0;
  struct dun_exact sum = {0};
  for (int64_t i = 0; i < h->local; i++)
    dun_exact_add(&sum, sum_of(h->n, 0, h->value + i * h->n));
  int status = dun_sum(context, 0, 1, &sum, &total);
  if (status < 0)
    return status;
  for (int64_t i = 0; i < h->local; i++)
    centre(h->n, total / (h->total * (double)h->n), h->value + i * h->n, h->centred + i * h->n);
  if ((status = autocovariances(context, h, 0, 1, &c.total)) < 0 || !(c.total > 0))
    return status;
  c.within = c.total;
  return sequence_size(context, h, &c, ess);
}

/* Collective.  Effective size of what `value` holds; NaN if it is constant. */
static int size_of_values(struct dun_context *context, struct pieces *h, double *ess)
{
  struct spread spread;
  *ess = NAN;
  if (h->whole)
    return whole_size(context, h, ess);
  int status = find_spread(context, h, &spread);
  if (status < 0 || !(spread.within + spread.between > 0))
    return status;
  return halves_size(context, h, &spread, ess);
}

/* ---- what is usable -------------------------------------------------------------------------- */

int dun_mixing_usable(struct dun_context *context, int64_t n, const double *value)
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

/* Collective.  The values become normal scores of the ranks: eq. 14. */
static int normalise(struct dun_context *context, struct pieces *h, struct dun_order *order)
{
  int status = dun_order_ranks(context, order, h->centred);
  if (status >= 0)
    dun_normal_scores(h->local * h->n, h->total * (double)h->n, h->centred, h->value);
  return status;
}

/* Linear between two order statistics, and one of them at its end. */
static double between(const double *pair, double share)
{
  double apart = pair[1] - pair[0];
  return share < .5 ? pair[0] + share * apart : pair[1] - (1 - share) * apart;
}

struct quantiles {
  double median, low, high;
};

static int find_quantiles(struct dun_context *context, const struct pieces *h,
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
  *q = (struct quantiles){total % 2 == 0 ? .5 * (value[0] + value[1]) : value[0],
                          between(value + 2, fraction[1]), between(value + 4, fraction[2])};
  return status;
}

/* What the scores in `value` say: of halves R-hat too. */
static int judge_scores(struct dun_context *context, struct pieces *h, double *rhat, double *ess)
{
  struct spread spread;
  if (h->whole)
    return whole_size(context, h, ess);
  int status = find_spread(context, h, &spread);
  if (status < 0 || !(spread.within + spread.between > 0))
    return status;
  *rhat = rhat_of(&spread, (double)h->n);
  return halves_size(context, h, &spread, ess);
}

/* Ranks, and those of the distances from the median (eq. 15), from one sorting. */
static int by_ranks(struct dun_context *context, struct pieces *h, struct dun_order *order,
                    struct quantiles *q, struct dun_mixing *mixing)
{
  int status = dun_agree(context, dun_order_set(order, h->local * h->n, h->value));
  if (status >= 0)
    status = find_quantiles(context, h, order, q);
  if (status >= 0)
    status = normalise(context, h, order);
  if (status >= 0)
    status = judge_scores(context, h, &mixing->rhat_bulk, &mixing->ess_bulk);
  if (status >= 0)
    dun_order_fold(order, q->median);
  if (status >= 0)
    status = normalise(context, h, order);
  if (status >= 0)
    status = judge_scores(context, h, &mixing->rhat_folded, &mixing->ess_folded);
  return status;
}

static int tail(struct dun_context *context, struct pieces *h, double quantile, double *ess)
{
  for (int64_t i = 0; i < h->local * h->n; i++)
    h->value[i] = h->value[i] <= quantile;
  return size_of_values(context, h, ess);
}

static int tails(struct dun_context *context, struct pieces *h, int64_t draws, const double *value,
                 const struct quantiles *q, double *ess)
{
  double low, high;
  fill(h, draws, value);
  int status = tail(context, h, q->low, &low);
  fill(h, draws, value);
  if (status >= 0)
    status = tail(context, h, q->high, &high);
  if (status >= 0)
    *ess = low < high || isnan(high) ? low : high; /* one that is constant is left out */
  return status;
}

/* Collective.  R-hat, if of halves, and effective sizes; `mixing` keeps what cannot be known. */
static int measure(struct dun_context *context, struct dun_mixing_work *work, int whole,
                   int64_t chains, int64_t draws, const double *value, struct dun_mixing *mixing)
{
  struct pieces h;
  struct quantiles q = {NAN, NAN, NAN};
  int status = pieces_init(context, work, &h, whole, chains, draws, value);
  if (status >= 0)
    status = dun_mixing_usable(context, h.local * h.n, h.value);
  if (status <= 0)
    return status;
  status = by_ranks(context, &h, &work->order, &q, mixing);
  return status < 0 ? status : tails(context, &h, draws, value, &q, &mixing->ess_tail);
}

int dun_mixing_ranks(struct dun_context *context, struct dun_mixing_work *work, int64_t chains,
                     int64_t draws, const double *value, struct dun_mixing *mixing)
{
  int64_t total = chains;
  *mixing = (struct dun_mixing){NAN, NAN, NAN, NAN, NAN};
  int status = dun_sum_integers(context, 0, 1, &total);
  if (status >= 0 && draws >= 4)
    status = measure(context, work, 0, chains, draws, value, mixing);
  if (status >= 0 && dun_mixing_by_chain(total, draws))
    status = measure(context, work, 1, chains, draws, value, mixing);
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
static void shift_values(struct pieces *h, double mean)
{
  for (int64_t i = 0; i < h->local * h->n; i++)
    h->value[i] -= mean;
}

static void square_values(struct pieces *h)
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
  struct pieces h = {0};
  double *scratch = dun_allocate(draws, sizeof *scratch), unused;
  int64_t total = chains;
  *m = (struct dun_chain_moments){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  int status = dun_sum_integers(context, scratch ? 0 : DUN_ERROR_MEMORY, 1, &total);
  int whole = dun_mixing_by_chain(total, draws);
  if (status >= 0)
    status = pieces_init(context, work, &h, whole, chains, draws, value);
  if (status >= 0)
    status = mean_of(context, chains, draws, value, scratch, &m->mean, &m->deviation);
  if (status >= 0 && (draws >= 4 || whole) &&
      (status = dun_mixing_usable(context, h.local * h.n, h.value)) > 0) {
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
  if (status >= 0 && whole)
    status = errors_by_chain(context, chains, draws, value, scratch, (double)total, m);
  dun_free(scratch);
  return status < 0 ? status : 0;
}
