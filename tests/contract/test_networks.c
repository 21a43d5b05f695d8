/* Contract of every registered network, found through the registry: its reverse pass against
 * central differences, single against double precision, lanes that never mix. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "dunlin/target.h"
#include "learning/network.h"
#include "made_part.h"

enum { L = DUN_LANES };

static const struct setting {
  const char *options;
  int inputs, outputs;
} settings[] = {
    {"type: mlp, widths: [7, 9], harmonics: 2", 5, 3},
    {"type: mlp, widths: [1], harmonics: 0", 5, 3},
    {"type: mlp, widths: [20], activation: tanh", 5, 3},
    {"type: mlp, widths: [6, 17, 4], activation: relu, harmonics: 1", 5, 3},
    {"type: two_layer, levels: 2, width: 11, harmonics: 3", 5, 3},
    {"type: two_layer, levels: 1, width: 17, activation: silu", 5, 3},
    {"type: two_layer, levels: 5, width: 4, activation: tanh, harmonics: 0", 5, 3},
    {"type: convolution, widths: [3, 5], harmonics: 1", 16, 16},
    {"type: convolution, widths: [4], height: 3, border: periodic", 15, 15},
    {"type: convolution, widths: [2, 3], channels: 3, width: 2, kernels: [5, 1, 3]", 19, 18},
    {"type: convolution, widths: [3, 2], height: 2, width: 4, spacing: [2, 1, 3]", 8, 8},
    /* by waves: see test_convolution_network.c */
    {"type: convolution, widths: [4], kernels: 9, height: 4", 17, 16},
    {"type: convolution, widths: [4, 1], kernels: [11, 9, 3], spacing: [1, 2, 1], height: 5, "
     "border: periodic",
     30, 30},
    {"type: convolution, widths: [17], kernels: 7, channels: 2, height: 2, border: periodic", 14,
     12},
    /* by patches: see test_convolution_winograd.c */
    {"type: convolution, widths: [12, 12], kernels: [1, 3, 1]", 17, 16},
    {"type: convolution, widths: [9, 20], border: periodic", 16, 16},
};
enum { SETTINGS = sizeof settings / sizeof *settings, MOST = 32 /* outputs */ };

struct trial {
  struct made_part made;
  const struct dun_network *network;
  void *self;
  int inputs, outputs;
  int64_t weights, tape, scratch;
  double *w, *x, *y, *record, *bar, *gradient, *rest;
  float *w_f, *x_f, *y_f, *record_f, *bar_f, *rest_f;
  double angle[L] __attribute__((aligned(64)));
};

static void *must(int64_t count, size_t size)
{
  void *block = dun_allocate(count, size);
  if (!block)
    exit(1);
  return block;
}

static void to_single(int64_t count, const double *from, float *to)
{
  for (int64_t i = 0; i < count; i++)
    to[i] = (float)from[i];
}

static int open_trial(struct trial *t, const struct setting *setting)
{
  char why[1024];
  struct dun_address address = {.seed = 11, .purpose = DUN_PURPOSE_TEST};
  memset(t, 0, sizeof *t);
  t->inputs = setting->inputs;
  t->outputs = setting->outputs;
  CHECK(made_part_open(&test_context, &t->made, DUN_KIND_NETWORK, setting->options, why) == 0);
  if (*why)
    return -1;
  t->network = (const struct dun_network *)t->made.part.type;
  t->self = t->made.part.self;
  CHECK(t->network->init(t->self, t->inputs, t->outputs) == 0);
  t->weights = t->network->weights(t->self);
  t->tape = t->network->tape(t->self) * L;
  t->scratch = t->network->scratch(t->self) * L;
  int64_t doubles =
      2 * t->weights + t->inputs * L + 2 * t->outputs * L + t->tape + t->scratch + 1024;
  t->w = must(doubles, sizeof(double));
  t->x = t->w + (t->weights + 63) / 64 * 64;
  t->y = t->x + t->inputs * L;
  t->bar = t->y + t->outputs * L;
  t->record = t->bar + t->outputs * L;
  t->rest = t->record + t->tape;
  t->gradient = t->rest + t->scratch;
  t->w_f = must(doubles, sizeof(float));
  t->x_f = t->w_f + (t->weights + 63) / 64 * 64;
  t->y_f = t->x_f + t->inputs * L;
  t->bar_f = t->y_f + t->outputs * L;
  t->record_f = t->bar_f + t->outputs * L;
  t->rest_f = t->record_f + t->tape;
  t->network->draw(t->self, address, t->w);
  dun_normals(address, t->inputs, t->x);
  address.step = 1;
  dun_normals(address, t->outputs, t->bar);
  address.step = 2;
  dun_uniforms(address, 1, t->angle);
  return 0;
}

