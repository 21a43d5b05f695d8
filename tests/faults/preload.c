/* A library to be preloaded that lets one call of a program named dunlin fail, or kills it there.
 *
 * What is to happen is said in words in DUNLIN_FAULT, for instance
 *     call=file number=7 action=EIO path=cut.h5 rank=1
 *   call    file: all that opens, reads, changes, renames or removes files; change: all that may
 *           leave them otherwise; or one of open, read, write, truncate, reserve, sync, rename,
 *           remove, close, look, make; or memory; or one of malloc, calloc, realloc, aligned; or
 *           compare: of texts, by strcmp, which are counted only
 *   number  the number of the call, from 1; 0: none, they are only counted
 *   action  EIO, EMFILE, EACCES, ENOSPC, ENOMEM, ESTALE: it fails with that; kill: SIGKILL in its
 *           place; part: a read or write of half of the bytes; other: a write leaves other bytes
 *           than it was given, and tells of success; and a close leaves other bytes in the file
 *           from byte `at` on; copy: the folder of the file is copied, as a
 *           kill would leave it, and the call is made; USR1: that signal comes, and the call is
 *           made
 *   at      the byte
 *   last    the number of the last call that this happens to (left out: it alone)
 *   path    only files whose name contains this
 *   caller  whose calls: program, hdf5, mpi, rest (other libraries), or any (left out)
 *   rank    on this rank only
 *   copies  a folder for the copies, which are named by the number of the call
 *   count   a file for the number of calls, with the rank behind its name */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLACE = 512 };

static struct {
  int ready, comparing, error, kills, halves, others, copying, signals;
  long number, last, at;
  char call[16], path[PLACE], caller[16], copies[PLACE], count[PLACE + 16];
} plan;
static atomic_long calls;

/* ---- the plan ---------------------------------------------------------------------------- */

static int error_of(const char *name)
{
  static const struct {
    const char *name;
    int error;
  } known[] = {{"EIO", EIO},       {"EMFILE", EMFILE}, {"EACCES", EACCES},
               {"ENOSPC", ENOSPC}, {"ENOMEM", ENOMEM}, {"ESTALE", ESTALE}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(name, known[i].name))
      return known[i].error;
  return EIO;
}

/* The word behind "key=", of at most size - 1 bytes. */
static int take(const char *text, const char *key, char *word, size_t size)
{
  size_t length = strlen(key);
  for (const char *at = text; (at = strstr(at, key)); at += length)
    if ((at == text || at[-1] == ' ') && at[length] == '=') {
      snprintf(word, size, "%.*s", (int)strcspn(at + length + 1, " "), at + length + 1);
      return 1;
    }
  return 0;
}

static int is_dunlin(void)
{
  char program[PLACE] = "";
  ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  const char *slash = length > 0 ? strrchr(program, '/') : NULL;
  return slash && !strcmp(slash, "/dunlin");
}

static __attribute__((constructor)) void begin(void)
{
  const char *text = getenv("DUNLIN_FAULT"), *mine = getenv("OMPI_COMM_WORLD_RANK");
  char word[PLACE] = "0", file[PLACE];
  if (!text || !is_dunlin())
    return;
  mine = mine ? mine : "0";
  take(text, "number", word, sizeof word);
  plan.number = plan.last = atol(word);
  if (take(text, "last", word, sizeof word))
    plan.last = atol(word);
  if (take(text, "at", word, sizeof word))
    plan.at = atol(word);
  take(text, "call", plan.call, sizeof plan.call);
  take(text, "path", plan.path, sizeof plan.path);
  if (take(text, "action", word, sizeof word)) {
    plan.kills = !strcmp(word, "kill");
    plan.halves = !strcmp(word, "part");
    plan.others = !strcmp(word, "other");
    plan.copying = !strcmp(word, "copy");
    plan.signals = !strcmp(word, "USR1");
    plan.error = error_of(word);
  }
  if (take(text, "rank", word, sizeof word) && strcmp(word, mine))
    plan.number = plan.last = 0;
  if (take(text, "count", file, sizeof file))
    snprintf(plan.count, sizeof plan.count, "%s.%s", file, mine);
  take(text, "copies", plan.copies, sizeof plan.copies);
  take(text, "caller", plan.caller, sizeof plan.caller);
  if (!strcmp(plan.caller, "any"))
    *plan.caller = 0;
  plan.comparing = !strcmp(plan.call, "compare");
  plan.ready = 1;
}

static __attribute__((destructor)) void end(void)
{
  char text[32];
  if (!plan.ready || !*plan.count)
    return;
  plan.ready = 0;
  int length = snprintf(text, sizeof text, "%ld\n", (long)calls);
  int file = (int)syscall(SYS_openat, AT_FDCWD, plan.count, O_CREAT | O_TRUNC | O_WRONLY, 0666);
  if (file >= 0) {
    syscall(SYS_write, file, text, length);
    syscall(SYS_close, file);
  }
}

