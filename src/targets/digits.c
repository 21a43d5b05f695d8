#include "targets/digits.h"
#include "base/random.h"
#include <math.h>

/* The stroke of each digit: corners as x and y in hundredths of its box, y downwards. */
enum { CORNERS = 18, NUMBERS = 6 };
static const struct stroke {
  int corners;
  signed char at[CORNERS][2];
} strokes[DUN_DIGITS] = {
    {13,
     {{50, 5},
      {70, 12},
      {81, 30},
      {84, 50},
      {81, 70},
      {70, 88},
      {50, 95},
      {30, 88},
      {19, 70},
      {16, 50},
      {19, 30},
      {30, 12},
      {50, 5}}},
    {3, {{32, 24}, {52, 5}, {52, 95}}},
    {9, {{18, 26}, {28, 10}, {48, 5}, {68, 10}, {78, 26}, {72, 44}, {46, 70}, {18, 95}, {84, 95}}},
    {11,
     {{20, 14},
      {45, 5},
      {68, 11},
      {76, 27},
      {66, 43},
      {42, 48},
      {68, 54},
      {80, 71},
      {70, 88},
      {45, 95},
      {18, 86}}},
    {4, {{64, 95}, {64, 5}, {14, 66}, {86, 66}}},
    {9, {{78, 6}, {28, 6}, {24, 44}, {48, 37}, {72, 45}, {81, 66}, {71, 86}, {46, 95}, {19, 86}}},
    {12,
     {{68, 7},
      {44, 18},
      {26, 42},
      {20, 66},
      {30, 87},
      {50, 95},
      {70, 87},
      {79, 69},
      {69, 52},
      {50, 46},
      {31, 53},
      {21, 68}}},
    {3, {{16, 8}, {84, 8}, {44, 95}}},
    {17,
     {{50, 48},
      {31, 39},
      {25, 24},
      {34, 9},
      {50, 5},
      {66, 9},
      {75, 24},
      {69, 39},
      {50, 48},
      {74, 59},
      {81, 74},
      {70, 90},
      {50, 95},
      {30, 90},
      {19, 74},
      {26, 59},
      {50, 48}}},
    {11,
     {{74, 32},
      {65, 47},
      {47, 52},
      {29, 45},
      {21, 29},
      {31, 11},
      {50, 5},
      {68, 13},
      {75, 34},
      {70, 66},
      {54, 95}}},
};

/* Squared distance of p from the segment between a and b. */
static double segment_square(const double p[2], const double a[2], const double b[2])
{
  double along[2] = {b[0] - a[0], b[1] - a[1]}, off[2] = {p[0] - a[0], p[1] - a[1]};
  double length = along[0] * along[0] + along[1] * along[1];
  double t = length > 0 ? (off[0] * along[0] + off[1] * along[1]) / length : 0;
  t = fmin(fmax(t, 0), 1);
  off[0] -= t * along[0];
  off[1] -= t * along[1];
  return off[0] * off[0] + off[1] * off[1];
}

/* Corners in pixels: the box has the height 20/28 of the picture; sizes vary by a tenth, slants by
 * a quarter, places by a pixel and a half of 28. */
static void place(const struct stroke *stroke, const double u[NUMBERS], int side,
                  double corner[CORNERS][2])
{
  double unit = side / 28.0, size = 20 * unit * (1 + 0.2 * (u[0] - 0.5));
  double slant = 0.5 * (u[1] - 0.5), narrow = 0.85 + 0.2 * (u[2] - 0.5);
  for (int i = 0; i < stroke->corners; i++) {
    double x = 0.01 * stroke->at[i][0] - 0.5, y = 0.01 * stroke->at[i][1] - 0.5;
    corner[i][0] = 0.5 * side + 3 * unit * (u[3] - 0.5) + size * (narrow * x - slant * y);
    corner[i][1] = 0.5 * side + 3 * unit * (u[4] - 0.5) + size * y;
  }
}

void dun_digits_draw(uint64_t seed, int64_t index, int side, double *pixel)
{
  struct dun_address address = {.seed = seed, .purpose = DUN_PURPOSE_DATA, .step = 1};
  const struct stroke *stroke = &strokes[index % DUN_DIGITS];
  double u[NUMBERS], corner[CORNERS][2], half;
  for (int i = 0; i < NUMBERS; i++)
    u[i] = dun_uniform_one(address, index * NUMBERS + i);
  place(stroke, u, side, corner);
  half = side / 28.0 * (0.9 + 0.8 * u[5]);
  for (int i = 0; i < side * side; i++) {
    double p[2] = {i % side + 0.5, i / side + 0.5}, least = INFINITY;
    for (int k = 1; k < stroke->corners; k++)
      least = fmin(least, segment_square(p, corner[k - 1], corner[k]));
    pixel[i] = fmin(fmax(half + 0.5 - sqrt(least), 0), 1);
  }
}
