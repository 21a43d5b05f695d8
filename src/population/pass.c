#include "population/pass.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "parallel/sum.h"
#include <string.h>

enum { ODD = 3, WORDS = DUN_EXACT_DIGITS + ODD }; /* of a carried sum */

int dun_pass_declare(struct dun_pass *pass)
{
  pass->been = dun_population_declare(pass->population,
                                      (struct dun_column){
                                          .name = "been",
                                          .type = DUN_I8,
                                          .width = 1,
                                          .flags = DUN_SAVED,
                                          .doc = "Whether an interrupted pass has been here.",
                                      });
  return pass->been ? 0 : DUN_ERROR_MEMORY;
}

void dun_pass_free(struct dun_pass *pass)
{
  DUN_FREE(pass->sums.value);
  pass->sums.count = 0;
}

static char *marks(const struct dun_pass *pass, int64_t local_tile)
{
  return (char *)pass->been->data + local_tile * pass->population->tiles.tile;
}

/* ---- the sums of an interrupted pass ----------------------------------------------------- */

static int keep_sums(struct dun_context *context, struct dun_pass *pass, int64_t m,
                     struct dun_exact *sum)
{
  int64_t *word = dun_allocate(m * WORDS + 1, sizeof *word);
  int status = word && dun_numbers_make(&pass->sums, m * WORDS, 0) >= 0 ? 0 : DUN_ERROR_MEMORY;

  for (int64_t i = 0; i < m && status >= 0; i++) {
    dun_exact_carry(&sum[i]);
    memcpy(word + i * WORDS, sum[i].digit, sizeof sum[i].digit);
    memcpy(word + i * WORDS + DUN_EXACT_DIGITS, sum[i].odd, sizeof sum[i].odd);
  }
  status = dun_sum_integers(context, status, m * WORDS, word);
  if (status >= 0)
    memcpy(pass->sums.value, word, (size_t)(m * WORDS) * sizeof *word);
  dun_free(word);
  return status;
}

/* They are everybody's, so that one rank goes on with them. */
static void take_sums(const struct dun_pass *pass, int64_t m, struct dun_exact *sum)
{
  for (int64_t i = 0; i < m && (i + 1) * WORDS <= pass->sums.count; i++) {
    const double *word = pass->sums.value + i * WORDS;
    memcpy(sum[i].digit, word, sizeof sum[i].digit);
    memcpy(sum[i].odd, word + DUN_EXACT_DIGITS, sizeof sum[i].odd);
    sum[i].added = 0;
    dun_exact_carry(&sum[i]);
  }
}

/* ---- a pass ------------------------------------------------------------------------------ */

int dun_pass_begin(struct dun_context *context, struct dun_pass *pass, int64_t m,
                   struct dun_exact *sum)
{
  if (pass->begun++ < pass->over)
    return 1;
  if (pass->been) {
    pass->interrupt = &context->interrupt;
    dun_evaluator_watch(pass->evaluator, pass->interrupt);
  }
  if (context->rank == 0)
    take_sums(pass, m, sum);
  return 0;
}

int dun_pass_enter(struct dun_pass *pass, int64_t local_tile, int from)
{
  if (!pass->been)
    return 1;
  if (marks(pass, local_tile)[from])
    return 0;
  if (dun_interrupt_wished(pass->interrupt))
    return DUN_INTERRUPTED;
  pass->entered = pass->interrupt->last;
  pass->evaluations = pass->evaluator->evaluations;
  pass->gradients = pass->evaluator->gradients;
  pass->nans = pass->evaluator->nans;
  pass->infinities = pass->evaluator->infinities;
  pass->evaluator->timed = 0;
  return 1;
}

int dun_pass_leave(struct dun_pass *pass, int64_t local_tile, int from, int to)
{
  if (!pass->been)
    return 0;
  if (pass->evaluator->given_up) {
    pass->evaluator->evaluations = pass->evaluations;
    pass->evaluator->gradients = pass->gradients;
    pass->evaluator->nans = pass->nans;
    pass->evaluator->infinities = pass->infinities;
    return DUN_INTERRUPTED;
  }
  double seconds = dun_clock() - pass->entered;
  pass->longest = seconds > pass->longest ? seconds : pass->longest;
  pass->pieces++;
  memset(marks(pass, local_tile) + from, 1, (size_t)(to - from));
  return 0;
}

static void clear(struct dun_pass *pass)
{
  dun_pass_free(pass);
  if (pass->been)
    memset(pass->been->data, 0, (size_t)pass->population->tiles.local);
}

int dun_pass_end(struct dun_context *context, struct dun_pass *pass, int status, int64_t m,
                 struct dun_exact *sum, double *total)
{
  if (status == DUN_INTERRUPTED)
    dun_fail(status, "interrupted in the midst of a pass over the particles");
  if (pass->been)
    dun_evaluator_watch(pass->evaluator, NULL);
  status = m > 0 ? dun_sum(context, status, m, sum, total) : dun_agree(context, status);
  if (status == DUN_INTERRUPTED) {
    int kept = keep_sums(context, pass, m, sum);
    pass->over = pass->begun - 1;
    pass->begun = 0;
    return kept < 0 ? kept : status;
  }
  if (status >= 0)
    clear(pass);
  return status;
}

void dun_pass_forget(struct dun_pass *pass)
{
  pass->over = pass->begun = 0;
}
