/* Pairs of sites and how strongly each is coupled: what Ising and Potts models share. */
#ifndef DUNLIN_TARGETS_COUPLINGS_H
#define DUNLIN_TARGETS_COUPLINGS_H

#include "targets/setup.h"

/* Where the pairs come from; offsets of the rows below are relative to it. */
struct dun_couplings_given {
  struct dun_numbers side; /* of a lattice */
  long long axes, sites;
  int graph; /* enum dun_graph */
  double coupling;
  struct dun_data file;
  struct dun_csv_format format;
};

enum dun_graph { DUN_GRAPH_TORUS, DUN_GRAPH_BOX, DUN_GRAPH_FILE };

#define DUN_COUPLINGS_ROWS(type_, given_)                                                          \
  {.name = "graph",                                                                                \
   .type = DUN_CHOICE,                                                                             \
   .offset = offsetof(type_, given_.graph),                                                        \
   .initial = "torus",                                                                             \
   .words = "torus|box|file",                                                                      \
   .doc = "Neighbours on a lattice that closes on itself, on one with open ends, or the pairs of " \
          "a file."},                                                                              \
      {.name = "side",                                                                             \
       .type = DUN_NUMBERS,                                                                        \
       .offset = offsetof(type_, given_.side),                                                     \
       .initial = "",                                                                              \
       .minimum = 1,                                                                               \
       .maximum = DUN_MAX_DIMENSION,                                                               \
       .when = "graph=torus|box",                                                                  \
       .doc = "Sites along an axis, one number for all axes or one for each."},                    \
      {.name = "axes",                                                                             \
       .type = DUN_INTEGER,                                                                        \
       .offset = offsetof(type_, given_.axes),                                                     \
       .initial = "2",                                                                             \
       .minimum = 1,                                                                               \
       .maximum = 3,                                                                               \
       .when = "graph=torus|box",                                                                  \
       .doc = "Axes of the lattice."},                                                             \
      {.name = "coupling",                                                                         \
       .type = DUN_NUMBER,                                                                         \
       .offset = offsetof(type_, given_.coupling),                                                 \
       .initial = "1",                                                                             \
       .minimum = -1e6,                                                                            \
       .maximum = 1e6,                                                                             \
       .doc = "Strength of each pair, over the temperature; of a file's pairs a factor."},         \
      {.name = "sites",                                                                            \
       .type = DUN_INTEGER,                                                                        \
       .offset = offsetof(type_, given_.sites),                                                    \
       .initial = "auto",                                                                          \
       .words = "auto",                                                                            \
       .minimum = 1,                                                                               \
       .maximum = DUN_MAX_DIMENSION,                                                               \
       .when = "graph=file",                                                                       \
       .doc = "Number of sites; auto: up to the largest that the file names."},                    \
      {.name = "file",                                                                             \
       .type = DUN_DATA,                                                                           \
       .offset = offsetof(type_, given_.file),                                                     \
       .initial = "",                                                                              \
       .when = "graph=file",                                                                       \
       .doc = "A CSV file with a row for each pair: two sites, from 0, and their strength."},      \
      DUN_CSV_ROWS(type_, given_.format, "graph=file")

/* Every pair stands in the rows of both of its sites; a pair may stand there twice, as on a torus
 * whose side is 2. */
struct dun_couplings {
  int axes, size[3]; /* of a lattice; axes 0: none */
  int sites, pairs;
  int *pair;        /* [pairs][2]; owned */
  double *strength; /* [pairs]; owned */
  int *first;       /* [sites + 1]; owned */
  int *neighbour;   /* [2 pairs]: of site i those from first[i] to first[i + 1]; owned */
  double *weight;   /* [2 pairs]; owned */
};

/* DUN_ERROR_INPUT with the reason in `why`; dun_couplings_free is safe afterwards, and twice. */
int dun_couplings_init(struct dun_couplings *couplings, const struct dun_couplings_given *given,
                       struct dun_message why);
void dun_couplings_free(struct dun_couplings *couplings);

/* field[64] += sum of weight x over the neighbours of site j: the local field of spins. */
void dun_couplings_add_field(const struct dun_couplings *couplings, int j, const double *x,
                             double *field);

/* The sum over states of their weights, added one after the other. */
struct dun_states {
  double highest; /* log weight so far, the unit of `sum`; -INFINITY to begin with */
  double sum;
};
void dun_states_add(struct dun_states *states, double lp);
double dun_states_log(const struct dun_states *states);

/* The output parameter: a field on the lattice, or a list of sites. */
struct dun_parameter dun_couplings_sites(const struct dun_couplings *couplings);

#endif
