# tier: long
"""The tables of long correlations, whole: see analysis/long_range.py."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PROGRAM, PYTHON, SOURCE, Folder, main  # noqa: E402


def table(name):
    with Folder() as folder:
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "long_range.py"), "--program",
                        PROGRAM, "--folder", folder, "--check", name], check=True)


def test_two_colours():
    table("two")


def test_the_whole_posterior():
    table("exact")


def test_three_colours():
    table("colours")


def test_pyramids():
    table("pyramid")


main()
