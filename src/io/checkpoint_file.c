#include "io/checkpoint_file.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/durable.h"
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[16] = "DUNLIN-CHECK\r\n\x1a";

/* ---- what is saved ----------------------------------------------------------------------- */

int64_t dun_checkpoint_row(const struct dun_column *column)
{
  return column->width * (int64_t)dun_column_size(column->type);
}

struct dun_saved dun_checkpoint_saved(const struct dun_checkpoint *checkpoint)
{
  const struct dun_population *population = checkpoint->population;
  int64_t total = population->tiles.total;
  struct dun_saved saved = {.blocks = (total + DUN_CHECKPOINT_BLOCK - 1) / DUN_CHECKPOINT_BLOCK};
  for (int i = 0; i < population->columns; i++)
    if (population->column[i].flags & DUN_SAVED)
      saved.column[saved.columns++] = &population->column[i];
  return saved;
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
  return dun_digest(digest, text, (int64_t)strlen(text));
}

/* Of the names, types and widths of all that is saved. */
static uint64_t layout_of(const struct dun_checkpoint *checkpoint)
{
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  uint64_t layout = 0;
  for (int i = 0; i < saved.columns; i++) {
    int shape[2] = {(int)saved.column[i]->type, saved.column[i]->width};
    layout = dun_digest(digest_text(layout, saved.column[i]->name), shape, sizeof shape);
  }
  for (int i = 0; i < checkpoint->object_count; i++) {
    const struct dun_stateful *object = &checkpoint->objects[i];
    layout = digest_text(layout, object->name);
    for (const struct dun_state *row = object->rows; row && row->name; row++) {
      int shape[2] = {(int)row->type, row->type == DUN_STATE_NUMBERS ? 0 : row->count};
      layout = dun_digest(digest_text(layout, row->name), shape, sizeof shape);
    }
  }
  return layout;
}

/* A scalar whose row was written without a count is still one number, not none. */
static int fixed_count(const struct dun_state *row)
{
  return row->count < 1 ? 1 : row->count;
}

const void *dun_state_values(const struct dun_state *row, const void *self, int64_t *count)
{
  const char *member = (const char *)self + row->offset;
  if (row->type == DUN_STATE_NUMBERS) {
    const struct dun_numbers *numbers = (const void *)member;
    *count = numbers->count;
    return numbers->value;
  }
  *count = fixed_count(row);
  return member;
}

char *dun_checkpoint_name(const char *file, int slot, const char *suffix)
{
  struct dun_text name = {0};
  size_t length = strlen(file);
  if (length > 3 && !strcmp(file + length - 3, ".h5"))
    length -= 3;
  dun_text_add(&name, "%.*s.%d.checkpoint%s", (int)length, file, slot, suffix);
  if (name.failed)
    dun_text_free(&name);
  return name.text;
}

char *dun_checkpoint_left(const char *file)
{
  for (int slot = 0; slot < 2; slot++) {
    char *name = dun_checkpoint_name(file, slot, "");
    if (name && dun_durable_is_there(name) != 0)
      return name;
    dun_free(name);
  }
  return NULL;
}

void dun_checkpoint_sums(const struct dun_checkpoint *checkpoint, const struct dun_saved *saved,
                         int64_t *sum)
{
  const struct dun_tiles *tiles = &checkpoint->population->tiles;
  memset(sum, 0, (size_t)(saved->columns * saved->blocks) * sizeof *sum);
  for (int c = 0; c < saved->columns; c++) {
    const struct dun_column *column = saved->column[c];
    int64_t width = column->width;
    dun_digest_blocks((uint64_t)c, tiles->first * width, tiles->local * width,
                      (int)dun_column_size(column->type), DUN_CHECKPOINT_BLOCK * width,
                      column->data, sum + c * saved->blocks);
  }
}

/* ---- places ------------------------------------------------------------------------------ */

static int64_t front_bytes(const struct dun_saved *saved, int64_t states, int64_t draws)
{
  return states + draws + 8 * saved->columns * saved->blocks;
}

int64_t dun_checkpoint_place(struct dun_saved *saved, int64_t particles, int64_t states,
                             int64_t draws)
{
  int64_t end = DUN_CHECKPOINT_HEADER + front_bytes(saved, states, draws);
  for (int c = 0; c < saved->columns; c++) {
    saved->offset[c] = end;
    end = saved->offset[c] + particles * dun_checkpoint_row(saved->column[c]);
  }
  return end;
}

