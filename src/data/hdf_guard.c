#include "data/hdf_guard.h"

#include "base/error.h"
#include "data/hdf.h"
#include "data/hdf_chunk.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5_hl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef DUN_GUARD_MEGABYTES
#define DUN_GUARD_MEGABYTES 8 /* sanitizers want more for themselves */
#endif

/* ---- in the child -------------------------------------------------------------------------- */

/* Memory for what is read here and for what HDF5 itself wants; the most that a packed byte may
 * become; and for how many seconds of the processor. */
enum { SMALL = 1 << 20, OWN = DUN_GUARD_MEGABYTES << 20, PACKED = 1100, SECONDS = 5 };
enum { STARVED = 3, TORN = 4, DEEP = 1000, ROOT = 64 };
enum { GAVE_UP = 255 }; /* HDF5 calls exit(-1) in some places without memory */

/* ---- how much memory ----------------------------------------------------------------------- */

static rlim_t allowed, file_size; /* bytes: by what the file's size explains, unpacked or not */

static void limit(int what, rlim_t value)
{
  struct rlimit limit;
  if (getrlimit(what, &limit) == 0 && limit.rlim_max >= value) {
    limit.rlim_cur = value;
    setrlimit(what, &limit);
  }
}

/* Bytes that this process may write to already. */
static rlim_t data_in_use(void)
{
  unsigned long long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
    pages = 0;
  if (file)
    fclose(file);
  return pages ? (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) : RLIM_INFINITY / 2;
}

static void limit_memory(int64_t size)
{
  file_size = (rlim_t)size;
  allowed = data_in_use() + OWN + 4 * file_size;
  limit(RLIMIT_DATA, allowed);
}

/* A chunk of so many bytes is unpacked into a block that grows by doubling, and kept. */
static void allow_chunk(hid_t create, const hsize_t *chunk, int rank, size_t element)
{
  rlim_t most = 3 * PACKED * file_size, bytes = 3 * element;
  for (int i = 0; i < rank; i++)
    bytes = chunk[i] > most / bytes ? most : bytes * chunk[i];
  if (H5Pget_nfilters(create) > 0)
    limit(RLIMIT_DATA, allowed + bytes);
}

/* ---- what is read -------------------------------------------------------------------------- */

/* Bytes in memory of an element; 0: not to be read. */
static size_t element(hid_t type)
{
  H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  size_t size = type >= 0 ? H5Tget_size(type) : 0;
  int number = (kind == H5T_INTEGER || kind == H5T_FLOAT) && size <= 16;
  return number || kind == H5T_STRING ? size : 0;
}

/* Bytes of all elements; 0: none, or more than SMALL. */
static size_t small_bytes(hid_t type, hid_t space)
{
  hssize_t count = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
  size_t size = element(type);
  return count < 1 || size < 1 || (hsize_t)count > SMALL / size ? 0 : (size_t)count * size;
}

static void read_small(hid_t dataset, hid_t type, hid_t space)
{
  size_t bytes = small_bytes(type, space);
  void *to = bytes > 0 ? malloc(bytes) : NULL;
  if (to)
    H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
  free(to);
}

static int torn; /* a chunk is not as large as it should be */

static void test_chunk(hid_t dataset, hid_t create, const hsize_t *at, size_t bytes)
{
  if (bytes > 0 && !dun_hdf_chunk_is_whole(dataset, create, at, bytes))
    torn = 1;
}

/* What a chunk must be; 0: not known.  Datasets with other filters are read by nobody. */
static size_t whole_of(hid_t type, hid_t create, const hsize_t *chunk, int rank)
{
  int known = dun_hdf_filters_are_known(create) && H5Tis_variable_str(type) <= 0;
  size_t bytes = known ? element(type) : 0;
  for (int i = 0; i < rank && bytes > 0; i++) {
    torn |= chunk[i] > SIZE_MAX / bytes;
    bytes *= chunk[i];
  }
  return bytes;
}

/* What lies in chunks has to be found and unpacked: an element of each is read.  More chunks than
 * the file has bytes are none. */
static void read_chunks(hid_t dataset, hid_t type, hid_t space, hid_t create)
{
  hsize_t size[H5S_MAX_RANK], chunk[H5S_MAX_RANK], at[H5S_MAX_RANK] = {0}, most = 0;
  size_t bytes = element(type);
  int rank = H5Sget_simple_extent_dims(space, size, NULL), axis = 0;
  void *to = bytes > 0 ? malloc(bytes) : NULL;
  hid_t one = H5Screate(H5S_SCALAR), file = H5Iget_file_id(dataset);
  if (rank < 1 || H5Pget_chunk(create, H5S_MAX_RANK, chunk) != rank || H5Fget_filesize(file, &most))
    axis = -1;
  for (int i = 0; i < rank && axis >= 0; i++)
    if (size[i] < 1 || chunk[i] < 1 || (most /= (size[i] - 1) / chunk[i] + 1) == 0)
      axis = -1;
  size_t whole = axis < 0 ? 0 : whole_of(type, create, chunk, rank);
  if (to && axis >= 0)
    allow_chunk(create, chunk, rank, bytes);
  while (to && axis >= 0 && !torn) {
    test_chunk(dataset, create, at, whole);
    if (H5Sselect_elements(space, H5S_SELECT_SET, 1, at) < 0 ||
        H5Dread(dataset, type, one, space, H5P_DEFAULT, to) < 0)
      break;
    for (axis = rank - 1; axis >= 0 && (at[axis] += chunk[axis]) >= size[axis]; axis--)
      at[axis] = 0;
  }
  limit(RLIMIT_DATA, allowed);
  H5Fclose(file);
  H5Sclose(one);
  free(to);
}

