/* Targets from shared libraries.  The registered type `library` only names the file: whoever reads
 * inputs loads it and binds the remaining options to the library's own table. */
#include "targets/library.h"
#include "base/error.h"
#include "base/type.h"
#include "data/file.h"
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- checks of a table ------------------------------------------------------------------- */

enum { MAX_DEPTH = 8, MAX_OPTIONS = 1000, NAME_SIZE = 64 };

static int good_name(const char *name)
{
  size_t length = name ? strlen(name) : 0;
  return length > 0 && length < NAME_SIZE &&
         strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length;
}

static int check_options(const struct dun_option *row, size_t size, int depth, const char *origin)
{
  for (int i = 0; row && row->name; row++, i++) {
    size_t member = dun_option_size(row->type);
    const char *fault = NULL;
    if (i == MAX_OPTIONS || depth == MAX_DEPTH)
      return dun_fail(DUN_ERROR_INPUT, "%s: the list of options does not end", origin);
    if (!good_name(row->name))
      return dun_fail(DUN_ERROR_INPUT, "%s: option number %d has no proper name", origin, i + 1);
    if ((unsigned)row->type > DUN_ARRAYS)
      fault = "its type is unknown";
    else if (row->offset > size || member > size - row->offset)
      fault = "it lies outside the target's own struct";
    else if (!row->doc)
      fault = "it has no sentence `doc`";
    else if (row->type == DUN_CHOICE && !row->words)
      fault = "a choice needs `words`";
    else if (row->type == DUN_SECTION && !row->rows)
      fault = "a section needs `rows`";
    else if ((row->type == DUN_PART || row->type == DUN_PARTS) &&
             (row->kind < 0 || row->kind >= DUN_KINDS))
      fault = "its kind of part is unknown";
    if (fault)
      return dun_fail(DUN_ERROR_INPUT, "%s: option '%s': %s", origin, row->name, fault);
    if (row->type == DUN_SECTION &&
        check_options(row->rows, size - row->offset, depth + 1, origin) < 0)
      return DUN_ERROR_INPUT;
  }
  return 0;
}

/* The first fault of the operations, or NULL. */
static const char *operations_fault(const struct dun_target *t)
{
  if ((t->point != NULL) + (t->rows != NULL) + (t->columns != NULL) != 1)
    return "expected exactly one of `point`, `rows` and `columns`";
  if (t->dimension < 0)
    return "its dimension is negative";
  if (!t->constrained && (t->dimension > 0) == (t->dimension_of != NULL))
    return "expected either a fixed `dimension` or the function `dimension_of`";
  if (t->draw_uniforms < -1 || t->draw_normals < -1)
    return "expected draw_uniforms and draw_normals >= -1";
  if (t->draw_uniforms > 1000000 || t->draw_normals > 1000000)
    return "expected at most 1000000 columns of random numbers for a draw";
  if ((unsigned)t->support > DUN_LETTERS)
    return "its `support` is unknown";
  if ((t->site || t->letters) && t->support == DUN_REALS)
    return "it has `site` or `letters` but its `support` is that of reals";
  if (t->tilts & ~63u || (t->tilts && !t->tilted))
    return "it has `tilts` that are unknown, or no `tilted` to go with them";
  if ((t->tilts & DUN_TILTED_DRAW) && !t->draw)
    return "it draws from tilted laws but has no `draw`, whose random numbers these are";
  if ((t->tilts & DUN_TILTED_LABEL) && !t->modes)
    return "its tilted laws have labels but it has no `modes`, which these are";
  if (!t->likelihood != !t->log_likelihood)
    return "it has only one of `likelihood` and `log_likelihood`";
  if (!t->observations != !t->observed)
    return "it has only one of `observations` and `observed`";
  if (t->observed && t->constrained)
    return "it is `constrained` and gives its likelihood in parts, which is for others";
  if (t->draw_prior && !t->prior && !t->constrained)
    return "it draws from a prior but has no density `prior`";
  if (t->constrain && !t->parameters)
    return "it has `constrain` but no `parameters` to fill";
  return NULL;
}

