"""Walls, holes, plateaus, spikes and constants (tests/user_target/hard_cases.c): log Z of parallel
tempering against the right one, within 5 of its errors, and chains that start outside; 24
comparisons."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cases import differences, fingerprint  # noqa: E402
from ladders import LADDERS, LIBRARY  # noqa: E402
from support import INPUTS, Folder, attributes, dunlin, main, summary, write  # noqa: E402

CHAINS = """
run:    {{seed: 3, particles: 100}}
target: {target}
path:   {{type: constant, start: {start}}}
kernel: {{type: {kernel}}}
method: {{type: langevin, warmup: 100, draws: 50}}
output: {{file: result.h5}}
"""
PRIOR, WIDE = "{type: prior}", "{type: gaussian, mean: 0, scale: 3}"
DISC = math.log(math.pi * 1e-4)


def case(name, constant=0):
    return f"{{type: library, file: {LIBRARY}, case: {name}, constant: {constant}}}"


def run(text, ranks=None):
    """The summary, levels of the verdicts, log Z, its error, and the draws' log densities."""
    import h5py
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        dunlin("run", write(folder, "input.yaml", text), "--output", result, "--quiet", ranks=ranks)
        said, root = summary(result), attributes(result)
        with h5py.File(result) as file:
            lp = file["sample_stats/lp"][...]
    levels = {verdict["name"]: verdict["level"] for verdict in said["verdicts"]}
    return said, levels, root["log_evidence"], root["log_evidence_error"], lp


def ladders(target, base, seed=1, rungs=6, particles=120, warmup=300, draws=400, kernel="rwm",
            ranks=None):
    return run(LADDERS.format(target=target, base=base, seed=seed, rungs=rungs, kernel=kernel,
                              particles=particles, warmup=warmup, draws=draws), ranks)


def check(target, base, right, most, **settings):
    said, levels, found, error, lp = ladders(target, base, **settings)
    print(f"{target[-50:]}: log Z {found:.6g} ± {error:.3g}, right {right:.6g}, "
          f"{(found - right) / error:.2f} errors")
    assert error < most and abs(found - right) < 5 * error
    assert numpy.isfinite(lp).all() and lp.min() > -1e200
    return said, levels


def test_constants():
    """A constant changes log Z by itself, and nothing else."""
    text = "{{type: gaussian, dimension: 5, log_evidence: {}}}"
    _, _, zero, error, _ = ladders(text.format(0), WIDE, kernel="hmc", warmup=100, draws=200)
    assert error < .1 and abs(zero) < 5 * error
    for constant in (-1e5, 1e6, 1e9, -1e12):
        _, _, found, other, _ = ladders(text.format(constant), WIDE, kernel="hmc", warmup=100,
                                        draws=200)
        assert abs(found - constant - zero) < 5 * math.hypot(error, other), (constant, found)
        assert abs(other / error - 1) < .5, (constant, other, error)


def test_steep_walls():
    for seed in range(1, 7):
        check(case("wall"), WIDE, 1.900424, .1, seed=seed)
    check(case("wall", 1e6), WIDE, 1e6 + 1.900424, .1)


def test_supports():
    """Starts outside are drawn anew and told; no draw lies outside."""
    _, levels = check(case("triangle"), PRIOR, -1.855512, .1, rungs=5, particles=100)
    assert levels["starts"] == "good" and levels["ladder"] == "good", levels
    _, levels = check(case("square"), WIDE, 0, .15, rungs=5, particles=200, ranks=2)
    assert levels["starts"] == "good" and levels["support"] == "doubtful", levels


def test_holes_that_are_nearly_everything():
    """3 of 10000 draws of the base are inside; -1e300 is as good as -inf."""
    for name in ("disc", "cliff"):
        _, levels = check(case(name), PRIOR, DISC, .6, rungs=5, particles=1000, warmup=50)
        assert levels["support"] == "bad" and levels["starts"] == "doubtful", levels


def test_spikes_and_poles():
    check(case("spike"), PRIOR, 0, .5, rungs=14, particles=140)
    check(case("pole"), WIDE, 2.922619, .2)


def test_plateau():
    """Everything that was seen is the same number: that is no knowledge (log Z is -17.28)."""
    said, levels, _, error, _ = ladders(case("plateau"), PRIOR, rungs=5, particles=50)
    assert math.isnan(error) and levels["evidence"] == "bad" and said["diagnosis"] == "bad"


