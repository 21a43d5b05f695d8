"""Problems of known log Z for the second estimate, and how often a run is right of its own."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import attributes, column, compiled, dunlin, write  # noqa: E402

PATH = """
path: {type: geometric, base: {type: gaussian, mean: 0, scale: SCALE}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, METHOD}
output: {file: result.h5}
"""


def problem(target, scale, method="moves_per_step: 4"):
    return f"target: {{{target}}}\n" + PATH.replace("SCALE", scale).replace("METHOD", method)


# Modes of unequal width: the narrow one is carried by few ancestors.
UNEQUAL = problem("type: gaussian_mixture, dimension: 6, weights: [0.6, 0.4], scales: [1.2, 0.45], "
                  "means: [[4, 4, 4, 4, 0, 0], [-4, -4, 0, 0, 4, 0]]", "3",
                  "moves_per_step: 4, ess_threshold: 0.5")
THREE = problem("type: gaussian_mixture, dimension: 4, weights: [0.5, 0.3, 0.2], "
                "scales: [1.5, 0.7, 0.3], "
                "means: [[3, 3, 0, 0], [-4, 0, 2, 0], [0, -4, -3, 3]]", "3")
TWO = problem("type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, "
              "weights: [0.2, 0.8]", "3")
TOEPLITZ = problem("type: gaussian, dimension: 30, covariance: {type: toeplitz, correlation: 0.9}",
                   "3")
STUDENT = problem("type: student_mixture, dimension: 5, freedom: 3", "8", "moves_per_step: auto")
WELLS = problem("type: many_well, dimension: 5", "2", "moves_per_step: auto")
WELLS_LOG_Z = -0.541052

# log density of Cauchy laws in the plane: the product of two, or the one that is round.
CAUCHY = """
#include <dunlin/target.h>
#include <math.h>
static double point(const void *self, const double *x, double *gradient)
{
  double a = 1 + x[0] * x[0], b = 1 + x[1] * x[1], round = a + b - 1;
  (void)self;
  if (gradient) {
    gradient[0] = ROUND ? -3 * x[0] / round : -2 * x[0] / a;
    gradient[1] = ROUND ? -3 * x[1] / round : -2 * x[1] / b;
  }
  return ROUND ? -1.8378770664093454836 - 1.5 * log(round)
               : -2.2894597716988003483 - log(a) - log(b);
}
const struct dun_target dun_target_cauchy = {
    .type = {DUN_TYPE(struct dun_target), .name = "cauchy", .doc = "Cauchy."},
    .dimension = 2,
    .point = point,
};
"""


# A normal law in half of the plane.
HALF = """
#include <dunlin/target.h>
#include <math.h>
static double point(const void *self, const double *x, double *gradient)
{
  (void)self;
  if (gradient) {
    gradient[0] = -x[0];
    gradient[1] = -x[1];
  }
  return x[1] > x[0] ? -INFINITY : -1.8378770664093454836 - .5 * (x[0] * x[0] + x[1] * x[1]);
}
const struct dun_target dun_target_half = {
    .type = {DUN_TYPE(struct dun_target), .name = "half", .doc = "Half of a normal law."},
    .dimension = 2,
    .point = point,
};
"""


def built(folder, name, text, *flags):
    """Builds a target and returns the option that names it."""
    source = write(folder, f"{name}.c", text)
    return f"type: library, file: {compiled(folder, f'{name}.so', source, flags=['-O2', *flags])}"


def cauchy(folder, is_round):
    """The round one, or the product, as a problem."""
    folder = os.path.join(folder, "round" if is_round else "product")
    os.makedirs(folder, exist_ok=True)
    return problem(built(folder, "cauchy", CAUCHY, f"-DROUND={int(is_round)}"), "3",
                   "moves_per_step: auto")


def half(folder):
    return problem(built(folder, "half", HALF), "2")


def ladders(text, temperatures, draws):
    """The same problem by parallel tempering."""
    head, _, rest = text.partition("method:")
    method = (f"method: {{type: tempering, temperatures: {temperatures}, warmup: 500, "
              f"draws: {draws}}}")
    return head.replace(", schedule: {type: adaptive}", "") + method + rest[rest.index("\n"):]


def cost_of(result):
    """The share of a run's time that is booked to the second estimate."""
    import h5py
    with h5py.File(result, "r") as file:
        seconds = {name: float(value[()]) for name, value in file["provenance"].items()
                   if name.startswith("seconds_")}
    return seconds["seconds_second"] / sum(seconds.values())


def run(folder, text, particles, seed, *settings):
    """One run: its verdicts by name, the columns of /trace/evidence, and the result's attributes,
    with the second estimate's share of the time as `cost`."""
    head = f"run: {{seed: {seed}, particles: {particles}}}\n"
    file = write(folder, f"run{seed}.yaml", head + text)
    result = os.path.join(folder, f"run{seed}.h5")
    sets = [word for setting in settings for word in ("--set", setting)]
    dunlin("run", file, "--overwrite", "--quiet", "--output", result, *sets)
    said = attributes(result)
    lines = [line.split(": ", 2) for line in said["diagnosis_details"].splitlines()]
    names = ("estimator", "log_evidence", "error", "ess", "pareto_k", "draws", "components")
    table = {name: column(result, "evidence", name) for name in names}
    said["cost"] = cost_of(result)
    os.remove(result)
    return {line[0]: line[1] for line in lines}, table, said


def calibrate(found, truth):
    """Shares of the estimates within one and two of their errors, where they count."""
    off = numpy.abs(found["log_evidence"] - truth)
    return {"counts": len(off), "rms": numpy.sqrt(numpy.mean(off ** 2)),
            "error": numpy.median(found["error"]),
            "within 1": numpy.mean(off <= found["error"]),
            "within 2": numpy.mean(off <= 2 * found["error"])}


def counting(table):
    """The rows of the mixture that count: draws enough, and weights without a heavy tail."""
    keep = (table["estimator"] == 1) & (table["ess"] >= 100) & (table["pareto_k"] < .7)
    return {name: values[keep] for name, values in table.items()}
