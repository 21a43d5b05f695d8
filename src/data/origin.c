#include "data/origin.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "data/hdf_guard.h"
#include "data/target_lines.h"
#include <stdio.h>
#include <string.h>

enum { PLACES = 3 };
static const char diagnosis[] = "diagnosis", options[] = "provenance/effective_options",
                  files[] = "provenance/files";

/* Rank 0 alone. */
struct reading {
  const char *file;
  char *text[PLACES]; /* found; owned */
};

static int is_there(hid_t handle, const char *place)
{
  return H5Lexists(handle, "provenance", H5P_DEFAULT) > 0 &&
         H5Lexists(handle, place, H5P_DEFAULT) > 0;
}

/* What is no text there is a stranger's, and tells nothing. */
static void read_attribute(hid_t handle, const char *file, char **text)
{
  hid_t attribute = H5Aexists(handle, diagnosis) > 0 ? H5Aopen(handle, diagnosis, H5P_DEFAULT) : -1;
  if (attribute < 0)
    return;
  dun_hdf_read_text(-1, attribute, file, diagnosis, text);
  H5Aclose(attribute);
}

static void read_dataset(hid_t handle, const char *file, const char *place, char **text)
{
  hid_t dataset = is_there(handle, place) ? dun_hdf_open_dataset(handle, file, place) : -1;
  if (dataset < 0)
    return;
  dun_hdf_read_text(dataset, -1, file, place, text);
  H5Dclose(dataset);
}

static int read_all(void *self)
{
  struct reading *reading = self;
  const char *file = reading->file;
  for (int i = 0; i < PLACES; i++)
    reading->text[i] = NULL;
  hid_t handle = dun_hdf_open(file, 0);
  if (handle < 0)
    return (int)handle;
  read_attribute(handle, file, &reading->text[0]);
  read_dataset(handle, file, options, &reading->text[1]);
  read_dataset(handle, file, files, &reading->text[2]);
  return dun_hdf_close(handle, file, 0);
}

/* Into the diagnosis and the target's lines. */
static int settle(struct reading *reading, struct dun_origin *origin, struct dun_text *lines)
{
  static const char *const words[] = {"good", "doubtful", "bad"};
  for (int i = 0; i < 3 && reading->text[0]; i++)
    if (!strcmp(reading->text[0], words[i]))
      snprintf(origin->diagnosis, sizeof origin->diagnosis, "%s", words[i]);
  if (*origin->diagnosis)
    dun_target_lines(lines, reading->text[1], reading->text[2]);
  return lines->failed ? dun_fail(DUN_ERROR_MEMORY, "no memory for a target's options") : 0;
}

int dun_origin_read(struct dun_context *context, const char *file, struct dun_origin *origin)
{
  struct dun_text lines = {0};
  int status = 0;
  int64_t size = 0;
  char *block = NULL;
  dun_origin_free(origin);
  if (context->rank == 0 && dun_hdf_is(file)) {
    struct reading reading = {.file = file};
    status = dun_hdf_guarded(file, DUN_ERROR_INPUT, read_all, &reading);
    if (status >= 0)
      status = settle(&reading, origin, &lines);
    for (int i = 0; i < PLACES; i++)
      dun_free(reading.text[i]);
    block = status >= 0 ? dun_copy_text(lines.text) : NULL;
    size = block ? (int64_t)strlen(block) + 1 : 0;
    if (status >= 0 && lines.text && !block)
      status = DUN_ERROR_MEMORY;
  }
  dun_text_free(&lines);
  status = dun_broadcast_block(context, status, &block, &size);
  if (status >= 0 && size > 0)
    origin->target = block;
  else
    dun_free(block);
  return status < 0 ? status
                    : dun_broadcast(context, origin->diagnosis, sizeof origin->diagnosis, 0);
}

void dun_origin_free(struct dun_origin *origin)
{
  DUN_FREE(origin->target);
  memset(origin->diagnosis, 0, sizeof origin->diagnosis);
}
