/* Checksums of the draws: sums over their numbers that do not depend on the order of writing, so
 * that each rank counts what it writes; what a checkpoint keeps of them; and the restart that
 * compares them with what is left in the file. */
#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/durable.h"
#include "io/result_file.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum { CHUNK = 1 << 17, MOST_CHUNKS = 1 << 16 };

/* ---- chunks ------------------------------------------------------------------------------ */

static int64_t numbers_of(const struct dun_result *result, int variable)
{
  return result->chains * result->draws * result->variable[variable].width;
}

/* Chunks of all variables, if so many numbers share one; first_chunk is filled. */
static int64_t cut_by(struct dun_result *result, int64_t chunk)
{
  int64_t chunks = 0;
  for (int i = 0; i < result->variables; i++) {
    result->variable[i].first_chunk = chunks;
    chunks += (numbers_of(result, i) + chunk - 1) / chunk;
  }
  return chunks;
}

int dun_result_cut(struct dun_result *result)
{
  result->chunk = CHUNK;
  while ((result->chunks = cut_by(result, result->chunk)) > MOST_CHUNKS + result->variables)
    result->chunk *= 2;
  result->sum = dun_allocate(result->chunks, sizeof *result->sum);
  return result->sum ? 0 : DUN_ERROR_MEMORY;
}

/* Of so many numbers from number `first` of the variable on. */
static void add_sums(struct dun_result *result, int variable, int64_t first, int64_t count,
                     const void *numbers)
{
  const struct dun_result_variable *v = &result->variable[variable];
  dun_digest_blocks((uint64_t)variable, first, count, (int)dun_column_size(v->type), result->chunk,
                    numbers, result->sum + v->first_chunk);
}

void dun_result_count(struct dun_result *result, int variable, int64_t chain, int64_t draw,
                      int64_t count, const void *numbers)
{
  int64_t width = result->variable[variable].width;
  add_sums(result, variable, (chain * result->draws + draw) * width, count * width, numbers);
}

/* ---- what a checkpoint keeps ------------------------------------------------------------- */

/* It is followed by the variables' offsets and the checksums of all chunks, of 64 bits each. */
struct sealed {
  uint64_t layout, wrapping;
  int64_t size, mark;
  int64_t chains, done, draws; /* of chains of a replicate; all of chains below `done`, and so many
                                * draws of as many chains behind them */
  int64_t variables, chunks;
  char writer[DUN_WRITER];
};

/* Chains that a replicate has in the file. */
static int64_t chains_of(const struct dun_run *run)
{
  return run->kept.due > 0 ? run->kept.chains.total : 1;
}

int dun_result_seal(struct dun_context *context, const struct dun_result *result,
                    const struct dun_run *run, struct dun_checkpoint_draws *sealed)
{
  int64_t chains = chains_of(run), rest = result->variables + result->chunks;
  int64_t size = (int64_t)sizeof(struct sealed) + 8 * rest;
  char *bytes = dun_allocate(size, 1);
  int status = dun_agree(context, bytes ? 0 : DUN_ERROR_MEMORY);
  if (status == 0) {
    struct sealed head = {.layout = dun_result_layout(result),
                          .wrapping = result->wrapping,
                          .size = result->size,
                          .mark = result->mark,
                          .chains = chains,
                          .done = run->replicate * chains,
                          .draws = run->kept.draws,
                          .variables = result->variables,
                          .chunks = result->chunks};
    memcpy(head.writer, result->writer, sizeof head.writer);
    memcpy(bytes, &head, sizeof head);
    int64_t *offset = (int64_t *)(void *)(bytes + sizeof head), *sum = offset + result->variables;
    for (int i = 0; i < result->variables; i++)
      offset[i] = result->variable[i].offset;
    memcpy(sum, result->sum, (size_t)result->chunks * sizeof *sum);
    status = dun_sum_integers(context, 0, result->chunks, sum);
  }
  if (status < 0)
    DUN_FREE(bytes);
  *sealed = (struct dun_checkpoint_draws){bytes, bytes ? size : 0};
  return status;
}

