# tier: long
"""Real posteriors by 64 chains with the defaults: means and deviations of all parameters within 4
combined errors of the reference, R-hat at most 1.01, good verdicts."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from laws import posteriors  # noqa: E402
from support import Folder, main, summary  # noqa: E402


def check(name):
    with Folder() as folder:
        result = os.path.join(folder, "out.h5")
        posteriors.run(name, result)
        found, said = posteriors.compare(name, result), summary(result)
    off, what = posteriors.worst(found)
    print(f"{name}: {len(found)} comparisons, the worst by {off:.2f} errors ({what})")
    assert abs(off) < 4, (off, what)
    rhat = max(row["rhat"] for row in said["parameters"])
    assert rhat <= 1.01, f"R-hat {rhat}"
    assert said["diagnosis"] == "good", said["verdicts"]


def add_tests():
    for name in posteriors.DATA:
        globals()["test_" + name] = lambda name=name: check(name)


add_tests()
main()