/* ---- whether it is this one -------------------------------------------------------------- */

static const char *whose(void *address)
{
  static const char *const mpi[] = {"libmpi", "libopen-", "openmpi", "pmix",     "hwloc",
                                    "event",  "libucp",   "libucs",  "libfabric"};
  struct dl_find_object found;
  if (_dl_find_object(address, &found))
    return "rest";
  const char *name = found.dlfo_link_map->l_name;
  if (!*name)
    return "program";
  if (strstr(name, "hdf5"))
    return "hdf5";
  for (size_t i = 0; i < sizeof mpi / sizeof *mpi; i++)
    if (strstr(name, mpi[i]))
      return "mpi";
  return "rest";
}

static int is_memory(const char *call)
{
  return !strcmp(call, "malloc") || !strcmp(call, "calloc") || !strcmp(call, "realloc") ||
         !strcmp(call, "aligned");
}

static int is_meant(const char *call, const char *path)
{
  static const char changes[] = "write truncate reserve sync rename remove make";
  if (!strcmp(plan.call, "memory"))
    return is_memory(call);
  return !strcmp(call, plan.call) || (path && !strcmp(plan.call, "file")) ||
         (path && !strcmp(plan.call, "change") && strstr(changes, call));
}

/* What a kill would leave, without one. */
static void copy(const char *path, long number)
{
  char folder[PLACE], to[PLACE + 32], *slash;
  char *words[] = {"cp", "-a", folder, to, NULL}, *none[] = {NULL};
  int error = errno, status;
  pid_t child;
  snprintf(folder, sizeof folder, "%s", path);
  snprintf(to, sizeof to, "%s/%ld", plan.copies, number);
  if ((slash = strrchr(folder, '/')))
    *slash = 0;
  if (posix_spawn(&child, "/bin/cp", NULL, NULL, words, none) == 0)
    waitpid(child, &status, 0);
  errno = error;
}

static int hits(const char *call, const char *path, void *caller)
{
  if (!plan.ready || !is_meant(call, path) ||
      (*plan.caller && strcmp(whose(caller), plan.caller)) ||
      (*plan.path && !(path && strstr(path, plan.path))))
    return 0;
  long number = atomic_fetch_add(&calls, 1) + 1;
  if (plan.number == 0 || number < plan.number || number > plan.last)
    return 0;
  if (plan.kills)
    for (;;)
      syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  if (plan.signals)
    syscall(SYS_kill, syscall(SYS_getpid), SIGUSR1);
  if (plan.copying)
    copy(path, number);
  return !plan.copying && !plan.signals;
}

static int hits_open(const char *call, int file, void *caller)
{
  char link[64], path[PLACE];
  if (!plan.ready)
    return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  return hits(call, path, caller);
}

/* A breakpoint here stops in a call that fails. */
static __attribute__((noinline)) int fail(void)
{
  errno = plan.error;
  return -1;
}

#define CALLER __builtin_return_address(0)

/* ---- texts ------------------------------------------------------------------------------- */

int strcmp(const char *one, const char *other)
{
  if (plan.comparing)
    atomic_fetch_add(&calls, 1);
  while (*one && *one == *other) {
    one++;
    other++;
  }
  return (unsigned char)*one - (unsigned char)*other;
}

/* ---- memory ------------------------------------------------------------------------------ */

#ifndef WITHOUT_MEMORY
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t),
    *__libc_memalign(size_t, size_t);

void *malloc(size_t size)
{
  return hits("malloc", NULL, CALLER) ? (fail(), NULL) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
  return hits("calloc", NULL, CALLER) ? (fail(), NULL) : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
  return hits("realloc", NULL, CALLER) ? (fail(), NULL) : __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
  return hits("aligned", NULL, CALLER) ? (fail(), NULL) : __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
  if (hits("aligned", NULL, CALLER))
    return plan.error;
  *block = __libc_memalign(alignment, size);
  return *block ? 0 : ENOMEM;
}

#endif

/* ---- files ------------------------------------------------------------------------------- */

static int mode_of(int flags, va_list rest)
{
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
}

#define OPEN(name_)                                                                                \
  int name_(const char *path, int flags, ...)                                                      \
  {                                                                                                \
    va_list rest;                                                                                  \
    va_start(rest, flags);                                                                         \
    int mode = mode_of(flags, rest);                                                               \
    va_end(rest);                                                                                  \
    if (hits("open", path, CALLER))                                                                \
      return fail();                                                                               \
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);                                  \
  }
OPEN(open)
OPEN(open64)

