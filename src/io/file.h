/* Files that an input names: where they are looked for, and their whole content. */
#ifndef DUNLIN_IO_FILE_H
#define DUNLIN_IO_FILE_H

#include "data/file.h"
#include "parallel/context.h"

/* Collective: rank 0 looks for a file that can be read: a relative name beside the file `beside`
 * (NULL: in the working directory), then, if `here`, in the working directory, where results are
 * put, and then in `folder` (NULL: nowhere else).  *found is the
 * caller's (dun_free), the same on all ranks.  DUN_ERROR_INPUT with all the places looked at. */
int dun_file_find(struct dun_context *context, const char *name, const char *beside,
                  const char *folder, int here, char **found);

/* Collective: rank 0 loads, all get the same. */
int dun_file_read(struct dun_context *context, const char *path, int64_t limit, char **bytes,
                  int64_t *size);

/* Collective: the digest and the size of a file's content, which rank 0 reads; of one above 1 GiB
 * the first and the last half GiB. */
int dun_file_digest(struct dun_context *context, const char *path, uint64_t *digest, int64_t *size);

/* Collective: every rank reads the file, where each node may have another one of that name.
 * DUN_ERROR_INPUT, naming a rank, where one of them finds other content than rank 0. */
int dun_file_compare(struct dun_context *context, const char *path);

#endif
