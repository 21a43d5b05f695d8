#include "numerics/lattice.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/vmath.h"

enum { L = DUN_LANES };

/* 4 sin^2(pi k / N) of one axis. */
DUN_CLONES static double wave_of(int64_t size, int64_t index)
{
  double sine, cosine;
  dun_sincos2pi(.5 * (double)dun_fft_frequency(size, index) / (double)size, &sine, &cosine);
  return 4 * sine * sine;
}

/* In the order of the spectrum: the last axis halved and fastest. */
static void set_modes(struct dun_lattice *s)
{
  int64_t last = s->size[s->axes - 1], row = last / 2 + 1;

  for (int64_t k = 0; k < s->modes; k++) {
    int64_t i = k % row, rest = k / row;
    s->share[k] = i > 0 && 2 * i < last ? 2 : 1;
    s->wave[k] = wave_of(last, i);
    for (int a = s->axes - 2; a >= 0; a--) {
      s->wave[k] += wave_of(s->size[a], rest % s->size[a]);
      rest /= s->size[a];
    }
  }
}

int dun_lattice_init(struct dun_lattice *s, int axes, const int *size)
{
  int64_t n[DUN_FFT_AXES] = {1, 1, 1};

  *s = (struct dun_lattice){.axes = axes, .size = {1, 1, 1}};
  for (int a = 0; a < axes && a < DUN_FFT_AXES; a++)
    n[a] = s->size[a] = size[a];
  int status = dun_fft_init_lanes(&s->fft, axes, n);
  if (status < 0)
    return status;
  s->sites = s->fft.points;
  s->modes = s->fft.modes;
  s->wave = dun_allocate(s->modes, sizeof(double));
  s->share = dun_allocate(s->modes, sizeof(double));
  s->spectrum = dun_allocate(2 * s->modes, L * sizeof(double));
  if (!s->wave || !s->share || !s->spectrum)
    return DUN_ERROR_MEMORY;
  set_modes(s);
  return 0;
}

void dun_lattice_free(struct dun_lattice *s)
{
  dun_fft_free(&s->fft);
  DUN_FREE(s->wave);
  DUN_FREE(s->share);
  DUN_FREE(s->spectrum);
}

int64_t dun_lattice_memory(const struct dun_lattice *s)
{
  return dun_block_bytes(s->wave) + dun_block_bytes(s->share) + dun_block_bytes(s->spectrum) +
         dun_block_bytes(s->fft.scratch);
}

DUN_CLONES static void multiply(int64_t modes, double scale, const double *restrict factor,
                                double *restrict spectrum)
{
  for (int64_t k = 0; k < modes; k++) {
    double f = scale * factor[k];
    for (int i = 0; i < 2 * L; i++)
      spectrum[2 * L * k + i] *= f;
  }
}

void dun_lattice_filter(const struct dun_lattice *s, const double *factor, const double *x,
                        double *out)
{
  dun_fft_lanes_forward(&s->fft, x, s->spectrum);
  multiply(s->modes, 1 / (double)s->sites, factor, s->spectrum);
  dun_fft_lanes_inverse(&s->fft, s->spectrum, out);
}

/* Lanes that all have one `by` share the exponentials. */
DUN_CLONES static void grow(int64_t modes, double scale, int alike, const double *restrict rate,
                            const double *restrict by, double *restrict spectrum)
{
  double f[L];
  for (int64_t k = 0; k < modes; k++) {
    double *re = spectrum + 2 * L * k, *im = re + L;
    if (alike) {
      double one = scale * dun_exp(rate[k] * by[0]);
      for (int l = 0; l < L; l++)
        f[l] = one;
    } else
      for (int l = 0; l < L; l++)
        f[l] = scale * dun_exp(rate[k] * by[l]);
    for (int l = 0; l < L; l++) {
      re[l] *= f[l];
      im[l] *= f[l];
    }
  }
}

void dun_lattice_grow(const struct dun_lattice *s, const double *rate, const double *by,
                      const double *x, double *out)
{
  int alike = 1;
  for (int l = 1; l < L; l++)
    alike &= by[l] == by[0];
  dun_fft_lanes_forward(&s->fft, x, s->spectrum);
  grow(s->modes, 1 / (double)s->sites, alike, rate, by, s->spectrum);
  dun_fft_lanes_inverse(&s->fft, s->spectrum, out);
}

double dun_lattice_trace(const struct dun_lattice *s, const double *value)
{
  double sum = 0;
  for (int64_t k = 0; k < s->modes; k++)
    sum += s->share[k] * value[k];
  return sum;
}
