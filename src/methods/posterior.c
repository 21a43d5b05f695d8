#include "methods/posterior.h"
#include "base/error.h"
#include "base/memory.h"
#include "numerics/packed.h"
#include <string.h>

enum { L = DUN_LANES };

/* What the field must give for what y says. */
static int check(const struct dun_posterior *p, const struct dun_run *run)
{
  const char *field = p->field->type.name, *target = run->target->type.name;
  if (p->field->prepare)
    return dun_fail(DUN_ERROR_INPUT,
                    "method localization: field %s goes with method flow; take exact or atoms",
                    field);
  if (dun_observation_of_points(p->observation, p->observation_self) && !p->field->show &&
      !(p->gives & DUN_FIELD_POINTS))
    return dun_fail(DUN_ERROR_INPUT,
                    "observation %s says what field %s cannot make use of: take field atoms",
                    p->observation->type.name, field);
  if (p->of.letters && !p->of.spins && !(p->gives & DUN_FIELD_LETTERS))
    return dun_fail(DUN_ERROR_INPUT,
                    "method localization: field %s knows nothing of the letters of target %s: take "
                    "field atoms",
                    field, target);
  if (p->observation->matrix && !(p->gives & DUN_TILTED_MATRIX))
    return dun_fail(DUN_ERROR_INPUT,
                    "observation %s needs the covariance of what is open, which field %s of target "
                    "%s does not tell: take field exact of target gaussian or gaussian_mixture, "
                    "field atoms, or observation gaussian",
                    p->observation->type.name, field, target);
  if (p->observation->scale && p->observation->scale(p->observation_self) &&
      !(p->gives & DUN_FIELD_SCALE))
    return dun_fail(DUN_ERROR_INPUT,
                    "observation.rate: target %s has no closed form for coordinates seen at "
                    "different rates; give one rate, or take field atoms",
                    target);
  return 0;
}

void dun_posterior_begin(const struct dun_posterior *p, struct dun_address address)
{
  memset(p->y, 0, (size_t)p->width * L * sizeof *p->y);
  if (p->observation->start)
    p->observation->start(p->observation_self, address, p->y);
  if (p->classes > 0)
    dun_posterior_draw_classes(p, address);
}

/* Before anything is seen the observation says nothing, unless it cannot be of a point at all, such
 * as counts of a rate below 0: that point would never be found, in silence. */
static int check_points(const struct dun_posterior *p)
{
  double out[L] __attribute__((aligned(64))), first, last;
  int64_t count = 0;
  const double *x = p->field->points ? p->field->points(p->field_self, &count) : NULL;
  if (!dun_observation_of_points(p->observation, p->observation_self))
    return 0;
  p->observation->ends(p->observation_self, &first, &last);
  dun_posterior_begin(p, (struct dun_address){0});
  for (int64_t i = 0; i < count; i++) {
    memset(out, 0, sizeof out);
    p->observation->likelihood(p->observation_self, first, p->y, x + i * p->of.d, out);
    if (!(out[0] > .5 * DUN_RULED_OUT))
      return dun_fail(DUN_ERROR_INPUT,
                      "observation %s cannot be of row %lld of the points of field %s: rates are "
                      "numbers from 0 on",
                      p->observation->type.name, (long long)(i + 1), p->field->type.name);
  }
  return 0;
}

static int columns_of_law(const struct dun_posterior *p)
{
  return p->of.letters * p->of.d;
}

static int allocate(struct dun_posterior *p)
{
  int64_t column = (int64_t)p->of.d * L, law = (int64_t)columns_of_law(p) * L;
  p->width = p->observation->width(p->observation_self) + (p->classes_first != 0);
  p->block = dun_allocate((int64_t)p->width * L + 2 * law + 4 * column + 2 * L, sizeof *p->block);
  if (!p->block)
    return DUN_ERROR_MEMORY;
  p->y = p->block;
  p->law = p->y + (int64_t)p->width * L;
  p->factor = p->law + law;
  p->mean = p->factor + law;
  p->draw = p->mean + column;
  p->h = p->draw + column;
  p->uniform = p->h + column;
  p->lambda = p->uniform + column;
  p->mass = p->lambda + L;
  if (!p->observation->matrix)
    return 0;
  p->covariance = dun_allocate(2 * DUN_PACKED(p->of.d), L * sizeof *p->covariance);
  if (!p->covariance)
    return DUN_ERROR_MEMORY;
  p->spare = p->covariance + DUN_PACKED(p->of.d) * L;
  return 0;
}

static int init_here(struct dun_posterior *p, const struct dun_run *run)
{
  const struct dun_evaluator *e = run->evaluator;
  p->of = (struct dun_observed){
      .d = e->dimension, .letters = e->letters, .spins = run->target->support == DUN_SPINS};
  p->of.finite = p->of.letters == 0 && p->field->points != NULL;
  if (!run->target->lattice || dun_evaluator_lattice(e, &p->of.axes, p->of.size) < 0)
    p->of.axes = 0;
  int status = p->observation->init(p->observation_self, &p->of);
  if (status >= 0 && p->field->show)
    status = p->field->show(p->field_self, p->observation->features
                                               ? p->observation->features(p->observation_self)
                                               : NULL);
  dun_posterior_free(p);
  return status < 0 ? status : allocate(p);
}

