/* Which rows of a file hang together: equal ones, and neighbours in the order of the file, as draws
 * of chains and of common ancestors are, also where chains take turns.  So errors of means over
 * them can be those of independent points, whatever the file tells of itself. */
#ifndef DUNLIN_LEARNING_KINSHIP_H
#define DUNLIN_LEARNING_KINSHIP_H

#include <stdint.h>

struct dun_kinship {
  int64_t rows, distinct;
  double worth; /* independent rows that know the means and mean squares of all coordinates as well,
                 * of the one known least, at most `distinct` */
  int64_t *kin; /* [rows], owned, from 0 below rows: the same number in rows that hang together */
};

/* Local, and the same wherever the rows row[rows][d] are.  DUN_ERROR_MEMORY.
 *
 * The worth is by blocking (Flyvbjerg & Petersen 1989, J. Chem. Phys. 91, 461): b times the
 * variance of means of b neighbours over that of single rows, of b = 1, 2, 4, ..., the largest,
 * each less its standard error; of the file's order and, where a coordinate or its square is
 * correlated with itself so many rows further on, of the one in which those follow each other.
 * Rows that hang together are equal ones and, where rows are not independent, stretches of four
 * times that number: sums over these miss an eighth of the variance of a chain that forgets
 * exponentially. */
int dun_kinship_init(struct dun_kinship *kinship, int64_t rows, int64_t d, const double *row);
void dun_kinship_free(struct dun_kinship *kinship);

#endif
