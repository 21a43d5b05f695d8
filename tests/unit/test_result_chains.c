/* ranks: 1 2 3 */
/* Draws of chains on their way to the file and back: chains of one particle and of several, of
 * which one is the draw; and a file that cannot be written for a while. */
#include "fixture.h"
#include "io/result.h"

enum { PARTICLES = 120, DIMENSION = 3, DRAWS = 9 };

static double number(int64_t particle, int64_t draw, int j)
{
  return (double)(particle * 1000 + draw * 10 + j);
}

/* Which of a chain's members is its draw: another one each time. */
static int64_t member(int64_t chain, int64_t draw, int64_t members)
{
  return (7 * draw + 3 * chain + draw / 4) % members;
}

static void fill(struct dun_run *run, int64_t draw)
{
  const struct dun_tiles *tiles = &run->population.tiles;
  int64_t members = run->kept.members;
  for (int64_t i = 0; i < tiles->local; i++) {
    int64_t global = tiles->first + i, chain = global / members;
    int drawn = global % members == member(chain, draw, members);
    dun_f64(run->logw)[i] = drawn ? 0 : -INFINITY;
    for (int j = 0; j < DIMENSION; j++)
      dun_f64(run->x)[i * DIMENSION + j] = number(global, draw, j);
  }
}

/* Collective. */
static void rename_by_one(const char *from, const char *to)
{
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    CHECK(rename(from, to) == 0);
  MPI_Barrier(test_context.comm);
}

static void check_kept(struct dun_run *run, int64_t draws)
{
  const struct dun_tiles *chains = &run->kept.chains;
  double *out = calloc((size_t)(chains->local * draws) + 1, sizeof *out);
  CHECK(chains->total * run->kept.members == PARTICLES);
  for (int j = 0; j < DIMENSION; j++) {
    CHECK(run->kept.read(&test_context, run->kept.source, j, out) == 0);
    for (int64_t i = 0; i < chains->local; i++)
      for (int64_t draw = 0; draw < draws; draw++) {
        int64_t chain = chains->first + i, members = run->kept.members;
        int64_t particle = chain * members + member(chain, draw, members);
        CHECK(out[i * draws + draw] == number(particle, draw, j));
      }
  }
  free(out);
}

/* The file is away when draws 3 and 6 have come: the flush fails, and nothing is lost. */
static void check_method(const char *method, const char *path)
{
  struct fixture fixture;
  struct dun_result result;
  char text[512];
  snprintf(text, sizeof text,
           "run: {seed: 1, particles: %d, tile: 8}\ntarget: {type: gaussian, dimension: %d}\n"
           "path: {type: %s}\nkernel: {type: rwm}\nmethod: {type: %s, draws: %d}\n",
           PARTICLES, DIMENSION, path, method, DRAWS);
  struct dun_run *run = fixture_make(&fixture, text);
  CHECK(dun_result_begin(&test_context, &result, "test_result_chains.h5", 1, run,
                         run->kept.chains.total, DRAWS, 0) == 0);
  CHECK(dun_result_chains(&test_context, &result, run) == 0);
  for (int64_t draw = 0; draw < DRAWS; draw++) {
    fill(run, draw);
    run->kept.draws++;
    CHECK(dun_result_draw(&test_context, &result, draw) == 0);
    if (draw % 3 == 0 && draw > 0) {
      rename_by_one(result.part, "away.h5");
      CHECK(dun_result_flush(&test_context, &result) < 0);
      rename_by_one("away.h5", result.part);
    }
    if (draw == 4)
      CHECK(dun_result_flush(&test_context, &result) == 0);
    if (draw == 5 || draw == DRAWS - 1)
      check_kept(run, draw + 1);
  }
  MPI_Barrier(test_context.comm);
  if (test_context.rank == 0)
    unlink(result.part);
  dun_result_free(&result);
  fixture_free(&fixture);
}

static void every_particle_is_a_chain(void)
{
  check_method("langevin", "constant");
}

static void several_particles_are_a_chain(void)
{
  check_method("tempering, temperatures: 5", "geometric, base: {type: gaussian, scale: 2}");
  check_method("tempering, temperatures: 40", "geometric, base: {type: gaussian, scale: 2}");
  check_method("tempering, temperatures: 120", "geometric, base: {type: gaussian, scale: 2}");
}

TEST_MAIN({"every_particle_is_a_chain", every_particle_is_a_chain},
          {"several_particles_are_a_chain", several_particles_are_a_chain})
