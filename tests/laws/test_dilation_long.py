# tier: long
"""Langevin chains along the dilation path for longer, and with more of them: 3 seeds each."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dilation import SEEDS, corrected, variance  # noqa: E402
from support import main  # noqa: E402


def test_two_unequal_modes():
    for found, off in corrected("B2", 10000, particles=20000):
        assert abs(found.share[0] - .1) <= .01 and abs(off) < .02


def test_biases_of_unadjusted_steps():
    """1 / (1 - h / 2); and pi / h for steps that follow the point."""
    for seed in SEEDS:
        assert abs(variance("step_rule: const, step_size: 0.5", 60, seed) - 4 / 3) <= .02
        assert abs(variance("step_rule: cap1, step_size: 0.02, cap: 0.01", 4000, seed) -
                   1.786) <= .04


main()
