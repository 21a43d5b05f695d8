#include "app/source.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/file.h"
#include "io/checkpoint_file.h"
#include "io/result_read.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* One byte more than an input may have: the parser then says that it is too long. */
enum { LIMIT = (1 << 20) + 1 };

/* ---- reading ------------------------------------------------------------------------------- */

static int read_bytes(const char *file, struct dun_source *source)
{
  int64_t size;
  int code, descriptor = dun_file_open(file, &size);
  if (descriptor < 0)
    return descriptor;
  source->size = size < LIMIT ? size : LIMIT;
  source->bytes = dun_allocate(source->size + 1, 1);
  code = source->bytes ? dun_file_take(descriptor, file, source->bytes, source->size)
                       : DUN_ERROR_MEMORY;
  close(descriptor);
  return code;
}

static int is_hdf5(const struct dun_source *source)
{
  static const char signature[8] = {(char)0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  return source->size >= 8 && !memcmp(source->bytes, signature, 8);
}

static int take_text(const struct dun_result_file *file, const char *name, char **text)
{
  const struct dun_attribute *value = dun_attribute_find(file->provenance, file->provenances, name);
  if (!value || value->type != DUN_ATTRIBUTE_TEXT)
    return dun_fail(DUN_ERROR_INPUT, "%s: its provenance has no %s", file->name, name);
  *text = dun_copy_text(value->text);
  return *text ? 0 : DUN_ERROR_MEMORY;
}

/* A stored result is run again: its provenance holds the input and what --set changed in it. */
static int read_result(const char *name, struct dun_source *source)
{
  struct dun_result_file file;
  int code = dun_result_open(&file, name);
  if (code < 0)
    return code;
  DUN_FREE(source->bytes);
  code = take_text(&file, "input", &source->bytes);
  if (code == 0)
    code = take_text(&file, "input_file", &source->name);
  if (code == 0)
    code = take_text(&file, "settings", &source->settings);
  if (code == 0 && dun_attribute_find(file.provenance, file.provenances, "files"))
    code = take_text(&file, "files", &source->files);
  source->size = code == 0 ? (int64_t)strlen(source->bytes) : 0;
  source->stored = 1;
  dun_result_close(&file);
  return code;
}

static int read_any(const char *file, struct dun_source *source)
{
  char absolute[PATH_MAX];
  int code = read_bytes(file, source);
  if (code == 0 && is_hdf5(source))
    code = read_result(file, source);
  if (code < 0)
    return code;
  if (!source->name)
    source->name = dun_copy_text(file);
  source->origin = dun_copy_text(realpath(source->name, absolute) ? absolute : source->name);
  if (!source->settings)
    source->settings = dun_copy_text("");
  if (!source->files)
    source->files = dun_copy_text("");
  if (!source->name || !source->origin || !source->settings || !source->files)
    return dun_fail(DUN_ERROR_MEMORY, "no memory for the input");
  return 0;
}

static int share_text(struct dun_context *context, int code, char **text)
{
  int64_t size = context->rank == 0 && code == 0 ? (int64_t)strlen(*text) + 1 : 0;
  return dun_broadcast_block(context, code, text, &size);
}

int dun_source_read(struct dun_context *context, const char *file, struct dun_source *source)
{
  int code = context->rank == 0 ? read_any(file, source) : 0;
  code = dun_broadcast_block(context, code, &source->bytes, &source->size);
  if (code == 0)
    code = share_text(context, code, &source->name);
  if (code == 0)
    code = share_text(context, code, &source->origin);
  if (code == 0)
    code = share_text(context, code, &source->settings);
  if (code == 0)
    code = share_text(context, code, &source->files);
  dun_broadcast(context, &source->stored, sizeof source->stored, 0);
  return code;
}

void dun_source_free(struct dun_source *source)
{
  DUN_FREE(source->name);
  DUN_FREE(source->origin);
  DUN_FREE(source->bytes);
  DUN_FREE(source->settings);
  DUN_FREE(source->files);
}

/* ---- files that have changed --------------------------------------------------------------- */

/* A line of the binder's list. */
struct used_file {
  char option[320], path[PATH_MAX];
  unsigned long long digest;
  long long size;
};

/* Reads the line at *text and goes on to the next one; 0: there is none. */
static int next_file(const char **text, struct used_file *file)
{
  const char *end = *text ? strchr(*text, '\n') : NULL;
  int start = 0;
  if (!end ||
      sscanf(*text, "%319s %16llx %lld %n", file->option, &file->digest, &file->size, &start) < 3)
    return 0;
  snprintf(file->path, sizeof file->path, "%.*s", (int)(end - *text) - start, *text + start);
  *text = end + 1;
  return 1;
}

/* Whether an assignment "probes.0=..." of --set names the option "probes[0].file" anew. */
static int names(const char *assignment, const char *option)
{
  for (; *assignment && *assignment != '='; assignment++, option++) {
    if (*option == ']')
      option++;
    if (*assignment != *option && !(*assignment == '.' && *option == '['))
      return 0;
  }
  return !*option || strchr(".[]", *option) != NULL;
}

static int is_named_anew(const struct dun_arguments *arguments, const char *option)
{
  for (int i = 0; i < arguments->sets; i++)
    if (names(arguments->set[i], option))
      return 1;
  return 0;
}

int dun_source_trusts(const void *assembly, const char *option)
{
  return is_named_anew(((const struct dun_assembly *)assembly)->arguments, option);
}

static void compare(struct dun_assembly *assembly, const struct used_file *then)
{
  const char *list = assembly->binder.used.text;
  struct used_file now;
  if (is_named_anew(assembly->arguments, then->option))
    return;
  while (next_file(&list, &now))
    if (!strcmp(now.option, then->option) && now.digest != then->digest)
      dun_complain(&assembly->binder.complaints, &assembly->input, -1, 0,
                   "%s: found other content in %s (%lld bytes) than when %s was made from it (%lld "
                   "bytes): the answer would be another; --set %s=%s takes it as it is now",
                   then->option, now.path, now.size, assembly->arguments->operand[0], then->size,
                   then->option, now.path);
}

void dun_source_compare(struct dun_assembly *assembly)
{
  const char *list = assembly->files;
  struct used_file then;
  while (next_file(&list, &then))
    compare(assembly, &then);
}

/* ---- names --------------------------------------------------------------------------------- */

char *dun_source_result(const struct dun_assembly *assembly)
{
  const char *given =
      assembly->arguments->output ? assembly->arguments->output : assembly->output.file;
  struct dun_text name = {0};
  const char *stem, *dot;
  if (given)
    return dun_copy_text(given);
  stem = strrchr(assembly->input.name, '/');
  stem = stem ? stem + 1 : assembly->input.name;
  dot = strrchr(stem, '.');
  dun_text_add(&name, "%.*s.h5", dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem), stem);
  return name.text;
}