/* Local.  Takes over what was kept, checked: a forger may have written it. */
static int unseal(struct dun_result *result, const struct dun_run *run,
                  const struct dun_checkpoint_draws *from, struct sealed *head,
                  const int64_t **stored)
{
  int64_t rest = result->variables + result->chunks, chains = chains_of(run);
  char known[DUN_WRITER];
  dun_result_known_as(result, known);
  int good = from->size == (int64_t)sizeof *head + 8 * rest;
  if (good)
    memcpy(head, from->bytes, sizeof *head);
  good = good && head->layout == dun_result_layout(result) &&
         head->variables == result->variables && head->chunks == result->chunks &&
         head->chains == chains && head->done == run->replicate * chains &&
         head->draws == run->kept.draws && head->draws >= 0 && head->draws <= result->draws &&
         head->done >= 0 && head->done <= result->chains &&
         (head->draws == 0 || head->done <= result->chains - chains) && head->mark >= 0 &&
         memchr(head->writer, 0, sizeof head->writer) != NULL &&
         !strncmp(head->writer, known, strlen(known));
  const int64_t *offset = (const int64_t *)(const void *)(from->bytes + sizeof *head);
  for (int i = 0; i < result->variables && good; i++) {
    int64_t bytes = numbers_of(result, i) * (int64_t)dun_column_size(result->variable[i].type);
    good = offset[i] > 0 && bytes <= head->size && offset[i] <= head->size - bytes;
    result->variable[i].offset = offset[i];
  }
  if (!good)
    return dun_fail(DUN_ERROR_INPUT, "What the checkpoint of '%s' says of its draws is damaged.",
                    result->file);
  result->wrapping = head->wrapping;
  result->size = head->size;
  result->mark = head->mark;
  memcpy(result->writer, head->writer, sizeof result->writer);
  *stored = offset + result->variables;
  return 0;
}

/* ---- what is left of them ---------------------------------------------------------------- */

/* The draws that are being looked at. */
struct look {
  struct dun_result *result;
  const struct sealed *head;
  int file;
  char *numbers;         /* [chunk], of 8 bytes at most */
  const int64_t *stored; /* [chunks] */
  int64_t *bad;          /* [chunks]: how many of its numbers are lost */
  int64_t written;       /* numbers of the present chunk that were written */
  int64_t good;          /* chunks with numbers that are as they were */
};

/* Calls `visit` for the stretches of numbers begin .. end - 1 of a variable that were written. */
static void each_written(struct look *look, int variable, int64_t begin, int64_t end,
                         void (*visit)(struct look *look, int variable, int64_t first,
                                       int64_t count, void *numbers))
{
  int64_t width = look->result->variable[variable].width,
          chain_numbers = width * look->result->draws;
  int size = (int)dun_column_size(look->result->variable[variable].type);
  for (int64_t chain = begin / chain_numbers; chain * chain_numbers < end; chain++) {
    int64_t draws = chain < look->head->done                        ? look->result->draws
                    : chain < look->head->done + look->head->chains ? look->head->draws
                                                                    : 0;
    int64_t first = chain * chain_numbers, last = first + draws * width;
    first = first > begin ? first : begin;
    last = last < end ? last : end;
    if (first < last)
      visit(look, variable, first, last - first, look->numbers + (first - begin) * size);
  }
}

static void add(struct look *look, int variable, int64_t first, int64_t count, void *numbers)
{
  add_sums(look->result, variable, first, count, numbers);
}

static void count_written(struct look *look, int variable, int64_t first, int64_t count,
                          void *numbers)
{
  (void)variable;
  (void)first;
  (void)numbers;
  look->written += count;
}

