/* HDF5 does not survive every file: damaged ones make it read and free what is not its own.  So
 * what reads a stranger's file does that in another process first, which may die of it.  Since
 * HDF5 remembers what it has read, and reads the rest accordingly, that process makes the very
 * calls that will be made here, in a copy of all that this one has in memory. */
#ifndef DUNLIN_DATA_HDF_GUARD_H
#define DUNLIN_DATA_HDF_GUARD_H

#include <hdf5.h>
#include <stdint.h>

/* Local.  Calls read(self) twice in processes of their own, with a look into each chunk and
 * without, and then, if they came to their ends, here: returns what it returns here.  `code` with a
 * sentence if one dies, takes more than 5 seconds of the processor or a minute and what the file's
 * size allows, gets no memory beyond 8 MiB and four times the file's size, or meets a chunk of
 * another size than it should have.  Where there can be no other process: only here.
 *
 * `read` opens the file and closes it, or leaves it open for later reads of the same places; it
 * begins anew at each call, and neither communicates nor changes what lies outside of memory. */
int dun_hdf_guarded(const char *file, int code, int (*read)(void *self), void *self);

/* Whether this is such a process: there is no use in numbers then. */
int dun_hdf_rehearsing(void);

/* For the readers.  As dun_allocate, for numbers that the file was found to hold, packed or not,
 * and for lists of what is in it: what HDF5 may take is counted beside them. */
void *dun_hdf_allocate(int64_t count, size_t size);
/* In such a process: room for a chunk of a dataset that was opened, and in the first one a look
 * into each.  Here it makes the same calls to no effect. */
void dun_hdf_examine(hid_t dataset);
/* Who hears of HDF5's errors: whoever counts those for want of memory. */
void dun_hdf_listen(void);

#endif
