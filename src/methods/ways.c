#include "methods/ways.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "parallel/sum.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { MOST, LOGS, WEIGHTS, SQUARES, LOG_SQUARES, SHIFT };

/* By the weights of so few effective ways nothing is told of log Z. */
static const double FEW = 50;
/* So many errors of a mean that is looked at are no shift. */
static const double SHIFTED = 2;
/* Of log Z the least error that is told from none: where weights are all alike it is that of terms
 * that cancel, which grow with the square of the target's distance from 0 in its deviations. */
static const double ROUNDING = 1e-6;

/* ---- means that the weights move ------------------------------------------------------------- */

enum { FUNCTIONS = 512, OF_FUNCTION = 3, OF_ALL = 3 };

/* Coordinates behind one with which it is multiplied: of few coordinates all. */
static int64_t lags_of(int64_t d)
{
  int64_t most = FUNCTIONS / d < d / 2 ? FUNCTIONS / d : d / 2;
  return most > 1 ? most : 1;
}

/* Each coordinate, its square and its products with others; behind them of all together the sum,
 * its square and the sum of squares. */
static int64_t functions_of(int64_t d)
{
  return d * (2 + lags_of(d)) + OF_ALL;
}

static double function_of(const double *x, int64_t d, int64_t f)
{
  int64_t each = 2 + lags_of(d), j = f / each, which = f % each;
  double sum = 0, square = 0;
  if (j < d)
    return which == 0 ? x[j] : x[j] * x[which == 1 ? j : (j + which - 1) % d];
  for (int64_t i = 0; i < d; i++) {
    sum += x[i];
    square += x[i] * x[i];
  }
  f -= d * each;
  return f == 0 ? sum : f == 1 ? sum * sum : square;
}

/* Adds to sum[OF_FUNCTION] f, f^2 and f by weight, of the n points x[n][d] of a tile. */
static void add_function(const double *x, int64_t d, int n, const double *part, int64_t f,
                         struct dun_exact *sum)
{
  double value = 0, square = 0, weighed = 0;
  for (int l = 0; l < n; l++) {
    double here = function_of(x + l * d, d, f);
    here = isfinite(here) ? here : 0;
    value += here;
    square += here * here;
    weighed += here * part[l];
  }
  dun_exact_add(&sum[0], value);
  dun_exact_add(&sum[1], square);
  dun_exact_add(&sum[2], weighed);
}

/* sum[OF_FUNCTION count] of the functions from `first` on. */
static void add_functions(const struct dun_run *run, const double *log_weight, double most,
                          int64_t first, int64_t count, struct dun_exact *sum)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t d = run->evaluator->dimension;
  double part[DUN_LANES];
  for (int64_t i = 0; i < tiles->count; i++) {
    int n = dun_tile_size(tiles, tiles->first_tile + i);
    const double *w = log_weight + i * tiles->tile, *x = dun_f64(run->x) + i * tiles->tile * d;
    for (int l = 0; l < n; l++)
      part[l] = isfinite(w[l]) ? dun_scalar_exp(w[l] - most) : 0;
    for (int64_t f = 0; f < count; f++)
      add_function(x, d, n, part, first + f, &sum[OF_FUNCTION * f]);
  }
}

/* In errors of the mean of n draws; 0 where they are all alike. */
static double shift_of(const double *total, double n, double weights)
{
  double mean = total[0] / n, square = total[1] / n, variance = square - mean * mean;
  if (!(variance > 1e-12 * square))
    return 0;
  return fabs(total[2] / weights - mean) / sqrt(variance / n);
}

static int find_shift(struct dun_context *context, struct dun_ways *ways, const struct dun_run *run,
                      const double *log_weight)
{
  int64_t all = functions_of(run->evaluator->dimension);
  int64_t room = all < FUNCTIONS ? all : FUNCTIONS;
  double n = (double)run->options.particles;
  struct dun_exact *sum = dun_allocate(OF_FUNCTION * room, sizeof *sum);
  double *total = dun_allocate(OF_FUNCTION * room, sizeof *total);
  int status = dun_agree(context, sum && total ? 0 : DUN_ERROR_MEMORY);
  ways->sum[SHIFT] = 0;
  for (int64_t first = 0; first < all && status >= 0; first += room) {
    int64_t count = all - first < room ? all - first : room;
    memset(sum, 0, (size_t)(OF_FUNCTION * room) * sizeof *sum);
    add_functions(run, log_weight, ways->sum[MOST], first, count, sum);
    status = dun_sum(context, 0, OF_FUNCTION * count, sum, total);
    for (int64_t f = 0; f < count && status >= 0; f++)
      ways->sum[SHIFT] =
          fmax(ways->sum[SHIFT], shift_of(total + OF_FUNCTION * f, n, ways->sum[WEIGHTS]));
  }
  dun_free(sum);
  dun_free(total);
  return status;
}

