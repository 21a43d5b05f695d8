#include "app/standing.h"
#include "app/claim.h"
#include "base/error.h"
#include "base/memory.h"
#include "io/checkpoint_file.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *dun_standing_word(enum dun_standing standing)
{
  static const char *const word[] = {
      [DUN_STANDING_MISSING] = "missing", [DUN_STANDING_DONE] = "done",
      [DUN_STANDING_BUDGET] = "budget",   [DUN_STANDING_FAILED] = "failed",
      [DUN_STANDING_STOPPED] = "stopped",
  };
  return word[standing];
}

char *dun_standing_file(const char *result, const char *end)
{
  const char *dot = strrchr(result, '.');
  struct dun_text name = {0};
  dun_text_add(&name, "%.*s%s", dot ? (int)(dot - result) : (int)strlen(result), result, end);
  return name.text;
}

/* ---- reasons ------------------------------------------------------------------------------- */

/* What has the name gives it up: a link is not followed, a pipe not waited for. */
void dun_standing_keep(const char *result, const char *reason)
{
  char *name = dun_standing_file(result, ".failed");
  if (name)
    unlink(name);
  int file = reason && name ? open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
  if (file >= 0) {
    dprintf(file, "%s\n", reason);
    close(file);
  }
  dun_free(name);
}

/* Anything may lie there; the first line counts.  1: there is such a file. */
static int read_reason(const char *result, struct dun_text *reason)
{
  char *name = dun_standing_file(result, ".failed"), line[2048] = "";
  int descriptor = name ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
  FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
  dun_free(name);
  if (!file && descriptor >= 0)
    close(descriptor);
  if (!file)
    return 0;
  if (!fgets(line, sizeof line, file))
    *line = 0;
  fclose(file);
  size_t length = strcspn(line, "\r\n");
  while (length > 0 && strchr(" .", line[length - 1]))
    length--;
  line[length] = 0;
  for (char *c = line; *c;) {
    int bytes = (unsigned char)*c < 32 ? 0 : dun_text_character(c);
    if (!bytes)
      *c = '?';
    c += bytes ? bytes : 1;
  }
  dun_text_add(reason, "%s", *line ? line : "it failed without a word");
  return 1;
}

/* ---- results ------------------------------------------------------------------------------- */

static const struct dun_attribute *root_of(const struct dun_result_file *file, const char *name)
{
  return dun_attribute_find(file->attribute, file->attributes, name);
}

static enum dun_standing look_at_result(const char *result, uint64_t identity,
                                        struct dun_result_file *file, struct dun_text *reason)
{
  char number[20];
  snprintf(number, sizeof number, "%016llx", (unsigned long long)identity);
  if (dun_result_open(file, result) < 0) {
    size_t length = strlen(dun_error_text());
    int stop = length > 0 && dun_error_text()[length - 1] == '.';
    dun_text_add(reason, "%.*s", (int)length - stop, dun_error_text());
    return DUN_STANDING_FAILED;
  }
  if (!strcmp(dun_attribute_text(root_of(file, "identity")), number))
    return dun_attribute_number(root_of(file, "cut_short")) == 1 ? DUN_STANDING_BUDGET
                                                                 : DUN_STANDING_DONE;
  dun_text_add(reason, "'%s' is the result of another run", result);
  dun_result_close(file);
  return DUN_STANDING_FAILED;
}

static int has_checkpoint(const char *result)
{
  char *name = dun_checkpoint_left(result);
  int there = name != NULL;
  dun_free(name);
  return there;
}

enum dun_standing dun_standing_of(const char *result, uint64_t identity,
                                  struct dun_result_file *file, struct dun_text *reason)
{
  struct dun_result_file own = {.handle = -1};
  struct stat status;
  if (stat(result, &status) == 0) {
    enum dun_standing standing = look_at_result(result, identity, file ? file : &own, reason);
    if (!file)
      dun_result_close(&own);
    return standing;
  }
  enum dun_claimed claimed = dun_claim_look(result, reason);
  if (claimed == DUN_CLAIM_HELD)
    dun_text_add(reason, "it is being run");
  if (claimed == DUN_CLAIM_HELD || claimed == DUN_CLAIM_DEAD)
    return claimed == DUN_CLAIM_HELD ? DUN_STANDING_MISSING : DUN_STANDING_FAILED;
  if (read_reason(result, reason))
    return DUN_STANDING_FAILED;
  if (!has_checkpoint(result))
    return DUN_STANDING_MISSING;
  dun_text_add(reason, "it stopped early with a checkpoint");
  return DUN_STANDING_STOPPED;
}
