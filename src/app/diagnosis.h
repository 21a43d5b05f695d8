/* Says whether to trust a run: the method's verdicts, worst over the replicates, and the
 * driver's own. */
#ifndef DUNLIN_APP_DIAGNOSIS_H
#define DUNLIN_APP_DIAGNOSIS_H

#include "app/finish.h"

/* Takes the worse of each pair of verdicts of one name; `replicate` is named in its text unless
 * < 0. */
void dun_diagnosis_merge(struct dun_diagnosis *all, const struct dun_diagnosis *one,
                         int64_t replicate);

/* A finish has made a verdict of that name, if there is one, a thing of the past: it becomes
 * good. */
void dun_diagnosis_settle(struct dun_diagnosis *all, const char *name, const char *finish);

/* The mixing of the present replicate's chains, as the probe rhat saw it at their end: adds the
 * verdicts and returns the smallest bulk effective sample size, NAN if there is none. */
double dun_diagnosis_chains(struct dun_diagnosis *diagnosis, const struct dun_driver *driver);

/* Of a target of spins or letters: whether the rarer ones were met often enough to know an error,
 * which is 0 where a letter was never met.  Adds the verdict. */
void dun_diagnosis_letters(struct dun_diagnosis *diagnosis, const struct dun_driver *driver);

/* Which parameters have so heavy tails that their deviations, or means, have no error.  Nothing is
 * wrong with their draws. */
void dun_diagnosis_tails(struct dun_diagnosis *diagnosis, const struct dun_driver *driver);

/* Adds what only the driver knows: evaluations that were NaN, spread of replicates against the
 * error. */
void dun_diagnosis_run(struct dun_diagnosis *all, const struct dun_driver *driver,
                       const struct dun_evidence *evidence);

/* Whether one that was read has counts, levels and texts as they can be. */
int dun_diagnosis_is_sound(const struct dun_diagnosis *diagnosis);

enum dun_verdict_level dun_diagnosis_level(const struct dun_diagnosis *diagnosis);
const char *dun_verdict_word(enum dun_verdict_level level); /* "good", ... */

/* One line for each verdict, "name: level: sentence", as results hold them. */
void dun_diagnosis_lines(const struct dun_diagnosis *diagnosis, struct dun_text *lines);
/* The same lines read back; what is no such line is left out. */
void dun_diagnosis_parse(struct dun_diagnosis *diagnosis, const char *lines);

#endif