static void lose(struct look *look, int variable, int64_t first, int64_t count, void *numbers)
{
  enum dun_column_type type = look->result->variable[variable].type;
  (void)first;
  for (int64_t i = 0; i < count; i++)
    switch (type) {
    case DUN_F64: ((double *)numbers)[i] = NAN; break;
    case DUN_F32: ((float *)numbers)[i] = NAN; break;
    default: break;
    }
  if (type != DUN_F64 && type != DUN_F32)
    memset(numbers, 0, (size_t)count * dun_column_size(type));
}

/* Local.  One chunk as it is in the file; where that is damage, what was written becomes NaN once
 * `mend` says that it is damage, and not another run's. */
static int look_at_chunk(struct look *look, int variable, int64_t chunk, int mend)
{
  struct dun_result *result = look->result;
  const struct dun_result_variable *v = &result->variable[variable];
  int64_t at = v->first_chunk + chunk, begin = chunk * result->chunk;
  int64_t all = numbers_of(result, variable), end = begin + result->chunk;
  int64_t size = (int64_t)dun_column_size(v->type), bytes;
  end = end < all ? end : all;
  bytes = (end - begin) * size;
  look->written = 0;
  each_written(look, variable, begin, end, count_written);
  if (look->written == 0 || (mend && look->bad[at] == 0))
    return 0;
  int status = dun_durable_read_some(look->file, result->part, look->numbers, bytes,
                                     v->offset + begin * size);
  if (status < 0)
    return status;
  if (mend)
    each_written(look, variable, begin, end, lose);
  result->sum[at] = 0;
  each_written(look, variable, begin, end, add);
  if (mend)
    return dun_durable_write(look->file, result->part, look->numbers, bytes,
                             v->offset + begin * size);
  int same = result->sum[at] == look->stored[at];
  look->bad[at] = same ? 0 : look->written;
  look->good += same;
  return 0;
}

/* Local.  This rank's share of the chunks. */
static int look_at_share(struct look *look, int rank, int ranks, int mend)
{
  struct dun_tiles share = dun_tiles_of(look->result->chunks, 1, rank, ranks);
  int variable = 0, status = 0;
  for (int64_t at = share.first; at < share.first + share.local && status == 0; at++) {
    while (variable + 1 < look->result->variables &&
           look->result->variable[variable + 1].first_chunk <= at)
      variable++;
    status = look_at_chunk(look, variable, at - look->result->variable[variable].first_chunk, mend);
  }
  return status;
}

/* Rank 0: whether the file has this run's mark, and its wrapping as it was. */
static int look_at_wrapping(const struct look *look, int *ours, int *whole)
{
  *ours = dun_result_is_ours(look->result, look->file);
  *whole = dun_result_is_whole(look->result, look->file, look->result->part);
  return *whole < 0 ? *whole : 0;
}

static int refuse_another(const struct dun_result *result)
{
  return dun_fail(DUN_ERROR_FILE,
                  "'%s' does not hold the draws that its checkpoint tells of: it is another's; "
                  "--overwrite starts the run afresh",
                  result->part);
}

/* What is gone is told as such; what cannot be opened may be there the next time. */
static int open_draws(const struct dun_result *result)
{
  if (dun_durable_is_there(result->part) == 0)
    return dun_fail(DUN_ERROR_FILE,
                    "'%s' with the draws kept so far cannot be opened: No such file or directory; "
                    "--overwrite starts the run afresh",
                    result->part);
  return dun_durable_open(result->part, 1);
}

