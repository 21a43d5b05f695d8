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

/* How much a slot's file is worth keeping: the one that is worth less is replaced, what cannot be
 * read never. */
static uint64_t worth(const char *file, int slot, uint64_t identity, uint64_t *newest)
{
  struct dun_checkpoint_header header;
  char *name = dun_checkpoint_name(file, slot, "");
  int found = name ? dun_checkpoint_examine(name, &header) : DUN_ERROR_MEMORY;
  dun_free(name);
  if (found != 1)
    return found == DUN_ERROR_INPUT || found == 0 ? 0 : UINT64_MAX;
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
  if (first == UINT64_MAX || second == UINT64_MAX)
    return DUN_ERROR_FILE; /* its generation is not known */
  return second < first;
}

static int write_columns(const char *name, const struct dun_checkpoint *checkpoint,
                         const struct dun_saved *saved)
{
  const struct dun_tiles *tiles = &checkpoint->population->tiles;
  int status = 0, file;
  if (tiles->local == 0 || saved->columns == 0)
    return 0;
  file = dun_durable_open(name, 1);
  if (file < 0)
    return file;
  for (int c = 0; c < saved->columns && status == 0; c++) {
    int64_t row = dun_checkpoint_row(saved->column[c]);
    status = dun_durable_write(file, name, saved->column[c]->data, tiles->local * row,
                               saved->offset[c] + tiles->first * row);
  }
  return dun_durable_close(file, name, 1, status);
}

/* Rank 0's part before the columns. */
static int prepare(const struct dun_checkpoint *checkpoint, struct dun_saved *saved,
                   const int64_t *sum, int *slot)
{
  uint64_t generation;
  if ((*slot = choose_slot(checkpoint, &generation)) < 0)
    return *slot;
  char *name = dun_checkpoint_name(checkpoint->file, *slot, ".tmp");
  int status =
      name ? dun_checkpoint_lay_out(name, checkpoint, saved, sum, generation) : DUN_ERROR_MEMORY;
  dun_free(name);
  return status;
}

/* Where rank 0 has placed the columns, and in which slot. */
static int broadcast_layout(struct dun_context *context, int status, struct dun_saved *saved,
                            int *slot)
{
  status = dun_agree(context, status);
  if (status >= 0)
    status = dun_broadcast(context, saved->offset, sizeof saved->offset, 0);
  if (status >= 0)
    status = dun_broadcast(context, slot, sizeof *slot, 0);
  return status;
}

/* The columns into the temporary file, which then gets its name. */
static int complete(struct dun_context *context, const struct dun_checkpoint *checkpoint,
                    const struct dun_saved *saved, int slot)
{
  char *temporary = dun_checkpoint_name(checkpoint->file, slot, ".tmp");
  char *name = dun_checkpoint_name(checkpoint->file, slot, "");
  int status = dun_agree(context, temporary && name ? 0 : DUN_ERROR_MEMORY);
  if (status == 0)
    status = dun_agree(context, write_columns(temporary, checkpoint, saved));
  if (status == 0)
    status = dun_agree(context, context->rank == 0 ? dun_durable_publish(temporary, name) : 0);
  if (status < 0 && context->rank == 0 && temporary)
    unlink(temporary);
  dun_free(temporary);
  dun_free(name);
  return status;
}

int dun_checkpoint_write(struct dun_context *context, const struct dun_checkpoint *checkpoint)
{
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  if (checkpoint->ended)
    saved.columns = 0;
  int64_t sums = saved.columns * saved.blocks;
  int64_t *sum = dun_allocate(sums + 1, sizeof *sum);
  int status = dun_agree(context, sum ? 0 : DUN_ERROR_MEMORY), slot = 0;
  if (status == 0) {
    dun_checkpoint_sums(checkpoint, &saved, sum);
    status = dun_sum_integers(context, 0, sums, sum);
  }
  if (status == 0) {
    if (context->rank == 0)
      status = prepare(checkpoint, &saved, sum, &slot);
    status = broadcast_layout(context, status, &saved, &slot);
  }
  if (status == 0)
    status = complete(context, checkpoint, &saved, slot);
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
                        const struct dun_saved *saved)
{
  const struct dun_tiles *tiles = &checkpoint->population->tiles;
  int status = 0, file;
  if (tiles->local == 0 || saved->columns == 0)
    return 0;
  file = dun_durable_open(name, 0);
  if (file < 0)
    return file;
  for (int c = 0; c < saved->columns && status == 0; c++) {
    int64_t row = dun_checkpoint_row(saved->column[c]);
    status = dun_durable_read(file, name, saved->column[c]->data, tiles->local * row,
                              saved->offset[c] + tiles->first * row);
  }
  return dun_durable_close(file, name, 0, status);
}