static void close_trial(struct trial *t)
{
  dun_free(t->w);
  dun_free(t->w_f);
  made_part_close(&t->made);
}

/* sum of bar y. */
static double value(struct trial *t)
{
  double sum = 0;
  t->network->forward(t->self, t->w, t->angle, t->x, t->y, t->record);
  for (int i = 0; i < t->outputs * L; i++)
    sum += t->bar[i] * t->y[i];
  return sum;
}

static void differentiate(struct trial *t)
{
  value(t);
  memset(t->gradient, 0, (size_t)t->weights * sizeof *t->gradient);
  t->network->backward(t->self, t->w, t->record, t->bar, t->gradient, t->rest);
}

static int is_tried(const char *name)
{
  char word[80];
  int found = 0;
  snprintf(word, sizeof word, "type: %s,", name);
  for (int i = 0; i < SETTINGS; i++)
    found |= strstr(settings[i].options, word) != NULL;
  return found;
}

static void every_network_is_tried(void)
{
  for (const struct dun_type *const *type = dun_registry(DUN_KIND_NETWORK); *type; type++) {
    if (!is_tried((*type)->name))
      fprintf(stderr, "network '%s' has no settings here\n", (*type)->name);
    CHECK(is_tried((*type)->name));
  }
}

/* All weights, to 1e-6 of the largest slope. */
static void reverse_passes_are_gradients(void)
{
  for (int s = 0; s < SETTINGS; s++) {
    struct trial t;
    double largest = 0, off = 0, step = 1e-5;
    if (open_trial(&t, &settings[s]) < 0)
      return;
    differentiate(&t);
    for (int64_t i = 0; i < t.weights; i++) {
      double w = t.w[i];
      t.w[i] = w + step;
      double up = value(&t);
      t.w[i] = w - step;
      double down = value(&t);
      t.w[i] = w;
      largest = fmax(largest, fabs(t.gradient[i]));
      off = fmax(off, fabs((up - down) / (2 * step) - t.gradient[i]));
    }
    printf("# %s: %lld weights, worst %.2g of the largest slope\n", settings[s].options,
           (long long)t.weights, off / largest);
    CHECK(largest > .1 && off <= 1e-6 * largest);
    close_trial(&t);
  }
}

static void backward_adds(void)
{
  struct trial t;
  if (open_trial(&t, &settings[0]) < 0)
    return;
  differentiate(&t);
  double first = t.gradient[0], last = t.gradient[t.weights - 1];
  t.network->backward(t.self, t.w, t.record, t.bar, t.gradient, t.rest);
  CHECK(t.gradient[0] == 2 * first && t.gradient[t.weights - 1] == 2 * last && last != 0);
  close_trial(&t);
}

static double distance(int64_t count, const double *a, const double *b)
{
  double off = 0, size = 0;
  for (int64_t i = 0; i < count; i++) {
    off += (a[i] - b[i]) * (a[i] - b[i]);
    size += a[i] * a[i];
  }
  return sqrt(off / size);
}

static void single_precision_is_near(void)
{
  for (int s = 0; s < SETTINGS; s++) {
    struct trial t;
    if (open_trial(&t, &settings[s]) < 0)
      return;
    to_single(t.weights, t.w, t.w_f);
    for (int64_t i = 0; i < t.weights; i++)
      t.w[i] = (double)t.w_f[i];
    to_single(t.inputs * L, t.x, t.x_f);
    for (int i = 0; i < t.inputs * L; i++)
      t.x[i] = (double)t.x_f[i];
    to_single(t.outputs * L, t.bar, t.bar_f);
    differentiate(&t);
    double *gradient = must(t.weights, sizeof *gradient), *y = must(t.outputs * L, sizeof *y);
    t.network->forward_f(t.self, t.w_f, t.angle, t.x_f, t.y_f, t.record_f);
    t.network->backward_f(t.self, t.w_f, t.record_f, t.bar_f, gradient, t.rest_f);
    for (int i = 0; i < t.outputs * L; i++)
      y[i] = (double)t.y_f[i];
    double values = distance(t.outputs * L, t.y, y);
    double slopes = distance(t.weights, t.gradient, gradient);
    printf("# %s: single off by %.2g, its gradient by %.2g\n", settings[s].options, values, slopes);
    CHECK(values < 1e-5 && slopes < 1e-5);
    dun_free(gradient);
    dun_free(y);
    close_trial(&t);
  }
}

