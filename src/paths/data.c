/* Data tempering (Chopin 2002, Biometrika 89, 539: iterated batch importance sampling): time t is
 * the share of the observations that count, log pi_t = (1 - t) log base + t log prior + log
 * likelihood of the first t N, so that an evaluation at t costs about t of a whole one.
 *
 * Observations come in batches, each `growth` times what was seen before, and a batch counts by a
 * fraction, all of it by the same: between the edges of batches the path is affine, and the next
 * time is found from the weights without another evaluation.  One observation after the other
 * would ask for one each time; a batch of half of what was seen costs an evaluation at most half
 * more.
 *
 * At an edge the batch that ends there is the last; what lies above begins the next one. */
#include "base/error.h"
#include "base/memory.h"
#include "numerics/given.h"
#include "paths/path.h"
#include <math.h>
#include <string.h>

enum { BASE_PRIOR, BASE_GAUSSIAN };
enum { ORDER_DRAWN, ORDER_FILE };
enum { BASE, PRIOR, SEEN, BATCH, PARTS };

struct data {
  /* options */
  struct {
    int type;
    struct dun_numbers mean, scale;
  } base;
  int order;
  long long order_seed, first;
  double growth;
  struct dun_schedule schedule;

  /* made by init */
  struct dun_evaluator *target;
  struct dun_gaussian gaussian;
  double *work;     /* the Gaussian's scratch */
  int observations; /* N */
  int *which;       /* [N]: their order */
  int batches;      /* B */
  int *edge;        /* [B + 1]: observations before a batch, from 0 to N */
};

/* ---- batches ------------------------------------------------------------------------------ */

static double edge_time(const struct data *d, int b)
{
  return (double)d->edge[b] / (double)d->observations;
}

/* The batch that counts by a fraction at t: those before it are seen. */
static int batch_at(const struct data *d, double t)
{
  int b = 0;
  while (b < d->batches - 1 && t > edge_time(d, b + 1))
    b++;
  return b;
}

static double piece_end(const void *self, double t)
{
  const struct data *d = self;
  int b = 0;
  while (b < d->batches - 1 && t >= edge_time(d, b + 1))
    b++;
  return edge_time(d, b + 1);
}

static int after(const struct data *d, int edge)
{
  double wanted = edge == 0 ? (double)d->first : ceil(d->growth * edge);
  wanted = wanted > edge + 1 ? wanted : edge + 1;
  return wanted < d->observations ? (int)wanted : d->observations;
}

static int make_batches(struct data *d)
{
  d->batches = 0;
  for (int m = 0; m < d->observations; m = after(d, m))
    d->batches++;
  d->edge = dun_allocate((int64_t)d->batches + 1, sizeof *d->edge);
  if (!d->edge)
    return DUN_ERROR_MEMORY;
  for (int b = 0; b < d->batches; b++)
    d->edge[b + 1] = after(d, d->edge[b]);
  return 0;
}

/* Fisher and Yates.  The seed is the path's own, so that runs of other seeds follow one path. */
static int make_order(struct data *d)
{
  struct dun_address address = {.seed = (uint64_t)d->order_seed, .purpose = DUN_PURPOSE_ORDER};
  d->which = dun_allocate(d->observations, sizeof *d->which);
  if (!d->which)
    return DUN_ERROR_MEMORY;
  for (int i = 0; i < d->observations; i++)
    d->which[i] = i;
  for (int i = d->observations - 1; i > 0 && d->order == ORDER_DRAWN; i--) {
    int j = (int)((1 - dun_uniform_one(address, i)) * (i + 1)), moved = d->which[i];
    d->which[i] = d->which[j];
    d->which[j] = moved;
  }
  return 0;
}

/* ---- setting up -------------------------------------------------------------------------- */

static int init_base(struct data *d)
{
  const struct dun_target *t = d->target->target;
  if (d->base.type == BASE_PRIOR && (!t->prior || !t->draw_prior))
    return dun_fail(DUN_ERROR_INPUT,
                    "path.base.type: target %s has no prior to draw from; use gaussian",
                    t->type.name);
  if (d->base.type == BASE_GAUSSIAN &&
      dun_given_gaussian(&d->gaussian, d->target->dimension, &d->base.mean, "path.base.mean",
                         &d->base.scale, "path.base.scale") < 0)
    return DUN_ERROR_INPUT;
  d->work = dun_allocate((int64_t)dun_gaussian_work_columns(&d->gaussian) + 1,
                         DUN_LANES * sizeof *d->work);
  return d->work ? 0 : DUN_ERROR_MEMORY;
}

