#include "methods/moves.h"
#include <math.h>

int dun_moves_start(struct dun_moves *m, const struct dun_run *run)
{
  m->done = m->needed = m->least = m->capped = 0;
  m->last_jump = m->most_stuck = m->excess = 0;
  m->rejected = 1;
  return dun_watch_start(&m->watch, run);
}

void dun_moves_free(struct dun_moves *m)
{
  dun_watch_free(&m->watch);
}

/* -1: auto */
static int64_t per_step(const struct dun_moves *m)
{
  return m->stated > 0 ? m->stated : m->per_step;
}

int dun_moves_any(const struct dun_moves *m)
{
  return per_step(m) != 0;
}

int dun_moves_due(const struct dun_moves *m, double t)
{
  return dun_moves_any(m) && (m->at == DUN_MOVES_EVERY || t >= 1);
}

/* Of the log density, more than which a step that ended at the cap should not have kept. */
static const double KEPT = .5;

/* 1, 2, 3, 4, 6, 8, 12, 16, 24, ... */
static int is_look(int64_t moves)
{
  while (moves > 3 && moves % 2 == 0)
    moves /= 2;
  return moves <= 3;
}

static int64_t look_after(int64_t moves)
{
  do
    moves++;
  while (!is_look(moves));
  return moves;
}

void dun_moves_begin(struct dun_moves *m)
{
  const int64_t few = 4; /* so few moves differ by more than chance does */
  m->least = per_step(m) < 0 && m->needed > few ? look_after(m->needed) : 0;
  m->done = m->needed = 0;
  m->last_jump = 0;
  m->rejected = 1;
}

/* Random walks forget in a number of moves that grows with the dimension (Roberts, Gelman & Gilks
 * 1997). */
static int64_t most_moves(const struct dun_moves *m, const struct dun_run *run)
{
  const int64_t least = 20, random_walk = 4 * (int64_t)run->evaluator->dimension;
  if (m->most > 0)
    return m->most;
  return run->kernel->uses_gradient || random_walk < least ? least : random_walk;
}

/* The log density has forgotten where it was, and the last move carried the particles hardly
 * further.  A criterion on the coordinates alone would never end when there are modes. */
static int forgotten(struct dun_moves *m, const struct dun_look *look)
{
  int settled = look->jump < 1.1 * m->last_jump;
  m->last_jump = look->jump;
  return !(look->autocorrelation >= .3) && settled && is_look(m->done);
}

int dun_moves_over(struct dun_context *context, struct dun_moves *m, const struct dun_run *run,
                   const struct dun_look *look)
{
  int automatic = per_step(m) < 0, slow = 0, status;

  m->done++;
  m->rejected *= 1 - look->acceptance;
  int enough = automatic ? forgotten(m, look) : m->done >= per_step(m);
  int capped = automatic && m->done >= most_moves(m, run);
  if (!enough && !capped && m->done > 1)
    return 0;
  if ((status = dun_watch_look(context, &m->watch, run, m->done, &slow)) < 0)
    return status;
  if (automatic)
    enough = enough && !slow;
  if (enough && m->needed == 0)
    m->needed = m->done;
  if (!(enough && (!automatic || m->done >= m->least)) && !capped)
    return 0;
  m->capped += m->needed == 0 && (slow || !(look->autocorrelation < KEPT));
  m->excess += fmax(look->never_moved - 2 * m->rejected, 0);
  m->most_stuck = fmax(m->most_stuck, look->never_moved);
  dun_watch_close(&m->watch, m->done, slow);
  return 1;
}

/* Steps without moves do not count. */
static double mean(const struct dun_moves *m, double sum)
{
  return m->watch.steps > 0 ? sum / (double)m->watch.steps : 0;
}

static void diagnose_stuck(const struct dun_moves *m, struct dun_diagnosis *out)
{
  double excess = mean(m, m->excess);
  enum dun_verdict_level worst = dun_verdict_above(m->most_stuck, .1, .3);
  enum dun_verdict_level more = dun_verdict_above(excess, .002, .1);

  dun_diagnose(out, "stuck", more > worst ? more : worst,
               "in the worst step %.3g%% of the particles were not displaced by any move, in the "
               "mean %.2g%% more than twice what their acceptance explains%s",
               100 * m->most_stuck, 100 * excess,
               more == DUN_GOOD
                   ? ""
                   : ": parts of the target are too narrow for the kernel's steps, and "
                     "may be lost");
}

void dun_moves_diagnose(const struct dun_moves *m, const struct dun_run *run,
                        struct dun_diagnosis *out)
{
  const double few = 2; /* in a short run they are a large share, and tell little */
  double share = mean(m, (double)m->capped);
  double least = (double)m->capped > few ? .1 : .5;
  if (per_step(m) < 0)
    dun_diagnose(out, "moves", dun_verdict_above(share, least, .5),
                 "%lld of %lld steps ended at the cap of %lld moves before the particles had "
                 "forgotten where they were",
                 (long long)m->capped, (long long)m->watch.steps, (long long)most_moves(m, run));
  diagnose_stuck(m, out);
}
