"""Error bars mean what they say: log Z and the modes' shares over independent populations, at a
size for every day.  Limits are in standard errors of the figures for so many populations."""
import os

import numpy

from calibration import (FORTY, MIXTURE, TOEPLITZ, judge, mode_shares, replicates, seeds_moments)
from support import INPUTS, Folder, attributes, column, dunlin, main, summary, write

RINGS = """
run:    {seed: 2, particles: 4000}
target: {type: rings, radii: 2, banana: {weight: 0.5}}
path:   {type: geometric, base: {type: gaussian, scale: 4}}
kernel: {type: ula, step_rule: const, step_size: STEP}
method: {type: smc, moves_per_step: 8}
"""

COLLAPSED = """
run:    {seed: 1, particles: 20}
target: {type: gaussian, dimension: 10}
path:
  {type: geometric, base: {type: gaussian, mean: 60, scale: 1},
   schedule: {type: fixed, steps: 1}}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 20}
probes: [{type: moments}, {type: ess}]
"""

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


def weighed(folder, step_size):
    """Off log Z = 0 in reported errors, and the verdicts by name."""
    file = write(folder, "input.yaml", RINGS.replace("STEP", str(step_size)))
    result = os.path.join(folder, f"{step_size}.h5")
    dunlin("run", file, "--output", result, "--quiet")
    found = summary(result)
    verdicts = {verdict["name"]: verdict["level"] for verdict in found["verdicts"]}
    return found["log_evidence"] / found["log_evidence_error"], verdicts


def test_weights_of_long_moves_are_not_trusted():
    """Unadjusted moves longer than the rings are wide have weights with tails so heavy that log Z
    is far too low and the reported error knows nothing of it; 2 comparisons."""
    with Folder() as folder:
        off, verdicts = weighed(folder, .1)
        print(f"long moves: log Z is {off:.1f} errors off")
        assert off < -3
        assert verdicts["weighed moves"] == "bad", verdicts
        off, verdicts = weighed(folder, .02)
        print(f"short moves: log Z is {off:.1f} errors off")
        assert abs(off) < 5
        assert verdicts["weighed moves"] == "good", verdicts


def test_one_ancestor_tells_no_error():
    """Where all particles descend from one, neither errors nor effective sizes are known."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", COLLAPSED), "--output", result, "--quiet")
        assert column(result, "replicates", "roots")[0] == 1
        assert numpy.all(column(result, "moments", "deviation")[-10:] > .1)
        for table, name in (("moments", "error"), ("moments", "deviation_error"), ("ess", "ess"),
                            ("ess", "deviation_ess")):
            found = column(result, table, name)[-10:]
            assert numpy.all(numpy.isnan(found)), f"{table}/{name}: {found}"


main()
