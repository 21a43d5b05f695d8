# tier: long
"""The tables of spins, whole: see analysis/spins.py."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PROGRAM, PYTHON, SOURCE, Folder, main  # noqa: E402


def table(name):
    with Folder() as folder:
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", "spins.py"), "--program", PROGRAM,
                        "--folder", folder, "--check", name], check=True)


def test_ring():
    table("ring")


def test_curie_weiss():
    table("curie_weiss")


def test_glass():
    table("glass")


def test_signal():
    table("signal")


def test_torus():
    table("torus")


main()
