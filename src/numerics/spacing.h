/* Numbers between two ends, by one formula for schedules, levels and grids. */
#ifndef DUNLIN_NUMERICS_SPACING_H
#define DUNLIN_NUMERICS_SPACING_H

enum dun_spacing_type {
  DUN_SPACING_LINEAR,
  DUN_SPACING_POWER,
  DUN_SPACING_GEOMETRIC,
  DUN_SPACING_COSINE,
  DUN_SPACING_SHIFT,
  DUN_SPACING_ARCTAN,
};

struct dun_spacing {
  int type;           /* enum dun_spacing_type */
  double first, last; /* geometric: both above 0; arctan: >= 0, either may be infinite */
  double power, shift;
};

/* The number at the share s = part / whole of the way, in [0, 1]:
 *   linear     first + (last - first) s
 *   power      first + (last - first) s^power: close together at `first`
 *   geometric  first (last / first)^s
 *   cosine     first + (last - first) (1 - cos(pi s / 2)): close together at `first`
 *   shift      first + (last - first) shift s / (1 + (shift - 1) s): at `last`, if shift > 1
 *   arctan     tan^2 of an angle that grows evenly */
double dun_spacing_at(const struct dun_spacing *spacing, double part, double whole);

#endif