int dun_posterior_init(struct dun_context *context, struct dun_posterior *p,
                       const struct dun_run *run)
{
  int status = dun_agree(context, init_here(p, run));
  if (status >= 0)
    status = p->field->init(context, p->field_self, run->evaluator, 0);
  if (status < 0)
    return status;
  p->gives = p->field->gives ? p->field->gives(p->field_self) : 0;
  p->remembers = DUN_FIELD_REMEMBERS(p->field, p->field_self);
  if (p->remembers)
    p->memory = dun_allocate((int64_t)p->remembers * L, sizeof *p->memory);
  if ((status = dun_agree(context, p->remembers && !p->memory ? DUN_ERROR_MEMORY : 0)) < 0)
    return status;
  if ((status = check(p, run)) >= 0 && p->classes_first)
    status = dun_agree(context, dun_posterior_find_classes(p));
  return status < 0 ? status : check_points(p);
}

void dun_posterior_free(struct dun_posterior *p)
{
  DUN_FREE(p->block);
  DUN_FREE(p->memory);
  DUN_FREE(p->covariance);
  DUN_FREE(p->log_share);
  DUN_FREE(p->other);
  p->classes = 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

struct known {
  const struct dun_posterior *p;
  double t;
};

static void likelihood(const void *known, const double *x, double *out)
{
  const struct known *k = known;
  k->p->observation->likelihood(k->p->observation_self, k->t, k->p->y, x, out);
}

/* Between factors of the letters -1 and +1 and a field of spins. */
static void field_of_spins(const struct dun_posterior *p)
{
  int64_t column = (int64_t)p->of.d * L;
  for (int64_t i = 0; i < column; i++)
    p->h[i] = .5 * (p->factor[column + i] - p->factor[i]);
}

/* What such a field leaves out of the log mass. */
static void add_factors(const struct dun_posterior *p)
{
  int64_t column = (int64_t)p->of.d * L;
  for (int64_t i = 0; i < column; i++)
    p->mass[i % L] += .5 * (p->factor[column + i] + p->factor[i]);
}

static void law_of_spins(const struct dun_posterior *p)
{
  int64_t column = (int64_t)p->of.d * L;
  for (int64_t i = 0; i < column; i++) {
    double up = .5 * (1 + p->mean[i]);
    p->law[column + i] = up < 0 ? 0 : up > 1 ? 1 : up;
    p->law[i] = 1 - p->law[column + i];
  }
}

/* A draw as what is known: the point as its own mean, its letters with probability 1. */
static void know_draw(const struct dun_posterior *p)
{
  int64_t column = (int64_t)p->of.d * L;
  memcpy(p->mean, p->draw, (size_t)column * sizeof *p->mean);
  for (int a = 0; a < p->of.letters; a++)
    for (int64_t i = 0; i < column; i++) {
      double value = p->of.spins ? 2 * a - 1 : a;
      p->law[a * column + i] = p->draw[i] == value;
    }
}

static void clear_evidence(const struct dun_posterior *p)
{
  memset(p->h, 0, (size_t)p->of.d * L * sizeof *p->h);
  memset(p->factor, 0, (size_t)columns_of_law(p) * L * sizeof *p->factor);
  memset(p->lambda, 0, L * sizeof *p->lambda);
}

/* Whether the field goes by factors of letters, not by a field of spins. */
static int by_letters(const struct dun_posterior *p)
{
  return p->of.letters && (p->gives & DUN_FIELD_LETTERS);
}

int dun_posterior_together(const struct dun_posterior *p)
{
  return DUN_FIELD_SPREAD_OUT(p->field, p->field_self) != DUN_FIELD_WHOLE;
}

/* What was seen by t, as evidence. */
static void see(const struct dun_posterior *p, double t)
{
  clear_evidence(p);
  if (p->observation->tilt && !p->field->show)
    p->observation->tilt(
        p->observation_self, t, p->y,
        &(struct dun_evidence){.h = p->h, .lambda = p->lambda, .factor = p->factor});
}

void dun_posterior_tilt(const struct dun_posterior *p, double t)
{
  see(p, t);
  if (p->of.spins && !by_letters(p))
    field_of_spins(p);
}

void dun_posterior_know(const struct dun_posterior *p)
{
  if (p->of.spins && !by_letters(p))
    law_of_spins(p);
}

/* With the evidence as it stands, and of y at t unless `known` is NULL; log masses unless NULL. */
static void call(const struct dun_posterior *p, const struct known *known, int n,
                 struct dun_address address, enum dun_posterior_what what, double *mass)
{
  const struct dun_observation *o = p->observation;
  int letters = by_letters(p);
  if (p->of.spins && !letters)
    field_of_spins(p);
  struct dun_field_call asked = {.n = n,
                                 .h = p->h,
                                 .lambda = p->lambda,
                                 .address = address,
                                 .label = -1,
                                 .mean = p->mean,
                                 .scale = o->scale ? o->scale(p->observation_self) : NULL,
                                 .factor = letters ? p->factor : NULL,
                                 .law = letters ? p->law : NULL,
                                 .draw = what != DUN_POSTERIOR_MEAN ? p->draw : NULL,
                                 .memory = p->memory,
                                 .seen = p->y,
                                 .log_mass = mass,
                                 .precision =
                                     o->matrix ? o->matrix(p->observation_self, p->y) : NULL,
                                 .covariance = p->covariance,
                                 .spare = p->spare,
                                 .time = known ? known->t : 0};
  if (known && dun_observation_of_points(o, p->observation_self)) {
    asked.likelihood = likelihood;
    asked.known = known;
  }
  if (known && p->classes > 0)
    dun_posterior_ask_classes(p, &asked);
  else
    p->field->value(p->field_self, &asked);
  if (mass && p->of.spins && !letters)
    add_factors(p);
  if (what == DUN_POSTERIOR_DRAW)
    know_draw(p);
  else
    dun_posterior_know(p);
}

static void ask(const struct dun_posterior *p, double t, int n, struct dun_address address,
                enum dun_posterior_what what, double *mass)
{
  const struct known known = {p, t};
  see(p, t);
  call(p, &known, n, address, what, mass);
}

void dun_posterior_ask(const struct dun_posterior *p, double t, int n, struct dun_address address,
                       enum dun_posterior_what what)
{
  ask(p, t, n, address, what, NULL);
}

/* What is known of a coordinate: its h, or the factors of the two letters of a spin. */
struct handle {
  double *up, *down; /* [64]; down NULL: of h */
  double kept[2][L];
};

static struct handle take(const struct dun_posterior *p, int64_t j)
{
  int letters = p->of.letters > 0;
  struct handle handle = {.up = letters ? p->factor + (p->of.d + j) * L : p->h + j * L,
                          .down = letters ? p->factor + j * L : NULL};
  memcpy(handle.kept[0], handle.up, sizeof handle.kept[0]);
  if (handle.down)
    memcpy(handle.kept[1], handle.down, sizeof handle.kept[1]);
  return handle;
}

/* From where it was by so much. */
static void turn(const struct handle *handle, double by)
{
  for (int l = 0; l < L; l++) {
    handle->up[l] = handle->kept[0][l] + by;
    if (handle->down)
      handle->down[l] = handle->kept[1][l] - by;
  }
}

void dun_posterior_covariance(const struct dun_posterior *p, double t, int n,
                              struct dun_address address, const double *by, double *covariance)
{
  const struct known known = {p, t};
  int64_t d = p->of.d;
  clear_evidence(p);
  p->observation->tilt(p->observation_self, t, p->y,
                       &(struct dun_evidence){.h = p->h, .lambda = p->lambda, .factor = p->factor});
  for (int64_t j = 0; j < d; j++) {
    double *row = covariance + j * d * L;
    struct handle handle = take(p, j);
    turn(&handle, by[j]);
    call(p, &known, n, address, DUN_POSTERIOR_MEAN, NULL);
    memcpy(row, p->mean, (size_t)d * L * sizeof *row);
    turn(&handle, -by[j]);
    call(p, &known, n, address, DUN_POSTERIOR_MEAN, NULL);
    for (int64_t i = 0; i < d * L; i++)
      row[i] = (row[i] - p->mean[i]) / (2 * by[j]);
    turn(&handle, 0);
  }
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < i; j++)
      for (int l = 0; l < L; l++) {
        double *a = covariance + (i * d + j) * L + l, *b = covariance + (j * d + i) * L + l;
        *a = *b = .5 * (*a + *b);
      }
}

int dun_posterior_has_mass(const struct dun_posterior *p)
{
  return (p->gives & (DUN_TILTED_MASS | DUN_FIELD_MASS)) && !p->field->show && !p->remembers;
}

void dun_posterior_ask_mass(const struct dun_posterior *p, double t, int n,
                            struct dun_address address, enum dun_posterior_what what)
{
  ask(p, t, n, address, what, p->mass);
}

double dun_posterior_whole(const struct dun_posterior *p)
{
  clear_evidence(p);
  memset(p->y, 0, (size_t)p->width * L * sizeof *p->y);
  call(p, NULL, 1, (struct dun_address){0}, DUN_POSTERIOR_MEAN, p->mass);
  return p->mass[0];
}

void dun_posterior_draw_letters(const struct dun_posterior *p, struct dun_address address)
{
  int64_t column = (int64_t)p->of.d * L;
  address.purpose = DUN_PURPOSE_FIELD_UNIFORM;
  dun_uniforms(address, p->of.d, p->uniform);
  for (int64_t i = 0; i < column; i++) {
    int a = dun_observation_letter(p->of.letters, p->law + i, column, p->uniform[i]);
    p->draw[i] = p->of.spins ? 2 * a - 1 : a;
  }
}
