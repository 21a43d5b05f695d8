/* HDF5 does not survive every file: damaged ones make it read and free what is not its own.  So a
 * file is read in a process of its own first, which may die of it. */
#ifndef DUNLIN_DATA_HDF_GUARD_H
#define DUNLIN_DATA_HDF_GUARD_H

/* Local.  Visits every object and attribute of the file, and reads what is small, a text, and a
 * number of each chunk, in a child process.  `code` with a sentence if that dies, takes more than 5
 * seconds of the processor or a minute and what the file's size allows, or gets no memory beyond 8
 * MiB and four times the file's size; 0 otherwise, also where the file is refused with an error:
 * whoever opens it will find the same; and where there can be no other process. */
int dun_hdf_guard(const char *file, int code);

#endif
