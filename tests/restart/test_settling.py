"""Chains of a regression that start far out, some of which are lost and begin again: the same bits
at one rank and at three, and from restarts in windows of the warm-up and between draws."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from interrupt import EARLY, equal, run  # noqa: E402
from support import SOURCE, Folder, column, compiled, main, summary, write  # noqa: E402

INPUT = """
run:    {seed: 2, particles: 150}
target: {type: library, file: regressions.so, coefficients: 3, size: 100}
path:   {type: constant, start: {scale: 1, climb: 3}}
kernel: {type: hmc}
method: {type: langevin, draws: 5}
output: {file: result.h5}
"""
STOPS = 4


def prepared(folder):
    source = os.path.join(SOURCE, "tests", "user_target", "regressions.c")
    compiled(folder, "regressions.so", source)
    return write(folder, "input.yaml", INPUT)


def test_ranks():
    with Folder() as folder:
        file = prepared(folder)
        one, other = (os.path.join(folder, name) for name in ("one.h5", "other.h5"))
        run(file, one, "--trust", ranks=1)
        begun = [row["text"] for row in summary(one)["verdicts"] if row["name"] == "lost chains"]
        assert begun, "none of the chains was lost: the test tries nothing"
        for ranks in (3,):
            run(file, other, "--trust", "--overwrite", ranks=ranks)
            equal(one, other)


def test_restarts():
    with Folder() as folder:
        file = prepared(folder)
        whole, cut = (os.path.join(folder, name) for name in ("whole.h5", "cut.h5"))
        run(file, whole, "--trust", ranks=1)
        spent, sweeps = column(whole, "steps", "evaluations"), column(whole, "steps", "moves")
        print(f"# {sum(sweeps):.0f} sweeps")
        climbing = [int(spent[0]) * part // 100 for part in (20, 45, 70)]  # of the first step
        print(f"# amid the climb after {climbing} of {spent[0]:.0f}")
        for stop in range(1, STOPS + 1):
            climbing.append(int(spent[len(spent) * stop // (STOPS + 1)]) - 75)
        for stop, after in enumerate(climbing):
            run(file, cut, "--trust", "--restart", "--stop-after", after, ranks=1 + stop % 3,
                code=EARLY)
        run(file, cut, "--trust", "--restart", ranks=2)
        equal(whole, cut)


main()
