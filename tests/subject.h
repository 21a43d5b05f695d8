/* A target made from the text of its options, as an input would write them, with all that evaluates
 * it: for tests. */
#ifndef DUNLIN_TESTS_SUBJECT_H
#define DUNLIN_TESTS_SUBJECT_H

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "io/bind.h"
#include "population/evaluator.h"
#include "targets/together.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DUNLIN_SOURCE_FOLDER
#define DUNLIN_SOURCE_FOLDER "."
#endif

enum { L = DUN_LANES };

struct subject {
  struct dun_input input;
  struct dun_binder binder;
  const struct dun_target *given, *target; /* target: without the prior that options took away */
  void *self;
  int d;
  struct dun_tables tables;
  struct dun_evaluator evaluator;
  double *x, *gradient, *normal, *uniform; /* columns: d, d, as many as draws take */
  double *lp, *scale;                      /* [64] */
};

static inline const char *source_folder(void)
{
  const char *source = getenv("DUNLIN_SOURCE");
  return source ? source : DUNLIN_SOURCE_FOLDER;
}

static inline int subject_allocate(struct subject *s)
{
  s->x = dun_allocate(s->d, L * sizeof(double));
  s->gradient = dun_allocate(s->d, L * sizeof(double));
  s->normal = dun_allocate(dun_evaluator_normals(&s->evaluator), L * sizeof(double));
  s->uniform = dun_allocate(dun_evaluator_uniforms(&s->evaluator), L * sizeof(double));
  s->lp = dun_allocate(L, sizeof(double));
  s->scale = dun_allocate(L, sizeof(double));
  return s->x && s->gradient && s->normal && s->uniform && s->lp && s->scale ? 0 : -1;
}

/* "type: funnel, dimension: 3".  < 0: refused, with the reason in why[1024]; close it all the
 * same. */
static inline int subject_open(struct dun_context *context, struct subject *s, const char *options,
                               char why[1024])
{
  char text[4096], folder[1024];
  const struct dun_type *type;
  struct dun_message message = {why, 1024};
  memset(s, 0, sizeof *s);
  snprintf(text, sizeof text, "target: {%s}\n", options);
  snprintf(folder, sizeof folder, "%s/inputs/data", source_folder());
  *why = '\0';
  dun_binder_init(&s->binder, context, &s->input);
  s->binder.data_folder = folder;
  if (dun_input_parse(&s->input, "test", text, (int64_t)strlen(text), &s->binder.complaints) < 0 ||
      !(type = dun_bind_type(&s->binder, dun_node_find(&s->input.root, "target"), "target",
                             DUN_KIND_TARGET, &s->self))) {
    snprintf(why, 1024, "%s", s->binder.complaints.text.text);
    return -1;
  }
  s->binder.data_folder = NULL;
  s->target = s->given = (const struct dun_target *)type;
  if (s->target->init && s->target->init(s->self, message) < 0)
    return -1;
  if (dun_together_init(context, s->target, s->self, &s->tables) < 0) {
    snprintf(why, 1024, "%s", dun_error_text());
    return -1;
  }
  if (dun_evaluator_init(&s->evaluator, s->target, s->self) < 0) {
    snprintf(why, 1024, "%s", dun_error_text());
    return -1;
  }
  s->d = s->evaluator.dimension;
  s->target = s->evaluator.bare ? s->evaluator.bare : s->given;
  return subject_allocate(s);
}

static inline void subject_close(struct subject *s)
{
  dun_evaluator_free(&s->evaluator);
  if (s->given) {
    if (s->given->type.free)
      s->given->type.free(s->self); /* safe twice: dun_object_free does it again */
    dun_object_free(&s->given->type, &s->self);
  }
  dun_binder_free(&s->binder);
  dun_input_free(&s->input);
  DUN_FREE(s->x);
  DUN_FREE(s->gradient);
  DUN_FREE(s->normal);
  DUN_FREE(s->uniform);
  DUN_FREE(s->lp);
  DUN_FREE(s->scale);
}

/* The same of options in which FOLDER and BUILD become paths; all ends where they are refused. */
static inline void subject_open_setting(struct dun_context *context, struct subject *s,
                                        const char *setting, const char *folder)
{
  char options[2048], why[1024];
  const char *build = getenv("DUNLIN_BUILD"), *from = setting;
  int length = 0;
  while (*from) {
    const char *word = !strncmp(from, "FOLDER", 6)  ? folder
                       : !strncmp(from, "BUILD", 5) ? (build ? build : "build/release")
                                                    : NULL;
    length += snprintf(options + length, sizeof options - (size_t)length, "%.*s", word ? 1000 : 1,
                       word ? word : from);
    from += word == folder ? 6 : word ? 5 : 1;
  }
  if (subject_open(context, s, options, why) < 0) {
    fprintf(stderr, "%s: %s\n", options, why);
    MPI_Abort(context->comm, 1);
  }
}

/* Fills the columns of random numbers for tile number `tile`. */
static inline void subject_numbers(struct subject *s, int tile)
{
  struct dun_address address = {20240611, DUN_PURPOSE_TEST, 0, 0, (uint32_t)tile};
  dun_normals(address, dun_evaluator_normals(&s->evaluator), s->normal);
  address.step = 1;
  if (dun_evaluator_uniforms(&s->evaluator) > 0)
    dun_uniforms(address, dun_evaluator_uniforms(&s->evaluator), s->uniform);
}

#endif
