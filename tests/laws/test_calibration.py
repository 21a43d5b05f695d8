"""Error bars mean what they say: log Z and the modes' shares over independent populations, at a
size for every day.  Limits are in standard errors of the figures for so many populations."""
import os

import numpy

from calibration import (FORTY, MIXTURE, TOEPLITZ, judge, mode_shares, replicates, seeds_moments)
from support import INPUTS, Folder, attributes, dunlin, main

# Of 40 normal deviations over their standard errors: the spread (1 ± 5/sqrt 80), and the shares
# within one and two errors (.683 and .954 less 5 binomial errors).
EVERYDAY = {"ratio": (.45, 1.6), "within 1": (.32, 1), "within 2": (.78, 1)}
COUNT = 40


def test_mixture():
    judge("mixture", 0, MIXTURE.replace("WEIGHTS", "0.2, 0.8"), COUNT, 2000, 11, EVERYDAY)


def test_toeplitz():
    judge("toeplitz", 0, TOEPLITZ, COUNT, 1000, 12, EVERYDAY)


def test_shares_of_modes():
    """80 comparisons with errors by ancestor, limit 5; binomial errors would be far too small."""
    modes = replicates(MIXTURE.replace("WEIGHTS", "0.2, 0.8"), COUNT, 2000, 13, ("modes",))
    scaled, off, due = mode_shares(modes)
    print(f"largest deviation {numpy.abs(scaled).max():.2f} errors by ancestor")
    assert numpy.abs(scaled).max() < 5
    binomial = off / numpy.sqrt(due * (1 - due) / 2000)
    print(f"spread of the shares: {numpy.std(binomial):.2f} binomial errors")
    assert numpy.std(binomial) > 1.2


def test_forty_modes_are_found():
    modes = replicates(FORTY, 4, 4000, 14, ("modes",))
    _, off, due = mode_shares(modes)
    distance = .5 * numpy.abs(off).sum(1)
    print("total variation " + " ".join(f"{value:.3f}" for value in distance))
    assert numpy.all(off + due > 0), "a mode was lost"
    assert numpy.all(distance < .13)


def test_two_kernels_agree_on_seeds():
    """53 comparisons: means and deviations of 26 parameters and log Z, limit 5 standard errors.  (A
    random walk needs hundreds of moves where the precision of the random effects is large.)"""
    one, error_one = seeds_moments("hmc", "auto", 8, 2000, 15)
    other, error_other = seeds_moments("rwm", 300, 8, 1000, 16)
    scaled = (one - other) / numpy.hypot(error_one, error_other)
    print(f"{len(scaled)} comparisons, largest {numpy.abs(scaled).max():.2f} standard errors")
    assert len(scaled) == 53
    assert numpy.abs(scaled).max() < 5


def test_the_funnel_is_not_trusted():
    with Folder() as folder:
        result = os.path.join(folder, "funnel.h5")
        dunlin("run", os.path.join(INPUTS, "funnel.yaml"), "--output", result, "--quiet",
               "--set", "run.particles=2000")
        assert attributes(result)["diagnosis"] in ("doubtful", "bad")


main()