/* ---- laying out -------------------------------------------------------------------------- */

/* The bytes of all states, which are written to `to` unless it is NULL. */
static int64_t pack_states(const struct dun_checkpoint *checkpoint, char *to)
{
  int64_t bytes = 0;
  for (int i = 0; i < checkpoint->object_count; i++) {
    const struct dun_stateful *object = &checkpoint->objects[i];
    for (const struct dun_state *row = object->rows; row && row->name; row++) {
      int64_t count;
      const void *values = dun_state_values(row, object->self, &count);
      if (to)
        memcpy(to + bytes, &count, 8);
      if (to && count > 0)
        memcpy(to + bytes + 8, values, (size_t)(8 * count));
      bytes += 8 + 8 * count;
    }
  }
  return bytes;
}

static uint64_t digest_header(const struct dun_checkpoint_header *header)
{
  return dun_digest(header->version, header, offsetof(struct dun_checkpoint_header, own));
}

static int write_front(const char *name, const void *front, int64_t size)
{
  int file = dun_durable_open(name, 1);
  if (file < 0)
    return file;
  return dun_durable_close(file, name, 0, dun_durable_write(file, name, front, size, 0));
}

int dun_checkpoint_lay_out(const char *name, const struct dun_checkpoint *checkpoint,
                           struct dun_saved *saved, const int64_t *sum, uint64_t generation)
{
  int64_t particles = checkpoint->population->tiles.total;
  int64_t states = pack_states(checkpoint, NULL), draws = checkpoint->draws.size;
  int64_t size = dun_checkpoint_place(saved, particles, states, draws);
  int64_t front = front_bytes(saved, states, draws);
  char *bytes = dun_allocate(DUN_CHECKPOINT_HEADER + front, 1), *at = bytes;
  if (!bytes)
    return DUN_ERROR_MEMORY;
  at += DUN_CHECKPOINT_HEADER;
  pack_states(checkpoint, at);
  if (draws > 0)
    memcpy(at + states, checkpoint->draws.bytes, (size_t)draws);
  memcpy(at + states + draws, sum, (size_t)(front - states - draws));
  struct dun_checkpoint_header header = {
      .version = DUN_CHECKPOINT_VERSION,
      .generation = generation,
      .identity = checkpoint->identity,
      .layout = layout_of(checkpoint),
      .particles = (uint64_t)particles,
      .columns = (uint64_t)saved->columns,
      .states = (uint64_t)states,
      .draws = (uint64_t)draws,
      .size = (uint64_t)size,
      .front = dun_digest(checkpoint->identity, at, front),
  };
  memcpy(header.magic, magic, sizeof magic);
  header.own = digest_header(&header);
  memcpy(bytes, &header, sizeof header);
  int status = dun_durable_create(name, size);
  if (status == 0 && (status = write_front(name, bytes, DUN_CHECKPOINT_HEADER + front)) < 0)
    unlink(name);
  dun_free(bytes);
  return status;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int check_header(const char *name, const struct dun_checkpoint_header *header, int64_t size)
{
  if (memcmp(header->magic, magic, sizeof magic))
    return dun_fail(DUN_ERROR_INPUT,
                    "'%s' is no checkpoint, or one of an earlier version of this program.", name);
  if (header->version != DUN_CHECKPOINT_VERSION)
    return dun_fail(DUN_ERROR_INPUT, "'%s' has format version %llu, this program reads %d.", name,
                    (unsigned long long)header->version, DUN_CHECKPOINT_VERSION);
  if (header->own != digest_header(header))
    return dun_fail(DUN_ERROR_INPUT, "'%s' is damaged at its begin.", name);
  if (header->size != (uint64_t)size)
    return dun_fail(DUN_ERROR_INPUT, "'%s' has %lld bytes, expected %llu%s.", name, (long long)size,
                    (unsigned long long)header->size,
                    header->size > (uint64_t)size ? ": it is cut off" : "");
  return 1;
}

/* What can be read, but is no file that a run writes, is damage to this reader. */
static int is_regular(const char *name)
{
  struct stat entry;
  return stat(name, &entry) == 0 && S_ISREG(entry.st_mode);
}

int dun_checkpoint_examine(const char *name, struct dun_checkpoint_header *header)
{
  int there = dun_durable_is_there(name), file, status;
  if (there <= 0)
    return there;
  file = dun_durable_open(name, 0);
  if (file < 0)
    return is_regular(name) ? file : DUN_ERROR_INPUT;
  int64_t size = lseek(file, 0, SEEK_END);
  memset(header, 0, sizeof *header);
  status = size < DUN_CHECKPOINT_HEADER
               ? dun_fail(DUN_ERROR_INPUT, "'%s' has %lld bytes: it is cut off or no checkpoint.",
                          name, (long long)size)
               : dun_durable_read(file, name, header, sizeof *header, 0);
  status = dun_durable_close(file, name, 0, status);
  return status < 0 ? status : check_header(name, header, size);
}

/* Whether the sizes, which a forger chose, are those that the contents have. */
static int check_sizes(const char *name, const struct dun_checkpoint *checkpoint,
                       const struct dun_checkpoint_header *header, struct dun_saved *saved)
{
  const struct dun_population *population = checkpoint->population;
  int whole = header->columns == (uint64_t)saved->columns;
  if (header->layout != layout_of(checkpoint) || !(whole || header->columns == 0) ||
      header->particles != (uint64_t)population->tiles.total)
    return dun_fail(DUN_ERROR_INPUT,
                    "'%s' holds other columns or states than this program saves for this input.",
                    name);
  if (!whole)
    saved->columns = 0;
  if (header->states > header->size || header->draws > header->size || header->draws % 8 ||
      (uint64_t)dun_checkpoint_place(saved, population->tiles.total, (int64_t)header->states,
                                     (int64_t)header->draws) != header->size)
    return dun_fail(DUN_ERROR_INPUT, "'%s' is damaged: its parts do not make up its size.", name);
  return 0;
}

static int check_values(const char *name, const char *object, const struct dun_state *row,
                        const char *values, int64_t count)
{
  int64_t at = dun_state_fault(row, values, count), integer;
  double number;
  if (at < 0)
    return 0;
  memcpy(&integer, values + 8 * at, 8);
  memcpy(&number, values + 8 * at, 8);
  return dun_fail(DUN_ERROR_INPUT, "'%s' is damaged: '%s' of '%s' is %.17g, as it cannot be.", name,
                  row->name, object, row->type == DUN_STATE_INTEGER ? (double)integer : number);
}

/* Every row has its count, and values that it can have; all of them together have the size. */
static int check_states(const char *name, const struct dun_checkpoint *checkpoint,
                        const char *state, int64_t size)
{
  int64_t at = 0, count;
  for (int i = 0; i < checkpoint->object_count; i++)
    for (const struct dun_state *row = checkpoint->objects[i].rows; row && row->name; row++) {
      if (size - at < 8)
        return dun_fail(DUN_ERROR_INPUT, "'%s' is damaged: its states are cut off.", name);
      memcpy(&count, state + at, 8);
      at += 8;
      if (count < 0 || count > (size - at) / 8 ||
          (row->type != DUN_STATE_NUMBERS && count != fixed_count(row)))
        return dun_fail(DUN_ERROR_INPUT, "'%s' is damaged: '%s' of '%s' has %lld numbers.", name,
                        row->name, checkpoint->objects[i].name, (long long)count);
      if (check_values(name, checkpoint->objects[i].name, row, state + at, count) < 0)
        return DUN_ERROR_INPUT;
      at += 8 * count;
    }
  return at == size ? 0 : dun_fail(DUN_ERROR_INPUT, "'%s' is damaged: it has more states.", name);
}

int dun_checkpoint_load(const char *name, const struct dun_checkpoint *checkpoint,
                        const struct dun_checkpoint_header *header, char **front, int64_t *size)
{
  struct dun_saved saved = dun_checkpoint_saved(checkpoint);
  int status = check_sizes(name, checkpoint, header, &saved);
  *front = NULL;
  if (status < 0)
    return status;
  *size = front_bytes(&saved, (int64_t)header->states, (int64_t)header->draws);
  *front = dun_allocate(*size, 1);
  int file = *front ? dun_durable_open(name, 0) : DUN_ERROR_MEMORY;
  if (file < 0)
    status = file;
  else
    status = dun_durable_close(file, name, 0,
                               dun_durable_read(file, name, *front, *size, DUN_CHECKPOINT_HEADER));
  if (status == 0 && dun_digest(header->identity, *front, *size) != header->front)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' is damaged outside its columns.", name);
  if (status == 0)
    status = check_states(name, checkpoint, *front, (int64_t)header->states);
  if (status < 0)
    DUN_FREE(*front);
  return status;
}
