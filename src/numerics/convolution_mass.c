/* The masses of a convolution: ln gamma at the cells' centres, in pieces of a row that are the same
 * whoever holds them, so that their sums are too. */
#include "base/error.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include "numerics/convolution_parts.h"
#include "parallel/sum.h"
#include <math.h>
#include <string.h>

enum {
  L = DUN_LANES,
  MOST_SUMS = 2 + DUN_GRID_AXES + DUN_GRID_AXES * (DUN_GRID_AXES + 1) / 2,
  TOTAL = 0, /* the sums: all of the mass, of the outermost cells, of the moments */
  EDGE = 1,
  MOMENTS = 2
};

struct masses {
  struct dun_context *context;
  struct dun_convolution *c;
  double *mass;       /* the field: log densities first, masses later */
  int64_t begin, end; /* this rank's pieces */
  double maximum;     /* of the log densities, over all ranks */
  double sum[MOST_SUMS];
};

/* Tells where the piece lies and how long it is. */
static double *piece_at(const struct masses *m, int64_t index, struct dun_grid_piece *piece)
{
  *piece = dun_grid_piece(&m->c->grid, index);
  return m->mass + dun_convolution_at(&m->c->fft, piece->place);
}

static void share_out(struct masses *m)
{
  const struct dun_context *context = m->context;
  if (m->c->distributed) {
    dun_grid_pieces_of_planes(&m->c->grid, m->c->fft.first, m->c->fft.count, &m->begin, &m->end);
  } else {
    int64_t pieces = dun_grid_pieces(&m->c->grid), each = pieces / context->size;
    int64_t more = pieces % context->size, rank = context->rank;
    m->begin = each * rank + (rank < more ? rank : more);
    m->end = m->begin + each + (rank < more);
  }
}

static void clear_fields(struct dun_convolution *c)
{
  for (int f = 0; f <= c->grid.dimension; f++)
    if (dun_convolution_mine(c, f))
      memset(c->spectrum[f], 0, (size_t)c->fft.block * sizeof(double));
  dun_convolution_meet(c);
}

static int evaluate(struct masses *m, struct dun_density density)
{
  _Alignas(64) double x[DUN_GRID_AXES * L], lp[L];
  struct dun_grid_piece piece;
  int infinite = 0;
  m->maximum = -INFINITY;
  for (int64_t i = m->begin; i < m->end; i++) {
    double *at = piece_at(m, i, &piece);
    dun_grid_piece_points(&m->c->grid, &piece, x);
    density.evaluate(density.data, piece.count, x, lp);
    for (int l = 0; l < piece.count; l++) {
      at[l] = isnan(lp[l]) ? -INFINITY : lp[l];
      infinite |= at[l] == INFINITY;
      m->maximum = at[l] > m->maximum ? at[l] : m->maximum;
    }
  }
  int status = infinite ? dun_fail(DUN_ERROR_NUMERIC,
                                   "the log density is +inf at the centre of a cell of the grid")
                        : 0;
  status = dun_max(m->context, status, 1, &m->maximum);
  if (status >= 0 && m->maximum == -INFINITY)
    return dun_fail(DUN_ERROR_NUMERIC,
                    "the log density is -inf at the centres of all %lld cells along each axis of "
                    "the box",
                    (long long)m->c->grid.cells);
  return status;
}

/* ---- sums -------------------------------------------------------------------------------- */

DUN_CLONES static double weigh(double maximum, double *restrict w)
{
  for (int l = 0; l < L; l++)
    w[l] = dun_exp_weight(w[l] - maximum);
  return dun_fold_lanes(w);
}

DUN_CLONES static double moment(const double *restrict w, const double *restrict a,
                                const double *restrict b)
{
  _Alignas(64) double product[L];
  for (int l = 0; l < L; l++)
    product[l] = w[l] * a[l] * b[l];
  return dun_fold_lanes(product);
}

/* Distances [1 + d][64] of the piece's cells from the box's centre; 1 in front of them. */
static void distances(const struct dun_grid *grid, const struct dun_grid_piece *piece, double *r)
{
  int last = grid->dimension - 1;
  for (int l = 0; l < L; l++) {
    r[l] = 1;
    for (int a = 0; a <= last; a++)
      r[(1 + a) * L + l] =
          dun_grid_distance(grid, a, piece->place[a] + (a == last && l < piece->count ? l : 0));
  }
}

static int outermost(const struct dun_grid *grid, const struct dun_grid_piece *piece, int lane)
{
  int any = 0;
  for (int a = 0; a < grid->dimension; a++) {
    int64_t cell = piece->place[a] - grid->offset + (a == grid->dimension - 1 ? lane : 0);
    any |= cell == 0 || cell == grid->cells - 1;
  }
  return any;
}

static double edge_of(const struct dun_grid *grid, const struct dun_grid_piece *piece,
                      const double *w)
{
  double sum = 0;
  for (int l = 0; l < piece->count; l++)
    sum += outermost(grid, piece, l) ? w[l] : 0;
  return sum;
}

static void add_piece(struct masses *m, int64_t index, struct dun_exact *sum)
{
  _Alignas(64) double w[L], r[(1 + DUN_GRID_AXES) * L];
  const struct dun_grid *grid = &m->c->grid;
  struct dun_grid_piece piece;
  double *at = piece_at(m, index, &piece);
  int d = grid->dimension, k = MOMENTS;
  for (int l = 0; l < L; l++)
    w[l] = l < piece.count ? at[l] : -INFINITY;
  distances(grid, &piece, r);
  dun_exact_add(&sum[TOTAL], weigh(m->maximum, w));
  dun_exact_add(&sum[EDGE], edge_of(grid, &piece, w));
  for (int a = 1; a <= d; a++)
    for (int b = 0; b <= a; b++)
      dun_exact_add(&sum[k++], moment(w, r + a * L, r + b * L));
  memcpy(at, w, (size_t)piece.count * sizeof *w);
}

