"""Moves that had next to no chance are tried again with shorter steps, and the law stays: a
Gaussian whose leapfrogs are barely stable, or not at all, with fixed steps and without a warm-up.
24 comparisons within 5 errors."""
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, summary, write  # noqa: E402

INPUT = """
run:    {{seed: 1, particles: 128}}
target: {{type: gaussian, dimension: 4}}
path:   {{type: constant, start: {{scale: 1}}}}
kernel:
  {{type: hmc, step_size: {step}, leapfrog_steps: {leapfrogs}, jitter: {jitter}, metric: identity}}
method: {{type: langevin, warmup: 0, draws: {draws}}}
output: {{file: result.h5}}
"""


def run(folder, **options):
    settings = {"draws": 4000, **options}
    dunlin("run", write(folder, "input.yaml", INPUT.format(**settings)), "--quiet", "--overwrite",
           folder=folder)
    said = summary(os.path.join(folder, "result.h5"))
    return said, {v["name"]: (v["level"], v["text"]) for v in said["verdicts"]}


def shares(verdict):
    """Shares of the trajectories that went astray and of those that were tried again."""
    words = verdict[1].split("%")
    return float(words[0]) / 100, float(words[1].split()[-1]) / 100


def compare(said, step):
    for p in said["parameters"]:
        assert abs(p["mean"]) < 5 * p["mean_error"], (step, p)
        assert abs(p["deviation"] - 1) * math.sqrt(2 * p["ess_folded"]) < 5, (step, p)


def test_law_stays():
    """Steps about the longest that are stable: what a first try is worth depends on where a chain
    is, and some ends would not have been tried again from.  Deviations are some percent off
    where that is left out of account."""
    with Folder() as folder:
        for step, leapfrogs, jitter in ((2, 4, .1), (1.95, 3, .05)):
            said, verdicts = run(folder, step=step, leapfrogs=leapfrogs, jitter=jitter)
            astray, again = shares(verdicts["divergences"])
            print(f"# step {step}: {again:.3f} tried again")
            assert .1 < again < .4 and astray == 0, verdicts
            compare(said, step)


def test_second_tries_alone():
    """Under such steps no first try ends anywhere."""
    with Folder() as folder:
        said, verdicts = run(folder, step=3, leapfrogs=10, jitter=.1, draws=400)
        astray, again = shares(verdicts["divergences"])
        assert astray == 0 and again > .99, verdicts
        assert verdicts["mixing"][0] == "good", verdicts
        compare(said, 3)


def test_astray_all_the_same():
    """Where a sixteenth of the step is too long, too, trajectories went astray, and it is said."""
    with Folder() as folder:
        said, verdicts = run(folder, step=48, leapfrogs=10, jitter=.1, draws=20)
        astray, again = shares(verdicts["divergences"])
        assert again == 1 and astray > .99 and said["diagnosis"] == "bad", verdicts


main()