def test_funnel():
    """Its neck is never entered, which the moves that go astray before it tell of."""
    said, levels, _, _, _ = ladders("{type: funnel, dimension: 5}", WIDE, rungs=8, particles=40,
                                    kernel="hmc")
    assert levels["divergences"] != "good" and said["diagnosis"] != "good", levels


def test_tails():
    """Cauchy's tails above a Gaussian base, and Student's with 2 degrees above a wide one."""
    found = [ladders(case("cauchy"), WIDE, seed=seed, particles=60, draws=1000, kernel="hmc")[1]
             ["reach"] for seed in range(1, 9)]
    assert found.count("bad") >= 5 and "good" not in found, found
    _, levels = check("{type: student_mixture, dimension: 2}", "{type: gaussian, scale: 8}", 0, .05,
                      kernel="hmc")
    assert levels["reach"] == "good", levels


def test_nowhere():
    """A support that is never found ends the run with a sentence."""
    texts = (LADDERS.format(target=case("nowhere"), base=PRIOR, seed=1, rungs=5, kernel="rwm",
                            particles=50, warmup=20, draws=20),
             CHAINS.format(target=case("nowhere"), start=PRIOR, kernel="rwm"))
    for text in texts:
        with Folder() as folder:
            done = dunlin("run", write(folder, "input.yaml", text), "--quiet", ranks=2, code=2)
            assert "has no finite log density and gradient at the" in done.stderr, done.stderr


def test_chains_that_start_outside():
    for name, start, kernel in (("square", "{scale: 3}", "rwm"), ("triangle", PRIOR, "mala"),
                                ("disc", PRIOR, "rwm"), ("cliff", PRIOR, "hmc")):
        said, levels, _, _, lp = run(CHAINS.format(target=case(name), start=start, kernel=kernel))
        assert numpy.isfinite(lp).all() and lp.min() > -1e200, name
        text = [verdict["text"] for verdict in said["verdicts"] if verdict["name"] == "starts"]
        assert len(text) == 1, text
        assert "drawn anew" in text[0] or "began where others did" in text[0], text


def test_restart_while_starts_are_drawn():
    """Stopped by a number of evaluations before all starts lie inside."""
    texts = (LADDERS.format(target=case("disc"), base=PRIOR, seed=1, rungs=5, kernel="rwm",
                            particles=100, warmup=20, draws=20),
             CHAINS.format(target=case("disc"), start=PRIOR, kernel="rwm"))
    for text in texts:
        with Folder() as folder:
            file = write(folder, "input.yaml", text)
            whole, cut = os.path.join(folder, "whole.h5"), os.path.join(folder, "cut.h5")
            dunlin("run", file, "--output", whole, "--quiet", ranks=2)
            dunlin("run", file, "--output", cut, "--quiet", "--stop-after", "5000",
                   ranks=3, code=85)
            dunlin("run", file, "--output", cut, "--quiet", "--restart")
            assert differences(fingerprint(whole), fingerprint(cut)) == []


def rejections(rungs, warmup):
    target = f"{{type: seeds, data: {INPUTS}/data/seeds.csv}}"
    said, levels, found, error, _ = ladders(target, PRIOR, rungs=rungs, particles=20 * rungs,
                                            warmup=warmup, draws=100,
                                            kernel="hmc, leapfrog_steps: 4")
    last = said["rungs"][-rungs:]
    return [row["rejection"] for row in last[:-1]], levels, found, error


def test_ladders_from_a_prior_of_many_magnitudes():
    """Seeds from its prior, which spans tens of orders of magnitude: equal rejections, and log Z as
    other methods have it (-73.40), or none that is trusted."""
    rejected, _, found, error = rejections(20, 500)
    print(f"rejections {min(rejected):.2f} to {max(rejected):.2f}, log Z {found:.2f} ± {error:.2f}")
    assert max(rejected) < .75 and max(rejected) - min(rejected) < .35, rejected
    assert error < 1 and abs(found + 73.40) < 5 * error
    _, levels, found, error = rejections(12, 500)
    assert abs(found + 73.40) < 3 * error or levels["evidence"] == "bad" or \
        levels["round trips"] == "bad", (found, error, levels)


main()
