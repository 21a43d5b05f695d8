#include "data/hdf_guard.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/hdf.h"
#include "data/hdf_chunk.h"
#include <errno.h>
#include <fcntl.h>
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
enum { OWN = DUN_GUARD_MEGABYTES << 20, PACKED = 1100, SECONDS = 5 };
enum { STARVED = 3, TORN = 4 };
enum { GAVE_UP = 255 }; /* HDF5 calls exit(-1) in some places without memory */

/* ---- how much memory ----------------------------------------------------------------------- */

static enum { NO, EXAMINING, AS_IT_WILL_BE } rehearsing;
/* Bytes: by what the file's size explains and holds, and for the largest chunk. */
static rlim_t file_size, allowed, largest;

int dun_hdf_rehearsing(void)
{
  return rehearsing != NO;
}

static void limit(int what, rlim_t value)
{
  struct rlimit limit;
  if (getrlimit(what, &limit) == 0 && limit.rlim_max >= value) {
    limit.rlim_cur = value;
    setrlimit(what, &limit);
  }
}

/* Bytes that this process may write to already.  Nothing here takes memory before the reader does,
 * which shall get and not get what it will in the parent. */
static rlim_t data_in_use(void)
{
  char text[128] = "";
  unsigned long long pages = 0;
  int file = open("/proc/self/statm", O_RDONLY);
  if (file < 0 || read(file, text, sizeof text - 1) <= 0 ||
      sscanf(text, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
    pages = 0;
  if (file >= 0)
    close(file);
  return pages ? (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) : RLIM_INFINITY / 2;
}

static void limit_memory(int64_t size)
{
  file_size = (rlim_t)size;
  allowed = data_in_use() + OWN + 4 * file_size;
  limit(RLIMIT_DATA, allowed);
}

static void allow(void)
{
  if (rehearsing)
    limit(RLIMIT_DATA, allowed + largest);
}

void *dun_hdf_allocate(int64_t count, size_t size)
{
  if (count > 0 && count < PTRDIFF_MAX / (int64_t)size)
    allowed += (rlim_t)count * size;
  allow();
  return dun_allocate(count, size);
}

/* Bytes in memory of an element; 0: not to be read. */
static size_t element(hid_t type)
{
  H5T_class_t kind = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  size_t size = type >= 0 ? H5Tget_size(type) : 0;
  int number = (kind == H5T_INTEGER || kind == H5T_FLOAT) && size <= 16;
  return number || kind == H5T_STRING ? size : 0;
}

/* A chunk is unpacked into a block that grows by doubling, and kept until the next one; the look
 * into it takes as much. */
static void allow_chunk(hid_t type, hid_t create)
{
  hsize_t chunk[H5S_MAX_RANK];
  rlim_t most = 6 * PACKED * file_size, bytes = 6 * element(type);
  int rank = H5Pget_nfilters(create) > 0 ? H5Pget_chunk(create, H5S_MAX_RANK, chunk) : 0;
  for (int i = 0; i < rank && bytes > 0; i++)
    bytes = chunk[i] > most / bytes ? most : bytes * chunk[i];
  if (rank > 0 && bytes > largest)
    largest = bytes;
  allow();
}

/* ---- what lies in chunks --------------------------------------------------------------------- */

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
  while (to && axis >= 0 && !torn) {
    test_chunk(dataset, create, at, whole);
    if (H5Sselect_elements(space, H5S_SELECT_SET, 1, at) < 0 ||
        H5Dread(dataset, type, one, space, H5P_DEFAULT, to) < 0)
      break;
    for (axis = rank - 1; axis >= 0 && (at[axis] += chunk[axis]) >= size[axis]; axis--)
      at[axis] = 0;
  }
  H5Fclose(file);
  H5Sclose(one);
  free(to);
}

void dun_hdf_examine(hid_t dataset)
{
  hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
  hid_t create = H5Dget_create_plist(dataset);
  if (create >= 0 && H5Pget_layout(create) == H5D_CHUNKED) {
    allow_chunk(type, create);
    if (rehearsing == EXAMINING)
      read_chunks(dataset, type, space, create);
    if (torn) /* only there; who read it would read on behind it */
      syscall(SYS_exit_group, TORN);
  }
  H5Pclose(create);
  H5Sclose(space);
  H5Tclose(type);
}

/* ---- the process --------------------------------------------------------------------------- */

/* Called by HDF5 for each call that fails. */
static herr_t note_hunger(hid_t stack, void *nothing)
{
  (void)nothing;
  return dun_hdf_note_hunger(stack);
}

void dun_hdf_listen(void)
{
  H5Eset_auto2(H5E_DEFAULT, note_hunger, NULL);
  if (rehearsing == EXAMINING)
    H5set_free_list_limits(0, 0, 0, 0, 0, 0);
}

/* A megabyte may hold a thousand objects, each of which takes a tenth of a millisecond or two. */
static rlim_t seconds_for(int64_t size)
{
  int64_t megabytes = size >> 20;
  return SECONDS + (rlim_t)(size >> 24) + (rlim_t)(megabytes < 60 ? megabytes : 60);
}

/* Says nothing, and takes no more time and memory than that.  HDF5 tells where it got none.  The
 * one that examines is strict: what the library reads and never wrote shall not be there by chance,
 * so memory is filled with other numbers than 0, and none of it is used a second time unseen.  For
 * the other one all is as it will be, to the addresses of what is allocated, which decide what wild
 * pointers meet. */
static int rehearse(int64_t size, int (*read)(void *self), void *self)
{
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM, SIGXCPU};
  int nowhere = open("/dev/null", O_WRONLY);
  for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
    signal(deadly[i], SIG_DFL);
  if (nowhere >= 0) {
    dup2(nowhere, STDERR_FILENO);
    dup2(nowhere, STDOUT_FILENO); /* HDF5 may call exit, which flushes what is the parent's */
  }
  if (rehearsing == EXAMINING)
    mallopt(M_PERTURB, 0x5a);
  dun_hdf_starved(); /* forget the parent's */
  alarm(60 + 2 * (unsigned)seconds_for(size));
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, (rlim_t)clock() / CLOCKS_PER_SEC + seconds_for(size));
  limit_memory(size);
  int status = read(self);
  return dun_hdf_starved() || status == DUN_ERROR_MEMORY ? STARVED : 0;
}

