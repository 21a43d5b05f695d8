"""Many short chains: nested R-hat of superchains is what the published formula says, calls chains
good that have forgotten their starts, however few draws they have, and others not."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, attributes, column, dunlin, main, summary, write  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "analysis"))
import numpy  # noqa: E402
import reference_diagnostics as reference  # noqa: E402

INPUT = """
run:    {{seed: {seed}, particles: {chains}}}
target: {target}
path:
  type: constant
  start: {{type: uniform, lower: {start}, upper: {end}, superchains: {superchains}}}
kernel: {{type: {kernel}}}
method: {{type: langevin, warmup: {warmup}, draws: {draws}}}
output: {{file: result.h5}}
"""
TARGET = "{type: gaussian, dimension: 4, covariance: {type: toeplitz, correlation: 0.9}}"
STEADY = "hmc, step_size: 0.3, leapfrog_steps: 4, metric: identity"


def sample(folder, seed=1, chains=1000, superchains=20, warmup=0, draws=20, kernel=STEADY,
           target=TARGET, start=-8, **options):
    file = write(folder, "input.yaml", INPUT.format(
        seed=seed, chains=chains, superchains=superchains, warmup=warmup, draws=draws,
        kernel=kernel, target=target, start=start, end=-start))
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


MODES = ("{type: gaussian_mixture, dimension: 2, layout: two_modes, separation: $, "
         "weights: [0.2, 0.8]}")


def modes(folder, separation, draws):
    """512 chains that begin between two modes of shares 0.2 and 0.8, in superchains that begin next
    to each other."""
    return verdict(sample(
        folder, chains=512, superchains=16, draws=draws, warmup=100, start=-.01, kernel="hmc",
        target=MODES.replace("$", str(separation))))


def test_chains_that_no_longer_change_modes():
    """Chains of each superchain fell into either mode: nested R-hat sees nothing, R-hat does."""
    for separation, good in ((1, True), (4, False)):
        with Folder() as folder:
            said = modes(folder, separation, 200)
            assert (said["level"] == "good") == good, said
            assert good or "forget too slowly" in said["text"], said


def test_a_restart_knows_the_warm_up():
    """Stopped among its draws, and gone on with by two ranks."""
    with Folder() as folder:
        whole, text = modes(folder, 4, 200), os.path.join(folder, "input.yaml")
        total = int(attributes(os.path.join(folder, "result.h5"))["evaluations"])
        cut = ("run", text, "--output", os.path.join(folder, "cut.h5"), "--quiet")
        dunlin(*cut, "--stop-after", total * 3 // 4, code=85)
        dunlin(*cut, "--restart", ranks=2)
        assert verdict(os.path.join(folder, "cut.h5")) == whole and whole["level"] == "doubtful"


def test_too_few_chains_to_tell():
    with Folder() as folder:
        said = verdict(sample(folder, chains=8, superchains=4, draws=4, warmup=60))
        assert said["level"] != "good", said


main()
