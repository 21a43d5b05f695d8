/* Between rows in the population and columns in a workspace: a kernel loads a tile once, does
 * its whole move there and stores it once. */
#ifndef DUNLIN_POPULATION_TILE_H
#define DUNLIN_POPULATION_TILE_H

#include "population/population.h"

/* rows[n][width] of doubles -> columns[width][64]; lanes n..63 repeat lane 0; 1 <= n <= 64. */
void dun_columns_from_rows(int n, int width, const double *rows, double *columns);
/* columns[width][64] -> rows[n][width]; lanes from n on are not stored. */
void dun_rows_from_columns(int n, int width, const double *columns, double *rows);

/* The same for rows that begin `stride` >= width numbers apart. */
void dun_columns_from_strided_rows(int n, int width, int64_t stride, const double *rows,
                                   double *columns);
void dun_strided_rows_from_columns(int n, int width, int64_t stride, const double *columns,
                                   double *rows);

/* columns[j][l] += scale[l] * rows[l][j] for the first n lanes; the others are left alone. */
void dun_columns_add_rows(int n, int width, int64_t stride, const double *rows, const double *scale,
                          double *columns);

/* Loads and stores tile number `local_tile` (0 .. tiles.count - 1) of an f64 column. */
void dun_tile_load(const struct dun_population *population, const struct dun_column *column,
                   int64_t local_tile, double *columns);
void dun_tile_store(const struct dun_population *population, const struct dun_column *column,
                    int64_t local_tile, const double *columns);

/* Stores the lanes from <= l < to of a tile only. */
void dun_tile_store_lanes(const struct dun_population *population, const struct dun_column *column,
                          int64_t local_tile, int from, int to, const double *columns);

#endif
