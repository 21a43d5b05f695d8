/* Distributed against local transforms at 256^3. */
/* ranks: 2 3 */
/* tier: long */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "numerics/fft.h"

/* Forward, compared plane by plane of the transposed spectrum, and back. */
static void test_large(void)
{
  static const int64_t size[] = {256, 256, 256};
  struct dun_fft one, all;
  CHECK(dun_fft_init(&one, 3, size) == 0);
  CHECK(dun_fft_init_distributed(&test_context, &all, 3, size) == 0);
  double *a = dun_allocate(one.block, sizeof *a), *b = dun_allocate(all.block, sizeof *b);
  int64_t plane = size[1] * one.row, wrong = 0;
  for (int64_t i = 0; i < one.block; i += 64)
    dun_normals((struct dun_address){3, DUN_PURPOSE_TEST, 0, 0, (uint32_t)(i / 64)}, 1, a + i);
  memcpy(b, a + all.first * plane, (size_t)(all.count * plane) * sizeof *b);
  dun_fft_forward(&one, a);
  dun_fft_forward(&all, b);
  for (int64_t k1 = 0; k1 < all.spectrum_count; k1++)
    for (int64_t k0 = 0; k0 < size[0]; k0++)
      for (int64_t k = 0; k < one.row; k++) {
        double x = a[(k0 * size[1] + all.spectrum_first + k1) * one.row + k];
        double y = b[(k1 * size[0] + k0) * one.row + k];
        wrong += !(fabs(x - y) <= 1e-12 * 4096); /* sqrt(points): the size of a mode */
      }
  CHECK(wrong == 0);
  dun_fft_inverse(&one, a);
  dun_fft_inverse(&all, b);
  for (int64_t i = 0; i < all.count * plane; i++)
    if (i % one.row < size[2])
      wrong += !(fabs(a[all.first * plane + i] - b[i]) <= 1e-12 * (double)one.points);
  CHECK(wrong == 0);
  DUN_FREE(a);
  DUN_FREE(b);
  dun_fft_free(&one);
  dun_fft_free(&all);
}

TEST_MAIN({"large", test_large})