static int add_up(struct masses *m)
{
  struct dun_exact sum[MOST_SUMS] = {0};
  int d = m->c->grid.dimension;
  for (int64_t i = m->begin; i < m->end; i++)
    add_piece(m, i, sum);
  return dun_sum(m->context, 0, MOMENTS + d + d * (d + 1) / 2, sum, m->sum);
}

static void set_moments(const struct masses *m)
{
  struct dun_convolution *c = m->c;
  const double total = m->sum[TOTAL], *moment = m->sum + MOMENTS;
  int d = c->grid.dimension;
  double first[DUN_GRID_AXES];
  c->log_evidence = m->maximum + dun_scalar_log(total);
  c->edge = m->sum[EDGE] / total;
  for (int a = 0; a < d; a++) {
    c->log_evidence += dun_scalar_log(c->grid.width[a]);
    first[a] = *moment++ / total;
    c->mean[a] = c->grid.center[a] + first[a];
    for (int b = 0; b <= a; b++)
      c->covariance[a * d + b] = c->covariance[b * d + a] = *moment++ / total - first[a] * first[b];
  }
}

/* ---- fields ------------------------------------------------------------------------------ */

static void normalise(struct masses *m)
{
  struct dun_grid_piece piece;
  for (int64_t i = m->begin; i < m->end; i++) {
    double *at = piece_at(m, i, &piece);
    for (int l = 0; l < piece.count; l++)
      at[l] /= m->sum[TOTAL];
  }
}

/* Other nodes' masses come into the planes of the box, where this node holds 0. */
static void exchange(struct masses *m)
{
  const struct dun_grid *grid = &m->c->grid;
  int64_t plane = dun_convolution_plane(&m->c->fft);
  dun_host_sum(m->context, &m->c->node, m->mass + grid->offset * plane, grid->cells * plane);
}

/* Over a piece: the squared differences from the cells before along an axis. */
static double differences_of(const struct dun_convolution *c, const struct dun_grid_piece *piece,
                             const double *at, int axis)
{
  int last = c->grid.dimension - 1;
  int64_t stride = axis == last ? 1 : axis == 0 ? dun_convolution_plane(&c->fft) : c->fft.row;
  double sum = 0;
  for (int l = 0; l < piece->count; l++) {
    int64_t cell = piece->place[axis] - c->grid.offset + (axis == last ? l : 0);
    double difference = cell > 0 ? at[l] - at[l - stride] : 0;
    sum += difference * difference;
  }
  return sum;
}

static double squares_of(const struct dun_grid_piece *piece, const double *at)
{
  double sum = 0;
  for (int l = 0; l < piece->count; l++)
    sum += at[l] * at[l];
  return sum;
}

/* Collective.  The masses of all planes that this rank's pieces touch stand. */
static int measure_roughness(struct masses *m)
{
  struct dun_convolution *c = m->c;
  struct dun_exact sum[1 + DUN_GRID_AXES] = {0};
  double total[1 + DUN_GRID_AXES];
  struct dun_grid_piece piece;
  int d = c->grid.dimension;
  for (int64_t i = m->begin; i < m->end; i++) {
    const double *at = piece_at(m, i, &piece);
    dun_exact_add(&sum[0], squares_of(&piece, at));
    for (int a = c->distributed; a < d; a++)
      dun_exact_add(&sum[1 + a], differences_of(c, &piece, at, a));
  }
  int status = dun_sum(m->context, 0, 1 + d, sum, total);
  c->roughness = 0;
  for (int a = 0; a < d && status >= 0; a++)
    if (total[1 + a] > c->roughness * total[0]) {
      c->roughness = total[1 + a] / total[0];
      c->rough_axis = a;
    }
  return status;
}

/* The field of distance × mass along one axis, in the planes that this rank holds. */
static void fill_field(struct masses *m, int axis)
{
  struct dun_convolution *c = m->c;
  struct dun_grid_piece piece;
  int64_t begin, end;
  double *field = c->spectrum[1 + axis];
  _Alignas(64) double r[(1 + DUN_GRID_AXES) * L];
  dun_grid_pieces_of_planes(&c->grid, c->fft.first, c->fft.count, &begin, &end);
  for (int64_t i = begin; i < end; i++) {
    const double *at = piece_at(m, i, &piece);
    distances(&c->grid, &piece, r);
    for (int l = 0; l < piece.count; l++)
      field[at - m->mass + l] = at[l] * r[(1 + axis) * L + l];
  }
}

int dun_convolution_masses(struct dun_context *context, struct dun_convolution *c,
                           struct dun_density density)
{
  struct masses m = {.context = context, .c = c, .mass = c->spectrum[0]};
  share_out(&m);
  clear_fields(c);
  int status = evaluate(&m, density);
  if (status >= 0)
    status = add_up(&m);
  if (status < 0)
    return status;
  set_moments(&m);
  normalise(&m);
  if (!c->distributed)
    exchange(&m);
  dun_convolution_meet(c);
  if ((status = measure_roughness(&m)) < 0)
    return status;
  for (int a = 0; a < c->grid.dimension; a++)
    if (dun_convolution_mine(c, 1 + a))
      fill_field(&m, a);
  dun_convolution_meet(c);
  return 0;
}
