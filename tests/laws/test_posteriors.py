"""Real posteriors: the densities of the targets are those written down in numpy, at draws of short
runs."""
import os
import sys

import h5py
import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from laws import posteriors  # noqa: E402
from support import Folder, main, summary  # noqa: E402

SHORT = ("method.warmup=20", "method.draws=2", "run.particles=16", "run.evaluations=20000")


def check(name):
    data = posteriors.data_of(name)
    with Folder() as folder:
        result = os.path.join(folder, "out.h5")
        posteriors.run(name, result, None, SHORT)
        with h5py.File(result) as file:
            draws = {key: value[...] for key, value in file["posterior"].items()
                     if value.ndim > 1}
            density = file["sample_stats"]["lp"][...]
    compared = 0
    for chain in range(len(density)):
        theta = {key: value[chain, 0] for key, value in draws.items()}
        if not numpy.isfinite(density[chain, 0]):
            continue
        truth = posteriors.log_density(name, data, theta)
        assert abs(density[chain, 0] - truth) < 1e-9 * (1 + abs(truth)), (density[chain, 0], truth)
        compared += 1
    assert compared >= 8, f"only {compared} draws inside"


def test_far_out():
    """Standard deviations that underflow are outside; no density there is no number."""
    with Folder() as folder:
        result = os.path.join(folder, "out.h5")
        posteriors.run("blr", result, None, (
            "path={type: constant, start: {scale: 2000}}", "kernel={type: rwm}", "method.warmup=1",
            "method.draws=1"))
        nan = [row for row in summary(result)["verdicts"] if row["name"] == "nan"]
        assert all(row["text"].startswith("0 of") for row in nan), nan


def add_tests():
    for name in posteriors.DATA:
        globals()["test_" + name] = lambda name=name: check(name)


add_tests()
main()
