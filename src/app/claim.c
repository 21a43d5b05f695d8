#include "app/claim.h"
#include "app/standing.h"
#include "base/error.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char over[] = "over";

/* Where the file system has no locks nothing is held. */
static int is_held(int file)
{
  if (flock(file, LOCK_SH | LOCK_NB) < 0)
    return errno == EWOULDBLOCK;
  flock(file, LOCK_UN);
  return 0;
}

enum dun_claimed dun_claim_look(const char *result, struct dun_text *reason)
{
  char *name = dun_standing_file(result, ".running"), text[256];
  int file = name ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
  dun_free(name);
  if (file < 0)
    return DUN_CLAIM_NONE;
  ssize_t size = read(file, text, sizeof text - 1);
  text[size > 0 ? size : 0] = 0;
  int held = is_held(file);
  close(file);
  if (!strcmp(text, over))
    return DUN_CLAIM_OVER;
  if (held)
    return DUN_CLAIM_HELD;
  if (reason)
    dun_text_add(reason, "%s",
                 *text ? text : "it ended without a word: killed, or its node was lost");
  return DUN_CLAIM_DEAD;
}

int dun_claim_take(struct dun_claim *claim, const char *result)
{
  claim->name = dun_standing_file(result, ".running");
  claim->file = -1;
  if (!claim->name)
    return DUN_ERROR_MEMORY;
  claim->file = open(claim->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (claim->file < 0 && errno == EEXIST)
    return 0;
  if (claim->file < 0)
    return dun_fail(DUN_ERROR_FILE, "'%s' cannot be made: %s.", claim->name, strerror(errno));
  flock(claim->file, LOCK_EX | LOCK_NB);
  return 1;
}

void dun_claim_end(struct dun_claim *claim)
{
  if (claim->file >= 0) {
    ssize_t put = write(claim->file, over, strlen(over));
    (void)put; /* it would be taken for one that died, and done again */
    close(claim->file);
  }
  claim->file = -1;
  DUN_FREE(claim->name);
}

void dun_claim_forget(const char *result)
{
  char *name = dun_standing_file(result, ".running");
  if (name)
    unlink(name);
  dun_free(name);
}
