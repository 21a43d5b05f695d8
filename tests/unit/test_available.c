/* ranks: 1 */
/* Free memory from made-up trees of files: limits of control groups of both versions, nested,
 * absent, and files full of nonsense. */
#include "check.h"
#include "parallel/available.h"
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t M = 1 << 20;
static char root[64];

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
  (void)status;
  (void)flag;
  (void)walk;
  return remove(path);
}

static void tree_end(void)
{
  nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *text)
{
  char path[512];
  snprintf(path, sizeof path, "%s%s", root, name);
  for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    mkdir(path, 0700);
    *slash = '/';
  }
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  if (file) {
    fputs(text, file);
    fclose(file);
  }
}

/* A new tree of a machine with 1000 MiB left. */
static void tree_begin(const char *groups)
{
  strcpy(root, "/tmp/dunlin-available-XXXXXX");
  CHECK(mkdtemp(root) != NULL);
  put("/proc/meminfo", "MemTotal: 4096000 kB\nMemAvailable:    1024000 kB\nCached: 7 kB\n");
  put("/proc/self/cgroup", groups);
}

static int64_t available(void)
{
  return dun_memory_available_under(root);
}

static void test_machine(void)
{
  tree_begin("");
  CHECK(available() == 1000 * M);
  put("/proc/meminfo", "MemTotal: 4096000 kB\nMemAvailableNot: 5 kB\n");
  CHECK(available() == INT64_MAX);
  put("/proc/meminfo", "MemAvailable: 9223372036854775807 kB\n");
  CHECK(available() == INT64_MAX);
  tree_end();
  CHECK(available() == INT64_MAX);
}

/* The step has no limit of its own, the job has; page cache that can be dropped is free. */
static void test_second_version(void)
{
  tree_begin("0::/slurm/job_7/step_0\n");
  put("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
  put("/sys/fs/cgroup/slurm/job_7/step_0/memory.current", "1048576\n");
  CHECK(available() == 1000 * M);
  put("/sys/fs/cgroup/slurm/job_7/memory.max", "209715200\n");
  put("/sys/fs/cgroup/slurm/job_7/memory.current", "104857600\n");
  CHECK(available() == 100 * M);
  put("/sys/fs/cgroup/slurm/job_7/memory.stat",
      "anon 1\nfile 52428800\ninactive_file 10485760\nactive_file 41943040\n");
  CHECK(available() == 110 * M);
  put("/sys/fs/cgroup/slurm/job_7/memory.high", "157286400\n");
  CHECK(available() == 60 * M);
  put("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "3145728\n");
  CHECK(available() == 2 * M);
  put("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "1000\n"); /* already above its limit */
  CHECK(available() == 0);
  tree_end();
}

/* A container shows its own group as the root, whatever path it names. */
static void test_container(void)
{
  tree_begin("0::/../../elsewhere\n");
  put("/sys/fs/cgroup/memory.max", "104857600\n");
  put("/sys/fs/cgroup/memory.current", "4194304\n");
  put("/sys/elsewhere/memory.max", "5\n");
  CHECK(available() == 96 * M);
  put("/proc/self/cgroup", "0::/docker/of/the/host\n");
  CHECK(available() == 96 * M);
  put("/proc/self/cgroup", "0::/\n");
  CHECK(available() == 96 * M);
  tree_end();
}

static void test_first_version(void)
{
  tree_begin("5:cpu,cpuacct:/\n4:hugetlb,memory:/slurm/job\n1:name=systemd:/memory\n");
  put("/sys/fs/cgroup/memory/slurm/job/memory.limit_in_bytes", "104857600\n");
  put("/sys/fs/cgroup/memory/slurm/job/memory.usage_in_bytes", "52428800\n");
  put("/sys/fs/cgroup/memory/slurm/job/memory.stat",
      "inactive_file 1\ntotal_inactive_file 2097152\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "500000000000\n");
  CHECK(available() == 52 * M);
  put("/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes", "20971520\n");
  put("/sys/fs/cgroup/memory/slurm/memory.usage_in_bytes", "0\n");
  CHECK(available() == 20 * M);
  put("/proc/self/cgroup", "4:memory_of_another_kind:/slurm/job\n");
  CHECK(available() == 1000 * M);
  tree_end();
}

/* Both versions at once: the second beside the first. */
static void test_hybrid(void)
{
  tree_begin("4:memory:/a\n0::/b\n");
  put("/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "104857600\n");
  put("/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "0\n");
  CHECK(available() == 100 * M);
  put("/sys/fs/cgroup/unified/b/memory.max", "10485760\n");
  put("/sys/fs/cgroup/unified/b/memory.current", "0\n");
  CHECK(available() == 10 * M);
  tree_end();
}

static void put_limit(const char *limit, const char *usage)
{
  put("/sys/fs/cgroup/g/memory.max", limit);
  put("/sys/fs/cgroup/g/memory.current", usage);
}

/* Nonsense says nothing; a limit whose use is not known counts whole. */
static void test_nonsense(void)
{
  static const char *const words[] = {"",      "\n",          "-1\n", "12x\n", "0x10\n",
                                      "1e3\n", "unlimited\n", " 7\n", "\n7\n"};
  static const char *const lines[] = {
      "", "::", "0", "0:", "0:::", "0::relative", "\n\n\n", "4:memory"};
  static char path[9000];
  tree_begin("0::/g\n");
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    put_limit(words[i], "0\n");
    CHECK(available() == 1000 * M);
    put_limit("1048576\n", words[i]);
    CHECK(available() == M);
  }
  put_limit("99999999999999999999999\n", "5\n");
  CHECK(available() == 1000 * M);
  put_limit("1048576\n", "0\n");
  put("/sys/fs/cgroup/g/memory.stat", "inactive_file 99999999999999999999999\n");
  CHECK(available() == M);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    put("/proc/self/cgroup", lines[i]);
    CHECK(available() == 1000 * M);
  }
  memset(path, '/', sizeof path - 1);
  memcpy(path, "0::", 3);
  put("/proc/self/cgroup", path);
  CHECK(available() == 1000 * M);
  tree_end();
}

/* What this machine really says is a number of bytes. */
static void test_here(void)
{
  CHECK(dun_memory_available() > 0);
  CHECK(dun_memory_available() < INT64_MAX);
}

TEST_MAIN({"the machine's memory", test_machine},
          {"control groups of version 2", test_second_version},
          {"a container's root", test_container},
          {"control groups of version 1", test_first_version}, {"both versions", test_hybrid},
          {"nonsense", test_nonsense}, {"this machine", test_here})
