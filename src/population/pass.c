#include "population/pass.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/table.h"
#include "parallel/sum.h"
#include <string.h>

enum { ODD = 3, WORDS = DUN_EXACT_DIGITS + ODD }; /* of a carried sum */

/* Of the answers that are kept: in front of those of a piece; numbers of a rank and of all. */
enum { HEAD = 3, MOST_ANSWERS = 1 << 20, MOST_OF_ALL = 1 << 23 };

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
  DUN_FREE(pass->answers.value);
  pass->sums.count = pass->answers.count = 0;
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

/* ---- the answers of pieces that were given up --------------------------------------------- */

/* Of the whole section at `place`; 0: there is none, as behind the last. */
static int64_t section_size(const struct dun_numbers *answers, int64_t place)
{
  double count = place + HEAD <= answers->count ? answers->value[place + HEAD - 1] : -1;
  return count >= 0 && count <= (double)(answers->count - place - HEAD) ? HEAD + (int64_t)count : 0;
}

/* What is known of the piece `pass->key`; NULL: nothing. */
static const double *find_section(const struct dun_pass *pass, int64_t *count)
{
  const struct dun_numbers *all = &pass->answers;
  *count = 0;
  for (int64_t place = 0, size; (size = section_size(all, place)) > 0; place += size)
    if (!memcmp(all->value + place, pass->key, sizeof pass->key)) {
      *count = size - HEAD;
      return all->value + place + HEAD;
    }
  return NULL;
}

static void keep_answers(struct dun_pass *pass)
{
  int64_t count;
  const double *known = find_section(pass, &count);
  if (pass->evaluator->slow == DUN_SLOW_POINTS || count > 0)
    dun_answers_begin(&pass->evaluator->answers, pass->most, count, known);
}

/* Whether a piece that an earlier interruption left is this rank's, still to be done, and not the
 * one in hand. */
static int is_waiting(const struct dun_pass *pass, const double *section)
{
  const struct dun_tiles *tiles = &pass->population->tiles;
  double tile = section[0] - (double)tiles->first_tile;
  int own = tile >= 0 && tile < (double)tiles->count && section[1] >= 0 &&
            section[1] < dun_tile_size(tiles, (int64_t)section[0]);
  int in_hand = pass->evaluator->answers.kept && !memcmp(section, pass->key, sizeof pass->key);
  return own && !in_hand && !marks(pass, (int64_t)tile)[(int)section[1]];
}

/* Of the piece in hand, and what earlier interruptions left of others, to `out` unless it is NULL;
 * how many numbers there are, at most those that a rank may keep and a head. */
static int64_t own_answers(const struct dun_pass *pass, double *out)
{
  const struct dun_answers *hand = &pass->evaluator->answers;
  int64_t held = hand->count < pass->most ? hand->count : pass->most;
  int64_t count = hand->kept && held > 0 ? HEAD + held : 0;
  if (out && count > 0) {
    const double head[HEAD] = {pass->key[0], pass->key[1], (double)held};
    memcpy(out, head, sizeof head);
    memcpy(out + HEAD, hand->value, (size_t)held * sizeof *out);
  }
  for (int64_t place = 0, size; (size = section_size(&pass->answers, place)) > 0; place += size) {
    const double *section = pass->answers.value + place;
    if (!is_waiting(pass, section) || count + size > HEAD + pass->most)
      continue;
    if (out)
      memcpy(out + count, section, (size_t)size * sizeof *out);
    count += size;
  }
  return count;
}

/* This rank's place in the list of all, and its length. */
static int place_answers(struct dun_context *context, int64_t own, int64_t *before, int64_t *all)
{
  int64_t *counts = dun_allocate(context->size, sizeof *counts);
  int status = counts ? 0 : DUN_ERROR_MEMORY;
  if (counts)
    counts[context->rank] = own;
  status = dun_sum_integers(context, status, context->size, counts);
  *before = *all = 0;
  for (int r = 0; r < context->size && status >= 0; r++) {
    *before += r < context->rank ? counts[r] : 0;
    *all += counts[r];
  }
  dun_free(counts);
  return status;
}

/* They are everybody's, as the sums are: pieces are not done by the same ranks after a restart. */
static int share_answers(struct dun_context *context, struct dun_pass *pass)
{
  struct dun_numbers made = {0};
  int64_t own = pass->been ? own_answers(pass, NULL) : 0, before, all;
  int status = place_answers(context, own, &before, &all);

  if (status >= 0 && all > 0) {
    status = dun_numbers_make(&made, all, 0);
    if (status >= 0 && own > 0)
      own_answers(pass, made.value + before);
    status = dun_share(context, status, all, made.value);
  }
  DUN_FREE(pass->answers.value);
  pass->answers = made;
  return status;
}

/* ---- a pass ------------------------------------------------------------------------------ */

int dun_pass_begin(struct dun_context *context, struct dun_pass *pass, int64_t m,
                   struct dun_exact *sum)
{
  if (pass->been) { /* also where a forged state has passes that were over */
    int64_t most = MOST_OF_ALL / context->size - HEAD;
    pass->most = most < MOST_ANSWERS ? most : MOST_ANSWERS;
    pass->interrupt = &context->interrupt;
  }
  if (pass->begun++ < pass->over)
    return 1;
  if (pass->been)
    dun_evaluator_watch(pass->evaluator, pass->interrupt);
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
  if (dun_interrupt_pauses(pass->interrupt))
    return DUN_INTERRUPTED;
  pass->key[0] = (double)(pass->population->tiles.first_tile + local_tile);
  pass->key[1] = from;
  keep_answers(pass);
  pass->evaluations = pass->evaluator->evaluations;
  pass->gradients = pass->evaluator->gradients;
  pass->nans = pass->evaluator->nans;
  pass->nans_aside = pass->evaluator->nans_aside;
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
    pass->evaluator->nans_aside = pass->nans_aside;
    pass->evaluator->infinities = pass->infinities;
    return DUN_INTERRUPTED;
  }
  dun_answers_forget(&pass->evaluator->answers);
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
    if (kept >= 0)
      kept = share_answers(context, pass);
    dun_answers_forget(&pass->evaluator->answers);
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
