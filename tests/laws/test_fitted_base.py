"""A base fitted to pilot chains that begin far from a narrow posterior: they learn a metric, chains
that are stuck far below the others begin again and leave the fit.

4 comparisons: runs within 4 of their errors, which stay below .06."""
import numpy

from regressions import run
from support import main

FITTED = "type: fitted, scale: 10"


def test_pilots():
    deviation, error, _ = run(1, 3, 100, 100, 10, 512, 4, 1, base=FITTED)
    assert numpy.abs(deviation / error).max() <= 4, deviation / error
    assert error.max() < .06, error


if __name__ == "__main__":
    main()
