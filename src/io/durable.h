/* Files that are complete or not there: reserved before anybody writes, written at given places,
 * synced, renamed.  Every function is local; DUN_ERROR_FILE with a sentence that names the file.
 * What is no regular file is refused, and never waited for. */
#ifndef DUNLIN_IO_DURABLE_H
#define DUNLIN_IO_DURABLE_H

#include <stdint.h>

/* The most bytes in one transfer. */
enum { DUN_TRANSFER = 1 << 28 };

/* 1 if there is something of that name, if only a link to nothing; 0 if there is nothing. */
int dun_durable_is_there(const char *path);

/* Makes an empty file and reserves `size` bytes for it: a full disk shows here.  A file or a link
 * that has the name gives it up; what a link points to is not touched.  On failure the file is
 * removed. */
int dun_durable_create(const char *path, int64_t size);
/* Reserves the space up to `size` of a file that is there; it becomes that long if it was
 * shorter. */
int dun_durable_reserve(const char *path, int64_t size);
/* The size of a file; DUN_ERROR_FILE if there is none. */
int64_t dun_durable_size(const char *path);

/* Opens to write in place, which follows no link, or to read: a descriptor. */
int dun_durable_open(const char *path, int write);
int dun_durable_write(int file, const char *path, const void *bytes, int64_t size, int64_t offset);
/* The file's end before `size` bytes is a failure. */
int dun_durable_read(int file, const char *path, void *bytes, int64_t size, int64_t offset);
/* What lies behind the file's end is 0. */
int dun_durable_read_some(int file, const char *path, void *bytes, int64_t size, int64_t offset);
/* fsync (when it was written) and close; a negative `status` is passed on. */
int dun_durable_close(int file, const char *path, int write, int status);

/* fsync, rename, fsync of the folder. */
int dun_durable_publish(const char *temporary, const char *path);

#endif
