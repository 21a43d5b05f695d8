# tier: long
"""The learned trajectory length: at least four fifths of the effective draws for each gradient that
the best of a few fixed lengths has, in the bulk and in the tails, for 2 targets and 2 seeds."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "benchmarks"))
from support import main  # noqa: E402
from trajectories import LENGTHS, measure  # noqa: E402


def learned_against_fixed(target):
    for seed in (1, 2):
        found, steps, rhat = measure(target, "adapt", seed)
        fixed = [measure(target, length, seed)[0] for length in LENGTHS]
        for name, learned, others in zip(("bulk", "tails"), found, zip(*fixed)):
            print(f"{target}, seed {seed}: {steps:.1f} leapfrogs, {name}: {learned:.1f} for 1000 "
                  f"gradients, best fixed {max(others):.1f}, R-hat {rhat:.4f}")
            assert learned > .8 * max(others)
        assert rhat < 1.01


def test_toeplitz():
    learned_against_fixed("toeplitz")


def test_sonar():
    learned_against_fixed("sonar")


main()