static int compare_sums(const char *name, const struct dun_saved *saved, const int64_t *stored,
                        const int64_t *seen)
{
  for (int c = 0; c < saved->columns; c++)
    for (int64_t b = 0; b < saved->blocks; b++)
      if (stored[c * saved->blocks + b] != seen[c * saved->blocks + b])
        return dun_fail(DUN_ERROR_INPUT, "'%s' is damaged: column '%s', particles from %lld on.",
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

/* Collective: the columns of a file with that front, checked. */
static int restore_columns(struct dun_context *context, const char *name,
                           const struct dun_checkpoint *checkpoint, const struct dun_saved *saved,
                           const int64_t *stored)
{
  int64_t sums = saved->columns * saved->blocks;
  int64_t *seen = dun_allocate(sums + 1, sizeof *seen);
  int status = seen ? read_columns(name, checkpoint, saved) : DUN_ERROR_MEMORY;
  if (status == 0)
    dun_checkpoint_sums(checkpoint, saved, seen);
  status = dun_sum_integers(context, status, sums, seen);
  if (status == 0)
    status = compare_sums(name, saved, stored, seen);
  dun_free(seen);
  return status;
}

/* Collective: a copy of what the draws' owner wanted to be kept. */
static int take_draws(struct dun_context *context, struct dun_checkpoint *checkpoint,
                      const char *bytes, int64_t size)
{
  checkpoint->draws = (struct dun_checkpoint_draws){dun_allocate(size, 1), size};
  if (checkpoint->draws.bytes)
    memcpy(checkpoint->draws.bytes, bytes, (size_t)size);
  return dun_agree(context, checkpoint->draws.bytes ? 0 : DUN_ERROR_MEMORY);
}

/* Collective: one file, everything checked before the objects change. */
static int restore(struct dun_context *context, struct dun_checkpoint *checkpoint,
                   const struct candidate *candidate)
{
  const struct dun_checkpoint_header *header = &candidate->header;
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  int64_t states = (int64_t)header->states, draws = (int64_t)header->draws, size = 0;
  char *front = NULL, *name = dun_checkpoint_name(checkpoint->file, candidate->slot, "");
  int status = dun_agree(context, name ? 0 : DUN_ERROR_MEMORY);
  if (status == 0) {
    if (context->rank == 0)
      status = dun_checkpoint_load(name, checkpoint, header, &front, &size);
    status = dun_broadcast_block(context, status, &front, &size);
  }
  if (status == 0) {
    saved.columns = (int)header->columns;
    dun_checkpoint_place(&saved, checkpoint->population->tiles.total, states, draws);
    status = restore_columns(context, name, checkpoint, &saved,
                             (const int64_t *)(const void *)(front + states + draws));
  }
  if (status == 0)
    status = take_draws(context, checkpoint, front + states, draws);
  if (status == 0)
    status = restore_state(context, checkpoint, front);
  checkpoint->ended = header->columns == 0;
  dun_free(front);
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

/* Collective: the newest that can be used; what could not be is in *fault. */
static int restore_newest(struct dun_context *context, struct dun_checkpoint *checkpoint,
                          struct candidate candidate[2], const char **fault)
{
  for (int i = 0; i < 2; i++) {
    if (candidate[i].found != 1)
      continue;
    if (candidate[i].header.identity != checkpoint->identity)
      return dun_fail(DUN_ERROR_INPUT,
                      "The checkpoint of '%s' (number %d) belongs to another input: use another "
                      "output file, or remove it to start afresh.",
                      checkpoint->file, candidate[i].slot);
    int status = restore(context, checkpoint, &candidate[i]);
    if (status == 0)
      return 1;
    if (status != DUN_ERROR_INPUT)
      return status;
    note_fault(&candidate[i], status);
    *fault = warn_of(context, &candidate[i], *fault);
  }
  return *fault ? refuse_all(checkpoint, *fault) : 0;
}

int dun_checkpoint_read(struct dun_context *context, struct dun_checkpoint *checkpoint)
{
  struct candidate candidate[2] = {{0}, {0}};
  const char *fault = NULL;
  if (context->rank == 0)
    examine(checkpoint->file, candidate);
  int status = dun_broadcast(context, candidate, sizeof candidate, 0);
  if (status < 0)
    return status;
  for (int i = 0; i < 2; i++)
    if (candidate[i].found < 0 && candidate[i].found != DUN_ERROR_INPUT)
      return dun_fail(candidate[i].found, "%s", candidate[i].fault);
  for (int i = 0; i < 2; i++)
    if (candidate[i].found < 0)
      fault = warn_of(context, &candidate[i], fault);
  return restore_newest(context, checkpoint, candidate, &fault);
}

static int is_of(const char *name, const uint64_t *identity)
{
  struct dun_checkpoint_header header;
  return !identity || (dun_checkpoint_examine(name, &header) == 1 && header.identity == *identity);
}

void dun_checkpoint_remove(const char *file, const uint64_t *identity)
{
  for (int slot = 0; slot < 2; slot++) {
    char *name = dun_checkpoint_name(file, slot, "");
    char *temporary = dun_checkpoint_name(file, slot, ".tmp");
    if (name && is_of(name, identity))
      unlink(name);
    if (temporary)
      unlink(temporary);
    dun_free(name);
    dun_free(temporary);
  }
}
