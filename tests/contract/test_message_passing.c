/* Magnetisations by message passing against the sum over all states: root mean square errors over
 * twenty instances of twelve spins and three times, at each temperature at most 1.5 times those
 * that are known of the method. */
#include "fields/field.h"
#include "made_part.h"
#include "states.h"

enum { SPINS = 12, INSTANCES = 20 };

static const double beta[] = {.25, .5, .8}, known[] = {.004, .02, .05}, times[] = {.1, .5, 2};
static double h[SPINS * L] __attribute__((aligned(64)));
static double mean[SPINS * L] __attribute__((aligned(64)));

/* Four points of the target's own, seen at a time; the others repeat the first. */
static void observe(struct subject *s, double t, int round)
{
  static double law[MOST_STATES];
  double sum = sum_states(s, NULL, NULL), u[L] __attribute__((aligned(64)));
  double x[SPINS * L], normal[SPINS * L] __attribute__((aligned(64)));
  struct dun_address address = {.seed = 3, .purpose = DUN_PURPOSE_TEST, .step = (uint32_t)round};
  for (int k = 0; k < states_of(s); k++)
    law[k] = exp(state_lp[k] - sum);
  dun_uniforms(address, 1, u);
  address.tile = 1;
  dun_normals(address, SPINS, normal);
  for (int l = 0; l < L; l++) {
    int state = 0, lane = l < 4 ? l : 0;
    for (double left = u[lane]; state + 1 < states_of(s) && left > law[state]; state++)
      left -= law[state];
    put_state(s, state, l, x);
    for (int j = 0; j < SPINS; j++)
      h[j * L + l] = t * x[j * L + l] + sqrt(t) * normal[j * L + lane];
  }
}

static double square_error(struct subject *s, const struct dun_field *field, void *self)
{
  double sum = 0, lane[SPINS], expected[SPINS], zero[L] __attribute__((aligned(64))) = {0};
  field->value(self,
               &(struct dun_field_call){.n = 4, .h = h, .lambda = zero, .label = -1, .mean = mean});
  for (int l = 0; l < 4; l++) {
    for (int j = 0; j < SPINS; j++)
      lane[j] = h[j * L + l];
    sum_states(s, lane, expected);
    for (int j = 0; j < SPINS; j++)
      sum += (mean[j * L + l] - expected[j]) * (mean[j * L + l] - expected[j]);
  }
  return sum / (4 * SPINS);
}

static void means_are_near(void)
{
  for (int b = 0; b < 3; b++) {
    double sum = 0;
    for (int i = 0; i < INSTANCES; i++) {
      struct subject s;
      struct made_part made;
      char text[128], why[1024];
      snprintf(text, sizeof text,
               "type: sherrington_kirkpatrick, dimension: %d, beta: %g, instance: %d", SPINS,
               beta[b], i);
      CHECK(subject_open(&test_context, &s, text, why) == 0);
      CHECK(made_part_open(&test_context, &made, DUN_KIND_FIELD, "type: amp, passes: 15", why) ==
            0);
      const struct dun_field *field = (const struct dun_field *)made.part.type;
      CHECK(field->init(&test_context, made.part.self, &s.evaluator, 1) == 0);
      find_states(&s);
      for (int k = 0; k < 3; k++) {
        observe(&s, times[k], 3 * i + k);
        sum += square_error(&s, field, made.part.self);
      }
      made_part_close(&made);
      subject_close(&s);
    }
    double error = sqrt(sum / (3 * INSTANCES));
    printf("# beta %g: %.4f, known %.4f\n", beta[b], error, known[b]);
    CHECK(error < 1.5 * known[b]);
  }
}

TEST_MAIN({"means_are_near", means_are_near})
