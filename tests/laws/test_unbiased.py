"""Z-hat of SMC is unbiased however much a population learns of itself: step size, trajectory
length and metric.  Without cross-fitting 32 particles in 10 dimensions have a mean of 1.2 to 1.5
with a dense metric.  The law holds but for the adaptive times and number of moves, some 3 % here.

16 comparisons, in standard errors (about .016 each, limit 5 beside the 3 %)."""
import numpy

from calibration import replicates
from support import main

GAUSSIAN = """
target: {type: gaussian, dimension: DIMENSION}
path:
  {type: geometric, base: {type: gaussian, mean: 0, scale: 2}, schedule: {type: adaptive}}
kernel: {type: KERNEL, metric: METRIC}
method: {type: smc}
output: {file: result.h5, draws: 1}
"""


def judge(kernel, metric, dimension, particles, count, seed, slack):
    text = (GAUSSIAN.replace("DIMENSION", str(dimension)).replace("KERNEL", kernel)
            .replace("METRIC", metric))
    ratio = numpy.exp(replicates(text, count, particles, seed)["log_evidence"])
    mean, error = numpy.mean(ratio), numpy.std(ratio, ddof=1) / numpy.sqrt(count)
    print(f"{kernel} {metric} d = {dimension}, N = {particles}: {mean:.4f} +- {error:.4f}")
    assert abs(mean - 1) <= 5 * error + slack, (kernel, metric, mean, error)


def test_few_particles():
    for number, kernel in enumerate(("hmc", "mala", "rwm", "underdamped")):
        for metric in ("identity", "diagonal", "dense", "auto"):
            judge(kernel, metric, 10, 32, 160, 100 + number, .03)


if __name__ == "__main__":
    main()
