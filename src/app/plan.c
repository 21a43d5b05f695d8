#include "app/plan.h"
#include "app/assemble.h"
#include "app/last_words.h"
#include "app/source.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/tell.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- members ------------------------------------------------------------------------------- */

const char *dun_plan_label(const struct dun_plan *plan, int member, int option)
{
  return plan->members.option[option].label[dun_members_value(&plan->members, option, member)];
}

void dun_plan_describe(const struct dun_plan *plan, int member, struct dun_text *text)
{
  for (int i = 0; i < plan->members.varied; i++)
    dun_text_add(text, "%s%s=%s", i ? ", " : "", plan->members.option[i].path,
                 dun_plan_label(plan, member, i));
}

void dun_plan_file(const struct dun_plan *plan, int member, const char *end, struct dun_text *name)
{
  dun_text_add(name, "%s/%016llx%s", plan->folder.text, (unsigned long long)plan->identity[member],
               end);
}

int dun_member_arguments(const struct dun_plan *plan, int member, struct dun_member_arguments *own)
{
  const struct dun_arguments *given = plan->arguments;
  struct dun_arguments *a = &own->arguments;
  memset(own, 0, sizeof *own);
  own->set = dun_allocate(given->sets + DUN_MAX_VARIED + 1, sizeof *own->set);
  own->line = dun_allocate(given->sets + DUN_MAX_VARIED + 1, sizeof *own->line);
  if (!own->set || !own->line)
    return DUN_ERROR_MEMORY;
  *a = *given;
  a->set_line = own->line;
  a->command = DUN_COMMAND_RUN;
  a->set = own->set;
  a->sets = 0;
  for (int i = 0; i < given->sets; i++)
    own->set[a->sets++] = given->set[i];
  own->set[a->sets++] = "sweep={}";
  for (int i = 0; i < plan->members.varied; i++) {
    const struct dun_varied *option = &plan->members.option[i];
    int value = dun_members_value(&plan->members, i, member);
    dun_text_add(&own->text[i], "%s=%s", option->path, option->value[value]);
    if (own->text[i].failed)
      return dun_fail(DUN_ERROR_MEMORY, "no memory for the sweep");
    own->line[a->sets] = option->at[value];
    own->set[a->sets++] = own->text[i].text;
  }
  a->restart = !given->overwrite;
  a->quiet = 1;
  a->strict = 0;
  return 0;
}

void dun_member_free(struct dun_member_arguments *own)
{
  for (int i = 0; i < DUN_MAX_VARIED; i++)
    dun_text_free(&own->text[i]);
  DUN_FREE(own->set);
  DUN_FREE(own->line);
}

/* ---- reading ------------------------------------------------------------------------------- */

static void name_folder(struct dun_plan *plan, const char *input)
{
  const char *slash = strrchr(input, '/'), *stem = slash ? slash + 1 : input;
  const char *dot = strrchr(stem, '.');
  if (plan->arguments->output)
    dun_text_add(&plan->folder, "%s", plan->arguments->output);
  else
    dun_text_add(&plan->folder, "%.*s.sweep",
                 dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem), stem);
}

int dun_plan_read(struct dun_context *context, struct dun_plan *plan,
                  const struct dun_arguments *arguments)
{
  struct dun_source source = {0};
  memset(plan, 0, sizeof *plan);
  plan->arguments = arguments;
  int code = dun_source_read(context, arguments->operand[0], &source);
  if (code < 0)
    goto out;
  code = dun_input_parse(&plan->input, source.name, source.bytes, source.size, &plan->complaints);
  for (int i = 0; i < arguments->sets && code >= 0; i++)
    code = dun_input_set(&plan->input, arguments->set[i], &plan->complaints);
  if (code < 0 || dun_members_expand(&plan->members, &plan->input, &plan->complaints) < 0) {
    code = DUN_ERROR_INPUT;
    goto out;
  }
  name_folder(plan, source.name);
  plan->identity = dun_allocate(plan->members.count, sizeof *plan->identity);
  if (!plan->identity || plan->folder.failed)
    code = dun_fail(DUN_ERROR_MEMORY, "no memory for the sweep");
out:
  dun_source_free(&source);
  return dun_agree(context, code);
}