/* ---- sums ------------------------------------------------------------------------------------ */

int dun_ways_sum(struct dun_context *context, struct dun_ways *ways, const struct dun_run *run,
                 const struct dun_column *log_weight)
{
  const double *w = dun_f64(log_weight);
  struct dun_exact sum[4] = {{{0}, 0, {0}}};
  double most = -INFINITY;
  int64_t n = run->population.tiles.local, count = 0;

  for (int64_t i = 0; i < n; i++) {
    count += isfinite(w[i]) != 0;
    most = isfinite(w[i]) && w[i] > most ? w[i] : most;
  }
  int status = dun_max(context, 0, 1, &most);
  for (int64_t i = 0; i < n && status >= 0; i++) {
    double part = isfinite(w[i]) ? dun_scalar_exp(w[i] - most) : 0;
    double log = isfinite(w[i]) ? w[i] : 0;
    dun_exact_add(&sum[0], log);
    dun_exact_add(&sum[1], part);
    dun_exact_add(&sum[2], part * part);
    dun_exact_add(&sum[3], log * log);
  }
  status = dun_sum(context, status, 4, sum, &ways->sum[LOGS]);
  if (status >= 0)
    status = dun_sum_integers(context, 0, 1, &count);
  ways->sum[MOST] = most;
  ways->particles = count > 0 ? count : -1;
  return status < 0 || count <= 0 ? status : find_shift(context, ways, run, w);
}

/* ---- what they tell -------------------------------------------------------------------------- */

int dun_ways_tell(const struct dun_ways *ways, const struct dun_run *run, double log_evidence,
                  struct dun_ways_facts *facts)
{
  double n = (double)run->options.particles, mean = ways->sum[WEIGHTS] / n;
  double log = ways->sum[LOGS] / n, variance = ways->sum[LOG_SQUARES] / n - log * log;
  if (ways->particles != run->options.particles)
    return 0;
  facts->nats = log_evidence - log;
  facts->error = sqrt(fmax(variance, 0) / n);
  facts->bias = sqrt(2 * n * fmax(facts->nats + facts->error, 0));
  facts->effective = mean * mean / (ways->sum[SQUARES] / n);
  facts->found = ways->sum[MOST] + dun_scalar_log(mean);
  facts->found_error = sqrt(fmax(1 / facts->effective - 1, 0) / n);
  facts->deviations = (facts->found - log_evidence) / fmax(facts->found_error, ROUNDING);
  facts->shift = ways->sum[SHIFT];
  return 1;
}

enum dun_verdict_level dun_ways_level(const struct dun_ways_facts *facts)
{
  return dun_verdict_above(facts->bias, 1, INFINITY);
}

int dun_ways_are_few(const struct dun_ways_facts *facts, const struct dun_run *run)
{
  return !(facts->effective * (double)run->options.particles >= FEW);
}

void dun_ways_judge(const struct dun_ways_facts *facts, struct dun_diagnosis *out)
{
  double off = fabs(facts->deviations);
  dun_diagnose(
      out, "means", dun_verdict_above(facts->shift, SHIFTED, INFINITY),
      "weights of the ways move means of coordinates and of products of two by at most %.2g "
      "of their errors%s",
      facts->shift, facts->shift <= SHIFTED ? "" : ": take more steps");
  dun_diagnose(out, "mass of ways", dun_verdict_above(off, 4, 8),
               "log Z by the weights of the ways is %.2g errors from the target's%s",
               facts->deviations, off < 4 ? "" : ": they do not reach all of it");
}

void dun_ways_diagnose(const struct dun_ways *ways, const struct dun_run *run, double log_evidence,
                       int drawn, struct dun_diagnosis *out)
{
  double none = (double)(run->options.particles - (ways->particles < 0 ? 0 : ways->particles));
  struct dun_ways_facts f;

  if (!dun_ways_tell(ways, run, log_evidence, &f)) {
    dun_diagnose(out, "path", DUN_BAD, "%.0f of the ways have no density", none);
    return;
  }
  if (dun_ways_are_few(&f, run)) {
    dun_diagnose(out, "path", DUN_DOUBTFUL,
                 "the law of the ways is %.4g nats from the noising run backwards, too far to be "
                 "weighed by it",
                 f.nats);
    return;
  }
  enum dun_verdict_level level = dun_ways_level(&f);
  dun_diagnose(out, "path", drawn || level > DUN_DOUBTFUL ? level : DUN_DOUBTFUL,
               "the law of the ways is %.3g nats from the noising run backwards (log Z by their "
               "weights is %.5g +- %.2g, %.3g%% of them effective), %s at most so far from the "
               "target: means are off by at most about %.2g errors%s",
               fmax(f.nats, 0), f.found, f.found_error, 100 * f.effective,
               drawn ? "points" : "noisy states", f.bias, drawn ? "" : "; take final: draw");
  dun_ways_judge(&f, out);
}
