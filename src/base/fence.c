#include "base/fence.h"
#include "base/error.h"
#include "base/guard.h"
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ALIGNED = 8 };                        /* numbers */
enum { WIDE = 128 << 20, NARROW = 1 << 20 }; /* bytes; narrow where addresses are rationed */

static size_t width(void)
{
  struct rlimit limit;
  return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? NARROW : WIDE;
}

int dun_pages_init(struct dun_pages *pages, int64_t count)
{
  size_t aside = width(), page = (size_t)sysconf(_SC_PAGESIZE);
  size_t bytes = ((size_t)count * sizeof(double) + page) / page * page;
  *pages = (struct dun_pages){.bytes = bytes + 2 * aside};
  pages->base = count < PTRDIFF_MAX / 16 ? mmap(NULL, pages->bytes, PROT_NONE,
                                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                         : MAP_FAILED;
  if (pages->base == MAP_FAILED ||
      mprotect(pages->base + aside, bytes, PROT_READ | PROT_WRITE) < 0) {
    pages->base = pages->base == MAP_FAILED ? NULL : pages->base;
    dun_pages_free(pages);
    return dun_fail(DUN_ERROR_MEMORY, "No memory for %lld numbers that a target is given.",
                    (long long)count);
  }
  pages->block = (double *)(void *)(pages->base + aside);
  pages->size = (int64_t)(bytes / sizeof(double));
  return 0;
}

void dun_pages_free(struct dun_pages *pages)
{
  if (pages->base)
    munmap(pages->base, pages->bytes);
  *pages = (struct dun_pages){0};
}

/* ---- arrays ------------------------------------------------------------------------------ */

/* No number that arithmetic makes. */
static const uint64_t mark = 0x7ff8d7d6d5d4d3d2u;

static void fill(double *number, int64_t count)
{
  for (int64_t i = 0; i < count; i++)
    memcpy(&number[i], &mark, sizeof mark);
}

int dun_fence_init(struct dun_fence *fence, const char *name, int64_t most)
{
  *fence = (struct dun_fence){.name = name, .count = -1};
  int status = dun_pages_init(&fence->pages, most + 2 * ALIGNED);
  fence->most = status == 0 ? most : -1;
  return status;
}

void dun_fence_free(struct dun_fence *fence)
{
  dun_pages_free(&fence->pages);
}

static const double *end_of(const struct dun_fence *fence)
{
  return fence->pages.block + fence->pages.size;
}

/* At the end of the pages, but for what alignment takes: a mark is behind it at least. */
static void place(struct dun_fence *fence, int64_t count)
{
  int64_t start = (fence->pages.size - count - 1) / ALIGNED * ALIGNED;
  fence->value = fence->pages.block + start;
  fence->count = count;
  fill(fence->value - ALIGNED, ALIGNED);
  fill(fence->value + count, end_of(fence) - fence->value - count);
}

double *dun_fence_take(struct dun_fence *fence, int64_t count, const double *from)
{
  if (count != fence->count)
    place(fence, count);
  if (from)
    memcpy(fence->value, from, (size_t)count * sizeof *from);
  return fence->value;
}

static int is_marked(const double *number, int64_t count)
{
  uint64_t other = 0, bits;
  for (int64_t i = 0; i < count; i++) {
    memcpy(&bits, &number[i], sizeof bits);
    other |= bits ^ mark;
  }
  return other == 0;
}

static void refuse(const struct dun_fence *fence, const char *where)
{
  char detail[160];
  snprintf(detail, sizeof detail, "%s its array `%.32s` of %lld numbers; there is no result", where,
           fence->name, (long long)fence->count);
  dun_guard_trespass(detail);
}

void dun_fence_check(const struct dun_fence *fence)
{
  const double *behind = fence->value + fence->count;
  if (!is_marked(fence->value - ALIGNED, ALIGNED))
    refuse(fence, "in front of");
  if (!is_marked(behind, end_of(fence) - behind))
    refuse(fence, "behind the end of");
}

void dun_fence_give(const struct dun_fence *fence, double *to)
{
  dun_fence_check(fence);
  if (to)
    memcpy(to, fence->value, (size_t)fence->count * sizeof *to);
}
