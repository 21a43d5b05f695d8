#include "app/accord.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

/* What a process was started with. */
struct start {
  uint64_t words, folder, program;
};

/* ---- the program ------------------------------------------------------------------------- */

struct search {
  uintptr_t address; /* of code in the object that is looked for */
  uint64_t digest;   /* of its build id; 0: it has none */
};

static int holds(const struct dl_phdr_info *object, uintptr_t address)
{
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_LOAD && address >= start && address - start < segment->p_memsz)
      return 1;
  }
  return 0;
}

static uint64_t digest_notes(const char *notes, size_t size)
{
  const size_t head = sizeof(ElfW(Nhdr));
  while (size >= head) {
    ElfW(Nhdr) note;
    memcpy(&note, notes, head);
    size_t name = (note.n_namesz + 3u) & ~(size_t)3, text = (note.n_descsz + 3u) & ~(size_t)3;
    if (head + name + text > size)
      return 0;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(notes + head, "GNU", 4))
      return dun_digest(1, notes + head + name, (int64_t)note.n_descsz);
    notes += head + name + text;
    size -= head + name + text;
  }
  return 0;
}

static int look_at(struct dl_phdr_info *object, size_t size, void *data)
{
  struct search *search = data;
  (void)size;
  if (!holds(object, search->address))
    return 0;
  for (int i = 0; i < object->dlpi_phnum && !search->digest; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type == PT_NOTE)
      search->digest =
          digest_notes((const char *)(object->dlpi_addr + segment->p_vaddr), segment->p_memsz);
  }
  return 1;
}

/* Of the build that this very function is part of. */
static uint64_t digest_program(void)
{
  struct search search = {.address = (uintptr_t)&dun_accord};
  dl_iterate_phdr(look_at, &search);
  return search.digest;
}

/* ---- comparing --------------------------------------------------------------------------- */

static int look(int argc, char **argv, struct start *start, char *folder, size_t size)
{
  *start = (struct start){.program = digest_program()};
  for (int i = 1; i < argc; i++)
    start->words = dun_digest(start->words, argv[i], (int64_t)strlen(argv[i]) + 1);
  if (!getcwd(folder, size))
    return dun_fail(DUN_ERROR_INPUT, "the working folder is not to be found: %s", strerror(errno));
  start->folder = dun_digest(0, folder, (int64_t)strlen(folder));
  return 0;
}

static int refuse_words(int rank, int argc, char **argv)
{
  struct dun_text line = {0};
  for (int i = 1; i < argc; i++)
    dun_text_add(&line, " %s", argv[i]);
  dun_fail(DUN_ERROR_INPUT, "rank %d was started with other words than rank 0: `dunlin%.600s`",
           rank, line.text ? line.text : "");
  dun_text_free(&line);
  return DUN_ERROR_INPUT;
}

int dun_accord(struct dun_context *context, int argc, char **argv)
{
  char folder[PATH_MAX] = "";
  struct start own, first;
  int code = look(argc, argv, &own, folder, sizeof folder);
  first = own;
  dun_broadcast(context, &first, sizeof first, 0);
  if (code == 0 && own.words != first.words)
    code = refuse_words(context->rank, argc, argv);
  else if (code == 0 && own.folder != first.folder)
    code = dun_fail(DUN_ERROR_INPUT, "rank %d was started in another folder than rank 0: %.600s",
                    context->rank, folder);
  else if (code == 0 && own.program != first.program)
    code = dun_fail(DUN_ERROR_INPUT, "rank %d runs another build of the program than rank 0",
                    context->rank);
  return dun_agree(context, code);
}
