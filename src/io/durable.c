#include "io/durable.h"

#include "base/error.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, const char *what, int error)
{
  return dun_fail(DUN_ERROR_FILE, "'%s' cannot be %s: %s.", path, what, strerror(error));
}

static int reserve(int file, const char *path, int64_t size)
{
  int error;
  do
    error = size > 0 ? posix_fallocate(file, 0, size) : 0;
  while (error == EINTR);
  if (error == 0)
    return 0;
  return dun_fail(DUN_ERROR_FILE, "'%s' needs %.1f MB that are not to be had: %s.", path,
                  (double)size * 1e-6, strerror(error));
}

int dun_durable_is_there(const char *path)
{
  struct stat status;
  if (lstat(path, &status) == 0)
    return 1;
  return errno == ENOENT || errno == ENOTDIR ? 0 : fail(path, "looked for", errno);
}

/* Whatever is opened is asked what it is: a pipe would be waited for, a device written to. */
static int open_regular(const char *path, int flags)
{
  struct stat status;
  int file = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
  if (file < 0)
    return fail(path, flags & O_CREAT ? "created" : "opened", errno);
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode))
    return file;
  close(file);
  return dun_fail(DUN_ERROR_FILE, "'%s' is no regular file.", path);
}

/* Gives the name free of what a dead run, or a stranger, has left there. */
static int give_up_name(const char *path)
{
  struct stat status;
  if (lstat(path, &status) < 0)
    return errno == ENOENT || errno == ENOTDIR ? 0 : fail(path, "looked for", errno);
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
    return dun_fail(DUN_ERROR_FILE, "'%s' is no regular file.", path);
  return unlink(path) < 0 && errno != ENOENT ? fail(path, "removed", errno) : 0;
}

int dun_durable_create(const char *path, int64_t size)
{
  int status = give_up_name(path);
  int file = status < 0 ? status : open_regular(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (file < 0)
    return file;
  status = reserve(file, path, size);
  if (close(file) < 0 && status == 0)
    status = fail(path, "closed", errno);
  if (status < 0)
    unlink(path);
  return status;
}

int dun_durable_reserve(const char *path, int64_t size)
{
  int file = dun_durable_open(path, 1);
  return file < 0 ? file : dun_durable_close(file, path, 0, reserve(file, path, size));
}

int64_t dun_durable_size(const char *path)
{
  struct stat status;
  return stat(path, &status) < 0 ? fail(path, "found", errno) : status.st_size;
}

int dun_durable_open(const char *path, int write)
{
  return open_regular(path, write ? O_RDWR | O_NOFOLLOW : O_RDONLY);
}

int dun_durable_write(int file, const char *path, const void *bytes, int64_t size, int64_t offset)
{
  for (int64_t done = 0; done < size;) {
    size_t piece = size - done < DUN_TRANSFER ? (size_t)(size - done) : (size_t)DUN_TRANSFER;
    ssize_t put = pwrite(file, (const char *)bytes + done, piece, offset + done);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return fail(path, "written", put < 0 ? errno : ENOSPC);
    done += put;
  }
  return 0;
}

/* The bytes that were got; fewer where the file ends. */
static int64_t get(int file, const char *path, void *bytes, int64_t size, int64_t offset)
{
  int64_t done = 0;
  while (done < size) {
    size_t piece = size - done < DUN_TRANSFER ? (size_t)(size - done) : (size_t)DUN_TRANSFER;
    ssize_t got = pread(file, (char *)bytes + done, piece, offset + done);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail(path, "read", errno);
    if (got == 0)
      break;
    done += got;
  }
  return done;
}

int dun_durable_read(int file, const char *path, void *bytes, int64_t size, int64_t offset)
{
  int64_t got = get(file, path, bytes, size, offset);
  if (got >= 0 && got < size)
    return dun_fail(DUN_ERROR_FILE, "'%s' is too short.", path);
  return got < 0 ? (int)got : 0;
}

int dun_durable_read_some(int file, const char *path, void *bytes, int64_t size, int64_t offset)
{
  int64_t got = get(file, path, bytes, size, offset);
  if (got >= 0)
    memset((char *)bytes + got, 0, (size_t)(size - got));
  return got < 0 ? (int)got : 0;
}

int dun_durable_close(int file, const char *path, int write, int status)
{
  if (write && status >= 0 && fsync(file) < 0)
    status = fail(path, "written to the disk", errno);
  if (close(file) < 0 && status >= 0 && errno != EINTR)
    status = fail(path, "closed", errno);
  return status;
}

/* The folder that a file lies in; the caller's. */
static char *folder_of(const char *path)
{
  char *folder = dun_copy_text(path), *slash = folder ? strrchr(folder, '/') : NULL;
  if (slash)
    slash[slash == folder] = 0;
  else if (folder)
    strcpy(folder, *folder ? "." : "");
  return folder;
}

/* Some file systems cannot sync a folder; then the rename is as durable as they make it. */
static int sync_folder(const char *path)
{
  char *folder = folder_of(path);
  int file, error = 0;
  if (!folder)
    return DUN_ERROR_MEMORY;
  file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0 || fsync(file) < 0)
    error = errno;
  if (file >= 0)
    close(file);
  if (error == EINVAL || error == ENOTSUP || error == EACCES)
    error = 0;
  if (error)
    fail(folder, "written to the disk", error);
  dun_free(folder);
  return error ? DUN_ERROR_FILE : 0;
}

int dun_durable_publish(const char *temporary, const char *path)
{
  int file = dun_durable_open(temporary, 1);
  if (file < 0 || dun_durable_close(file, temporary, 1, 0) < 0)
    return DUN_ERROR_FILE;
  if (rename(temporary, path) < 0)
    return dun_fail(DUN_ERROR_FILE, "'%s' cannot be renamed to '%s': %s.", temporary, path,
                    strerror(errno));
  return sync_folder(path);
}
