/* The end of a result that has fewer draws than were laid out. */
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "io/durable.h"
#include "io/result_file.h"
#include <string.h>

enum { PIECE = 4 << 20 };

/* Bytes from one file to another. */
static int copy(int from, const char *from_name, int64_t from_offset, int to, const char *to_name,
                int64_t to_offset, int64_t size, char *buffer)
{
  int status = 0;
  for (int64_t done = 0, n; done < size && status == 0; done += n) {
    n = size - done < PIECE ? size - done : PIECE;
    status = dun_durable_read(from, from_name, buffer, n, from_offset + done);
    if (status == 0)
      status = dun_durable_write(to, to_name, buffer, n, to_offset + done);
  }
  return status;
}

static int copy_draws(const struct dun_result *whole, const struct dun_result *shorter, int from,
                      int to)
{
  char *buffer = dun_allocate(PIECE, 1);
  int status = buffer ? 0 : DUN_ERROR_MEMORY;
  for (int i = 0; i < whole->variables; i++) {
    int64_t bytes = (int64_t)dun_result_bytes(&whole->variable[i]);
    for (int64_t c = 0; c < shorter->chains && status == 0; c++)
      status = copy(from, whole->part, whole->variable[i].offset + c * whole->draws * bytes, to,
                    shorter->part, shorter->variable[i].offset + c * shorter->draws * bytes,
                    shorter->draws * bytes, buffer);
  }
  dun_free(buffer);
  return status;
}

static int fill(const struct dun_result *whole, const struct dun_result *shorter)
{
  int from = dun_result_open_part(whole, 0), to, status;
  if (from < 0)
    return from;
  if ((to = dun_result_open_part(shorter, 1)) < 0)
    return dun_durable_close(from, whole->part, 0, to);
  status = copy_draws(whole, shorter, from, to);
  status = dun_durable_close(to, shorter->part, 1, status);
  return dun_durable_close(from, whole->part, 0, status);
}

/* Rank 0. */
static int shorten(struct dun_result *result, int64_t chains, int64_t draws)
{
  struct dun_result shorter = *result;
  struct dun_text part = {0};
  dun_text_add(&part, "%s.short", result->part);
  shorter.part = part.text;
  shorter.chains = chains;
  shorter.draws = draws;
  shorter.variable = dun_allocate(result->variables, sizeof *shorter.variable);
  int status = part.failed || !shorter.variable ? DUN_ERROR_MEMORY : 0;
  if (status == 0) {
    memcpy(shorter.variable, result->variable,
           (size_t)result->variables * sizeof *shorter.variable);
    status = dun_result_lay_out(&shorter, 0);
  }
  if (status == 0)
    status = fill(result, &shorter);
  if (status < 0) {
    dun_text_free(&part);
    dun_free(shorter.variable);
    return status;
  }
  shorter.whole = result->part;
  dun_free(result->variable);
  *result = shorter;
  return 0;
}

int dun_result_shorten(struct dun_context *context, struct dun_result *result, int64_t chains,
                       int64_t draws)
{
  int status =
      chains == result->chains && draws == result->draws ? 0 : dun_result_flush(context, result);
  if (status < 0 || (chains == result->chains && draws == result->draws))
    return status;
  if (context->rank == 0)
    status = shorten(result, chains, draws);
  return dun_agree(context, status);
}