static void read_dataset(hid_t dataset)
{
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  hid_t create = H5Dget_create_plist(dataset);
  if (dun_hdf_is_own(dataset) && create >= 0 && H5Pget_layout(create) == H5D_CHUNKED)
    read_chunks(dataset, type, space, create);
  else if (dun_hdf_is_own(dataset))
    read_small(dataset, type, space);
  H5Pclose(create);
  H5Sclose(space);
  H5Tclose(type);
}

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
  hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  size_t bytes = small_bytes(type, space);
  void *to = bytes > 0 ? malloc(bytes) : NULL;
  (void)info;
  (void)data;
  if (to)
    H5Aread(attribute, type, to);
  free(to);
  H5Sclose(space);
  H5Tclose(type);
  H5Aclose(attribute);
  return 0;
}

/* Objects that were seen: links may go in circles. */
struct seen {
  int count, capacity;
  haddr_t *address; /* [count] */
  int deep;         /* objects that HDF5 knows nothing of */
};

/* 1: it is new, and noted. */
static int is_new(struct seen *seen, haddr_t address)
{
  for (int i = 0; i < seen->count; i++)
    if (seen->address[i] == address)
      return 0;
  if (seen->count == seen->capacity) {
    int capacity = 2 * seen->capacity + 64;
    haddr_t *larger = realloc(seen->address, (size_t)capacity * sizeof *larger);
    if (!larger)
      return 0;
    seen->address = larger;
    seen->capacity = capacity;
  }
  seen->address[seen->count++] = address;
  return 1;
}

static herr_t pass_link(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  (void)group;
  (void)name;
  (void)info;
  (void)data;
  return 0;
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *seen);

/* What readers open by its name, whether a damaged group still lists it or not. */
static const char *const known[] = {
    "provenance",     "posterior", "sample_stats", "trace", "learned", "prior",
    "log_likelihood", "members",   "kernel",       "steps", "x"};
enum { KNOWN = sizeof known / sizeof *known };

static void visit_known(hid_t group, struct seen *seen)
{
  H5L_info_t info;
  for (int i = 0; i < KNOWN; i++)
    if (H5Lexists(group, known[i], H5P_DEFAULT) > 0 &&
        H5Lget_info(group, known[i], &info, H5P_DEFAULT) >= 0)
      visit_link(group, known[i], &info, seen);
}

/* Who looks for an attribute by its name has all of them read, by another way than who goes through
 * them, and what HDF5 has read so it does not read again: in one pass that comes first, in the
 * other last. */
static const char nobody[] = "no attribute's name";
static int by_name;

/* In every order that anybody may ask for: each has a tree of its own.  H5Ovisit would end at the
 * first object that it cannot read. */
static void visit_object(hid_t object, struct seen *seen)
{
  H5I_type_t kind = H5Iget_type(object);
  if (by_name)
    H5Aexists(object, nobody);
  H5Aiterate2(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, visit_attribute, NULL);
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, NULL);
  if (!by_name)
    H5Aexists(object, nobody);
  if (kind == H5I_DATASET) {
    H5DSis_scale(object);
    read_dataset(object);
  } else if (kind == H5I_GROUP) {
    int whole = H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_link, seen) >= 0;
    H5Literate(object, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, whole ? pass_link : visit_link, seen);
    if (!whole)
      visit_known(object, seen);
  }
}

/* A hard link says where its object lies.  H5Oget_info would read parts of a group in an order of
 * its own, after which HDF5 refuses what it takes for something else when the group is gone
 * through. */
static int is_due(hid_t object, const H5L_info_t *info, struct seen *seen)
{
  H5O_info_t about = {0};
  if (info->type == H5L_TYPE_HARD)
    return is_new(seen, info->u.address);
  return H5Oget_info(object, &about) >= 0 ? is_new(seen, about.addr) : seen->deep++ < DEEP;
}

static herr_t visit_link(hid_t group, const char *name, const H5L_info_t *info, void *seen)
{
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0)
    return 0;
  if (is_due(object, info, seen))
    visit_object(object, seen);
  H5Oclose(object);
  return 0;
}

