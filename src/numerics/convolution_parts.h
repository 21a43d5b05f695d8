/* What the files of a convolution share; nobody else includes it. */
#ifndef DUNLIN_NUMERICS_CONVOLUTION_PARTS_H
#define DUNLIN_NUMERICS_CONVOLUTION_PARTS_H

#include "numerics/convolution.h"

/* Numbers from one plane (along axis 0) of a field to the next. */
static inline int64_t dun_convolution_plane(const struct dun_fft *fft)
{
  return fft->dimension == 1 ? 1 : fft->dimension == 2 ? fft->row : fft->size[1] * fft->row;
}

/* Where a cell of the padded domain, of a plane that this rank holds, lies in a field. */
static inline int64_t dun_convolution_at(const struct dun_fft *fft, const int64_t *place)
{
  int64_t at = place[0] - fft->first;
  for (int a = 1; a < fft->dimension; a++)
    at = at * (a == fft->dimension - 1 ? fft->row : fft->size[a]) + place[a];
  return at;
}

/* Whether this rank transforms a field; all ranks do if they are distributed. */
static inline int dun_convolution_mine(const struct dun_convolution *c, int field)
{
  return c->distributed || field % c->node.size == c->node.rank;
}

/* Local ranks of a node wait for each other before they read what others wrote. */
static inline void dun_convolution_meet(const struct dun_convolution *c)
{
  if (!c->distributed)
    dun_host_meet(&c->node);
}

/* convolution_mass.c, collective: fills the first spectrum's block with normalised masses and the
 * others' with masses × distance, and sets what init promises of them. */
int dun_convolution_masses(struct dun_context *context, struct dun_convolution *c,
                           struct dun_density density);

/* convolution_rows.c, collective: buffers to send points; their bytes among so many ranks. */
int dun_travel_init(struct dun_context *context, struct dun_convolution *c);
void dun_travel_free(struct dun_convolution *c);
int64_t dun_travel_bytes(int dimension, int ranks);
/* Collective.  Behind the planes of each table the first plane of the next rank that has one: the
 * upper corners of points in this rank's last plane. */
void dun_travel_halo(struct dun_context *context, struct dun_convolution *c);

#endif
