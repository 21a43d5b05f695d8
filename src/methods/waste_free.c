#include "methods/waste_free.h"
#include "base/error.h"
#include "base/memory.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

int dun_waste_free_any(const struct dun_waste_free *w)
{
  return w->length > 0;
}

int64_t dun_waste_free_length(const struct dun_waste_free *w)
{
  return w->length > 0 ? w->length : 1;
}

int64_t dun_waste_free_chains(const struct dun_waste_free *w, const struct dun_run *run)
{
  return run->options.particles / dun_waste_free_length(w);
}

/* ---- setting up -------------------------------------------------------------------------- */

static int check_particles(const struct dun_waste_free *w, const struct dun_run *run)
{
  if (w->length > run->options.particles)
    return dun_fail(DUN_ERROR_INPUT,
                    "chain_length is %lld, expected at most run.particles, %lld, of which chains "
                    "are made",
                    w->length, run->options.particles);
  if (run->options.particles % w->length != 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "run.particles is %lld, expected a multiple of chain_length, %lld: as %lld or "
                    "%lld",
                    run->options.particles, w->length,
                    run->options.particles / w->length * w->length,
                    (run->options.particles / w->length + 1) * w->length);
  return 0;
}

static int check_moves(const struct dun_waste_free *w, const struct dun_moves *moves,
                       double ess_threshold)
{
  if (ess_threshold >= 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "ess_threshold is %g, and with chain_length, %lld, particles are selected at "
                    "every time: leave ess_threshold out",
                    ess_threshold, w->length);
  if (moves->per_step >= 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "moves_per_step is %lld, and chain_length, %lld, is one more than the moves of "
                    "a step: leave moves_per_step out",
                    moves->per_step, w->length);
  if (moves->most >= 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "most_moves is %lld, and chain_length, %lld, says how many moves there are: "
                    "leave most_moves out",
                    moves->most, w->length);
  if (moves->at == DUN_MOVES_END)
    return dun_fail(DUN_ERROR_INPUT,
                    "moves_at is end, and with chain_length, %lld, chains are made at every time: "
                    "leave moves_at out",
                    w->length);
  return 0;
}

static int check_kernel(const struct dun_waste_free *w, const struct dun_run *run)
{
  if (!run->kernel)
    return dun_fail(DUN_ERROR_INPUT, "chain_length is %lld, and no section kernel makes chains",
                    w->length);
  if (run->kernel->weighs && dun_kernel_is_biased(run->kernel, run->kernel_self))
    return dun_fail(DUN_ERROR_INPUT,
                    "with chain_length every point of a chain is a particle, which takes a kernel "
                    "that leaves pi_t invariant, and kernel %s weighs its moves instead",
                    run->kernel->type.name);
  return 0;
}

int dun_waste_free_init(struct dun_waste_free *w, struct dun_moves *moves, double ess_threshold,
                        struct dun_run *run)
{
  int status;

  moves->stated = moves->watch.apart = 0;
  if (!dun_waste_free_any(w))
    return 0;
  if ((status = check_particles(w, run)) < 0 ||
      (status = check_moves(w, moves, ess_threshold)) < 0 || (status = check_kernel(w, run)) < 0)
    return status;
  moves->stated = w->length - 1;
  moves->watch.apart = 1;
  w->lineage = dun_run_column(run, "lineage", DUN_F64, 1, DUN_MOVES,
                              "What the chains before had of the weights above their share.");
  return w->lineage ? 0 : DUN_ERROR_MEMORY;
}

void dun_waste_free_start(struct dun_waste_free *w)
{
  w->variance = w->covariance = w->gained = w->selected = 0;
  w->midway = 0;
}

void dun_waste_free_free(struct dun_waste_free *w)
{
  dun_population_free(&w->heads);
}

void dun_waste_free_found(const struct dun_waste_free *w, struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  for (int64_t i = 0; i < tiles->local; i++)
    dun_i64(run->root)[i] = (tiles->first + i) / w->length * w->length;
}

/* ---- the heads of the chains --------------------------------------------------------------- */

/* The same columns, with one generation. */
static int make_heads(struct dun_context *context, struct dun_waste_free *w,
                      const struct dun_run *run)
{
  const struct dun_tiles *tiles = &run->population.tiles;

  if (w->heads.allocated)
    return 0;
  dun_population_init(
      &w->heads, dun_tiles_of(tiles->total / w->length, tiles->tile, context->rank, context->size));
  for (int c = 0; c < run->population.columns; c++) {
    struct dun_column column = run->population.column[c];
    column.flags = 0;
    dun_population_declare(&w->heads, column);
  }
  return dun_population_allocate(&w->heads);
}

/* Point number `place` of every chain, to the heads or from there. */
static void copy_heads(struct dun_waste_free *w, struct dun_run *run, int64_t place, int out)
{
  for (int c = 0; c < w->heads.columns; c++) {
    const struct dun_column *head = &w->heads.column[c], *all = &run->population.column[c];
    size_t row = dun_column_size(head->type) * (size_t)head->width;
    char *one = head->data, *many = (char *)all->data + (size_t)place * row;
    for (int64_t m = 0; m < w->heads.tiles.local; m++, one += row, many += row * (size_t)w->length)
      memcpy(out ? many : one, out ? one : many, row);
  }
}

int dun_waste_free_enter(struct dun_context *context, struct dun_waste_free *w, struct dun_run *run,
                         int64_t place)
{
  if (!dun_waste_free_any(w))
    return 0;
  int status = dun_agree(context, make_heads(context, w, run));
  if (status < 0)
    return status;
  copy_heads(w, run, w->midway ? place : place - 1, 0);
  dun_sweep_turn(&run->sweep, &w->heads);
  return 0;
}

