"""The no-U-turn sampler of tests/benchmarks, which chains are measured against, on laws whose
moments are known: with a diagonal and a dense metric, starts and warm-up as they are by default."""
import json
import math
import os
import subprocess
import sys

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "analysis"))
from reference_diagnostics import diagnostics, errors  # noqa: E402
from support import BUILD, ENVIRONMENT, Folder, main, write  # noqa: E402

INPUT = """\
run:    {{seed: 1, particles: 64}}
target: {target}
path:   {{type: constant}}
kernel: {{type: hmc}}
method: {{type: langevin}}
"""
LIMIT = 5
# E min(z^2, 1) of a standard normal z
BELOW = math.erf(.5 ** .5) - (2 / math.pi / math.e) ** .5 + math.erfc(.5 ** .5)


def chains(target, **options):
    """Draws [chains][draws][d], and what was counted of each chain."""
    with Folder() as folder:
        file = os.path.join(folder, "draws.npy")
        words = [word for key, value in options.items() for word in (key, str(value))]
        done = subprocess.run(
            [os.path.join(BUILD, "tests", "benchmarks", "nuts"),
             write(folder, "input.yaml", INPUT.format(target=target)), file] + words,
            env=ENVIRONMENT, check=True, capture_output=True, text=True, timeout=300)
        return numpy.load(file), json.loads(done.stdout)["chains"]


def compare(values, mean):
    """A mean of [chains][draws] against the known one."""
    assert diagnostics(values)["rhat"] < 1.02
    off = (numpy.mean(values) - mean) / errors(values)[0]
    assert abs(off) < LIMIT, f"{numpy.mean(values)}, not {mean}: {off:.1f} errors"


def test_correlated():
    """28 moments: coordinates, their squares, and products with the next, of five coordinates."""
    scale = [1, 10, .1, 1, 1]
    for metric in ("diagonal", "dense"):
        draws, counted = chains("{type: gaussian, dimension: 5, mean: 2, covariance: "
                                f"{{type: toeplitz, correlation: .9, scale: {scale}}}}}",
                                metric=metric)
        for j in range(5):
            draws[:, :, j] = (draws[:, :, j] - 2) / scale[j]
            compare(draws[:, :, j], 0)
            compare(draws[:, :, j] ** 2, 1)
        for j in range(4):
            compare(draws[:, :, j] * draws[:, :, j + 1], .9)
        assert all(one["divergences"] == 0 and .2 < one["step"] < 1.5 for one in counted), counted


def test_curved():
    """8 moments of a banana and of a funnel."""
    draws, _ = chains("{type: banana, scale: 1, curvature: .5}")
    x, y = draws[:, :, 0], draws[:, :, 1]
    for values, mean in ((x, 0), (x * x, 1), (y, 0), (y * y, 1.5), (x * x * y, 1)):
        compare(values, mean)
    draws, _ = chains("{type: funnel, dimension: 3, scale: 1}", draws=2000)
    v, x = draws[:, :, 0], draws[:, :, 1]
    for values, mean in ((v, 0), (v * v, 1), (numpy.minimum(x * x, numpy.exp(v)) / numpy.exp(v),
                                              BELOW)):
        compare(values, mean)


def test_counts():
    """Each draw's leapfrogs are those of a tree: at least one, at most two to the tenth."""
    draws, counted = chains("{type: gaussian, dimension: 2}", chains=2, warmup=100, draws=50,
                            thin=2)
    assert draws.shape == (2, 50, 2)
    for one in counted:
        assert 100 <= one["gradients"] <= 102400 and one["warmup_gradients"] > 100


if __name__ == "__main__":
    main()
