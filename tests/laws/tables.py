"""Tables of the scripts in analysis/ that hold their figures against known ones."""
import os
import subprocess

from support import PROGRAM, PYTHON, SOURCE, Folder


def table(script, name):
    with Folder() as folder:
        subprocess.run([PYTHON, os.path.join(SOURCE, "analysis", script), "--program", PROGRAM,
                        "--folder", folder, "--check", name], check=True)
