#include "methods/smc_check.h"
#include "base/error.h"
#include "methods/pilots.h"

static int check_kernel(const struct dun_run *run, const struct dun_moves *moves, int at_point)
{
  if (dun_kernel_is_biased(run->kernel, run->kernel_self) && !run->kernel->weighs)
    return dun_fail(DUN_ERROR_INPUT,
                    "method smc needs a kernel that leaves pi_t invariant or weighs its moves, and "
                    "kernel %s does neither",
                    run->kernel->type.name);
  if (at_point && !run->kernel->weighs_point)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s begins at one point, from which kernel %s gives no weights: let it "
                    "begin at a density, or take kernel ula",
                    run->path->type.name, run->kernel->type.name);
  if (at_point && moves->at == DUN_MOVES_END)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s begins at one point and is weighed from the first move on: take "
                    "moves_at: every",
                    run->path->type.name);
  return 0;
}

/* Without moves. */
static int check_rest(const struct dun_run *run, int at_point)
{
  if (dun_pilots_due(run) > 0)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s fits its base to pilot chains, which move, and moves_per_step is 0: "
                    "take a stated base",
                    run->path->type.name);
  if (at_point)
    return dun_fail(DUN_ERROR_INPUT,
                    "path %s begins at one point, and without moves nothing gives weights from "
                    "there: let it begin at a density",
                    run->path->type.name);
  return 0;
}

int dun_smc_check(const struct dun_run *run, const struct dun_moves *moves, int *at_point)
{
  if (!run->path->schedule)
    return dun_fail(DUN_ERROR_INPUT,
                    "method smc needs a path with a schedule, and path %s has none",
                    run->path->type.name);
  int status = dun_pilots_check(run);
  if (status >= 0)
    status = dun_path_at_point(run->path, run->path_self, run->evaluator->dimension, at_point);
  if (status < 0)
    return status;
  return run->kernel ? check_kernel(run, moves, *at_point) : check_rest(run, *at_point);
}
