"""Faulty inputs of waste-free SMC: the place, what was found, what was expected; nothing is
written."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

GOOD = """\
run:    {seed: 3, particles: 256}
target: {type: gaussian, dimension: 2, mean: 1}
path:   {type: geometric, base: {type: gaussian, mean: 0, scale: 3}, schedule: {type: adaptive}}
kernel: {type: hmc}
method: {type: smc, chain_length: 8}
output: {file: out.h5}
"""
LENGTH = "chain_length: 8"

# What is replaced by what, and words of the complaint.
EDITS = {
    "uneven": (LENGTH, "chain_length: 7", ["5:", "run.particles is 256", "multiple",
                                           "chain_length, 7", "252", "259"]),
    "too_long": (LENGTH, "chain_length: 512", ["chain_length is 512",
                                               "at most run.particles, 256"]),
    "of_one_point": (LENGTH, "chain_length: 1", ["chain_length", "1", "2"]),
    "of_fractions": (LENGTH, "chain_length: 2.5", ["chain_length", "2.5", "whole"]),
    "stated_moves": (LENGTH, LENGTH + ", moves_per_step: 3",
                     ["moves_per_step is 3", "chain_length, 8", "leave moves_per_step out"]),
    "no_moves": ("kernel: {type: hmc}\nmethod: {type: smc, chain_length: 8}",
                 "method: {type: smc, chain_length: 8, moves_per_step: 0}",
                 ["moves_per_step is 0", "chain_length, 8"]),
    "capped": (LENGTH, LENGTH + ", most_moves: 5", ["most_moves is 5", "chain_length, 8"]),
    "at_the_end": (LENGTH, LENGTH + ", moves_at: end", ["moves_at is end", "chain_length, 8"]),
    "threshold": (LENGTH, LENGTH + ", ess_threshold: 0.5", ["ess_threshold is 0.5", "leave"]),
    "weighed": ("{type: hmc}", "{type: ula}", ["chain_length", "ula", "invariant"]),
}


def refused(name):
    old, new, words = EDITS[name]
    assert old in GOOD, name
    with Folder() as folder:
        write(folder, "input.yaml", GOOD.replace(old, new))
        done = dunlin("run", "input.yaml", code=2, folder=folder, timeout=60)
        for word in words:
            assert word in done.stderr, f"'{word}' is missing in:\n{done.stderr}"
        assert os.listdir(folder) == ["input.yaml"]


for case in EDITS:
    globals()[f"test_{case}"] = lambda name=case: refused(name)


def test_good_input_is_good():
    with Folder() as folder:
        write(folder, "input.yaml", GOOD)
        dunlin("run", "input.yaml", folder=folder)


def test_ranks_refuse_together():
    with Folder() as folder:
        write(folder, "input.yaml", GOOD.replace(LENGTH, "chain_length: 7"))
        dunlin("run", "input.yaml", code=2, folder=folder, timeout=60, ranks=3)


main()
