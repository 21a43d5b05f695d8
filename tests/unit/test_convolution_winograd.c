/* Convolutions by patches against the sums that they are, in both precisions: of images that
 * patches do not fill, with gaps, of any border, from a start and from zeros, and their slopes; and
 * which layers go that way. */
#include "convolution_trial.h"
#include "learning/convolution_winograd.h"

enum { PLACES = 9 };

static const struct {
  int height, width, takes, gives, spacing, border;
} cases[] = {
    {4, 8, 2, 3, 1, DUN_BORDER_ZERO},  {17, 13, 3, 2, 1, DUN_BORDER_PERIODIC},
    {7, 6, 1, 17, 2, DUN_BORDER_ZERO}, {5, 11, 9, 1, 4, DUN_BORDER_PERIODIC},
    {1, 3, 1, 1, 1, DUN_BORDER_ZERO},  {3, 2, 2, 2, 1, DUN_BORDER_PERIODIC},
};
enum { CASES = sizeof cases / sizeof *cases };

static void open_trial(struct trial *t, int n)
{
  *t = (struct trial){
      .network = {.height = cases[n].height, .width = cases[n].width, .border = cases[n].border},
      .layer = {.takes = cases[n].takes,
                .gives = cases[n].gives,
                .side = 3,
                .spacing = cases[n].spacing,
                .reach = cases[n].spacing}};
  int64_t pixels = dun_convolution_pixels(&t->network);
  int64_t room = dun_convolution_winograd_scratch(&t->layer) * L;
  t->seen = pixels * cases[n].takes * L;
  t->told = pixels * cases[n].gives * L;
  t->weights = (int64_t)PLACES * cases[n].takes * cases[n].gives;
  fill_trial(t, room);
}

/* Pixel of x that place k sees from (i, j), or -1. */
static int64_t seen_from(const struct trial *t, int i, int j, int k)
{
  int64_t row = i + (k / 3 - 1) * t->layer.spacing, column = j + (k % 3 - 1) * t->layer.spacing;
  int64_t height = t->network.height, width = t->network.width;
  if (t->network.border == DUN_BORDER_PERIODIC) {
    row = (row + 10 * height) % height;
    column = (column + 10 * width) % width;
  }
  return row < 0 || row >= height || column < 0 || column >= width ? -1 : row * width + column;
}

/* Calls `add` for every product that there is: of number `told` and, times weight `w`, `seen`. */
static void for_all(const struct trial *t,
                    void (*add)(const struct trial *t, int64_t told, int64_t w, int64_t seen,
                                double *out),
                    double *out)
{
  const struct dun_convolution_layer *at = &t->layer;
  for (int i = 0; i < t->network.height; i++)
    for (int j = 0; j < t->network.width; j++)
      for (int k = 0; k < PLACES; k++)
        for (int o = 0; o < at->gives; o++)
          for (int c = 0; c < at->takes; c++) {
            int64_t pixel = seen_from(t, i, j, k);
            if (pixel >= 0)
              add(t, ((i * t->network.width + j) * at->gives + o) * L,
                  ((int64_t)o * PLACES + k) * at->takes + c, (pixel * at->takes + c) * L, out);
          }
}

static void values_are_sums(void)
{
  for (int n = 0; n < 2 * CASES; n++) {
    struct trial t;
    int from_zeros = n % 2;
    double worst_f = 0;
    open_trial(&t, n / 2);
    double *truth = numbers(7, t.told);
    for (int64_t i = 0; i < t.told; i++)
      truth[i] = from_zeros ? 0 : t.start[i % (t.layer.gives * L)];
    for_all(&t, add_value, truth);
    dun_convolution_winograd(&t.network, &t.layer, t.kernel, t.x, from_zeros ? NULL : t.start, t.y,
                             t.scratch);
    dun_convolution_winograd_f(&t.network, &t.layer, t.kernel_f, t.x_f,
                               from_zeros ? NULL : t.start_f, t.y_f, t.scratch_f);
    for (int64_t i = 0; i < t.told; i++)
      worst_f = fmax(worst_f, fabs(t.y_f[i] - truth[i]));
    judge(n / 2, sqrt((double)t.weights / t.layer.gives), t.told, truth, t.y, 2e-14, worst_f);
    dun_free(truth);
    close_trial(&t);
  }
}

static void slopes_are_sums(void)
{
  for (int n = 0; n < CASES; n++) {
    struct trial t;
    open_trial(&t, n);
    double *truth = numbers(4, t.weights), *single = numbers(4, t.weights);
    for_all(&t, add_slope, truth);
    dun_convolution_winograd_back(&t.network, &t.layer, t.x, t.y, t.gradient, t.scratch);
    dun_convolution_winograd_back_f(&t.network, &t.layer, t.x_f, t.y_f, single, t.scratch_f);
    judge(n, sqrt((double)t.told / t.layer.gives), t.weights, truth, t.gradient, 2e-14,
          off(t.weights, single, truth));
    dun_free(truth);
    dun_free(single);
    close_trial(&t);
  }
}

static int goes(int height, int takes, int gives, int side, int spacing)
{
  struct dun_convolution_network network = {.height = height, .width = height};
  struct dun_convolution_layer layer = {
      .takes = takes, .gives = gives, .side = side, .spacing = spacing};
  return dun_convolution_by_winograd(&network, &layer);
}

static void many_channels_go_by_patches(void)
{
  CHECK(goes(16, 32, 32, 3, 1) && goes(16, 32, 32, 3, 4) && goes(16, 16, 64, 3, 1));
  CHECK(goes(28, 8, 16, 3, 1) && goes(28, 16, 8, 3, 1));
  CHECK(!goes(16, 1, 32, 3, 1) && !goes(16, 4, 4, 3, 1));
  CHECK(!goes(16, 32, 32, 5, 1) && !goes(16, 32, 32, 1, 1));
  CHECK(!goes(16, 32, 32, 3, 16)); /* a patch for each pixel */
}

TEST_MAIN({"values are sums", values_are_sums}, {"slopes are sums", slopes_are_sums},
          {"many channels go by patches", many_channels_go_by_patches})
