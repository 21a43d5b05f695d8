#include "numerics/program.h"
#include "base/error.h"
#include "base/text.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What is read, and where. */
struct reader {
  const char *what, *text, *at, *letters;
};

static int refuse(const struct reader *r, const char *found, const char *expected)
{
  return dun_fail(DUN_ERROR_INPUT, "%s: \"%s\", column %d: %s; %s", r->what, r->text,
                  (int)(r->at - r->text) + 1, found, expected);
}

/* The share behind an operator: /N, a decimal number, or nothing. */
static int read_share(struct reader *r, double *share)
{
  char digits[32];
  int quotient = *r->at == '/';

  *share = 1;
  if (!quotient && *r->at != '.' && !isdigit((unsigned char)*r->at))
    return 0;
  r->at += quotient;
  size_t length = strspn(r->at, "0123456789.");
  snprintf(digits, sizeof digits, "%s%.*s", *r->at == '.' ? "0" : "", (int)length, r->at);
  double value = 0;
  if (length == 0 || length > 20 || dun_text_number(digits, &value) < 0 || !(value > 0) ||
      value > 1e6)
    return refuse(r, "a share must be a number above 0", "write B/2 or B.5");
  r->at += length;
  *share = quotient ? 1 / value : value;
  return 0;
}

static int read_operation(struct reader *r, struct dun_program_operation *operation)
{
  char found[32], known[64] = "known are";

  *operation = (struct dun_program_operation){.letter = *r->at};
  if (!isupper((unsigned char)*r->at) || !strchr(r->letters, *r->at)) {
    snprintf(found, sizeof found, "no operator \"%c\"", *r->at);
    for (const char *c = r->letters; *c; c++)
      snprintf(known + strlen(known), sizeof known - strlen(known), " %c", *c);
    return refuse(r, found, known);
  }
  r->at++;
  if (operation->letter != 'S')
    return read_share(r, &operation->share);
  operation->end = *r->at == '\'';
  r->at += operation->end;
  if (*r->at == '/' || *r->at == '.' || isdigit((unsigned char)*r->at))
    return refuse(r, "S takes no share", "it is S, or S' at the end's time");
  return 0;
}

/* The shares of every letter make the whole step. */
static int check_shares(const struct reader *r, const struct dun_program *program)
{
  for (const char *c = r->letters; *c; c++) {
    double sum = 0;
    for (int i = 0; i < program->count; i++)
      sum += program->operation[i].letter == *c ? program->operation[i].share : 0;
    if (*c != 'S' && dun_program_has(program, *c) && !(fabs(sum - 1) < 1e-9))
      return dun_fail(DUN_ERROR_INPUT, "%s: \"%s\": the shares of %c sum to %.9g, not to 1",
                      r->what, r->text, *c, sum);
  }
  return 0;
}

int dun_program_parse(const char *what, const char *text, const char *letters,
                      const struct dun_program_name *names, struct dun_program *program)
{
  struct reader r = {what, text, text, letters};
  int status = 0;

  for (const struct dun_program_name *n = names; n && n->name; n++)
    if (!strcasecmp(n->name, text))
      r.text = r.at = n->text;
  program->count = 0;
  for (r.at += strspn(r.at, " \t"); *r.at && status == 0; r.at += strspn(r.at, " \t")) {
    if (program->count == DUN_PROGRAM_MOST)
      return refuse(&r, "a program has at most 24 operators", "here is one more");
    status = read_operation(&r, &program->operation[program->count++]);
  }
  if (status == 0 && program->count == 0)
    return dun_fail(DUN_ERROR_INPUT, "%s: \"%s\": there is no operator", what, text);
  return status < 0 ? status : check_shares(&r, program);
}

/* Whether what the S at this place evaluates is read. */
static int is_read(const struct dun_program *program, int place, const char *users)
{
  for (int i = place + 1; i < program->count && program->operation[i].letter != 'S'; i++)
    if (strchr(users, program->operation[i].letter))
      return 1;
  return 0;
}

int dun_program_prune(struct dun_program *program, const char *users)
{
  int kept = 0, all = program->count;

  for (int i = 0; i < all; i++) {
    int drop = program->operation[i].letter == 'S' && !is_read(program, i, users);
    program->operation[kept] = program->operation[i];
    kept += !drop;
  }
  program->count = kept;
  return all - kept;
}

int dun_program_unscored(const struct dun_program *program, const char *users)
{
  for (int i = 0; i < program->count && program->operation[i].letter != 'S'; i++)
    if (strchr(users, program->operation[i].letter))
      return i;
  return -1;
}

int dun_program_has(const struct dun_program *program, char letter)
{
  int times = 0;

  for (int i = 0; i < program->count; i++)
    times += program->operation[i].letter == letter;
  return times;
}

int dun_program_evaluations(const struct dun_program *program)
{
  return dun_program_has(program, 'S');
}

int dun_program_palindrome(const struct dun_program *program)
{
  int first = 0, last = program->count - 1;

  for (; first < last; first++, last--) {
    const struct dun_program_operation *a, *b;
    while (first < last && program->operation[first].letter == 'S')
      first++;
    while (first < last && program->operation[last].letter == 'S')
      last--;
    a = &program->operation[first];
    b = &program->operation[last];
    if (a->letter != b->letter || !(fabs(a->share - b->share) < 1e-9))
      return 0;
  }
  return 1;
}

void dun_program_text(const struct dun_program *program, char *text, int size)
{
  int length = 0;

  for (int i = 0; i < program->count && length < size; i++) {
    const struct dun_program_operation *o = &program->operation[i];
    length += snprintf(text + length, (size_t)(size - length), "%s%c%s", i ? " " : "", o->letter,
                       o->end ? "'" : "");
    if (o->letter != 'S' && o->share != 1 && length < size)
      length += snprintf(text + length, (size_t)(size - length), "/%g", 1 / o->share);
  }
}
