#include "app/running.h"
#include "app/claim.h"
#include "app/commands.h"
#include "app/last_words.h"
#include "app/roster.h"
#include "app/standing.h"
#include "app/stop.h"
#include "base/error.h"
#include "base/tell.h"
#include "parallel/groups.h"
#include "parallel/sum.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* What the members of one group need and leave behind. */
struct crew {
  const struct dun_plan *plan;
  struct dun_groups groups;
  struct dun_context context; /* of the group */
  struct dun_roster roster;
  double began;
  int64_t done, failed;
  int stopped;
};

/* A member at work. */
struct work {
  int member;
  struct dun_member_arguments own;
  struct dun_text file, mark, label, sentence;
  struct dun_claim claim; /* the leader's */
};

/* ---- one member ---------------------------------------------------------------------------- */

static int prepare(const struct crew *crew, struct work *w)
{
  const struct dun_plan *plan = crew->plan;
  int code = dun_member_arguments(plan, w->member, &w->own);
  dun_plan_file(plan, w->member, ".h5", &w->file);
  dun_plan_file(plan, w->member, ".running", &w->mark);
  dun_plan_describe(plan, w->member, &w->label);
  dun_text_add(&w->sentence,
               "dunlin: that was member %d of %d (%s); the same command goes on with the others\n",
               w->member + 1, plan->members.count, w->label.text ? w->label.text : "");
  w->own.arguments.output = w->file.text;
  if (w->file.failed || w->mark.failed || w->label.failed || w->sentence.failed)
    return dun_fail(DUN_ERROR_MEMORY, "no memory for the sweep");
  return code;
}

static void release(struct work *w)
{
  dun_member_free(&w->own);
  dun_text_free(&w->file);
  dun_text_free(&w->mark);
  dun_text_free(&w->label);
  dun_text_free(&w->sentence);
}

/* What the summary of the run would count to it: costs begin anew with a context of its own. */
static int run(struct crew *crew, struct work *w)
{
  struct dun_context own;
  int exit_code = 1;
  if (dun_groups_context(&crew->groups, &own, crew->context.log.level) < 0)
    return exit_code;
  own.log = crew->context.log;
  dun_last_words_note(w->mark.text, w->sentence.text);
  exit_code = dun_command_run(&own, &w->own.arguments, crew->began, NULL);
  dun_last_words_note(NULL, NULL);
  crew->context.log.line_open = own.log.line_open;
  dun_context_free(&own);
  return exit_code;
}

static void tell_failure(const struct crew *crew, const struct work *w)
{
  if (crew->context.rank == 0)
    dun_tell(stderr, "dunlin: member %d of %d (%s) has failed\n", w->member + 1,
             crew->plan->members.count, w->label.text ? w->label.text : "");
}

/* The progress line of the sweep stands before that of the member. */
static void show(struct crew *crew)
{
  struct dun_log *log = &crew->context.log;
  struct dun_text line = {0};
  if (crew->groups.rank != 0 || crew->roster.count == 1)
    return;
  dun_roster_tell(&crew->roster, log->terminal ? .2 : 10, &line);
  if (line.text && !line.failed) {
    *log->before = 0;
    dun_progress(log, "%s", line.text);
    snprintf(log->before, sizeof log->before, "%s  |  ", line.text);
  }
  dun_text_free(&line);
}

/* Collective over the group; the leader has taken the member. */
static void do_member(struct crew *crew, struct work *w)
{
  int exit_code = 1, code = dun_agree(&crew->context, prepare(crew, w));
  if (crew->context.rank == 0 && code == 0)
    dun_standing_keep(w->file.text, NULL);
  if (code == 0)
    exit_code = run(crew, w);
  if (crew->context.rank == 0 && exit_code != DUN_EXIT_STOPPED && w->file.text)
    dun_standing_keep(w->file.text, exit_code ? dun_error_text() : NULL);
  crew->done += exit_code == 0;
  if (exit_code == DUN_EXIT_STOPPED)
    crew->stopped = 1;
  else if (exit_code != 0) {
    crew->failed++;
    tell_failure(crew, w);
  }
  release(w);
}

/* ---- a group ------------------------------------------------------------------------------- */

enum { NOTHING_LEFT = -1, STOP = -2 };

/* The leader's: the next member that is nobody's, or why there is none. */
static int take(struct crew *crew, struct work *w)
{
  struct dun_roster *roster = &crew->roster;
  while (roster->next < roster->count) {
    struct dun_text result = {0};
    if (dun_stop_asked() || dun_groups_told(&crew->groups))
      return STOP;
    w->member = roster->member[roster->next++];
    dun_plan_file(crew->plan, w->member, ".h5", &result);
    int code = result.failed ? DUN_ERROR_MEMORY : dun_claim_take(&w->claim, result.text);
    dun_text_free(&result);
    if (code == 1)
      return w->member;
    dun_claim_end(&w->claim);
    if (code < 0)
      return code;
  }
  return NOTHING_LEFT;
}

