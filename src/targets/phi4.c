/* The scalar field with quartic self-interaction on a periodic lattice:
 *
 *   S = sum_x [ sum_mu (phi(x + mu) - phi(x))^2 / 2 + mass2 phi^2 / 2 + coupling phi^4
 *               - field phi ],   log density = -S, not normalised.
 *
 * With phi = sqrt(2 kappa) varphi, coupling = lambda / (4 kappa^2) and
 * mass2 = (1 - 2 lambda) / kappa - 2 axes this is the hopping form
 * sum_x [-2 kappa sum_mu varphi(x) varphi(x + mu) + (1 - 2 lambda) varphi^2 + lambda varphi^4];
 * g / 4! phi^4 is coupling = g / 24, g / 4 phi^4 is coupling = g / 4.  Without `field` the sign of
 * all phi may be turned; below a critical mass2 that symmetry is broken on large lattices. */
#include "base/memory.h"
#include "base/vmath.h"
#include "targets/setup.h"
#include <math.h>
#include <stdint.h>

enum { L = DUN_LANES, AXES = 3, OBSERVABLES = 4 };

struct phi4 {
  struct dun_numbers side;
  long long axes;
  double mass2, coupling, field;
  int outputs;

  int size[AXES], sites;
  int *neighbour; /* [sites][axes][2]: the sites one step ahead and one behind; owned */
};

static const struct dun_option options[] = {
    {.name = "side",
     .type = DUN_NUMBERS,
     .offset = offsetof(struct phi4, side),
     .minimum = 1,
     .maximum = DUN_MAX_DIMENSION,
     .doc = "Sites along an axis, one number for all axes or one for each."},
    {.name = "axes",
     .type = DUN_INTEGER,
     .offset = offsetof(struct phi4, axes),
     .initial = "2",
     .minimum = 1,
     .maximum = 3,
     .doc = "Axes of the lattice."},
    {.name = "mass2",
     .type = DUN_NUMBER,
     .offset = offsetof(struct phi4, mass2),
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "Squared mass, the factor of phi^2 / 2; negative for a double well."},
    {.name = "coupling",
     .type = DUN_NUMBER,
     .offset = offsetof(struct phi4, coupling),
     .minimum = 0,
     .maximum = 1e6,
     .doc = "Factor of phi^4; 0: the free field, with a positive mass2."},
    {.name = "field",
     .type = DUN_NUMBER,
     .offset = offsetof(struct phi4, field),
     .initial = "0",
     .minimum = -1e6,
     .maximum = 1e6,
     .doc = "External field, which favours one sign: - field phi in the action."},
    {.name = "outputs",
     .type = DUN_CHOICE,
     .offset = offsetof(struct phi4, outputs),
     .initial = "all",
     .words = "all|observables",
     .doc = "What is put out of a configuration: averages over the sites and the field, or the "
            "averages alone."},
    {0}};

/* ---- setting up -------------------------------------------------------------------------- */

static void set_neighbours(struct phi4 *t)
{
  int stride = t->sites;
  for (int a = 0; a < (int)t->axes; a++) {
    int n = t->size[a];
    stride /= n;
    for (int i = 0; i < t->sites; i++) {
      int at = i / stride % n, *to = t->neighbour + 2 * (i * (int)t->axes + a);
      to[0] = at + 1 < n ? i + stride : i - at * stride;
      to[1] = at > 0 ? i - stride : i + (n - 1) * stride;
    }
  }
}

static int init(void *self, struct dun_message why)
{
  struct phi4 *t = self;
  int status = dun_setup_lattice(why, &t->side, (int)t->axes, t->size);
  if (status < 0)
    return status;
  if (t->coupling == 0 && t->mass2 <= 0)
    return dun_refuse(why, "mass2: found %g, expected a positive number where coupling is 0",
                      t->mass2);
  t->sites = t->size[0] * t->size[1] * t->size[2];
  t->neighbour = dun_allocate(2 * t->sites * t->axes, sizeof *t->neighbour);
  if (!t->neighbour)
    return dun_refuse_failed(why);
  set_neighbours(t);
  return 0;
}

static void free_tables(void *self)
{
  DUN_FREE(((struct phi4 *)self)->neighbour);
}

static int dimension_of(const void *self)
{
  return ((const struct phi4 *)self)->sites;
}

/* ---- density ----------------------------------------------------------------------------- */

