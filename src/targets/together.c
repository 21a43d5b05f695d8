#include "targets/together.h"

extern const struct dun_together dun_together_log_gaussian_cox_process;

static const struct dun_together *find(const struct dun_target *target)
{
  static const struct dun_together *const all[] = {&dun_together_log_gaussian_cox_process};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (all[i]->target == target)
      return all[i];
  return NULL;
}

int dun_together_has(const struct dun_target *target)
{
  return find(target) != NULL;
}

int dun_together_init(struct dun_context *context, const struct dun_target *target, void *self,
                      struct dun_tables *tables)
{
  const struct dun_together *together = find(target);
  *tables = (struct dun_tables){0};
  return together ? together->init(context, self, tables) : 0;
}