/* Collective over the group. */
static int work_through(struct crew *crew)
{
  for (;;) {
    struct work w = {.claim = {.file = -1}};
    int answer[2] = {0, 0};
    if (crew->context.rank == 0) {
      answer[0] = take(crew, &w);
      answer[1] = answer[0] < STOP;
    }
    dun_broadcast(&crew->context, answer, sizeof answer, 0);
    w.member = answer[0];
    if (answer[1])
      return dun_agree(&crew->context, crew->context.rank == 0 ? answer[0] : 0);
    if (w.member == NOTHING_LEFT)
      return 0;
    crew->stopped = w.member == STOP;
    if (w.member >= 0) {
      show(crew);
      do_member(crew, &w);
    }
    if (crew->context.rank == 0 && w.member >= 0)
      dun_claim_end(&w.claim);
    if (crew->stopped) {
      if (crew->context.rank == 0)
        dun_groups_tell(&crew->groups);
      return 0;
    }
  }
}

/* ---- all of them --------------------------------------------------------------------------- */

static int make_folder(struct dun_context *context, const struct dun_plan *plan)
{
  int code = 0;
  if (context->rank == 0 && mkdir(plan->folder.text, 0777) && errno != EEXIST)
    code = dun_fail(DUN_ERROR_FILE, "%s: the folder cannot be made: %s", plan->folder.text,
                    strerror(errno));
  return dun_agree(context, code);
}

static void forget_claims(const struct crew *crew)
{
  for (int i = 0; i < crew->roster.count; i++) {
    struct dun_text result = {0};
    dun_plan_file(crew->plan, crew->roster.member[i], ".h5", &result);
    if (!result.failed && dun_claim_look(result.text, NULL) == DUN_CLAIM_OVER)
      dun_claim_forget(result.text);
    dun_text_free(&result);
  }
}

/* Collective over all: sums over the groups, and the end of what they said to each other. */
static int add_up(struct dun_context *context, struct crew *crew, int code)
{
  int64_t value[] = {crew->context.rank == 0 ? crew->done : 0,
                     crew->context.rank == 0 ? crew->failed : 0};
  crew->stopped |= dun_groups_end(&crew->groups);
  if ((code = dun_sum_integers(context, code, 2, value)) < 0)
    return code;
  if (context->rank == 0)
    forget_claims(crew);
  crew->done = value[0];
  crew->failed = value[1];
  return 0;
}

static int tell_end(struct dun_context *context, struct crew *crew, int members)
{
  const struct dun_roster *roster = &crew->roster;
  int64_t done = roster->done + crew->done;
  int64_t elsewhere = members - done - crew->failed;
  context->log.line_open = crew->context.log.line_open;
  if (crew->stopped) {
    if (context->rank == 0)
      dun_tell(stderr,
               "%sdunlin: the sweep was stopped early, %lld of %d members are done: the "
               "same command goes on\n",
               context->log.line_open ? "\n" : "", (long long)done, members);
    return DUN_EXIT_STOPPED;
  }
  dun_note(&context->log, "%lld of %d members done, %d of them before, %lld failed: %s",
           (long long)done, members, roster->done, (long long)crew->failed,
           crew->plan->folder.text);
  if (elsewhere > 0 && context->rank == 0)
    dun_warn(&context->log, "%lld members are run by other processes (files .running)",
             (long long)elsewhere);
  return crew->failed > 0 || (elsewhere > 0 && crew->plan->arguments->index > 0);
}

static int begin(struct dun_context *context, struct crew *crew, int first, int last)
{
  long long groups = crew->plan->arguments->groups;
  int code = make_folder(context, crew->plan);
  if (code == 0)
    code = dun_roster_init(context, &crew->roster, crew->plan, first, last);
  if (code == 0)
    code = dun_groups_init(context, &crew->groups, groups > 0 ? (int)groups : 1);
  if (code == 0)
    code = dun_groups_context(&crew->groups, &crew->context, context->log.level);
  if (code == 0 && crew->groups.number > 0 && crew->context.log.level > DUN_WARNINGS)
    crew->context.log.level = DUN_WARNINGS; /* one group's progress is shown */
  crew->context.log.is_many = 1;
  return code;
}

int dun_running(struct dun_context *context, const struct dun_plan *plan, int first, int last,
                double began)
{
  struct crew crew = {.plan = plan, .began = began};
  int exit_code, code = begin(context, &crew, first, last);
  if (code == 0)
    code = add_up(context, &crew, work_through(&crew));
  if (code < 0 && context->rank == 0)
    dun_tell(stderr, "dunlin: %s\n", dun_error_text());
  exit_code = code < 0 ? dun_exit_code(code) : tell_end(context, &crew, last - first);
  dun_context_free(&crew.context);
  dun_groups_free(&crew.groups);
  dun_roster_free(&crew.roster);
  return exit_code;
}
