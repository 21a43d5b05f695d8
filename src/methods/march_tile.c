#include "methods/march_tile.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "population/tile.h"
#include <math.h>
#include <string.h>

enum { L = DUN_LANES };

/* Of a law that is met nobody's |noise| is above sqrt(r d) by so much: it is that of a normal
 * vector, or less, since a mean given the state is nearer 0. */
static const double ASTRAY_BY = 8;

int dun_march_guided(const struct dun_march *m)
{
  return m->guidance.label >= 0 && m->guidance.scale != 0;
}

int dun_march_has_noise(const struct dun_channel *channel)
{
  return channel->determinant > 0;
}

struct dun_march_work dun_march_work_of(const struct dun_march *m)
{
  int kept = m->kept ? m->kept->width : 0;
  struct dun_march_work w = {.tile = {.d = m->d, .z = m->workspace}};
  int64_t column = (int64_t)m->d * L;
  w.tile.mean = w.tile.z + m->r * column;
  w.h = w.tile.mean + column;
  w.other = w.h + column;
  w.lambda = w.other + column;
  w.square = w.lambda + L;
  for (int q = 0; q < DUN_MARCH_SUMS; q++)
    w.look[q] = w.square + (q + 1) * L;
  w.tile.log_weight = w.square + (DUN_MARCH_SUMS + 1) * L;
  w.tile.kept = w.tile.log_weight + L;
  w.tile.scratch = w.tile.kept + (int64_t)kept * L;
  return w;
}

void dun_march_load(const struct dun_march *m, const struct dun_run *run, int64_t i,
                    struct dun_march_work *w)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  w->tile.n = dun_tile_size(tiles, tiles->first_tile + i);
  w->tile.address = dun_run_address(run, DUN_PURPOSE_NOISE);
  w->tile.address.tile = (uint32_t)(tiles->first_tile + i);
  dun_tile_load(&run->population, run->x, i, w->tile.z);
  if (m->momentum)
    dun_tile_load(&run->population, m->momentum, i, w->tile.z + (int64_t)m->d * L);
  if (m->kept)
    dun_tile_load(&run->population, m->kept, i, w->tile.kept);
  if (m->log_weight)
    dun_tile_load(&run->population, m->log_weight, i, w->tile.log_weight);
  memset(w->look[0], 0, DUN_MARCH_SUMS * L * sizeof(double));
}

void dun_march_store(const struct dun_march *m, const struct dun_run *run, int64_t i,
                     const struct dun_march_work *w)
{
  dun_tile_store(&run->population, run->x, i, w->tile.z);
  if (m->momentum)
    dun_tile_store(&run->population, m->momentum, i, w->tile.z + (int64_t)m->d * L);
  if (m->kept)
    dun_tile_store(&run->population, m->kept, i, w->tile.kept);
  if (m->log_weight)
    dun_tile_store(&run->population, m->log_weight, i, w->tile.log_weight);
}

/* h += tilt (z - offset); `first` begins it.  A field is asked for finite numbers only. */
DUN_CLONES static void add_tilt(int d, double tilt, double offset, int first,
                                const double *restrict z_, double *restrict h_)
{
  const double *z = DUN_ALIGNED(z_);
  double *h = DUN_ALIGNED(h_);
  for (int64_t i = 0; i < (int64_t)d * L; i++) {
    double sum = DUN_FMA(tilt, z[i] - offset, first ? 0 : h[i]);
    h[i] = __builtin_fabs(sum) < 1e300 ? sum : 0;
  }
}

/* mean += scale (mean - other): the class once more. */
DUN_CLONES static void guide(int d, double scale, const double *restrict other_,
                             double *restrict mean_)
{
  const double *other = DUN_ALIGNED(other_);
  double *mean = DUN_ALIGNED(mean_);
  for (int64_t i = 0; i < (int64_t)d * L; i++)
    mean[i] = DUN_FMA(scale, mean[i] - other[i], mean[i]);
}

/* square[64] += |root^-1 (z - offset - gain mean)|^2. */
DUN_CLONES static void add_noise(const struct dun_channel *c, int d, const double *restrict z_,
                                 const double *restrict mean_, double *restrict square)
{
  const double *z = DUN_ALIGNED(z_), *mean = DUN_ALIGNED(mean_);
  const int64_t column = (int64_t)d * L;
  double a = 1 / c->root[0][0], b = c->r > 1 ? 1 / c->root[1][1] : 0;
  for (int64_t i = 0; i < column; i += L)
    for (int l = 0; l < L; l++) {
      double e = a * (z[i + l] - c->offset[0] - c->gain[0] * mean[i + l]);
      square[l] = DUN_FMA(e, e, square[l]);
      if (c->r > 1) {
        double f = z[column + i + l] - c->offset[1] - c->gain[1] * mean[i + l];
        f = b * DUN_FMA(-c->root[1][0], e, f);
        square[l] = DUN_FMA(f, f, square[l]);
      }
    }
}

