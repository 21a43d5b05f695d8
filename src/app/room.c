#include "app/room.h"
#include "app/estimate.h"
#include "base/error.h"
#include "base/text.h"
#include "io/durable.h"
#include "parallel/host.h"
#include "parallel/sum.h"
#include <string.h>
#include <sys/statvfs.h>

/* A job that takes more than its control group may have is killed without a word. */
static int check_memory(struct dun_context *context, const struct dun_assembly *assembly)
{
  const struct dun_run *run = &assembly->run;
  double particles = (double)dun_population_memory(&run->population), room;
  double need[2] = {particles + dun_estimate_buffers(run), particles};
  int code = dun_host_memory(context, &room);
  if (code < 0 || (code = dun_max(context, 0, 2, need)) < 0 || need[0] <= room)
    return code;
  return dun_fail(DUN_ERROR_MEMORY,
                  "the run takes %.4g GB of memory on each rank, %.4g of them for its %lld "
                  "particles, and %.4g GB are left for it (what node and job have left, divided by "
                  "the ranks of a node): take more nodes, or fewer particles%s",
                  need[0] * 1e-9, need[1] * 1e-9, run->options.particles, room * 1e-9,
                  run->kept.due > 0 ? " or draws" : "");
}

/* Bytes of the result, in floating point: the product of what an input may ask for is beyond whole
 * numbers. */
static double result_bytes(const struct dun_assembly *assembly)
{
  const struct dun_run *run = &assembly->run;
  double chains = (double)run->options.replicates;
  double draws = (double)dun_assembly_draws(assembly), each = 8. * run->evaluator->outputs + 8;
  each += 8. * run->pointwise + (run->unconstrained ? 8. * run->evaluator->dimension : 0);
  if (run->kept.due > 0)
    chains *= (double)run->kept.chains.total;
  for (int i = 0; i < run->population.columns; i++) {
    const struct dun_column *column = &run->population.column[i];
    if (column->flags & DUN_OUTPUT)
      each += (double)dun_column_size(column->type) * column->width;
  }
  return chains * draws * each + 16 * (chains + draws);
}

/* Rank 0.  What is free where the result will lie; a run that goes on has its place already. */
static int check_disk(const struct dun_assembly *assembly)
{
  const double most = 1e18;
  double need = result_bytes(assembly);
  const char *slash = strrchr(assembly->file, '/');
  struct dun_text folder = {0};
  struct statvfs disk;
  if (need > most)
    return dun_fail(DUN_ERROR_INPUT,
                    "the result %s would have %.3g bytes, and no file holds more than %.3g: take "
                    "fewer chains, draws or replicates",
                    assembly->file, need, most);
  dun_text_add(&folder, "%.*s", slash ? (int)(slash - assembly->file) + 1 : 1,
               slash ? assembly->file : ".");
  int known = !folder.failed && statvfs(folder.text, &disk) == 0;
  double room = known ? (double)disk.f_bavail * (double)disk.f_frsize : need;
  dun_text_free(&folder);
  if (need <= room || assembly->arguments->restart)
    return 0;
  return dun_fail(DUN_ERROR_FILE,
                  "the result %s needs %.4g GB of space, and %.4g GB are free there: take fewer "
                  "draws (output.draws, method.draws), or another disk",
                  assembly->file, need * 1e-9, room * 1e-9);
}

int dun_room_check(struct dun_context *context, const struct dun_assembly *assembly)
{
  int code = check_memory(context, assembly);
  return code < 0 ? code : dun_agree(context, context->rank == 0 ? check_disk(assembly) : 0);
}
