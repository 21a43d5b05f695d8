"""Parallel tempering and the mixture fitted to what it leaves: two modes of .1 and .9, three seeds;
6 comparisons with limits of 5 standard errors or more.

The number of rungs that is found, of a Gaussian: few from a base that is near, and about
1 + 2 Lambda from one that is far, where Lambda = sqrt(2 d / pi) log(s) of a base s times wider in
many of d dimensions.  The draws are of as many chains as there are ladders, and log Z is 0: 4
comparisons with a limit of 5."""
import math
import os
import sys

import h5py

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, column, dunlin, main, summary, write  # noqa: E402


def check(seed):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", os.path.join(INPUTS, "tempering_fitted.yaml"), "--output", result, "--quiet",
               "--set", f"run.seed={seed}", ranks=2)
        share = column(result, "modes", "share")[-3]
        log_z = summary(result)["log_evidence"]
        print(f"seed {seed}: left {share:.4f}, log Z {log_z:.4f}")
        assert abs(share - .1) < .01, share
        assert abs(log_z) < .02, log_z


GAUSSIAN = """
run:    {seed: 1, particles: 240, replicates: 2}
target: {type: gaussian, dimension: 8}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: SCALE}}
kernel: {type: hmc}
method: {type: tempering, warmup: 200, draws: 100}
output: {file: result.h5}
"""


def found_rungs(scale):
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        file = write(folder, "input.yaml", GAUSSIAN.replace("SCALE", str(scale)))
        dunlin("run", file, "--output", result, "--quiet")
        rungs = int(column(result, "tempering", "rung").max()) + 1
        last = int(column(result, "tempering", "rung")[-1]) + 1
        with h5py.File(result) as opened:
            chains = len(opened["posterior"]["chain"])
        off = column(result, "replicates", "log_evidence")
        errors = off / column(result, "replicates", "log_evidence_error")
        print(f"scale {scale}: from {rungs} to {last} rungs, {chains} chains, log Z {off}")
        assert chains == 2 * 240 // last, chains
        assert abs(errors).max() < 5, errors
        return last


def test_the_number_of_rungs_is_found():
    assert found_rungs(1.5) == 4
    barrier = math.sqrt(2 * 8 / math.pi) * math.log(30)
    assert 1 + 2 * .8 * barrier < found_rungs(30) <= 1 + 2 * 1.6 * barrier


def test_fit_and_reweight_after_tempering():
    for seed in (1, 2, 3):
        check(seed)


main()
