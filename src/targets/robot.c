/* A planar arm of links whose hand is to be at a goal: angles are normal, and the hand, where the
 * links end, is normal about the goal, or about the nearest of several,
 *
 *   log density = log N(angles; 0, deviations^2) + max over goals of log N(hand; goal, width^2 I).
 *
 * Link i points at the sum of the first i angles. */
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"
#include "numerics/gaussian.h"
#include "targets/setup.h"
#include <math.h>

enum { L = DUN_LANES, MOST_LINKS = 10000 };
#define TURN     0.15915494309189533577 /* 1 / (2 pi) */
#define FARTHEST 0x1p48                 /* turns that vmath takes */

struct robot {
  long long links;
  struct dun_numbers lengths, deviations;
  struct dun_matrix goals;
  double width;

  double *length; /* [links] */
  struct dun_gaussian prior;
  double log_peak; /* of the hand's law */
};

static const struct dun_option options[] = {
    {.name = "links",
     .type = DUN_INTEGER,
     .offset = offsetof(struct robot, links),
     .initial = "10",
     .minimum = 1,
     .maximum = MOST_LINKS,
     .doc = "Number of links, and of angles, d."},
    {.name = "lengths",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct robot, lengths),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Lengths of the links, one for all or one for each."},
    {.name = "goals",
     .type = DUN_MATRIX,
     .offset = offsetof(struct robot, goals),
     .initial = "[[7, 0]]",
     .minimum = -1e9,
     .maximum = 1e9,
     .doc = "Where the hand is to be, a list of pairs; of several the nearest counts."},
    {.name = "width",
     .type = DUN_NUMBER,
     .offset = offsetof(struct robot, width),
     .initial = "0.01",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Standard deviation of the hand from the goal, in each direction."},
    {.name = "deviations",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct robot, deviations),
     .initial = "[1, 0.2]",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Standard deviations of the angles, in radians; beyond the list's end as its last."},
    {0}};

/* ---- set-up ------------------------------------------------------------------------------ */

static int init_prior(struct robot *t, struct dun_message why)
{
  int d = (int)t->links, last = (int)t->deviations.count - 1;
  double *number = dun_allocate(2 * (int64_t)d, sizeof *number);
  int status = 0;
  if (!number)
    return dun_refuse_failed(why);
  for (int i = 0; i < d; i++)
    number[d + i] = t->deviations.value[i < last ? i : last];
  if (dun_gaussian_diagonal(&t->prior, d, number, number + d) < 0)
    status = dun_refuse_failed(why);
  dun_free(number);
  return status;
}

DUN_CLONES static int init(void *self, struct dun_message why)
{
  struct robot *t = self;
  if (t->goals.rows < 1 || t->goals.columns != 2)
    return dun_refuse(why, "goals: found %lld of %lld numbers, expected pairs, such as [[7, 0]]",
                      t->goals.rows, t->goals.columns);
  long long most = t->links > 2 ? t->links : 2; /* there are two where nothing is said */
  if (t->deviations.count < 1 || t->deviations.count > most)
    return dun_refuse(why, "deviations: found %lld numbers, expected 1 to %lld",
                      t->deviations.count, most);
  t->length = dun_allocate(t->links, sizeof *t->length);
  if (!t->length)
    return dun_refuse_failed(why);
  if (dun_spread(why, "lengths", &t->lengths, 1, t->links, t->length) < 0)
    return DUN_ERROR_INPUT;
  t->log_peak = -DUN_LOG_2PI - 2 * dun_log(t->width);
  return init_prior(t, why);
}

static void free_tables(void *self)
{
  struct robot *t = self;
  DUN_FREE(t->length);
  dun_gaussian_free(&t->prior);
}

static int dimension_of(const void *self)
{
  return (int)((const struct robot *)self)->links;
}

static int work_columns(const void *self)
{
  return 2 * dimension_of(self);
}

/* ---- density ----------------------------------------------------------------------------- */

DUN_INLINE double clamp(double turns)
{
  double low = turns > -FARTHEST ? turns : -FARTHEST;
  return low < FARTHEST ? low : FARTHEST;
}

/* Where each link begins, joint[links][2][64], and where the last one ends. */
DUN_INLINE void find_joints(const struct robot *t, const double *restrict x, double *restrict joint,
                            double *restrict hand)
{
  double turns[L] __attribute__((aligned(64))) = {0};
  for (int l = 0; l < 2 * L; l++)
    hand[l] = 0;
  for (ptrdiff_t i = 0; i < t->links; i++) {
    const double *restrict angle = DUN_ALIGNED(x + i * L);
    double *restrict begin = DUN_ALIGNED(joint + 2 * i * L), length = t->length[i];
    for (int l = 0; l < L; l++) {
      double sine, cosine;
      turns[l] = clamp(turns[l] + clamp(TURN * angle[l]));
      dun_sincos2pi(turns[l], &sine, &cosine);
      begin[l] = hand[l];
      begin[L + l] = hand[L + l];
      hand[l] = DUN_FMA(length, cosine, hand[l]);
      hand[L + l] = DUN_FMA(length, sine, hand[L + l]);
    }
  }
}

/* Squared distance to the nearest goal, and the way there from the hand [2][64]. */
DUN_INLINE void find_goal(const struct robot *t, const double *restrict hand, double *restrict way,
                          double *restrict square)
{
  for (int l = 0; l < L; l++)
    square[l] = INFINITY;
  for (long long k = 0; k < t->goals.rows; k++) {
    double x = t->goals.value[2 * k], y = t->goals.value[2 * k + 1];
    for (int l = 0; l < L; l++) {
      double dx = x - hand[l], dy = y - hand[L + l], distance = DUN_FMA(dx, dx, dy * dy);
      int nearer = distance < square[l];
      square[l] = nearer ? distance : square[l];
      way[l] = nearer ? dx : way[l];
      way[L + l] = nearer ? dy : way[L + l];
    }
  }
}

/* An angle turns all that lies behind its joint. */
DUN_INLINE void add_forces(const struct robot *t, const double *restrict joint,
                           const double *restrict hand, const double *restrict way,
                           const double *restrict scale, double *restrict gradient)
{
  double precision = 1 / (t->width * t->width);
  for (ptrdiff_t i = 0; i < t->links; i++) {
    const double *restrict begin = DUN_ALIGNED(joint + 2 * i * L);
    double *restrict out = DUN_ALIGNED(gradient + i * L);
    for (int l = 0; l < L; l++) {
      double arm_x = hand[l] - begin[l], arm_y = hand[L + l] - begin[L + l];
      double moment = DUN_FMA(arm_x, way[L + l], -(arm_y * way[l]));
      out[l] = DUN_FMA(scale[l], precision * moment, out[l]);
    }
  }
}

static void prior(const void *self, const double *x, double *lp, const double *scale,
                  double *gradient, double *work)
{
  dun_gaussian_evaluate(&((const struct robot *)self)->prior, x, lp, scale, gradient, work);
}

DUN_CLONES
static void columns(const void *self, const double *restrict x, double *restrict lp,
                    const double *restrict scale, double *restrict gradient, double *restrict joint)
{
  const struct robot *t = self;
  double hand[2 * L] __attribute__((aligned(64))), way[2 * L] __attribute__((aligned(64))) = {0};
  double square[L] __attribute__((aligned(64))), half = .5 / (t->width * t->width);
  prior(self, x, lp, scale, gradient, NULL);
  find_joints(t, x, joint, hand);
  find_goal(t, hand, way, square);
  for (int l = 0; lp && l < L; l++)
    lp[l] += t->log_peak - half * square[l];
  if (gradient)
    add_forces(t, joint, hand, way, scale, gradient);
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *x)
{
  (void)uniform;
  dun_gaussian_draw(&((const struct robot *)self)->prior, normal, x);
}

/* ---- parameters as users know them ------------------------------------------------------- */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const char *const label[] = {"x", "y"};
  const struct dun_parameter all[] = {
      {.name = "angles",
       .rank = 1,
       .shape = {dimension_of(self)},
       .doc = "Of each link from the one before, in radians."},
      {.name = "hand", .rank = 1, .shape = {2}, .label = label, .doc = "Where the links end."},
  };
  for (int i = 0; i < 2 && i < capacity; i++)
    parameter[i] = all[i];
  return 2;
}

DUN_CLONES static void constrain(const void *self, const double *x, double *theta)
{
  const struct robot *t = self;
  double turns = 0, sine, cosine, *hand = theta + t->links;
  hand[0] = hand[1] = 0;
  for (ptrdiff_t i = 0; i < t->links; i++) {
    turns = clamp(turns + clamp(TURN * x[i]));
    dun_sincos2pi(turns, &sine, &cosine);
    theta[i] = x[i];
    hand[0] = DUN_FMA(t->length[i], cosine, hand[0]);
    hand[1] = DUN_FMA(t->length[i], sine, hand[1]);
  }
}

const struct dun_target dun_target_robot = {
    .type = {DUN_TYPE(struct dun_target), .name = "robot",
             .doc = "A planar arm whose hand is to be at a goal, or at one of several.",
             .citation = "Arenz, Zhong & Neumann 2020, Trust-region variational inference with "
                         "Gaussian mixture models, JMLR 21 (163)",
             .size = sizeof(struct robot), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .prior = prior,
    .draw_normals = -1,
    .draw_prior = draw_prior,
    .parameters = parameters,
    .constrain = constrain,
};
