/* HDF5 with our manners: serial, quiet, without locks, its complaints as sentences.
 *
 * Only rank 0 uses it: bulk data go into files at the places that the layout gives, by plain
 * writes.  Handles are HDF5's (hid_t); every function is local. */
#ifndef DUNLIN_DATA_HDF_H
#define DUNLIN_DATA_HDF_H

#include "dunlin/target.h"
#include <hdf5.h>
#include <stdint.h>

/* Creates or truncates a file in the format of HDF5 1.8 (its metadata carry checksums), creation
 * order tracked as netCDF wants it.  What follows from the same calls has the same bytes: no times
 * are stored.  < 0: DUN_ERROR_FILE. */
hid_t dun_hdf_create(const char *file);
/* Opens; < 0: DUN_ERROR_INPUT (DUN_ERROR_FILE to write) after a sentence that names the file.
 * Neither links nor filters nor stored numbers lead out of the file; a stranger's is opened by what
 * was read in another process before (hdf_guard.h). */
hid_t dun_hdf_open(const char *file, int write);
/* Whether a regular file has HDF5's signature. */
int dun_hdf_is(const char *file);
/* Closes; what could not be written shows here.  `status` is passed on if it is negative. */
int dun_hdf_close(hid_t handle, const char *file, int status);

/* dun_fail with HDF5's innermost reason: "'file': what: reason." */
int dun_hdf_fail(int code, const char *file, const char *what);

/* A group with creation order, made if it is not there; parents too. */
hid_t dun_hdf_group(hid_t place, const char *path);
/* Removes a link or attribute if it is there. */
void dun_hdf_remove(hid_t place, const char *name);

/* A contiguous dataset whose space is allocated and not filled, of no numbers an empty one in
 * chunks; memory type = file type. */
hid_t dun_hdf_dataset(hid_t place, const char *name, hid_t type, int rank, const hsize_t *size);
/* A whole dataset at once, with `type` in memory and in the file; 0 or -1. */
int dun_hdf_write(hid_t place, const char *name, hid_t type, int rank, const hsize_t *size,
                  const void *values);
/* A scalar dataset of text, of any length. */
int dun_hdf_write_text(hid_t place, const char *name, const char *text);

/* A dataset of `count` texts that every reader takes for such, of any lengths. */
int dun_hdf_write_texts(hid_t place, const char *name, int64_t count, const char *const *text);

/* Attributes, replaced if they are there; 0 or -1. */
int dun_hdf_attribute_text(hid_t place, const char *name, const char *text);
int dun_hdf_attribute_unit(hid_t place, const char *unit); /* nothing for NULL and "" */
int dun_hdf_attribute_integer(hid_t place, const char *name, int64_t value);
int dun_hdf_attribute_number(hid_t place, const char *name, double value);

/* ---- reading what may be damaged --------------------------------------------------------- */

/* Opens the dataset `place` of a file; < 0: DUN_ERROR_INPUT and a sentence with file and place. */
hid_t dun_hdf_open_dataset(hid_t handle, const char *file, const char *place);
/* Whether the dataset's numbers lie in the file itself. */
int dun_hdf_is_own(hid_t dataset);
/* Number of numbers in a dataset of whole or floating point numbers, and its sizes (at most
 * `capacity` of them; *rank of them are there).  DUN_ERROR_INPUT if it is of another type, or
 * claims more than the file can hold. */
int64_t dun_hdf_count(hid_t dataset, const char *file, const char *place, int capacity, int *rank,
                      int64_t *size);
/* Notes whether the errors on HDF5's stack tell of memory that it did not get; whether some have,
 * of a file that could not be opened or of a stack that was noted, since the last such question. */
int dun_hdf_note_hunger(hid_t stack);
int dun_hdf_starved(void);
/* All numbers of a dataset as doubles; numbers->value is the caller's (dun_free). */
int dun_hdf_read(hid_t dataset, const char *file, const char *place, struct dun_numbers *numbers);
/* Axes of chains, of draws, and of a parameter. */
enum { DUN_HDF_AXES = 2 + DUN_MAX_SHAPE };
/* The same of a file that is opened for it alone, with the dataset's rank and up to so many sizes;
 * none of them NULL.  DUN_ERROR_INPUT as above; nothing is left open. */
int dun_hdf_array(const char *file, const char *place, int *rank, int64_t size[DUN_HDF_AXES],
                  struct dun_numbers *numbers);
/* One number of a dataset (attribute < 0) or attribute, of `memory`'s type: H5T_NATIVE_INT64 or
 * _DOUBLE.  0; -1 without a sentence if it is not one number of at most 16 bytes, or cannot be
 * read. */
int dun_hdf_read_number(hid_t dataset, hid_t attribute, hid_t memory, void *number);
/* A scalar text of a dataset (attribute < 0) or attribute; *text is the caller's (dun_free).
 * DUN_ERROR_INPUT if it is none or longer than the file. */
int dun_hdf_read_text(hid_t dataset, hid_t attribute, const char *file, const char *place,
                      char **text);

#endif
