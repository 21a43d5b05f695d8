/* What probes that measure distances share: points of the run, points to hold them against, and
 * what chance does.
 *
 * The run's points are equally spaced particles with their weights or, at the end of chains,
 * equally spaced draws of theirs, as output parameters or as what particles move in.  The others
 * are as many exact draws of the target, or draws of a file; every rank holds both. */
#ifndef DUNLIN_PROBES_SETS_H
#define DUNLIN_PROBES_SETS_H

#include "numerics/discrepancy.h"
#include "probes/probe.h"

struct dun_probe_sets {
  long long points; /* option */
  char *reference;  /* option; NULL: none */
  int coordinates;  /* option: enum dun_coordinates */
  double cut;       /* option; not above 0: none */

  /* made by init */
  int outputs;                         /* numbers of a point */
  double *factor;                      /* [outputs] on every coordinate; owned; NULL: 1 */
  struct dun_points own, given, again; /* again: a second set, if there is one */

  /* of the latest looks */
  int64_t size; /* of the run's points when `chance` was found */
  double chance[2];
};

#define DUN_PROBE_SETS_OPTIONS(type_, points_)                                                     \
  {.name = "points",                                                                               \
   .type = DUN_INTEGER,                                                                            \
   .offset = offsetof(type_, sets.points),                                                         \
   .initial = points_,                                                                             \
   .minimum = 2,                                                                                   \
   .maximum = 1e5,                                                                                 \
   .doc = "At most so many points on each side; the work grows with their square."},               \
      {.name = "cut",                                                                              \
       .type = DUN_NUMBER,                                                                         \
       .offset = offsetof(type_, sets.cut),                                                        \
       .initial = "none",                                                                          \
       .words = "none",                                                                            \
       .minimum = 1e-300,                                                                          \
       .maximum = 1e300,                                                                           \
       .doc =                                                                                      \
           "Numbers of the exact draws, or of the reference, that are larger in size are set to "  \
           "this, those of the run are not; published tables of funnels have 30."},                \
      {.name = "reference",                                                                        \
       .type = DUN_FILE,                                                                           \
       .offset = offsetof(type_, sets.reference),                                                  \
       .initial = "",                                                                              \
       .doc = "An earlier result, or a CSV file with a draw in each row; left out: exact draws "   \
              "of the target."},                                                                   \
  {                                                                                                \
    .name = "coordinates", .type = DUN_CHOICE, .offset = offsetof(type_, sets.coordinates),        \
    .initial = "constrained", .words = "constrained|unconstrained",                                \
    .doc = "What is held against each other, and is in a CSV file: the output parameters, or "     \
           "what particles move in."                                                               \
  }

/* Collective.  Draws, or reads.  `scaled`: all coordinates in units of the reference's standard
 * deviations.  `required` 0: there may be no others (given.n is 0 then).  DUN_ERROR_INPUT names the
 * probe. */
int dun_probe_sets_init(struct dun_context *context, struct dun_probe_sets *sets,
                        const struct dun_run *run, const char *probe, int scaled, int required);
void dun_probe_sets_free(struct dun_probe_sets *sets);

/* Collective.  The run's points as it stands: sets->own. */
int dun_probe_sets_take(struct dun_context *context, struct dun_probe_sets *sets,
                        const struct dun_run *run);

/* Whether all numbers are finite and some weight is above 0; distances are NAN where not. */
int dun_probe_sets_are_sound(const struct dun_points *points);

enum { DUN_MOST_DISTANCES = 2 };
/* A distance of the sets of a pool, or two of them, for each of its deals: value[count][deals]. */
typedef int dun_probe_measure(struct dun_context *context, const struct dun_pool *pool,
                              double *value);

/* What a look tells of a distance. */
struct dun_probe_distance {
  double value;
  double chance; /* of the second set, or the mean over points dealt out by chance */
  double bound;  /* below which 95 of 100 such deals are; NAN with a second set */
};
#define DUN_PROBE_CHANCE                                                                           \
  "A second set of exact draws, or of a table's rows, has it; or points dealt out, mean."
#define DUN_PROBE_BOUND                                                                            \
  "95 of 100 such deals are below; not known with a second set, which is not dealt."

/* Collective.  Takes the run's points and measures; with a file by so many deals. */
int dun_probe_sets_look(struct dun_context *context, struct dun_probe_sets *sets,
                        const struct dun_run *run, dun_probe_measure *measure, int count, int deals,
                        struct dun_probe_distance *distance);

#endif
