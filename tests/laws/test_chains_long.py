# tier: long
"""Hamiltonian chains and sequential Monte Carlo agree: means and standard deviations of all scalars
of two posteriors, within 4 combined errors (122 and 52 comparisons, fixed seeds)."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import sonar_table  # noqa: E402
from support import INPUTS, Folder, attributes, column, dunlin, main  # noqa: E402


def moments(folder, name, scalars, *more):
    result = os.path.join(folder, name + ".h5")
    dunlin("run", os.path.join(INPUTS, name + ".yaml"), "--output", result, "--quiet", *more,
           ranks=2, timeout=3000)
    last = slice(-scalars, None)
    return result, [(column(result, "moments", value)[last], column(result, "moments", error)[last])
                    for value, error in (("mean", "error"), ("deviation", "deviation_error"))]


def agree(chains, population, scalars, *more):
    with Folder() as folder:
        result, found = moments(folder, chains, scalars, *more)
        _, expected = moments(folder, population, scalars, *more)
        assert attributes(result)["diagnosis"] == "good", attributes(result)["diagnosis_details"]
        worst = numpy.max([abs(ours - theirs) / numpy.hypot(our_errors, their_errors)
                           for (ours, our_errors), (theirs, their_errors) in zip(found, expected)])
        print(f"{chains} against {population}: {2 * scalars} comparisons, largest {worst:.2f}")
        assert worst < 4


def test_sonar():
    with Folder() as folder:
        agree("langevin_sonar", "sonar", 61, "--set", f"target.data={sonar_table(folder)}")


def test_seeds():
    agree("langevin_seeds", "seeds", 26)


main()
