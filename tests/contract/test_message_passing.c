/* ranks: 1 3 */
/* Magnetisations by message passing against the sum over all states: root mean square errors over
 * twenty instances of twelve spins and three times, at each temperature at most 1.5 times those
 * that are known of the method; and with the couplings' rows over the ranks the same bits. */
#include "fields/field.h"
#include "made_part.h"
#include "population/tile.h"
#include "states.h"

enum { SPINS = 12, INSTANCES = 20 };

extern const struct dun_target dun_target_sherrington_kirkpatrick;
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

/* ---- couplings over the ranks ---------------------------------------------------------------- */

enum { MANY = 75, PARTICLES = 70 };
static const char *const many =
    "type: sherrington_kirkpatrick, dimension: 75, beta: 0.9, signal: 1, "
    "field: 0.1, couplings: drawn";

/* A field of a target, which is opened, too; < 0: the field's code. */
static int open_field(struct subject *s, struct made_part *made, const char *target,
                      const char *field)
{
  char why[1024];
  CHECK(subject_open(&test_context, s, target, why) == 0);
  CHECK(made_part_open(&test_context, made, DUN_KIND_FIELD, field, why) == 0);
  return ((const struct dun_field *)made->part.type)
      ->init(&test_context, made->part.self, &s->evaluator, 1);
}

static void close_field(struct subject *s, struct made_part *made)
{
  made_part_close(made);
  subject_close(s);
}

/* Rank r has the particles from r on at every third, rank 1 of three none. */
static int has(int particle)
{
  int of[] = {0, 2, 2};
  return test_context.size == 1 || of[particle % 3] == test_context.rank;
}

static void rows_are_the_whole(void)
{
  static double h_rows[PARTICLES * MANY], found[PARTICLES * MANY], expected[PARTICLES * MANY];
  static double tile[MANY * L] __attribute__((aligned(64)));
  static double means[MANY * L] __attribute__((aligned(64)));
  struct subject s;
  struct made_part made;
  int64_t n = 0, evaluations;
  CHECK(open_field(&s, &made, many, "type: amp") == 0);
  const struct dun_field *field = (const struct dun_field *)made.part.type;
  CHECK(!field->spread_out(made.part.self));
  for (int p = 0; p < PARTICLES; p++) {
    double *tilt = h_rows + n * MANY;
    for (int j = 0; j < MANY; j++)
      tilt[j] = .01 * ((p * 31 + j * j * 7) % 201 - 100);
    dun_columns_from_rows(1, MANY, tilt, tile);
    field->value(made.part.self, &(struct dun_field_call){.n = 1, .h = tile, .mean = means});
    dun_rows_from_columns(1, MANY, means, expected + n * MANY);
    n += has(p);
  }
  evaluations = s.evaluator.evaluations / PARTICLES;
  close_field(&s, &made);
  CHECK(open_field(&s, &made, many, "type: amp, distributed: yes") == 0);
  field = (const struct dun_field *)made.part.type;
  CHECK(field->spread_out(made.part.self) == DUN_FIELD_SPREAD);
  CHECK(field->memory(made.part.self) <= (MANY / test_context.size + 1) * MANY * 8);
  CHECK(field->rows(&test_context, made.part.self, n, h_rows, found) == 0);
  CHECK(!memcmp(found, expected, (size_t)(n * MANY) * sizeof *found));
  CHECK(s.evaluator.evaluations == n * evaluations);
  close_field(&s, &made);
}

/* Of couplings that are not those of the density all ranks say so. */
static void half_of_it(const void *self, int first, int count, double *row, double *field)
{
  const struct dun_target *right = &dun_target_sherrington_kirkpatrick;
  right->couplings(self, first, count, row, field);
  row[(count - 1) * MANY + (first + count > 1 ? 0 : 1)] *= .5;
}

static void wrong_rows_are_refused(void)
{
  struct subject s;
  struct made_part made;
  char why[1024];
  CHECK(subject_open(&test_context, &s, many, why) == 0);
  struct dun_target wrong = *s.target;
  wrong.couplings = half_of_it;
  s.evaluator.target = &wrong;
  CHECK(made_part_open(&test_context, &made, DUN_KIND_FIELD, "type: amp, distributed: yes", why) ==
        0);
  const struct dun_field *field = (const struct dun_field *)made.part.type;
  CHECK(field->init(&test_context, made.part.self, &s.evaluator, 1) == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "`couplings` makes") != NULL);
  close_field(&s, &made);
  CHECK(open_field(&s, &made, "type: hopfield, dimension: 9, beta: 1",
                   "type: amp, distributed: yes") == DUN_ERROR_INPUT);
  CHECK(strstr(dun_error_text(), "row by row") != NULL);
  close_field(&s, &made);
  CHECK(subject_open(&test_context, &s, "type: sherrington_kirkpatrick, dimension: 20000, beta: 1",
                     why) < 0);
  CHECK(strstr(why, "at most 16384 where couplings are kept") != NULL);
  subject_close(&s);
}

TEST_MAIN({"means_are_near", means_are_near}, {"rows_are_the_whole", rows_are_the_whole},
          {"wrong_rows_are_refused", wrong_rows_are_refused})
