#include "methods/beginning.h"
#include "base/error.h"
#include "base/memory.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* The sums: <y0, y> of where a particle began and where it is, its square, |y0|^2; -<y, s> / d, its
 * square; chains that are apart, and what their moves' acceptance was. */
enum { KEPT, KEPT_SQUARE, BEGAN, STEIN, STEIN_SQUARE, APART, ACCEPTED };

const double dun_beginning_apart = 6;

int dun_beginning_init(struct dun_beginning *b, const struct dun_posterior *p)
{
  const char *observation = p->observation->type.name;
  if (!p->observation->mix || p->of.letters)
    return dun_fail(DUN_ERROR_INPUT,
                    "first: %s are observed from the beginning on; observations of reals by "
                    "gaussian alone may begin later",
                    p->of.letters ? "spins and letters" : "points that are seen otherwise");
  if (b->how == DUN_BEGINNING_DRAWS && !(p->gives & DUN_TILTED_DRAW))
    return dun_fail(DUN_ERROR_INPUT,
                    "begin.by: draws of observation %s need a field that draws, and %s does not: "
                    "take langevin",
                    observation, p->field->type.name);
  if (b->how == DUN_BEGINNING_AUTO)
    b->how = p->gives & DUN_TILTED_DRAW ? DUN_BEGINNING_DRAWS : DUN_BEGINNING_LANGEVIN;
  DUN_FREE(b->origin);
  b->origin = dun_allocate((int64_t)p->width * L, sizeof *b->origin);
  return b->origin ? 0 : DUN_ERROR_MEMORY;
}

void dun_beginning_free(struct dun_beginning *b)
{
  DUN_FREE(b->origin);
}

/* -<y, s> / d, with s = m - y / (t q). */
static void add_stein(const struct dun_posterior *p, double t, double *stein)
{
  const double *scale = p->observation->scale ? p->observation->scale(p->observation_self) : NULL;
  memset(stein, 0, L * sizeof *stein);
  for (int64_t i = 0; i < (int64_t)p->of.d * L; i++) {
    double q = scale ? scale[i / L] : 1;
    stein[i % L] += p->y[i] * (p->y[i] / (t * q) - p->mean[i]) / p->of.d;
  }
}

static void add_product(int64_t width, const double *a, const double *b, double *sum)
{
  memset(sum, 0, L * sizeof *sum);
  for (int64_t i = 0; i < width * L; i++)
    sum[i % L] += a[i] * b[i];
}

static void look_at_chains(const struct dun_posterior *p, double (*look)[L])
{
  struct dun_field_look chains;
  memset(look[APART], 0, sizeof look[APART]);
  memset(look[ACCEPTED], 0, sizeof look[ACCEPTED]);
  if (!p->remembers)
    return;
  p->field->look(p->field_self, p->memory, &chains);
  for (int l = 0; l < L; l++) {
    look[APART][l] = !(chains.between[l] <= dun_beginning_apart); /* NaN too */
    look[ACCEPTED][l] = chains.acceptance[l];
  }
}

void dun_beginning_tile(const struct dun_beginning *b, const struct dun_posterior *p, double t,
                        int n, struct dun_address address, double (*look)[L])
{
  int draws = b->how == DUN_BEGINNING_DRAWS;
  struct dun_known known = {.mean = draws ? p->draw : p->mean};
  struct dun_mix blind = {0, 0, sqrt(t)}, by = blind;
  by.keep = draws ? 0 : .5;
  by.gain = draws ? t : .5 * t;
  if (p->remembers)
    memset(p->memory, 0, (size_t)p->remembers * L * sizeof *p->memory);
  address.purpose = DUN_PURPOSE_START;
  p->observation->mix(p->observation_self, &blind, NULL, address, p->y);
  memcpy(b->origin, p->y, (size_t)p->width * L * sizeof *p->y);
  for (long long k = 0; k < b->moves; k++) {
    struct dun_address own = dun_address_apart(address, (uint64_t)k);
    own.purpose = DUN_PURPOSE_NOISE;
    dun_posterior_ask(p, t, n, own, draws ? DUN_POSTERIOR_BOTH : DUN_POSTERIOR_MEAN);
    add_stein(p, t, look[STEIN]);
    p->observation->mix(p->observation_self, &by, &known, own, p->y);
  }
  add_product(p->width, b->origin, p->y, look[KEPT]);
  add_product(p->width, b->origin, b->origin, look[BEGAN]);
  look_at_chains(p, look);
  for (int l = 0; l < L; l++) {
    look[KEPT_SQUARE][l] = look[KEPT][l] * look[KEPT][l];
    look[STEIN_SQUARE][l] = look[STEIN][l] * look[STEIN][l];
    for (int q = 0; q < DUN_BEGINNING_SUMS; q++)
      look[q][l] = l < n && isfinite(look[q][l]) ? look[q][l] : 0;
  }
}

/* What of the very first y is left, which has nothing to do with where it should be: of modes that
 * particles fall into and do not leave, for one. */
static void judge_forgetting(const struct dun_beginning *b, double t, struct dun_diagnosis *out)
{
  double kept = b->sum[KEPT] / b->sum[BEGAN], error = sqrt(b->sum[KEPT_SQUARE]) / b->sum[BEGAN];
  double surely = fabs(kept) - 4 * error;
  dun_diagnose(out, "forgetting", dun_verdict_above(surely, .005, .05),
               "after %lld moves at the first time, %.3g, observations keep %.2g +- %.1g of where "
               "they began%s",
               b->moves, t, kept, error,
               surely > .005 ? ": what lies apart there gets a wrong share: take more moves, or an "
                               "earlier first"
                             : "; modes that none of them met are not seen so");
}

static void judge_law(const struct dun_beginning *b, double N, struct dun_diagnosis *out)
{
  double mean = b->sum[STEIN] / N, variance = b->sum[STEIN_SQUARE] / N - mean * mean;
  double error = sqrt(fmax(variance, 0) / N), off = fabs(mean - 1) - 4 * error;
  dun_diagnose(out, "first law", dun_verdict_above(off, .01, .5),
               "at the first time Stein's identity, 1 in the law of what is observed, is %.3f +- "
               "%.3f%s",
               mean, error,
               off > .01 && b->how == DUN_BEGINNING_LANGEVIN ? ": Langevin's moves widen that law"
               : off > .01                                   ? ": it is not met"
                                                             : "");
}

void dun_beginning_diagnose(const struct dun_beginning *b, const struct dun_run *run, double t,
                            struct dun_diagnosis *out)
{
  double N = (double)run->options.particles, apart = b->sum[APART] / N;
  judge_forgetting(b, t, out);
  judge_law(b, N, out);
  if (b->sum[ACCEPTED] > 0)
    dun_diagnose(
        out, "first chains", dun_verdict_above(apart, .01, .05),
        "of %.3g%% of the particles the chains lay apart at the first time, or did not tell%s",
        100 * apart,
        apart > .01 ? ": they do not find what is open there: take more moves, or a later "
                      "first"
                    : "");
}

const struct dun_option dun_beginning_rows[] = {
    {.name = "by",
     .type = DUN_CHOICE,
     .offset = offsetof(struct dun_beginning, how),
     .initial = "auto",
     .words = "auto|draws|langevin",
     .doc = "Moves of the observation at the first time: by draws of the point, by Langevin's with "
            "its mean; auto: draws where the field gives them."},
    {.name = "moves",
     .type = DUN_INTEGER,
     .offset = offsetof(struct dun_beginning, moves),
     .initial = "10",
     .minimum = 1,
     .maximum = 1e6,
     .doc = "How many."},
    {0},
};
