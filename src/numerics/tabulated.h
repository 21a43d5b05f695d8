/* A law on an interval of the line, tabulated from its density: its mass, its distribution function
 * and quantiles.  Makes exact draws from one uniform or one normal.  Never communicates; same bits
 * at any vector width. */
#ifndef DUNLIN_NUMERICS_TABULATED_H
#define DUNLIN_NUMERICS_TABULATED_H

struct dun_tabulated {
  double low, step;        /* where the cells begin, and their length */
  int cells;               /* n */
  double total;            /* integral of the density */
  double *below;           /* [n + 1], integral up to each node; the last is the total */
  double *density, *slope; /* [n + 1], of the density given and its derivative, at the nodes */
};

/* A density, not necessarily normalised, and its derivative; smooth on the scale of a cell. */
typedef void dun_density(const void *data, double x, double *density, double *slope);

/* Integrates by Gauss's rule of five points in each cell.  DUN_ERROR_NUMERIC if the total is not
 * positive and finite; DUN_ERROR_MEMORY.  dun_tabulated_free is safe in any case. */
int dun_tabulated_init(struct dun_tabulated *law, double low, double high, int cells,
                       dun_density *density, const void *data);
void dun_tabulated_free(struct dun_tabulated *law);

/* Integral of the density from `low` to x, by the polynomial of degree five that has the right
 * value, slope and curvature at both ends of a cell; and its inverse for 0 <= mass <= total. */
double dun_tabulated_mass(const struct dun_tabulated *law, double x);
double dun_tabulated_quantile(const struct dun_tabulated *law, double mass);

/* The standard normal law, for the share of mass below a normal. */
int dun_tabulated_normal(struct dun_tabulated *law);

#endif
