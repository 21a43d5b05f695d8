"""Samplers of diffusions that cannot be: programs, grids and processes are refused with a sentence
that names the line and says what is wrong, and nothing is written; two of them on three ranks."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, write  # noqa: E402

INPUT = """run:    {seed: 3, particles: 256}
target: {TARGET}
method: {METHOD}
output: {file: out.h5}
"""
GAUSSIAN = "type: gaussian, dimension: 2"
FLOW = "type: flow, grid: {type: tuned}"

# Options of method psld, and words that the complaint must hold.
PSLD = {
    "program: O S B": ["program", "no reverse dynamics"],
    "program: O B S A": ["program", "B, operator 2, has no score yet"],
    "program: O S B Q": ["program", "column 7", 'no operator "Q"', "known are S O A B"],
    "program: S B/2 A S' B/3": ["program", "shares of B", "0.8333"],
    "program: S T S' D": ["program", "T stands at the end"],
    "grid: {type: given, times: [1, .5, .6]}": ["grid", "time 2 is 0.6"],
    "grid: {type: given, times: [1, .5, 0]}": ["grid", "last time is 0"],
    "process: {type: vp}": ["psld", "vp", "method flow"],
    "process: {type: psld, gamma: 1, nu: 1}": ["gamma", "nu", "differ"],
    "process: {type: psld, beta: [1, 2, 3]}": ["beta", "3"],
    "eta: [1, 2, 3]": ["eta", "3"],
    "program: rse, lambda_s: 2": ["lambda_s", "O or E"],
    "program: sscs, eta: 2": ["H is the exact flow"],
    "grid: {type: tuned, evaluations: 50}, lambda_s: 2": ["leave it out"],
    "grid: {type: tuned, evaluations: 50}, spectrum: 0": ["spectrum"],
    "grid: {type: tuned, evaluations: 50}, field: {type: monte_carlo}": ["monte_carlo", "spectrum"],
}


def refused(words, ranks=None, target=GAUSSIAN, method="type: psld"):
    text = INPUT.replace("TARGET", target).replace("METHOD", method)
    with Folder() as folder:
        write(folder, "input.yaml", text)
        done = dunlin("run", "input.yaml", code=2, ranks=ranks, timeout=60, folder=folder)
        for word in ["input.yaml:3", *words]:
            assert word in done.stderr, f"'{word}' is missing in:\n{done.stderr}"
        assert os.listdir(folder) == ["input.yaml"], os.listdir(folder)


def test_psld():
    for options, words in PSLD.items():
        refused(words, method=f"type: psld, {options}")


def test_flow():
    refused(["tuned", "psld"], method=FLOW)


def test_on_three_ranks():
    refused(["grid.evaluations"], 3, method="type: psld, grid: {type: tuned}")
    refused(["field exact", "funnel", "no closed form"], 3, target="type: funnel, dimension: 3")


if __name__ == "__main__":
    main()
