"""Chains settle by themselves, with defaults: on a rotated Gaussian of condition 1e5 from ten
deviations out, where chains start so far out on a regression that some are lost, and on a banana
that is narrow at its ends.  106 comparisons of means within 5 errors; costs are counts of
evaluations of fixed seeds."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import SOURCE, Folder, attributes, compiled, dunlin, main, summary, write  # noqa: E402

INPUT = """
run:    {{seed: {seed}, particles: {chains}}}
target: {{{target}}}
path:   {{type: constant, start: {{scale: {scale}}}}}
kernel: {{type: hmc}}
method: {{type: langevin, draws: {draws}{more}}}
output: {{file: result.h5}}
"""
D = 30
ROTATED = f"type: gaussian, dimension: {D}, covariance: {{type: dense, file: covariance.csv}}"


def rotated(folder):
    """Variances from 1 to 1e-5 in directions of no coordinate; the covariance."""
    random = numpy.random.default_rng(1)
    turn, _ = numpy.linalg.qr(random.normal(size=(D, D)))
    covariance = (turn * 10 ** (-5 * numpy.arange(D) / (D - 1))) @ turn.T
    numpy.savetxt(os.path.join(folder, "covariance.csv"), (covariance + covariance.T) / 2,
                  delimiter=",", fmt="%.17g")
    return covariance


def run(folder, **options):
    """The summary, the root's attributes and the verdicts' levels and texts."""
    settings = {"scale": 1, "draws": 100, "more": "", "chains": 64, **options}
    dunlin("run", write(folder, "input.yaml", INPUT.format(**settings)), "--quiet", "--overwrite",
           "--trust", folder=folder)
    result = os.path.join(folder, "result.h5")
    said = summary(result)
    verdicts = {verdict["name"]: (verdict["level"], verdict["text"])
                for verdict in said["verdicts"]}
    return said, attributes(result), verdicts


def test_condition():
    with Folder() as folder:
        covariance = rotated(folder)
        for seed in (1, 2, 3):
            said, root, verdicts = run(folder, seed=seed, target=ROTATED, scale=10)
            assert said["diagnosis"] == "good", verdicts
            assert "dense" in verdicts["metric"][1], verdicts["metric"]
            each = root["evaluations_per_effective_draw_sampling"]
            warm_up = (root["evaluations"] - each * root["effective_sample_size"]) / 64
            print(f"# seed {seed}: {warm_up:.0f} gradients a chain first, then {each:.1f} a draw")
            assert each < 8 and warm_up < 500, (each, warm_up)
            for j, p in enumerate(said["parameters"]):
                assert abs(p["mean"]) < 5 * p["mean_error"], p
                assert abs(p["deviation"] / math.sqrt(covariance[j, j]) - 1) < .1, p


def test_chains_not_at_rest():
    """Sixteen sweeps are too few from so far out, and the verdict says so."""
    with Folder() as folder:
        rotated(folder)
        said, _, verdicts = run(folder, seed=1, target=ROTATED, scale=10, more=", warmup: 16")
        assert verdicts["settled"][0] != "good" and said["diagnosis"] != "good", verdicts


def test_lost_chains():
    """At log densities of minus some millions nothing moves: such chains begin again elsewhere."""
    freedom, residuals = 100 - 3 - 1, 100
    digamma = math.log(freedom / 2) - 1 / freedom - 1 / (3 * freedom ** 2)
    deviation = math.sqrt(residuals / (freedom - 2) / (100 * 100 ** 2))
    truth = [1, 1, 1, .5 * (math.log(residuals / 2) - digamma)]
    with Folder() as folder:
        compiled(folder, "regressions.so",
                 os.path.join(SOURCE, "tests", "user_target", "regressions.c"))
        for seed in (1, 2, 3):
            said, root, verdicts = run(
                folder, seed=seed, chains=50, draws=200,
                target="type: library, file: regressions.so, coefficients: 3, size: 100")
            lost = int(verdicts["lost chains"][1].split()[0])
            print(f"# seed {seed}: {lost} of 50 chains began again")
            assert lost >= 3 and said["diagnosis"] != "bad", verdicts
            assert verdicts["mixing"][0] == "good" and verdicts["settled"][0] == "good", verdicts
            assert root["evaluations_per_effective_draw_sampling"] < 8, root
            assert root["evaluations"] / 50 < 20000, root["evaluations"]
            for j, p in enumerate(said["parameters"]):
                assert abs(p["mean"] - truth[j]) < 5 * p["mean_error"], (p, truth[j])
                assert j == 3 or abs(p["deviation"] / deviation - 1) < .1, (p, deviation)


def test_narrow_ends():
    """At the ends of a banana steps are too long: moves are tried again there, and chains do not
    stay."""
    with Folder() as folder:
        for seed in (4, 5, 6):
            said, root, verdicts = run(folder, seed=seed, chains=32, draws=400,
                                       target="type: banana")
            print(f"# seed {seed}: {verdicts['divergences'][1]}; {verdicts['mixing'][1]}")
            assert "tried again" in verdicts["divergences"][1], verdicts
            assert verdicts["mixing"][0] == verdicts["divergences"][0] == "good", verdicts
            assert root["evaluations_per_effective_draw_sampling"] < 500, root
            for p in said["parameters"]:
                assert abs(p["mean"]) < 5 * p["mean_error"], p


main()
