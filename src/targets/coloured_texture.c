/* Images of one colour, drawn among a few, under a texture: x = colour + texture, the colour the
 * same at all pixels, the texture a Gaussian field on a periodic lattice for each channel.  Its
 * waves k have variances A / (mass^2 + khat^2), A such that a pixel's is `variance`; the wave 0, a
 * shift that all pixels have in common, may have one of its own beside.  Correlations are those of
 * the colour however far pixels lie apart, while nothing but its mean tells a large patch's colour:
 * what knows patches alone misses them (Montanari 2023, arXiv 2305.10690).
 *
 * Given the colour all is Gaussian, and colours differ in the wave 0 alone. */
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/lattice.h"
#include "targets/setup.h"
#include <math.h>

enum { L = DUN_LANES, MOST_COLOURS = 1000 };

struct coloured_texture {
  struct dun_numbers side, weights;
  double mass, variance, shift;
  struct dun_matrix colours; /* [K][channels] */

  int kinds, channels; /* K */
  struct dun_lattice lattice;
  double *precision, *deviation; /* [sites] of waves */
  double *log_weight, *share;    /* [K] */
  double log_peak;
};

static const struct dun_option options[] = {
    {.name = "side",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct coloured_texture, side),
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Pixels along each side, one number for both or height and width."},
    {.name = "colours",
     .type = DUN_MATRIX,
     .offset = offsetof(struct coloured_texture, colours),
     .doc = "A row for each colour, a number for each channel."},
    {.name = "weights",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct coloured_texture, weights),
     .initial = "1",
     .minimum = 1e-300,
     .maximum = 1e300,
     .doc = "How frequent the colours are, in proportion; one number: all alike."},
    {.name = "variance",
     .type = DUN_NUMBER,
     .offset = offsetof(struct coloured_texture, variance),
     .initial = "0.25",
     .minimum = 1e-50,
     .maximum = 1e50,
     .doc = "Of the texture at a pixel."},
    {.name = "mass",
     .type = DUN_NUMBER,
     .offset = offsetof(struct coloured_texture, mass),
     .initial = "1",
     .minimum = 1e-6,
     .maximum = 1e6,
     .doc = "Inverse correlation length of the texture, in pixels."},
    {.name = "shift",
     .type = DUN_NUMBER,
     .offset = offsetof(struct coloured_texture, shift),
     .initial = "0",
     .minimum = 0,
     .maximum = 1e50,
     .doc = "Variance of a Gaussian shift that all pixels of a channel have in common."},
    {0}};

/* ---- tables ------------------------------------------------------------------------------ */

static int set_lattice(struct coloured_texture *t, struct dun_message why)
{
  int size[3], status = dun_setup_lattice(why, &t->side, 2, size);
  if (status < 0)
    return status;
  t->kinds = (int)t->colours.rows;
  t->channels = (int)t->colours.columns;
  if (t->colours.rows > MOST_COLOURS || t->channels < 1)
    return dun_refuse(why, "colours: found %lld of %lld channels, expected at most %d of some",
                      t->colours.rows, t->colours.columns, MOST_COLOURS);
  if (t->colours.columns > DUN_MAX_DIMENSION / ((int64_t)size[0] * size[1]))
    return dun_refuse(why, "colours: %lld channels of %d x %d pixels are more than %d numbers",
                      t->colours.columns, size[0], size[1], DUN_MAX_DIMENSION);
  return dun_lattice_init(&t->lattice, 2, size) < 0 ? dun_refuse_failed(why) : 0;
}

static int set_weights(struct coloured_texture *t, struct dun_message why)
{
  double sum = 0;
  int status = dun_spread(why, "weights", &t->weights, 1, t->kinds, t->share);
  for (int k = 0; k < t->kinds && status >= 0; k++)
    sum += t->share[k];
  for (int k = 0; k < t->kinds && status >= 0; k++) {
    t->share[k] /= sum;
    t->log_weight[k] = dun_scalar_log(t->share[k]);
  }
  return status;
}

