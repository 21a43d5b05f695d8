/* How much memory is left: of the machine, and of the control groups that a Slurm job or a
 * container is put into. */
#ifndef DUNLIN_PARALLEL_AVAILABLE_H
#define DUNLIN_PARALLEL_AVAILABLE_H

#include <stdint.h>

/* Bytes that the processes of this rank's node can still have together; INT64_MAX if nothing tells.
 * The smallest of
 *   MemAvailable of /proc/meminfo (without it the free pages),
 *   limit - usage + inactive file pages of every control group from this process's up to the root:
 *   of version 2 memory.max or memory.high (the smaller), memory.current, inactive_file of
 *   memory.stat; of version 1 memory.limit_in_bytes, memory.usage_in_bytes, total_inactive_file.
 * Local; files that are absent or no numbers say nothing, they are no errors. */
int64_t dun_memory_available(void);

/* The same from the files of a tree: `root` stands before /proc/meminfo, /proc/self/cgroup and
 * /sys/fs/cgroup.  INT64_MAX if there is none. */
int64_t dun_memory_available_under(const char *root);

#endif
