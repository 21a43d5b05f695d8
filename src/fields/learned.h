/* What fields of learned networks share: the denoiser of a result of method train. */
#ifndef DUNLIN_FIELDS_LEARNED_H
#define DUNLIN_FIELDS_LEARNED_H

#include "fields/field.h"
#include "learning/denoiser.h"

struct dun_learned_field {
  /* options */
  char *load;
  int precision, other_target;

  /* read and made by init */
  struct dun_denoiser denoiser; /* owns the network */
  int untold;                   /* the file does not tell of which target it is */
  char other[320];              /* what differs in the target that it is of; "": nothing */
};

/* Options of a struct that begins with it, the end not included; the others than the file. */
#define DUN_LEARNED_FIELD_MORE                                                                     \
  {.name = "other_target",                                                                         \
   .type = DUN_FLAG,                                                                               \
   .offset = offsetof(struct dun_learned_field, other_target),                                     \
   .initial = "false",                                                                             \
   .doc = "Whether the network may be of a target with another type, other options or other "      \
          "data, in as many dimensions."},                                                         \
  {                                                                                                \
    .name = "precision", .type = DUN_CHOICE,                                                       \
    .offset = offsetof(struct dun_learned_field, precision), .initial = "single",                  \
    .words = "single|double", .doc = "Of the network's products."                                  \
  }
#define DUN_LEARNED_FIELD_ROWS                                                                     \
  {.name = "load",                                                                                 \
   .type = DUN_FILE,                                                                               \
   .offset = offsetof(struct dun_learned_field, load),                                             \
   .doc = "A result of method train, of the same target."},                                        \
      DUN_LEARNED_FIELD_MORE

/* Collective.  Reads and builds; the denoiser may see averages.  DUN_ERROR_INPUT, with the file's
 * name; dun_learned_field_free is safe afterwards, and twice. */
int dun_learned_field_init(struct dun_context *context, struct dun_learned_field *field,
                           struct dun_evaluator *target);
void dun_learned_field_free(struct dun_learned_field *field);

/* Operations of struct dun_field, of a struct that begins with it. */
unsigned dun_learned_field_gives(const void *self);
const char *dun_learned_field_remark(const void *self, struct dun_message sentence);

#endif
