#include "kernels/kernel.h"
#include "base/error.h"

int dun_kernel_suits(const struct dun_kernel *kernel, const struct dun_target *target,
                     const struct dun_path *path)
{
  const char *name = kernel->type.name;
  if (kernel->moves_letters && target->support == DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT,
                    "kernel %s moves spins and letters, and points of target %s are real numbers",
                    name, target->type.name);
  if (!kernel->moves_letters && target->support != DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT,
                    "kernel %s moves points of real numbers, and those of target %s are %s, which "
                    "kernel glauber moves",
                    name, target->type.name, target->support == DUN_SPINS ? "spins" : "letters");
  if (kernel->moves_letters && !target->site)
    return dun_fail(DUN_ERROR_INPUT,
                    "kernel %s moves one coordinate at a time, for which target %s has no function "
                    "`site`",
                    name, target->type.name);
  if (kernel->moves_letters && !path->site)
    return dun_fail(DUN_ERROR_INPUT,
                    "kernel %s moves spins and letters, and path %s has none; take geometric or "
                    "constant",
                    name, path->type.name);
  return 0;
}