static void set_spectrum(struct coloured_texture *t)
{
  int64_t n = t->lattice.sites;
  double mean = 0, sum = 0;
  for (int64_t k = 0; k < n; k++)
    mean += 1 / (t->mass * t->mass + t->lattice.wave[k]) / (double)n;
  for (int64_t k = 0; k < n; k++) {
    double v = t->variance / mean / (t->mass * t->mass + t->lattice.wave[k]);
    v += k == 0 ? (double)n * t->shift : 0;
    t->deviation[k] = sqrt(v);
    t->precision[k] = 1 / v;
    sum += .5 * (DUN_LOG_2PI + dun_scalar_log(v));
  }
  t->log_peak = -t->channels * sum;
}

static int init(void *self, struct dun_message why)
{
  struct coloured_texture *t = self;
  int status = set_lattice(t, why);
  if (status < 0)
    return status;
  t->precision = dun_allocate(t->lattice.sites, sizeof *t->precision);
  t->deviation = dun_allocate(t->lattice.sites, sizeof *t->deviation);
  t->log_weight = dun_allocate(t->kinds, sizeof *t->log_weight);
  t->share = dun_allocate(t->kinds, sizeof *t->share);
  if (!t->precision || !t->deviation || !t->log_weight || !t->share)
    return dun_refuse_failed(why);
  set_spectrum(t);
  return set_weights(t, why);
}

static void free_tables(void *self)
{
  struct coloured_texture *t = self;
  dun_lattice_free(&t->lattice);
  DUN_FREE(t->precision);
  DUN_FREE(t->deviation);
  DUN_FREE(t->log_weight);
  DUN_FREE(t->share);
}

static int dimension_of(const void *self)
{
  const struct coloured_texture *t = self;
  return t->channels * (int)t->lattice.sites;
}

/* Scratch: two fields, a number for each channel, one for each colour. */
static int work_columns(const void *self)
{
  const struct coloured_texture *t = self;
  return 2 * (int)t->lattice.sites + t->channels + t->kinds;
}

static double *levels_in(const struct coloured_texture *t, double *work)
{
  return work + 2 * t->lattice.sites * L;
}

static double *odds_in(const struct coloured_texture *t, double *work)
{
  return levels_in(t, work) + (int64_t)t->channels * L;
}

static double colour(const struct coloured_texture *t, int k, int channel)
{
  return t->colours.value[(int64_t)k * t->channels + channel];
}

/* ---- which colour ------------------------------------------------------------------------ */

/* odds[K][64], the log weight of each colour: level[channels][64] is what speaks for a unit of it,
 * against[64] for the half of its square. */
DUN_CLONES static void weigh_colours(const struct coloured_texture *t, const double *restrict level,
                                     const double *restrict against, double *restrict odds)
{
  for (int k = 0; k < t->kinds; k++) {
    double *restrict o = odds + (int64_t)k * L;
    for (int l = 0; l < L; l++)
      o[l] = t->log_weight[k];
    for (int channel = 0; channel < t->channels; channel++) {
      double c = colour(t, k, channel);
      for (int l = 0; l < L; l++)
        o[l] += c * (level[channel * L + l] - .5 * c * against[l]);
    }
  }
}

/* Log weights become shares; the log of their sum[64]. */
DUN_CLONES static void share_out(int kinds, double *restrict odds, double *restrict log_sum)
{
  double top[L], sum[L] = {0};
  for (int l = 0; l < L; l++)
    top[l] = odds[l];
  for (int64_t k = 1; k < kinds; k++)
    for (int l = 0; l < L; l++)
      top[l] = odds[k * L + l] > top[l] ? odds[k * L + l] : top[l];
  for (int64_t k = 0; k < kinds; k++)
    for (int l = 0; l < L; l++)
      sum[l] += odds[k * L + l] = dun_exp_weight(odds[k * L + l] - top[l]);
  for (int64_t k = 0; k < kinds; k++)
    for (int l = 0; l < L; l++)
      odds[k * L + l] /= sum[l];
  for (int l = 0; l < L; l++)
    log_sum[l] = top[l] + dun_log(sum[l]);
}