/* An object of the file and all below it. */
static void visit_place(hid_t file, const char *place)
{
  struct seen seen = {0};
  hid_t object = H5Oopen(file, place, H5P_DEFAULT);
  if (object < 0)
    return;
  visit_object(object, &seen);
  H5Oclose(object);
  free(seen.address);
}

/* The first names in the root. */
struct names {
  int count;
  char *name[ROOT];
};

static herr_t note_name(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  struct names *names = data;
  (void)group;
  (void)info;
  if (names->count < ROOT)
    names->name[names->count++] = strdup(name);
  return 0;
}

/* HDF5 remembers what it has read, and refuses what one part of the file takes for something else
 * than another did: whoever begins elsewhere gets further.  So each name of the root, listed or
 * known, is looked at once more, in a file that was opened for it alone. */
static void visit_each_alone(const char *file, const struct names *names)
{
  for (int i = 0; i < names->count + KNOWN; i++) {
    const char *name = i < KNOWN ? known[i] : names->name[i - KNOWN];
    hid_t handle = name ? dun_hdf_open_unguarded(file, 0) : -1;
    if (handle < 0)
      continue;
    visit_place(handle, name);
    dun_hdf_close(handle, file, 0);
  }
}

/* The root, which a file's handle stands for even where it is no group. */
static void look_for_attributes(const char *file)
{
  hid_t handle = dun_hdf_open_unguarded(file, 0);
  if (handle >= 0)
    H5Aexists(handle, nobody);
  dun_hdf_close(handle, file, 0);
}

/* Called by HDF5 for each call that fails. */
static herr_t note_hunger(hid_t stack, void *nothing)
{
  (void)nothing;
  return dun_hdf_note_hunger(stack);
}

/* What the library reads and never wrote shall not be there by chance: memory is filled with other
 * numbers than 0, and none of it is used a second time unseen. */
static void be_strict(void)
{
  mallopt(M_PERTURB, 0x5a);
  H5set_free_list_limits(0, 0, 0, 0, 0, 0);
}

/* A megabyte may hold a thousand objects, each of which takes a tenth of a millisecond or two. */
static rlim_t seconds_for(int64_t size)
{
  int64_t megabytes = size >> 20;
  return SECONDS + (rlim_t)(size >> 24) + (rlim_t)(megabytes < 60 ? megabytes : 60);
}

/* Says nothing, and takes no more time and memory than that.  HDF5 tells where it got none. */
static int read_all(const char *file, int64_t size)
{
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU};
  int nowhere = open("/dev/null", O_WRONLY);
  struct names names = {0};
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
    signal(deadly[i], SIG_DFL);
  if (nowhere >= 0) {
    dup2(nowhere, STDERR_FILENO);
    dup2(nowhere, STDOUT_FILENO); /* HDF5 may call exit, which flushes what is the parent's */
  }
  be_strict();
  dun_hdf_starved(); /* forget the parent's */
  alarm(60 + 2 * (unsigned)seconds_for(size));
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, (rlim_t)clock() / CLOCKS_PER_SEC + seconds_for(size));
  limit_memory(size);
  hid_t handle = dun_hdf_open_unguarded(file, 0);
  if (handle < 0)
    return dun_hdf_starved() ? STARVED : 0;
  H5Eset_auto2(H5E_DEFAULT, note_hunger, NULL);
  by_name = 1;
  visit_place(handle, "/");
  by_name = 0;
  H5Literate(handle, H5_INDEX_NAME, H5_ITER_INC, NULL, note_name, &names);
  dun_hdf_close(handle, file, 0);
  visit_each_alone(file, &names);
  look_for_attributes(file);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  for (int i = 0; i < names.count; i++)
    free(names.name[i]);
  return dun_hdf_starved() ? STARVED : torn ? TORN : 0;
}

/* ---- in the parent ------------------------------------------------------------------------- */

int dun_hdf_guard(const char *file, int code)
{
  struct stat entry;
  int status = 0;
  pid_t got, child;
  if (stat(file, &entry) != 0)
    return 0;
  child = fork();
  if (child == 0) /* nothing of the parent's is flushed or ended */
    syscall(SYS_exit_group, read_all(file, entry.st_size));
  do
    got = child < 0 ? -1 : waitpid(child, &status, 0);
  while (child > 0 && got < 0 && errno == EINTR);
  int said = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if (got < 0 || !(said == STARVED || said == GAVE_UP || said == TORN || WIFSIGNALED(status)))
    return 0;
  if (said == TORN)
    return dun_fail(code, "'%s' is damaged: a chunk of it is not of the size that it should be.",
                    file);
  if (!WIFSIGNALED(status))
    return dun_fail(code, "'%s' is damaged: HDF5 asks for more memory than its size explains.",
                    file);
  int endless = WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU;
  return dun_fail(code, "'%s' is damaged: HDF5 %s reading it.", file,
                  endless ? "does not come to an end of" : "does not survive");
}
