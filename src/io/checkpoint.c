#include "io/checkpoint.h"

#include "base/error.h"
#include "base/memory.h"
#include "io/checkpoint_file.h"
#include "io/durable.h"
#include "parallel/sum.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- writing ----------------------------------------------------------------------------- */

/* How much a slot's file is worth keeping: the one that is worth less is replaced. */
static uint64_t worth(const char *file, int slot, uint64_t identity, uint64_t *newest)
{
  struct dun_checkpoint_header header;
  char *name = dun_checkpoint_name(file, slot, "");
  int found = name ? dun_checkpoint_examine(name, &header) : 0;
  dun_free(name);
  if (found != 1)
    return 0;
  if (header.generation > *newest)
    *newest = header.generation;
  return header.identity == identity ? 1 + header.generation : 1;
}

/* Rank 0: the slot to replace and the generation to give. */
static int choose_slot(const struct dun_checkpoint *checkpoint, uint64_t *generation)
{
  uint64_t newest = 0;
  uint64_t first = worth(checkpoint->file, 0, checkpoint->identity, &newest);
  uint64_t second = worth(checkpoint->file, 1, checkpoint->identity, &newest);
  *generation = newest + 1;
  return second < first;
}

static int write_columns(const char *name, const struct dun_checkpoint *checkpoint,
                         const struct dun_saved *saved, const struct dun_checkpoint_header *header)
{
  const struct dun_tiles *tiles = &checkpoint->population->tiles;
  int status = 0, file;
  if (tiles->local == 0)
    return 0;
  file = dun_durable_open(name, 1);
  if (file < 0)
    return file;
  for (int c = 0; c < saved->columns && status == 0; c++) {
    int64_t row = dun_checkpoint_row(saved->column[c]);
    status = dun_durable_write(file, name, saved->column[c]->data, tiles->local * row,
                               (int64_t)header->column_offset[c] + tiles->first * row);
  }
  return dun_durable_close(file, name, 1, status);
}

/* Rank 0's part before the columns: names, layout. */
static int prepare(const struct dun_checkpoint *checkpoint, const struct dun_saved *saved,
                   const int64_t *sum, struct dun_checkpoint_header *header, int *slot)
{
  *slot = choose_slot(checkpoint, &header->generation);
  char *name = dun_checkpoint_name(checkpoint->file, *slot, ".tmp");
  int status =
      name ? dun_checkpoint_lay_out(name, checkpoint, saved, sum, header) : DUN_ERROR_MEMORY;
  dun_free(name);
  return status;
}

static int broadcast_layout(struct dun_context *context, int status,
                            struct dun_checkpoint_header *header, int *slot)
{
  status = dun_agree(context, status);
  if (status == 0)
    status = dun_broadcast(context, header, sizeof *header, 0);
  if (status == 0)
    status = dun_broadcast(context, slot, sizeof *slot, 0);
  return status;
}

