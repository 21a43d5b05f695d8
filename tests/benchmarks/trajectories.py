"""Effective draws for each gradient: trajectory lengths that are fixed against the learned one.

    trajectories.py [--chains N] [--draws D]

Chains of hmc on a 30-dimensional Gaussian with correlation .9 and on the sonar posterior; of all
scalars the smallest effective sample sizes in the bulk and in the tails, for 1000 gradients of the
draws' moves (the warm-up is not counted).
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import sonar_table  # noqa: E402
from support import Folder, column, dunlin, write  # noqa: E402

TARGETS = {
    "toeplitz": ("{type: gaussian, dimension: 30, covariance: {type: toeplitz, correlation: 0.9}}",
                 "{scale: 2}"),
    "sonar": ("{type: logistic_regression, data: DATA, label: label}", "{type: prior}"),
}
LENGTHS = 3, 10, 30, 100

INPUT = """
run:    {{seed: {seed}, particles: {chains}}}
target: {target}
path:   {{type: constant, start: {start}}}
kernel: {{type: hmc, leapfrog_steps: {length}}}
method: {{type: langevin, warmup: {warmup}, draws: {draws}}}
output: {{file: result.h5}}
"""


def measure(target, length, seed=1, chains=128, warmup=500, draws=300):
    """(bulk, tail) effective draws for 1000 gradients, leapfrog steps, largest R-hat."""
    with Folder() as folder:
        law, start = TARGETS[target]
        file = write(folder, "input.yaml", INPUT.format(
            target=law.replace("DATA", sonar_table(folder)), start=start, length=length, seed=seed,
            chains=chains, warmup=warmup, draws=draws))
        result = os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet", timeout=1800)
        evaluations = column(result, "steps", "evaluations")
        gradients = evaluations[-1] - evaluations[warmup - 1]
        bulk = min(column(result, "rhat", "ess_bulk")) * 1000 / gradients
        tail = min(column(result, "rhat", "ess_tail")) * 1000 / gradients
        return (bulk, tail), column(result, "steps", "leapfrogs")[-1], \
            max(column(result, "rhat", "rhat"))


def main():
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--chains", type=int, default=128)
    words.add_argument("--draws", type=int, default=300)
    words = words.parse_args()
    for target in TARGETS:
        for length in LENGTHS + ("adapt",):
            (bulk, tail), steps, rhat = measure(target, length, chains=words.chains,
                                                draws=words.draws)
            print(f"{target:10} {length!s:>6} {steps:6.1f} leapfrogs: bulk {bulk:6.2f} "
                  f"tail {tail:6.2f} for 1000 gradients, R-hat {rhat:.3f}", flush=True)


if __name__ == "__main__":
    main()
