/* Numbers between two ends, by one formula for schedules, levels and grids. */
#ifndef DUNLIN_NUMERICS_SPACING_H
#define DUNLIN_NUMERICS_SPACING_H

enum dun_spacing_type { DUN_SPACING_LINEAR, DUN_SPACING_POWER, DUN_SPACING_GEOMETRIC };

struct dun_spacing {
  int type;           /* enum dun_spacing_type */
  double first, last; /* geometric: both above 0 */
  double power;
};

/* The number at the share s = part / whole of the way, in [0, 1]:
 *   linear     first + (last - first) s
 *   power      first + (last - first) s^power
 *   geometric  first (last / first)^s */
double dun_spacing_at(const struct dun_spacing *spacing, double part, double whole);

#endif