int dun_checkpoint_write(struct dun_context *context, const struct dun_checkpoint *checkpoint)
{
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  struct dun_checkpoint_header header = {0};
  int64_t sums = saved.columns * saved.blocks;
  int64_t *sum = dun_allocate(sums + 1, sizeof *sum);
  int status = sum ? 0 : DUN_ERROR_MEMORY, slot = 0, laid_out = 0;
  char *temporary = NULL, *name = NULL;
  if (sum)
    dun_checkpoint_sums(checkpoint, &saved, sum);
  status = dun_agree(context, status);
  if (status < 0)
    goto out;
  status = dun_sum_integers(context, 0, sums, sum);
  if (status < 0)
    goto out;
  if (context->rank == 0)
    status = prepare(checkpoint, &saved, sum, &header, &slot);
  laid_out = status == 0;
  status = broadcast_layout(context, status, &header, &slot);
  if (status < 0)
    goto out;
  temporary = dun_checkpoint_name(checkpoint->file, slot, ".tmp");
  name = dun_checkpoint_name(checkpoint->file, slot, "");
  status = !temporary || !name ? DUN_ERROR_MEMORY
                               : write_columns(temporary, checkpoint, &saved, &header);
  status = dun_agree(context, status);
  if (status == 0 && context->rank == 0)
    status = dun_durable_publish(temporary, name);
  status = dun_agree(context, status);
out:
  if (status < 0 && context->rank == 0 && laid_out && temporary)
    unlink(temporary);
  dun_free(temporary);
  dun_free(name);
  dun_free(sum);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* A file that might be read, as rank 0 found it. */
struct candidate {
  int found; /* as dun_checkpoint_examine */
  int slot;
  struct dun_checkpoint_header header;
  char fault[1024];
};

static void note_fault(struct candidate *candidate, int status)
{
  candidate->found = status;
  snprintf(candidate->fault, sizeof candidate->fault, "%s", dun_error_text());
}

/* Rank 0: both slots, the newest first; left-over temporary files go. */
static void examine(const char *file, struct candidate candidate[2])
{
  for (int slot = 0; slot < 2; slot++) {
    char *name = dun_checkpoint_name(file, slot, "");
    char *temporary = dun_checkpoint_name(file, slot, ".tmp");
    if (temporary)
      unlink(temporary);
    candidate[slot].slot = slot;
    int found = name ? dun_checkpoint_examine(name, &candidate[slot].header) : DUN_ERROR_MEMORY;
    candidate[slot].found = found;
    if (found < 0)
      note_fault(&candidate[slot], found);
    dun_free(name);
    dun_free(temporary);
  }
  if (candidate[1].found == 1 && (candidate[0].found != 1 || candidate[1].header.generation >
                                                                 candidate[0].header.generation)) {
    struct candidate older = candidate[0];
    candidate[0] = candidate[1];
    candidate[1] = older;
  }
}

static int read_columns(const char *name, const struct dun_checkpoint *checkpoint,
                        const struct dun_saved *saved, const struct dun_checkpoint_header *header)
{
  const struct dun_tiles *tiles = &checkpoint->population->tiles;
  int status = 0, file;
  if (tiles->local == 0)
    return 0;
  file = dun_durable_open(name, 0);
  if (file < 0)
    return file;
  for (int c = 0; c < saved->columns && status == 0; c++) {
    int64_t row = dun_checkpoint_row(saved->column[c]);
    status = dun_durable_read(file, name, saved->column[c]->data, tiles->local * row,
                              (int64_t)header->column_offset[c] + tiles->first * row);
  }
  return dun_durable_close(file, name, 0, status);
}

static int compare_sums(const char *name, const struct dun_saved *saved, const int64_t *stored,
                        const int64_t *seen)
{
  for (int c = 0; c < saved->columns; c++)
    for (int64_t b = 0; b < saved->blocks; b++)
      if (stored[c * saved->blocks + b] != seen[c * saved->blocks + b])
        return dun_fail(DUN_ERROR_FILE, "'%s' is damaged: column '%s', particles from %lld on.",
                        name, saved->column[c]->name, (long long)b * DUN_CHECKPOINT_BLOCK);
  return 0;
}

/* Local: new memory for the lists of all objects, so that taking over cannot fail half-way. */
static int make_lists(const struct dun_checkpoint *checkpoint, const char *state,
                      struct dun_numbers *list)
{
  for (int i = 0; i < checkpoint->object_count; i++)
    for (const struct dun_state *row = checkpoint->objects[i].rows; row && row->name; row++) {
      int64_t count;
      memcpy(&count, state, 8);
      state += 8 + 8 * count;
      if (row->type != DUN_STATE_NUMBERS)
        continue;
      list->value = dun_allocate(count, sizeof(double));
      if (!list->value)
        return DUN_ERROR_MEMORY;
      list->count = count;
      memcpy(list->value, state - 8 * count, (size_t)(8 * count));
      list++;
    }
  return 0;
}

static void take_over(const struct dun_checkpoint *checkpoint, const char *state,
                      struct dun_numbers *list)
{
  for (int i = 0; i < checkpoint->object_count; i++)
    for (const struct dun_state *row = checkpoint->objects[i].rows; row && row->name; row++) {
      char *member = (char *)checkpoint->objects[i].self + row->offset;
      int64_t count;
      memcpy(&count, state, 8);
      if (row->type == DUN_STATE_NUMBERS) {
        struct dun_numbers *numbers = (void *)member;
        dun_free(numbers->value);
        *numbers = *list;
        *list++ = (struct dun_numbers){0};
      } else
        memcpy(member, state + 8, (size_t)(8 * count));
      state += 8 + 8 * count;
    }
}

static int count_lists(const struct dun_checkpoint *checkpoint)
{
  int count = 0;
  for (int i = 0; i < checkpoint->object_count; i++)
    for (const struct dun_state *row = checkpoint->objects[i].rows; row && row->name; row++)
      count += row->type == DUN_STATE_NUMBERS;
  return count;
}

/* Collective: the states, which rank 0 has read, into the objects of all. */
static int restore_state(struct dun_context *context, const struct dun_checkpoint *checkpoint,
                         const char *state)
{
  int lists = count_lists(checkpoint);
  struct dun_numbers *list = dun_allocate(lists + 1, sizeof *list);
  int status = list ? make_lists(checkpoint, state, list) : DUN_ERROR_MEMORY;
  status = dun_agree(context, status);
  if (status == 0)
    take_over(checkpoint, state, list);
  for (int i = 0; list && i < lists; i++)
    dun_free(list[i].value);
  dun_free(list);
  return status;
}

/* Collective: one file, everything checked before the objects change. */
static int restore(struct dun_context *context, const struct dun_checkpoint *checkpoint,
                   const struct candidate *candidate)
{
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  int64_t sums = saved.columns * saved.blocks, state_size = 0;
  int64_t *stored = dun_allocate(sums + 1, sizeof *stored);
  int64_t *seen = dun_allocate(sums + 1, sizeof *seen);
  char *state = NULL, *name = dun_checkpoint_name(checkpoint->file, candidate->slot, "");
  int status = dun_agree(context, stored && seen && name ? 0 : DUN_ERROR_MEMORY);
  if (status < 0)
    goto out;
  if (context->rank == 0)
    status = dun_checkpoint_load(name, checkpoint, &saved, &candidate->header, stored, &state,
                                 &state_size);
  status = dun_broadcast_block(context, status, &state, &state_size);
  if (status < 0)
    goto out;
  status = dun_broadcast(context, stored, sums * (int64_t)sizeof *stored, 0);
  if (status == 0)
    status = read_columns(name, checkpoint, &saved, &candidate->header);
  if (status == 0)
    dun_checkpoint_sums(checkpoint, &saved, seen);
  status = dun_sum_integers(context, status, sums, seen);
  if (status == 0)
    status = compare_sums(name, &saved, stored, seen);
  if (status == 0)
    status = restore_state(context, checkpoint, state);
out:
  dun_free(stored);
  dun_free(seen);
  dun_free(state);
  dun_free(name);
  return status;
}

static const char *warn_of(struct dun_context *context, const struct candidate *candidate,
                           const char *earlier)
{
  if (context->rank == 0)
    dun_warn(&context->log, "%s", candidate->fault);
  return earlier ? earlier : candidate->fault;
}

static int refuse_all(const struct dun_checkpoint *checkpoint, const char *fault)
{
  return dun_fail(DUN_ERROR_INPUT,
                  "No checkpoint of '%s' can be used: %s  Remove the files to start afresh.",
                  checkpoint->file, fault);
}

int dun_checkpoint_read(struct dun_context *context, const struct dun_checkpoint *checkpoint)
{
  struct candidate candidate[2] = {{0}, {0}};
  const char *fault = NULL;
  if (context->rank == 0)
    examine(checkpoint->file, candidate);
  int status = dun_broadcast(context, candidate, sizeof candidate, 0);
  if (status < 0)
    return status;
  for (int i = 0; i < 2; i++)
    if (candidate[i].found < 0)
      fault = warn_of(context, &candidate[i], fault);
  for (int i = 0; i < 2; i++) {
    if (candidate[i].found != 1)
      continue;
    if (candidate[i].header.identity != checkpoint->identity)
      return dun_fail(DUN_ERROR_INPUT,
                      "The checkpoint of '%s' (number %d) belongs to another input: use another "
                      "output file, or remove it to start afresh.",
                      checkpoint->file, candidate[i].slot);
    status = restore(context, checkpoint, &candidate[i]);
    if (status == 0)
      return 1;
    if (status == DUN_ERROR_MEMORY)
      return status;
    note_fault(&candidate[i], status);
    fault = warn_of(context, &candidate[i], fault);
  }
  return fault ? refuse_all(checkpoint, fault) : 0;
}

void dun_checkpoint_remove(struct dun_context *context, const char *file)
{
  for (int slot = 0; slot < 2 && context->rank == 0; slot++) {
    char *name = dun_checkpoint_name(file, slot, "");
    char *temporary = dun_checkpoint_name(file, slot, ".tmp");
    if (name)
      unlink(name);
    if (temporary)
      unlink(temporary);
    dun_free(name);
    dun_free(temporary);
  }
}
