"""Weights make log Z of localization right whatever the field says: twelve populations each with
means that are right, 2 and 10 % too short, and with log masses unknown; 4 comparisons with 0 in
standard errors of the mean, limit 5."""
import numpy

from localized import KNOWN, evidences
from support import main


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


main()
