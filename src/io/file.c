#include "io/file.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* folder/name; the folder of a file if `is_file`. */
static char *join(const char *folder, int is_file, const char *name)
{
  const char *slash = is_file ? strrchr(folder, '/') : folder + strlen(folder);
  struct dun_text path = {0};
  if (slash)
    dun_text_add(&path, "%.*s/", (int)(slash - folder), folder);
  dun_text_add(&path, "%s", name);
  if (path.failed)
    dun_text_free(&path);
  return path.text;
}

static int is_missing(const char *path)
{
  struct stat status;
  return stat(path, &status) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* The name in the working folder, as ranks elsewhere find it, too. */
static char *from_here(const char *name)
{
  char *folder = getcwd(NULL, 0), *path = folder ? join(folder, 0, name) : NULL;
  free(folder);
  return path;
}

enum { PLACES = 3 };

/* Where a file may be, at most PLACES. */
static int list_places(const char *name, const char *beside, const char *folder, int here,
                       char *place[PLACES])
{
  int count = 0;
  place[count++] = name[0] == '/' || !beside ? dun_copy_text(name) : join(beside, 1, name);
  if (name[0] == '/')
    return count;
  if (here && beside) {
    place[count++] = from_here(name);
    if (place[0] && place[1] && !strcmp(place[0], place[1])) {
      count--;
      DUN_FREE(place[count]);
    }
  }
  if (folder && *folder)
    place[count++] = join(folder, 0, name);
  return count;
}

/* The sentence with all the places. */
static int tell_missing(const char *name, const char *folder, int count, char *const *place)
{
  struct dun_text places = {0};
  for (int i = 0; i < count; i++)
    dun_text_add(&places, "%s'%s'", i == 0 ? "" : i < count - 1 ? ", " : " and ", place[i]);
  int status =
      places.failed
          ? DUN_ERROR_MEMORY
          : dun_fail(DUN_ERROR_INPUT, "There is no file '%s': looked for %s%s.", name, places.text,
                     name[0] == '/' || (folder && *folder) ? "" : " (no data folder is set)");
  dun_text_free(&places);
  return status;
}

/* Rank 0: a file that is there, or the sentence. */
static int look(const char *name, const char *beside, const char *folder, int here, char **found)
{
  char *place[PLACES] = {NULL};
  int count = list_places(name, beside, folder, here, place), status = 0;
  *found = NULL;
  for (int i = 0; i < count; i++)
    status = place[i] ? status : DUN_ERROR_MEMORY;
  for (int i = 0; i < count && status == 0 && !*found; i++)
    if (!is_missing(place[i])) {
      *found = place[i];
      place[i] = NULL;
    }
  if (!*found && status == 0)
    status = tell_missing(name, folder, count, place);
  for (int i = 0; i < PLACES; i++)
    dun_free(place[i]);
  return status;
}

int dun_file_find(struct dun_context *context, const char *name, const char *beside,
                  const char *folder, int here, char **found)
{
  int status = 0;
  int64_t size = 0;
  *found = NULL;
  if (context->rank == 0) {
    status = look(name, beside, folder, here, found);
    if (status == 0) {
      int file = dun_file_open(*found, &size);
      if (file >= 0)
        close(file);
      status = file < 0 ? file : 0;
    }
    if (status < 0)
      DUN_FREE(*found);
    size = *found ? (int64_t)strlen(*found) : 0;
  }
  return dun_broadcast_block(context, status, found, &size);
}

int dun_file_read(struct dun_context *context, const char *path, int64_t limit, char **bytes,
                  int64_t *size)
{
  int status = 0;
  *bytes = NULL;
  *size = 0;
  if (context->rank == 0)
    status = dun_file_load(path, limit, bytes, size);
  return dun_broadcast_block(context, status, bytes, size);
}

/* Goes on from *digest with so many bytes of the file. */
static int digest_bytes(int file, const char *path, int64_t size, uint64_t *digest)
{
  char piece[1 << 16];
  for (int64_t done = 0; done < size;) {
    size_t length = size - done < (int64_t)sizeof piece ? (size_t)(size - done) : sizeof piece;
    int status = dun_file_take(file, path, piece, (int64_t)length);
    if (status < 0)
      return status;
    *digest = dun_digest(*digest, piece, (int64_t)length);
    done += (int64_t)length;
  }
  return 0;
}

static int digest_file(const char *path, uint64_t *digest, int64_t *size)
{
  const int64_t half = (int64_t)1 << 29;
  int status, file = dun_file_open(path, size);
  if (file < 0)
    return file;
  *digest = (uint64_t)*size;
  status = digest_bytes(file, path, *size > 2 * half ? half : *size, digest);
  if (status == 0 && *size > 2 * half) {
    if (lseek(file, *size - half, SEEK_SET) < 0)
      status = dun_fail(DUN_ERROR_INPUT, "'%s' cannot be read: %s.", path, strerror(errno));
    else
      status = digest_bytes(file, path, half, digest);
  }
  close(file);
  return status;
}

int dun_file_digest(struct dun_context *context, const char *path, uint64_t *digest, int64_t *size)
{
  uint64_t both[2] = {0, 0};
  int status = 0;
  *size = 0;
  if (context->rank == 0) {
    status = digest_file(path, digest, size);
    both[0] = *digest;
    both[1] = (uint64_t)*size;
  }
  if ((status = dun_agree(context, status)) < 0)
    return status;
  dun_broadcast(context, both, sizeof both, 0);
  *digest = both[0];
  *size = (int64_t)both[1];
  return 0;
}

int dun_file_compare(struct dun_context *context, const char *path)
{
  uint64_t own = 0, first;
  int64_t size = 0;
  int status = digest_file(path, &own, &size);
  first = own;
  dun_broadcast(context, &first, sizeof first, 0);
  if (status == 0 && own != first)
    status = dun_fail(DUN_ERROR_INPUT,
                      "'%s' holds something else on rank %d than on rank 0: expected the same file "
                      "on all nodes.",
                      path, context->rank);
  return dun_agree(context, status);
}