/* Lanes behind the n-th hold no particles. */
DUN_CLONES static void count(int n, double size, const double *restrict square,
                             double *restrict noise, double *restrict astray)
{
  const double most = sqrt(size) + ASTRAY_BY, limit = most * most, each = 1 / size;
  for (int l = 0; l < L; l++) {
    double is = square[l] < INFINITY ? square[l] : 0, far = square[l] <= limit ? 0 : 1;
    noise[l] += l < n ? each * is : 0;
    astray[l] += l < n ? far : 0;
  }
}

void dun_march_look(const struct dun_march *m, const struct dun_channel *c,
                    struct dun_march_work *w)
{
  memset(w->square, 0, L * sizeof(double));
  add_noise(c, m->d, w->tile.z, w->tile.mean, w->square);
  count(w->tile.n, m->r * m->d, w->square, w->look[DUN_MARCH_NOISE], w->look[DUN_MARCH_ASTRAY]);
}

/* h of the states at a channel. */
void dun_march_tilt(const struct dun_march *m, const struct dun_channel *c,
                    struct dun_march_work *w)
{
  for (int i = 0; i < m->r; i++)
    add_tilt(m->d, c->tilt[i], c->offset[i], i == 0, w->tile.z + (int64_t)i * m->d * L, w->h);
}

/* The posterior of the point given the state at time `index` of the grid: its mean, or for a
 * readout a draw in the mean's place. */
static void ask(const struct dun_march *m, int64_t index, int draw, double *mass,
                struct dun_march_work *w)
{
  const struct dun_channel *c = &m->channel[index];
  dun_march_tilt(m, c, w);
  for (int l = 0; l < L; l++)
    w->lambda[l] = c->lambda;
  struct dun_field_call call = {.n = w->tile.n,
                                .h = w->h,
                                .lambda = w->lambda,
                                .address = w->tile.address,
                                .label = (int)m->guidance.label,
                                .mean = w->tile.mean,
                                .log_mass = mass,
                                .draw = draw ? w->other : NULL};
  call.address.step = (uint32_t)index;
  m->field->value(m->field_self, &call);
  if (dun_march_guided(m)) {
    call.label = -1;
    call.mean = w->other;
    m->field->value(m->field_self, &call);
    guide(m->d, m->guidance.scale, w->other, w->tile.mean);
  }
  if (draw)
    memcpy(w->tile.mean, w->other, (size_t)m->d * L * sizeof(double));
  else if (dun_march_has_noise(c))
    dun_march_look(m, c, w);
}

void dun_march_stage(const struct dun_march *m, int64_t k, int stage, struct dun_march_work *w)
{
  int64_t index = m->plan->look(m, k, stage);
  w->tile.k = k;
  w->tile.address.step = (uint32_t)k;
  if (m->plan->before)
    m->plan->before(m, &w->tile, stage);
  if (index >= 0)
    ask(m, index, 0, NULL, w);
  m->plan->after(m, &w->tile, stage);
}

void dun_march_finish(const struct dun_march *m, struct dun_march_work *w)
{
  w->tile.k = m->steps;
  if (m->plan->last && m->final == DUN_MARCH_DENOISE)
    m->plan->last(m, &w->tile);
  else
    memcpy(w->tile.z, w->tile.mean, (size_t)m->d * L * sizeof(double));
}

/* Of the last states, p(z) = N(z; offset, noise) integral pi(x) exp(<h, x> - lambda |x|^2 / 2). */
static void end_way(const struct dun_march *m, const struct dun_channel *c, const double *mass,
                    struct dun_march_work *w)
{
  struct dun_channel alone = *c;
  double constant = .5 * m->d * (m->r * DUN_LOG_2PI + dun_scalar_log(c->determinant));

  alone.gain[0] = alone.gain[1] = 0;
  memset(w->square, 0, L * sizeof(double));
  add_noise(&alone, m->d, w->tile.z, w->tile.z, w->square);
  for (int l = 0; l < L; l++)
    w->tile.log_weight[l] += mass[l] - .5 * w->square[l] - constant;
}

/* x from the last state, in its place. */
void dun_march_read_out(const struct dun_march *m, struct dun_march_work *w)
{
  double mass[L] __attribute__((aligned(64)));
  const struct dun_channel *c = &m->channel[m->steps];
  if (m->final != DUN_MARCH_STATE) {
    ask(m, m->steps, m->final == DUN_MARCH_DRAW, m->ways.wanted ? mass : NULL, w);
    if (m->ways.wanted)
      end_way(m, c, mass, w);
    dun_march_finish(m, w);
  } else if (c->gain[0] != 1 || c->offset[0] != 0) {
    add_tilt(m->d, 1 / c->gain[0], c->offset[0], 1, w->tile.z, w->h);
    memcpy(w->tile.z, w->h, (size_t)m->d * L * sizeof(double));
  }
}
