/* Trajectories of the no-U-turn sampler. */
#include "base/memory.h"
#include "nuts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the trajectory: momenta and velocities at the ends of its forward and backward halves, sums of
 * momenta of the whole, of each half, and over a seam. */
enum {
  P_FORWARD_OUTER,
  P_FORWARD_INNER,
  P_BACKWARD_INNER,
  P_BACKWARD_OUTER,
  V_FORWARD_OUTER,
  V_FORWARD_INNER,
  V_BACKWARD_INNER,
  V_BACKWARD_OUTER,
  RHO,
  RHO_FORWARD,
  RHO_BACKWARD,
  EDGES
};
_Static_assert(EDGES == sizeof((struct nuts_chain *)0)->edge / sizeof(double *), "edges");

/* ---- random numbers (splitmix64) ------------------------------------------------------------ */

double nuts_uniform(struct nuts_random *random)
{
  uint64_t z = random->state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return ((double)(z >> 11) + .5) / 9007199254740992.;
}

double nuts_normal(struct nuts_random *random)
{
  double radius = sqrt(-2 * log(nuts_uniform(random)));
  return radius * cos(2 * acos(-1) * nuts_uniform(random));
}

/* ---- vectors and points --------------------------------------------------------------------- */

static double dot(int d, const double *a, const double *b)
{
  double sum = 0;
  for (int j = 0; j < d; j++)
    sum += a[j] * b[j];
  return sum;
}

static void copy(int d, double *to, const double *from)
{
  memcpy(to, from, (size_t)d * sizeof *to);
}

static void clear(int d, double *v)
{
  memset(v, 0, (size_t)d * sizeof *v);
}

static void add(int d, double *to, const double *v)
{
  for (int j = 0; j < d; j++)
    to[j] += v[j];
}

static void copy_point(int d, struct nuts_point *to, const struct nuts_point *from)
{
  copy(d, to->q, from->q);
  copy(d, to->p, from->p);
  copy(d, to->gradient, from->gradient);
  to->lp = from->lp;
}

static int make(int d, double **v)
{
  *v = dun_allocate(d, sizeof **v);
  return *v ? 0 : -1;
}

static int make_point(int d, struct nuts_point *point)
{
  return make(d, &point->q) | make(d, &point->p) | make(d, &point->gradient);
}

static void free_point(struct nuts_point *point)
{
  DUN_FREE(point->q);
  DUN_FREE(point->p);
  DUN_FREE(point->gradient);
}

static int make_seam(int d, struct nuts_seam *s)
{
  return make(d, &s->init_end) | make(d, &s->init_end_sharp) | make(d, &s->final_begin) |
         make(d, &s->final_begin_sharp) | make(d, &s->rho_init) | make(d, &s->rho_final) |
         make_point(d, &s->proposal);
}

static void free_seam(struct nuts_seam *s)
{
  DUN_FREE(s->init_end);
  DUN_FREE(s->init_end_sharp);
  DUN_FREE(s->final_begin);
  DUN_FREE(s->final_begin_sharp);
  DUN_FREE(s->rho_init);
  DUN_FREE(s->rho_final);
  free_point(&s->proposal);
}

int nuts_init(struct nuts_chain *c, struct dun_evaluator *evaluator, int dense, uint64_t seed)
{
  int d = evaluator->dimension, status = 0;
  *c = (struct nuts_chain){.evaluator = evaluator, .d = d, .dense = dense, .step = 1};
  c->random.state = seed * 0x632be59bd9b4e019u + 1;
  struct nuts_point *point[] = {&c->now,      &c->z,      &c->forward,
                                &c->backward, &c->sample, &c->proposal};
  for (int i = 0; i < 6; i++)
    status |= make_point(d, point[i]);
  for (int i = 0; i <= NUTS_DEEPEST; i++)
    status |= make_seam(d, &c->seam[i]);
  for (int i = 0; i < EDGES; i++)
    status |= make(d, &c->edge[i]);
  status |= make(2 * d * DUN_LANES, &c->columns) | make(d, &c->velocity);
  status |= make(dense ? d * d : d, &c->inverse);
  status |= make(dense ? d * d : 1, &c->factor);
  for (int j = 0; j < d && status == 0; j++)
    c->inverse[dense ? j * d + j : j] = 1;
  return status < 0 ? status : nuts_factor(c);
}

