"""Runs of localization with means by chains, and what of their results laws are about."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, attributes, column, dunlin, summary, write  # noqa: E402

KNOWN = 1.3
# Two modes three of their widths apart, by weighted localization.
WEIGHED = """
run: {seed: SEED, particles: 256, replicates: 100}
target:
  {type: gaussian_mixture, means: [[0.5], [-0.7]], weights: [0.7, 0.3], scales: 0.4,
   log_evidence: 1.3}
path:
  {type: localized, field: {type: mcmc, moves: 8, warm_up: 100}, horizon: 6, width: 0.4,
   first: 0.02, spread: 0.7, steps: 60, pieces: 20}
method: {type: smc, moves_per_step: 0}
output: {file: result.h5}
"""

GAUSSIAN = """
run: {seed: 5, particles: 2048}
target: {type: gaussian, dimension: 2, mean: [1, -2], covariance: {type: toeplitz, correlation: .6}}
method:
  {type: localization, observation: {type: gaussian, horizon: 30}, field: {type: mcmc, moves: 16},
   first: .1, steps: 80}
output: {file: result.h5}
"""
FAR = """
run: {seed: 5, particles: 512}
target: {type: gaussian_mixture, means: [[-9, 0], [9, 0]], weights: [.9, .1], scales: 1}
method:
  {type: localization, observation: {type: gaussian}, field: {type: mcmc}, steps: 40, first: .1}
output: {file: result.h5}
"""


def points(result):
    import h5py
    with h5py.File(result, "r") as opened:
        found = opened["posterior/x"][...]
    return found.reshape(-1, found.shape[-1])


def sampled(text, *settings):
    """Points of a run, the levels of its verdicts, and its evaluations for each point."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        words = [word for setting in settings for word in ("--set", setting)]
        file = write(folder, "input.yaml", text) if "\n" in text else os.path.join(INPUTS, text)
        dunlin("run", file, "--output", result, "--quiet", *words, timeout=3000)
        levels = {verdict["name"]: verdict["level"] for verdict in summary(result)["verdicts"]}
        x = points(result)
        return x, levels, attributes(result)["evaluations"] / len(x)


def evidences(seed):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        file = write(folder, "input.yaml", WEIGHED.replace("SEED", str(seed)))
        dunlin("run", file, "--output", result, "--quiet", timeout=3000)
        # A call is 4 (1 + 8) evaluations, the first of a particle 4 (1 + 101 8): once for each.
        each = attributes(result)["evaluations"] / (256 * 100)
        assert 3236 + 60 * 36 < each < 1.1 * (3236 + 60 * 36), each
        return tuple(column(result, "replicates", name)
                     for name in ("log_evidence", "log_evidence_error"))


def shares(x, modes):
    """The share of the points nearest to each mode, and the mean of those."""
    nearest = ((x[:, None, :] - modes[None]) ** 2).sum(axis=2).argmin(axis=1)
    return [((nearest == k).mean(), x[nearest == k].mean(axis=0)) for k in range(len(modes))]