/* Of all colours but `label`, from 1, the share is 0; the log of the weight that is left. */
static void keep_one(const struct coloured_texture *t, int label, double *odds, double *log_sum)
{
  memcpy(log_sum, odds + (int64_t)(label - 1) * L, L * sizeof *log_sum);
  for (int k = 0; k < t->kinds; k++)
    for (int l = 0; l < L; l++)
      odds[(int64_t)k * L + l] = k == label - 1;
}

/* ---- the density --------------------------------------------------------------------------- */

/* Of one channel, q = precision x: <x, q> is added to square[64], -scale q to the gradient, and
 * level[64] becomes what speaks for its colour. */
DUN_CLONES static void add_channel(const struct coloured_texture *t, const double *restrict x,
                                   const double *restrict q, const double *restrict scale,
                                   double *restrict square, double *restrict level,
                                   double *restrict gradient)
{
  for (int l = 0; l < L; l++)
    level[l] = 0;
  for (int64_t j = 0; j < t->lattice.sites * L; j += L)
    for (int l = 0; l < L; l++) {
      square[l] = DUN_FMA(x[j + l], q[j + l], square[l]);
      level[l] += x[j + l];
    }
  for (int l = 0; l < L; l++)
    level[l] *= t->precision[0];
  for (int64_t j = 0; gradient && j < t->lattice.sites * L; j += L)
    for (int l = 0; l < L; l++)
      gradient[j + l] = DUN_FMA(-scale[l], q[j + l], gradient[j + l]);
}

/* out[channel's sites][64] += by[64] times the mean colour. */
DUN_CLONES static void add_colour(const struct coloured_texture *t, int channel,
                                  const double *restrict share, const double *restrict by,
                                  double *restrict out)
{
  double mean[L] = {0};
  for (int64_t k = 0; k < t->kinds; k++)
    for (int l = 0; l < L; l++)
      mean[l] = DUN_FMA(share[k * L + l], colour(t, (int)k, channel), mean[l]);
  for (int64_t j = 0; j < t->lattice.sites * L; j += L)
    for (int l = 0; l < L; l++)
      out[j + l] = DUN_FMA(by[l], mean[l], out[j + l]);
}

DUN_CLONES static void scaled(const double *restrict scale, double by, double *restrict out)
{
  for (int l = 0; l < L; l++)
    out[l] = by * scale[l];
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  const struct coloured_texture *t = self;
  int64_t column = t->lattice.sites * L;
  double *level = levels_in(t, work), *odds = odds_in(t, work);
  double square[L] = {0}, against[L], log_sum[L], by[L];
  for (int channel = 0; channel < t->channels; channel++) {
    dun_lattice_filter(&t->lattice, t->precision, x + channel * column, work);
    add_channel(t, x + channel * column, work, scale, square, level + (int64_t)channel * L,
                gradient ? gradient + channel * column : NULL);
  }
  for (int l = 0; l < L; l++)
    against[l] = (double)t->lattice.sites * t->precision[0];
  weigh_colours(t, level, against, odds);
  share_out(t->kinds, odds, log_sum);
  if (gradient)
    scaled(scale, t->precision[0], by);
  for (int channel = 0; channel < t->channels && gradient; channel++)
    add_colour(t, channel, odds, by, gradient + channel * column);
  for (int l = 0; lp && l < L; l++) /* waves of numbers that overflow are NaN */
    lp[l] = square[l] >= 0 ? t->log_peak + log_sum[l] - .5 * square[l] : -INFINITY;
}

/* The colour up to which shares, [K] at a stride of 64, sum to u. */
static int colour_at(const struct coloured_texture *t, const double *share, int stride, double u)
{
  int k = 0;
  for (; k < t->kinds - 1 && u > share[(int64_t)k * stride]; k++)
    u -= share[(int64_t)k * stride];
  return k;
}

