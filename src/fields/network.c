/* A denoiser that method train has learned, from a result of it. */
#include "base/error.h"
#include "base/memory.h"
#include "data/learned.h"
#include "data/target_lines.h"
#include "fields/field.h"
#include "learning/denoiser.h"
#include <stdio.h>

struct network {
  /* options */
  char *load;
  int precision, other_target;

  /* read and made by init */
  struct dun_denoiser denoiser; /* owns the network */
  int untold;                   /* the file does not tell of which target it is */
  char other[320];              /* what differs in the target that it is of; "": nothing */
};

static void release(void *self)
{
  struct dun_denoiser *s = &((struct network *)self)->denoiser;
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
static int build(struct network *s, struct dun_network_head *head, int dimension)
{
  struct dun_denoiser *denoiser = &s->denoiser;
  const struct dun_network *network = denoiser->network;
  int status;
  denoiser->network_self = dun_network_rebuild(network, &head->shape, &status);
  if (status < 0 || (status = network->init(denoiser->network_self, dimension, dimension)) < 0)
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
  if (!(denoiser->scale > 0 && denoiser->angles[0] < denoiser->angles[1]))
    return dun_fail(DUN_ERROR_INPUT, "%s: /learned/method tells no scale or times", s->load);
  if ((status = dun_denoiser_init(denoiser)) < 0)
    return status;
  dun_denoiser_pack(denoiser, head->weights.value);
  return 0;
}

/* DUN_DENOISER_STATE of this struct. */
static const struct dun_state rows[] = {
    DUN_DENOISER_STATE(struct network, denoiser),
    {0},
};

/* Whether it was learned of this target. */
static int compare_targets(struct dun_context *context, struct network *s,
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

static int init(struct dun_context *context, void *self, struct dun_evaluator *target,
                double lambda)
{
  struct network *s = self;
  struct dun_network_head head = {{0}, {0}};
  struct dun_learned learned = {.place = "method", .type = "train", .rows = rows, .self = self};
  int status;
  (void)lambda;
  release(s);
  if (target->target->support != DUN_REALS)
    return dun_fail(DUN_ERROR_INPUT, "field network tells means of reals, and target %s is of none",
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

static unsigned gives(const void *self)
{
  (void)self;
  return DUN_FIELD_LEARNED;
}

static void value(const void *self, const struct dun_field_call *call)
{
  dun_denoiser_mean(&((const struct network *)self)->denoiser, call->h, call->lambda, call->mean);
}

static const char *remark(const void *self, struct dun_message sentence)
{
  const struct network *s = self;
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

static const struct dun_option options[] = {
    {.name = "load",
     .type = DUN_FILE,
     .offset = offsetof(struct network, load),
     .doc = "A result of method train, of the same target."},
    {.name = "other_target",
     .type = DUN_FLAG,
     .offset = offsetof(struct network, other_target),
     .initial = "false",
     .doc = "Whether the network may be of a target with another type, other options or other "
            "data, in as many dimensions."},
    {.name = "precision",
     .type = DUN_CHOICE,
     .offset = offsetof(struct network, precision),
     .initial = "single",
     .words = "single|double",
     .doc = "Of the network's products."},
    {0},
};

const struct dun_field dun_field_network = {
    .type = {DUN_TYPE(struct dun_field), .name = "network",
             .doc = "What method train has learned of the target.", .size = sizeof(struct network),
             .options = options, .free = release},
    .init = init,
    .gives = gives,
    .value = value,
    .remark = remark,
};
