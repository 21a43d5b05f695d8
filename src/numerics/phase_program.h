/* Splitting integrators of the way back through a phase space diffusion
 * (numerics/phase_space.h), as programs over these operators; q is what the clock goes by in the
 * operator's share of the step and s the score, eta scales the noise without changing the marginals
 * (1: reverse diffusion, 0: probability flow; one for positions, one for momenta):
 *
 *   O  x = exp(-eta^2 gamma q / 2) x + sqrt(1 - exp(-lambda_s eta^2 gamma q)) xi; m with nu and M
 *   B  m += (q / 2) (x + (1 + eta^2) nu (m + M s_m))
 *   A  x += (q / 2) (-m / M + (1 + eta^2) gamma (x + s_x))
 *   E  both drifts from one state, with noise (Euler and Maruyama)
 *   D  both drifts of the probability flow from one state (Euler)
 *   T  after D: its trapezoid, from the step's beginning (Heun)
 *   H  the exact flow of the linear half,  K  the score's (Strang splitting of Dockhorn et al.)
 *
 * Without O, E or H there is no noise and eta is 0.  Pandey, Rudolph & Mandt, arXiv 2402.07211. */
#ifndef DUNLIN_NUMERICS_PHASE_PROGRAM_H
#define DUNLIN_NUMERICS_PHASE_PROGRAM_H

#include "numerics/phase_space.h"
#include "numerics/program.h"
#include <stdint.h>

/* em, sscs, noba, roba, nbao, rbao, nobab, robab, robab-t, euler, nse, rse, nvv, rvv, rvv-t, heun:
 * n naive, a score for every operator; r reduced, scores are used again; -t: the last score at the
 * time where the step begins. */
extern const struct dun_program_name dun_phase_programs[];

/* Reads a program and prunes what no operator reads: with gamma = 0 A has no use of the score.
 * DUN_ERROR_INPUT, also for operators that together are no reverse dynamics. */
int dun_phase_program_parse(const char *what, const char *text, double gamma,
                            struct dun_program *program);
/* Whether it draws noise. */
int dun_phase_program_is_random(const struct dun_program *program);

/* Where the noise of positions comes from, with lambda_s != 1. */
enum dun_phase_placement {
  DUN_PHASE_CONSISTENT, /* `cons`: from the step */
  DUN_PHASE_MIDPOINT,   /* `mid`: from the time in the middle of the step, not from its length */
};
#define DUN_PHASE_PLACEMENT_WORDS "cons|mid"

struct dun_phase_noise {
  double lambda; /* lambda_s; 1: none of it */
  int placement; /* enum dun_phase_placement */
  double eta[2]; /* of x and of m */
};

/* (x, m) becomes state (x, m) + diag(score) s + noise xi + start (x, m at the step's beginning). */
struct dun_phase_operator {
  char letter;
  int end;   /* of S */
  int block; /* number of its noise within the step; -1: none */
  double state[2][2], score[2], noise[2][2], start;
};

/* One operator over `share` of a step of length q of the clock, at `level` of the clock in its
 * middle.  S: the identity. */
void dun_phase_operator_set(const struct dun_phase_space *space,
                            const struct dun_phase_noise *noise,
                            const struct dun_program_operation *operation, double q, double level,
                            struct dun_phase_operator *out);

/* All operators of a march. */
struct dun_phase_table {
  struct dun_program program;
  int64_t steps;
  int blocks;                           /* of noise in a step */
  double *clock;                        /* [steps + 1], falling */
  struct dun_phase_flow *flow;          /* [steps + 1]: to the clock */
  struct dun_phase_operator *operation; /* [steps][program.count] */
  struct dun_phase_operator last; /* from the last time to 0: one step of the drift, no noise */
};

/* For the times time[steps + 1], which fall and are above 0.  DUN_ERROR_INPUT where they do not,
 * or where lambda_s has no meaning for the program; DUN_ERROR_MEMORY. */
int dun_phase_table_make(struct dun_phase_table *table, const struct dun_phase_space *space,
                         const struct dun_phase_noise *noise, const struct dun_program *program,
                         int64_t steps, const double *time);
void dun_phase_table_free(struct dun_phase_table *table);
/* Evaluations of the score on the whole way, with the last step where it is wanted. */
int64_t dun_phase_table_evaluations(const struct dun_phase_table *table, int last);

/* A step is a number of stages: what stands before the first S belongs to the first, and every
 * stage goes from its S to the next one.  All functions take z[2 d][64], positions first, and
 * aligned arrays. */

/* Whether stage `stage` asks for the score at the step's end. */
int dun_phase_stage_end(const struct dun_phase_table *table, int stage);
/* What a stage asks of the outside: standard normals xi[2 d][64] for a block of a step's noise. */
struct dun_phase_normals {
  void *data;
  void (*draw)(void *data, int block, double *xi);
};
/* The operators of step k before its first S. */
void dun_phase_before(const struct dun_phase_table *table, int64_t k, int d,
                      const struct dun_phase_normals *normals, double *xi, double *z);
/* Those from S number `stage` to the next, with the score s[2 d][64] and, of programs with T, the
 * state `start` where the step began; xi[2 d][64]: scratch, afterwards the last noise. */
void dun_phase_after(const struct dun_phase_table *table, int64_t k, int stage, int d,
                     const double *s, const double *start, const struct dun_phase_normals *normals,
                     double *xi, double *z);
/* The last step, of the drift alone, with the score at the last time. */
void dun_phase_last(const struct dun_phase_table *table, int d, const double *s, double *z);

#endif
