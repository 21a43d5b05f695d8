#include "learning/regression.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES, LINE = 8 /* numbers in a line of the cache */ };

static const struct dun_table_column columns[] = {
    {"replicate", "", "Number of the training, from 0."},
    {"step", "", "Steps so far."},
    {"loss", "", "Mean loss of the steps since the last row."},
    {"held_back", "", "Loss of the examples that are held back, by the weights that are used."},
    {"gradient", "", "Mean norm of the gradient, before it is clipped."},
    {"skipped", "", "Steps so far whose gradient was no number."},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

/* ---- setting up ------------------------------------------------------------------------------ */

static struct dun_network_head *head_of(const struct dun_regression *r)
{
  return r->denoiser.network_self;
}

static int64_t weights_of(const struct dun_regression *r)
{
  return r->denoiser.network->weights(r->denoiser.network_self);
}

static int check(struct dun_regression *r)
{
  r->groups = r->groups > 0 ? r->groups : (r->batch + L - 1) / L < 16 ? (r->batch + L - 1) / L : 16;
  r->every = r->every > 0 ? r->every : (r->steps + 99) / 100;
  if (r->groups > r->batch)
    return dun_fail(DUN_ERROR_INPUT, "groups is %lld, more than the %lld examples of a batch",
                    r->groups, r->batch);
  if (!(r->first < r->last))
    return dun_fail(DUN_ERROR_INPUT, "times from %g to %g: the first is to be less than the last",
                    r->first, r->last);
  if (r->times == DUN_TIMES_LOG && !(r->first > 0))
    return dun_fail(DUN_ERROR_INPUT, "times log begin above 0: give first");
  return 0;
}

int dun_regression_averages(const struct dun_regression *r, int d)
{
  if (!(r->average > 0))
    return 0;
  if (r->sees == DUN_SEES_RAW)
    return dun_fail(DUN_ERROR_INPUT, "lessons.average goes with input: scaled");
  if (d % r->channels)
    return dun_fail(DUN_ERROR_INPUT,
                    "lessons.channels: found %lld, which does not divide the target's %d "
                    "coordinates",
                    r->channels, d);
  return (int)r->channels;
}

/* Centre and scale of the examples. */
static int measure(struct dun_regression *r)
{
  struct dun_denoiser *s = &r->denoiser;
  if (dun_numbers_make(&s->centre, s->d, 0) < 0)
    return DUN_ERROR_MEMORY;
  dun_examples_measure(&r->examples, s->centre.value, &s->scale);
  if (!(s->scale > 0 && s->scale < 1e150))
    return dun_fail(DUN_ERROR_INPUT,
                    "examples: all %lld of them are one point, or of sizes that "
                    "cannot be squared",
                    r->examples.count);
  s->scale = r->sees == DUN_SEES_RAW ? 1 : s->scale;
  s->means = r->means;
  s->sees = r->sees;
  s->precision = r->precision;
  s->averages = dun_regression_averages(r, s->d);
  s->gain = s->averages ? r->average * sqrt((double)(s->d / s->averages)) : 0;
  r->log_ends[0] = r->first > 0 ? dun_scalar_log(r->first) : 0;
  r->log_ends[1] = dun_scalar_log(r->last);
  s->angles[0] = r->angle_ends[0] = dun_denoiser_angle(r->first);
  s->angles[1] = r->angle_ends[1] = dun_denoiser_angle(r->last);
  return 0;
}

int dun_regression_init(const struct dun_context *context, struct dun_regression *r,
                        void (*deal)(void *source, int64_t tile, double *x), void *source)
{
  int64_t d = r->denoiser.d;
  int status = check(r);
  dun_regression_free(r);
  if (status >= 0)
    status = dun_examples_init(&r->examples, (int)d, deal, source);
  r->denoiser.share = 1;
  if (status >= 0 && r->half)
    status = dun_examples_halve(&r->examples, r->half == DUN_HALF_UPPER, &r->denoiser.share);
  if (status < 0 || (status = measure(r)) < 0 ||
      (status = dun_network_make(r->denoiser.network, r->denoiser.network_self)) < 0 ||
      (status = dun_denoiser_init(&r->denoiser)) < 0 ||
      (status = dun_examples_order_init(&r->order, &r->examples)) < 0 ||
      (status = dun_batch_sum_init(context, &r->sum, (int)r->groups, weights_of(r) + 1)) < 0 ||
      (status = dun_table_make(&r->table, columns, COLUMNS)) < 0)
    return status;
  r->total = dun_allocate(weights_of(r) + 1, sizeof *r->total);
  r->x = dun_allocate(d, L * sizeof *r->x);
  r->noise = dun_allocate(d + r->denoiser.averages, L * sizeof *r->noise);
  return r->total && r->x && r->noise ? 0 : DUN_ERROR_MEMORY;
}

void dun_regression_free(struct dun_regression *r)
{
  dun_examples_free(&r->examples);
  dun_denoiser_free(&r->denoiser);
  dun_optimiser_free(&r->optimiser);
  dun_batch_sum_free(&r->sum);
  dun_examples_order_free(&r->order);
  dun_table_free(&r->table);
  DUN_FREE(r->denoiser.centre.value);
  DUN_FREE(r->best_weights.value);
  DUN_FREE(r->total);
  DUN_FREE(r->x);
  DUN_FREE(r->noise);
}

int64_t dun_regression_memory(const struct dun_regression *r)
{
  const struct dun_denoiser *s = &r->denoiser;
  int64_t examples = (r->examples.count + r->examples.held_back) * s->d;
  int64_t columns_of = s->network->tape(s->network_self) + s->network->scratch(s->network_self);
  return 8 * (examples + (7 + r->sum.own) * weights_of(r) + (columns_of + 8 * s->d) * L);
}

/* ---- lessons --------------------------------------------------------------------------------- */

/* What is looked at: a batch of examples from number `first` on, or those that are held back. */
struct batch {
  struct dun_address address; /* its step is the batch's */
  int held_back;
  int64_t count, first;
};

/* Of a uniform in (0, 1]. */
DUN_CLONES static double angle_of(const struct dun_regression *r, double uniform)
{
  const double *ends = r->times == DUN_TIMES_LOG ? r->log_ends : r->angle_ends;
  double at = DUN_FMA(uniform, ends[1] - ends[0], ends[0]);
  return r->times == DUN_TIMES_LOG ? dun_denoiser_angle(dun_exp(at)) : at;
}

/* Examples first .. first + n - 1 of the batch into columns; the lanes behind repeat the first. */
static void fill_points(struct dun_regression *r, const struct batch *b, int64_t first, int n)
{
  const struct dun_examples *e = &r->examples;
  struct dun_address order = b->address;
  const double *from[L];
  order.purpose = DUN_PURPOSE_TAKE;
  for (int l = 0; l < L; l++) {
    int64_t i = first + (l < n ? l : 0);
    int64_t number =
        b->held_back ? e->count + i : dun_examples_order_turn(&r->order, e, order, b->first + i);
    from[l] = e->x + number * e->d;
  }
  for (int l = 0; l < L; l += LINE)
    for (int64_t j = 0; j < e->d; j++)
      for (int k = 0; k < LINE; k++)
        r->x[j * L + l + k] = from[l + k][j];
}

/* How clearly each is seen: by chance, of those held back evenly. */
static void fill_angles(const struct dun_regression *r, const struct batch *b, int64_t first,
                        struct dun_address address, double *angle)
{
  address.purpose = DUN_PURPOSE_LEVEL;
  dun_uniforms(address, 1, angle);
  for (int l = 0; l < L; l++) {
    double even = ((double)(first + l) + .5) / (double)b->count;
    angle[l] = angle_of(r, b->held_back ? even < 1 ? even : 1 : angle[l]);
  }
}

/* A group of the batch, tile by tile; the loss is the number behind the gradient. */
static void learn_group(struct dun_regression *r, const struct batch *b, int group, double *sum)
{
  int64_t begin = b->count * group / r->groups, end = b->count * (group + 1) / r->groups;
  double angle[L] __attribute__((aligned(64)));
  struct dun_address address = b->address;
  for (int64_t i = begin; i < end; i += L) {
    int n = end - i < L ? (int)(end - i) : L;
    address.tile = (uint32_t)group << 20 | (uint32_t)((i - begin) / L);
    address.purpose = DUN_PURPOSE_BLUR;
    dun_normals(address, r->denoiser.d + r->denoiser.averages, r->noise);
    fill_points(r, b, i, n);
    fill_angles(r, b, i, address, angle);
    const struct dun_lesson lesson = {.n = n,
                                      .x = r->x,
                                      .noise = r->noise,
                                      .angle = angle,
                                      .weight = r->weight,
                                      .share = 1 / ((double)b->count * r->denoiser.d)};
    sum[r->sum.numbers - 1] += dun_denoiser_teach(&r->denoiser, &lesson, b->held_back ? NULL : sum);
  }
}

/* Gradient and loss into r->total. */
static int learn_batch(struct dun_context *context, struct dun_regression *r, const struct batch *b)
{
  dun_batch_sum_clear(&r->sum);
  for (int i = 0; i < r->sum.own; i++)
    learn_group(r, b, r->sum.first + i, dun_batch_sum_of(&r->sum, i));
  return dun_batch_sum_total(context, &r->sum, r->total);
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int look_back(struct dun_context *context, struct dun_regression *r,
                     struct dun_address address, double *loss)
{
  struct batch b = {.address = address, .held_back = 1, .count = r->examples.held_back};
  b.address.step = UINT32_MAX; /* the same noise at every look */
  dun_denoiser_pack(&r->denoiser, dun_optimiser_weights(&r->optimiser, head_of(r)->weights.value));
  int status = learn_batch(context, r, &b);
  dun_denoiser_pack(&r->denoiser, head_of(r)->weights.value);
  *loss = status < 0 ? NAN : r->total[r->sum.numbers - 1];
  return status;
}

/* Looks at the held-back examples and adds a row. */
static int review(struct dun_context *context, struct dun_regression *r, struct dun_address address,
                  int64_t steps)
{
  double held_back, many = steps > 0 ? (double)steps : NAN;
  int status = look_back(context, r, address, &held_back);
  if (status < 0)
    return status;
  if (r->done == 0)
    r->blank = held_back;
  if (r->done == 0 || held_back < r->best) {
    r->best = held_back;
    r->best_step = r->done;
    memcpy(r->best_weights.value, dun_optimiser_weights(&r->optimiser, head_of(r)->weights.value),
           (size_t)weights_of(r) * sizeof *r->best_weights.value);
  }
  const double row[COLUMNS] = {address.replicate, (double)r->done, r->loss / many,
                               held_back,         r->norm / many,  (double)r->optimiser.skipped};
  r->loss = r->norm = 0;
  return dun_agree(context, dun_table_add(&r->table, row));
}

int dun_regression_start(struct dun_context *context, struct dun_regression *r,
                         struct dun_address address)
{
  struct dun_network_head *head = head_of(r);
  address.purpose = DUN_PURPOSE_WEIGHTS;
  address.step = 0;
  r->done = r->over = r->best_step = r->in_row = 0;
  r->best = r->blank = r->loss = r->norm = 0;
  r->denoiser.network->draw(r->denoiser.network_self, address, head->weights.value);
  int status = dun_optimiser_start(&r->optimiser, head->weights.count, head->weights.value);
  if (status >= 0)
    status = dun_numbers_make(&r->best_weights, head->weights.count, 0);
  status = dun_agree(context, status);
  return status < 0 ? status : review(context, r, address, 0);
}

int dun_regression_restore(struct dun_regression *r)
{
  const struct dun_network_head *head = head_of(r);
  const struct dun_optimiser *o = &r->optimiser;
  int64_t count = weights_of(r);
  int fits = head->weights.count == count && o->first.count == count && o->second.count == count &&
             r->best_weights.count == count && r->denoiser.centre.count == r->denoiser.d &&
             (!(o->average > 0) || o->mean.count == count) && dun_table_is_whole(&r->table) &&
             r->done <= r->steps;
  if (!fits)
    return dun_fail(DUN_ERROR_INPUT,
                    "The checkpoint is of a network of another size, or of more steps.");
  dun_denoiser_pack(&r->denoiser, head->weights.value);
  return 0;
}

static int step(struct dun_context *context, struct dun_regression *r, struct dun_address address)
{
  double norm;
  struct batch b = {.address = address, .count = r->batch, .first = r->done * r->batch};
  int64_t skipped = r->optimiser.skipped;
  b.address.step = (uint32_t)r->done;
  int status = learn_batch(context, r, &b);
  if (status < 0)
    return status;
  dun_optimiser_step(&r->optimiser, r->steps, r->total, head_of(r)->weights.value, &norm);
  dun_denoiser_pack(&r->denoiser, head_of(r)->weights.value);
  r->loss += r->total[r->sum.numbers - 1];
  r->norm += norm;
  r->in_row = r->optimiser.skipped > skipped ? r->in_row + 1 : 0;
  r->done++;
  return 0;
}

/* About a tenth of a second, by the work, not by the clock. */
static int64_t steps_in_tick(const struct dun_regression *r)
{
  const struct dun_denoiser *s = &r->denoiser;
  double work = 3 * (double)s->network->flops(s->network_self) * (double)r->batch;
  double steps = 4e9 / work;
  return steps > 1 ? (int64_t)steps : 1;
}

static int is_over(const struct dun_regression *r)
{
  int64_t since = (r->done - r->best_step) / r->every;
  return r->done == r->steps || r->in_row >= DUN_REGRESSION_GIVES_UP ||
         (r->patience > 0 && since >= r->patience);
}

int dun_regression_tick(struct dun_context *context, struct dun_regression *r,
                        struct dun_address address)
{
  int64_t left = steps_in_tick(r), row = (r->done + r->every - 1) / r->every * r->every;
  int64_t next = r->done % r->every == 0 ? r->done + r->every : row;
  int status = 0;
  next = next < r->steps ? next : r->steps;
  for (; left > 0 && r->done < next && r->in_row < DUN_REGRESSION_GIVES_UP && status >= 0; left--)
    status = step(context, r, address);
  if (status < 0 || (r->done < next && r->in_row < DUN_REGRESSION_GIVES_UP))
    return status;
  status = review(context, r, address, r->done - (next - 1) / r->every * r->every);
  if (status < 0)
    return status;
  r->over = is_over(r);
  if (r->over) {
    struct dun_network_head *head = head_of(r);
    memcpy(head->weights.value, r->best_weights.value,
           (size_t)head->weights.count * sizeof *head->weights.value);
    dun_denoiser_pack(&r->denoiser, head->weights.value);
  }
  return 1;
}

/* ---- options --------------------------------------------------------------------------------- */

#define AT(member_) offsetof(struct dun_regression, member_)

static const struct dun_option example_rows[] = {
    {.name = "count",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_examples, count),
     .initial = "10000",
     .minimum = 1,
     .maximum = 1e9,
     .doc =
         "How many points are learned from, again and again, or as many as a file has; every rank "
         "has them."},
    {.name = "held_back",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_examples, held_back),
     .initial = "2000",
     .minimum = 1,
     .maximum = 1e8,
     .doc = "How many more are held back, to tell what was learned."},
    {0},
};

