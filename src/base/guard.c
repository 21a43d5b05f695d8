#include "base/guard.h"
#include <stdio.h>
#include <stdlib.h>

struct dun_guarded dun_guarded;

static void (*ending)(const char *detail);

void dun_guard_end_by(void (*end)(const char *detail))
{
  ending = end;
}

void dun_guard_trespass(const char *detail)
{
  if (ending)
    ending(detail);
  fprintf(stderr, "dunlin: target %s wrote outside of its arrays in `%s`: %s\n",
          dun_guarded.target ? dun_guarded.target : "", dun_guarded.function, detail);
  abort();
}
