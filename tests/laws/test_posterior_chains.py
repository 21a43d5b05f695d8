"""Chains of three real and made posteriors with defaults, from starts far out: right within 5
errors, good, and after few gradients.  On blr and arma most of the standard normal starts have log
densities of minus some millions; on two_groups some chains find a place of their own, forty below
the others."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "benchmarks"))
from posterior_cases import REAL, deviation, langevin, truth, worst_of  # noqa: E402
from support import Folder, Missing, data_folder, main  # noqa: E402

# gradients of a chain's warm-up, which were 4000 to 17000 when lost chains taught the others
MOST = {"blr": 2500, "arma": 1500, "two_groups": 1000}


def check(name):
    if name in REAL and not data_folder():
        raise Missing(f"no data of {name} (DUNLIN_DATA)")
    for seed in (1, 2):
        with Folder() as folder:
            run = langevin(folder, name, 64, 200, seed=seed)
        off, where, count = deviation(run.draws, truth(name))
        size, _, rhat = worst_of(run.draws)
        print(f"# {name}, seed {seed}: {run.warmup / 64:.0f} gradients a chain first, then "
              f"{run.gradients / size:.1f} a draw; R-hat {rhat:.3f}, off {off:.1f} of {count}")
        assert off < 5, (where, off)
        assert rhat < 1.01 and run.verdict == "good", (rhat, run.verdict)
        assert run.warmup / 64 < MOST[name] and run.gradients / size < 15


def test_blr():
    check("blr")


def test_arma():
    check("arma")


def test_two_groups():
    check("two_groups")


main()
