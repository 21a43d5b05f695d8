/* FILE.part: draws of before stay when the same input goes on, whatever was damaged is mended or
 * told, nothing of another run gives way, and disks are full. */
/* ranks: 1 2 3 */
#include "result_case.h"
#include <signal.h>
#include <sys/resource.h>

static void begin_afresh(struct dun_result *result, uint64_t identity, int replace)
{
  CHECK(dun_result_begin(&test_context, result, file, identity, &run, CHAINS, DRAWS, replace) == 0);
}

static int resume(struct dun_result *result, uint64_t identity,
                  const struct dun_checkpoint_draws *sealed, int64_t *lost)
{
  return dun_result_resume(&test_context, result, file, identity, &run, CHAINS, DRAWS, sealed,
                           lost);
}

/* As a checkpoint brings it to all ranks. */
static void seal(struct dun_result *result, struct dun_checkpoint_draws *sealed)
{
  CHECK(dun_result_seal(&test_context, result, &run, sealed) == 0);
  if (sealed->bytes)
    dun_broadcast(&test_context, sealed->bytes, sealed->size, 0);
}

/* The first %s is FILE.part, %2$lld a place in it. */
static void damage_part(const char *how, long long place)
{
  char command[1024], part[160];
  snprintf(part, sizeof part, "%s.part", file);
  snprintf(command, sizeof command, how, part, place);
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(system(command) == 0);
  MPI_Barrier(test_context.comm);
}

/* Draws of before stay when the same input goes on, also at another layout of ranks. */
static void test_resume(void)
{
  static double out[CHAINS * DRAWS];
  struct dun_result result;
  struct dun_result_file f;
  make_folder();
  run_init(&test_context);
  struct dun_checkpoint_draws sealed;
  int64_t lost;
  begin_afresh(&result, 7, 0);
  run_fill(0);
  CHECK(dun_result_population(&test_context, &result, &run, 0) == 0);
  run.replicate = 1;
  seal(&result, &sealed);
  dun_result_free(&result);
  CHECK(resume(&result, 7, &sealed, &lost) == 0 && lost == 0);
  run_fill(1);
  CHECK(dun_result_population(&test_context, &result, &run, 1) == 0);
  CHECK(dun_result_population(&test_context, &result, &run, 2) == DUN_ERROR_FILE);
  CHECK(finish(&result) == 0);
  dun_result_free(&result);
  CHECK(dun_result_open(&f, file) == 0);
  CHECK(dun_result_component(&f, dun_result_find(&f, 0, "mu"), 0, out) == 0);
  CHECK(out[299] == 996 && out[300 + 299] == 996.25);
  dun_result_close(&f);
  dun_free(sealed.bytes);
  run_free();
  remove_folder();
}

/* Nothing of another input gives way unless that is asked for, and never for an error. */
static void test_others(void)
{
  struct dun_result result;
  struct dun_checkpoint_draws sealed;
  int64_t lost;
  make_folder();
  run_init(&test_context);
  begin_afresh(&result, 7, 0);
  dun_result_free(&result);
  begin_afresh(&result, 7, 0); /* an earlier one of this input, of which no checkpoint tells */
  dun_result_free(&result);
  CHECK(dun_result_begin(&test_context, &result, file, 8, &run, CHAINS, DRAWS, 0) ==
        DUN_ERROR_INPUT);
  CHECK(is_about("mix.h5.part' is there and not known to be of this input"));
  dun_result_free(&result);
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS + 1, 0) ==
        DUN_ERROR_INPUT);
  dun_result_free(&result);
  begin_afresh(&result, 8, 1);
  run_fill(0);
  CHECK(dun_result_population(&test_context, &result, &run, 0) == 0);
  run.replicate = 1;
  seal(&result, &sealed);
  dun_result_free(&result);
  CHECK(resume(&result, 9, &sealed, &lost) == DUN_ERROR_INPUT);
  CHECK(is_about("What the checkpoint of"));
  dun_result_free(&result);
  damage_part("cp '%1$s' '%1$s.all'; truncate -s 100 '%1$s'", 0); /* nothing is left of it */
  CHECK(resume(&result, 8, &sealed, &lost) == DUN_ERROR_FILE);
  dun_result_free(&result);
  damage_part("mv '%1$s.all' '%1$s'", 0);
  CHECK(resume(&result, 8, &sealed, &lost) == 0 && lost == 0);
  dun_result_free(&result);
  begin_afresh(&result, 9, 1); /* in the place of the sealed one, without a draw of it */
  dun_result_free(&result);
  CHECK(resume(&result, 8, &sealed, &lost) == DUN_ERROR_FILE);
  CHECK(is_about("does not hold the draws that its checkpoint tells of") && is_there(".part"));
  dun_result_free(&result);
  damage_part("rm '%s'", 0);
  CHECK(resume(&result, 8, &sealed, &lost) == DUN_ERROR_FILE && is_about("No such file"));
  dun_result_free(&result);
  damage_part("mkfifo '%s'", 0);
  CHECK(resume(&result, 8, &sealed, &lost) == DUN_ERROR_FILE && is_about("no regular file"));
  dun_result_free(&result);
  dun_free(sealed.bytes);
  run_free();
  remove_folder();
}