/* One site's share of the action, and its force. */
DUN_INLINE void add_site(const struct phi4 *t, int axes, const double *restrict x, int64_t i,
                         double *restrict action, const double *restrict scale,
                         double *restrict gradient)
{
  double around[L] = {0}, links[L] = {0};
  const double *phi = x + i * L;
  const int *to = t->neighbour + 2 * i * axes;

  for (int a = 0; a < axes; a++) {
    const double *ahead = x + (int64_t)to[2 * a] * L, *behind = x + (int64_t)to[2 * a + 1] * L;
    for (int l = 0; l < L; l++) {
      double step = ahead[l] - phi[l];
      links[l] = DUN_FMA(step, step, links[l]);
      around[l] += step - (phi[l] - behind[l]);
    }
  }
  for (int l = 0; l < L; l++) {
    double square = phi[l] * phi[l];
    double well = DUN_FMA(t->coupling, square, .5 * t->mass2) * square;
    action[l] += DUN_FMA(.5, links[l], DUN_FMA(-t->field, phi[l], well));
  }
  for (int l = 0; gradient && l < L; l++) {
    double square = phi[l] * phi[l];
    double slope = DUN_FMA(4 * t->coupling, square, t->mass2) * phi[l];
    gradient[i * L + l] = DUN_FMA(scale[l], around[l] - slope + t->field, gradient[i * L + l]);
  }
}

DUN_CLONES static void add_sites(const struct phi4 *t, const double *restrict x,
                                 double *restrict action, const double *restrict scale,
                                 double *restrict gradient)
{
  for (int64_t i = 0; t->axes == 1 && i < t->sites; i++)
    add_site(t, 1, x, i, action, scale, gradient);
  for (int64_t i = 0; t->axes == 2 && i < t->sites; i++)
    add_site(t, 2, x, i, action, scale, gradient);
  for (int64_t i = 0; t->axes == 3 && i < t->sites; i++)
    add_site(t, 3, x, i, action, scale, gradient);
}

static void columns(const void *self, const double *x, double *lp, const double *scale,
                    double *gradient, double *work)
{
  double action[L] __attribute__((aligned(64))) = {0};
  (void)work;
  add_sites(self, x, action, scale, gradient);
  for (int l = 0; lp && l < L; l++) /* NaN: infinite from both sides */
    lp[l] = action[l] < INFINITY ? -action[l] : -INFINITY;
}

/* ---- output ------------------------------------------------------------------------------ */

static int parameters(const void *self, int capacity, struct dun_parameter *parameter)
{
  static const struct dun_parameter observable[OBSERVABLES] = {
      {.name = "magnetisation", .doc = "Mean of phi over the sites, m."},
      {.name = "magnetisation_abs", .doc = "Its absolute value."},
      {.name = "phi2", .doc = "Mean of phi^2 over the sites."},
      {.name = "energy", .doc = "The action per site, S / sites."},
  };
  const struct phi4 *t = self;
  int count = t->outputs ? OBSERVABLES : OBSERVABLES + 1;

  for (int i = 0; i < OBSERVABLES && i < capacity; i++)
    parameter[i] = observable[i];
  if (count > OBSERVABLES && capacity > OBSERVABLES)
    parameter[OBSERVABLES] = dun_setup_field((int)t->axes, t->size);
  return count;
}

DUN_CLONES static void constrain(const void *self, const double *x, double *theta)
{
  const struct phi4 *t = self;
  double sum = 0, squares = 0, action = 0;

  for (int64_t i = 0; i < t->sites; i++) {
    double phi = x[i], links = 0, square = phi * phi;
    for (int64_t a = 0; a < t->axes; a++) {
      double step = x[t->neighbour[2 * (i * t->axes + a)]] - phi;
      links = DUN_FMA(step, step, links);
    }
    sum += phi;
    squares += square;
    action += .5 * links + DUN_FMA(t->coupling, square, .5 * t->mass2) * square - t->field * phi;
  }
  theta[0] = sum / t->sites;
  theta[1] = fabs(theta[0]);
  theta[2] = squares / t->sites;
  theta[3] = action / t->sites;
  for (int i = 0; i < t->sites && !t->outputs; i++)
    theta[OBSERVABLES + i] = x[i];
}

static int lattice(const void *self, int *axes, int size[3])
{
  const struct phi4 *t = self;
  *axes = (int)t->axes;
  for (int a = 0; a < AXES; a++)
    size[a] = t->size[a];
  return 0;
}

const struct dun_target dun_target_phi4 = {
    .type = {DUN_TYPE(struct dun_target), .name = "phi4",
             .doc = "A scalar field with quartic self-interaction on a periodic lattice.",
             .citation = "Montvay & Muenster 1994, Quantum Fields on a Lattice, ch. 2",
             .size = sizeof(struct phi4), .options = options, .free = free_tables},
    .init = init,
    .dimension_of = dimension_of,
    .columns = columns,
    .parameters = parameters,
    .constrain = constrain,
    .lattice = lattice,
};
