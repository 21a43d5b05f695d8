/* Information percolation: first the root's coordinate, then one edge of a graph after the other is
 * revealed, that is how the coordinates at its ends compare: the product of spins, the difference
 * of reals, and of letters modulo their number (Montanari 2023, arXiv 2305.10690).  What has been
 * revealed is known of whole clusters.  The order is drawn once, from `order_seed`; t counts what
 * has been. */
#include "base/error.h"
#include "base/memory.h"
#include "observations/observation.h"
#include <math.h>

enum { L = DUN_LANES, RING = 0, COMPLETE, GIVEN };

struct percolation {
  int graph;
  struct dun_matrix given; /* [edges][2] */
  long long seed;

  struct dun_observed of;
  int64_t edges;
  int64_t (*edge)[2]; /* in the order of revelation; owned */
};

static void make_edges(struct percolation *s)
{
  int64_t d = s->of.d, e = 0;
  for (int64_t k = 0; k < s->given.rows && s->graph == GIVEN; k++) {
    s->edge[k][0] = (int64_t)s->given.value[2 * k];
    s->edge[k][1] = (int64_t)s->given.value[2 * k + 1];
  }
  for (int64_t i = 0; i < d && s->graph == RING; i++) {
    s->edge[i][0] = i;
    s->edge[i][1] = (i + 1) % d;
  }
  for (int64_t i = 0; i < d && s->graph == COMPLETE; i++)
    for (int64_t j = i + 1; j < d; j++, e++) {
      s->edge[e][0] = i;
      s->edge[e][1] = j;
    }
}

/* Fisher and Yates. */
static void shuffle(struct percolation *s)
{
  const struct dun_address address = {.seed = (uint64_t)s->seed, .purpose = DUN_PURPOSE_DATA};
  for (int64_t i = s->edges - 1; i > 0; i--) {
    int64_t j = (int64_t)(dun_uniform_one(address, i) * (double)(i + 1));
    j = j > i ? i : j;
    for (int k = 0; k < 2; k++) {
      int64_t held = s->edge[i][k];
      s->edge[i][k] = s->edge[j][k];
      s->edge[j][k] = held;
    }
  }
}

/* Whether all sites hang together: each takes the least number among its neighbours'. */
static int check_whole(const struct percolation *s)
{
  int64_t d = s->of.d, *least = dun_allocate(d, sizeof *least), lost = -1;
  int changed = 1;
  if (!least)
    return DUN_ERROR_MEMORY;
  for (int64_t i = 0; i < d; i++)
    least[i] = i;
  while (changed) {
    changed = 0;
    for (int64_t e = 0; e < s->edges; e++) {
      int64_t a = s->edge[e][0], b = s->edge[e][1];
      int64_t low = least[a] < least[b] ? least[a] : least[b];
      changed |= least[a] != low || least[b] != low;
      least[a] = least[b] = low;
    }
  }
  for (int64_t i = d - 1; i >= 0; i--)
    lost = least[i] == 0 ? lost : i;
  dun_free(least);
  if (lost < 0)
    return 0;
  return dun_fail(DUN_ERROR_INPUT,
                  "observation percolation: no edges lead from site 0 to site %lld: what is there "
                  "would never be known",
                  (long long)lost);
}

static int check_given(const struct percolation *s)
{
  for (int64_t k = 0; k < 2 * s->given.rows; k++) {
    double site = s->given.value[k];
    if (site != floor(site) || site < 0 || site >= s->of.d)
      return dun_fail(
          DUN_ERROR_INPUT,
          "observation.edges: edge %lld has the site %g, expected a whole number from 0 "
          "to %d",
          (long long)(k / 2), site, s->of.d - 1);
  }
  if (s->given.columns == 2)
    return 0;
  return dun_fail(DUN_ERROR_INPUT, "observation.edges: found %lld numbers for an edge, expected 2",
                  s->given.columns);
}

static int init(void *self, const struct dun_observed *of)
{
  struct percolation *s = self;
  int64_t d = of->d;
  int status = 0;
  s->of = *of;
  if (s->graph == GIVEN && (status = check_given(s)) < 0)
    return status;
  s->edges = s->graph == GIVEN ? s->given.rows : s->graph == RING ? d : d * (d - 1) / 2;
  s->edge = dun_allocate(s->edges + 1, sizeof *s->edge);
  if (!s->edge)
    return DUN_ERROR_MEMORY;
  make_edges(s);
  shuffle(s);
  return check_whole(s);
}

static void release(void *self)
{
  DUN_FREE(((struct percolation *)self)->edge);
}

static int width(const void *self)
{
  return 1 + (int)((const struct percolation *)self)->edges;
}

static void ends(const void *self, double *first, double *last)
{
  *first = 0;
  *last = (double)width(self);
}

static double compare(const struct percolation *s, double a, double b)
{
  if (s->of.spins)
    return a * b;
  return s->of.letters && a < b ? a - b + s->of.letters : a - b;
}

static void step(const void *self, double t, double next, const struct dun_known *x,
                 struct dun_address address, double *y)
{
  const struct percolation *s = self;
  (void)address;
  for (int64_t k = (int64_t)t; k < (int64_t)next; k++)
    for (int l = 0; l < L; l++) {
      const int64_t *edge = k > 0 ? s->edge[k - 1] : NULL;
      y[k * L + l] =
          edge ? compare(s, x->mean[edge[0] * L + l], x->mean[edge[1] * L + l]) : x->mean[l];
    }
}

static void likelihood(const void *self, double t, const double *y, const double *x, double *out)
{
  const struct percolation *s = self;
  for (int64_t k = 0; k < (int64_t)t; k++) {
    const int64_t *edge = k > 0 ? s->edge[k - 1] : NULL;
    dun_observation_answer(y + k * L, edge ? compare(s, x[edge[0]], x[edge[1]]) : x[0], out);
  }
}

static const struct dun_option options[] = {
    {.name = "graph",
     .type = DUN_CHOICE,
     .offset = offsetof(struct percolation, graph),
     .initial = "ring",
     .words = "ring|complete|given",
     .doc = "Which coordinates are compared: each with the next, all, or those of `edges`."},
    {.name = "edges",
     .type = DUN_MATRIX,
     .offset = offsetof(struct percolation, given),
     .initial = "",
     .when = "graph=given",
     .doc = "Pairs of coordinates, from 0, that lead from each to each."},
    {.name = "order_seed",
     .type = DUN_INTEGER,
     .offset = offsetof(struct percolation, seed),
     .initial = "1",
     .maximum = 9e15,
     .doc = "Of the order in which they are revealed."},
    {0},
};

const struct dun_observation dun_observation_percolation = {
    .type = {DUN_TYPE(struct dun_observation), .name = "percolation",
             .doc =
                 "One coordinate, and then how those at the ends of one edge of a graph after the "
                 "other compare.",
             .citation = "Montanari 2023, arXiv 2305.10690", .size = sizeof(struct percolation),
             .options = options, .free = release},
    .init = init,
    .width = width,
    .ends = ends,
    .time = dun_observation_whole,
    .step = step,
    .draws_only = dun_observation_always,
    .likelihood = likelihood,
};
