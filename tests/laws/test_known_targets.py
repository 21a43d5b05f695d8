"""Targets whose log Z is known, as their inputs state it: tempering finds it."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import INPUTS, Folder, attributes, column, dunlin, main  # noqa: E402

WELL = 0.8974381249  # integral of exp(-(x^2 - 4)^2)
REPLICATES = 4


def check(name, known, *more):
    """log Z of all populations together within 5 standard errors; the last look of every probe."""
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", os.path.join(INPUTS, name), "--output", result, "--quiet", "--set",
               "run.particles=4096", "--set", f"run.replicates={REPLICATES}",
               *(word for setting in more for word in ("--set", setting)))
        said = attributes(result)
        found, error = said["log_evidence"], said["log_evidence_error"]
        print(f"{name}: log Z {found:.4f} ± {error:.4f}, known {known:.4f}")
        assert error < .1 and abs(found - known) < 5 * error
        if "modes" in open(os.path.join(INPUTS, name)).read():
            return [column(result, "modes", part) for part in ("share", "error", "due", "mode")]
    return None


def test_banana():
    check("banana.yaml", 0)


def test_rings():
    check("rings.yaml", 0)


def test_many_well():
    """32 shares of each population, limit 5 errors by ancestor: 128 comparisons."""
    share, error, due, mode = check("many_well.yaml", 5 * math.log(WELL))
    inside = mode >= 0
    assert inside.sum() == 32 * REPLICATES
    scaled = (share - due)[inside] / error[inside]
    print(f"largest deviation {numpy.abs(scaled).max():.2f} errors")
    assert numpy.abs(scaled).max() < 5


def test_tilted_wells():
    """One side of each well is the heavier one; 8 shares of each population, limit 5 errors."""
    settings = ("target.dimension=4", "target.wells=3", "target.separation=3", "target.tilt=-0.5")
    one = .001 * sum(math.exp(-(x * x - 3) ** 2 + .5 * x) for x in numpy.arange(-4, 4, .001))
    known = 3 * math.log(one) + .5 * math.log(2 * math.pi)
    share, error, due, mode = check("many_well.yaml", known, *settings)
    inside = mode >= 0
    assert inside.sum() == 8 * REPLICATES and due[inside].max() > 4 * due[inside].min()
    assert numpy.abs((share - due)[inside] / error[inside]).max() < 5


def test_student_mixture():
    check("student_mixture.yaml", 0)


main()