void dun_plan_free(struct dun_plan *plan)
{
  dun_members_free(&plan->members);
  dun_complaints_free(&plan->complaints);
  dun_input_free(&plan->input);
  dun_text_free(&plan->folder);
  DUN_FREE(plan->identity);
}

/* ---- before anything runs ------------------------------------------------------------------ */

static int tell_fault(struct dun_context *context, const struct dun_plan *plan,
                      const struct dun_complaints *complaints, int code, int member)
{
  struct dun_text label = {0};
  dun_plan_describe(plan, member, &label);
  if (context->rank == 0 && complaints && complaints->count)
    dun_tell(stderr, "%sdunlin: faults in member %d (%s); nothing was run\n", complaints->text.text,
             member + 1, label.text ? label.text : "");
  else if (context->rank == 0)
    dun_tell(stderr, "%s:%d:1: sweep: member %d (%s): %s\ndunlin: nothing was run\n",
             plan->input.name, plan->members.option[0].line, member + 1,
             label.text ? label.text : "", dun_error_text());
  dun_text_free(&label);
  return dun_exit_code(code);
}

static int bind_member(struct dun_context *context, struct dun_plan *plan, int member, int whole)
{
  struct dun_member_arguments own;
  struct dun_text sentence = {0};
  struct dun_assembly *assembly = dun_allocate(1, sizeof *assembly);
  int exit_code = 0, code = dun_member_arguments(plan, member, &own);
  code = dun_agree(context, assembly ? code : DUN_ERROR_MEMORY);
  if (code < 0) {
    exit_code = tell_fault(context, plan, NULL, code, member);
    goto out;
  }
  dun_text_add(&sentence, "dunlin: that was member %d (", member + 1);
  dun_plan_describe(plan, member, &sentence);
  dun_text_add(&sentence, "); nothing was run\n");
  dun_last_words_note(NULL, sentence.text);
  code = whole ? dun_assemble(context, assembly, &own.arguments)
               : dun_assemble_identity(context, assembly, &own.arguments);
  dun_last_words_note(NULL, NULL);
  plan->identity[member] = assembly->identity;
  if (code < 0)
    exit_code = tell_fault(context, plan, &assembly->binder.complaints, code, member);
  dun_assembly_free(assembly);
out:
  dun_member_free(&own);
  dun_text_free(&sentence);
  dun_free(assembly);
  return exit_code;
}

struct place {
  uint64_t identity;
  int member;
};

static int before(const void *a, const void *b)
{
  const struct place *one = a, *other = b;
  if (one->identity != other->identity)
    return one->identity < other->identity ? -1 : 1;
  return one->member - other->member;
}

/* The first pair of members that are one run; they would write one file. */
static int refuse_doubles(struct dun_context *context, const struct dun_plan *plan, int first,
                          int last)
{
  struct place *place = dun_allocate(last - first, sizeof *place);
  int code = dun_agree(context, place ? 0 : DUN_ERROR_MEMORY), count = last - first, found = -1;
  if (code < 0) {
    dun_free(place);
    return tell_fault(context, plan, NULL, code, first);
  }
  for (int i = 0; i < count; i++)
    place[i] = (struct place){plan->identity[first + i], first + i};
  qsort(place, (size_t)count, sizeof *place, before);
  for (int i = 1; i < count; i++)
    if (place[i].identity == place[i - 1].identity &&
        (found < 0 || place[i].member < place[found].member))
      found = i;
  if (found >= 0)
    code =
        dun_fail(DUN_ERROR_INPUT, "it is the same run as member %d", place[found - 1].member + 1);
  int member = found >= 0 ? place[found].member : first;
  dun_free(place);
  return code < 0 ? tell_fault(context, plan, NULL, code, member) : 0;
}

int dun_plan_bind(struct dun_context *context, struct dun_plan *plan, int first, int last,
                  int whole)
{
  int exit_code = 0;
  for (int i = first; i < last && exit_code == 0; i++)
    exit_code = bind_member(context, plan, i, whole);
  return exit_code ? exit_code : refuse_doubles(context, plan, first, last);
}
