#include "app/provenance.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/hdf_version.h"
#include "numerics/linear.h"
#include "version.h"
#include <stdio.h>
#include <string.h>

const char *dun_provenance_width(void)
{
#if defined(__x86_64__) && !defined(DUN_ONE_WIDTH)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return "x86-64-v4";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2"))
    return "x86-64-v3";
  return "x86-64";
#else
  return DUN_SIMD;
#endif
}

static void add(struct dun_provenance *p, struct dun_attribute attribute)
{
  if (p->count < DUN_MAX_PROVENANCE)
    p->attribute[p->count++] = attribute;
}

static void add_text(struct dun_provenance *p, const char *name, const char *text)
{
  add(p,
      (struct dun_attribute){.name = name, .type = DUN_ATTRIBUTE_TEXT, .text = text ? text : ""});
}

static void add_whole(struct dun_provenance *p, const char *name, int64_t value)
{
  add(p, (struct dun_attribute){.name = name, .type = DUN_ATTRIBUTE_INTEGER, .integer = value});
}

static void add_number(struct dun_provenance *p, const char *name, double value)
{
  add(p, (struct dun_attribute){.name = name, .type = DUN_ATTRIBUTE_NUMBER, .number = value});
}

static void add_cost(struct dun_provenance *p, const struct dun_cost *cost)
{
  add_whole(p, "evaluations", cost->evaluations);
  add_whole(p, "gradients", cost->gradients);
  add_whole(p, "nans", cost->nans);
  add_whole(p, "bytes_sent", cost->bytes_sent);
  add_whole(p, "collectives", cost->collectives);
  add_whole(p, "peak_memory_bytes", cost->memory);
  add_number(p, "seconds", cost->wall);
  add_number(p, "processor_seconds", cost->processor);
  for (int i = 0; i < DUN_PHASES; i++) {
    snprintf(p->phase[i], sizeof p->phase[i], "seconds_%s", dun_phase_name(i));
    add_number(p, p->phase[i], cost->seconds[i]);
  }
}

static void add_labels(struct dun_provenance *p, const struct dun_result *result)
{
  for (int i = 0; i < result->variables; i++) {
    const struct dun_result_variable *v = &result->variable[i];
    if (!v->label)
      continue;
    dun_text_add(&p->labels, "%s", v->name);
    for (int k = 0; k < v->shape[0]; k++)
      dun_text_add(&p->labels, "\t%s", v->label[k]);
    dun_text_add(&p->labels, "\n");
  }
  if (p->labels.length > 0)
    add_text(p, "labels", p->labels.text);
}

static void mpi_version(char *text, size_t size)
{
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length;
  MPI_Get_library_version(version, &length);
  snprintf(text, size, "%s", version);
  text[strcspn(text, "\n")] = 0;
}

int dun_provenance_make(struct dun_provenance *p, const struct dun_context *context,
                        const struct dun_driver *driver)
{
  const struct dun_assembly *assembly = driver->assembly;
  int64_t size = assembly->input.size;
  memset(p, 0, sizeof *p);
  p->input = dun_allocate(size + 1, 1);
  if (!p->input)
    return DUN_ERROR_MEMORY;
  memcpy(p->input, assembly->input.bytes, (size_t)size);
  dun_hdf_version(p->hdf5, sizeof p->hdf5);
  mpi_version(p->mpi, sizeof p->mpi);
  snprintf(p->blas, sizeof p->blas, "%s", dun_blas_kernels());
  add_text(p, "input", p->input);
  add_text(p, "input_file", assembly->source);
  add_text(p, "settings", assembly->settings.text);
  add_text(p, "effective_options", assembly->binder.effective.text);
  add_text(p, "files", assembly->binder.used.text);
  add_text(p, "version", DUN_VERSION);
  add_text(p, "commit", DUN_COMMIT);
  add_text(p, "compiler", DUN_COMPILER);
  add_text(p, "vector_width", dun_provenance_width());
  add_text(p, "blas", p->blas);
  add_text(p, "mpi", p->mpi);
  add_text(p, "hdf5", p->hdf5);
  add_labels(p, &driver->result);
  add_whole(p, "ranks", context->size);
  add_cost(p, &driver->cost);
  return p->labels.failed ? DUN_ERROR_MEMORY : 0;
}

void dun_provenance_free(struct dun_provenance *p)
{
  DUN_FREE(p->input);
  dun_text_free(&p->labels);
}
