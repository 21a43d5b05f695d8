"""Parallel tempering and the mixture fitted to what it leaves: two modes of .1 and .9, three seeds;
6 comparisons with limits of 5 standard errors or more."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, column, dunlin, main, summary  # noqa: E402


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


def test_fit_and_reweight_after_tempering():
    for seed in (1, 2, 3):
        check(seed)


main()
