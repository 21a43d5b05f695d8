#include "data/hdf.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/hdf_chunk.h"
#include "data/hdf_driver.h"
#include "data/hdf_guard.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- errors ------------------------------------------------------------------------------ */

static herr_t keep_first(unsigned n, const H5E_error2_t *entry, void *reason)
{
  if (n == 0)
    snprintf(reason, 256, "%s", entry->desc ? entry->desc : "");
  return 0;
}

static int starved;

/* Each part of HDF5 has words of its own for that. */
static herr_t is_hunger(unsigned n, const H5E_error2_t *entry, void *nothing)
{
  (void)n;
  (void)nothing;
  if (entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC)
    starved = 1;
  return 0;
}

int dun_hdf_note_hunger(hid_t stack)
{
  return H5Ewalk2(stack, H5E_WALK_UPWARD, is_hunger, NULL) < 0 ? -1 : 0;
}

int dun_hdf_starved(void)
{
  int was = starved;
  starved = 0;
  return was;
}

int dun_hdf_fail(int code, const char *file, const char *what)
{
  char reason[256] = "";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, reason);
  return dun_fail(code, "'%s': %s%s%s.", file, what, *reason ? ": " : "", reason);
}

static void be_quiet(void)
{
  H5dont_atexit(); /* it would crash on what it could not close */
  dun_hdf_listen();
  H5Lunregister(H5L_TYPE_EXTERNAL); /* no file leads to another one */
  H5PLset_loading_state(0);         /* or to a library that unpacks it */
}

/* ---- files ------------------------------------------------------------------------------- */

/* Where one of the properties is not to be had, *trouble is NULL and nothing may be opened with the
 * list: the file would be another one, and HDF5 might not survive it. */
static hid_t access_list(struct dun_hdf_trouble **trouble)
{
  hid_t list = H5Pcreate(H5P_FILE_ACCESS);
  int failed = H5Pset_libver_bounds(list, H5F_LIBVER_V18, H5F_LIBVER_V18) < 0 ||
               H5Pset_fclose_degree(list, H5F_CLOSE_STRONG) < 0 ||
               H5Pset_alignment(list, 65536, 4096) < 0;
#if H5_VERSION_GE(1, 10, 7)
  /* file systems of clusters often cannot lock, and a result is complete before it has its name */
  failed = failed || H5Pset_file_locking(list, 0, 1) < 0;
#endif
  *trouble = failed ? NULL : dun_hdf_drive(list);
  if (!*trouble)
    dun_fail(DUN_ERROR_MEMORY, "HDF5 cannot be set up: is there too little memory?");
  return list;
}

/* Who reads keeps few objects in memory, however many there are: else HDF5 takes 32 MB for them,
 * more than the guard grants. */
static void keep_few(hid_t access)
{
  H5AC_cache_config_t cache = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
  if (H5Pget_mdc_config(access, &cache) < 0)
    return;
  cache.set_initial_size = 1;
  cache.initial_size = cache.min_size = 1 << 19;
  cache.max_size = 1 << 20;
  H5Pset_mdc_config(access, &cache);
}

static hid_t create_list(void)
{
  hid_t list = H5Pcreate(H5P_FILE_CREATE);
  if (H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
      H5Pset_attr_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0 &&
      H5Pset_obj_track_times(list, 0) >= 0)
    return list;
  H5Pclose(list);
  return -1;
}

hid_t dun_hdf_create(const char *file)
{
  struct dun_hdf_trouble *trouble;
  be_quiet();
  hid_t create = create_list(), access = access_list(&trouble), handle = -1;
  if (create >= 0 && trouble)
    handle = H5Fcreate(file, H5F_ACC_TRUNC, create, access);
  H5Pclose(create);
  H5Pclose(access);
  if (!trouble)
    return DUN_ERROR_MEMORY;
  if (handle < 0)
    dun_hdf_undrive(trouble);
  return handle >= 0 ? handle : dun_hdf_fail(DUN_ERROR_FILE, file, "it cannot be created");
}

