"""Rejections at walls and jumps, which no smaller step avoids, do not drive the step size to zero
and the trajectory length to its bound: gradients cost no more there than random walks do."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, attributes, column, dunlin, main, summary, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "walled.so")
POPULATION = """
run:    {seed: 5, particles: $particles, replicates: $replicates}
target: {type: library, file: $library, $target}
path:   {type: geometric, base: {type: prior}}
kernel: {type: $kernel}
method: {type: smc}
output: {file: result.h5}
"""
CHAINS = """
run:    {seed: 5, particles: 64}
target: {type: library, file: $library, $target}
path:   {type: constant, start: {mean: 0.5, scale: 0.1}}
kernel: {type: $kernel}
method: {type: langevin, warmup: 300, draws: 200}
probes: [{type: ess}, {type: moments}]
output: {file: result.h5}
"""
TEMPERING = """
run:    {seed: 5, particles: 100}
target: {type: library, file: $library, $target}
path:   {type: geometric, base: {type: prior}}
kernel: {type: $kernel}
method: {type: tempering, temperatures: 10, warmup: 200, draws: 200}
output: {file: result.h5}
"""
BOX = "dimension: 3, narrow: 2, scale: 0.01, centre: 0.5"
LOG_BOX = 2 * math.log(.01 * math.sqrt(2 * math.pi))


def run(text, target, kernel, columns=(), particles=1024, replicates=1):
    """Attributes, levels of the verdicts by name, and columns of tables."""
    words = {"library": LIBRARY, "target": target, "kernel": kernel, "particles": particles,
             "replicates": replicates}
    for name, value in words.items():
        text = text.replace("$" + name, str(value))
    with Folder() as folder:
        file, result = write(folder, "input.yaml", text), os.path.join(folder, "result.h5")
        dunlin("run", file, "--output", result, "--quiet")
        levels = {verdict["name"]: verdict["level"] for verdict in summary(result)["verdicts"]}
        return attributes(result), levels, [column(result, *name) for name in columns]


def cost(target, known, kernel, replicates=20):
    """Evaluations × squared error of log Z, the error being that of so many populations; each is
    within 5 of its own errors."""
    root, _, (found, error) = run(POPULATION, target, kernel, replicates=replicates,
                                  columns=[("replicates", "log_evidence"),
                                           ("replicates", "log_evidence_error")])
    evaluations, square = root["evaluations"] / replicates, numpy.mean((found - known) ** 2)
    print(f"{target}: {kernel} takes {evaluations:.3g} evaluations for {math.sqrt(square):.3g}, "
          f"told {numpy.sqrt(numpy.mean(error ** 2)):.3g}")
    assert (numpy.abs(found - known) < 5 * error).all(), (found, error)
    return evaluations * square


def test_a_box_with_a_flat_side():
    """A thousand leapfrogs of 4e-4 each, before walls were told from steps."""
    assert cost(BOX, LOG_BOX, "hmc") < 3 * cost(BOX, LOG_BOX, "rwm")


def test_eggs():
    """The integral over the square, by the trapezoidal rule on whole periods: 235.856."""
    side = numpy.cos(5 * numpy.pi * numpy.arange(4000) / 4000)
    height = (2 + side[:, None] * side[None, :]) ** 5
    known = 243 + math.log(numpy.exp(height - 243).mean())
    assert abs(known - 235.856) < 1e-3
    assert cost("shape: eggs", known, "hmc") < 3 * cost("shape: eggs", known, "rwm")


def evaluations_and_error(target, known, kernel):
    root, _, (length,) = run(POPULATION, target, kernel, columns=[("steps", "leapfrogs")])
    found, error = root["log_evidence"], root["log_evidence_error"]
    print(f"{target}: {kernel} {root['evaluations']:.3g} evaluations, {found:.3f} ± {error:.3f}, "
          f"known {known:.3f}, length {numpy.max(length):.1f}")
    assert abs(found - known) < 5 * error, (target, kernel, found, error, known)
    return root["evaluations"]


def test_other_walls_and_jumps():
    stairs = [math.log(numpy.exp(-depth * numpy.arange(1 / width)).mean())
              for depth, width in ((3, .1), (.5, .02))]
    cases = {"dimension: 10, narrow: 2, scale: 0.05, centre: 0.5":
                 2 * math.log(.05 * math.sqrt(2 * math.pi)),
             "shape: stairs, depth: 3": stairs[0],
             "shape: stairs, depth: 0.5, width: 0.02": stairs[1],
             "shape: slab, width: 0.05, depth: 1e6": math.log(.05),
             "shape: slab, width: 0.3, depth: 20, dimension: 4": math.log(.3 + .7 * math.exp(-20)),
             "shape: ring, width: 0.1, depth: 1e4": math.log(math.pi * (.16 - .09))}
    for target, known in cases.items():
        least = evaluations_and_error(target, known, "rwm")
        for kernel in ("hmc", "underdamped"):
            assert evaluations_and_error(target, known, kernel) < 4 * least, (target, kernel)


def test_chains_between_walls():
    """Their trajectories end at walls, as they may; the flat side's variance is 1/12."""
    for target in (BOX, "dimension: 10, narrow: 2, scale: 0.05, centre: 0.5"):
        for kernel in ("hmc", "underdamped"):
            root, levels, (deviation, error) = run(
                CHAINS, target, kernel,
                columns=[("moments", "deviation"), ("moments", "deviation_error")])
            print(f"{target}: {kernel}, {root['evaluations'] / 64:.0f} evaluations a chain")
            assert root["evaluations"] / 64 < 8 * 500, root["evaluations"]
            assert levels.get("divergences", "good") == "good", levels
            assert abs(deviation[2] - 12 ** -.5) < 5 * error[2], (deviation, error)


def test_rungs_between_walls():
    """Every rung has a step size of its own."""
    for target, known in ((BOX, LOG_BOX), ("shape: stairs, depth: 3", -2.2515)):
        root, _, _ = run(TEMPERING, target, "hmc")
        found, error = root["log_evidence"], root["log_evidence_error"]
        print(f"{target}: {root['evaluations'] / 100:.0f} evaluations a replica, "
              f"{found:.3f} ± {error:.3f}, known {known:.3f}")
        assert root["evaluations"] / 100 < 8 * 400, root["evaluations"]
        assert abs(found - known) < 5 * error, (found, error)


main()
