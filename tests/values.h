/* What tests of targets' known numbers and of refused options share. */
#ifndef DUNLIN_TESTS_VALUES_H
#define DUNLIN_TESTS_VALUES_H

#include "check.h"
#include "subject.h"
#include <unistd.h>

static char folder[64];

/* ---- small helpers ----------------------------------------------------------------------- */

static inline void write_file(const char *name, const char *text)
{
  char path[256];
  FILE *file;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "w");
  CHECK(file != NULL);
  if (file) {
    fputs(text, file);
    fclose(file);
  }
}

static inline void remove_file(const char *name)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  CHECK(unlink(path) == 0);
}

static inline int open_target(struct subject *s, const char *options)
{
  char why[1024];
  int status = subject_open(&test_context, s, options, why);
  if (status < 0) {
    fprintf(stderr, "{%s}: %s\n", options, why);
    test_bad++;
  }
  return status;
}

/* The log density where coordinate i (from 1) is offset + slope * sin(i). */
static inline double density_at(struct subject *s, double offset, double slope)
{
  for (int i = 0; i < s->d * L; i++)
    s->x[i] = offset + slope * sin(i / L + 1);
  dun_evaluate(&s->evaluator, 1, s->x, s->lp, NULL, NULL);
  return s->lp[0];
}

/* At x = 0, at x_i = 0.1 and at x_i = sin(i). */
static inline void check_three(const char *options, double zero, double tenth, double sine)
{
  struct subject s;
  if (open_target(&s, options) == 0) {
    CHECK_NEAR(density_at(&s, 0, 0), zero, fmax(1e-7, 1e-11 * fabs(zero)));
    CHECK_NEAR(density_at(&s, 0.1, 0), tenth, fmax(1e-7, 1e-11 * fabs(tenth)));
    CHECK_NEAR(density_at(&s, 0, 1), sine, fmax(1e-7, 1e-11 * fabs(sine)));
  }
  subject_close(&s);
}

/* The path of a benchmark's data file, or NULL with a line that says why. */
static inline const char *data_file(const char *name)
{
  static char path[2048];
  const char *given = getenv("DUNLIN_DATA");
  snprintf(path, sizeof path, "%s/%s", given ? given : "", name);
  if (given && access(path, R_OK) == 0)
    return path;
  snprintf(path, sizeof path, "%s/../shared/data/%s", source_folder(), name);
  if (access(path, R_OK) == 0)
    return path;
  if (test_context.rank == 0)
    printf("# %s was not found in DUNLIN_DATA or beside the source: its values are not checked, "
           "the code is, on synthetic data\n",
           name);
  return NULL;
}

static inline void test_folder(void)
{
  strcpy(folder, "/tmp/dunlin_values_XXXXXX");
  CHECK(mkdtemp(folder) != NULL);
}

static inline void test_folder_removed(void)
{
  CHECK(rmdir(folder) == 0);
}

static inline void refuse(const char *options, const char *words)
{
  struct subject s;
  char why[1024];
  if (subject_open(&test_context, &s, options, why) == 0 || !strstr(why, words)) {
    fprintf(stderr, "{%s}: %s; expected '%s'\n", options, *why ? why : "was accepted", words);
    test_bad++;
  }
  subject_close(&s);
}

/* A target that reads a file with this content is refused. */
static inline void refuse_file(const char *start, const char *text, const char *words)
{
  char options[512];
  write_file("bad.csv", text);
  snprintf(options, sizeof options, "%s%s/bad.csv", start, folder);
  if (strstr(start, "{"))
    strcat(options, "}");
  refuse(options, words);
  remove_file("bad.csv");
}

#endif
