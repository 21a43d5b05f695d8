#include "app/sweep.h"
#include "app/assemble.h"
#include "app/commands.h"
#include "app/source.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/members.h"
#include "io/result.h"
#include "numerics/linear.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A member is the input with assignments as --set makes them, so that its result can be run again
 * and its checkpoints gone on from like any others.  It is known by its identity: what is added to
 * a sweep later lets the finished members stand. */
struct sweep {
  const struct dun_arguments *arguments;
  struct dun_complaints complaints;
  struct dun_input input;
  struct dun_members members;
  struct dun_text folder;
  uint64_t *identity; /* [members] */
  int *complete;      /* [members] */
};

/* ---- members ------------------------------------------------------------------------------- */

static void describe(const struct sweep *s, int member, struct dun_text *text)
{
  for (int i = 0; i < s->members.varied; i++) {
    const struct dun_varied *option = &s->members.option[i];
    const char *label = option->label[dun_members_value(&s->members, i, member)];
    dun_text_add(text, "%s%s=%s", i ? ", " : "", option->path, label);
  }
}

static void name_file(const struct sweep *s, int member, const char *end, struct dun_text *name)
{
  dun_text_add(name, "%s/%016llx%s", s->folder.text, (unsigned long long)s->identity[member], end);
}

/* The command line that would run the member; `set` has room for all assignments, `text` holds
 * those of the member. */
static struct dun_arguments arguments_of(const struct sweep *s, int member, const char **set,
                                         struct dun_text text[DUN_MAX_VARIED])
{
  struct dun_arguments own = *s->arguments;
  own.command = DUN_COMMAND_RUN;
  own.set = set;
  own.sets = 0;
  for (int i = 0; i < s->arguments->sets; i++)
    set[own.sets++] = s->arguments->set[i];
  set[own.sets++] = "sweep={}";
  for (int i = 0; i < s->members.varied; i++) {
    const struct dun_varied *option = &s->members.option[i];
    dun_text_add(&text[i], "%s=%s", option->path,
                 option->value[dun_members_value(&s->members, i, member)]);
    set[own.sets++] = text[i].text;
  }
  own.restart = !s->arguments->overwrite;
  own.quiet = 1;
  own.strict = 0;
  return own;
}

static void free_texts(struct dun_text text[DUN_MAX_VARIED])
{
  for (int i = 0; i < DUN_MAX_VARIED; i++)
    dun_text_free(&text[i]);
}

/* ---- before anything runs ------------------------------------------------------------------ */

static int read_input(struct dun_context *context, struct sweep *s)
{
  struct dun_source source = {0};
  const char *stem, *dot;
  int code = dun_source_read(context, s->arguments->operand[0], &source);
  if (code < 0)
    goto out;
  code = dun_input_parse(&s->input, source.name, source.bytes, source.size, &s->complaints);
  for (int i = 0; i < s->arguments->sets && code >= 0; i++)
    code = dun_input_set(&s->input, s->arguments->set[i], &s->complaints);
  if (code < 0 || dun_members_expand(&s->members, &s->input, &s->complaints) < 0) {
    code = DUN_ERROR_INPUT;
    goto out;
  }
  stem = strrchr(source.name, '/');
  stem = stem ? stem + 1 : source.name;
  dot = strrchr(stem, '.');
  if (s->arguments->output)
    dun_text_add(&s->folder, "%s", s->arguments->output);
  else
    dun_text_add(&s->folder, "%.*s.sweep",
                 dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem), stem);
  s->identity = dun_allocate(s->members.count, sizeof *s->identity);
  s->complete = dun_allocate(s->members.count, sizeof *s->complete);
  if (!s->identity || !s->complete || s->folder.failed)
    code = dun_fail(DUN_ERROR_MEMORY, "no memory for the sweep");
out:
  dun_source_free(&source);
  return dun_agree(context, code);
}

/* What the rows of an input cannot say of a sweep. */
static int refuse_member(struct sweep *s, const struct dun_assembly *assembly, int member)
{
  if (assembly->run.options.evaluations > 0)
    return dun_fail(DUN_ERROR_INPUT, "run.evaluations: a member that it stops leaves no result: "
                                     "leave it out");
  for (int i = 0; i < member; i++)
    if (s->identity[i] == s->identity[member])
      return dun_fail(DUN_ERROR_INPUT, "it is the same run as member %d", i + 1);
  return 0;
}

static int tell_fault(struct dun_context *context, const struct sweep *s,
                      const struct dun_complaints *complaints, int code, int member)
{
  struct dun_text label = {0};
  describe(s, member, &label);
  if (context->rank == 0)
    fprintf(stderr, "%s%s:%d:1: sweep: member %d (%s): %s\ndunlin: nothing was run\n",
            complaints->count ? complaints->text.text : "", s->input.name,
            s->members.option[0].line, member + 1, label.text ? label.text : "",
            complaints->count ? "faults in its input" : dun_error_text());
  dun_text_free(&label);
  return dun_exit_code(code);
}

