# tier: long
"""Z-hat of SMC is unbiased with everything learned, by all kernels with all metrics, at 512
particles in 50 dimensions: 12 comparisons in standard errors (limit 5, each below .01; random walks
with the identity metric 1000 times, since moves that ended when they look forgotten made these 2 %
too small).  And the default in 1000 dimensions with 1024 particles: 60 runs, whose mean deviation
is at most .3 reported errors more than three of its own."""
import numpy

from calibration import replicates
from support import main
from test_unbiased import GAUSSIAN


def law(kernel, metric, dimension, particles, count, seed):
    text = (GAUSSIAN.replace("DIMENSION", str(dimension)).replace("KERNEL", kernel)
            .replace("METRIC", metric))
    return replicates(text, count, particles, seed)


def test_everything_learned():
    for number, kernel in enumerate(("hmc", "mala", "underdamped", "rwm")):
        for metric in ("identity", "diagonal", "dense"):
            count = 1000 if (kernel, metric) == ("rwm", "identity") else 160
            found = law(kernel, metric, 50, 512, count, 200 + number)
            ratio = numpy.exp(found["log_evidence"])
            mean, error = numpy.mean(ratio), numpy.std(ratio, ddof=1) / numpy.sqrt(count)
            print(f"{kernel} {metric}: {mean:.4f} +- {error:.4f}", flush=True)
            assert error < .01, (kernel, metric, error)
            assert abs(mean - 1) <= 5 * error, (kernel, metric, mean, error)


def test_a_thousand_dimensions():
    found = law("hmc", "diagonal", 1000, 1024, 60, 300)
    off = found["log_evidence"] / found["log_evidence_error"]
    mean, error = numpy.mean(off), numpy.std(off, ddof=1) / numpy.sqrt(len(off))
    print(f"mean deviation {mean:.3f} +- {error:.3f} reported errors")
    assert abs(mean) <= .3 + 3 * error


main()
