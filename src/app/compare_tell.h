/* What `dunlin compare` found, as text or as JSON. */
#ifndef DUNLIN_APP_COMPARE_TELL_H
#define DUNLIN_APP_COMPARE_TELL_H

#include "app/arguments.h"
#include "app/contrast.h"
#include "base/text.h"
#include "numerics/discrepancy.h"

enum { DUN_MOST_METRICS = 8, DUN_COMPARE_DIRECTIONS = 128 };

struct dun_distance_line {
  const char *name, *what;
  double value;
  double chance, bound; /* of points dealt to the two sides by chance: mean, 95 of 100 are below */
  double errors;        /* see dun_chance */
};

struct dun_comparison {
  struct dun_draws side[2];
  struct dun_contrasts *coordinate; /* [coordinates], owned */
  double worth[2];                  /* independent draws, of the coordinate known least */
  int64_t size[2];                  /* points of the distances */
  int metrics;
  struct dun_distance_line metric[DUN_MOST_METRICS];
  struct dun_csv modes;         /* centres; none: not asked for */
  struct dun_contrast *share;   /* [modes.rows], owned */
  struct dun_contrast coverage; /* of all modes */
};

/* 1 if some difference is more errors than arguments->fail_above, else 0; an error's code. */
int dun_comparison_tell(struct dun_text *out, const struct dun_comparison *comparison,
                        const struct dun_arguments *arguments);

#endif