/* Collective.  Reads everything, and mends what must be; *lost as dun_result_resume. */
static int look_at_all(struct dun_context *context, struct look *look, int64_t *lost)
{
  enum { GOOD, OURS, WHOLE, COUNT };
  const struct dun_result *result = look->result;
  int64_t found[COUNT] = {0};
  int ours = 0, whole = 0;
  int status = look_at_share(look, context->rank, context->size, 0);
  if (status == 0 && context->rank == 0)
    status = look_at_wrapping(look, &ours, &whole);
  found[GOOD] = look->good;
  found[OURS] = ours;
  found[WHOLE] = whole;
  if ((status = dun_sum_integers(context, status, COUNT, found)) < 0 ||
      (status = dun_sum_integers(context, 0, result->chunks, look->bad)) < 0)
    return status;
  *lost = 0;
  for (int64_t i = 0; i < result->chunks; i++)
    *lost += look->bad[i];
  if (*lost > 0 && !found[OURS] && found[GOOD] == 0)
    return refuse_another(result);
  if (*lost > 0)
    status = look_at_share(look, context->rank, context->size, 1);
  if (status == 0 && context->rank == 0 && !found[WHOLE])
    status = dun_result_mend(result);
  return dun_agree(context, status);
}

int dun_result_check(struct dun_context *context, struct dun_result *result,
                     const struct dun_run *run, const struct dun_checkpoint_draws *sealed,
                     int64_t *lost)
{
  struct sealed head;
  struct look look = {.result = result, .head = &head, .file = -1};
  int status = unseal(result, run, sealed, &head, &look.stored);
  *lost = 0;
  if (status < 0 || (head.done == 0 && head.draws == 0))
    return status < 0 ? status : 1;
  look.numbers = dun_allocate(result->chunk, 8);
  look.bad = dun_allocate(result->chunks, sizeof *look.bad);
  look.file = look.numbers && look.bad ? open_draws(result) : DUN_ERROR_MEMORY;
  status = dun_agree(context, look.file < 0 ? look.file : 0);
  if (status == 0)
    status = look_at_all(context, &look, lost);
  if (look.file >= 0)
    status = dun_durable_close(look.file, result->part, *lost > 0, status);
  status = dun_agree(context, status);
  dun_free(look.numbers);
  dun_free(look.bad);
  return status;
}

/* ---- before the end ---------------------------------------------------------------------- */

/* Local.  Chunks of this rank's share that do not have the sums of what was written. */
static int count_bad(struct look *look, const struct dun_context *context, int64_t *bad)
{
  int status = look_at_share(look, context->rank, context->size, 0);
  *bad = 0;
  for (int64_t i = 0; i < look->result->chunks; i++)
    *bad += look->bad[i];
  return status;
}

int dun_result_verify(struct dun_context *context, struct dun_result *result,
                      const struct dun_run *run, int64_t done, int64_t draws)
{
  struct sealed head = {.chains = chains_of(run), .done = done, .draws = draws};
  struct look look = {.result = result, .head = &head, .file = -1};
  int64_t *own = result->sum, *all = dun_allocate(result->chunks, sizeof *all), bad = 0;
  int status = all ? 0 : DUN_ERROR_MEMORY;
  if (all)
    memcpy(all, own, (size_t)result->chunks * sizeof *all);
  look.stored = all;
  look.numbers = dun_allocate(result->chunk, 8);
  look.bad = dun_allocate(result->chunks, sizeof *look.bad);
  result->sum = dun_allocate(result->chunks, sizeof *result->sum);
  if (status == 0 && (!look.numbers || !look.bad || !result->sum))
    status = DUN_ERROR_MEMORY;
  if (status == 0)
    status = look.file = dun_result_open_part(result, 0);
  status = dun_agree(context, status < 0 ? status : 0);
  if (status == 0 && (status = dun_sum_integers(context, 0, result->chunks, all)) == 0)
    status = dun_sum_integers(context, count_bad(&look, context, &bad), 1, &bad);
  if (look.file >= 0)
    dun_durable_close(look.file, result->part, 0, 0);
  dun_free(result->sum);
  result->sum = own;
  dun_free(look.numbers);
  dun_free(look.bad);
  dun_free(all);
  if (status == 0 && bad > 0)
    status = dun_fail(DUN_ERROR_FILE,
                      "'%s' holds other draws than were written: %lld numbers lie in damaged "
                      "chunks; --restart goes on from the last checkpoint, if there is one",
                      result->part, (long long)bad);
  return status;
}
