"""Waste-free SMC: Z-hat is unbiased, though a population learns of itself, and its error bars mean
what they say: of one mode, and of two between which no chain goes, where what chains remember is
more than half of the variance.

A comparison of a mean in standard errors (about .02, limit 5 beside the 3 % of adaptive times), and
3 figures of each of two calibrations, as in test_calibration.py."""
import os

import numpy

from calibration import MIXTURE, TOEPLITZ, chains, judge, replicates
from support import SOURCE, Folder, attributes, dunlin, main

GAUSSIAN = """
target: {type: gaussian, dimension: 10}
path:
  {type: geometric, base: {type: gaussian, mean: 0, scale: 2}, schedule: {type: adaptive}}
kernel: {type: KERNEL, metric: METRIC}
method: {type: smc, chain_length: LENGTH}
output: {file: result.h5, draws: 1}
"""
EVERYDAY = {"ratio": (.6, 1.6), "within 1": (.32, 1), "within 2": (.78, 1)}


def unbiased(kernel, metric, length, particles, count, seed, slack=.03):
    text = (GAUSSIAN.replace("KERNEL", kernel).replace("METRIC", metric)
            .replace("LENGTH", str(length)))
    ratio = numpy.exp(replicates(text, count, particles, seed)["log_evidence"])
    mean, error = numpy.mean(ratio), numpy.std(ratio, ddof=1) / numpy.sqrt(count)
    print(f"{kernel} {metric}, {particles} in chains of {length}: {mean:.4f} +- {error:.4f}")
    assert abs(mean - 1) <= 5 * error + slack, (kernel, metric, mean, error)


def test_unbiased():
    unbiased("hmc", "dense", 4, 128, 160, 100)


def test_one_mode():
    judge("toeplitz", 0, chains(TOEPLITZ, 16), 40, 1024, 12, EVERYDAY)


def test_two_modes():
    judge("mixture", 0, chains(MIXTURE.replace("WEIGHTS", "0.2, 0.8"), 32), 40, 2048, 11, EVERYDAY)


def test_short_chains_are_told():
    """Of seeds with chains of 4 means are up to twelve errors off."""
    with Folder() as folder:
        dunlin("run", os.path.join(SOURCE, "inputs", "seeds.yaml"), "--quiet",
               "--output", "short.h5", "--set", "run.particles=1024",
               "--set", "method.chain_length=4", folder=folder)
        said = attributes(os.path.join(folder, "short.h5"))["diagnosis_details"]
        assert "chains: doubtful" in said, said


if __name__ == "__main__":
    main()
