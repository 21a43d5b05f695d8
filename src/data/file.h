/* The content of a file, as it is.  Local; DUN_ERROR_INPUT with a sentence that names the file. */
#ifndef DUNLIN_DATA_FILE_H
#define DUNLIN_DATA_FILE_H

#include <stdint.h>

/* Opens a regular file to be read: its descriptor, for the caller to close; < 0: failed. */
int dun_file_open(const char *path, int64_t *size);
/* The next `size` bytes of an open file. */
int dun_file_take(int file, const char *path, char *bytes, int64_t size);

/* The whole content of a file of at most `limit` bytes, with a zero byte behind it; *bytes is the
 * caller's (dun_free).  Refuses a folder, an unreadable, an empty or a too large file. */
int dun_file_load(const char *path, int64_t limit, char **bytes, int64_t *size);

#endif
