/* Stan's warm-up: windows in which the metric is learned, and dual averaging of the step size
 * (Hoffman & Gelman 2014, section 3.2: gamma .05, t0 10, kappa .75, acceptance .8). */
#include "base/memory.h"
#include "nuts.h"
#include <math.h>
#include <string.h>

struct averaging {
  double centre, mean, smooth;
  int count;
};

static void restart(struct averaging *a, double step)
{
  *a = (struct averaging){.centre = log(10 * step)};
}

static void learn_step(struct averaging *a, struct nuts_chain *c)
{
  double acceptance = c->acceptance < 1 ? c->acceptance : 1;
  double gain = 1 / (++a->count + 10.);
  a->mean += gain * (.8 - acceptance - a->mean);
  double x = a->centre - a->mean * sqrt(a->count) / .05, weight = pow(a->count, -.75);
  a->smooth += weight * (x - a->smooth);
  c->step = exp(x);
}

/* Draws of one window: mean, and sums of squares and products around it (Welford). */
struct moments {
  int n;
  double *mean, *sum, *off; /* [d], as the metric, [d]; owned */
};

static void learn_moments(struct moments *m, const struct nuts_chain *c)
{
  int d = c->d;
  m->n++;
  for (int j = 0; j < d; j++) {
    m->off[j] = c->now.q[j] - m->mean[j];
    m->mean[j] += m->off[j] / m->n;
  }
  for (int i = 0; i < d; i++) {
    double after = c->now.q[i] - m->mean[i];
    if (!c->dense)
      m->sum[i] += after * m->off[i];
    for (int j = 0; j < d && c->dense; j++)
      m->sum[i * d + j] += after * m->off[j];
  }
}

/* The window's covariance, drawn towards 1e-3 as by five draws. */
static int set_metric(struct moments *m, struct nuts_chain *c)
{
  int d = c->d, size = c->dense ? d * d : d;
  double keep = m->n / (m->n + 5.);
  for (int i = 0; i < size; i++) {
    int diagonal = !c->dense || i % (d + 1) == 0;
    c->inverse[i] = keep * m->sum[i] / (m->n - 1) + diagonal * 1e-3 * 5 / (m->n + 5.);
  }
  m->n = 0;
  memset(m->mean, 0, (size_t)d * sizeof *m->mean);
  memset(m->sum, 0, (size_t)size * sizeof *m->sum);
  return nuts_factor(c);
}

struct windows {
  int begin, end; /* of all of them */
  int size, last; /* of this one: length, and its last move */
};

static struct windows first_window(int warmup)
{
  int before = 75, base = 25, after = 50;
  if (before + base + after > warmup) {
    before = (int)(.15 * warmup);
    after = (int)(.1 * warmup);
    base = warmup - before - after;
  }
  return (struct windows){before, warmup - after, base, before + base - 1};
}

/* The next is twice as long, and takes all that is left where the one behind it would not fit. */
static void next_window(struct windows *w)
{
  if (w->last == w->end - 1)
    return;
  w->size *= 2;
  w->last += w->size;
  if (w->last != w->end - 1 && w->last + 2 * w->size >= w->end)
    w->last = w->end - 1;
}

static int learn(struct nuts_chain *c, int warmup, struct moments *m)
{
  struct averaging averaging;
  struct windows w = first_window(warmup);
  nuts_find_step(c);
  restart(&averaging, c->step);
  for (int i = 0; i < warmup; i++) {
    nuts_move(c);
    learn_step(&averaging, c);
    if (warmup < 20 || i < w.begin || i >= w.end)
      continue;
    learn_moments(m, c);
    if (i != w.last)
      continue;
    if (set_metric(m, c) < 0)
      return -1;
    next_window(&w);
    nuts_find_step(c);
    restart(&averaging, c->step);
  }
  c->step = exp(averaging.smooth);
  return 0;
}

int nuts_adapt(struct nuts_chain *c, int warmup)
{
  int d = c->d;
  struct moments m = {0};
  m.mean = dun_allocate(d, sizeof *m.mean);
  m.off = dun_allocate(d, sizeof *m.off);
  m.sum = dun_allocate(c->dense ? d * d : d, sizeof *m.sum);
  int status = m.mean && m.off && m.sum ? learn(c, warmup, &m) : -1;
  DUN_FREE(m.mean);
  DUN_FREE(m.off);
  DUN_FREE(m.sum);
  return status;
}
