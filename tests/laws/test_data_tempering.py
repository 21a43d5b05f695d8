"""Path data: observations that come in batches lead to the same log Z as temperatures, and with a
fixed schedule Z-hat is unbiased, from a normal prior and from a Gaussian, to one or to a flat one.

A comparison on sonar's returns, and three means of 400 populations against Z by quadrature, each in
standard errors, limit 5; what cannot follow the path is refused."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from calibration import replicates  # noqa: E402
from cases import sonar_table  # noqa: E402
from support import INPUTS, Folder, attributes, dunlin, main, write  # noqa: E402

FEATURE = [-1.6, -1.1, -.9, -.4, -.3, 0, .2, .3, .7, 1.1, 1.3, 1.9]
LABEL = [0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1]
REST = """
kernel: {type: hmc}
method: {type: smc}
output: {file: result.h5}
"""


def small(folder):
    rows = [f"{x},{y}" for x, y in zip(FEATURE, LABEL)]
    return write(folder, "small.csv", "\n".join(["x,label"] + rows) + "\n")


def evidence(scale):
    """By the trapezium rule on a grid whose ends hold nothing; scale None: a flat prior."""
    a, b = numpy.meshgrid(*2 * [numpy.linspace(-25, 25, 2001)], indexing="ij")
    lp = 0 if scale is None else (-.5 * (a**2 + b**2) / scale**2
                                  - 2 * numpy.log(scale) - numpy.log(2 * numpy.pi))
    for x, y in zip(FEATURE, LABEL):
        lp = lp - numpy.logaddexp(0, (1 - 2 * y) * (a + b * x))
    return numpy.log(numpy.exp(lp).sum() * .025**2)


def unbiased(prior, path, expected, seed):
    with Folder() as folder:
        text = (f"target: {{type: logistic_regression, data: {small(folder)}, standardise: false, "
                f"{prior}}}\npath: {{type: data, {path}}}\n" + REST)
        found = replicates(text, 400, 64, seed)["log_evidence"]
    ratio = numpy.exp(found - expected)
    mean, error = numpy.mean(ratio), numpy.std(ratio, ddof=1) / numpy.sqrt(len(ratio))
    print(f"{prior}, {path}: {mean:.4f} +- {error:.4f}")
    assert error < .05 and abs(mean - 1) <= 5 * error, (prior, mean, error)


def test_unbiased_from_the_prior():
    unbiased("prior_scale: 2", "growth: 2, schedule: {type: fixed, steps: 4, spacing: linear}",
             evidence(2), 300)


def test_unbiased_from_a_gaussian():
    unbiased("prior: flat", "order: file, first: 3, base: {type: gaussian, scale: 2}, "
             "schedule: {type: fixed, steps: 8, spacing: linear}", evidence(None), 400)


def test_unbiased_from_a_gaussian_to_the_prior():
    unbiased("prior_scale: 2", "base: {type: gaussian, mean: 0.5, scale: 1.5}, "
             "schedule: {type: fixed, steps: 8, spacing: linear}", evidence(2), 500)


def test_agrees_with_temperatures():
    with Folder() as folder:
        found = {}
        for path in ("data", "geometric, base: {type: prior}"):
            text = ("run: {seed: 3, particles: 1024}\ntarget: {type: logistic_regression, data: "
                    f"{sonar_table(folder)}, label: label}}\npath: {{type: {path}}}\n" + REST)
            result = os.path.join(folder, f"{len(found)}.h5")
            dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet",
                   timeout=900)
            found[path] = attributes(result)
    one, other = found.values()
    error = numpy.hypot(one["log_evidence_error"], other["log_evidence_error"])
    off = one["log_evidence"] - other["log_evidence"]
    print(f"log Z differs by {off:.3f} +- {error:.3f}")
    assert abs(off) <= 5 * error and error < 1, (off, error)


def refused(text, *words):
    with Folder() as folder:
        done = dunlin("run", write(folder, "input.yaml", "run: {seed: 1, particles: 64}\n" + text
                                   + "output: {file: result.h5}\n"), code=2, folder=folder)
        for word in words:
            assert word in done.stderr, done.stderr


def test_refusals():
    seeds = f"target: {{type: seeds, data: {INPUTS}/data/seeds.csv}}\n"
    path = "path: {type: data}\nkernel: {type: hmc}\n"
    refused("target: {type: funnel, dimension: 3}\n" + path + "method: {type: smc}\n",
            "target funnel does not give its likelihood in parts", "path geometric")
    refused(seeds + path + "method: {type: tempering, temperatures: 4}\n", "path data is not")
    refused(seeds + path + "method: {type: langevin}\n", "path data is for method smc")


main()