void nuts_free(struct nuts_chain *c)
{
  struct nuts_point *point[] = {&c->now,      &c->z,      &c->forward,
                                &c->backward, &c->sample, &c->proposal};
  for (int i = 0; i < 6; i++)
    free_point(point[i]);
  for (int i = 0; i <= NUTS_DEEPEST; i++)
    free_seam(&c->seam[i]);
  for (int i = 0; i < EDGES; i++)
    DUN_FREE(c->edge[i]);
  DUN_FREE(c->columns);
  DUN_FREE(c->velocity);
  DUN_FREE(c->inverse);
  DUN_FREE(c->factor);
}

/* ---- density, metric, leapfrog -------------------------------------------------------------- */

/* Targets by point without the detour through tiles. */
static void evaluate_point(struct nuts_chain *c, struct nuts_point *z)
{
  const struct dun_target *target = c->evaluator->target;
  z->lp = target->point(c->evaluator->self, z->q, z->gradient);
  int finite = isfinite(z->lp);
  for (int j = 0; j < c->d; j++)
    z->gradient[j] = finite && isfinite(z->gradient[j]) ? z->gradient[j] : 0;
  z->lp = finite ? z->lp : -INFINITY;
}

static void evaluate_tile(struct nuts_chain *c, struct nuts_point *z)
{
  _Alignas(64) double lp[DUN_LANES], scale[DUN_LANES];
  double *x = c->columns, *gradient = x + (size_t)c->d * DUN_LANES;
  clear(c->d * DUN_LANES, gradient);
  for (int l = 0; l < DUN_LANES; l++)
    scale[l] = 1;
  for (int j = 0; j < c->d; j++)
    for (int l = 0; l < DUN_LANES; l++)
      x[j * DUN_LANES + l] = z->q[j];
  dun_evaluate(c->evaluator, 1, x, lp, scale, gradient);
  z->lp = lp[0];
  for (int j = 0; j < c->d; j++)
    z->gradient[j] = gradient[j * DUN_LANES];
}

static void evaluate(struct nuts_chain *c, struct nuts_point *z)
{
  int finite = 1;
  for (int j = 0; j < c->d; j++)
    finite &= isfinite(z->q[j]);
  c->gradients++;
  if (finite && c->evaluator->target->point)
    evaluate_point(c, z);
  else
    evaluate_tile(c, z);
}

/* velocity = (inverse metric) p; by columns, which are rows, since sums of one row cannot be
 * vectors. */
static void sharp(const struct nuts_chain *c, const double *restrict p, double *restrict velocity)
{
  int d = c->d;
  for (int j = 0; j < d; j++)
    velocity[j] = c->dense ? 0 : c->inverse[j] * p[j];
  for (int i = 0; i < d && c->dense; i++) {
    const double *restrict row = c->inverse + (size_t)i * d;
    double factor = p[i];
    for (int j = 0; j < d; j++)
      velocity[j] += factor * row[j];
  }
}

/* Of a point whose velocity is known. */
static double energy(const struct nuts_chain *c, const struct nuts_point *z, const double *velocity)
{
  double sum = .5 * dot(c->d, z->p, velocity) - z->lp;
  return isnan(sum) ? INFINITY : sum;
}

int nuts_factor(struct nuts_chain *c)
{
  int d = c->d;
  for (int i = 0; i < d && c->dense; i++)
    for (int j = 0; j <= i; j++) {
      double *row = c->factor + (size_t)i * d, *other = c->factor + (size_t)j * d;
      double rest = c->inverse[i * d + j] - dot(j, row, other);
      if (i == j && !(rest > 0))
        return -1;
      row[j] = i == j ? sqrt(rest) : rest / other[j];
    }
  return 0;
}

/* p ~ N(0, metric): with inverse = L L^T it is L^-T times standard normals. */
static void draw_momentum(struct nuts_chain *c, double *p)
{
  int d = c->d;
  for (int j = 0; j < d; j++)
    p[j] = nuts_normal(&c->random);
  for (int j = d - 1; j >= 0; j--)
    if (c->dense) {
      for (int i = j + 1; i < d; i++)
        p[j] -= c->factor[i * d + j] * p[i];
      p[j] /= c->factor[j * d + j];
    } else
      p[j] /= sqrt(c->inverse[j]);
}

