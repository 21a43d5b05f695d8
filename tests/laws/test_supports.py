"""Targets that end at walls, or fall there without end: log Z is right, whatever share of the first
draws survives, and whatever constant is added to the log density."""
import math
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, attributes, column, dunlin, main, summary, write  # noqa: E402

LIBRARY = os.path.join(BUILD, "tests", "user_target", "walled.so")
INPUT = """
run:    {seed: 5, particles: $particles}
target: {type: library, file: $library, $target}
path:   $path
kernel: {type: $kernel}
method: {type: smc}
output: {file: result.h5}
"""
FIXED = "type: fixed, steps: 8"
PRIOR = "{type: geometric, base: {type: prior}, schedule: {$schedule}}"
DILATION = "{type: dilation, center: 0.5, begin: {type: gaussian, scale: 0.3}, $schedule}"


def text(target, kernel="rwm", particles=2048, schedule="", path=PRIOR):
    words = {"library": LIBRARY, "target": target, "kernel": kernel, "particles": particles,
             "path": path, "schedule": schedule}
    found = INPUT
    for name, value in words.items():
        found = found.replace("$" + name, str(value))
    return found


def run(target, ranks=None, **options):
    """Attributes, levels of the verdicts by name and the steps' times."""
    with Folder() as folder:
        file, result = write(folder, "input.yaml", text(target, **options)), folder + "/result.h5"
        dunlin("run", file, "--output", result, "--quiet", ranks=ranks)
        levels = {verdict["name"]: verdict["level"] for verdict in summary(result)["verdicts"]}
        return attributes(result), levels, column(result, "steps", "time")


def refused(target, sentence, *words, code=1, **options):
    with Folder() as folder:
        file = write(folder, "input.yaml", text(target, **options))
        said = dunlin("run", file, "--quiet", *words, code=code, folder=folder).stderr
    assert sentence in said, said


def log_triangle(power=1):
    """log of the integral over y <= x in the unit square of exp(-power |(x, y) - .2|^2 / .18)."""
    x = (numpy.arange(20000) + .5) / 20000
    density = numpy.exp(-power * (x - .2) ** 2 / .18)
    return math.log((density * (numpy.cumsum(density) - density / 2)).sum() / 20000 ** 2)


def near(target, known, limit=5, **options):
    root, levels, times = run(target, **options)
    found, error = root["log_evidence"], root["log_evidence_error"]
    print(f"{target} {options}: {found:.4f} ± {error:.4f}, known {known:.4f}, {levels}")
    assert error > 0 and abs(found - known) < limit * error, (found, error, known)
    return root, levels, times


def test_half_of_the_draws_survive():
    """The share that does is a factor of its own, and the times are those of the others."""
    known = log_triangle()
    _, levels, times = near("shape: triangle, narrow: 2", known)
    assert levels["survivors"] == "good" and levels["genealogy"] == "good", levels
    whole = run("narrow: 2")[2]
    assert abs(times[0] / whole[0] - 1) < .3, (times, whole)
    near("shape: triangle, narrow: 2", known, schedule=FIXED)
    near("shape: triangle, narrow: 2", known, kernel="mala")


def test_falls_without_end_are_ends():
    roots = [run(f"shape: triangle, narrow: 2, depth: {depth}")[0]
             for depth in ("0", "1e30", "1e300", "1.79e308")]
    for root in roots[1:]:
        assert root["population_hash"] == roots[0]["population_hash"]
        assert abs(root["log_evidence"] - roots[0]["log_evidence"]) < 1e-12
    near("shape: triangle, narrow: 2, depth: 1e300", log_triangle(), schedule=FIXED)


def test_a_fall_that_times_can_follow_is_followed():
    """Moves bring the particles back inside before those outside are dead: it is no survival."""
    _, levels, times = near("shape: triangle, narrow: 2, depth: 1e6", log_triangle())
    assert "survivors" not in levels and times[0] < 1e-5, (levels, times)


def test_any_number_of_ranks():
    roots = [run("shape: triangle, narrow: 2", ranks=ranks, kernel="mala")[0]
             for ranks in (1, 2, 3)]
    for name in ("population_hash", "log_evidence", "log_evidence_error"):
        assert roots[0][name] == roots[1][name] == roots[2][name], name


def test_few_survivors():
    """Their number is told, and the error of log Z is theirs."""
    root, levels, _ = near("shape: slab, width: 0.001", math.log(.001), particles=1 << 13)
    assert root["log_evidence_error"] > .2
    assert levels["survivors"] == "bad" and root["diagnosis"] == "bad", levels
    root, levels, _ = near("shape: simplex, dimension: 6", -math.log(720), particles=1 << 15)
    assert levels["survivors"] == "doubtful" and .1 < root["log_evidence_error"] < .2, levels


def test_none_survives():
    refused("shape: nowhere", "no particle has a finite density")
    refused("shape: nowhere", "no particle has a finite density", schedule=FIXED)
    refused("shape: nowhere, depth: 1e300", "all particles have the log density -1e+300")


def test_infinite_densities_are_refused():
    refused("shape: spike", "found the log density inf", code=2)
    refused("shape: spike", "+inf at a first draw", "--no-check")
    refused("shape: spike", "+inf at a first draw", "--no-check", schedule=FIXED)


def test_constants_change_nothing():
    """But for rounding, which is 1e-4 of a log density of 1e12: it decides few moves otherwise."""
    root, levels, times = run("narrow: 2", kernel="hmc", particles=1024)
    for constant in (1e5, -1e5, 1e9, -1e9, 1e12, -1e12):
        there, same, then = run(f"narrow: 2, constant: {constant}", kernel="hmc", particles=1024)
        moved = there["log_evidence"] - constant - root["log_evidence"]
        print(f"constant {constant}: log Z moved by {moved:.2g}")
        assert abs(moved) < root["log_evidence_error"], moved
        assert same == levels and same["autocorrelation"] == "good", (constant, same)
        assert numpy.allclose(then, times, rtol=1e-2), (constant, then, times)


def test_along_dilation():
    """A map that contracts leaves out what lies at the walls: said, and right where it does not."""
    target, known = "shape: triangle, narrow: 2", log_triangle()
    _, levels, _ = near(target, known, path=DILATION, schedule="schedule: {levels: 5}, map: true")
    assert "origins" not in levels, levels
    root, levels, _ = run(target, path=DILATION, schedule="schedule: {levels: 10}")
    assert root["log_evidence"] < known - 10 * root["log_evidence_error"]
    assert levels["origins"] == "bad", levels
    for depth in ("0", "1e300"):
        refused(f"shape: nowhere, depth: {depth}", "has any weight left", path=DILATION)


main()
