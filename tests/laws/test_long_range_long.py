# tier: long
"""The tables of long correlations, whole: see analysis/long_range.py."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import main  # noqa: E402
from tables import table  # noqa: E402


def test_two_colours():
    table("long_range.py", "two")


def test_the_whole_posterior():
    table("long_range.py", "exact")


def test_three_colours():
    table("long_range.py", "colours")


def test_pyramids():
    table("long_range.py", "pyramid")


main()
