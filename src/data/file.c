#include "data/file.h"
#include "base/error.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int dun_file_open(const char *path, int64_t *size)
{
  struct stat status;
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 && errno != ENXIO) /* a socket's */
    return dun_fail(DUN_ERROR_INPUT, "'%s' cannot be read: %s.", path, strerror(errno));
  int known = file >= 0 && fstat(file, &status) == 0;
  if (known && S_ISREG(status.st_mode)) {
    *size = status.st_size;
    return file;
  }
  if (file >= 0)
    close(file);
  return dun_fail(DUN_ERROR_INPUT, "'%s' is %s, expected a file.", path,
                  known && S_ISDIR(status.st_mode) ? "a folder" : "a device, socket or pipe");
}

int dun_file_take(int file, const char *path, char *bytes, int64_t size)
{
  for (int64_t done = 0; done < size;) {
    size_t piece = size - done < 1 << 28 ? (size_t)(size - done) : (size_t)1 << 28;
    ssize_t got = read(file, bytes + done, piece);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return dun_fail(DUN_ERROR_INPUT, "'%s' cannot be read: %s.", path, strerror(errno));
    if (got == 0)
      return dun_fail(DUN_ERROR_INPUT, "'%s' became shorter while it was read.", path);
    done += got;
  }
  return 0;
}

int dun_file_load(const char *path, int64_t limit, char **bytes, int64_t *size)
{
  int status = 0, file = dun_file_open(path, size);
  *bytes = NULL;
  if (file < 0)
    return file;
  if (*size == 0)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' is empty.", path);
  else if (*size > limit)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' has %lld bytes, expected at most %lld.", path,
                      (long long)*size, (long long)limit);
  else if (!(*bytes = dun_allocate(*size + 1, 1)))
    status = DUN_ERROR_MEMORY;
  else
    status = dun_file_take(file, path, *bytes, *size);
  close(file);
  if (status < 0)
    DUN_FREE(*bytes);
  return status;
}
