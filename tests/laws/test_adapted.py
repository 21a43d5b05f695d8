"""Localization by noise that is adapted to what is open of each particle: draws of a mixture
against its law for three seeds, by chi-square over 24 cells and the size within modes, 9
comparisons; how far steps by means are from observations of a Gaussian, in closed form whatever its
scales, 2 comparisons; steps by covariances; limit 5 standard errors."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import Folder, dunlin, main, summary, write  # noqa: E402

MEANS, SHARES, SCALES = ((.6, 1, 0), (-1.4, 0, 1), (0, -2, 0)), (.5, .3, .2), (.05, .2, .2)
MIXTURE = (f"{{type: gaussian_mixture, means: {[list(mean) for mean in MEANS]}, "
           f"weights: {list(SHARES)}, scales: {list(SCALES)}, log_evidence: 1.3}}")
GAUSSIAN = ("{type: gaussian, dimension: 3, mean: [1, -2, .03], covariance: {type: toeplitz, "
            "correlation: .95, scale: [1, 100, 1e-2]}}")
INPUT = """
run: {{seed: {}, particles: {}}}
target: {}
method: {{type: localization, observation: {{type: adapted}}, {}}}
output: {{file: result.h5}}
"""


def run(target, more, count, seed=1):
    """Points, and the verdicts with that on the whole as ''."""
    import h5py
    with Folder() as folder:
        result = os.path.join(folder, "result.h5")
        file = write(folder, "input.yaml", INPUT.format(seed, count, target, more))
        dunlin("run", file, "--output", result, "--quiet")
        said = summary(result)
        with h5py.File(result, "r") as found:
            x = found["posterior/x"][...].reshape(count, -1)
    verdicts = {verdict["name"]: verdict for verdict in said["verdicts"]}
    verdicts[""] = said["diagnosis"]
    return x, verdicts


def deviations(x):
    """From the mixture: of shares of its modes, cut along each axis at their means, by chi-square;
    of the squared size within modes; and of the shares alone; in standard errors."""
    import numpy
    away = x[:, None] - numpy.array(MEANS)[None]
    own = (away ** 2).sum(2).argmin(1)
    away = away[numpy.arange(len(x)), own] / numpy.array(SCALES)[own, None]
    cell = own * 8 + (away > 0) @ numpy.array([1, 2, 4])
    due = numpy.repeat(SHARES, 8) / 8 * len(x)
    square = ((numpy.bincount(cell, minlength=24) - due) ** 2 / due).sum()
    size = ((away ** 2).mean() - 1) / (2 / (3 * len(x))) ** .5
    due = numpy.array(SHARES)
    share = numpy.bincount(own, minlength=3) / len(x)
    return ((square - 23) / 46 ** .5, size,
            abs((share - due) / numpy.sqrt(due * (1 - due) / len(x))).max())


def test_draws_have_the_law():
    """In any number of steps; Euler's steps have it not."""
    for seed, steps in ((1, 20), (2, 3), (3, 60)):
        x, said = run(MIXTURE, f"steps: {steps}", 50000, seed)
        off = deviations(x)
        print(f"# seed {seed}, {steps} steps:", off)
        assert max(off) < 5 and off[1] > -5 and said[""] == "good", off
    off = deviations(run(MIXTURE, "by: means, steps: 20", 50000)[0])
    print("# by means:", off)
    assert min(off[0], off[2]) > 5, off


def nats(verdicts):
    found = re.search(r"are (\S+) \+- (\S+) nats", verdicts["steps"]["text"])
    return float(found.group(1)), float(found.group(2))


def test_nats_of_a_gaussian():
    """K steps of the length s by means: K d (exp(-s) - 1 + s) / 2; by covariances none."""
    import math
    for steps in (50, 200):
        length = 7 / steps
        due = steps * 3 * (math.exp(-length) - 1 + length) / 2
        found, error = nats(run(GAUSSIAN, f"by: means, steps: {steps}", 10000)[1])
        print(f"# {steps} steps: {found} +- {error} nats ({due:.4f})")
        assert abs(found - due) < 5 * error < .2 * due
    said = run(GAUSSIAN, "by: covariance, steps: 5", 10000)[1]
    assert nats(said)[0] < 1e-6 and said[""] == "good", said
    far = GAUSSIAN.replace("[1, -2, .03]", "[300, -2, 3]")  # nothing is wrong but rounding
    said = run(far, "by: covariance, steps: 5", 10000)[1]
    assert nats(said)[0] < 1e-6 and said[""] == "good", said


def test_covariances_are_of_higher_order():
    """Of mixtures; with classes first none is left, and weights have the classes' log Z."""
    found = [nats(run(MIXTURE, f"by: covariance, steps: {steps}", 20000)[1])
             for steps in (12, 24, 48)]
    print("#", found)
    for (few, few_error), (many, error) in zip(found, found[1:]):
        assert few - 3 * few_error > 2.5 * (many - 3 * error), found
    x, said = run(MIXTURE, "by: covariance, steps: 5, classes: first", 20000)
    assert nats(said)[0] < 1e-6 and said[""] == "good", said
    assert max(deviations(x)) < 5


def test_weights_have_log_z():
    for more in ("by: means, steps: 50", "by: covariance, steps: 15"):
        text = run(MIXTURE, more, 20000)[1]["mass of ways"]["text"]
        assert abs(float(re.search(r"is (\S+) errors", text).group(1))) < 5, text


main()
