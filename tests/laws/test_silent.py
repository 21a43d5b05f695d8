"""Targets on which SMC is wrong without knowing: no run that is more than three errors off may have
every verdict good.

Unequal widths: a narrow mode is carried by a handful of ancestors, on which the error of log Z
rests too.  A slow direction, seven times wider than the base: moves that forget the log density
hardly move along it, unless their metric is dense.  A funnel, whose neck particles enter by short
steps only.  On a target that is none of these the verdicts stay good.  6 seeds each; log Z is 0."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, attributes, column, dunlin, main, summary, write  # noqa: E402

COMMON = """
path: {type: geometric, base: {type: gaussian, mean: 0, scale: SCALE}, schedule: {type: adaptive}}
output: {file: result.h5, draws: 100}
"""
UNEQUAL = COMMON.replace("SCALE", "3") + """
target:
  type: gaussian_mixture
  dimension: 6
  layout: given
  means: [[4, 4, 4, 4, 0, 0], [-4, -4, 0, 0, 4, 0]]
  scales: [1.2, 0.45]
  weights: [0.6, 0.4]
kernel: {type: hmc}
method: {type: smc, moves_per_step: 4, ess_threshold: 0.5}
"""
SLOW = COMMON.replace("SCALE", "4") + """
target: {type: gaussian, dimension: 50, covariance: {type: dense, file: covariance.csv}}
kernel: {type: KERNEL, metric: METRIC}
method: {type: smc}
"""
FUNNEL = COMMON.replace("SCALE", "3") + """
target: {type: funnel, dimension: 10}
kernel: {type: hmc}
method: {type: smc, moves_per_step: 20}
"""
TWO_MODES = COMMON.replace("SCALE", "3") + """
target:
  {type: gaussian_mixture, dimension: 10, layout: two_modes, separation: 3, weights: [0.2, 0.8]}
kernel: {type: hmc}
method: {type: smc}
"""


def runs(text, particles, seeds=6):
    """(log Z in errors, all verdicts good, levels by name) of each seed."""
    found = []
    with Folder() as folder:
        numpy.savetxt(os.path.join(folder, "covariance.csv"),
                      numpy.eye(50) + 899 / 50 * numpy.ones((50, 50)), delimiter=",")
        for seed in range(seeds):
            run = f"run: {{seed: {seed}, particles: {particles}}}\n"
            file, result = write(folder, "input.yaml", run + text), os.path.join(folder, "r.h5")
            dunlin("run", file, "--output", result, "--overwrite", "--quiet")
            said, root = summary(result), attributes(result)
            levels = {verdict["name"]: verdict["level"] for verdict in said["verdicts"]}
            off = root["log_evidence"] / root["log_evidence_error"]
            print(f"seed {seed}: {off:.1f} errors, {said['diagnosis']}, not good: " +
                  ", ".join(name for name, level in levels.items() if level != "good"))
            found.append((off, said["diagnosis"] == "good", levels))
    return found


def never_silent(text, particles, name):
    found = runs(text, particles)
    assert not any(good and abs(off) > 3 for off, good, _ in found)
    assert all(levels[name] != "good" for _, _, levels in found), name


def test_unequal_widths():
    never_silent(UNEQUAL, 4000, "error of log Z")


def test_slow_direction():
    for kernel in ("mala", "hmc"):
        text = SLOW.replace("KERNEL", kernel)
        never_silent(text.replace("METRIC", "diagonal"), 500, "slow directions")
    found = runs(text.replace("METRIC", "auto"), 500)
    assert not any(good and abs(off) > 3 for off, good, _ in found)
    assert all(levels["slow directions"] == "good" for _, _, levels in found)


def test_a_draw_is_not_paired_with_itself():
    """Energy distance of few exact draws from five times as many: 0 on the average.  Its noise is
    that of 20 populations and of the one reference.  With pairs of a draw and itself it would be
    too low by 3 / 200.  One comparison."""
    text = COMMON.replace("SCALE", "1") + """
target: {type: gaussian, dimension: 5}
kernel: {type: hmc}
method: {type: smc}
probes: [{type: energy_distance, points: 1000}]
"""
    with Folder() as folder:
        run = "run: {seed: 1, particles: 200, replicates: 20}"
        file, result = write(folder, "input.yaml", run + text), os.path.join(folder, "r.h5")
        dunlin("run", file, "--output", result, "--quiet")
        found = column(result, "energy_distance", "energy_distance")
    mean, spread = numpy.mean(found), numpy.std(found, ddof=1)
    error = spread * (1 / 20 + (200 / 1000) ** 2) ** .5
    print(f"{mean:.5f} +- {error:.5f}")
    assert len(found) == 20 and abs(mean) < 5 * error < .01


def test_funnel():
    found = runs(FUNNEL, 4000)
    assert not any(good for _, good, _ in found)
    assert all(abs(off) < 5 for off, _, _ in found), "the neck is entered by short steps"


def test_what_is_right_stays_good():
    found = runs(TWO_MODES, 4000)
    assert all(good and abs(off) < 5 for off, good, _ in found)


main()