static void leapfrog(struct nuts_chain *c, struct nuts_point *z, double step)
{
  int d = c->d;
  for (int j = 0; j < d; j++)
    z->p[j] += .5 * step * z->gradient[j];
  for (int j = 0; j < d; j++)
    z->q[j] +=
        step * (c->dense ? dot(d, c->inverse + (size_t)j * d, z->p) : c->inverse[j] * z->p[j]);
  evaluate(c, z);
  for (int j = 0; j < d; j++)
    z->p[j] += .5 * step * z->gradient[j];
}

int nuts_start(struct nuts_chain *c)
{
  for (int trial = 0; trial < 100; trial++) {
    for (int j = 0; j < c->d; j++)
      c->now.q[j] = 4 * nuts_uniform(&c->random) - 2;
    evaluate(c, &c->now);
    int finite = isfinite(c->now.lp);
    for (int j = 0; j < c->d; j++)
      finite &= isfinite(c->now.gradient[j]);
    if (finite)
      return 0;
  }
  return -1;
}

/* Gain of a leapfrog from here, with fresh momenta. */
static double gain_of_step(struct nuts_chain *c)
{
  copy_point(c->d, &c->z, &c->now);
  draw_momentum(c, c->z.p);
  sharp(c, c->z.p, c->velocity);
  double before = energy(c, &c->z, c->velocity);
  leapfrog(c, &c->z, c->step);
  sharp(c, c->z.p, c->velocity);
  return before - energy(c, &c->z, c->velocity);
}

void nuts_find_step(struct nuts_chain *c)
{
  double limit = log(.8), up = gain_of_step(c) > limit;
  while (c->step > 0 && c->step < 1e7) {
    double gain = gain_of_step(c);
    if (up ? !(gain > limit) : !(gain < limit))
      break;
    c->step *= up ? 2 : .5;
  }
}

/* ---- the tree ------------------------------------------------------------------------------- */

static double log_sum(double a, double b)
{
  double top = fmax(a, b);
  return top == -INFINITY ? top : top + log1p(exp(-fabs(a - b)));
}

/* The generalised criterion: the sum of momenta still points forth at both ends. */
static int goes_on(int d, const double *begin_sharp, const double *end_sharp, const double *rho)
{
  return dot(d, begin_sharp, rho) > 0 && dot(d, end_sharp, rho) > 0;
}

/* The same for a subtree and the first momentum beyond the seam. */
static int goes_on_beyond(int d, const double *begin_sharp, const double *end_sharp,
                          const double *rho, const double *next)
{
  double begin = dot(d, begin_sharp, rho) + dot(d, begin_sharp, next);
  double end = dot(d, end_sharp, rho) + dot(d, end_sharp, next);
  return begin > 0 && end > 0;
}

/* What a subtree hands on: momenta and velocities at its ends, the sum of momenta (added to), a
 * draw from its states, and the log of their weights. */
struct branch {
  double *begin, *end, *begin_sharp, *end_sharp, *rho;
  struct nuts_point *proposal;
  double log_weight;
};

/* What all subtrees of a trajectory share. */
struct trajectory {
  double energy, step, sum_acceptance;
  int leapfrogs;
};

static int leaf(struct nuts_chain *c, struct trajectory *t, struct branch *b)
{
  leapfrog(c, &c->z, t->step);
  t->leapfrogs++;
  sharp(c, c->z.p, b->begin_sharp);
  double gain = t->energy - energy(c, &c->z, b->begin_sharp);
  c->divergent |= -gain > 1000;
  b->log_weight = gain;
  t->sum_acceptance += gain > 0 ? 1 : exp(gain);
  copy_point(c->d, b->proposal, &c->z);
  copy(c->d, b->end_sharp, b->begin_sharp);
  add(c->d, b->rho, c->z.p);
  copy(c->d, b->begin, c->z.p);
  copy(c->d, b->end, c->z.p);
  return !c->divergent;
}