int dun_target_check(const struct dun_target *target, const char *origin)
{
  const struct dun_type *type = &target->type;
  const char *fault;
  if (type->abi != DUN_ABI)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: built against version %d of dunlin/target.h, this program has version %d; "
                    "compile it again",
                    origin, type->abi, DUN_ABI);
  if (type->table_size != sizeof *target || type->option_size != sizeof(struct dun_option))
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: its table has %zu bytes and its option rows %zu, expected %zu and %zu; "
                    "begin the table with DUN_TYPE(struct dun_target)",
                    origin, type->table_size, type->option_size, sizeof *target,
                    sizeof(struct dun_option));
  if (!good_name(type->name))
    return dun_fail(DUN_ERROR_INPUT, "%s: `name` is missing or holds other than letters, digits, _",
                    origin);
  if (!type->doc)
    return dun_fail(DUN_ERROR_INPUT, "%s: the sentence `doc` is missing", origin);
  if (type->options && type->size == 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: it has options, but its own struct has no `size`",
                    origin);
  if (check_options(type->options, type->size, 0, origin) < 0)
    return DUN_ERROR_INPUT;
  fault = operations_fault(target);
  return fault ? dun_fail(DUN_ERROR_INPUT, "%s: %s", origin, fault) : 0;
}

/* ---- checks of a file before the loader maps it ------------------------------------------ */

/* A file cut short is refused here: mapped, it would kill the process at the first touch of what is
 * missing. */
static int check_segments(FILE *stream, const Elf64_Ehdr *head, int64_t size)
{
  for (int i = 0; i < head->e_phnum; i++) {
    Elf64_Phdr segment;
    if (fseek(stream, (long)(head->e_phoff + (Elf64_Off)i * sizeof segment), SEEK_SET) != 0 ||
        fread(&segment, sizeof segment, 1, stream) != 1)
      return -1;
    if (segment.p_offset > (Elf64_Off)size || segment.p_filesz > (Elf64_Off)size - segment.p_offset)
      return -1;
  }
  return 0;
}

static int check_stream(FILE *stream, const char *file, int64_t size)
{
  Elf64_Ehdr head;
  if (fread(&head, sizeof head, 1, stream) != 1 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
      head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_type != ET_DYN)
    return dun_fail(DUN_ERROR_INPUT, "%s: not a shared library (cc -shared -fPIC)", file);
  if (head.e_phentsize != sizeof(Elf64_Phdr) || head.e_phoff > (Elf64_Off)size ||
      check_segments(stream, &head, size) < 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: the shared library is damaged or cut short", file);
  return 0;
}

static int check_file(const char *file)
{
  int64_t size;
  int status, descriptor = dun_file_open(file, &size);
  if (descriptor < 0)
    return descriptor;
  FILE *stream = fdopen(descriptor, "rb");
  if (!stream) {
    close(descriptor);
    return dun_fail(DUN_ERROR_INPUT, "%s: cannot be read: %s", file, strerror(errno));
  }
  status = check_stream(stream, file, size);
  fclose(stream);
  return status;
}

/* ---- loading ----------------------------------------------------------------------------- */

/* dun_target_<stem>: of .../libmine.so and .../mine.so both dun_target_mine. */
static int symbol_of(const char *file, char symbol[], size_t size)
{
  const char *slash = strrchr(file, '/'), *stem = slash ? slash + 1 : file;
  const char *dot = strchr(stem, '.');
  int length = dot ? (int)(dot - stem) : (int)strlen(stem);
  if (length > 3 && !strncmp(stem, "lib", 3)) {
    stem += 3;
    length -= 3;
  }
  snprintf(symbol, size, "dun_target_%.*s", length, stem);
  if (length == 0 || length >= NAME_SIZE || !good_name(symbol + strlen("dun_target_")))
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: the file's name must be letters, digits and _ up to the first dot, as in "
                    "the symbol dun_target_<name>",
                    file);
  return 0;
}

/* Linked with -ffast-math, a library switches subnormal numbers off for the whole process when
 * it is loaded; the control register is put back. */
