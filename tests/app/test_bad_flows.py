"""Faulty inputs of flows: the place, what was found, what was expected; nothing is written."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

GOOD = """\
run:    {seed: 3, particles: 256}
target: {type: gaussian_mixture, means: [[1, 0], [-1, 2]]}
method: {type: flow, process: {type: interpolant}, grid: {steps: 10}, noise: {type: reverse}}
output: {file: out.h5}
"""
GRID = "grid: {steps: 10}"
NOISE = "noise: {type: reverse}"
MIXTURE = "{type: gaussian_mixture, means: [[1, 0], [-1, 2]]}"

# What is replaced by what, and words of the complaint.
EDITS = {
    "unknown_process": ("interpolant", "interpolation", ["3:", "interpolation", "'interpolant'"]),
    "no_closed_form": (MIXTURE, "{type: funnel, dimension: 3}", ["funnel", "seen through noise"]),
    "betas_that_fall": ("{type: interpolant}", "{type: vp, beta_min: 9, beta_max: 2}",
                        ["3:", "beta_max", "9"]),
    "times_that_turn": (GRID, "grid: {type: given, times: [1, .5, .7, 0]}",
                        ["3:", "time 2", "0.7"]),
    "times_that_stand": (GRID, "grid: {type: given, times: [1, .5, .5, 0]}", ["time 2"]),
    "times_beyond_the_end": (GRID, "grid: {type: given, times: [2, .5, 0]}", ["time 0", "from 1"]),
    "times_from_the_data": (GRID, "grid: {first: .1, last: .9}", ["time 1", "one way"]),
    "a_single_time": (GRID, "grid: {type: given, times: [1]}", ["1 times"]),
    "geometric_to_0": (GRID, "grid: {type: geometric}", ["geometric", "grid.last"]),
    "ratios_without_end": (GRID, "grid: {type: log_snr}", ["log_snr", "grid.first"]),
    "steps_to_the_ends_alone": (GRID, "grid: {type: log_snr, first: .9, last: .1, steps: 2}",
                                ["grid.steps", "2"]),
    "steps_of_given_times": (GRID, "grid: {type: given, steps: 4, times: [1, 0]}", ["grid.steps"]),
    "unknown_class": (NOISE, "guidance: {label: 2}", ["3:", "guidance.label", "0 to 1"]),
    "classes_of_a_normal": (MIXTURE + "\nmethod: {type: flow,",
                            "{type: gaussian, dimension: 1}\nmethod: {type: flow, guidance: "
                            "{label: 0},", ["3:", "no classes"]),
    "guided_to_nothing": (NOISE, "guidance: {scale: 2}", ["guidance.label"]),
    "draws_of_guided_points": (NOISE, "final: draw, guidance: {label: 0, scale: 2}", ["draw"]),
    "noise_of_ddpm": (NOISE, "scheme: ddpm, " + NOISE, ["3:", "noise"]),
    "matrix_of_other_dimension": (NOISE, "noise: {matrix: [[1], [2], [3]]}", ["3 rows", "2 dim"]),
    "matrix_of_heun": (NOISE, "scheme: heun, noise: {matrix: [[1], [2]]}", ["euler"]),
    "two_numbers_of_state": ("{type: interpolant}", "{type: psld}", ["psld", "2 numbers"]),
    "path_that_is_not_followed": ("output:", "path: {type: constant}\noutput:", ["path"]),
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
        write(folder, "input.yaml", GOOD.replace(MIXTURE, "{type: funnel, dimension: 3}"))
        dunlin("run", "input.yaml", code=2, folder=folder, timeout=60, ranks=3)


main()