/* A draw in the file, of which this process does not know. */
static double stored_mu(int64_t draw)
{
  static double out[CHAINS * DRAWS];
  struct dun_result_file f;
  CHECK(dun_result_open(&f, file) == 0);
  CHECK(dun_result_component(&f, dun_result_find(&f, 0, "mu"), 0, out) == 0);
  dun_result_close(&f);
  return out[draw];
}

/* Whatever damage there is between two jobs, what can be had again is as it was, and what cannot is
 * told. */
static void test_damaged_draws(void)
{
  static const struct {
    const char *how;
    int loses;
  } cases[] = {
      {"true '%s'", 0},
      {"printf 'x' | dd of='%s' bs=1 seek=100 conv=notrunc status=none", 0},
      {"dd if=/dev/zero of='%s' bs=1 count=900 conv=notrunc status=none", 0},
      {"head -c 100000 /dev/urandom >> '%s'", 0},
      {"truncate -s -9000 '%s'", 1},
      {"printf 'xyz' | dd of='%1$s' bs=1 seek=%2$lld conv=notrunc status=none", 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct dun_result result;
    struct dun_checkpoint_draws sealed;
    int64_t lost;
    make_folder();
    run_init(&test_context);
    begin_afresh(&result, 7, 0);
    run_fill(0);
    CHECK(dun_result_population(&test_context, &result, &run, 0) == 0);
    run.replicate = 1;
    seal(&result, &sealed);
    int64_t place = result.variable[0].offset;
    dun_result_free(&result);
    damage_part(cases[i].how, place);
    CHECK(resume(&result, 7, &sealed, &lost) == 0);
    CHECK((lost > 0) == cases[i].loses);
    run_fill(1);
    CHECK(dun_result_population(&test_context, &result, &run, 1) == 0);
    CHECK(finish(&result) == 0);
    CHECK(stored_mu(DRAWS + 299) == 996.25);
    CHECK(i == 5 ? lost == DRAWS && isnan(stored_mu(299)) : stored_mu(299) == 996);
    dun_result_free(&result);
    dun_free(sealed.bytes);
    run_free();
    remove_folder();
  }
}

/* Files of this process cannot grow beyond `bytes`: a full disk for one rank. */
static void limit(rlim_t bytes)
{
  struct rlimit now;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &now);
  now.rlim_cur = bytes;
  setrlimit(RLIMIT_FSIZE, &now);
}

static void test_full_disk(void)
{
  struct dun_result result;
  make_folder();
  run_init(&test_context);
  run_fill(0);
  if (test_context.rank == 0)
    limit(20000);
  CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 0) ==
        DUN_ERROR_FILE);
  CHECK(is_about("mix.h5.part.new' needs 0.") && is_about("File too large"));
  limit(RLIM_INFINITY);
  dun_result_free(&result);
  MPI_Barrier(test_context.comm);
  CHECK(!is_there(".part") && !is_there(".part.new"));
  for (int rank = 0; rank < test_context.size; rank++) {
    CHECK(dun_result_begin(&test_context, &result, file, 7, &run, CHAINS, DRAWS, 0) == 0);
    if (test_context.rank == rank)
      limit(20000);
    CHECK(dun_result_population(&test_context, &result, &run, 1) == DUN_ERROR_FILE);
    CHECK(is_about("mix.h5.part' cannot be written: File too large"));
    limit(RLIM_INFINITY);
    dun_result_free(&result);
  }
  begin_afresh(&result, 7, 0);
  if (test_context.rank == 0)
    limit(20000);
  CHECK(finish(&result) == DUN_ERROR_FILE && is_about("mix.h5.part' needs"));
  limit(RLIM_INFINITY);
  CHECK(!is_there(""));
  CHECK(finish(&result) == 0); /* there is room again */
  dun_result_free(&result);
  run_free();
  remove_folder();
}

TEST_MAIN({"resume", test_resume}, {"others", test_others}, {"damaged_draws", test_damaged_draws},
          {"full_disk", test_full_disk})
