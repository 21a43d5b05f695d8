# tier: long
"""The tables of the samplers of a flow, whole: see analysis/flow_tables.py."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import PROGRAM, PYTHON, SOURCE, Folder, main  # noqa: E402

ANALYSIS = os.path.join(SOURCE, "analysis")


def table(name):
    with Folder() as folder:
        subprocess.run([PYTHON, os.path.join(ANALYSIS, "flow_tables.py"), "--program", PROGRAM,
                        "--folder", folder, "--check", name], check=True)


def test_toy():
    table("toy")


def test_mixtures():
    table("mixtures")


def test_guidance():
    table("guidance")


def test_figure():
    with Folder() as folder:
        figure = os.path.join(folder, "bias.png")
        subprocess.run([PYTHON, os.path.join(ANALYSIS, "plot_flow_bias.py"), figure, "--program",
                        PROGRAM], check=True)
        assert os.path.getsize(figure) > 10000


main()
