"""Targets of one shape each (tests/user_target/shapes.c) and their log Z, known in closed form or
by quadrature: what SMC and parallel tempering find is held against it."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, attributes, column, dunlin, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "shapes.so")
SMC = """
run:    {{seed: 11, particles: 1000, replicates: {replicates}}}
target: {{type: library, file: {library}, shape: {shape}, dimension: {dimension}, size: {size}}}
path:   {{type: geometric, base: {{type: prior}}}}
kernel: {{type: {kernel}}}
method: {{type: smc}}
output: {{file: result.h5}}
"""
TEMPERING = SMC.replace("particles: 1000", "particles: 80").replace(
    "{{type: smc}}", "{{type: tempering, temperatures: 8, warmup: 300, draws: 400}}")


def middles(count):
    return (numpy.arange(count) + .5) / count


def shell(dimension, radius, width=.1):
    """The surface of a sphere times the integral over the radius."""
    r = radius + width * 24 * (middles(20000) - .5)
    inner = numpy.mean(r ** (dimension - 1) * numpy.exp(-((r - radius) / width) ** 2 / 2))
    surface = math.log(2) + dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2)
    return surface + math.log(inner * 24 * width)


def eggbox():
    u = numpy.cos(5 * math.pi * middles(2000))
    height = (2 + numpy.outer(u, u)) ** 5
    return height.max() + math.log(numpy.mean(numpy.exp(height - height.max())))


# shape, dimension, size, kernel, log Z.
CASES = [
    # exp(-(x/2)^4): 4 Gamma(5/4) for each coordinate.
    ("quartic", 10, 2, "hmc", 10 * (math.log(4) + math.lgamma(1.25))),
    # exp(-|x|^p): 2 Gamma(1 + 1/p); a cusp in the middle, tails heavier than Laplace's.
    ("cusp", 10, .7, "hmc", 10 * (math.log(2) + math.lgamma(1 + 1 / .7))),
    # exp(2 x - e^x): Gamma(2), the logarithm of a gamma variable.
    ("log_gamma", 20, 2, "hmc", 20 * math.lgamma(2)),
    # 2 phi(x) Phi(20 x): Azzalini's skew normal law, nearly a wall; normalised.
    ("skew", 5, 20, "hmc", 0),
    # A log-normal law, normalised; seven eighths of the base lie outside its support.
    ("log_normal", 3, 1, "hmc", 0),
    # Student's t of 3 degrees of freedom beside 19 normal coordinates, normalised.
    ("one_tail", 20, 1, "hmc", 0),
    # Correlations +.99 and -.99 across each other, normalised.
    ("cross", 2, .99, "hmc", 0),
    # exp(-(|x| - 5)^2 / .02) in ten dimensions, by quadrature over the radius.
    ("shell", 10, 5, "hmc", shell(10, 5)),
    # exp((2 + cos(5 pi x) cos(5 pi y))^5) on the unit square, by quadrature.
    ("eggbox", 2, 1, "hmc", eggbox()),
    # A board of 10 by 10 squares, 1 on the black ones and exp(-8) on the white ones.
    ("checker", 2, 10, "rwm", math.log(.5 * (1 + math.exp(-8)))),
    # exp(-2 k) on the k-th of ten steps: a geometric sum for each coordinate.
    ("stairs", 3, 10, "rwm",
     3 * math.log((1 - math.exp(-20)) / (1 - math.exp(-2)) / 10)),
]


def check(text, case, replicates):
    """log Z of all populations together, and of each, within 5 standard errors."""
    shape, dimension, size, kernel, known = case
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        filled = text.format(library=LIBRARY, shape=shape, dimension=dimension, size=size,
                             kernel=kernel, replicates=replicates)
        dunlin("run", write(folder, "input.yaml", filled), "--output", result, "--quiet")
        said = attributes(result)
        each = ((column(result, "replicates", "log_evidence") - known) /
                column(result, "replicates", "log_evidence_error"))
    found, error = said["log_evidence"], said["log_evidence_error"]
    print(f"{shape} {kernel}: log Z {found:.4f} ± {error:.4f}, known {known:.4f}, "
          f"{(found - known) / error:.2f} errors, of each population at most {abs(each).max():.2f}")
    assert len(each) == replicates and error < .2, (shape, kernel)
    assert abs(found - known) < 5 * error and abs(each).max() < 5, (shape, kernel)
