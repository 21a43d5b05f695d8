/* Files that are complete or not there: reserved before anybody writes, written at given places,
 * synced, renamed.  Every function is local; DUN_ERROR_FILE with a sentence that names the file. */
#ifndef DUNLIN_IO_DURABLE_H
#define DUNLIN_IO_DURABLE_H

#include <stdint.h>

/* The most bytes in one transfer. */
enum { DUN_TRANSFER = 1 << 28 };

/* Makes an empty file and reserves `size` bytes for it: a full disk shows here.  On failure the
 * file is removed. */
int dun_durable_create(const char *path, int64_t size);
/* Reserves the space up to `size` of a file that is there; it becomes that long if it was
 * shorter. */
int dun_durable_reserve(const char *path, int64_t size);
/* The size of a file; DUN_ERROR_FILE if there is none. */
int64_t dun_durable_size(const char *path);

/* Opens to write in place (or to read): a descriptor. */
int dun_durable_open(const char *path, int write);
int dun_durable_write(int file, const char *path, const void *bytes, int64_t size, int64_t offset);
/* The file's end before `size` bytes is a failure. */
int dun_durable_read(int file, const char *path, void *bytes, int64_t size, int64_t offset);
/* fsync (when it was written) and close; a negative `status` is passed on. */
int dun_durable_close(int file, const char *path, int write, int status);

/* fsync, rename, fsync of the folder. */
int dun_durable_publish(const char *temporary, const char *path);

#endif