struct dun_run dun_waste_free_view(const struct dun_waste_free *w, const struct dun_run *run)
{
  struct dun_run view = *run;
  if (!dun_waste_free_any(w))
    return view;
  view.population = w->heads;
  view.x = dun_population_find(run->sweep.population, run->x->name);
  view.logw = dun_population_find(run->sweep.population, run->logw->name);
  view.root = dun_population_find(run->sweep.population, run->root->name);
  return view;
}

int dun_waste_free_leave(struct dun_waste_free *w, struct dun_run *run, int64_t place, int status)
{
  if (!dun_waste_free_any(w) || run->sweep.population != &w->heads)
    return status;
  copy_heads(w, run, place, 1);
  w->midway = status == DUN_INTERRUPTED;
  dun_sweep_turn(&run->sweep, &run->population);
  return status;
}

/* ---- the error of log Z -------------------------------------------------------------------- */

/* Sums over chains of a, of a times the lineage before, and of powers of the lineage with it. */
enum { OWN, PRODUCT, BEFORE, POWERS, SUMS = POWERS + 4 };

static void add_chain(double own, double before, struct dun_exact *sum)
{
  double with = before + own, square = with * with;

  dun_exact_add(&sum[OWN], own * own);
  dun_exact_add(&sum[PRODUCT], own * before);
  dun_exact_add(&sum[BEFORE], before);
  dun_exact_add(&sum[POWERS], with);
  dun_exact_add(&sum[POWERS + 1], square);
  dun_exact_add(&sum[POWERS + 2], square * with);
  dun_exact_add(&sum[POWERS + 3], square * square);
}

/* The chains of this rank, of so many points each; their lineages go on.  No chain is on two ranks:
 * weights are added in its order. */
static void add_chains(struct dun_waste_free *w, const struct dun_run *run,
                       const struct dun_weights *weights, int first, struct dun_exact *sum)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  const int64_t length = first ? 1 : w->length;
  const double chains = (double)(tiles->total / length);
  double *lineage = dun_f64(w->lineage), share = 0;
  _Alignas(64) double weight[DUN_LANES];

  for (int64_t t = 0, i = 0; t < tiles->count; t++) {
    int n = dun_tile_size(tiles, tiles->first_tile + t);
    dun_weights_tile(&run->population, run->logw, weights, t, weight);
    for (int l = 0; l < n; l++, i++) {
      share += weight[l];
      if ((i + 1) % length != 0)
        continue;
      double own = chains * share - 1, before = first ? 0 : lineage[i];
      add_chain(own, before, sum);
      /* Of N draws each says that much less of the mean than of M chains. */
      for (int64_t k = i + 1 - length; k <= i; k++)
        lineage[k] = first ? own / (double)w->length : before + own;
      share = 0;
    }
  }
}

/* (sum of squares)^2 / sum of fourth powers, about the mean of n. */
static double equal_terms(double n, const double *power)
{
  double m = power[0] / n, s2 = power[1], s3 = power[2], s4 = power[3];
  double squares = s2 - n * m * m;
  double fourths = s4 - 4 * m * s3 + 6 * m * m * s2 - 3 * n * m * m * m * m;
  return squares > 0 && fourths > 0 ? squares * squares / fourths : NAN;
}

int dun_waste_free_book(struct dun_context *context, struct dun_waste_free *w,
                        const struct dun_run *run, const struct dun_weights *weights, int first,
                        double by_ancestor, double *roots)
{
  double total[SUMS], n = (double)(first ? run->options.particles : dun_waste_free_chains(w, run));
  struct dun_exact sum[SUMS] = {0};

  add_chains(w, run, weights, first, sum);
  int status = dun_sum(context, 0, SUMS, sum, total);
  if (status < 0)
    return status;
  w->variance += n > 1 ? total[OWN] / (n * (n - 1)) : NAN;
  w->covariance += 2 * total[PRODUCT] / (n * n);
  w->gained += by_ancestor - w->selected;
  *roots = equal_terms(n, total + POWERS);
  return 0;
}

int dun_waste_free_selected(struct dun_context *context, struct dun_waste_free *w,
                            const struct dun_run *run, struct dun_weights *weights)
{
  struct dun_genealogy genealogy;
  int status = dun_weights_compute(context, &run->population, run->logw, weights);
  if (status >= 0)
    status = dun_genealogy_from(context, &run->population, run->root, run->logw, weights,
                                dun_waste_free_chains(w, run), &genealogy);
  w->selected = status < 0 ? 0 : genealogy.relative_variance;
  return status;
}

double dun_waste_free_error(const struct dun_waste_free *w)
{
  double by_lineage = w->variance + fmax(w->covariance, 0);
  return isnan(w->variance) ? NAN : sqrt(fmax(by_lineage, w->gained));
}

/* ---- what to think of it ------------------------------------------------------------------- */

void dun_waste_free_diagnose(const struct dun_waste_free *w, const struct dun_run *run,
                             double by_ancestor, struct dun_diagnosis *out)
{
  const double most = .6; /* above, chains of 4 of a hard posterior had means 12 errors off */
  double share = fmax(w->covariance, 0) / (w->variance + fmax(w->covariance, 0));

  if (!dun_waste_free_any(w))
    return;
  dun_diagnose(out, "chains", dun_verdict_above(share, most, .95),
               "%lld chains of %lld points at each time; of the variance of log Z %.2g is what "
               "they remember of chains before; the error by ancestor would be %.3g%s",
               (long long)dun_waste_free_chains(w, run), w->length, share, by_ancestor,
               share < most ? "" : ": they are short, or keep to their modes");
}
