# tier: long
"""Over a hundred seeds each, log Z of targets with walls is as its error says: hardly ever more
than three errors off where every verdict is good, and never five."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, attributes, dunlin, main, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "walled.so")
INPUT = """
run:    {seed: 1, particles: 2048}
target: {type: library, file: $library, $target}
path:   {type: geometric, base: {type: prior}}
kernel: {type: $kernel}
method: {type: smc}
output: {file: result.h5}
"""
SEEDS = 100


def triangle():
    x = (numpy.arange(20000) + .5) / 20000
    density = numpy.exp(-(x - .2) ** 2 / .18)
    return math.log((density * (numpy.cumsum(density) - density / 2)).sum() / 20000 ** 2)


def calibrated(target, known, kernel):
    """Deviations in errors, and whether all verdicts were good, of every seed."""
    scaled, good = [], []
    with Folder() as folder:
        text = INPUT.replace("$library", LIBRARY).replace("$target", target)
        file = write(folder, "input.yaml", text.replace("$kernel", kernel))
        for seed in range(1, SEEDS + 1):
            result = os.path.join(folder, f"{seed}.h5")
            dunlin("run", file, "--output", result, "--quiet", "--set", f"run.seed={seed}")
            said = attributes(result)
            scaled.append((said["log_evidence"] - known) / said["log_evidence_error"])
            good.append(said["diagnosis"] == "good")
            os.remove(result)
    scaled, good = numpy.array(scaled), numpy.array(good)
    print(f"{target}: {kernel}, root mean square {numpy.sqrt(numpy.mean(scaled ** 2)):.2f} errors, "
          f"mean {scaled.mean():.2f}, largest {numpy.abs(scaled).max():.2f}, good {good.sum()}")
    assert numpy.sqrt(numpy.mean(scaled ** 2)) < 1.3 and numpy.abs(scaled).max() < 5
    assert (good & (numpy.abs(scaled) > 3)).sum() <= SEEDS / 100


def test_half_survives():
    for kernel in ("hmc", "rwm"):
        calibrated("shape: triangle, narrow: 2", triangle(), kernel)


def test_few_survive():
    calibrated("shape: slab, width: 0.03, narrow: 1, centre: 0", math.log(
        .3 * math.sqrt(math.pi / 2) * math.erf(.1 / math.sqrt(2))), "hmc")
    calibrated("shape: simplex, dimension: 4", -math.log(24), "hmc")


def test_cliffs_and_stairs():
    calibrated("shape: triangle, narrow: 2, depth: 1e6", triangle(), "hmc")
    calibrated("shape: stairs, depth: 3", math.log(numpy.exp(-3. * numpy.arange(10)).mean()), "hmc")


def test_flat_sides():
    calibrated("dimension: 3, narrow: 2, scale: 0.01, centre: 0.5",
               2 * math.log(.01 * math.sqrt(2 * math.pi)), "hmc")


main()
