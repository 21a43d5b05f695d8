#include "population/answers.h"
#include "base/memory.h"
#include <string.h>

/* Room for so many numbers; 0: there is none. */
static int make_room(struct dun_answers *a, int64_t count)
{
  int64_t room = a->room > 0 ? a->room : 1024;
  if (count <= a->room)
    return 1;
  while (room < count)
    room *= 2;
  double *value = dun_allocate(room, sizeof *value);
  if (!value)
    return 0;
  if (a->count > 0)
    memcpy(value, a->value, (size_t)a->count * sizeof *value);
  dun_free(a->value);
  a->value = value;
  a->room = room;
  return 1;
}

void dun_answers_begin(struct dun_answers *a, int64_t most, int64_t count, const double *value)
{
  a->count = a->at = 0;
  a->most = most;
  a->kept = count <= most && make_room(a, count);
  if (!a->kept || count == 0)
    return;
  memcpy(a->value, value, (size_t)count * sizeof *value);
  a->count = count;
}

int dun_answers_ended(const struct dun_answers *a)
{
  return !a->kept || a->at == a->count;
}

static void copy(double *to, const double *from, int64_t count)
{
  if (to && count > 0)
    memcpy(to, from, (size_t)count * sizeof *to);
}

int dun_answers_take(struct dun_answers *a, int64_t ones, double *one, int64_t size, double *more)
{
  int64_t first = one ? ones : 0, second = more ? size : 0;
  if (!a->kept || a->count - a->at < first + second)
    return 0;
  copy(one, a->value + a->at, first);
  copy(more, a->value + a->at + first, second);
  a->at += first + second;
  return 1;
}

void dun_answers_put(struct dun_answers *a, int64_t ones, const double *one, int64_t size,
                     const double *more)
{
  int64_t first = one ? ones : 0, second = more ? size : 0, count = a->at + first + second;
  /* Numbers of an answer that is there in part are written over; behind one that found no room
   * there is no other. */
  if (!a->kept || count > a->most || !make_room(a, count)) {
    a->most = a->at;
    return;
  }
  copy(a->value + a->at, one, first);
  copy(a->value + a->at + first, more, second);
  a->at = a->count = count;
}

void dun_answers_forget(struct dun_answers *a)
{
  a->kept = 0;
  a->count = a->at = 0;
}

void dun_answers_free(struct dun_answers *a)
{
  DUN_FREE(a->value);
  *a = (struct dun_answers){0};
}
