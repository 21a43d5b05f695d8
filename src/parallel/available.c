/* The files are those of Linux: proc(5), Documentation/admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst.  A container may show its own group as the root, or name a path that its
 * /sys/fs/cgroup does not have: groups are looked for along the whole path, and what is not there
 * is passed over. */
#include "parallel/available.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_LENGTH = 4096, LINE_LENGTH = 4352, TEXT_LENGTH = 16384 };

/* Names of the files of a group in one version of the interface; NULL: there is none. */
struct version {
  const char *mount, *limit, *soft_limit, *usage, *cache;
};

static const struct version second = {"/sys/fs/cgroup", "memory.max", "memory.high",
                                      "memory.current", "inactive_file"};
static const struct version hybrid = {"/sys/fs/cgroup/unified", "memory.max", "memory.high",
                                      "memory.current", "inactive_file"};
static const struct version first = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", NULL,
                                     "memory.usage_in_bytes", "total_inactive_file"};

/* The begin of a file as text, cut after TEXT_LENGTH bytes; -1 if it cannot be read. */
static int read_text(const char *path, char text[TEXT_LENGTH])
{
  ssize_t length = 0, got = 0;
  int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0)
    return -1;
  while (length < TEXT_LENGTH - 1 &&
         (got = read(file, text + length, (size_t)(TEXT_LENGTH - 1 - length))) > 0)
    length += got;
  close(file);
  text[length] = 0;
  return got < 0 ? -1 : 0;
}

/* Digits and then the end of a word; -1 for all else.  What is above 2^63 - 1 counts as that. */
static int64_t whole(const char *text)
{
  int64_t value = 0;
  if (*text < '0' || *text > '9')
    return -1;
  for (; *text >= '0' && *text <= '9'; text++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *text - '0', &value))
      return INT64_MAX;
  return *text == 0 || *text == '\n' || *text == ' ' ? value : -1;
}

/* The number behind a name at the begin of a line; -1 if there is none. */
static int64_t number_of(const char *text, const char *name)
{
  size_t length = strlen(name);
  for (; text; text = strchr(text, '\n'), text += text != NULL)
    if (!strncmp(text, name, length) && (text[length] == ' ' || text[length] == ':'))
      return whole(text + length + 1 + strspn(text + length + 1, " "));
  return -1;
}

static int64_t read_number(const char *folder, const char *name)
{
  char path[PATH_LENGTH + 64], text[TEXT_LENGTH];
  if (!name || snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
      read_text(path, text) < 0)
    return -1;
  return whole(text);
}

/* Pages of files that were not used lately are given back before the limit hurts. */
static int64_t reclaimable(const char *folder, const struct version *version)
{
  char path[PATH_LENGTH + 64], text[TEXT_LENGTH];
  if (snprintf(path, sizeof path, "%s/memory.stat", folder) >= (int)sizeof path ||
      read_text(path, text) < 0)
    return 0;
  int64_t bytes = number_of(text, version->cache);
  return bytes > 0 ? bytes : 0;
}

/* What a group leaves; INT64_MAX if it has no limit. */
static int64_t left_in(const char *folder, const struct version *version)
{
  int64_t limit = read_number(folder, version->limit);
  int64_t soft = read_number(folder, version->soft_limit);
  int64_t usage = read_number(folder, version->usage);
  limit = limit < 0 || (soft >= 0 && soft < limit) ? soft : limit;
  if (limit < 0 || usage < 0)
    return limit < 0 ? INT64_MAX : limit;
  int64_t cache = reclaimable(folder, version);
  usage -= cache < usage ? cache : usage;
  return limit > usage ? limit - usage : 0;
}

/* The least along a path of groups, up to the mount itself. */
static int64_t left_along(const char *root, const struct version *version, const char *group)
{
  char folder[PATH_LENGTH];
  size_t mount = strlen(root) + strlen(version->mount);
  int64_t least = INT64_MAX;
  if (strstr(group, "/.."))
    group = ""; /* outside of what this namespace shows */
  if (snprintf(folder, sizeof folder, "%s%s%s", root, version->mount, group) >= (int)sizeof folder)
    return INT64_MAX;
  for (;;) {
    int64_t left = left_in(folder, version);
    least = left < least ? left : least;
    char *end = strrchr(folder + mount, '/');
    if (!end)
      return least;
    *end = 0;
  }
}

/* Of a line "number:controllers:path" of /proc/self/cgroup. */
static int64_t left_by_line(const char *root, char *line)
{
  char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
  if (!group || group[1] != '/')
    return INT64_MAX;
  *controllers++ = *group++ = 0;
  group[strcspn(group, "\n")] = 0;
  if (!*controllers) {
    int64_t one = left_along(root, &second, group), other = left_along(root, &hybrid, group);
    return one < other ? one : other;
  }
  for (char *rest = controllers, *word; (word = strsep(&rest, ","));)
    if (!strcmp(word, "memory"))
      return left_along(root, &first, group);
  return INT64_MAX;
}

static int64_t left_by_groups(const char *root)
{
  char path[PATH_LENGTH], line[LINE_LENGTH];
  int64_t least = INT64_MAX;
  if (snprintf(path, sizeof path, "%s/proc/self/cgroup", root) >= (int)sizeof path)
    return INT64_MAX;
  FILE *file = fopen(path, "re");
  while (file && fgets(line, sizeof line, file)) {
    int64_t left = left_by_line(root, line);
    least = left < least ? left : least;
  }
  if (file)
    fclose(file);
  return least;
}

static int64_t left_on_machine(const char *root)
{
  char path[PATH_LENGTH], text[TEXT_LENGTH];
  int64_t kilobytes;
  if (snprintf(path, sizeof path, "%s/proc/meminfo", root) >= (int)sizeof path ||
      read_text(path, text) < 0 || (kilobytes = number_of(text, "MemAvailable")) < 0)
    return INT64_MAX;
  return kilobytes < INT64_MAX / 1024 ? kilobytes * 1024 : INT64_MAX;
}

int64_t dun_memory_available_under(const char *root)
{
  int64_t machine = left_on_machine(root), groups = left_by_groups(root);
  return machine < groups ? machine : groups;
}

int64_t dun_memory_available(void)
{
  int64_t told = dun_memory_available_under("");
  long long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  if (told < INT64_MAX || pages <= 0 || page <= 0)
    return told;
  return pages * page;
}
