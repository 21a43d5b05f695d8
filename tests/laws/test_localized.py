"""Weights make log Z of localization right whatever the field says: twelve populations each with
means that are right, 2 and 10 % too short, and with log masses unknown; 4 comparisons with 0 in
standard errors of the mean, limit 5.  And of a target with a wall, which no observation has: 1
comparison."""
import math
import os

import numpy

from localized import KNOWN, evidences
from support import BUILD, Folder, attributes, column, dunlin, main, write

WALL = f"""
run: {{seed: 1, particles: 1000, replicates: 12}}
target: {{type: library, file: {os.path.join(BUILD, "tests", "user_target", "half_gaussian.so")}}}
path:
  {{type: localized, field: {{type: monte_carlo, samples: 100}}, horizon: 10, width: .5, spread: 1,
   steps: 40}}
method: {{type: smc, moves_per_step: 0}}
output: {{file: result.h5}}
"""


def mean_is_right(wrong, largest, silent=False):
    found, error = evidences(wrong, 12, silent=silent)
    spread = found.std(ddof=1) / numpy.sqrt(len(found))
    print(f"{wrong}, {silent}: {found.mean():.4f} +- {spread:.4f}, errors {error.mean():.4f}")
    assert abs(found.mean() - KNOWN) < 5 * spread and spread < largest, (found, error)


def test_right_means():
    mean_is_right(0, .01)


def test_means_that_are_wrong():
    mean_is_right(.02, .01)
    mean_is_right(.1, .05)


def test_no_log_masses():
    mean_is_right(0, .05, silent=True)


def test_a_wall():
    """Points that the last step leaves beyond it have no weight, and nothing is missing."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", WALL), "--output", result, "--quiet")
        found = column(result, "replicates", "log_evidence")
        assert "origins" not in attributes(result)["diagnosis_details"]
    off = found.mean() - math.log(.5)
    assert abs(off) < 5 * found.std(ddof=1) / numpy.sqrt(len(found)) < .1, found


main()