static void draw(const void *self, const double *uniform, const double *normal, double *x)
{
  const struct coloured_texture *t = self;
  int64_t column = t->lattice.sites * L;
  for (int channel = 0; channel < t->channels; channel++) {
    double *out = x + channel * column;
    dun_lattice_filter(&t->lattice, t->deviation, normal + channel * column, out);
    for (int l = 0; l < L; l++) {
      double c = colour(t, colour_at(t, t->share, 1, uniform[l]), channel);
      for (int64_t j = l; j < column; j += L)
        out[j] += c;
    }
  }
}

/* ---- seen through noise ------------------------------------------------------------------ */

/* Waves of h in units of their deviations: those of the tilted mean without a colour and, if
 * wanted, of a draw; log masses and spreads are added to, and level[64] becomes what speaks for the
 * colour. */
DUN_CLONES static void tilt_waves(const struct coloured_texture *t, const struct dun_tilted *r,
                                  const double *restrict normal, double *restrict wave,
                                  double *restrict drawn, double *restrict mass,
                                  double *restrict spread, double *restrict level)
{
  double v0 = t->deviation[0] * t->deviation[0], root = sqrt((double)t->lattice.sites);
  for (int l = 0; l < L; l++)
    level[l] = root / t->deviation[0] * wave[l] / (1 + v0 * r->lambda[l]);
  for (int64_t k = 0; k < t->lattice.sites; k++) {
    double *restrict w = wave + k * L, v = t->deviation[k] * t->deviation[k];
    for (int l = 0; l < L; l++) {
      double more = v * r->lambda[l], q = 1 / (1 + more), mean = w[l] * q;
      mass[l] += .5 * (w[l] * mean - dun_log1p(more));
      spread[l] = DUN_FMA(v, q, spread[l]);
      w[l] = mean;
      if (normal)
        drawn[k * L + l] = DUN_FMA(sqrt(q), normal[k * L + l], mean);
    }
  }
}

