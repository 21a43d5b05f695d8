#include "fields/learned.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/learned.h"
#include "data/target_lines.h"
#include <stdio.h>

void dun_learned_field_free(struct dun_learned_field *field)
{
  struct dun_denoiser *s = &field->denoiser;
  dun_denoiser_free(s);
  DUN_FREE(s->centre.value);
  if (s->network)
    dun_network_discard(s->network, s->network_self);
  s->network_self = NULL;
}

/* What is at method.network of a file: of which network it is, and its rows. */
static const struct dun_network *read_network(struct dun_context *context, const char *file,
                                              struct dun_network_head *head, int dimension,
                                              int *status)
{
  char name[DUN_LEARNED_TYPE];
  struct dun_learned learned = {
      .place = "method.network", .type = name, .rows = dun_network_state, .self = head};
  if ((*status = dun_learned_type(context, file, learned.place, name)) < 0)
    return NULL;
  const struct dun_type *type = dun_type_find(DUN_KIND_NETWORK, name);
  if (!type)
    *status = dun_fail(DUN_ERROR_INPUT, "%s: nobody knows a network '%s'", file, name);
  else
    *status = dun_learned_load(context, file, &learned, dimension);
  return *status < 0 ? NULL : (const struct dun_network *)type;
}

/* The network of the rows, which it takes over. */
static int build(struct dun_learned_field *s, struct dun_network_head *head, int dimension)
{
  struct dun_denoiser *denoiser = &s->denoiser;
  const struct dun_network *network = denoiser->network;
  int status;
  denoiser->network_self = dun_network_rebuild(network, &head->shape, &status);
  int inputs = dimension + (int)denoiser->averages;
  if (status < 0 || (status = network->init(denoiser->network_self, inputs, dimension)) < 0)
    return status;
  if (network->weights(denoiser->network_self) != head->weights.count)
    return dun_fail(DUN_ERROR_INPUT, "%s: network %s of these options has %lld weights, found %lld",
                    s->load, network->type.name,
                    (long long)network->weights(denoiser->network_self), head->weights.count);
  denoiser->d = dimension;
  denoiser->precision = s->precision;
  if (denoiser->centre.count != dimension)
    return dun_fail(DUN_ERROR_INPUT, "%s: /learned/method/centre holds %lld numbers, expected %d",
                    s->load, denoiser->centre.count, dimension);
  if (denoiser->averages && dimension % denoiser->averages)
    return dun_fail(DUN_ERROR_INPUT,
                    "%s: /learned/method/averages is %lld, expected a divisor of %d", s->load,
                    (long long)denoiser->averages, dimension);
  if (!(denoiser->scale > 0 && denoiser->angles[0] < denoiser->angles[1]))
    return dun_fail(DUN_ERROR_INPUT, "%s: /learned/method tells no scale or times", s->load);
  if ((status = dun_denoiser_init(denoiser)) < 0)
    return status;
  dun_denoiser_pack(denoiser, head->weights.value);
  return 0;
}

/* DUN_DENOISER_STATE of this struct. */
static const struct dun_state rows[] = {
    DUN_DENOISER_STATE(struct dun_learned_field, denoiser),
    {0},
};

/* Whether it was learned of this target. */
static int compare_targets(struct dun_context *context, struct dun_learned_field *s,
                           const struct dun_evaluator *target)
{
  char *lines = NULL;
  int status = dun_learned_target(context, s->load, "method", &lines);
  s->untold = !lines || !target->options;
  *s->other = 0;
  int differ = status >= 0 && !s->untold &&
               dun_target_lines_differ(lines, target->options, s->other, sizeof s->other);
  dun_free(lines);
  if (status >= 0 && differ && !s->other_target)
    status = dun_fail(DUN_ERROR_INPUT,
                      "%s: the network was learned of another target: %s; what it tells are means "
                      "of that one (other_target: true takes it)",
                      s->load, s->other);
  return status;
}

int dun_learned_field_init(struct dun_context *context, struct dun_learned_field *s,
                           struct dun_evaluator *target)
{
  struct dun_network_head head = {{0}, {0}};
  struct dun_learned learned = {.place = "method", .type = "train", .rows = rows, .self = s};
  int status;
  dun_learned_field_free(s);
  if (target->target->support != DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT, "a network tells means of reals, and target %s is of none",
                    target->target->type.name);
  status = dun_learned_load(context, s->load, &learned, target->dimension);
  if (status >= 0)
    status = dun_agree(context, compare_targets(context, s, target));
  if (status >= 0)
    s->denoiser.network = read_network(context, s->load, &head, target->dimension, &status);
  if (status >= 0)
    status = dun_agree(context, build(s, &head, target->dimension));
  dun_network_free(&head);
  return status;
}

unsigned dun_learned_field_gives(const void *self)
{
  (void)self;
  return DUN_FIELD_LEARNED;
}

const char *dun_learned_field_remark(const void *self, struct dun_message sentence)
{
  const struct dun_learned_field *s = self;
  if (s->untold)
    snprintf(sentence.text, sentence.size,
             "the network's file does not tell of which target it was learned: that it was of this "
             "one is taken for granted");
  else if (*s->other)
    snprintf(sentence.text, sentence.size,
             "the network was learned of another target: %s; draws are of this one only as far as "
             "both are the same",
             s->other);
  return s->untold || *s->other ? "learned of" : NULL;
}