/* ---- what would be lost -------------------------------------------------------------------- */

static int folder_is_good(const char *file)
{
  const char *slash = strrchr(file, '/');
  struct dun_text folder = {0};
  struct stat status;
  int code = 0;
  if (!slash)
    dun_text_add(&folder, ".");
  else
    dun_text_add(&folder, "%.*s", slash > file ? (int)(slash - file) : 1, file);
  if (folder.failed)
    return dun_fail(DUN_ERROR_MEMORY, "no memory for the result's folder");
  if (stat(folder.text, &status) || !S_ISDIR(status.st_mode))
    code = dun_fail(DUN_ERROR_INPUT, "output.file: %s: there is no folder %s", file, folder.text);
  else if (access(folder.text, W_OK | X_OK))
    code = dun_fail(DUN_ERROR_INPUT, "output.file: %s: the folder %s cannot be written to: %s",
                    file, folder.text, strerror(errno));
  else if (stat(file, &status) == 0 && !S_ISREG(status.st_mode))
    code = dun_fail(DUN_ERROR_INPUT, "output.file: %s: found something that is no file", file);
  dun_text_free(&folder);
  return code;
}

static int is_same(const char *file, const char *other)
{
  struct stat one, two;
  return stat(file, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
         one.st_ino == two.st_ino;
}

/* A file that the run reads would be lost: of each there is a line "option digest bytes path". */
static int refuse_used(const struct dun_assembly *assembly)
{
  const char *line = assembly->binder.used.text, *end;
  char option[128], path[PATH_MAX];
  int start;
  for (; line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
    if (sscanf(line, "%127s %*s %*s%n", option, &start) != 1 || end - line <= start)
      continue;
    snprintf(path, sizeof path, "%.*s", (int)(end - line - start - 1), line + start + 1);
    if (is_same(path, assembly->file))
      return dun_fail(DUN_ERROR_INPUT,
                      "output.file: %s is the file that %s names, and would be lost; give another "
                      "name with --output",
                      assembly->file, option);
  }
  return 0;
}

/* Checkpoints and what becomes the result are called after it: a name that leaves no room for what
 * they add would be a run without them. */
static int name_is_short(const char *file)
{
  const int most = NAME_MAX - 30;
  const char *slash = strrchr(file, '/');
  int length = (int)strlen(slash ? slash + 1 : file);
  if (length <= most && strlen(file) < PATH_MAX - 30)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "output.file: found a name of %d bytes, expected at most %d, and %d with its "
                  "folders: checkpoints are called after it",
                  length, most, PATH_MAX - 31);
}

