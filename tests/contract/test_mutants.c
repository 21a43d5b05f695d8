/* Deliberately wrong kernels that the contract of kernels must catch. */
#include "kernel_deviation.h"
#include "kernels/metropolis.h"
#include "kernels/splitting.h"

extern const struct dun_kernel dun_kernel_rwm, dun_kernel_hmc;

static double *propose(struct dun_move *move, double step)
{
  int64_t block = (int64_t)move->d * DUN_LANES;
  double *z = move->scratch, *proposal = z + block;
  dun_normals(dun_move_address(move, DUN_PURPOSE_PROPOSE), move->d, z);
  for (int64_t i = 0; i < block; i++)
    proposal[i] = dun_move_x(move)[i] + step * z[i];
  dun_move_evaluate(move, proposal, NULL);
  return proposal;
}

/* Wrong: takes every proposal. */
static void always(const void *self, struct dun_move *move)
{
  const double *proposal = propose(move, .1);
  (void)self;
  memcpy(move->state, proposal, (size_t)(move->d + move->K + 1) * DUN_LANES * sizeof *proposal);
  for (int l = 0; l < DUN_LANES; l++)
    move->acceptance[l] = 1;
}

/* Wrong: decides by the density at another time. */
static void other_time(const void *self, struct dun_move *move)
{
  double time[DUN_LANES];
  struct dun_move wrong = *move;
  for (int l = 0; l < DUN_LANES; l++)
    time[l] = .8;
  wrong.time = time;
  dun_path_combine(move->path, move->path_self, time, dun_move_parts(move), dun_move_lp(move));
  dun_kernel_rwm.move(self, &wrong);
}

/* Wrong: a map without its Jacobian. */
static void stretched(const void *self, struct dun_move *move)
{
  dun_kernel_hmc.move(self, move);
  for (int l = 0; l < DUN_LANES; l++)
    dun_move_x(move)[l] *= 1.02;
}

/* Wrong: one lane's ratio decides for its whole tile. */
static void shared_decision(const void *self, struct dun_move *move)
{
  double ratio[DUN_LANES] __attribute__((aligned(64)));
  const double *proposal = propose(move, .5);
  (void)self;
  dun_metropolis_ratio(dun_move_lp(move), proposal + (int64_t)(move->d + move->K) * DUN_LANES, NULL,
                       ratio);
  for (int l = 1; l < DUN_LANES; l++)
    ratio[l] = ratio[0];
  dun_metropolis_accept(move, proposal, ratio);
}

/* Wrong: Langevin steps whose way back is taken without its own drift. */
static void one_way_drift(const void *self, struct dun_move *m)
{
  int64_t block = (int64_t)m->d * DUN_LANES;
  double *p = m->scratch, *g = p + block, *proposal = g + block;
  double energy[DUN_LANES] __attribute__((aligned(64))) = {0};
  double ratio[DUN_LANES] __attribute__((aligned(64)));
  (void)self;
  dun_normals(dun_move_address(m, DUN_PURPOSE_PROPOSE), m->d, p);
  dun_add_kinetic(m->d, 1, p, energy);
  memcpy(proposal, dun_move_x(m), (size_t)block * sizeof *proposal);
  dun_move_gradient(m, proposal, g);
  dun_kick_and_drift(m, .5, g, p, proposal);
  dun_move_evaluate(m, proposal, NULL);
  dun_add_kinetic(m->d, -1, p, energy);
  dun_metropolis_ratio(dun_move_lp(m), proposal + block + (int64_t)m->K * DUN_LANES, energy, ratio);
  dun_metropolis_accept(m, proposal, ratio);
}

/* Wrong: proposes around a centre and forgets that it does. */
static void one_way_centre(const void *self, struct dun_move *move)
{
  int64_t block = (int64_t)move->d * DUN_LANES;
  double *z = move->scratch, *proposal = z + block;
  double ratio[DUN_LANES] __attribute__((aligned(64)));
  (void)self;
  dun_normals(dun_move_address(move, DUN_PURPOSE_PROPOSE), move->d, z);
  for (int64_t i = 0; i < block; i++)
    proposal[i] = .8 + .9 * z[i];
  dun_move_evaluate(move, proposal, NULL);
  dun_metropolis_ratio(dun_move_lp(move), proposal + block + (int64_t)move->K * DUN_LANES, NULL,
                       ratio);
  dun_metropolis_accept(move, proposal, ratio);
}

static const struct {
  const char *name;
  void (*move)(const void *self, struct dun_move *move);
} mutants[] = {{"always", always},
               {"other_time", other_time},
               {"stretched", stretched},
               {"shared_decision", shared_decision},
               {"one_way_drift", one_way_drift},
               {"one_way_centre", one_way_centre}};

static void every_mutant_is_caught(void)
{
  for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
    struct fixture fixture;
    struct dun_run *run = kernel_run(&fixture, "hmc", 0);
    struct dun_kernel wrong = *run->kernel;
    wrong.move = mutants[i].move;
    run->sweep.kernel = &wrong;
    double worst = kernel_deviation(run);
    if (worst <= 5)
      fprintf(stderr, "mutant %s passes with %.1f standard errors\n", mutants[i].name, worst);
    CHECK(worst > 5);
    fixture_free(&fixture);
  }
}

TEST_MAIN({"every_mutant_is_caught", every_mutant_is_caught})
