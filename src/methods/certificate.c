#include "methods/certificate.h"
#include "base/error.h"
#include "base/memory.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

static int declare(struct dun_certificate *c, const struct dun_posterior *p, struct dun_run *run)
{
  c->log_weight = c->means = NULL;
  if (c->ways.wanted && !(c->log_weight = dun_run_column(run, "log_weight", DUN_F64, 1, 0,
                                                         "Log of the weight of the way.")))
    return DUN_ERROR_MEMORY;
  if (c->measured && !(c->means = dun_run_column(run, "means", DUN_F64, p->of.d, 0,
                                                 "What was known of the point a step ago.")))
    return DUN_ERROR_MEMORY;
  return 0;
}

int dun_certificate_init(struct dun_certificate *c, const struct dun_posterior *p,
                         struct dun_run *run, enum dun_certificate_of of)
{
  int alone = of != DUN_CERTIFICATE_OTHERS && !p->remembers && p->observation->weigh;
  int64_t column = (int64_t)p->of.d * L;
  dun_certificate_free(c);
  c->of = of;
  c->measured = of == DUN_CERTIFICATE_MEANS && alone && p->observation->square;
  c->ways.wanted = alone && dun_posterior_has_mass(p);
  if (!c->measured && !c->ways.wanted)
    return 0;
  c->block = dun_allocate((int64_t)p->width * L + column + 3 * L, sizeof *c->block);
  if (!c->block)
    return DUN_ERROR_MEMORY;
  c->last = c->block;
  c->weight = c->last + column;
  c->move = c->weight + L;
  c->ratio = c->move + L;
  c->before = c->ratio + L;
  if (c->ways.wanted)
    c->log_evidence = dun_posterior_whole(p);
  return declare(c, p, run);
}

void dun_certificate_free(struct dun_certificate *c)
{
  DUN_FREE(c->block);
}

void dun_certificate_start(struct dun_certificate *c)
{
  c->ways.particles = 0;
  memset(c->ways.sum, 0, sizeof c->ways.sum);
  c->moved = 0;
}

void dun_certificate_load(const struct dun_certificate *c, const struct dun_run *run, int64_t tile)
{
  if (c->log_weight)
    dun_tile_load(&run->population, c->log_weight, tile, c->weight);
  if (c->means)
    dun_tile_load(&run->population, c->means, tile, c->last);
  if (c->move)
    memset(c->move, 0, L * sizeof *c->move);
}

void dun_certificate_store(const struct dun_certificate *c, const struct dun_run *run, int64_t tile)
{
  if (c->log_weight)
    dun_tile_store(&run->population, c->log_weight, tile, c->weight);
  if (c->means)
    dun_tile_store(&run->population, c->means, tile, c->last);
}

void dun_certificate_look(const struct dun_certificate *c, const struct dun_posterior *p,
                          const double *time, int64_t k, int n)
{
  double square[L] __attribute__((aligned(64))) = {0};
  int64_t column = (int64_t)p->of.d * L;
  if (k == 0 && c->ways.wanted) {
    memset(c->weight, 0, L * sizeof *c->weight);
    dun_posterior_less_classes(p, c->weight);
  }
  if (c->ways.wanted)
    memcpy(c->before, p->y, (size_t)p->width * L * sizeof *c->before);
  if (!c->measured)
    return;
  for (int64_t i = 0; i < column && k > 0; i++)
    c->last[i] = p->mean[i] - c->last[i];
  if (k > 0)
    p->observation->square(p->observation_self, c->last, square);
  for (int l = 0; l < n && k > 0; l++)
    c->move[l] += isfinite(square[l]) ? (time[k] - time[k - 1]) * square[l] : 0;
  memcpy(c->last, p->mean, (size_t)column * sizeof *c->last);
}

void dun_certificate_add(const struct dun_certificate *c, const double *ratio)
{
  for (int l = 0; l < L && c->ways.wanted; l++)
    c->weight[l] -= ratio[l];
}