const struct dun_option dun_regression_rows[] = {
    {.name = "examples",
     .type = DUN_SECTION,
     .offset = AT(examples),
     .initial = "",
     .rows = example_rows,
     .doc = "Points to learn from."},
    {.name = "steps",
     .type = DUN_INTEGER,
     .offset = AT(steps),
     .initial = "10000",
     .minimum = 1,
     .maximum = 4e9,
     .doc = "Steps of the optimiser, each by a batch of examples."},
    {.name = "batch",
     .type = DUN_INTEGER,
     .offset = AT(batch),
     .initial = "128",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "Examples in a step."},
    {.name = "groups",
     .type = DUN_INTEGER,
     .offset = AT(groups),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 4096,
     .doc = "Parts of a batch, each summed by one rank: no more ranks have work.  auto: one for 64 "
            "examples, at most 16."},
    {.name = "optimiser",
     .type = DUN_SECTION,
     .offset = AT(optimiser),
     .initial = "",
     .rows = dun_optimiser_rows,
     .doc = "Adam, with weight_decay AdamW."},
    {.name = "output",
     .type = DUN_CHOICE,
     .offset = AT(means),
     .initial = "velocity",
     .words = "denoiser|velocity|noise",
     .doc = "What the network tells: the mean of the point beyond that of a normal law, or with "
            "the noise's share in the state the velocity, which keeps precision where there is "
            "little noise, or the noise."},
    {.name = "input",
     .type = DUN_CHOICE,
     .offset = AT(sees),
     .initial = "scaled",
     .words = "scaled|raw",
     .doc = "What it sees: a state of the size 1 at every noise, of examples brought to the size "
            "1; or the observation as it is."},
    {.name = "half",
     .type = DUN_CHOICE,
     .offset = AT(half),
     .initial = "none",
     .words = "none|upper|lower",
     .doc = "Of exact draws: from those on one side of their mean, in the direction in which they "
            "vary most, alone; field split takes a network of each side."},
    {.name = "average",
     .type = DUN_NUMBER,
     .offset = AT(average),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Of images: the average of each channel is seen, too, with this gain times the root of "
            "the number of its pixels, as observation linear has it; field network_averages is for "
            "such a network.  0: it is not."},
    {.name = "channels",
     .type = DUN_INTEGER,
     .offset = AT(channels),
     .initial = "1",
     .minimum = 1,
     .maximum = 4096,
     .doc = "How many channels a point has, one after the other, for averages."},
    {.name = "weight",
     .type = DUN_CHOICE,
     .offset = AT(weight),
     .initial = "plain",
     .words = DUN_LESSON_WEIGHT_WORDS,
     .doc = "How errors count: those of the point, by the signal over noise, as those of the noise "
            "do, or those of the network's output."},
    {.name = "times",
     .type = DUN_CHOICE,
     .offset = AT(times),
     .initial = "angle",
     .words = "angle|log",
     .doc = "Law of the signal over noise l of an example: arctan(sqrt(l)) or log(l) is uniform."},
    {.name = "first",
     .type = DUN_NUMBER,
     .offset = AT(first),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e12,
     .doc = "Least signal over noise, of coordinates of the examples' mean square."},
    {.name = "last",
     .type = DUN_NUMBER,
     .offset = AT(last),
     .initial = "1e4",
     .minimum = 1e-12,
     .maximum = 1e12,
     .doc = "The largest; what is asked beyond is told by the nearest."},
    {.name = "precision",
     .type = DUN_CHOICE,
     .offset = AT(precision),
     .initial = "single",
     .words = "single|double",
     .doc = "Of the network's products; sums over examples are double."},
    {.name = "every",
     .type = DUN_INTEGER,
     .offset = AT(every),
     .initial = "auto",
     .words = "auto",
     .minimum = 1,
     .maximum = 1e9,
     .doc = "Steps between looks at the held-back examples, a row of the table each; the weights "
            "that did best are the result.  auto: a hundredth of all."},
    {.name = "patience",
     .type = DUN_INTEGER,
     .offset = AT(patience),
     .initial = "none",
     .words = "none",
     .minimum = 1,
     .maximum = 1e9,
     .doc = "It ends after so many looks that were no better than the best."},
    {0},
};
