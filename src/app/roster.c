#include "app/roster.h"
#include "app/claim.h"
#include "app/progress.h"
#include "app/standing.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what is to be done -------------------------------------------------------------------- */

enum lot { NEVER_TRIED, TRIED, DONE, HELD };

/* Of one member, by its files, after what a dead process has left was made a reason. */
static enum lot lot_of(const char *result, uint64_t identity, int overwrite)
{
  struct dun_text reason = {0};
  enum dun_claimed claimed = dun_claim_look(result, &reason);
  if (claimed == DUN_CLAIM_HELD)
    return HELD;
  struct dun_text nobody = {0};
  enum dun_standing standing = dun_standing_of(result, identity, NULL, &nobody);
  dun_text_free(&nobody);
  int is_done = standing == DUN_STANDING_DONE || standing == DUN_STANDING_BUDGET;
  if (claimed == DUN_CLAIM_DEAD && !is_done)
    dun_standing_keep(result, reason.text ? reason.text : "it died");
  if (claimed != DUN_CLAIM_NONE)
    dun_claim_forget(result);
  dun_text_free(&reason);
  if (is_done && !overwrite)
    return DONE;
  return claimed == DUN_CLAIM_DEAD || standing == DUN_STANDING_FAILED ? TRIED : NEVER_TRIED;
}

static int sort(struct dun_roster *roster, int first, int last)
{
  const struct dun_plan *plan = roster->plan;
  char *lot = dun_allocate(last - first, 1);
  int code = lot ? 0 : DUN_ERROR_MEMORY;
  for (int i = first; i < last && code == 0; i++) {
    struct dun_text result = {0};
    dun_plan_file(plan, i, ".h5", &result);
    if (result.failed)
      code = dun_fail(DUN_ERROR_MEMORY, "no memory for the sweep");
    else
      lot[i - first] = (char)lot_of(result.text, plan->identity[i], plan->arguments->overwrite);
    dun_text_free(&result);
  }
  for (int wanted = NEVER_TRIED; wanted <= TRIED && code == 0; wanted++)
    for (int i = first; i < last; i++)
      if (lot[i - first] == wanted)
        roster->member[roster->count++] = i;
  for (int i = first; i < last && code == 0; i++) {
    roster->done += lot[i - first] == DONE;
    roster->held += lot[i - first] == HELD;
  }
  dun_free(lot);
  return code;
}

int dun_roster_init(struct dun_context *context, struct dun_roster *roster,
                    const struct dun_plan *plan, int first, int last)
{
  *roster = (struct dun_roster){.plan = plan, .began = dun_clock()};
  roster->member = dun_allocate(last - first, sizeof *roster->member);
  roster->over = dun_allocate(last - first, 1);
  int code = roster->member && roster->over ? 0 : DUN_ERROR_MEMORY;
  if (code == 0 && context->rank == 0)
    code = sort(roster, first, last);
  if ((code = dun_agree(context, code)) < 0)
    return code;
  int counts[] = {roster->count, roster->done, roster->held};
  dun_broadcast(context, counts, sizeof counts, 0);
  roster->count = counts[0];
  roster->done = counts[1];
  roster->held = counts[2];
  return dun_broadcast(context, roster->member, roster->count * (int64_t)sizeof *roster->member, 0);
}

void dun_roster_free(struct dun_roster *roster)
{
  DUN_FREE(roster->member);
  DUN_FREE(roster->over);
}

/* ---- how far it is ------------------------------------------------------------------------- */

static int is_there(const char *result, const char *end)
{
  char *name = dun_standing_file(result, end);
  int there = name && access(name, F_OK) == 0;
  dun_free(name);
  return there;
}

/* Those that are over do not change any more.  Whoever takes a member forgets why it failed
 * before. */
static void look(struct dun_roster *roster, int i, int *running)
{
  struct dun_text result = {0};
  dun_plan_file(roster->plan, roster->member[i], ".h5", &result);
  enum dun_claimed claimed = result.failed ? DUN_CLAIM_NONE : dun_claim_look(result.text, NULL);
  if (claimed == DUN_CLAIM_OVER)
    roster->over[i] = is_there(result.text, ".failed") ? 'f'
                      : is_there(result.text, ".h5")   ? 'd'
                                                       : 0;
  *running += claimed == DUN_CLAIM_HELD || claimed == DUN_CLAIM_DEAD;
  dun_text_free(&result);
}

void dun_roster_tell(struct dun_roster *roster, double between, struct dun_text *text)
{
  int done = 0, failed = 0, running = 0;
  double now = dun_clock(), elapsed = now - roster->began;
  char left[32];
  if (now - roster->shown < between)
    return;
  roster->shown = now;
  for (int i = 0; i < roster->count; i++) {
    if (!roster->over[i])
      look(roster, i, &running);
    done += roster->over[i] == 'd';
    failed += roster->over[i] == 'f';
  }
  dun_text_add(text, "%d of %d members done", roster->done + done,
               roster->done + roster->count + roster->held);
  if (failed > 0)
    dun_text_add(text, ", %d failed", failed);
  if (running > 0)
    dun_text_add(text, ", %d running", running);
  if (done + failed > 0 && done + failed < roster->count)
    dun_text_add(text, ", about %s left",
                 dun_seconds_text(elapsed / (done + failed) * (roster->count - done - failed), left,
                                  sizeof left));
}