/* ---- in the parent ------------------------------------------------------------------------- */

static int tell(const char *file, int code, int status)
{
  int said = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  if (said == TORN)
    return dun_fail(code, "'%s' is damaged: a chunk of it is not of the size that it should be.",
                    file);
  if (said == STARVED || said == GAVE_UP)
    return dun_fail(code, "'%s' is damaged: HDF5 asks for more memory than its size explains.",
                    file);
  if (WIFEXITED(status) && said == 0)
    return 0;
  int endless = WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU);
  return dun_fail(code, "'%s' is damaged: HDF5 %s reading it.", file,
                  endless ? "does not come to an end of" : "does not survive");
}

/* 0 also where there can be no other process. */
static int survives(const char *file, int code, int how, int (*read)(void *self), void *self)
{
  struct stat entry;
  int status = 0;
  pid_t got, child;
  if (stat(file, &entry) != 0 || !S_ISREG(entry.st_mode))
    return 0;
  child = fork();
  if (child == 0) { /* nothing of the parent's is flushed or ended */
    rehearsing = how;
    syscall(SYS_exit_group, rehearse(entry.st_size, read, self));
  }
  do
    got = child < 0 ? -1 : waitpid(child, &status, 0);
  while (child > 0 && got < 0 && errno == EINTR);
  return got < 0 ? 0 : tell(file, code, status);
}

int dun_hdf_guarded(const char *file, int code, int (*read)(void *self), void *self)
{
  int status = survives(file, code, EXAMINING, read, self);
  if (status >= 0)
    status = survives(file, code, AS_IT_WILL_BE, read, self);
  return status < 0 ? status : read(self);
}
