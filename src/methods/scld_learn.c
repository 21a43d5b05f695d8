/* A step of method scld down the loss: the mean over the pieces of the variance of their log
 * weights over what was chosen from the replay. */
#include "base/error.h"
#include "methods/scld.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* Log weights that are larger say nothing any more. */
static const double MOST = 1e12;

void dun_scld_gather(const struct dun_steering *from, double *numbers)
{
  const struct dun_numbers *const lists[] = {&from->weights, &from->exponents, &from->mean,
                                             &from->log_scale};
  for (int i = 0; i < 4; numbers += lists[i++]->count)
    memcpy(numbers, lists[i]->value, (size_t)lists[i]->count * sizeof *numbers);
}

void dun_scld_scatter(const double *numbers, struct dun_steering *to)
{
  struct dun_numbers *const lists[] = {&to->weights, &to->exponents, &to->mean, &to->log_scale};
  for (int i = 0; i < 4; numbers += lists[i++]->count)
    memcpy(lists[i]->value, numbers, (size_t)lists[i]->count * sizeof *numbers);
}

/* What was chosen of a tile from number `first` on is weighed, and its weights are kept.  Those
 * that are no numbers are left out from here on. */
static void weigh(struct dun_scld *s, int64_t piece, struct dun_exact *sum)
{
  double log_weight[L] __attribute__((aligned(64)));
  struct dun_piece lanes;
  for (int64_t tile = 0; tile < s->replay.tiles.count; tile++) {
    int64_t end = s->replay.begin[tile + 1];
    for (int64_t first = s->replay.begin[tile]; first < end; first += L) {
      int n = dun_replay_load(&s->replay, piece, first, end, &lanes);
      dun_lessons_weigh(&s->lessons, piece, &lanes, log_weight);
      for (int l = 0; l < n; l++) {
        double w = fabs(log_weight[l]) < MOST ? log_weight[l] : -INFINITY;
        double *place = dun_replay_place(&s->replay, piece, first + l);
        s->found[first + l] = w;
        if (place)
          *place = w;
        dun_exact_add(&sum[0], w > -INFINITY);
        dun_exact_add(&sum[1], w > -INFINITY ? w : 0);
        dun_exact_add(&sum[2], w > -INFINITY ? w * w : 0);
        dun_exact_add(&sum[3], w > -INFINITY ? 0 : 1);
      }
    }
  }
}

/* Leaves out of a tile's list what is no number: where the rest ends. */
static int64_t close_up(struct dun_scld *s, int64_t begin, int64_t end)
{
  int64_t at = begin;
  for (int64_t i = begin; i < end; i++)
    if (s->found[i] > -INFINITY) {
      s->replay.chosen[at] = s->replay.chosen[i];
      s->found[at++] = s->found[i];
    }
  return at;
}

/* Slopes of share / 2 times the sum of (log weight - mean)^2, into the tiles' sums. */
static void learn(struct dun_scld *s, int64_t piece, double mean, double share)
{
  double factor[L] __attribute__((aligned(64)));
  struct dun_piece lanes;
  for (int64_t tile = 0; tile < s->replay.tiles.count; tile++) {
    int64_t begin = s->replay.begin[tile], end = close_up(s, begin, s->replay.begin[tile + 1]);
    for (int64_t first = begin; first < end; first += L) {
      int n = dun_replay_load(&s->replay, piece, first, end, &lanes);
      for (int l = 0; l < L; l++)
        factor[l] = l < n ? share * (s->found[first + l] - mean) : 0;
      dun_lessons_learn(&s->lessons, piece, &lanes, factor, dun_batch_sum_of(&s->sum, (int)tile));
    }
  }
}

/* Of one piece of the path; adds to the loss. */
static int learn_piece(struct dun_context *context, struct dun_scld *s, struct dun_address address,
                       int64_t piece)
{
  struct dun_exact sum[4] = {0};
  double total[4], pieces = (double)s->path->pieces;
  int status = dun_replay_choose(context, &s->replay, s->done, piece, address);
  if (status < 0)
    return status;
  weigh(s, piece, sum);
  if ((status = dun_sum(context, 0, 4, sum, total)) < 0)
    return status;
  s->dropped += (int64_t)total[3];
  if (total[0] < 2)
    return 0;
  double mean = total[1] / total[0], variance = total[2] / total[0] - mean * mean;
  s->loss += (variance < s->most_variance ? variance : s->most_variance) / pieces;
  if (variance > s->worst.loss) {
    s->worst.loss = variance;
    s->worst.piece = (double)piece;
  }
  if (variance < s->most_variance)
    learn(s, piece, mean, 2 / (pieces * total[0]));
  return 0;
}

/* Every number for itself, as the published code does; a slope that is none stays, and the step is
 * not taken. */
static void clip(int64_t count, double most, double *gradient)
{
  for (int64_t i = 0; i < count && most > 0; i++)
    gradient[i] = gradient[i] > most ? most : gradient[i] < -most ? -most : gradient[i];
}

int dun_scld_learn(struct dun_context *context, struct dun_scld *s, struct dun_run *run)
{
  int64_t numbers = dun_lessons_numbers(s->path);
  struct dun_address address = {.seed = (uint64_t)run->options.seed,
                                .replicate = (uint16_t)run->replicate,
                                .step = (uint32_t)s->done};
  int status = 0;
  s->loss = s->worst.loss = 0;
  s->dropped = 0;
  dun_batch_sum_clear(&s->sum);
  dun_replay_deal(&s->replay, address);
  for (int64_t piece = 0; piece < s->path->pieces && status >= 0; piece++)
    status = learn_piece(context, s, address, piece);
  if (status < 0 || (status = dun_batch_sum_total(context, &s->sum, s->total)) < 0)
    return status;
  dun_lessons_pull(&s->lessons, s->total, s->gradient);
  clip(numbers, s->clip, s->gradient);
  double *present = s->total; /* has room for either */
  dun_scld_gather(&s->steering, present);
  dun_optimiser_step(&s->optimiser, s->steps, s->gradient, present, &s->norm);
  dun_scld_scatter(present, &s->steering);
  dun_controlled_refresh(s->path);
  if (s->done == 0)
    s->first_loss = s->loss;
  s->done++;
  return 0;
}
