/* Convolutions by waves against the sums that they are, in both precisions: of kernels as large as
 * the image and of one place, with gaps, of any border, and of their gradients. */
#include "convolution_trial.h"
#include "learning/convolution_waves.h"

static const struct {
  int height, width, takes, gives, side, spacing;
} cases[] = {
    {4, 5, 2, 3, 3, 1}, {6, 6, 3, 1, 5, 1}, {1, 7, 1, 2, 1, 1},
    {5, 4, 3, 6, 9, 1}, {3, 6, 2, 2, 3, 4}, {2, 3, 1, 1, 7, 2},
};
enum { CASES = sizeof cases / sizeof *cases };

static void open_trial(struct trial *t, int n)
{
  int reach = cases[n].side / 2 * cases[n].spacing;
  *t = (struct trial){.network = {.height = cases[n].height, .width = cases[n].width},
                      .layer = {.takes = cases[n].takes,
                                .gives = cases[n].gives,
                                .side = cases[n].side,
                                .spacing = cases[n].spacing,
                                .reach = reach}};
  t->seen = dun_convolution_bordered(&t->network, reach) * cases[n].takes * L;
  t->told = dun_convolution_pixels(&t->network) * cases[n].gives * L;
  t->weights = (int64_t)cases[n].side * cases[n].side * cases[n].takes * cases[n].gives;
  int64_t room = dun_convolution_waves_scratch(&t->network, &t->layer) * L;
  fill_trial(t, room);
}

/* What stands where of x, seen from pixel (i, j) by place (a, b) of the kernel. */
static int64_t seen_at(const struct trial *t, int i, int j, int a, int b, int c)
{
  const struct dun_convolution_layer *at = &t->layer;
  int64_t width = t->network.width + 2 * at->reach;
  return (((i + a * at->spacing) * width + j + b * at->spacing) * at->takes + c) * L;
}

static int64_t weight_at(const struct trial *t, int o, int a, int b, int c)
{
  const struct dun_convolution_layer *at = &t->layer;
  return (((int64_t)o * at->side + a) * at->side + b) * at->takes + c;
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
      for (int o = 0; o < at->gives; o++)
        for (int a = 0; a < at->side; a++)
          for (int b = 0; b < at->side; b++)
            for (int c = 0; c < at->takes; c++)
              add(t, ((i * t->network.width + j) * at->gives + o) * L, weight_at(t, o, a, b, c),
                  seen_at(t, i, j, a, b, c), out);
}

static double *copy_of(int64_t count, const double *x)
{
  double *to = dun_allocate(count, sizeof *to);
  if (!to)
    exit(1);
  memcpy(to, x, (size_t)count * sizeof *x);
  return to;
}

static void values_are_sums(void)
{
  for (int n = 0; n < CASES; n++) {
    struct trial t;
    double worst_f = 0;
    open_trial(&t, n);
    double *truth = copy_of(t.told, t.y);
    for_all(&t, add_value, truth);
    dun_convolution_waves(&t.network, &t.layer, t.kernel, t.x, t.y, t.scratch);
    dun_convolution_waves_f(&t.network, &t.layer, t.kernel_f, t.x_f, t.y_f, t.scratch_f);
    for (int64_t i = 0; i < t.told; i++)
      worst_f = fmax(worst_f, fabs(t.y_f[i] - truth[i]));
    judge(n, sqrt((double)t.weights / t.layer.gives), t.told, truth, t.y, 1e-14, worst_f);
    dun_free(truth);
    close_trial(&t);
  }
}

static void slopes_are_sums(void)
{
  for (int n = 0; n < CASES; n++) {
    struct trial t;
    open_trial(&t, n);
    double *truth = copy_of(t.weights, t.gradient), *single = copy_of(t.weights, t.gradient);
    for_all(&t, add_slope, truth);
    dun_convolution_waves_back(&t.network, &t.layer, t.x, t.y, t.gradient, t.scratch);
    dun_convolution_waves_back_f(&t.network, &t.layer, t.x_f, t.y_f, single, t.scratch_f);
    judge(n, sqrt((double)t.told / t.layer.gives), t.weights, truth, t.gradient, 1e-14,
          off(t.weights, single, truth));
    dun_free(truth);
    dun_free(single);
    close_trial(&t);
  }
}

TEST_MAIN({"values are sums", values_are_sums}, {"slopes are sums", slopes_are_sums})