static int init_local(struct data *d)
{
  int status;
  d->observations = dun_evaluator_observations(d->target);
  if (d->observations <= 0)
    return d->observations < 0
               ? d->observations
               : dun_fail(DUN_ERROR_INPUT,
                          "path data counts observations, and target %s does not give its "
                          "likelihood in parts (`observed` of dunlin/target.h); use path geometric",
                          d->target->target->type.name);
  if ((status = init_base(d)) < 0 || (status = make_batches(d)) < 0)
    return status;
  return make_order(d);
}

/* A stated step ends where a batch does. */
static int add_edges(struct data *d)
{
  struct dun_numbers *times = &d->schedule.times;
  double *all = dun_allocate(times->count + d->batches, sizeof *all);
  long long count = 0;
  int b = 1;
  if (!all)
    return DUN_ERROR_MEMORY;
  for (long long k = 0; k < times->count; k++) {
    while (b <= d->batches && edge_time(d, b) < times->value[k])
      all[count++] = edge_time(d, b++);
    b += b <= d->batches && edge_time(d, b) == times->value[k];
    all[count++] = times->value[k];
  }
  dun_free(times->value);
  *times = (struct dun_numbers){.count = count, .value = all};
  return 0;
}

static void release(void *self)
{
  struct data *d = self;
  dun_gaussian_free(&d->gaussian);
  dun_schedule_free(&d->schedule);
  DUN_FREE(d->work);
  DUN_FREE(d->which);
  DUN_FREE(d->edge);
}

static int init(struct dun_context *context, void *self, struct dun_evaluator *target)
{
  struct data *d = self;
  release(d);
  d->target = target;
  int status = dun_agree(context, init_local(d));
  if (status >= 0)
    status = dun_schedule_init(context, &d->schedule);
  if (status >= 0 && d->schedule.type != DUN_SCHEDULE_ADAPTIVE)
    status = dun_agree(context, add_edges(d));
  return status;
}

/* ---- the path ---------------------------------------------------------------------------- */

static void coefficients(const void *self, double t, double *coefficient)
{
  const struct data *d = self;
  int b = batch_at(d, t), prior = d->base.type == BASE_PRIOR;
  double begin = edge_time(d, b);
  coefficient[BASE] = prior ? 0 : 1 - t;
  coefficient[PRIOR] = prior ? 1 : t;
  coefficient[SEEN] = b > 0;
  coefficient[BATCH] = (t - begin) / (edge_time(d, b + 1) - begin);
}

extern const struct dun_path dun_path_data;

static double *part_of(const struct dun_request *request, int k)
{
  return request->part_lp ? request->part_lp + (ptrdiff_t)k * DUN_LANES : NULL;
}

static void evaluate_base(const struct data *d, const struct dun_request *request, const double *c)
{
  double *base = part_of(request, BASE), *prior = part_of(request, PRIOR);
  if (d->base.type == BASE_GAUSSIAN) {
    dun_gaussian_write(&d->gaussian, request->x, base, c, request->gradient, d->work);
  } else {
    if (base)
      memset(base, 0, DUN_LANES * sizeof *base);
    if (request->gradient)
      memset(request->gradient, 0,
             (size_t)d->target->dimension * DUN_LANES * sizeof *request->gradient);
  }
  if (d->target->target->prior)
    dun_evaluate_prior(d->target, request->n, request->x, prior, c + (ptrdiff_t)PRIOR * DUN_LANES,
                       request->gradient);
  else if (prior)
    memset(prior, 0, DUN_LANES * sizeof *prior);
}

/* The observations seen before batch b, or its own, at the lanes whose batch it is. */
static void evaluate_part(const struct data *d, const struct dun_request *request, const double *c,
                          const int *batch, int b, int part)
{
  double scale[DUN_LANES] __attribute__((aligned(64))), lp[DUN_LANES] __attribute__((aligned(64)));
  double *out = part_of(request, part);
  int first = part == SEEN ? 0 : d->edge[b], end = d->edge[part == SEEN ? b : b + 1];

  memset(lp, 0, sizeof lp);
  for (int l = 0; l < DUN_LANES; l++)
    scale[l] = batch[l] == b ? c[part * DUN_LANES + l] : 0;
  if (end > first)
    dun_evaluate_observed(d->target, request->n, end - first, d->which + first, request->x,
                          out ? lp : NULL, scale, request->gradient);
  for (int l = 0; l < DUN_LANES && out; l++)
    out[l] = batch[l] == b ? lp[l] : out[l];
}