/* Collective.  The member's identity and whether its result is there; the exit code of a fault. */
static int check_member(struct dun_context *context, struct sweep *s, int member)
{
  struct dun_text text[DUN_MAX_VARIED] = {0}, file = {0};
  const char **set = dun_allocate(s->arguments->sets + DUN_MAX_VARIED + 1, sizeof *set);
  struct dun_assembly *assembly = dun_allocate(1, sizeof *assembly);
  struct dun_arguments own;
  int exit_code = 0, exists, code = dun_agree(context, set && assembly ? 0 : DUN_ERROR_MEMORY);
  if (code < 0) {
    exit_code = dun_exit_code(code);
    goto out;
  }
  own = arguments_of(s, member, set, text);
  code = dun_assemble(context, assembly, &own);
  s->identity[member] = assembly->identity;
  if (code >= 0)
    code = refuse_member(s, assembly, member);
  if (code < 0)
    exit_code = tell_fault(context, s, &assembly->binder.complaints, code, member);
  if (code >= 0) {
    name_file(s, member, ".h5", &file);
    exists = dun_result_exists(context, file.text, s->identity[member]);
    s->complete[member] = exists == 1 && !s->arguments->overwrite;
  }
  dun_assembly_free(assembly);
out:
  free_texts(text);
  dun_text_free(&file);
  dun_free(assembly);
  dun_free(set);
  return exit_code;
}

/* ---- the work ------------------------------------------------------------------------------ */

/* The reason is kept beside the results, until the member is run anew. */
static void keep_reason(const struct sweep *s, int member, int exit_code)
{
  struct dun_text name = {0};
  name_file(s, member, ".failed", &name);
  FILE *file = exit_code == 1 && name.text ? fopen(name.text, "w") : NULL;
  if (file) {
    fprintf(file, "%s\n", dun_error_text());
    fclose(file);
  } else if (name.text) {
    remove(name.text);
  }
  dun_text_free(&name);
}

static int run_member(struct dun_context *context, const struct sweep *s, int member, double began)
{
  struct dun_text text[DUN_MAX_VARIED] = {0}, file = {0}, label = {0};
  const char **set = dun_allocate(s->arguments->sets + DUN_MAX_VARIED + 1, sizeof *set);
  int exit_code = 1;
  if (dun_agree(context, set ? 0 : DUN_ERROR_MEMORY) == 0) {
    struct dun_arguments own = arguments_of(s, member, set, text);
    name_file(s, member, ".h5", &file);
    describe(s, member, &label);
    own.output = file.text;
    dun_note(&context->log, "member %d of %d: %s", member + 1, s->members.count, label.text);
    exit_code = dun_command_run(context, &own, began, NULL);
    if (context->rank == 0)
      keep_reason(s, member, exit_code);
  }
  free_texts(text);
  dun_text_free(&file);
  dun_text_free(&label);
  dun_free(set);
  return exit_code;
}

static int make_folder(struct dun_context *context, const struct sweep *s)
{
  int code = 0;
  if (context->rank == 0 && mkdir(s->folder.text, 0777) && errno != EEXIST)
    code = dun_fail(DUN_ERROR_FILE, "%s: the folder cannot be made: %s", s->folder.text,
                    strerror(errno));
  return dun_agree(context, code);
}

static int run_all(struct dun_context *context, const struct sweep *s, double began)
{
  int first = s->arguments->index > 0 ? (int)s->arguments->index - 1 : 0;
  int last = s->arguments->index > 0 ? first + 1 : s->members.count;
  int failed = 0, skipped = 0, exit_code;
  for (int i = first; i < last; i++) {
    if (s->complete[i]) {
      skipped++;
      continue;
    }
    if ((exit_code = run_member(context, s, i, began)) == DUN_EXIT_STOPPED)
      return exit_code;
    failed += exit_code != 0;
  }
  dun_note(&context->log, "%d of %d members done, %d of them before, %d failed: %s",
           last - first - failed, last - first, skipped, failed, s->folder.text);
  return failed > 0;
}

static void list(const struct sweep *s)
{
  for (int i = 0; i < s->members.count; i++) {
    struct dun_text label = {0};
    describe(s, i, &label);
    printf("%d\t%016llx\t%s\t%s\n", i + 1, (unsigned long long)s->identity[i],
           s->complete[i] ? "done" : "-", label.text ? label.text : "");
    dun_text_free(&label);
  }
  fflush(stdout);
}

static int work(struct dun_context *context, struct sweep *s, double began)
{
  int code = 0;
  for (int i = 0; i < s->members.count && code == 0; i++)
    code = check_member(context, s, i);
  if (code)
    return code;
  if (s->arguments->list) {
    if (context->rank == 0)
      list(s);
    return 0;
  }
  if (s->arguments->index > s->members.count)
    code = dun_fail(DUN_ERROR_INPUT, "--index %lld: the sweep has %d members", s->arguments->index,
                    s->members.count);
  if (code == 0)
    code = make_folder(context, s);
  if (code < 0 && context->rank == 0)
    fprintf(stderr, "dunlin: %s\n", dun_error_text());
  return code < 0 ? dun_exit_code(code) : run_all(context, s, began);
}

int dun_command_sweep(struct dun_context *context, const struct dun_arguments *arguments,
                      double began)
{
  struct sweep s = {.arguments = arguments};
  int exit_code, code;
  dun_blas_one_thread();
  code = read_input(context, &s);
  if (code < 0 && context->rank == 0)
    fprintf(stderr, "%s%s%s\n", s.complaints.count ? s.complaints.text.text : "dunlin: ",
            s.complaints.count ? "dunlin: faults in the sweep" : dun_error_text(),
            s.complaints.count ? "; nothing was run" : "");
  exit_code = code < 0 ? dun_exit_code(code) : work(context, &s, began);
  dun_members_free(&s.members);
  dun_complaints_free(&s.complaints);
  dun_input_free(&s.input);
  dun_text_free(&s.folder);
  dun_free(s.identity);
  dun_free(s.complete);
  return exit_code;
}
