# tier: long
"""The tables of localization that no other test makes: see analysis/localization.py."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PROGRAM, PYTHON, SOURCE, Folder, main  # noqa: E402


def table(name):
    with Folder() as folder:
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "localization.py"), "--program",
                        PROGRAM, "--folder", folder, "--check", name], check=True)


def test_steps():
    table("steps")


def test_a_mixture():
    table("mixture")


def test_counts():
    table("counts")


def test_means_that_are_wrong():
    table("wrong")


def test_gradients_alone():
    table("slips")


main()
