# tier: long
"""The tables of localization that no other test makes: see analysis/localization.py."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import main  # noqa: E402
from tables import table  # noqa: E402


def test_steps():
    table("localization.py", "steps")


def test_a_mixture():
    table("localization.py", "mixture")


def test_halves():
    table("localization.py", "halves")


def test_counts():
    table("localization.py", "counts")


def test_means_that_are_wrong():
    table("localization.py", "wrong")


def test_gradients_alone():
    table("localization.py", "slips")


main()
