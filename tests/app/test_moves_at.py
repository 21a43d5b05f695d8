"""Where smc moves its particles: at every time, at t = 1 only, or nowhere."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, column, dunlin, main, write  # noqa: E402

INPUT = """
run: {seed: 1, particles: 500}
target: {type: gaussian, dimension: 2}
path: {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, METHOD}
output: {file: result.h5}
"""


def moves(method, kernel=True):
    """In each step."""
    with Folder() as folder:
        text = INPUT if kernel else INPUT.replace("kernel: {type: hmc}\n", "")
        result = os.path.join(folder, "result.h5")
        file = write(folder, "input.yaml", text.replace("METHOD", method))
        dunlin("run", file, "--output", result, "--quiet")
        return list(column(result, "steps", "moves"))


def test_every_time():
    found = moves("moves_per_step: 3")
    assert len(found) > 1 and set(found) == {3}, found


def test_the_end_only():
    found = moves("moves_per_step: 3, moves_at: end")
    assert len(found) > 1 and found[-1] == 3 and set(found[:-1]) == {0}, found


def test_nowhere():
    found = moves("moves_per_step: 0", kernel=False)
    assert len(found) > 1 and set(found) == {0}, found


main()