static void to_field(const struct coloured_texture *t, const double *wave, double *x)
{
  double one[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    one[l] = 1;
  memset(x, 0, (size_t)t->lattice.sites * L * sizeof *x);
  dun_lattice_add_field(&t->lattice, t->deviation, one, wave, x);
}

/* Means, and draws, of one channel but for the colour. */
static void tilt_channel(const struct coloured_texture *t, const struct dun_tilted *r, int channel,
                         double *mass, double *spread, double *work)
{
  int64_t column = t->lattice.sites * L, from = channel * column;
  double *wave = work, *drawn = work + column, one[L] __attribute__((aligned(64)));
  for (int l = 0; l < L; l++)
    one[l] = 1;
  memset(wave, 0, (size_t)column * sizeof *wave);
  dun_lattice_add_waves(&t->lattice, t->deviation, one, r->h + from, wave);
  tilt_waves(t, r, r->draw ? r->normal + from : NULL, wave, drawn, mass, spread,
             levels_in(t, work) + (int64_t)channel * L);
  to_field(t, wave, r->mean + from);
  if (r->draw)
    to_field(t, drawn, r->draw + from);
}

/* The spread of colours, seen[64] of each being left. */
DUN_CLONES static void spread_colours(const struct coloured_texture *t, int channel,
                                      const double *restrict share, const double *restrict left,
                                      double *restrict spread)
{
  double mean[L] = {0}, square[L] = {0};
  for (int64_t k = 0; k < t->kinds; k++)
    for (int l = 0; l < L; l++)
      mean[l] += share[k * L + l] * colour(t, (int)k, channel);
  for (int64_t k = 0; k < t->kinds; k++)
    for (int l = 0; l < L; l++) {
      double off = colour(t, (int)k, channel) - mean[l];
      square[l] += share[k * L + l] * off * off;
    }
  for (int l = 0; l < L; l++)
    spread[l] += (double)t->lattice.sites * left[l] * left[l] * square[l];
}

/* A colour for each lane in the place of its share. */
static void draw_colours(const struct coloured_texture *t, const double *uniform, double *share)
{
  for (int l = 0; l < L; l++) {
    int drawn = colour_at(t, share + l, L, uniform[l]);
    for (int k = 0; k < t->kinds; k++)
      share[(int64_t)k * L + l] = k == drawn;
  }
}

static void add_colours(const struct coloured_texture *t, const double *share, const double *left,
                        double *out)
{
  for (int channel = 0; channel < t->channels; channel++)
    add_colour(t, channel, share, left, out + channel * t->lattice.sites * L);
}

static int tilted(const void *self, const struct dun_tilted *r, double *work)
{
  const struct coloured_texture *t = self;
  double *odds = odds_in(t, work), v0 = t->deviation[0] * t->deviation[0];
  double mass[L] = {0}, spread[L] = {0}, left[L], against[L], log_sum[L];
  if (r->scale || r->label > t->kinds)
    return -1;
  for (int channel = 0; channel < t->channels; channel++)
    tilt_channel(t, r, channel, mass, spread, work);
  for (int l = 0; l < L; l++) {
    left[l] = 1 / (1 + v0 * r->lambda[l]);
    against[l] = (double)t->lattice.sites * r->lambda[l] * left[l];
  }
  weigh_colours(t, levels_in(t, work), against, odds);
  if (r->label > 0)
    keep_one(t, r->label, odds, log_sum);
  else
    share_out(t->kinds, odds, log_sum);
  add_colours(t, odds, left, r->mean);
  for (int channel = 0; channel < t->channels && r->spread; channel++)
    spread_colours(t, channel, odds, left, spread);
  for (int l = 0; r->log_mass && l < L; l++)
    r->log_mass[l] = mass[l] + log_sum[l];
  if (r->spread)
    memcpy(r->spread, spread, sizeof spread);
  if (r->draw) {
    draw_colours(t, r->uniform, odds);
    add_colours(t, odds, left, r->draw);
  }
  return 0;
}

/* ---- what else there is to know ------------------------------------------------------------ */

static int modes(const void *self, int capacity, double *centre, double *share, double *width)
{
  const struct coloured_texture *t = self;
  for (int k = 0; k < t->kinds && k < capacity; k++) {
    int64_t d = dimension_of(self);
    for (int64_t j = 0; j < d && centre; j++)
      centre[k * d + j] = colour(t, k, (int)(j / t->lattice.sites));
    if (share)
      share[k] = t->share[k];
    if (width)
      width[k] = sqrt(t->variance + t->shift);
  }
  return t->kinds;
}

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  const struct coloured_texture *t = self;
  if (capacity > 0)
    *parameter =
        (struct dun_parameter){.name = "image",
                               .rank = 2,
                               .shape = {t->channels * t->lattice.size[0], t->lattice.size[1]},
                               .doc = "Pixels by rows from the top, one channel under the other."};
  return 1;
}

static void constrain(const void *self, const double *x, double *theta)
{
  memcpy(theta, x, (size_t)dimension_of(self) * sizeof *theta);
}

/* Of several channels the first axis counts them. */
static int lattice(const void *self, int *axes, int size[3])
{
  const struct coloured_texture *t = self;
  *axes = t->channels > 1 ? 3 : 2;
  size[0] = t->channels > 1 ? t->channels : t->lattice.size[0];
  size[1] = t->lattice.size[t->channels > 1 ? 0 : 1];
  size[2] = t->channels > 1 ? t->lattice.size[1] : 1;
  return 0;
}

const struct dun_target dun_target_coloured_texture = {
    .type = {DUN_TYPE(struct dun_target), .name = "coloured_texture",
             .doc = "Images of one of a few colours under a Gaussian texture.",
             .citation = "Montanari 2023, arXiv 2305.10690",
             .size = sizeof(struct coloured_texture), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .work_columns = work_columns,
    .draw_uniforms = 1,
    .draw_normals = -1,
    .draw = draw,
    .tilted = tilted,
    .tilts = DUN_TILTED_MASS | DUN_TILTED_SPREAD | DUN_TILTED_DRAW | DUN_TILTED_LABEL,
    .log_evidence = dun_setup_normalised,
    .modes = modes,
    .parameters = parameters,
    .constrain = constrain,
    .lattice = lattice,
};
