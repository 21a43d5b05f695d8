#include "methods/psld_pilot.h"
#include "base/random.h"
#include "methods/psld_score.h"
#include "numerics/phase_tuned.h"
#include <math.h>

enum { L = DUN_LANES, STEPS = 50 };

struct pilot {
  const struct dun_march *march;
  struct dun_phase_table table;
  struct dun_address address;
  int d;
  double *z, *s, *mean, *lambda; /* [2 d][64] twice, [d][64], [64] */
};

static void draw(void *data, int block, double *xi)
{
  const struct pilot *p = data;

  (void)block;
  dun_normals(p->address, 2 * p->d, xi);
}

/* The tilt of the states at a time, and their score. */
static int ask(struct pilot *p, double t, double *h)
{
  const struct dun_march *m = p->march;
  struct dun_channel channel;
  int code = dun_process_channel(m->process, m->process_self, t, &channel);

  if (code < 0)
    return code;
  dun_psld_tilt(&channel, p->d, p->z, h);
  for (int l = 0; l < L; l++)
    p->lambda[l] = channel.lambda;
  struct dun_field_call call = {.n = L, .h = h, .lambda = p->lambda, .label = -1, .mean = p->mean};
  m->field->value(m->field_self, &call);
  dun_psld_score(&channel, p->d, p->z, p->mean, p->s);
  return 0;
}

static int go(struct pilot *p, const double *time, double *h)
{
  struct dun_phase_normals normals = {p, draw};
  double *xi = p->lambda + L;
  int code = 0;

  for (int64_t k = 0; k < p->table.steps && code == 0; k++) {
    p->address.step = (uint32_t)k;
    if ((code = ask(p, time[k], h)) == 0)
      dun_phase_after(&p->table, k, 0, p->d, p->s, p->s, &normals, xi, p->z);
  }
  return code < 0 ? code : ask(p, time[p->table.steps], h);
}

int64_t dun_psld_pilot_scratch(int d)
{
  return 7 * (int64_t)d + 1;
}

int dun_psld_pilot(const struct dun_phase_space *space, const struct dun_march *march,
                   const struct dun_run *run, double *h, double *scratch)
{
  const struct dun_phase_noise noise = {1, DUN_PHASE_CONSISTENT, {1, 1}};
  int64_t column = (int64_t)march->d * L;
  struct pilot p = {.march = march,
                    .d = march->d,
                    .z = scratch,
                    .s = scratch + 2 * column,
                    .mean = scratch + 4 * column,
                    .lambda = scratch + 5 * column,
                    .address = dun_run_address(run, DUN_PURPOSE_PILOT)};
  struct dun_program program;
  double time[STEPS + 1];
  int code = dun_phase_program_parse("pilot", "em", space->gamma, &program);

  dun_phase_times(march->grid.time[0], march->grid.time[march->grid.count], 2, STEPS, time);
  if (code == 0)
    code = dun_phase_table_make(&p.table, space, &noise, &program, STEPS, time);
  if (code < 0)
    return code;
  p.address.step = UINT32_MAX;
  dun_normals(p.address, 2 * march->d, p.z);
  for (int64_t i = 0; i < column; i++)
    p.z[column + i] *= sqrt(space->mass);
  code = go(&p, time, h);
  dun_phase_table_free(&p.table);
  return code;
}