#define STREAM(name_)                                                                              \
  FILE *name_(const char *path, const char *mode)                                                  \
  {                                                                                                \
    FILE *(*real)(const char *, const char *) =                                                    \
        (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, #name_);                         \
    return hits("open", path, CALLER) ? (fail(), NULL) : real(path, mode);                         \
  }
STREAM(fopen)
STREAM(fopen64)

enum { MOST = 1 << 16 };

/* Other bytes than the first ones that were to be written, of which `other` has room for MOST. */
static const void *others_of(const void *bytes, size_t *size, char *other)
{
  *size = *size < MOST ? *size : MOST;
  for (size_t i = 0; i < *size; i++)
    other[i] = (char)~((const char *)bytes)[i];
  return other;
}

/* A call on so many bytes of an open file. */
#define TRANSFER(name_, call_, pointer_, number_, more_, ...)                                      \
  ssize_t name_(int file, pointer_ bytes, size_t size more_)                                       \
  {                                                                                                \
    static char other[MOST];                                                                       \
    int hit = hits_open(call_, file, CALLER);                                                      \
    if (hit && !plan.halves && !plan.others)                                                       \
      return fail();                                                                               \
    if (hit && plan.others && !strcmp(call_, "write"))                                             \
      return syscall(number_, file, others_of(bytes, &size, other), size __VA_ARGS__);             \
    size = hit && size > 1 ? size / 2 : size;                                                      \
    return syscall(number_, file, bytes, size __VA_ARGS__);                                        \
  }
#define COMMA ,
TRANSFER(write, "write", const void *, SYS_write, )
TRANSFER(read, "read", void *, SYS_read, )
TRANSFER(pwrite, "write", const void *, SYS_pwrite64, COMMA off_t offset, COMMA offset)
TRANSFER(pwrite64, "write", const void *, SYS_pwrite64, COMMA off_t offset, COMMA offset)
TRANSFER(pread, "read", void *, SYS_pread64, COMMA off_t offset, COMMA offset)
TRANSFER(pread64, "read", void *, SYS_pread64, COMMA off_t offset, COMMA offset)

int ftruncate(int file, off_t size)
{
  return hits_open("truncate", file, CALLER) ? fail() : (int)syscall(SYS_ftruncate, file, size);
}

int ftruncate64(int file, off_t size)
{
  return hits_open("truncate", file, CALLER) ? fail() : (int)syscall(SYS_ftruncate, file, size);
}

int posix_fallocate(int file, off_t offset, off_t size)
{
  if (hits_open("reserve", file, CALLER))
    return plan.error;
  return syscall(SYS_fallocate, file, 0, offset, size) < 0 ? errno : 0;
}

/* What a process that is killed has written is not lost: no disk is waited for. */
int fsync(int file)
{
  if (plan.ready)
    return hits_open("sync", file, CALLER) ? fail() : 0;
  return (int)syscall(SYS_fsync, file);
}

/* Another process writes into the file. */
static void spoil(int file)
{
  char bytes[64], other[MOST];
  ssize_t got = syscall(SYS_pread64, file, bytes, sizeof bytes, plan.at);
  size_t size = got > 0 ? (size_t)got : 0;
  syscall(SYS_pwrite64, file, others_of(bytes, &size, other), size, plan.at);
}

int close(int file)
{
  int hit = hits_open("close", file, CALLER);
  if (hit && plan.others)
    spoil(file);
  int done = (int)syscall(SYS_close, file);
  return hit && !plan.others ? fail() : done;
}

/* Of streams it is these that reach the disk. */
#define STREAM_END(name_, call_)                                                                   \
  int name_(FILE *stream)                                                                          \
  {                                                                                                \
    int (*real)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, #name_);                               \
    int hit = stream && hits_open(call_, fileno(stream), CALLER);                                  \
    int done = real(stream);                                                                       \
    return hit ? fail() : done;                                                                    \
  }
STREAM_END(fflush, "write")
STREAM_END(fclose, "close")

int mkdir(const char *path, mode_t mode)
{
  return hits("make", path, CALLER) ? fail() : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int rename(const char *from, const char *to)
{
  return hits("rename", to, CALLER) ? fail() : (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
  return hits("remove", path, CALLER) ? fail() : (int)syscall(SYS_unlink, path);
}

int stat(const char *restrict path, struct stat *restrict status)
{
  if (hits("look", path, CALLER))
    return fail();
  return (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, 0);
}

int lstat(const char *restrict path, struct stat *restrict status)
{
  if (hits("look", path, CALLER))
    return fail();
  return (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

int fstat(int file, struct stat *status)
{
  if (hits_open("look", file, CALLER))
    return fail();
  return (int)syscall(SYS_fstat, file, status);
}