static void *open_quietly(const char *file, int *flushes)
{
  const unsigned subnormal = 0x8040; /* flush to zero, and denormals are zeros */
  unsigned control = __builtin_ia32_stmxcsr();
  void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  *flushes = ((__builtin_ia32_stmxcsr() ^ control) & subnormal) != 0;
  __builtin_ia32_ldmxcsr(control);
  return handle;
}

/* The symbol is a table only if the library says that it is data, long enough to hold the head. */
static int check_symbol(void *address, const char *file, const char *symbol)
{
  Dl_info info;
  void *extra = NULL;
  const ElfW(Sym) * entry;
  if (!dladdr1(address, &info, &extra, RTLD_DL_SYMENT) || !extra)
    return dun_fail(DUN_ERROR_INPUT, "%s: %s is not a table", file, symbol);
  entry = extra;
  if (ELF64_ST_TYPE(entry->st_info) != STT_OBJECT || entry->st_size < sizeof(struct dun_type))
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: %s is not a `const struct dun_target` (it is %s of %llu bytes)", file,
                    symbol, ELF64_ST_TYPE(entry->st_info) == STT_OBJECT ? "data" : "no data",
                    (unsigned long long)entry->st_size);
  if (((const struct dun_type *)address)->abi == DUN_ABI &&
      entry->st_size != sizeof(struct dun_target))
    return dun_fail(DUN_ERROR_INPUT, "%s: %s has %llu bytes, expected %zu", file, symbol,
                    (unsigned long long)entry->st_size, sizeof(struct dun_target));
  return 0;
}

const struct dun_target *dun_library_load_telling(const char *file, int *flushes)
{
  char symbol[NAME_SIZE + 16], path[PATH_MAX];
  void *handle, *table;
  if (symbol_of(file, symbol, sizeof symbol) < 0 || check_file(file) < 0)
    return NULL;
  if (!realpath(file, path)) { /* without a slash the loader would search its own folders */
    dun_fail(DUN_ERROR_INPUT, "%s: cannot be found: %s", file, strerror(errno));
    return NULL;
  }
  handle = open_quietly(path, flushes);
  if (!handle) {
    dun_fail(DUN_ERROR_INPUT, "%s: cannot be loaded: %s", file, dlerror());
    return NULL;
  }
  table = dlsym(handle, symbol);
  if (!table) {
    dun_fail(DUN_ERROR_INPUT,
             "%s: the library does not define %s; expected `const struct dun_target %s = {...};` "
             "in it",
             file, symbol, symbol);
    return NULL;
  }
  if (check_symbol(table, file, symbol) < 0 || dun_target_check(table, file) < 0)
    return NULL;
  return table;
}

const struct dun_target *dun_library_load(const char *file)
{
  int flushes;
  return dun_library_load_telling(file, &flushes);
}

/* ---- the registered type ----------------------------------------------------------------- */

struct library {
  char *file;
  double timeout;
};

static const struct dun_option options[] = {
    {.name = "file",
     .type = DUN_FILE,
     .offset = offsetof(struct library, file),
     .doc = "The shared library, which defines dun_target_<name of the file>; further options are "
            "the library's own."},
    {.name = "timeout",
     .type = DUN_DURATION,
     .offset = offsetof(struct library, timeout),
     .initial = "0",
     .maximum = 1e9,
     .doc = "How long one call of its functions may take before the run is ended; looked at once a "
            "second; 0: no limit. Not for a library that has an option of this name."},
    {0}};

/* Reached only by a program that evaluates this table instead of the loaded one. */
static double outside(const void *self, const double *x, double *gradient)
{
  (void)self;
  (void)x;
  if (gradient)
    *gradient = 0;
  return -__builtin_inf();
}

const struct dun_target dun_target_library = {
    .type = {DUN_TYPE(struct dun_target), .name = "library",
             .doc = "A target of your own from a shared library, written against dunlin/target.h.",
             .size = sizeof(struct library), .options = options},
    .dimension = 1,
    .point = outside,
};

int dun_target_is_foreign(const struct dun_target *target)
{
  return dun_type_find(DUN_KIND_TARGET, target->type.name) != &target->type ||
         !strcmp(target->type.name, "bridgestan");
}