/* A stranger's result does not say where files are written. */
static int output_is_trusted(const struct dun_assembly *assembly)
{
  if (!assembly->binder.trusts || assembly->arguments->output || !strchr(assembly->file, '/') ||
      dun_source_trusts(assembly, "output.file"))
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "output.file: %s would be written to %s, as it says itself: --output gives "
                  "another name, --trust takes this one",
                  assembly->arguments->operand[0], assembly->file);
}

/* Something else than a file with a name that the run will need: a pipe would be waited for. */
static int refuse_other(const char *name)
{
  struct stat status;
  if (!name)
    return DUN_ERROR_MEMORY;
  if (lstat(name, &status) || S_ISREG(status.st_mode) || S_ISLNK(status.st_mode))
    return 0; /* links are replaced, not followed */
  return dun_fail(DUN_ERROR_INPUT, "output.file: %s: found something that is no file", name);
}

/* The names beside the result's that a run takes for its own. */
static int refuse_others(const char *file)
{
  static const char *const suffix[] = {".part", ".part.new", ".progress.jsonl"};
  int code = 0;
  for (int i = 0; i < 3 && code >= 0; i++) {
    struct dun_text name = {0};
    dun_text_add(&name, "%s%s", file, suffix[i]);
    code = refuse_other(name.failed ? NULL : name.text);
    dun_text_free(&name);
  }
  for (int i = 0; i < 4 && code >= 0; i++) {
    char *name = dun_checkpoint_name(file, i / 2, i % 2 ? ".tmp" : "");
    code = refuse_other(name);
    dun_free(name);
  }
  return code;
}

static int refuse_names(const struct dun_assembly *assembly)
{
  const char *file = assembly->file;
  int code;
  if (!*file)
    return dun_fail(DUN_ERROR_INPUT, "output.file: the result's name is empty");
  if ((code = name_is_short(file)) < 0 || (code = output_is_trusted(assembly)) < 0)
    return code;
  if ((code = folder_is_good(file)) < 0 || (code = refuse_others(file)) < 0)
    return code;
  /* Run again with --restart, a stored result only finds itself complete. */
  if (is_same(assembly->arguments->operand[0], file) && !assembly->arguments->restart)
    return dun_fail(DUN_ERROR_INPUT,
                    "output.file: %s is the input itself; give another name with --output", file);
  return refuse_used(assembly);
}

/* Another input's result beside a checkpoint: a run that was to overwrite it stopped early.  Whose
 * the checkpoint is shows when it is read. */
static int refuse_result_of_another(const struct dun_assembly *assembly)
{
  char *checkpoint = dun_checkpoint_left(assembly->file);
  int code = checkpoint ? 0
                        : dun_fail(DUN_ERROR_INPUT,
                                   "%s is there, but is no result of this input; --restart cannot "
                                   "go on from it (--overwrite replaces it, --output gives another "
                                   "name)",
                                   assembly->file);
  dun_free(checkpoint);
  return code;
}

static int refuse_existing(struct dun_context *context, const struct dun_assembly *assembly,
                           int exists)
{
  const char *file = assembly->file;
  if (assembly->arguments->restart && exists == 1)
    return 1;
  if (assembly->arguments->restart && exists == 2)
    return context->rank == 0 ? refuse_result_of_another(assembly) : 0;
  if (exists && !assembly->arguments->overwrite)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s is there already; --overwrite replaces it, --output gives another name",
                    file);
  return 0;
}

/* A checkpoint holds hours of work: it is not replaced by a run that did not ask for it. */
static int refuse_checkpoints(const struct dun_assembly *assembly)
{
  char *name = dun_checkpoint_left(assembly->file);
  int code = 0;
  if (name)
    code = dun_fail(
        DUN_ERROR_INPUT,
        "%s is there: an earlier run stopped early; --restart goes on from it, --overwrite "
        "starts afresh",
        name);
  dun_free(name);
  return code;
}

int dun_source_refuse(struct dun_context *context, const struct dun_assembly *assembly)
{
  const struct dun_arguments *arguments = assembly->arguments;
  int exists, code = dun_agree(context, context->rank == 0 ? refuse_names(assembly) : 0);
  if (code < 0)
    return code;
  exists = dun_result_exists(context, assembly->file, assembly->identity);
  if (exists < 0)
    return exists;
  code = refuse_existing(context, assembly, exists);
  if (code == 0 && context->rank == 0 && !arguments->restart && !arguments->overwrite)
    code = refuse_checkpoints(assembly);
  return code > 0 ? code : dun_agree(context, code);
}
