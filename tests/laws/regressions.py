"""Regressions with flat priors from wide bases: log Z in closed form (tests/user_target/
regressions.c).  At early times the tempered law is a funnel in the noise scale."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, attributes, column, compiled, dunlin, write  # noqa: E402

INPUT = """
run: {seed: SEED, particles: PARTICLES, replicates: COUNT}
target: {type: library, file: regressions.so, groups: GROUPS, coefficients: COEFFICIENTS,
         cases: CASES, size: SIZE}
path:
  {type: geometric, base: {BASE}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc}
output: {file: result.h5, draws: 1}
"""


def known(groups, coefficients, cases, size, noise=1):
    """The residuals' squares S, nu = n - p - 1: int exp(-nu l - S exp(-2 l) / 2) dl is
    (2 / S)^(nu / 2) Gamma(nu / 2) / 2."""
    freedom, squares = cases - coefficients - 1, cases * noise ** 2
    one = (-(cases - coefficients) / 2 * math.log(2 * math.pi)
           - coefficients / 2 * math.log(cases * size ** 2)
           + freedom / 2 * math.log(2 / squares) + math.lgamma(freedom / 2) - math.log(2))
    return groups * one


def run(groups, coefficients, cases, size, scale, particles, count, seed,
        base="type: gaussian, mean: 0, scale: SCALE"):
    """Deviations of log Z, the errors that were reported, and the verdict on all together."""
    text = INPUT.replace("BASE", base)
    for name, value in (("SEED", seed), ("PARTICLES", particles), ("COUNT", count),
                        ("GROUPS", groups), ("COEFFICIENTS", coefficients), ("CASES", cases),
                        ("SIZE", size), ("SCALE", scale)):
        text = text.replace(name, str(value))
    with Folder() as folder:
        compiled(folder, "regressions.so",
                 os.path.join(SOURCE, "tests", "user_target", "regressions.c"))
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--quiet", "--trust", folder=folder,
               timeout=3000)
        found = attributes(result)
        deviation = (numpy.array(column(result, "replicates", "log_evidence"))
                     - known(groups, coefficients, cases, size))
        error = numpy.array(column(result, "replicates", "log_evidence_error"))
    print(f"{groups} of {coefficients}, size {size}, base {scale}, N = {particles}: deviation "
          f"{deviation.mean():.3f} +- {deviation.std(ddof=1) / count ** .5:.3f}, reported error "
          f"{error.mean():.3f}, worst {numpy.abs(deviation / error).max():.1f} errors, "
          f"{found['diagnosis']}")
    return deviation, error, found["diagnosis"]
