# tier: long
"""Errors and verdicts of parallel tempering over 60 runs each: where every verdict is good log Z is
hardly ever 3 errors off, easy targets are trusted and their errors neither small nor large; hard
ones (modes of unequal width, a funnel, a banana, heavy tails) are right or not trusted."""
import math
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from ladders import LADDERS, LIBRARY  # noqa: E402
from support import Folder, attributes, dunlin, main, write  # noqa: E402

RUNS = 60
WIDE = "{type: gaussian, mean: 0, scale: 3}"
TWO = """{type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3,
  weights: [.2, .8]}"""
UNEQUAL = """{type: gaussian_mixture, dimension: 4, means: [[4,4,0,0],[-4,-4,0,0],[0,0,5,-5]],
  scales: [1.2, .45, .25], weights: [.4, .3, .3]}"""
TOEPLITZ = "{type: gaussian, dimension: 5, covariance: {type: toeplitz, correlation: .9}}"


def run(seed, right, **settings):
    """log Z's deviation in errors and the word for all verdicts; NAN where no error is known."""
    ladders = settings.pop("ladders")
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        text = LADDERS.format(seed=seed, particles=ladders * settings["rungs"], **settings)
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet")
        said = attributes(result)
    error = said["log_evidence_error"]
    off = (said["log_evidence"] - right) / error if error > 0 else math.nan
    return off, said["diagnosis"]


def study(name, target, right=0, base=WIDE, rungs=8, ladders=10, kernel="hmc", warmup=300,
          draws=1000):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: run(seed, right, target=target, base=base, rungs=rungs,
                                               ladders=ladders, kernel=kernel, warmup=warmup,
                                               draws=draws), range(1, RUNS + 1)))
    off = numpy.array([value for value, _ in found])
    good = numpy.array([word == "good" for _, word in found])
    far = int((numpy.abs(off[good]) > 3).sum())
    size = math.sqrt(numpy.nanmean(off ** 2))
    print(f"{name}: {good.sum()} of {RUNS} good, {far} of them more than 3 errors off; "
          f"root mean square {size:.2f} errors, largest {numpy.nanmax(numpy.abs(off)):.1f}",
          flush=True)
    return off, good, far


def test_trusted_and_right():
    cases = {
        "toeplitz": study("toeplitz", TOEPLITZ, rungs=6, draws=3000),
        "two modes": study("two modes", TWO, rungs=10, draws=3000),
        "student": study("student", "{type: student_mixture, dimension: 2}",
                         base="{type: gaussian, mean: 0, scale: 8}", draws=3000),
    }
    assert sum(far for _, _, far in cases.values()) <= 2
    for name, (off, good, _) in cases.items():
        assert good.mean() >= .8, name
        assert .6 < math.sqrt((off ** 2).mean()) < 1.3 and numpy.abs(off).max() < 5, name


def test_right_or_not_trusted():
    hard = f"{{type: library, file: {LIBRARY}, case: "
    cases = {
        "unequal widths": study("unequal widths", UNEQUAL),
        "funnel": study("funnel", "{type: funnel, dimension: 5}"),
        "banana": study("banana", "{type: banana}"),
        "cauchy": study("cauchy", hard + "cauchy}"),
        "wall": study("wall", hard + "wall}", right=1.900424, kernel="rwm"),
        "triangle": study("triangle", hard + "triangle}", right=-1.855512, base="{type: prior}",
                          kernel="rwm", rungs=5),
        "two ladders": study("two ladders", TWO, ladders=2, rungs=10),
    }
    trusted = sum(good.sum() for _, good, _ in cases.values())
    wrong = sum(far for _, _, far in cases.values())
    print(f"{wrong} of {trusted} trusted runs more than 3 errors off, of {RUNS * len(cases)}")
    assert wrong <= .01 * RUNS * len(cases)


main()
