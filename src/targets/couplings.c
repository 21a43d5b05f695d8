#include "targets/couplings.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/scalar.h"
#include "base/vmath.h"
#include <math.h>
#include <stdint.h>

enum { L = DUN_LANES, AUTO = -1, MAX_PAIRS = 100000000 };

static int allocate(struct dun_couplings *c, long long pairs, struct dun_message why)
{
  if (pairs > MAX_PAIRS)
    return dun_refuse(why, "%lld pairs of sites; at most %d are possible", pairs, MAX_PAIRS);
  c->pairs = (int)pairs;
  c->pair = dun_allocate(2 * pairs, sizeof *c->pair);
  c->strength = dun_allocate(pairs, sizeof *c->strength);
  c->first = dun_allocate(c->sites + 1, sizeof *c->first);
  c->neighbour = dun_allocate(2 * pairs, sizeof *c->neighbour);
  c->weight = dun_allocate(2 * pairs, sizeof *c->weight);
  return c->pair && c->strength && c->first && c->neighbour && c->weight ? 0
                                                                         : dun_refuse_failed(why);
}

/* From the pairs. */
static void make_rows(struct dun_couplings *c)
{
  int *first = c->first;
  for (int i = 0; i <= c->sites; i++)
    first[i] = 0;
  for (int64_t e = 0; e < 2 * (int64_t)c->pairs; e++)
    first[c->pair[e] + 1]++;
  for (int i = 0; i < c->sites; i++)
    first[i + 1] += first[i];
  for (int64_t e = 0; e < 2 * (int64_t)c->pairs; e++) {
    int at = first[c->pair[e]]++;
    c->neighbour[at] = c->pair[e ^ 1];
    c->weight[at] = c->strength[e / 2];
  }
  for (int i = c->sites; i > 0; i--)
    first[i] = first[i - 1];
  first[0] = 0;
}

/* ---- lattices ------------------------------------------------------------------------------ */

/* Links ahead along an axis; a site is none of its own neighbours. */
static int add_links(struct dun_couplings *c, int stride, int n, int closed, int next)
{
  for (int i = 0; i < c->sites && n > 1; i++) {
    int at = i / stride % n;
    if (at + 1 == n && !closed)
      continue;
    c->pair[2 * next] = i;
    c->pair[2 * next + 1] = at + 1 < n ? i + stride : i - at * stride;
    next++;
  }
  return next;
}

static int make_lattice(struct dun_couplings *c, const struct dun_couplings_given *given,
                        struct dun_message why)
{
  int closed = given->graph == DUN_GRAPH_TORUS, next = 0;
  if (given->side.count == 0)
    return dun_refuse(why, "side: it is missing");
  if (dun_setup_lattice(why, &given->side, (int)given->axes, c->size) < 0)
    return DUN_ERROR_INPUT;
  c->axes = (int)given->axes;
  c->sites = c->size[0] * c->size[1] * c->size[2];
  int status = allocate(c, (long long)c->sites * c->axes, why), stride = c->sites;
  for (int a = 0; a < c->axes && status == 0; a++) {
    stride /= c->size[a];
    next = add_links(c, stride, c->size[a], closed, next);
  }
  c->pairs = status == 0 ? next : 0;
  for (int e = 0; e < c->pairs; e++)
    c->strength[e] = given->coupling;
  return status;
}

/* ---- files --------------------------------------------------------------------------------- */

/* A site that the file names; < 0: refused. */
static int read_site(const struct dun_csv *csv, const struct dun_data *data, long long row,
                     int column, long long most, struct dun_message why)
{
  double value = csv->value[row * csv->columns + column];
  if (value >= 0 && value < (double)most && value == floor(value))
    return (int)value;
  return dun_refuse(why, "%s:%lld: column %d: found %.17g, expected a site from 0 to %lld",
                    data->path, csv->line[row], column + 1, value, most - 1);
}

static int read_pairs(struct dun_couplings *c, const struct dun_couplings_given *given,
                      const struct dun_csv *csv, struct dun_message why)
{
  long long most = given->sites == AUTO ? DUN_MAX_DIMENSION : given->sites;
  int largest = 0;
  for (long long e = 0; e < csv->rows; e++)
    for (int k = 0; k < 2; k++) {
      int site = read_site(csv, &given->file, e, k, most, why);
      if (site < 0)
        return site;
      largest = site > largest ? site : largest;
    }
  c->sites = given->sites == AUTO ? largest + 1 : (int)given->sites;
  int status = allocate(c, csv->rows, why);
  for (long long e = 0; e < csv->rows && status == 0; e++) {
    const double *row = csv->value + 3 * e;
    c->pair[2 * e] = (int)row[0];
    c->pair[2 * e + 1] = (int)row[1];
    c->strength[e] = given->coupling * row[2];
    if (row[0] == row[1])
      status = dun_refuse(why, "%s:%lld: found site %d coupled to itself, expected two sites",
                          given->file.path, csv->line[e], (int)row[0]);
  }
  return status;
}

static int read_file(struct dun_couplings *c, const struct dun_couplings_given *given,
                     struct dun_message why)
{
  struct dun_csv csv = {0};
  if (!given->file.path)
    return dun_refuse(why, "file: it is missing");
  int status = dun_setup_numbers(why, &csv, &given->file, &given->format);
  if (status == 0 && csv.columns != 3)
    status = dun_refuse(why, "%s: found %d columns, expected 3: two sites and their strength",
                        given->file.path, csv.columns);
  if (status == 0)
    status = read_pairs(c, given, &csv, why);
  dun_csv_free(&csv);
  return status;
}

/* -------------------------------------------------------------------------------------------- */

int dun_couplings_init(struct dun_couplings *c, const struct dun_couplings_given *given,
                       struct dun_message why)
{
  int status =
      given->graph == DUN_GRAPH_FILE ? read_file(c, given, why) : make_lattice(c, given, why);
  if (status == 0)
    make_rows(c);
  return status;
}

void dun_couplings_free(struct dun_couplings *c)
{
  DUN_FREE(c->pair);
  DUN_FREE(c->strength);
  DUN_FREE(c->first);
  DUN_FREE(c->neighbour);
  DUN_FREE(c->weight);
}

DUN_CLONES void dun_couplings_add_field(const struct dun_couplings *c, int j,
                                        const double *restrict x, double *restrict field)
{
  for (int e = c->first[j]; e < c->first[j + 1]; e++) {
    const double *other = x + (int64_t)c->neighbour[e] * L;
    for (int l = 0; l < L; l++)
      field[l] = DUN_FMA(c->weight[e], other[l], field[l]);
  }
}

void dun_states_add(struct dun_states *states, double lp)
{
  if (lp > states->highest) {
    states->sum = states->sum * dun_scalar_exp(states->highest - lp) + 1;
    states->highest = lp;
  } else {
    states->sum += dun_scalar_exp(lp - states->highest);
  }
}

double dun_states_log(const struct dun_states *states)
{
  return states->highest + dun_scalar_log(states->sum);
}

struct dun_parameter dun_couplings_sites(const struct dun_couplings *c)
{
  if (c->axes)
    return dun_setup_field(c->axes, c->size);
  return (struct dun_parameter){.name = "x", .rank = 1, .shape = {c->sites}, .doc = "The sites."};
}