/* HDF5 looks for its signature at the begin and at every power of two from 512 on. */
static int is_hdf5(int bytes, int64_t size)
{
  static const char signature[8] = {(char)0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  char found[8];
  for (int64_t at = 0; at + 8 <= size; at = at ? 2 * at : 512)
    if (pread(bytes, found, 8, at) == 8 && !memcmp(found, signature, 8))
      return 1;
  return 0;
}

int dun_hdf_is(const char *file)
{
  struct stat status;
  int bytes = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int known = bytes >= 0 && fstat(bytes, &status) == 0 && S_ISREG(status.st_mode) &&
              is_hdf5(bytes, status.st_size);
  if (bytes >= 0)
    close(bytes);
  return known;
}

/* HDF5's own sentences for the plain cases are hard to read. */
static int check_file(const char *file, int write, int code)
{
  struct stat status;
  int bytes = open(file, (write ? O_RDWR | O_NOFOLLOW : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
  if (bytes < 0)
    return dun_fail(code, "'%s' cannot be opened: %s.", file, strerror(errno));
  int regular = fstat(bytes, &status) == 0 && S_ISREG(status.st_mode);
  int known = regular && is_hdf5(bytes, status.st_size);
  close(bytes);
  if (!regular)
    return dun_fail(code, "'%s' is no regular file.", file);
  return known ? 0 : dun_fail(code, "'%s' is not an HDF5 file.", file);
}

hid_t dun_hdf_open(const char *file, int write)
{
  int code = write ? DUN_ERROR_FILE : DUN_ERROR_INPUT;
  be_quiet();
  if (check_file(file, write, code) < 0)
    return code;
  struct dun_hdf_trouble *trouble;
  hid_t access = access_list(&trouble), handle = -1;
  if (!write)
    keep_few(access);
  if (trouble)
    handle = H5Fopen(file, write ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
  if (handle < 0 && trouble) { /* told before another call makes HDF5 forget the reason */
    dun_hdf_note_hunger(H5E_DEFAULT);
    handle = dun_hdf_fail(code, file, "it is damaged or not complete");
    dun_hdf_undrive(trouble);
  }
  H5Pclose(access);
  return trouble ? handle : DUN_ERROR_MEMORY;
}

int dun_hdf_close(hid_t handle, const char *file, int status)
{
  if (handle < 0)
    return status;
  struct dun_hdf_trouble *trouble = dun_hdf_trouble_of(handle);
  int closed = H5Fclose(handle) >= 0;
  if (!closed && status >= 0)
    status = dun_hdf_fail(DUN_ERROR_FILE, file, "it cannot be written to its end");
  if (trouble && trouble->error && status >= 0)
    status = dun_fail(DUN_ERROR_FILE, "'%s' cannot be read or written: %s.", file,
                      strerror(trouble->error));
  if (closed)
    dun_hdf_undrive(trouble);
  else
    dun_hdf_leave(trouble);
  return status;
}

/* ---- writing ----------------------------------------------------------------------------- */

static hid_t group_here(hid_t place, const char *name)
{
  if (H5Lexists(place, name, H5P_DEFAULT) > 0)
    return H5Gopen2(place, name, H5P_DEFAULT);
  hid_t create = H5Pcreate(H5P_GROUP_CREATE);
  H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(create, 0);
  hid_t group = H5Gcreate2(place, name, H5P_DEFAULT, create, H5P_DEFAULT);
  H5Pclose(create);
  return group;
}

hid_t dun_hdf_group(hid_t place, const char *path)
{
  char name[256];
  hid_t group = H5Gopen2(place, ".", H5P_DEFAULT);
  while (group >= 0 && *path) {
    size_t length = strcspn(path, "/");
    snprintf(name, sizeof name, "%.*s", (int)length, path);
    path += length + (path[length] == '/');
    if (length == 0)
      continue;
    hid_t inner = group_here(group, name);
    H5Gclose(group);
    group = inner;
  }
  return group;
}

void dun_hdf_remove(hid_t place, const char *name)
{
  if (H5Aexists(place, name) > 0)
    H5Adelete(place, name);
  else if (H5Lexists(place, name, H5P_DEFAULT) > 0)
    H5Ldelete(place, name, H5P_DEFAULT);
}

/* Of a dataset that is empty, which may then grow: in chunks, since h5repack would make some of the
 * size 0 of a contiguous one, and fails.  The space's handle. */
static hid_t empty_space(hid_t create, int rank, const hsize_t *size)
{
  hsize_t chunk[H5S_MAX_RANK] = {0}, most[H5S_MAX_RANK] = {0};
  for (int i = 0; i < rank; i++) {
    chunk[i] = size[i] ? size[i] : 1;
    most[i] = size[i] ? size[i] : H5S_UNLIMITED;
  }
  H5Pset_chunk(create, rank, chunk);
  return H5Screate_simple(rank, size, most);
}

static int is_empty(int rank, const hsize_t *size)
{
  int empty = 0;
  for (int i = 0; i < rank; i++)
    empty |= size[i] == 0;
  return empty;
}

hid_t dun_hdf_dataset(hid_t place, const char *name, hid_t type, int rank, const hsize_t *size)
{
  hid_t create = H5Pcreate(H5P_DATASET_CREATE), space;
  H5Pset_attr_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_obj_track_times(create, 0);
  H5Pset_layout(create, H5D_CONTIGUOUS);
  H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
  if (is_empty(rank, size))
    space = empty_space(create, rank, size);
  else
    space = rank ? H5Screate_simple(rank, size, NULL) : H5Screate(H5S_SCALAR);
  H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
  hid_t dataset = H5Dcreate2(place, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
  H5Sclose(space);
  H5Pclose(create);
  return dataset;
}

int dun_hdf_write(hid_t place, const char *name, hid_t type, int rank, const hsize_t *size,
                  const void *values)
{
  hid_t dataset = dun_hdf_dataset(place, name, type, rank, size);
  int status = dataset < 0 ? -1 : 0;
  if (status == 0 && !is_empty(rank, size) &&
      H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
    status = -1;
  if (dataset >= 0 && H5Dclose(dataset) < 0)
    status = -1;
  return status;
}

/* Fixed length, UTF-8, with a zero byte at the end: what every reader knows.  An empty text has two
 * zero bytes, since netCDF takes a length of 1 for a letter. */
static hid_t text_type(const char **text)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  *text = **text ? *text : "\0";
  H5Tset_size(type, **text ? strlen(*text) + 1 : 2);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

int dun_hdf_write_text(hid_t place, const char *name, const char *text)
{
  hid_t type = text_type(&text);
  int status = dun_hdf_write(place, name, type, 0, NULL, text);
  H5Tclose(type);
  return status;
}

/* Of variable length: texts of a fixed one reach xarray as bytes. */
int dun_hdf_write_texts(hid_t place, const char *name, int64_t count, const char *const *text)
{
  hsize_t size = (hsize_t)count;
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &size, NULL), dataset;
  hid_t create = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(create, 0);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  dataset = H5Dcreate2(place, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
  int status = dataset < 0 || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0;
  if (dataset >= 0 && H5Dclose(dataset) < 0)
    status = 1;
  H5Pclose(create);
  H5Sclose(space);
  H5Tclose(type);
  return status ? -1 : 0;
}

int dun_hdf_attribute_unit(hid_t place, const char *unit)
{
  if (!unit || !*unit)
    return 0;
  /* xarray would make time differences, not numbers, of the long name */
  return dun_hdf_attribute_text(place, "units", strcmp(unit, "seconds") ? unit : "s");
}

static int write_attribute(hid_t place, const char *name, hid_t type, const void *value)
{
  hid_t space = H5Screate(H5S_SCALAR), attribute;
  int status = -1;
  if (H5Aexists(place, name) > 0)
    H5Adelete(place, name);
  attribute = H5Acreate2(place, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) {
    status = H5Awrite(attribute, type, value) < 0 ? -1 : 0;
    if (H5Aclose(attribute) < 0)
      status = -1;
  }
  H5Sclose(space);
  return status;
}

int dun_hdf_attribute_text(hid_t place, const char *name, const char *text)
{
  hid_t type = text_type(&text);
  int status = write_attribute(place, name, type, text);
  H5Tclose(type);
  return status;
}

int dun_hdf_attribute_integer(hid_t place, const char *name, int64_t value)
{
  return write_attribute(place, name, H5T_NATIVE_INT64, &value);
}

int dun_hdf_attribute_number(hid_t place, const char *name, double value)
{
  return write_attribute(place, name, H5T_NATIVE_DOUBLE, &value);
}

/* ---- reading ----------------------------------------------------------------------------- */

int dun_hdf_is_own(hid_t dataset)
{
  hid_t create = H5Dget_create_plist(dataset);
  H5D_layout_t layout = create < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(create);
  int own = (layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED) &&
            H5Pget_external_count(create) == 0;
  if (create >= 0)
    H5Pclose(create);
  return own;
}

static int refuse_place(hid_t handle, const char *file, const char *place)
{
  H5L_info_t link;
  if (H5Lget_info(handle, place, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_EXTERNAL)
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' leads to another file, which is not followed.",
                    place, file);
  return dun_fail(DUN_ERROR_INPUT, "'%s' has no '%s'.", file, place);
}

static int has_known_filters(hid_t dataset)
{
  hid_t create = H5Dget_create_plist(dataset);
  int known = create >= 0 && dun_hdf_filters_are_known(create);
  if (create >= 0)
    H5Pclose(create);
  return known;
}

hid_t dun_hdf_open_dataset(hid_t handle, const char *file, const char *place)
{
  hid_t object = H5Oopen(handle, place, H5P_DEFAULT);
  if (object < 0)
    return refuse_place(handle, file, place);
  int is_dataset = H5Iget_type(object) == H5I_DATASET;
  int is_own = is_dataset && dun_hdf_is_own(object), is_known = is_own && has_known_filters(object);
  if (is_known) {
    dun_hdf_examine(object);
    return object;
  }
  H5Oclose(object);
  if (is_own)
    return dun_fail(DUN_ERROR_INPUT,
                    "'%s' of '%s' is packed in a way that is not read: expected gzip, shuffle and "
                    "fletcher32 alone, or none",
                    place, file);
  if (is_dataset)
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' has its numbers in another file.", place, file);
  return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' is a group, expected numbers.", place, file);
}

/* The most bytes that the datasets of the file can hold: none is larger than the file unless it is
 * compressed, and then by at most a factor of 1100. */
static int64_t capacity_of(hid_t dataset)
{
  hsize_t bytes = 0;
  hid_t file = H5Iget_file_id(dataset), create = H5Dget_create_plist(dataset);
  int filters = create >= 0 ? H5Pget_nfilters(create) : 0;
  if (file >= 0)
    H5Fget_filesize(file, &bytes);
  if (file >= 0)
    H5Fclose(file);
  if (create >= 0)
    H5Pclose(create);
  if (bytes > (hsize_t)1 << 50)
    return 0;
  return (int64_t)bytes * (filters > 0 ? 1100 : 1);
}

/* Closes the type.  Numbers of more bytes than any processor has are none: HDF5 would make room for
 * them to convert one. */
static int is_number(hid_t type, size_t *size)
{
  H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  *size = type >= 0 ? H5Tget_size(type) : 0;
  if (type >= 0)
    H5Tclose(type);
  return *size > 0 && *size <= 16 && (kind == H5T_INTEGER || kind == H5T_FLOAT);
}

int dun_hdf_read_number(hid_t dataset, hid_t attribute, hid_t memory, void *number)
{
  int is_attribute = attribute >= 0;
  hid_t space = is_attribute ? H5Aget_space(attribute) : H5Dget_space(dataset);
  size_t size;
  int one = space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
            is_number(is_attribute ? H5Aget_type(attribute) : H5Dget_type(dataset), &size);
  if (space >= 0)
    H5Sclose(space);
  if (!one)
    return -1;
  return (is_attribute ? H5Aread(attribute, memory, number)
                       : H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, number)) < 0
             ? -1
             : 0;
}

int64_t dun_hdf_count(hid_t dataset, const char *file, const char *place, int capacity, int *rank,
                      int64_t *size)
{
  hsize_t extent[H5S_MAX_RANK];
  size_t bytes;
  hid_t space = H5Dget_space(dataset);
  hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
  *rank = space >= 0 ? H5Sget_simple_extent_dims(space, extent, NULL) : -1;
  if (space >= 0)
    H5Sclose(space);
  if (count < 0 || *rank < 0)
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' is damaged.", place, file);
  if (!is_number(H5Dget_type(dataset), &bytes))
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' holds no numbers.", place, file);
  if (count > capacity_of(dataset) / (int64_t)bytes)
    return dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' claims %lld numbers, more than the file holds.",
                    place, file, (long long)count);
  for (int i = 0; i < *rank && i < capacity; i++)
    size[i] = (int64_t)extent[i];
  return count;
}

int dun_hdf_read(hid_t dataset, const char *file, const char *place, struct dun_numbers *numbers)
{
  int rank;
  int64_t count = dun_hdf_count(dataset, file, place, 0, &rank, NULL);
  *numbers = (struct dun_numbers){0};
  if (count < 0)
    return (int)count;
  numbers->value = dun_hdf_allocate(count, sizeof(double));
  if (!numbers->value)
    return DUN_ERROR_MEMORY;
  numbers->count = count;
  if (count == 0 ||
      H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers->value) >= 0)
    return 0;
  DUN_FREE(numbers->value);
  numbers->count = 0;
  return dun_hdf_fail(DUN_ERROR_INPUT, file, "its numbers cannot be read");
}

struct array {
  const char *file, *place;
  int *rank;
  int64_t *size;
  struct dun_numbers *numbers;
};

static int read_array(void *self)
{
  struct array *array = self;
  *array->numbers = (struct dun_numbers){0};
  hid_t handle = dun_hdf_open(array->file, 0);
  if (handle < 0)
    return (int)handle;
  hid_t dataset = dun_hdf_open_dataset(handle, array->file, array->place);
  if (dataset < 0)
    return dun_hdf_close(handle, array->file, (int)dataset);
  int64_t count =
      dun_hdf_count(dataset, array->file, array->place, DUN_HDF_AXES, array->rank, array->size);
  int status =
      count < 0 ? (int)count : dun_hdf_read(dataset, array->file, array->place, array->numbers);
  H5Dclose(dataset);
  return dun_hdf_close(handle, array->file, status);
}

int dun_hdf_array(const char *file, const char *place, int *rank, int64_t size[DUN_HDF_AXES],
                  struct dun_numbers *numbers)
{
  struct array array = {file, place, rank, size, numbers};
  return dun_hdf_guarded(file, DUN_ERROR_INPUT, read_array, &array);
}

int dun_hdf_read_text(hid_t dataset, hid_t attribute, const char *file, const char *place,
                      char **text)
{
  hid_t type = attribute >= 0 ? H5Aget_type(attribute) : H5Dget_type(dataset), memory = -1;
  hid_t space = attribute >= 0 ? H5Aget_space(attribute) : H5Dget_space(dataset);
  size_t size = type >= 0 ? H5Tget_size(type) : 0;
  int64_t limit = attribute >= 0 ? 1 << 24 : capacity_of(dataset);
  int status = 0;
  *text = NULL;
  if (type < 0 || space < 0 || H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) > 0 ||
      H5Sget_simple_extent_npoints(space) != 1 || (int64_t)size > limit)
    status = dun_fail(DUN_ERROR_INPUT, "'%s' of '%s' is no text.", place, file);
  else if (!(*text = dun_allocate((int64_t)size + 1, 1)))
    status = DUN_ERROR_MEMORY;
  else {
    memory = H5Tcopy(type);
    if ((attribute >= 0 ? H5Aread(attribute, memory, *text)
                        : H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, *text)) < 0)
      status = dun_hdf_fail(DUN_ERROR_INPUT, file, "a text cannot be read");
  }
  if (status < 0)
    DUN_FREE(*text);
  if (memory >= 0)
    H5Tclose(memory);
  if (type >= 0)
    H5Tclose(type);
  if (space >= 0)
    H5Sclose(space);
  return status;
}
