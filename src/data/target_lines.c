#include "data/target_lines.h"
#include "base/digest.h"
#include <stdio.h>
#include <string.h>

/* A line up to its end, its name up to the colon, and its value. */
struct line {
  const char *text, *value, *end;
  int name, size; /* letters of the name, and of the value */
};

/* The line that begins at `text`; 0: there is none. */
static int line_at(const char *text, struct line *line)
{
  const char *end = text ? strchr(text, '\n') : NULL;
  if (!end)
    return 0;
  const char *colon = memchr(text, ':', (size_t)(end - text));
  *line = (struct line){.text = text, .end = end, .name = (int)((colon ? colon : end) - text)};
  line->value = colon && end - colon > 1 ? colon + 2 : end;
  line->size = (int)(end - line->value);
  return 1;
}

static int has_name(const struct line *line, const char *name, int size)
{
  return line->name == size && !memcmp(line->text, name, (size_t)size);
}

/* What there is to tell of the option's file, "DIGEST BYTES", behind its name; NULL: it is no file,
 * or none was given. */
static const char *file_of(const char *files, const struct line *line, int *size)
{
  for (const char *at = files, *end; at && (end = strchr(at, '\n')); at = end + 1) {
    char digest[32], bytes[32];
    if (strncmp(at, line->text, (size_t)line->name) != 0 || at[line->name] != ' ' ||
        sscanf(at + line->name, " %31s %31s", digest, bytes) != 2)
      continue;
    *size = (int)(strlen(digest) + strlen(bytes)) + 1;
    return at + line->name + 1;
  }
  return NULL;
}

static const char section[] = "target.";

void dun_target_lines(struct dun_text *out, const char *effective, const char *files)
{
  static const char timeout[] = "target.timeout";
  struct line line;
  for (const char *at = effective; line_at(at, &line); at = line.end + 1) {
    int size = 0;
    if (strncmp(at, section, strlen(section)) != 0 ||
        has_name(&line, timeout, (int)strlen(timeout)))
      continue;
    const char *file = file_of(files, &line, &size);
    if (file)
      dun_text_add(out, "%.*s: a file of %.*s\n", line.name, line.text, size, file);
    else if (line.end - line.text <= DUN_TARGET_LINE)
      dun_text_add(out, "%.*s\n", (int)(line.end - line.text), line.text);
    else
      dun_text_add(out, "%.*s: %.24s... %016llx\n", line.name, line.text, line.value,
                   (unsigned long long)dun_digest(0, line.value, line.size));
  }
}

void dun_target_lines_parameters(struct dun_text *out, int count,
                                 const struct dun_parameter *parameter)
{
  uint64_t digest = 0;
  for (int i = 0; i < count; i++) {
    const struct dun_parameter *p = &parameter[i];
    int transform = (int)p->transform, sane = p->rank >= 0 && p->rank <= DUN_MAX_SHAPE;
    digest = dun_digest(digest, p->name, (int64_t)strnlen(p->name, sizeof p->name));
    digest = dun_digest(digest, p->shape, sane * p->rank * (int64_t)sizeof *p->shape);
    digest = dun_digest(digest, &transform, sizeof transform);
    digest = dun_digest(digest, &p->lower, sizeof p->lower);
    digest = dun_digest(digest, &p->upper, sizeof p->upper);
  }
  dun_text_add(out, "its parameters: %d, %016llx\n", count, (unsigned long long)digest);
}

static int find(const char *text, const struct line *wanted, struct line *found)
{
  for (; line_at(text, found); text = found->end + 1)
    if (has_name(found, wanted->text, wanted->name))
      return 1;
  return 0;
}

/* What a file says is shown to people. */
static void clean(char *text)
{
  for (; *text; text++)
    if ((unsigned char)*text < ' ' || *text == 127)
      *text = '?';
}

int dun_target_lines_differ(const char *there, const char *here, char *text, size_t size)
{
  const char *const side[2] = {there, here}, *const where[2] = {"there", "here"};
  for (int s = 0; s < 2; s++) {
    struct line one, other;
    for (const char *at = side[s]; line_at(at, &one); at = one.end + 1) {
      int known = find(side[1 - s], &one, &other);
      if (!known && strncmp(at, section, strlen(section)) != 0)
        continue;
      if (known && one.size == other.size && !memcmp(one.value, other.value, (size_t)one.size))
        continue;
      if (known)
        snprintf(text, size, "%.*s is %.*s there and %.*s here", one.name, one.text, one.size,
                 one.value, other.size, other.value);
      else
        snprintf(text, size, "%.*s is %.*s %s and not known %s", one.name, one.text, one.size,
                 one.value, where[s], where[1 - s]);
      clean(text);
      return 1;
    }
  }
  return 0;
}
