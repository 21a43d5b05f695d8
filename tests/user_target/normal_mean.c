/* y_i ~ N(mu, 1) with mu ~ N(0, 3): everything about it is known in closed form, and it tells the
 * log likelihood of each observation and draws its prior.  mu lives on (-100, 100), of which its
 * law does not reach the ends. */
#include <dunlin/data.h>
#include <math.h>

struct normal_mean {
  struct dun_arrays data;
  int fault;
  long long n;
  const double *y;
};

static const double half_log_2pi = .918938533204672742, width = 3;
enum { NONE, SHORT, LONG };

static const struct dun_option options[] = {
    {.name = "data",
     .type = DUN_ARRAYS,
     .offset = offsetof(struct normal_mean, data),
     .doc = "JSON file with the list y."},
    {.name = "fault",
     .type = DUN_CHOICE,
     .offset = offsetof(struct normal_mean, fault),
     .initial = "none",
     .words = "none|short|long",
     .doc = "Whether it writes one log likelihood too few, or too many."},
    {0}};

static int init(void *self, struct dun_message why)
{
  struct normal_mean *t = self;
  t->n = dun_take_list(&t->data, "y", -1, &t->y, why);
  return t->n < 0 ? -1 : 0;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  (void)self;
  if (capacity > 0)
    *parameter = (struct dun_parameter){
        .name = "mu", .transform = DUN_BETWEEN, .lower = -100, .upper = 100, .doc = "The mean."};
  return 1;
}

static double point(const void *self, const double *theta, double *gradient)
{
  const struct normal_mean *t = self;
  double mu = *theta, lp = -.5 * mu * mu / (width * width) - log(width) - half_log_2pi;
  double slope = -mu / (width * width);
  for (long long i = 0; i < t->n; i++) {
    lp -= .5 * (t->y[i] - mu) * (t->y[i] - mu) + half_log_2pi;
    slope += t->y[i] - mu;
  }
  if (gradient)
    *gradient = slope;
  return lp;
}

static int likelihood(const void *self, int capacity, struct dun_parameter *variable)
{
  const struct normal_mean *t = self;
  if (capacity > 0)
    *variable = (struct dun_parameter){
        .name = "y", .rank = 1, .shape = {(int)t->n}, .doc = "Of the observations."};
  return 1;
}

static void log_likelihood(const void *self, const double *theta, double *out)
{
  const struct normal_mean *t = self;
  long long count = t->n + (t->fault == LONG) - (t->fault == SHORT);
  for (long long i = 0; i < count; i++) {
    double off = t->y[i < t->n ? i : 0] - *theta;
    out[i] = -.5 * off * off - half_log_2pi;
  }
}

static void draw_prior(const void *self, const double *uniform, const double *normal, double *theta)
{
  (void)self;
  (void)uniform;
  for (int l = 0; l < DUN_LANES; l++)
    theta[l] = width * normal[l];
}

const struct dun_target dun_target_normal_mean = {
    .type = {DUN_TYPE(struct dun_target), .name = "normal_mean", .doc = "The mean of normal data.",
             .size = sizeof(struct normal_mean), .options = options},
    .constrained = 1,
    .init = init,
    .parameters = parameters,
    .point = point,
    .likelihood = likelihood,
    .log_likelihood = log_likelihood,
    .draw_normals = 1,
    .draw_prior = draw_prior,
};
