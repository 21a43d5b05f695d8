"""Calibration of the second estimate over 200 runs, and of all verdicts together: how often a wrong
log Z passes as good, and how often a right one does not.  Told, but not judged: the share of the
time that the second estimate takes."""
# tier: long
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from second import (STUDENT, THREE, TOEPLITZ, TWO, UNEQUAL, WELLS, WELLS_LOG_Z,  # noqa: E402
                    calibrate, cauchy, counting, run)
from support import Folder, main  # noqa: E402


def judge(name, text, truth, particles=4096, count=200, good=0., calibrated=True):
    """At most one run in a hundred may be more than 3 errors off with every verdict good, none more
    than 4; a share `good` of them is good throughout."""
    with Folder() as folder, ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda seed: run(folder, text, particles, seed), range(1, count + 1)))
    off = numpy.array([abs(said["log_evidence"] - truth) / said["log_evidence_error"]
                       for _, _, said in runs])
    passed = numpy.array([said["diagnosis"] == "good" for _, _, said in runs])
    table = {word: numpy.concatenate([table[word] for _, table, _ in runs])
             for word in runs[0][1]}
    found = calibrate(counting(table), truth)
    beyond = numpy.mean(passed & (off > 3))
    print(f"{name}: good {passed.mean():.3f}, of them beyond 3: {beyond:.3f}, "
          + ", ".join(f"{word} {value:.4g}" for word, value in found.items())
          + f"; {numpy.median([said['cost'] for _, _, said in runs]):.3f} of the time")
    assert beyond <= .01 and not numpy.any(passed & (off > 4))
    assert passed.mean() >= good
    if calibrated:
        assert found["counts"] >= .9 * count
        assert .58 <= found["within 1"] <= .78 and .90 <= found["within 2"] <= .99


def test_modes_of_unequal_width():
    judge("unequal", UNEQUAL, 0, 4000)


def test_three_modes():
    judge("three", THREE, 0, 4000, calibrated=False)


def test_two_modes():
    judge("two", TWO, 0, good=.8)


def test_toeplitz():
    judge("toeplitz", TOEPLITZ, 0, good=.8)


def test_student():
    judge("student", STUDENT, 0, good=.8)


def test_wells():
    judge("wells", WELLS, WELLS_LOG_Z, good=.8)


def test_cauchy():
    with Folder() as folder:
        for is_round in (True, False):
            judge("cauchy", cauchy(folder, is_round), 0, 65536, 30, calibrated=False)


if __name__ == "__main__":
    main()