void dun_certificate_weigh(const struct dun_certificate *c, const struct dun_posterior *p, double t,
                           double next, const struct dun_known *known)
{
  if (!c->ways.wanted)
    return;
  memset(c->ratio, 0, L * sizeof *c->ratio);
  p->observation->weigh(p->observation_self, t, next, known, c->before, p->y, c->ratio);
  dun_certificate_add(c, c->ratio);
}

void dun_certificate_end(const struct dun_certificate *c, const double *mass)
{
  for (int l = 0; l < L && c->ways.wanted; l++)
    c->weight[l] += mass[l];
}

int dun_certificate_sum(struct dun_context *context, struct dun_certificate *c,
                        const struct dun_run *run)
{
  return c->ways.wanted ? dun_ways_sum(context, &c->ways, run, c->log_weight) : 0;
}

/* ---- what there is to say -------------------------------------------------------------------- */

/* Without weights: a field that makes errors of its own. */
static void judge_length(double length, const struct dun_posterior *p, long long steps,
                         struct dun_diagnosis *out)
{
  dun_diagnose(out, "steps", DUN_DOUBTFUL,
               "%lld steps of observation %s by single coordinates: their length costs about %.2g "
               "nats, by how far means move in them; what the errors of field %s cost is not known",
               steps, p->observation->type.name, length, p->field->type.name);
}

/* Which part of the divergence is whose. */
static void tell_parts(const struct dun_certificate *c, const struct dun_posterior *p, double nats,
                       double length, int sure, struct dun_diagnosis *out)
{
  if (!c->measured)
    return;
  if (sure)
    dun_diagnose(out, "parts", DUN_GOOD,
                 "all of it is the steps' length, about %.3g nats by how far means move in them: "
                 "field %s makes no errors",
                 length, p->field->type.name);
  else
    dun_diagnose(out, "parts", DUN_GOOD,
                 "about %.3g nats of it are the steps' length, by how far means move in them, and "
                 "%.3g the errors of field %s",
                 length, fmax(nats - length, 0), p->field->type.name);
}

/* How many errors a mean of n points may be off.  Weights tell small divergences badly; where the
 * length of the steps is all that there is to them, means tell them well, and weights what is not
 * seen at the ends of steps, such as modes that are missed in one. */
static double bias_of(const struct dun_certificate *c, const struct dun_ways_facts *f, double n,
                      double length, int sure)
{
  const double uneven = 1.25; /* of the length's part, about which it is not evenly made */
  if (!c->measured || !sure)
    return f->bias;
  return sqrt(2 * n * fmax(uneven * length, f->nats - 3 * f->error));
}

void dun_certificate_diagnose(const struct dun_certificate *c, const struct dun_posterior *p,
                              const struct dun_run *run, long long steps, int drawn, int sure,
                              struct dun_diagnosis *out)
{
  double N = (double)run->options.particles, length = .25 * c->moved / N;
  const char *observation = p->observation->type.name;
  struct dun_ways_facts f;
  if (!c->ways.wanted) {
    judge_length(length, p, steps, out);
    return;
  }
  if (!dun_ways_tell(&c->ways, run, c->log_evidence, &f)) {
    dun_diagnose(out, "steps", DUN_BAD, "%lld steps of observation %s: some have no density", steps,
                 observation);
    return;
  }
  int few = dun_ways_are_few(&f, run), known = drawn && sure && !few;
  double bias = bias_of(c, &f, N, length, sure);
  dun_diagnose(out, "steps", known ? dun_verdict_above(bias, 1, INFINITY) : DUN_DOUBTFUL,
               "%lld steps of observation %s by %s are %.3g +- %.1g nats from "
               "observations of the target's points%s: means are off by at most about %.2g errors",
               steps, observation,
               c->of == DUN_CERTIFICATE_COVARIANCES ? "covariances"
               : p->observation->matrix             ? "means"
                                                    : "single coordinates",
               fmax(f.nats, 0), f.error, drawn ? ", and points at most so far" : "", bias);
  tell_parts(c, p, f.nats, length, sure, out);
  if (!few)
    dun_ways_judge(&f, out);
}