static void evaluate(const void *self, const struct dun_request *request)
{
  const struct data *d = self;
  double own[DUN_MAX_PARTS * DUN_LANES] __attribute__((aligned(64)));
  const double *c = request->coefficient;
  int batch[DUN_LANES];

  if (!c) {
    dun_path_lane_coefficients(&dun_path_data, self, request->time, own);
    c = own;
  }
  evaluate_base(d, request, c);
  for (int l = 0, now = 0; l < DUN_LANES; l++) {
    if (l == 0 || request->time[l] != request->time[l - 1])
      now = batch_at(d, request->time[l]);
    batch[l] = now;
  }
  for (int l = 0; l < DUN_LANES; l++) {
    int met = 0;
    for (int i = 0; i < l && !met; i++)
      met = batch[i] == batch[l];
    for (int part = SEEN; part <= BATCH && !met; part++)
      evaluate_part(d, request, c, batch, batch[l], part);
  }
  dun_evaluator_count(d->target, request->n, request->gradient != NULL);
  if (request->lp)
    dun_path_combine_parts(PARTS, c, request->part_lp, request->lp);
}

static void draws(const void *self, int *uniforms, int *normals)
{
  const struct data *d = self;
  int prior = d->base.type == BASE_PRIOR;
  *uniforms = prior ? d->target->target->draw_uniforms : 0;
  *normals = prior ? d->target->target->draw_normals : -1;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct data *d = self;
  if (d->base.type == BASE_PRIOR)
    dun_evaluator_draw_prior(d->target, uniform, normal, x);
  else
    dun_gaussian_draw(&d->gaussian, normal, x);
}

static const struct dun_schedule *schedule(const void *self)
{
  return &((const struct data *)self)->schedule;
}

/* ---- options ----------------------------------------------------------------------------- */

#define WITHIN(member) offsetof(struct data, base.member) - offsetof(struct data, base)
static const struct dun_option base_options[] = {
    {.name = "type",
     .type = DUN_CHOICE,
     .offset = WITHIN(type),
     .initial = "prior",
     .words = "prior|gaussian",
     .doc = "The target's prior, or a stated Gaussian, which the prior replaces on the way."},
    {.name = "mean",
     .type = DUN_NUMBERS,
     .offset = WITHIN(mean),
     .initial = "0",
     .when = "type=gaussian",
     .doc = "Mean of the Gaussian; one number or one for each coordinate."},
    {.name = "scale",
     .type = DUN_NUMBERS,
     .offset = WITHIN(scale),
     .minimum = 1e-300,
     .maximum = 1e300,
     .when = "type=gaussian",
     .doc = "Standard deviation of the Gaussian."},
    {0},
};

static const struct dun_option options[] = {
    {.name = "base",
     .type = DUN_SECTION,
     .offset = offsetof(struct data, base),
     .initial = "",
     .rows = base_options,
     .doc = "The law at t = 0, before any observation."},
    {.name = "order",
     .type = DUN_CHOICE,
     .offset = offsetof(struct data, order),
     .initial = "drawn",
     .words = "drawn|file",
     .doc = "The observations' order: by chance, or that of the file."},
    {.name = "order_seed",
     .type = DUN_INTEGER,
     .offset = offsetof(struct data, order_seed),
     .initial = "1",
     .minimum = 0,
     .maximum = 1e15,
     .when = "order=drawn",
     .doc =
         "Seed of that order, which is not the run's: runs of other seeds follow the same path."},
    {.name = "first",
     .type = DUN_INTEGER,
     .offset = offsetof(struct data, first),
     .initial = "1",
     .minimum = 1,
     .maximum = 1e9,
     .doc = "Observations in the first batch."},
    {.name = "growth",
     .type = DUN_NUMBER,
     .offset = offsetof(struct data, growth),
     .initial = "1.5",
     .minimum = 1.01,
     .maximum = 1e9,
     .doc = "By what factor each further batch makes those seen more; a time falls on each edge."},
    {.name = "schedule",
     .type = DUN_SECTION,
     .offset = offsetof(struct data, schedule),
     .initial = "",
     .rows = dun_schedule_options,
     .doc = "The times between, to which the edges of batches are added."},
    {0},
};

const struct dun_path dun_path_data = {
    .type = {DUN_TYPE(struct dun_path), .name = "data",
             .doc = "Data tempering, for method smc: the observations come one batch after the "
                    "other, and t is the share of them that counts.",
             .citation = "Chopin 2002, Biometrika 89, 539", .size = sizeof(struct data),
             .options = options, .free = release},
    .affine = 1,
    .parts = PARTS,
    .part_name = {"base", "prior", "seen", "batch"},
    .coefficients = coefficients,
    .piece_end = piece_end,
    .init = init,
    .evaluate = evaluate,
    .draws = draws,
    .draw = draw,
    .schedule = schedule,
};
