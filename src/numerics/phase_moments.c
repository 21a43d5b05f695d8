#include "numerics/phase_moments.h"
#include <math.h>

/* What is known of the state and of the last score as linear functions: of the state where the step
 * begins (columns 0 and 1), of 1 (column 2), and of the noise drawn since. */
enum { START = 2, MOST = START + 1 + 2 * DUN_PROGRAM_MOST };
struct columns {
  int count;
  double z[MOST][2], s[MOST][2];
};

static void begin(struct columns *c)
{
  *c = (struct columns){.count = START + 1, .z = {{1, 0}, {0, 1}}};
}

/* The score -S^-1 (z - mean) after this flow. */
static void evaluate(const struct dun_phase_space *space, const struct dun_phase_flow *flow,
                     double mean, double variance, struct columns *c)
{
  double covariance[2][2], determinant;

  dun_phase_flow_spread(flow, variance, space->kappa * space->mass, covariance, &determinant);
  for (int k = 0; k < c->count; k++) {
    double x = c->z[k][0] - (k == START ? flow->mean[0][0] * mean : 0);
    double m = c->z[k][1] - (k == START ? flow->mean[1][0] * mean : 0);
    c->s[k][0] = -(covariance[1][1] * x - covariance[0][1] * m) / determinant;
    c->s[k][1] = -(covariance[0][0] * m - covariance[0][1] * x) / determinant;
  }
}

static void apply(const struct dun_phase_operator *o, struct columns *c)
{
  for (int k = 0; k < c->count; k++) {
    double x = c->z[k][0], m = c->z[k][1];
    for (int i = 0; i < 2; i++)
      c->z[k][i] = o->state[i][0] * x + o->state[i][1] * m + o->score[i] * c->s[k][i] +
                   (k == i ? o->start : 0);
  }
  for (int j = 0; j < 2 && o->block >= 0; j++) {
    c->z[c->count][0] = o->noise[0][j];
    c->z[c->count][1] = o->noise[1][j];
    c->s[c->count][0] = c->s[c->count][1] = 0;
    c->count++;
  }
}

/* The moments after what the columns say. */
static void carry(const struct columns *c, struct dun_phase_moments *m)
{
  struct dun_phase_moments next = {.mean = {c->z[START][0], c->z[START][1]}};

  for (int i = 0; i < 2; i++)
    for (int a = 0; a < 2; a++) {
      next.mean[i] += c->z[a][i] * m->mean[a];
      for (int j = 0; j < 2; j++)
        for (int b = 0; b < 2; b++)
          next.covariance[i][j] += c->z[a][i] * m->covariance[a][b] * c->z[b][j];
    }
  for (int k = START + 1; k < c->count; k++)
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++)
        next.covariance[i][j] += c->z[k][i] * c->z[k][j];
  *m = next;
}

void dun_phase_moments_at(const struct dun_phase_space *space, double clock, double mean,
                          double variance, struct dun_phase_moments *m)
{
  struct dun_phase_flow flow;
  double determinant;

  dun_phase_space_flow(space, clock, &flow);
  dun_phase_flow_spread(&flow, variance, space->kappa * space->mass, m->covariance, &determinant);
  m->mean[0] = flow.mean[0][0] * mean;
  m->mean[1] = flow.mean[1][0] * mean;
}

void dun_phase_moments_prior(const struct dun_phase_space *space, struct dun_phase_moments *m)
{
  *m = (struct dun_phase_moments){.covariance = {{1, 0}, {0, space->mass}}};
}

void dun_phase_moments_carry(const struct dun_phase_table *table,
                             const struct dun_phase_space *space, double mean, double variance,
                             int last, struct dun_phase_moments *moments)
{
  struct columns c;
  int count = table->program.count;

  for (int64_t k = 0; k < table->steps; k++) {
    begin(&c);
    for (int i = 0; i < count; i++) {
      const struct dun_phase_operator *o = &table->operation[k * count + i];
      if (o->letter == 'S')
        evaluate(space, &table->flow[k + o->end], mean, variance, &c);
      else
        apply(o, &c);
    }
    carry(&c, moments);
  }
  if (!last)
    return;
  begin(&c);
  evaluate(space, &table->flow[table->steps], mean, variance, &c);
  apply(&table->last, &c);
  carry(&c, moments);
}

double dun_phase_distance(const struct dun_phase_table *table, const struct dun_phase_space *space,
                          int count, const struct dun_phase_direction *direction, int last)
{
  double sum = 0;

  for (int i = 0; i < count; i++) {
    const struct dun_phase_direction *d = &direction[i];
    struct dun_phase_moments m;
    dun_phase_moments_prior(space, &m);
    /* all is linear in the mean: one unit of it tells for all directions alike */
    dun_phase_moments_carry(table, space, 1, d->variance, last, &m);
    double deviation = sqrt(m.covariance[0][0]) - sqrt(d->variance), shift = m.mean[0] - 1;
    sum += d->count * deviation * deviation + d->square * shift * shift;
  }
  return sum;
}