/* 0: the trajectory ends here, and nothing of this subtree counts. */
static int grow(struct nuts_chain *c, struct trajectory *t, int depth, struct branch *b)
{
  if (depth == 0)
    return leaf(c, t, b);
  int d = c->d;
  struct nuts_seam *s = &c->seam[depth];
  struct branch init = {
      b->begin, s->init_end, b->begin_sharp, s->init_end_sharp, s->rho_init, b->proposal, 0};
  struct branch final = {s->final_begin, b->end, s->final_begin_sharp, b->end_sharp, s->rho_final,
                         &s->proposal,   0};
  clear(d, s->rho_init);
  clear(d, s->rho_final);
  if (!grow(c, t, depth - 1, &init) || !grow(c, t, depth - 1, &final))
    return 0;
  b->log_weight = log_sum(init.log_weight, final.log_weight);
  if (nuts_uniform(&c->random) < exp(final.log_weight - b->log_weight))
    copy_point(d, b->proposal, final.proposal);
  int on = goes_on_beyond(d, init.begin_sharp, final.begin_sharp, s->rho_init, s->final_begin) &&
           goes_on_beyond(d, init.end_sharp, final.end_sharp, s->rho_final, s->init_end);
  add(d, s->rho_init, s->rho_final);
  add(d, b->rho, s->rho_init);
  return on && goes_on(d, b->begin_sharp, b->end_sharp, s->rho_init);
}

/* Doubles the trajectory forward or backward.  1: it goes on. */
static int extend(struct nuts_chain *c, struct trajectory *t, int forward, double *log_weight)
{
  int d = c->d;
  double **e = c->edge, *old_rho = e[forward ? RHO_BACKWARD : RHO_FORWARD];
  struct nuts_point *end = forward ? &c->forward : &c->backward;
  struct branch b = {.begin = e[forward ? P_FORWARD_INNER : P_BACKWARD_INNER],
                     .end = e[forward ? P_FORWARD_OUTER : P_BACKWARD_OUTER],
                     .begin_sharp = e[forward ? V_FORWARD_INNER : V_BACKWARD_INNER],
                     .end_sharp = e[forward ? V_FORWARD_OUTER : V_BACKWARD_OUTER],
                     .rho = e[forward ? RHO_FORWARD : RHO_BACKWARD],
                     .proposal = &c->proposal};
  /* What was the outer end on this side lies inside now. */
  copy(d, e[forward ? P_BACKWARD_INNER : P_FORWARD_INNER], b.end);
  copy(d, e[forward ? V_BACKWARD_INNER : V_FORWARD_INNER], b.end_sharp);
  copy(d, old_rho, e[RHO]);
  clear(d, b.rho);
  copy_point(d, &c->z, end);
  t->step = forward ? c->step : -c->step;
  int valid = grow(c, t, c->depth, &b);
  copy_point(d, end, &c->z);
  if (!valid)
    return 0;
  c->depth++;
  if (nuts_uniform(&c->random) < exp(b.log_weight - *log_weight))
    copy_point(d, &c->sample, &c->proposal);
  *log_weight = log_sum(*log_weight, b.log_weight);
  copy(d, e[RHO], e[RHO_FORWARD]);
  add(d, e[RHO], e[RHO_BACKWARD]);
  return goes_on(d, e[V_BACKWARD_OUTER], e[V_FORWARD_OUTER], e[RHO]) &&
         goes_on_beyond(d, e[V_BACKWARD_OUTER], e[V_FORWARD_INNER], e[RHO_BACKWARD],
                        e[P_FORWARD_INNER]) &&
         goes_on_beyond(d, e[V_BACKWARD_INNER], e[V_FORWARD_OUTER], e[RHO_FORWARD],
                        e[P_BACKWARD_INNER]);
}

void nuts_move(struct nuts_chain *c)
{
  int d = c->d, on = 1;
  double log_weight = 0;
  draw_momentum(c, c->now.p);
  sharp(c, c->now.p, c->velocity);
  struct trajectory t = {.energy = energy(c, &c->now, c->velocity)};
  copy_point(d, &c->forward, &c->now);
  copy_point(d, &c->backward, &c->now);
  copy_point(d, &c->sample, &c->now);
  for (int i = P_FORWARD_OUTER; i <= P_BACKWARD_OUTER; i++)
    copy(d, c->edge[i], c->now.p);
  for (int i = V_FORWARD_OUTER; i <= V_BACKWARD_OUTER; i++)
    copy(d, c->edge[i], c->velocity);
  copy(d, c->edge[RHO], c->now.p);
  c->depth = c->divergent = 0;
  while (on && c->depth < NUTS_DEEPEST)
    on = extend(c, &t, nuts_uniform(&c->random) > .5, &log_weight);
  copy_point(d, &c->now, &c->sample);
  c->acceptance = t.sum_acceptance / t.leapfrogs;
  c->moves++;
  c->divergences += c->divergent;
  c->deepest += c->depth == NUTS_DEEPEST;
}
