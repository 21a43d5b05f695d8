"""Annealed importance sampling by one unadjusted underdamped step at each of 20 temperatures, from
N(0, 1) to two wells: exp(-work) over the deterministic steps is the weight, whatever their order,
so that the ratio of the constants is within 3 standard errors, and steps that blow up weigh 0."""
import os
import sys

import numpy

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from support import BUILD, Folder, attributes, dunlin, main, write  # noqa: E402

INPUT = """
run: {seed: SEED, particles: 65536}
target: {type: library, file: LIBRARY}
path: {type: geometric, base: {type: gaussian, scale: 1},
       schedule: {type: fixed, spacing: linear, steps: 20}}
kernel: {type: underdamped, metropolised: false, scheme: SCHEME, step_size: STEP, jitter: 0,
         friction: 1, metric: identity}
method: {type: smc, moves_per_step: 1, ess_threshold: 0}
output: {file: result.h5, draws: 1}
"""


def truth():
    x = numpy.linspace(-4, 4, 20001)
    density = numpy.exp(-3 * (x ** 2 - 1) ** 2 - x / 2)
    return numpy.sum(density) * (x[1] - x[0]) / numpy.sqrt(2 * numpy.pi)


def ratio(scheme, step, seed):
    text = INPUT.replace("SCHEME", scheme).replace("STEP", str(step)).replace("SEED", str(seed))
    text = text.replace("LIBRARY", os.path.join(BUILD, "tests", "user_target", "quartic.so"))
    with Folder() as folder:
        dunlin("run", write(folder, "input.yaml", text), "--quiet", folder=folder)
        found = attributes(os.path.join(folder, "result.h5"))
    value = numpy.exp(found["log_evidence"]) / numpy.sqrt(2 * numpy.pi)
    return value, value * found["log_evidence_error"], found


def test_ratio():
    expected = truth()
    assert abs(expected - .4980) < 5e-5, expected
    for seed, scheme in enumerate(("obabo", "baoab", "A/2 B A/2 O")):
        value, error, _ = ratio(scheme, .1, seed)
        print(f"{scheme}: {value:.4f} +- {error:.4f}")
        assert error < .004, (scheme, error)
        assert abs(value - expected) <= 3 * error, (scheme, value, error)


def test_long_steps():
    value, error, _ = ratio("baoab", .25, 7)
    print(f"baoab: {value:.4f} +- {error:.4f}")
    assert abs(value - truth()) <= 3 * error, (value, error)


if __name__ == "__main__":
    main()
