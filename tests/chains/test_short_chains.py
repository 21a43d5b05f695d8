"""Many short chains: nested R-hat of superchains is what the published formula says, calls chains
good that have forgotten their starts, however few draws they have, and others not."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, column, dunlin, main, summary, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
import numpy  # noqa: E402
import reference_diagnostics as reference  # noqa: E402

INPUT = """
run:    {{seed: {seed}, particles: {chains}}}
target: {{type: gaussian, dimension: 4, covariance: {{type: toeplitz, correlation: 0.9}}}}
path:
  type: constant
  start: {{type: uniform, lower: -8, upper: 8, superchains: {superchains}}}
kernel: {{type: {kernel}}}
method: {{type: langevin, warmup: {warmup}, draws: {draws}}}
output: {{file: result.h5}}
"""
STEADY = "hmc, step_size: 0.3, leapfrog_steps: 4, metric: identity"


def sample(folder, seed=1, chains=1000, superchains=20, warmup=0, draws=20, kernel=STEADY,
           **options):
    file = write(folder, "input.yaml", INPUT.format(
        seed=seed, chains=chains, superchains=superchains, warmup=warmup, draws=draws,
        kernel=kernel))
    result = os.path.join(folder, "result.h5")
    dunlin("run", file, "--output", result, "--quiet", "--overwrite", **options)
    return result


def verdict(result):
    return next(v for v in summary(result)["verdicts"] if v["name"] == "mixing")


def test_values():
    """Also of one draw of each chain, and of superchains of one chain."""
    import h5py
    for chains, superchains, draws, ranks in ((1000, 20, 20, 3), (64, 16, 1, 2), (30, 30, 7, 1)):
        with Folder() as folder:
            result = sample(folder, chains=chains, superchains=superchains, draws=draws, warmup=3,
                            ranks=ranks)
            with h5py.File(result, "r") as file:
                x = file["posterior/x"][...]
            for j in range(4):
                found = column(result, "rhat", "rhat_nested")[j]
                expected = reference.nested_rhat(x[:, :, j], superchains)
                assert abs(found - expected) < 1e-10, (found, expected)
                close = summary(result)["parameters"][j]["rhat_nested"]
                assert abs(close - found) < 1e-10


def test_chains_that_have_forgotten_are_good():
    """Six runs of 20 draws, whose R-hat is above 1.01, and two of one draw, which has none."""
    for draws, seeds in ((20, 6), (1, 2)):
        for seed in range(seeds):
            with Folder() as folder:
                result = sample(folder, seed=seed, draws=draws, warmup=120)
                said, rhat = verdict(result), max(column(result, "rhat", "rhat"))
                assert said["level"] == "good", said
                assert "nested R-hat of 20 superchains" in said["text"]
                assert numpy.isnan(rhat) if draws == 1 else rhat > 1.01, rhat
                if draws == 20:
                    assert max(column(result, "rhat", "rhat_nested")) < 1.01


def test_chains_that_remember_are_not():
    """Started wide, or moved so little that R-hat of the single chains could not tell."""
    for kernel, warmup in ((STEADY, 0), ("rwm, step_size: 0.1, metric: identity", 10)):
        with Folder() as folder:
            result = sample(folder, warmup=warmup, kernel=kernel)
            said = verdict(result)
            assert said["level"] != "good" and "have not forgotten" in said["text"], said


def test_too_few_chains_to_tell():
    with Folder() as folder:
        said = verdict(sample(folder, chains=8, superchains=4, draws=4, warmup=60))
        assert said["level"] != "good", said


main()