/* Where a lane changes, no other does; and one whose bar is 0 teaches nothing. */
static void lanes_never_mix(void)
{
  for (int s = 0; s < SETTINGS; s++) {
    struct trial t;
    double before[MOST * L], same = 0, own = 0;
    if (open_trial(&t, &settings[s]) < 0)
      return;
    for (int j = 0; j < t.outputs; j++)
      t.bar[j * L + 3] = 0;
    differentiate(&t);
    double *gradient = must(t.weights, sizeof *gradient);
    memcpy(gradient, t.gradient, (size_t)t.weights * sizeof *gradient);
    memcpy(before, t.y, (size_t)t.outputs * L * sizeof *before);
    for (int j = 0; j < t.inputs; j++)
      t.x[j * L + 3] += 1;
    t.angle[3] *= .5;
    differentiate(&t);
    for (int j = 0; j < t.outputs; j++)
      for (int l = 0; l < L; l++)
        *(l == 3 ? &own : &same) += t.y[j * L + l] != before[j * L + l];
    CHECK(own == t.outputs && same == 0);
    CHECK(!memcmp(gradient, t.gradient, (size_t)t.weights * sizeof *gradient));
    dun_free(gradient);
    close_trial(&t);
  }
}

/* What a file tells of a network makes the same one; less, more or other numbers none. */
static void networks_are_rebuilt_from_their_shapes(void)
{
  for (int s = 0; s < SETTINGS; s++) {
    struct trial t;
    int status;
    if (open_trial(&t, &settings[s]) < 0)
      return;
    CHECK(dun_network_make(t.network, t.self) == 0);
    struct dun_numbers shape = ((struct dun_network_head *)t.self)->shape;
    void *again = dun_network_rebuild(t.network, &shape, &status);
    CHECK(status == 0 && again && t.network->init(again, t.inputs, t.outputs) == 0);
    CHECK(again && t.network->weights(again) == t.weights);
    if (again)
      t.network->forward(again, t.w, t.angle, t.x, t.bar, t.record);
    value(&t);
    CHECK(again && !memcmp(t.bar, t.y, (size_t)t.outputs * L * sizeof *t.y));
    dun_network_discard(t.network, again);
    for (long long i = 0; i < shape.count; i++) {
      double right = shape.value[i];
      shape.value[i] = -1;
      CHECK(!dun_network_rebuild(t.network, &shape, &status) && status == DUN_ERROR_INPUT);
      shape.value[i] = right;
    }
    shape.count--;
    CHECK(!dun_network_rebuild(t.network, &shape, &status) && status == DUN_ERROR_INPUT);
    dun_network_discard(t.network, NULL);
    close_trial(&t);
  }
}

static void refuse(const char *options, int inputs, int outputs)
{
  struct made_part made;
  char why[1024];
  CHECK(made_part_open(&test_context, &made, DUN_KIND_NETWORK, options, why) == 0);
  CHECK(((const struct dun_network *)made.part.type)->init(made.part.self, inputs, outputs) ==
        DUN_ERROR_INPUT);
  made_part_close(&made);
}

static void wrong_options_are_refused(void)
{
  struct made_part made;
  char why[1024];
  CHECK(made_part_open(&test_context, &made, DUN_KIND_NETWORK, "type: mlp, widths: [0]", why) < 0);
  made_part_close(&made);
  refuse("type: mlp, widths: [2.5]", 2, 2);
  refuse("type: convolution, widths: [2.5]", 4, 4);
  refuse("type: convolution, kernels: 2", 4, 4);
  refuse("type: convolution, widths: [2, 2], kernels: [3, 3]", 4, 4);
  refuse("type: convolution, spacing: 1.5", 4, 4);
  refuse("type: convolution, widths: [2], spacing: [1, 2, 3]", 4, 4);
  refuse("type: convolution", 5, 5);
  refuse("type: convolution, channels: 2", 4, 4);
  refuse("type: convolution, channels: 9", 4, 4);
  refuse("type: convolution, height: 3", 4, 4);
  refuse("type: convolution, width: 3, height: 2", 4, 4);
  refuse("type: convolution", 3, 4);
}

TEST_MAIN({"every network is tried", every_network_is_tried},
          {"reverse passes are gradients", reverse_passes_are_gradients},
          {"backward adds", backward_adds}, {"single precision is near", single_precision_is_near},
          {"lanes never mix", lanes_never_mix},
          {"networks are rebuilt from their shapes", networks_are_rebuilt_from_their_shapes},
          {"wrong options are refused", wrong_options_are_refused})
